//! The history of one record, from the form to the directory.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::audit_log::{AuditRequest, recorded};
use super::blocking::off_thread;
use super::labels::Labels;
use super::lookup::no_record;
use super::mask::Sight;
use super::paging::FieldChange;
use super::plans::OperationView;
use super::reject_view::RejectView;
use super::removals::{RemovalView, of_record};
use super::row_field::{RowField, row};
use crate::app::App;
use crate::principal::Principal;
use ruzhi_message::Report;
use ruzhi_model::{Decision, Digest, FlowId, RecordId, RunId, TenantId};
use ruzhi_plan::whole_body;
use ruzhi_rules::DecisionKind;
use ruzhi_store::{AuditAction, RecordTrace};

/// A record's trace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RecordView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The row by the form's labels.
    pub row: Vec<RowField>,
    /// When the row was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The run that fetched it.
    pub fetched_run: RunId,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// The guest that decided it.
    pub guest: GuestName,
    /// The decision.
    pub decision: DecisionView,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// The time and time zone given to the guest; none for a decision made before they were stored.
    pub told: Option<String>,
    /// The time until which the decision holds even if the row stays the same; none for ever.
    pub holds_until: Option<DateTime<Utc>>,
    /// The reasons it is in quarantine.
    pub rejection: Option<RejectView>,
    /// The member that it owns and that was removed by hand.
    pub removal: Option<RemovalView>,
    /// Its operations, oldest first, with every call made for them.
    pub operations: Vec<OperationView>,
    /// Members it owns: account and state.
    pub members: Vec<MemberView>,
    /// True if numbers and addresses are shown in full.
    pub revealed: bool,
}

/// A member a record owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberView {
    /// The account, in lower case.
    pub userid: String,
    /// `active`, `left`, `deleted` or `removed`.
    pub state: String,
}

/// The guest that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GuestName {
    /// Digest of component and rules file together.
    pub rules: Digest,
    /// Digest of the component, if the rules were ever live.
    pub component: Option<Digest>,
    /// The guest's name.
    pub name: Option<String>,
    /// The guest's version.
    pub version: Option<String>,
    /// The number of the activation that made the rules live.
    pub number: Option<u64>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionView {
    /// Its kind.
    pub verdict: DecisionKind,
    /// The account concerned.
    pub userid: Option<String>,
    /// The reason the record is ignored or undecided.
    pub reason: Option<String>,
    /// The member that the rules ask for; `before` is always null.
    pub member: Vec<FieldChange>,
}

/// Returns a record's trace. With `reveal`, numbers and addresses are shown in full, which needs an operator and is
/// recorded first.
pub async fn record(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    record: &RecordId,
    reveal: bool,
) -> Result<RecordView, Report> {
    if !reveal {
        return view(app, tenant, flow, record, Sight::Masked).await;
    }
    let asking = AuditRequest::of(AuditAction::RecordReveal, tenant, flow).on(record);
    recorded(app, principal, asking, view(app, tenant, flow, record, Sight::Revealed)).await
}

async fn view(
    app: &App,
    tenant: &TenantId,
    flow: &FlowId,
    record: &RecordId,
    sight: Sight,
) -> Result<RecordView, Report> {
    let store = app.store.as_ref();
    let trace = store.record_trace(tenant, Some(flow), record).await?.into_iter().next();
    let trace = trace.ok_or_else(|| no_record(tenant, flow, record))?;
    let labels = Labels::of(store, tenant, flow).await?;
    let activation = store.activation_find(tenant, flow, &trace.rules).await?;
    let removal = of_record(app, (tenant, flow, record), sight).await?;
    let tenant = tenant.clone();
    off_thread(move || RecordView {
        row: row(&trace.content, &labels, sight),
        guest: GuestName {
            component: activation.as_ref().map(|activation| activation.component.clone()),
            name: activation.as_ref().map(|activation| activation.name.clone()),
            version: activation.as_ref().map(|activation| activation.version.clone()),
            number: activation.as_ref().map(|activation| activation.number),
            rules: trace.rules.clone(),
        },
        decision: decision(&trace, &labels, sight),
        notes: trace.notes.iter().map(|note| sight.text(note)).collect(),
        told: trace.context.as_ref().map(|context| format!("{} {}", context.now, context.timezone)),
        holds_until: trace.holds_until,
        rejection: trace.rejection.as_ref().map(|reject| RejectView::of(reject, &labels, sight)),
        removal,
        operations: trace
            .operations
            .iter()
            .map(|operation| OperationView::of(&tenant, operation, &labels, sight))
            .collect(),
        members: trace
            .members
            .iter()
            .map(|(member, state)| MemberView { userid: member.to_string(), state: state.clone() })
            .collect(),
        tenant,
        flow: trace.flow,
        record: trace.record,
        fetched_at: trace.fetched_at,
        fetched_run: trace.fetched_run,
        decided_at: trace.decided_at,
        revealed: sight.is_revealed(),
    })
    .await
}

fn decision(trace: &RecordTrace, labels: &Labels, sight: Sight) -> DecisionView {
    let nothing = |verdict| DecisionView { verdict, userid: None, reason: None, member: Vec::new() };
    match &trace.decision {
        None => DecisionView {
            reason: trace.failure.as_deref().map(|why| sight.text(why)),
            ..nothing(DecisionKind::Failed)
        },
        Some(Decision::Upsert(member)) => DecisionView {
            userid: Some(member.userid.clone()),
            member: whole_body(member)
                .into_iter()
                .filter(|(field, _)| field != "userid")
                .map(|(field, value)| FieldChange {
                    label: labels.of_wecom(&field),
                    before: Value::Null,
                    after: sight.field(&field, &value),
                    field,
                })
                .collect(),
            ..nothing(DecisionKind::Upsert)
        },
        Some(Decision::Leave(userid)) => {
            DecisionView { userid: Some(userid.clone()), ..nothing(DecisionKind::Leave) }
        }
        Some(Decision::Ignore(reason)) => {
            DecisionView { reason: Some(sight.text(reason)), ..nothing(DecisionKind::Ignore) }
        }
        Some(Decision::Reject(_)) => nothing(DecisionKind::Reject),
    }
}
