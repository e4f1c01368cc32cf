//! The audit log.

use chrono::TimeDelta;

use super::{now, open};
use crate::audit::{Actor, Asking, row};
use crate::config::Role;
use crate::model::FixedClock;
use crate::store::Store as _;

#[tokio::test]
async fn what_changed_nothing_is_forgotten_after_a_while_and_nothing_else_is() {
    let opened = open().await;
    let clock = FixedClock(now());
    for (who, role, action, outcome) in [
        ("viewer", Role::Viewer, "plan.approve", "access.forbidden"),
        ("viewer", Role::Viewer, "session.begin", "done"),
        ("operator", Role::Operator, "session.begin", "done"),
        ("operator", Role::Operator, "plan.approve", "done"),
        ("operator", Role::Operator, "plan.reject", "plan.state"),
    ] {
        let mut row = row(&clock, Actor { who, role, origin: "page -" }, Asking::plain(action));
        row.outcome = outcome.to_owned();
        opened.store.put_audit(&row).await.unwrap();
    }
    let left = async || -> Vec<String> {
        let rows = opened.store.audit(None, None, 10).await.unwrap();
        rows.into_iter().map(|row| format!("{} {}", row.action, row.outcome)).collect()
    };
    opened.store.forget_idle_audit(now()).await.unwrap();
    assert_eq!(left().await.len(), 5);
    opened.store.forget_idle_audit(now() + TimeDelta::milliseconds(1)).await.unwrap();
    assert_eq!(left().await, ["plan.reject plan.state", "plan.approve done", "session.begin done"]);
}
