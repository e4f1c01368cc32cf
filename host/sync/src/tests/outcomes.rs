//! The ledger after an answer on something that was in doubt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, json};

use crate::outcome::{OperationOutcome, OutcomeContext, mobile_not_taken, read};
use crate::recovery::read_back;
use ruzhi_model::{
    Digest, LedgerEntry, Member, MemberKey, MemberState, Operation, OperationKind, OperationState, Origin,
    TenantId,
};
use ruzhi_plan::testing::world::id;
use ruzhi_store::Settlement;
use ruzhi_wecom::{CallAttempt, WriteAnswer, WriteVerdict};

fn now() -> DateTime<Utc> {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

fn tenant() -> TenantId {
    "factory".parse().unwrap()
}

fn line(state: MemberState, doubtful: bool) -> LedgerEntry {
    LedgerEntry {
        userid: "a".parse().unwrap(),
        owner: Origin { tenant: tenant(), flow: "onboarding".parse().unwrap(), record: id(1) },
        decided_as: MemberKey::of("a"),
        written: Member { mobile: Some("13800000001".to_owned()), ..Member::default() },
        state,
        left_at: (state == MemberState::Left).then(now),
        doubtful,
        carried_out: Some(Digest::of("before")),
        rules: Digest::of("rules"),
        kept: Map::new(),
        removal_answer: None,
    }
}

fn operation(kind: OperationKind, before: Option<LedgerEntry>, left: bool) -> Arc<Operation> {
    Arc::new(Operation {
        kind,
        userid: "a".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        record: id(1),
        body: json!({ "userid": "a", "mobile": "13800000002" }).as_object().cloned().unwrap(),
        member: Member { mobile: Some("13800000002".to_owned()), ..Member::default() },
        before,
        decision: Digest::of("decision"),
        rules: Digest::of("rules"),
        left,
        names: None,
        partial: false,
        parks: None,
        tries: 0,
        notes: Vec::new(),
        undoes: false,
    })
}

fn attempt() -> CallAttempt {
    CallAttempt { api: "user/…", at: now(), took: Duration::ZERO, errcode: Some(1), errmsg: String::new() }
}

/// The outcome of an operation with this answer from WeCom, after earlier calls that may have been carried out or not.
fn outcome(operation: &Arc<Operation>, verdict: WriteVerdict, lost_before: bool) -> Settlement {
    let answer = WriteAnswer { verdict, attempts: vec![attempt()], in_doubt: false };
    let may_appear = operation.before.as_ref().is_some_and(LedgerEntry::may_appear);
    let tenant = tenant();
    let known = OutcomeContext {
        tenant: &tenant,
        later: false,
        adopts: false,
        maybe_ours: lost_before || may_appear,
        when: now(),
    };
    match read(operation, 0, known, answer) {
        OperationOutcome::Settled(settlement) => *settlement,
        other => panic!("not settled: {other:?}"),
    }
}

#[test]
fn a_change_that_is_rejected_after_a_lost_answer_may_have_happened() {
    let update = operation(OperationKind::Update, Some(line(MemberState::Active, false)), false);
    let rejected = || WriteVerdict::Rejected { errcode: 60123, errmsg: String::new() };
    let plain = outcome(&update, rejected(), false);
    assert_eq!((plain.state, plain.ledger), (OperationState::Rejected, None));
    let lost = outcome(&update, rejected(), true);
    assert_eq!(lost.state, OperationState::Rejected);
    assert_eq!(lost.ledger, Some(line(MemberState::Active, true)));
}

#[test]
fn a_change_that_was_called_once_before_the_process_was_to_end_may_have_happened() {
    let update = operation(OperationKind::Update, Some(line(MemberState::Active, false)), false);
    for (in_doubt, ledger) in [(true, Some(line(MemberState::Active, true))), (false, None)] {
        let tenant = tenant();
        let known =
            OutcomeContext { tenant: &tenant, later: false, adopts: false, maybe_ours: false, when: now() };
        let answer = WriteAnswer { verdict: WriteVerdict::Quit, attempts: vec![attempt()], in_doubt };
        let OperationOutcome::Stop { settlement: Some(settlement), error: None } =
            read(&update, 0, known, answer)
        else {
            panic!("not stopped")
        };
        assert_eq!((settlement.state, settlement.ledger), (OperationState::Failed, ledger));
    }
}

#[test]
fn a_member_found_after_two_lost_creates_may_have_the_first_one_s_fields() {
    let first = operation(OperationKind::Create, None, false);
    let second = operation(OperationKind::Create, Some(line(MemberState::Deleted, true)), false);
    let exists = || WriteVerdict::AlreadyExists { maybe_ours: false };
    let held = || WriteVerdict::MobileHeld { holder: Some("a".to_owned()), maybe_ours: true };
    let there = BTreeMap::from([(MemberKey::of("a"), "a".parse().unwrap())]);
    for (create, doubtful) in [(&first, false), (&second, true)] {
        let read_back = read_back(&there, &tenant(), 0, create, now());
        for settlement in [outcome(create, exists(), true), outcome(create, held(), true), read_back] {
            assert_eq!(settlement.state, OperationState::Done);
            let line = settlement.ledger.unwrap();
            assert_eq!((line.state, line.doubtful), (MemberState::Active, doubtful));
        }
    }
}

#[test]
fn a_lost_disable_or_enable_leaves_open_whether_the_leaver_can_log_in() {
    let there = BTreeMap::from([(MemberKey::of("a"), "a".parse().unwrap())]);
    let leaves = operation(OperationKind::Disable, Some(line(MemberState::Active, false)), true);
    let returns = operation(OperationKind::Enable, Some(line(MemberState::Left, false)), false);
    for lost in [leaves, returns] {
        let settlement = read_back(&there, &tenant(), 0, &lost, now());
        assert_eq!(settlement.state, OperationState::Lost);
        let line = settlement.ledger.unwrap();
        assert_eq!((line.state, line.left_at, line.doubtful), (MemberState::Left, None, true));
    }
    let update = operation(OperationKind::Update, Some(line(MemberState::Active, false)), false);
    let settlement = read_back(&there, &tenant(), 0, &update, now());
    assert_eq!(settlement.ledger, Some(line(MemberState::Active, true)));
}

#[test]
fn a_lost_delete_is_called_again_and_not_believed_for_one_listing() {
    let delete = operation(OperationKind::Delete, Some(line(MemberState::Left, false)), true);
    let settlement = read_back(&BTreeMap::new(), &tenant(), 0, &delete, now());
    assert_eq!((settlement.state, settlement.ledger), (OperationState::Lost, None));
    let undoes = Arc::new(Operation { undoes: true, ..(*delete).clone() });
    let settlement = read_back(&BTreeMap::new(), &tenant(), 0, &undoes, now());
    assert_eq!(settlement.state, OperationState::Done, "what undoes is not planned again");
}

#[test]
fn of_a_mobile_that_was_not_taken_the_ledger_keeps_the_old_one_only_if_that_is_sure() {
    for (doubtful, kept) in [(false, Some("13800000001")), (true, None)] {
        let update = operation(OperationKind::Update, Some(line(MemberState::Active, doubtful)), false);
        let mut settlement = outcome(&update, WriteVerdict::Done { created_departments: vec![] }, false);
        assert_eq!(settlement.rejection, None);
        mobile_not_taken(&mut settlement, now());
        let line = settlement.ledger.unwrap();
        assert_eq!((line.written.mobile.as_deref(), line.carried_out), (kept, None));
        assert_eq!(settlement.rejection.unwrap().violations[0].rule, "mobile.activated");
    }
}
