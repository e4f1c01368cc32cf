//! Manual changes in the directory are found, then kept, overwritten or adopted as a person decides.

use chrono::TimeDelta;
use ruzhi_e2e::{Serving, Tenant};
use ruzhi_plan::drift::DriftFinding;
use ruzhi_sim::factory::CORP_ID;
use ruzhi_store::{Access, Database};
use serde_json::{Map, Value, json};

use crate::site::Site;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// One is deleted, one moved, one added.
fn meddled() -> Site {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    site.simulator.delete_by_hand(CORP_ID, "W0002").unwrap();
    site.simulator.change_by_hand(CORP_ID, object(json!({ "userid": "W0005", "department": [1] }))).unwrap();
    let visitor = json!({ "userid": "visitor", "name": "访客", "mobile": "13600000009", "department": [3] });
    site.simulator.add_by_hand(CORP_ID, object(visitor)).unwrap();
    site
}

fn findings(site: &Site) -> Vec<(String, String)> {
    let drift = site.json(0, &["drift", "jingxintai"]);
    let mut findings: Vec<(String, String)> = drift["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (finding["kind"].as_str().unwrap().to_owned(), finding["userid"].as_str().unwrap().to_owned())
        })
        .collect();
    findings.sort();
    findings
}

fn plan(site: &Site, flag: &str) -> String {
    site.json(0, &["drift", "jingxintai", flag])["plan"].as_str().unwrap().to_owned()
}

fn planned(site: &Site, flag: &str) -> Value {
    site.json(0, &["apply", &plan(site, flag)])
}

/// The differences that the store has, in short: those on the page.
fn stored(site: &Site) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let path = site.deployment.path().join("ruzhi.db");
    let findings = runtime.block_on(async {
        let store = Database::open(&path, Access::Read).await.unwrap();
        store.drift_findings_list(&"jingxintai".parse().unwrap(), None, 100).await.unwrap()
    });
    let short = |(_, finding)| match finding {
        DriftFinding::Missing { userid, .. } => format!("{userid} missing"),
        DriftFinding::Unexpected { userid } => format!("{userid} unexpected"),
        DriftFinding::Moved { userid, .. } => format!("{userid} moved"),
        DriftFinding::Changed { userid, field, .. } => format!("{userid} {field}"),
    };
    let mut findings: Vec<String> = findings.into_iter().map(short).collect();
    findings.sort();
    findings
}

#[test]
fn what_is_missing_moved_or_unexpected_is_named_and_nothing_is_written() {
    let site = meddled();
    let writes = site.writes();
    let drift = site.json(0, &["drift", "jingxintai"]);
    assert_eq!(drift["counts"]["missing"], 1, "{drift}");
    assert_eq!(drift["counts"]["moved"], 1);
    assert_eq!(drift["counts"]["unexpected"], 1);
    let found = [("missing", "W0002"), ("moved", "W0005"), ("unexpected", "visitor")];
    assert_eq!(findings(&site), found.map(|(kind, userid)| (kind.to_owned(), userid.to_owned())));
    let text = site.run(&["drift", "jingxintai"]).stdout;
    assert!(text.contains("W0002") && text.contains("visitor"), "{text}");
    assert_eq!(site.writes(), writes);
}

#[test]
fn a_directory_that_is_as_it_was_written_has_no_drift() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    assert_eq!(findings(&site), []);
}

#[test]
fn overwriting_makes_the_directory_as_the_form_says_and_leaves_strangers_alone() {
    let site = meddled();
    let applied = planned(&site, "--overwrite");
    assert_eq!((&applied["counts"]["created"], &applied["counts"]["updated"]), (&json!(1), &json!(1)));
    assert_eq!(site.member("visitor").unwrap().status(), 4);
    assert_eq!(site.member("W0005").unwrap().department, site.workforce.workers()[4].person.department);
    assert!(site.member("W0002").is_some());
    assert_eq!(findings(&site), [("unexpected".to_owned(), "visitor".to_owned())]);
}

#[test]
fn keeping_takes_the_directory_as_it_is_and_no_sync_fights_it() {
    let mut site = meddled();
    let writes = site.writes();
    planned(&site, "--keep");
    site.sync();
    assert_eq!(site.writes(), writes);
    assert_eq!(site.member("W0005").unwrap().department, [1]);
    assert!(site.member("W0002").is_none());
    assert_eq!(findings(&site), [("unexpected".to_owned(), "visitor".to_owned())]);
}

/// Moves time on, for the services and for the machine of later commands.
fn pass(site: &Site, time: TimeDelta) {
    site.simulator.advance_ms(u64::try_from(time.num_milliseconds()).unwrap());
    site.deployment.move_clock(time.num_seconds());
}

#[test]
fn what_is_left_of_a_check_follows_every_later_run_and_look_at_the_directory() {
    let mut site = Site::new(12, |tenant| Tenant { top: "grace = \"30d\"\n".to_owned(), ..tenant });
    site.sync();
    let by_hand = |site: &Site, userid: &str, department: Value| {
        let fields = object(json!({ "userid": userid, "department": department }));
        site.simulator.change_by_hand(CORP_ID, fields).unwrap();
    };
    let before = json!(site.member("W0005").unwrap().department);
    for userid in ["W0005", "W0007", "W0009"] {
        by_hand(&site, userid, json!([1]));
    }
    site.simulator.delete_by_hand(CORP_ID, "W0002").unwrap();
    site.json(0, &["drift", "jingxintai"]);
    assert_eq!(stored(&site), ["W0002 missing", "W0005 moved", "W0007 moved", "W0009 moved"]);

    // Someone undoes one change in the console. A plan that settles the rest has looked again.
    by_hand(&site, "W0005", before);
    let overwrite = plan(&site, "--overwrite");
    assert_eq!(stored(&site), ["W0002 missing", "W0007 moved", "W0009 moved"]);

    // The form has a person leave, who is deleted after the grace period, and another one move.
    site.workforce.leave(6);
    site.workforce.transfer(8);
    assert_eq!(site.sync()["counts"]["disabled"], 1);
    assert_eq!(stored(&site), ["W0002 missing", "W0007 moved"]);
    pass(&site, TimeDelta::days(31));
    assert_eq!(stored(&site), ["W0002 missing", "W0007 moved"]);
    assert_eq!(site.sync()["counts"]["deleted"], 1);
    assert_eq!(stored(&site), ["W0002 missing"]);
    assert_eq!(site.run(&["apply", &overwrite]).code, Some(1), "the directory is not what it was made for");

    planned(&site, "--keep");
    assert_eq!(stored(&site), Vec::<String>::new());
    assert_eq!(findings(&site), []);
}

/// A file repeats unchanged fields, so members left as they are get a call of their own.
#[test]
fn a_big_load_does_not_undo_what_was_let_stand() {
    let mut site = Site::new(12, |tenant| Tenant { wecom: "batch_from = 5\n".to_owned(), ..tenant });
    site.sync();
    site.simulator.change_by_hand(CORP_ID, object(json!({ "userid": "W0005", "department": [1] }))).unwrap();
    planned(&site, "--keep");
    let rules = ruzhi_e2e::RULES.replace(&format!("{{{}}}", ruzhi_sim::factory::POSITION), "员工");
    let tenant = Tenant {
        wecom: "batch_from = 5\n".to_owned(),
        rules: Some(rules),
        ..Tenant::new(&site.simulator.url())
    };
    site.deployment.put(&tenant).unwrap();
    let files = site.calls("batch/syncuser");
    assert_eq!(site.sync()["counts"]["updated"], 12);
    assert!(site.calls("batch/syncuser") > files);
    let kept = site.member("W0005").unwrap();
    assert_eq!((kept.position.as_str(), &kept.department), ("员工", &vec![1]));
}

#[test]
fn a_change_that_someone_undoes_is_reported_for_a_day_and_no_longer() {
    let mut site = Site::new(6, |tenant| tenant);
    site.sync();
    let change = |department: Value| {
        let fields = object(json!({ "userid": "W0005", "department": department }));
        site.simulator.change_by_hand(CORP_ID, fields).unwrap();
    };
    let before = json!(site.member("W0005").unwrap().department);
    change(json!([1]));
    site.json(0, &["drift", "jingxintai"]);
    change(before);
    let alert = |serving: &Serving| {
        let alerts = serving.data("/api/v1/alerts").unwrap();
        let is_active = |alert: &Value| alert["kind"] == "drift.found" && alert["resolved_at"].is_null();
        alerts.as_array().unwrap().iter().any(is_active)
    };
    let checks = || {
        let runs = site.json(0, &["runs"]);
        runs.as_array().unwrap().iter().filter(|run| run["kind"] == "drift" && run["state"] == "done").count()
    };
    // No callback tells the process that the difference is gone.
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    serving.wait("the alert", || alert(&serving).then_some(())).unwrap();
    serving.end().unwrap();
    assert_eq!((stored(&site), checks()), (vec!["W0005 moved".to_owned()], 1));

    pass(&site, TimeDelta::hours(25));
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    serving.wait("a new check", || stored(&site).is_empty().then_some(())).unwrap();
    serving.wait("the end of the alert", || (!alert(&serving)).then_some(())).unwrap();
    assert_eq!(checks(), 2);
    serving.end().unwrap();
}
