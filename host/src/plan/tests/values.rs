//! Circles of values that only one member can have.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{Refusal, RefusedBy, UniqueField, Violation, WaitsFor};

fn person(n: u32, mobile: u32, email: u32) -> Member {
    Member {
        email: Some(format!("e{email}@x.cn")),
        ..member(&format!("u{n}"), &format!("1380000000{mobile}"))
    }
}

/// People who each take the e-mail address of the next.
fn circle(size: u32) -> World {
    let line = |n| entry(n, person(n, n, n), MemberState::Active);
    let wants = |n| upsert(n, person(n, n, n % size + 1));
    world((1..=size).map(wants).collect(), (1..=size).map(line).collect())
}

#[test]
fn one_of_a_circle_of_addresses_parks_its_own() {
    let plan = plan(&circle(3));
    let bodies: Vec<_> = plan.operations.iter().map(|operation| json!(operation.body)).collect();
    assert_eq!(
        bodies,
        [
            json!({ "userid": "u1", "email": "" }),
            json!({ "userid": "u3", "email": "e1@x.cn" }),
            json!({ "userid": "u2", "email": "e3@x.cn" }),
        ]
    );
    assert_eq!(plan.operations[0].parks, Some(UniqueField::Email));
    assert_eq!(plan.operations[0].member.email.as_deref(), Some(""));
    assert!(plan.operations[0].partial);
}

#[test]
fn a_member_without_another_way_to_be_reached_parks_nothing() {
    let bare = |n: u32, mobile: u32| member(&format!("u{n}"), &format!("1380000000{mobile}"));
    let world = world(
        vec![upsert(1, bare(1, 2)), upsert(2, bare(2, 1))],
        vec![entry(1, bare(1, 1), MemberState::Active), entry(2, bare(2, 2), MemberState::Active)],
    );
    assert!(plan(&world).operations.iter().all(|operation| operation.parks.is_none()));
}

#[test]
fn a_record_that_was_rejected_takes_part_where_the_plan_frees_its_value() {
    let mut world = circle(3);
    let record = world.records.get_mut(&origin(2)).unwrap();
    let why = Violation { field: "email".to_owned(), rule: "wecom.60106".to_owned(), message: "…".into() };
    record.refusal = Some(StoredRefusal {
        refusal: Refusal {
            waits_for: WaitsFor::Email,
            tries: 1,
            retry_at: Some(now() + TimeDelta::hours(1)),
            ..Refusal::new(RefusedBy::Wecom, vec![why])
        },
        decision: record.decision.clone(),
        rules: record.rules.clone(),
    });
    assert_eq!(plan(&world).operations.len(), 3);
    // Without the others nothing frees it.
    world.records.remove(&origin(1));
    world.records.remove(&origin(3));
    assert_eq!(rules(&plan(&world), 2), ["wecom.60106"]);
}

#[test]
fn a_record_is_tried_again_once_the_holder_of_its_value_has_left() {
    let mut record = upsert(1, member("a", "13800000001"));
    let why = Violation { field: "mobile".to_owned(), rule: "mobile.held".to_owned(), message: "…".into() };
    record.refusal = Some(StoredRefusal {
        refusal: Refusal {
            waits_for: WaitsFor::Mobile,
            held_by: Some("old".parse().unwrap()),
            retry_at: Some(now() + TimeDelta::hours(1)),
            ..Refusal::new(RefusedBy::Wecom, vec![why])
        },
        decision: record.decision.clone(),
        rules: record.rules.clone(),
    });
    let world = world(vec![record], vec![]);
    let there = plan_with(&world, Some(&directory(&["OLD"])), &policy(), now());
    assert_eq!(rules(&there, 1), ["mobile.held"]);
    assert!(there.needed_directory);
    assert_eq!(plan(&world).operations.len(), 1);
}

/// What a directory does with a plan's operations, wave after wave.
fn carried_out(
    mut emails: Vec<String>,
    mut mobiles: Vec<String>,
    plan: &Planned,
) -> (Vec<String>, Vec<String>) {
    'operations: for operation in &plan.operations {
        let at = operation.userid.as_str()[1..].parse::<usize>().unwrap() - 1;
        for (field, held) in [("email", &mut emails), ("mobile", &mut mobiles)] {
            if let Some(value) = operation.body.get(field).and_then(|value| value.as_str()) {
                let taken =
                    held.iter().enumerate().any(|(n, other)| n != at && !value.is_empty() && other == value);
                if taken {
                    // Refused, and planned again.
                    continue 'operations;
                }
                held[at] = value.to_owned();
            }
        }
        assert!(!emails[at].is_empty() || !mobiles[at].is_empty(), "cannot be reached: {operation:?}");
    }
    (emails, mobiles)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x7275_7a68_6933),
        ..ProptestConfig::default()
    })]

    /// However addresses are passed on, everyone can be reached all the time, and a few plans bring everyone
    /// there.
    #[test]
    fn any_exchange_of_addresses_comes_to_its_end(to in Just((1..=6_u32).collect::<Vec<_>>()).prop_shuffle()) {
        let records = (1..).zip(&to).map(|(n, email)| upsert(n, person(n, n, *email))).collect();
        let mut emails: Vec<String> = (1..=6).map(|n| format!("e{n}@x.cn")).collect();
        let mut mobiles: Vec<String> = (1..=6).map(|n| format!("1380000000{n}")).collect();
        let mut world = World::new(records, vec![]);
        for _ in 0..12 {
            for n in 1..=6_u32 {
                let at = n as usize - 1;
                let written = Member {
                    email: Some(emails[at].clone()),
                    mobile: Some(mobiles[at].clone()),
                    ..person(n, n, n)
                };
                let mut line = entry(n, written, MemberState::Active);
                line.carried_out = None;
                world.write(line);
            }
            let plan = plan(&world);
            (emails, mobiles) = carried_out(emails, mobiles, &plan);
        }
        let wanted: Vec<String> = to.iter().map(|email| format!("e{email}@x.cn")).collect();
        prop_assert_eq!(emails, wanted);
    }
}
