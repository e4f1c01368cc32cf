//! Circles of values that only one member can have.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use ruzhi_model::{RejectedBy, Rejection, UniqueField, Violation, WaitsFor};

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
    let plan = plan(&world);
    assert_eq!(plan.operations.len(), 2, "each is sent, and rejected");
    assert!(plan.operations.iter().all(|operation| operation.parks.is_none()));
}

#[test]
fn a_record_that_was_rejected_takes_part_where_the_plan_frees_its_value() {
    let mut world = circle(3);
    let record = world.records.get_mut(&origin(2)).unwrap();
    let why = Violation { field: "email".to_owned(), rule: "wecom.60106".to_owned(), message: "…".into() };
    record.rejection = Some(StoredRejection {
        rejection: Rejection {
            waits_for: WaitsFor::Email,
            tries: 1,
            retry_at: Some(now() + TimeDelta::hours(1)),
            ..Rejection::new(RejectedBy::Wecom, vec![why])
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
    record.rejection = Some(StoredRejection {
        rejection: Rejection {
            waits_for: WaitsFor::Mobile,
            held_by: Some("old".parse().unwrap()),
            retry_at: Some(now() + TimeDelta::hours(1)),
            ..Rejection::new(RejectedBy::Wecom, vec![why])
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

/// Applies a plan's operations to a directory, wave after wave.
fn carry_out(held: &mut [Member], plan: &PlanResult) {
    for operation in &plan.operations {
        let at = operation.userid.as_str()[1..].parse::<usize>().unwrap() - 1;
        let mut after = held[at].clone();
        for field in UniqueField::ALL {
            if let Some(value) = operation.body.get(field.as_str()).and_then(|value| value.as_str()) {
                field.set(&mut after, (!value.is_empty()).then(|| value.to_owned()));
            }
        }
        let taken = |field: UniqueField| {
            let value = field.of(&after);
            value.is_some() && held.iter().enumerate().any(|(n, other)| n != at && field.of(other) == value)
        };
        assert!(!UniqueField::ALL.into_iter().any(taken), "taken: {operation:?}");
        assert!(after.email.is_some() || after.mobile.is_some(), "cannot be reached: {operation:?}");
        held[at] = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x7275_7a68_6933),
        ..ProptestConfig::default()
    })]

    /// However numbers and addresses are passed on, everyone can be contacted all the time, and the plans of one run
    /// lead everyone to the wanted values. Some have nothing but a number at first.
    #[test]
    fn any_exchange_of_values_comes_to_its_end(
        to in Just((1..=6_u32).collect::<Vec<_>>()).prop_shuffle(),
        numbers in Just((1..=6_u32).collect::<Vec<_>>()).prop_shuffle(),
        boxes in Just((1..=6_u32).collect::<Vec<_>>()).prop_shuffle(),
        bare in prop::collection::vec(any::<bool>(), 6),
    ) {
        let mail = |n: u32| Some(format!("b{n}@x.cn"));
        let wants = |at: usize| {
            let n = at as u32 + 1;
            upsert(n, Member { biz_mail: mail(boxes[at]), ..person(n, numbers[at], to[at]) })
        };
        let records = (0..6).map(wants).collect();
        let at_first = |n: u32| Member {
            biz_mail: mail(n),
            email: person(n, n, n).email.filter(|_| !bare[n as usize - 1]),
            ..person(n, n, n)
        };
        let mut held: Vec<Member> = (1..=6).map(at_first).collect();
        let mut world = World::new(records, vec![]);
        for _ in 0..PASSES {
            for (at, written) in held.iter().enumerate() {
                let mut line = entry(at as u32 + 1, written.clone(), MemberState::Active);
                line.carried_out = None;
                world.write(line);
            }
            let plan = plan(&world);
            carry_out(&mut held, &plan);
        }
        let came: Vec<_> = held.iter().map(|held| (held.mobile.clone(), held.email.clone(), held.biz_mail.clone())).collect();
        let wanted: Vec<_> = (0..6)
            .map(|at| (Some(format!("1380000000{}", numbers[at])), Some(format!("e{}@x.cn", to[at])), mail(boxes[at])))
            .collect();
        prop_assert_eq!(came, wanted);
    }
}
