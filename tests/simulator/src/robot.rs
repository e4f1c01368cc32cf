//! 企业微信's group robots, and an address that accepts any JSON: targets of alerts.
//!
//! A robot's only credential is the key in its address. It accepts markdown of at most 4096 bytes and 20 messages in a
//! minute from any holder of the key. It refuses with HTTP 200 and a code, like the rest of WeCom.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use crate::fault::{FaultKind, Service};
use crate::message::{Answer, Outcome, Reply, Request, WECOM_JSON};
use crate::window::Window;
use crate::world::World;

/// The robot that always exists.
pub const ROBOT_KEY: &str = "simulated-robot";
/// The path of every robot.
pub(crate) const PATH: &str = "/cgi-bin/webhook/send";
/// The path that accepts any JSON.
pub(crate) const SINK: &str = "/sink";
const API: &str = "webhook/send";
const A_MINUTE: u32 = 20;
const MINUTE_MS: u64 = 60_000;
const LONGEST: usize = 4096;

/// A message that a robot accepted.
#[derive(Debug, Clone, Serialize)]
pub struct RobotMessage {
    /// The robot.
    pub key: String,
    /// Time in milliseconds since 1970.
    pub at_ms: u64,
    /// The markdown.
    pub content: String,
}

/// Messages received.
#[derive(Debug)]
pub(crate) struct Told {
    keys: BTreeSet<String>,
    windows: HashMap<String, Window>,
    messages: Vec<RobotMessage>,
    posted: Vec<Value>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            keys: BTreeSet::from([ROBOT_KEY.to_owned()]),
            windows: HashMap::new(),
            messages: Vec::new(),
            posted: Vec::new(),
        }
    }
}

impl Told {
    /// Adds a robot to its group.
    pub(crate) fn add(&mut self, key: &str) {
        self.keys.insert(key.to_owned());
    }

    /// Removes a robot from its group.
    pub(crate) fn remove(&mut self, key: &str) {
        self.keys.remove(key);
    }

    /// Messages accepted by robots, oldest first.
    pub(crate) fn messages(&self) -> &[RobotMessage] {
        &self.messages
    }

    /// Posts to the other address, oldest first.
    pub(crate) fn posted(&self) -> &[Value] {
        &self.posted
    }

    /// Number of messages accepted.
    pub(crate) fn count(&self) -> usize {
        self.messages.len() + self.posted.len()
    }

    fn take(&mut self, request: &Request, now_ms: u64, limited: bool) -> Result<(), (i32, String)> {
        let key = request.parameter("key").unwrap_or_default();
        if !self.keys.contains(key) {
            return Err((93000, "invalid webhook url".to_owned()));
        }
        let body: Value =
            serde_json::from_slice(&request.body).map_err(|_| (40033, "invalid json".to_owned()))?;
        if body.get("msgtype").and_then(Value::as_str) != Some("markdown") {
            return Err((40008, "invalid message type".to_owned()));
        }
        let content = body.pointer("/markdown/content").and_then(Value::as_str);
        let content = content.filter(|content| !content.is_empty());
        let content = content.ok_or_else(|| (44004, "empty content".to_owned()))?;
        if content.len() > LONGEST {
            return Err((40058, format!("markdown.content exceed max length {LONGEST}")));
        }
        let window = self.windows.entry(key.to_owned()).or_insert_with(|| Window::new(MINUTE_MS));
        if limited && window.is_full(now_ms, A_MINUTE) {
            return Err((45009, "api freq out of limit".to_owned()));
        }
        window.add(now_ms);
        self.messages.push(RobotMessage { key: key.to_owned(), at_ms: now_ms, content: content.to_owned() });
        Ok(())
    }
}

/// A message to a robot.
pub(crate) fn send(world: &mut World, request: &Request) -> Outcome {
    let service = Service::WeCom;
    world.observation.request(service, API);
    let fault = world.faults.draw(service, API, request);
    let kind = fault.map(|fault| fault.kind);
    let delay_ms = fault.map_or(0, |fault| fault.delay_ms);
    let outcome = |reply| Outcome { reply, delay_ms, in_flight: None };
    if let Some(fault) = fault {
        world.observation.fault(fault.kind);
        match fault.kind {
            FaultKind::ResetBefore => return outcome(Reply::Reset),
            FaultKind::BadGatewayBefore => return outcome(Reply::Answer(Answer::bad_gateway())),
            FaultKind::StallBefore => {
                world.hold(request);
                return outcome(Reply::Stall);
            }
            _ => {}
        }
    }
    let forced = match (kind, fault) {
        (Some(FaultKind::BusyBefore), _) => Some((-1, "system busy".to_owned())),
        (Some(FaultKind::RateLimited), _) => Some((45009, "api freq out of limit".to_owned())),
        (Some(FaultKind::Refused), Some(fault)) => Some((fault.errcode, "refused".to_owned())),
        _ => None,
    };
    let taken = match forced {
        Some(refusal) => Err(refusal),
        None if !request.is_post() => Err((43002, "require POST method".to_owned())),
        None => {
            let now_ms = world.clock.now_ms();
            world.told.take(request, now_ms, world.limits.enabled)
        }
    };
    let (code, text) = taken.err().unwrap_or((0, "ok".to_owned()));
    world.observation.answer(service, code);
    if matches!(code, 40008 | 40033 | 40058 | 43002 | 44004) && forced_none(kind) {
        world.observation.misunderstood(service, request, text.clone());
    }
    let body = json!({ "errcode": code, "errmsg": text }).to_string().into_bytes();
    let answer = Answer { status: 200, content_type: WECOM_JSON, verdict: None, body };
    outcome(match kind {
        Some(FaultKind::ResetAfter) => Reply::Reset,
        Some(FaultKind::StallAfter) => Reply::Stall,
        Some(FaultKind::BadGatewayAfter) => Reply::Answer(Answer::bad_gateway()),
        Some(FaultKind::Truncated) => Reply::Answer(answer.truncated()),
        _ => Reply::Answer(answer),
    })
}

fn forced_none(kind: Option<FaultKind>) -> bool {
    kind != Some(FaultKind::Refused)
}

/// A post to the other address; the knob `sink_status` says what it answers.
pub(crate) fn sink(world: &mut World, request: &Request) -> Answer {
    let status = world.knobs.sink_status;
    if (200..300).contains(&status) {
        match serde_json::from_slice(&request.body) {
            Ok(value) => world.told.posted.push(value),
            Err(_) => return Answer::json(400, b"{}".to_vec()),
        }
    }
    Answer::json(status, b"{}".to_vec())
}
