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

/// A row in each table that version 16 renames, as version 15 wrote it.
async fn before_the_new_words(path: &std::path::Path) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::migrate!("src/migrations").run_to(15, &pool).await.unwrap();
    let digest = Digest::of("decision");
    let violations =
        json!([{ "field": "name", "rule": "name.empty", "message": { "zh": "空", "en": "empty" } }]);
    let at = now().timestamp_millis();
    let alarm = |key: &str, kind: &str, page: &str, over: bool| {
        let over = over.then(now);
        json!({
            "key": key, "kind": kind, "tenant": "here", "flow": "onboarding",
            "text": { "en": "the key \"told_at\": is text", "zh": "“\"page\":\"/guests/” 是文字" }, "hint": null,
            "page": page, "since": now(), "last_seen": now(), "seen": 3, "told_at": now(), "over_at": over,
            "over_told_at": over,
        })
        .to_string()
    };
    let alarms = [
        ("leavers.refused/here/onboarding", "leavers.refused", "/tenants/here", false),
        ("files.refused", "files.refused", "/settings", true),
        ("alarms.refused/ab12", "alarms.refused", "/settings", false),
        ("rules.kept/here/onboarding", "rules.kept", "/guests/here/onboarding", false),
        // Raised again by the next look, for the tenant.
        ("drift.found/here/onboarding", "drift.found", "/drift/here", false),
    ];
    for (key, kind, page, over) in alarms {
        let query = sqlx::query("INSERT INTO alarm (key, alarm) VALUES ($1, $2)").bind(key);
        query.bind(alarm(key, kind, page, over)).execute(&pool).await.unwrap();
    }
    let refusal = sqlx::query(
        "INSERT INTO refusal (tenant, flow, record, refused_by, violations, errcode, decision_hash, rules, first_seen, \
         last_seen, held_by, waits_for, tries, retry_at) VALUES ('here', 'onboarding', $1, 'wecom', $2, 60104, $3, $3, \
         $4, $4, 'li.si', 'mobile', 2, $4)",
    );
    let refusal = refusal.bind(id(1).as_str().to_owned()).bind(violations.to_string());
    refusal.bind(digest.as_str().to_owned()).bind(at).execute(&pool).await.unwrap();
    for statement in [
        "INSERT INTO audit (id, at, who, role, origin, action, outcome) VALUES ('a1', $1, '李雷', 'operator', \
         'terminal', 'rules.roll_back', 'ok')",
        "INSERT INTO standing (tenant, flow, reached, failures, failed_at, paused, blocked) VALUES ('here', 'onboarding', \
         $1, 2, $1, NULL, NULL)",
        "INSERT INTO wake (tenant, flow, kind, at, times) VALUES ('here', 'onboarding', 'push', $1, 4)",
    ] {
        sqlx::query(statement).bind(at).execute(&pool).await.unwrap();
    }
    for (statement, text) in [
        (
            "INSERT INTO watermark (tenant, flow, reached, query, form, asked) VALUES ('here', 'onboarding', $1, $2, 'f', \
             $2)",
            digest.as_str(),
        ),
        (
            "INSERT INTO record (tenant, flow, id, content, content_hash, fetched_at, fetched_run, decided_at, rules, \
             decision, decision_hash, notes, kind, holds_until, told) VALUES ('here', 'onboarding', 'a1b2', '{}', $2, $1, \
             'r1', $1, $2, NULL, $2, '[]', 'ignore', $1, 1)",
            digest.as_str(),
        ),
    ] {
        sqlx::query(statement).bind(at).bind(text.to_owned()).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

#[tokio::test]
async fn a_store_from_before_its_tables_were_renamed_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ruzhi.db");
    before_the_new_words(&path).await;
    let opened = Opened { store: Database::open(&path, Access::Write).await.unwrap(), folder };
    let (store, here) = (&opened.store, tenant("here"));

    let alerts: Vec<_> = store
        .alerts_list()
        .await
        .unwrap()
        .into_iter()
        .map(|row| {
            assert_eq!(row.text.en, "the key \"told_at\": is text");
            assert_eq!(row.text.zh, "“\"page\":\"/guests/” 是文字");
            assert_eq!((row.notified_at, row.seen), (Some(now()), 3));
            assert_eq!(row.resolved_at, row.resolution_notified_at);
            (row.key, row.kind, row.page.unwrap(), row.resolved_at)
        })
        .collect();
    let alert = |key: &str, kind: &str, page: &str, resolved| {
        (key.to_owned(), kind.to_owned(), page.to_owned(), resolved)
    };
    assert_eq!(
        alerts,
        [
            alert("alerts.undelivered/ab12", "alerts.undelivered", "/settings", None),
            alert("config.invalid", "config.invalid", "/settings", Some(now())),
            alert("leavers.rejected/here/onboarding", "leavers.rejected", "/tenants/here", None),
            alert("rules.kept/here/onboarding", "rules.kept", "/rules/here/onboarding", None),
        ]
    );

    let quarantine = store.quarantine_list(Some(&here), None).await.unwrap();
    let [row] = quarantine.as_slice() else { panic!("{quarantine:?}") };
    assert_eq!((&row.record, row.first_seen, row.last_seen), (&id(1), now(), now()));
    assert_eq!(row.rejection.by, RejectedBy::Wecom);
    assert_eq!((row.rejection.errcode, row.rejection.tries), (Some(60104), 2));
    assert_eq!((row.rejection.waits_for, row.rejection.retry_at), (WaitsFor::Mobile, Some(now())));
    assert_eq!(row.rejection.held_by.as_ref().map(|holder| holder.as_str()), Some("li.si"));
    assert_eq!(row.rejection.violations[0].rule, "name.empty");

    let states = store.schedule_states_list().await.unwrap();
    let states: Vec<_> = states.iter().map(|row| (row.reached, row.failures, row.failed_at)).collect();
    assert_eq!(states, [(Some(now()), 2, Some(now()))]);
    let wakes = store.wakes_list().await.unwrap();
    assert_eq!(wakes.iter().map(|wake| (wake.at, wake.count)).collect::<Vec<_>>(), [(now(), 4)]);
    let watermark = store.watermark_find(&here, &flow()).await.unwrap().unwrap();
    assert_eq!((watermark.reached, watermark.unfinished_query), (now(), Some(Digest::of("decision"))));
    assert_eq!(store.records_next_due(&here, &flow()).await.unwrap(), Some(now()));
    let audit = store.audit_list(None, None, 10).await.unwrap();
    assert_eq!(
        audit.iter().map(|row| (row.at, row.action.as_str())).collect::<Vec<_>>(),
        [(now(), "rules.rollback")]
    );
}
