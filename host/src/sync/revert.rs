//! The plan that undoes a run, from the before-images of its operations.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::Flow;
use super::planning::{Keeping, Made, PAGE};
use crate::model::{MemberKey, Origin, PlanId, RunId};
use crate::plan::{Draft, Policy, Purpose, revert};

pub(super) async fn plan(
    flow: &Flow,
    run: &RunId,
    undone: &RunId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Made, RunError> {
    let survey = flow.store.survey(&flow.scope(now)).await?;
    let purpose = Purpose::Revert { run: undone.clone() };
    let mut draft = Draft::new(flow.tenant.clone(), flow.id.clone(), purpose, false, &survey);
    let mut keeping = Keeping::begin(flow, run).await?;
    let mut seen: HashSet<MemberKey> = HashSet::new();
    let mut after: Option<(PlanId, usize)> = None;
    loop {
        let cursor = after.as_ref().map(|(plan, place)| (plan, *place));
        let page = flow.store.done_by(&flow.tenant, undone, cursor, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.plan.clone(), last.place));
        let keys: Vec<MemberKey> = page.iter().map(|row| row.operation.userid.key()).collect();
        let own = std::slice::from_ref(&flow.tenant);
        let lines = flow.store.members(own, &keys).await?;
        let lines: HashMap<MemberKey, _> = lines.into_iter().map(|line| (line.userid.key(), line)).collect();
        for row in page {
            let operation = row.operation;
            let key = operation.userid.key();
            if !seen.insert(key.clone()) {
                continue;
            }
            let standing = revert::undo(&operation, lines.get(&key), policy);
            let origin = Origin {
                tenant: flow.tenant.clone(),
                flow: operation.flow.clone(),
                record: operation.record.clone(),
            };
            draft.add(&origin, &standing);
            keeping.add(&origin, (&operation.decision, &operation.rules), standing).await?;
        }
    }
    keeping.finish(draft.finish(&policy.guard)).await
}
