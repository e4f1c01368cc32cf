//! The alerts that stand, and which channels were told of them. Pure: a function of observations and of the moment.
//!
//! One alert of a key stands at a time, however often it is observed. Each channel is told once that it arose, again
//! every 24 hours while it stands, and once that it is over, if it was told that it arose. An alert that comes back
//! before a channel was told that it is over has, for that channel, never ended.
//!
//! The messages to each channel are kept in memory; the store keeps when any channel was told. After a restart, every
//! channel is taken to know what any of them was told before it, so that no message is repeated.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::condition::AlertCondition;
use ruzhi_model::Digest;
use ruzhi_store::AlertRow;

/// Interval between reminders of an alert that stands.
const REMIND_AFTER: TimeDelta = TimeDelta::hours(24);

/// The event of an alert that a channel is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AlertEvent {
    /// It arose.
    Raised,
    /// It still stands.
    Reminder,
    /// It is over.
    Resolved,
}

/// The last message to one channel about one alert.
#[derive(Debug, Clone, Copy, Default)]
struct LastNotice {
    /// When it was last told that the alert stands; none once it was told that it is over.
    stands: Option<DateTime<Utc>>,
}

/// A channel: a digest of its address, which is a secret.
pub(super) type Channel = Digest;

/// Every alert that stands or stood.
#[derive(Debug, Default)]
pub(super) struct AlertState {
    rows: BTreeMap<String, AlertRow>,
    told: HashMap<(Channel, String), LastNotice>,
    /// The last messages, by any channel, before this process began.
    before: HashMap<String, LastNotice>,
}

impl AlertState {
    /// Restores the alerts from the store.
    pub(super) fn new(rows: Vec<AlertRow>) -> Self {
        let told = |row: &AlertRow| LastNotice {
            stands: row.notified_at.filter(|_| row.resolution_notified_at.is_none()),
        };
        Self {
            before: rows.iter().map(|row| (row.key.clone(), told(row))).collect(),
            rows: rows.into_iter().map(|row| (row.key.clone(), row)).collect(),
            told: HashMap::new(),
        }
    }

    /// Records that the cause holds. Returns the alert if it has changed apart from having been seen once more.
    pub(super) fn raise(&mut self, cause: AlertCondition, now: DateTime<Utc>) -> Option<AlertRow> {
        let AlertCondition { key, kind, tenant, flow, text, hint, page } = cause;
        let before = self.rows.remove(&key);
        // If it is over and a channel has not been told, it continues for that channel and begins for the others.
        let goes_on = before.as_ref().filter(|row| row.resolution_notified_at.is_none());
        let stood = before.as_ref().filter(|row| row.resolved_at.is_none());
        let row = AlertRow {
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
            notified_at: goes_on.and_then(|row| row.notified_at),
            resolved_at: None,
            resolution_notified_at: None,
        };
        let changed = stood
            .is_none_or(|stood| (&stood.text, &stood.hint, &stood.page) != (&row.text, &row.hint, &row.page));
        self.rows.insert(key, row.clone());
        changed.then_some(row)
    }

    /// Records that the cause no longer holds. Returns the alert, if it stood.
    pub(super) fn resolve(&mut self, key: &str, now: DateTime<Utc>) -> Option<AlertRow> {
        let row = self.rows.get_mut(key).filter(|row| row.resolved_at.is_none())?;
        row.resolved_at = Some(now);
        Some(row.clone())
    }

    /// The message about this alert that is due to this channel.
    pub(super) fn due(&self, channel: &Channel, row: &AlertRow, now: DateTime<Utc>) -> Option<AlertEvent> {
        match (self.last_notice(channel, &row.key).stands, row.resolved_at) {
            (None, None) => Some(AlertEvent::Raised),
            (Some(told), None) => (now - told >= REMIND_AFTER).then_some(AlertEvent::Reminder),
            (Some(_), Some(_)) => Some(AlertEvent::Resolved),
            (None, Some(_)) => None,
        }
    }

    fn last_notice(&self, channel: &Channel, key: &str) -> LastNotice {
        let known = self.told.get(&(channel.clone(), key.to_owned())).copied();
        known.or_else(|| self.before.get(key).copied()).unwrap_or_default()
    }

    /// Records that the channel took a message. Returns the alert, to be stored.
    pub(super) fn notified(
        &mut self,
        channel: &Channel,
        key: &str,
        event: AlertEvent,
        now: DateTime<Utc>,
    ) -> Option<AlertRow> {
        let stands = (event != AlertEvent::Resolved).then_some(now);
        self.told.insert((channel.clone(), key.to_owned()), LastNotice { stands });
        let row = self.rows.get_mut(key)?;
        match event {
            AlertEvent::Resolved => row.resolution_notified_at = Some(now),
            AlertEvent::Raised | AlertEvent::Reminder => row.notified_at = Some(now),
        }
        Some(row.clone())
    }

    /// Every alert, by key.
    pub(super) fn rows(&self) -> impl Iterator<Item = &AlertRow> {
        self.rows.values()
    }

    /// The alert of a key, if it stands.
    pub(super) fn stands(&self, key: &str) -> Option<&AlertRow> {
        self.rows.get(key).filter(|row| row.resolved_at.is_none())
    }

    /// The alerts that stand, latest first.
    pub(super) fn active(&self) -> Vec<AlertRow> {
        let mut active: Vec<AlertRow> =
            self.rows().filter(|row| row.resolved_at.is_none()).cloned().collect();
        active.sort_by(|one, other| other.since.cmp(&one.since).then_with(|| one.key.cmp(&other.key)));
        active
    }
}
