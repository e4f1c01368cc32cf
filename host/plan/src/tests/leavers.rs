//! Leavers go first, and only the ledger says what is left to do with them.

use chrono::TimeDelta;

use super::*;

fn left(n: u32, userid: &str) -> LedgerEntry {
    entry(n, member(userid, &format!("1380000000{n}")), MemberState::Left)
}

fn later(days: i64) -> DateTime<Utc> {
    now() + TimeDelta::days(days)
}

#[test]
fn a_leaver_is_deleted_after_the_grace_whatever_became_of_the_row() {
    let ignored = record(1, Decision::Ignore("待入职".to_owned()));
    let rejected = record(1, Decision::Reject(vec![]));
    for records in [vec![], vec![ignored], vec![rejected], vec![leave(1, "a")], vec![leave(7, "A")]] {
        let world = world(records, vec![left(1, "a")]);
        assert_eq!(kinds(&plan_with(&world, None, &policy(), later(29))), []);
        let over = plan_with(&world, None, &policy(), later(30));
        assert_eq!(kinds(&over), [(OperationKind::Delete, "a".to_owned())]);
        assert_eq!(over.plan.counts.deleted, 1);
    }
}

#[test]
fn a_record_that_wants_the_person_stands_in_the_way_unless_a_newer_one_says_that_they_left() {
    let wanted = upsert(1, member("a", "13800000001"));
    let returner = world(vec![wanted.clone()], vec![left(1, "a")]);
    assert_eq!(
        kinds(&plan_with(&returner, None, &policy(), later(31))),
        [(OperationKind::Enable, "a".to_owned())]
    );
    let left_again = world(vec![wanted, leave(2, "a")], vec![left(1, "a")]);
    assert_eq!(
        kinds(&plan_with(&left_again, None, &policy(), later(31))),
        [(OperationKind::Delete, "a".to_owned())]
    );
}

#[test]
fn a_leaver_whom_wecom_may_not_have_disabled_is_disabled_again_without_a_row() {
    let line = LedgerEntry { left_at: None, doubtful: true, ..left(1, "a") };
    let plan = plan_with(&world(vec![], vec![line]), None, &policy(), now());
    assert_eq!(kinds(&plan), [(OperationKind::Disable, "a".to_owned())]);
    assert!(plan.operations[0].left);
}

#[test]
fn a_protected_leaver_stays() {
    let protected = Policy { protected: BTreeSet::from([MemberKey::of("a")]), ..policy() };
    let plan = plan_with(&world(vec![], vec![left(1, "a")]), None, &protected, later(31));
    assert_eq!(plan.operations, []);
    assert_eq!(rules_of(&plan.leavers[&origin(1)]), ["member.protected"]);
}

#[test]
fn leavers_have_a_wave_of_their_own_before_all_others() {
    let records = vec![
        upsert(1, member("new", "13800000003")),
        upsert(2, Member { alias: Some("二".to_owned()), ..member("stays", "13800000002") }),
        leave(3, "goes"),
    ];
    let ledger = vec![
        entry(2, member("stays", "13800000002"), MemberState::Active),
        entry(3, member("goes", "13800000003"), MemberState::Active),
        left(4, "gone"),
    ];
    let plan = plan_with(&world(records, ledger), Some(&directory(&[])), &policy(), later(31));
    let order: Vec<(&str, u32)> =
        plan.operations.iter().map(|o| o.userid.as_str()).zip(plan.waves.iter().copied()).collect();
    assert_eq!(order, [("gone", 0), ("goes", 0), ("new", 1), ("stays", 1)]);
    assert_eq!(plan.plan.first_wave, 1);
}
