//! The routes of the pages and their forms.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use super::flash::{self, Flash};
use super::given::{Asked, Ids, Sent};
use super::shell::Page;
use super::view::View;
use super::{
    alarms, asset, audit, charts, drift, guests, overview, plan, quarantine, record, run, runs, settings,
    trouble,
};
use crate::Process;
use ruzhi_app::scheduler::Asked as Begun;
use ruzhi_app::{
    self, ActivateWish, ApproveWish, AuditAsked, ChartAsked, DifferenceAsked, DriftAsked, PauseWish,
    PlainWish, PlanAsked, QuarantineAsked, RejectWish, RemovalWish, RollBackWish, RunWish, RunsAsked,
};
use ruzhi_message::Failure;
use ruzhi_model::{FlowId, PlanId, RecordId, RunId, TenantId, UserId};

type Shared = State<Arc<Process>>;
/// A tenant and one of its flows.
type OfFlow = (TenantId, FlowId);
/// A tenant and one of its plans.
type OfPlan = (TenantId, PlanId);
/// A tenant, one of its flows and a record of that flow.
type OfRecord = (TenantId, FlowId, RecordId);

/// The pages. The caller adds the layer that authenticates visitors.
pub fn routes() -> Router<Arc<Process>> {
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
        .route("/guests", get(show_guests))
        .route("/guests/{tenant}/{flow}", get(show_guest))
        .route("/guests/{tenant}/{flow}/difference", get(show_difference))
        .route("/guests/{tenant}/{flow}/difference/reveal", post(reveal_difference).get(back_to_guest))
        .route("/guests/{tenant}/{flow}/rollback", post(roll_back))
        .route("/guests/{tenant}/{flow}/activate", post(activate))
        .route("/charts", get(show_charts))
        .route("/alarms", get(show_alarms))
        .route("/audit", get(show_audit))
        .route("/settings", get(show_settings))
        .route("/assets/{name}", get(asset::serve))
        .fallback(trouble::missing)
}

/// Answers with a page, or with the page for a failure.
fn shown(view: &View, page: Result<Page, Failure>) -> Response {
    match page {
        Ok(page) => page.answer(view),
        Err(failure) => trouble::page(view, &failure),
    }
}

/// Redirects after a successful action, or answers with the page for a failure.
fn done<T>(view: &View, done: Result<T, Failure>, lead: impl FnOnce(T) -> Response) -> Response {
    match done {
        Ok(done) => lead(done),
        Err(failure) => trouble::page(view, &failure),
    }
}

async fn show_overview(State(process): Shared, view: View) -> Response {
    let told = ruzhi_app::overview(&process.app).await;
    shown(&view, told.map(|told| overview::page(&view, &told)))
}

async fn show_tenant(State(process): Shared, view: View, Ids(tenant): Ids<TenantId>) -> Response {
    let told = ruzhi_app::tenant(&process.app, &tenant).await;
    match &told {
        Ok(all) => match all.tenants.iter().find(|one| one.id == tenant) {
            Some(one) => overview::tenant_page(&view, all, one).answer(&view),
            None => trouble::missing(view).await,
        },
        Err(failure) => trouble::page(&view, failure),
    }
}

fn tenant_of(tenant: &TenantId) -> String {
    View::address(["tenants", tenant.as_str()], [])
}

fn plan_of(tenant: &TenantId, plan: &PlanId) -> String {
    View::address(["plans", tenant.as_str(), plan.as_str()], [])
}

fn record_of((tenant, flow, record): &OfRecord) -> String {
    View::address(["records", tenant.as_str(), flow.as_str(), record.as_str()], [])
}

fn guest_of(tenant: &TenantId, flow: &FlowId) -> String {
    View::address(["guests", tenant.as_str(), flow.as_str()], [])
}

/// Redirects to a run that has begun, or back if it waits.
fn to_the_run(asked: &Begun, began: Flash, waits: Flash, back: &str) -> Response {
    match &asked.run {
        Some(run) => began.on(&View::address(["runs", run.as_str()], [])),
        None => waits.on(back),
    }
}

async fn run_now(
    State(process): Shared,
    view: View,
    Ids((tenant, flow)): Ids<OfFlow>,
    Sent(wish): Sent<RunWish>,
) -> Response {
    let asked = ruzhi_app::run_now(&process.app, &view.visitor.principal, &tenant, &flow, wish).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Began, Flash::Asked, &tenant_of(&tenant)))
}

async fn retry(
    State(process): Shared,
    view: View,
    Ids((tenant, flow)): Ids<OfFlow>,
    Sent(wish): Sent<PlainWish>,
) -> Response {
    let asked = ruzhi_app::retry(&process.app, &view.visitor.principal, &tenant, &flow, wish).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Retried, Flash::Retried, "/quarantine"))
}

async fn pause(
    State(process): Shared,
    view: View,
    Ids((tenant, flow)): Ids<OfFlow>,
    Sent(wish): Sent<PauseWish>,
) -> Response {
    let paused = ruzhi_app::pause(&process.app, &view.visitor.principal, &tenant, &flow, wish).await;
    done(&view, paused, |()| Flash::Paused.on(&tenant_of(&tenant)))
}

async fn resume(
    State(process): Shared,
    view: View,
    Ids((tenant, flow)): Ids<OfFlow>,
    Sent(wish): Sent<PlainWish>,
) -> Response {
    let resumed = ruzhi_app::resume(&process.app, &view.visitor.principal, &tenant, &flow, wish).await;
    done(&view, resumed, |()| Flash::Resumed.on(&tenant_of(&tenant)))
}

async fn show_drift(
    State(process): Shared,
    view: View,
    Ids(tenant): Ids<TenantId>,
    Asked(asked): Asked<DriftAsked>,
) -> Response {
    let told = ruzhi_app::drift(&process.app, &tenant, &asked).await;
    shown(&view, told.map(|told| drift::page(&view, &tenant, told.as_ref(), &asked)))
}

async fn show_runs(State(process): Shared, view: View, Asked(asked): Asked<RunsAsked>) -> Response {
    let told = ruzhi_app::runs(&process.app, &asked).await;
    shown(&view, told.map(|told| runs::page(&view, &told, &asked)))
}

async fn show_run(State(process): Shared, view: View, Ids(id): Ids<RunId>) -> Response {
    let told = ruzhi_app::run(&process.app, &id).await;
    shown(&view, told.map(|told| run::page(&view, &told)))
}

/// The view of a page with values in full. Its address is that of the page itself, so any link masks them again.
///
/// Masked values are shown only by submitting a form, which a link cannot trigger.
fn in_full(view: View) -> View {
    View { here: view.here.replacen("/reveal", "", 1), ..view }
}

async fn plan_page(process: &Process, view: &View, (tenant, id): &OfPlan, asked: &PlanAsked) -> Response {
    let told = ruzhi_app::plan(&process.app, &view.visitor.principal, tenant, id, asked).await;
    shown(view, told.map(|told| plan::page(view, &told, asked)))
}

async fn show_plan(
    State(process): Shared,
    view: View,
    Ids(of): Ids<OfPlan>,
    Asked(asked): Asked<PlanAsked>,
) -> Response {
    plan_page(&process, &view, &of, &PlanAsked { reveal: false, ..asked }).await
}

async fn reveal_plan(
    State(process): Shared,
    view: View,
    Ids(of): Ids<OfPlan>,
    Asked(asked): Asked<PlanAsked>,
) -> Response {
    plan_page(&process, &in_full(view), &of, &PlanAsked { reveal: true, ..asked }).await
}

async fn back_to_plan(Ids((tenant, id)): Ids<OfPlan>) -> Response {
    flash::to(&plan_of(&tenant, &id))
}

async fn approve(
    State(process): Shared,
    view: View,
    Ids((tenant, id)): Ids<OfPlan>,
    Sent(wish): Sent<ApproveWish>,
) -> Response {
    let asked = ruzhi_app::approve_plan(&process.app, &view.visitor.principal, &tenant, &id, wish).await;
    let back = plan_of(&tenant, &id);
    done(&view, asked, |asked| to_the_run(&asked, Flash::Approved, Flash::ApprovedWaits, &back))
}

async fn apply(
    State(process): Shared,
    view: View,
    Ids((tenant, id)): Ids<OfPlan>,
    Sent(wish): Sent<PlainWish>,
) -> Response {
    let asked = ruzhi_app::apply_plan(&process.app, &view.visitor.principal, &tenant, &id, wish).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Began, Flash::Asked, &plan_of(&tenant, &id)))
}

async fn reject(
    State(process): Shared,
    view: View,
    Ids((tenant, id)): Ids<OfPlan>,
    Sent(wish): Sent<RejectWish>,
) -> Response {
    let rejected = ruzhi_app::reject_plan(&process.app, &view.visitor.principal, &tenant, &id, wish).await;
    done(&view, rejected, |()| Flash::Rejected.on(&plan_of(&tenant, &id)))
}

async fn quarantine_page(process: &Process, view: &View, asked: &QuarantineAsked) -> Response {
    let told = ruzhi_app::quarantine(&process.app, &view.visitor.principal, asked).await;
    shown(view, told.map(|told| quarantine::page(view, &told, asked)))
}

async fn show_quarantine(
    State(process): Shared,
    view: View,
    Asked(asked): Asked<QuarantineAsked>,
) -> Response {
    quarantine_page(&process, &view, &QuarantineAsked { reveal: false, ..asked }).await
}

async fn reveal_quarantine(
    State(process): Shared,
    view: View,
    Asked(asked): Asked<QuarantineAsked>,
) -> Response {
    quarantine_page(&process, &in_full(view), &QuarantineAsked { reveal: true, ..asked }).await
}

async fn back_to_quarantine() -> Response {
    flash::to("/quarantine")
}

async fn export_quarantine(
    State(process): Shared,
    view: View,
    Asked(asked): Asked<QuarantineAsked>,
) -> Response {
    let asked = QuarantineAsked { reveal: false, ..asked };
    let bytes = ruzhi_app::quarantine_csv(&process.app, &view.visitor.principal, &asked).await;
    done(&view, bytes, |bytes| {
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"quarantine.csv\""),
        ];
        (headers, bytes).into_response()
    })
}

async fn record_page(
    process: &Process,
    view: &View,
    (tenant, flow, id): &OfRecord,
    reveal: bool,
) -> Response {
    let told = ruzhi_app::record(&process.app, &view.visitor.principal, tenant, flow, id, reveal).await;
    shown(view, told.map(|told| record::page(view, &told)))
}

async fn show_record(State(process): Shared, view: View, Ids(of): Ids<OfRecord>) -> Response {
    record_page(&process, &view, &of, false).await
}

async fn reveal_record(State(process): Shared, view: View, Ids(of): Ids<OfRecord>) -> Response {
    // The record's id may be any text, so `/reveal` is not searched for in the address.
    let view = View { here: record_of(&of), ..view };
    record_page(&process, &view, &of, true).await
}

async fn back_to_record(Ids(of): Ids<OfRecord>) -> Response {
    flash::to(&record_of(&of))
}

async fn decide_removal(
    State(process): Shared,
    view: View,
    Ids((tenant, userid)): Ids<(TenantId, UserId)>,
    Sent(wish): Sent<RemovalWish>,
) -> Response {
    let asked =
        ruzhi_app::answer_removal(&process.app, &view.visitor.principal, &tenant, &userid, wish).await;
    let back =
        View::address(["quarantine"], [("tenant", Some(tenant.as_str())), ("rule", Some("member.removed"))]);
    done(&view, asked, |_| Flash::Decided.on(&back))
}

async fn show_guests(State(process): Shared, view: View) -> Response {
    let told = ruzhi_app::guests(&process.app).await;
    shown(&view, told.map(|told| guests::page(&view, &told)))
}

async fn show_guest(State(process): Shared, view: View, Ids((tenant, flow)): Ids<OfFlow>) -> Response {
    let told = ruzhi_app::guest(&process.app, &tenant, &flow).await;
    shown(&view, told.map(|told| guests::flow_page(&view, &told)))
}

async fn difference_page(
    process: &Process,
    view: &View,
    (tenant, flow): &OfFlow,
    asked: &DifferenceAsked,
) -> Response {
    let told = async {
        let of = ruzhi_app::guest(&process.app, tenant, flow).await?;
        let told =
            ruzhi_app::guest_difference(&process.app, &view.visitor.principal, tenant, flow, asked).await?;
        Ok(guests::difference_page(view, &of, &told, asked.to.as_deref()))
    };
    shown(view, told.await)
}

async fn show_difference(
    State(process): Shared,
    view: View,
    Ids(of): Ids<OfFlow>,
    Asked(asked): Asked<DifferenceAsked>,
) -> Response {
    difference_page(&process, &view, &of, &DifferenceAsked { reveal: false, ..asked }).await
}

async fn reveal_difference(
    State(process): Shared,
    view: View,
    Ids(of): Ids<OfFlow>,
    Asked(asked): Asked<DifferenceAsked>,
) -> Response {
    difference_page(&process, &in_full(view), &of, &DifferenceAsked { reveal: true, ..asked }).await
}

async fn back_to_guest(Ids((tenant, flow)): Ids<OfFlow>) -> Response {
    flash::to(&guest_of(&tenant, &flow))
}

async fn roll_back(
    State(process): Shared,
    view: View,
    Ids((tenant, flow)): Ids<OfFlow>,
    Sent(wish): Sent<RollBackWish>,
) -> Response {
    let back = ruzhi_app::roll_back(&process.app, &view.visitor.principal, &tenant, &flow, wish).await;
    done(&view, back, |_| Flash::RolledBack.on(&guest_of(&tenant, &flow)))
}

async fn activate(
    State(process): Shared,
    view: View,
    Ids((tenant, flow)): Ids<OfFlow>,
    Sent(wish): Sent<ActivateWish>,
) -> Response {
    let active = ruzhi_app::activate(&process.app, &view.visitor.principal, &tenant, &flow, wish).await;
    done(&view, active, |_| Flash::Activated.on(&guest_of(&tenant, &flow)))
}

async fn show_charts(State(process): Shared, view: View, Asked(asked): Asked<ChartAsked>) -> Response {
    let told = async {
        let runs = ruzhi_app::runs_chart(&process.app, &asked).await?;
        let refusals = ruzhi_app::refusals_chart(&process.app, &asked).await?;
        let calls = ruzhi_app::calls_chart(&process.app).await?;
        Ok(charts::page(&view, &runs, &refusals, &calls, &asked))
    };
    shown(&view, told.await)
}

async fn show_alarms(State(process): Shared, view: View) -> Response {
    let told = ruzhi_app::alarms(&process.app).await;
    shown(&view, told.map(|told| alarms::page(&view, &told)))
}

async fn show_audit(State(process): Shared, view: View, Asked(asked): Asked<AuditAsked>) -> Response {
    let told = ruzhi_app::audit(&process.app, &asked).await;
    shown(&view, told.map(|told| audit::page(&view, &told, &asked)))
}

async fn show_settings(State(process): Shared, view: View) -> Response {
    let told = ruzhi_app::settings(&process.app).await;
    shown(&view, told.map(|told| settings::page(&view, &told)))
}
