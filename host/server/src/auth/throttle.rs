//! Limits wrong tokens.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::denied::AccessDenial;

/// The length of a window.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Wrong tokens of one address in a window.
const EACH: u32 = 5;
/// Wrong tokens of all addresses in a window before each is allowed only one.
const ALL: u32 = 100;
/// Addresses counted separately; all others are counted together.
const ADDRESSES: usize = 10_000;

#[derive(Clone, Copy)]
struct TokenCount {
    since: DateTime<Utc>,
    wrong: u32,
}

impl TokenCount {
    fn is_past(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back ends a window too: no address waits for a moment of the past.
        now - self.since >= WINDOW || now < self.since
    }

    fn add(&mut self, now: DateTime<Utc>) {
        if self.is_past(now) {
            *self = Self { since: now, wrong: 0 };
        }
        self.wrong += 1;
    }

    fn standing(&self, now: DateTime<Utc>) -> u32 {
        if self.is_past(now) { 0 } else { self.wrong }
    }
}

/// Recent wrong tokens.
#[derive(Default)]
pub(super) struct Throttle(Mutex<TokenCounts>);

#[derive(Default)]
struct TokenCounts {
    /// By address; the key `None` counts all that do not fit.
    each: HashMap<Option<IpAddr>, TokenCount>,
    all: Option<TokenCount>,
}

/// The decision on an address that shows a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThrottleDecision {
    /// It may show one.
    Free,
    /// It is denied, whatever the token.
    Waits(AccessDenial),
    /// It may show one, but a wrong one is told to wait: addresses beyond those counted separately are counted
    /// together, and one of them must not lock the others out.
    Together(AccessDenial),
}

impl Throttle {
    /// Decides if an address may show a token. One that may be shared by everyone (`is_shared`) may always show a right
    /// one.
    pub(super) fn standing(
        &self,
        address: Option<IpAddr>,
        is_shared: bool,
        now: DateTime<Utc>,
    ) -> ThrottleDecision {
        let (place, stands) = self.may_try(address, now);
        match stands {
            Ok(()) => ThrottleDecision::Free,
            Err(denial) if is_shared || place.is_none() => ThrottleDecision::Together(denial),
            Err(denial) => ThrottleDecision::Waits(denial),
        }
    }

    /// The place where an address is counted, and how long it waits, if it does.
    fn may_try(
        &self,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> (Option<IpAddr>, Result<(), AccessDenial>) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let flooded = counts.all.is_some_and(|all| all.standing(now) > ALL);
        let most = if flooded { 1 } else { EACH };
        let place = counts.place(address);
        let Some(count) = counts.each.get(&place) else { return (place, Ok(())) };
        if count.standing(now) < most {
            return (place, Ok(()));
        }
        let wait = (count.since + WINDOW - now).num_milliseconds();
        let denial = AccessDenial::TooOften { seconds: u64::try_from(wait).unwrap_or(0).div_ceil(1000) };
        (place, Err(denial))
    }

    /// Counts a wrong token.
    pub(super) fn failed(&self, address: Option<IpAddr>, now: DateTime<Utc>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = TokenCount { since: now, wrong: 0 };
        if counts.each.len() >= ADDRESSES {
            counts.each.retain(|_, count| !count.is_past(now));
        }
        let place = counts.place(address);
        counts.each.entry(place).or_insert(fresh).add(now);
        counts.all.get_or_insert(fresh).add(now);
    }
}

impl TokenCounts {
    fn place(&self, address: Option<IpAddr>) -> Option<IpAddr> {
        let of = address.map(network);
        if self.each.contains_key(&of) || self.each.len() < ADDRESSES { of } else { None }
    }
}

/// The unit that counts as one address: an IPv6 client has its whole /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn five_wrong_tokens_in_a_minute_and_only_that_address_waits() {
        let throttle = Throttle::default();
        for second in 0..5 {
            assert!(throttle.may_try(ip("192.0.2.1"), at(second)).1.is_ok());
            throttle.failed(ip("192.0.2.1"), at(second));
        }
        let shared = throttle.standing(ip("192.0.2.1"), true, at(5));
        assert!(matches!(shared, ThrottleDecision::Together(_)), "it may be shared: {shared:?}");
        assert!(matches!(throttle.standing(ip("192.0.2.1"), false, at(5)), ThrottleDecision::Waits(_)));
        let Err(AccessDenial::TooOften { seconds }) = throttle.may_try(ip("192.0.2.1"), at(5)).1 else {
            panic!()
        };
        assert_eq!(seconds, 55);
        assert!(throttle.may_try(ip("::ffff:192.0.2.1"), at(5)).1.is_err(), "the same address, written anew");
        assert!(throttle.may_try(ip("192.0.2.2"), at(5)).1.is_ok());
        assert!(throttle.may_try(ip("192.0.2.1"), at(60)).1.is_ok(), "the minute is over");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let throttle = Throttle::default();
        for n in 0..5 {
            throttle.failed(ip(&format!("2001:db8::{n}")), at(0));
        }
        assert!(throttle.may_try(ip("2001:db8::ffff"), at(1)).1.is_err());
        assert!(throttle.may_try(ip("2001:db8:0:1::1"), at(1)).1.is_ok());
    }

    #[test]
    fn a_flood_leaves_each_address_one_and_locks_none_out() {
        let throttle = Throttle::default();
        for n in 0..=ALL {
            throttle.failed(ip(&format!("198.51.100.{n}")), at(0));
        }
        assert!(throttle.may_try(ip("198.51.100.7"), at(1)).1.is_err(), "it had its one");
        assert!(throttle.may_try(ip("192.0.2.9"), at(1)).1.is_ok(), "a new address may try");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..ADDRESSES + 50 {
            let address = IpAddr::from([10, (n >> 16) as u8, (n >> 8) as u8, n as u8]);
            throttle.failed(Some(address), at(0));
        }
        let kept = throttle.0.lock().unwrap().each.len();
        assert!(kept <= ADDRESSES + 1, "{kept}");
        assert!(
            throttle.may_try(ip("203.0.113.1"), at(1)).1.is_err(),
            "those that do not fit count together"
        );
        let standing = throttle.standing(ip("203.0.113.1"), false, at(1));
        assert!(matches!(standing, ThrottleDecision::Together(_)), "and lock none of them out: {standing:?}");
        throttle.failed(ip("203.0.113.1"), at(61));
        assert_eq!(throttle.0.lock().unwrap().each.len(), 1, "what is past is forgotten");
    }
}
