//! Actions: for operators, and every one of them is in the audit log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::answer::{Answer, Done, Failed, Problem};
use super::part::{Names, Wish};
use crate::model::{FlowId, PlanId, TenantId};
use crate::serve::access::Visitor;
use crate::serve::desk::{self, ActivateWish, ApproveWish, PauseWish, RejectWish, RollBackWish, RunWish};
use crate::serve::{Asked, Process};
use crate::store::ActivationRow;

/// What was asked for has begun, or waits for room.
type Begun = Result<(StatusCode, Json<Asked>), Failed>;

/// Runs a flow now: syncs it, plans only, or looks for drift.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/runs",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = RunWish,
    responses(
        (status = 202, description = "The run that does it, or none while it waits for room", body = Asked),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn run_now(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<RunWish>,
) -> Begun {
    Ok((StatusCode::ACCEPTED, Json(desk::run_now(&process, &visitor, &tenant, &flow, &wish).await?)))
}

/// Tries quarantined records again: reads the whole form and decides every row again.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/retry",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 202, description = "The run that does it, or none while it waits for room", body = Asked),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn retry(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
) -> Begun {
    Ok((StatusCode::ACCEPTED, Json(desk::retry(&process, &visitor, &tenant, &flow).await?)))
}

/// Stops a flow until it is resumed.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/pause",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = PauseWish,
    responses(
        (status = 200, description = "It is paused", body = Done),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn pause(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<PauseWish>,
) -> Answer<Done> {
    desk::pause(&process, &visitor, &tenant, &flow, &wish).await.map(Done::answer).map_err(Failed)
}

/// Starts a flow again that was paused or blocked.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/resume",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 200, description = "It is resumed", body = Done),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn resume(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
) -> Answer<Done> {
    desk::resume(&process, &visitor, &tenant, &flow).await.map(Done::answer).map_err(Failed)
}

/// Releases this very plan although the guard holds it, and applies it.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/approve",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    request_body = ApproveWish,
    responses(
        (status = 202, description = "The run that does it, or none while it waits for room", body = Asked),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn approve(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, plan)): Names<(TenantId, PlanId)>,
    Wish(wish): Wish<ApproveWish>,
) -> Begun {
    Ok((StatusCode::ACCEPTED, Json(desk::approve_plan(&process, &visitor, &tenant, &plan, &wish).await?)))
}

/// Applies a plan that the guard lets pass.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/apply",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    responses(
        (status = 202, description = "The run that does it, or none while it waits for room", body = Asked),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn apply(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, plan)): Names<(TenantId, PlanId)>,
) -> Begun {
    Ok((StatusCode::ACCEPTED, Json(desk::apply_plan(&process, &visitor, &tenant, &plan).await?)))
}

/// Says no to a plan, with the reason.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/reject",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    request_body = RejectWish,
    responses(
        (status = 200, description = "It is rejected", body = Done),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn reject(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, plan)): Names<(TenantId, PlanId)>,
    Wish(wish): Wish<RejectWish>,
) -> Answer<Done> {
    desk::reject_plan(&process, &visitor, &tenant, &plan, &wish).await.map(Done::answer).map_err(Failed)
}

/// Makes the rules live that the tenant's files hold.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/activate",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = ActivateWish,
    responses(
        (status = 200, description = "What is live now", body = ActivationRow),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn activate(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<ActivateWish>,
) -> Answer<ActivationRow> {
    Ok(Json(desk::activate(&process, &visitor, &tenant, &flow, &wish).await?))
}

/// Makes rules live again that were live before.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/roll-back",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = RollBackWish,
    responses(
        (status = 200, description = "What is live now", body = ActivationRow),
        (status = 400, description = "Asked wrongly", body = Problem),
        (status = 401, description = "No valid token", body = Problem),
        (status = 403, description = "This needs an operator, or does not come from a page of the session", body = Problem),
        (status = 404, description = "There is no such thing", body = Problem),
        (status = 409, description = "It stands otherwise by now; nothing was done", body = Problem),
        (status = 503, description = "It could not be done now", body = Problem),
    )
)]
pub(super) async fn roll_back(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<RollBackWish>,
) -> Answer<ActivationRow> {
    Ok(Json(desk::roll_back(&process, &visitor, &tenant, &flow, &wish).await?))
}
