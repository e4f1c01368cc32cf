//! The limiter: a maximum number of calls in any window, as counted by the service, for several windows together.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// At most `most` calls in any `length`.
#[derive(Debug)]
struct SlidingWindow {
    most: usize,
    length: Duration,
    /// Number of the oldest entries of [`Slots::answered`] that no longer count here.
    past: usize,
}

/// The slots of all windows. They share one list, which keeps the times of the answers as long as the longest window
/// counts them, and so never exceeds that window's `most`.
#[derive(Debug)]
struct Slots {
    windows: Vec<SlidingWindow>,
    /// Calls let go and not yet answered.
    under_way: usize,
    /// The times of the answers, oldest first.
    answered: VecDeque<Instant>,
}

/// The obstacle to the next call.
enum SlotWait {
    Go,
    At(Instant),
    /// Every slot of some window is in use: none is released before one of these calls is answered.
    AfterAnAnswer,
}

impl Slots {
    /// Takes a slot, or returns the event to wait for.
    fn take(&mut self, now: Instant) -> SlotWait {
        let mut next = SlotWait::Go;
        for window in &mut self.windows {
            while self.answered.get(window.past).is_some_and(|answer| *answer + window.length <= now) {
                window.past += 1;
            }
            if self.under_way + self.answered.len() - window.past < window.most {
                continue;
            }
            next = match (self.answered.get(window.past), next) {
                (None, _) | (_, SlotWait::AfterAnAnswer) => SlotWait::AfterAnAnswer,
                (Some(oldest), SlotWait::Go) => SlotWait::At(*oldest + window.length),
                (Some(oldest), SlotWait::At(other)) => SlotWait::At(other.max(*oldest + window.length)),
            };
        }
        let past_for_all = self.windows.iter().map(|window| window.past).min().unwrap_or(self.answered.len());
        self.answered.drain(..past_for_all);
        for window in &mut self.windows {
            window.past -= past_for_all;
        }
        if matches!(next, SlotWait::Go) {
            self.under_way += 1;
        }
        next
    }
}

#[derive(Debug)]
struct LimiterState {
    slots: Mutex<Slots>,
    /// Held by the next caller; the mutex queues the others in order of arrival.
    turn: tokio::sync::Mutex<()>,
    answer: Notify,
}

impl LimiterState {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Limits calls to the rate allowed by all of its windows, in order of arrival.
#[derive(Debug, Clone)]
pub struct Limiter(Arc<LimiterState>);

impl Limiter {
    /// A limiter of several windows, each (maximum number of calls, length of the window). A count of 0 is taken as
    /// 1: a limit that lets nothing through would hang.
    pub fn new(windows: &[(u32, Duration)]) -> Self {
        let windows = windows
            .iter()
            .map(|&(most, length)| SlidingWindow {
                most: usize::try_from(most).unwrap_or(usize::MAX).max(1),
                length,
                past: 0,
            })
            .collect();
        Self(Arc::new(LimiterState {
            slots: Mutex::new(Slots { windows, under_way: 0, answered: VecDeque::new() }),
            turn: tokio::sync::Mutex::new(()),
            answer: Notify::new(),
        }))
    }

    /// Waits for a slot and takes it. A caller that gives up waiting takes none.
    pub async fn acquire(&self) -> Permit {
        let _turn = self.0.turn.lock().await;
        loop {
            let next = self.0.slots().take(Instant::now());
            match next {
                SlotWait::Go => return Permit { shared: Arc::clone(&self.0), used: true },
                SlotWait::At(moment) => sleep_until(moment).await,
                SlotWait::AfterAnAnswer => self.0.answer.notified().await,
            }
        }
    }
}

/// The slot of one call. Its time starts when this is dropped: after the answer, or once it is known never to come.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once starts its slot's clock before the call was sent"]
pub struct Permit {
    shared: Arc<LimiterState>,
    used: bool,
}

impl Permit {
    /// The call was answered.
    pub fn finish(self) {}

    /// The call was not sent after all: the slot is released at once.
    pub fn unused(mut self) {
        self.used = false;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        {
            let mut slots = self.shared.slots();
            slots.under_way -= 1;
            if self.used {
                slots.answered.push_back(Instant::now());
            }
        }
        self.shared.answer.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use tokio::time::sleep;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;
    const MINUTE: Duration = Duration::from_secs(60);

    /// Makes `calls` calls with at most `in_flight` at once, each reaching the service at some point of its latency,
    /// and returns the times of arrival in order, and the total duration.
    fn run(
        limiter: Limiter,
        calls: usize,
        in_flight: usize,
        latency: u64,
        seed: u64,
    ) -> (Vec<Instant>, Duration) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let begin = Instant::now();
            let arrivals = Arc::new(Mutex::new(Vec::new()));
            let left = Arc::new(AtomicUsize::new(calls));
            let workers: Vec<_> = (0..in_flight)
                .map(|worker| {
                    let (limiter, arrivals, left) =
                        (limiter.clone(), Arc::clone(&arrivals), Arc::clone(&left));
                    tokio::spawn(async move {
                        let mut chance = StdRng::seed_from_u64(seed ^ worker as u64);
                        while left
                            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                            .is_ok()
                        {
                            let permit = limiter.acquire().await;
                            sleep(MS(chance.random_range(0..=latency))).await;
                            arrivals.lock().unwrap().push(Instant::now());
                            sleep(MS(chance.random_range(0..=latency))).await;
                            permit.finish();
                        }
                    })
                })
                .collect();
            for worker in workers {
                worker.await.unwrap();
            }
            let mut arrivals = arrivals.lock().unwrap().clone();
            arrivals.sort();
            (arrivals, begin.elapsed())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn no_window_ever_holds_more_than_it_allows(
            windows in prop::collection::vec((1_u32..12, 20_u64..2000), 1..4),
            calls in 1_usize..80,
            in_flight in 1_usize..20,
            latency in 0_u64..700,
            seed: u64,
        ) {
            let windows: Vec<_> = windows.into_iter().map(|(most, length)| (most, MS(length))).collect();
            let (arrivals, _) = run(Limiter::new(&windows), calls, in_flight, latency, seed);
            prop_assert_eq!(arrivals.len(), calls);
            for (most, length) in windows {
                for pair in arrivals.windows(most as usize + 1) {
                    prop_assert!(pair[most as usize] - pair[0] >= length, "{most} in {length:?}");
                }
            }
        }
    }

    #[test]
    fn three_thousand_calls_take_no_longer_than_the_limit_asks() {
        let windows = [(1000, MINUTE), (150_000, 60 * MINUTE)];
        let (_, unlimited) = run(Limiter::new(&[]), 3000, 4, 10, 1);
        let (_, took) = run(Limiter::new(&windows), 3000, 4, 10, 1);
        // The last of 3,000 may go after two whole minutes; the rest is the time of a thousand calls themselves.
        let optimum = 2 * MINUTE + unlimited / 3;
        assert!(took >= 2 * MINUTE, "{took:?}");
        assert!(took <= optimum.mul_f64(1.05), "{took:?} against {optimum:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_a_slot_is_free_one_window_after_its_answer() {
        let limiter = Limiter::new(&[(3, MINUTE)]);
        let begin = Instant::now();
        let permits = [limiter.acquire().await, limiter.acquire().await, limiter.acquire().await];
        assert_eq!(begin.elapsed(), Duration::ZERO);
        sleep(MS(500)).await;
        drop(permits);
        limiter.acquire().await.finish();
        assert_eq!(begin.elapsed(), MINUTE + MS(500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_that_was_not_used_is_free_at_once() {
        let limiter = Limiter::new(&[(1, MINUTE)]);
        let begin = Instant::now();
        limiter.acquire().await.unused();
        limiter.acquire().await.finish();
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_go_in_order_of_arrival_and_one_that_gave_up_blocks_no_other() {
        let limiter = Limiter::new(&[(1, MS(100))]);
        let first = limiter.acquire().await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let wait = |name: usize| {
            let (limiter, order) = (limiter.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let permit = limiter.acquire().await;
                order.lock().unwrap().push(name);
                permit.finish();
            })
        };
        let mut waiting = Vec::new();
        for name in 0..5 {
            waiting.push(wait(name));
            tokio::task::yield_now().await;
        }
        waiting.remove(0).abort();
        first.finish();
        for waiter in waiting {
            waiter.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_by_the_longest_window() {
        let limiter = Limiter::new(&[(50, MS(10)), (200, MS(1000))]);
        for _ in 0..2000 {
            limiter.acquire().await.finish();
        }
        assert!(limiter.0.slots().answered.len() <= 200);
    }
}
