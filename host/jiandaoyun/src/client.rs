//! The client: pages of rows, single rows, read and written, and the fields of a form.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::attempt::FormAttempt;
use super::body::FormBody;
use super::code::{Reaction, meaning};
use super::error::{FormError, FormFailure, passes};
use super::form::{ApiVersion, FormAddress, FormRow, FormWidget, RowQuery};
use super::transport::{FormHttp, FormReply, FormTransport, FormTransportError, clean};
use ruzhi_http::rate::{Backoff, Jitter, Limiter};
use ruzhi_metrics as metrics;
use ruzhi_model::{Clock, RecordId, ServiceClock, Sighting};

const SECOND: Duration = Duration::from_secs(1);
/// Calls a company may make per second, over all routes.
const COMPANY: u32 = 50;
/// Calls a key may make of one route per second: from v5 on, and before.
const PER_ROUTE: (u32, u32) = (30, 5);
/// The same for the route that writes one row: no older route allows more than it did for reading.
const WRITES_PER_ROUTE: (u32, u32) = (20, 5);
/// Rows per page: the service's maximum.
const PAGE: u32 = 100;
/// A page too large for an answer is requested again with this many times fewer rows.
const SMALLER: u32 = 10;
const ATTEMPTS: u32 = 8;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(20));
/// After 8303 and 8304 the service asks for a second's pause.
const RATE_BACKOFF: Backoff = Backoff::new(SECOND, Duration::from_secs(20)).at_least(SECOND);

/// Connection settings of a tenant's forms.
#[derive(Clone)]
pub struct FormClientSettings {
    /// The service, with or without `/api`.
    pub base_url: Url,
    /// The key.
    pub api_key: SecretString,
    /// The proxy, if calls do not go straight to the service.
    pub proxy: Option<Url>,
    /// Calls per route and second; `None` means 30 on v5 and 5 on older routes.
    pub per_second: Option<u32>,
}

impl fmt::Debug for FormClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormClientSettings")
            .field("base_url", &self.base_url.as_str())
            .field("proxy", &self.proxy.is_some())
            .field("per_second", &self.per_second)
            .finish_non_exhaustive()
    }
}

/// The client of one key. Clones share rates and connections.
#[derive(Clone)]
pub struct FormClient(Arc<ClientState>);

struct ClientState {
    transport: Box<dyn FormTransport>,
    clock: Arc<dyn Clock>,
    /// The service's clock, from the dates of its answers.
    seen: ServiceClock,
    root: Url,
    api_key: SecretString,
    jitter: Jitter,
    company: Limiter,
    /// For the current and the older routes.
    rows: (Limiter, Limiter),
    row: (Limiter, Limiter),
    update: (Limiter, Limiter),
    widgets: (Limiter, Limiter),
    /// Rows to request in the next page: fewer if earlier rows were too large together.
    limit: AtomicU32,
    /// The end of the pause of all calls after an 8303 or 8304.
    pause: Mutex<Option<Instant>>,
    called: Mutex<BTreeMap<&'static str, u64>>,
}

/// The part of a form to read or write.
#[derive(Clone, Copy)]
enum Target {
    Rows,
    Row,
    Update,
    Widgets,
}

impl Target {
    fn api(self) -> &'static str {
        match self {
            Self::Rows => "data/list",
            Self::Row => "data/get",
            Self::Update => "data/update",
            Self::Widgets => "widget/list",
        }
    }
}

impl FormClient {
    /// A client; no call is made yet. The current time seeds the jitter of retries.
    pub fn new(settings: FormClientSettings, clock: Arc<dyn Clock>) -> Result<Self, FormError> {
        let http = FormHttp::new(&settings.api_key, settings.proxy.as_ref())
            .map_err(|failure| FormError::Settings { failure })?;
        Self::over(Box::new(http), settings, clock)
    }

    /// A client over a given transport.
    pub(super) fn over(
        transport: Box<dyn FormTransport>,
        settings: FormClientSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FormError> {
        let FormClientSettings { base_url, api_key, proxy: _, per_second } = settings;
        let root = root(&base_url).ok_or_else(|| FormError::Settings {
            failure: FormFailure::Settings { detail: "base_url is not an http or https address".to_owned() },
        })?;
        let limiter = |per_second| Limiter::new(&[(per_second, SECOND)]);
        let (current, older) = per_second.map_or(PER_ROUTE, |given| (given, given));
        let (writes, older_writes) = per_second.map_or(WRITES_PER_ROUTE, |given| (given, given));
        Ok(Self(Arc::new(ClientState {
            transport,
            root,
            api_key,
            jitter: Jitter::from_seed(clock.now().timestamp_micros().unsigned_abs()),
            clock,
            seen: ServiceClock::default(),
            // A rate above the company's means a deployment without the public service's limits.
            company: limiter(per_second.map_or(COMPANY, |given| given.max(COMPANY))),
            rows: (limiter(current), limiter(older)),
            row: (limiter(current), limiter(older)),
            update: (limiter(writes), limiter(older_writes)),
            widgets: (limiter(current), limiter(older)),
            limit: AtomicU32::new(PAGE),
            pause: Mutex::new(None),
            called: Mutex::default(),
        })))
    }

    /// The next page: up to 100 rows after `after`, in the order of their ids. Only an empty one is the end: rows too
    /// large for an answer together come in smaller pages, and one too large by itself as [`FormRow::unread`].
    pub async fn page(
        &self,
        form: &FormAddress,
        query: &RowQuery,
        after: Option<&RecordId>,
    ) -> Result<Vec<FormRow>, FormError> {
        loop {
            let limit = self.0.limit.load(Ordering::Relaxed);
            match self.rows(form, query, after, limit).await {
                Err(FormFailure::TooLarge { .. }) if limit > 1 => {
                    self.0.limit.store((limit / SMALLER).max(1), Ordering::Relaxed);
                }
                Err(failure @ FormFailure::TooLarge { .. }) => {
                    // A single row must not keep the others from being read.
                    let row = self.unread_row(form, query, after).await;
                    let row = row.ok_or_else(|| FormError::ListRows { form: form.clone(), failure })?;
                    return Ok(vec![row]);
                }
                Ok(rows) => {
                    // The neighbours of a large row may be large too.
                    self.0.limit.store((limit * 2).min(PAGE), Ordering::Relaxed);
                    return Ok(rows);
                }
                Err(failure) => return Err(FormError::ListRows { form: form.clone(), failure }),
            }
        }
    }

    async fn rows(
        &self,
        form: &FormAddress,
        query: &RowQuery,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<FormRow>, FormFailure> {
        let body = FormBody {
            data_id: after.map(RecordId::as_str),
            fields: &query.fields,
            filter: query.filter.as_ref(),
            limit: Some(limit),
            ..FormBody::of(form)
        };
        self.0.ask(form, Target::Rows, &body).await.and_then(|answer| rows(answer, after))
    }

    /// The next row if it is too large for an answer of its own: its id and time of change, which are always small.
    async fn unread_row(
        &self,
        form: &FormAddress,
        query: &RowQuery,
        after: Option<&RecordId>,
    ) -> Option<FormRow> {
        let query = RowQuery { fields: vec!["updateTime".to_owned()], filter: query.filter.clone() };
        let rows = self.rows(form, &query, after, 1).await.ok()?;
        rows.into_iter().next().map(FormRow::unread)
    }

    /// One row by its id, ignoring the filter; `None` if it was deleted, and [`FormRow::unread`] if it is too large.
    pub async fn row(&self, form: &FormAddress, id: &RecordId) -> Result<Option<FormRow>, FormError> {
        let body = FormBody { data_id: Some(id.as_str()), ..FormBody::of(form) };
        match self.0.ask(form, Target::Row, &body).await {
            Ok(mut answer) => match answer.remove("data") {
                Some(Value::Object(fields)) if !fields.is_empty() => {
                    Ok(Some(FormRow { id: id.clone(), fields }))
                }
                _ => Ok(None),
            },
            Err(FormFailure::Rejected { code: 4001, .. }) => Ok(None),
            Err(FormFailure::TooLarge { .. }) => {
                Ok(Some(FormRow::unread(FormRow { id: id.clone(), fields: Map::new() })))
            }
            Err(failure) => Err(FormError::GetRow { form: form.clone(), id: id.clone(), failure }),
        }
    }

    /// Writes these fields of one row, by name, and no others; triggers no automation on the form. Returns the row as
    /// then stored by the service: a value that does not fit its field is silently emptied. `None` if the row was
    /// deleted. The call is idempotent, so it is retried like a read.
    pub async fn update(
        &self,
        form: &FormAddress,
        id: &RecordId,
        values: &[(&str, Value)],
    ) -> Result<Option<FormRow>, FormError> {
        let wrapped = values.iter().map(|(field, value)| ((*field).to_owned(), json!({ "value": value })));
        let data = wrapped.collect();
        let body = FormBody {
            data_id: Some(id.as_str()),
            data: Some(&data),
            is_start_trigger: Some(false),
            ..FormBody::of(form)
        };
        let answer = self.0.ask(form, Target::Update, &body).await.map(|mut answer| answer.remove("data"));
        match answer {
            Ok(Some(Value::Object(fields))) => Ok(Some(FormRow { id: id.clone(), fields })),
            Ok(_) => Err(FormFailure::Shape { what: "data" }),
            Err(FormFailure::Rejected { code: 4001, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
        .map_err(|failure| FormError::UpdateRow { form: form.clone(), id: id.clone(), failure })
    }

    /// The service's clock, if an answer since then had a date.
    pub fn service_clock(&self, since: std::time::Instant) -> Option<Sighting> {
        self.0.seen.since(since)
    }

    /// Calls made so far, by API.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.0.called.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The form's fields.
    pub async fn widgets(&self, form: &FormAddress) -> Result<Vec<FormWidget>, FormError> {
        let answer = self.widget_list(form).await?;
        Ok(answer.get("widgets").map(FormWidget::list).unwrap_or_default())
    }

    /// The names of the form's system fields, such as `updateTime`; the oldest routes return none.
    pub async fn sys_widgets(&self, form: &FormAddress) -> Result<Vec<String>, FormError> {
        let answer = self.widget_list(form).await?;
        let list = answer.get("sysWidgets").map(FormWidget::list).unwrap_or_default();
        Ok(list.into_iter().map(|widget| widget.name).collect())
    }

    async fn widget_list(&self, form: &FormAddress) -> Result<Map<String, Value>, FormError> {
        let answer = self.0.ask(form, Target::Widgets, &FormBody::of(form)).await.and_then(|answer| {
            match answer.get("widgets") {
                Some(Value::Array(_)) => Ok(answer),
                _ => Err(FormFailure::Shape { what: "widgets" }),
            }
        });
        answer.map_err(|failure| FormError::ListWidgets { form: form.clone(), failure })
    }
}

impl ClientState {
    async fn ask(
        &self,
        form: &FormAddress,
        target: Target,
        body: &FormBody<'_>,
    ) -> Result<Map<String, Value>, FormFailure> {
        let url = self.url(form, target);
        let limiters = match target {
            Target::Rows => &self.rows,
            Target::Row => &self.row,
            Target::Update => &self.update,
            Target::Widgets => &self.widgets,
        };
        let limiter = if form.api == ApiVersion::V5 { &limiters.0 } else { &limiters.1 };
        // Texts, numbers and JSON values always serialise.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let mut attempt = 1;
        loop {
            *self.called.lock().unwrap_or_else(PoisonError::into_inner).entry(target.api()).or_default() += 1;
            match self.attempt(&url, target, limiter, &body).await {
                FormAttempt::Success(answer) => return Ok(answer),
                FormAttempt::Failed(failure) => {
                    if let FormFailure::Rejected { code, msg } = &failure
                        && meaning(*code).reaction == Reaction::Unknown
                    {
                        tracing::error!(jiandaoyun.code = code, jiandaoyun.msg = %msg, "JianDaoYun answered with an unknown code");
                    }
                    return Err(failure);
                }
                FormAttempt::Again(failure, _) if attempt == ATTEMPTS => return Err(failure),
                FormAttempt::Again(failure, backoff) => {
                    let wait = backoff.wait(attempt - 1, &self.jitter);
                    tracing::debug!(
                        attempt,
                        wait_ms = wait.as_millis(),
                        "JianDaoYun is asked again: {failure}"
                    );
                    sleep(wait).await;
                    attempt += 1;
                }
            }
        }
    }

    async fn attempt(&self, url: &Url, target: Target, limiter: &Limiter, body: &[u8]) -> FormAttempt {
        let asked = Instant::now();
        let slots = loop {
            while let Some(over) = self.paused() {
                sleep_until(over).await;
            }
            let slots = (limiter.acquire().await, self.company.acquire().await);
            if self.paused().is_none() {
                break slots;
            }
            slots.0.unused();
            slots.1.unused();
        };
        metrics::waited(metrics::RemoteService::Jiandaoyun, target.api(), asked.elapsed());
        let (sent, began) = (self.clock.now(), Instant::now());
        let reply = self.transport.post(url, body).await;
        let took = began.elapsed();
        drop(slots);
        let date = reply.as_ref().ok().and_then(|reply| reply.date);
        let attempt = self.judge(reply);
        // The date of an intermediary's answer is not the service's clock.
        if matches!(attempt, FormAttempt::Success(_)) {
            self.seen.saw(date, sent, took);
        }
        attempt.log(target.api(), took);
        if let FormAttempt::Again(FormFailure::Rejected { code, .. }, _) = &attempt
            && meaning(*code).reaction == Reaction::Wait
        {
            *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + SECOND);
        }
        attempt
    }

    /// The end of the pause, if one is in force.
    fn paused(&self) -> Option<Instant> {
        let pause = *self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.filter(|over| *over > Instant::now())
    }

    fn judge(&self, reply: Result<FormReply, FormTransportError>) -> FormAttempt {
        let reply = match reply {
            Ok(reply) => reply,
            Err(FormTransportError::NoAnswer(detail)) => {
                return FormAttempt::Again(FormFailure::NoAnswer { detail }, BACKOFF);
            }
            Err(FormTransportError::TooLarge(excess)) => {
                return FormAttempt::Failed(FormFailure::TooLarge { excess });
            }
            Err(FormTransportError::OpenFiles(detail)) => {
                return FormAttempt::Again(FormFailure::OpenFiles { detail }, BACKOFF);
            }
        };
        let status = reply.status;
        if passes(status) {
            return FormAttempt::Again(FormFailure::Http { status }, BACKOFF);
        }
        let success = (200..300).contains(&status);
        let answer = match serde_json::from_slice(&reply.body) {
            Ok(Value::Object(answer)) => answer,
            Ok(_) if success => return FormAttempt::Failed(FormFailure::Shape { what: "data" }),
            Err(_) if success => {
                return FormAttempt::Again(FormFailure::Unreadable { length: reply.body.len() }, BACKOFF);
            }
            _ => return FormAttempt::Failed(FormFailure::Http { status }),
        };
        let code = answer.get("code").and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok()));
        let failed = !success || answer.get("status").and_then(Value::as_str) == Some("failure");
        match code {
            Some(code) if failed || code != 0 => {
                let msg = answer.get("msg").or_else(|| answer.get("message")).and_then(Value::as_str);
                let msg = clean(msg.unwrap_or_default(), self.api_key.expose_secret());
                let failure = FormFailure::Rejected { code, msg };
                match meaning(code).reaction {
                    Reaction::Wait => FormAttempt::Again(failure, RATE_BACKOFF),
                    Reaction::Retry => FormAttempt::Again(failure, BACKOFF),
                    _ => FormAttempt::Failed(failure),
                }
            }
            _ if !success => FormAttempt::Failed(FormFailure::Http { status }),
            _ if failed => FormAttempt::Failed(FormFailure::Shape { what: "status" }),
            _ => FormAttempt::Success(answer),
        }
    }

    fn url(&self, form: &FormAddress, target: Target) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            match (form.api, target) {
                (ApiVersion::V5, Target::Rows) => segments.extend(["v5", "app", "entry", "data", "list"]),
                (ApiVersion::V5, Target::Row) => segments.extend(["v5", "app", "entry", "data", "get"]),
                (ApiVersion::V5, Target::Update) => segments.extend(["v5", "app", "entry", "data", "update"]),
                (ApiVersion::V5, Target::Widgets) => {
                    segments.extend(["v5", "app", "entry", "widget", "list"])
                }
                // There is no v4 route for the fields.
                (ApiVersion::V4, Target::Widgets) => {
                    segments.extend(["v2", "app", &form.app_id, "entry", &form.entry_id, "widgets"])
                }
                (api, target) => {
                    let last = match target {
                        Target::Rows => "data",
                        Target::Row => "data_retrieve",
                        Target::Update => "data_update",
                        Target::Widgets => "widgets",
                    };
                    segments.extend([api.as_str(), "app", &form.app_id, "entry", &form.entry_id, last])
                }
            };
        }
        url
    }
}

/// The rows of a page. They must come after `after` and in order, or the cursor would lose or repeat some.
fn rows(mut answer: Map<String, Value>, after: Option<&RecordId>) -> Result<Vec<FormRow>, FormFailure> {
    let Some(Value::Array(data)) = answer.remove("data") else {
        return Err(FormFailure::Shape { what: "data" });
    };
    let mut rows = Vec::<FormRow>::with_capacity(data.len());
    for row in data {
        let Value::Object(fields) = row else { return Err(FormFailure::Shape { what: "data" }) };
        let id = fields.get("_id").and_then(Value::as_str).and_then(|id| id.parse::<RecordId>().ok());
        let id = id.ok_or(FormFailure::Shape { what: "_id" })?;
        let before = rows.last().map(|row| &row.id).or(after);
        if before.is_some_and(|before| *before >= id) {
            return Err(FormFailure::Order { id });
        }
        rows.push(FormRow { id, fields });
    }
    Ok(rows)
}

/// The root of the API, whether or not `base` includes it.
fn root(base: &Url) -> Option<Url> {
    let mut root = base.clone();
    if !matches!(root.scheme(), "http" | "https") {
        return None;
    }
    root.set_query(None);
    root.set_fragment(None);
    let named = root.path().trim_end_matches('/').ends_with("/api");
    let mut segments = root.path_segments_mut().ok()?;
    segments.pop_if_empty();
    if !named {
        segments.push("api");
    }
    drop(segments);
    Some(root)
}
