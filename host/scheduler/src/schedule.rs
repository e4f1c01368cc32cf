//! The moments of a schedule.

use chrono::{DateTime, SubsecRound as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A cron expression of five fields in a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    cron: Cron,
    zone: Tz,
}

impl Schedule {
    /// A schedule; none if the text is not a cron expression of five fields.
    pub fn new(text: &str, zone: Tz) -> Option<Self> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        Some(Self { cron: parser.parse(text).ok()?, zone })
    }

    /// Its first moment after another.
    pub fn after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Its moments are whole minutes.
        let moment = moment.trunc_subsecs(0).with_timezone(&self.zone);
        self.cron.find_next_occurrence(&moment, false).ok().map(|next| next.with_timezone(&Utc))
    }
}
