//! The schedule of a flow.

use std::fmt;

use chrono::{DateTime, SubsecRound as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};

/// A cron expression of five fields in a time zone that has a next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    cron: Cron,
    zone: Tz,
}

/// The reason a text is not a schedule.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// It is not a cron expression of five fields.
    #[error("it is not a cron expression: {0}")]
    Cron(#[source] CronError),
    /// It names a date that does not exist.
    #[error("it never comes")]
    Never,
}

impl Schedule {
    /// Reads a schedule.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let text = text.trim();
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(ScheduleError::Cron)?;
        let schedule = Self { text: text.to_owned(), cron, zone };
        // An impossible date, such as 30 February, is found only by searching; from a fixed moment, so that the result
        // is the same every day.
        match schedule.after(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never),
        }
    }

    /// Its first moment after another.
    pub fn after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Its moments are whole minutes.
        let moment = moment.trunc_subsecs(0).with_timezone(&self.zone);
        self.cron.find_next_occurrence(&moment, false).ok().map(|next| next.with_timezone(&Utc))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
