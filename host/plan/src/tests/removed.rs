//! Members who were removed by hand.

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use ruzhi_model::RemovalAnswer;

fn wanted() -> Member {
    Member { to_invite: Some(true), ..member("a", "13800000001") }
}

/// A line whose removal was found just now.
fn unsure() -> LedgerEntry {
    entry(1, wanted(), MemberState::Active).removed(now())
}

fn settled() -> LedgerEntry {
    LedgerEntry { doubtful: false, ..unsure() }
}

fn over(line: LedgerEntry, there: &[&str], policy: &Policy) -> PlanResult {
    plan_with(&world(vec![upsert(1, wanted())], vec![line]), Some(&directory(there)), policy, now())
}

#[test]
fn by_default_a_person_is_asked() {
    for line in [unsure(), settled()] {
        let asked = over(line, &[], &policy());
        assert_eq!(asked.operations, []);
        assert_eq!(rules(&asked, 1), ["member.removed"]);
    }
    assert!(over(unsure(), &[], &policy()).needed_directory);
    assert!(over(settled(), &[], &policy()).needed_directory, "someone may enter the account anew meanwhile");
    assert_eq!(rules(&over(settled(), &["A"], &policy()), 1), ["member.foreign"]);
    let answered = LedgerEntry { removal_answer: Some(RemovalAnswer::Release), ..settled() };
    assert!(!over(answered, &[], &policy()).needed_directory, "nothing has to be asked of WeCom");
}

#[test]
fn only_a_person_may_have_the_member_invited_again() {
    let recreate = Policy { removed: RemovedPolicy::Recreate, ..policy() };
    let answered = |answer| LedgerEntry { removal_answer: Some(answer), ..settled() };
    let cases = [
        (over(settled(), &[], &recreate), false),
        (over(answered(RemovalAnswer::Recreate), &[], &policy()), false),
        (over(answered(RemovalAnswer::RecreateInvited), &[], &policy()), true),
    ];
    for (plan, invited) in cases {
        assert_eq!(kinds(&plan), [(OperationKind::Create, "a".to_owned())]);
        assert_eq!(plan.operations[0].body["to_invite"], json!(invited));
    }
}

#[test]
fn a_member_who_is_let_go_is_not_written_any_more() {
    let release = Policy { removed: RemovedPolicy::Release, ..policy() };
    let by_person = LedgerEntry { removal_answer: Some(RemovalAnswer::Release), ..settled() };
    for plan in [over(settled(), &["a"], &release), over(by_person, &[], &policy())] {
        assert!(matches!(plan.dispositions[&origin(1)], Disposition::Ignored { .. }));
    }
}

#[test]
fn a_member_whom_a_late_listing_left_out_is_ruzhi_s_as_before_and_a_stranger_is_not() {
    let back = over(unsure(), &["A"], &policy());
    assert_eq!(kinds(&back), [(OperationKind::Update, "a".to_owned())]);
    assert_eq!(back.operations[0].body["mobile"], json!("13800000001"));
    assert_eq!(
        back.operations[0].body["enable"],
        json!(1),
        "a leave may have disabled them before the late listing"
    );
    let stranger = over(settled(), &["A"], &policy());
    assert_eq!(rules(&stranger, 1), ["member.foreign"]);
}

#[test]
fn a_listing_that_still_lacks_the_member_settles_the_removal() {
    let world = world(vec![upsert(1, wanted())], vec![unsure()]);
    let later = plan_with(&world, Some(&directory(&[])), &policy(), now() + TimeDelta::minutes(10));
    assert_eq!(kinds(&later), [(OperationKind::Keep, "a".to_owned())]);
}

#[test]
fn a_leaver_who_was_removed_is_gone_once_a_second_listing_says_so() {
    let world = world(vec![leave(1, "a")], vec![unsure()]);
    let there = plan_with(&world, Some(&directory(&["a"])), &policy(), now());
    assert_eq!(kinds(&there), [(OperationKind::Disable, "a".to_owned())]);
    assert_eq!(kinds(&plan_with(&world, Some(&directory(&[])), &policy(), now())), []);
    let later = now() + TimeDelta::minutes(10);
    let gone = plan_with(&world, Some(&directory(&[])), &policy(), later);
    assert_eq!(kinds(&gone), [(OperationKind::Keep, "a".to_owned())]);
    assert!(gone.operations[0].left);
}
