//! When which flow runs: pure, a function of the moment and of what has happened.
//!
//! The agenda starts nothing and reads no clock: it is told the moment, what woke a flow and how a run ended, and says
//! what begins now (`take_due`) and when to ask again (`next_moment`).
//!
//! **What runs.** Flows of one corp share its directory and never run at the same time in runs that do not know of each
//! other: what is due of a corp is taken as one batch, and the corp is busy until all of it has ended. At most `at_once`
//! corps are busy.
//!
//! **Who is next.** A person's request first, for somebody waits before a page. Then the corp that waits longest, where
//! waiting begins when something of it is due and its last run is over: whoever is always due, because pushes never
//! cease, goes to the end of the queue with each run. Of those that wait equally long, the one that ran least recently.
//! Nothing is spread: a tick is taken up at its moment.
//!
//! **What makes a flow due.** Two kinds of runs: those that do the flow's work (a tick, a push, a retry, a person's
//! sync), and others (a look for drift, whatever else a person asks for). One that does the work takes up everything
//! that asked for it until it began; what asks for it later leads to one more.
//! - *Tick*: a moment of the schedule, in the tenant's zone, past the last one taken up. Several of them, missed while
//!   the process was down, the flow paused or its last run under way, are one. A flow that was never seen before waits
//!   for its next tick, as does one whose schedule was changed. A moment that a clock put forward skips is taken up
//!   right after the gap if the schedule names the hour, and left out if it says every hour; one that a clock put back
//!   repeats is taken up once if the schedule names the hour.
//! - *Moment*: the first at which a stored decision holds no longer, so that someone who leaves at noon has left at noon. The
//!   store knows it, so it outlives the process. Runs that such moments begin are ten seconds apart at least: rules that
//!   name one moment after another keep nobody busy.
//! - *Push*, *callback*: remembered until a run takes them up; a callback asks for a look for drift. Who takes them in
//!   keeps them in the store too, until that run has ended, and they are due again at the next start.
//! - *Retry*: after work that failed, 1 minute, 5, 15, 30, then an hour after each failure, until it succeeds. While a
//!   flow fails its ticks and pushes wait for the retry, which takes them up. A look for drift that fails is not
//!   repeated, the next event asks again; a person's run that fails is theirs to see, and what it took up is due again.
//! - *Person*: runs next in its flow, also if that is paused, blocked or waits for a retry.
//!
//! **What keeps a flow from running.** *Paused*: until a person resumes it. *Blocked*, because a service refuses its
//! credential, address or right: until a person resumes it, a person's sync succeeds, or its settings change. A flow that
//! is resumed or unblocked runs at once if something came due meanwhile or its last work was not done.
//!
//! **What outlives the process** is in the `StandingRow`. A tick counts as taken up there once its run has ended, so a run
//! that a shutdown or a crash cuts off is due again at the next start. A person's run that writes has no tick: when it is
//! cut off, a wake is kept of it, or its row in the store still says that it runs (`keeping`).
//!
//! **A clock that is set back** by more than a minute pulls what was noted of later moments back to now: a tick may then be
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

use super::scheduler::{FlowStanding, Wake};
use ruzhi_config as config;
use ruzhi_model::{FlowId, RunId, TenantId, Text};
use ruzhi_store::{Paused, StandingRow, WakeRow};

/// A clock may step back so far, as time servers make it, without anything being pulled back: no schedule has two
/// moments closer than this.
const CLOCK_STEP: TimeDelta = TimeDelta::minutes(1);

/// A flow as the configuration has it.
#[derive(Debug, Clone)]
pub struct AgendaFlow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Which corp it writes: flows with the same text never run apart.
    pub corp: String,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// Digest of the settings a service may refuse: another one lifts a block.
    pub settings: String,
}

impl AgendaFlow {
    /// A flow of the configuration; `settings` is a digest of what a service may refuse.
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

/// What a person's run does.
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
    /// A decision holds no longer.
    Moment,
    /// The form was changed.
    Push,
    /// Somebody else changed the directory: a look for drift.
    Callback,
}

/// What begins now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The corp.
    pub corp: Arc<str>,
    /// One run for each flow of it that is due.
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
    /// The guard wants a person; to the schedule the work is done.
    Held,
    /// Something was not done.
    Failed,
    /// A service refuses the credential, the address or the right.
    Blocked {
        /// The refusal's code.
        code: String,
        /// What happened, to what.
        text: Text,
        /// What to do next.
        hint: Option<Text>,
        /// Digest of the settings the run began with.
        settings: String,
    },
    /// The process is to end.
    CutOff,
}

type Key = (TenantId, FlowId);

/// The place of a corp in the queue: nobody asked, since when it waits, when it began last.
type Rank = (bool, DateTime<Utc>, Option<DateTime<Utc>>, Arc<str>);

#[derive(Debug, Default)]
struct Corp {
    flows: BTreeSet<Key>,
    running: BTreeSet<Key>,
    began_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    rank: Option<Rank>,
}

/// When which flow runs.
#[derive(Debug, Default)]
pub struct Agenda {
    entries: BTreeMap<Key, Entry>,
    corps: BTreeMap<Arc<str>, Corp>,
    /// When a flow that is not due becomes due.
    timers: BTreeSet<(DateTime<Utc>, Key)>,
    /// Corps that could begin if there is room.
    queue: BTreeSet<Rank>,
    /// Corps that are busy.
    busy: BTreeSet<Arc<str>>,
    /// Rows of flows that the configuration does not have.
    known: BTreeMap<Key, StandingRow>,
    /// What flows were woken for before the process started, and the configuration has not had since.
    woken: BTreeMap<Key, Vec<WakeRow>>,
    changed: BTreeSet<Key>,
    seen: Option<DateTime<Utc>>,
}

impl Agenda {
    /// An agenda without flows that knows how they stood, and what they were woken for and did not do.
    pub fn restore(standings: Vec<StandingRow>, wakes: Vec<WakeRow>) -> Self {
        let known = standings.into_iter().map(|row| ((row.tenant.clone(), row.flow.clone()), row)).collect();
        let mut woken: BTreeMap<Key, Vec<WakeRow>> = BTreeMap::new();
        for wake in wakes {
            woken.entry((wake.tenant.clone(), wake.flow.clone())).or_default().push(wake);
        }
        Self { known, woken, ..Self::default() }
    }

    /// Exchanges the flows for those of a configuration. A flow that is there as before goes on as it was; one that
    /// is gone begins no more, and is taken up where it stood if it comes back. What people asked of flows that are
    /// gone is returned: nobody will answer it.
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

    /// What begins now: at most so many corps are busy afterwards as may be at once.
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

    /// Wakes a flow: several wakes of a kind before a run takes them up are one. False if there is no such flow.
    pub fn wake(&mut self, tenant: &TenantId, flow: &FlowId, why: Wake, now: DateTime<Utc>) -> bool {
        self.touch(tenant, flow, now, |entry, now| entry.wake(why, now))
    }

    /// Says when the first decision of a flow ceases to hold; none if all hold for ever.
    pub fn set_moment(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        moment: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        self.touch(tenant, flow, now, |entry, _| entry.set_moment(moment));
    }

    /// A person asks for a run, under a number that comes back with it. False if there is no such flow.
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

    /// Stops a flow. False if there is no such flow.
    pub fn pause(&mut self, tenant: &TenantId, flow: &FlowId, paused: Paused) -> bool {
        let now = paused.at;
        self.change(tenant, flow, now, |entry, _| entry.row.paused = Some(paused))
    }

    /// Starts a flow again that was paused or blocked, and forgets its failures. False if there is no such flow.
    pub fn resume(&mut self, tenant: &TenantId, flow: &FlowId, now: DateTime<Utc>) -> bool {
        self.change(tenant, flow, now, |entry, now| entry.resume(now))
    }

    /// A run has got its id.
    pub fn began(&mut self, tenant: &TenantId, flow: &FlowId, run: RunId) {
        if let Some(entry) = self.entries.get_mut(&(tenant.clone(), flow.clone())) {
            entry.began(run);
        }
    }

    /// A run has ended, or could not begin. A run that was not taken is ignored.
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

    /// When to look again, after `take_due`: what is due and has no room waits for a run to end.
    pub fn next_moment(&self) -> Option<DateTime<Utc>> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Corps that are busy.
    pub fn busy(&self) -> usize {
        self.busy.len()
    }

    /// How every flow stands. One that is due by its schedule or for a retry and has not begun so long after is late.
    pub fn standings(&self, now: DateTime<Utc>, late_after: Duration) -> Vec<FlowStanding> {
        let late_after = TimeDelta::from_std(late_after).unwrap_or(TimeDelta::MAX);
        let here = self.entries.values().filter(|entry| !entry.gone);
        here.map(|entry| entry.standing(now, late_after)).collect()
    }

    /// The rows that have changed since this was last asked.
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

    /// Finds the place of a corp in the queue anew.
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

    /// The moment, which does not go back. Where a clock was set back it does, and so does what was noted of moments
    /// that it has not reached again.
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
