//! A store with a row of every kind.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, json};

use super::{MOBILE, Served, acme, flow, now};
use ruzhi_app::deployment::{flow_rules, offered};
use ruzhi_model::{
    Context, Decision, Digest, LedgerEntry, Member, MemberKey, MemberState, Membership, Operation,
    OperationKind, OperationState, Origin, RecordId, RejectedBy, Rejection, RunId, Text, Violation,
};
use ruzhi_plan::{Counts, Disposition, Draft, Guard, Plan, Purpose, Resolution, Survey, Totals};
use ruzhi_rules::ChangeAuthor;
use ruzhi_store::{AttemptRow, DraftPart, PlanState, RecordRow, RunKind, RunRow, RunState, Settlement};

pub(super) fn record(n: u32) -> RecordId {
    format!("{n:024x}").parse().unwrap()
}

pub(super) fn run(name: &str) -> RunId {
    name.parse().unwrap()
}

pub(super) fn member(userid: &str, name: &str) -> Member {
    Member {
        userid: userid.to_owned(),
        name: name.to_owned(),
        mobile: Some(MOBILE.to_owned()),
        email: Some("li.si@example.com".to_owned()),
        memberships: vec![Membership { department: 2, leader: false, order: None }],
        position: Some("工程师".to_owned()),
        ..Member::default()
    }
}

pub(super) fn run_row(name: &str, state: RunState, started_at: DateTime<Utc>) -> RunRow {
    RunRow {
        tenant: acme(),
        flow: flow(),
        id: run(name),
        kind: RunKind::Sync,
        cause: None,
        state,
        started_at,
        ended_at: (state != RunState::Running).then(|| started_at + TimeDelta::seconds(20)),
        plan: None,
        rules: None,
        counts: Counts { created: u64::from(state == RunState::Done), ..Counts::default() },
        calls: BTreeMap::from([
            ("wecom user/create".parse().unwrap(), 10),
            ("jiandaoyun data/list".parse().unwrap(), 3),
        ]),
        problem: None,
        failure: None,
    }
}

fn operation(kind: OperationKind, n: u32, after: Member, before: Option<Member>) -> Operation {
    let mut body = ruzhi_plan::whole_body(&after);
    if let Some(before) = &before {
        let held = ruzhi_plan::whole_body(before);
        body.retain(|field, value| field == "userid" || held.get(field) != Some(value));
    }
    Operation {
        kind,
        userid: after.userid.parse().unwrap(),
        flow: flow(),
        record: record(n),
        body,
        before: before.map(|written| line(n, written)),
        member: after,
        decision: Digest::of("decision"),
        rules: Digest::of("rules"),
        left: false,
        names: None,
        partial: false,
        parks: None,
        tries: 0,
        notes: Vec::new(),
        undoes: false,
    }
}

pub(super) fn line(n: u32, written: Member) -> LedgerEntry {
    LedgerEntry {
        userid: written.userid.parse().unwrap(),
        owner: Origin { tenant: acme(), flow: flow(), record: record(n) },
        decided_as: MemberKey::of(&written.userid),
        written,
        state: MemberState::Active,
        left_at: None,
        doubtful: false,
        carried_out: None,
        rules: Digest::of("rules"),
        kept: Map::new(),
        removal_answer: None,
    }
}

/// Stores a plan of these operations, in a state.
pub(super) async fn plan(
    served: &Served,
    by: &str,
    state: PlanState,
    operations: Vec<Operation>,
    refused: Vec<(Origin, Rejection, Digest, Digest)>,
) -> Plan {
    let survey = Survey {
        recent_leavers: ruzhi_plan::RecentLeavers::default(),
        totals: Totals::default(),
        owned: 10,
        stamp: Digest::of(by),
        claimants: vec![],
        holders: HashMap::new(),
    };
    let mut draft = Draft::new(acme(), flow(), Purpose::Sync, false, &survey);
    for operation in &operations {
        let origin = Origin { tenant: acme(), flow: flow(), record: operation.record.clone() };
        draft.add(&origin, &Disposition::Operation(Box::new(operation.clone())).into());
    }
    let most = if state == PlanState::Held { 0 } else { 500 };
    let (plan, order) = draft.finish(&Guard { create_most: most, ..Guard::default() });
    let store = &served.state.app.store;
    store.draft_begin(&acme(), &flow()).await.unwrap();
    let part = DraftPart { first: 0, operations, rejected: refused, confirmed: Vec::new() };
    store.draft_put(&run(by), &acme(), &part, now()).await.unwrap();
    store.plan_put(&run(by), &plan, &order, state, now()).await.unwrap();
    plan
}

/// The operations of the waiting plan: one new member, and one whose job title and number change.
pub(super) fn operations() -> Vec<Operation> {
    let changed = Member {
        position: Some("组长".to_owned()),
        mobile: Some("13900139000".to_owned()),
        ..member("w2", "王五")
    };
    vec![
        operation(OperationKind::Create, 1, member("w1", "李四"), None),
        operation(OperationKind::Update, 2, changed, Some(member("w2", "王五"))),
    ]
}

pub(super) fn row(n: u32, content: serde_json::Value, decision: Decision) -> RecordRow {
    let content = content.to_string();
    RecordRow {
        id: record(n),
        content_hash: Digest::of(&content),
        content,
        fetched_at: now(),
        updated_at: None,
        fetched_run: run("r1"),
        decided_at: now(),
        rules: Digest::of("rules"),
        resolution: Resolution::Decided(decision),
        notes: vec![format!("手机号 {MOBILE} 已规范")],
        context: Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() },
        holds_until: None,
    }
}

pub(super) fn rejected(field: &str, rule: &str, en: &str, zh: &str) -> Vec<Violation> {
    vec![Violation { field: field.to_owned(), rule: rule.to_owned(), message: Text::new(en, zh).into() }]
}

fn refusal(n: u32, violations: Vec<Violation>) -> (Origin, Rejection, Digest, Digest) {
    let origin = Origin { tenant: acme(), flow: flow(), record: record(n) };
    let refusal = Rejection::new(RejectedBy::Guest, violations);
    (origin, refusal, Digest::of("decision"), Digest::of("rules"))
}

/// Settles the first operation of a plan.
async fn settle(served: &Served, plan: &Plan, operation: &Operation) {
    let settlement = Settlement {
        place: 0,
        operation: Arc::new(operation.clone()),
        state: OperationState::Done,
        errcode: Some(0),
        errmsg: Some("created".to_owned()),
        attempts: vec![AttemptRow {
            api: "user/create".to_owned(),
            at: now(),
            took_ms: 12,
            errcode: Some(0),
            errmsg: format!("created {MOBILE}, hint: [1764035120123456]"),
        }],
        ledger: Some(line(1, operation.member.clone())),
        rejection: None,
    };
    served
        .state
        .app
        .store
        .operations_settle(&[acme()], &acme(), &plan.id, &[settlement], now())
        .await
        .unwrap();
}

/// Fills the store: a run that is done, one with a held plan, one that failed; three records, two of them in
/// quarantine; live rules.
pub(super) async fn fill(served: &mut Served) {
    let store = Arc::clone(&served.state.app.store);
    let (tenant, flow) = (acme(), flow());
    let labels = BTreeMap::from([
        ("_widget_1".to_owned(), "手机号".to_owned()),
        ("_widget_2".to_owned(), "姓名".to_owned()),
        ("_widget_3".to_owned(), "备注".to_owned()),
    ]);
    store.labels_put(&tenant, &flow, &labels).await.unwrap();
    let invalid = rejected("_widget_1", "mobile.invalid", "one digit too many", "手机号 139001390001 多一位");
    let taken = rejected("_widget_2", "name.missing", "no name", "姓名为空");
    let rows = [
        row(
            1,
            json!({"_id": record(1), "_widget_1": MOBILE, "_widget_2": "李四", "_widget_3": "夜班"}),
            Decision::Upsert(Box::new(member("w1", "李四"))),
        ),
        row(
            2,
            json!({"_id": record(2), "_widget_1": "139001390001", "_widget_2": "王五", "_widget_3": "=1+1"}),
            Decision::Reject(invalid.clone()),
        ),
        row(
            3,
            json!({"_id": record(3), "_widget_1": "13700137000", "_widget_2": "", "_widget_3": "白班"}),
            Decision::Reject(taken.clone()),
        ),
    ];
    store.records_put(&tenant, &flow, &rows).await.unwrap();
    let operations = operations();
    let refused = vec![refusal(2, invalid), refusal(3, taken)];
    let done = plan(served, "r1", PlanState::Done, operations[..1].to_vec(), refused).await;
    settle(served, &done, &operations[0]).await;
    let held = plan(served, "r2", PlanState::Held, operations, Vec::new()).await;

    let hour = TimeDelta::hours(1);
    let first = RunRow { plan: Some(done.id), ..run_row("r1", RunState::Done, now() - hour * 26) };
    let second = RunRow { plan: Some(held.id), ..run_row("r2", RunState::Held, now() - hour) };
    let third = RunRow {
        problem: Some(Text::new("the address is not on the list", "IP 不在白名单")),
        ..run_row("r3", RunState::Failed, now() - TimeDelta::minutes(1))
    };
    for run in [first, second, third] {
        store.run_put(&run).await.unwrap();
    }
    let deployment = served.state.app.deployment();
    let (tenant, flow) = (&deployment.config.tenants[0], &deployment.config.tenants[0].flows[0]);
    let rules = flow_rules(store.as_ref(), &deployment.registry, tenant, flow, None);
    let by = ChangeAuthor { who: "韩梅梅".to_owned(), why: None };
    rules.live(offered(flow), &by).await.unwrap();
}
