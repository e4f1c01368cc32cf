//! Applies each cleaning step of the founding document, and each key of the rules file, to a row.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "code of tests only: a wrong outcome is to fail the test"
)]

mod fields;
mod rows;
mod values;

use ruzhi_guest::{Context, Decision, Member, Outcome, SourceRecord, Violation, decide};
use ruzhi_guest_member::RulesFile;
use serde_json::{Value, json};

fn file(extra: Value, keys: Value) -> Value {
    let mut file = json!({"request": [
        {"field": "userid", "label": "帐号", "value": "{account}"},
        {"field": "name", "label": "姓名", "value": "{who}"},
        {"field": "mobile", "label": "手机", "value": "{phone}"},
    ]});
    file["request"].as_array_mut().unwrap().extend(extra.as_array().unwrap().iter().cloned());
    file.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    file
}

fn row(keys: Value) -> Value {
    let mut row = json!({"_id": "1", "account": "zhangsan", "who": "张三", "phone": "13800138000"});
    row.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    row
}

fn outcome(file: &Value, row: &Value) -> Outcome {
    let context = Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() };
    let record = SourceRecord { id: "1".into(), json: row.to_string() };
    decide::<RulesFile>(&file.to_string(), &context, &[record]).unwrap().remove(0)
}

/// The member made with one more entry and one more field of the row.
fn member(entry: Value, fields: Value) -> Member {
    upserted(outcome(&file(json!([entry]), json!({})), &row(fields)))
}

fn upserted(outcome: Outcome) -> Member {
    match outcome.decision {
        Decision::Upsert(member) => *member,
        other => panic!("{other:?}"),
    }
}

fn rejected(outcome: Outcome) -> Vec<(String, String)> {
    violations(outcome).into_iter().map(|violation| (violation.field, violation.rule)).collect()
}

fn violations(outcome: Outcome) -> Vec<Violation> {
    match outcome.decision {
        Decision::Reject(violations) => violations,
        other => panic!("{other:?}"),
    }
}

/// The violations caused by one more entry and field.
fn refused(entry: Value, fields: Value) -> Vec<(String, String)> {
    rejected(outcome(&file(json!([entry]), json!({})), &row(fields)))
}

fn one(field: &str, rule: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), rule.to_owned())]
}
