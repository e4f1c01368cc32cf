//! The permissions of a viewer, over every route in the document.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{OPERATOR, SECRETS, Served, VIEWER};
use crate::api::document;

/// Every route in the document, with existing names in its address.
pub(super) fn every_route() -> Vec<(Method, String, String)> {
    let document = serde_json::to_value(document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            routes.push((method, path.clone(), path.clone()));
        }
    }
    routes
}

/// A path with existing names.
pub(super) async fn filled(served: &Served, path: &str) -> String {
    let runs = served.get(VIEWER, "/api/v1/runs?state=held").await.json();
    let plan = runs["items"][0]["plan"].as_str().unwrap().to_owned();
    path.replace("{tenant}", "acme")
        .replace("{flow}", "onboarding")
        .replace("{run}", "r3")
        .replace("{plan}", &plan)
        .replace("{record}", &format!("{:024x}", 2))
        .replace("{userid}", "w1")
}

/// The body of an action's request.
pub(super) fn wish(path: &str) -> Value {
    if path.ends_with("/activate") {
        json!({ "rules": "0".repeat(64) })
    } else if path.ends_with("/reject") {
        json!({ "reason": "不对" })
    } else if path.ends_with("/removal") {
        json!({ "answer": "recreate" })
    } else {
        json!({})
    }
}

#[tokio::test]
async fn a_viewer_may_not_do_anything_and_it_is_written_down_that_they_tried() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    let mut tried = 0;
    for (method, path, _) in every_route().into_iter().filter(|(method, ..)| *method != Method::GET) {
        let there = filled(&served, &path).await;
        let anonymous = served.with(method.clone(), "", &there, Some(wish(&path))).await;
        assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED, "{path}");
        let viewer = served.with(method, VIEWER, &there, Some(wish(&path))).await;
        assert_eq!(
            (viewer.status, viewer.code().as_str()),
            (StatusCode::FORBIDDEN, "access.forbidden"),
            "{path}"
        );
        tried += 1;
    }
    assert_eq!(tried, 10);
    assert!(asked.lock().unwrap().is_empty(), "nothing was asked of the scheduler");
    let log = served.get(VIEWER, "/api/v1/audit?limit=100").await.json();
    let rows = log["items"].as_array().unwrap();
    assert_eq!(rows.len(), tried);
    for row in rows {
        assert_eq!((&row["who"], &row["outcome"]), (&"李雷".into(), &"access.forbidden".into()), "{row}");
        assert_eq!((&row["role"], &row["origin"]), (&"viewer".into(), &"api 192.0.2.7".into()));
    }
}

#[tokio::test]
async fn what_is_masked_is_for_an_operator_and_asking_is_written_down() {
    let served = Served::full().await;
    let document = serde_json::to_value(document()).unwrap();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let reveals = item["get"]["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "reveal"));
        if !reveals {
            continue;
        }
        tried += 1;
        let there = filled(&served, path).await;
        let viewer = served.get(VIEWER, &format!("{there}?reveal=true")).await;
        assert_eq!(viewer.status, StatusCode::FORBIDDEN, "{path}");
        let operator = served.get(OPERATOR, &format!("{there}?reveal=true")).await;
        assert_eq!(operator.status, StatusCode::OK, "{path} {}", operator.body);
        let log = served.get(VIEWER, "/api/v1/audit?limit=2").await.json();
        let [done, refused] = log["items"].as_array().unwrap().as_slice() else { panic!("{log}") };
        assert_eq!((&done["who"], &done["outcome"]), (&"韩梅梅".into(), &"done".into()), "{path}");
        assert_eq!((&refused["who"], &refused["outcome"]), (&"李雷".into(), &"access.forbidden".into()));
        assert!(done["action"].as_str().unwrap().ends_with(".reveal"), "{done}");
    }
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn no_answer_holds_a_secret_and_no_masked_one_a_number_of_a_person() {
    let served = Served::full().await;
    let numbers = ["13800138000", "13900139000", "139001390001", "13700137000", "li.si@example.com"];
    let mut asked = 0;
    for (_, path, _) in every_route().into_iter().filter(|(method, ..)| *method == Method::GET) {
        if path == "/api/v1/events" {
            continue;
        }
        let there = filled(&served, &path).await;
        for token in [VIEWER, OPERATOR] {
            let answer = served.get(token, &there).await;
            assert_eq!(answer.status, StatusCode::OK, "{there}: {}", answer.body);
            for secret in SECRETS.iter().chain(&[VIEWER, OPERATOR]).chain(&numbers) {
                assert!(!answer.body.contains(secret), "{there} holds {secret}: {}", answer.body);
            }
            asked += 1;
        }
    }
    assert!(asked > 30, "{asked}");
}
