//! The audit log: reading it, and recording a visitor's actions.

use serde::Deserialize;
use utoipa::IntoParams;

use super::paging::{MOST, Page, TimeCursor, number, page_size, unless_empty};
use crate::app::App;
pub(super) use crate::audit::AuditRequest;
use crate::audit::{self, Actor, DONE, row};
use crate::principal::Principal;
use crate::tally::TallyResult;
use ruzhi_config::Role;
use ruzhi_message::{Report, ReportKind, exit};
use ruzhi_model::{AuditId, TenantId, Text};
use ruzhi_store::{AuditAction, AuditRow};

/// Filter and page of the audit log.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuditQuery {
    /// Only this tenant. Tenants removed from the configuration still match; unknown tenants return an empty page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub tenant: Option<TenantId>,
    /// The `next_cursor` of the previous page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "place")]
    pub cursor: Option<TimeCursor<AuditId>>,
    /// Page size: 50 by default, at most 500.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// The audit log, newest first.
pub async fn audit(app: &App, asked: &AuditQuery) -> Result<Page<AuditRow>, Report> {
    let most = page_size(asked.limit);
    let before = asked.cursor.as_ref().map(|TimeCursor { at, id }| (*at, id));
    let mut items = app.store.audit_list(asked.tenant.as_ref(), before, most + 1).await?;
    let more = items.len() > most as usize;
    items.truncate(most as usize);
    let place = |last: &AuditRow| TimeCursor { at: last.at, id: last.id.clone() };
    let next_cursor = items.last().filter(|_| more).map(|last| place(last).to_string());
    Ok(Page { items, next_cursor })
}

/// Performs an operator's action and records who asked for it and its outcome. An attempt by a viewer is denied and
/// recorded too, up to a number of times per hour.
pub(super) async fn recorded<T>(
    app: &App,
    principal: &Principal,
    asking: AuditRequest<'_>,
    work: impl Future<Output = Result<T, Report>>,
) -> Result<T, Report> {
    let actor = Actor { who: &principal.name, role: principal.role, origin: &principal.origin };
    let mut row = row(app.clock.as_ref(), actor, asking);
    if principal.role < Role::Operator {
        let report = forbidden();
        report.code().clone_into(&mut row.outcome);
        let turn = app.denials.count(&principal.name, app.clock.now());
        if turn == TallyResult::Last {
            row.detail = Some("further denials of this person in this hour are not written down".to_owned());
        }
        // Denied attempts change nothing and must not fill the log.
        if !matches!(turn, TallyResult::TooMany { .. }) {
            app.store.audit_put(&row).await?;
        }
        return Err(report);
    }
    audit::recorded(app.store.as_ref(), row, work, |_| DONE.to_owned()).await
}

/// Records a login.
pub async fn logged_in(app: &App, who: &str, role: Role, origin: &str) -> Result<(), Report> {
    let actor = Actor { who, role, origin };
    let mut row = row(app.clock.as_ref(), actor, AuditRequest::plain(AuditAction::SessionBegin));
    DONE.clone_into(&mut row.outcome);
    Ok(app.store.audit_put(&row).await?)
}

fn forbidden() -> Report {
    Report::new(
        exit::USAGE,
        audit::FORBIDDEN,
        Text::new(
            "this needs an operator, and you are a viewer; nothing was done",
            "此操作需要操作员，您是查看者；未执行任何操作",
        ),
        Some(Text::new("ask an operator, who finds it in the same place", "请联系操作员，在同一位置操作")),
    )
    .of_kind(ReportKind::Forbidden)
}
