//! Two tenants that write one corp: its userids and mobile numbers are one, and a person may move.

use serde_json::json;

use super::*;

fn office() -> TenantId {
    "office".parse().unwrap()
}

fn plan_of(world: &World, tenant: &TenantId) -> PlanResult {
    world.plan((tenant, &flow()), Some(&directory(&[])), &policy(), now())
}

fn line(n: u32, written: Member, tenant: TenantId, state: MemberState) -> LedgerEntry {
    let line = entry(n, written, state);
    LedgerEntry { owner: Origin { tenant, ..line.owner }, ..line }
}

#[test]
fn a_userid_is_unique_over_all_tenants_and_each_is_named_to_the_other() {
    let here = upsert(1, member("a", "13800000001"));
    let there = elsewhere(upsert(2, member("A", "13800000002")));
    let both = world(vec![here.clone(), there.clone()], vec![]);
    for (tenant, record, other) in
        [(tenant(), &here, "office/onboarding/"), (office(), &there, "factory/onboarding/")]
    {
        let plan = plan_of(&both, &tenant);
        assert_eq!(kinds(&plan), []);
        let Disposition::Rejected { rejection } = &plan.dispositions[&record.origin] else {
            panic!("not rejected")
        };
        assert_eq!(rejection.violations[0].rule, "userid.duplicate");
        let message = &rejection.violations[0].message;
        assert!(message.en.contains(other) && message.zh.contains(other), "{message:?}");
    }
    let owned = world(
        vec![here.clone(), there.clone()],
        vec![line(2, member("A", "13800000002"), office(), MemberState::Active)],
    );
    assert_eq!(rules_of(&plan_of(&owned, &tenant()).dispositions[&here.origin]), ["userid.duplicate"]);
    let kept = plan_of(&owned, &office());
    assert_eq!((kinds(&kept), &kept.dispositions[&there.origin]), (vec![], &UNCHANGED));
}

#[test]
fn a_mobile_number_is_unique_over_all_tenants() {
    let here = upsert(1, member("a", "13800000001"));
    let there = elsewhere(upsert(2, member("b", "+86 13800000001")));
    let both = world(vec![here.clone(), there.clone()], vec![]);
    assert_eq!(rules_of(&plan_of(&both, &tenant()).dispositions[&here.origin]), ["mobile.duplicate"]);
    assert_eq!(rules_of(&plan_of(&both, &office()).dispositions[&there.origin]), ["mobile.duplicate"]);
    let owned = world(
        vec![here.clone(), there],
        vec![line(2, member("b", "13800000001"), office(), MemberState::Active)],
    );
    assert_eq!(rules_of(&plan_of(&owned, &tenant()).dispositions[&here.origin]), ["mobile.duplicate"]);
}

#[test]
fn equal_decisions_of_two_tenants_are_one_person() {
    let here = upsert(1, member("a", "13800000001"));
    let there = elsewhere(upsert(2, member("a", "13800000001")));
    let both = world(vec![here.clone(), there.clone()], vec![]);
    assert_eq!(kinds(&plan_of(&both, &tenant())), [(OperationKind::Create, "a".to_owned())]);
    let other = plan_of(&both, &office());
    assert_eq!(kinds(&other), []);
    assert!(matches!(other.dispositions[&there.origin], Disposition::Ignored { .. }));
    // The owner of the member acts, though its record is the younger one.
    let changed = Member { position: Some("厂长".to_owned()), ..member("a", "13800000001") };
    let owned = world(
        vec![upsert(1, changed.clone()), elsewhere(upsert(2, changed))],
        vec![line(2, member("a", "13800000001"), office(), MemberState::Active)],
    );
    assert_eq!(kinds(&plan_of(&owned, &tenant())), []);
    assert_eq!(kinds(&plan_of(&owned, &office())), [(OperationKind::Update, "a".to_owned())]);
}

#[test]
fn who_leaves_one_tenant_and_joins_another_moves_and_is_not_disabled_on_the_way() {
    let before = member("a", "13800000001");
    let after = Member { position: Some("厂长".to_owned()), ..before.clone() };
    for (leaves, joins) in [(2, 3), (3, 2)] {
        let records =
            vec![upsert(1, before.clone()), leave(leaves, "a"), elsewhere(upsert(joins, after.clone()))];
        let moving = world(records, vec![line(1, before.clone(), tenant(), MemberState::Active)]);
        let left = plan_of(&moving, &tenant());
        assert_eq!(kinds(&left), []);
        assert!(matches!(left.dispositions[&origin(leaves)], Disposition::Ignored { .. }));
        let joined = plan_of(&moving, &office());
        assert_eq!(kinds(&joined), [(OperationKind::Update, "a".to_owned())]);
        let operation = &joined.operations[0];
        assert_eq!(json!(operation.body), json!({ "userid": "a", "position": "厂长" }));
        assert_eq!(operation.moved_from(&office()), Some((&tenant(), &flow())));

        // The ledger's line has moved along: nothing is left to do on either side.
        let mut moved = moving.clone();
        moved.ledger.clear();
        moved.write(line(joins, after.clone(), office(), MemberState::Active));
        assert_eq!(kinds(&plan_of(&moved, &tenant())), []);
        assert_eq!(kinds(&plan_of(&moved, &office())), []);
    }
}

#[test]
fn who_moves_without_any_change_only_changes_hands_in_the_ledger() {
    let same = member("a", "13800000001");
    let moving = world(
        vec![leave(2, "a"), elsewhere(upsert(3, same.clone()))],
        vec![line(1, same.clone(), tenant(), MemberState::Active)],
    );
    let joined = plan_of(&moving, &office());
    assert_eq!(kinds(&joined), [(OperationKind::Adopt, "a".to_owned())]);
    assert!(joined.operations[0].body.is_empty());
    assert_eq!(joined.operations[0].moved_from(&office()), Some((&tenant(), &flow())));
    // Within the grace period of the old tenant they are enabled again.
    let left = world(
        vec![leave(2, "a"), elsewhere(upsert(3, same.clone()))],
        vec![line(1, same, tenant(), MemberState::Left)],
    );
    assert_eq!(kinds(&plan_of(&left, &tenant())), []);
    let back = plan_of(&left, &office());
    assert_eq!(kinds(&back), [(OperationKind::Enable, "a".to_owned())]);
}

#[test]
fn a_leave_is_about_its_own_tenant_s_member_only() {
    let theirs = line(1, member("a", "13800000001"), office(), MemberState::Active);
    let world = world(vec![leave(2, "a")], vec![theirs]);
    let plan = plan_of(&world, &tenant());
    assert_eq!(kinds(&plan), []);
    assert!(matches!(plan.dispositions[&origin(2)], Disposition::Ignored { .. }));
    assert_eq!((plan.plan.counts.ignored, plan.plan.counts.unchanged), (1, 0));
}

#[test]
fn a_protected_member_does_not_move() {
    let same = member("a", "13800000001");
    let mut policy = policy();
    policy.protected.insert(MemberKey::of("a"));
    let there = elsewhere(upsert(3, same.clone()));
    let moving =
        world(vec![leave(2, "a"), there.clone()], vec![line(1, same, tenant(), MemberState::Active)]);
    let plan = moving.plan((&office(), &flow()), Some(&directory(&[])), &policy, now());
    assert_eq!(rules_of(&plan.dispositions[&there.origin]), ["member.protected"]);
}
