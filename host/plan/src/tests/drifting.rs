//! The promises of a check for changes made by hand.

use serde_json::{Map, Value, json};

use super::*;
use crate::drift::{DirectoryMember, DriftFinding, compare, settle};
use ruzhi_model::Operation;

fn shown(departments: &[u32], details: Value) -> DirectoryMember {
    DirectoryMember {
        departments: departments.iter().copied().map(DepartmentId).collect(),
        details: details.as_object().cloned(),
    }
}

/// A member as the directory shows them when nothing was changed.
fn details() -> Value {
    json!({
        "userid": "a", "name": "name of a", "mobile": "13800000001", "position": "工程师", "enable": 1,
        "department": [1], "avatar": "…"
    })
}

fn line() -> LedgerEntry {
    let written = Member { position: Some("工程师".to_owned()), ..member("a", "13800000001") };
    entry(1, written, MemberState::Active)
}

fn with(mut details: Value, field: &str, value: Value) -> Value {
    details[field] = value;
    details
}

fn fields(findings: &[DriftFinding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| match finding {
            DriftFinding::Missing { .. } => "missing".to_owned(),
            DriftFinding::Unexpected { .. } => "unexpected".to_owned(),
            DriftFinding::Moved { .. } => "moved".to_owned(),
            DriftFinding::Changed { field, .. } => field.clone(),
        })
        .collect()
}

#[test]
fn a_member_as_written_has_not_drifted_with_or_without_details() {
    assert_eq!(compare(&line(), Some(&shown(&[1], details()))), []);
    assert_eq!(compare(&line(), Some(&shown(&[1], Value::Null))), []);
    let gone = LedgerEntry { state: MemberState::Deleted, ..line() };
    assert_eq!(compare(&gone, None), []);
}

#[test]
fn who_is_gone_moved_or_changed_is_found() {
    assert_eq!(fields(&compare(&line(), None)), ["missing"]);
    assert_eq!(fields(&compare(&line(), Some(&shown(&[1, 2], details())))), ["moved"]);
    let changed = with(with(details(), "position", json!("厂长")), "enable", json!(0));
    assert_eq!(fields(&compare(&line(), Some(&shown(&[1], changed)))), ["position", "enable"]);
    let left = LedgerEntry { state: MemberState::Left, ..line() };
    assert_eq!(fields(&compare(&left, Some(&shown(&[1], details())))), ["enable"]);
    assert_eq!(compare(&left, Some(&shown(&[1], with(details(), "enable", json!(0))))), []);
}

#[test]
fn a_field_that_the_credential_may_not_read_is_no_finding() {
    for (field, hidden) in [("mobile", json!("")), ("gender", json!("0"))] {
        let line =
            LedgerEntry { written: Member { gender: Some("1".to_owned()), ..line().written }, ..line() };
        let details = with(with(details(), "gender", json!("1")), field, hidden);
        assert_eq!(compare(&line, Some(&shown(&[1], details))), [], "{field}");
    }
    assert_eq!(
        fields(&compare(&line(), Some(&shown(&[1], with(details(), "mobile", json!("1")))))),
        ["mobile"]
    );
}

#[test]
fn what_a_person_let_stand_is_silent_until_it_changes_again() {
    let mut kept = line();
    kept.kept.insert("position".to_owned(), json!("厂长"));
    kept.kept.insert("department".to_owned(), json!([2]));
    let by_hand = with(details(), "position", json!("厂长"));
    assert_eq!(compare(&kept, Some(&shown(&[2], by_hand.clone()))), []);
    assert_eq!(fields(&compare(&kept, Some(&shown(&[3], by_hand)))), ["moved"]);
    let again = with(details(), "position", json!("顾问"));
    assert_eq!(fields(&compare(&kept, Some(&shown(&[2], again)))), ["position"]);
}

#[test]
fn overwriting_sends_only_what_differs_and_keeping_sends_nothing() {
    let changed = shown(&[2], with(details(), "position", json!("厂长")));
    let findings = compare(&line(), Some(&changed));
    let overwrite = acting(settle(&line(), &findings, DriftResolution::Overwrite, &policy()).unwrap());
    assert_eq!(overwrite.kind, OperationKind::Update);
    assert_eq!(json!(overwrite.body), json!({ "userid": "a", "position": "工程师", "department": [1] }));
    assert_eq!(overwrite.member, line().written);
    let keep = acting(settle(&line(), &findings, DriftResolution::Keep, &policy()).unwrap());
    assert_eq!(keep.kind, OperationKind::Keep);
    assert_eq!(json!(keep.body), json!({ "position": "厂长", "department": [2] }));
    assert!(!keep.undoes);
    assert_eq!(settle(&line(), &findings, DriftResolution::Adopt, &policy()), None);
    assert_eq!(settle(&line(), &[], DriftResolution::Overwrite, &policy()), None);
    let mut protecting = policy();
    protecting.protected.insert(MemberKey::of("a"));
    let rejected = settle(&line(), &findings, DriftResolution::Overwrite, &protecting).unwrap();
    assert_eq!(rules_of(&rejected), ["member.protected"]);
}

#[test]
fn who_is_missing_comes_back_uninvited_or_is_let_go() {
    let line = LedgerEntry { written: Member { to_invite: Some(true), ..line().written }, ..line() };
    let findings = compare(&line, None);
    let overwrite = acting(settle(&line, &findings, DriftResolution::Overwrite, &policy()).unwrap());
    assert_eq!(overwrite.kind, OperationKind::Create);
    assert_eq!(overwrite.body["to_invite"], json!(false));
    let keep = acting(settle(&line, &findings, DriftResolution::Keep, &policy()).unwrap());
    assert_eq!((keep.kind, keep.body, keep.undoes), (OperationKind::Keep, Map::new(), true));
    // A leaver who is gone is where they were going.
    let left = LedgerEntry { state: MemberState::Left, ..line };
    let overwrite =
        acting(settle(&left, &compare(&left, None), DriftResolution::Overwrite, &policy()).unwrap());
    assert_eq!((overwrite.kind, overwrite.body), (OperationKind::Keep, Map::new()));
}

#[test]
fn a_finding_that_is_shown_holds_no_value() {
    let findings = compare(&line(), Some(&shown(&[1], with(details(), "mobile", json!("13999999999")))));
    let text = serde_json::to_string(&findings).unwrap();
    assert!(text.contains("\"mobile\"") && !text.contains("13999999999") && !text.contains("13800000001"));
}

#[test]
fn an_operation_settles_what_it_writes_and_everything_about_a_member_who_comes_or_goes() {
    let (userid, owner): (UserId, _) = ("a".parse().unwrap(), line().owner);
    let missing = DriftFinding::Missing { userid: userid.clone(), owner: owner.clone() };
    let unexpected = DriftFinding::Unexpected { userid: userid.clone() };
    let moved = compare(&line(), Some(&shown(&[2], details()))).remove(0);
    let changed = compare(&line(), Some(&shown(&[1], with(details(), "position", json!("厂长"))))).remove(0);
    let any =
        acting(settle(&line(), std::slice::from_ref(&moved), DriftResolution::Overwrite, &policy()).unwrap());
    let settles = |kind, body: Value, after: &LedgerEntry| {
        let body = body.as_object().cloned().unwrap_or_default();
        let operation = Operation { kind, body, ..any.clone() };
        [&missing, &unexpected, &moved, &changed]
            .map(|finding| finding.is_settled_by(&operation, Some(after)))
    };
    for kind in [OperationKind::Create, OperationKind::Adopt, OperationKind::Delete] {
        assert_eq!(settles(kind, json!({}), &line()), [true; 4], "{kind:?}");
    }
    for kind in [OperationKind::Update, OperationKind::Disable, OperationKind::Enable] {
        assert_eq!(settles(kind, json!({ "name": "b" }), &line()), [true, true, false, false], "{kind:?}");
        let department = json!({ "department": [1] });
        assert_eq!(settles(kind, department, &line()), [true, true, true, false], "{kind:?}");
        assert_eq!(settles(kind, json!({ "position": "" }), &line()), [true, true, false, true], "{kind:?}");
    }
    let gone = LedgerEntry { state: MemberState::Deleted, ..line() };
    assert_eq!(settles(OperationKind::Keep, json!({}), &gone), [true, true, false, false]);
    // The form still wants the member, who waits for a person.
    let removed = LedgerEntry { state: MemberState::Removed, ..line() };
    assert!(!settles(OperationKind::Keep, json!({}), &removed)[0]);
}
