//! Differences between two guests, and the limit on them.

use ruzhi_guest::contract::Text;
use serde_json::{Value, json};

use std::collections::HashMap;

use super::{Basis, DecisionKind, Difference};
use ruzhi_model::ChangeLimit;
use ruzhi_model::{Decision, LedgerEntry, Member, MemberKey, MemberState, Outcome, Violation};

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
    Outcome { notes: vec!["not compared".into()], ..Outcome::new(decision) }
}

fn reject(rules: &[&str]) -> Outcome {
    let violation = |rule: &&str| Violation {
        field: "_widget_1".into(),
        rule: (*rule).into(),
        message: Text::new("否", "no"),
    };
    outcome(Decision::Reject(rules.iter().map(violation).collect()))
}

fn between(before: &Outcome, after: &Outcome) -> Option<Difference> {
    Difference::between("65f0", Ok(before), Ok(after), Basis::Decisions)
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
    assert!(difference.touches);
}

#[test]
fn another_verdict_is_told_by_its_reason_and_not_by_the_whole_member() {
    let rejected = between(&upsert(|_| {}), &reject(&["mobile.invalid", "mobile.taken"])).unwrap();
    assert_eq!((rejected.before, rejected.after), (DecisionKind::Upsert, DecisionKind::Reject));
    assert_eq!(
        fields(&rejected),
        json!([["_widget_1", null, "[mobile.invalid] 否 / no; [mobile.taken] 否 / no"]])
    );
    assert_eq!(rejected.userid.as_deref(), Some("W0001"));
    assert!(rejected.touches);
    let leaver = between(&reject(&["a"]), &outcome(Decision::Leave("W0001".into()))).unwrap();
    assert_eq!(fields(&leaver), json!([["_widget_1", "[a] 否 / no", null], ["userid", null, "W0001"]]));
    assert!(leaver.touches);
}

#[test]
fn another_reason_for_the_same_rejection_changes_no_member() {
    let difference = between(&reject(&["a"]), &reject(&["b"])).unwrap();
    assert!(!difference.touches);
    let ignored = outcome(Decision::Ignore("无关".into()));
    assert!(!between(&ignored, &reject(&["b"])).unwrap().touches);
}

#[test]
fn a_guest_that_does_not_decide_differs_from_one_that_does() {
    let before = upsert(|_| {});
    let failed =
        Difference::between("65f0", Ok(&before), Err("guest.trap: unreachable"), Basis::Decisions).unwrap();
    assert_eq!((failed.before, failed.after), (DecisionKind::Upsert, DecisionKind::Failed));
    assert!(failed.touches);
    assert_eq!(Difference::between("65f0", Err("a"), Err("a"), Basis::Decisions), None);
}

/// The effect of two decisions if the ledger has this member, as written.
fn known(written: Member, state: MemberState) -> HashMap<MemberKey, LedgerEntry> {
    let entry = LedgerEntry {
        userid: written.userid.parse().unwrap(),
        owner: ruzhi_model::Origin {
            tenant: "t".parse().unwrap(),
            flow: "f".parse().unwrap(),
            record: "65f0".parse().unwrap(),
        },
        decided_as: MemberKey::of(&written.userid),
        written,
        state,
        left_at: None,
        doubtful: false,
        carried_out: None,
        rules: ruzhi_model::Digest::of("rules"),
        kept: serde_json::Map::new(),
        removal_answer: None,
    };
    HashMap::from([(entry.userid.key(), entry)])
}

fn member(outcome: &Outcome) -> Member {
    match &outcome.decision {
        Decision::Upsert(member) => (**member).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn json_is_compared_as_json_wherever_it_stands() {
    let extra = |field: &str, json: &str| (field.to_owned(), json.to_owned());
    let one = upsert(|member| {
        member.extra = vec![
            extra("nickname", r#""号""#),
            extra("extattr", r#"{"attrs":[{"name":"工号","text":{"value":"7"},"type":0}]}"#),
        ];
    });
    let other = upsert(|member| {
        member.extra = vec![
            extra(
                "extattr",
                r#"{ "attrs": [{"type": 0.0, "text": {"value": "7"}, "name": "\u5de5\u53f7"}] }"#,
            ),
            extra("nickname", r#""\u53f7""#),
        ];
    });
    assert_eq!(between(&one, &other), None);
    for lines in [HashMap::new(), known(member(&one), MemberState::Active)] {
        assert_eq!(Difference::between("65f0", Ok(&one), Ok(&other), Basis::Ledger(&lines)), None);
    }
    let third = upsert(|member| member.extra = vec![extra("nickname", r#""别的""#)]);
    let difference = between(&one, &third).unwrap();
    assert_eq!(
        fields(&difference),
        json!([
            ["extattr", {"attrs": [{"name": "工号", "text": {"value": "7"}, "type": 0}]}, null],
            ["nickname", "号", "别的"],
        ])
    );
}

#[test]
fn what_changes_nothing_in_the_directory_is_no_difference() {
    let before = upsert(|member| member.to_invite = Some(true));
    let lines = known(member(&upsert(|_| {})), MemberState::Active);
    let compared = |lines: &HashMap<MemberKey, LedgerEntry>, after: &Outcome| {
        Difference::between("65f0", Ok(&before), Ok(after), Basis::Ledger(lines))
    };
    type Change = fn(&mut Member);
    let nothing: [Change; 7] = [
        |member| member.to_invite = Some(false),
        |member| member.to_invite = None,
        |member| member.position = Some(String::new()),
        |member| member.direct_leader = Some(Vec::new()),
        |member| member.enable = Some(true),
        |member| member.mobile = None,
        |member| member.userid = "w0001".into(),
    ];
    for (place, change) in nothing.into_iter().enumerate() {
        assert_eq!(compared(&lines, &upsert(change)), None, "{place}");
    }
    let something: [Change; 4] = [
        |member| member.position = Some("工程师".into()),
        |member| member.mobile = Some(String::new()),
        |member| member.enable = Some(false),
        |member| member.userid = "W0002".into(),
    ];
    for (place, change) in something.into_iter().enumerate() {
        assert!(compared(&lines, &upsert(change)).is_some_and(|difference| difference.touches), "{place}");
    }
    // For a new member the invitation counts, and so does the writing of the account.
    let none = HashMap::new();
    for lines in [&none, &known(member(&upsert(|_| {})), MemberState::Deleted)] {
        assert!(compared(lines, &upsert(|_| {})).is_some());
        let invited =
            |userid: &str| upsert(|member| (member.to_invite, member.userid) = (Some(true), userid.into()));
        assert_eq!(compared(lines, &invited("W0001")), None);
        assert!(compared(lines, &invited("w0001")).is_some());
    }
}

#[test]
fn a_leaver_whom_the_directory_does_not_have_touches_it_not() {
    let leaves = outcome(Decision::Leave("W0001".into()));
    let ignored = outcome(Decision::Ignore("无关".into()));
    let compared = |lines: &HashMap<MemberKey, LedgerEntry>| {
        Difference::between("65f0", Ok(&ignored), Ok(&leaves), Basis::Ledger(lines)).unwrap().touches
    };
    assert!(!compared(&HashMap::new()));
    assert!(!compared(&known(member(&upsert(|_| {})), MemberState::Deleted)));
    assert!(compared(&known(member(&upsert(|_| {})), MemberState::Active)));
    let same = outcome(Decision::Leave("w0001".into()));
    let lines = known(member(&upsert(|_| {})), MemberState::Active);
    assert_eq!(Difference::between("65f0", Ok(&leaves), Ok(&same), Basis::Ledger(&lines)), None);
}

#[test]
fn few_people_or_a_small_share_need_no_approval() {
    let limit = ChangeLimit { percent: 20, least: 5, stated: false };
    assert!(limit.allows(5, 5) && limit.allows(20, 100) && limit.allows(0, 0));
    assert!(!limit.allows(6, 29) && !limit.allows(21, 100));
    let none = ChangeLimit { percent: 0, least: 0, stated: true };
    assert!(none.allows(0, 100) && !none.allows(1, 100));
}
