//! The OpenAPI document, the routes, and invalid requests.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::roles::{every_route, filled};
use super::{OPERATOR, Served, VIEWER, acme, flow, now};
use crate::api::document;
use ruzhi_store::{RunKind, RunState};

#[test]
fn the_document_is_the_one_in_the_repository() {
    let document = document();
    let text = format!("{}\n", serde_json::to_string_pretty(document).unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    if std::env::var_os("RUZHI_BLESS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == text, "docs/reference/openapi.json is of another API: RUZHI_BLESS=1 writes it anew");
}

#[tokio::test]
async fn every_route_has_the_methods_the_document_lists_and_no_other() {
    let mut served = Served::full().await;
    let _asked = served.agreeing();
    let listed: BTreeSet<(String, String)> =
        every_route().into_iter().map(|(method, path, _)| (method.to_string(), path)).collect();
    for path in document().paths.paths.keys().filter(|path| !path.ends_with("/events")) {
        let there = filled(&served, path).await;
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = served
                .with(method.clone(), VIEWER, &there, Some(json!({"rules": "0".repeat(64), "reason": "x"})))
                .await;
            let is_listed = listed.contains(&(method.to_string(), path.clone()));
            assert_eq!(answer.status != StatusCode::METHOD_NOT_ALLOWED, is_listed, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_or_is_not_there_is_told_as_data() {
    let mut served = Served::full().await;
    let _asked = served.agreeing();
    let flow = "/api/v1/tenants/acme/flows/onboarding";
    for (path, status, code) in [
        ("/api/v1/no/such", StatusCode::NOT_FOUND, "address.unknown"),
        ("/api/v1/tenants/unknown", StatusCode::NOT_FOUND, "tenant.unknown"),
        ("/api/v1/tenants/-", StatusCode::BAD_REQUEST, "request"),
        ("/api/v1/runs/r999", StatusCode::NOT_FOUND, "run.unknown"),
        ("/api/v1/runs/r999/events", StatusCode::NOT_FOUND, "run.unknown"),
        ("/api/v1/runs?state=odd", StatusCode::BAD_REQUEST, "request"),
        ("/api/v1/runs?limit=many", StatusCode::BAD_REQUEST, "request"),
        ("/api/v1/tenants/acme/plans/p0", StatusCode::NOT_FOUND, "plan.unknown"),
        ("/api/v1/tenants/acme/flows/onboarding/records/0", StatusCode::NOT_FOUND, "record.unknown"),
        ("/api/v1/tenants/acme/flows/other/rules", StatusCode::NOT_FOUND, "flow.unknown"),
        (
            "/api/v1/tenants/acme/flows/onboarding/rules/difference?to=%2399",
            StatusCode::NOT_FOUND,
            "activation.unknown",
        ),
    ] {
        let answer = served.get(VIEWER, path).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
        let error = &answer.json()["error"];
        assert!(error["message"]["en"].is_string() && error["message"]["zh"].is_string(), "{error}");
    }
    let broken = served.post(OPERATOR, &format!("{flow}/runs"), json!({"what": "everything"})).await;
    assert_eq!((broken.status, broken.code().as_str()), (StatusCode::BAD_REQUEST, "request"));
    let nowhere = served.post(OPERATOR, "/api/v1/tenants/acme/flows/other/pause", json!({})).await;
    assert_eq!((nowhere.status, nowhere.code().as_str()), (StatusCode::NOT_FOUND, "flow.unknown"));
    let empty = served.with(Method::POST, OPERATOR, &format!("{flow}/pause"), None).await;
    assert_eq!(empty.status, StatusCode::OK, "what has defaults needs no body");
}

#[tokio::test]
async fn a_filter_that_a_form_leaves_empty_is_none() {
    let served = Served::full().await;
    let all = served.get(VIEWER, "/api/v1/runs?tenant=&flow=&state=&kind=&cursor=&limit=").await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 3, "{}", all.body);
    let none = served.get(VIEWER, "/api/v1/quarantine?tenant=&rule=&search=&reveal=").await;
    assert_eq!(none.json()["total"], 2, "{}", none.body);
}

/// The events of a stream that has ended, each as name and data.
fn events(body: &str) -> Vec<(String, serde_json::Value)> {
    let mut events = Vec::new();
    for block in body.split("\n\n").filter(|block| block.contains("event:")) {
        let part = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        events.push((part("event:"), serde_json::from_str(&part("data:")).unwrap()));
    }
    events
}

#[tokio::test]
async fn a_run_that_has_ended_says_so_at_once() {
    let served = Served::full().await;
    let answer = served.get(VIEWER, "/api/v1/runs/r3/events").await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let events = events(&answer.body);
    let [(name, data)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((name.as_str(), &data["state"], &data["id"]), ("ended", &"failed".into(), &"r3".into()));
}

#[tokio::test]
async fn a_run_is_followed_to_its_end_however_fast_it_goes() {
    use ruzhi_sync::Stage;

    let served = Served::by(super::people()).await;
    let row = ruzhi_store::RunRow {
        tenant: acme(),
        flow: flow(),
        id: "r7".parse().unwrap(),
        kind: RunKind::Sync,
        cause: Some(ruzhi_store::RunCause::Push),
        state: RunState::Running,
        started_at: now(),
        ended_at: None,
        plan: None,
        rules: None,
        counts: ruzhi_plan::Counts::default(),
        calls: Default::default(),
        problem: None,
        failure: None,
    };
    let state = std::sync::Arc::clone(&served.state);
    let progress = state.app.live.progress(std::sync::Arc::clone(&state.app.clock), |_| {});
    progress.began(&row);
    // From here on nothing queries the store, which runs on real time.
    tokio::time::pause();
    let watching = served.get(VIEWER, "/api/v1/runs/r7/events");
    let running = async {
        progress.entered(Stage::Collect);
        // A hundred steps of ten milliseconds each are a second: some five events.
        for rows in 1..=100 {
            tokio::time::advance(std::time::Duration::from_millis(10)).await;
            progress.collected(rows);
            tokio::task::yield_now().await;
        }
        let ended = ruzhi_store::RunRow { state: RunState::Done, ended_at: Some(now()), ..row.clone() };
        state.app.live.ended(&ended);
    };
    let (answer, ()) = tokio::join!(watching, running);
    let events = events(&answer.body);
    let progress: Vec<u64> = events
        .iter()
        .filter(|(name, _)| name == "progress")
        .map(|(_, data)| data["rows"].as_u64().unwrap())
        .collect();
    assert!((2..=6).contains(&progress.len()), "{progress:?}");
    assert!(progress.is_sorted(), "{progress:?}");
    let (name, data) = events.last().unwrap();
    assert_eq!((name.as_str(), &data["state"]), ("ended", &"done".into()));
    assert_eq!(events.iter().filter(|(name, _)| name == "ended").count(), 1);
}
