//! Decides which flow runs when. Pure: a function of the moment and of past events.
//!
//! The state starts nothing and reads no clock: it is told the moment, what woke a flow and how a run ended, and
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
//! - *Recheck*: a day after a drift check that left differences, so that they are not reported for ever once someone has
//!   undone them in the directory. After one that failed, the next is a day later.
//! - *Cut off*: a run that writes, and during which the process ended. Its work is due again at the next start.
//! - *Retry*: after failed work, 1 minute, 5, 15, 30, then an hour after each failure, until it succeeds. While a flow
//!   fails, its ticks and pushes wait for the retry, which takes them up. A failed drift check is not retried, the next
//!   event asks again; the person sees the failure of a run they asked for, and what it took up is due again.
//! - *Person*: runs next in its flow, even if that is paused, blocked or waiting for a retry.
//!
//! **Obstacles.** *Paused*: until a person resumes the flow. *Blocked*, because a service rejects its credential,
//! address or permission: until a person resumes it, a person's sync succeeds, or its settings change. A resumed or
//! unblocked flow runs at once if something came due meanwhile or its last work was not done.
//!
//! **State that outlives the process** is in the `ScheduleStateRow`. There a tick counts as taken up once its run has ended,
//! so a run cut off by a shutdown or a crash is due again at the next start. A run that writes may have no tick: when it
//! is cut off, a wake is kept for it, at the latest by the next start (`actor`).
//!
//! **A clock set back** by more than a minute pulls what was noted of later moments back to now: a tick may then be
//! taken up a second time, which is harmless, and no flow stands still until the clock has caught up.

mod backoff;
mod flow;
mod pending;
mod run;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use flow::{CLOCK_STEP, FlowState};
pub use run::{DueRun, RequestKind, RunBatch, RunOutcome, ScheduledFlow, Trigger};

use ruzhi_app::scheduler::{FlowKey, ScheduleState, Wake};
use ruzhi_model::{FlowId, RunId, TenantId};
use ruzhi_store::{Paused, ScheduleStateRow, WakeRow};

/// The place of a corp in the queue: `false` if a person asked, waiting since, last begun.
type Rank = (bool, DateTime<Utc>, Option<DateTime<Utc>>, Arc<str>);

#[derive(Debug, Default)]
struct CorpState {
    flows: BTreeSet<FlowKey>,
    running: BTreeSet<FlowKey>,
    began_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    rank: Option<Rank>,
}

/// Decides which flow runs when.
#[derive(Debug, Default)]
pub struct SchedulerState {
    flows: BTreeMap<FlowKey, FlowState>,
    corps: BTreeMap<Arc<str>, CorpState>,
    /// The time at which each flow that is not due becomes due.
    timers: BTreeSet<(DateTime<Utc>, FlowKey)>,
    /// Corps that could begin if there is room.
    queue: BTreeSet<Rank>,
    /// Corps that are busy.
    busy: BTreeSet<Arc<str>>,
    /// Rows of flows missing from the configuration.
    known: BTreeMap<FlowKey, ScheduleStateRow>,
    /// Wakes from before the process started, of flows missing from the configuration since.
    woken: BTreeMap<FlowKey, Vec<WakeRow>>,
    changed: BTreeSet<FlowKey>,
    seen: Option<DateTime<Utc>>,
}

impl SchedulerState {
    /// A state without flows that knows their last state, and the wakes not yet acted on.
    pub fn restore(schedule_states: Vec<ScheduleStateRow>, wakes: Vec<WakeRow>) -> Self {
        let known =
            schedule_states.into_iter().map(|row| ((row.tenant.clone(), row.flow.clone()), row)).collect();
        let mut woken: BTreeMap<FlowKey, Vec<WakeRow>> = BTreeMap::new();
        for wake in wakes {
            woken.entry((wake.tenant.clone(), wake.flow.clone())).or_default().push(wake);
        }
        Self { known, woken, ..Self::default() }
    }

    /// Replaces the flows with those of a configuration. An unchanged flow continues as it was; a removed flow begins
    /// no more runs, and continues where it stood if it comes back. Returns the requests for removed flows, which get
    /// no run.
    pub fn set_flows(&mut self, flows: Vec<ScheduledFlow>, now: DateTime<Utc>) -> Vec<u64> {
        let now = self.moment(now);
        let mut gone: BTreeSet<FlowKey> = self.flows.keys().cloned().collect();
        for flow in flows {
            let key = (flow.tenant.clone(), flow.flow.clone());
            gone.remove(&key);
            let corp: Arc<str> = flow.corp.as_str().into();
            let changed = if let Some(flow_state) = self.flows.get_mut(&key) {
                if let Some(old) = self.corps.get_mut(&flow_state.corp).filter(|_| flow_state.corp != corp) {
                    old.flows.remove(&key);
                }
                flow_state.change(&flow, corp.clone(), now)
            } else {
                let row = self.known.remove(&key);
                let (mut flow_state, changed) = FlowState::new(flow, corp.clone(), row, now);
                for wake in self.woken.remove(&key).unwrap_or_default() {
                    flow_state.wake(wake.kind.into(), wake.at.min(now));
                }
                self.flows.insert(key.clone(), flow_state);
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
            let Some(flow_state) = self.flows.get_mut(&key) else { continue };
            if let Some(corp) = self.corps.get_mut(&flow_state.corp) {
                corp.flows.remove(&key);
            }
            unanswered.extend(flow_state.leave());
            if !flow_state.is_running() {
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
    pub fn take_due(&mut self, now: DateTime<Utc>, at_once: usize) -> Vec<RunBatch> {
        let now = self.moment(now);
        let mut ripe = BTreeSet::new();
        while let Some((at, key)) = self.timers.pop_first() {
            if at > now {
                self.timers.insert((at, key));
                break;
            }
            if let Some(flow_state) = self.flows.get_mut(&key) {
                flow_state.timer = None;
                ripe.insert(flow_state.corp.clone());
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
            let flows: Vec<FlowKey> = corp.flows.iter().cloned().collect();
            let mut runs = Vec::new();
            for key in flows {
                let Some(flow_state) = self.flows.get_mut(&key) else { continue };
                let Some((trigger, since)) = flow_state.begin(now) else { continue };
                let (tenant, flow) = key.clone();
                runs.push(DueRun { tenant, flow, trigger, since });
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
            batches.push(RunBatch { corp: name, runs });
        }
        batches
    }

    /// Wakes a flow: several wakes of a kind count as one until a run takes them up. False if there is no such flow.
    pub fn wake(&mut self, tenant: &TenantId, flow: &FlowId, why: Wake, now: DateTime<Utc>) -> bool {
        self.touch(tenant, flow, now, |flow_state, now| flow_state.wake(why, now))
    }

    /// Sets the time at which the first decision of a flow expires; none if no decision ever does.
    pub fn set_moment(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        moment: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        self.touch(tenant, flow, now, |flow_state, _| flow_state.set_moment(moment));
    }

    /// Sets the time at which a flow checks its tenant's directory again, because its last check left differences; none
    /// if it left none, or if another flow does it.
    pub fn set_recheck(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        moment: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        self.touch(tenant, flow, now, |flow_state, _| flow_state.set_recheck(moment));
    }

    /// Records a person's request for a run, under a number that comes back with the run. False if there is no such
    /// flow.
    pub fn ask(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        ticket: u64,
        ask: RequestKind,
        now: DateTime<Utc>,
    ) -> bool {
        self.touch(tenant, flow, now, |flow_state, now| flow_state.ask(ticket, ask, now))
    }

    /// Pauses a flow. False if there is no such flow.
    pub fn pause(&mut self, tenant: &TenantId, flow: &FlowId, paused: Paused) -> bool {
        let now = paused.at;
        self.change(tenant, flow, now, |flow_state, _| flow_state.row.paused = Some(paused))
    }

    /// Resumes a flow that was paused or blocked, and forgets its failures. False if there is no such flow.
    pub fn resume(&mut self, tenant: &TenantId, flow: &FlowId, now: DateTime<Utc>) -> bool {
        self.change(tenant, flow, now, |flow_state, now| flow_state.resume(now))
    }

    /// Records the id of a run.
    pub fn began(&mut self, tenant: &TenantId, flow: &FlowId, run: RunId) {
        if let Some(flow_state) = self.flows.get_mut(&(tenant.clone(), flow.clone())) {
            flow_state.began(run);
        }
    }

    /// Records the end of a run, or that it could not begin. A run that was not taken is ignored.
    pub fn ended(&mut self, tenant: &TenantId, flow: &FlowId, outcome: RunOutcome, now: DateTime<Utc>) {
        let now = self.moment(now);
        let key = (tenant.clone(), flow.clone());
        let Some(flow_state) = self.flows.get_mut(&key) else { return };
        let Some(ran_in) = flow_state.end(outcome, now) else { return };
        let (gone, own) = (flow_state.gone, flow_state.corp.clone());
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
    pub fn schedule_states(&self, now: DateTime<Utc>, late_after: Duration) -> Vec<ScheduleState> {
        let late_after = TimeDelta::from_std(late_after).unwrap_or(TimeDelta::MAX);
        let here = self.flows.values().filter(|flow_state| !flow_state.gone);
        here.map(|flow_state| flow_state.schedule_state(now, late_after)).collect()
    }

    /// The rows changed since the last call.
    pub fn changed_rows(&mut self) -> Vec<ScheduleStateRow> {
        let changed = std::mem::take(&mut self.changed);
        let row = |key: &FlowKey| {
            self.flows.get(key).map(|flow_state| &flow_state.row).or_else(|| self.known.get(key)).cloned()
        };
        changed.iter().filter_map(row).collect()
    }

    fn touch(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        now: DateTime<Utc>,
        touch: impl FnOnce(&mut FlowState, DateTime<Utc>),
    ) -> bool {
        let now = self.moment(now);
        let key = (tenant.clone(), flow.clone());
        let Some(flow_state) = self.flows.get_mut(&key).filter(|flow_state| !flow_state.gone) else {
            return false;
        };
        touch(flow_state, now);
        let corp = flow_state.corp.clone();
        self.arm(&key, now);
        self.rank(&corp, now);
        true
    }

    fn change(
        &mut self,
        tenant: &TenantId,
        flow: &FlowId,
        now: DateTime<Utc>,
        change: impl FnOnce(&mut FlowState, DateTime<Utc>),
    ) -> bool {
        let there = self.touch(tenant, flow, now, change);
        if there {
            self.changed.insert((tenant.clone(), flow.clone()));
        }
        there
    }

    fn forget(&mut self, key: &FlowKey) {
        if let Some(flow_state) = self.flows.remove(key) {
            self.known.insert(key.clone(), flow_state.row);
        }
    }

    fn disarm(&mut self, key: &FlowKey) {
        if let Some(at) = self.flows.get_mut(key).and_then(|flow_state| flow_state.timer.take()) {
            self.timers.remove(&(at, key.clone()));
        }
    }

    fn arm(&mut self, key: &FlowKey, now: DateTime<Utc>) {
        self.disarm(key);
        let Some(flow_state) = self.flows.get_mut(key).filter(|flow_state| !flow_state.gone) else { return };
        if let Some(at) = flow_state.timer(now) {
            flow_state.timer = Some(at);
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
        let due = corp.flows.iter().filter_map(|key| self.flows.get(key)?.due(now));
        let first = due.map(|(why, since)| (!matches!(why, Trigger::Person(_)), since)).min();
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
        let keys: Vec<FlowKey> = self.flows.keys().cloned().collect();
        for key in keys {
            if self.flows.get_mut(&key).is_some_and(|flow_state| flow_state.pull_back(now)) {
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
