//! The pauses between retries of failed work.

use chrono::{DateTime, TimeDelta, Utc};

/// Minutes before failed work is retried after the first, second, … failure; the last applies to all further failures.
const RETRY_MINUTES: [i64; 5] = [1, 5, 15, 30, 60];

/// The time of the next retry; none without a failure.
pub(super) fn retry_at(failures: u32, failed_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let failures = usize::try_from(failures).unwrap_or(usize::MAX);
    let last = RETRY_MINUTES.len() - 1;
    let wait = RETRY_MINUTES.get(failures.checked_sub(1)?.min(last))?;
    failed_at.checked_add_signed(TimeDelta::minutes(*wait))
}
