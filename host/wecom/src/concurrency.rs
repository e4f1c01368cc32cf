//! Limit on concurrent calls: reduced after a 45033, slowly raised after successes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Number of consecutive successes that allows one more call in flight.
const SUCCESSES_FOR_ONE_MORE: u32 = 100;

struct ConcurrencyState {
    most: usize,
    allowed: usize,
    taken: usize,
    successes: u32,
    /// Incremented by each halving: of the calls in flight together only the first 45033 counts.
    epoch: u64,
}

/// The places of a corp's calls, shared by all APIs.
pub(super) struct ConcurrencyLimit {
    places: Mutex<ConcurrencyState>,
    /// Held by the next caller; the mutex queues the others in order of arrival.
    turn: tokio::sync::Mutex<()>,
    freed: Notify,
}

impl ConcurrencyLimit {
    /// At most `most` concurrent calls, at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            places: Mutex::new(ConcurrencyState { most, allowed: most, taken: 0, successes: 0, epoch: 0 }),
            turn: tokio::sync::Mutex::new(()),
            freed: Notify::new(),
        }
    }

    fn places(&self) -> MutexGuard<'_, ConcurrencyState> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place and takes it.
    pub(super) async fn acquire(&self) -> CallPermit<'_> {
        let _turn = self.turn.lock().await;
        loop {
            {
                let mut places = self.places();
                if places.taken < places.allowed {
                    places.taken += 1;
                    return CallPermit { of: self, epoch: places.epoch };
                }
            }
            self.freed.notified().await;
        }
    }
}

/// A call's place, released when dropped.
pub(super) struct CallPermit<'a> {
    of: &'a ConcurrencyLimit,
    epoch: u64,
}

impl CallPermit<'_> {
    /// Handles an answer that too many calls are in flight. Returns the number now allowed.
    pub(super) fn crowded(&self) -> usize {
        let mut places = self.of.places();
        if self.epoch == places.epoch {
            places.epoch += 1;
            places.allowed = (places.allowed / 2).max(1);
            places.successes = 0;
        }
        places.allowed
    }

    /// Handles an answer without that complaint.
    pub(super) fn succeeded(&self) {
        let mut places = self.of.places();
        if places.allowed < places.most {
            places.successes += 1;
            if places.successes >= SUCCESSES_FOR_ONE_MORE {
                places.successes = 0;
                places.allowed += 1;
                drop(places);
                self.of.freed.notify_one();
            }
        }
    }
}

impl Drop for CallPermit<'_> {
    fn drop(&mut self) {
        self.of.places().taken -= 1;
        self.of.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_crowd_halves_the_places_once_and_a_hundred_successes_give_one_back() {
        let concurrency = ConcurrencyLimit::new(4);
        let together = [concurrency.acquire().await, concurrency.acquire().await];
        assert_eq!(together.each_ref().map(CallPermit::crowded), [2, 2]);
        drop(together);
        assert_eq!(concurrency.acquire().await.crowded(), 1);
        assert_eq!(concurrency.acquire().await.crowded(), 1);
        for _ in 0..99 {
            concurrency.acquire().await.succeeded();
        }
        assert_eq!(concurrency.places().allowed, 1);
        concurrency.acquire().await.succeeded();
        assert_eq!(concurrency.places().allowed, 2);
        for _ in 0..1000 {
            concurrency.acquire().await.succeeded();
        }
        assert_eq!(concurrency.places().allowed, 4);
    }

    #[tokio::test]
    async fn none_is_given_a_place_beyond_those_allowed() {
        let concurrency = ConcurrencyLimit::new(0);
        let only = concurrency.acquire().await;
        let mut next = std::pin::pin!(concurrency.acquire());
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(next.as_mut().poll(cx).is_pending())).await);
        drop(only);
        next.await.succeeded();
    }
}
