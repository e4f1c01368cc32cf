//! A plan as a person reads it, and their yes or no to it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{FieldChange, ticked, unless_empty, word_unless_empty};
use crate::failure::Failure;
use crate::model::{
    Digest, FlowId, OperationKind, OperationState, PlanId, RecordId, RunId, TenantId, UserId,
};
use crate::plan::{Counts, GuardReason};
use crate::serve::access::Visitor;
use crate::serve::{Asked, Process};
use crate::store::{AttemptRow, PlanState};

/// Which part of a plan.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct PlanAsked {
    /// Operations behind this place: the `next` of the part before.
    #[serde(deserialize_with = "unless_empty")]
    pub after: Option<u64>,
    /// How many, 50 if not given, 500 at most.
    #[serde(deserialize_with = "unless_empty")]
    pub most: Option<u32>,
    /// Only operations of this kind.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub kind: Option<OperationKind>,
    /// With numbers and addresses in full: for an operator, and written down.
    #[serde(deserialize_with = "ticked")]
    pub reveal: bool,
}

/// A plan, and a part of its operations.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanView {
    /// The plan.
    pub id: PlanId,
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// `sync`, `adopt`, `revert` or `drift`.
    pub purpose: String,
    /// The run it undoes.
    pub undoes: Option<RunId>,
    /// Digest of every operation and of the world it was made from.
    pub hash: Digest,
    /// How it stands.
    pub state: PlanState,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// The run that made it.
    pub run: RunId,
    /// When.
    pub made_at: DateTime<Utc>,
    /// How many operations it has.
    pub operations: u64,
    /// What it comes to if every operation succeeds.
    pub counts: Counts,
    /// Members in the directory that the tenant owns.
    pub owned: u64,
    /// It tries quarantined records again.
    pub retry: bool,
    /// Why the first of the records that could not be decided has no decision.
    pub undecided: Option<String>,
    /// Why the guard holds it; empty where it passes.
    pub guard: Vec<GuardReason>,
    /// What may be done with it as it stands.
    pub may: PlanMay,
    /// A part of its operations, in order.
    pub items: Vec<OperationView>,
    /// What to ask for as `after` to get the next part; none at the end.
    pub next: Option<u64>,
    /// Numbers and addresses are in full.
    pub revealed: bool,
}

/// What may be done with a plan as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanMay {
    /// Released although the guard holds it.
    pub approve: bool,
    /// Applied: the guard lets it pass.
    pub apply: bool,
    /// Rejected.
    pub reject: bool,
}

/// An operation as a person reads it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OperationView {
    /// Its plan.
    pub plan: PlanId,
    /// Its place in the plan.
    pub place: u64,
    /// Operations of a lower wave are finished before this one begins.
    pub wave: u32,
    /// What it does.
    pub kind: OperationKind,
    /// On whom.
    pub userid: UserId,
    /// Their name, as the ledger has it once this is done.
    pub name: String,
    /// The flow whose record asks for it.
    pub flow: FlowId,
    /// The record that asks for it.
    pub record: RecordId,
    /// What changes, field by field.
    pub fields: Vec<FieldChange>,
    /// The member comes from here: `tenant/flow`.
    pub moved_from: Option<String>,
    /// It gives a number up first, for somebody who takes it; the next plan does the rest.
    pub partial: bool,
    /// The member left: the grace period begins.
    pub left: bool,
    /// How far it has come.
    pub state: OperationState,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When its outcome was stored.
    pub settled_at: Option<DateTime<Utc>>,
    /// WeCom's last code.
    pub errcode: Option<i64>,
    /// WeCom's last words.
    pub errmsg: Option<String>,
    /// Every call made for it.
    pub attempts: Vec<AttemptRow>,
}

/// A yes to a plan.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ApproveWish {
    /// What for, in their words.
    pub why: Option<String>,
}

/// A plan and a part of its operations, with what was written before each.
pub async fn plan(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    plan: &PlanId,
    asked: &PlanAsked,
) -> Result<PlanView, Failure> {
    let _ = (process, visitor, tenant, plan, asked);
    Err(super::unfinished())
}

/// Releases this very plan although the guard holds it, and applies it.
pub async fn approve_plan(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    plan: &PlanId,
    wish: &ApproveWish,
) -> Result<Asked, Failure> {
    let _ = (process, visitor, tenant, plan, wish);
    Err(super::unfinished())
}

/// Applies a plan that the guard lets pass.
pub async fn apply_plan(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    plan: &PlanId,
) -> Result<Asked, Failure> {
    let _ = (process, visitor, tenant, plan);
    Err(super::unfinished())
}

/// Says no to a plan, with the reason.
pub async fn reject_plan(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    plan: &PlanId,
    wish: &super::RejectWish,
) -> Result<(), Failure> {
    let _ = (process, visitor, tenant, plan, wish);
    Err(super::unfinished())
}
