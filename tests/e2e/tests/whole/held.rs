//! A held plan is shown, rejected, approved or overtaken; never applied in part.

use serde_json::{Value, json};

use crate::site::Site;

/// A third of the people leave at once: the plan is held.
fn held() -> (Site, Value) {
    let mut site = Site::new(30, |tenant| tenant);
    site.sync();
    for place in 0..10 {
        site.workforce.leave(place);
    }
    site.workforce.publish(&site.simulator).unwrap();
    let report = site.json(3, &["sync", "jingxintai"]);
    assert_eq!(report["state"], "held");
    (site, report)
}

fn id(report: &Value) -> String {
    report["plan"].as_str().unwrap().to_owned()
}

#[test]
fn a_held_plan_can_be_read() {
    let (site, report) = held();
    let shown = site.json(0, &["show", &id(&report)]);
    assert_eq!(
        (&shown["state"], &shown["purpose"], &shown["tenant"]),
        (&json!("held"), &json!("sync"), &json!("jingxintai"))
    );
    assert_eq!(shown["guard"][0]["limit"], "leave_percent");
    let operations = shown["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 10);
    assert!(
        operations.iter().all(|operation| operation["kind"] == "disable" && operation["state"] == "planned")
    );
    let hash = shown["hash"].as_str().unwrap();
    assert_eq!(hash.len(), 64);
    assert_eq!(site.json(0, &["show", hash]), shown);
    let text = site.run(&["show", &id(&report)]).stdout;
    assert!(text.contains(&site.userid(3)), "{text}");
    for worker in site.workforce.workers() {
        assert!(!text.contains(&worker.person.mobile) && !shown.to_string().contains(&worker.person.mobile));
    }
    assert_eq!(site.run(&["show", "pffffffffffff"]).code, Some(2));
}

#[test]
fn an_unchanged_world_is_planned_the_same_again() {
    let (site, report) = held();
    let again = site.json(3, &["sync", "jingxintai"]);
    assert_eq!(again["plan"], report["plan"]);
    let hash = |report: &Value| site.json(0, &["show", &id(report)])["hash"].clone();
    assert_eq!(hash(&again), hash(&report));
    assert_eq!(site.disabled(), 0);
}

#[test]
fn a_held_plan_is_approved_by_its_hash_and_by_no_part_of_it() {
    let (site, report) = held();
    let hash = site.json(0, &["show", &id(&report)])["hash"].as_str().unwrap().to_owned();
    assert_eq!(site.run(&["apply", &hash]).code, Some(3), "not without --approve");
    assert_eq!(site.run(&["apply", &hash[..40], "--approve"]).code, Some(2));
    assert_eq!(site.disabled(), 0);
    let applied = site.json(0, &["apply", &hash, "--approve"]);
    assert_eq!(applied["counts"]["disabled"], 10);
    assert_eq!(site.disabled(), 10);
    site.exact();
    assert_eq!(site.json(0, &["show", &hash])["state"], "done");
}

#[test]
fn a_rejected_plan_stays_rejected_until_the_world_changes_or_a_person_changes_their_mind() {
    let (mut site, report) = held();
    let plan = id(&report);
    assert_eq!(site.run(&["reject", &plan, "--reason", "导入错误"]).code, Some(0));
    assert_eq!(site.json(0, &["show", &plan])["state"], "rejected");
    let again = site.json(3, &["sync", "jingxintai"]);
    assert_eq!((&again["state"], &again["plan"]), (&json!("held"), &report["plan"]));
    assert_eq!(site.json(0, &["show", &plan])["state"], "rejected");
    assert_eq!(site.run(&["apply", &plan]).code, Some(3));
    assert_eq!(site.disabled(), 0);

    // The import is corrected: another world, another plan.
    for place in 2..10 {
        site.workforce.employ(place);
    }
    assert_eq!(site.sync()["counts"]["disabled"], 2);

    let (site, report) = held();
    site.run(&["reject", &id(&report)]);
    let applied = site.json(0, &["apply", &id(&report), "--approve"]);
    assert_eq!(applied["counts"]["disabled"], 10);
}

#[test]
fn a_plan_the_world_has_overtaken_is_refused_and_a_new_one_waits() {
    let (mut site, report) = held();
    site.workforce.leave(10);
    site.workforce.publish(&site.simulator).unwrap();
    let refused = site.run(&["apply", &id(&report), "--approve", "--json"]);
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.json().unwrap()["error"]["code"], "plan.superseded");
    assert_eq!(site.disabled(), 0);
    assert_eq!(site.json(0, &["show", &id(&report)])["state"], "superseded");
    let waiting = site.json(0, &["status", "jingxintai"])[0]["held"][0].as_str().unwrap().to_owned();
    assert_ne!(waiting, id(&report));
    assert_eq!(site.json(0, &["apply", &waiting, "--approve"])["counts"]["disabled"], 11);
}

#[test]
fn updates_have_a_limit_of_their_own_if_the_tenant_sets_one() {
    let mut site = Site::new(12, |tenant| ruzhi_e2e::Tenant {
        tables: "[guard]\nupdate_most = 5\n".to_owned(),
        ..tenant
    });
    site.sync();
    for place in 0..6 {
        site.workforce.transfer(place);
    }
    site.workforce.publish(&site.simulator).unwrap();
    let report = site.json(3, &["sync", "jingxintai"]);
    assert_eq!(report["guard"][0]["limit"], "update_most");
    assert_eq!(site.calls("user/update"), 0);
}
