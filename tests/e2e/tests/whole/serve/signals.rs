//! Monitoring of a long-lived process: metrics, health, logs.

use std::collections::BTreeMap;

use ruzhi_e2e::Serving;
use serde_json::Value;

use super::schedule::each_minute;
use crate::site::Site;

const TOKEN: &str = "a-token-that-is-long-enough-0123456789";

/// The series of `/metrics`, by their text form, with their values.
fn series(serving: &Serving) -> BTreeMap<String, f64> {
    let answer = serving.get("/metrics").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let lines = answer.body.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn a_run_is_seen_in_metrics_and_in_the_log() {
    let mut site = Site::new(20, each_minute);
    site.workforce.publish(&site.simulator).unwrap();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let flow = "tenant=\"jingxintai\",flow=\"onboarding\"";
    let done = format!("ruzhi_runs_total{{{flow},kind=\"sync\",state=\"done\"}}");
    let seen = serving
        .wait("a run in the metrics", || Some(series(&serving)).filter(|seen| seen.contains_key(&done)))
        .unwrap();
    for (name, value) in [
        (format!("ruzhi_rows_total{{{flow},outcome=\"created\"}}"), 20.0),
        ("ruzhi_calls_total{service=\"wecom\",api=\"user/create\",errcode=\"0\"}".to_owned(), 20.0),
        ("ruzhi_limiter_wait_seconds_count{service=\"wecom\",api=\"user/create\"}".to_owned(), 20.0),
        ("ruzhi_guest_records_total{guest=\"member\"}".to_owned(), 20.0),
        (format!("ruzhi_flow_blocked{{{flow}}}"), 0.0),
        (format!("ruzhi_flow_failures{{{flow}}}"), 0.0),
        ("ruzhi_queue_depth".to_owned(), 0.0),
        ("ruzhi_config_invalid".to_owned(), 0.0),
    ] {
        assert_eq!(seen.get(&name), Some(&value), "{name} in {seen:#?}");
    }
    assert!(seen["process_resident_memory_bytes"] > 1_000_000.0);
    assert!(seen["ruzhi_store_bytes{file=\"database\"}"] > 0.0);
    let guests = "ruzhi_guest_batch_peak_bytes_sum{guest=\"member\"}";
    assert!(seen[guests] > 60_000.0, "{guests}: {}", seen[guests]);

    // Every reported metric is in the reference.
    let reference = include_str!("../../../../../docs/reference/metrics.md");
    for name in seen.keys() {
        let name = name.split('{').next().unwrap();
        let name =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(reference.contains(&format!("| `{name}` |")), "{name} is not in the reference");
    }

    // Standard error is not a terminal, so the log is for machines.
    let log = serving.log().unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ended = lines.iter().find(|line| line["message"] == "run ended").unwrap();
    assert_eq!(ended["tenant.id"], "jingxintai", "{ended}");
    assert_eq!(ended["counts.created"], 20, "{ended}");
}

#[test]
fn health_needs_no_token_and_metrics_need_one_once_there_is_one() {
    let site = Site::new(3, each_minute);
    let toml = site.deployment.path().join("ruzhi.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.clone() + "\n[server]\ntoken = { env = \"RUZHI_TOKEN\" }\n").unwrap();
    let serving = Serving::start(&site.deployment, &[("RUZHI_TOKEN", TOKEN)]).unwrap();
    for path in ["/healthz", "/readyz"] {
        let answer = serving.get(path).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.json().unwrap()["ok"], true);
        assert!(!answer.body.contains("jingxintai"), "{path} names a tenant: {}", answer.body);
    }
    assert_eq!(serving.get("/metrics").unwrap().status, 401);
    let bearer = format!("Bearer {TOKEN}");
    let answer = serving.ask("GET", "/metrics", &[("authorization", &bearer)], Vec::new()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("ruzhi_build_info{version="), "{}", answer.body);
    assert!(!serving.log().unwrap().contains(TOKEN));

    // A container's health check, every half minute.
    let alive = |listen: &str| {
        std::fs::write(&toml, format!("{text}\n[server]\nlisten = \"{listen}\"\n")).unwrap();
        site.deployment.run(&["doctor", "--alive", "--json"]).unwrap()
    };
    let there = alive(serving.url.trim_start_matches("http://"));
    assert_eq!(there.code, Some(0), "{}{}", there.stdout, there.stderr);
    let address = serving.url.trim_start_matches("http://").to_owned();
    serving.end().unwrap();
    let gone = alive(&address);
    assert_eq!(gone.code, Some(1), "{}{}", gone.stdout, gone.stderr);
    assert!(gone.stdout.contains("does not answer"), "{}", gone.stdout);
}

#[test]
fn a_blocked_flow_and_refused_files_are_seen() {
    let mut site = Site::new(3, each_minute);
    let knobs = ruzhi_sim::Knobs { trusted_ip: false, ..ruzhi_sim::Knobs::default() };
    site.simulator.set_knobs(knobs);
    site.workforce.publish(&site.simulator).unwrap();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let flow = "tenant=\"jingxintai\",flow=\"onboarding\"";
    let blocked = format!("ruzhi_flow_blocked{{{flow}}}");
    let seen = serving
        .wait("a blocked flow", || Some(series(&serving)).filter(|seen| seen.get(&blocked) == Some(&1.0)))
        .unwrap();
    assert_eq!(seen["ruzhi_flows{state=\"blocked\"}"], 1.0);
    let refusals = seen.iter().filter(|(name, _)| name.contains("errcode=\"60020\"")).map(|(_, count)| count);
    assert!(refusals.sum::<f64>() >= 1.0, "{seen:#?}");

    std::fs::write(site.deployment.path().join("ruzhi.toml"), "[stor]\n").unwrap();
    serving
        .wait("refused files", || Some(series(&serving)).filter(|seen| seen["ruzhi_config_invalid"] == 1.0))
        .unwrap();
    let ready = serving.get("/readyz").unwrap();
    assert_eq!(ready.status, 200, "what ran before goes on");
    let reason = &ready.json().unwrap()["reasons"][0];
    assert_eq!((&reason["code"], &reason["fatal"]), (&Value::from("config.invalid"), &Value::from(false)));
}
