//! `/metrics`.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use procfs::WithCurrentSystemInfo as _;
use procfs::process::{LimitValue, Process};
use tokio::sync::Mutex;

use crate::state::AppState;
use ruzhi_app::scheduler::{ScheduleState, ScheduleStateKind};
use ruzhi_metrics::{METRICS, MetricKind};
use ruzhi_store::{AlertRow, FlowStatus};

/// Interval at which times are sorted into their buckets, even without a reader: until then each takes memory.
const UPKEEP: Duration = Duration::from_secs(5);
/// Counts of the store are read at most this often.
const FRESH: TimeDelta = TimeDelta::seconds(30);

/// The recorder of this process; none in a process that counts nothing.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// The reasons why nothing is counted.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A table of buckets is invalid.
    #[error("the recorder of metrics cannot be made")]
    Build(#[source] BuildError),
    /// Another recorder is installed.
    #[error("the process has a recorder of metrics already")]
    Taken,
}

/// A recorder that knows every metric's buckets and meaning.
fn recorder() -> Result<PrometheusRecorder, InstallError> {
    let mut builder = PrometheusBuilder::new();
    for metric in METRICS {
        if let MetricKind::Histogram(buckets) = metric.kind {
            builder = builder
                .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)
                .map_err(InstallError::Build)?;
        }
    }
    let recorder = builder.build_recorder();
    metrics::with_local_recorder(&recorder, || {
        for metric in METRICS {
            match metric.kind {
                MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
                MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
                MetricKind::Histogram(_) => metrics::describe_histogram!(metric.name, metric.help),
            }
        }
    });
    Ok(recorder)
}

/// Starts counting. Call it once, within the runtime, before the first run.
pub fn install() -> Result<(), InstallError> {
    let recorder = recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| InstallError::Taken)?;
    RECORDER.set(handle.clone()).map_err(|_| InstallError::Taken)?;
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            handle.run_upkeep();
        }
    });
    Ok(())
}

/// Counts requests by the route they matched: a layer around the whole router.
pub async fn count_requests(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    };
    let began = Instant::now();
    let response = next.run(request).await;
    ruzhi_metrics::request(
        route.as_deref().unwrap_or("none"),
        method,
        response.status().as_u16(),
        began.elapsed(),
    );
    response
}

pub(super) fn routes() -> Router<Arc<AppState>> {
    let known = Arc::new(StatusCache::default());
    Router::new().route("/metrics", get(move |State(state)| scrape(state, Arc::clone(&known))))
}

async fn scrape(state: Arc<AppState>, known: Arc<StatusCache>) -> Response {
    let told = RECORDER.get().map(PrometheusHandle::render).unwrap_or_default();
    match Snapshot::of(&state, &known).await.render() {
        Ok(standing) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
            (kind, told + &standing).into_response()
        }
        Err(error) => {
            tracing::error!(error = %error, "metrics cannot be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Counts of the store, as last read.
#[derive(Default)]
struct StatusCache(Mutex<Option<CachedStatus>>);

struct CachedStatus {
    at: DateTime<Utc>,
    status: Arc<[FlowStatus]>,
}

impl StatusCache {
    async fn status(&self, state: &AppState) -> Arc<[FlowStatus]> {
        let now = state.app.clock.now();
        let mut known = self.0.lock().await;
        if let Some(asked) = known.as_ref().filter(|asked| asked.at <= now && now - asked.at < FRESH) {
            return Arc::clone(&asked.status);
        }
        match state.app.store.flow_statuses_list().await {
            Ok(status) => {
                let status: Arc<[FlowStatus]> = status.into();
                *known = Some(CachedStatus { at: now, status: Arc::clone(&status) });
                status
            }
            Err(error) => {
                // The gauges are then missing, which the alert on the store looks for.
                tracing::warn!(error.code = error.code(), "the store's numbers cannot be read for metrics");
                Arc::default()
            }
        }
    }
}

/// The state of everything at one moment.
struct Snapshot {
    now: DateTime<Utc>,
    started_at: DateTime<Utc>,
    heartbeat: TimeDelta,
    live: usize,
    config_invalid: bool,
    flows: Vec<ScheduleState>,
    status: Arc<[FlowStatus]>,
    alerts: Vec<AlertRow>,
    /// Database and log.
    store: [Option<u64>; 2],
    own: ProcessStats,
}

impl Snapshot {
    async fn of(state: &AppState, known: &StatusCache) -> Self {
        let now = state.app.clock.now();
        let deployment = state.app.deployment();
        let path = &deployment.config.store.path;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let size = |path: &std::path::Path| std::fs::metadata(path).ok().map(|file| file.len());
        Self {
            now,
            started_at: state.app.started_at,
            heartbeat: state.heartbeat.age(now),
            live: state.app.live.under_way().len(),
            config_invalid: state.app.invalid().is_some(),
            flows: state.app.scheduler.schedule_states(),
            status: known.status(state).await,
            alerts: state.alerts.active(),
            store: [size(path), size(std::path::Path::new(&log))],
            own: ProcessStats::read(),
        }
    }

    /// Renders into a recorder of its own that ends with the answer.
    fn render(&self) -> Result<String, InstallError> {
        let recorder = recorder()?;
        metrics::with_local_recorder(&recorder, || self.tell());
        Ok(recorder.handle().render())
    }

    fn tell(&self) {
        ruzhi_metrics::set_of(&ruzhi_metrics::BUILD, env!("CARGO_PKG_VERSION"), 1.0);
        ruzhi_metrics::set(&ruzhi_metrics::RUNS_LIVE, real(self.live as u64));
        ruzhi_metrics::set(&ruzhi_metrics::CONFIG_INVALID, flag(self.config_invalid));
        ruzhi_metrics::set(&ruzhi_metrics::HEARTBEAT, seconds(self.heartbeat));
        self.tell_flows();
        for status in self.status.iter() {
            let set = |metric, value| ruzhi_metrics::set_flow(metric, &status.tenant, &status.flow, value);
            set(&ruzhi_metrics::FLOW_HELD, real(status.held.len() as u64));
            set(&ruzhi_metrics::FLOW_QUARANTINE, real(status.rejected));
            set(&ruzhi_metrics::FLOW_MEMBERS, real(status.members));
            if let Some(ended_at) = status.last_run.as_ref().and_then(|run| run.ended_at) {
                set(&ruzhi_metrics::FLOW_LAST, moment(ended_at));
            }
        }
        let mut kinds = std::collections::BTreeMap::<&str, u64>::new();
        for alert in &self.alerts {
            *kinds.entry(&alert.kind).or_default() += 1;
        }
        for (kind, count) in kinds {
            ruzhi_metrics::set_of(&ruzhi_metrics::ALERTS, kind, real(count));
        }
        for (file, bytes) in ["database", "wal"].into_iter().zip(self.store) {
            if let Some(bytes) = bytes {
                ruzhi_metrics::set_of(&ruzhi_metrics::STORE_BYTES, file, real(bytes));
            }
        }
        ruzhi_metrics::set(&ruzhi_metrics::START, moment(self.started_at));
        self.own.tell();
    }

    fn tell_flows(&self) {
        for state in [
            ScheduleStateKind::Waiting,
            ScheduleStateKind::Idle,
            ScheduleStateKind::Queued,
            ScheduleStateKind::Running,
            ScheduleStateKind::Retrying,
            ScheduleStateKind::Paused,
            ScheduleStateKind::Blocked,
        ] {
            let count = self.flows.iter().filter(|flow| flow.state == state).count();
            ruzhi_metrics::set_of(&ruzhi_metrics::FLOWS, word(state), real(count as u64));
        }
        for flow in &self.flows {
            let set = |metric, value| ruzhi_metrics::set_flow(metric, &flow.tenant, &flow.flow, value);
            if let Some(next) = flow.next {
                set(&ruzhi_metrics::FLOW_NEXT, moment(next));
            }
            set(&ruzhi_metrics::FLOW_FAILURES, f64::from(flow.failures));
            set(&ruzhi_metrics::FLOW_BLOCKED, flag(flow.blocked.is_some()));
            set(&ruzhi_metrics::FLOW_PAUSED, flag(flow.paused.is_some()));
            set(&ruzhi_metrics::FLOW_LATE, flag(flow.late));
        }
        let queued: Vec<_> = self.flows.iter().filter_map(|flow| flow.queued_since).collect();
        let first = queued.iter().min();
        ruzhi_metrics::set(&ruzhi_metrics::QUEUE_DEPTH, real(queued.len() as u64));
        ruzhi_metrics::set(&ruzhi_metrics::QUEUE_AGE, first.map_or(0.0, |first| seconds(self.now - *first)));
    }
}

fn word(state: ScheduleStateKind) -> &'static str {
    match state {
        ScheduleStateKind::Waiting => "waiting",
        ScheduleStateKind::Idle => "idle",
        ScheduleStateKind::Queued => "queued",
        ScheduleStateKind::Running => "running",
        ScheduleStateKind::Retrying => "retrying",
        ScheduleStateKind::Paused => "paused",
        ScheduleStateKind::Blocked => "blocked",
    }
}

/// The system's figures for this process; unknown ones are left out, and so is the number of files if it has no limit.
#[derive(Debug, Default)]
struct ProcessStats {
    cpu_seconds: Option<u64>,
    resident_bytes: Option<u64>,
    threads: Option<u64>,
    open_files: Option<u64>,
    most_files: Option<u64>,
}

impl ProcessStats {
    fn read() -> Self {
        let Ok(process) = Process::myself() else { return Self::default() };
        let stat = process.stat().ok();
        let most_files = process.limits().ok().map(|limits| limits.max_open_files.soft_limit);
        Self {
            cpu_seconds: stat.as_ref().map(|stat| (stat.utime + stat.stime) / procfs::ticks_per_second()),
            resident_bytes: stat.as_ref().map(|stat| stat.rss_bytes().get()),
            threads: stat.and_then(|stat| stat.num_threads.try_into().ok()),
            open_files: process.fd_count().ok().map(|count| count as u64),
            most_files: match most_files {
                Some(LimitValue::Value(most)) => Some(most),
                Some(LimitValue::Unlimited) | None => None,
            },
        }
    }

    fn tell(&self) {
        if let Some(seconds) = self.cpu_seconds {
            ruzhi_metrics::count_to(&ruzhi_metrics::CPU, seconds);
        }
        for (metric, value) in [
            (&ruzhi_metrics::RESIDENT, self.resident_bytes),
            (&ruzhi_metrics::THREADS, self.threads),
            (&ruzhi_metrics::OPEN_FILES, self.open_files),
            (&ruzhi_metrics::MOST_FILES, self.most_files),
        ] {
            if let Some(value) = value {
                ruzhi_metrics::set(metric, real(value));
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}

fn flag(so: bool) -> f64 {
    f64::from(u8::from(so))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^52")]
fn moment(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds far below 2^52")]
fn seconds(span: TimeDelta) -> f64 {
    span.num_milliseconds().max(0) as f64 / 1000.0
}

#[cfg(test)]
mod tests;
