//! Runs begin by themselves, when they are due and when the files change.

use ruzhi_e2e::{Serving, Tenant};
use ruzhi_sim::{FaultKind, FaultRule, Faults};
use serde_json::{Value, json};

use crate::site::Site;

/// A schedule that is due every minute.
pub(crate) fn each_minute(tenant: Tenant) -> Tenant {
    Tenant { flow: "schedule = \"* * * * *\"".to_owned(), ..tenant }
}

/// Requests a run; returns its id.
pub(crate) fn ask(serving: &Serving, tenant: &str, wish: &Value) -> String {
    let latest = || {
        let runs = serving.data(&format!("/api/v1/runs?tenant={tenant}")).unwrap();
        runs["items"][0]["id"].as_str().map(ToOwned::to_owned)
    };
    let before = latest();
    let path = format!("/api/v1/tenants/{tenant}/flows/onboarding/runs");
    let json = [("content-type", "application/json")];
    let asked = serving.ask("POST", &path, &json, wish.to_string().into_bytes()).unwrap();
    assert_eq!(asked.status, 202, "{}", asked.body);
    // A run that has not begun within two seconds has no id yet: its rules are still being compiled.
    let named = asked.json().unwrap()["run"].as_str().map(ToOwned::to_owned);
    let begun = || latest().filter(|run| Some(run) != before.as_ref());
    named.unwrap_or_else(|| serving.wait("the run to begin", begun).unwrap())
}

/// A run, once it has ended.
pub(crate) fn run_of(serving: &Serving, run: &str) -> Value {
    let ended = || {
        let row = serving.data(&format!("/api/v1/runs/{run}")).unwrap()["run"].take();
        (row["state"] != "running").then_some(row)
    };
    serving.wait("the end of the run", ended).unwrap()
}

/// State of the first flow of a tenant.
pub(crate) fn schedule_state(serving: &Serving, tenant: &str) -> Value {
    let overview = serving.data("/api/v1/overview").unwrap();
    let tenants = overview["tenants"].as_array().unwrap();
    let found = tenants.iter().find(|found| found["id"] == tenant).unwrap();
    found["flows"][0]["schedule_state"].clone()
}

fn act(serving: &Serving, what: &str) {
    let path = format!("/api/v1/tenants/jingxintai/flows/onboarding/{what}");
    let done = serving.ask("POST", &path, &[("content-type", "application/json")], b"{}".to_vec()).unwrap();
    assert!((200..300).contains(&done.status), "{}: {}", done.status, done.body);
}

#[test]
fn a_flow_runs_at_its_minute_and_the_pages_show_it() {
    let site = Site::new(20, each_minute);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    assert_eq!(serving.get("/healthz").unwrap().status, 200);
    // The next minute is at most a minute away.
    let run = serving.wait("a run", || {
        let runs = site.json(0, &["runs"]);
        runs.as_array()?.iter().find(|run| run["state"] == "done").cloned()
    });
    let run: Value = run.unwrap();
    assert_eq!(run["counts"]["created"], 20);
    let page = serving.get(&format!("/runs/{}?lang=zh", run["id"].as_str().unwrap())).unwrap();
    assert_eq!(page.status, 200);
    assert!(page.body.contains("景欣泰工厂") && page.body.contains("lang=\"zh"), "{}", page.body);
    site.exact();
}

#[test]
fn one_slow_tenant_does_not_delay_the_others() {
    let site = Site::new(30, |tenant| tenant);
    let slow = Site::new(600, |tenant| tenant);
    site.deployment
        .put(&Tenant {
            id: "slow".to_owned(),
            wecom_limits: "{ per_minute = 30, per_hour = 10000000, in_flight = 1 }".to_owned(),
            ..Tenant::new(&slow.simulator.url())
        })
        .unwrap();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let slow_run = ask(&serving, "slow", &json!({}));
    let before = std::time::Instant::now();
    for _ in 0..5 {
        let run = ask(&serving, "jingxintai", &json!({ "full": true }));
        assert_eq!(run_of(&serving, &run)["state"], "done");
    }
    let five = before.elapsed();
    let live = serving.data(&format!("/api/v1/runs/{slow_run}")).unwrap();
    assert_eq!(live["run"]["state"], "running", "the slow run ended within {five:?}");
    site.exact();
}

#[test]
fn a_refused_credential_blocks_the_flow_until_the_files_change() {
    let site = Site::new(5, each_minute);
    let serving = Serving::start(&site.deployment, &[("JINGXINTAI_WECOM_SECRET", "wrong")]).unwrap();
    let run = ask(&serving, "jingxintai", &json!({}));
    assert_eq!(run_of(&serving, &run)["state"], "failed");
    let blocked = serving
        .wait("the block", || {
            Some(schedule_state(&serving, "jingxintai")).filter(|flow| flow["state"] == "blocked")
        })
        .unwrap();
    assert_eq!(blocked["blocked"]["code"], "wecom.40001");
    assert_eq!(blocked["next"], Value::Null, "{blocked}");

    // The secret now comes from a file, and the file is correct.
    let secret = site.deployment.path().join("secret");
    std::fs::write(&secret, ruzhi_sim::factory::SECRET).unwrap();
    let file = site.deployment.path().join("tenants/jingxintai.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("{ env = \"JINGXINTAI_WECOM_SECRET\" }", "{ file = \"../secret\" }");
    std::fs::write(&file, text).unwrap();
    serving
        .wait("the flow to go on", || {
            (site.simulator.members(ruzhi_sim::factory::CORP_ID).len() == 5).then_some(())
        })
        .unwrap();
    site.exact();
}

#[test]
fn resuming_a_blocked_flow_asks_wecom_again() {
    let mut site = Site::new(5, |tenant| tenant);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    run_of(&serving, &ask(&serving, "jingxintai", &json!({})));
    site.workforce.transfer(0);
    site.workforce.publish(&site.simulator).unwrap();
    let mut faults = Faults::default();
    faults.rules.push(FaultRule {
        errcode: 48002,
        every: 1,
        ..FaultRule::new(FaultKind::Refused).api("user/update")
    });
    site.simulator.set_faults(faults);
    assert_eq!(run_of(&serving, &ask(&serving, "jingxintai", &json!({})))["state"], "failed");
    serving
        .wait("the block", || (schedule_state(&serving, "jingxintai")["state"] == "blocked").then_some(()))
        .unwrap();
    site.simulator.set_faults(Faults::default());
    act(&serving, "resume");
    let changed = || {
        let member = site.member(&site.userid(0))?;
        (member.department == site.workforce.workers()[0].person.department).then_some(())
    };
    serving.wait("the change", changed).unwrap();
    assert_eq!(schedule_state(&serving, "jingxintai")["blocked"], Value::Null);
    site.exact();
}

#[test]
fn a_paused_flow_runs_only_for_a_person_and_stays_paused_over_a_restart() {
    let site = Site::new(5, each_minute);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    act(&serving, "pause");
    assert_eq!(schedule_state(&serving, "jingxintai")["state"], "paused");
    assert!(serving.end().unwrap().0.success());
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let paused = serving
        .wait("the flow", || Some(schedule_state(&serving, "jingxintai")).filter(|flow| !flow.is_null()))
        .unwrap();
    assert_eq!(paused["state"], "paused");
    assert_eq!(paused["paused"]["who"], "local");
    let run = ask(&serving, "jingxintai", &json!({}));
    assert_eq!(run_of(&serving, &run)["state"], "done");
    act(&serving, "resume");
    assert_eq!(schedule_state(&serving, "jingxintai")["state"], "waiting");
    let audit = serving.data("/api/v1/audit").unwrap();
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["flow.resume", "run.start", "flow.pause"], "{audit}");
}

#[test]
fn a_bad_file_leaves_the_old_one_running_and_is_shown_until_it_is_right() {
    let site = Site::new(5, |tenant| tenant);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let file = site.deployment.path().join("tenants/jingxintai.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("corp_id", "corpid")).unwrap();
    let refused = || serving.data("/api/v1/settings").unwrap()["configuration"]["error"].take();
    let problem = serving.wait("the problem", || Some(refused()).filter(|found| !found.is_null())).unwrap();
    assert!(problem.to_string().contains("corpid"), "{problem}");
    assert!(problem.to_string().contains("jingxintai.toml"), "{problem}");
    let run = ask(&serving, "jingxintai", &json!({}));
    assert_eq!(run_of(&serving, &run)["counts"]["created"], 5);
    std::fs::write(&file, good.replace("景欣泰工厂", "景欣泰二厂")).unwrap();
    serving.wait("the file to be taken up", || refused().is_null().then_some(())).unwrap();
    assert_eq!(serving.data("/api/v1/overview").unwrap()["tenants"][0]["name"], "景欣泰二厂");
    site.exact();
}

#[test]
fn other_rules_go_live_while_it_serves_and_broken_ones_leave_the_old_running() {
    let site = Site::new(10, |tenant| tenant);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let run = ask(&serving, "jingxintai", &json!({}));
    assert_eq!(run_of(&serving, &run)["counts"]["created"], 10);
    let rules = site.deployment.path().join("tenants/jingxintai/onboarding.json");
    let good = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, "{ this is no rules file").unwrap();
    let kinds = || -> Vec<String> {
        let alerts = serving.data("/api/v1/alerts").unwrap();
        let alerts = alerts.as_array().unwrap().iter().filter(|alert| alert["resolved_at"].is_null());
        alerts.map(|alert| alert["kind"].as_str().unwrap().to_owned()).collect()
    };
    serving.wait("the alert", || kinds().contains(&"rules.kept".to_owned()).then_some(())).unwrap();
    // The row says 操作工; the new rules give everyone a different position.
    let other = good.replace("\"{_widget_1680750424796}\"", "\"新{_widget_1680750424796}\"");
    assert_ne!(other, good, "the rules file has no position");
    std::fs::write(&rules, other).unwrap();
    let position = || {
        let member = site.member(&site.userid(0))?;
        (member.position == "新操作工").then_some(())
    };
    serving.wait("the members to change", position).unwrap();
    serving.wait("the alert to be over", || kinds().is_empty().then_some(())).unwrap();
}
