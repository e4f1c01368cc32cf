//! The client: what the rest of the program asks of WeCom.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::api::{Api, PerApi};
use super::batch;
use super::call::{Call, Caller, Outcome, integer};
use super::error::{Error, Failure};
use super::rates::Rates;
use super::redact::RedactedUrl;
use super::sheet::Sheet;
use super::token::TokenStore;
use super::transport::{Http, Payload, Transport};
use super::write::{Answer, Verdict, Write};
use ruzhi_http::rate::Jitter;
use ruzhi_model::{Clock, DepartmentId, MemberKey, ServiceClock, Sighting, UserId};

/// The most members `user/list_id` gives in one page.
const PAGE: u32 = 10_000;
/// So many pages in a row may bring no member that was not listed before.
const IDLE_PAGES: usize = 10;
/// So many pages a listing has at most: of WeCom's own size they hold more members than any corp has.
const MOST_PAGES: usize = 10_000;

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
    /// Cancelled when the process is to end: no further call is made, and an answer is waited for a few seconds.
    pub quit: CancellationToken,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("base_url", &RedactedUrl::new(self.base_url.clone()))
            .field("corp_id", &self.corp_id)
            .field("proxy", &self.proxy.clone().map(RedactedUrl::new))
            .finish_non_exhaustive()
    }
}

/// The client of one corp and secret. Clones share token and connections; the corp's rates are shared more widely.
#[derive(Clone)]
pub struct Client {
    caller: Arc<Caller>,
}

impl Client {
    /// A client; no call is made yet. `rates` are those of the corp, shared by all its clients; `jitter_seed` decides the chance in the waits between retries.
    pub fn new(
        settings: Settings,
        rates: Rates,
        clock: Arc<dyn Clock>,
        jitter_seed: u64,
    ) -> Result<Self, Error> {
        let http = Http::new(settings.proxy.as_ref()).map_err(|failure| Error::Settings { failure })?;
        Self::over(Box::new(http), settings, rates, clock, jitter_seed)
    }

    /// A client over a given wire.
    pub(super) fn over(
        transport: Box<dyn Transport>,
        settings: Settings,
        rates: Rates,
        clock: Arc<dyn Clock>,
        jitter_seed: u64,
    ) -> Result<Self, Error> {
        let Settings { base_url, corp_id, secret, proxy: _, quit } = settings;
        let root = root(&base_url).ok_or_else(|| Error::Settings {
            failure: Failure::Settings { detail: "base_url is not an http or https address".to_owned() },
        })?;
        let caller = Caller {
            transport,
            clock,
            seen: ServiceClock::default(),
            corp_id,
            secret,
            urls: PerApi::new(|api| RedactedUrl::new(below(&root, api.path()))),
            rates,
            calls: PerApi::new(|_| AtomicU64::new(0)),
            tokens: TokenStore::new(),
            jitter: Jitter::from_seed(jitter_seed),
            stop: Mutex::default(),
            quit,
        };
        Ok(Self { caller: Arc::new(caller) })
    }

    /// Every department's id.
    pub async fn department_ids(&self) -> Result<BTreeSet<DepartmentId>, Error> {
        // Without `id` the whole tree comes; an empty `id` would draw a warning.
        let call = Call { api: Api::Departments, query: None, payload: Payload::Nothing };
        let failed = |failure| Error::Departments { failure };
        let answer = self.read(&call).await.map_err(|reason| reason.or(failed))?;
        let rows = answer.get("department_id").and_then(Value::as_array);
        let ids = rows.and_then(|rows| {
            rows.iter().map(|row| row.get("id").and_then(department_id)).collect::<Option<_>>()
        });
        ids.ok_or_else(|| failed(Failure::Shape { what: "department_id" }))
    }

    /// Every member's userid as it is written in the directory.
    ///
    /// A userid that breaks the rules of userids is left out: none of ours can be it.
    pub async fn member_ids(&self) -> Result<BTreeMap<MemberKey, UserId>, Error> {
        self.listed(|members: &mut BTreeMap<_, _>, userid, _| {
            members.entry(userid.key()).or_insert(userid);
        })
        .await
    }

    /// Every member with the departments it is in, as far as the secret may see them. Userids as in
    /// [`Client::member_ids`].
    pub async fn listing(&self) -> Result<BTreeMap<MemberKey, Listed>, Error> {
        self.listed(|members: &mut BTreeMap<_, _>, userid, department| {
            let listed = members
                .entry(userid.key())
                .or_insert_with(|| Listed { userid, departments: BTreeSet::new() });
            listed.departments.extend(department);
        })
        .await
    }

    /// The rows of `user/list_id`, one for each member and department, gathered by `take`.
    async fn listed<T: Default>(&self, take: Take<T>) -> Result<T, Error> {
        match self.pages(take).await {
            // The cursor is no longer good: the listing begins again, once.
            Err(Unread::Failed(Failure::Refused { errcode: 50100, .. })) => self.pages(take).await,
            listing => listing,
        }
        .map_err(|reason| reason.or(|failure| Error::MemberIds { failure }))
    }

    async fn pages<T: Default>(&self, take: Take<T>) -> Result<T, Unread> {
        let mut gathered = T::default();
        let mut left_out = 0_usize;
        let mut cursor = String::new();
        let mut seen = HashSet::new();
        let mut listed = HashSet::new();
        let mut idle = 0;
        loop {
            let body = if cursor.is_empty() {
                json!({ "limit": PAGE })
            } else {
                json!({ "cursor": cursor, "limit": PAGE })
            };
            let payload = Payload::Json(body.to_string().into_bytes());
            let mut answer = self.read(&Call { api: Api::ListId, query: None, payload }).await?;
            let Some(Value::Array(rows)) = answer.remove("dept_user") else {
                return Err(Unread::Failed(Failure::Shape { what: "dept_user" }));
            };
            let mut new = false;
            for row in rows {
                let Some(userid) = row.get("userid").and_then(Value::as_str) else {
                    return Err(Unread::Failed(Failure::Shape { what: "dept_user" }));
                };
                let department = row.get("department").and_then(department_id);
                new |= listed.insert(fingerprint(userid, department));
                match userid.parse::<UserId>() {
                    Ok(userid) => take(&mut gathered, userid, department),
                    Err(_) => left_out += 1,
                }
            }
            match answer.remove("next_cursor") {
                Some(Value::String(next)) if !next.is_empty() => {
                    idle = if new { 0 } else { idle + 1 };
                    // The listing would go on for ever.
                    if idle == IDLE_PAGES || seen.len() == MOST_PAGES || !seen.insert(next.clone()) {
                        return Err(Unread::Failed(Failure::Endless { pages: seen.len() + 1 }));
                    }
                    cursor = next;
                }
                _ => break,
            }
        }
        if left_out > 0 {
            tracing::warn!(left_out, "members with userids that break WeCom's own rules are left out");
        }
        Ok(gathered)
    }

    /// The fields of a department's direct members (`user/list`), as WeCom shows them to this secret: an app's secret
    /// sees its visible range, the one of 通讯录同步 draws a 48009 from most addresses.
    pub async fn members_of(&self, department: DepartmentId) -> Result<Vec<Map<String, Value>>, Error> {
        let failed = |failure| Error::MembersOf { department, failure };
        let id = department.to_string();
        let query = Some(("department_id", id.as_str()));
        let call = Call { api: Api::Members, query, payload: Payload::Nothing };
        let mut answer = self.read(&call).await.map_err(|reason| reason.or(failed))?;
        let member = |row| match row {
            Value::Object(member) => Some(member),
            _ => None,
        };
        match answer.remove("userlist") {
            Some(Value::Array(rows)) => rows.into_iter().map(member).collect::<Option<_>>(),
            _ => None,
        }
        .ok_or_else(|| failed(Failure::Shape { what: "userlist" }))
    }

    /// A member's fields as WeCom shows them to this secret; none if there is no such member.
    pub async fn get_member(&self, userid: &UserId) -> Result<Option<Map<String, Value>>, Error> {
        let call =
            Call { api: Api::Get, query: Some(("userid", userid.as_str())), payload: Payload::Nothing };
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
        let payload = Payload::Json(json!({ "mobile": mobile }).to_string().into_bytes());
        let failed = |failure| Error::UseridByMobile { failure };
        match self.read(&Call { api: Api::UseridByMobile, query: None, payload }).await {
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
        self.heed(&answer);
        answer
    }

    /// Writes the members of a file by one job: `media/upload`, `batch/syncuser`, and `batch/getresult` until it is
    /// over, which may take a quarter of an hour. One answer for each of [`Sheet::rows`], in that order, with the
    /// verdict a call of its own would have had; it has one attempt, which carries the row's own code.
    ///
    /// - [`Verdict::Busy`]: the file or this row was not taken and the row is not written. Write it by a call of its
    ///   own, not by another file. A file that WeCom refuses as a whole (such as 40092) ends so, and an update that was
    ///   refused for a reason that may lie in a cell it does not change.
    /// - [`Verdict::Lost`] (in doubt): the submission, the result, or the row in it was lost. Ask the directory, knowing
    ///   that the job may still be under way: a member who is not there yet may be there in a moment.
    /// - [`Verdict::Stopped`]: as ever; in doubt if it came after the submission.
    ///
    /// The job is an upsert: a create of a member who exists changes that member and succeeds, and an update of one
    /// who does not creates it. So whoever is not to be overwritten has to be known from a fresh listing before.
    /// WeCom keeps the results of the corp's last five jobs: have fewer than that under way.
    ///
    /// `taken` is told the job's id before the job is waited for, so that a later process can wait for it
    /// ([`wait_for_job`](Self::wait_for_job)).
    pub async fn write_sheet(&self, sheet: &Sheet, taken: impl AsyncFnMut(String)) -> Vec<Answer> {
        let answers = batch::write(&self.caller, sheet, taken).await;
        answers.iter().for_each(|answer| self.heed(answer));
        answers
    }

    /// Remembers that no write can succeed.
    fn heed(&self, answer: &Answer) {
        if let Verdict::Stopped(error) = &answer.verdict {
            self.stop(error);
        }
    }

    /// Remembers that no write can succeed, as whoever makes the calls has found out ([`Verdict::Unsure`]).
    pub fn stop(&self, error: &Error) {
        let mut stop = self.caller.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if stop.is_none() {
            tracing::error!(error.code = error.code(), "no write can succeed: {}", error.explain().en);
            *stop = Some(error.clone());
        }
    }

    /// A harmless question that every secret which may write the directory can ask: one row of `user/list_id`. The error
    /// says whether WeCom refused it ([`Error::is_refusal`]) or did not answer.
    pub async fn ask(&self) -> Result<(), Error> {
        let payload = Payload::Json(json!({ "limit": 1 }).to_string().into_bytes());
        let call = Call { api: Api::ListId, query: None, payload };
        self.read(&call).await.map(drop).map_err(|reason| reason.or(|failure| Error::MemberIds { failure }))
    }

    /// A run begins: whatever stopped the one before may have been put right, and its first write finds out.
    pub fn begin_anew(&self) {
        *self.caller.stop.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until a job that an earlier process submitted is over: until then it may still write.
    pub async fn wait_for_job(&self, id: &str) -> Result<(), Error> {
        batch::wait(&self.caller, id).await.map_err(|failure| Error::Job { failure })
    }

    /// The service's clock, if an answer since then told it.
    pub fn service_clock(&self, since: std::time::Instant) -> Option<Sighting> {
        self.caller.seen.since(since)
    }

    /// How many calls this client made, by name, such as `user/create`.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.caller.calls.iter().map(|(api, calls)| (api.path(), calls.load(Ordering::Relaxed)));
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

/// A member as the listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The userid as it is written in the directory.
    pub userid: UserId,
    /// The departments the member is in.
    pub departments: BTreeSet<DepartmentId>,
}

/// A row of a listing, to know it again. Two that look alike are taken for one, which only makes a page seem to bring less.
fn fingerprint(userid: &str, department: Option<DepartmentId>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (userid, department.map(|id| id.0)).hash(&mut hasher);
    hasher.finish()
}

/// Adds a row of a listing to what was gathered before.
type Take<T> = fn(&mut T, UserId, Option<DepartmentId>);

fn department_id(value: &Value) -> Option<DepartmentId> {
    integer(value).and_then(|id| u32::try_from(id).ok()).map(DepartmentId)
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
