//! Messages that the services send by themselves: JianDaoYun's pushes of rows, WeCom's callbacks about members.
//!
//! An event is turned into a delivery under the world's lock, at the moment of the change, and sent by a separate task
//! ([`send`]), so that a receiver may be as slow as it likes. Every delivery and every answer to it is kept.

mod callback;
mod event;
mod push;
pub(crate) mod send;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub(crate) use callback::Callback;
pub(crate) use push::Push;

use crate::fault::Service;
use crate::random::Random;

/// JianDaoYun stops pushing after this many consecutive failures.
const MOST_FAILURES: u32 = 100;
/// Number of deliveries that are kept.
const KEPT: usize = 10_000;

/// Settings for sending; the body of `POST /sim/outbox`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxKnobs {
    /// Each delivery is repeated this many times, regardless of the answer.
    pub duplicates: u32,
    /// Of several changes made at once the last is sent first.
    pub reversed: bool,
    /// Pushes carry no signature, as for a form whose push has no secret.
    pub unsigned: bool,
    /// Signatures are made with another secret or token.
    pub bad_signature: bool,
    /// Signatures are this many seconds old.
    pub age_s: i64,
    /// Rows written through the API are pushed too; the service itself does not push them.
    pub for_api_writes: bool,
    /// Callbacks carry every field, as to an address entered before 2022-08-15.
    pub full_callbacks: bool,
}

/// Target of the pushes of a form; the body of `POST /sim/push`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushTo {
    /// The form's app.
    pub app_id: String,
    /// The form.
    pub entry_id: String,
    /// The address; its query is kept.
    pub url: String,
    /// Key for signing pushes; without it they are unsigned.
    #[serde(default)]
    pub secret: Option<String>,
    /// Push a `data_test` at once.
    #[serde(default)]
    pub test: bool,
}

/// Target of the callbacks of a corp; the body of `POST /sim/callback`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackTo {
    /// The corp.
    pub corp_id: String,
    /// The address. It is verified first; until then, nothing is sent.
    pub url: String,
    /// Token.
    pub token: String,
    /// EncodingAESKey, 43 characters.
    pub aes_key: String,
}

/// Reason for rejecting an address.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The key of callbacks is invalid.
    #[error("an aes_key has 43 characters of Base64")]
    Key,
    /// The address is invalid.
    #[error("{0:?} is not an http address")]
    Url(String),
}

/// A message sent or waiting to be sent.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// Number, from 1 on.
    pub number: u64,
    /// The sending service.
    pub service: Service,
    /// `data_update`, `create_user`, `verify`.
    pub event: String,
    /// The row or the member; empty if there is none.
    pub about: String,
    /// The answer to each attempt: a status, `timeout` or `unreachable`.
    pub answers: Vec<String>,
    /// True if it was accepted: a push with 2xx, a callback with 200, a verification with the sealed text.
    pub taken: bool,
    /// True if nothing more is sent.
    pub ended: bool,
}

/// A delivery that waits for its sender.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) number: u64,
    pub(crate) nonce: u64,
    pub(crate) content: Content,
    /// The knobs at the time of the event.
    pub(crate) knobs: OutboxKnobs,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Push(Push),
    Callback(Callback),
}

#[derive(Debug)]
struct Form {
    to: PushTo,
    failures: u32,
}

#[derive(Debug)]
struct Corp {
    to: CallbackTo,
    verified: bool,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) knobs: OutboxKnobs,
    forms: BTreeMap<(String, String), Form>,
    corps: BTreeMap<String, Corp>,
    /// Changes made at once, in the order in which they are sent.
    waiting: Vec<Vec<Letter>>,
    deliveries: BTreeMap<u64, Delivery>,
    /// Total number of deliveries; it goes on after a reset.
    given: u64,
    /// Number of deliveries ended since the last reset.
    ended: usize,
    nonces: Random,
    /// Notified when a delivery waits.
    bell: Arc<Notify>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            knobs: OutboxKnobs::default(),
            forms: BTreeMap::new(),
            corps: BTreeMap::new(),
            waiting: Vec::new(),
            deliveries: BTreeMap::new(),
            given: 0,
            ended: 0,
            nonces: Random::new(1),
            bell: Arc::new(Notify::new()),
        }
    }

    /// Forgets everything but the listeners of the bell and the number of the last delivery.
    pub(crate) fn emptied(&self) -> Self {
        Self { given: self.given, bell: Arc::clone(&self.bell), ..Self::new() }
    }

    pub(crate) fn push_to(&mut self, to: PushTo) -> Result<(), OutboxError> {
        check_url(&to.url)?;
        let (place, test) = ((to.app_id.clone(), to.entry_id.clone()), to.test);
        self.forms.insert(place.clone(), Form { to, failures: 0 });
        if test {
            self.pushed(&place.0, &place.1, vec![push::Event::test()]);
        }
        Ok(())
    }

    pub(crate) fn call_back_to(&mut self, to: CallbackTo) -> Result<(), OutboxError> {
        check_url(&to.url)?;
        let key = callback::key(&to.aes_key).ok_or(OutboxError::Key)?;
        let nonce = self.nonces.next();
        let verify = Callback::verify(&to, key, nonce);
        self.corps.insert(to.corp_id.clone(), Corp { to, verified: false });
        self.wait(Service::WeCom, vec![("verify".to_owned(), String::new(), Content::Callback(verify))]);
        Ok(())
    }

    /// Reports changed rows of a form; without a subscription nothing happens.
    pub(crate) fn pushed(&mut self, app_id: &str, entry_id: &str, events: Vec<push::Event>) {
        let Some(form) = self.forms.get(&(app_id.to_owned(), entry_id.to_owned())) else { return };
        if form.failures >= MOST_FAILURES {
            return;
        }
        let letters = events.into_iter().map(|event| {
            let push = Push::of(&form.to, &event);
            (event.op.to_owned(), event.about, Content::Push(push))
        });
        let letters = letters.collect();
        self.wait(Service::JianDaoYun, letters);
    }

    /// Reports a member changed in the console.
    pub(crate) fn called_back(&mut self, corp_id: &str, event: event::Event, now_ms: u64) {
        let Some(corp) = self.corps.get(corp_id).filter(|corp| corp.verified) else { return };
        let Some(key) = callback::key(&corp.to.aes_key) else { return };
        if !self.knobs.full_callbacks && !event.is_told_slim() {
            return;
        }
        let message = event.message(corp_id, now_ms, self.knobs.full_callbacks);
        let callback = Callback::event(&corp.to, key, message);
        let letter = (event.change_type.to_owned(), event.userid, Content::Callback(callback));
        self.wait(Service::WeCom, vec![letter]);
    }

    fn wait(&mut self, service: Service, letters: Vec<(String, String, Content)>) {
        let mut batch = Vec::new();
        for (event, about, content) in letters {
            self.given += 1;
            let number = self.given;
            let delivery =
                Delivery { number, service, event, about, answers: Vec::new(), taken: false, ended: false };
            self.deliveries.insert(number, delivery);
            if self.deliveries.len() > KEPT {
                self.deliveries.pop_first();
            }
            batch.push(Letter { number, nonce: self.nonces.next(), content, knobs: self.knobs.clone() });
        }
        if self.knobs.reversed {
            batch.reverse();
        }
        self.waiting.push(batch);
        self.bell.notify_one();
    }

    fn take(&mut self) -> Vec<Vec<Letter>> {
        std::mem::take(&mut self.waiting)
    }

    fn answered(&mut self, letter: &Letter, answer: String, taken: bool) {
        if let Some(delivery) = self.deliveries.get_mut(&letter.number) {
            delivery.answers.push(answer);
            delivery.taken |= taken;
        }
        match &letter.content {
            Content::Push(push) => {
                let place = (push.app_id.clone(), push.entry_id.clone());
                if let Some(form) = self.forms.get_mut(&place) {
                    form.failures = if taken { 0 } else { form.failures + 1 };
                }
            }
            Content::Callback(callback) if callback.is_verification() && taken => {
                let corp = self.corps.get_mut(&callback.corp_id);
                if let Some(corp) = corp.filter(|corp| corp.to.url == callback.url) {
                    corp.verified = true;
                }
            }
            Content::Callback(_) => {}
        }
    }

    fn ended(&mut self, number: u64) {
        if let Some(delivery) = self.deliveries.get_mut(&number) {
            delivery.ended = true;
            self.ended += 1;
        }
    }

    /// Number of deliveries ended since the last reset.
    pub(crate) fn count_ended(&self) -> usize {
        self.ended
    }

    /// Every delivery since the last reset, in the order of the changes.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.values().cloned().collect()
    }
}

pub(crate) use event::Event as MemberEvent;
pub(crate) use push::Event as RowEvent;

fn check_url(url: &str) -> Result<(), OutboxError> {
    let parsed = reqwest::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    parsed.map(drop).ok_or_else(|| OutboxError::Url(url.to_owned()))
}
