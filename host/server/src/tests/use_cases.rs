//! Displayed data and permitted actions.

use axum::http::StatusCode;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{MOBILE, OPERATOR, Served, VIEWER, acme, flow, now};
use ruzhi_app::scheduler::{ScheduleState, ScheduleStateKind};
use ruzhi_model::{RemoteService, Text};
use ruzhi_store::{Blocked, Paused};

const FLOW: &str = "/api/v1/tenants/acme/flows/onboarding";

fn schedule_state(state: ScheduleStateKind) -> ScheduleState {
    ScheduleState {
        tenant: acme(),
        flow: flow(),
        state,
        next: Some(now() + TimeDelta::minutes(5)),
        queued_since: None,
        run: None,
        failures: 0,
        late: false,
        paused: None,
        blocked: None,
    }
}

fn kinds(overview: &Value) -> Vec<&str> {
    let all = overview["attention"].as_array().unwrap();
    all.iter().map(|attention| attention["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_overview_says_how_each_flow_stands_and_what_needs_a_person() {
    let served = Served::full().await;
    served.inbox().stands(vec![ScheduleState {
        failures: 2,
        late: true,
        paused: Some(Paused { who: "韩梅梅".to_owned(), at: now(), why: Some("盘点".to_owned()) }),
        blocked: Some(Blocked {
            service: Some(RemoteService::Wecom),
            code: "60020".to_owned(),
            text: Text::new("the address is not on the list", "IP 不在白名单"),
            hint: None,
            at: now(),
            settings: "digest".to_owned(),
        }),
        ..schedule_state(ScheduleStateKind::Retrying)
    }]);
    let overview = served.get(VIEWER, "/api/v1/overview").await.json();
    let flow = &overview["tenants"][0]["flows"][0];
    assert_eq!(overview["tenants"][0]["name"], "景欣泰工厂");
    assert_eq!((&flow["records"], &flow["members"], &flow["rejected"]), (&json!(3), &json!(1), &json!(2)));
    assert_eq!((&flow["last_run"]["id"], &flow["next_run"]), (&json!("r3"), &json!("2026-05-01T08:05:00Z")));
    assert_eq!(flow["held"].as_array().unwrap().len(), 1);
    assert_eq!(kinds(&overview), ["blocked", "held_plan", "failing", "late", "paused", "quarantine"]);
    let plan = flow["held"][0].as_str().unwrap();
    assert_eq!(overview["attention"][1]["link"], format!("/plans/acme/{plan}"));
    assert_eq!(overview["attention"][2]["link"], "/runs/r3");
    let tenant = served.get(VIEWER, "/api/v1/tenants/acme").await.json();
    assert_eq!(tenant["tenants"], overview["tenants"]);
}

#[tokio::test]
async fn what_the_files_hold_and_does_not_run_is_seen() {
    let served = Served::full().await;
    let failure = ruzhi_message::Report::usage(Text::new("bad", "坏"), Text::new("mend", "修"));
    served.state.app.set_invalid(Some(failure));
    let overview = served.get(VIEWER, "/api/v1/overview").await.json();
    assert_eq!(kinds(&overview)[1], "config_invalid", "{overview}");
    let settings = served.get(VIEWER, "/api/v1/settings").await.json();
    assert_eq!(
        (&settings["configuration"]["in_use"], &settings["configuration"]["error"]["message"]["zh"]),
        (&json!(false), &json!("坏"))
    );
    let tenant = &settings["tenants"][0];
    let secrets: Vec<(&str, bool)> = tenant["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| (secret["key"].as_str().unwrap(), secret["set"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        secrets,
        [
            ("wecom.secret", true),
            ("wecom.read_secret", false),
            ("wecom.callback", false),
            ("jiandaoyun.api_key", true)
        ]
    );
    assert_eq!((&tenant["proxy"], &tenant["alerts"]["robot"]), (&json!(true), &json!(true)));
    assert_eq!(tenant["flows"][0]["rules"]["is"], "live");
}

#[tokio::test]
async fn runs_are_paged_and_narrowed() {
    let served = Served::full().await;
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = served.get(VIEWER, &format!("/api/v1/runs?limit=1&cursor={after}")).await.json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        after = next.to_owned();
    }
    assert_eq!(seen, ["r3", "r2", "r1"]);
    let failed = served.get(VIEWER, "/api/v1/runs?state=failed").await.json();
    assert_eq!((failed["items"].as_array().unwrap().len(), &failed["items"][0]["id"]), (1, &json!("r3")));
    let other = served.get(VIEWER, "/api/v1/runs?tenant=globex").await.json();
    assert_eq!(other["items"], json!([]));
    let run = served.get(VIEWER, "/api/v1/runs/r2").await.json();
    assert_eq!(
        (&run["plan_state"], &run["operations"], &run["seconds"]),
        (&json!("held"), &json!(2), &json!(20))
    );
}

async fn held(served: &Served) -> String {
    let runs = served.get(VIEWER, "/api/v1/runs?state=held").await.json();
    format!("/api/v1/tenants/acme/plans/{}", runs["items"][0]["plan"].as_str().unwrap())
}

#[tokio::test]
async fn a_plan_shows_what_was_and_what_will_be() {
    let served = Served::full().await;
    let at = held(&served).await;
    let plan = served.get(VIEWER, &at).await.json();
    assert_eq!(
        (&plan["state"], &plan["may"]),
        (&json!("held"), &json!({"approve": true, "apply": false, "reject": true}))
    );
    assert_eq!(plan["guard"][0]["limit"], "create_most");
    let update = &plan["items"][1];
    assert_eq!((&update["kind"], &update["name"]), (&json!("update"), &json!("王五")));
    let shown: Vec<Value> = update["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| json!([field["label"]["zh"], field["before"], field["after"]]))
        .collect();
    assert_eq!(shown, [json!(["手机号", "138******00", "139******00"]), json!(["职务", "工程师", "组长"])]);
    let revealed = served.get(OPERATOR, &format!("{at}?reveal=1&limit=1&cursor=0")).await.json();
    assert_eq!(revealed["items"][0]["fields"][0]["before"], MOBILE);
    assert_eq!(revealed["items"].as_array().unwrap().len(), 1);
    let creates = served.get(VIEWER, &format!("{at}?kind=create")).await.json();
    assert_eq!(
        (creates["items"].as_array().unwrap().len(), &creates["items"][0]["kind"]),
        (1, &json!("create"))
    );
    let first = served.get(VIEWER, &format!("{at}?limit=1")).await.json();
    assert_eq!((&first["items"][0]["place"], &first["next_cursor"]), (&json!(0), &json!(0)));
}

/// The latest row of the audit log: action, subject and result.
async fn last(served: &Served) -> Value {
    let log = served.get(VIEWER, "/api/v1/audit?limit=1").await.json();
    let row = &log["items"][0];
    json!([row["who"], row["action"], row["subject"], row["detail"], row["outcome"]])
}

#[tokio::test]
async fn a_person_says_yes_to_this_very_plan() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    let at = held(&served).await;
    let plan = at.rsplit('/').next().unwrap().to_owned();
    let applied = served.post(OPERATOR, &format!("{at}/apply"), json!({})).await;
    assert_eq!(
        (applied.status, applied.code().as_str()),
        (StatusCode::CONFLICT, "plan.held"),
        "the guard holds it"
    );
    assert_eq!(last(&served).await, json!(["韩梅梅", "plan.apply", plan, null, "plan.held"]));
    let approved = served.post(OPERATOR, &format!("{at}/approve"), json!({"why": "新厂开业"})).await;
    assert_eq!((approved.status, &approved.json()["run"]), (StatusCode::ACCEPTED, &json!("r-asked")));
    assert_eq!(last(&served).await, json!(["韩梅梅", "plan.approve", plan, "新厂开业", "done"]));
    let wanted =
        format!("韩梅梅 asks acme/onboarding for Apply {{ plan: PlanId(\"{plan}\"), approved: true }}");
    assert_eq!(*asked.lock().unwrap(), [wanted]);
    let unknown = served.post(OPERATOR, "/api/v1/tenants/acme/plans/p0/approve", json!({})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(last(&served).await, json!(["韩梅梅", "plan.approve", "p0", null, "plan.unknown"]));
}

#[tokio::test]
async fn a_person_says_no_with_a_reason_and_may_change_their_mind() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    let at = held(&served).await;
    let silent = served.post(OPERATOR, &format!("{at}/reject"), json!({"reason": " \n "})).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST);
    let no = served.post(OPERATOR, &format!("{at}/reject"), json!({"reason": "名单\n不对"})).await;
    assert_eq!(no.status, StatusCode::OK);
    let plan = served.get(VIEWER, &at).await.json();
    assert_eq!((&plan["state"], &plan["reason"]), (&json!("rejected"), &json!("名单 不对")));
    assert_eq!(plan["may"], json!({"approve": true, "apply": false, "reject": false}));
    for same in [json!({"reason": "名单 不对"}), json!({})] {
        let again = served.post(OPERATOR, &format!("{at}/reject"), same).await;
        assert_eq!(again.status, StatusCode::OK, "the same no once more");
    }
    for (other, wish, code) in
        [("reject", json!({"reason": "x"}), "plan.state"), ("apply", json!({}), "plan.rejected")]
    {
        let answer = served.post(OPERATOR, &format!("{at}/{other}"), wish).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, code), "{other}");
    }
    assert!(asked.lock().unwrap().is_empty());
    let unaware = served.post(OPERATOR, &format!("{at}/approve"), json!({"why": "x"})).await;
    assert_eq!((unaware.status, unaware.code().as_str()), (StatusCode::CONFLICT, "plan.rejected"));
    assert!(asked.lock().unwrap().is_empty(), "who did not see the rejection does not undo it");
    let yes = served.post(OPERATOR, &format!("{at}/approve"), json!({"after_rejection": true})).await;
    assert_eq!((yes.status, &yes.json()["run"]), (StatusCode::ACCEPTED, &json!("r-asked")));
}

#[tokio::test]
async fn an_operator_runs_pauses_resumes_and_tries_again() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    for (path, wish, status) in [
        ("runs", json!({}), StatusCode::ACCEPTED),
        ("runs", json!({"what": "plan", "full": true}), StatusCode::ACCEPTED),
        ("runs", json!({"what": "drift"}), StatusCode::ACCEPTED),
        ("retry", json!({}), StatusCode::ACCEPTED),
        ("pause", json!({"why": "盘点"}), StatusCode::OK),
        ("resume", json!({}), StatusCode::OK),
    ] {
        assert_eq!(served.post(OPERATOR, &format!("{FLOW}/{path}"), wish).await.status, status, "{path}");
    }
    assert_eq!(
        *asked.lock().unwrap(),
        [
            "韩梅梅 asks acme/onboarding for Sync(RunOptions { full: false, accept_missing: false })",
            "韩梅梅 asks acme/onboarding for Plan(RunOptions { full: true, accept_missing: false })",
            "韩梅梅 asks acme/onboarding for Drift(None)",
            "韩梅梅 asks acme/onboarding for Sync(RunOptions { full: true, accept_missing: false })",
            "韩梅梅 pauses acme/onboarding: 盘点",
            "acme/onboarding is resumed",
        ]
    );
    let log = served.get(VIEWER, "/api/v1/audit?tenant=acme").await.json();
    let actions: Vec<&str> =
        log["items"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["flow.resume", "flow.pause", "quarantine.retry", "run.start", "run.start", "run.start"]
    );
}

#[tokio::test]
async fn what_the_scheduler_refuses_is_told_and_written_down() {
    let mut served = Served::full().await;
    // The scheduler does not listen: the process is ending.
    drop(served.inbox.take());
    let answer = served.post(OPERATOR, &format!("{FLOW}/runs"), json!({})).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "serve.ending"));
    assert_eq!(last(&served).await, json!(["韩梅梅", "run.start", null, "sync", "serve.ending"]));
}

async fn found(served: &Served, query: &str) -> Vec<String> {
    let view = served.get(VIEWER, &format!("/api/v1/quarantine?{query}")).await.json();
    let items = view["page"]["items"].as_array().unwrap_or_else(|| panic!("{view}"));
    assert_eq!(view["total"], items.len());
    items.iter().map(|item| item["record"].as_str().unwrap().trim_start_matches('0').to_owned()).collect()
}

#[tokio::test]
async fn the_quarantine_is_searched_by_what_is_shown_of_it() {
    let served = Served::full().await;
    for (query, records) in [
        ("", &["2", "3"][..]),
        ("rule=name.missing", &["3"]),
        ("tenant=globex", &[]),
        ("search=MOBILE.invalid", &["2"]),
        ("search=%E7%8E%8B%E4%BA%94", &["2"]),
        ("search=%E6%89%8B%E6%9C%BA", &["2", "3"]),
        ("search=%E7%99%BD%E7%8F%AD+name", &["3"]),
        ("search=%E7%99%BD%E7%8F%AD+mobile", &[]),
        ("search=%25", &[]),
        ("search=mobile_invalid", &[]),
        ("search=000000000000000000000003", &["3"]),
        // A number is found if given in full, and cannot be guessed by its beginning.
        ("search=13700137000", &["3"]),
        ("search=1370013", &[]),
        ("search=137", &["3"]),
        ("search=139001390001", &["2"]),
        ("search=13900139000", &[]),
    ] {
        assert_eq!(found(&served, query).await, records, "{query}");
    }
    let view = served.get(VIEWER, "/api/v1/quarantine?limit=1").await.json();
    assert_eq!(
        view["by_rule"],
        json!([
            {"rule": "mobile.invalid", "labels": ["手机号"], "records": 1},
            {"rule": "name.missing", "labels": ["姓名"], "records": 1},
        ])
    );
    let first = &view["page"]["items"][0];
    assert_eq!(first["violations"][0]["label"], "手机号");
    assert_eq!(
        first["violations"][0]["message"],
        json!({"en": "one digit too many", "zh": "手机号 139*******01 多一位"})
    );
    let cells: Vec<Value> =
        first["row"].as_array().unwrap().iter().map(|cell| json!([cell["label"], cell["value"]])).collect();
    assert!(
        cells.contains(&json!(["手机号", "139*******01"])) && cells.contains(&json!(["姓名", "王五"])),
        "{cells:?}"
    );
    let next = view["page"]["next_cursor"].as_str().unwrap().replace('\t', "%09");
    let rest = served.get(VIEWER, &format!("/api/v1/quarantine?limit=1&cursor={next}")).await.json();
    assert_eq!(
        (&rest["page"]["items"][0]["violations"][0]["rule"], &rest["page"]["next_cursor"]),
        (&json!("name.missing"), &Value::Null)
    );
}

#[tokio::test]
async fn the_quarantine_goes_into_a_spreadsheet_that_computes_nothing_of_it() {
    let served = Served::full().await;
    let answer = served.get(VIEWER, "/api/v1/quarantine.csv?lang=zh").await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.header("content-disposition").contains("attachment"));
    let text = answer.body.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut sheet = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(sheet.headers().unwrap().get(4), Some("标签"));
    let lines: Vec<csv::StringRecord> = sheet.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0][5], &lines[0][7]), ("mobile.invalid", "同步规则"));
    assert!(!text.contains("139001390001"), "{text}");
    let full = served.get(OPERATOR, "/api/v1/quarantine.csv?reveal=true").await;
    assert!(full.body.contains("139001390001"));
    assert_eq!(last(&served).await[1], "quarantine.reveal");
}

#[tokio::test]
async fn a_record_is_traced_from_its_row_to_wecom_s_answer() {
    let served = Served::full().await;
    let at = format!("{FLOW}/records/{:024x}", 1);
    let trace = served.get(VIEWER, &at).await.json();
    assert_eq!(trace["decision"]["verdict"], "upsert");
    assert_eq!(trace["notes"], json!(["手机号 138******00 已规范"]));
    assert_eq!(trace["row"][1]["value"], "138******00");
    let operations = trace["operations"].as_array().unwrap();
    let done = operations.iter().find(|operation| operation["state"] == "done").unwrap();
    let call = &done["attempts"][0];
    assert_eq!(
        (&call["errcode"], &call["errmsg"]),
        (&json!(0), &json!("created 138******00, hint: [1764035120123456]"))
    );
    assert_eq!(trace["members"], json!([{"userid": "w1", "state": "active"}]));
    let revealed = served.get(OPERATOR, &format!("{at}?reveal=on")).await.json();
    assert_eq!(revealed["row"][1]["value"], MOBILE);
    assert_eq!(last(&served).await, json!(["韩梅梅", "record.reveal", format!("{:024x}", 1), null, "done"]));
    let refused = served.get(VIEWER, &format!("{FLOW}/records/{:024x}", 2)).await.json();
    assert_eq!(refused["rejection"]["violations"][0]["rule"], "mobile.invalid");
}

#[tokio::test]
async fn rules_are_compared_made_live_and_gone_back_from() {
    let served = Served::full().await;
    let at = format!("{FLOW}/rules");
    let first = served.get(VIEWER, &at).await.json();
    assert_eq!((&first["offered"]["is"], &first["live"]["fields"]), (&json!("live"), &json!(["_widget_1"])));
    served.rules_become("count");
    let offered = served.get(VIEWER, &at).await.json();
    assert_eq!(offered["offered"]["is"], "new");
    let difference = served.get(VIEWER, &format!("{at}/difference")).await.json();
    assert_eq!((&difference["trial"]["compared"], &difference["trial"]["changed"]), (&json!(3), &json!(0)));
    assert!(difference["rules_file"].as_str().unwrap().contains("-good\n"), "{difference}");
    let stale = served.post(OPERATOR, &format!("{at}/activate"), json!({"rules": "0".repeat(64)})).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "rules.others"));
    let rules = offered["offered"]["rules"].clone();
    let live =
        served.post(OPERATOR, &format!("{at}/activate"), json!({"rules": rules, "why": "新规则"})).await;
    assert_eq!(live.status, StatusCode::OK, "{}", live.body);
    assert_eq!(
        (&live.json()["number"], &live.json()["who"], &live.json()["why"]),
        (&json!(2), &json!("韩梅梅"), &json!("新规则"))
    );
    let back = served.post(OPERATOR, &format!("{at}/rollback"), json!({"to": "#1", "why": "退回"})).await;
    assert_eq!((back.status, &back.json()["kind"]), (StatusCode::OK, &json!("rollback")), "{}", back.body);
    let now = served.get(VIEWER, &at).await.json();
    assert_eq!(now["offered"]["is"], "passed_over", "what the files hold does not come back by itself");
    let numbers: Vec<u64> =
        now["history"].as_array().unwrap().iter().map(|row| row["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let again = served.post(OPERATOR, &format!("{at}/rollback"), json!({"to": "#1"})).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "activation.already-live"));
    let earlier = served.get(VIEWER, &format!("{at}/difference?to=%232")).await.json();
    assert_eq!(earlier["live"]["number"], 3);
    std::fs::remove_file(served.folder.path().join("guest.wasm")).unwrap();
    let gone = served.get(VIEWER, &at).await.json();
    assert_eq!(
        (&gone["offered"]["is"], &gone["offered"]["failure"]["code"].is_string()),
        (&json!("unreadable"), &true)
    );
}

#[tokio::test]
async fn charts_are_plain_series() {
    let served = Served::full().await;
    let days = served.get(VIEWER, "/api/v1/charts/runs?tenant=acme&points=3").await.json();
    let series: Vec<Value> = days["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| json!([point["at"], point["done"], point["held"], point["failed"], point["created"]]))
        .collect();
    // Days of the tenant: the first run began at 14:00 the day before, in Shanghai.
    assert_eq!(
        series,
        [
            json!(["2026-04-28T16:00:00Z", 0, 0, 0, 0]),
            json!(["2026-04-29T16:00:00Z", 1, 0, 0, 1]),
            json!(["2026-04-30T16:00:00Z", 0, 1, 1, 0]),
        ]
    );
    let hours = served.get(VIEWER, "/api/v1/charts/runs?step=hour").await.json();
    let points = hours["points"].as_array().unwrap();
    assert_eq!(
        (points.len(), &points[47]["at"], &points[47]["failed"], &points[46]["failed"], &points[46]["held"]),
        (48, &json!("2026-05-01T08:00:00Z"), &json!(0), &json!(1), &json!(1))
    );
    let refusals = served.get(VIEWER, "/api/v1/charts/quarantine").await;
    assert_eq!(
        (&refusals.json()["records"], &refusals.json()["rules"][0]),
        (&json!(2), &json!({"rule": "mobile.invalid", "labels": ["手机号"], "records": 1}))
    );
    assert!(
        !refusals.body.contains("多一位"),
        "what is said of one person is not the rule: {}",
        refusals.body
    );
    let calls = served.get(VIEWER, "/api/v1/charts/calls").await.json();
    // Of the last hour: the run that ended 40 seconds ago, and the part within the hour of the one an hour ago.
    assert_eq!(
        calls["corps"][0]["apis"],
        json!([{"api": "user/create", "last_minute": 10, "last_hour": 20}])
    );
    assert_eq!(calls["corps"][0]["per_minute"], 10_000);
}

#[tokio::test]
async fn the_audit_log_is_paged_newest_first() {
    let mut served = Served::full().await;
    let _asked = served.agreeing();
    for n in 0..3 {
        served.post(OPERATOR, &format!("{FLOW}/pause"), json!({"why": format!("{n}")})).await;
    }
    let first = served.get(VIEWER, "/api/v1/audit?limit=2").await.json();
    let why = |page: &Value| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(why(&first), ["2", "1"]);
    let second = served
        .get(VIEWER, &format!("/api/v1/audit?limit=2&cursor={}", first["next_cursor"].as_str().unwrap()))
        .await
        .json();
    assert_eq!((why(&second), &second["next_cursor"]), (vec!["0".to_owned()], &Value::Null));
}

#[tokio::test]
async fn the_navigation_of_a_page_counts_what_the_process_knows_to_stand_and_asks_the_store_nothing() {
    let served = Served::full().await;
    let alert = ruzhi_store::AlertRow {
        key: "run.late acme/onboarding".to_owned(),
        kind: "run.late".to_owned(),
        tenant: Some(acme()),
        flow: Some(flow()),
        text: Text::new("late", "晚"),
        hint: None,
        page: None,
        since: now(),
        last_seen: now(),
        seen: 1,
        notified_at: None,
        resolved_at: None,
        resolution_notified_at: None,
    };
    served.state.app.store.alert_put(&alert).await.unwrap();
    assert_eq!(served.get(VIEWER, "/api/v1/alerts").await.json()[0]["kind"], "run.late");
    let page = served.get(VIEWER, "/runs").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.dom().has("nav") && !page.dom().has(".count"), "{}", page.body);
}
