//! Operations in doubt: stored as `sending`, with no outcome. They are settled by asking WeCom, never by guessing.
//!
//! The sync secret may list the directory's ids and nothing else, and that is enough. Before it was sent, the plan knew
//! that no member had the userid; so a member with it now is ours, and the create happened. If there is none, the ledger
//! keeps that one may still appear, for the call may be under way yet. A member that is gone was deleted. Of an update nothing can be read back, so the ledger's line becomes doubtful: the next plan sends every
//! field again, which changes nothing if the update had happened.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::Flow;
use super::verdict::after;
use crate::model::{MemberKey, Operation, OperationKind, OperationState, PlanId, TenantId, UserId};
use crate::plan::{LedgerEntry, MemberState};
use crate::store::{InDoubt, Settlement};

/// Settles what a crash left. Returns how many operations were in doubt.
pub(super) async fn settle_crash(flow: &Flow) -> Result<usize, RunError> {
    let in_doubt = flow.store.in_doubt(&flow.tenant).await?;
    if in_doubt.is_empty() {
        return Ok(0);
    }
    let members = flow.directory.member_ids().await.map_err(RunError::Directory)?;
    let ledger = flow.store.world(&flow.tenant, &flow.id).await?.ledger;
    let now = flow.clock.now();
    let mut by_plan: BTreeMap<&PlanId, Vec<Settlement<'_>>> = BTreeMap::new();
    for InDoubt { plan, place, operation } in &in_doubt {
        let settlement = read_back(&members, ledger.get(&operation.userid.key()), *place, operation, now);
        by_plan.entry(plan).or_default().push(settlement);
    }
    for (plan, settlements) in by_plan {
        log(&flow.tenant, plan, &settlements);
        flow.store.settle(&flow.tenant, plan, &settlements, now).await?;
    }
    Ok(in_doubt.len())
}

/// What the directory's ids say of one operation.
pub(super) fn read_back<'a>(
    members: &BTreeMap<MemberKey, UserId>,
    entry: Option<&LedgerEntry>,
    place: usize,
    operation: &'a Operation,
    now: DateTime<Utc>,
) -> Settlement<'a> {
    let there = members.contains_key(&operation.userid.key());
    let (state, ledger) = match operation.kind {
        OperationKind::Create if there => (OperationState::Done, Some(after(operation, entry, now))),
        OperationKind::Create => {
            let line = after(operation, entry, now);
            let may_appear = LedgerEntry { state: MemberState::Deleted, doubtful: true, ..line };
            (OperationState::Lost, Some(may_appear))
        }
        OperationKind::Delete if !there => (OperationState::Done, Some(after(operation, entry, now))),
        OperationKind::Delete => (OperationState::Lost, None),
        OperationKind::Update | OperationKind::Disable | OperationKind::Enable => {
            let doubtful = entry.map(|entry| {
                let mut entry = entry.clone();
                if there {
                    entry.doubtful = true;
                } else {
                    entry.state = MemberState::Deleted;
                }
                entry
            });
            (OperationState::Lost, doubtful)
        }
    };
    let errmsg = match state {
        OperationState::Done => "read back from WeCom: it had happened",
        _ => "read back from WeCom: it had not happened, or cannot be known; it is planned again",
    };
    Settlement {
        place,
        operation,
        state,
        errcode: None,
        errmsg: Some(errmsg.to_owned()),
        attempts: Vec::new(),
        ledger,
        refusal: None,
    }
}

fn log(tenant: &TenantId, plan: &PlanId, settlements: &[Settlement<'_>]) {
    let done = settlements.iter().filter(|s| s.state == OperationState::Done).count();
    tracing::warn!(
        tenant.id = tenant.as_str(),
        plan.id = plan.as_str(),
        operations = settlements.len(),
        done,
        "operations left in doubt by an earlier process were settled with WeCom"
    );
}
