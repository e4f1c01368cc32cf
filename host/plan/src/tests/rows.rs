//! The results for rows: one tenant, one flow.

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use ruzhi_model::{RejectedBy, Rejection, Violation, WaitsFor};

fn why(field: &str, rule: &str) -> Violation {
    Violation { field: field.to_owned(), rule: rule.to_owned(), message: "…".into() }
}

#[test]
fn the_founding_document_s_member_is_created_with_numbers_and_a_boolean() {
    let founding = Member {
        userid: "user1234".to_owned(),
        name: "张三".to_owned(),
        mobile: Some("13800138000".to_owned()),
        memberships: [1, 2, 3]
            .map(|department| Membership { department, leader: false, order: None })
            .to_vec(),
        position: Some("工程师".to_owned()),
        to_invite: Some(true),
        ..Member::default()
    };
    let plan = plan(&world(vec![upsert(1, founding)], vec![]));
    assert_eq!(
        json!(plan.operations[0].body),
        json!({
            "userid": "user1234", "name": "张三", "mobile": "13800138000", "department": [1, 2, 3],
            "position": "工程师", "to_invite": true
        })
    );
}

#[test]
fn no_invitation_is_sent_unless_the_rules_say_so() {
    let plan = plan(&world(vec![upsert(1, member("a", "13800000001"))], vec![]));
    assert_eq!(plan.operations[0].body["to_invite"], json!(false));
}

#[test]
fn a_plan_that_creates_asks_for_the_directory_and_one_that_changes_nothing_does_not() {
    let new = world(vec![upsert(1, member("a", "13800000001"))], vec![]);
    assert!(plan_with(&new, None, &policy(), now()).needed_directory);
    let known = member("a", "13800000001");
    let same = world(vec![upsert(1, known.clone())], vec![entry(1, known, MemberState::Active)]);
    let drafted = plan_with(&same, None, &policy(), now());
    assert!(!drafted.needed_directory);
    assert_eq!(drafted.dispositions[&origin(1)], UNCHANGED);
}

#[test]
fn an_update_sends_only_what_changed() {
    let mut after = member("a", "13800000001");
    after.position = Some("厂长".to_owned());
    let world =
        world(vec![upsert(1, after)], vec![entry(1, member("a", "13800000001"), MemberState::Active)]);
    let plan = plan(&world);
    assert_eq!(json!(plan.operations[0].body), json!({ "userid": "a", "position": "厂长" }));
    assert_eq!(plan.operations[0].changes().collect::<Vec<_>>(), ["position"]);
}

#[test]
fn a_field_the_rules_do_not_speak_of_is_never_sent_and_an_empty_one_is_cleared() {
    let before = Member {
        position: Some("工程师".to_owned()),
        alias: Some("三".to_owned()),
        ..member("a", "13800000001")
    };
    let after = Member { position: None, alias: Some(String::new()), ..before.clone() };
    let world = world(vec![upsert(1, after)], vec![entry(1, before, MemberState::Active)]);
    assert_eq!(json!(plan(&world).operations[0].body), json!({ "userid": "a", "alias": "" }));
}

#[test]
fn a_change_of_departments_keeps_leadership_in_the_same_call() {
    let mut before = member("a", "13800000001");
    before.memberships = vec![Membership { department: 1, leader: true, order: None }];
    let mut after = before.clone();
    after.memberships.push(Membership { department: 2, leader: false, order: Some(7) });
    let world = world(vec![upsert(1, after)], vec![entry(1, before, MemberState::Active)]);
    assert_eq!(
        json!(plan(&world).operations[0].body),
        json!({ "userid": "a", "department": [1, 2], "is_leader_in_dept": [1, 0], "order": [0, 7] })
    );
}

#[test]
fn a_leaver_is_disabled_then_deleted_after_the_grace_and_a_returner_enabled() {
    let known = member("a", "13800000001");
    let active = world(vec![leave(1, "A")], vec![entry(1, known.clone(), MemberState::Active)]);
    let disable = plan(&active);
    assert_eq!(kinds(&disable), [(OperationKind::Disable, "a".to_owned())]);
    assert!(disable.operations[0].left);

    let left = entry(1, known.clone(), MemberState::Left);
    let waiting = world(vec![leave(1, "a")], vec![left.clone()]);
    assert_eq!(kinds(&plan(&waiting)), []);
    let over = plan_with(&waiting, None, &policy(), now() + TimeDelta::days(30));
    assert_eq!(kinds(&over), [(OperationKind::Delete, "a".to_owned())]);

    let back = plan(&world(vec![upsert(1, known)], vec![left]));
    assert_eq!(kinds(&back), [(OperationKind::Enable, "a".to_owned())]);
    assert_eq!(json!(back.operations[0].body), json!({ "userid": "a", "enable": 1 }));
}

#[test]
fn after_a_delete_a_returner_is_created_again() {
    let known = member("a", "13800000001");
    let gone = entry(1, known.clone(), MemberState::Deleted);
    let plan = plan(&world(vec![upsert(1, known)], vec![gone]));
    assert_eq!(kinds(&plan), [(OperationKind::Create, "a".to_owned())]);
}

#[test]
fn between_an_upsert_and_a_leave_of_one_person_the_newer_record_is_right() {
    let known = member("a", "13800000001");
    let records = vec![upsert(1, known.clone()), leave(2, "a")];
    let leaving = plan(&world(records.clone(), vec![entry(1, known.clone(), MemberState::Active)]));
    assert_eq!(kinds(&leaving), [(OperationKind::Disable, "a".to_owned())]);
    let settled = plan(&world(records, vec![entry(1, known.clone(), MemberState::Left)]));
    assert_eq!(kinds(&settled), []);
    let returned = vec![upsert(1, known.clone()), leave(2, "a"), upsert(3, known.clone())];
    let returning = plan(&world(returned, vec![entry(1, known, MemberState::Left)]));
    assert_eq!(kinds(&returning), [(OperationKind::Enable, "a".to_owned())]);
}

#[test]
fn a_member_ruzhi_did_not_create_is_never_touched() {
    let world = world(vec![upsert(1, member("Boss", "13800000001")), leave(2, "other")], vec![]);
    let plan = plan_with(&world, Some(&directory(&["boss"])), &policy(), now());
    assert_eq!(plan.operations, []);
    assert_eq!(rules(&plan, 1), ["member.foreign"]);
    assert!(matches!(plan.dispositions[&origin(2)], Disposition::Ignored { .. }));
}

#[test]
fn a_row_whose_userid_changed_is_rejected_and_creates_no_second_account() {
    let ledger = vec![entry(1, member("old", "13800000001"), MemberState::Active)];
    let changed = plan(&world(vec![upsert(1, member("new", "13800000002"))], ledger));
    assert_eq!(changed.operations, []);
    assert_eq!(rules(&changed, 1), ["userid.changed"]);
    let gone = vec![entry(1, member("old", "13800000001"), MemberState::Left)];
    let after = plan(&world(vec![upsert(1, member("new", "13800000002"))], gone));
    assert_eq!(kinds(&after), [(OperationKind::Create, "new".to_owned())]);
}

#[test]
fn a_protected_member_is_never_written() {
    let known = member("boss", "13800000001");
    let mut policy = policy();
    policy.protected.insert(MemberKey::of("BOSS"));
    let world = world(vec![leave(1, "boss")], vec![entry(1, known, MemberState::Active)]);
    let plan = plan_with(&world, None, &policy, now());
    assert_eq!(plan.operations, []);
    assert_eq!(rules(&plan, 1), ["member.protected"]);
}

#[test]
fn an_unknown_department_rejects_the_record_and_an_unknown_leader_does_not() {
    let mut lost = member("a", "13800000001");
    lost.memberships = vec![Membership { department: 99, leader: false, order: None }];
    let mut led = member("b", "13800000002");
    led.direct_leader = Some(vec!["missing".to_owned()]);
    let plan = plan(&world(vec![upsert(1, lost), upsert(2, led)], vec![]));
    assert_eq!(rules(&plan, 1), ["department.unknown"]);
    assert_eq!(kinds(&plan), [(OperationKind::Create, "b".to_owned())]);
    let pending = &plan.pending[&origin(2)];
    assert_eq!((pending.violations[0].rule.as_str(), pending.blocks()), ("direct-leader.unknown", false));
}

#[test]
fn two_records_that_say_the_same_are_one_person() {
    let one = member("a", "13800000001");
    let plan = plan(&world(vec![upsert(1, one.clone()), upsert(2, one)], vec![]));
    assert_eq!(kinds(&plan), [(OperationKind::Create, "a".to_owned())]);
    assert_eq!(plan.operations[0].record, id(1));
    assert!(matches!(plan.dispositions[&origin(2)], Disposition::Ignored { .. }));
}

#[test]
fn two_records_that_claim_one_userid_are_both_rejected_and_named_to_each_other() {
    let records = vec![upsert(1, member("a", "13800000001")), upsert(2, member("A", "13800000002"))];
    let rejected = plan(&world(records.clone(), vec![]));
    assert_eq!(rejected.operations, []);
    assert_eq!(rules(&rejected, 1), ["userid.duplicate"]);
    let Disposition::Rejected { rejection } = &rejected.dispositions[&origin(2)] else { panic!() };
    assert!(rejection.violations[0].message.en.contains(id(1).as_str()));
    assert_eq!(ClaimedField::of(rejection), Some(ClaimedField::Userid));

    let newest = Policy { duplicates: DuplicatePolicy::Newest, ..policy() };
    let kept = plan_with(&world(records.clone(), vec![]), Some(&directory(&[])), &newest, now());
    assert_eq!(kinds(&kept), [(OperationKind::Create, "A".to_owned())]);

    let owner = entry(1, member("a", "13800000001"), MemberState::Active);
    let owned = plan_with(&world(records, vec![owner]), Some(&directory(&[])), &newest, now());
    assert_eq!(owned.operations, []);
    assert_eq!(rules(&owned, 2), ["userid.duplicate"]);
}

#[test]
fn two_spellings_of_one_mobile_are_one_claim_and_its_owner_keeps_it() {
    let records = vec![upsert(1, member("a", "+86 13800000001")), upsert(2, member("b", "13800000001"))];
    let rejected = plan(&world(records.clone(), vec![]));
    assert_eq!(rules(&rejected, 1), ["mobile.duplicate"]);
    assert_eq!(rules(&rejected, 2), ["mobile.duplicate"]);
    let Disposition::Rejected { rejection } = &rejected.dispositions[&origin(2)] else { panic!() };
    assert_eq!(ClaimedField::of(rejection), Some(ClaimedField::Mobile));
    // What a rule calls its violation says nothing.
    let of_rules = Rejection::new(RejectedBy::Guest, vec![why("", "mobile.duplicate")]);
    assert_eq!(ClaimedField::of(&of_rules), None);
    let owner = entry(1, member("a", "+86 13800000001"), MemberState::Active);
    let owned = plan(&world(records, vec![owner]));
    assert_eq!(owned.dispositions[&origin(1)], UNCHANGED);
    assert_eq!(rules(&owned, 2), ["mobile.duplicate"]);
}

#[test]
fn what_frees_a_mobile_comes_before_what_takes_it() {
    let ledger = vec![entry(2, member("b", "13800000001"), MemberState::Active)];
    let records = vec![upsert(1, member("a", "13800000001")), upsert(2, member("b", "13800000002"))];
    let plan = plan(&world(records, ledger));
    assert_eq!(
        kinds(&plan),
        [(OperationKind::Update, "b".to_owned()), (OperationKind::Create, "a".to_owned())]
    );
    assert_eq!(plan.waves, [0, 1]);
}

#[test]
fn what_wecom_rejected_is_tried_again_when_row_rules_a_person_or_the_time_ask() {
    let rejected = |record: RecordState| RecordState {
        rejection: Some(StoredRejection {
            rejection: Rejection {
                errcode: Some(60103),
                waits_for: WaitsFor::Time,
                tries: 2,
                retry_at: Some(now() + TimeDelta::hours(6)),
                ..Rejection::new(RejectedBy::Wecom, vec![why("mobile", "wecom.60103")])
            },
            decision: record.decision.clone(),
            rules: record.rules.clone(),
        }),
        ..record
    };
    let same = world(vec![rejected(upsert(1, member("a", "13800000001")))], vec![]);
    assert_eq!(rules(&plan(&same), 1), ["wecom.60103"]);
    let due = plan_with(&same, Some(&directory(&[])), &policy(), now() + TimeDelta::hours(6));
    assert_eq!(due.operations[0].tries, 2);
    let asked = Policy { retry: true, ..policy() };
    assert_eq!(plan_with(&same, Some(&directory(&[])), &asked, now()).operations.len(), 1);
    let changed_rules =
        RecordState { rules: Digest::of("other"), ..rejected(upsert(1, member("a", "13800000001"))) };
    assert_eq!(plan(&world(vec![changed_rules], vec![])).operations.len(), 1);
    let mut changed_row = rejected(upsert(1, member("a", "13800000001")));
    let other = upsert(1, member("a", "13800000009"));
    (changed_row.resolution, changed_row.decision) = (other.resolution, other.decision);
    assert_eq!(plan(&world(vec![changed_row], vec![])).operations.len(), 1);
}

#[test]
fn the_guard_holds_exactly_past_its_limits() {
    let people = |n: u32| -> Vec<LedgerEntry> {
        (0..n)
            .map(|i| entry(i, member(&format!("u{i}"), &format!("138{i:08}")), MemberState::Active))
            .collect()
    };
    let held = |owned: u32, leavers: u32| {
        let records = (0..leavers).map(|i| leave(i, &format!("u{i}"))).collect();
        plan(&world(records, people(owned)))
            .plan
            .guard
            .reasons
            .into_iter()
            .map(|r| r.limit)
            .collect::<Vec<_>>()
    };
    assert_eq!(held(5, 5), Vec::<GuardLimit>::new());
    assert_eq!(held(29, 6), [GuardLimit::LeavePercent]);
    assert_eq!(held(30, 6), Vec::<GuardLimit>::new());
    assert_eq!(held(1100, 200), Vec::<GuardLimit>::new());
    assert_eq!(held(1100, 201), [GuardLimit::LeaveMost]);
    let newcomers = |n: u32| {
        let records = (0..n).map(|i| upsert(i, member(&format!("u{i}"), &format!("138{i:08}")))).collect();
        plan(&world(records, vec![])).plan.guard.holds()
    };
    assert!(!newcomers(500));
    assert!(newcomers(501));
}

#[test]
fn a_limit_is_stored_under_its_key() {
    let limits = [
        GuardLimit::LeavePercent,
        GuardLimit::LeaveMost,
        GuardLimit::CreateMost,
        GuardLimit::UpdateMost,
        GuardLimit::LeaveDayPercent,
        GuardLimit::LeaveDayMost,
        GuardLimit::LeaveWeekPercent,
        GuardLimit::LeaveWeekMost,
    ];
    for limit in limits {
        assert_eq!(serde_json::to_value(limit).unwrap(), serde_json::json!(limit.as_str()));
        assert_eq!(limit.is_of_leavers(), limit.as_str().starts_with("leave_"));
    }
}

#[test]
fn a_newer_onboarding_after_a_leave_acts_though_it_says_something_else_than_the_first() {
    let first = member("a", "13800000001");
    let again = Member { position: Some("厂长".to_owned()), ..member("a", "13800000009") };
    let records = vec![upsert(1, first.clone()), leave(2, "a"), upsert(3, again.clone())];
    let back = plan(&world(records.clone(), vec![entry(1, first.clone(), MemberState::Left)]));
    assert_eq!(kinds(&back), [(OperationKind::Enable, "a".to_owned())]);
    assert_eq!(back.operations[0].record, id(3));
    assert_eq!(
        json!(back.operations[0].body),
        json!({ "userid": "a", "enable": 1, "mobile": "13800000009", "position": "厂长" })
    );
    assert!(matches!(back.dispositions[&origin(1)], Disposition::Ignored { .. }));
    assert!(matches!(back.dispositions[&origin(2)], Disposition::Ignored { .. }));
    let after = plan(&world(records, vec![entry(3, again, MemberState::Active)]));
    assert_eq!(kinds(&after), []);
}

#[test]
fn two_onboardings_after_a_leave_are_still_two_claims() {
    let records = vec![
        upsert(1, member("a", "13800000001")),
        leave(2, "a"),
        upsert(3, member("a", "13800000002")),
        upsert(4, member("a", "13800000003")),
    ];
    let rejected = plan(&world(records, vec![]));
    assert_eq!(kinds(&rejected), []);
    assert_eq!(rules(&rejected, 3), ["userid.duplicate"]);
    assert_eq!(rules(&rejected, 4), ["userid.duplicate"]);
    assert!(matches!(rejected.dispositions[&origin(1)], Disposition::Ignored { .. }));
}

#[test]
fn a_tenant_that_adopts_takes_an_existing_member_and_sends_every_field() {
    let adopting = Policy { existing: ExistingPolicy::Adopt, ..policy() };
    let world = world(vec![upsert(1, member("Boss", "13800000001"))], vec![]);
    let plan = plan_with(&world, Some(&directory(&["boss"])), &adopting, now());
    assert_eq!(kinds(&plan), [(OperationKind::Update, "boss".to_owned())]);
    assert_eq!(
        json!(plan.operations[0].body),
        json!({ "userid": "boss", "name": "name of Boss", "mobile": "13800000001", "department": [1] })
    );
    assert_eq!(plan.operations[0].before, None);
    let mut protecting = adopting;
    protecting.protected.insert(MemberKey::of("boss"));
    let plan = plan_with(&world, Some(&directory(&["boss"])), &protecting, now());
    assert_eq!(rules(&plan, 1), ["member.protected"]);
}

#[test]
fn the_guard_counts_changed_members_where_the_tenant_sets_a_limit() {
    let people = |n: u32| -> World {
        let after = |i: u32| Member { position: Some("厂长".to_owned()), ..before(i) };
        let lines = (0..n).map(|i| entry(i, before(i), MemberState::Active)).collect();
        world((0..n).map(|i| upsert(i, after(i))).collect(), lines)
    };
    fn before(i: u32) -> Member {
        member(&format!("u{i}"), &format!("138{i:08}"))
    }
    assert!(!plan(&people(3)).plan.guard.holds());
    let mut limited = policy();
    limited.guard.update_most = 2;
    assert!(!plan_with(&people(2), None, &limited, now()).plan.guard.holds());
    let held = plan_with(&people(3), None, &limited, now()).plan.guard.reasons;
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].limit.as_str(), held[0].found, held[0].allowed), ("update_most", 3, 2));
}

#[test]
fn what_a_person_undid_waits_until_row_rules_or_a_person_ask() {
    let undone = |record: RecordState| RecordState {
        rejection: Some(StoredRejection {
            rejection: Rejection::new(RejectedBy::Person, vec![why("", "run.reverted")]),
            decision: record.decision.clone(),
            rules: record.rules.clone(),
        }),
        ..record
    };
    let line = LedgerEntry { carried_out: None, ..entry(1, member("a", "13800000001"), MemberState::Active) };
    let wanted = Member { position: Some("厂长".to_owned()), ..member("a", "13800000001") };
    let same = world(vec![undone(upsert(1, wanted.clone()))], vec![line.clone()]);
    let waiting = plan(&same);
    assert_eq!(rules(&waiting, 1), ["run.reverted"]);
    assert_eq!(waiting.plan.counts.rejected, 1);
    let full = Policy { retry: true, ..policy() };
    assert_eq!(plan_with(&same, None, &full, now()).operations.len(), 1);
    let other_rules = RecordState { rules: Digest::of("other"), ..undone(upsert(1, wanted)) };
    assert_eq!(plan(&world(vec![other_rules], vec![line.clone()])).operations.len(), 1);
    let mut other_row = undone(upsert(1, member("a", "13800000001")));
    let row = upsert(1, member("a", "13800000009"));
    (other_row.resolution, other_row.decision) = (row.resolution, row.decision);
    assert_eq!(plan(&world(vec![other_row], vec![line.clone()])).operations.len(), 1);
    let leaving = undone(leave(1, "a"));
    assert_eq!(rules(&plan(&world(vec![leaving], vec![line])), 1), ["run.reverted"]);
}

#[test]
fn only_a_flow_that_says_so_takes_a_row_that_is_gone_for_a_leave() {
    let line = entry(1, member("a", "13800000001"), MemberState::Active);
    let mut gone = world(vec![upsert(1, member("a", "13800000001"))], vec![line]);
    gone.absent.insert(origin(1));
    assert_eq!(kinds(&plan(&gone)), []);
    gone.absent_leaves = true;
    let leaving = plan(&gone);
    assert_eq!(kinds(&leaving), [(OperationKind::Disable, "a".to_owned())]);
    assert!(leaving.operations[0].left);
    gone.put(upsert(2, member("a", "13800000001")));
    // Another row still wants the person.
    assert_eq!(kinds(&plan(&gone)), []);
}

#[test]
fn every_record_is_counted_once_beside_a_leaver_by_absence() {
    let left = entry(1, member("a", "13800000001"), MemberState::Left);
    let gone = entry(2, member("b", "13800000002"), MemberState::Active);
    let mut world = world(vec![leave(1, "a"), upsert(2, member("b", "13800000002"))], vec![left, gone]);
    world.absent.insert(origin(2));
    world.absent_leaves = true;
    let plan = plan(&world);
    assert_eq!(kinds(&plan), [(OperationKind::Disable, "b".to_owned())]);
    assert_eq!(plan.plan.counts.unchanged, 1);
}

#[test]
fn operations_wait_for_what_frees_their_mobile_or_mail() {
    let mail = |userid: &str, mobile: &str, email: &str| Member {
        email: Some(email.to_owned()),
        ..member(userid, mobile)
    };
    let ledger = vec![
        entry(4, mail("d", "13800000004", "x@y.cn"), MemberState::Active),
        entry(5, mail("e", "13800000005", "e@y.cn"), MemberState::Active),
    ];
    let records = vec![
        upsert(3, mail("c", "13800000003", "X@y.cn")),
        upsert(4, mail("d", "13800000005", "d@y.cn")),
        upsert(5, mail("e", "13800000006", "e@y.cn")),
        upsert(6, member("f", "13800000007")),
    ];
    let plan = plan(&world(records, ledger));
    let order: Vec<(&str, u32)> =
        plan.operations.iter().map(|o| o.userid.as_str()).zip(plan.waves.iter().copied()).collect();
    assert_eq!(order, [("e", 0), ("f", 0), ("d", 1), ("c", 2)]);
    assert_eq!((plan.plan.first_wave, plan.plan.last_wave), (0, 2));
}

#[test]
fn the_same_world_gives_the_same_plan_and_any_difference_another() {
    let records = vec![upsert(1, member("a", "13800000001")), leave(2, "b")];
    let ledger = vec![entry(2, member("b", "13800000002"), MemberState::Active)];
    let first = plan(&world(records.clone(), ledger.clone())).plan;
    assert_eq!(plan(&world(records.clone(), ledger.clone())).plan, first);
    let mut line = ledger[0].clone();
    line.written.alias = Some("二".to_owned());
    assert_ne!(plan(&world(records.clone(), vec![line])).plan.hash, first.hash);
    let mut other_rules = records.clone();
    other_rules[1].rules = Digest::of("other");
    assert_ne!(plan(&world(other_rules, ledger.clone())).plan.hash, first.hash);
    let full = Policy { retry: true, ..policy() };
    let retried = plan_with(&world(records, ledger), Some(&directory(&[])), &full, now()).plan;
    assert_ne!(retried.hash, first.hash);
}
