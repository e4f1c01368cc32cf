//! Manual changes in the directory are found, then kept, overwritten or adopted as a person decides.

use ruzhi_sim::factory::CORP_ID;
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

fn planned(site: &Site, flag: &str) -> Value {
    let plan = site.json(0, &["drift", "jingxintai", flag]);
    site.json(0, &["apply", plan["plan"].as_str().unwrap()])
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
    assert!(findings(&site).iter().all(|(kind, _)| kind == "unexpected"));
}

/// A file repeats unchanged fields, so members left as they are get a call of their own.
#[test]
fn a_big_load_does_not_undo_what_was_let_stand() {
    let mut site =
        Site::new(12, |tenant| ruzhi_e2e::Tenant { wecom: "batch_from = 5\n".to_owned(), ..tenant });
    site.sync();
    site.simulator.change_by_hand(CORP_ID, object(json!({ "userid": "W0005", "department": [1] }))).unwrap();
    planned(&site, "--keep");
    let rules = ruzhi_e2e::RULES.replace(&format!("{{{}}}", ruzhi_sim::factory::POSITION), "员工");
    let tenant = ruzhi_e2e::Tenant {
        wecom: "batch_from = 5\n".to_owned(),
        rules: Some(rules),
        ..ruzhi_e2e::Tenant::new(&site.simulator.url())
    };
    site.deployment.put(&tenant).unwrap();
    let files = site.calls("batch/syncuser");
    assert_eq!(site.sync()["counts"]["updated"], 12);
    assert!(site.calls("batch/syncuser") > files);
    let kept = site.member("W0005").unwrap();
    assert_eq!((kept.position.as_str(), &kept.department), ("员工", &vec![1]));
}
