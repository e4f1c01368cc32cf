//! Everything the simulator knows, behind one lock. A request is read whole, then answered in one go under the lock,
//! so every call is atomic and calls happen in the order they arrive.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::control;
use crate::fault::FaultState;
use crate::jiandaoyun::{self, JianDaoYun};
use crate::message::{Answer, Outcome, Request};
use crate::observation::Observation;
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
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Outcome {
        if request.path.starts_with("/sim/") {
            return Outcome::now(control::answer(self, request));
        }
        if self.knobs.log_requests {
            self.observation.log(request);
        }
        let mut outcome = if request.path.starts_with("/cgi-bin/") {
            wecom::answer(self, request)
        } else if request.path.starts_with("/api/") {
            jiandaoyun::answer(self, request)
        } else {
            Outcome::now(Answer::json(404, br#"{"error":"the path belongs to neither service"}"#.to_vec()))
        };
        outcome.delay_ms += self.knobs.latency_ms;
        outcome
    }
}

/// The world as the server and the handle in a test share it.
#[derive(Debug)]
pub(crate) struct Shared(Mutex<World>);

impl Shared {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(World::new()))
    }

    /// A panic while the lock was held is a defect that its own thread has reported; others go on.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
