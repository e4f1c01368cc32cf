//! The wait before the next attempt.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// A seeded source of jitter: the same seed gives the same waits.
pub struct Jitter(Mutex<StdRng>);

impl Jitter {
    /// Seeds the jitter.
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// A random fraction between `low` and 1.
    fn part(&self, low: f64) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(low..1.0)
    }
}

/// Exponential backoff: the first full wait is `first`, none exceeds `most`. Jitter removes up to half of each, so
/// that callers that failed together do not return together.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    first: Duration,
    least: Duration,
    most: Duration,
}

impl Backoff {
    /// Waits from `first` to `most`.
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, least: Duration::ZERO, most }
    }

    /// The same waits, none shorter than `least`.
    pub const fn at_least(self, least: Duration) -> Self {
        Self { least, ..self }
    }

    /// The wait before retry `retry`, counted from 0.
    pub fn wait(&self, retry: u32, jitter: &Jitter) -> Duration {
        let whole = self.first.saturating_mul(2_u32.saturating_pow(retry)).min(self.most);
        whole.mul_f64(jitter.part(0.5)).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn waits_double_up_to_the_longest_and_keep_at_least_half() {
        let (backoff, jitter) = (Backoff::new(MS(100), MS(3000)), Jitter::from_seed(7));
        for (retry, whole) in [(0, 100), (1, 200), (2, 400), (5, 3000), (90, 3000)] {
            let wait = backoff.wait(retry, &jitter);
            assert!(wait >= MS(whole / 2) && wait <= MS(whole), "retry {retry}: {wait:?}");
        }
    }

    #[test]
    fn no_wait_is_shorter_than_the_least() {
        let backoff = Backoff::new(MS(1000), MS(20_000)).at_least(MS(1000));
        assert_eq!(backoff.wait(0, &Jitter::from_seed(1)), MS(1000));
    }

    #[test]
    fn a_seed_gives_the_same_waits_again() {
        let waits = |seed| {
            let jitter = Jitter::from_seed(seed);
            (0..8).map(|n| Backoff::new(MS(100), MS(3000)).wait(n, &jitter)).collect::<Vec<_>>()
        };
        assert_eq!(waits(3), waits(3));
        assert_ne!(waits(3), waits(4));
    }
}
