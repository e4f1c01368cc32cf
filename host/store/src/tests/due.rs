//! Decisions that expire at a moment.

use chrono::TimeDelta;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::*;
use crate::{Absence, DueRecord, HoldsUntil};
use ruzhi_model::FlowId;

fn until(n: u32, at: DateTime<Utc>, stated: bool) -> RecordRow {
    RecordRow { holds_until: Some(HoldsUntil { at, stated }), ..row(n, upsert("a", "13800000001")) }
}

async fn due(opened: &Opened, at: DateTime<Utc>, stated: bool, after: Option<&DueRecord>) -> Vec<DueRecord> {
    opened.store.records_list_due(&tenant("here"), &flow(), at, stated, after, 2).await.unwrap()
}

fn ids(due: &[DueRecord]) -> Vec<String> {
    due.iter().map(|due| due.row.record.id.clone()).collect()
}

#[tokio::test]
async fn what_is_due_is_given_page_by_page_and_once_it_is_decided_no_more() {
    let opened = open().await;
    let here = tenant("here");
    let later = |seconds| now() + TimeDelta::seconds(seconds);
    let rows = [
        until(1, later(9), true),
        until(2, later(5), true),
        until(3, later(5), true),
        until(4, later(5), false),
        until(5, later(1), true),
        row(6, upsert("a", "13800000001")),
    ];
    opened.store.records_put(&here, &flow(), &rows).await.unwrap();
    opened.store.records_put(&tenant("there"), &flow(), &rows).await.unwrap();
    assert_eq!(opened.store.records_next_due(&here, &flow()).await.unwrap(), Some(later(1)));
    assert_eq!(due(&opened, now(), true, None).await, []);
    let first = due(&opened, later(5), true, None).await;
    assert_eq!(ids(&first), [id(5).as_str(), id(2).as_str()], "those that are due longest come first");
    let second = due(&opened, later(5), true, first.last()).await;
    assert_eq!(ids(&second), [id(3).as_str()], "of one moment each is given once");
    assert_eq!(due(&opened, later(5), true, second.last()).await, []);
    assert_eq!(ids(&due(&opened, later(5), false, None).await), [id(4).as_str()]);

    // Decided again, gone from the form, or failed: none of them is due.
    let failed =
        RecordRow { holds_until: None, ..row(2, Resolution::Failed("the guest trapped".to_owned())) };
    opened.store.records_put(&here, &flow(), &[until(5, later(100), true), failed]).await.unwrap();
    opened.store.records_mark_absent(&here, &flow(), Absence::Gone, &[id(3)]).await.unwrap();
    assert_eq!(ids(&due(&opened, later(50), true, None).await), [id(1).as_str()]);
    assert_eq!(opened.store.records_next_due(&here, &flow()).await.unwrap(), Some(later(9)));
    assert_eq!(opened.store.records_next_due(&tenant("there"), &flow()).await.unwrap(), Some(later(1)));
    assert_eq!(
        opened.store.records_next_due(&here, &"other".parse::<FlowId>().unwrap()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_process_is_woken_by_what_rules_told_and_by_no_end_of_a_day() {
    let opened = open().await;
    let here = tenant("here");
    opened.store.records_put(&here, &flow(), &[until(1, now(), false)]).await.unwrap();
    assert_eq!(opened.store.records_next_due(&here, &flow()).await.unwrap(), None);
    assert_eq!(ids(&due(&opened, now(), false, None).await), [id(1).as_str()]);
}

#[tokio::test]
async fn another_zone_makes_every_decision_stale() {
    let opened = open().await;
    let here = tenant("here");
    opened.store.records_put(&here, &flow(), &[row(1, upsert("a", "13800000001"))]).await.unwrap();
    let later = now() + TimeDelta::seconds(1);
    let stale = async |zone: &str| {
        let rules = Digest::of("rules");
        opened.store.records_list_stale((&here, &flow()), &rules, zone, later, None, 10).await.unwrap().len()
    };
    assert_eq!((stale("Asia/Shanghai").await, stale("Asia/Tokyo").await), (0, 1));
}

/// If nothing is due, the database must not read the records themselves.
#[tokio::test]
async fn what_is_due_is_found_by_its_index() {
    let opened = open().await;
    let options = SqliteConnectOptions::new().filename(opened.folder.path().join("ruzhi.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    for question in [
        "SELECT id, content FROM record WHERE tenant = 'a' AND flow = 'b' AND stated = 1 AND absent = 0 \
         AND holds_until IS NOT NULL AND holds_until <= 5 AND (holds_until, id) > (0, '') \
         ORDER BY holds_until, id LIMIT 9",
        "SELECT MIN(holds_until) FROM record WHERE tenant = 'a' AND flow = 'b' AND stated = 1 AND absent = 0 \
         AND holds_until IS NOT NULL",
    ] {
        let steps = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}")));
        let steps = steps.fetch_all(&pool).await.unwrap();
        let plan: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        assert!(plan.iter().any(|step| step.contains("USING") && step.contains("record_due")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
