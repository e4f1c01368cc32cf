//! The simulator's whole state, behind one lock. A request is read whole, then answered in one go under the lock, so
//! every call is atomic and calls happen in the order they arrive.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::control;
use crate::fault::{FaultKind, FaultState, Faults};
use crate::jiandaoyun::{self, JianDaoYun};
use crate::message::{Answer, Outcome, Reply, Request};
use crate::observation::Observation;
use crate::outbox::{Delivery, Outbox};
use crate::robot::{self, Told};
use crate::settings::{Knobs, Limits};
use crate::wecom::{self, WeCom};

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) knobs: Knobs,
    pub(crate) limits: Limits,
    pub(crate) faults: FaultState,
    pub(crate) observation: Observation,
    pub(crate) jiandaoyun: JianDaoYun,
    pub(crate) wecom: WeCom,
    /// Messages that the services send by themselves.
    pub(crate) outbox: Outbox,
    /// Messages accepted by group robots and the sink.
    pub(crate) told: Told,
    /// Requests that are held before the service acts.
    held: Vec<Request>,
    /// Number of requests ever left without an answer.
    stalled: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            clock: Clock::new(),
            knobs: Knobs::default(),
            limits: Limits::default(),
            faults: FaultState::default(),
            observation: Observation::default(),
            jiandaoyun: JianDaoYun::default(),
            wecom: WeCom::default(),
            outbox: Outbox::new(),
            told: Told::default(),
            held: Vec::new(),
            stalled: 0,
        }
    }

    /// Forgets everything, settings included.
    pub(crate) fn reset(&mut self) {
        *self = Self { outbox: self.outbox.emptied(), ..Self::new() };
    }

    /// Holds a request before the service acts.
    pub(crate) fn hold(&mut self, request: &Request) {
        self.held.push(request.clone());
    }

    /// Lets the service act on every held request; the answers are lost. Returns their number.
    pub(crate) fn release(&mut self) -> usize {
        let held = std::mem::take(&mut self.held);
        // A request that was delayed on its way meets no second fault.
        let faults = std::mem::take(&mut self.faults);
        for request in &held {
            self.answer(request);
        }
        self.faults = faults;
        held.len()
    }

    /// Replaces the fault rules, and drops held requests.
    pub(crate) fn set_faults(&mut self, faults: Faults) {
        self.held.clear();
        self.faults.replace(faults);
        self.wecom.remember_lists(self.faults.has(FaultKind::StaleList));
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Outcome {
        if request.path.starts_with("/sim/") {
            return Outcome::now(control::answer(self, request));
        }
        if self.knobs.log_requests {
            self.observation.log(request);
        }
        let mut outcome = if request.path == robot::PATH {
            robot::send(self, request)
        } else if request.path == robot::SINK {
            Outcome::now(robot::sink(self, request))
        } else if request.path.starts_with("/cgi-bin/") {
            wecom::answer(self, request)
        } else if request.path.starts_with("/api/") {
            jiandaoyun::answer(self, request)
        } else {
            Outcome::now(Answer::json(404, br#"{"error":"the path belongs to neither service"}"#.to_vec()))
        };
        outcome.delay_ms += self.knobs.latency_ms;
        self.stalled += u64::from(matches!(outcome.reply, Reply::Stall));
        outcome
    }
}

/// The world as shared by the server and the handle in a test.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    stalled: Condvar,
    /// Notified when a delivery ends.
    delivered: Condvar,
    /// Notified when a group robot or the sink has answered.
    told: Condvar,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            world: Mutex::new(World::new()),
            stalled: Condvar::new(),
            delivered: Condvar::new(),
            told: Condvar::new(),
        }
    }

    /// Answers a request, and notifies waiters if it stays without an answer.
    pub(crate) fn answer(&self, request: &Request) -> Outcome {
        let outcome = self.lock().answer(request);
        if matches!(outcome.reply, Reply::Stall) {
            self.stalled.notify_all();
        }
        if matches!(request.path.as_str(), robot::PATH | robot::SINK) {
            self.told.notify_all();
        }
        outcome
    }

    /// Waits until more than `before` requests were left without an answer, or for `most`. Returns their number.
    pub(crate) fn wait_for_stall(&self, before: u64, most: Duration) -> u64 {
        let waiting = self.stalled.wait_timeout_while(self.lock(), most, |world| world.stalled <= before);
        waiting.unwrap_or_else(PoisonError::into_inner).0.stalled
    }

    /// Waits until robots and sink together accepted this many, or for `most`; returns true in the first case.
    pub(crate) fn wait_for_told(&self, count: usize, most: Duration) -> bool {
        let missing = |world: &mut World| world.told.count() < count;
        let waiting = self.told.wait_timeout_while(self.lock(), most, missing);
        waiting.unwrap_or_else(PoisonError::into_inner).0.told.count() >= count
    }

    /// Changes the outbox, and notifies waiters for deliveries.
    pub(crate) fn change_outbox(&self, change: impl FnOnce(&mut Outbox)) {
        change(&mut self.lock().outbox);
        self.delivered.notify_all();
    }

    /// Waits until this many deliveries have ended since the last reset, or for `most`. Returns all there are.
    pub(crate) fn wait_for_deliveries(&self, ended: usize, most: Duration) -> Vec<Delivery> {
        let missing = |world: &mut World| world.outbox.count_ended() < ended;
        let waiting = self.delivered.wait_timeout_while(self.lock(), most, missing);
        waiting.unwrap_or_else(PoisonError::into_inner).0.outbox.deliveries()
    }

    /// A panic while the lock was held is a defect reported by its own thread; others go on.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
