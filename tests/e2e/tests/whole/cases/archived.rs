//! A leaver is deleted when the grace period ends, regardless of the row: the ledger alone decides.

use chrono::TimeDelta;
use ruzhi_e2e::Tenant;
use ruzhi_sim::factory::CORP_ID;
use serde_json::json;

use super::stage::{POSITION, Plan, STARTS_ON, STATE, Stage};

const PEOPLE: [&str; 4] = ["V1", "V2", "V3", "V4"];

fn grace(tenant: Tenant) -> Tenant {
    Tenant { top: "grace = \"30d\"\n".to_owned(), ..tenant }
}

/// V2 has left and is disabled.
fn left(plan: Plan) -> Stage {
    let mut stage = Stage::of(Plan { ..plan }, &PEOPLE);
    stage.sync();
    stage.write("V2", &[(STATE, json!("离职"))]);
    stage.sync();
    assert_eq!(stage.status("V2"), 2);
    stage
}

fn is_deleted_when_the_grace_is_over(stage: &Stage) {
    stage.sync();
    assert_eq!(stage.status("V2"), 2, "within the grace");
    stage.pass(TimeDelta::days(29));
    stage.sync();
    assert_eq!(stage.status("V2"), 2, "within the grace");
    stage.pass(TimeDelta::days(2));
    stage.sync();
    assert!(stage.member("V2").is_none(), "the grace is over");
    stage.rest();
    for userid in ["V1", "V3", "V4"] {
        assert_eq!(stage.status(userid), 4);
    }
}

fn plan() -> Plan {
    Plan { tenant: grace, ..Plan::default() }
}

#[test]
fn a_leaver_whose_row_was_deleted_is_deleted_when_the_grace_is_over() {
    let mut stage = left(plan());
    stage.erase("V2");
    is_deleted_when_the_grace_is_over(&stage);
}

#[test]
fn a_leaver_whose_row_was_deleted_and_missed_by_a_complete_run_is_deleted_too() {
    let mut stage = left(plan());
    stage.erase("V2");
    stage.json(0, &["sync", "jingxintai", "--full"]);
    is_deleted_when_the_grace_is_over(&stage);
}

/// Archiving sets a value that the filter excludes.
#[test]
fn a_leaver_whose_row_leaves_the_filter_is_deleted_when_the_grace_is_over() {
    let filtered = |tenant| {
        let source = format!(
            r#"filter = {{ rel = "and", cond = [ {{ field = "{POSITION}", type = "text", method = "nin", value = ["归档"] }} ] }}"#
        );
        Tenant { source, ..grace(tenant) }
    };
    let mut stage = left(Plan { tenant: filtered, ..plan() });
    stage.write("V2", &[(POSITION, json!("归档"))]);
    stage.json(0, &["sync", "jingxintai", "--full"]);
    is_deleted_when_the_grace_is_over(&stage);
}

/// The rules now ignore the row.
#[test]
fn a_leaver_whose_row_the_rules_ignore_is_deleted_when_the_grace_is_over() {
    let when = json!([
        { "field": STATE, "equals": "归档", "then": "ignore" },
        { "field": STATE, "equals": "离职", "then": "leave" },
    ]);
    let mut stage = left(Plan { when, ..plan() });
    stage.write("V2", &[(STATE, json!("归档"))]);
    is_deleted_when_the_grace_is_over(&stage);
}

/// The row has become invalid; it is still a leaver's.
#[test]
fn a_leaver_whose_row_the_rules_refuse_is_deleted_when_the_grace_is_over() {
    let when = json!([
        { "field": STATE, "equals": "归档", "then": "reject" },
        { "field": STATE, "equals": "离职", "then": "leave" },
    ]);
    let mut stage = left(Plan { when, ..plan() });
    stage.write("V2", &[(STATE, json!("归档"))]);
    is_deleted_when_the_grace_is_over(&stage);
}

/// A returner with a new row within the grace period, the old row deleted: the same account, and it stays.
#[test]
fn a_returner_whose_new_row_comes_within_the_grace_is_not_deleted() {
    let mut stage = left(plan());
    stage.erase("V2");
    stage.sync();
    stage.pass(TimeDelta::days(20));
    let mobile = stage.member("V2").unwrap().mobile;
    stage.write("V2", &[(super::stage::MOBILE, json!(mobile))]);
    stage.sync();
    assert_eq!(stage.status("V2"), 4);
    stage.pass(TimeDelta::days(20));
    stage.sync();
    stage.rest();
    assert_eq!(stage.status("V2"), 4);
    assert_eq!(stage.created("V2"), 1);
}

/// Sixty archived leavers are sixty deletions, which a person reviews first.
#[test]
fn the_guard_counts_deletions_whose_rows_are_gone() {
    let guarded = |tenant| Tenant {
        tables: "[guard]\ncreate_most = 100000\nleave_percent = 100\nleave_most = 6\n".to_owned(),
        ..grace(tenant)
    };
    let people: Vec<String> = (0..10).map(|number| format!("G{number:02}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let mut stage = Stage::of(Plan { tenant: guarded, ..Plan::default() }, &people);
    stage.sync();
    // A few at a time, over weeks.
    for leavers in people[..8].chunks(4) {
        stage.write_all(leavers, &[(STATE, json!("离职"))]);
        stage.sync();
        stage.pass(TimeDelta::days(8));
    }
    for userid in &people[..8] {
        stage.erase(userid);
    }
    stage.pass(TimeDelta::days(40));
    let held = stage.json(3, &["sync", "jingxintai"]);
    assert_eq!(held["guard"][0]["limit"], "leave_most", "{held}");
    assert_eq!(stage.simulator.members(CORP_ID).len(), 10, "a held plan is not applied in part");
    let plan = held["plan"].as_str().unwrap().to_owned();
    stage.json(0, &["apply", &plan, "--approve"]);
    assert_eq!(stage.simulator.members(CORP_ID).len(), 2);
}

/// The flow that disabled them is gone; another flow of the tenant goes on.
#[test]
fn a_leaver_whose_flow_is_gone_is_deleted_by_the_tenant_s_other_flow() {
    let mut stage = left(plan());
    let other = Tenant { flow: String::new(), ..stage.tenant.clone() };
    let rules = Plan { when: json!([{ "field": STARTS_ON, "not_empty": true, "then": "ignore" }]), ..plan() };
    stage.tenant = Tenant { rules: Some(rules.rules()), ..other };
    stage.erase("V2");
    let text = std::fs::read_to_string(stage.deployment.path().join("tenants/jingxintai.toml")).unwrap();
    let text = text.replace("id = \"onboarding\"", "id = \"arrivals\"");
    std::fs::write(stage.deployment.path().join("tenants/jingxintai.toml"), text).unwrap();
    stage.pass(TimeDelta::days(31));
    stage.sync_anyhow();
    stage.sync_anyhow();
    assert!(stage.member("V2").is_none(), "the ledger is the tenant's, not the flow's");
}
