//! Who changed what, and who asked to see what is masked.
//!
//! What is asked for is written down before it is done, with `begun` for an outcome, and again once it is known: a row
//! that stays `begun` is of something whose end nobody saw, and nothing is ever done that is not in the log. It makes no
//! difference where it is asked: on a page, over the API or at a terminal.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use ruzhi_config::Role;
use ruzhi_message::Failure;
use ruzhi_model::{Clock, FlowId, TenantId};
use ruzhi_store::{AuditRow, Store, StoreError};

/// The outcome of what is not known to have ended.
pub const BEGUN: &str = "begun";
/// The outcome of what was done.
pub const DONE: &str = "done";
/// The outcome of a run whose plan the guard holds.
pub const HELD: &str = "held";

/// Digits of each part of a row's id: its moment in milliseconds, its place among the rows of the process, chance.
pub const ID_PARTS: [usize; 3] = [15, 10, 4];

/// The person who asks.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// What the log calls them.
    pub who: &'a str,
    /// What they may do.
    pub role: Role,
    /// Where they ask: `page` or `api` with an address, or `terminal`.
    pub origin: &'a str,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// In a word, such as `plan.approve`.
    pub action: &'static str,
    /// In which tenant.
    pub tenant: Option<&'a TenantId>,
    /// In which flow.
    pub flow: Option<&'a FlowId>,
    /// To what: a plan, a record, a digest.
    pub subject: Option<String>,
    /// Their reason, or what else there is to say.
    pub detail: Option<String>,
}

impl<'a> Asking<'a> {
    /// Something asked of the whole deployment.
    pub fn plain(action: &'static str) -> Self {
        Self { action, tenant: None, flow: None, subject: None, detail: None }
    }

    /// Something asked of a flow.
    pub fn of(action: &'static str, tenant: &'a TenantId, flow: &'a FlowId) -> Self {
        Self { tenant: Some(tenant), flow: Some(flow), ..Self::plain(action) }
    }

    /// The same, of a plan, a record or a digest.
    #[must_use]
    pub fn on(mut self, subject: impl ToString) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    /// The same, with a reason.
    #[must_use]
    pub fn saying(mut self, detail: Option<String>) -> Self {
        self.detail = detail;
        self
    }
}

/// A row as it is written first.
pub fn row(clock: &dyn Clock, actor: Actor<'_>, asking: Asking<'_>) -> AuditRow {
    // Rows of one millisecond keep their order.
    static ROWS: AtomicU64 = AtomicU64::new(0);
    let at = clock.now();
    let place = ROWS.fetch_add(1, Ordering::Relaxed);
    AuditRow {
        id: id(at, place, rand::random()),
        at,
        who: actor.who.to_owned(),
        role: if actor.role == Role::Operator { "operator" } else { "viewer" }.to_owned(),
        origin: actor.origin.to_owned(),
        action: asking.action.to_owned(),
        tenant: asking.tenant.cloned(),
        flow: asking.flow.cloned(),
        subject: asking.subject,
        detail: asking.detail,
        outcome: BEGUN.to_owned(),
    }
}

/// Does what was asked for by who may ask it, and writes down what came of it: `outcome` says what, where nothing failed.
pub async fn recorded<T>(
    store: &dyn Store,
    mut row: AuditRow,
    work: impl Future<Output = Result<T, Failure>>,
    outcome: impl FnOnce(&T) -> String,
) -> Result<T, Failure> {
    store.put_audit(&row).await?;
    let result = work.await;
    row.outcome = result.as_ref().map_or_else(|failure| failure.code().to_owned(), outcome);
    let written: Result<(), StoreError> = store.put_audit(&row).await;
    match written {
        // What was asked for is what the answer is about; the log says `begun`.
        Err(error) if result.is_err() => tracing::error!(%error, "the audit log could not be written"),
        written => written?,
    }
    result
}

fn id(at: DateTime<Utc>, place: u64, chance: u16) -> String {
    let [moment, order, rest] = ID_PARTS;
    format!("{:0moment$}-{place:0order$}-{chance:0rest$x}", at.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use chrono::TimeDelta;
    use ruzhi_message::exit;
    use ruzhi_model::{FixedClock, SystemClock, Text};
    use ruzhi_store::{Access, Sqlite};

    const WANG: Actor<'_> = Actor { who: "wang", role: Role::Operator, origin: "terminal" };

    async fn rows(store: &Sqlite) -> Vec<(String, String)> {
        let rows = store.audit(None, None, 10).await.unwrap();
        rows.into_iter().map(|row| (row.action, row.outcome)).collect()
    }

    #[tokio::test]
    async fn what_is_asked_is_written_down_before_it_is_done_and_again_after() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
        let asked = || row(&SystemClock, WANG, Asking::plain("plan.reject").on("p1"));
        let begun = async { Ok(rows(&store).await) };
        let seen = recorded(&store, asked(), begun, |_| DONE.to_owned()).await.unwrap();
        assert_eq!(seen, [("plan.reject".to_owned(), BEGUN.to_owned())]);
        let failing =
            async { Err::<(), _>(Failure::new(exit::FAILED, "plan.state", Text::new("no", "否"), None)) };
        recorded(&store, asked(), failing, |()| DONE.to_owned()).await.unwrap_err();
        let outcomes: Vec<String> = rows(&store).await.into_iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(outcomes, ["plan.state", DONE], "newest first");
    }

    #[tokio::test]
    async fn what_cannot_be_written_down_is_not_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ruzhi.db");
        let store = Sqlite::open(&path, Access::Write).await.unwrap();
        let other = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        sqlx::query("DROP TABLE audit").execute(&other).await.unwrap();
        let done = Cell::new(false);
        let work = async {
            done.set(true);
            Ok(())
        };
        let asked = row(&SystemClock, WANG, Asking::plain("quarantine.reveal"));
        assert!(recorded(&store, asked, work, |()| DONE.to_owned()).await.is_err());
        assert!(!done.get());
    }

    #[tokio::test]
    async fn what_changed_nothing_is_forgotten_after_a_while_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
        let now: DateTime<Utc> = "2026-05-01T08:00:00Z".parse().unwrap();
        let clock = FixedClock(now);
        for (who, role, action, outcome) in [
            ("viewer", Role::Viewer, "plan.approve", "access.forbidden"),
            ("viewer", Role::Viewer, "session.begin", "done"),
            ("operator", Role::Operator, "session.begin", "done"),
            ("operator", Role::Operator, "plan.approve", "done"),
            ("operator", Role::Operator, "plan.reject", "plan.state"),
        ] {
            let mut row = row(&clock, Actor { who, role, origin: "page -" }, Asking::plain(action));
            row.outcome = outcome.to_owned();
            store.put_audit(&row).await.unwrap();
        }
        let left = async || -> Vec<String> {
            let rows = store.audit(None, None, 10).await.unwrap();
            rows.into_iter().map(|row| format!("{} {}", row.action, row.outcome)).collect()
        };
        store.forget_idle_audit(now).await.unwrap();
        assert_eq!(left().await.len(), 5);
        store.forget_idle_audit(now + TimeDelta::milliseconds(1)).await.unwrap();
        assert_eq!(left().await, ["plan.reject plan.state", "plan.approve done", "session.begin done"]);
    }
}
