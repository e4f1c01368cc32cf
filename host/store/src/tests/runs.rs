//! Runs, and which of them changed a member.

use std::collections::BTreeMap;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::*;
use crate::{RunCause, RunKind, RunRow, RunState};
use ruzhi_plan::Counts;

fn run(id: &str, kind: RunKind, counts: Counts) -> RunRow {
    RunRow {
        tenant: tenant("here"),
        flow: flow(),
        id: id.parse().unwrap(),
        kind,
        cause: Some(RunCause::CutOff),
        state: RunState::Done,
        started_at: now(),
        ended_at: Some(now()),
        plan: None,
        rules: None,
        counts,
        calls: BTreeMap::new(),
        problem: None,
        failure: None,
    }
}

/// Runs that changed a member, and runs that did not.
fn runs() -> [RunRow; 6] {
    let unchanged = Counts { unchanged: 7, rejected: 1, adopted: 2, ..Counts::default() };
    [
        run("r1", RunKind::Sync, unchanged),
        run("r2", RunKind::Sync, Counts { created: 1, ..unchanged }),
        run("r3", RunKind::Apply, Counts { deleted: 10, ..unchanged }),
        // A plan counts what it would change.
        run("r4", RunKind::Plan, Counts { updated: 3, ..unchanged }),
        run("r5", RunKind::Drift, unchanged),
        run("r6", RunKind::Sync, Counts { enabled: 1, ..unchanged }),
    ]
}

async fn changed(store: &Database) -> Vec<RunRow> {
    let mut changed = Vec::new();
    store.runs_visit_changed(None, None, now(), &mut |run| changed.push(run)).await.unwrap();
    changed
}

#[tokio::test]
async fn of_all_runs_only_those_that_changed_a_member_are_visited() {
    let Opened { store, folder: _folder } = open().await;
    let [r1, r2, r3, r4, r5, r6] = runs();
    for run in [&r1, &r2, &r3, &r4, &r5, &r6] {
        // A run is stored when it begins, without any count.
        store.run_put(&RunRow { counts: Counts::default(), ..run.clone() }).await.unwrap();
    }
    assert_eq!(changed(&store).await, []);
    for run in [&r1, &r2, &r3, &r4, &r5, &r6] {
        store.run_put(run).await.unwrap();
    }
    assert_eq!(changed(&store).await, [r2, r3, r6]);
}

#[tokio::test]
async fn runs_of_an_older_file_are_told_apart_in_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ruzhi.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::migrate!("src/migrations").run_to(12, &pool).await.unwrap();
    let runs = runs();
    for run in &runs {
        sqlx::query(
            "INSERT INTO run (tenant, flow, id, kind, state, started_at, ended_at, counts, calls) \
             VALUES ('here', 'onboarding', $1, $2, 'done', $3, $3, $4, '{}')",
        )
        .bind(run.id.as_str())
        .bind(run.kind.as_str())
        .bind(now().timestamp_millis())
        .bind(serde_json::to_string(&run.counts).unwrap())
        .execute(&pool)
        .await
        .unwrap();
    }
    pool.close().await;
    let store = Database::open(&path, Access::Write).await.unwrap();
    let [_, r2, r3, _, _, r6] = runs.map(|run| RunRow { cause: None, ..run });
    assert_eq!(changed(&store).await, [r2, r3, r6]);
}
