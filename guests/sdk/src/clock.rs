//! The current time of the run, and how long decisions based on it hold.
//!
//! A decision that depends on the time can change without an edit of the row. So the clock records the questions it
//! is asked: a comparison limits the decision to the first moment at which its result changes, if there is one. Code
//! that reads the time itself, as a text or a number, depends on it in an unknown way: the decision then holds until
//! the end of the day in the zone. The frame passes the result to the host with every outcome; an author has nothing
//! to add.

use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

use crate::contract::{Context, GuestError};
use crate::date::{self, Moment};
use crate::zone::Zone;

/// The current time of the run and the tenant's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    now: Moment,
    zone: Zone,
    /// The first moment, in milliseconds since 1970, at which a decision made since the last record may change.
    until: Rc<Cell<Option<i64>>>,
}

impl Clock {
    /// Reads a context.
    ///
    /// # Errors
    /// `timezone.unknown`, `context.invalid`.
    pub fn new(context: &Context) -> Result<Self, GuestError> {
        let zone = Zone::named(&context.timezone)?;
        match date::parse(&context.now, &zone) {
            Ok(now) => Ok(Clock { now, zone, until: Rc::default() }),
            Err(fault) => {
                Err(GuestError { code: "context.invalid".to_owned(), message: fault.message.both() })
            }
        }
    }

    /// The current time of the run in the tenant's zone, for comparison with a [`Moment`] or for reading as one.
    ///
    /// ```
    /// # use ruzhi_guest::{Clock, Context, date};
    /// # let context = Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() };
    /// # let clock = Clock::new(&context).unwrap();
    /// let leaves = date::parse("2026-06-30", clock.zone()).unwrap();
    /// assert!(leaves > clock.now());
    /// ```
    pub fn now(&self) -> Now<'_> {
        Now { clock: self }
    }

    /// The first moment of the run's day in the tenant's zone.
    pub fn today(&self) -> Today<'_> {
        self.today_in(&self.zone)
    }

    /// The first moment of the run's day in a zone.
    pub fn today_in<'c>(&'c self, zone: &'c Zone) -> Today<'c> {
        Today { clock: self, zone, start: self.now.start_of_day(zone) }
    }

    /// The tenant's time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Until when the answers since the last call hold; none means for ever.
    pub(crate) fn take(&self) -> Option<String> {
        self.until.take().and_then(date::utc)
    }

    fn narrow(&self, until: i64) {
        let until = self.until.get().map_or(until, |earlier| earlier.min(until));
        self.until.set(Some(until));
    }

    /// A decision depends on the time in an unknown way: it holds until the end of the day.
    fn narrow_to_day(&self, zone: &Zone) {
        self.narrow(zone.next_day(self.now.timestamp()) * 1000);
    }
}

/// The current time of the run. A comparison limits the decision to the moment compared with; reading it as a
/// [`Moment`] limits it to the end of the day.
#[derive(Debug, Clone, Copy)]
pub struct Now<'c> {
    clock: &'c Clock,
}

impl Now<'_> {
    /// The first moment of its day in a zone.
    pub fn start_of_day(&self, zone: &Zone) -> Moment {
        *self.clock.today_in(zone)
    }
}

impl Deref for Now<'_> {
    type Target = Moment;

    fn deref(&self) -> &Moment {
        self.clock.narrow_to_day(&self.clock.zone);
        &self.clock.now
    }
}

/// The first moment of the run's day. A comparison limits the decision to the day that makes a difference; reading it
/// as a [`Moment`] limits it to the end of this day.
#[derive(Debug, Clone, Copy)]
pub struct Today<'c> {
    clock: &'c Clock,
    zone: &'c Zone,
    start: Moment,
}

impl Deref for Today<'_> {
    type Target = Moment;

    fn deref(&self) -> &Moment {
        self.clock.narrow_to_day(self.zone);
        &self.start
    }
}

/// The moving side of a comparison with a fixed moment.
trait Hand {
    /// True once it has passed a moment.
    fn has_passed(&self, moment: Moment) -> bool;

    /// True until it reaches a moment.
    fn is_short_of(&self, moment: Moment) -> bool;
}

impl Hand for Now<'_> {
    fn has_passed(&self, moment: Moment) -> bool {
        let has = moment.timestamp_ms() < self.clock.now.timestamp_ms();
        if !has {
            self.clock.narrow(moment.timestamp_ms().saturating_add(1));
        }
        has
    }

    fn is_short_of(&self, moment: Moment) -> bool {
        let is = moment.timestamp_ms() > self.clock.now.timestamp_ms();
        if is {
            self.clock.narrow(moment.timestamp_ms());
        }
        is
    }
}

impl Today<'_> {
    /// Limits the decision to the first moment whose day begins after a moment, or not before it.
    fn narrow(&self, moment: Moment, begins: impl Fn(i64) -> bool) {
        let mut day = self.zone.day_of(moment.timestamp());
        while !begins(self.zone.start_of(day) * 1000) {
            day += 1;
        }
        self.clock.narrow(self.zone.next_start_of(day, self.clock.now.timestamp()) * 1000);
    }

    /// A clock put back over midnight shows the previous day again.
    fn narrow_to_turn(&self) {
        if let Some(turn) = self.zone.turned_back(self.clock.now.timestamp()) {
            self.clock.narrow(turn * 1000);
        }
    }
}

impl Hand for Today<'_> {
    fn has_passed(&self, moment: Moment) -> bool {
        let moment_ms = moment.timestamp_ms();
        let has = moment_ms < self.start.timestamp_ms();
        if has {
            self.narrow_to_turn();
        } else {
            self.narrow(moment, |start| start > moment_ms);
        }
        has
    }

    fn is_short_of(&self, moment: Moment) -> bool {
        let moment_ms = moment.timestamp_ms();
        let is = moment_ms > self.start.timestamp_ms();
        if is {
            self.narrow(moment, |start| start >= moment_ms);
        } else {
            self.narrow_to_turn();
        }
        is
    }
}

/// Both directions of a comparison between a moment and the moving side.
macro_rules! compared {
    ($hand:ident) => {
        impl PartialEq<$hand<'_>> for Moment {
            fn eq(&self, hand: &$hand<'_>) -> bool {
                !hand.has_passed(*self) && !hand.is_short_of(*self)
            }
        }

        impl PartialOrd<$hand<'_>> for Moment {
            fn partial_cmp(&self, hand: &$hand<'_>) -> Option<Ordering> {
                Some(if hand.has_passed(*self) {
                    Ordering::Less
                } else if hand.is_short_of(*self) {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                })
            }

            fn lt(&self, hand: &$hand<'_>) -> bool {
                hand.has_passed(*self)
            }

            fn le(&self, hand: &$hand<'_>) -> bool {
                !hand.is_short_of(*self)
            }

            fn gt(&self, hand: &$hand<'_>) -> bool {
                hand.is_short_of(*self)
            }

            fn ge(&self, hand: &$hand<'_>) -> bool {
                !hand.has_passed(*self)
            }
        }

        impl PartialEq<Moment> for $hand<'_> {
            fn eq(&self, moment: &Moment) -> bool {
                moment == self
            }
        }

        impl PartialOrd<Moment> for $hand<'_> {
            fn partial_cmp(&self, moment: &Moment) -> Option<Ordering> {
                moment.partial_cmp(self).map(Ordering::reverse)
            }

            fn lt(&self, moment: &Moment) -> bool {
                moment > self
            }

            fn le(&self, moment: &Moment) -> bool {
                moment >= self
            }

            fn gt(&self, moment: &Moment) -> bool {
                moment < self
            }

            fn ge(&self, moment: &Moment) -> bool {
                moment <= self
            }
        }
    };
}

compared!(Now);
compared!(Today);

#[cfg(test)]
mod tests;
