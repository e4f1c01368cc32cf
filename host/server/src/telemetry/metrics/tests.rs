use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{TimeDelta, TimeZone as _, Utc};

use super::*;
use ruzhi_metrics::{CallStatus, Metric, RemoteService};
use ruzhi_model::Text;
use ruzhi_plan::Counts;
use ruzhi_store::{Blocked, Paused, RunKind, RunRow, RunState};

/// The series in a text of Prometheus' format: by metric, the names of its labels.
fn told(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut told = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name_end = line.find(['{', ' ']).unwrap();
        let name = &line[..name_end];
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| {
                name.strip_suffix(end).filter(|base| text.contains(&format!("# TYPE {base} histogram")))
            })
            .unwrap_or(name);
        let labels = told.entry(base.to_owned()).or_default();
        if line[name_end..].starts_with('{') {
            let inside = &line[name_end + 1..line.rfind('}').unwrap()];
            labels.extend(inside.split("\",").map(|label| label.split('=').next().unwrap().to_owned()));
        }
        labels.remove("le");
    }
    told
}

fn flow(state: ScheduleStateKind) -> ScheduleState {
    let at = Utc.with_ymd_and_hms(2026, 1, 1, 8, 0, 0).unwrap();
    ScheduleState {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        state,
        next: Some(at),
        queued_since: Some(at - TimeDelta::seconds(90)),
        run: None,
        failures: 3,
        late: true,
        paused: Some(Paused { who: "李雷".to_owned(), at, why: None }),
        blocked: Some(Blocked {
            service: Some(RemoteService::Wecom),
            code: "wecom.60020".to_owned(),
            text: Text::new("no", "否"),
            hint: None,
            at,
            settings: String::new(),
        }),
    }
}

fn run(kind: RunKind) -> RunRow {
    let at = Utc.with_ymd_and_hms(2026, 1, 1, 8, 0, 0).unwrap();
    RunRow {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        id: "r1".parse().unwrap(),
        kind,
        cause: None,
        state: RunState::Done,
        started_at: at,
        ended_at: Some(at + TimeDelta::seconds(7)),
        plan: None,
        rules: None,
        counts: Counts { created: 4, rejected: 1, ..Counts::default() },
        calls: BTreeMap::new(),
        problem: None,
        failure: None,
    }
}

fn standing() -> Snapshot {
    let now = Utc.with_ymd_and_hms(2026, 1, 1, 8, 0, 0).unwrap();
    let status = FlowStatus {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        records: 9,
        members: 8,
        rejected: 2,
        leavers_rejected: 0,
        removed: 0,
        last_run: Some(run(RunKind::Sync)),
        watermark: None,
        held: vec!["p1".parse().unwrap()],
    };
    let alert = AlertRow {
        key: "plan.held/jingxintai/onboarding".to_owned(),
        kind: "plan.held".to_owned(),
        tenant: None,
        flow: None,
        text: Text::new("held", "待审批"),
        hint: None,
        page: None,
        since: now,
        last_seen: now,
        seen: 1,
        notified_at: None,
        resolved_at: None,
        resolution_notified_at: None,
    };
    Snapshot {
        now,
        started_at: now,
        heartbeat: TimeDelta::seconds(4),
        live: 2,
        config_invalid: true,
        flows: vec![flow(ScheduleStateKind::Blocked)],
        status: vec![status].into(),
        alerts: vec![alert],
        store: [Some(4096), Some(0)],
        own: ProcessStats::read(),
    }
}

/// Records every metric once.
fn tell_all() {
    let (tenant, flow) = ("jingxintai".parse().unwrap(), "onboarding".parse().unwrap());
    let took = Duration::from_millis(30);
    ruzhi_sync::count_run(&run(RunKind::Sync));
    ruzhi_metrics::rows_read(&tenant, &flow, 100);
    ruzhi_metrics::called(RemoteService::Wecom, "user/create", CallStatus::Code(60104), took);
    ruzhi_metrics::waited(RemoteService::Jiandaoyun, "data/list", took);
    ruzhi_metrics::batch("member", 100, None, took, 1 << 20);
    ruzhi_metrics::write_back(&tenant, &flow, true, 3);
    ruzhi_metrics::webhook(RemoteService::Wecom, "accepted");
    ruzhi_metrics::alert_message("robot", "sent");
    ruzhi_metrics::request("/runs/{run}", "GET", 200, took);
}

fn everything() -> String {
    let recorder = recorder().unwrap();
    metrics::with_local_recorder(&recorder, tell_all);
    recorder.handle().render() + &standing().render().unwrap()
}

#[test]
fn what_is_told_is_what_is_described_label_by_label() {
    let described: BTreeMap<String, BTreeSet<String>> = METRICS
        .iter()
        .map(|metric| (metric.name.to_owned(), metric.labels.iter().map(ToString::to_string).collect()))
        .collect();
    assert_eq!(described.len(), METRICS.len(), "a name stands twice");
    assert_eq!(told(&everything()), described);
}

#[test]
fn every_metric_has_its_type_and_its_meaning() {
    let text = everything();
    for Metric { name, kind, help, .. } in METRICS {
        assert!(text.contains(&format!("# TYPE {name} {}\n", kind.word())), "{name}");
        assert!(text.contains(&format!("# HELP {name} {help}\n")), "{name}");
    }
}

#[test]
fn numbers_come_out_as_they_went_in() {
    let text = everything();
    for line in [
        "ruzhi_runs_total{tenant=\"jingxintai\",flow=\"onboarding\",kind=\"sync\",state=\"done\"} 1",
        "ruzhi_run_duration_seconds_sum{kind=\"sync\",state=\"done\"} 7",
        "ruzhi_rows_total{tenant=\"jingxintai\",flow=\"onboarding\",outcome=\"created\"} 4",
        "ruzhi_calls_total{service=\"wecom\",api=\"user/create\",errcode=\"60104\"} 1",
        "ruzhi_call_duration_seconds_bucket{service=\"wecom\",api=\"user/create\",le=\"0.025\"} 0",
        "ruzhi_call_duration_seconds_bucket{service=\"wecom\",api=\"user/create\",le=\"0.05\"} 1",
        "ruzhi_flows{state=\"blocked\"} 1",
        "ruzhi_flows{state=\"running\"} 0",
        "ruzhi_queue_age_seconds 90",
        "ruzhi_flow_blocked{tenant=\"jingxintai\",flow=\"onboarding\"} 1",
        "ruzhi_flow_next_run_timestamp_seconds{tenant=\"jingxintai\",flow=\"onboarding\"} 1767254400",
        "ruzhi_alerts_active{kind=\"plan.held\"} 1",
        "ruzhi_store_bytes{file=\"database\"} 4096",
    ] {
        assert!(text.lines().any(|told| told == line), "no `{line}` in\n{text}");
    }
}

#[test]
fn a_run_that_only_plans_counts_no_rows() {
    let recorder = recorder().unwrap();
    metrics::with_local_recorder(&recorder, || ruzhi_sync::count_run(&run(RunKind::Plan)));
    let text = recorder.handle().render();
    assert!(text.contains("ruzhi_runs_total"), "{text}");
    assert!(!text.contains("ruzhi_rows_total{"), "{text}");
}

#[test]
fn codes_from_outside_make_no_more_series_than_there_are_codes() {
    let recorder = recorder().unwrap();
    metrics::with_local_recorder(&recorder, || {
        for code in [i64::MAX, i64::MIN, 1 << 40] {
            ruzhi_metrics::called(
                RemoteService::Wecom,
                "user/create",
                CallStatus::Code(code),
                Duration::ZERO,
            );
        }
        ruzhi_metrics::called(RemoteService::Wecom, "user/create", CallStatus::Http(502), Duration::ZERO);
        ruzhi_metrics::called(RemoteService::Wecom, "user/create", CallStatus::None, Duration::ZERO);
    });
    let text = recorder.handle().render();
    let series: BTreeSet<&str> = text.lines().filter(|line| line.starts_with("ruzhi_calls_total{")).collect();
    let expected = [("other", 3), ("http_502", 1), ("none", 1)].map(|(errcode, count)| {
        format!("ruzhi_calls_total{{service=\"wecom\",api=\"user/create\",errcode=\"{errcode}\"}} {count}")
    });
    assert_eq!(series, expected.iter().map(String::as_str).collect());
}

/// The lines about the process.
fn told_of_process(own: ProcessStats) -> BTreeMap<String, f64> {
    let text = Snapshot { own, ..standing() }.render().unwrap();
    let lines =
        text.lines().filter(|line| line.starts_with("process_") && !line.starts_with("process_start_"));
    let pairs = lines.map(|line| line.split_once(' ').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

#[test]
fn the_process_is_read_from_the_files_of_proc() {
    let limit = || real(rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap());
    // Another test of this process may raise the limit meanwhile.
    let before = limit();
    let told = told_of_process(ProcessStats::read());
    assert!((before..=limit()).contains(&told["process_max_fds"]), "{told:?}");
    assert!(told["process_resident_memory_bytes"] > 1_000_000.0, "{told:?}");
    // Standard input, output and error; this thread.
    assert!(told["process_open_fds"] >= 3.0 && told["process_open_fds"] <= limit(), "{told:?}");
    assert!(told["process_threads"] >= 1.0, "{told:?}");
    let seconds = told["process_cpu_seconds_total"];
    assert!(seconds < 100_000.0, "ticks are not seconds: {seconds}");
    assert_eq!(told_of_process(ProcessStats::default()), BTreeMap::new(), "what is not known is left out");
}

fn repository(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_reference_is_the_list() {
    let reference = repository("docs/reference/metrics.md");
    let rows: String = METRICS
        .iter()
        .map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            format!(
                "| `{}` | {} | {} | {} |\n",
                metric.name,
                metric.kind.word(),
                labels.join(", "),
                metric.help
            )
        })
        .collect();
    assert!(reference.contains(&rows), "docs/reference/metrics.md is to hold these rows:\n{rows}");
}

/// Names of metrics in an expression of PromQL: words with an underscore that are neither functions nor labels.
fn named(expr: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut quoted = false;
    let mut word = String::new();
    for c in expr.chars().chain([' ']) {
        if c == '"' {
            quoted = !quoted;
        }
        if !quoted && (c.is_ascii_alphanumeric() || c == '_' || c == ':') {
            word.push(c);
            continue;
        }
        let word = std::mem::take(&mut word);
        if !quoted && (word.starts_with("ruzhi_") || word.starts_with("process_")) {
            names.insert(word);
        }
    }
    names
}

/// True if a name is a series of a metric.
fn exists(name: &str) -> bool {
    METRICS.iter().any(|metric| match metric.kind {
        MetricKind::Histogram(_) => {
            ["_bucket", "_sum", "_count"].iter().any(|end| name.strip_suffix(end) == Some(metric.name))
        }
        _ => metric.name == name,
    })
}

/// The values of a key anywhere in a document.
fn values(key: &str, value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                match value.as_str() {
                    Some(text) if name == key => found.push(text.to_owned()),
                    _ => values(key, value, found),
                }
            }
        }
        serde_json::Value::Array(array) => array.iter().for_each(|value| values(key, value, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_metrics_that_exist() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&repository("packaging/grafana/ruzhi.json")).unwrap();
    let mut exprs = Vec::new();
    values("expr", &dashboard, &mut exprs);
    assert!(exprs.len() > 15, "a dashboard of {} questions", exprs.len());
    let alerts = repository("packaging/prometheus/alerts.yml");
    let alerts: Vec<String> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ").map(str::to_owned)).collect();
    assert!(alerts.len() > 6, "{} alerts", alerts.len());
    for expr in exprs.iter().chain(&alerts) {
        let names = named(expr);
        assert!(!names.is_empty() || expr.contains("up{"), "no metric in `{expr}`");
        for name in names {
            assert!(exists(&name), "`{name}` does not exist; it is asked for by `{expr}`");
        }
    }
}
