//! The routes of the pages and their forms.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use super::extract::{ActionForm, PageIds, PageQuery};
use super::flash::{self, Flash};
use super::layout::HtmlPage;
use super::view::View;
use super::{
    alerts, asset, audit, charts, drift, error_page, overview, plan, quarantine, record, rules, run, runs,
    settings,
};
use crate::state::AppState;
use ruzhi_app::scheduler::RunAccepted;
use ruzhi_app::{
    ActivateRequest, ApproveRequest, AuditQuery, ChartQuery, DifferenceQuery, DriftQuery, EmptyRequest,
    PauseRequest, PlanQuery, QuarantineQuery, RejectRequest, RemovalRequest, RollbackRequest, RunRequest,
    RunsQuery,
};
use ruzhi_message::Report;
use ruzhi_model::{FlowId, PlanId, RecordId, RunId, TenantId, UserId};

type SharedState = State<Arc<AppState>>;
/// A tenant and one of its flows.
type FlowPath = (TenantId, FlowId);
/// A tenant and one of its plans.
type PlanPath = (TenantId, PlanId);
/// A tenant, one of its flows and a record of that flow.
type RecordPath = (TenantId, FlowId, RecordId);

/// The pages. The caller adds the layer that authenticates callers.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/", get(show_overview))
        .route("/tenants/{tenant}", get(show_tenant))
        .route("/flows/{tenant}/{flow}/run", post(run_now))
        .route("/flows/{tenant}/{flow}/retry", post(retry))
        .route("/flows/{tenant}/{flow}/pause", post(pause))
        .route("/flows/{tenant}/{flow}/resume", post(resume))
        .route("/drift/{tenant}", get(show_drift))
        .route("/runs", get(show_runs))
        .route("/runs/{run}", get(show_run))
        .route("/plans/{tenant}/{plan}", get(show_plan))
        .route("/plans/{tenant}/{plan}/reveal", post(reveal_plan).get(back_to_plan))
        .route("/plans/{tenant}/{plan}/approve", post(approve))
        .route("/plans/{tenant}/{plan}/apply", post(apply))
        .route("/plans/{tenant}/{plan}/reject", post(reject))
        .route("/quarantine", get(show_quarantine))
        .route("/quarantine/reveal", post(reveal_quarantine).get(back_to_quarantine))
        .route("/quarantine.csv", get(export_quarantine))
        .route("/records/{tenant}/{flow}/{record}", get(show_record))
        .route("/records/{tenant}/{flow}/{record}/reveal", post(reveal_record).get(back_to_record))
        .route("/members/{tenant}/{userid}/removal", post(decide_removal))
        .route("/rules", get(show_rules))
        .route("/rules/{tenant}/{flow}", get(show_flow_rules))
        .route("/rules/{tenant}/{flow}/difference", get(show_difference))
        .route("/rules/{tenant}/{flow}/difference/reveal", post(reveal_difference).get(back_to_rules))
        .route("/rules/{tenant}/{flow}/rollback", post(rollback))
        .route("/rules/{tenant}/{flow}/activate", post(activate))
        .route("/charts", get(show_charts))
        .route("/alerts", get(show_alerts))
        .route("/audit", get(show_audit))
        .route("/settings", get(show_settings))
        .route("/assets/{name}", get(asset::serve))
        .fallback(error_page::missing)
}

/// Answers with a page, or with the page for a failure.
fn shown(view: &View, page: Result<HtmlPage, Report>) -> Response {
    match page {
        Ok(page) => page.answer(view),
        Err(report) => error_page::page(view, &report),
    }
}

/// Redirects after a successful action, or answers with the page for a failure.
fn done<T>(view: &View, done: Result<T, Report>, lead: impl FnOnce(T) -> Response) -> Response {
    match done {
        Ok(done) => lead(done),
        Err(report) => error_page::page(view, &report),
    }
}

async fn show_overview(State(state): SharedState, view: View) -> Response {
    let told = ruzhi_app::overview(&state.app).await;
    shown(&view, told.map(|told| overview::page(&view, &told)))
}

async fn show_tenant(State(state): SharedState, view: View, PageIds(tenant): PageIds<TenantId>) -> Response {
    let told = ruzhi_app::tenant(&state.app, &tenant).await;
    match &told {
        Ok(all) => match all.tenants.iter().find(|one| one.id == tenant) {
            Some(one) => overview::tenant_page(&view, all, one).answer(&view),
            None => error_page::missing(view).await,
        },
        Err(report) => error_page::page(&view, report),
    }
}

fn tenant_of(tenant: &TenantId) -> String {
    View::address(["tenants", tenant.as_str()], [])
}

fn plan_of(tenant: &TenantId, plan: &PlanId) -> String {
    View::address(["plans", tenant.as_str(), plan.as_str()], [])
}

fn record_of((tenant, flow, record): &RecordPath) -> String {
    View::address(["records", tenant.as_str(), flow.as_str(), record.as_str()], [])
}

fn rules_of(tenant: &TenantId, flow: &FlowId) -> String {
    View::address(["rules", tenant.as_str(), flow.as_str()], [])
}

/// Redirects to a run that has begun, or back if it waits.
fn to_the_run(asked: &RunAccepted, began: Flash, waits: Flash, back: &str) -> Response {
    match &asked.run {
        Some(run) => began.on(&View::address(["runs", run.as_str()], [])),
        None => waits.on(back),
    }
}

async fn run_now(
    State(state): SharedState,
    view: View,
    PageIds((tenant, flow)): PageIds<FlowPath>,
    ActionForm(input): ActionForm<RunRequest>,
) -> Response {
    let asked = ruzhi_app::run_now(&state.app, &view.principal, &tenant, &flow, input).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Began, Flash::Asked, &tenant_of(&tenant)))
}

async fn retry(
    State(state): SharedState,
    view: View,
    PageIds((tenant, flow)): PageIds<FlowPath>,
    ActionForm(input): ActionForm<EmptyRequest>,
) -> Response {
    let asked = ruzhi_app::retry(&state.app, &view.principal, &tenant, &flow, input).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Retried, Flash::Retried, "/quarantine"))
}

async fn pause(
    State(state): SharedState,
    view: View,
    PageIds((tenant, flow)): PageIds<FlowPath>,
    ActionForm(input): ActionForm<PauseRequest>,
) -> Response {
    let paused = ruzhi_app::pause(&state.app, &view.principal, &tenant, &flow, input).await;
    done(&view, paused, |()| Flash::Paused.on(&tenant_of(&tenant)))
}

async fn resume(
    State(state): SharedState,
    view: View,
    PageIds((tenant, flow)): PageIds<FlowPath>,
    ActionForm(input): ActionForm<EmptyRequest>,
) -> Response {
    let resumed = ruzhi_app::resume(&state.app, &view.principal, &tenant, &flow, input).await;
    done(&view, resumed, |()| Flash::Resumed.on(&tenant_of(&tenant)))
}

async fn show_drift(
    State(state): SharedState,
    view: View,
    PageIds(tenant): PageIds<TenantId>,
    PageQuery(asked): PageQuery<DriftQuery>,
) -> Response {
    let told = ruzhi_app::drift(&state.app, &tenant, &asked).await;
    shown(&view, told.map(|told| drift::page(&view, &tenant, told.as_ref(), &asked)))
}

async fn show_runs(
    State(state): SharedState,
    view: View,
    PageQuery(asked): PageQuery<RunsQuery>,
) -> Response {
    let told = ruzhi_app::runs(&state.app, &asked).await;
    shown(&view, told.map(|told| runs::page(&view, &told, &asked)))
}

async fn show_run(State(state): SharedState, view: View, PageIds(id): PageIds<RunId>) -> Response {
    let told = ruzhi_app::run(&state.app, &id).await;
    shown(&view, told.map(|told| run::page(&view, &told)))
}

/// The view of a page with values in full. Its address is that of the page itself, so any link masks them again.
///
/// Masked values are shown only by submitting a form, which a link cannot trigger.
fn in_full(view: View) -> View {
    View { here: view.here.replacen("/reveal", "", 1), ..view }
}

async fn plan_page(state: &AppState, view: &View, (tenant, id): &PlanPath, asked: &PlanQuery) -> Response {
    let told = ruzhi_app::plan(&state.app, &view.principal, tenant, id, asked).await;
    shown(view, told.map(|told| plan::page(view, &told, asked)))
}

async fn show_plan(
    State(state): SharedState,
    view: View,
    PageIds(of): PageIds<PlanPath>,
    PageQuery(asked): PageQuery<PlanQuery>,
) -> Response {
    plan_page(&state, &view, &of, &PlanQuery { reveal: false, ..asked }).await
}

async fn reveal_plan(
    State(state): SharedState,
    view: View,
    PageIds(of): PageIds<PlanPath>,
    PageQuery(asked): PageQuery<PlanQuery>,
) -> Response {
    plan_page(&state, &in_full(view), &of, &PlanQuery { reveal: true, ..asked }).await
}

async fn back_to_plan(PageIds((tenant, id)): PageIds<PlanPath>) -> Response {
    flash::to(&plan_of(&tenant, &id))
}

async fn approve(
    State(state): SharedState,
    view: View,
    PageIds((tenant, id)): PageIds<PlanPath>,
    ActionForm(input): ActionForm<ApproveRequest>,
) -> Response {
    let asked = ruzhi_app::approve_plan(&state.app, &view.principal, &tenant, &id, input).await;
    let back = plan_of(&tenant, &id);
    done(&view, asked, |asked| to_the_run(&asked, Flash::Approved, Flash::ApprovedWaits, &back))
}

async fn apply(
    State(state): SharedState,
    view: View,
    PageIds((tenant, id)): PageIds<PlanPath>,
    ActionForm(input): ActionForm<EmptyRequest>,
) -> Response {
    let asked = ruzhi_app::apply_plan(&state.app, &view.principal, &tenant, &id, input).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Began, Flash::Asked, &plan_of(&tenant, &id)))
}

async fn reject(
    State(state): SharedState,
    view: View,
    PageIds((tenant, id)): PageIds<PlanPath>,
    ActionForm(input): ActionForm<RejectRequest>,
) -> Response {
    let rejected = ruzhi_app::reject_plan(&state.app, &view.principal, &tenant, &id, input).await;
    done(&view, rejected, |()| Flash::Rejected.on(&plan_of(&tenant, &id)))
}

async fn quarantine_page(state: &AppState, view: &View, asked: &QuarantineQuery) -> Response {
    let told = ruzhi_app::quarantine(&state.app, &view.principal, asked).await;
    shown(view, told.map(|told| quarantine::page(view, &told, asked)))
}

async fn show_quarantine(
    State(state): SharedState,
    view: View,
    PageQuery(asked): PageQuery<QuarantineQuery>,
) -> Response {
    quarantine_page(&state, &view, &QuarantineQuery { reveal: false, ..asked }).await
}

async fn reveal_quarantine(
    State(state): SharedState,
    view: View,
    PageQuery(asked): PageQuery<QuarantineQuery>,
) -> Response {
    quarantine_page(&state, &in_full(view), &QuarantineQuery { reveal: true, ..asked }).await
}

async fn back_to_quarantine() -> Response {
    flash::to("/quarantine")
}

async fn export_quarantine(
    State(state): SharedState,
    view: View,
    PageQuery(asked): PageQuery<QuarantineQuery>,
) -> Response {
    let asked = QuarantineQuery { reveal: false, ..asked };
    let bytes = ruzhi_app::quarantine_csv(&state.app, &view.principal, &asked).await;
    done(&view, bytes, |bytes| {
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"quarantine.csv\""),
        ];
        (headers, bytes).into_response()
    })
}

async fn record_page(
    state: &AppState,
    view: &View,
    (tenant, flow, id): &RecordPath,
    reveal: bool,
) -> Response {
    let told = ruzhi_app::record(&state.app, &view.principal, tenant, flow, id, reveal).await;
    shown(view, told.map(|told| record::page(view, &told)))
}

async fn show_record(State(state): SharedState, view: View, PageIds(of): PageIds<RecordPath>) -> Response {
    record_page(&state, &view, &of, false).await
}

async fn reveal_record(State(state): SharedState, view: View, PageIds(of): PageIds<RecordPath>) -> Response {
    // The record's id may be any text, so `/reveal` is not searched for in the address.
    let view = View { here: record_of(&of), ..view };
    record_page(&state, &view, &of, true).await
}

async fn back_to_record(PageIds(of): PageIds<RecordPath>) -> Response {
    flash::to(&record_of(&of))
}

async fn decide_removal(
    State(state): SharedState,
    view: View,
    PageIds((tenant, userid)): PageIds<(TenantId, UserId)>,
    ActionForm(input): ActionForm<RemovalRequest>,
) -> Response {
    let asked = ruzhi_app::answer_removal(&state.app, &view.principal, &tenant, &userid, input).await;
    let back =
        View::address(["quarantine"], [("tenant", Some(tenant.as_str())), ("rule", Some("member.removed"))]);
    done(&view, asked, |_| Flash::Decided.on(&back))
}

async fn show_rules(State(state): SharedState, view: View) -> Response {
    let told = ruzhi_app::rules_overview(&state.app).await;
    shown(&view, told.map(|told| rules::page(&view, &told)))
}

async fn show_flow_rules(
    State(state): SharedState,
    view: View,
    PageIds((tenant, flow)): PageIds<FlowPath>,
) -> Response {
    let told = ruzhi_app::rules_view(&state.app, &tenant, &flow).await;
    shown(&view, told.map(|told| rules::flow_page(&view, &told)))
}

async fn difference_page(
    state: &AppState,
    view: &View,
    (tenant, flow): &FlowPath,
    asked: &DifferenceQuery,
) -> Response {
    let told = async {
        let of = ruzhi_app::rules_view(&state.app, tenant, flow).await?;
        let told = ruzhi_app::rules_difference(&state.app, &view.principal, tenant, flow, asked).await?;
        Ok(rules::difference_page(view, &of, &told, asked.to.as_deref()))
    };
    shown(view, told.await)
}

async fn show_difference(
    State(state): SharedState,
    view: View,
    PageIds(of): PageIds<FlowPath>,
    PageQuery(asked): PageQuery<DifferenceQuery>,
) -> Response {
    difference_page(&state, &view, &of, &DifferenceQuery { reveal: false, ..asked }).await
}

async fn reveal_difference(
    State(state): SharedState,
    view: View,
    PageIds(of): PageIds<FlowPath>,
    PageQuery(asked): PageQuery<DifferenceQuery>,
) -> Response {
    difference_page(&state, &in_full(view), &of, &DifferenceQuery { reveal: true, ..asked }).await
}

async fn back_to_rules(PageIds((tenant, flow)): PageIds<FlowPath>) -> Response {
    flash::to(&rules_of(&tenant, &flow))
}

async fn rollback(
    State(state): SharedState,
    view: View,
    PageIds((tenant, flow)): PageIds<FlowPath>,
    ActionForm(input): ActionForm<RollbackRequest>,
) -> Response {
    let back = ruzhi_app::rollback(&state.app, &view.principal, &tenant, &flow, input, None).await;
    done(&view, back, |_| Flash::RolledBack.on(&rules_of(&tenant, &flow)))
}

async fn activate(
    State(state): SharedState,
    view: View,
    PageIds((tenant, flow)): PageIds<FlowPath>,
    ActionForm(input): ActionForm<ActivateRequest>,
) -> Response {
    let active = ruzhi_app::activate(&state.app, &view.principal, &tenant, &flow, input).await;
    done(&view, active, |_| Flash::Activated.on(&rules_of(&tenant, &flow)))
}

async fn show_charts(
    State(state): SharedState,
    view: View,
    PageQuery(asked): PageQuery<ChartQuery>,
) -> Response {
    let told = async {
        let runs = ruzhi_app::runs_chart(&state.app, &asked).await?;
        let quarantine = ruzhi_app::quarantine_chart(&state.app, &asked).await?;
        let calls = ruzhi_app::calls_chart(&state.app).await?;
        Ok(charts::page(&view, &runs, &quarantine, &calls, &asked))
    };
    shown(&view, told.await)
}

async fn show_alerts(State(state): SharedState, view: View) -> Response {
    let told = ruzhi_app::alerts(&state.app).await;
    shown(&view, told.map(|told| alerts::page(&view, &told)))
}

async fn show_audit(
    State(state): SharedState,
    view: View,
    PageQuery(asked): PageQuery<AuditQuery>,
) -> Response {
    let told = ruzhi_app::audit(&state.app, &asked).await;
    shown(&view, told.map(|told| audit::page(&view, &told, &asked)))
}

async fn show_settings(State(state): SharedState, view: View) -> Response {
    let told = ruzhi_app::settings(&state.app).await;
    shown(&view, told.map(|told| settings::page(&view, &told)))
}
