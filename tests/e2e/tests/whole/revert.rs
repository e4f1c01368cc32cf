//! A run is reverted by an ordinary plan.

use ruzhi_e2e::{RULES, Tenant};
use ruzhi_sim::factory::POSITION;
use serde_json::json;

use crate::site::Site;

fn with_rules(site: &Site, rules: String) {
    site.deployment.put(&Tenant { rules: Some(rules), ..Tenant::new(&site.simulator.url()) }).unwrap();
}

#[test]
fn a_run_with_wrong_rules_is_undone_and_not_done_again() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    let wrong = RULES.replace(&format!("{{{POSITION}}}"), "员工");
    with_rules(&site, wrong.clone());
    let run = site.sync();
    assert_eq!(run["counts"]["updated"], 12);
    assert_eq!(site.member("W0001").unwrap().position, "员工");

    let plan = site.json(0, &["revert", run["run"].as_str().unwrap()]);
    let plan = plan["plan"].as_str().unwrap().to_owned();
    let shown = site.json(0, &["show", &plan]);
    assert_eq!(shown["purpose"], "revert");
    assert_eq!(shown["operations"].as_array().unwrap().len(), 12);
    assert_eq!(shown["operations"][0]["changes"], json!(["position"]));
    assert_eq!(site.member("W0001").unwrap().position, "员工", "a plan writes nothing");
    assert_eq!(site.json(0, &["apply", &plan])["counts"]["updated"], 12);
    site.exact();

    // The rules are still wrong: the next sync leaves the people alone.
    let writes = site.writes();
    let again = site.sync();
    assert_eq!((&again["counts"]["rejected"], site.writes()), (&json!(12), writes));
    assert_eq!(site.refused(&site.record(4)), ["run.reverted"]);
    site.exact();

    // A changed row is decided again by the current rules.
    with_rules(&site, RULES.to_owned());
    site.workforce.transfer(4);
    site.sync();
    site.exact();
    assert!(site.refused(&site.record(4)).is_empty());
    assert!(site.refused(&site.record(5)).is_empty(), "other rules, another judgement");
}

#[test]
fn a_full_sync_does_it_again_when_a_person_asks() {
    let mut site = Site::new(6, |tenant| tenant);
    site.sync();
    site.workforce.transfer(1);
    let run = site.sync();
    let before = site.member("W0002").unwrap();
    let plan = site.json(0, &["revert", run["run"].as_str().unwrap()]);
    site.json(0, &["apply", plan["plan"].as_str().unwrap()]);
    assert_ne!(site.member("W0002").unwrap().position, before.position);
    assert_eq!(site.sync()["counts"]["updated"], 0);
    assert_eq!(site.json(0, &["sync", "jingxintai", "--full"])["counts"]["updated"], 1);
    site.exact();
}

#[test]
fn undoing_a_load_of_people_is_under_the_guard() {
    let mut site = Site::new(12, |tenant| tenant);
    let run = site.sync();
    let reverted = site.run(&["revert", run["run"].as_str().unwrap(), "--json"]);
    let plan = reverted.json().unwrap()["plan"].as_str().unwrap().to_owned();
    assert_eq!(site.json(0, &["show", &plan])["state"], "held");
    assert_eq!(site.run(&["apply", &plan]).code, Some(3));
    let members = site.simulator.members(ruzhi_sim::factory::CORP_ID);
    assert!(members.len() == 12 && members.values().all(|member| member.enabled));
    assert_eq!(site.run(&["apply", &plan, "--approve"]).code, Some(0));
    assert!(site.simulator.members(ruzhi_sim::factory::CORP_ID).is_empty());
    site.sync();
    assert!(site.simulator.members(ruzhi_sim::factory::CORP_ID).is_empty(), "undone stays undone");
}

#[test]
fn who_was_disabled_by_the_run_is_enabled_again() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    site.workforce.leave(3);
    let run = site.sync();
    let plan = site.json(0, &["revert", run["run"].as_str().unwrap()]);
    assert_eq!(site.json(0, &["apply", plan["plan"].as_str().unwrap()])["counts"]["enabled"], 1);
    assert!(site.member("W0004").unwrap().enabled);
    assert_eq!(site.sync()["counts"]["disabled"], 0, "it is not done again");
}
