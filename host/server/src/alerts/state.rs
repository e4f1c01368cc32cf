//! The alarms that stand, and which channels were told of them. Pure: a function of observations and of the moment.
//!
//! One alarm of a key stands at a time, however often it is observed. Each channel is told once that it arose, again
//! every 24 hours while it stands, and once that it is over, if it was told that it arose. An alarm that comes back
//! before a channel was told that it is over has, for that channel, never ended.
//!
//! The messages to each channel are kept in memory; the store keeps when any channel was told. After a restart, every
//! channel is taken to know what any of them was told before it, so that no message is repeated.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::condition::AlarmCondition;
use ruzhi_model::Digest;
use ruzhi_store::AlarmRow;

/// Interval between reminders of an alarm that stands.
const REMIND_AFTER: TimeDelta = TimeDelta::hours(24);

/// The event of an alarm that a channel is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AlarmEvent {
    /// It arose.
    Raised,
    /// It still stands.
    Reminder,
    /// It is over.
    Over,
}

/// The last message to one channel about one alarm.
#[derive(Debug, Clone, Copy, Default)]
struct LastNotice {
    /// When it was last told that the alarm stands; none once it was told that it is over.
    stands: Option<DateTime<Utc>>,
}

/// A channel: a digest of its address, which is a secret.
pub(super) type Channel = Digest;

/// Every alarm that stands or stood.
#[derive(Debug, Default)]
pub(super) struct AlertState {
    rows: BTreeMap<String, AlarmRow>,
    told: HashMap<(Channel, String), LastNotice>,
    /// The last messages, by any channel, before this process began.
    before: HashMap<String, LastNotice>,
}

impl AlertState {
    /// Restores the alarms from the store.
    pub(super) fn new(rows: Vec<AlarmRow>) -> Self {
        let told = |row: &AlarmRow| LastNotice { stands: row.told_at.filter(|_| row.over_told_at.is_none()) };
        Self {
            before: rows.iter().map(|row| (row.key.clone(), told(row))).collect(),
            rows: rows.into_iter().map(|row| (row.key.clone(), row)).collect(),
            told: HashMap::new(),
        }
    }

    /// Records that the cause holds. Returns the alarm if it has changed apart from having been seen once more.
    pub(super) fn raise(&mut self, cause: AlarmCondition, now: DateTime<Utc>) -> Option<AlarmRow> {
        let AlarmCondition { key, kind, tenant, flow, text, hint, page } = cause;
        let before = self.rows.remove(&key);
        // If it is over and a channel has not been told, it continues for that channel and begins for the others.
        let goes_on = before.as_ref().filter(|row| row.over_told_at.is_none());
        let stood = before.as_ref().filter(|row| row.over_at.is_none());
        let row = AlarmRow {
            key: key.clone(),
            kind: kind.to_owned(),
            tenant,
            flow,
            text,
            hint,
            page,
            since: stood.map_or(now, |row| row.since),
            last_seen: now,
            seen: stood.map_or(1, |row| row.seen + 1),
            told_at: goes_on.and_then(|row| row.told_at),
            over_at: None,
            over_told_at: None,
        };
        let changed = stood
            .is_none_or(|stood| (&stood.text, &stood.hint, &stood.page) != (&row.text, &row.hint, &row.page));
        self.rows.insert(key, row.clone());
        changed.then_some(row)
    }

    /// Records that the cause no longer holds. Returns the alarm, if it stood.
    pub(super) fn over(&mut self, key: &str, now: DateTime<Utc>) -> Option<AlarmRow> {
        let row = self.rows.get_mut(key).filter(|row| row.over_at.is_none())?;
        row.over_at = Some(now);
        Some(row.clone())
    }

    /// The message about this alarm that is due to this channel.
    pub(super) fn due(&self, channel: &Channel, row: &AlarmRow, now: DateTime<Utc>) -> Option<AlarmEvent> {
        match (self.last_notice(channel, &row.key).stands, row.over_at) {
            (None, None) => Some(AlarmEvent::Raised),
            (Some(told), None) => (now - told >= REMIND_AFTER).then_some(AlarmEvent::Reminder),
            (Some(_), Some(_)) => Some(AlarmEvent::Over),
            (None, Some(_)) => None,
        }
    }

    fn last_notice(&self, channel: &Channel, key: &str) -> LastNotice {
        let known = self.told.get(&(channel.clone(), key.to_owned())).copied();
        known.or_else(|| self.before.get(key).copied()).unwrap_or_default()
    }

    /// Records that the channel took a message. Returns the alarm, to be stored.
    pub(super) fn notified(
        &mut self,
        channel: &Channel,
        key: &str,
        event: AlarmEvent,
        now: DateTime<Utc>,
    ) -> Option<AlarmRow> {
        let stands = (event != AlarmEvent::Over).then_some(now);
        self.told.insert((channel.clone(), key.to_owned()), LastNotice { stands });
        let row = self.rows.get_mut(key)?;
        match event {
            AlarmEvent::Over => row.over_told_at = Some(now),
            AlarmEvent::Raised | AlarmEvent::Reminder => row.told_at = Some(now),
        }
        Some(row.clone())
    }

    /// Every alarm, by key.
    pub(super) fn rows(&self) -> impl Iterator<Item = &AlarmRow> {
        self.rows.values()
    }

    /// The alarm of a key, if it stands.
    pub(super) fn stands(&self, key: &str) -> Option<&AlarmRow> {
        self.rows.get(key).filter(|row| row.over_at.is_none())
    }

    /// The alarms that stand, latest first.
    pub(super) fn standing(&self) -> Vec<AlarmRow> {
        let mut standing: Vec<AlarmRow> = self.rows().filter(|row| row.over_at.is_none()).cloned().collect();
        standing.sort_by(|one, other| other.since.cmp(&one.since).then_with(|| one.key.cmp(&other.key)));
        standing
    }
}
