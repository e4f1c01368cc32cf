//! Commands beside a running `ruzhi serve`, which does their work; and drift, undo and adoption over the API.

use std::os::unix::fs::PermissionsExt as _;

use ruzhi_e2e::{Outcome, Serving};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultKind, FaultRule, Faults};
use serde_json::{Map, Value, json};

use super::schedule::{ask, run_of};
use crate::site::Site;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Members who were changed behind ruzhi's back: one moved, one deleted.
fn meddle(site: &Site) {
    site.simulator.change_by_hand(CORP_ID, object(json!({ "userid": "W0005", "department": [1] }))).unwrap();
    site.simulator.delete_by_hand(CORP_ID, "W0002").unwrap();
}

fn drift(serving: &Serving) -> Value {
    serving.data("/api/v1/tenants/jingxintai/drift").unwrap()
}

/// The items of the overview that need a person, by kind, each with its link.
fn attention(serving: &Serving, kind: &str) -> Vec<String> {
    let overview = serving.data("/api/v1/overview").unwrap();
    let items = overview["attention"].as_array().unwrap().iter().filter(|item| item["kind"] == kind);
    items.map(|item| item["link"].as_str().unwrap().to_owned()).collect()
}

/// The alert about drift, if it stands.
fn alert(serving: &Serving) -> Option<Value> {
    let alerts = serving.data("/api/v1/alerts").unwrap();
    alerts
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["kind"] == "drift.found" && alert["resolved_at"].is_null())
        .cloned()
}

fn act(serving: &Serving, path: &str) -> Value {
    let json = [("content-type", "application/json")];
    let answer = serving.ask("POST", path, &json, b"{}".to_vec()).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.json().unwrap()
}

/// Applies the plan that a run made.
fn apply(serving: &Serving, run: &Value) {
    let plan = run["plan"].as_str().unwrap();
    let begun = act(serving, &format!("/api/v1/tenants/jingxintai/plans/{plan}/apply"));
    let applied = run_of(serving, begun["run"].as_str().unwrap());
    assert_eq!(applied["state"], "done", "{applied}");
}

#[test]
fn drift_is_shown_where_the_alert_leads_and_a_plan_settles_it() {
    let mut site = Site::new(8, |tenant| tenant);
    site.sync();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    assert_eq!(drift(&serving), Value::Null, "the directory has not been compared yet");
    let written = site.member("W0005").unwrap().department;
    assert_ne!(written, [1]);
    meddle(&site);
    let run = ask(&serving, "jingxintai", &json!({ "what": "drift" }));
    assert_eq!(run_of(&serving, &run)["state"], "done");
    let found = drift(&serving);
    let kinds = |found: &Value| -> Vec<(String, String)> {
        let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
        found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (text(item, "kind"), text(item, "userid")))
            .collect()
    };
    let both = [("missing", "W0002"), ("moved", "W0005")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!((kinds(&found), &found["run"], &found["total"]), (both.to_vec(), &json!(run), &json!(2)));
    assert_eq!(attention(&serving, "drift"), ["/drift/jingxintai"]);
    let alert = serving.wait("the alert", || alert(&serving)).unwrap();
    assert_eq!(alert["page"], "/drift/jingxintai");
    assert!(!alert["hint"].to_string().contains("ruzhi drift"), "{alert}");
    for page in ["/drift/jingxintai", &format!("/runs/{run}")] {
        let page = serving.get(page).unwrap().body;
        assert!(page.contains("W0005") && page.contains("value=\"overwrite\""), "{page}");
    }

    let writes = site.writes();
    let plan = ask(&serving, "jingxintai", &json!({ "what": "drift", "settle": "overwrite" }));
    let plan = run_of(&serving, &plan);
    assert_eq!(site.writes(), writes, "nothing is written before the plan is applied");
    assert_eq!(drift(&serving)["total"], 2);
    apply(&serving, &plan);
    // What the plan has settled is gone at once, and the check that follows finds nothing new.
    assert_eq!(drift(&serving)["total"], 0);
    assert_eq!(attention(&serving, "drift"), Vec::<String>::new());
    assert_eq!(site.member("W0005").unwrap().department, written);
    let checks = || {
        let runs = site.json(0, &["runs"]);
        let is_check = |run: &&Value| run["kind"] == "drift" && run["plan"] == Value::Null;
        let checks = runs.as_array().unwrap().iter().filter(is_check);
        (checks.filter(|run| run["state"] == "done").count() == 2).then_some(())
    };
    serving.wait("a new check", checks).unwrap();
    assert_eq!(drift(&serving)["total"], 0);
    serving.wait("the end of the alert", || self::alert(&serving).is_none().then_some(())).unwrap();
}

#[test]
fn a_run_is_undone_over_the_api_and_only_a_run_of_the_flow() {
    let mut site = Site::new(6, |tenant| tenant);
    site.sync();
    site.workforce.leave(3);
    let run = site.sync()["run"].as_str().unwrap().to_owned();
    assert_eq!(site.disabled(), 1);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    assert_eq!(serving.data(&format!("/api/v1/runs/{run}")).unwrap()["may_revert"], true);
    let undo = ask(&serving, "jingxintai", &json!({ "what": "revert", "run": run }));
    let undo = run_of(&serving, &undo);
    assert_eq!(undo["kind"], "revert");
    apply(&serving, &undo);
    assert_eq!(site.disabled(), 0);
    let path = "/api/v1/tenants/jingxintai/flows/onboarding/runs";
    for (wish, status, code) in [
        (json!({ "what": "revert" }), 400, "run.options"),
        (json!({ "what": "revert", "run": "r20260101-000000-1" }), 404, "run.unknown"),
        (json!({ "what": "sync", "settle": "keep" }), 400, "run.options"),
        (json!({ "what": "adopt", "full": true }), 400, "run.options"),
    ] {
        let json = [("content-type", "application/json")];
        let answer = serving.ask("POST", path, &json, wish.to_string().into_bytes()).unwrap();
        assert_eq!(
            (answer.status, answer.json().unwrap()["error"]["code"].as_str()),
            (status, Some(code)),
            "{wish}"
        );
    }
}

#[test]
fn commands_have_the_running_process_do_their_work() {
    let mut site = Site::new(6, |tenant| tenant);
    site.sync();
    site.workforce.leave(3);
    let run = site.sync()["run"].as_str().unwrap().to_owned();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let socket = site.deployment.path().join("ruzhi.db.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);

    let undo = site.json(0, &["revert", &run]);
    assert_eq!((undo["state"].as_str(), undo["purpose"].as_str()), (Some("done"), Some("revert")), "{undo}");
    assert_eq!(undo["operations"][0]["kind"], "enable");
    let applied = site.json(0, &["apply", undo["plan"].as_str().unwrap()]);
    assert_eq!((applied["state"].as_str(), site.disabled()), (Some("done"), 0), "{applied}");
    meddle(&site);
    let found = site.json(0, &["drift", "jingxintai"]);
    assert_eq!((&found["counts"]["missing"], &found["counts"]["moved"]), (&json!(1), &json!(1)), "{found}");
    let kept = site.json(0, &["drift", "jingxintai", "--keep"]);
    assert_eq!(site.run(&["reject", kept["plan"].as_str().unwrap(), "--reason", "不保留"]).code, Some(0));
    let synced = site.run(&["sync", "jingxintai"]);
    assert!(synced.stderr.contains("`ruzhi serve`"), "{}", synced.stderr);
    let unknown = site.run(&["revert", "r20260101-000000-1"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);

    let audit = serving.data("/api/v1/audit?limit=500").unwrap();
    let rows: Vec<(String, String)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["origin"] == "terminal")
        .map(|row| (row["action"].as_str().unwrap().to_owned(), row["outcome"].as_str().unwrap().to_owned()))
        .collect();
    let expected = ["run.start", "plan.reject", "run.start", "run.start", "plan.apply", "run.start"];
    assert_eq!(rows, expected.map(|action| (action.to_owned(), "done".to_owned())), "newest first");
    assert_eq!(audit["items"][0]["who"], audit["items"][1]["who"], "the terminal's user, not the process");
    serving.end().unwrap();
    assert!(!socket.exists());
    assert_eq!(site.json(0, &["drift", "jingxintai"])["state"], "done", "it works by itself again");
}

/// The second page of the form is empty: most of its rows are missing.
fn lose_rows(site: &Site) {
    let rule = FaultRule::new(FaultKind::EmptyPage).api("data/list").skip(1).next(u64::MAX);
    site.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
}

#[test]
fn a_failure_reads_the_same_beside_a_running_process_as_without_one() {
    let mut site = Site::new(250, |tenant| tenant);
    site.sync();
    let sync = ["sync", "jingxintai", "--full"];
    lose_rows(&site);
    let alone = site.run(&sync);
    lose_rows(&site);
    let alone_json = site.json(1, &sync);
    let expected = ["error[source.shrunk]", "hint: ", "`ruzhi sync --full --accept-missing`"];
    assert!(expected.iter().all(|part| alone.stderr.contains(part)), "{}", alone.stderr);

    let serving = Serving::start(&site.deployment, &[]).unwrap();
    lose_rows(&site);
    let beside = site.run(&sync);
    let failure = |outcome: &Outcome| {
        let at = outcome.stderr.find("error[").unwrap_or_else(|| panic!("{}", outcome.stderr));
        outcome.stderr[at..].to_owned()
    };
    assert_eq!((beside.code, failure(&beside)), (alone.code, failure(&alone)));
    lose_rows(&site);
    let beside_json = site.json(1, &sync);
    assert_eq!(beside_json["error"], alone_json["error"]);

    // A page names no command.
    let run = beside_json["run"].as_str().unwrap();
    let page = serving.get(&format!("/runs/{run}?lang=en")).unwrap().body;
    assert!(page.contains("start “Another run” with both boxes ticked"), "{page}");
    assert!(!page.contains("`ruzhi "), "{page}");
}

#[test]
fn a_plan_is_decided_on_alike_beside_a_running_process_and_without_one() {
    let decide = |serves: bool| {
        let mut site = Site::new(30, |tenant| tenant);
        site.sync();
        (0..10).for_each(|place| site.workforce.leave(place));
        site.workforce.publish(&site.simulator).unwrap();
        let plan = site.json(3, &["sync", "jingxintai"])["plan"].as_str().unwrap().to_owned();
        let serving = serves.then(|| Serving::start(&site.deployment, &[]).unwrap());
        let mut said = Vec::new();
        for arguments in [
            &["apply", &plan][..],
            &["reject", &plan, "--reason", "导入错误"],
            &["reject", &plan],
            &["reject", &plan, "--reason", "又一次"],
            &["apply", &plan],
            &["apply", &plan, "--approve"],
        ] {
            let outcome = site.run(arguments);
            let told = outcome.stderr.find("error[").and_then(|at| outcome.stderr.get(at..));
            said.push((outcome.code, told.unwrap_or_default().replace(&plan, "PLAN")));
        }
        assert_eq!(site.disabled(), 10, "{said:#?}");
        assert!(serving.is_none_or(|serving| serving.end().is_ok()));
        said
    };
    let alone = decide(false);
    let codes: Vec<_> = alone.iter().map(|(code, _)| code.unwrap()).collect();
    assert_eq!(codes, [3, 0, 0, 1, 3, 0], "{alone:#?}");
    assert!(alone[0].1.contains("plan.held") && alone[4].1.contains("plan.rejected"), "{alone:#?}");
    assert!(alone[4].1.contains("`ruzhi apply PLAN --approve`"), "{alone:#?}");
    assert_eq!(decide(true), alone);
}

#[test]
fn a_process_that_was_killed_leaves_a_command_neither_waiting_nor_locked_out() {
    let mut site = Site::new(40, |tenant| tenant);
    site.workforce.publish(&site.simulator).unwrap();
    let slow = FaultRule { delay_ms: 300, ..FaultRule::new(FaultKind::Slow).api("user/create") };
    site.simulator.set_faults(Faults { seed: 1, rules: vec![slow] });
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let command = site.deployment.command(&["sync", "jingxintai"]).unwrap();
    let waiting = std::thread::spawn(move || ruzhi_e2e::finish(command).unwrap());
    let some = || (site.simulator.members(CORP_ID).len() > 2).then_some(());
    serving.wait("members", some).unwrap();
    serving.kill().unwrap();
    let outcome = waiting.join().unwrap();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("serve.gone"), "{}", outcome.stderr);
    site.simulator.set_faults(Faults::default());
    assert_eq!(site.json(0, &["sync", "jingxintai"])["state"], "done");
    site.exact();
}
