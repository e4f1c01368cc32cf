//! Ids of runs and of rows of the audit log: UUIDs of version 7 (RFC 9562), which begin with the time.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

use ruzhi_model::{AuditId, RunId};
use ruzhi_sync::RunIds;

/// Counts the ids of this process within a millisecond. A clock that was set back does not make an id smaller.
static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// An id greater than all before it in this process.
fn next(at: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(&CONTEXT, seconds, at.timestamp_subsec_nanos()))
}

/// The id of a row of the audit log.
pub(crate) fn next_audit_id(at: DateTime<Utc>) -> AuditId {
    #[expect(clippy::expect_used, reason = "36 hexadecimal digits and hyphens are a valid id")]
    next(at).to_string().parse().expect("an id of a row")
}

/// Run ids that rise with time.
pub(crate) struct TimeOrderedRunIds;

impl RunIds for TimeOrderedRunIds {
    fn next(&self, at: DateTime<Utc>) -> RunId {
        #[expect(clippy::expect_used, reason = "36 hexadecimal digits and hyphens are a valid id")]
        next(at).to_string().parse().expect("a run id")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ids_rise_within_a_millisecond_and_over_a_clock_that_is_set_back() {
        let at: DateTime<Utc> = "2026-05-01T08:00:00.123Z".parse().unwrap();
        let moments = [
            at,
            at,
            at + TimeDelta::microseconds(400),
            at - TimeDelta::hours(1),
            at - TimeDelta::hours(1),
            at,
        ];
        let runs: Vec<RunId> = moments.iter().map(|at| TimeOrderedRunIds.next(*at)).collect();
        assert!(runs.is_sorted_by(|one, other| one < other), "{runs:?}");
        let rows: Vec<AuditId> = (0..10_000).map(|_| next_audit_id(at)).collect();
        assert!(rows.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn ids_of_many_threads_differ() {
        let at: DateTime<Utc> = "2026-05-01T08:00:00Z".parse().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(move || (0..1_000).map(|_| TimeOrderedRunIds.next(at)).collect::<Vec<_>>())
            })
            .collect();
        let ids: BTreeSet<RunId> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 4_000);
    }
}
