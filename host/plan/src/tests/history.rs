//! Properties over any history of rows.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

fn any_decision() -> impl Strategy<Value = Decision> {
    let userid = prop::sample::select(vec!["a", "A", "b", "c", "d", "boss"]);
    let mobile = prop::sample::select(vec!["13800000001", "13800000002", "13800000003", "13800000004"]);
    let department = prop::sample::select(vec![1_u32, 2, 99]);
    let position = prop::option::of(prop::sample::select(vec!["", "工程师", "厂长"]));
    let enable = prop::option::of(any::<bool>());
    (0..8_u8, userid, mobile, department, position, enable).prop_map(
        |(kind, userid, mobile, department, position, enable)| match kind {
            0 => Decision::Leave(userid.to_owned()),
            1 => Decision::Ignore("…".to_owned()),
            _ => Decision::Upsert(Box::new(Member {
                memberships: vec![Membership { department, leader: false, order: None }],
                position: position.map(str::to_owned),
                enable,
                ..member(userid, mobile)
            })),
        },
    )
}

/// Rows of one moment: the decision on each, its absence from the last complete collect, and its membership of the
/// other tenant.
fn any_rows() -> impl Strategy<Value = Vec<(Decision, bool, bool)>> {
    let absent = prop::bool::weighted(0.15);
    let elsewhere = prop::bool::weighted(0.3);
    prop::collection::vec((any_decision(), absent, elsewhere), 0..8)
}

/// The ledger once an operation of a tenant has succeeded.
fn carry_out(world: &mut World, tenant: &TenantId, operation: &ruzhi_model::Operation) {
    let before = operation.before.as_ref();
    let state = match operation.kind {
        OperationKind::Delete => MemberState::Deleted,
        OperationKind::Disable if operation.left => MemberState::Left,
        _ => MemberState::Active,
    };
    let own =
        Origin { tenant: tenant.clone(), flow: operation.flow.clone(), record: operation.record.clone() };
    let owner = before.filter(|_| operation.left).map_or(own, |before| before.owner.clone());
    if let Some(before) = before {
        world.ledger.remove(&(before.owner.tenant.clone(), before.userid.key()));
    }
    world.write(LedgerEntry {
        userid: operation.userid.clone(),
        owner,
        decided_as: operation.userid.key(),
        written: operation.member.clone(),
        state,
        left_at: (state == MemberState::Left).then(now),
        doubtful: false,
        carried_out: Some(operation.decision.clone()),
        rules: operation.rules.clone(),
        kept: serde_json::Map::new(),
        removal_answer: None,
    });
}

/// Records that may come free only once another one's operation is done.
fn waits_for_another(disposition: Option<&Disposition>) -> bool {
    match disposition {
        Some(Disposition::Rejected { rejection }) => {
            let rule = rejection.violations[0].rule.as_str();
            matches!(rule, "userid.changed" | "userid.duplicate" | "mobile.duplicate")
        }
        // Gave way to another record, or to another tenant.
        Some(Disposition::Ignored { .. }) | None => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x7275_7a68_6931),
        ..ProptestConfig::default()
    })]

    /// Planning is repeatable; a carried-out plan leaves nothing to do; no member is written twice by one plan, and
    /// none that is protected or not ruzhi's at all; every record is counted once; records that the store skips have
    /// nothing to ask (the world asserts it of every plan).
    #[test]
    fn a_plan_is_repeatable_and_reaches_rest(
        history in prop::collection::vec(any_rows(), 1..5),
        absent_leaves in any::<bool>(),
        newest in any::<bool>(),
    ) {
        let directory = directory(&["boss"]);
        let mut policy = policy();
        policy.protected.insert(MemberKey::of("d"));
        if newest {
            policy.duplicates = DuplicatePolicy::Newest;
        }
        let tenants: [TenantId; 2] = [tenant(), "office".parse().unwrap()];
        let mut world = World { absent_leaves, ..World::default() };
        for rows in history {
            world.records.clear();
            world.absent.clear();
            for (n, (decision, absent, other)) in rows.into_iter().enumerate() {
                let record = record(u32::try_from(n).unwrap(), decision);
                let record = if other { elsewhere(record) } else { record };
                let origin = record.origin.clone();
                world.put(record);
                if absent {
                    world.absent.insert(origin);
                }
            }
            let mut quiet = 0;
            let mut rounds = 0;
            while quiet < tenants.len() {
                let tenant = &tenants[rounds % tenants.len()];
                rounds += 1;
                prop_assert!(rounds < 24, "no rest: {:#?}", world);
                let first = world.plan((tenant, &flow()), Some(&directory), &policy, now());
                let again = world.plan((tenant, &flow()), Some(&directory), &policy, now());
                prop_assert_eq!(&first.plan, &again.plan);
                prop_assert_eq!(&first.operations, &again.operations);
                let mut written = BTreeSet::new();
                for operation in &first.operations {
                    prop_assert!(written.insert(operation.userid.key()), "{} twice", operation.userid);
                    prop_assert!(operation.userid.key() != MemberKey::of("boss"));
                    prop_assert!(operation.userid.key() != MemberKey::of("d"));
                    let department = operation.member.memberships.first().map(|m| m.department);
                    prop_assert!(operation.kind == OperationKind::Delete || department != Some(99));
                }
                let counts = first.plan.counts;
                let ours = |origin: &&Origin| origin.tenant == *tenant;
                let leavers = first.dispositions.keys().filter(|origin| world.absent.contains(origin)).count();
                let rows = world.records.keys().filter(ours).filter(|o| !world.absent.contains(o)).count();
                prop_assert_eq!(
                    (rows + leavers) as u64,
                    counts.operations() + counts.unchanged + counts.ignored + counts.rejected + counts.failed
                );
                for operation in &first.operations {
                    carry_out(&mut world, tenant, operation);
                }
                // Once it is carried out, those who acted have nothing more to ask.
                let next = world.plan((tenant, &flow()), Some(&directory), &policy, now());
                for operation in &next.operations {
                    let origin =
                        Origin { tenant: tenant.clone(), flow: flow(), record: operation.record.clone() };
                    prop_assert!(
                        waits_for_another(first.dispositions.get(&origin)),
                        "{:?} was not done before: {:?}", operation, first.dispositions.get(&origin)
                    );
                }
                quiet = if first.operations.is_empty() { quiet + 1 } else { 0 };
            }
            for key in world.ledger.values().filter(|line| line.exists()).map(|line| line.userid.key()) {
                let owners = world.ledger.values().filter(|line| line.exists() && line.userid.key() == key);
                prop_assert_eq!(owners.count(), 1, "{} has two owners", key);
            }
        }
    }
}
