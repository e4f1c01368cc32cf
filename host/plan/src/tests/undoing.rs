//! The promises of undoing a run.

use serde_json::json;

use super::*;
use crate::revert::undo;
use ruzhi_model::Operation;

/// A completed operation, as the journal has it.
fn done(
    kind: OperationKind,
    before: Option<&LedgerEntry>,
    member: Member,
    body: serde_json::Value,
) -> Operation {
    Operation {
        kind,
        userid: member.userid.parse().unwrap(),
        flow: flow(),
        record: id(1),
        body: body.as_object().unwrap().clone(),
        member,
        before: before.cloned(),
        decision: Digest::of("decision"),
        rules: Digest::of("rules"),
        left: false,
        names: None,
        partial: false,
        parks: None,
        tries: 0,
        notes: Vec::new(),
        undoes: false,
    }
}

fn undone(operation: &Operation, current: &LedgerEntry) -> Operation {
    let back = acting(undo(operation, Some(current), &policy()));
    assert!(back.undoes);
    assert_eq!(back.before.as_ref(), Some(current));
    back
}

#[test]
fn an_update_sets_back_only_what_it_wrote_and_only_where_that_still_stands() {
    let old = Member { position: Some("工程师".to_owned()), ..member("a", "13800000001") };
    let written = Member {
        position: Some("厂长".to_owned()),
        alias: Some("三".to_owned()),
        ..member("a", "13800000002")
    };
    let before = entry(1, old, MemberState::Active);
    let body = json!({ "userid": "a", "position": "厂长", "alias": "三", "mobile": "13800000002" });
    let operation = done(OperationKind::Update, Some(&before), written.clone(), body);
    let back = undone(&operation, &entry(1, written.clone(), MemberState::Active));
    assert_eq!(back.kind, OperationKind::Update);
    assert_eq!(
        json!(back.body),
        json!({ "userid": "a", "position": "工程师", "alias": "", "mobile": "13800000001" })
    );

    // A later run wrote the position again, and an address that is outside this run.
    let mut later = entry(1, written, MemberState::Active);
    later.written.position = Some("顾问".to_owned());
    later.written.address = Some("苏州".to_owned());
    let back = undone(&operation, &later);
    assert_eq!(json!(back.body), json!({ "userid": "a", "alias": "", "mobile": "13800000001" }));
    assert_eq!(back.member.position.as_deref(), Some("顾问"));
    assert_eq!(back.member.address.as_deref(), Some("苏州"));
}

#[test]
fn departments_leadership_and_own_fields_go_back_whole() {
    let in_department = |department, leader| vec![Membership { department, leader, order: None }];
    let mut old = member("a", "13800000001");
    old.memberships = in_department(1, true);
    old.direct_leader = Some(vec!["boss".to_owned()]);
    old.extra = vec![("extattr".to_owned(), "1".to_owned())];
    let mut written = old.clone();
    written.memberships = in_department(2, false);
    written.direct_leader = Some(vec![]);
    written.extra = vec![("extattr".to_owned(), "2".to_owned())];
    let before = entry(1, old.clone(), MemberState::Active);
    let body = json!({
        "userid": "a", "department": [2], "is_leader_in_dept": [0], "direct_leader": [], "extattr": 2
    });
    let operation = done(OperationKind::Update, Some(&before), written.clone(), body);
    let back = undone(&operation, &entry(1, written, MemberState::Active));
    assert_eq!(
        json!(back.body),
        json!({
            "userid": "a", "department": [1], "is_leader_in_dept": [1], "direct_leader": ["boss"], "extattr": 1
        })
    );
    assert_eq!(back.member, old);
}

#[test]
fn a_create_is_undone_by_a_delete_and_a_delete_by_a_create_without_an_invitation() {
    let invited = Member { to_invite: Some(true), ..member("a", "13800000001") };
    let created =
        done(OperationKind::Create, None, invited.clone(), json!({ "userid": "a", "to_invite": true }));
    let back = undone(&created, &entry(1, invited.clone(), MemberState::Active));
    assert_eq!(back.kind, OperationKind::Delete);

    let before = entry(1, invited.clone(), MemberState::Left);
    let deleted = done(OperationKind::Delete, Some(&before), invited.clone(), json!({ "userid": "a" }));
    let back = undone(&deleted, &entry(1, invited.clone(), MemberState::Deleted));
    assert_eq!(back.kind, OperationKind::Create);
    assert_eq!(back.body["to_invite"], json!(false));
    assert_eq!(back.body["enable"], json!(0), "who had left does not come back to log in");

    // Already gone, or already back: nothing is left to undo.
    let gone = undo(&created, Some(&entry(1, invited.clone(), MemberState::Deleted)), &policy());
    assert!(matches!(gone, Disposition::Ignored { .. }));
    let back = undo(&deleted, Some(&entry(1, invited, MemberState::Active)), &policy());
    assert!(matches!(back, Disposition::Ignored { .. }));
    assert!(matches!(undo(&created, None, &policy()), Disposition::Ignored { .. }));
}

#[test]
fn a_leaver_is_let_in_again_and_a_returner_out_again_as_someone_who_left() {
    let known = member("a", "13800000001");
    let active = entry(1, known.clone(), MemberState::Active);
    let mut leaving =
        done(OperationKind::Disable, Some(&active), known.clone(), json!({ "userid": "a", "enable": 0 }));
    leaving.left = true;
    let left = entry(1, known.clone(), MemberState::Left);
    let back = undone(&leaving, &left);
    assert_eq!((back.kind, back.left), (OperationKind::Enable, false));
    assert_eq!(json!(back.body), json!({ "userid": "a", "enable": 1 }));

    let returning =
        done(OperationKind::Enable, Some(&left), known.clone(), json!({ "userid": "a", "enable": 1 }));
    let back = undone(&returning, &active);
    assert_eq!((back.kind, back.left), (OperationKind::Disable, true));
    assert_eq!(json!(back.body), json!({ "userid": "a", "enable": 0 }));

    // A person who was disabled without being a leaver does not become one.
    let off = entry(1, Member { enable: Some(false), ..known.clone() }, MemberState::Active);
    let on = entry(1, Member { enable: Some(true), ..known.clone() }, MemberState::Active);
    let enabling =
        done(OperationKind::Enable, Some(&off), on.written.clone(), json!({ "userid": "a", "enable": 1 }));
    let back = undone(&enabling, &on);
    assert_eq!((back.kind, back.left), (OperationKind::Disable, false));
}

#[test]
fn what_is_protected_or_changed_only_the_ledger_is_not_undone() {
    let known = member("a", "13800000001");
    let line = entry(1, known.clone(), MemberState::Active);
    let created = done(OperationKind::Create, None, known.clone(), json!({ "userid": "a" }));
    let mut protecting = policy();
    protecting.protected.insert(MemberKey::of("a"));
    assert_eq!(rules_of(&undo(&created, Some(&line), &protecting)), ["member.protected"]);
    for kind in [OperationKind::Adopt, OperationKind::Keep] {
        let noted = done(kind, None, known.clone(), json!({}));
        assert!(matches!(undo(&noted, Some(&line), &policy()), Disposition::Ignored { .. }));
    }
}

/// The ledger knows only the name of an adopted member: none of their fields is cleared, and no account is created from
/// it.
#[test]
fn what_the_ledger_never_knew_is_not_set_back() {
    let adopted = Member { userid: "a".to_owned(), name: "name of a".to_owned(), ..Member::default() };
    let before = LedgerEntry { doubtful: true, ..entry(1, adopted, MemberState::Active) };
    let written = Member { position: Some("厂长".to_owned()), ..member("a", "13800000001") };
    let body = json!({ "userid": "a", "name": "name of a", "mobile": "13800000001", "position": "厂长" });
    let operation = done(OperationKind::Update, Some(&before), written.clone(), body);
    let disposition = undo(&operation, Some(&entry(1, written.clone(), MemberState::Active)), &policy());
    assert!(matches!(disposition, Disposition::Ignored { .. }), "{disposition:?}");

    let nameless = Member { userid: "a".to_owned(), ..Member::default() };
    let unknown = LedgerEntry { doubtful: true, ..entry(1, nameless, MemberState::Left) };
    let deleted = done(OperationKind::Delete, Some(&unknown), written.clone(), json!({ "userid": "a" }));
    let disposition = undo(&deleted, Some(&entry(1, written, MemberState::Deleted)), &policy());
    assert!(matches!(disposition, Disposition::Ignored { .. }), "{disposition:?}");
}
