//! Deliveries already taken, so that a repeated one wakes no flow.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use ruzhi_model::{FlowId, TenantId};
use ruzhi_store::{Database, Delivery, StoreError, WakeKind};

/// A request signed further away than this from now was held back on its way or overheard and replayed, or one of the
/// clocks is wrong.
pub(super) const REPLAY: TimeDelta = TimeDelta::minutes(10);
/// A delivery is remembered this long: longer than a service retries, and long enough that an overheard push can be
/// replayed at most once a week.
pub(super) const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// Time for the store to answer; JianDaoYun waits 2 s, WeCom 5 s.
pub(super) const PATIENCE: Duration = Duration::from_millis(1200);

/// True if the signature's `timestamp`, in seconds since 1970, is recent.
pub(super) fn is_of_now(timestamp: &str, now: DateTime<Utc>) -> bool {
    let signed = timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    signed.is_some_and(|signed: DateTime<Utc>| (now - signed).abs() <= REPLAY)
}

/// Takes a delivery under every one of its names, together with its wake: the service is told that it arrived, so it
/// must not be forgotten. It is new only if each of its names is.
pub(super) async fn is_new(
    store: &Database,
    source: &str,
    names: &[String],
    now: DateTime<Utc>,
    wakes: Option<(&TenantId, &FlowId, WakeKind)>,
) -> Result<bool, StoreError> {
    store.delivery_take(&Delivery { source, names, at: now, forget_before: now - REMEMBERED, wakes }).await
}

/// The answer to `asked`, if it comes in time and without an error.
pub(super) async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the store could not be asked about a push; a kill before the flow runs would forget it"
            );
            None
        }
        Err(_) => {
            tracing::warn!(
                "the store did not answer in time about a push; a kill before the flow runs would forget it"
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_within_ten_minutes_is_of_now() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        for (timestamp, is_now) in [
            ("1700000000", true),
            ("1699999400", true),
            ("1699999399", false),
            ("1700000600", true),
            ("1700000601", false),
            ("1700000000000", false),
            ("-1", false),
            ("9223372036854775807", false),
            ("-9223372036854775808", false),
            ("", false),
            ("soon", false),
        ] {
            assert_eq!(is_of_now(timestamp, now), is_now, "{timestamp}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_is_waited_for_in_vain_only_so_long() {
        let began = tokio::time::Instant::now();
        assert_eq!(in_time(std::future::pending::<Result<(), StoreError>>()).await, None);
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
        assert_eq!(in_time(std::future::ready(Ok(7))).await, Some(7));
    }
}
