//! Plans, their operations, and the runs that made them.

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::{AttemptRow, DraftPart, PlanState, RunKind, RunRow, RunState, Watermark};
use ruzhi_model::{PlanId, RejectedBy, RunId, Violation};
use ruzhi_plan::{Counts, Disposition, Draft, Guard, OperationOrder, Plan, Purpose, Survey, Totals};

fn run(name: &str) -> RunId {
    name.parse().unwrap()
}

fn here() -> TenantId {
    tenant("here")
}

pub(super) fn run_row(name: &str) -> RunRow {
    RunRow {
        tenant: here(),
        flow: flow(),
        id: run(name),
        kind: RunKind::Sync,
        cause: None,
        state: RunState::Running,
        started_at: now(),
        ended_at: None,
        plan: None,
        rules: None,
        counts: Counts::default(),
        calls: BTreeMap::new(),
        problem: None,
        failure: None,
    }
}

/// A plan of these operations over a world with this stamp.
fn plan_of(purpose: Purpose, stamp: &str, operations: &[Operation]) -> (Plan, OperationOrder) {
    let survey = Survey {
        recent_leavers: ruzhi_plan::RecentLeavers::default(),
        totals: Totals::default(),
        owned: 10,
        stamp: Digest::of(stamp),
        claimants: vec![],
        holders: HashMap::new(),
    };
    let mut draft = Draft::new(here(), flow(), purpose, false, &survey);
    for operation in operations {
        let origin = Origin { tenant: here(), flow: flow(), record: operation.record.clone() };
        draft.add(&origin, &Disposition::Operation(Box::new(operation.clone())).into());
    }
    draft.finish(&Guard::default())
}

fn operations() -> Vec<Operation> {
    vec![
        operation(OperationKind::Create, 1, "a"),
        operation(OperationKind::Create, 2, "b"),
        operation(OperationKind::Disable, 3, "c"),
    ]
}

impl Opened {
    async fn keep(&self, name: &str, (plan, waves): &(Plan, OperationOrder), state: PlanState) -> PlanState {
        self.store.plan_put(&run(name), plan, waves, state, now()).await.unwrap()
    }

    async fn draft(&self, name: &str, first: usize, operations: &[Operation]) {
        let part = DraftPart { first, operations: operations.to_vec(), ..DraftPart::default() };
        self.store.draft_put(&run(name), &here(), &part, now()).await.unwrap();
    }

    async fn state(&self, plan: &PlanId) -> PlanState {
        self.store.plan_find(&here(), plan).await.unwrap().unwrap().state
    }

    async fn places(&self, plan: &PlanId) -> Vec<(usize, u32, OperationState)> {
        let rows = self.store.operations_list(&here(), plan, None, 100).await.unwrap();
        rows.into_iter().map(|row| (row.place, row.wave, row.state)).collect()
    }
}

#[tokio::test]
async fn a_draft_becomes_a_plan_with_its_waves_and_its_pages() {
    let opened = open().await;
    let operations = operations();
    let made = plan_of(Purpose::Sync, "world", &operations);
    opened.store.draft_begin(&here(), &flow()).await.unwrap();
    opened.draft("r1", 0, &operations[..2]).await;
    opened.draft("r1", 2, &operations[2..]).await;
    assert_eq!(opened.keep("r1", &made, PlanState::Planned).await, PlanState::Planned);
    let id = &made.0.id;
    let planned = OperationState::Planned;
    assert_eq!(opened.places(id).await, [(0, 1, planned), (1, 1, planned), (2, 0, planned)]);
    let stored = opened.store.plan_find(&here(), id).await.unwrap().unwrap();
    assert_eq!((&stored.plan, &stored.run), (&made.0, &run("r1")));
    let page = opened.store.operations_list_planned(&here(), id, 0, Some(1), 10).await.unwrap();
    assert_eq!(page.iter().map(|row| row.place).collect::<Vec<_>>(), [2]);
    assert_eq!(page[0].operation, operations[2]);
    // Found by its id and by its whole hash, and by nothing else.
    let found = vec![(here(), flow(), id.clone())];
    assert_eq!(opened.store.plans_list_named(id.as_str()).await.unwrap(), found);
    assert_eq!(opened.store.plans_list_named(made.0.hash.as_str()).await.unwrap(), found);
    assert_eq!(opened.store.plans_list_named(made.0.hash.short()).await.unwrap(), []);
}

#[tokio::test]
async fn a_person_s_no_stands_when_the_same_world_is_planned_again_until_they_change_their_mind() {
    let opened = open().await;
    let made = plan_of(Purpose::Sync, "world", &operations());
    opened.draft("r1", 0, &operations()).await;
    opened.keep("r1", &made, PlanState::Held).await;
    let no = opened.store.plan_reject(&here(), &made.0.id, Some("not these")).await;
    no.unwrap();
    opened.draft("r2", 0, &operations()).await;
    assert_eq!(opened.keep("r2", &made, PlanState::Held).await, PlanState::Rejected);
    let stored = opened.store.plan_find(&here(), &made.0.id).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.reason.as_deref()), (PlanState::Rejected, Some("not these")));
    opened.draft("r3", 0, &operations()).await;
    assert_eq!(opened.keep("r3", &made, PlanState::Planned).await, PlanState::Rejected);
    opened.draft("r4", 0, &operations()).await;
    assert_eq!(opened.keep("r4", &made, PlanState::Applying).await, PlanState::Applying);
    // Another state of the world makes another plan.
    let other = plan_of(Purpose::Sync, "another world", &operations());
    opened.draft("r5", 0, &operations()).await;
    assert_eq!(opened.keep("r5", &other, PlanState::Held).await, PlanState::Held);
}

#[tokio::test]
async fn a_newer_plan_of_the_same_purpose_takes_the_place_of_one_that_waits() {
    let opened = open().await;
    let plan = |purpose, stamp| plan_of(purpose, stamp, &[]);
    let revert = || Purpose::Revert { run: run("r0") };
    let (first, undoing) = (plan(Purpose::Sync, "one"), plan(revert(), "one"));
    let (done, second) = (plan(Purpose::Sync, "zero"), plan(Purpose::Sync, "two"));
    opened.keep("r0", &done, PlanState::Applying).await;
    opened.store.plan_set_state(&here(), &done.0.id, PlanState::Done).await.unwrap();
    opened.keep("r1", &first, PlanState::Held).await;
    opened.keep("r2", &undoing, PlanState::Planned).await;
    opened.keep("r3", &second, PlanState::Planned).await;
    assert_eq!(opened.state(&first.0.id).await, PlanState::Superseded);
    assert_eq!(opened.state(&undoing.0.id).await, PlanState::Planned);
    assert_eq!(opened.state(&done.0.id).await, PlanState::Done);
    assert_eq!(opened.state(&second.0.id).await, PlanState::Planned);
    // The former state is back: its plan waits again.
    opened.keep("r4", &first, PlanState::Held).await;
    assert_eq!(opened.state(&first.0.id).await, PlanState::Held);
    assert_eq!(opened.state(&second.0.id).await, PlanState::Superseded);
}

#[tokio::test]
async fn what_a_draft_that_never_became_a_plan_left_behind_is_taken_away() {
    let opened = open().await;
    opened.draft("dead", 0, &operations()).await;
    let leftovers: PlanId = "draft-dead".parse().unwrap();
    assert_eq!(opened.places(&leftovers).await.len(), 3);
    let made = plan_of(Purpose::Sync, "world", &operations());
    opened.draft("alive", 0, &operations()).await;
    opened.keep("alive", &made, PlanState::Planned).await;
    opened.store.draft_begin(&here(), &flow()).await.unwrap();
    assert_eq!(opened.places(&leftovers).await, []);
    assert_eq!(opened.places(&made.0.id).await.len(), 3);
}

#[tokio::test]
async fn the_quarantine_of_a_flow_is_what_its_last_plan_and_its_calls_refused() {
    let opened = open().await;
    let rejection = |rule: &str| {
        let violation = Violation { field: String::new(), rule: rule.to_owned(), message: "…".into() };
        ruzhi_model::Rejection::new(RejectedBy::Plan, vec![violation])
    };
    let refuse = async |name: &str, n: u32, at: DateTime<Utc>| {
        let refused = vec![(origin(&here(), n), rejection("r"), Digest::of("decision"), Digest::of("rules"))];
        let part = DraftPart { rejected: refused, ..DraftPart::default() };
        opened.store.draft_put(&run(name), &here(), &part, at).await.unwrap();
        let made = plan_of(Purpose::Sync, name, &[]);
        opened.store.plan_put(&run(name), &made.0, &made.1, PlanState::Planned, at).await.unwrap();
    };
    let records = async || -> Vec<_> {
        let rejects = opened.store.quarantine_list(Some(&here()), None).await.unwrap();
        rejects.into_iter().map(|row| (row.record, row.first_seen, row.last_seen)).collect()
    };
    refuse("r1", 1, now()).await;
    let later = now() + chrono::TimeDelta::hours(1);
    let called = Settlement {
        state: OperationState::Rejected,
        rejection: Some(rejection("wecom.60103")),
        ..settlement(0, operation(OperationKind::Create, 2, "b"), None)
    };
    opened
        .store
        .operations_settle(&[here()], &here(), &"p1".parse().unwrap(), &[called], now())
        .await
        .unwrap();
    assert_eq!(records().await, [(id(1), now(), now()), (id(2), now(), now())]);
    refuse("r2", 1, later).await;
    assert_eq!(records().await, [(id(1), now(), later)]);
}

#[tokio::test]
async fn how_flows_stand_is_told_of_each_by_its_last_run_its_watermark_and_its_held_plans() {
    let opened = open().await;
    let at = |hours: i64| now() + chrono::TimeDelta::hours(hours);
    let other: FlowId = "other".parse().unwrap();
    for (name, flow, hours) in
        [("r1", flow(), 1), ("r3", flow(), 3), ("r2", flow(), 2), ("r5", other.clone(), 2), ("r4", other, 2)]
    {
        opened.store.run_put(&RunRow { flow, started_at: at(hours), ..run_row(name) }).await.unwrap();
    }
    let watermark =
        Watermark { reached: at(4), query: Digest::of("q"), form: String::new(), unfinished_query: None };
    opened.store.watermark_put(&here(), &flow(), &watermark).await.unwrap();
    let held = plan_of(Purpose::Sync, "world", &operations());
    opened.keep("r3", &held, PlanState::Held).await;
    let told = opened.store.flow_statuses_list().await.unwrap();
    let told: Vec<_> = told
        .into_iter()
        .map(|one| (one.flow.to_string(), one.last_run.unwrap().id.to_string(), one.watermark, one.held))
        .collect();
    // The id decides between two runs that began at the same moment.
    assert_eq!(
        told,
        [
            ("onboarding".to_owned(), "r3".to_owned(), Some(at(4)), vec![held.0.id]),
            ("other".to_owned(), "r5".to_owned(), None, vec![]),
        ]
    );
}

#[tokio::test]
async fn what_a_run_has_done_can_be_read_back_and_is_counted_if_it_dies() {
    let opened = open().await;
    let operations = operations();
    let made = plan_of(Purpose::Sync, "world", &operations);
    opened.store.run_put(&run_row("r1")).await.unwrap();
    opened.store.run_put(&run_row("r2")).await.unwrap();
    opened.draft("r1", 0, &operations).await;
    opened.keep("r1", &made, PlanState::Applying).await;
    let plan = &made.0.id;
    opened.store.operations_mark_sending(&here(), plan, &[0, 1, 2], now()).await.unwrap();
    let attempt = AttemptRow {
        api: "user/create".to_owned(),
        at: now(),
        took_ms: 5,
        errcode: Some(0),
        errmsg: "created".to_owned(),
    };
    let outcome = |place: usize, state: OperationState| Settlement {
        state,
        attempts: vec![attempt.clone()],
        ..settlement(place, operations[place].clone(), None)
    };
    let outcomes = [
        outcome(0, OperationState::Done),
        outcome(1, OperationState::Rejected),
        Settlement { ..outcome(2, OperationState::Done) },
    ];
    opened.store.operations_settle(&[here()], &here(), plan, &outcomes[..2], now()).await.unwrap();
    let in_doubt = opened.store.operations_list_in_doubt(&[tenant("there"), here()]).await.unwrap();
    assert_eq!(in_doubt.iter().map(|doubt| (&doubt.tenant, doubt.place)).collect::<Vec<_>>(), [(&here(), 2)]);
    assert_eq!(in_doubt[0].operation, operations[2]);
    opened.store.operations_settle(&[here()], &here(), plan, &outcomes[2..], now()).await.unwrap();
    assert_eq!(opened.store.operations_list_in_doubt(&[here()]).await.unwrap(), []);

    let done = async |after: Option<(&PlanId, usize)>, most| -> Vec<usize> {
        let rows = opened.store.operations_list_done(&here(), &run("r1"), after, most).await.unwrap();
        rows.into_iter().map(|row| row.place).collect()
    };
    assert_eq!(done(None, 10).await, [0, 2]);
    assert_eq!(done(None, 1).await, [0]);
    assert_eq!(done(Some((plan, 0)), 10).await, [2]);
    assert_eq!(opened.store.operations_list_done(&here(), &run("r2"), None, 10).await.unwrap(), []);
    let trace = opened.store.operations_list(&here(), plan, None, 1).await.unwrap();
    assert_eq!((trace[0].errcode, trace[0].settled_at), (Some(0), Some(now())));

    opened.store.runs_abandon(&here(), &flow(), &run("r2"), now()).await.unwrap();
    let dead = opened.store.run_find(&run("r1")).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.ended_at), (RunState::Failed, Some(now())));
    assert_eq!(dead.counts, Counts { created: 1, disabled: 1, ..Counts::default() });
    assert!(dead.problem.is_some());
    let current = opened.store.run_find(&run("r2")).await.unwrap().unwrap();
    assert_eq!(current.state, RunState::Running);
}

#[tokio::test]
async fn what_was_marked_and_not_called_says_that_it_was_not_sent() {
    let opened = open().await;
    let operations = operations();
    let made = plan_of(Purpose::Sync, "world", &operations);
    opened.draft("r1", 0, &operations).await;
    opened.keep("r1", &made, PlanState::Applying).await;
    let plan = &made.0.id;
    let (sent, settled) = (now(), now() + chrono::TimeDelta::seconds(1));
    opened.store.operations_mark_sending(&here(), plan, &[0, 1, 2], sent).await.unwrap();
    let outcome = |place: usize, state: OperationState| Settlement {
        state,
        errcode: None,
        ..settlement(place, operations[place].clone(), None)
    };
    let called = AttemptRow {
        api: "user/update".to_owned(),
        at: sent,
        took_ms: 5,
        errcode: Some(60020),
        errmsg: "not allowed to access from your ip".to_owned(),
    };
    let outcomes = [
        outcome(0, OperationState::Planned),
        // Its token could not be fetched to the end.
        outcome(1, OperationState::Failed),
        Settlement { attempts: vec![called], ..outcome(2, OperationState::Failed) },
    ];
    opened.store.operations_settle(&[here()], &here(), plan, &outcomes, settled).await.unwrap();
    let rows = opened.store.operations_list(&here(), plan, None, 10).await.unwrap();
    let said: Vec<_> = rows.iter().map(|row| (row.state, row.sent_at, row.settled_at)).collect();
    assert_eq!(
        said,
        [
            (OperationState::Planned, None, None),
            (OperationState::Failed, None, Some(settled)),
            (OperationState::Failed, Some(sent), Some(settled)),
        ]
    );
    assert_eq!(opened.store.operations_list_in_doubt(&[here()]).await.unwrap(), []);
}

#[tokio::test]
async fn one_process_writes_and_others_may_read() {
    let opened = open().await;
    let path = opened.folder.path().join("ruzhi.db");
    let second = Database::open(&path, Access::Write).await;
    assert!(matches!(second, Err(crate::StoreError::Locked { .. })));
    let reader = Database::open(&path, Access::Read).await.unwrap();
    assert_eq!(reader.quarantine_list(None, None).await.unwrap(), []);
}

#[tokio::test]
async fn a_no_is_said_to_a_plan_that_waits_and_to_no_other() {
    let opened = open().await;
    for (at, state, taken) in [
        (1, PlanState::Held, true),
        (2, PlanState::Planned, true),
        (3, PlanState::Applying, false),
        (4, PlanState::Done, false),
        (5, PlanState::Failed, false),
    ] {
        let run = format!("r{at}");
        let made = plan_of(Purpose::Sync, &format!("world {at}"), &operations());
        opened.draft(&run, 0, &operations()).await;
        opened.keep(&run, &made, state).await;
        let rejected = opened.store.plan_reject(&here(), &made.0.id, None).await.unwrap();
        assert_eq!(rejected, taken, "{state:?}");
        let again = opened.store.plan_reject(&here(), &made.0.id, Some("again")).await.unwrap();
        assert!(!again, "{state:?}");
        let stored = opened.store.plan_find(&here(), &made.0.id).await.unwrap().unwrap();
        let stands = if taken { PlanState::Rejected } else { state };
        assert_eq!((stored.state, stored.reason), (stands, None));
    }
}
