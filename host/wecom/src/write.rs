//! Writes and their outcomes.

use chrono::{DateTime, Utc};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value};

use super::api::WecomApi;
use super::attempt::CallAttempt;
use super::dispatch::{CallOutcome, CompletedCall, WecomCall, integer};
use super::errcode::{Blame, blame};
use super::error::{WecomError, WecomFailure};
use super::transport::Payload;
use ruzhi_model::{MemberKey, UserId};

/// A write of one member. A body holds WeCom's field names; its `userid` is always the one given beside it.
#[derive(Debug, Clone, Copy)]
pub enum MemberWrite<'a> {
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
pub enum WriteVerdict {
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
    Rejected {
        /// The code.
        errcode: i64,
        /// WeCom's message.
        errmsg: String,
    },
    /// An unexpected code, or one that may concern this member alone or every call of the tenant: the write was not
    /// done. The caller finds out which, and tells the client if every call fails ([`WecomClient::stop`]).
    ///
    /// [`WecomClient::stop`]: super::WecomClient::stop
    Unsure {
        /// The code.
        errcode: i64,
        /// The error if it is the tenant's.
        error: WecomError,
    },
    /// The corp has no place for another member: the write was not done, and no other create would be.
    NoPlace {
        /// The code.
        errcode: i64,
        /// WeCom's message.
        errmsg: String,
    },
    /// Every write of this tenant fails. Each later write of the client returns the same, without a call.
    Stopped(WecomError),
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

/// The outcome of a write, and the calls that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteAnswer {
    /// The outcome.
    pub verdict: WriteVerdict,
    /// The calls made, in order; empty if the tenant was stopped or parked before.
    pub attempts: Vec<CallAttempt>,
    /// Some attempt may have been carried out unseen. Relevant where the verdict itself does not settle it
    /// ([`WriteVerdict::Stopped`]).
    pub in_doubt: bool,
}

/// A body with its userid.
struct MemberBody<'a> {
    userid: &'a UserId,
    fields: &'a Map<String, Value>,
}

impl Serialize for MemberBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("userid", self.userid.as_str())?;
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "userid") {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'a> MemberWrite<'a> {
    /// The member written.
    pub fn userid(&self) -> &'a UserId {
        match self {
            Self::Create { userid, .. } | Self::Update { userid, .. } | Self::Delete { userid } => userid,
        }
    }

    fn api(&self) -> WecomApi {
        match self {
            Self::Create { .. } => WecomApi::Create,
            Self::Update { .. } => WecomApi::Update,
            Self::Delete { .. } => WecomApi::Delete,
        }
    }

    /// The call that does it; the body is serialised once, for all attempts.
    pub(super) fn call(&self) -> WecomCall<'a> {
        match *self {
            Self::Create { userid, body } | Self::Update { userid, body } => {
                // A map of JSON values with text keys always serialises.
                let body = serde_json::to_vec(&MemberBody { userid, fields: body }).unwrap_or_default();
                WecomCall { api: self.api(), query: None, payload: Payload::Json(body) }
            }
            Self::Delete { userid } => {
                let query = Some(("userid", userid.as_str()));
                WecomCall { api: WecomApi::Delete, query, payload: Payload::Nothing }
            }
        }
    }

    fn kind(&self) -> WriteKind {
        match self {
            Self::Create { .. } => WriteKind::Create,
            Self::Update { .. } => WriteKind::Update,
            Self::Delete { .. } => WriteKind::Delete,
        }
    }

    /// The answer that the call's end gives to the member.
    pub(super) fn answer(&self, called: CompletedCall) -> WriteAnswer {
        let CompletedCall { outcome, attempts, in_doubt } = called;
        let subject = Subject { kind: self.kind(), userid: self.userid(), api: self.api() };
        WriteAnswer { verdict: subject.verdict(outcome, in_doubt), attempts, in_doubt }
    }
}

/// The intended change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteKind {
    Create,
    Update,
    Delete,
}

/// A member whose write is judged.
pub(super) struct Subject<'a> {
    pub(super) kind: WriteKind,
    pub(super) userid: &'a UserId,
    /// The call that was to do it.
    pub(super) api: WecomApi,
}

impl Subject<'_> {
    /// The verdict an outcome gives to the member.
    pub(super) fn verdict(&self, outcome: CallOutcome, in_doubt: bool) -> WriteVerdict {
        match outcome {
            CallOutcome::Success(answer) => {
                WriteVerdict::Done { created_departments: created_departments(&answer) }
            }
            CallOutcome::Stopped(error) => WriteVerdict::Stopped(error),
            CallOutcome::Failed(failure) => self.failed(failure, in_doubt),
        }
    }

    fn failed(&self, failure: WecomFailure, in_doubt: bool) -> WriteVerdict {
        let creates = self.kind == WriteKind::Create;
        match failure {
            WecomFailure::Warned { errmsg } => WriteVerdict::Warned { errmsg },
            WecomFailure::Rejected { errcode: 60102, .. } if creates => {
                WriteVerdict::AlreadyExists { maybe_ours: in_doubt }
            }
            WecomFailure::Rejected { errcode: 60104, errmsg, .. } => {
                let holder = holder(&errmsg);
                let maybe_ours =
                    holder.as_deref().is_some_and(|holder| MemberKey::of(holder) == self.userid.key());
                WriteVerdict::MobileHeld { holder, maybe_ours }
            }
            WecomFailure::Rejected { errcode, .. } if !creates && is_not_found(errcode) => {
                WriteVerdict::NotFound
            }
            WecomFailure::Rejected { errcode, errmsg, from_ip } => {
                let error = |errmsg| WecomError::Write {
                    api: self.api.path(),
                    userid: self.userid.clone(),
                    failure: WecomFailure::Rejected { errcode, errmsg, from_ip },
                };
                match blame(errcode) {
                    Blame::Member => WriteVerdict::Rejected { errcode, errmsg },
                    Blame::Places => WriteVerdict::NoPlace { errcode, errmsg },
                    Blame::Tenant => WriteVerdict::Stopped(error(errmsg)),
                    Blame::Unsure | Blame::Request => WriteVerdict::Unsure { errcode, error: error(errmsg) },
                }
            }
            // Repeating an update or a delete does no harm; repeating a create meets our own member.
            WecomFailure::Busy { .. }
            | WecomFailure::Unreachable { .. }
            | WecomFailure::OpenFiles { .. }
            | WecomFailure::Parked { .. }
            | WecomFailure::Quit
                if creates && in_doubt =>
            {
                WriteVerdict::Lost
            }
            WecomFailure::NoAnswer { .. } | WecomFailure::TooLarge { .. } if in_doubt => WriteVerdict::Lost,
            WecomFailure::Busy { errcode, .. } => WriteVerdict::Busy { errcode: Some(errcode) },
            // An answer missing without doubt was the token's: the write itself was not sent.
            WecomFailure::Unreachable { .. }
            | WecomFailure::OpenFiles { .. }
            | WecomFailure::NoAnswer { .. }
            | WecomFailure::TooLarge { .. } => WriteVerdict::Busy { errcode: None },
            WecomFailure::Parked { until } => WriteVerdict::Parked { until },
            WecomFailure::Quit => WriteVerdict::Quit,
            failure @ (WecomFailure::Settings { .. }
            | WecomFailure::Shape { .. }
            | WecomFailure::Endless { .. }) => WriteVerdict::Stopped(WecomError::Write {
                api: self.api.path(),
                userid: self.userid.clone(),
                failure,
            }),
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
