//! The state of one flow.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::backoff;
use super::pending::Pending;
use super::run::{RequestKind, RunOutcome, ScheduledFlow, Trigger};
use ruzhi_app::scheduler::{ScheduleState, ScheduleStateKind, Wake};
use ruzhi_config::Schedule;
use ruzhi_model::RunId;
use ruzhi_store::{Blocked, ScheduleStateRow};

/// Clocks may step back this far, as time servers make them, without anything being pulled back: no schedule has two
/// moments closer than this.
pub(super) const CLOCK_STEP: TimeDelta = TimeDelta::minutes(1);

/// Minimum time between the end of a run begun by a decision's moment and the next such run.
const MOMENTS_APART: TimeDelta = TimeDelta::seconds(10);

/// Minimum time from the end of a drift check that was made because differences were left to the next such check.
const RECHECKS_APART: TimeDelta = TimeDelta::hours(24);

/// The state of one flow.
#[derive(Debug)]
pub(super) struct FlowState {
    pub(super) corp: Arc<str>,
    /// The state that outlives the process.
    pub(super) row: ScheduleStateRow,
    /// Removed from the configuration while its last run is under way.
    pub(super) gone: bool,
    /// Its place in the timers.
    pub(super) timer: Option<DateTime<Utc>>,
    schedule: Option<Schedule>,
    settings: String,
    /// The first moment of its schedule not yet taken up.
    tick: Option<DateTime<Utc>>,
    /// The first moment at which one of its decisions expires.
    moment: Option<DateTime<Utc>>,
    /// No decision's moment begins a run before this.
    moment_rests: Option<DateTime<Utc>>,
    pending: Pending,
    /// Its pending callback.
    callback: Option<DateTime<Utc>>,
    /// The moment at which the differences of its tenant are checked again.
    recheck: Option<DateTime<Utc>>,
    /// No such check begins before this.
    recheck_rests: Option<DateTime<Utc>>,
    /// Requests by people, oldest first.
    asked: VecDeque<(u64, RequestKind, DateTime<Utc>)>,
    /// It could not run before this even if due: it was unknown, stopped, or its last run was under way.
    free_since: DateTime<Utc>,
    running: Option<ActiveWork>,
}

#[derive(Debug)]
struct ActiveWork {
    corp: Arc<str>,
    trigger: Trigger,
    /// It does the flow's work.
    works: bool,
    began_at: DateTime<Utc>,
    run: Option<RunId>,
    /// The reasons it took up.
    pending: Pending,
    tick: Option<DateTime<Utc>>,
}

impl FlowState {
    /// A flow, and `true` if its row has to be stored.
    pub(super) fn new(
        flow: ScheduledFlow,
        corp: Arc<str>,
        row: Option<ScheduleStateRow>,
        now: DateTime<Utc>,
    ) -> (Self, bool) {
        let new = row.is_none();
        let row = row.unwrap_or(ScheduleStateRow {
            tenant: flow.tenant,
            flow: flow.flow,
            reached: Some(now),
            failures: 0,
            failed_at: None,
            paused: None,
            blocked: None,
        });
        let mut state = Self {
            corp,
            row,
            gone: false,
            timer: None,
            schedule: flow.schedule,
            settings: flow.settings,
            tick: None,
            moment: None,
            moment_rests: None,
            pending: Pending::default(),
            callback: None,
            recheck: None,
            recheck_rests: None,
            asked: VecDeque::new(),
            free_since: now,
            running: None,
        };
        let mut changed = new | state.pull_back(now) | state.look_at_block(now);
        changed |= state.count_from(state.row.reached, now);
        (state, changed)
    }

    /// Takes over the flow's configuration; `true` if its row has to be stored.
    pub(super) fn change(&mut self, flow: &ScheduledFlow, corp: Arc<str>, now: DateTime<Utc>) -> bool {
        self.gone = false;
        self.corp = corp;
        self.settings.clone_from(&flow.settings);
        let mut changed = self.look_at_block(now);
        if self.schedule != flow.schedule {
            self.schedule.clone_from(&flow.schedule);
            changed |= self.count_from(None, now);
        }
        changed
    }

    /// Lifts a block once the settings differ from those the service rejected.
    fn look_at_block(&mut self, now: DateTime<Utc>) -> bool {
        let lifted = self.row.blocked.as_ref().is_some_and(|blocked| blocked.settings != self.settings);
        if lifted {
            self.lift(now);
        }
        lifted
    }

    /// Counts the schedule's moments from `reached`, or from now if there is none.
    fn count_from(&mut self, reached: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let from = reached.unwrap_or(now);
        self.tick = self.schedule.as_ref().and_then(|schedule| schedule.after(from));
        let changed = self.row.reached != Some(from);
        self.row.reached = Some(from);
        changed
    }

    fn lift(&mut self, now: DateTime<Utc>) {
        self.row.blocked = None;
        self.row.failures = 0;
        self.row.failed_at = None;
        self.pending.unfinished = Some(now);
        self.free_since = now;
    }

    pub(super) fn resume(&mut self, now: DateTime<Utc>) {
        let undone = self.row.blocked.is_some() || self.row.failures > 0;
        self.row.paused = None;
        self.free_since = now;
        if undone {
            self.lift(now);
        }
    }

    pub(super) fn wake(&mut self, why: Wake, now: DateTime<Utc>) {
        match why {
            Wake::Push => {
                self.pending.push.get_or_insert(now);
            }
            Wake::Callback => {
                self.callback.get_or_insert(now);
            }
            Wake::CutOff => {
                self.pending.cut_off.get_or_insert(now);
            }
            // The flow may have failed for want of these rules.
            Wake::Rules => {
                self.pending.push.get_or_insert(now);
                if self.row.failures > 0 && self.row.blocked.is_none() {
                    self.lift(now);
                }
            }
        }
    }

    pub(super) fn set_moment(&mut self, moment: Option<DateTime<Utc>>) {
        self.moment = moment;
    }

    pub(super) fn set_recheck(&mut self, moment: Option<DateTime<Utc>>) {
        self.recheck = moment;
    }

    fn recheck(&self) -> Option<DateTime<Utc>> {
        self.recheck.map(|at| at.max(self.recheck_rests.unwrap_or(at)))
    }

    pub(super) fn ask(&mut self, ticket: u64, ask: RequestKind, now: DateTime<Utc>) {
        self.asked.push_back((ticket, ask, now));
    }

    /// Marks the flow as removed from the configuration; returns its unanswered requests.
    pub(super) fn leave(&mut self) -> impl Iterator<Item = u64> {
        self.gone = true;
        std::mem::take(&mut self.asked).into_iter().map(|(ticket, _, _)| ticket)
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn began(&mut self, run: RunId) {
        if let Some(running) = &mut self.running {
            running.run = Some(run);
        }
    }

    /// The time of the next retry.
    fn retry(&self) -> Option<DateTime<Utc>> {
        backoff::retry_at(self.row.failures, self.row.failed_at?)
    }

    fn stopped(&self) -> bool {
        self.row.paused.is_some() || self.row.blocked.is_some()
    }

    /// When the schedule, a decision or a retry makes the flow due by itself.
    fn clockwork(&self) -> Option<(Trigger, DateTime<Utc>)> {
        if self.row.failures > 0 {
            return self.retry().map(|at| (Trigger::Retry, at));
        }
        let moment = self.moment.map(|at| (Trigger::Moment, at.max(self.moment_rests.unwrap_or(at))));
        match (self.tick.map(|at| (Trigger::Tick, at)), moment) {
            (Some(tick), Some(moment)) if tick.1 <= moment.1 => Some(tick),
            (tick, moment) => moment.or(tick),
        }
    }

    /// The same, once that time has come.
    fn overdue(&self, now: DateTime<Utc>) -> Option<(Trigger, DateTime<Utc>)> {
        if self.stopped() {
            return None;
        }
        let unfinished = self.pending.unfinished.map(|since| (Trigger::Retry, since));
        let due = unfinished.or_else(|| self.clockwork().filter(|(_, at)| *at <= now));
        due.map(|(why, since)| (why, since.max(self.free_since)))
    }

    /// The trigger that made it due, and since when.
    pub(super) fn due(&self, now: DateTime<Utc>) -> Option<(Trigger, DateTime<Utc>)> {
        if self.gone || self.running.is_some() {
            return None;
        }
        if let Some((ticket, _, since)) = self.asked.front() {
            return Some((Trigger::Person(*ticket), *since));
        }
        let overdue = self.overdue(now);
        if self.stopped() || (self.row.failures > 0 && overdue.is_none()) {
            return None;
        }
        let cut_off = self.pending.cut_off.map(|since| (Trigger::CutOff, since.max(self.free_since)));
        let push = self.pending.push.map(|since| (Trigger::Push, since.max(self.free_since)));
        // A retry and the work of a run that was cut off say more than the clock.
        let (retry, clock) = match overdue {
            Some((Trigger::Retry, since)) => (Some((Trigger::Retry, since)), None),
            clock => (None, clock),
        };
        let work = [retry, cut_off, clock, push].into_iter().flatten();
        let since = work.clone().map(|(_, since)| since).min();
        let work = work.map(|(why, _)| why).next().zip(since);
        let callback = self.callback.map(|since| (Trigger::Callback, since));
        let recheck = self.recheck().filter(|at| *at <= now).map(|since| (Trigger::Recheck, since));
        work.or_else(|| callback.or(recheck).map(|(why, since)| (why, since.max(self.free_since))))
    }

    /// When to look at it again, if it is not due yet.
    pub(super) fn timer(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let recheck = self.recheck().filter(|at| *at > now && !self.stopped());
        self.ripens(now).into_iter().chain(recheck).min()
    }

    /// When it becomes due by itself, if it is not due yet.
    pub(super) fn ripens(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.stopped() {
            return None;
        }
        self.clockwork().map(|(_, at)| at).filter(|at| *at > now)
    }

    /// Begins a run if the flow is due; returns why, and since when it was due.
    pub(super) fn begin(&mut self, now: DateTime<Utc>) -> Option<(Trigger, DateTime<Utc>)> {
        let (trigger, since) = self.due(now)?;
        let works = match trigger {
            Trigger::Person(_) => self.asked.pop_front().is_some_and(|(_, ask, _)| ask == RequestKind::Sync),
            Trigger::Callback | Trigger::Recheck => {
                self.callback = None;
                self.recheck = None;
                false
            }
            Trigger::Tick | Trigger::Moment | Trigger::Push | Trigger::CutOff | Trigger::Retry => true,
        };
        let mut running = ActiveWork {
            corp: self.corp.clone(),
            trigger,
            works,
            began_at: now,
            run: None,
            pending: Pending::default(),
            tick: None,
        };
        if works {
            running.pending = std::mem::take(&mut self.pending);
            running.tick = self.tick;
            // The run re-evaluates decisions that are due, and reports the next moment when it ends.
            self.moment = None;
            if self.tick.is_some_and(|tick| tick <= now) {
                self.tick = self.schedule.as_ref().and_then(|schedule| schedule.after(now));
            }
        }
        self.running = Some(running);
        Some((trigger, since))
    }

    /// Ends the run under way; returns the corp in which it ran.
    pub(super) fn end(&mut self, outcome: RunOutcome, now: DateTime<Utc>) -> Option<Arc<str>> {
        let running = self.running.take()?;
        self.free_since = now;
        if running.trigger == Trigger::Moment {
            self.moment_rests = now.checked_add_signed(MOMENTS_APART);
        }
        if running.trigger == Trigger::Recheck {
            self.recheck_rests = now.checked_add_signed(RECHECKS_APART);
        }
        match outcome {
            RunOutcome::Done | RunOutcome::Held if running.works => {
                self.row.failures = 0;
                self.row.failed_at = None;
                self.row.blocked = None;
                self.row.reached = self.row.reached.max(Some(running.began_at));
            }
            RunOutcome::Failed if running.works && !matches!(running.trigger, Trigger::Person(_)) => {
                self.row.failures = self.row.failures.saturating_add(1);
                self.row.failed_at = Some(now);
                self.row.reached = self.row.reached.max(Some(running.began_at));
            }
            RunOutcome::Failed | RunOutcome::CutOff => self.give_back(&running),
            RunOutcome::Blocked { service, code, text, hint, settings } => {
                self.row.failures = self.row.failures.saturating_add(1);
                self.row.failed_at = Some(now);
                self.row.blocked =
                    Some(Blocked { service: Some(service), code, text, hint, at: now, settings });
                if running.works {
                    self.row.reached = self.row.reached.max(Some(running.began_at));
                }
                // The configuration may have changed during the run.
                self.look_at_block(now);
            }
            RunOutcome::Done | RunOutcome::Held => {}
        }
        Some(running.corp)
    }

    /// Makes due again what a run took up and did not do.
    fn give_back(&mut self, running: &ActiveWork) {
        self.pending.give_back(running.pending);
        self.tick = match (running.tick, self.tick) {
            (Some(taken), Some(next)) => Some(taken.min(next)),
            (_, next) => next,
        };
    }

    /// Pulls back what was noted of later moments; `true` if its row has to be stored.
    pub(super) fn pull_back(&mut self, now: DateTime<Utc>) -> bool {
        let pull = |at: &mut Option<DateTime<Utc>>| *at = at.map(|at| at.min(now));
        self.free_since = self.free_since.min(now);
        self.moment_rests = self.moment_rests.map(|at| at.min(now + MOMENTS_APART));
        self.recheck_rests = self.recheck_rests.map(|at| at.min(now + RECHECKS_APART));
        self.pending.pull_back(now);
        pull(&mut self.callback);
        for (_, _, since) in &mut self.asked {
            *since = (*since).min(now);
        }
        if let Some(running) = &mut self.running {
            running.began_at = running.began_at.min(now);
            running.pending.pull_back(now);
        }
        let ahead = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at - now > CLOCK_STEP);
        let mut changed = false;
        if ahead(self.row.failed_at) {
            self.row.failed_at = Some(now);
            changed = true;
        }
        // Its schedule continues from now.
        let next = self.schedule.as_ref().and_then(|schedule| schedule.after(now));
        if self.tick > next {
            self.tick = next;
        }
        if ahead(self.row.reached) {
            self.row.reached = Some(now);
            changed = true;
        }
        changed
    }

    pub(super) fn schedule_state(&self, now: DateTime<Utc>, late_after: TimeDelta) -> ScheduleState {
        let due = self.due(now);
        let state = if self.running.is_some() {
            ScheduleStateKind::Running
        } else if !self.asked.is_empty() {
            ScheduleStateKind::Queued
        } else if self.row.paused.is_some() {
            ScheduleStateKind::Paused
        } else if self.row.blocked.is_some() {
            ScheduleStateKind::Blocked
        } else if due.is_some() {
            ScheduleStateKind::Queued
        } else if self.row.failures > 0 {
            ScheduleStateKind::Retrying
        } else if self.schedule.is_some() || self.moment.is_some() {
            ScheduleStateKind::Waiting
        } else {
            ScheduleStateKind::Idle
        };
        let overdue = self.overdue(now).filter(|_| self.running.is_none());
        ScheduleState {
            tenant: self.row.tenant.clone(),
            flow: self.row.flow.clone(),
            state,
            next: self.ripens(now),
            queued_since: due.map(|(_, since)| since),
            run: self.running.as_ref().and_then(|running| running.run.clone()),
            failures: self.row.failures,
            late: overdue.is_some_and(|(_, since)| now - since >= late_after),
            paused: self.row.paused.clone(),
            blocked: self.row.blocked.clone(),
        }
    }
}
