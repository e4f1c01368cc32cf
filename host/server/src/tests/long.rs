//! A row of a million letters, as a store may hold one that is older than the length limit of a field.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::roles::{every_route, filled};
use super::store::{plan, record, rejected, row};
use super::{OPERATOR, Served, VIEWER, acme, flow};
use ruzhi_model::{Decision, Origin, RejectedBy, Rejection, Violation};
use ruzhi_plan::Resolution;
use ruzhi_store::{PlanState, RecordRow};

/// Time limit for an answer that would take hours if each letter were compared with each letter.
const LONG: Duration = Duration::from_secs(60);
/// Size of the beginning of each cell, in a page for people.
const LARGE: usize = 600_000;

/// A process with such a row in its quarantine.
async fn served(letters: &str) -> Served {
    let served = Served::full().await;
    let text = letters.repeat(1_000_000 / letters.len());
    let content = json!({
        "_id": record(2),
        "_widget_1": text,
        "_widget_2": vec!["王五"; 100_000],
        "_widget_3": {"a": text, "b": text},
    });
    let invalid = rejected("_widget_1", "mobile.invalid", "one digit too many", "手机号多一位");
    let rows = [row(2, content, Decision::Reject(invalid))];
    served.state.app.store.records_put(&acme(), &flow(), &rows).await.unwrap();
    served
}

async fn is_quick(served: &Served, token: &str, path: &str) -> String {
    let began = Instant::now();
    let answer = served.get(token, path).await;
    assert!(began.elapsed() < LONG, "{path} took {:?}", began.elapsed());
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    assert!(answer.body.len() < LARGE, "{path} has {} bytes", answer.body.len());
    answer.body
}

#[tokio::test]
async fn every_route_answers_with_the_beginning_of_it() {
    for letters in ["a", "1 ", "f0", "工"] {
        let served = served(letters).await;
        for (_, path, _) in every_route().into_iter().filter(|(method, ..)| *method == Method::GET) {
            if path == "/api/v1/events" {
                continue;
            }
            is_quick(&served, VIEWER, &filled(&served, &path).await).await;
        }
        for path in [
            "/api/v1/quarantine?search=13800138000",
            "/api/v1/quarantine?rule=mobile.invalid&search=aaaa%20bbbb",
        ] {
            is_quick(&served, VIEWER, path).await;
        }
        for path in ["/api/v1/quarantine?reveal=true", "/api/v1/quarantine.csv?reveal=true"] {
            is_quick(&served, OPERATOR, path).await;
        }
    }
}

#[tokio::test]
async fn every_page_shows_the_beginning_of_it() {
    let served = served("a1").await;
    let row = format!("/records/acme/onboarding/{}", record(2));
    for page in [
        "/",
        "/tenants/acme",
        "/runs",
        "/runs/r2",
        "/quarantine",
        "/quarantine?search=%E7%8E%8B%E4%BA%94",
        "/quarantine.csv",
        &row,
        "/rules",
        "/rules/acme/onboarding",
        "/charts",
        "/alerts",
        "/audit",
        "/settings",
    ] {
        is_quick(&served, VIEWER, page).await;
    }
}

#[tokio::test]
async fn what_is_left_out_is_marked() {
    let served = served("字").await;
    let path = format!("/api/v1/tenants/acme/flows/onboarding/records/{}", record(2));
    let row = served.get(VIEWER, &path).await.json()["row"].clone();
    let cell =
        |field: &str| row.as_array().unwrap().iter().find(|cell| cell["field"] == field).unwrap().clone();
    assert_eq!(cell("_widget_1")["value"], "字字字***字字", "a mobile shows its ends");
    assert_eq!(cell("_widget_3")["value"], json!({"a": format!("{}…", "字".repeat(1_999)), "…": "…"}));
    let names = cell("_widget_2")["value"].as_array().unwrap().clone();
    assert_eq!((names.len(), &names[0], &names[names.len() - 1]), (668, &json!("王五"), &json!("…")));
}

/// Stores rejected rows, as a run leaves them.
async fn quarantined(served: &Served, rows: impl Iterator<Item = RecordRow>) {
    let rows: Vec<RecordRow> = rows.collect();
    served.state.app.store.records_put(&acme(), &flow(), &rows).await.unwrap();
    let refused = rows.iter().filter_map(|row| match &row.resolution {
        Resolution::Decided(Decision::Reject(reasons)) => {
            let origin = Origin { tenant: acme(), flow: flow(), record: row.id.clone() };
            let refusal = Rejection::new(RejectedBy::Guest, reasons.clone());
            Some((origin, refusal, row.content_hash.clone(), row.rules.clone()))
        }
        _ => None,
    });
    plan(served, "r9", PlanState::Done, Vec::new(), refused.collect()).await;
}

/// More rows than are read at once, each long: all of them are found.
#[tokio::test]
async fn many_long_rows_are_searched_and_exported_in_parts() {
    let served = Served::full().await;
    let long = "字".repeat(1_000);
    let three = |n: u32| {
        let first = rejected("_widget_1", "mobile.invalid", "one digit too many", "手机号多一位").remove(0);
        let reasons = (0..3).map(|k| Violation { rule: format!("rule.{k}"), ..first.clone() });
        let mut content = json!({"_id": record(n), "_widget_3": "赵六"});
        (10..50).for_each(|field| content[format!("_widget_{field}")] = json!(long));
        row(n, content, Decision::Reject(reasons.collect()))
    };
    quarantined(&served, (100..220).map(three)).await;
    let found = served.get(VIEWER, "/api/v1/quarantine?limit=1&search=%E8%B5%B5%E5%85%AD").await.json();
    assert_eq!(found["total"], 120);
    let sheet = served.get(VIEWER, "/api/v1/quarantine.csv?search=%E8%B5%B5%E5%85%AD").await;
    assert_eq!((sheet.status, sheet.body.lines().count()), (StatusCode::OK, 1 + 3 * 120));
}
