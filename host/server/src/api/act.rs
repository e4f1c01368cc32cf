//! Actions. They need an operator, and each is recorded in the audit log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::answer::{Answer, Done, Failed, NotAnswered, NotDone};
use super::part::{Names, Wish};
use crate::Process;
use crate::access::Visitor;
use ruzhi_app::scheduler::Asked;
use ruzhi_app::{
    self, ActivateWish, ApproveWish, PauseWish, PlainWish, RejectWish, RemovalWish, RollBackWish, RunWish,
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
type Begun = Result<(StatusCode, Json<Asked>), Failed>;

/// Runs a flow now: syncs it, only plans, or checks for drift.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/runs",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = RunWish,
    responses(
        (status = 202, description = BEGUN, body = Asked),
        NotAnswered, NotDone
    )
)]
pub(super) async fn run_now(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<RunWish>,
) -> Begun {
    Ok((
        StatusCode::ACCEPTED,
        Json(ruzhi_app::run_now(&process.app, &visitor.principal, &tenant, &flow, wish).await?),
    ))
}

/// Retries quarantined records: reads the whole form and decides every row again.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/retry",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 202, description = BEGUN, body = Asked),
        NotAnswered, NotDone
    )
)]
pub(super) async fn retry(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<PlainWish>,
) -> Begun {
    Ok((
        StatusCode::ACCEPTED,
        Json(ruzhi_app::retry(&process.app, &visitor.principal, &tenant, &flow, wish).await?),
    ))
}

/// Pauses a flow until it is resumed.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/pause",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = PauseWish,
    responses(
        (status = 200, description = "It is paused", body = Done),
        NotAnswered, NotDone
    )
)]
pub(super) async fn pause(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<PauseWish>,
) -> Answer<Done> {
    ruzhi_app::pause(&process.app, &visitor.principal, &tenant, &flow, wish)
        .await
        .map(Done::answer)
        .map_err(Failed)
}

/// Resumes a flow that was paused or blocked.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/resume",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    responses(
        (status = 200, description = "It is resumed", body = Done),
        NotAnswered, NotDone
    )
)]
pub(super) async fn resume(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<PlainWish>,
) -> Answer<Done> {
    ruzhi_app::resume(&process.app, &visitor.principal, &tenant, &flow, wish)
        .await
        .map(Done::answer)
        .map_err(Failed)
}

/// Approves exactly this plan although the guard holds it, and applies it.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/approve",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    request_body = ApproveWish,
    responses(
        (status = 202, description = CARRIED_OUT, body = Asked),
        NotAnswered, NotDone
    )
)]
pub(super) async fn approve(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, plan)): Names<(TenantId, PlanId)>,
    Wish(wish): Wish<ApproveWish>,
) -> Begun {
    Ok((
        StatusCode::ACCEPTED,
        Json(ruzhi_app::approve_plan(&process.app, &visitor.principal, &tenant, &plan, wish).await?),
    ))
}

/// Applies a plan that passes the guard.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/apply",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    responses(
        (status = 202, description = CARRIED_OUT, body = Asked),
        NotAnswered, NotDone
    )
)]
pub(super) async fn apply(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, plan)): Names<(TenantId, PlanId)>,
    Wish(wish): Wish<PlainWish>,
) -> Begun {
    Ok((
        StatusCode::ACCEPTED,
        Json(ruzhi_app::apply_plan(&process.app, &visitor.principal, &tenant, &plan, wish).await?),
    ))
}

/// Rejects a plan, with a reason.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/plans/{plan}/reject",
    params(("tenant" = String, Path, description = "The tenant"), ("plan" = String, Path, description = "The plan")),
    request_body = RejectWish,
    responses(
        (status = 200, description = "It is rejected", body = Done),
        NotAnswered, NotDone
    )
)]
pub(super) async fn reject(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, plan)): Names<(TenantId, PlanId)>,
    Wish(wish): Wish<RejectWish>,
) -> Answer<Done> {
    ruzhi_app::reject_plan(&process.app, &visitor.principal, &tenant, &plan, wish)
        .await
        .map(Done::answer)
        .map_err(Failed)
}

/// Decides about a member who was removed from WeCom by hand.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/members/{userid}/removal",
    params(("tenant" = String, Path, description = "The tenant"), ("userid" = String, Path, description = "The account")),
    request_body = RemovalWish,
    responses(
        (status = 202, description = BEGUN, body = Asked),
        NotAnswered, NotDone
    )
)]
pub(super) async fn removal(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, userid)): Names<(TenantId, UserId)>,
    Wish(wish): Wish<RemovalWish>,
) -> Begun {
    Ok((
        StatusCode::ACCEPTED,
        Json(ruzhi_app::answer_removal(&process.app, &visitor.principal, &tenant, &userid, wish).await?),
    ))
}

/// Makes the rules in the tenant's files live.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/activate",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = ActivateWish,
    responses(
        (status = 200, description = "The rules that are live now", body = ActivationRow),
        NotAnswered, NotDone
    )
)]
pub(super) async fn activate(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<ActivateWish>,
) -> Answer<ActivationRow> {
    Ok(Json(ruzhi_app::activate(&process.app, &visitor.principal, &tenant, &flow, wish).await?))
}

/// Makes earlier rules live again.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{tenant}/flows/{flow}/rules/roll-back",
    params(("tenant" = String, Path, description = "The tenant"), ("flow" = String, Path, description = "The flow")),
    request_body = RollBackWish,
    responses(
        (status = 200, description = "The rules that are live now", body = ActivationRow),
        NotAnswered, NotDone
    )
)]
pub(super) async fn roll_back(
    State(process): State<Arc<Process>>,
    Extension(visitor): Extension<Visitor>,
    Names((tenant, flow)): Names<(TenantId, FlowId)>,
    Wish(wish): Wish<RollBackWish>,
) -> Answer<ActivationRow> {
    Ok(Json(ruzhi_app::roll_back(&process.app, &visitor.principal, &tenant, &flow, wish).await?))
}
