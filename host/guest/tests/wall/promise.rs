//! The same promises over any answer and any file; `tests/fuzz` searches further.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use super::*;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(300))]

    /// Any bytes in a guest's memory are either an answer or rejected by the host.
    #[test]
    fn any_memory_is_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..800), count in 1_usize..4) {
        let mut memory = Memory::at(ruzhi_hostile::BASE);
        memory.raw(&bytes);
        judged(answering(&memory).decide(&context(), &records(count)), count)?;
    }
}

/// An honest answer with some bytes changed. Many changes only alter a text, which is still an answer: if all were
/// rejected, the accepted ones would go untested.
#[test]
fn any_change_of_an_answer_is_an_answer_or_an_error() {
    let member = ruzhi_model::Member {
        userid: "a".to_owned(),
        name: "b".to_owned(),
        mobile: Some("13800138000".to_owned()),
        direct_leader: Some(vec!["c".to_owned()]),
        extra: vec![("extattr".to_owned(), "{}".to_owned())],
        ..ruzhi_model::Member::default()
    };
    let outcome = Outcome { notes: vec!["n".to_owned()], ..Outcome::new(Decision::Upsert(Box::new(member))) };
    let honest = Memory::answer(&[outcome.clone(), outcome, ignored("x")]);
    let length = honest.bytes().len() as u32;
    let (answers, errors) = (AtomicU32::new(0), AtomicU32::new(0));
    let changes = prop::collection::vec((0_u32..600, any::<u8>()), 1..6);
    let promised = TestRunner::new(config(300)).run(&changes, |changes| {
        let mut memory = honest.clone();
        for (at, byte) in changes {
            memory.byte(ruzhi_hostile::BASE + at % length, byte);
        }
        let answer = answering(&memory).decide(&context(), &records(3));
        if answer.is_ok() { &answers } else { &errors }.fetch_add(1, Ordering::Relaxed);
        judged(answer, 3)
    });
    promised.unwrap();
    let (answers, errors) = (answers.into_inner(), errors.into_inner());
    assert!(answers >= 30 && errors >= 30, "{answers} answers, {errors} errors");
}

/// An accepted answer breaks no rule of the contract.
fn judged(answer: Result<Vec<Outcome>, BatchError>, count: usize) -> Result<(), TestCaseError> {
    let Ok(outcomes) = answer else { return Ok(()) };
    prop_assert_eq!(outcomes.len(), count);
    for outcome in outcomes {
        prop_assert!(outcome.notes.len() <= 51);
        match outcome.decision {
            Decision::Upsert(member) => prop_assert_eq!(ruzhi_guest::rule::check(&member), vec![]),
            Decision::Leave(userid) => prop_assert!(userid.parse::<ruzhi_model::UserId>().is_ok()),
            Decision::Ignore(reason) => prop_assert!(reason.chars().count() <= 1_000),
            Decision::Reject(violations) => prop_assert!((1..=100).contains(&violations.len())),
        }
    }
    Ok(())
}
