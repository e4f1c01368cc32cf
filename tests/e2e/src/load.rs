//! Everything at once: a thousand connections that send half of something, signed pushes, people on the largest pages,
//! a run over a large factory, and small factories beside it that have to run in time. Meanwhile the process is asked
//! for its health, and the response times are measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, Utc};
use ruzhi_sim::factory::{APP_ID, ENTRY_ID};
use ruzhi_sim::{Limits, Simulator};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{Deployment, Serving, Tenant, Workforce};

const PUSH: &str = "PUSH_SECRET_OF_THE_LOAD";
const TOKEN: &str = "a-token-of-the-load-0123456789";

/// Bytes that a slow connection sends, one at a time.
const HEADS: [&str; 3] = [
    "GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ",
    "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\ntoken=",
    "POST /hooks/jiandaoyun/large/onboarding?nonce=1&timestamp=1 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n{",
];

/// The largest pages there are; `{plan}` is the plan of the large run, `{run}` the run itself.
const PAGES: [&str; 9] = [
    "/quarantine?limit=500",
    "/quarantine.csv",
    "/api/v1/quarantine?limit=500",
    "/plans/large/{plan}?limit=500",
    "/api/v1/tenants/large/plans/{plan}?limit=500",
    "/runs?limit=500",
    "/runs/{run}",
    "/audit?limit=500",
    "/charts",
];

/// Delay between two bytes of a slow connection.
const DRIP: Duration = Duration::from_secs(2);
/// Delay between two requests for a page.
const THINKING: Duration = Duration::from_secs(1);
/// Delay between two health checks.
const BEAT: Duration = Duration::from_millis(100);

/// The promises: the 99th percentile of `/healthz`, and the delay of a small factory's run.
const HEALTHY: Duration = Duration::from_millis(250);
const LATE: Duration = Duration::from_secs(20);

/// Amounts of load.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// People of the large factory; its quarantine holds a tenth as many.
    pub people: usize,
    /// Small factories beside it.
    pub factories: usize,
    /// Connections that send half of something.
    pub slow: usize,
    /// Signed pushes, spread over the time.
    pub pushes: usize,
    /// People who look at the largest pages, one page after another.
    pub viewers: usize,
    /// Duration.
    pub length: Duration,
}

/// Result of the load.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Response times of `/healthz`, shortest first.
    pub health: Vec<Duration>,
    /// Response times of pages, shortest first.
    pub pages: Vec<Duration>,
    /// Pushes answered with 200.
    pub pushes: u64,
    /// Slow connections that were closed and reopened.
    pub closed: u64,
    /// Runs of the small factories, and the longest delay of one after its minute.
    pub runs: u64,
    /// See `runs`.
    pub latest: Duration,
    /// People of the large factory that were created.
    pub created: u64,
    /// Resident KiB: before, and at the peak.
    pub memory: (f64, f64),
    /// Duration of the shutdown, or its error.
    pub ended: Option<Result<Duration, String>>,
}

impl Loaded {
    /// The 99th percentile of `/healthz`.
    pub fn health_p99(&self) -> Duration {
        share(&self.health, 99)
    }

    /// Fails unless every promise was kept under this load.
    ///
    /// # Errors
    /// If a promise was broken.
    pub fn check(&self, load: &Load) -> Result<()> {
        let health = self.health_p99();
        ensure!(health <= HEALTHY, "/healthz took {health:?}; the promise is {HEALTHY:?}");
        let due = (load.length.as_secs() / 60).saturating_sub(1) * load.factories as u64;
        ensure!(self.runs >= due, "{} runs of small factories; {due} were due", self.runs);
        ensure!(self.latest <= LATE, "a run began {:?} late; the promise is {LATE:?}", self.latest);
        let pushes = load.pushes as u64 * 99 / 100;
        ensure!(self.pushes >= pushes, "{} of {} pushes were accepted", self.pushes, load.pushes);
        ensure!(self.created == load.people as u64, "{} of {} people are there", self.created, load.people);
        ensure!(load.viewers == 0 || !self.pages.is_empty(), "no page was answered");
        match &self.ended {
            Some(Ok(took)) => ensure!(*took <= Duration::from_secs(10), "the end took {took:?}"),
            Some(Err(error)) => bail!("{error}"),
            None => bail!("the process was not asked to end"),
        }
        Ok(())
    }
}

/// The value at this percentile.
pub fn share(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// Counters updated while it runs.
#[derive(Debug, Default)]
struct Counted {
    over: AtomicBool,
    pushes: AtomicU64,
    closed: AtomicU64,
}

impl Load {
    /// Runs the load.
    ///
    /// # Errors
    /// If the process ends, rejects a push or a page, or does not start.
    pub fn run(&self) -> Result<Loaded> {
        let large = factory("large", self.people, self.people / 10)?;
        let small: Vec<_> =
            (0..self.factories).map(|n| factory(&format!("small-{n}"), 30, 1)).collect::<Result<_>>()?;
        let tenants: Vec<Tenant> = small.iter().chain([&large]).map(|(_, tenant)| tenant.clone()).collect();
        let deployment = Deployment::new(&tenants)?;
        deployment.with_token()?;
        let environment = [(PUSH, PUSH), ("RUZHI_TOKEN", TOKEN), ("RUZHI_LOG", "ruzhi=error")];
        let serving = Serving::start(&deployment, &environment)?.by(TOKEN);
        // The small factories have run once, and the rules are compiled.
        serving.wait("a run of every small factory", || {
            let told = serving.data("/api/v1/runs?limit=500").ok()?;
            let runs = items(&told);
            let ran = |tenant: &Tenant| runs.iter().any(|run| text(run, "tenant") == Some(&tenant.id));
            small.iter().all(|(_, tenant)| ran(tenant)).then_some(())
        })?;
        let before = serving.resident()?;
        let began = Utc::now();
        let plan = start_large(&serving)?;
        let counted = Arc::new(Counted::default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut tasks = JoinSet::new();
        let url = serving.url.clone();
        runtime.block_on(async {
            for head in HEADS.iter().cycle().take(self.slow) {
                tasks.spawn(drip(url.clone(), head, counted.clone()));
            }
            tasks.spawn(push(url.clone(), self.pushes, self.length, counted.clone()));
        });
        let mut viewers = JoinSet::new();
        runtime.block_on(async {
            for n in 0..self.viewers {
                viewers.spawn(view(url.clone(), n, plan.clone(), counted.clone()));
            }
        });
        let until = Instant::now() + self.length;
        let health = watch(&serving, until)?;
        counted.over.store(true, Ordering::Relaxed);
        let mut pages = Vec::new();
        runtime.block_on(async {
            while let Some(seen) = viewers.join_next().await {
                pages.extend(seen??);
            }
            anyhow::Ok(())
        })?;
        pages.sort();
        let created = || -> u64 { large.0.created(ruzhi_sim::factory::CORP_ID).values().sum() };
        serving.wait("everyone to be created", || (created() == self.people as u64).then_some(()))?;
        let mut loaded = Loaded {
            health,
            pages,
            pushes: counted.pushes.load(Ordering::Relaxed),
            closed: counted.closed.load(Ordering::Relaxed),
            memory: (before, serving.most_resident()?),
            created: created(),
            ..Loaded::default()
        };
        (loaded.runs, loaded.latest) = lateness(&serving, &small, began)?;
        loaded.ended = Some(match serving.end() {
            Ok((status, took)) if status.success() => Ok(took),
            Ok((status, took)) => Err(format!("asked to end, it ended with {status} after {took:?}")),
            Err(error) => Err(error.to_string()),
        });
        Ok(loaded)
    }
}

/// Polls `/healthz` until the time is over and returns the response times, shortest first.
fn watch(serving: &Serving, until: Instant) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let asked = Instant::now();
        let answer = serving.get_anew("/healthz")?;
        ensure!(answer.status == 200, "/healthz: {} {}", answer.status, answer.body);
        took.push(asked.elapsed());
        std::thread::sleep(BEAT);
    }
    took.sort();
    Ok(took)
}

/// The items of one page of a list.
fn items(told: &Value) -> &[Value] {
    told.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// A factory on separate services.
fn factory(id: &str, people: usize, wrong: usize) -> Result<(Simulator, Tenant)> {
    let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
    let mut workforce = Workforce::new(people);
    for _ in 0..wrong {
        workforce.hire_wrongly();
    }
    simulator.load(workforce.document())?;
    simulator.set_limits(Limits { enabled: false, ..Limits::default() });
    let tenant = Tenant {
        id: id.to_owned(),
        name: format!("工厂 {id}"),
        flow: if id == "large" { String::new() } else { "schedule = \"* * * * *\"".to_owned() },
        flows: format!("[flows.push]\nsecret = {{ env = \"{PUSH}\" }}\n"),
        tables: "[guard]\ncreate_most = 100\n".to_owned(),
        wecom_limits: "{ per_minute = 100000, per_hour = 1000000, in_flight = 4 }".to_owned(),
        ..Tenant::new(&simulator.url())
    };
    Ok((simulator, tenant))
}

/// Makes the large factory's plan, which the guard holds, and approves it. Returns the plan and its run.
fn start_large(serving: &Serving) -> Result<(String, String)> {
    let flow = "/api/v1/tenants/large/flows/onboarding";
    let ask = |path: &str, body: Value| -> Result<Value> {
        let headers = [("content-type", "application/json")];
        let answer = serving.ask("POST", path, &headers, serde_json::to_vec(&body)?)?;
        ensure!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer.json()
    };
    ask(&format!("{flow}/runs"), json!({}))?;
    let held = serving.wait("the held plan", || {
        let told = serving.data("/api/v1/runs?tenant=large").ok()?;
        items(&told).iter().find(|run| text(run, "state") == Some("held")).cloned()
    })?;
    let (plan, run) = (text(&held, "plan").context("no plan")?, text(&held, "id").context("no run")?);
    let path = format!("/api/v1/tenants/large/plans/{plan}/approve");
    ask(&path, json!({ "why": "load" }))?;
    Ok((plan.to_owned(), run.to_owned()))
}

/// Sends half of something, byte by byte, again and again.
async fn drip(url: String, head: &'static str, counted: Arc<Counted>) {
    let address = url.trim_start_matches("http://").to_owned();
    while !counted.over.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect(&address).await else {
            tokio::time::sleep(DRIP).await;
            continue;
        };
        let mut open = stream.write_all(head.as_bytes()).await.is_ok();
        let mut byte = [0];
        while open && !counted.over.load(Ordering::Relaxed) {
            // The answer is the end of the connection, or is followed by it.
            match tokio::time::timeout(DRIP, stream.read(&mut byte)).await {
                Ok(Ok(0) | Err(_)) => open = false,
                Ok(Ok(_)) => {}
                Err(_) => open = stream.write_all(b"x").await.is_ok(),
            }
        }
        counted.closed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends genuine pushes of rows of the large factory, evenly over the time.
async fn push(url: String, count: usize, length: Duration, counted: Arc<Counted>) {
    let client = reqwest::Client::new();
    let mut due = tokio::time::interval(length.div_f64(count.max(1) as f64));
    for n in 0..count {
        due.tick().await;
        if counted.over.load(Ordering::Relaxed) {
            break;
        }
        let now = Utc::now();
        let (nonce, timestamp) = (format!("n{n}"), now.timestamp().to_string());
        let data = json!({ "_id": format!("66{n:021x}0"), "appId": APP_ID, "entryId": ENTRY_ID });
        let body = json!({ "op": "data_update", "opTime": now.timestamp_millis(), "data": data }).to_string();
        let signed = Sha1::digest(format!("{nonce}:{body}:{PUSH}:{timestamp}"));
        let signature: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
        let to = format!("{url}/hooks/jiandaoyun/large/onboarding?nonce={nonce}&timestamp={timestamp}");
        let request = client.post(to).header("x-jdy-signature", signature).header("x-jdy-deliverid", nonce);
        if let Ok(answer) = request.body(body).send().await
            && answer.status() == 200
        {
            counted.pushes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Requests one page after another on a separate connection. Returns the response times.
async fn view(
    url: String,
    first: usize,
    plan: (String, String),
    counted: Arc<Counted>,
) -> Result<Vec<Duration>> {
    let client = reqwest::Client::builder().build()?;
    let mut took = Vec::new();
    for page in PAGES.iter().cycle().skip(first % PAGES.len()) {
        if counted.over.load(Ordering::Relaxed) {
            break;
        }
        let page = page.replace("{plan}", &plan.0).replace("{run}", &plan.1);
        let asked = Instant::now();
        let answer = client.get(format!("{url}{page}")).bearer_auth(TOKEN).send().await;
        let answer = answer.with_context(|| format!("{page} was not answered"))?;
        let status = answer.status();
        let body = answer.text().await.with_context(|| format!("{page} was not answered whole"))?;
        ensure!(status == 200, "{page}: {status} {body}");
        took.push(asked.elapsed());
        tokio::time::sleep(THINKING).await;
    }
    Ok(took)
}

/// The runs of the small factories that began since, and the longest delay of one: after its minute, or after the
/// minute that followed the previous run.
fn lateness(
    serving: &Serving,
    small: &[(Simulator, Tenant)],
    since: DateTime<Utc>,
) -> Result<(u64, Duration)> {
    let (mut count, mut latest) = (0, Duration::ZERO);
    for (_, tenant) in small {
        let told = serving.data(&format!("/api/v1/runs?limit=500&tenant={}", tenant.id))?;
        let mut began = Vec::new();
        for run in items(&told) {
            began.push(
                text(run, "started_at").context("no beginning")?.parse::<DateTime<Utc>>()?.timestamp_millis(),
            );
        }
        began.retain(|at| *at > since.timestamp_millis());
        began.sort_unstable();
        let after_its_minute = began.iter().map(|at| at % 60_000);
        let after_the_one_before =
            began.iter().zip(began.iter().skip(1)).map(|(one, next)| next - one - 60_000);
        for late in after_its_minute.chain(after_the_one_before) {
            latest = latest.max(Duration::from_millis(u64::try_from(late).unwrap_or(0)));
        }
        count += began.len() as u64;
    }
    Ok((count, latest))
}
