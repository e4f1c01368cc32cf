//! Differences between two guests, and the limit on them.

use serde_json::{Value, json};

use super::{ChangeLimit, Difference, Verdict};
use crate::model::{Decision, Member, Outcome, Violation};

fn upsert(change: impl FnOnce(&mut Member)) -> Outcome {
    let mut member = Member {
        userid: "W0001".into(),
        name: "王一".into(),
        mobile: Some("13800138000".into()),
        ..Member::default()
    };
    change(&mut member);
    outcome(Decision::Upsert(Box::new(member)))
}

fn outcome(decision: Decision) -> Outcome {
    Outcome { decision, notes: vec!["not compared".into()] }
}

fn reject(rules: &[&str]) -> Outcome {
    let violation = |rule: &&str| Violation {
        field: "_widget_1".into(),
        rule: (*rule).into(),
        message: "否 / no".into(),
    };
    outcome(Decision::Reject(rules.iter().map(violation).collect()))
}

fn between(before: &Outcome, after: &Outcome) -> Option<Difference> {
    Difference::between("65f0", Ok(before), Ok(after))
}

fn fields(difference: &Difference) -> Value {
    difference.fields.iter().map(|field| json!([field.field, field.before, field.after])).collect()
}

#[test]
fn the_same_decision_is_no_difference_whatever_the_remarks() {
    let other_remarks = Outcome { notes: Vec::new(), ..upsert(|_| {}) };
    assert_eq!(between(&upsert(|_| {}), &other_remarks), None);
}

#[test]
fn a_changed_member_differs_field_by_field() {
    let after = upsert(|member| {
        member.mobile = None;
        member.position = Some("工程师".into());
    });
    let difference = between(&upsert(|_| {}), &after).unwrap();
    assert_eq!(fields(&difference), json!([["mobile", "13800138000", null], ["position", null, "工程师"]]));
    assert_eq!((difference.userid.as_deref(), difference.name.as_deref()), (Some("W0001"), Some("王一")));
    assert!(difference.touches_the_directory());
}

#[test]
fn another_verdict_is_told_by_its_reason_and_not_by_the_whole_member() {
    let refused = between(&upsert(|_| {}), &reject(&["mobile.invalid", "mobile.taken"])).unwrap();
    assert_eq!((refused.before, refused.after), (Verdict::Upsert, Verdict::Reject));
    assert_eq!(
        fields(&refused),
        json!([["_widget_1", null, "[mobile.invalid] 否 / no; [mobile.taken] 否 / no"]])
    );
    assert_eq!(refused.userid.as_deref(), Some("W0001"));
    assert!(refused.touches_the_directory());
    let leaver = between(&reject(&["a"]), &outcome(Decision::Leave("W0001".into()))).unwrap();
    assert_eq!(fields(&leaver), json!([["_widget_1", "[a] 否 / no", null], ["userid", null, "W0001"]]));
    assert!(leaver.touches_the_directory());
}

#[test]
fn another_reason_for_the_same_refusal_touches_nobody() {
    let difference = between(&reject(&["a"]), &reject(&["b"])).unwrap();
    assert!(!difference.touches_the_directory());
    let ignored = outcome(Decision::Ignore("无关".into()));
    assert!(!between(&ignored, &reject(&["b"])).unwrap().touches_the_directory());
}

#[test]
fn a_guest_that_does_not_decide_differs_from_one_that_does() {
    let before = upsert(|_| {});
    let failed = Difference::between("65f0", Ok(&before), Err("guest.trap: unreachable")).unwrap();
    assert_eq!((failed.before, failed.after), (Verdict::Upsert, Verdict::Failed));
    assert!(failed.touches_the_directory());
    assert_eq!(Difference::between("65f0", Err("a"), Err("a")), None);
}

#[test]
fn few_people_or_a_small_share_need_no_approval() {
    let limit = ChangeLimit { percent: 20, least: 5, stated: false };
    assert!(limit.allows(5, 5) && limit.allows(20, 100) && limit.allows(0, 0));
    assert!(!limit.allows(6, 29) && !limit.allows(21, 100));
    let nobody = ChangeLimit { percent: 0, least: 0, stated: true };
    assert!(nobody.allows(0, 100) && !nobody.allows(1, 100));
}
