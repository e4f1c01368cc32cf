//! Members removed by hand: they are displayed, and a person decides.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::dom::Dom;
use super::store::{line, operations, rejected};
use super::{OPERATOR, Served, VIEWER, acme, now};
use ruzhi_model::{OperationState, RejectedBy, Rejection, WaitsFor};
use ruzhi_store::{Database, Settlement};

const LIST: &str = "/api/v1/tenants/acme/members/removed";
const DECIDE: &str = "/api/v1/tenants/acme/members/w1/removal";
const FORM: &str = "application/x-www-form-urlencoded";
/// The labels of the buttons, in both languages.
const BUTTONS: [(&str, &str); 3] = [
    ("Create again, without an invitation", "重新创建，不发邀请"),
    ("Create again and invite", "重新创建并邀请"),
    ("Let go: ruzhi does nothing more", "不再管理"),
];

/// Records that the member of the first record was removed.
pub(crate) async fn remove(store: &Database) {
    let operation = operations().remove(0);
    let found = line(1, operation.member.clone()).removed(now());
    let violations = rejected("userid", "member.removed", "w1 was removed by hand", "w1 已被手工删除");
    let refusal = Rejection { waits_for: WaitsFor::Person, ..Rejection::new(RejectedBy::Plan, violations) };
    let settlement = Settlement {
        place: 0,
        operation: Arc::new(operation),
        state: OperationState::Lost,
        errcode: None,
        errmsg: None,
        attempts: vec![],
        ledger: Some(found),
        rejection: Some(refusal),
    };
    let plan = "nowhere".parse().unwrap();
    store.operations_settle(&[acme()], &acme(), &plan, &[settlement], now()).await.unwrap();
}

async fn listed(served: &Served) -> Value {
    let items = served.get(VIEWER, LIST).await.json()["items"].take();
    let of = |item: &Value| json!([item["userid"], item["unsure"], item["answer"], item["waits"]]);
    items.as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn an_operator_decides_and_may_decide_again() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    assert_eq!(listed(&served).await, json!([]));
    let there = served.post(OPERATOR, DECIDE, json!({"answer": "recreate"})).await;
    assert_eq!((there.status, there.code().as_str()), (StatusCode::CONFLICT, "member.state"));
    let absent = "/api/v1/tenants/acme/members/absent/removal";
    let unknown = served.post(OPERATOR, absent, json!({"answer": "recreate"})).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::NOT_FOUND, "member.unknown"));

    remove(served.state.app.store.as_ref()).await;
    assert_eq!(listed(&served).await, json!([["w1", true, null, true]]));
    for wish in
        [json!({}), json!({"answer": "maybe"}), json!({"answer": "release", "reason": "x".repeat(501)})]
    {
        let wrong = served.post(OPERATOR, DECIDE, wish).await;
        assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::BAD_REQUEST, "request"));
    }
    assert!(asked.lock().unwrap().is_empty(), "nothing was decided yet");

    let yes = served.post(OPERATOR, DECIDE, json!({"answer": "recreate", "reason": "误删"})).await;
    assert_eq!(yes.status, StatusCode::ACCEPTED, "{}", yes.body);
    assert_eq!(listed(&served).await, json!([["w1", true, "recreate", false]]));
    let other = served.post(OPERATOR, &DECIDE.replace("w1", "W1"), json!({"answer": "release"})).await;
    assert_eq!(other.status, StatusCode::ACCEPTED, "{}", other.body);
    assert_eq!(listed(&served).await, json!([["w1", true, "release", false]]));
    let sync = "韩梅梅 asks acme/onboarding for Sync(RunOptions { full: false, accept_missing: false })";
    assert_eq!(*asked.lock().unwrap(), [sync, sync]);
    let log = served.get(VIEWER, "/api/v1/audit?limit=2").await.json();
    let rows = log["items"].as_array().unwrap();
    let told = |row: &Value| json!([row["action"], row["subject"], row["detail"], row["outcome"]]);
    assert_eq!(told(&rows[1]), json!(["member.removal", "w1", "recreate: 误删", "done"]));
    assert_eq!(told(&rows[0]), json!(["member.removal", "W1", "release", "done"]));
}

#[tokio::test]
async fn the_quarantine_says_what_an_entry_waits_for_and_whom_it_is_about() {
    let served = Served::full().await;
    remove(served.state.app.store.as_ref()).await;
    let told = served.get(VIEWER, "/api/v1/quarantine?rule=member.removed").await.json();
    let entry = &told["page"]["items"][0];
    assert_eq!((&entry["waits_for"], &entry["removal"]["userid"]), (&json!("person"), &json!("w1")));
    assert_eq!(entry["waits"], json!({"en": "waits for a person's decision", "zh": "等待人工决定"}));
    let other = served.get(VIEWER, "/api/v1/quarantine?rule=name.missing").await.json();
    let entry = &other["page"]["items"][0];
    assert_eq!((&entry["waits_for"], &entry["removal"]), (&json!("row"), &Value::Null));
    let sheet = served.get(VIEWER, "/api/v1/quarantine.csv?lang=zh").await.body;
    assert!(sheet.contains("等待人工决定") && sheet.contains("请修正表单中的这一行"), "{sheet}");
}

#[tokio::test]
async fn pages_have_the_buttons_for_operators_alone_in_both_languages() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    remove(served.state.app.store.as_ref()).await;
    let record = format!("/records/acme/onboarding/{:024x}", 1);
    for page in ["/quarantine", "/quarantine?rule=member.removed", record.as_str()] {
        let by = if page.contains('?') { '&' } else { '?' };
        for (lang, pick) in [("en", 0), ("zh", 1)] {
            let address = format!("{page}{by}lang={lang}");
            let operator = served.get(OPERATOR, &address).await;
            let viewer = served.get(VIEWER, &address).await;
            for (en, zh) in BUTTONS {
                let word = [en, zh][pick];
                let buttons = operator.dom().texts("form[action='/members/acme/w1/removal'] button");
                assert!(
                    buttons.iter().any(|button| button == word),
                    "{address} has no {word} in {buttons:?}"
                );
                assert!(!viewer.body.contains(word), "{address} has {word} for a viewer");
            }
            assert!(viewer.body.contains(["Removed from WeCom by hand", "在企业微信中被手工删除"][pick]));
        }
    }
    let overview = served.get(VIEWER, "/?lang=zh").await.body;
    assert!(overview.contains("有 1 名成员在企业微信中被手工删除"), "{overview}");
    assert!(Dom::of(&overview).has("a[href*='rule=member.removed']"), "{overview}");

    let action = "/members/acme/w1/removal";
    let no = served.sends(Method::POST, VIEWER, action, Some(FORM), "csrf=x&answer=release").await;
    assert_eq!(no.status, StatusCode::FORBIDDEN);
    assert!(asked.lock().unwrap().is_empty());
    let form = "csrf=x&reason=&answer=recreate_invited";
    let yes = served.sends(Method::POST, OPERATOR, action, Some(FORM), form).await;
    assert_eq!(yes.status, StatusCode::SEE_OTHER, "{}", yes.body);
    assert_eq!(listed(&served).await, json!([["w1", true, "recreate_invited", false]]));
    let after = served.get(VIEWER, "/quarantine?lang=en").await.body;
    assert!(after.contains("decided; the next run carries it out"), "{after}");
    let overview = served.get(VIEWER, "/?lang=zh").await.body;
    assert!(!overview.contains("被手工删除"), "decided: nothing waits");
}
