//! Decides which flow runs when. Pure: a function of the moment and of past events.
//!
//! The agenda starts nothing and reads no clock: it is told the moment, what woke a flow and how a run ended, and
//! answers what begins now (`take_due`) and when to ask again (`next_moment`).
//!
//! **Runs.** Flows of one corp share its directory and never run at the same time in runs unaware of each other:
//! everything due in a corp is taken as one batch, and the corp is busy until the whole batch has ended. At most
//! `at_once` corps are busy.
//!
//! **Order.** A person's request comes first, because the person is waiting in front of a page. Then comes the corp
//! that has waited longest. Waiting begins when one of its flows is due and its last run is over, so a corp that is
//! always due because of endless pushes goes to the end of the queue with each run. Among equal waits, the corp that
//! ran least recently goes first. Runs are not spread out: a tick is taken up at its moment.
//!
//! **Reasons to run.** There are two kinds of runs: those that do the flow's work (a tick, a push, a retry, a person's
//! sync), and others (a drift check, or anything else a person asks for). A run that does the work takes up all
//! requests for it made before the run began; later requests lead to one more run.
//! - *Tick*: a moment of the schedule, in the tenant's zone, past the last one taken up. Several ticks missed while the
//!   process was down, the flow paused or its last run under way count as one. A new flow waits for its next tick, as
//!   does one whose schedule was changed. A moment skipped when clocks go forward is taken up right after the gap if
//!   the schedule names the hour, and left out if it says every hour; a moment repeated when clocks go back is taken up
//!   once if the schedule names the hour.
//! - *Moment*: the first at which a stored decision expires, so that someone who leaves at noon has left at noon. The
//!   store knows it, so it outlives the process. Runs begun by such moments are at least ten seconds apart, so rules
//!   that name one moment after another cannot keep the process busy.
//! - *Push*, *callback*: remembered until a run takes them up; a callback asks for a drift check. Their receiver also
//!   keeps them in the store until that run has ended, and they are due again at the next start.
//! - *Retry*: after failed work, 1 minute, 5, 15, 30, then an hour after each failure, until it succeeds. While a flow
//!   fails, its ticks and pushes wait for the retry, which takes them up. A failed drift check is not retried, the next
//!   event asks again; the person sees the failure of a run they asked for, and what it took up is due again.
//! - *Person*: runs next in its flow, even if that is paused, blocked or waiting for a retry.
//!
//! **Obstacles.** *Paused*: until a person resumes the flow. *Blocked*, because a service rejects its credential,
//! address or permission: until a person resumes it, a person's sync succeeds, or its settings change. A resumed or
//! unblocked flow runs at once if something came due meanwhile or its last work was not done.
//!
//! **State that outlives the process** is in the `StandingRow`. There a tick counts as taken up once its run has ended,
//! so a run cut off by a shutdown or a crash is due again at the next start. A person's run that writes has no tick:
//! when it is cut off, either a wake is kept for it, or its row in the store still says that it is running (`keeping`).
//!
//! **A clock set back** by more than a minute pulls what was noted of later moments back to now: a tick may then be
//! taken up a second time, which is harmless, and no flow stands still until the clock has caught up.

mod entry;
mod schedule;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use entry::Entry;
pub use schedule::Schedule;

use ruzhi_app::scheduler::{FlowStanding, Wake};
use ruzhi_config as config;
use ruzhi_model::{FlowId, RunId, TenantId, Text};
use ruzhi_store::{Paused, StandingRow, WakeRow};

/// Clocks may step back this far, as time servers make them, without anything being pulled back: no schedule has two
/// moments closer than this.
const CLOCK_STEP: TimeDelta = TimeDelta::minutes(1);

/// A flow as configured.
#[derive(Debug, Clone)]
pub struct AgendaFlow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The corp it writes to: flows with the same text never run apart.
    pub corp: String,
    /// Its schedule; none if it only runs when woken or asked.
    pub schedule: Option<Schedule>,
    /// Digest of the settings a service may reject: a change lifts a block.
    pub settings: String,
}

impl AgendaFlow {
    /// A flow of the configuration; `settings` is a digest of the settings a service may reject.
    pub fn of(tenant: &config::Tenant, flow: &config::Flow, settings: String) -> Self {
        Self {
            tenant: tenant.id.clone(),
            flow: flow.id.clone(),
            corp: format!("{} {}", tenant.wecom.base_url, tenant.wecom.corp_id),
            schedule: flow.schedule.as_deref().and_then(|text| Schedule::new(text, tenant.timezone)),
            settings,
        }
    }
}

/// The kind of run a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The flow's work: takes up what is due, and ends the retries if it succeeds.
    Sync,
    /// Anything else, such as a dry run or a plan's approval.
    Other,
}

/// Why a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A person asked for it, under this number.
    Person(u64),
    /// The last one failed, or its obstacle was removed.
    Retry,
    /// Its schedule.
    Tick,
    /// A decision expired.
    Moment,
    /// The form was changed.
    Push,
    /// The directory was changed outside ruzhi: a drift check.
    Callback,
}

/// The runs of one corp that begin now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The corp.
    pub corp: Arc<str>,
    /// One run for each of its due flows.
    pub runs: Vec<Due>,
}

/// A run that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Why.
    pub why: Why,
    /// Since when it was due.
    pub since: DateTime<Utc>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that could be done was done.
    Done,
    /// The guard holds the plan for a person; to the schedule the work is done.
    Held,
    /// Something was not done.
    Failed,
    /// A service rejects the credential, the address or the permission.
    Blocked {
        /// The code of the rejection.
        code: String,
        /// The event and its subject.
        text: Text,
        /// Suggested next step.
        hint: Option<Text>,
        /// Digest of the settings the run began with.
        settings: String,
    },
    /// Cut off because the process is ending.
    CutOff,
}

type Key = (TenantId, FlowId);

/// The place of a corp in the queue: `false` if a person asked, waiting since, last begun.
type Rank = (bool, DateTime<Utc>, Option<DateTime<Utc>>, Arc<str>);

#[derive(Debug, Default)]
struct Corp {
    flows: BTreeSet<Key>,
    running: BTreeSet<Key>,
    began_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    rank: Option<Rank>,
}

/// Decides which flow runs when.
#[derive(Debug, Default)]
pub struct Agenda {
    entries: BTreeMap<Key, Entry>,
    corps: BTreeMap<Arc<str>, Corp>,
    /// The time at which each flow that is not due becomes due.
    timers: BTreeSet<(DateTime<Utc>, Key)>,
    /// Corps that could begin if there is room.
    queue: BTreeSet<Rank>,
    /// Corps that are busy.
    busy: BTreeSet<Arc<str>>,
    /// Rows of flows missing from the configuration.
    known: BTreeMap<Key, StandingRow>,
    /// Wakes from before the process started, of flows missing from the configuration since.
    woken: BTreeMap<Key, Vec<WakeRow>>,
    changed: BTreeSet<Key>,
    seen: Option<DateTime<Utc>>,
}

impl Agenda {
    /// An agenda without flows that knows their last state, and the wakes not yet acted on.
    pub fn restore(standings: Vec<StandingRow>, wakes: Vec<WakeRow>) -> Self {
        let known = standings.into_iter().map(|row| ((row.tenant.clone(), row.flow.clone()), row)).collect();
        let mut woken: BTreeMap<Key, Vec<WakeRow>> = BTreeMap::new();
        for wake in wakes {
            woken.entry((wake.tenant.clone(), wake.flow.clone())).or_default().push(wake);
        }
        Self { known, woken, ..Self::default() }
    }

    /// Replaces the flows with those of a configuration. An unchanged flow continues as it was; a removed flow begins
    /// no more runs, and continues where it stood if it comes back. Returns the requests for removed flows, which get
    /// no run.
    pub fn set_flows(&mut self, flows: Vec<AgendaFlow>, now: DateTime<Utc>) -> Vec<u64> {
        let now = self.moment(now);
        let mut gone: BTreeSet<Key> = self.entries.keys().cloned().collect();
        for flow in flows {
            let key = (flow.tenant.clone(), flow.flow.clone());
            gone.remove(&key);
            let corp: Arc<str> = flow.corp.as_str().into();
            let changed = if let Some(entry) = self.entries.get_mut(&key) {
                if let Some(old) = self.corps.get_mut(&entry.corp).filter(|_| entry.corp != corp) {
                    old.flows.remove(&key);
                }
                entry.change(&flow, corp.clone(), now)
            } else {
                let row = self.known.remove(&key);
                let (mut entry, changed) = Entry::new(flow, corp.clone(), row, now);
                for wake in self.woken.remove(&key).unwrap_or_default() {
                    entry.wake(wake.kind.into(), wake.at.min(now));
                }
                self.entries.insert(key.clone(), entry);
                changed
            };
            if changed {
                self.changed.insert(key.clone());
            }
            self.corps.entry(corp).or_default().flows.insert(key.clone());
            self.arm(&key, now);
        }
        let mut unanswered = Vec::new();
        for key in gone {
            self.disarm(&key);
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            if let Some(corp) = self.corps.get_mut(&entry.corp) {
                corp.flows.remove(&key);
            }
            unanswered.extend(entry.leave());
            if !entry.is_running() {
                self.forget(&key);
            }
        }
        let corps: Vec<Arc<str>> = self.corps.keys().cloned().collect();
        for corp in corps {
            self.rank(&corp, now);
        }
        self.corps.retain(|_, corp| !(corp.flows.is_empty() && corp.running.is_empty()));
        unanswered
    }

    /// The batches that begin now, so that at most `at_once` corps are busy afterwards.
    pub fn take_due(&mut self, now: DateTime<Utc>, at_once: usize) -> Vec<Batch> {
        let now = self.moment(now);
        let mut ripe = BTreeSet::new();
        while let Some((at, key)) = self.timers.pop_first() {
            if at > now {
                self.timers.insert((at, key));
                break;
            }
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.timer = None;
                ripe.insert(entry.corp.clone());
            }
        }
        for corp in ripe {
            self.rank(&corp, now);
        }
        let mut batches = Vec::new();
        while self.busy.len() < at_once {
            let Some((_, _, _, name)) = self.queue.pop_first() else { break };
            let Some(corp) = self.corps.get_mut(&name) else { continue };
            corp.rank = None;
            let flows: Vec<Key> = corp.flows.iter().cloned().collect();
            let mut runs = Vec::new();
            for key in flows {
                let Some(entry) = self.entries.get_mut(&key) else { continue };
                let Some((why, since)) = entry.begin(now) else { continue };
                let (tenant, flow) = key.clone();
                runs.push(Due { tenant, flow, why, since });
                corp.running.insert(key);
            }
            if runs.is_empty() {
                continue;
            }
            corp.began_at = Some(now);
            self.busy.insert(name.clone());
            for run in &runs {
                self.arm(&(run.tenant.clone(), run.flow.clone()), now);
            }
            batches.push(Batch { corp: name, runs });
        }
        batches
    }

    /// Wakes a flow: several wakes of a kind count as one until a run takes them up. False if there is no such flow.
    pub fn wake(&mut self, tenant: &TenantId, flow: &FlowId, why: Wake, now: DateTime<Utc>) -> bool {
        self.touch(tenant, flow, now, |entry, now| entry.wake(why, now))
    }

    /// Sets the time at which the first decision of a flow expires; none if no decision ever does.
    pub fn set_moment(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        moment: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        self.touch(tenant, flow, now, |entry, _| entry.set_moment(moment));
    }

    /// Records a person's request for a run, under a number that comes back with the run. False if there is no such
    /// flow.
    pub fn ask(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        ticket: u64,
        ask: Ask,
        now: DateTime<Utc>,
    ) -> bool {
        self.touch(tenant, flow, now, |entry, now| entry.ask(ticket, ask, now))
    }

    /// Pauses a flow. False if there is no such flow.
    pub fn pause(&mut self, tenant: &TenantId, flow: &FlowId, paused: Paused) -> bool {
        let now = paused.at;
        self.change(tenant, flow, now, |entry, _| entry.row.paused = Some(paused))
    }

    /// Resumes a flow that was paused or blocked, and forgets its failures. False if there is no such flow.
    pub fn resume(&mut self, tenant: &TenantId, flow: &FlowId, now: DateTime<Utc>) -> bool {
        self.change(tenant, flow, now, |entry, now| entry.resume(now))
    }

    /// Records the id of a run.
    pub fn began(&mut self, tenant: &TenantId, flow: &FlowId, run: RunId) {
        if let Some(entry) = self.entries.get_mut(&(tenant.clone(), flow.clone())) {
            entry.began(run);
        }
    }

    /// Records the end of a run, or that it could not begin. A run that was not taken is ignored.
    pub fn ended(&mut self, tenant: &TenantId, flow: &FlowId, outcome: Outcome, now: DateTime<Utc>) {
        let now = self.moment(now);
        let key = (tenant.clone(), flow.clone());
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(ran_in) = entry.end(outcome, now) else { return };
        let (gone, own) = (entry.gone, entry.corp.clone());
        self.changed.insert(key.clone());
        if let Some(corp) = self.corps.get_mut(&ran_in) {
            corp.running.remove(&key);
            corp.ended_at = Some(now);
            if corp.running.is_empty() {
                self.busy.remove(&ran_in);
                if corp.flows.is_empty() {
                    self.corps.remove(&ran_in);
                }
            }
        }
        if gone {
            self.forget(&key);
        } else {
            self.arm(&key, now);
            self.rank(&own, now);
        }
        self.rank(&ran_in, now);
    }

    /// When to look again, after `take_due`: work that is due without room waits for a run to end.
    pub fn next_moment(&self) -> Option<DateTime<Utc>> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The number of busy corps.
    pub fn busy(&self) -> usize {
        self.busy.len()
    }

    /// The state of every flow. A flow is late if it is due by its schedule or for a retry and has not begun within
    /// `late_after`.
    pub fn standings(&self, now: DateTime<Utc>, late_after: Duration) -> Vec<FlowStanding> {
        let late_after = TimeDelta::from_std(late_after).unwrap_or(TimeDelta::MAX);
        let here = self.entries.values().filter(|entry| !entry.gone);
        here.map(|entry| entry.standing(now, late_after)).collect()
    }

    /// The rows changed since the last call.
    pub fn changed_rows(&mut self) -> Vec<StandingRow> {
        let changed = std::mem::take(&mut self.changed);
        let row = |key: &Key| {
            self.entries.get(key).map(|entry| &entry.row).or_else(|| self.known.get(key)).cloned()
        };
        changed.iter().filter_map(row).collect()
    }

    fn touch(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        now: DateTime<Utc>,
        touch: impl FnOnce(&mut Entry, DateTime<Utc>),
    ) -> bool {
        let now = self.moment(now);
        let key = (tenant.clone(), flow.clone());
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| !entry.gone) else { return false };
        touch(entry, now);
        let corp = entry.corp.clone();
        self.arm(&key, now);
        self.rank(&corp, now);
        true
    }

    fn change(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        now: DateTime<Utc>,
        change: impl FnOnce(&mut Entry, DateTime<Utc>),
    ) -> bool {
        let there = self.touch(tenant, flow, now, change);
        if there {
            self.changed.insert((tenant.clone(), flow.clone()));
        }
        there
    }

    fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.known.insert(key.clone(), entry.row);
        }
    }

    fn disarm(&mut self, key: &Key) {
        if let Some(at) = self.entries.get_mut(key).and_then(|entry| entry.timer.take()) {
            self.timers.remove(&(at, key.clone()));
        }
    }

    fn arm(&mut self, key: &Key, now: DateTime<Utc>) {
        self.disarm(key);
        let Some(entry) = self.entries.get_mut(key).filter(|entry| !entry.gone) else { return };
        if let Some(at) = entry.ripens(now) {
            entry.timer = Some(at);
            self.timers.insert((at, key.clone()));
        }
    }

    /// Updates the place of a corp in the queue.
    fn rank(&mut self, name: &Arc<str>, now: DateTime<Utc>) {
        let Some(corp) = self.corps.get_mut(name) else { return };
        if let Some(rank) = corp.rank.take() {
            self.queue.remove(&rank);
        }
        if !corp.running.is_empty() {
            return;
        }
        let due = corp.flows.iter().filter_map(|key| self.entries.get(key)?.due(now));
        let first = due.map(|(why, since)| (!matches!(why, Why::Person(_)), since)).min();
        let Some((unasked, since)) = first else { return };
        let since = if unasked { corp.ended_at.map_or(since, |ended| ended.max(since)) } else { since };
        let rank = (unasked, since, corp.began_at, name.clone());
        self.queue.insert(rank.clone());
        corp.rank = Some(rank);
    }

    /// The moment, which does not go back. After a clock was set back it does, and so does what was noted of moments
    /// not reached again.
    fn moment(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        let seen = self.seen.unwrap_or(now);
        if seen - now <= CLOCK_STEP {
            let now = now.max(seen);
            self.seen = Some(now);
            return now;
        }
        self.seen = Some(now);
        let keys: Vec<Key> = self.entries.keys().cloned().collect();
        for key in keys {
            if self.entries.get_mut(&key).is_some_and(|entry| entry.pull_back(now)) {
                self.changed.insert(key.clone());
            }
            self.arm(&key, now);
        }
        for corp in self.corps.values_mut() {
            corp.began_at = corp.began_at.map(|at| at.min(now));
            corp.ended_at = corp.ended_at.map(|at| at.min(now));
        }
        let corps: Vec<Arc<str>> = self.corps.keys().cloned().collect();
        for corp in corps {
            self.rank(&corp, now);
        }
        now
    }
}
