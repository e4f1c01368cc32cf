//! Questions.
#![expect(unused_qualifications, reason = "the description's macro names the parameters' types in full")]

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, Failed, NotAnswered, NotForViewers, NotThere};
use super::part::{Asked, Names};
use crate::Process;
use crate::access::Visitor;
use ruzhi_app::{
    self, AuditAsked, CallsChart, ChartAsked, DifferenceAsked, DifferenceView, DriftAsked, DriftView,
    FlowGuestView, GuestOverview, Overview, Page, PlanAsked, PlanView, QuarantineAsked, QuarantineView,
    RecordView, RefusalsChart, RemovalView, RemovedAsked, RunView, RunsAsked, RunsChart, SettingsView,
};
use ruzhi_config::Role;
use ruzhi_model::{FlowId, Lang, PlanId, RecordId, RunId, TenantId};
use ruzhi_store::{AlarmRow, AuditRow, RunRow};

/// Asks for masked values in full.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct RevealAsked {
    /// Show numbers and addresses in full. Needs an operator, and is recorded in the audit log.
    #[serde(deserialize_with = "ruzhi_app::ticked")]
    reveal: bool,
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// The name in the audit log.
    name: String,
    /// The role.
    role: Role,
    /// `en` or `zh`.
    lang: String,
    /// The `x-csrf-token` that an unsafe request with a session cookie must send; none for a bearer token.
    csrf: Option<String>,
}

/// The caller's name and role.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    responses(
        (status = 200, description = "The caller", body = Me),
        NotAnswered
    )
)]
pub(super) async fn me(Extension(visitor): Extension<Visitor>) -> Json<Me> {
    let lang = if visitor.principal.lang == Lang::Zh { "zh" } else { "en" };
    Json(Me {
        name: visitor.principal.name,
        role: visitor.principal.role,
        lang: lang.to_owned(),
        csrf: visitor.csrf,
    })
}

/// The state of all tenants, and what needs a person.
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    responses(
        (status = 200, description = "The state of all tenants, and what needs a person", body = Overview),
        NotAnswered
    )
)]
pub(super) async fn overview(State(process): State<Arc<Process>>) -> Answer<Overview> {
    Ok(Json(ruzhi_app::overview(&process.app).await?))
}

/// The state of one tenant.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}",
    params(("tenant" = String, Path, description = "The tenant")),
    responses(
        (status = 200, description = "The state of one tenant", body = Overview),
        NotAnswered, NotThere
    )
)]
pub(super) async fn tenant(
    State(process): State<Arc<Process>>,
    Names(tenant): Names<TenantId>,
) -> Answer<Overview> {
    Ok(Json(ruzhi_app::tenant(&process.app, &tenant).await?))
}

/// The differences between directory and ledger that the tenant's latest drift check found.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/drift",
    params(("tenant" = String, Path, description = "The tenant"), DriftAsked),
    responses(
        (status = 200, description = "A page of the differences; null before the first drift check", body = Option<DriftView>),
        NotAnswered, NotThere
    )
)]
pub(super) async fn drift(
    State(process): State<Arc<Process>>,
    Names(tenant): Names<TenantId>,
    Asked(asked): Asked<DriftAsked>,
) -> Answer<Option<DriftView>> {
    Ok(Json(ruzhi_app::drift(&process.app, &tenant, &asked).await?))
}

/// Runs, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    params(RunsAsked),
    responses(
        (status = 200, description = "Runs, newest first", body = Page<RunRow>),
        NotAnswered
    )
)]
pub(super) async fn runs(
    State(process): State<Arc<Process>>,
    Asked(asked): Asked<RunsAsked>,
) -> Answer<Page<RunRow>> {
    Ok(Json(ruzhi_app::runs(&process.app, &asked).await?))
}

/// A run: counts, calls, problem, progress.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}",
    params(("run" = String, Path, description = "The run")),
    responses(
        (status = 200, description = "A run: counts, calls, problem, progress", body = RunView),
        NotAnswered, NotThere
    )
)]
pub(super) async fn run(State(process): State<Arc<Process>>, Names(run): Names<RunId>) -> Answer<RunView> {
    Ok(Json(ruzhi_app::run(&process.app, &run).await?))
}

/// A plan and a page of its operations, each with the values written before it.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/plans/{plan}",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan"), PlanAsked),
    responses(
        (status = 200, description = "A plan and a page of its operations, each with the values written before it", body = PlanView),
        NotAnswered, NotForViewers, NotThere
    )
)]
pub(super) async fn plan(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, plan)): Names<(TenantId, PlanId)>,
    Asked(asked): Asked<PlanAsked>,
) -> Answer<PlanView> {
    Ok(Json(ruzhi_app::plan(&process.app, &visitor.principal, &tenant, &plan, &asked).await?))
}

/// The history of one record, from the form to the directory.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/records/{record}",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow"), ("record" = String, Path, description = "The record"), RevealAsked),
    responses(
        (status = 200, description = "The history of one record, from the form to the directory", body = RecordView),
        NotAnswered, NotForViewers, NotThere
    )
)]
pub(super) async fn record(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow, record)): Names<(TenantId, FlowId, RecordId)>,
    Asked(asked): Asked<RevealAsked>,
) -> Answer<RecordView> {
    Ok(Json(
        ruzhi_app::record(&process.app, &visitor.principal, &tenant, &flow, &record, asked.reveal).await?,
    ))
}

/// The rules of a flow: live, in its files, and their history.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 200, description = "The rules of a flow: live, in its files, and their history", body = FlowGuestView),
        NotAnswered, NotThere
    )
)]
pub(super) async fn flow_rules(
    State(process): State<Arc<Process>>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
) -> Answer<FlowGuestView> {
    Ok(Json(ruzhi_app::guest(&process.app, &tenant, &flow).await?))
}

/// How other rules would change the decisions.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/difference",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow"), DifferenceAsked),
    responses(
        (status = 200, description = "How other rules would change the decisions", body = DifferenceView),
        NotAnswered, NotForViewers, NotThere
    )
)]
pub(super) async fn difference(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Asked(asked): Asked<DifferenceAsked>,
) -> Answer<DifferenceView> {
    Ok(Json(ruzhi_app::guest_difference(&process.app, &visitor.principal, &tenant, &flow, &asked).await?))
}

/// Members of a tenant who were removed from WeCom by hand.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/members/removed",
    params(("tenant" = String, Path, description = "The tenant"), RemovedAsked),
    responses(
        (status = 200, description = "Members who were removed by hand, by account", body = Page<RemovalView>),
        NotAnswered, NotThere
    )
)]
pub(super) async fn removed(
    State(process): State<Arc<Process>>,
    Names(tenant): Names<TenantId>,
    Asked(asked): Asked<RemovedAsked>,
) -> Answer<Page<RemovalView>> {
    Ok(Json(ruzhi_app::removed(&process.app, &tenant, &asked).await?))
}

/// Records in quarantine, which wait to be corrected.
#[utoipa::path(
    get,
    path = "/api/v1/quarantine",
    params(QuarantineAsked),
    responses(
        (status = 200, description = "Records in quarantine, which wait to be corrected", body = QuarantineView),
        NotAnswered, NotForViewers
    )
)]
pub(super) async fn quarantine(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Asked(asked): Asked<QuarantineAsked>,
) -> Answer<QuarantineView> {
    Ok(Json(ruzhi_app::quarantine(&process.app, &visitor.principal, &asked).await?))
}

/// The rules of every flow.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    responses(
        (status = 200, description = "The rules of every flow", body = GuestOverview),
        NotAnswered
    )
)]
pub(super) async fn rules(State(process): State<Arc<Process>>) -> Answer<GuestOverview> {
    Ok(Json(ruzhi_app::guests(&process.app).await?))
}

/// The audit log: changes and requests to see masked values, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    params(AuditAsked),
    responses(
        (status = 200, description = "The audit log: changes and requests to see masked values, newest first", body = Page<AuditRow>),
        NotAnswered
    )
)]
pub(super) async fn audit(
    State(process): State<Arc<Process>>,
    Asked(asked): Asked<AuditAsked>,
) -> Answer<Page<AuditRow>> {
    Ok(Json(ruzhi_app::audit(&process.app, &asked).await?))
}

/// Alarms: standing ones first, then the latest.
#[utoipa::path(
    get,
    path = "/api/v1/alarms",
    responses(
        (status = 200, description = "Alarms: standing ones first, then the latest", body = Vec<AlarmRow>),
        NotAnswered
    )
)]
pub(super) async fn alarms(State(process): State<Arc<Process>>) -> Answer<Vec<AlarmRow>> {
    Ok(Json(ruzhi_app::alarms(&process.app).await?))
}

/// The settings in use, and how the files on disk differ.
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    responses(
        (status = 200, description = "The settings in use, and how the files on disk differ", body = SettingsView),
        NotAnswered
    )
)]
pub(super) async fn settings(State(process): State<Arc<Process>>) -> Answer<SettingsView> {
    Ok(Json(ruzhi_app::settings(&process.app).await?))
}

/// Runs over time.
#[utoipa::path(
    get,
    path = "/api/v1/charts/runs",
    params(ChartAsked),
    responses(
        (status = 200, description = "Runs over time", body = RunsChart),
        NotAnswered
    )
)]
pub(super) async fn runs_chart(
    State(process): State<Arc<Process>>,
    Asked(asked): Asked<ChartAsked>,
) -> Answer<RunsChart> {
    Ok(Json(ruzhi_app::runs_chart(&process.app, &asked).await?))
}

/// Records in quarantine by rule.
#[utoipa::path(
    get,
    path = "/api/v1/charts/refusals",
    params(ChartAsked),
    responses(
        (status = 200, description = "Records in quarantine by rule", body = RefusalsChart),
        NotAnswered
    )
)]
pub(super) async fn refusals_chart(
    State(process): State<Arc<Process>>,
    Asked(asked): Asked<ChartAsked>,
) -> Answer<RefusalsChart> {
    Ok(Json(ruzhi_app::refusals_chart(&process.app, &asked).await?))
}

/// API calls against the limits.
#[utoipa::path(
    get,
    path = "/api/v1/charts/calls",
    responses(
        (status = 200, description = "API calls against the limits", body = CallsChart),
        NotAnswered
    )
)]
pub(super) async fn calls_chart(State(process): State<Arc<Process>>) -> Answer<CallsChart> {
    Ok(Json(ruzhi_app::calls_chart(&process.app).await?))
}

/// All records in quarantine as CSV for a spreadsheet.
#[utoipa::path(
    get,
    path = "/api/v1/quarantine.csv",
    params(QuarantineAsked),
    responses(
        (status = 200, description = "UTF-8 with a byte order mark, one line for each reason", body = String,
         content_type = "text/csv"),
        NotAnswered, NotForViewers
    )
)]
pub(super) async fn quarantine_csv(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Asked(asked): Asked<QuarantineAsked>,
) -> Result<Response, Failed> {
    let mut response =
        ruzhi_app::quarantine_csv(&process.app, &visitor.principal, &asked).await?.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = HeaderValue::from_static("attachment; filename=\"quarantine.csv\"");
    headers.insert(CONTENT_DISPOSITION, name);
    Ok(response)
}
