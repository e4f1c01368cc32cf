//! Writes and their outcomes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value};

use super::api::Api;
use super::call::{Call, Called, Outcome, integer};
use super::errcode::{Blame, blame};
use super::error::{Error, Failure};
use super::transport::Payload;
use ruzhi_model::{MemberKey, UserId};

/// A write of one member. A body holds WeCom's field names; its `userid` is always the one given beside it.
#[derive(Debug, Clone, Copy)]
pub enum Write<'a> {
    /// `user/create`.
    Create {
        /// The member.
        userid: &'a UserId,
        /// The member's fields.
        body: &'a Map<String, Value>,
    },
    /// `user/update`: only the fields in the body change.
    Update {
        /// The member.
        userid: &'a UserId,
        /// The fields that change.
        body: &'a Map<String, Value>,
    },
    /// `user/delete`.
    Delete {
        /// The member.
        userid: &'a UserId,
    },
}

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The write is done.
    Done {
        /// Departments that WeCom created because their id was unknown, with their names: a mistake in the mapping.
        created_departments: Vec<(u32, String)>,
    },
    /// The write is done, but WeCom found the request malformed and may have left a field out: our own bug. After a
    /// create the member exists.
    Warned {
        /// WeCom's message.
        errmsg: String,
    },
    /// A create met a member with this userid.
    AlreadyExists {
        /// An earlier attempt of this very write may have created that member.
        maybe_ours: bool,
    },
    /// Another member has the mobile number.
    MobileHeld {
        /// The userid named by WeCom.
        holder: Option<String>,
        /// The holder is this very member.
        maybe_ours: bool,
    },
    /// WeCom does not find a member named by an update or a delete: this one, one the body refers to, or one that a
    /// late replica does not have yet.
    NotFound,
    /// WeCom rejects this member.
    Refused {
        /// The code.
        errcode: i64,
        /// WeCom's message.
        errmsg: String,
    },
    /// An unexpected code, or one that may concern this member alone or every call of the tenant: the write was not
    /// done. The caller finds out which, and tells the client if every call fails ([`Client::stop`]).
    ///
    /// [`Client::stop`]: super::Client::stop
    Unsure {
        /// The code.
        errcode: i64,
        /// The error if it is the tenant's.
        error: Error,
    },
    /// The corp has no place for another member: the write was not done, and no other create would be.
    NoPlace {
        /// The code.
        errcode: i64,
        /// WeCom's message.
        errmsg: String,
    },
    /// Every write of this tenant fails. Each later write of the client returns the same, without a call.
    Stopped(Error),
    /// The outcome is unknown: check the directory.
    Lost,
    /// The write was not done, or may be repeated without harm.
    Busy {
        /// The last code; `None` if no connection could be made.
        errcode: Option<i64>,
    },
    /// The process ends; this call was not made.
    Quit,
    /// The API is parked because its rate limit does not lift.
    Parked {
        /// The time of the next attempt.
        until: DateTime<Utc>,
    },
}

/// One call made for a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The call, such as `user/create`.
    pub api: &'static str,
    /// The time it was sent.
    pub at: DateTime<Utc>,
    /// The time until the answer.
    pub took: Duration,
    /// The code; `None` without a readable answer.
    pub errcode: Option<i64>,
    /// WeCom's message, or the reply in place of an answer: at most 200 characters, without token and diagnostics.
    pub errmsg: String,
}

/// The outcome of a write, and the calls that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The outcome.
    pub verdict: Verdict,
    /// The calls made, in order; empty if the tenant was stopped or parked before.
    pub attempts: Vec<Attempt>,
    /// Some attempt may have been carried out unseen. Relevant where the verdict itself does not settle it
    /// ([`Verdict::Stopped`]).
    pub in_doubt: bool,
}

/// A body with its userid.
struct Body<'a> {
    userid: &'a UserId,
    fields: &'a Map<String, Value>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("userid", self.userid.as_str())?;
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "userid") {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'a> Write<'a> {
    /// The member written.
    pub fn userid(&self) -> &'a UserId {
        match self {
            Self::Create { userid, .. } | Self::Update { userid, .. } | Self::Delete { userid } => userid,
        }
    }

    fn api(&self) -> Api {
        match self {
            Self::Create { .. } => Api::Create,
            Self::Update { .. } => Api::Update,
            Self::Delete { .. } => Api::Delete,
        }
    }

    /// The call that does it; the body is serialised once, for all attempts.
    pub(super) fn call(&self) -> Call<'a> {
        match *self {
            Self::Create { userid, body } | Self::Update { userid, body } => {
                // A map of JSON values with text keys always serialises.
                let body = serde_json::to_vec(&Body { userid, fields: body }).unwrap_or_default();
                Call { api: self.api(), query: None, payload: Payload::Json(body) }
            }
            Self::Delete { userid } => {
                let query = Some(("userid", userid.as_str()));
                Call { api: Api::Delete, query, payload: Payload::Nothing }
            }
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Create { .. } => Kind::Create,
            Self::Update { .. } => Kind::Update,
            Self::Delete { .. } => Kind::Delete,
        }
    }

    /// The answer that the call's end gives to the member.
    pub(super) fn answer(&self, called: Called) -> Answer {
        let Called { outcome, attempts, in_doubt } = called;
        let subject = Subject { kind: self.kind(), userid: self.userid(), api: self.api() };
        Answer { verdict: subject.verdict(outcome, in_doubt), attempts, in_doubt }
    }
}

/// The intended change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Update,
    Delete,
}

/// A member whose write is judged.
pub(super) struct Subject<'a> {
    pub(super) kind: Kind,
    pub(super) userid: &'a UserId,
    /// The call that was to do it.
    pub(super) api: Api,
}

impl Subject<'_> {
    /// The verdict an outcome gives to the member.
    pub(super) fn verdict(&self, outcome: Outcome, in_doubt: bool) -> Verdict {
        match outcome {
            Outcome::Success(answer) => Verdict::Done { created_departments: created_departments(&answer) },
            Outcome::Stopped(error) => Verdict::Stopped(error),
            Outcome::Failed(failure) => self.failed(failure, in_doubt),
        }
    }

    fn failed(&self, failure: Failure, in_doubt: bool) -> Verdict {
        let creates = self.kind == Kind::Create;
        match failure {
            Failure::Warned { errmsg } => Verdict::Warned { errmsg },
            Failure::Refused { errcode: 60102, .. } if creates => {
                Verdict::AlreadyExists { maybe_ours: in_doubt }
            }
            Failure::Refused { errcode: 60104, errmsg, .. } => {
                let holder = holder(&errmsg);
                let maybe_ours =
                    holder.as_deref().is_some_and(|holder| MemberKey::of(holder) == self.userid.key());
                Verdict::MobileHeld { holder, maybe_ours }
            }
            Failure::Refused { errcode, .. } if !creates && is_not_found(errcode) => Verdict::NotFound,
            Failure::Refused { errcode, errmsg, from_ip } => {
                let error = |errmsg| Error::Write {
                    api: self.api.path(),
                    userid: self.userid.clone(),
                    failure: Failure::Refused { errcode, errmsg, from_ip },
                };
                match blame(errcode) {
                    Blame::Member => Verdict::Refused { errcode, errmsg },
                    Blame::Places => Verdict::NoPlace { errcode, errmsg },
                    Blame::Tenant => Verdict::Stopped(error(errmsg)),
                    Blame::Unsure | Blame::Request => Verdict::Unsure { errcode, error: error(errmsg) },
                }
            }
            // Repeating an update or a delete does no harm; repeating a create meets our own member.
            Failure::Busy { .. }
            | Failure::Unreachable { .. }
            | Failure::OpenFiles { .. }
            | Failure::Parked { .. }
            | Failure::Quit
                if creates && in_doubt =>
            {
                Verdict::Lost
            }
            Failure::NoAnswer { .. } | Failure::TooLarge { .. } if in_doubt => Verdict::Lost,
            Failure::Busy { errcode, .. } => Verdict::Busy { errcode: Some(errcode) },
            // An answer missing without doubt was the token's: the write itself was not sent.
            Failure::Unreachable { .. }
            | Failure::OpenFiles { .. }
            | Failure::NoAnswer { .. }
            | Failure::TooLarge { .. } => Verdict::Busy { errcode: None },
            Failure::Parked { until } => Verdict::Parked { until },
            Failure::Quit => Verdict::Quit,
            failure @ (Failure::Settings { .. } | Failure::Shape { .. } | Failure::Endless { .. }) => {
                Verdict::Stopped(Error::Write { api: self.api.path(), userid: self.userid.clone(), failure })
            }
        }
    }
}

/// Codes that may report a known userid as having no member.
pub fn is_not_found(errcode: i64) -> bool {
    matches!(errcode, 40003 | 40031 | 46004 | 60111 | 60136 | 301_021)
}

/// The userid in `mobile existed:<userid>`; an e-mail address is assumed to be reported likewise.
pub fn holder(errmsg: &str) -> Option<String> {
    let (_, after) = errmsg.split_once("existed:")?;
    let userid: String = after
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@' | '.'))
        .collect();
    (!userid.is_empty()).then_some(userid)
}

/// Departments WeCom created on the way.
fn created_departments(answer: &Map<String, Value>) -> Vec<(u32, String)> {
    let list = answer.get("created_department_list").and_then(|list| list.get("department_info"));
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|department| {
            let id = department.get("id").and_then(integer).and_then(|id| u32::try_from(id).ok())?;
            let name = department.get("name").and_then(Value::as_str).unwrap_or_default();
            Some((id, name.to_owned()))
        })
        .collect()
}
