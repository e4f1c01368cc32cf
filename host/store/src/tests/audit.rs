//! The order of the audit log and of the runs, also in a store from before ids were UUIDs.

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::journal::run_row;
use super::*;
use crate::{AuditAction, AuditRow, RunFilter, RunRow};
use ruzhi_model::{AuditId, RunId};

/// Rows with ids of the earlier kinds: of 07:00, and two of the millisecond of [`now`].
const OLD: [(&str, &str, i64); 3] = [
    ("001777618800000-0000000000-8f00", "r20260501T070000000-8f0000", -60),
    ("001777622400000-0000000001-00aa", "r20260501T080000000-00aaaa", 0),
    ("001777622400000-0000000002-0011", "r20260501T080000000-bb0011", 0),
];

/// Rows of today's kind. The first is of the same millisecond as the last two old ones, and of the last two the clock
/// had been set back: their ids are greater than their times say.
const NEW: [(&str, i64); 4] = [
    ("019de28d-3c00-7000-8000-000000000001", 0),
    ("019de28d-3c00-7000-8000-000000000002", 0),
    ("019de28d-3c00-7000-8000-000000000003", -30),
    ("019de28d-3c00-7000-8000-000000000004", -90),
];

fn at(minutes: i64) -> DateTime<Utc> {
    now() + chrono::TimeDelta::minutes(minutes)
}

/// A store as the version before left it.
async fn older(path: &std::path::Path) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::migrate!("src/migrations").run_to(15, &pool).await.unwrap();
    for (row, run, minutes) in OLD {
        sqlx::query(
            "INSERT INTO audit (id, at, who, role, origin, action, outcome) \
             VALUES ($1, $2, 'wang', 'operator', 'terminal', 'flow.pause', 'done')",
        )
        .bind(row)
        .bind(at(minutes).timestamp_millis())
        .execute(&pool)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO run (tenant, flow, id, kind, state, started_at, counts, calls) \
             VALUES ('here', 'onboarding', $1, 'sync', 'done', $2, $3, '{}')",
        )
        .bind(run)
        .bind(at(minutes).timestamp_millis())
        .bind(serde_json::to_string(&ruzhi_plan::Counts::default()).unwrap())
        .execute(&pool)
        .await
        .unwrap();
    }
    pool.close().await;
}

fn audit_row(id: &str, at: DateTime<Utc>) -> AuditRow {
    AuditRow {
        id: id.parse().unwrap(),
        at,
        who: "wang".to_owned(),
        role: "operator".to_owned(),
        origin: "terminal".to_owned(),
        action: AuditAction::FlowPause,
        tenant: None,
        flow: None,
        subject: None,
        detail: None,
        outcome: "done".to_owned(),
    }
}

/// The audit rows of all pages of this size.
async fn audit_pages(store: &Database, most: u32) -> Vec<(DateTime<Utc>, AuditId)> {
    let mut all: Vec<(DateTime<Utc>, AuditId)> = Vec::new();
    loop {
        let before = all.last().map(|(at, id)| (*at, id));
        let page = store.audit_list(None, before, most).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.into_iter().map(|row| (row.at, row.id)));
    }
}

/// The runs of all pages of this size.
async fn run_pages(store: &Database, most: u32) -> Vec<(DateTime<Utc>, RunId)> {
    let mut all: Vec<(DateTime<Utc>, RunId)> = Vec::new();
    loop {
        let before = all.last().map(|(at, id)| (*at, id));
        let page = store.runs_list(&RunFilter { before, most, ..RunFilter::default() }).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.into_iter().map(|row| (row.started_at, row.id)));
    }
}

#[tokio::test]
async fn lists_of_older_and_newer_ids_are_in_order_of_time_on_pages_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ruzhi.db");
    older(&path).await;
    let store = Database::open(&path, Access::Write).await.unwrap();
    for (id, minutes) in NEW {
        store.audit_put(&audit_row(id, at(minutes))).await.unwrap();
        store.run_put(&RunRow { started_at: at(minutes), ..run_row(id) }).await.unwrap();
    }
    let audit = audit_pages(&store, 100).await;
    let runs = run_pages(&store, 100).await;
    let times = [0, 0, 0, 0, -30, -60, -90].map(at);
    assert_eq!(audit.iter().map(|(at, _)| *at).collect::<Vec<_>>(), times);
    assert_eq!(runs.iter().map(|(at, _)| *at).collect::<Vec<_>>(), times);
    // Rows of one kind and one millisecond are in the order in which they were made.
    for kind in [&["019de28d-3c00-7000-8000-000000000002", NEW[0].0][..], &[OLD[2].0, OLD[1].0]] {
        let made: Vec<&str> =
            audit.iter().map(|(_, id)| id.as_str()).filter(|id| kind.contains(id)).collect();
        assert_eq!(made, kind);
    }
    for most in 1..=8 {
        assert_eq!(audit_pages(&store, most).await, audit, "pages of {most}");
        assert_eq!(run_pages(&store, most).await, runs, "pages of {most}");
    }
}
