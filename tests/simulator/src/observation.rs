//! The simulator's observations: requests by API, verdicts by code, faults that happened, and every request that the
//! real service would not have understood. Tokens and secrets are never recorded.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Serialize;
use serde_json::{Value, json};

use crate::fault::{FaultKind, Service};
use crate::message::Request;

/// A request that the real service would not have understood, or would silently have taken for something else.
#[derive(Debug, Clone, Serialize)]
pub struct Misunderstanding {
    /// The service that was asked.
    pub service: Service,
    /// Path and query, without token and secret.
    pub path: String,
    /// The defect.
    pub what: String,
    /// The beginning of the body.
    pub body: String,
}

const KEPT_MISUNDERSTANDINGS: usize = 1000;
const KEPT_REQUESTS: usize = 10_000;
const KEPT_BODY_CHARACTERS: usize = 2000;

#[derive(Debug, Clone, Serialize)]
struct LoggedRequest {
    number: u64,
    method: String,
    path: String,
    body: String,
}

#[derive(Debug, Default)]
pub(crate) struct Observation {
    misunderstandings: Vec<Misunderstanding>,
    requests: HashMap<(Service, &'static str), u64>,
    answers: HashMap<(Service, i32), u64>,
    faults: BTreeMap<FaultKind, u64>,
    log: VecDeque<LoggedRequest>,
    received: u64,
}

impl Observation {
    pub(crate) fn request(&mut self, service: Service, api: &'static str) {
        *self.requests.entry((service, api)).or_default() += 1;
    }

    pub(crate) fn answer(&mut self, service: Service, code: i32) {
        *self.answers.entry((service, code)).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, kind: FaultKind) {
        *self.faults.entry(kind).or_default() += 1;
    }

    pub(crate) fn misunderstood(&mut self, service: Service, request: &Request, what: impl Into<String>) {
        if self.misunderstandings.len() < KEPT_MISUNDERSTANDINGS {
            let body = request.body_text().chars().take(KEPT_BODY_CHARACTERS).collect();
            let path = request.safe_path();
            self.misunderstandings.push(Misunderstanding { service, path, what: what.into(), body });
        }
    }

    pub(crate) fn log(&mut self, request: &Request) {
        self.received += 1;
        if self.log.len() == KEPT_REQUESTS {
            self.log.pop_front();
        }
        self.log.push_back(LoggedRequest {
            number: self.received,
            method: request.method.to_string(),
            path: request.safe_path(),
            body: request.body_text(),
        });
    }

    pub(crate) fn logged_since(&self, number: u64) -> Value {
        json!({ "requests": self.log.iter().filter(|entry| entry.number > number).collect::<Vec<_>>() })
    }

    pub(crate) fn bodies(&self, path: &str) -> Vec<String> {
        let of_path =
            |entry: &&LoggedRequest| entry.path.split('?').next().is_some_and(|p| p.ends_with(path));
        self.log.iter().filter(of_path).map(|entry| entry.body.clone()).collect()
    }

    pub(crate) fn misunderstandings(&self) -> &[Misunderstanding] {
        &self.misunderstandings
    }

    pub(crate) fn requests(&self, service: Service) -> BTreeMap<&'static str, u64> {
        let of_service = self.requests.iter().filter(|((of, _), _)| *of == service);
        of_service.map(|((_, api), count)| (*api, *count)).collect()
    }

    pub(crate) fn answers(&self, service: Service) -> BTreeMap<String, u64> {
        let of_service = self.answers.iter().filter(|((of, _), _)| *of == service);
        of_service.map(|((_, code), count)| (code.to_string(), *count)).collect()
    }

    pub(crate) fn faults(&self) -> &BTreeMap<FaultKind, u64> {
        &self.faults
    }
}
