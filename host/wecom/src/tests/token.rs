//! The token: shared by all, renewed in time, never requested needlessly.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};

use super::super::{MemberWrite, WriteVerdict};
use super::script::{CannedWecomReply, WecomScript, code, ok};
use super::{client, userid, zhang};

const DONE: WriteVerdict = WriteVerdict::Done { created_departments: vec![] };

async fn write(client: &super::WecomClient) -> WriteVerdict {
    client.write(MemberWrite::Update { userid: &userid("E0001"), body: &zhang() }).await.verdict
}

async fn fifty_at_once(client: &super::WecomClient) -> Vec<WriteVerdict> {
    let mut writes = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        writes.spawn(async move { write(&client).await });
    }
    writes.join_all().await
}

#[tokio::test(start_paused = true)]
async fn fifty_writes_at_once_share_one_token() {
    let script = WecomScript::new().always("user/update", ok());
    let verdicts = fifty_at_once(&client(&script)).await;
    assert_eq!(verdicts, vec![DONE; 50]);
    let tokens = script.seen("gettoken");
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].query["corpid"], "ww0123456789abcdef");
    assert_eq!(tokens[0].query["corpsecret"], super::SECRET);
    let used: Vec<_> =
        script.seen("user/update").iter().map(|sent| sent.query["access_token"].clone()).collect();
    assert_eq!(used, ["TOKEN-1"; 50]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_shortly_before_it_expires() {
    for (life, kept) in [(7200, 6900), (100, 90)] {
        let token = json!({ "errcode": 0, "access_token": "FIRST", "expires_in": life });
        let script = WecomScript::with_latency(Duration::ZERO)
            .always("user/update", ok())
            .on("gettoken", [CannedWecomReply::Json(token)]);
        let client = client(&script);
        let begin = Instant::now();
        assert_eq!(write(&client).await, DONE);
        advance(Duration::from_secs(kept - 1) - begin.elapsed()).await;
        assert_eq!(write(&client).await, DONE);
        assert_eq!(script.seen("gettoken").len(), 1);
        advance(Duration::from_secs(1)).await;
        assert_eq!(write(&client).await, DONE);
        assert_eq!(script.seen("gettoken").len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_no_longer_good_is_replaced_once_for_all_and_the_call_made_again() {
    for errcode in [40014, 42001] {
        let expired = vec![code(errcode, "expired"); 4];
        let script = WecomScript::new().on("user/update", expired).always("user/update", ok());
        let verdicts = fifty_at_once(&client(&script)).await;
        assert_eq!(verdicts, vec![DONE; 50]);
        assert_eq!(script.seen("gettoken").len(), 2);
        assert_eq!(script.seen("user/update")[4].query["access_token"], "TOKEN-2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_asks_for_a_fresh_token_at_most_twice() {
    let script = WecomScript::new().always("user/update", code(40014, "invalid access_token"));
    assert_eq!(write(&client(&script)).await, WriteVerdict::Busy { errcode: Some(40014) });
    assert_eq!((script.seen("gettoken").len(), script.seen("user/update").len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_credential_on_a_call_is_asked_once_more_with_a_fresh_token() {
    let script = WecomScript::new().on("user/update", [code(40001, "stale"), ok()]);
    assert_eq!(write(&client(&script)).await, DONE);
    assert_eq!(script.seen("gettoken").len(), 2);
    let script = WecomScript::new().always("user/update", code(40001, "invalid credential"));
    assert!(
        matches!(write(&client(&script)).await, WriteVerdict::Stopped(error) if error.code() == "wecom.40001")
    );
    assert_eq!(script.seen("user/update").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_secret_is_never_sent_again() {
    for errcode in [40001, 40013, 40091, 41004, 987_654] {
        let script = WecomScript::new().always("gettoken", code(errcode, "no"));
        let client = client(&script);
        for verdict in fifty_at_once(&client).await {
            assert!(
                matches!(verdict, WriteVerdict::Stopped(error) if error.code() == format!("wecom.{errcode}"))
            );
        }
        assert_eq!(client.check().await.unwrap_err().code(), format!("wecom.{errcode}"));
        assert_eq!((script.seen("gettoken").len(), script.seen("user/update").len()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_shared_by_those_who_waited_and_asked_again_by_the_next() {
    let script =
        WecomScript::new().on("gettoken", vec![CannedWecomReply::Lost; 4]).always("user/update", ok());
    let client = client(&script);
    let verdicts = fifty_at_once(&client).await;
    // Only callers with a place among the calls in flight waited for that fetch; the next ones fetched again.
    assert_eq!(
        verdicts.iter().filter(|verdict| **verdict == WriteVerdict::Busy { errcode: None }).count(),
        4
    );
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == DONE).count(), 46);
    assert_eq!(script.seen("gettoken").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_token_stops() {
    let script = WecomScript::new()
        .always("gettoken", CannedWecomReply::Json(json!({ "errcode": 0, "errmsg": "ok" })));
    assert!(
        matches!(write(&client(&script)).await, WriteVerdict::Stopped(error) if error.code() == "wecom.shape")
    );
}
