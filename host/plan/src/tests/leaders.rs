//! Direct leaders: a reference keeps no person out.

use serde_json::json;

use super::*;

fn led(userid: &str, mobile: &str, leader: &str) -> Member {
    Member { direct_leader: Some(vec![leader.to_owned()]), ..member(userid, mobile) }
}

/// A line of a member who was written without the leader the record names.
fn without_leader(n: u32, wanted: &Member) -> LedgerEntry {
    let written = Member { direct_leader: None, ..wanted.clone() };
    LedgerEntry { carried_out: None, ..entry(n, written, MemberState::Active) }
}

#[test]
fn a_ring_and_a_person_who_leads_themselves_are_created_and_then_led() {
    let people = [led("a", "13800000001", "a"), led("b", "13800000002", "c"), led("c", "13800000003", "B")];
    let records: Vec<RecordState> = (1..).zip(people.clone()).map(|(n, member)| upsert(n, member)).collect();
    let first = plan(&world(records.clone(), vec![]));
    assert_eq!(first.operations.len(), 3);
    for operation in &first.operations {
        assert_eq!((operation.kind, operation.partial), (OperationKind::Create, true));
        assert!(!operation.body.contains_key("direct_leader"));
        assert_eq!(operation.member.direct_leader, None);
        assert_eq!(operation.notes.len(), 1);
    }
    assert!(first.pending.is_empty());
    let ledger = (1..).zip(&people).map(|(n, member)| without_leader(n, member)).collect();
    let second = plan_with(&world(records, ledger), None, &policy(), now());
    let bodies: Vec<_> = second.operations.iter().map(|operation| json!(operation.body)).collect();
    assert_eq!(
        bodies,
        [
            json!({ "userid": "a", "direct_leader": ["a"] }),
            json!({ "userid": "b", "direct_leader": ["c"] }),
            json!({ "userid": "c", "direct_leader": ["B"] }),
        ]
    );
    assert!(second.operations.iter().all(|operation| !operation.partial && operation.sets_leader_only()));
    assert!(!second.needed_directory, "the ledger knows the leaders");
}

#[test]
fn a_leader_of_another_tenant_or_entered_by_hand_is_set() {
    let person = led("a", "13800000001", "boss");
    let records = vec![upsert(1, person.clone())];
    let mut theirs = entry(9, member("boss", "13800000009"), MemberState::Active);
    theirs.owner.tenant = "office".parse().unwrap();
    let known = world(records.clone(), vec![without_leader(1, &person), theirs]);
    assert_eq!(plan_with(&known, None, &policy(), now()).operations.len(), 1);
    let alone = world(records, vec![without_leader(1, &person)]);
    let by_hand = plan_with(&alone, Some(&directory(&["a", "BOSS"])), &policy(), now());
    assert!(by_hand.needed_directory);
    assert_eq!(by_hand.operations.len(), 1);
}

#[test]
fn a_leader_who_is_asked_for_is_waited_for_and_one_who_is_not_is_told() {
    let person = led("a", "13800000001", "boss");
    let line = without_leader(1, &person);
    let department = Member {
        memberships: vec![Membership { department: 99, leader: false, order: None }],
        ..member("boss", "13800000009")
    };
    let coming = world(vec![upsert(1, person.clone()), upsert(2, department)], vec![line.clone()]);
    let waiting = plan_with(&coming, Some(&directory(&["a"])), &policy(), now());
    assert_eq!((waiting.operations.len(), waiting.pending.len()), (0, 0));
    assert_eq!(waiting.dispositions[&origin(1)], UNCHANGED);
    let never = world(vec![upsert(1, person)], vec![line]);
    let told = plan_with(&never, Some(&directory(&["a"])), &policy(), now());
    assert_eq!(told.dispositions[&origin(1)], UNCHANGED);
    assert_eq!(told.pending[&origin(1)].waits_for, ruzhi_model::WaitsFor::Leader);
    assert_eq!(told.plan.counts.rejected, 0);
}

#[test]
fn a_leader_is_never_written_with_other_fields_and_cleared_at_once() {
    let mut written = led("a", "13800000001", "old");
    written.position = Some("操作工".to_owned());
    let mut wanted = led("a", "13800000001", "new");
    wanted.position = Some("班组长".to_owned());
    let world_of = |wanted: Member| {
        let boss = entry(2, member("new", "13800000002"), MemberState::Active);
        let records = vec![upsert(1, wanted), upsert(2, member("new", "13800000002"))];
        world(records, vec![entry(1, written.clone(), MemberState::Active), boss])
    };
    let both = plan_with(&world_of(wanted.clone()), None, &policy(), now());
    assert_eq!(json!(both.operations[0].body), json!({ "userid": "a", "position": "班组长" }));
    assert!(both.operations[0].partial);
    assert_eq!(both.operations[0].member.direct_leader, Some(vec!["old".to_owned()]));
    let cleared = Member { direct_leader: Some(vec![]), ..wanted };
    let none = plan_with(&world_of(cleared), None, &policy(), now());
    assert_eq!(
        json!(none.operations[0].body),
        json!({ "userid": "a", "position": "班组长", "direct_leader": [] })
    );
    assert!(!none.operations[0].partial);
}

#[test]
fn in_doubt_everything_but_the_leader_is_sent_again() {
    let person = led("a", "13800000001", "boss");
    let boss = entry(2, member("boss", "13800000002"), MemberState::Active);
    let line = LedgerEntry { doubtful: true, ..entry(1, person.clone(), MemberState::Active) };
    let again = world(vec![upsert(1, person), upsert(2, member("boss", "13800000002"))], vec![line, boss]);
    let plan = plan_with(&again, Some(&directory(&["a", "boss"])), &policy(), now());
    let operation = &plan.operations[0];
    assert!(operation.partial && !operation.body.contains_key("direct_leader"));
    assert_eq!(operation.member.direct_leader, None);
}
