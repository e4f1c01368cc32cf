//! Actions at a terminal are in the audit log like those on a page: actor, origin, action and outcome.

use ruzhi_e2e::Serving;
use serde_json::{Value, json};

use crate::site::Site;

/// The audit log, oldest first, as a page would show it.
fn audit(serving: &Serving) -> Vec<Value> {
    let mut rows = serving.data("/api/v1/audit?limit=500").unwrap()["items"].as_array().unwrap().clone();
    rows.reverse();
    rows
}

/// Action, subject, detail and outcome of each row.
fn told(rows: &[Value]) -> Vec<(String, String, String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let one = |row| (text(row, "action"), text(row, "subject"), text(row, "detail"), text(row, "outcome"));
    rows.iter().map(one).collect()
}

fn row(action: &str, subject: &str, detail: &str, outcome: &str) -> (String, String, String, String) {
    (action.to_owned(), subject.to_owned(), detail.to_owned(), outcome.to_owned())
}

/// A third of the people leave at once, and the guard holds the plan.
fn held() -> (Site, String) {
    let mut site = Site::new(30, |tenant| tenant);
    site.sync();
    for place in 0..10 {
        site.workforce.leave(place);
    }
    site.workforce.publish(&site.simulator).unwrap();
    let plan = site.json(3, &["sync", "jingxintai"])["plan"].as_str().unwrap().to_owned();
    (site, plan)
}

/// The user who runs the tests, from the system's file of users, regardless of variables.
fn user() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let uid = std::fs::metadata("/proc/self").unwrap().uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let found = users.lines().find(|user| user.split(':').nth(2) == Some(&uid));
    found.unwrap().split(':').next().unwrap().to_owned()
}

#[test]
fn every_decision_on_a_plan_is_written_down() {
    let (site, plan) = held();
    assert_eq!(site.run(&["apply", &plan]).code, Some(3));
    assert_eq!(site.run(&["apply", "p0000000000ff"]).code, Some(2));
    assert_eq!(site.run(&["reject", &plan, "--reason", "导入\n错误"]).code, Some(0));
    assert_eq!(site.run(&["reject", &plan]).code, Some(0), "the same no once more");
    assert_eq!(site.run(&["reject", &plan, "--reason", "又一次"]).code, Some(1));
    assert_eq!(site.json(0, &["show", &plan])["reason"], "导入 错误", "a reason is one line");
    assert_eq!(site.run(&["apply", &plan, "--approve"]).code, Some(0));
    assert_eq!(site.run(&["reject", &plan]).code, Some(1));
    assert_eq!(site.disabled(), 10);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let rows = audit(&serving);
    assert_eq!(
        told(&rows),
        [
            row("plan.apply", &plan, "", "plan.held"),
            row("plan.apply", "p0000000000ff", "", "usage"),
            row("plan.reject", &plan, "导入 错误", "done"),
            row("plan.reject", &plan, "", "done"),
            row("plan.reject", &plan, "又一次", "plan.state"),
            row("plan.approve", &plan, "", "done"),
            row("plan.reject", &plan, "", "plan.state"),
        ]
    );
    for row in &rows {
        assert_eq!(
            (&row["who"], &row["origin"], &row["role"]),
            (&json!(user()), &json!("terminal"), &json!("operator"))
        );
        if row["subject"] == plan {
            assert_eq!((&row["tenant"], &row["flow"]), (&json!("jingxintai"), &json!("onboarding")));
        }
    }
    let page = serving.get("/audit?lang=zh").unwrap().body;
    assert!(page.contains("驳回计划") && page.contains("terminal"), "{page}");
}

#[test]
fn a_variable_does_not_change_the_user() {
    let (site, plan) = held();
    let mut command = site.deployment.command(&["reject", &plan]).unwrap();
    command.env("USER", "boss").env("LOGNAME", "boss").env("SUDO_USER", "wang");
    assert_eq!(ruzhi_e2e::finish(command).unwrap().code, Some(0));
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let who = audit(&serving)[0]["who"].as_str().unwrap().to_owned();
    // Only root can have been reached by sudo.
    let expected = if user() == "root" { "wang (sudo root)".to_owned() } else { user() };
    assert_eq!(who, expected);
}

#[test]
fn every_look_behind_the_mask_is_written_down() {
    let mut site = Site::new(3, |tenant| tenant);
    let wrong = site.workforce.hire_wrongly();
    site.sync();
    let (record, unknown) = (site.record(wrong), "6a00000000000000000000ff");
    for masked in [&["quarantine"][..], &["trace", "jingxintai", &record], &["quarantine", "jingxintai"]] {
        assert_eq!(site.run(masked).code, Some(0));
    }
    let shown = site.run(&["quarantine", "jingxintai/onboarding", "--reveal"]);
    assert!(shown.code == Some(0) && shown.stdout.contains("0571-88888888"), "{}", shown.stdout);
    assert_eq!(site.run(&["quarantine", "--reveal", "--json"]).code, Some(0));
    assert_eq!(site.run(&["trace", "jingxintai", &record, "--reveal"]).code, Some(0));
    assert_eq!(site.run(&["trace", "jingxintai/onboarding", unknown, "--reveal"]).code, Some(1));
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    // Access while a process is running is allowed, and is audited then too.
    assert_eq!(site.run(&["trace", "jingxintai", &record, "--reveal"]).code, Some(0));
    let rows = audit(&serving);
    assert_eq!(
        told(&rows),
        [
            row("quarantine.reveal", "", "", "done"),
            row("quarantine.reveal", "", "", "done"),
            row("record.reveal", &record, "", "done"),
            row("record.reveal", unknown, "", "record.unknown"),
            row("record.reveal", &record, "", "done"),
        ]
    );
    assert_eq!((&rows[0]["flow"], &rows[1]["tenant"]), (&json!("onboarding"), &Value::Null));
}

#[test]
fn what_a_process_that_stays_does_for_a_terminal_is_written_down() {
    let (site, plan) = held();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    assert_eq!(site.run(&["reject", &plan, "--reason", "导入错误"]).code, Some(0));
    assert_eq!(site.run(&["sync", "--full"]).code, Some(3), "it is the same plan, and stays rejected");
    assert_eq!(site.disabled(), 0);
    let outcome = site.run(&["apply", &plan, "--approve"]);
    assert_eq!(outcome.code, Some(0), "a person changed their mind: {}", outcome.stderr);
    let rows = audit(&serving);
    assert_eq!(
        told(&rows),
        [
            row("plan.reject", &plan, "导入错误", "done"),
            row("run.start", "", "sync full", "done"),
            row("plan.approve", &plan, "", "done"),
        ]
    );
    assert!(rows.iter().all(|row| row["origin"] == "terminal"), "{rows:?}");
    assert_eq!(site.disabled(), 10);
}

#[test]
fn other_rules_and_what_is_asked_of_a_run_in_particular_are_written_down() {
    let mut site = Site::new(4, |tenant| tenant);
    site.sync();
    site.sync();
    let other = ruzhi_e2e::RULES.replacen("\"request\"", "\"name\": \"other\", \"request\"", 1);
    let file = site.deployment.path().join("other.json");
    std::fs::write(&file, other).unwrap();
    let file = file.display().to_string();
    let why = ["--by", "王工", "--why", "试一试", "--approve"];
    let activate = [&["rules", "activate", "jingxintai", &file][..], &why].concat();
    let activated = site.run(&activate);
    let missing = site.run(&["rules", "rollback", "jingxintai", "ffffffffffff"]);
    assert_eq!(missing.code, Some(2));
    let expected_back = if activated.code == Some(0) { "done" } else { "activation.nothing-before" };
    site.run(&["rules", "rollback", "jingxintai"]);
    assert_eq!(site.run(&["sync", "--full", "--accept-missing"]).code, Some(0));
    assert_eq!(site.run(&["plan", "jingxintai", "--full"]).code, Some(0));
    assert_eq!(site.run(&["adopt", "jingxintai", "--by", "mobile"]).code, Some(0));
    assert_eq!(site.run(&["drift", "jingxintai"]).code, Some(0));
    assert_eq!(site.run(&["drift", "jingxintai", "--keep"]).code, Some(0));
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let rows = audit(&serving);
    let told = told(&rows);
    assert_eq!((told[0].0.as_str(), told[0].2.as_str()), ("rules.activate", "by 王工: 试一试"));
    assert_eq!(
        told[1..],
        [
            row("rules.rollback", "ffffffffffff", "", "activation.unknown"),
            row("rules.rollback", "", "", expected_back),
            row("run.start", "", "sync full accept_missing", "done"),
            row("run.start", "", "plan full", "done"),
            row("run.start", "", "adopt by mobile", "done"),
            row("run.start", "", "drift keep", "done"),
        ]
    );
}
