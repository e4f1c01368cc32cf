//! The audit log: changes, and requests to see masked data.
//!
//! A request is recorded before it is carried out, with the outcome `begun`, and again once the outcome is known: a
//! row that stays `begun` has an unknown end, and nothing is ever done that is not in the log. This holds for pages,
//! API and terminal alike.

use chrono::{DateTime, Utc};

use crate::ids::next_audit_id;
use ruzhi_config::Role;
use ruzhi_message::Report;
use ruzhi_model::{Clock, FlowId, TenantId};
use ruzhi_store::{AuditAction, AuditRow, Database, IdleAudit, StoreError};

/// The outcome of a request without a known end.
pub const BEGUN: &str = "begun";
/// The outcome of a completed request.
pub const DONE: &str = "done";
/// The outcome of a run whose plan the guard holds.
pub const HELD: &str = "held";

/// The outcome of a request that the person's role does not allow.
pub const FORBIDDEN: &str = "access.forbidden";

/// The role of a viewer, as a row names it.
const VIEWER: &str = "viewer";

/// The person making a request.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Name in the log.
    pub who: &'a str,
    /// Permissions.
    pub role: Role,
    /// Origin: `page` or `api` with an address, or `terminal`.
    pub origin: &'a str,
}

/// A request to be recorded.
#[derive(Debug, Clone)]
pub struct AuditRequest<'a> {
    /// The action.
    pub action: AuditAction,
    /// Its tenant.
    pub tenant: Option<&'a TenantId>,
    /// Its flow.
    pub flow: Option<&'a FlowId>,
    /// Its subject: a plan, a record, a digest.
    pub subject: Option<String>,
    /// The reason, or further detail.
    pub detail: Option<String>,
}

impl<'a> AuditRequest<'a> {
    /// A request about the whole deployment.
    pub fn plain(action: AuditAction) -> Self {
        Self { action, tenant: None, flow: None, subject: None, detail: None }
    }

    /// A request about a flow.
    pub fn of(action: AuditAction, tenant: &'a TenantId, flow: &'a FlowId) -> Self {
        Self { tenant: Some(tenant), flow: Some(flow), ..Self::plain(action) }
    }

    /// Adds the subject: a plan, a record or a digest.
    #[must_use]
    pub fn on(mut self, subject: impl ToString) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    /// Adds a reason.
    #[must_use]
    pub fn with_detail(mut self, detail: Option<String>) -> Self {
        self.detail = detail;
        self
    }
}

/// The row as first written.
pub fn row(clock: &dyn Clock, actor: Actor<'_>, asking: AuditRequest<'_>) -> AuditRow {
    let at = clock.now();
    AuditRow {
        id: next_audit_id(at),
        at,
        who: actor.who.to_owned(),
        role: if actor.role == Role::Operator { "operator" } else { VIEWER }.to_owned(),
        origin: actor.origin.to_owned(),
        action: asking.action,
        tenant: asking.tenant.cloned(),
        flow: asking.flow.cloned(),
        subject: asking.subject,
        detail: asking.detail,
        outcome: BEGUN.to_owned(),
    }
}

/// Carries out an authorised request and records its outcome: `outcome` names it, unless the request fails.
pub async fn recorded<T>(
    store: &Database,
    mut row: AuditRow,
    work: impl Future<Output = Result<T, Report>>,
    outcome: impl FnOnce(&T) -> String,
) -> Result<T, Report> {
    store.audit_put(&row).await?;
    let result = work.await;
    row.outcome = result.as_ref().map_or_else(|report| report.code().to_owned(), outcome);
    let written: Result<(), StoreError> = store.audit_put(&row).await;
    match written {
        // The caller gets the request's own error; the log keeps `begun`.
        Err(error) if result.is_err() => tracing::error!(%error, "the audit log could not be written"),
        written => written?,
    }
    result
}

/// Deletes the rows from before a moment that changed nothing: access denied to a viewer, and viewers' logins.
pub async fn delete_idle(store: &Database, before: DateTime<Utc>) -> Result<(), StoreError> {
    let idle = IdleAudit { before, outcome: FORBIDDEN, role: VIEWER, action: &AuditAction::SessionBegin };
    store.audit_delete_idle(&idle).await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use chrono::TimeDelta;
    use ruzhi_message::exit;
    use ruzhi_model::{FixedClock, SystemClock, Text};
    use ruzhi_store::{Access, Database};

    const WANG: Actor<'_> = Actor { who: "wang", role: Role::Operator, origin: "terminal" };

    async fn rows(store: &Database) -> Vec<(AuditAction, String)> {
        let rows = store.audit_list(None, None, 10).await.unwrap();
        rows.into_iter().map(|row| (row.action, row.outcome)).collect()
    }

    #[tokio::test]
    async fn what_is_asked_is_written_down_before_it_is_done_and_again_after() {
        let folder = tempfile::tempdir().unwrap();
        let store = Database::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
        let asked = || row(&SystemClock, WANG, AuditRequest::plain(AuditAction::PlanReject).on("p1"));
        let begun = async { Ok(rows(&store).await) };
        let seen = recorded(&store, asked(), begun, |_| DONE.to_owned()).await.unwrap();
        assert_eq!(seen, [(AuditAction::PlanReject, BEGUN.to_owned())]);
        let failing =
            async { Err::<(), _>(Report::new(exit::FAILED, "plan.state", Text::new("no", "否"), None)) };
        recorded(&store, asked(), failing, |()| DONE.to_owned()).await.unwrap_err();
        let outcomes: Vec<String> = rows(&store).await.into_iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(outcomes, ["plan.state", DONE], "newest first");
    }

    #[tokio::test]
    async fn what_cannot_be_written_down_is_not_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ruzhi.db");
        let store = Database::open(&path, Access::Write).await.unwrap();
        let other = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        sqlx::query("DROP TABLE audit").execute(&other).await.unwrap();
        let done = Cell::new(false);
        let work = async {
            done.set(true);
            Ok(())
        };
        let asked = row(&SystemClock, WANG, AuditRequest::plain(AuditAction::QuarantineReveal));
        assert!(recorded(&store, asked, work, |()| DONE.to_owned()).await.is_err());
        assert!(!done.get());
    }

    #[tokio::test]
    async fn what_changed_nothing_is_forgotten_after_a_while_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Database::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
        let now: DateTime<Utc> = "2026-05-01T08:00:00Z".parse().unwrap();
        let clock = FixedClock(now);
        for (who, role, action, outcome) in [
            ("viewer", Role::Viewer, "plan.approve", "access.forbidden"),
            ("viewer", Role::Viewer, "session.begin", "done"),
            ("operator", Role::Operator, "session.begin", "done"),
            ("operator", Role::Operator, "plan.approve", "done"),
            ("operator", Role::Operator, "plan.reject", "plan.state"),
        ] {
            let mut row = row(
                &clock,
                Actor { who, role, origin: "page -" },
                AuditRequest::plain(action.parse().unwrap()),
            );
            row.outcome = outcome.to_owned();
            store.audit_put(&row).await.unwrap();
        }
        let left = async || -> Vec<String> {
            let rows = store.audit_list(None, None, 10).await.unwrap();
            rows.into_iter().map(|row| format!("{} {}", row.action, row.outcome)).collect()
        };
        delete_idle(&store, now).await.unwrap();
        assert_eq!(left().await.len(), 5);
        delete_idle(&store, now + TimeDelta::milliseconds(1)).await.unwrap();
        assert_eq!(left().await, ["plan.reject plan.state", "plan.approve done", "session.begin done"]);
    }
}
