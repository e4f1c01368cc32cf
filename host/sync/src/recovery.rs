//! Operations in doubt: stored as `sending`, with no outcome. They are settled by asking WeCom, never by guessing.
//!
//! The sync secret may list the directory's ids and nothing else, and that is enough. Before a create was sent, the
//! plan knew that no member had the userid; so a member with it now is ours, and the create happened. If there is none,
//! the ledger notes that one may still appear, for the call may be under way yet. A member that is gone was deleted.
//! Nothing can be read back of an update, so the ledger's line becomes doubtful: the next plan sends every field again,
//! which changes nothing if the update had happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::FlowRuntime;
use super::outcome::{after, found, undone};
use ruzhi_model::{MemberKey, Operation, OperationKind, OperationState, PlanId, TenantId, UserId};
use ruzhi_store::{DoubtfulOperation, Settlement};

/// Settles a crash's leftovers, for every tenant of the corp: one may be about to adopt a member that another was
/// writing. Returns the number of operations in doubt.
pub(super) async fn settle_crash(flow: &FlowRuntime) -> Result<usize, RunError> {
    let in_doubt = flow.store.operations_list_in_doubt(&flow.siblings).await?;
    if in_doubt.is_empty() {
        return Ok(0);
    }
    // A job that is not over may still write; then nothing read back holds.
    let jobs: BTreeSet<&str> = in_doubt.iter().filter_map(|operation| operation.job.as_deref()).collect();
    for job in jobs {
        flow.directory.wait_for_job(job).await.map_err(RunError::Directory)?;
    }
    let members = flow.directory.member_ids().await.map_err(RunError::Directory)?;
    let now = flow.clock.now();
    let count = in_doubt.len();
    let mut by_plan: BTreeMap<(TenantId, PlanId), Vec<Settlement>> = BTreeMap::new();
    for DoubtfulOperation { tenant, plan, place, operation, .. } in in_doubt {
        let settlement = read_back(&members, &tenant, place, &Arc::new(operation), now);
        by_plan.entry((tenant, plan)).or_default().push(settlement);
    }
    for ((tenant, plan), settlements) in by_plan {
        log(&tenant, &plan, &settlements);
        flow.store.operations_settle(&flow.siblings, &tenant, &plan, &settlements, now).await?;
    }
    Ok(count)
}

/// The outcome of one operation according to the directory's ids.
pub(super) fn read_back(
    members: &BTreeMap<MemberKey, UserId>,
    tenant: &TenantId,
    place: usize,
    operation: &Arc<Operation>,
    now: DateTime<Utc>,
) -> Settlement {
    let there = members.contains_key(&operation.userid.key());
    let (state, ledger) = match operation.kind {
        OperationKind::Create if there => {
            (OperationState::Done, Some(found(operation, after(operation, tenant, now))))
        }
        OperationKind::Create => (OperationState::Lost, Some(after(operation, tenant, now).may_yet_appear())),
        // One listing may be a late replica's, and a repeated delete tells if the member was there. An operation that
        // undoes another is not planned again.
        OperationKind::Delete if !there && operation.undoes => {
            (OperationState::Done, Some(after(operation, tenant, now)))
        }
        OperationKind::Delete | OperationKind::Adopt | OperationKind::Keep => (OperationState::Lost, None),
        OperationKind::Update | OperationKind::Disable | OperationKind::Enable => {
            let doubtful = operation
                .before
                .as_ref()
                .map(|before| if there { before.in_doubt(operation) } else { before.removed(now) });
            (OperationState::Lost, doubtful)
        }
    };
    let errmsg = match state {
        OperationState::Done => "read back from WeCom: it had happened",
        _ => "read back from WeCom: it had not happened, or cannot be known; it is planned again",
    };
    Settlement {
        place,
        state,
        errcode: None,
        errmsg: Some(errmsg.to_owned()),
        attempts: Vec::new(),
        ledger,
        rejection: if state == OperationState::Done { undone(operation) } else { None },
        operation: Arc::clone(operation),
    }
}

fn log(tenant: &TenantId, plan: &PlanId, settlements: &[Settlement]) {
    let done = settlements.iter().filter(|s| s.state == OperationState::Done).count();
    tracing::warn!(
        tenant.id = tenant.as_str(),
        plan.id = plan.as_str(),
        operations = settlements.len(),
        done,
        "operations left in doubt by an earlier process were settled with WeCom"
    );
}
