//! Metrics of the running process.
//!
//! [`METRICS`] lists every metric with its kind, its labels and its meaning; events are recorded through the
//! functions here, so no name is written twice. Nothing is counted without a recorder (`serve` installs one). Labels
//! are bounded: a tenant, a flow, an API, a code; never a record, a person or a text from outside.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

pub use ruzhi_model::RemoteService;
use ruzhi_model::{FlowId, TenantId};

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// Only grows while the process lives.
    Counter,
    /// The current value.
    Gauge,
    /// Counted into buckets with these upper bounds, in the metric's unit.
    Histogram(&'static [f64]),
}

impl MetricKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// A metric: its name and description.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Its name, unit included.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricKind,
    /// The labels that distinguish its series.
    pub labels: &'static [&'static str],
    /// Its meaning.
    pub help: &'static str,
}

/// From an immediate answer to a timeout.
const CALL_SECONDS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0];
/// From a run without changes to the first run of a large factory.
const RUN_SECONDS: &[f64] = &[0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0];
/// From no wait to an API that rests for a minute or an hour.
const WAIT_SECONDS: &[f64] = &[0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 180.0, 3600.0];
/// Up to the default deadline of two seconds and beyond.
const GUEST_SECONDS: &[f64] = &[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0];
/// Up to the default 64 MiB and beyond.
const GUEST_BYTES: &[f64] = &[
    1_048_576.0,
    4_194_304.0,
    8_388_608.0,
    16_777_216.0,
    33_554_432.0,
    50_331_648.0,
    67_108_864.0,
    268_435_456.0,
];

macro_rules! metrics {
    ($($(#[$doc:meta])* $konst:ident $name:literal $kind:expr, [$($label:literal)*], $help:literal;)*) => {
        $(pub const $konst: Metric = Metric { name: $name, kind: $kind, labels: &[$($label),*], help: $help };)*
        /// Every metric, in the order of the reference.
        pub const METRICS: &[Metric] = &[$($konst),*];
    };
}

use MetricKind::{Counter, Gauge, Histogram};

metrics! {
    BUILD "ruzhi_build_info" Gauge, ["version"], "1; the version is the label.";
    RUNS "ruzhi_runs_total" Counter, ["tenant" "flow" "kind" "state"], "Runs that have ended, by how they ended: done, held, failed.";
    RUN_TIME "ruzhi_run_duration_seconds" Histogram(RUN_SECONDS), ["kind" "state"], "How long runs took.";
    RUNS_LIVE "ruzhi_runs_live" Gauge, [], "Runs under way.";
    ROWS_READ "ruzhi_rows_read_total" Counter, ["tenant" "flow"], "Rows of forms that were read.";
    ROWS "ruzhi_rows_total" Counter, ["tenant" "flow" "outcome"], "What runs that write came to, row by row: created, updated, disabled, enabled, deleted, adopted, kept, failed, untried, unplaced; and how many rows each found unchanged, ignored, rejected.";
    CALLS "ruzhi_calls_total" Counter, ["service" "api" "errcode"], "Calls of wecom and jiandaoyun by API and code: 0 is success, http_502 an answer of something in between, none no answer.";
    CALL_TIME "ruzhi_call_duration_seconds" Histogram(CALL_SECONDS), ["service" "api"], "How long calls took, without waiting for their turn.";
    LIMITER_WAIT "ruzhi_limiter_wait_seconds" Histogram(WAIT_SECONDS), ["service" "api"], "How long calls waited for their turn under the service's rates.";
    GUEST_BATCHES "ruzhi_guest_batches_total" Counter, ["guest" "outcome"], "Batches handed to rules: decided, or the code of the failure.";
    GUEST_RECORDS "ruzhi_guest_records_total" Counter, ["guest"], "Records handed to rules.";
    GUEST_TIME "ruzhi_guest_batch_duration_seconds" Histogram(GUEST_SECONDS), ["guest"], "How long rules took for a batch.";
    GUEST_PEAK "ruzhi_guest_batch_peak_bytes" Histogram(GUEST_BYTES), ["guest"], "Memory of the rules' instance at its largest, by batch.";
    WRITE_BACKS "ruzhi_write_backs_total" Counter, ["tenant" "flow" "outcome"], "Outcomes written back into form rows: written, failed.";
    WEBHOOKS "ruzhi_webhooks_total" Counter, ["source" "verdict"], "Pushes of jiandaoyun and callbacks of wecom: accepted, duplicate, or why they were rejected.";
    TOLD "ruzhi_alert_messages_total" Counter, ["channel" "outcome"], "Messages to people by channel (robot, url): sent, failed, held_back.";
    HTTP "ruzhi_http_requests_total" Counter, ["route" "method" "status"], "Requests that were answered.";
    HTTP_TIME "ruzhi_http_request_duration_seconds" Histogram(CALL_SECONDS), ["route"], "How long answers took; a stream counts until it begins.";
    FLOWS "ruzhi_flows" Gauge, ["state"], "Flows by schedule state: waiting, idle, queued, running, retrying, paused, blocked.";
    FLOW_NEXT "ruzhi_flow_next_run_timestamp_seconds" Gauge, ["tenant" "flow"], "When the flow runs next; absent where that is not known.";
    FLOW_FAILURES "ruzhi_flow_failures" Gauge, ["tenant" "flow"], "Runs of the flow that failed one after another.";
    FLOW_BLOCKED "ruzhi_flow_blocked" Gauge, ["tenant" "flow"], "1 while a service rejects the flow's credential, address or right.";
    FLOW_PAUSED "ruzhi_flow_paused" Gauge, ["tenant" "flow"], "1 while a person has stopped the flow.";
    FLOW_LATE "ruzhi_flow_late" Gauge, ["tenant" "flow"], "1 while the flow should have begun long ago.";
    FLOW_HELD "ruzhi_flow_plans_held" Gauge, ["tenant" "flow"], "Plans that wait for a person.";
    FLOW_QUARANTINE "ruzhi_flow_quarantine_records" Gauge, ["tenant" "flow"], "Records in quarantine.";
    FLOW_MEMBERS "ruzhi_flow_members" Gauge, ["tenant" "flow"], "Members in the directory that the flow's records own.";
    FLOW_LAST "ruzhi_flow_last_run_timestamp_seconds" Gauge, ["tenant" "flow"], "When the flow's last run ended.";
    QUEUE_DEPTH "ruzhi_queue_depth" Gauge, [], "Flows that wait for room.";
    QUEUE_AGE "ruzhi_queue_age_seconds" Gauge, [], "How long the first of them has waited.";
    ALERTS "ruzhi_alerts_active" Gauge, ["kind"], "Active alerts.";
    CONFIG_INVALID "ruzhi_config_invalid" Gauge, [], "1 while the files hold something that does not run.";
    STORE_BYTES "ruzhi_store_bytes" Gauge, ["file"], "Size of the store: database, and wal, its log.";
    HEARTBEAT "ruzhi_scheduler_heartbeat_age_seconds" Gauge, [], "How long ago the scheduler last checked its schedule.";
    START "process_start_time_seconds" Gauge, [], "When the process began.";
    CPU "process_cpu_seconds_total" Counter, [], "Processor time the process has used.";
    RESIDENT "process_resident_memory_bytes" Gauge, [], "Memory the process holds.";
    THREADS "process_threads" Gauge, [], "Threads of the process.";
    OPEN_FILES "process_open_fds" Gauge, [], "Files and connections the process holds open.";
    MOST_FILES "process_max_fds" Gauge, [], "How many it may hold.";
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStatus {
    /// The service's code; 0 is success.
    Code(i64),
    /// An HTTP status from an intermediary.
    Http(u16),
    /// No answer, or an unreadable one.
    None,
}

/// A run that has ended.
pub struct EndedRun<'a> {
    /// Its tenant.
    pub tenant: &'a TenantId,
    /// Its flow.
    pub flow: &'a FlowId,
    /// The kind of run, in a word.
    pub kind: &'static str,
    /// The state it ended in, in a word.
    pub state: &'static str,
    /// From beginning to end, where the end is known.
    pub took: Option<Duration>,
    /// Rows by outcome, of a run that may write.
    pub rows: &'a [(&'static str, u64)],
}

/// A run has ended.
pub fn run_ended(run: &EndedRun<'_>) {
    let EndedRun { kind, state, .. } = *run;
    let (tenant, flow) = (run.tenant.to_string(), run.flow.to_string());
    counter!(RUNS.name, "tenant" => tenant.clone(), "flow" => flow.clone(), "kind" => kind, "state" => state)
        .increment(1);
    if let Some(took) = run.took {
        histogram!(RUN_TIME.name, "kind" => kind, "state" => state).record(took.as_secs_f64());
    }
    for &(outcome, count) in run.rows {
        if count > 0 {
            counter!(ROWS.name, "tenant" => tenant.clone(), "flow" => flow.clone(), "outcome" => outcome)
                .increment(count);
        }
    }
}

/// Records a page read from a form.
pub fn rows_read(tenant: &TenantId, flow: &FlowId, rows: usize) {
    counter!(ROWS_READ.name, "tenant" => tenant.to_string(), "flow" => flow.to_string())
        .increment(rows as u64);
}

/// Records a call that was answered or failed. Codes larger than four bytes share one label: they come from outside.
pub fn called(service: RemoteService, api: &'static str, what: CallStatus, took: Duration) {
    let errcode = match what {
        CallStatus::Code(code) if i32::try_from(code).is_ok() => code.to_string(),
        CallStatus::Code(_) => "other".to_owned(),
        CallStatus::Http(status) => format!("http_{status}"),
        CallStatus::None => "none".to_owned(),
    };
    counter!(CALLS.name, "service" => service.as_str(), "api" => api, "errcode" => errcode).increment(1);
    histogram!(CALL_TIME.name, "service" => service.as_str(), "api" => api).record(took.as_secs_f64());
}

/// Records a call's wait for its turn.
pub fn waited(service: RemoteService, api: &'static str, waited: Duration) {
    histogram!(LIMITER_WAIT.name, "service" => service.as_str(), "api" => api).record(waited.as_secs_f64());
}

/// Records a batch of a guest. `failure` is the code of its error.
pub fn batch(guest: &str, records: usize, failure: Option<&'static str>, wall: Duration, peak: usize) {
    let guest = guest.to_owned();
    let outcome = failure.unwrap_or("decided");
    counter!(GUEST_BATCHES.name, "guest" => guest.clone(), "outcome" => outcome).increment(1);
    counter!(GUEST_RECORDS.name, "guest" => guest.clone()).increment(records as u64);
    histogram!(GUEST_TIME.name, "guest" => guest.clone()).record(wall.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a size far below 2^52")]
    histogram!(GUEST_PEAK.name, "guest" => guest).record(peak as f64);
}

/// Records outcomes written to form rows, or a failure to do so.
pub fn write_back(tenant: &TenantId, flow: &FlowId, written: bool, rows: usize) {
    if rows == 0 {
        return;
    }
    let outcome = if written { "written" } else { "failed" };
    counter!(WRITE_BACKS.name, "tenant" => tenant.to_string(), "flow" => flow.to_string(), "outcome" => outcome)
        .increment(rows as u64);
}

/// Records a push from a service. The verdict is one of our own words.
pub fn webhook(source: RemoteService, verdict: &'static str) {
    counter!(WEBHOOKS.name, "source" => source.as_str(), "verdict" => verdict).increment(1);
}

/// Records a message to people, sent or not.
pub fn alert_message(channel: &'static str, outcome: &'static str) {
    counter!(TOLD.name, "channel" => channel, "outcome" => outcome).increment(1);
}

/// Records an answered request. `route` is the pattern it matched, never its path.
pub fn request(route: &str, method: &'static str, status: u16, took: Duration) {
    let route = route.to_owned();
    counter!(HTTP.name, "route" => route.clone(), "method" => method, "status" => status.to_string())
        .increment(1);
    histogram!(HTTP_TIME.name, "route" => route).record(took.as_secs_f64());
}

/// Sets a gauge without labels.
pub fn set(metric: &Metric, value: f64) {
    gauge!(metric.name).set(value);
}

/// Sets a counter that is maintained elsewhere.
pub fn count_to(metric: &Metric, value: u64) {
    counter!(metric.name).absolute(value);
}

/// Sets a gauge with one label.
pub fn set_of(metric: &Metric, label: &str, value: f64) {
    if let &[name] = metric.labels {
        gauge!(metric.name, name => label.to_owned()).set(value);
    }
}

/// Sets a gauge of a flow.
pub fn set_flow(metric: &Metric, tenant: &TenantId, flow: &FlowId, value: f64) {
    gauge!(metric.name, "tenant" => tenant.to_string(), "flow" => flow.to_string()).set(value);
}
