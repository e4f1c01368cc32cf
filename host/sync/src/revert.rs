//! The plan that undoes a run, from the before-images of its operations.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::FlowRuntime;
use super::planning::{DraftWriter, PAGE, PreparedPlan};
use ruzhi_model::{MemberKey, Operation, Origin, PlanId, RunId};
use ruzhi_plan::{Draft, Policy, Purpose, RecordPlan, revert};

pub(super) async fn plan(
    flow: &FlowRuntime,
    run: &RunId,
    undone: &RunId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<PreparedPlan, RunError> {
    let survey = flow.store.survey_find(&flow.scope(now)).await?;
    let purpose = Purpose::Revert { run: undone.clone() };
    let mut draft = Draft::new(flow.tenant.clone(), flow.id.clone(), purpose, false, &survey);
    let mut keeping = DraftWriter::begin(flow, run).await?;
    let several = written_more_than_once(flow, undone).await?;
    let mut open: BTreeMap<MemberKey, Vec<Operation>> = BTreeMap::new();
    let mut pages = OperationPages { flow, run: undone, after: None };
    loop {
        let page = pages.next().await?;
        let end = page.is_empty();
        let mut ready = Vec::with_capacity(page.len());
        for operation in page {
            let key = operation.userid.key();
            if several.contains(&key) {
                open.entry(key).or_default().push(operation);
            } else {
                ready.push(operation);
            }
        }
        if end {
            ready.extend(std::mem::take(&mut open).into_values().filter_map(revert::as_one));
        }
        let keys: Vec<MemberKey> = ready.iter().map(|operation| operation.userid.key()).collect();
        let own = std::slice::from_ref(&flow.tenant);
        let lines = flow.store.ledger_find(own, &keys).await?;
        let lines: HashMap<MemberKey, _> = lines.into_iter().map(|line| (line.userid.key(), line)).collect();
        for operation in ready {
            let undone = revert::undo(&operation, lines.get(&operation.userid.key()), policy);
            let record_plan = RecordPlan::from(undone);
            let origin = Origin {
                tenant: flow.tenant.clone(),
                flow: operation.flow.clone(),
                record: operation.record.clone(),
            };
            draft.add(&origin, &record_plan);
            keeping.add(&origin, (&operation.decision, &operation.rules), record_plan).await?;
        }
        if end {
            break;
        }
    }
    keeping.finish(draft.finish(&policy.guard)).await
}

/// The operations a run completed, page by page.
struct OperationPages<'a> {
    flow: &'a FlowRuntime,
    run: &'a RunId,
    after: Option<(PlanId, usize)>,
}

impl OperationPages<'_> {
    async fn next(&mut self) -> Result<Vec<Operation>, RunError> {
        let cursor = self.after.as_ref().map(|(plan, place)| (plan, *place));
        let page = self.flow.store.operations_list_done(&self.flow.tenant, self.run, cursor, PAGE).await?;
        if let Some(last) = page.last() {
            self.after = Some((last.plan.clone(), last.place));
        }
        Ok(page.into_iter().map(|row| row.operation).collect())
    }
}

/// Members that more than one plan of the run has written.
async fn written_more_than_once(flow: &FlowRuntime, run: &RunId) -> Result<HashSet<MemberKey>, RunError> {
    let (mut once, mut more) = (HashSet::new(), HashSet::new());
    let mut pages = OperationPages { flow, run, after: None };
    loop {
        let page = pages.next().await?;
        if page.is_empty() {
            return Ok(more);
        }
        for operation in page {
            let key = operation.userid.key();
            if !once.insert(key.clone()) {
                more.insert(key);
            }
        }
    }
}
