//! A store of the first version opens, and its operations in doubt are still understood.

use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::*;

/// A store as the first version left it: a record, a member, two operations in doubt.
async fn first_version(path: &std::path::Path) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::migrate!("src/migrations").run_to(1, &pool).await.unwrap();
    let hash = Digest::of("decision");
    let written = serde_json::to_string(&member("Zhang.San", "13800000001")).unwrap();
    let decision =
        serde_json::to_string(&Decision::Upsert(Box::new(member("Zhang.San", "13800000001")))).unwrap();
    sqlx::query(
        "INSERT INTO record (tenant, flow, id, content, content_hash, fetched_at, fetched_run, decided_at, rules, \
         decision, decision_hash, notes) VALUES ('here', 'onboarding', $1, '{}', $2, 0, 'r1', 0, $2, $3, $2, '[]')",
    )
    .bind(id(1).as_str())
    .bind(hash.as_str())
    .bind(decision)
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO member (tenant, member_key, userid, flow, record, written, state, doubtful, decision_hash, \
         rules, written_at) VALUES ('here', 'zhang.san', 'Zhang.San', 'onboarding', $1, $2, 'active', 0, $3, $3, 0)",
    )
    .bind(id(1).as_str())
    .bind(written)
    .bind(hash.as_str())
    .execute(&pool)
    .await
    .unwrap();
    for (place, kind, userid) in [(0, "create", "b"), (1, "update", "Zhang.San")] {
        let operation = json!({
            "kind": kind, "userid": userid, "flow": "onboarding", "record": id(1).as_str(), "wave": 3,
            "body": { "userid": userid, "position": "厂长" }, "member": member(userid, "13800000001"),
            "decision": hash.as_str(), "rules": hash.as_str(), "left": false
        });
        sqlx::query(
            "INSERT INTO operation (tenant, plan, place, flow, record, member_key, kind, operation, state, \
             planned_at, sent_at) VALUES ('here', 'p1', $1, 'onboarding', $2, $3, $4, $5, 'sending', 0, 0)",
        )
        .bind(place)
        .bind(id(1).as_str())
        .bind(MemberKey::of(userid).as_str())
        .bind(kind)
        .bind(operation.to_string())
        .execute(&pool)
        .await
        .unwrap();
    }
    sqlx::query(
        "INSERT INTO plan (tenant, id, flow, run, hash, state, guard, counts, owned, retry, made_at) \
         VALUES ('here', 'p1', 'onboarding', 'r1', $1, 'held', '{}', '{}', 1, 0, 0)",
    )
    .bind(hash.as_str())
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
}

#[tokio::test]
async fn a_store_of_the_first_version_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ruzhi.db");
    first_version(&path).await;
    let opened = Opened { store: Database::open(&path, Access::Write).await.unwrap(), folder };
    let here = tenant("here");

    let in_doubt = opened.store.operations_list_in_doubt(std::slice::from_ref(&here)).await.unwrap();
    let kinds: Vec<_> = in_doubt.iter().map(|doubt| doubt.operation.kind).collect();
    assert_eq!(kinds, [OperationKind::Create, OperationKind::Update]);
    for doubt in &in_doubt {
        assert_eq!(doubt.operation.before, None);
        assert!(!doubt.operation.undoes && doubt.operation.names.is_none());
        assert_eq!(doubt.operation.body["position"], "厂长");
    }

    let lines =
        opened.store.ledger_find(std::slice::from_ref(&here), &[MemberKey::of("zhang.san")]).await.unwrap();
    assert_eq!(lines[0].userid.as_str(), "Zhang.San");
    assert_eq!(lines[0].decided_as, MemberKey::of("zhang.san"));
    assert_eq!(lines[0].written, member("Zhang.San", "13800000001"));
    assert_eq!(lines[0].carried_out, Some(Digest::of("decision")));
    assert!(lines[0].kept.is_empty());

    // Every record is decided again, whatever its rules: only that fills the columns that plans are made from.
    let today = Digest::of("decision");
    let stale = opened
        .store
        .records_list_stale((&here, &flow()), &today, "Asia/Shanghai", now(), None, 10)
        .await
        .unwrap();
    assert_eq!(stale.iter().map(|row| row.record.id.as_str()).collect::<Vec<_>>(), [id(1).as_str()]);
    // A plan that waited was hashed by other rules: it is gone, not misread.
    assert!(opened.store.plan_find(&here, &"p1".parse().unwrap()).await.unwrap().is_none());
}
