//! The directory against the ledger, and the plan that settles the difference.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::error::RunError;
use super::flow::FlowRuntime;
use super::planning::{DraftWriter, PAGE, PreparedPlan};
use ruzhi_model::{DepartmentId, LedgerEntry, MemberKey, RunId};
use ruzhi_plan::drift::{DirectoryMember, DriftFinding, compare, settle};
use ruzhi_plan::{Draft, DriftResolution, Policy, Purpose, RecordPlan};
use ruzhi_store::DriftCheckRow;
use ruzhi_wecom::ListedMember;

/// Reads the directory and passes every difference to `take`, with the ledger's line it is about.
pub(super) async fn look(
    flow: &FlowRuntime,
    mut take: impl AsyncFnMut(Option<&LedgerEntry>, Vec<DriftFinding>) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let mut listing = flow.directory.listing().await.map_err(RunError::Directory)?;
    let details = details(flow, &listing).await?;
    let mut after: Option<MemberKey> = None;
    loop {
        let page = flow.store.ledger_list(&flow.siblings, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.userid.key());
        for entry in &page {
            let key = entry.userid.key();
            let listed = if entry.exists() { listing.remove(&key) } else { None };
            // Other tenants of the corp look after their own members.
            if entry.owner.tenant != flow.tenant {
                continue;
            }
            let shown = listed.map(|listed| DirectoryMember {
                departments: listed.departments,
                details: details.get(&key).cloned(),
            });
            let findings = compare(entry, shown.as_ref());
            if !findings.is_empty() {
                take(Some(entry), findings).await?;
            }
        }
    }
    for (_, ListedMember { userid, .. }) in listing {
        take(None, vec![DriftFinding::Unexpected { userid }]).await?;
    }
    Ok(())
}

/// Stores the differences as those of the tenant's latest check.
pub(super) async fn keep(flow: &FlowRuntime, run: &RunId, findings: &[DriftFinding]) -> Result<(), RunError> {
    let check = DriftCheckRow {
        tenant: flow.tenant.clone(),
        flow: flow.id.clone(),
        run: run.clone(),
        at: flow.clock.now(),
        findings: findings.len() as u64,
    };
    flow.store.drift_check_put(&check, findings).await?;
    Ok(())
}

/// The members' fields, if the tenant has a credential that may read them: one call for each department.
async fn details(
    flow: &FlowRuntime,
    listing: &BTreeMap<MemberKey, ListedMember>,
) -> Result<BTreeMap<MemberKey, Map<String, Value>>, RunError> {
    let mut details = BTreeMap::new();
    let Some(reader) = &flow.reader else { return Ok(details) };
    let departments: BTreeSet<DepartmentId> =
        listing.values().flat_map(|listed| listed.departments.iter().copied()).collect();
    for department in departments {
        for mut member in reader.members_of(department).await.map_err(RunError::Directory)? {
            let Some(userid) = member.get("userid").and_then(Value::as_str) else { continue };
            let key = MemberKey::of(userid);
            // The directory shows a disabled account as a status.
            if let Some(status) = member.get("status").and_then(Value::as_i64) {
                member.insert("enable".to_owned(), Value::from(i64::from(status != 2)));
            }
            details.insert(key, member);
        }
    }
    Ok(details)
}

pub(super) async fn plan(
    flow: &FlowRuntime,
    run: &RunId,
    how: DriftResolution,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<PreparedPlan, RunError> {
    let survey = flow.store.survey_find(&flow.scope(now)).await?;
    let purpose = Purpose::Drift { settle: how };
    let mut draft = Draft::new(flow.tenant.clone(), flow.id.clone(), purpose, false, &survey);
    let mut keeping = DraftWriter::begin(flow, run).await?;
    let mut all = Vec::new();
    look(flow, async |entry, findings| {
        let disposition = entry.and_then(|entry| Some((entry, settle(entry, &findings, how, policy)?)));
        all.extend(findings);
        let Some((entry, disposition)) = disposition else { return Ok(()) };
        let record_plan = RecordPlan::from(disposition);
        draft.add(&entry.owner, &record_plan);
        let decision = entry.carried_out.clone().unwrap_or_else(|| entry.rules.clone());
        keeping.add(&entry.owner, (&decision, &entry.rules), record_plan).await
    })
    .await?;
    // The plan settles what the directory shows now, which may not be what the last check found.
    keep(flow, run, &all).await?;
    keeping.finish(draft.finish(&policy.guard)).await
}
