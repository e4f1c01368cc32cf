//! The client: what the rest of the program asks of WeCom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::api::{Api, PerApi};
use super::call::{Call, Caller, Outcome, integer};
use super::error::{Error, Failure};
use super::in_flight::InFlight;
use super::lane::Lane;
use super::redact::RedactedUrl;
use super::token::TokenStore;
use super::transport::{Http, Transport};
use super::write::{Answer, Verdict, Write};
use crate::model::{Clock, DepartmentId, MemberKey, UserId};
use crate::rate::Jitter;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The most members `user/list_id` gives in one page.
const PAGE: u32 = 10_000;

/// How a tenant's corp is reached.
#[derive(Clone)]
pub struct Settings {
    /// The service, with or without `/cgi-bin`.
    pub base_url: Url,
    /// The corp.
    pub corp_id: String,
    /// The secret of 通讯录同步.
    pub secret: SecretString,
    /// The way out, where the corp trusts only one address.
    pub proxy: Option<Url>,
    /// The rates.
    pub limits: Limits,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("base_url", &RedactedUrl::new(self.base_url.clone()))
            .field("corp_id", &self.corp_id)
            .field("proxy", &self.proxy.clone().map(RedactedUrl::new))
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Calls a corp may make of each API (document 90312), and at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Per API in any minute.
    pub per_minute: u32,
    /// Per API in any hour.
    pub per_hour: u32,
    /// Of all APIs at once; 0 is taken as 1.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_minute: 10_000, per_hour: 150_000, in_flight: 4 }
    }
}

/// The client of one corp and secret. Clones share token, rates and connections.
#[derive(Clone)]
pub struct Client {
    caller: Arc<Caller>,
}

impl Client {
    /// A client; no call is made yet. `jitter_seed` decides the chance in the waits between retries.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>, jitter_seed: u64) -> Result<Self, Error> {
        let http = Http::new(settings.proxy.as_ref()).map_err(|failure| Error::Settings { failure })?;
        Self::over(Box::new(http), settings, clock, jitter_seed)
    }

    /// A client over a given wire.
    pub(super) fn over(
        transport: Box<dyn Transport>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        jitter_seed: u64,
    ) -> Result<Self, Error> {
        let Settings { base_url, corp_id, secret, proxy: _, limits } = settings;
        let root = root(&base_url).ok_or_else(|| Error::Settings {
            failure: Failure::Settings { detail: "base_url is not an http or https address".to_owned() },
        })?;
        let windows = [(limits.per_minute, MINUTE), (limits.per_hour, HOUR)];
        let caller = Caller {
            transport,
            clock,
            corp_id,
            secret,
            urls: PerApi::new(|api| RedactedUrl::new(below(&root, api.path()))),
            lanes: PerApi::new(|_| Lane::new(&windows)),
            in_flight: InFlight::new(limits.in_flight),
            tokens: TokenStore::new(),
            jitter: Jitter::from_seed(jitter_seed),
            stop: OnceLock::new(),
        };
        Ok(Self { caller: Arc::new(caller) })
    }

    /// Every department's id.
    pub async fn department_ids(&self) -> Result<BTreeSet<DepartmentId>, Error> {
        // Without `id` the whole tree comes; an empty `id` would draw a warning.
        let call = Call { api: Api::Departments, query: None, body: None };
        let failed = |failure| Error::Departments { failure };
        let answer = self.read(&call).await.map_err(|reason| reason.or(failed))?;
        let rows = answer.get("department_id").and_then(Value::as_array);
        let ids = rows.and_then(|rows| {
            let id = |row: &Value| row.get("id").and_then(integer).and_then(|id| u32::try_from(id).ok());
            rows.iter().map(|row| id(row).map(DepartmentId)).collect::<Option<_>>()
        });
        ids.ok_or_else(|| failed(Failure::Shape { what: "department_id" }))
    }

    /// Every member's userid as it is written in the directory.
    ///
    /// A userid that breaks the rules of userids is left out: none of ours can be it.
    pub async fn member_ids(&self) -> Result<BTreeMap<MemberKey, UserId>, Error> {
        let failed = |failure| Error::MemberIds { failure };
        match self.member_pages().await {
            // The cursor is no longer good: the listing begins again, once.
            Err(Unread::Failed(Failure::Refused { errcode: 50100, .. })) => self.member_pages().await,
            listing => listing,
        }
        .map_err(|reason| reason.or(failed))
    }

    async fn member_pages(&self) -> Result<BTreeMap<MemberKey, UserId>, Unread> {
        let mut members = BTreeMap::new();
        let mut left_out = 0_usize;
        let mut cursor = String::new();
        loop {
            let body = if cursor.is_empty() {
                json!({ "limit": PAGE })
            } else {
                json!({ "cursor": cursor, "limit": PAGE })
            };
            let body = Some(body.to_string().into_bytes());
            let mut answer = self.read(&Call { api: Api::ListId, query: None, body }).await?;
            let Some(Value::Array(rows)) = answer.remove("dept_user") else {
                return Err(Unread::Failed(Failure::Shape { what: "dept_user" }));
            };
            for row in rows {
                let Some(userid) = row.get("userid").and_then(Value::as_str) else {
                    return Err(Unread::Failed(Failure::Shape { what: "dept_user" }));
                };
                match userid.parse::<UserId>() {
                    Ok(userid) => drop(members.entry(userid.key()).or_insert(userid)),
                    Err(_) => left_out += 1,
                }
            }
            match answer.remove("next_cursor") {
                Some(Value::String(next)) if next == cursor && !next.is_empty() => {
                    return Err(Unread::Failed(Failure::Shape { what: "next_cursor" }));
                }
                Some(Value::String(next)) if !next.is_empty() => cursor = next,
                _ => break,
            }
        }
        if left_out > 0 {
            tracing::warn!(left_out, "members with userids that break WeCom's own rules are left out");
        }
        Ok(members)
    }

    /// A member's fields as WeCom shows them to this secret; none if there is no such member.
    pub async fn get_member(&self, userid: &UserId) -> Result<Option<Map<String, Value>>, Error> {
        let call = Call { api: Api::Get, query: Some(("userid", userid.as_str())), body: None };
        match self.read(&call).await {
            Ok(mut member) => {
                member.remove("errcode");
                member.remove("errmsg");
                Ok(Some(member))
            }
            Err(Unread::Failed(Failure::Refused { errcode: 60111, .. })) => Ok(None),
            Err(reason) => Err(reason.or(|failure| Error::GetMember { userid: userid.clone(), failure })),
        }
    }

    /// Who has a mobile number; none if nobody has it, or nobody this secret may see.
    ///
    /// When a fifth of the corp's size was asked for in vain, WeCom blocks the call for a day.
    pub async fn userid_by_mobile(&self, mobile: &str) -> Result<Option<UserId>, Error> {
        let body = Some(json!({ "mobile": mobile }).to_string().into_bytes());
        let failed = |failure| Error::UseridByMobile { failure };
        match self.read(&Call { api: Api::UseridByMobile, query: None, body }).await {
            Ok(answer) => {
                let userid = answer.get("userid").and_then(Value::as_str).and_then(|id| id.parse().ok());
                userid.map(Some).ok_or_else(|| failed(Failure::Shape { what: "userid" }))
            }
            Err(Unread::Failed(Failure::Refused { errcode: 46004 | 60146, .. })) => Ok(None),
            Err(reason) => Err(reason.or(failed)),
        }
    }

    /// Whether the credential is good and this address is trusted: fetches a token and lists the departments.
    pub async fn check(&self) -> Result<(), Error> {
        self.department_ids().await.map(drop)
    }

    /// Writes one member.
    pub async fn write(&self, write: Write<'_>) -> Answer {
        let answer = write.answer(self.caller.call(&write.call()).await);
        if let Verdict::Stopped(error) = &answer.verdict
            && self.caller.stop.set(error.clone()).is_ok()
        {
            tracing::error!(error.code = error.code(), "no write can succeed: {}", error.explain().en);
        }
        answer
    }

    /// How many calls were made, by name, such as `user/create`.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.caller.lanes.iter().map(|(api, lane)| (api.path(), lane.calls()));
        counts.filter(|(_, calls)| *calls > 0).collect()
    }

    async fn read(&self, call: &Call<'_>) -> Result<Map<String, Value>, Unread> {
        match self.caller.call(call).await.outcome {
            Outcome::Success(answer) => Ok(answer),
            Outcome::Failed(failure) => Err(Unread::Failed(failure)),
            Outcome::Stopped(error) => Err(Unread::Stopped(error)),
        }
    }
}

/// Why something could not be read.
enum Unread {
    Failed(Failure),
    Stopped(Error),
}

impl Unread {
    /// The error of the operation that wanted it.
    fn or(self, operation: impl FnOnce(Failure) -> Error) -> Error {
        match self {
            Self::Failed(failure) => operation(failure),
            Self::Stopped(error) => error,
        }
    }
}

/// The folder of the API, whether or not `base` names it.
fn root(base: &Url) -> Option<Url> {
    let mut root = base.clone();
    if !matches!(root.scheme(), "http" | "https") {
        return None;
    }
    root.set_query(None);
    root.set_fragment(None);
    let named = root.path().trim_end_matches('/').ends_with("/cgi-bin");
    let mut segments = root.path_segments_mut().ok()?;
    segments.pop_if_empty();
    if !named {
        segments.push("cgi-bin");
    }
    drop(segments);
    Some(root)
}

fn below(root: &Url, path: &str) -> Url {
    let mut url = root.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(path.split('/'));
    }
    url
}
