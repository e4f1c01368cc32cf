//! The cost of a push before its sender is verified.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::FutureExt as _;

use super::super::jiandaoyun::LARGEST_PUSH;
use super::super::limits::WebhookLimits;
use super::super::outcome::{PushOutcome, PushRejection};
use super::jiandaoyun::Push;
use super::{Running, now};

/// A body that never arrives.
fn silent() -> Body {
    Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>())
}

/// A body that sends this many bytes and then stalls.
fn stalling(bytes: usize) -> Body {
    use futures::StreamExt as _;
    let first = futures::stream::once(async move { Ok::<_, std::io::Error>(vec![b' '; bytes]) });
    Body::from_stream(first.chain(futures::stream::pending()))
}

fn request(body: Body) -> Request<Body> {
    Request::post("/").body(body).unwrap()
}

#[tokio::test]
async fn what_cannot_be_signed_is_refused_before_its_body_is_read() {
    let running = Running::start().await;
    let push = Push::update();
    let signature = push.signature();
    let signed = |query: &str, signature: &str, body: Body| {
        let request = Request::post(format!("/hooks/jiandaoyun/north/onboarding?{query}"));
        request.header("X-JDY-Signature", signature).body(body).unwrap()
    };
    let good = format!("nonce=2af421&timestamp={}", push.timestamp);
    for (query, signature) in [
        ("", signature.as_str()),
        ("nonce=2af421", &signature),
        ("nonce=2af421&timestamp=now", &signature),
        ("nonce=&timestamp=1777622400", &signature),
        ("nonce=2a%3Af421&timestamp=1777622400", &signature),
        (&good, ""),
        (&good, "sha1="),
        (&good, "0123456789"),
        (&good, &"z".repeat(40)),
    ] {
        // The answer comes although the body never arrives, so it is not waited for.
        let answered = running.answer(signed(query, signature, silent())).now_or_never();
        assert_eq!(answered.map(|(status, _)| status), Some(StatusCode::UNAUTHORIZED), "{query} {signature}");
    }
    let callback = Request::post("/hooks/wecom/north?msg_signature=00&timestamp=1&nonce=1").body(silent());
    let answered = running.answer(callback.unwrap()).now_or_never();
    assert_eq!(answered.map(|(status, _)| status), Some(StatusCode::UNAUTHORIZED));
    tokio::time::pause();
    let late = running.receive(signed(&good, &signature, silent())).await;
    assert_eq!(late, PushOutcome::Rejected(PushRejection::Late));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_large_bodies_are_in_memory_and_small_ones_pass_by() {
    let gate = std::sync::Arc::new(WebhookLimits::default());
    let large = || request(stalling(1 << 20));
    let stalled: Vec<_> = (0..16)
        .map(|_| {
            let gate = std::sync::Arc::clone(&gate);
            tokio::spawn(async move { gate.body(large(), LARGEST_PUSH).await.map(|_| ()) })
        })
        .collect();
    tokio::task::yield_now().await;
    let one_more = gate.body(large(), LARGEST_PUSH).await.map(|_| ());
    assert_eq!(one_more, Err(PushRejection::Busy));
    let small = gate.body(request(Body::from(vec![b' '; 32 << 10])), LARGEST_PUSH).await.unwrap();
    assert_eq!(small.bytes.len(), 32 << 10);
    for stalled in stalled {
        assert_eq!(stalled.await.unwrap(), Err(PushRejection::Late));
    }
    let room = gate.body(request(Body::from(vec![b' '; 1 << 20])), LARGEST_PUSH).await;
    assert_eq!(room.unwrap().bytes.len(), 1 << 20, "what was given up is free again");
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_unread() {
    let gate = WebhookLimits::default();
    let refused = gate.body(request(Body::from(vec![b' '; 11])), 10).now_or_never();
    assert_eq!(refused.map(|refused| refused.map(|_| ())), Some(Err(PushRejection::TooLarge)));
    let unsaid = gate.body(request(stalling(11)), 10).now_or_never();
    assert_eq!(unsaid.map(|refused| refused.map(|_| ())), Some(Err(PushRejection::TooLarge)));
}

#[test]
fn a_flood_of_refusals_does_not_flood_the_log_nor_hide_what_is_late() {
    let gate = WebhookLimits::default();
    assert_eq!((0..10_000).filter(|_| gate.reports_rejection(now()).is_some()).count(), 30);
    assert_eq!(gate.says_late(now()), Some(0));
}
