//! The promises of a plan.

mod adopting;
mod doubts;
mod drifting;
mod history;
mod leaders;
mod leavers;
mod over_time;
mod removed;
mod rendering;
mod rows;
mod tenants;
mod undoing;
mod values;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::testing::world::{PlanResult, World, decided, id};
use crate::testing::{member, policy};
use ruzhi_model::{
    Decision, DepartmentId, Digest, FlowId, LedgerEntry, Member, MemberKey, MemberState, Membership,
    OperationKind, Origin, TenantId, UserId,
};

fn now() -> DateTime<Utc> {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

fn tenant() -> TenantId {
    "factory".parse().unwrap()
}

fn flow() -> FlowId {
    "onboarding".parse().unwrap()
}

fn origin(n: u32) -> Origin {
    Origin { tenant: tenant(), flow: flow(), record: id(n) }
}

fn record(n: u32, decision: Decision) -> RecordState {
    decided(origin(n), decision, Digest::of("rules"))
}

fn upsert(n: u32, member: Member) -> RecordState {
    record(n, Decision::Upsert(Box::new(member)))
}

fn leave(n: u32, userid: &str) -> RecordState {
    record(n, Decision::Leave(userid.to_owned()))
}

/// The same record in another tenant of the corp.
fn elsewhere(record: RecordState) -> RecordState {
    RecordState { origin: Origin { tenant: "office".parse().unwrap(), ..record.origin }, ..record }
}

/// A line that carries out an upsert of exactly this member.
fn entry(n: u32, written: Member, state: MemberState) -> LedgerEntry {
    LedgerEntry {
        userid: written.userid.parse().unwrap(),
        owner: origin(n),
        decided_as: MemberKey::of(&written.userid),
        carried_out: Some(upsert(n, written.clone()).decision),
        written,
        state,
        left_at: (state == MemberState::Left).then(now),
        doubtful: false,
        rules: Digest::of("rules"),
        kept: serde_json::Map::new(),
        removal_answer: None,
    }
}

fn directory(members: &[&str]) -> Directory {
    Directory {
        departments: (1..=5).map(DepartmentId).collect(),
        members: members
            .iter()
            .map(|userid| (MemberKey::of(userid), userid.parse::<UserId>().unwrap()))
            .collect(),
    }
}

fn world(records: Vec<RecordState>, ledger: Vec<LedgerEntry>) -> World {
    World::new(records, ledger)
}

fn plan_with(
    world: &World,
    directory: Option<&Directory>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> PlanResult {
    world.plan((&tenant(), &flow()), directory, policy, now)
}

/// The plan of the first tenant over an empty directory.
fn plan(world: &World) -> PlanResult {
    plan_with(world, Some(&directory(&[])), &policy(), now())
}

fn kinds(plan: &PlanResult) -> Vec<(OperationKind, String)> {
    plan.operations.iter().map(|operation| (operation.kind, operation.userid.to_string())).collect()
}

fn rules(plan: &PlanResult, n: u32) -> Vec<String> {
    rules_of(&plan.dispositions[&origin(n)])
}

fn rules_of(disposition: &Disposition) -> Vec<String> {
    match disposition {
        Disposition::Rejected { rejection } => rejection.violations.iter().map(|v| v.rule.clone()).collect(),
        other => panic!("not rejected but {other:?}"),
    }
}

/// The operation of an acting record.
fn acting(disposition: Disposition) -> ruzhi_model::Operation {
    match disposition {
        Disposition::Operation(operation) => *operation,
        other => panic!("does not act but {other:?}"),
    }
}

const UNCHANGED: Disposition = Disposition::Unchanged { confirmed: false };
