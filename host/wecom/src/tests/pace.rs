//! Rates: windows, rests after 45009, fewer calls in flight after 45033.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, sleep};

use super::super::{MemberWrite, RateLimits, Rates, WecomClient, WriteVerdict};
use super::script::{CannedWecomReply, WecomScript, code, ok};
use super::{client, client_sharing, client_with, now, userid, zhang};

const DONE: WriteVerdict = WriteVerdict::Done { created_departments: vec![] };

async fn create(client: &WecomClient) -> WriteVerdict {
    client.write(MemberWrite::Create { userid: &userid("E0001"), body: &zhang() }).await.verdict
}

async fn many(client: &WecomClient, count: usize) -> Vec<WriteVerdict> {
    let mut writes = JoinSet::new();
    for _ in 0..count {
        let client = client.clone();
        writes.spawn(async move { create(&client).await });
    }
    writes.join_all().await
}

fn throttled() -> CannedWecomReply {
    code(45009, "api freq out of limit")
}

#[tokio::test(start_paused = true)]
async fn three_thousand_writes_take_no_longer_than_the_limit_asks() {
    let script = WecomScript::with_latency(Duration::from_millis(20)).always("user/create", ok());
    let limits = RateLimits { per_minute: 1000, ..RateLimits::default() };
    let client = client_with(&script, limits);
    let begin = Instant::now();
    assert_eq!(many(&client, 3000).await, vec![DONE; 3000]);
    // Two full minutes, then the last thousand's own time: 4 in flight, 20 ms each.
    let optimum = Duration::from_secs(125);
    assert!(begin.elapsed() <= optimum.mul_f64(1.05), "{:?}", begin.elapsed());
    let sent = script.seen("user/create");
    assert_eq!(sent.len(), 3000);
    assert!(sent.windows(1001).all(|span| span[1000].at - span[0].at >= Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_in_flight_than_allowed() {
    let script = WecomScript::with_latency(Duration::from_millis(100)).always("user/create", ok());
    many(&client(&script), 40).await;
    let sent = script.seen("user/create");
    assert!(sent.windows(5).all(|span| span[4].at - span[0].at >= Duration::from_millis(100)));
    assert!(sent[39].at <= Duration::from_millis(1100), "{:?}", sent[39].at);
}

#[tokio::test(start_paused = true)]
async fn a_hit_limit_rests_the_whole_api_for_a_minute_and_no_other() {
    let script = WecomScript::new()
        .on("user/create", vec![throttled(); 4])
        .always("user/create", ok())
        .always("user/delete", ok());
    let client = client(&script);
    let writes = {
        let client = client.clone();
        tokio::spawn(async move { many(&client, 20).await })
    };
    sleep(Duration::from_secs(1)).await;
    assert_eq!(client.write(MemberWrite::Delete { userid: &userid("E1") }).await.verdict, DONE);
    assert_eq!(writes.await.unwrap(), vec![DONE; 20]);
    // The four calls in flight together caused one rest, not four.
    let sent = script.seen("user/create");
    assert_eq!(sent.len(), 24);
    assert!(sent[3].at < Duration::from_secs(1) && sent[4].at >= Duration::from_secs(60));
    assert!(sent[23].at < Duration::from_secs(63));
    assert!(script.seen("user/delete")[0].at < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_lifts_after_three_rests_delays_only() {
    let script = WecomScript::new().on("user/create", [throttled(), throttled(), throttled(), ok()]);
    let begin = Instant::now();
    assert_eq!(create(&client(&script)).await, DONE);
    assert_eq!(begin.elapsed().as_secs(), 180);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_does_not_lift_parks_the_api_for_an_hour() {
    let script = WecomScript::new().on("user/create", vec![throttled(); 4]).always("user/create", ok());
    let client = client(&script);
    let until = now() + TimeDelta::hours(1);
    assert_eq!(create(&client).await, WriteVerdict::Parked { until });
    let begin = Instant::now();
    assert_eq!(create(&client).await, WriteVerdict::Parked { until });
    assert_eq!((begin.elapsed(), script.seen("user/create").len()), (Duration::ZERO, 4));
    advance(Duration::from_secs(3600)).await;
    assert_eq!(create(&client).await, DONE);
}

#[tokio::test(start_paused = true)]
async fn a_create_in_doubt_that_is_parked_stays_in_doubt() {
    let script =
        WecomScript::new().on("user/create", [CannedWecomReply::Lost]).always("user/create", throttled());
    assert_eq!(create(&client(&script)).await, WriteVerdict::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_is_waited_out_twenty_times_beside_the_other_retries() {
    let crowded = code(45033, "concurrent limit");
    let mut answers = vec![crowded.clone(); 20];
    answers.extend([code(-1, "busy"), CannedWecomReply::Lost, code(-1, "busy"), ok()]);
    assert_eq!(create(&client(&WecomScript::new().on("user/create", answers))).await, DONE);
    let script = WecomScript::new().always("user/create", crowded);
    assert_eq!(create(&client(&script)).await, WriteVerdict::Busy { errcode: Some(45033) });
    assert_eq!(script.seen("user/create").len(), 21);
}

#[tokio::test(start_paused = true)]
async fn after_a_crowd_half_as_many_calls_are_in_flight() {
    let script = WecomScript::with_latency(Duration::from_millis(100))
        .on("user/create", vec![code(45033, "crowded"); 4])
        .always("user/create", ok());
    many(&client(&script), 40).await;
    let sent = script.seen("user/create");
    assert_eq!(sent.len(), 44);
    let after = &sent[4..];
    assert!(after.windows(3).all(|span| span[2].at - span[0].at >= Duration::from_millis(100)));
}

#[tokio::test(start_paused = true)]
async fn two_clients_of_one_corp_obey_one_window_together_and_count_their_own_calls() {
    let script = WecomScript::with_latency(Duration::from_millis(20)).always("user/create", ok());
    let rates = Rates::new(RateLimits { per_minute: 100, ..RateLimits::default() });
    let (one, other) = (client_sharing(&script, &rates), client_sharing(&script, &rates));
    let (ones, others) = tokio::join!(many(&one, 120), many(&other, 90));
    assert_eq!((ones, others), (vec![DONE; 120], vec![DONE; 90]));
    let sent = script.seen("user/create");
    assert!(sent.windows(101).all(|span| span[100].at - span[0].at >= Duration::from_secs(60)));
    // Concurrent calls: four, of both together.
    assert!(sent.windows(5).all(|span| span[4].at - span[0].at >= Duration::from_millis(20)));
    assert_eq!((one.calls()["user/create"], other.calls()["user/create"]), (120, 90));
    assert_eq!((one.calls()["gettoken"], other.calls()["gettoken"]), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_one_client_hits_rests_the_api_for_every_client_of_the_corp() {
    let (hit, free) = (WecomScript::new(), WecomScript::new().always("user/create", ok()));
    let hit = hit.on("user/create", vec![throttled(); 4]);
    let rates = Rates::new(RateLimits::default());
    let (one, other) = (client_sharing(&hit, &rates), client_sharing(&free, &rates));
    let until = now() + TimeDelta::hours(1);
    assert_eq!(create(&one).await, WriteVerdict::Parked { until });
    assert_eq!(create(&other).await, WriteVerdict::Parked { until });
    assert_eq!(free.seen("user/create").len(), 0);
    assert_eq!(other.calls(), [].into());
    advance(Duration::from_secs(3600)).await;
    assert_eq!(create(&other).await, DONE);
    // Another corp is unaffected.
    assert_eq!(create(&client(&free)).await, DONE);
}
