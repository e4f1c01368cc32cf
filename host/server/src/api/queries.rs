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

use super::answer::{ApiFailure, ApiResult, ErrorBody, LookupErrors, PermissionErrors, RequestErrors};
use super::extract::{PathParams, QueryParams};
use crate::auth::csrf::CsrfToken;
use crate::state::AppState;
use ruzhi_app::{
    self, AuditQuery, CallsChart, ChartQuery, DifferenceQuery, DifferenceView, DriftQuery, DriftView,
    FlowRulesView, Overview, Page, PlanQuery, PlanView, Principal, QuarantineChart, QuarantineQuery,
    QuarantineView, RecordView, RemovalView, RemovalsQuery, RulesOverview, RunView, RunsChart, RunsQuery,
    SettingsView,
};
use ruzhi_config::Role;
use ruzhi_model::{FlowId, Lang, PlanId, RecordId, RunId, TenantId};
use ruzhi_store::{AlertRow, AuditRow, RunRow};

/// Asks for masked values in full.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct RevealQuery {
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
        RequestErrors
    )
)]
pub(super) async fn me(
    Extension(principal): Extension<Principal>,
    Extension(CsrfToken(csrf)): Extension<CsrfToken>,
) -> Json<Me> {
    let lang = if principal.lang == Lang::Zh { "zh" } else { "en" };
    Json(Me { name: principal.name, role: principal.role, lang: lang.to_owned(), csrf })
}

/// The state of all tenants, and what needs a person.
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    responses(
        (status = 200, description = "The state of all tenants, and what needs a person", body = Overview),
        RequestErrors
    )
)]
pub(super) async fn overview(State(state): State<Arc<AppState>>) -> ApiResult<Overview> {
    Ok(Json(ruzhi_app::overview(&state.app).await?))
}

/// The state of one tenant.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}",
    params(("tenant" = String, Path, description = "The tenant")),
    responses(
        (status = 200, description = "The state of one tenant", body = Overview),
        RequestErrors, LookupErrors
    )
)]
pub(super) async fn tenant(
    State(state): State<Arc<AppState>>,
    PathParams(tenant): PathParams<TenantId>,
) -> ApiResult<Overview> {
    Ok(Json(ruzhi_app::tenant(&state.app, &tenant).await?))
}

/// The differences between directory and ledger that the tenant's latest drift check found.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/drift",
    params(("tenant" = String, Path, description = "The tenant"), DriftQuery),
    responses(
        (status = 200, description = "A page of the differences; null before the first drift check", body = Option<DriftView>),
        RequestErrors, LookupErrors
    )
)]
pub(super) async fn drift(
    State(state): State<Arc<AppState>>,
    PathParams(tenant): PathParams<TenantId>,
    QueryParams(asked): QueryParams<DriftQuery>,
) -> ApiResult<Option<DriftView>> {
    Ok(Json(ruzhi_app::drift(&state.app, &tenant, &asked).await?))
}

/// Runs, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    params(RunsQuery),
    responses(
        (status = 200, description = "Runs, newest first", body = Page<RunRow>),
        RequestErrors
    )
)]
pub(super) async fn runs(
    State(state): State<Arc<AppState>>,
    QueryParams(asked): QueryParams<RunsQuery>,
) -> ApiResult<Page<RunRow>> {
    Ok(Json(ruzhi_app::runs(&state.app, &asked).await?))
}

/// A run: counts, calls, problem, progress.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}",
    params(("run" = String, Path, description = "The run")),
    responses(
        (status = 200, description = "A run: counts, calls, problem, progress", body = RunView),
        RequestErrors, LookupErrors
    )
)]
pub(super) async fn run(
    State(state): State<Arc<AppState>>,
    PathParams(run): PathParams<RunId>,
) -> ApiResult<RunView> {
    Ok(Json(ruzhi_app::run(&state.app, &run).await?))
}

/// A plan and a page of its operations, each with the values written before it.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/plans/{plan}",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan"), PlanQuery),
    responses(
        (status = 200, description = "A plan and a page of its operations, each with the values written before it", body = PlanView),
        RequestErrors, PermissionErrors, LookupErrors
    )
)]
pub(super) async fn plan(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, plan)): PathParams<(TenantId, PlanId)>,
    QueryParams(asked): QueryParams<PlanQuery>,
) -> ApiResult<PlanView> {
    Ok(Json(ruzhi_app::plan(&state.app, &principal, &tenant, &plan, &asked).await?))
}

/// The history of one record, from the form to the directory.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/records/{record}",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow"), ("record" = String, Path, description = "The record"), RevealQuery),
    responses(
        (status = 200, description = "The history of one record, from the form to the directory", body = RecordView),
        RequestErrors, PermissionErrors, LookupErrors
    )
)]
pub(super) async fn record(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow, record)): PathParams<(TenantId, FlowId, RecordId)>,
    QueryParams(asked): QueryParams<RevealQuery>,
) -> ApiResult<RecordView> {
    Ok(Json(ruzhi_app::record(&state.app, &principal, &tenant, &flow, &record, asked.reveal).await?))
}

/// The rules of a flow: live, in its files, and their history.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 200, description = "The rules of a flow: live, in its files, and their history", body = FlowRulesView),
        RequestErrors, LookupErrors
    )
)]
pub(super) async fn flow_rules(
    State(state): State<Arc<AppState>>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
) -> ApiResult<FlowRulesView> {
    Ok(Json(ruzhi_app::rules_view(&state.app, &tenant, &flow).await?))
}

/// How other rules would change the decisions.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/difference",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow"), DifferenceQuery),
    responses(
        (status = 200, description = "How other rules would change the decisions", body = DifferenceView),
        (status = 409, description = "The rules are ambiguous or no longer stored, or the flow has none yet", body = ErrorBody),
        RequestErrors, PermissionErrors, LookupErrors
    )
)]
pub(super) async fn difference(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
    QueryParams(asked): QueryParams<DifferenceQuery>,
) -> ApiResult<DifferenceView> {
    Ok(Json(ruzhi_app::rules_difference(&state.app, &principal, &tenant, &flow, &asked).await?))
}

/// Members of a tenant who were removed from WeCom by hand.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/members/removed",
    params(("tenant" = String, Path, description = "The tenant"), RemovalsQuery),
    responses(
        (status = 200, description = "Members who were removed by hand, by account", body = Page<RemovalView>),
        RequestErrors, LookupErrors
    )
)]
pub(super) async fn removed(
    State(state): State<Arc<AppState>>,
    PathParams(tenant): PathParams<TenantId>,
    QueryParams(asked): QueryParams<RemovalsQuery>,
) -> ApiResult<Page<RemovalView>> {
    Ok(Json(ruzhi_app::removed(&state.app, &tenant, &asked).await?))
}

/// Records in quarantine, which wait to be corrected.
#[utoipa::path(
    get,
    path = "/api/v1/quarantine",
    params(QuarantineQuery),
    responses(
        (status = 200, description = "Records in quarantine, which wait to be corrected", body = QuarantineView),
        RequestErrors, PermissionErrors
    )
)]
pub(super) async fn quarantine(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    QueryParams(asked): QueryParams<QuarantineQuery>,
) -> ApiResult<QuarantineView> {
    Ok(Json(ruzhi_app::quarantine(&state.app, &principal, &asked).await?))
}

/// The rules of every flow.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    responses(
        (status = 200, description = "The rules of every flow", body = RulesOverview),
        RequestErrors
    )
)]
pub(super) async fn rules(State(state): State<Arc<AppState>>) -> ApiResult<RulesOverview> {
    Ok(Json(ruzhi_app::rules_overview(&state.app).await?))
}

/// The audit log: changes and requests to see masked values, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    params(AuditQuery),
    responses(
        (status = 200, description = "The audit log: changes and requests to see masked values, newest first", body = Page<AuditRow>),
        RequestErrors
    )
)]
pub(super) async fn audit(
    State(state): State<Arc<AppState>>,
    QueryParams(asked): QueryParams<AuditQuery>,
) -> ApiResult<Page<AuditRow>> {
    Ok(Json(ruzhi_app::audit(&state.app, &asked).await?))
}

/// Alerts: active ones first, then the latest.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    responses(
        (status = 200, description = "Alerts: active ones first, then the latest", body = Vec<AlertRow>),
        RequestErrors
    )
)]
pub(super) async fn alerts(State(state): State<Arc<AppState>>) -> ApiResult<Vec<AlertRow>> {
    Ok(Json(ruzhi_app::alerts(&state.app).await?))
}

/// The settings in use, and how the files on disk differ.
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    responses(
        (status = 200, description = "The settings in use, and how the files on disk differ", body = SettingsView),
        RequestErrors
    )
)]
pub(super) async fn settings(State(state): State<Arc<AppState>>) -> ApiResult<SettingsView> {
    Ok(Json(ruzhi_app::settings(&state.app).await?))
}

/// Runs over time.
#[utoipa::path(
    get,
    path = "/api/v1/charts/runs",
    params(ChartQuery),
    responses(
        (status = 200, description = "Runs over time", body = RunsChart),
        RequestErrors
    )
)]
pub(super) async fn runs_chart(
    State(state): State<Arc<AppState>>,
    QueryParams(asked): QueryParams<ChartQuery>,
) -> ApiResult<RunsChart> {
    Ok(Json(ruzhi_app::runs_chart(&state.app, &asked).await?))
}

/// Records in quarantine by rule.
#[utoipa::path(
    get,
    path = "/api/v1/charts/quarantine",
    params(ChartQuery),
    responses(
        (status = 200, description = "Records in quarantine by rule", body = QuarantineChart),
        RequestErrors
    )
)]
pub(super) async fn quarantine_chart(
    State(state): State<Arc<AppState>>,
    QueryParams(asked): QueryParams<ChartQuery>,
) -> ApiResult<QuarantineChart> {
    Ok(Json(ruzhi_app::quarantine_chart(&state.app, &asked).await?))
}

/// API calls against the limits.
#[utoipa::path(
    get,
    path = "/api/v1/charts/calls",
    responses(
        (status = 200, description = "API calls against the limits", body = CallsChart),
        RequestErrors
    )
)]
pub(super) async fn calls_chart(State(state): State<Arc<AppState>>) -> ApiResult<CallsChart> {
    Ok(Json(ruzhi_app::calls_chart(&state.app).await?))
}

/// All records in quarantine as CSV for a spreadsheet.
#[utoipa::path(
    get,
    path = "/api/v1/quarantine.csv",
    params(QuarantineQuery),
    responses(
        (status = 200, description = "UTF-8 with a byte order mark, one line for each reason", body = String,
         content_type = "text/csv"),
        RequestErrors, PermissionErrors
    )
)]
pub(super) async fn quarantine_csv(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    QueryParams(asked): QueryParams<QuarantineQuery>,
) -> Result<Response, ApiFailure> {
    let mut response = ruzhi_app::quarantine_csv(&state.app, &principal, &asked).await?.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = HeaderValue::from_static("attachment; filename=\"quarantine.csv\"");
    headers.insert(CONTENT_DISPOSITION, name);
    Ok(response)
}
