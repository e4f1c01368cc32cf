//! Actions. They need an operator, and each is recorded in the audit log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::answer::{Acknowledgement, ActionErrors, ApiFailure, ApiResult, RequestErrors};
use super::extract::{ActionBody, PathParams};
use crate::state::AppState;
use ruzhi_app::scheduler::RunAccepted;
use ruzhi_app::{
    self, ActivateRequest, ApproveRequest, EmptyRequest, PauseRequest, Principal, RejectRequest,
    RemovalRequest, RollbackRequest, RunRequest,
};
use ruzhi_model::{FlowId, PlanId, TenantId, UserId};
use ruzhi_store::ActivationRow;

/// Describes the answer to an accepted request for a run.
const BEGUN: &str = "The run that does it. If `run` is null, it has not begun within two seconds, because a run of \
                     this flow or of another of its corp is under way, or the limit of concurrent runs is reached: it \
                     begins as soon as it can. Each request makes a run of its own";

/// Describes the answer to an accepted request to carry out a plan.
const CARRIED_OUT: &str = "The run that carries out the plan. If `run` is null, it has not begun within two seconds, \
                           because a run of this flow or of another of its corp is under way, or the limit of \
                           concurrent runs is reached: it begins as soon as it can, and if the plan is out of date by \
                           then, nothing of it is written and a new one is made. Until that run has ended, a request \
                           to approve, apply or reject the same plan is answered 409";

/// The answer to a request that has begun or waits.
type RunResponse = Result<(StatusCode, Json<RunAccepted>), ApiFailure>;

/// Runs a flow now: syncs it, only plans, or checks for drift.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/runs",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = RunRequest,
    responses(
        (status = 202, description = BEGUN, body = RunAccepted),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn run_now(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
    ActionBody(input): ActionBody<RunRequest>,
) -> RunResponse {
    Ok((StatusCode::ACCEPTED, Json(ruzhi_app::run_now(&state.app, &principal, &tenant, &flow, input).await?)))
}

/// Retries quarantined records: reads the whole form and decides every row again.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/retry",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 202, description = BEGUN, body = RunAccepted),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn retry(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
    ActionBody(input): ActionBody<EmptyRequest>,
) -> RunResponse {
    Ok((StatusCode::ACCEPTED, Json(ruzhi_app::retry(&state.app, &principal, &tenant, &flow, input).await?)))
}

/// Pauses a flow until it is resumed.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/pause",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = PauseRequest,
    responses(
        (status = 200, description = "It is paused", body = Acknowledgement),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn pause(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
    ActionBody(input): ActionBody<PauseRequest>,
) -> ApiResult<Acknowledgement> {
    ruzhi_app::pause(&state.app, &principal, &tenant, &flow, input)
        .await
        .map(Acknowledgement::answer)
        .map_err(ApiFailure)
}

/// Resumes a flow that was paused or blocked.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/resume",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 200, description = "It is resumed", body = Acknowledgement),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn resume(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
    ActionBody(input): ActionBody<EmptyRequest>,
) -> ApiResult<Acknowledgement> {
    ruzhi_app::resume(&state.app, &principal, &tenant, &flow, input)
        .await
        .map(Acknowledgement::answer)
        .map_err(ApiFailure)
}

/// Approves exactly this plan although the guard holds it or a person has rejected it before, and applies it.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/approve",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    request_body = ApproveRequest,
    responses(
        (status = 202, description = CARRIED_OUT, body = RunAccepted),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn approve(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, plan)): PathParams<(TenantId, PlanId)>,
    ActionBody(input): ActionBody<ApproveRequest>,
) -> RunResponse {
    Ok((
        StatusCode::ACCEPTED,
        Json(ruzhi_app::approve_plan(&state.app, &principal, &tenant, &plan, input).await?),
    ))
}

/// Applies a plan that passes the guard.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/apply",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    responses(
        (status = 202, description = CARRIED_OUT, body = RunAccepted),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn apply(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, plan)): PathParams<(TenantId, PlanId)>,
    ActionBody(input): ActionBody<EmptyRequest>,
) -> RunResponse {
    Ok((
        StatusCode::ACCEPTED,
        Json(ruzhi_app::apply_plan(&state.app, &principal, &tenant, &plan, input).await?),
    ))
}

/// Rejects a plan, with a reason.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/reject",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    request_body = RejectRequest,
    responses(
        (status = 200, description = "It is rejected", body = Acknowledgement),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn reject(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, plan)): PathParams<(TenantId, PlanId)>,
    ActionBody(input): ActionBody<RejectRequest>,
) -> ApiResult<Acknowledgement> {
    ruzhi_app::reject_plan(&state.app, &principal, &tenant, &plan, input)
        .await
        .map(Acknowledgement::answer)
        .map_err(ApiFailure)
}

/// Decides about a member who was removed from WeCom by hand.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/members/{userid}/removal",
    params(("tenant" = String, Path, description = "The tenant"), ("userid" = String, Path, description = "The account")),
    request_body = RemovalRequest,
    responses(
        (status = 202, description = BEGUN, body = RunAccepted),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn removal(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, userid)): PathParams<(TenantId, UserId)>,
    ActionBody(input): ActionBody<RemovalRequest>,
) -> RunResponse {
    let (_, accepted) = ruzhi_app::answer_removal(&state.app, &principal, &tenant, &userid, input).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Makes the rules in the tenant's files live.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/activate",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = ActivateRequest,
    responses(
        (status = 200, description = "The rules that are live now", body = ActivationRow),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn activate(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
    ActionBody(input): ActionBody<ActivateRequest>,
) -> ApiResult<ActivationRow> {
    let result = ruzhi_app::activate(&state.app, &principal, &tenant, &flow, input).await?;
    Ok(Json(result.activation))
}

/// Makes earlier rules live again.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/rollback",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = RollbackRequest,
    responses(
        (status = 200, description = "The rules that are live now", body = ActivationRow),
        RequestErrors, ActionErrors
    )
)]
pub(super) async fn rollback(
    State(state): State<Arc<AppState>>,
    Extension(principal): Extension<Principal>,
    PathParams((tenant, flow)): PathParams<(TenantId, FlowId)>,
    ActionBody(input): ActionBody<RollbackRequest>,
) -> ApiResult<ActivationRow> {
    let result = ruzhi_app::rollback(&state.app, &principal, &tenant, &flow, input, None).await?;
    Ok(Json(result.activation))
}
