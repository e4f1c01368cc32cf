//! The client: the interface to WeCom for the rest of the program.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::api::{PerApi, WecomApi};
use super::csv::CsvFile;
use super::csv_job;
use super::dispatch::{CallOutcome, Dispatcher, WecomCall, integer};
use super::error::{WecomError, WecomFailure};
use super::rates::Rates;
use super::redact::RedactedUrl;
use super::token::TokenStore;
use super::transport::{Payload, WecomHttp, WecomTransport};
use super::write::{MemberWrite, WriteAnswer, WriteVerdict};
use ruzhi_http::rate::Jitter;
use ruzhi_model::{Clock, DepartmentId, MemberKey, ServiceClock, Sighting, UserId};

/// Maximum number of members per page of `user/list_id`.
const PAGE: u32 = 10_000;
/// Maximum number of consecutive pages without a new member.
const IDLE_PAGES: usize = 10;
/// Maximum number of pages of a listing: at WeCom's page size they hold more members than any corp has.
const MOST_PAGES: usize = 10_000;

/// Connection settings of a tenant's corp.
#[derive(Clone)]
pub struct WecomClientSettings {
    /// The service, with or without `/cgi-bin`.
    pub base_url: Url,
    /// The corp.
    pub corp_id: String,
    /// The secret of 通讯录同步.
    pub secret: SecretString,
    /// The proxy, for a corp that trusts a single address.
    pub proxy: Option<Url>,
    /// Cancelled when the process is to end: no further call is made, and pending answers get a few seconds.
    pub quit: CancellationToken,
}

impl fmt::Debug for WecomClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WecomClientSettings")
            .field("base_url", &RedactedUrl::new(self.base_url.clone()))
            .field("corp_id", &self.corp_id)
            .field("proxy", &self.proxy.clone().map(RedactedUrl::new))
            .finish_non_exhaustive()
    }
}

/// The client of one corp and secret. Clones share token and connections; the corp's rates are shared more widely.
#[derive(Clone)]
pub struct WecomClient {
    dispatcher: Arc<Dispatcher>,
}

impl WecomClient {
    /// A client; no call is made yet. `rates` are the corp's, shared by all its clients; `jitter_seed` seeds the
    /// jitter of retries.
    pub fn new(
        settings: WecomClientSettings,
        rates: Rates,
        clock: Arc<dyn Clock>,
        jitter_seed: u64,
    ) -> Result<Self, WecomError> {
        let http =
            WecomHttp::new(settings.proxy.as_ref()).map_err(|failure| WecomError::Settings { failure })?;
        Self::over(Box::new(http), settings, rates, clock, jitter_seed)
    }

    /// A client over a given transport.
    pub(super) fn over(
        transport: Box<dyn WecomTransport>,
        settings: WecomClientSettings,
        rates: Rates,
        clock: Arc<dyn Clock>,
        jitter_seed: u64,
    ) -> Result<Self, WecomError> {
        let WecomClientSettings { base_url, corp_id, secret, proxy: _, quit } = settings;
        let root = root(&base_url).ok_or_else(|| WecomError::Settings {
            failure: WecomFailure::Settings { detail: "base_url is not an http or https address".to_owned() },
        })?;
        let dispatcher = Dispatcher {
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
        Ok(Self { dispatcher: Arc::new(dispatcher) })
    }

    /// Every department's id.
    pub async fn department_ids(&self) -> Result<BTreeSet<DepartmentId>, WecomError> {
        // Without `id` the whole tree is returned; an empty `id` would cause a warning.
        let call = WecomCall { api: WecomApi::Departments, query: None, payload: Payload::Nothing };
        let failed = |failure| WecomError::Departments { failure };
        let answer = self.read(&call).await.map_err(|reason| reason.or(failed))?;
        let rows = answer.get("department_id").and_then(Value::as_array);
        let ids = rows.and_then(|rows| {
            rows.iter().map(|row| row.get("id").and_then(department_id)).collect::<Option<_>>()
        });
        ids.ok_or_else(|| failed(WecomFailure::Shape { what: "department_id" }))
    }

    /// Every member's userid as written in the directory.
    ///
    /// An invalid userid is left out: it cannot be one of ours.
    pub async fn member_ids(&self) -> Result<BTreeMap<MemberKey, UserId>, WecomError> {
        self.listed(|members: &mut BTreeMap<_, _>, userid, _| {
            members.entry(userid.key()).or_insert(userid);
        })
        .await
    }

    /// Every member with their departments, as far as visible to the secret. Userids as in [`WecomClient::member_ids`].
    pub async fn listing(&self) -> Result<BTreeMap<MemberKey, ListedMember>, WecomError> {
        self.listed(|members: &mut BTreeMap<_, _>, userid, department| {
            let listed = members
                .entry(userid.key())
                .or_insert_with(|| ListedMember { userid, departments: BTreeSet::new() });
            listed.departments.extend(department);
        })
        .await
    }

    /// The rows of `user/list_id`, one per member and department, collected by `take`.
    async fn listed<T: Default>(&self, take: RowCollector<T>) -> Result<T, WecomError> {
        match self.pages(take).await {
            // The cursor has expired: the listing starts over, once.
            Err(ReadFailure::Failed(WecomFailure::Rejected { errcode: 50100, .. })) => self.pages(take).await,
            listing => listing,
        }
        .map_err(|reason| reason.or(|failure| WecomError::MemberIds { failure }))
    }

    async fn pages<T: Default>(&self, take: RowCollector<T>) -> Result<T, ReadFailure> {
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
            let mut answer = self.read(&WecomCall { api: WecomApi::ListId, query: None, payload }).await?;
            let Some(Value::Array(rows)) = answer.remove("dept_user") else {
                return Err(ReadFailure::Failed(WecomFailure::Shape { what: "dept_user" }));
            };
            let mut new = false;
            for row in rows {
                let Some(userid) = row.get("userid").and_then(Value::as_str) else {
                    return Err(ReadFailure::Failed(WecomFailure::Shape { what: "dept_user" }));
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
                    // Otherwise the listing would never end.
                    if idle == IDLE_PAGES || seen.len() == MOST_PAGES || !seen.insert(next.clone()) {
                        return Err(ReadFailure::Failed(WecomFailure::Endless { pages: seen.len() + 1 }));
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

    /// The fields of a department's direct members (`user/list`) visible to this secret: an app's secret sees its
    /// visible range, that of 通讯录同步 gets a 48009 from most addresses.
    pub async fn members_of(&self, department: DepartmentId) -> Result<Vec<Map<String, Value>>, WecomError> {
        let failed = |failure| WecomError::MembersOf { department, failure };
        let id = department.to_string();
        let query = Some(("department_id", id.as_str()));
        let call = WecomCall { api: WecomApi::Members, query, payload: Payload::Nothing };
        let mut answer = self.read(&call).await.map_err(|reason| reason.or(failed))?;
        let member = |row| match row {
            Value::Object(member) => Some(member),
            _ => None,
        };
        match answer.remove("userlist") {
            Some(Value::Array(rows)) => rows.into_iter().map(member).collect::<Option<_>>(),
            _ => None,
        }
        .ok_or_else(|| failed(WecomFailure::Shape { what: "userlist" }))
    }

    /// A member's fields visible to this secret; `None` if there is no such member.
    pub async fn get_member(&self, userid: &UserId) -> Result<Option<Map<String, Value>>, WecomError> {
        let call = WecomCall {
            api: WecomApi::Get,
            query: Some(("userid", userid.as_str())),
            payload: Payload::Nothing,
        };
        match self.read(&call).await {
            Ok(mut member) => {
                member.remove("errcode");
                member.remove("errmsg");
                Ok(Some(member))
            }
            Err(ReadFailure::Failed(WecomFailure::Rejected { errcode: 60111, .. })) => Ok(None),
            Err(reason) => {
                Err(reason.or(|failure| WecomError::GetMember { userid: userid.clone(), failure }))
            }
        }
    }

    /// The holder of a mobile number; `None` if it is unused, or its holder is not visible to this secret.
    ///
    /// After failed lookups equal to a fifth of the corp's size, WeCom blocks the call for a day.
    pub async fn userid_by_mobile(&self, mobile: &str) -> Result<Option<UserId>, WecomError> {
        let payload = Payload::Json(json!({ "mobile": mobile }).to_string().into_bytes());
        let failed = |failure| WecomError::UseridByMobile { failure };
        match self.read(&WecomCall { api: WecomApi::UseridByMobile, query: None, payload }).await {
            Ok(answer) => {
                let userid = answer.get("userid").and_then(Value::as_str).and_then(|id| id.parse().ok());
                userid.map(Some).ok_or_else(|| failed(WecomFailure::Shape { what: "userid" }))
            }
            Err(ReadFailure::Failed(WecomFailure::Rejected { errcode: 46004 | 60146, .. })) => Ok(None),
            Err(reason) => Err(reason.or(failed)),
        }
    }

    /// Checks that the credential is valid and this address trusted, by fetching a token and listing the departments.
    pub async fn check(&self) -> Result<(), WecomError> {
        self.department_ids().await.map(drop)
    }

    /// Writes one member.
    pub async fn write(&self, write: MemberWrite<'_>) -> WriteAnswer {
        let answer = write.answer(self.dispatcher.call(&write.call()).await);
        self.heed(&answer);
        answer
    }

    /// Writes the members of a file by one job: `media/upload`, `batch/syncuser`, and `batch/getresult` until it is
    /// over, which may take a quarter of an hour. Returns one answer per element of [`CsvFile::rows`], in that order,
    /// with the verdict a separate call would have had; it has one attempt, which carries the row's own code.
    ///
    /// - [`WriteVerdict::Busy`]: the file or this row was not accepted and the row is not written. Write it by a separate
    ///   call, not by another file. A file that WeCom rejects as a whole (such as 40092) ends so, and so does an
    ///   update rejected for a reason that may lie in a cell it does not change.
    /// - [`WriteVerdict::Lost`] (in doubt): the submission, the result, or the row in it was lost. Check the directory,
    ///   but the job may still be running: a missing member may appear in a moment.
    /// - [`WriteVerdict::Stopped`]: as for other writes; in doubt if it came after the submission.
    ///
    /// The job is an upsert: a create of an existing member changes that member and succeeds, and an update of a
    /// missing one creates it. So members that must not be overwritten have to be known from a fresh listing first.
    /// WeCom keeps the results of the corp's last five jobs: run fewer than that at a time.
    ///
    /// `taken` receives the job's id before the wait for the job, so that a later process can wait for it
    /// ([`wait_for_job`](Self::wait_for_job)).
    pub async fn write_csv_file(
        &self,
        csv_file: &CsvFile,
        taken: impl AsyncFnMut(String),
    ) -> Vec<WriteAnswer> {
        let answers = csv_job::write(&self.dispatcher, csv_file, taken).await;
        answers.iter().for_each(|answer| self.heed(answer));
        answers
    }

    /// Remembers that every write fails.
    fn heed(&self, answer: &WriteAnswer) {
        if let WriteVerdict::Stopped(error) = &answer.verdict {
            self.stop(error);
        }
    }

    /// Stops all further writes: the caller has resolved a [`WriteVerdict::Unsure`] to an error of the tenant.
    pub fn stop(&self, error: &WecomError) {
        let mut stop = self.dispatcher.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if stop.is_none() {
            tracing::error!(error.code = error.code(), "no write can succeed: {}", error.explain().en);
            *stop = Some(error.clone());
        }
    }

    /// A harmless request available to every secret that may write the directory: one row of `user/list_id`. The
    /// error tells whether WeCom rejected it ([`WecomError::is_rejection`]) or did not answer.
    pub async fn ask(&self) -> Result<(), WecomError> {
        let payload = Payload::Json(json!({ "limit": 1 }).to_string().into_bytes());
        let call = WecomCall { api: WecomApi::ListId, query: None, payload };
        self.read(&call)
            .await
            .map(drop)
            .map_err(|reason| reason.or(|failure| WecomError::MemberIds { failure }))
    }

    /// Starts a new run: the cause of an earlier stop may have been fixed, and the first write finds out.
    pub fn begin_anew(&self) {
        *self.dispatcher.stop.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until a job submitted by an earlier process is over: until then it may still write.
    pub async fn wait_for_job(&self, id: &str) -> Result<(), WecomError> {
        csv_job::wait(&self.dispatcher, id).await.map_err(|failure| WecomError::Job { failure })
    }

    /// The service's clock, if an answer since then had a date.
    pub fn service_clock(&self, since: std::time::Instant) -> Option<Sighting> {
        self.dispatcher.seen.since(since)
    }

    /// Number of calls made by this client, by name, such as `user/create`.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        let counts =
            self.dispatcher.calls.iter().map(|(api, calls)| (api.path(), calls.load(Ordering::Relaxed)));
        counts.filter(|(_, calls)| *calls > 0).collect()
    }

    async fn read(&self, call: &WecomCall<'_>) -> Result<Map<String, Value>, ReadFailure> {
        match self.dispatcher.call(call).await.outcome {
            CallOutcome::Success(answer) => Ok(answer),
            CallOutcome::Failed(failure) => Err(ReadFailure::Failed(failure)),
            CallOutcome::Stopped(error) => Err(ReadFailure::Stopped(error)),
        }
    }
}

/// A member as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMember {
    /// The userid as written in the directory.
    pub userid: UserId,
    /// The departments the member is in.
    pub departments: BTreeSet<DepartmentId>,
}

/// Identifies a row of a listing. A collision of two rows only makes a page appear to bring less.
fn fingerprint(userid: &str, department: Option<DepartmentId>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (userid, department.map(|id| id.0)).hash(&mut hasher);
    hasher.finish()
}

/// Adds a row of a listing to the rows collected so far.
type RowCollector<T> = fn(&mut T, UserId, Option<DepartmentId>);

fn department_id(value: &Value) -> Option<DepartmentId> {
    integer(value).and_then(|id| u32::try_from(id).ok()).map(DepartmentId)
}

/// The reason a read failed.
enum ReadFailure {
    Failed(WecomFailure),
    Stopped(WecomError),
}

impl ReadFailure {
    /// The error of the operation that needed it.
    fn or(self, operation: impl FnOnce(WecomFailure) -> WecomError) -> WecomError {
        match self {
            Self::Failed(failure) => operation(failure),
            Self::Stopped(error) => error,
        }
    }
}

/// The root of the API, whether or not `base` includes it.
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
