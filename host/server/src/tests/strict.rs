//! Input is read strictly, and errors name the unreadable part in both languages.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::roles::{every_route, filled, wish};
use super::{Answer, OPERATOR, Served, VIEWER, acme, flow};
use ruzhi_app::ActionReason;
use ruzhi_model::Digest;
use ruzhi_store::ActivationRow;

const FLOW: &str = "/api/v1/tenants/acme/flows/onboarding";
const FORM: &str = "application/x-www-form-urlencoded";

/// Asserts that a request was rejected as unreadable, in words that name this.
fn refused(answer: &Answer, named: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_REQUEST, "request"),
        "{}",
        answer.body
    );
    let message = &answer.json()["error"]["message"];
    for lang in ["en", "zh"] {
        assert!(message[lang].as_str().unwrap().contains(named), "{lang}: `{named}` is not in {message}");
    }
    // Text between backquotes is a name. The rest is Chinese except for words without a Chinese equivalent.
    let chinese: String = message["zh"].as_str().unwrap().split('`').step_by(2).collect();
    let ours = ["JSON", "true", "false"];
    let rest = ours.iter().fold(chinese, |rest, word| rest.replace(word, ""));
    let listed = rest.split_once("下列之一").map_or(rest.as_str(), |(before, _)| before);
    assert!(!listed.contains(|c: char| c.is_ascii_alphabetic()), "the parser's words are in {message}");
}

#[tokio::test]
async fn a_body_is_an_object_of_json_with_known_fields_or_nothing_is_done() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    for (method, path, _) in every_route().into_iter().filter(|(method, ..)| *method != Method::GET) {
        let there = filled(&served, &path).await;
        let mut unknown = wish(&path);
        unknown["zzz"] = json!(1);
        for (body, named) in [
            ("[]", "JSON"),
            ("[1, 2]", "JSON"),
            ("null", "JSON"),
            ("\"full\"", "JSON"),
            ("{", "JSON"),
            ("{} {}", "JSON"),
            ("full=1", "JSON"),
            (unknown.to_string().as_str(), "`zzz`"),
        ] {
            let answer = served
                .sends(method.clone(), OPERATOR, &there, Some("application/json"), body.to_owned())
                .await;
            refused(&answer, named);
            assert!(!answer.json()["error"]["hint"].is_null(), "{}", answer.body);
        }
    }
    assert!(asked.lock().unwrap().is_empty(), "{:?}", asked.lock().unwrap());
}

#[tokio::test]
async fn a_field_is_told_by_its_name_and_by_what_is_expected() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    let post = async |path: &str, body: String| {
        served.sends(Method::POST, OPERATOR, &format!("{FLOW}/{path}"), Some("application/json"), body).await
    };
    for (path, body, named, expected) in [
        ("runs", r#"{"full": "banana"}"#, "`full`", "true 或 false"),
        ("runs", r#"{"full": 1}"#, "`full`", "true 或 false"),
        ("runs", r#"{"full": true, "full": true}"#, "`full`", "重复"),
        ("runs", r#"{"what": "everything"}"#, "`what`", "sync、plan、drift"),
        ("pause", r#"{"why": 5}"#, "`why`", "1 到 500 个字符"),
        ("rules/activate", r#"{}"#, "`rules`", "缺失"),
        ("rules/activate", r#"{"rules": "abc"}"#, "`rules`", "64 位"),
    ] {
        let answer = post(path, body.to_owned()).await;
        refused(&answer, named);
        let message = answer.json()["error"]["message"]["zh"].as_str().unwrap().to_owned();
        assert!(message.contains(expected), "{body}: {message}");
    }
    assert!(asked.lock().unwrap().is_empty());
    assert_eq!(post("runs", r#"{"full": "on", "accept_missing": false}"#.to_owned()).await.status, 202);
    assert_eq!(
        *asked.lock().unwrap(),
        ["韩梅梅 asks acme/onboarding for Sync(RunOptions { full: true, accept_missing: false })"]
    );
}

#[tokio::test]
async fn a_reason_is_kept_whole_or_refused() {
    let mut served = Served::full().await;
    let _asked = served.agreeing();
    let most = "理".repeat(ActionReason::MOST);
    let pause = format!("{FLOW}/pause");
    let kept = served.post(OPERATOR, &pause, json!({"why": most})).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.body);
    let log = served.get(VIEWER, "/api/v1/audit?limit=1").await.json();
    assert_eq!(log["items"][0]["detail"], most);
    let longer = served.post(OPERATOR, &pause, json!({"why": format!("{most}由")})).await;
    refused(&longer, "`why`");
    assert!(longer.json()["error"]["message"]["en"].as_str().unwrap().contains("500"), "{}", longer.body);
    let document = served.get(VIEWER, "/api/v1/openapi.json").await.json();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["ActionReason"], json!({"type": "string", "minLength": 1, "maxLength": 500}));
    for (schema, field) in [("PauseRequest", "why"), ("RejectRequest", "reason"), ("ActivateRequest", "why")]
    {
        let described = schemas[schema]["properties"][field].to_string();
        assert!(described.contains("#/components/schemas/ActionReason"), "{schema}: {described}");
    }
    // The pages' forms take as much, and say so.
    let page = served.get(OPERATOR, "/tenants/acme").await;
    assert!(page.dom().has("input[name=why][type=text][maxlength='500']"), "{}", page.body);
}

#[tokio::test]
async fn whether_one_may_ask_is_judged_before_what_is_asked_is_read() {
    let mut served = Served::full().await;
    let _asked = served.agreeing();
    let mut tried = 0;
    for (method, path, _) in every_route().into_iter().filter(|(method, ..)| *method != Method::GET) {
        let there = filled(&served, &path).await;
        let viewer = served.sends(method, VIEWER, &there, Some("application/json"), "[]").await;
        assert_eq!(
            (viewer.status, viewer.code().as_str()),
            (StatusCode::FORBIDDEN, "access.forbidden"),
            "{path}"
        );
        tried += 1;
    }
    let page = served.sends(Method::POST, VIEWER, "/flows/acme/onboarding/run", Some(FORM), "zzz=1").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let log = served.get(VIEWER, "/api/v1/audit?limit=100").await.json();
    let outcomes: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, vec!["access.forbidden"; tried + 1], "that they tried is written down");
}

#[tokio::test]
async fn a_parameter_that_is_wrong_is_told_and_not_passed_over() {
    let served = Served::full().await;
    let plan = filled(&served, "/api/v1/tenants/{tenant}/plans/{plan}").await;
    let record = filled(&served, "/api/v1/tenants/{tenant}/flows/{flow}/records/{record}").await;
    for (path, query, named) in [
        ("/api/v1/runs", "cursor=zzz", "`cursor`"),
        ("/api/v1/runs", "cursor=1.", "`cursor`"),
        ("/api/v1/audit", "cursor=zzz", "`cursor`"),
        ("/api/v1/audit", "cursor=001777622400000-0000000001-zzzz", "`cursor`"),
        ("/api/v1/quarantine", "cursor=zzz", "`cursor`"),
        ("/api/v1/quarantine", "cursor=acme%09onboarding", "`cursor`"),
        (plan.as_str(), "cursor=zzz", "`cursor`"),
        (plan.as_str(), "kind=odd", "`kind`"),
        (plan.as_str(), "reveal=maybe", "`reveal`"),
        (record.as_str(), "reveal=maybe", "`reveal`"),
        ("/api/v1/quarantine", "reveal=maybe", "`reveal`"),
        ("/api/v1/quarantine.csv", "reveal=maybe", "`reveal`"),
        ("/api/v1/runs", "limit=x", "`limit`"),
        ("/api/v1/runs", "limit=0", "`limit`"),
        ("/api/v1/runs", "limit=501", "`limit`"),
        ("/api/v1/runs", "limit=1&limit=2", "`limit`"),
        ("/api/v1/runs", "state=odd", "`state`"),
        ("/api/v1/runs", "tenant=-", "`tenant`"),
        ("/api/v1/runs", "flow=a%2Fb", "`flow`"),
        ("/api/v1/charts/runs", "points=401", "`points`"),
        ("/api/v1/charts/runs", "step=week", "`step`"),
        (&format!("{FLOW}/rules/difference"), "sample=0", "`sample`"),
        ("/api/v1/me", "lang=fr", "`lang`"),
        ("/api/v1/tenants/acme/members/removed", "cursor=%2F", "`cursor`"),
        ("/api/v1/tenants/acme/members/removed", "limit=0", "`limit`"),
        ("/api/v1/tenants/-", "", ""),
        ("/api/v1/tenants/acme/flows/-/rules", "", ""),
    ] {
        refused(&served.get(OPERATOR, &format!("{path}?{query}")).await, named);
    }
    let nothing = served.get(VIEWER, "/api/v1/runs?tenant=nope").await;
    assert_eq!(nothing.json()["items"], json!([]), "what a tenant left that is gone can still be asked for");
}

#[tokio::test]
async fn a_parameter_that_an_address_does_not_take_is_refused_there() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    for (method, path, _) in every_route() {
        let there = filled(&served, &path).await;
        let body = (method == Method::POST).then(|| wish(&path));
        let answer = served.with(method, OPERATOR, &format!("{there}?lang=zh&most=5"), body).await;
        refused(&answer, "`most`");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_page_passes_over_parameters_it_does_not_know_and_none_that_are_wrong() {
    let served = Served::full().await;
    let plan = filled(&served, "/plans/{tenant}/{plan}").await;
    for path in ["/runs", "/quarantine", "/audit", "/charts", plan.as_str()] {
        let known = served.get(VIEWER, &format!("{path}?lang=zh&utm_source=mail")).await;
        assert_eq!(known.status, StatusCode::OK, "{path}");
    }
    for (path, named) in [
        ("/runs?limit=x", "limit"),
        ("/runs?cursor=zzz", "cursor"),
        ("/quarantine?cursor=zzz", "cursor"),
        ("/audit?cursor=zzz", "cursor"),
        ("/charts?step=week", "step"),
        (&format!("{plan}?kind=odd"), "kind"),
    ] {
        let wrong = served.get(VIEWER, &format!("{path}&lang=zh")).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{path}");
        let told = format!("参数 `{named}` 应为");
        assert!(wrong.body.contains(&told), "{path}: {told} is not in {}", wrong.body);
    }
}

#[tokio::test]
async fn a_form_is_read_as_strictly_beside_what_proves_the_page() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    let run = "/flows/acme/onboarding/run";
    for form in ["csrf=x&zzz=1", "full=banana", "what=everything", "full=1&full=1"] {
        let answer = served.sends(Method::POST, OPERATOR, run, Some(FORM), form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
    }
    for plain in ["retry", "resume"] {
        let path = format!("/flows/acme/onboarding/{plain}");
        let answer = served.sends(Method::POST, OPERATOR, &path, Some(FORM), "csrf=x&why=y").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{plain}");
    }
    assert!(asked.lock().unwrap().is_empty(), "{:?}", asked.lock().unwrap());
    let form = "csrf=x&what=plan&full=1";
    assert_eq!(
        served.sends(Method::POST, OPERATOR, run, Some(FORM), form).await.status,
        StatusCode::SEE_OTHER
    );
    let pause = "/flows/acme/onboarding/pause";
    let form = "csrf=x&why=";
    let paused = served.sends(Method::POST, OPERATOR, pause, Some(FORM), form).await;
    assert_eq!(paused.status, StatusCode::SEE_OTHER, "a reason that may be left out");
    assert_eq!(
        *asked.lock().unwrap(),
        [
            "韩梅梅 asks acme/onboarding for Plan(RunOptions { full: true, accept_missing: false })",
            "韩梅梅 pauses acme/onboarding: ",
        ]
    );
}

#[tokio::test]
async fn rules_that_never_were_are_not_several() {
    let served = Served::full().await;
    let back =
        async |to: &str| served.post(OPERATOR, &format!("{FLOW}/rules/rollback"), json!({"to": to})).await;
    for to in ["zz", "99", "#99", "zzzzzzzz"] {
        let answer = back(to).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::NOT_FOUND, "activation.unknown"),
            "{to}"
        );
    }
    // Too few digits to identify rules that were live.
    let store = &served.state.app.store;
    let first = store.activations_list(&acme(), &flow(), 1).await.unwrap().remove(0);
    let artifacts = store.artifacts_find(&first.component, &first.config).await.unwrap();
    let rules: Digest = "ab".repeat(32).parse().unwrap();
    assert!(store.activation_put(&ActivationRow { number: 2, rules, ..first }, &artifacts).await.unwrap());
    let short = back("ab").await;
    assert_eq!((short.status, short.code().as_str()), (StatusCode::CONFLICT, "activation.ambiguous"));
}
