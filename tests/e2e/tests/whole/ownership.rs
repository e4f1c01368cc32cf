//! Members that ruzhi did not create are not touched, unless a person hands them over.

use ruzhi_e2e::Tenant;
use ruzhi_sim::LoadDocument;
use serde_json::{Value, json};

use crate::site::Site;

/// Members that existed in the corp before.
fn there(members: Vec<Value>) -> impl FnOnce(&mut LoadDocument) {
    move |document| {
        let corp = document.wecom.corps.first_mut().unwrap();
        corp.members = members.into_iter().map(|member| member.as_object().unwrap().clone()).collect();
    }
}

fn someone(userid: &str, mobile: &str) -> Value {
    json!({ "userid": userid, "name": "原有成员", "mobile": mobile, "department": [2], "position": "厂长", "status": 1 })
}

const FREE: &str = "13600000001";

#[test]
fn a_foreign_member_is_never_touched() {
    let mut site = Site::loaded(6, there(vec![someone("w0003", FREE)]), |tenant| tenant);
    let report = site.sync();
    assert_eq!((&report["counts"]["created"], &report["counts"]["rejected"]), (&json!(5), &json!(1)));
    assert_eq!(site.refused(&site.record(2)), ["member.foreign"]);
    site.workforce.leave(2);
    site.sync();
    site.workforce.employ(2);
    site.workforce.transfer(2);
    site.sync();
    let member = site.member("w0003").unwrap();
    assert_eq!((member.name.as_str(), member.position.as_str(), member.status()), ("原有成员", "厂长", 1));
    assert!(site.bodies("user/update").is_empty());
}

#[test]
fn a_number_held_by_a_foreign_member_names_its_holder() {
    let site = Site::loaded(3, |_| (), |tenant| tenant);
    let taken = site.workforce.workers()[1].person.mobile.clone();
    let mut site = Site::loaded(3, there(vec![someone("boss", &taken)]), |tenant| tenant);
    site.sync();
    assert_eq!(site.refused(&site.record(1)), ["mobile.held"]);
    let rejects = site.json(0, &["quarantine", "jingxintai"]).to_string();
    assert!(rejects.contains("boss"), "{rejects}");
    assert_eq!(site.member("boss").unwrap().name, "原有成员");
}

#[test]
fn a_member_is_adopted_by_its_userid_without_regard_to_case_and_then_written_once() {
    let mut site = Site::loaded(6, there(vec![someone("w0003", FREE)]), |tenant| tenant);
    site.sync();
    let writes = site.writes();
    let plan = site.json(0, &["adopt", "jingxintai", "--by", "userid"]);
    let plan = plan["plan"].as_str().unwrap().to_owned();
    let shown = site.json(0, &["show", &plan]);
    assert_eq!((&shown["purpose"], &shown["state"]), (&json!("adopt"), &json!("planned")));
    let operations = shown["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 1, "{shown}");
    assert_eq!((&operations[0]["kind"], &operations[0]["userid"]), (&json!("adopt"), &json!("w0003")));
    let applied = site.json(0, &["apply", &plan]);
    assert_eq!(applied["counts"]["adopted"], 1);
    assert_eq!(site.writes(), writes, "to adopt is to write into the ledger and nowhere else");

    let synced = site.sync();
    assert_eq!(synced["counts"]["updated"], 1);
    let member = site.member("w0003").unwrap();
    let person = &site.workforce.workers()[2].person;
    assert_eq!((&member.name, &member.position), (&person.name, &person.position));
    assert_eq!(member.userid, "w0003", "the casing stays");
    let writes = site.writes();
    site.sync();
    assert_eq!(site.writes(), writes);
    site.workforce.leave(2);
    assert_eq!(site.sync()["counts"]["disabled"], 1);
}

#[test]
fn a_member_is_adopted_by_its_mobile() {
    let site = Site::new(6, |tenant| tenant);
    let mobile = site.workforce.workers()[3].person.mobile.clone();
    let mut site = Site::loaded(6, there(vec![someone("zhangsan", &mobile)]), |tenant| tenant);
    let plan = site.json(0, &["adopt", "jingxintai", "--by", "mobile"]);
    let plan = plan["plan"].as_str().unwrap().to_owned();
    let shown = site.json(0, &["show", &plan]);
    let operations = shown["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 1, "{shown}");
    assert_eq!(
        (&operations[0]["kind"], &operations[0]["userid"], &operations[0]["record"]),
        (&json!("adopt"), &json!("zhangsan"), &json!(site.record(3)))
    );
    site.json(0, &["apply", &plan]);
    assert_eq!(site.sync()["counts"]["created"], 5);
    let member = site.member("zhangsan").unwrap();
    assert_eq!(member.name, site.workforce.workers()[3].person.name);
    assert!(site.member(&site.userid(3)).is_none(), "one person, one account");
}

/// Rejected at first because the number was a stranger's: once the stranger is adopted, that reason is gone.
#[test]
fn adopting_lifts_the_refusal_that_the_member_was_the_reason_of() {
    let site = Site::new(6, |tenant| tenant);
    let mobile = site.workforce.workers()[3].person.mobile.clone();
    let mut site = Site::loaded(6, there(vec![someone("zhangsan", &mobile)]), |tenant| tenant);
    site.sync();
    assert_eq!(site.refused(&site.record(3)), ["mobile.held"]);
    let plan = site.json(0, &["adopt", "jingxintai", "--by", "mobile"]);
    site.json(0, &["apply", plan["plan"].as_str().unwrap()]);
    let synced = site.sync();
    assert_eq!((&synced["counts"]["updated"], &synced["counts"]["rejected"]), (&json!(1), &json!(0)));
    assert_eq!(site.member("zhangsan").unwrap().name, site.workforce.workers()[3].person.name);
}

#[test]
fn two_members_that_could_be_meant_are_for_a_person_to_decide() {
    let site = Site::new(6, |tenant| tenant);
    let mobile = site.workforce.workers()[3].person.mobile.clone();
    let both = there(vec![someone("W0004", FREE), someone("zhangsan", &mobile)]);
    let site = Site::loaded(6, both, |tenant| tenant);
    let plan = site.json(0, &["adopt", "jingxintai"]);
    let shown = site.json(0, &["show", plan["plan"].as_str().unwrap()]);
    assert_eq!(shown["operations"].as_array().unwrap().len(), 0, "{shown}");
    assert_eq!(site.refused(&site.record(3)), ["adopt.ambiguous"]);
    assert_eq!(site.writes(), 0);
}

#[test]
fn a_protected_member_is_neither_adopted_nor_written() {
    let mut site = Site::loaded(6, there(vec![someone("W0003", FREE)]), |tenant| Tenant {
        top: "protected = [\"w0003\", \"w0005\"]\nexisting = \"adopt\"\n".to_owned(),
        ..tenant
    });
    site.json(0, &["adopt", "jingxintai"]);
    site.sync();
    assert_eq!(site.member("W0003").unwrap().name, "原有成员");
    assert!(site.member("W0005").is_none());
    assert_eq!(site.refused(&site.record(2)), ["member.protected"]);
    assert_eq!(site.refused(&site.record(4)), ["member.protected"]);
}

#[test]
fn a_tenant_may_take_existing_members_for_its_own() {
    let mut site = Site::loaded(6, there(vec![someone("w0003", FREE)]), |tenant| Tenant {
        top: "existing = \"adopt\"\n".to_owned(),
        ..tenant
    });
    let report = site.sync();
    assert_eq!(report["counts"]["created"], 5);
    site.sync();
    let member = site.member("w0003").unwrap();
    assert_eq!(member.name, site.workforce.workers()[2].person.name);
}
