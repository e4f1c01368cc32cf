//! Which page is where, and what each form does.

use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;

use super::flash::{self, Flash};
use super::shell::Page;
use super::view::View;
use super::{
    alarms, asset, audit, charts, guests, overview, plan, quarantine, record, run, runs, settings, trouble,
};
use crate::failure::Failure;
use crate::model::{FlowId, PlanId, RecordId, RunId, TenantId};
use crate::serve::desk::{
    self, ActivateWish, ApproveWish, AuditAsked, ChartAsked, DifferenceAsked, PauseWish, PlanAsked,
    QuarantineAsked, RejectWish, RollBackWish, RunWish, RunsAsked,
};
use crate::serve::{Asked, Process};

type Shared = State<Arc<Process>>;

/// The pages. Whoever lets people in is put around them.
pub fn routes() -> Router<Arc<Process>> {
    Router::new()
        .route("/", get(show_overview))
        .route("/tenants/{tenant}", get(show_tenant))
        .route("/flows/{tenant}/{flow}/run", post(run_now))
        .route("/flows/{tenant}/{flow}/retry", post(retry))
        .route("/flows/{tenant}/{flow}/pause", post(pause))
        .route("/flows/{tenant}/{flow}/resume", post(resume))
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

/// What is to be shown, or what went wrong.
fn shown(view: &View, page: Result<Page, Failure>) -> Response {
    match page {
        Ok(page) => page.answer(view),
        Err(failure) => trouble::page(view, &failure),
    }
}

/// What was done leads on, or is told as what went wrong.
fn done<T>(view: &View, done: Result<T, Failure>, lead: impl FnOnce(T) -> Response) -> Response {
    match done {
        Ok(done) => lead(done),
        Err(failure) => trouble::page(view, &failure),
    }
}

/// A part of an address as the id it should be.
macro_rules! ids {
    ($view:ident, $($text:ident => $kind:ty),+) => {
        $(let Ok($text) = <$kind>::from_str(&$text) else { return trouble::not_an_address(&$view) };)+
    };
}

/// A form or a query as the wish it should be.
macro_rules! wish {
    ($view:ident, $text:expr) => {
        match read($text) {
            Ok(wish) => wish,
            Err(why) => return trouble::not_a_wish(&$view, &why),
        }
    };
}

/// A form's body has the spelling of a query.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let uri = Uri::try_from(format!("/?{text}")).map_err(|error| error.to_string())?;
    Query::try_from_uri(&uri).map(|Query(wish)| wish).map_err(|error| error.body_text())
}

fn query(view: &View) -> &str {
    view.here.split_once('?').map_or("", |(_, query)| query)
}

fn form(body: &Bytes) -> &str {
    std::str::from_utf8(body).unwrap_or_default()
}

async fn show_overview(State(process): Shared, view: View) -> Response {
    let told = desk::overview(&process).await;
    shown(&view, told.map(|told| overview::page(&view, &told)))
}

async fn show_tenant(State(process): Shared, view: View, Path(tenant): Path<String>) -> Response {
    ids!(view, tenant => TenantId);
    let told = desk::tenant(&process, &tenant).await;
    match &told {
        Ok(all) => match all.tenants.iter().find(|one| one.id == tenant) {
            Some(one) => overview::tenant_page(&view, all, one).answer(&view),
            None => trouble::not_an_address(&view),
        },
        Err(failure) => trouble::page(&view, failure),
    }
}

fn tenant_of(tenant: &TenantId) -> String {
    View::address(["tenants", tenant.as_str()], [])
}

/// Leads to a run that has begun; else back, since it waits for room.
fn to_the_run(asked: &Asked, began: Flash, waits: Flash, back: &str) -> Response {
    match &asked.run {
        Some(run) => began.on(&View::address(["runs", run.as_str()], [])),
        None => waits.on(back),
    }
}

async fn run_now(
    State(process): Shared,
    view: View,
    Path((tenant, flow)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let wish: RunWish = wish!(view, form(&body));
    let asked = desk::run_now(&process, &view.visitor, &tenant, &flow, &wish).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Began, Flash::Asked, &tenant_of(&tenant)))
}

async fn retry(State(process): Shared, view: View, Path((tenant, flow)): Path<(String, String)>) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let asked = desk::retry(&process, &view.visitor, &tenant, &flow).await;
    done(&view, asked, |asked| to_the_run(&asked, Flash::Retried, Flash::Retried, "/quarantine"))
}

async fn pause(
    State(process): Shared,
    view: View,
    Path((tenant, flow)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let wish: PauseWish = wish!(view, form(&body));
    let paused = desk::pause(&process, &view.visitor, &tenant, &flow, &wish).await;
    done(&view, paused, |()| Flash::Paused.on(&tenant_of(&tenant)))
}

async fn resume(
    State(process): Shared,
    view: View,
    Path((tenant, flow)): Path<(String, String)>,
) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let resumed = desk::resume(&process, &view.visitor, &tenant, &flow).await;
    done(&view, resumed, |()| Flash::Resumed.on(&tenant_of(&tenant)))
}

async fn show_runs(State(process): Shared, view: View) -> Response {
    let asked: RunsAsked = wish!(view, query(&view));
    let told = desk::runs(&process, &asked).await;
    shown(&view, told.map(|told| runs::page(&view, &told, &asked)))
}

async fn show_run(State(process): Shared, view: View, Path(id): Path<String>) -> Response {
    ids!(view, id => RunId);
    let told = desk::run(&process, &id).await;
    shown(&view, told.map(|told| run::page(&view, &told)))
}

async fn plan_page(
    process: &Process,
    view: &View,
    tenant: &TenantId,
    id: &PlanId,
    asked: &PlanAsked,
) -> Response {
    let told = desk::plan(process, &view.visitor, tenant, id, asked).await;
    shown(view, told.map(|told| plan::page(view, &told, asked)))
}

async fn show_plan(
    State(process): Shared,
    view: View,
    Path((tenant, id)): Path<(String, String)>,
) -> Response {
    ids!(view, tenant => TenantId, id => PlanId);
    // What is masked is shown to whoever asks by a form, which a link cannot make anybody do.
    let asked = PlanAsked { reveal: false, ..wish!(view, query(&view)) };
    plan_page(&process, &view, &tenant, &id, &asked).await
}

async fn reveal_plan(
    State(process): Shared,
    mut view: View,
    Path((tenant, id)): Path<(String, String)>,
) -> Response {
    ids!(view, tenant => TenantId, id => PlanId);
    let asked = PlanAsked { reveal: true, ..wish!(view, query(&view)) };
    view.here = view.here.replacen("/reveal", "", 1);
    plan_page(&process, &view, &tenant, &id, &asked).await
}

async fn back_to_plan(Path((tenant, id)): Path<(String, String)>) -> Response {
    flash::to(&View::address(["plans", &tenant, &id], []))
}

async fn approve(
    State(process): Shared,
    view: View,
    Path((tenant, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    ids!(view, tenant => TenantId, id => PlanId);
    let wish: ApproveWish = wish!(view, form(&body));
    let asked = desk::approve_plan(&process, &view.visitor, &tenant, &id, &wish).await;
    let back = View::address(["plans", tenant.as_str(), id.as_str()], []);
    done(&view, asked, |asked| to_the_run(&asked, Flash::Approved, Flash::Approved, &back))
}

async fn apply(State(process): Shared, view: View, Path((tenant, id)): Path<(String, String)>) -> Response {
    ids!(view, tenant => TenantId, id => PlanId);
    let asked = desk::apply_plan(&process, &view.visitor, &tenant, &id).await;
    let back = View::address(["plans", tenant.as_str(), id.as_str()], []);
    done(&view, asked, |asked| to_the_run(&asked, Flash::Began, Flash::Asked, &back))
}

async fn reject(
    State(process): Shared,
    view: View,
    Path((tenant, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    ids!(view, tenant => TenantId, id => PlanId);
    let wish: RejectWish = wish!(view, form(&body));
    let rejected = desk::reject_plan(&process, &view.visitor, &tenant, &id, &wish).await;
    done(&view, rejected, |()| {
        Flash::Rejected.on(&View::address(["plans", tenant.as_str(), id.as_str()], []))
    })
}

async fn quarantine_page(process: &Process, view: &View, asked: &QuarantineAsked) -> Response {
    let told = desk::quarantine(process, &view.visitor, asked).await;
    shown(view, told.map(|told| quarantine::page(view, &told, asked)))
}

async fn show_quarantine(State(process): Shared, view: View) -> Response {
    let asked = QuarantineAsked { reveal: false, ..wish!(view, query(&view)) };
    quarantine_page(&process, &view, &asked).await
}

async fn reveal_quarantine(State(process): Shared, mut view: View) -> Response {
    let asked = QuarantineAsked { reveal: true, ..wish!(view, query(&view)) };
    view.here = view.here.replacen("/reveal", "", 1);
    quarantine_page(&process, &view, &asked).await
}

async fn back_to_quarantine() -> Response {
    flash::to("/quarantine")
}

async fn export_quarantine(State(process): Shared, view: View) -> Response {
    let asked = QuarantineAsked { reveal: false, ..wish!(view, query(&view)) };
    let bytes = desk::quarantine_csv(&process, &view.visitor, &asked).await;
    done(&view, bytes, |bytes| {
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"quarantine.csv\""),
        ];
        (headers, bytes).into_response()
    })
}

type RecordPath = Path<(String, String, String)>;

async fn record_page(
    process: &Process,
    view: &View,
    path: (String, String, String),
    reveal: bool,
) -> Response {
    let (tenant, flow, id) = path;
    ids!(view, tenant => TenantId, flow => FlowId, id => RecordId);
    let told = desk::record(process, &view.visitor, &tenant, &flow, &id, reveal).await;
    shown(view, told.map(|told| record::page(view, &told)))
}

async fn show_record(State(process): Shared, view: View, Path(path): RecordPath) -> Response {
    record_page(&process, &view, path, false).await
}

async fn reveal_record(State(process): Shared, mut view: View, Path(path): RecordPath) -> Response {
    view.here = View::address(["records", &path.0, &path.1, &path.2], []);
    record_page(&process, &view, path, true).await
}

async fn back_to_record(Path((tenant, flow, id)): RecordPath) -> Response {
    flash::to(&View::address(["records", &tenant, &flow, &id], []))
}

async fn show_guests(State(process): Shared, view: View) -> Response {
    let told = desk::guests(&process).await;
    shown(&view, told.map(|told| guests::page(&view, &told)))
}

async fn show_guest(
    State(process): Shared,
    view: View,
    Path((tenant, flow)): Path<(String, String)>,
) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let told = desk::guest(&process, &tenant, &flow).await;
    shown(&view, told.map(|told| guests::flow_page(&view, &told)))
}

async fn difference_page(
    process: &Process,
    view: &View,
    (tenant, flow): (String, String),
    reveal: bool,
) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let asked = DifferenceAsked { reveal, ..wish!(view, query(view)) };
    let told = async {
        let of = desk::guest(process, &tenant, &flow).await?;
        let told = desk::guest_difference(process, &view.visitor, &tenant, &flow, &asked).await?;
        Ok(guests::difference_page(view, &of, &told, asked.to.as_deref()))
    };
    shown(view, told.await)
}

async fn show_difference(State(process): Shared, view: View, Path(path): Path<(String, String)>) -> Response {
    difference_page(&process, &view, path, false).await
}

async fn reveal_difference(
    State(process): Shared,
    mut view: View,
    Path(path): Path<(String, String)>,
) -> Response {
    view.here = view.here.replacen("/reveal", "", 1);
    difference_page(&process, &view, path, true).await
}

async fn back_to_guest(Path((tenant, flow)): Path<(String, String)>) -> Response {
    flash::to(&View::address(["guests", &tenant, &flow], []))
}

async fn roll_back(
    State(process): Shared,
    view: View,
    Path((tenant, flow)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let wish: RollBackWish = wish!(view, form(&body));
    let back = desk::roll_back(&process, &view.visitor, &tenant, &flow, &wish).await;
    done(&view, back, |_| {
        Flash::RolledBack.on(&View::address(["guests", tenant.as_str(), flow.as_str()], []))
    })
}

async fn activate(
    State(process): Shared,
    view: View,
    Path((tenant, flow)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    ids!(view, tenant => TenantId, flow => FlowId);
    let wish: ActivateWish = wish!(view, form(&body));
    let active = desk::activate(&process, &view.visitor, &tenant, &flow, &wish).await;
    done(&view, active, |_| {
        Flash::Activated.on(&View::address(["guests", tenant.as_str(), flow.as_str()], []))
    })
}

async fn show_charts(State(process): Shared, view: View) -> Response {
    let asked: ChartAsked = wish!(view, query(&view));
    let told = async {
        let runs = desk::runs_chart(&process, &asked).await?;
        let refusals = desk::refusals_chart(&process, &asked).await?;
        let calls = desk::calls_chart(&process).await?;
        Ok(charts::page(&view, &runs, &refusals, &calls, &asked))
    };
    shown(&view, told.await)
}

async fn show_alarms(State(process): Shared, view: View) -> Response {
    let told = desk::alarms(&process).await;
    shown(&view, told.map(|told| alarms::page(&view, &told)))
}

async fn show_audit(State(process): Shared, view: View) -> Response {
    let asked: AuditAsked = wish!(view, query(&view));
    let told = desk::audit(&process, &asked).await;
    shown(&view, told.map(|told| audit::page(&view, &told, &asked)))
}

async fn show_settings(State(process): Shared, view: View) -> Response {
    let told = desk::settings(&process).await;
    shown(&view, told.map(|told| settings::page(&view, &told)))
}
