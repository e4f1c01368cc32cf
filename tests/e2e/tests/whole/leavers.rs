//! People leave, return, move to other departments and change their numbers.

use ruzhi_e2e::Tenant;
use ruzhi_sim::factory::{APP_ID, CORP_ID, Factory, MOBILE, NAME, USERID};
use ruzhi_sim::{FaultKind, FaultRule, Faults, FormLoad, RowChange};
use serde_json::{Map, Value, json};

use crate::site::{Site, fields};

fn grace(grace: &'static str) -> impl FnOnce(Tenant) -> Tenant {
    move |tenant| Tenant { top: format!("grace = \"{grace}\"\n"), ..tenant }
}

#[test]
fn who_comes_back_within_the_grace_is_enabled_again() {
    let mut site = Site::new(12, grace("30d"));
    site.sync();
    site.workforce.leave(3);
    assert_eq!(site.sync()["counts"]["disabled"], 1);
    let userid = site.userid(3);
    assert_eq!(site.member(&userid).unwrap().status(), 2);
    let quiet = site.sync();
    assert_eq!((&quiet["counts"]["disabled"], &quiet["counts"]["deleted"]), (&json!(0), &json!(0)));

    site.workforce.employ(3);
    // A returner who moved meanwhile is enabled and moved by one call.
    site.workforce.transfer(3);
    assert_eq!(site.sync()["counts"]["enabled"], 1);
    site.exact();
    assert_eq!(site.calls("user/update"), 2);
    assert_eq!(site.simulator.created(CORP_ID)[&userid.to_ascii_lowercase()], 1);
    assert_eq!(site.simulator.invitations(CORP_ID)[&userid.to_ascii_lowercase()], 1);
}

#[test]
fn who_comes_back_after_the_grace_is_created_again() {
    let mut site = Site::new(12, grace("0s"));
    site.sync();
    site.workforce.leave(3);
    assert_eq!(site.sync()["counts"]["disabled"], 1);
    assert_eq!(site.sync()["counts"]["deleted"], 1);
    let userid = site.userid(3);
    assert!(site.member(&userid).is_none());
    assert_eq!(site.sync()["counts"]["deleted"], 0);

    site.workforce.employ(3);
    assert_eq!(site.sync()["counts"]["created"], 1);
    site.exact();
    assert_eq!(site.simulator.created(CORP_ID)[&userid.to_ascii_lowercase()], 2);
}

/// A new row is a new record, but has the same person.
#[test]
fn who_comes_back_with_a_new_row_is_the_same_member() {
    let mut site = Site::new(12, grace("30d"));
    site.sync();
    site.workforce.leave(3);
    site.sync();
    site.workforce.hire_again(3);
    assert_eq!(site.sync()["counts"]["enabled"], 1);
    site.exact();
    assert_eq!(site.calls("user/create"), 12);
}

const LEAVING_FORM: &str = "63e0706d0e33350008189999";

fn leaving_row(site: &Site, place: usize) -> Map<String, Value> {
    // Written after the person's own row and before any later one.
    let record = site.record(place).replace("660", "661");
    let row = json!({ "_id": record, USERID: site.userid(place), NAME: "-", MOBILE: "" });
    row.as_object().unwrap().clone()
}

#[test]
fn a_form_of_its_own_tells_who_has_left() {
    let rules = json!({
        "request": [
            { "field": "userid", "type": "string", "value": format!("{{{USERID}}}") },
            { "field": "name", "type": "string", "value": format!("{{{NAME}}}") },
            { "field": "mobile", "type": "string", "value": format!("{{{MOBILE}}}") },
        ],
        "when": [{ "field": USERID, "not_empty": true, "then": "leave" }],
    });
    let leaving = FormLoad {
        app_id: APP_ID.to_owned(),
        entry_id: LEAVING_FORM.to_owned(),
        widgets: Factory::widgets(),
        ..FormLoad::default()
    };
    let mut site = Site::loaded(
        12,
        |document| document.jiandaoyun.forms.push(leaving),
        |tenant| Tenant {
            flows: format!(
                r#"
[[flows]]
id = "leaving"
[flows.source]
app_id = "{APP_ID}"
entry_id = "{LEAVING_FORM}"
[flows.guest]
component = "{{component}}"
config = "jingxintai/leaving.json"
"#
            ),
            files: vec![("leaving.json".to_owned(), rules.to_string())],
            ..tenant
        },
    );
    assert_eq!(site.sync()["counts"]["created"], 12);
    let row = leaving_row(&site, 5);
    let change = RowChange {
        app_id: APP_ID.to_owned(),
        entry_id: LEAVING_FORM.to_owned(),
        upsert: vec![row],
        ..RowChange::default()
    };
    site.simulator.change_rows(change).unwrap();
    assert_eq!(site.sync()["counts"]["disabled"], 1);
    let userid = site.userid(5);
    assert_eq!(site.member(&userid).unwrap().status(), 2);
    let writes = site.writes();
    site.sync();
    assert_eq!(site.writes(), writes, "the onboarding row does not bring them back");
    // It was a mistake, and the only row of its form.
    let gone = RowChange {
        app_id: APP_ID.to_owned(),
        entry_id: LEAVING_FORM.to_owned(),
        delete: vec![site.record(5).replace("660", "661")],
        ..RowChange::default()
    };
    site.simulator.change_rows(gone).unwrap();
    let emptied = site.json(1, &["sync", "jingxintai/leaving", "--full"]);
    assert_eq!(emptied["error"]["code"], "source.emptied");
    site.json(0, &["sync", "jingxintai/leaving", "--full", "--accept-missing"]);
    site.json(0, &["sync", "jingxintai/onboarding"]);
    assert_eq!(site.member(&userid).unwrap().status(), 4, "back where they were");
}

#[test]
fn an_absent_row_means_nothing_unless_the_tenant_says_so() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    site.workforce.remove(2);
    site.workforce.publish(&site.simulator).unwrap();
    assert_eq!(site.json(0, &["sync", "jingxintai", "--full"])["counts"]["disabled"], 0);
    assert_eq!(site.disabled(), 0);
}

const INCREMENTAL: &str = r#"filter = { rel = "and", cond = [
  { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] } ] }"#;

#[test]
fn an_absent_row_is_a_leaver_only_on_a_complete_collect_and_if_the_tenant_says_so() {
    let mut site = Site::new(12, |tenant| Tenant {
        flow: "absent = \"leave\"\n".to_owned(),
        source: INCREMENTAL.to_owned(),
        ..tenant
    });
    site.sync();
    site.workforce.remove(2);
    let incremental = site.sync();
    assert_eq!(incremental["counts"]["disabled"], 0, "an incremental collect never makes a leaver");
    assert_eq!(site.disabled(), 0);
    let full = site.json(0, &["sync", "jingxintai", "--full"]);
    assert_eq!(full["counts"]["disabled"], 1);
    let userid = site.userid(2);
    assert_eq!(site.member(&userid).unwrap().status(), 2);

    site.workforce.employ(2);
    assert_eq!(site.sync()["counts"]["enabled"], 1);
    site.exact();
}

#[test]
fn a_transfer_sends_what_changed_and_nothing_else() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    site.workforce.transfer(1);
    site.workforce.renumber(2);
    assert_eq!(site.sync()["counts"]["updated"], 2);
    let bodies = site.bodies("user/update");
    assert_eq!(bodies.len(), 2);
    for body in &bodies {
        let sent = fields(body);
        match body["userid"] == site.userid(1) {
            true => assert_eq!(sent, ["department", "position", "userid"]),
            false => assert_eq!(sent, ["mobile", "userid"]),
        }
    }
    site.exact();
}

/// WeCom answers 0 and keeps the number, so trusting the answer would make the ledger wrong.
#[test]
fn the_number_of_a_member_who_has_logged_in_stays_and_a_person_is_told() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    let userid = site.userid(4);
    site.simulator.activate(CORP_ID, &userid).unwrap();
    let old = site.member(&userid).unwrap().mobile;
    site.workforce.renumber(4);
    site.workforce.renumber(5);
    site.sync();
    assert_eq!(site.member(&userid).unwrap().mobile, old);
    assert_eq!(site.refused(&site.record(4)), ["mobile.activated"]);
    assert_eq!(site.refused(&site.record(5)), Vec::<String>::new());
    let writes = site.writes();
    site.sync();
    assert_eq!(site.writes(), writes, "it is not tried again and again");
    // Another change of the same person still goes through.
    site.workforce.transfer(4);
    site.sync();
    assert_eq!(site.member(&userid).unwrap().department, site.workforce.workers()[4].person.department);
}

/// A person whose new number is still held by someone giving it up waits only as long as the holder has it.
#[test]
fn a_number_is_taken_once_its_holder_has_given_it_up() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    site.workforce.hand_over_mobile(3, 4);
    site.workforce.publish(&site.simulator).unwrap();
    let holder = site.userid(3);
    let busy = FaultRule {
        containing: Some(holder),
        ..FaultRule::new(FaultKind::BusyBefore).api("user/update").next(u64::MAX)
    };
    site.simulator.set_faults(Faults { seed: 1, rules: vec![busy] });
    assert_eq!(site.run(&["sync", "jingxintai"]).code, Some(1));
    site.simulator.set_faults(Faults::default());
    site.sync();
    site.sync();
    site.exact();
}

/// Neither can have the other's number first, so one has none for a moment.
#[test]
fn two_people_can_exchange_their_numbers() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    site.workforce.exchange_mobiles(3, 4);
    let writes = site.writes();
    site.sync();
    site.exact();
    assert_eq!(site.writes(), writes + 3);
    assert_eq!(site.sync()["counts"]["updated"], 0);
}

/// A member who has logged in keeps their number, so the exchange does not happen; neither loses theirs.
#[test]
fn an_exchange_with_a_member_who_has_logged_in_leaves_both_their_numbers() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    for place in [3, 4] {
        let userid = site.userid(place);
        site.simulator.activate(CORP_ID, &userid).unwrap();
    }
    let before = [3, 4].map(|place| site.member(&site.userid(place)).unwrap().mobile);
    site.workforce.exchange_mobiles(3, 4);
    site.workforce.publish(&site.simulator).unwrap();
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(site.run(&["sync", "jingxintai"]).code);
    }
    assert_eq!(codes.last(), Some(&Some(0)), "it comes to rest");
    assert_eq!([3, 4].map(|place| site.member(&site.userid(place)).unwrap().mobile), before);
    let writes = site.writes();
    site.sync();
    assert_eq!(site.writes(), writes);
}

/// Back at work with the same row after a disable whose answer was lost: the ledger does not know of the disable.
#[test]
fn who_comes_back_after_a_lost_disable_is_enabled() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    site.workforce.leave(3);
    site.workforce.publish(&site.simulator).unwrap();
    let lost = FaultRule::new(FaultKind::ResetAfter).api("user/update").next(u64::MAX);
    site.simulator.set_faults(Faults { seed: 1, rules: vec![lost] });
    assert_eq!(site.run(&["sync", "jingxintai"]).code, Some(1));
    site.simulator.set_faults(Faults::default());
    assert_eq!(site.disabled(), 1);
    site.workforce.employ(3);
    site.sync();
    site.exact();
}
