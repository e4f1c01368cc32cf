//! The founding record, and what is wrong with others.

use ruzhi_guest::{Context, Decision, Member, SourceRecord, Violation, decide, department, describe};
use serde_json::{Value, json};

use super::*;

fn decision(row: Value) -> Decision {
    let context = Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() };
    let record = SourceRecord { id: "65f0".into(), json: row.to_string() };
    decide::<Jingxintai>("", &context, &[record]).unwrap().remove(0).decision
}

fn founding() -> Value {
    json!({
        "_widget_1681087902876": "user1234",
        "_widget_1675653229901": "张三",
        "_widget_1680875447221": "13800138000",
        "_widget_1680156501787": "[1,2,3]",
        "_widget_1680750424796": "工程师",
    })
}

fn changed(field: &str, value: Value) -> Value {
    let mut row = founding();
    row[field] = value;
    row
}

fn rejected(row: Value) -> Vec<(String, String)> {
    match decision(row) {
        Decision::Reject(violations) => {
            violations.into_iter().map(|Violation { field, rule, .. }| (field, rule)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_founding_record_is_one_member() {
    let member = Member {
        userid: "user1234".into(),
        name: "张三".into(),
        mobile: Some("13800138000".into()),
        memberships: department::memberships([1, 2, 3]),
        position: Some("工程师".into()),
        to_invite: Some(true),
        ..Member::default()
    };
    assert_eq!(decision(founding()), Decision::Upsert(Box::new(member)));
}

#[test]
fn fields_of_other_kinds_mean_the_same() {
    let mut row = founding();
    row[MOBILE] = json!({"phone": "+86 138-0013-8000", "verified": false});
    row[DEPARTMENT] =
        json!([{"dept_no": 1, "name": "a"}, {"dept_no": 2, "name": "b"}, {"dept_no": 3, "name": "c"}]);
    row[NAME] = json!("\u{feff}张三 ");
    row[USERID] = json!({"name": "张三", "username": "user1234", "status": 1});
    assert_eq!(decision(row), decision(founding()));
}

#[test]
fn all_that_is_wrong_is_told_at_the_forms_fields() {
    let mut row = founding();
    row[USERID] = json!("张三");
    row[MOBILE] = json!("1380013800");
    row[POSITION] = json!("字".repeat(129));
    assert_eq!(
        rejected(row),
        [
            (USERID.to_owned(), "userid.charset".to_owned()),
            (MOBILE.to_owned(), "mobile.invalid".to_owned()),
            (POSITION.to_owned(), "position.too-long".to_owned()),
        ]
    );
    assert_eq!(rejected(changed(MOBILE, json!(""))), [(MOBILE.to_owned(), "contact.missing".to_owned())]);
    assert_eq!(
        rejected(changed(DEPARTMENT, json!("技术部"))),
        [(DEPARTMENT.to_owned(), "department.invalid".to_owned())]
    );
}

#[test]
fn an_empty_position_is_managed_and_empty() {
    match decision(changed(POSITION, json!(""))) {
        Decision::Upsert(member) => assert_eq!(member.position.as_deref(), Some("")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_describes_its_fields_and_refuses_a_configuration() {
    let description = describe::<Jingxintai>("").unwrap();
    assert_eq!(description.source_fields.len(), 5);
    assert!(description.labels.contains(&(MOBILE.to_owned(), "手机号码".to_owned())));
    assert!(description.labels.contains(&("mobile".to_owned(), "手机号码".to_owned())));
    assert_eq!(describe::<Jingxintai>("{}").unwrap_err().code, "config.invalid");
}
