//! Over loopback: the data on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;

use super::super::{ApiVersion, FormClient, FormClientSettings, FormError, FormRow, RowQuery};
use super::{KEY, clock, form, settings};
use ruzhi_http::rate::loopback::{ENDLESS, Loopback, bomb, json};
use ruzhi_model::FixedClock;

async fn read(client: &FormClient) -> Result<Vec<FormRow>, FormError> {
    client.page(&form(ApiVersion::V5), &RowQuery::default(), None).await
}

#[tokio::test]
async fn the_key_is_in_a_header_and_any_base_leads_to_the_api() {
    let wire = Loopback::serve(|_| Some(json(200, r#"{"data":[{"_id":"aa"}]}"#))).await;
    for (base, prefix) in [("", ""), ("/", ""), ("/api", ""), ("/api/", ""), ("/jdy/", "/jdy")] {
        let (client, connections) = (
            FormClient::new(settings(&format!("{}{base}", wire.url())), clock()).unwrap(),
            wire.connections(),
        );
        assert_eq!(read(&client).await.unwrap().len(), 1);
        assert_eq!(read(&client).await.unwrap().len(), 1);
        assert_eq!(wire.connections(), connections + 1);
        let sent = wire.seen().pop().unwrap();
        assert_eq!(sent.line, format!("POST {prefix}/api/v5/app/entry/data/list"));
        assert_eq!(sent.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert_eq!(sent.header("content-type"), Some("application/json;charset=utf-8"));
        assert_eq!(sent.header("user-agent"), Some("ruzhi/0.1"));
    }
}

#[tokio::test]
async fn a_page_that_breaks_off_is_asked_for_again() {
    let calls = AtomicUsize::new(0);
    let wire = Loopback::serve(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => {
            Some(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 900\r\n\r\n{\"data\":[]}".to_vec())
        }
        1 => None,
        _ => Some(json(200, r#"{"data":[{"_id":"aa"}]}"#)),
    })
    .await;
    let client = FormClient::new(settings(&wire.url()), clock()).unwrap();
    assert_eq!(read(&client).await.unwrap().len(), 1);
    assert_eq!(wire.seen().len(), 3);
}

#[tokio::test]
async fn a_compressed_page_is_read() {
    /// `{"data":[{"_id":"aa"},{"_id":"ab"}]}`
    const GZIP: &[u8] = &[
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 73, 44, 73, 84, 178, 138, 174, 86, 138, 207, 76, 81,
        178, 82, 74, 76, 84, 170, 213, 129, 115, 146, 148, 106, 99, 107, 1, 7, 55, 98, 55, 36, 0, 0, 0,
    ];
    let wire = Loopback::serve(|_| {
        let length = GZIP.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
        Some([head.as_bytes(), GZIP].concat())
    })
    .await;
    assert_eq!(read(&FormClient::new(settings(&wire.url()), clock()).unwrap()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_answer_without_end_is_given_up_and_the_same_is_not_asked_again() {
    for answer in [bomb(), ENDLESS.to_vec()] {
        let wire = Loopback::serve(move |_| Some(answer.clone())).await;
        let client = FormClient::new(settings(&wire.url()), clock()).unwrap();
        let error = read(&client).await.unwrap_err();
        assert_eq!(error.code(), "jiandaoyun.too_large");
        assert!(error.explain().en.contains("larger than 16 MiB"), "{:?}", error.explain());
        let error = client.widgets(&form(ApiVersion::V5)).await.unwrap_err();
        assert_eq!(error.code(), "jiandaoyun.too_large");
        let asked: Vec<_> = wire.seen().into_iter().map(|request| request.body).collect();
        assert_eq!(asked.len(), 5);
        assert!((1..asked.len()).all(|at| asked[at] != asked[at - 1]), "{asked:?}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused_without_showing_the_key() {
    let mut broken = settings("https://h");
    broken.api_key = "line\nbreak".into();
    for settings in [broken, settings("ftp://h")] {
        let shown = format!("{settings:?}");
        assert!(!shown.contains(KEY) && !shown.contains("line"), "{shown}");
        let error = FormClient::new(settings, clock()).map(drop).unwrap_err();
        assert_eq!(error.code(), "jiandaoyun.settings");
        assert!(!format!("{error:?}").contains("line"));
    }
}

#[tokio::test]
async fn calls_go_through_the_tenants_proxy_and_its_password_is_shown_nowhere() {
    let proxy = Loopback::serve(|_| Some(json(200, r#"{"data":[]}"#))).await;
    let through = |proxy: &str| FormClientSettings {
        proxy: Some(proxy.parse().unwrap()),
        ..settings("http://jiandaoyun.invalid")
    };
    let client = FormClient::new(through(&proxy.url()), Arc::new(FixedClock(DateTime::UNIX_EPOCH))).unwrap();
    assert_eq!(read(&client).await.unwrap(), []);
    assert!(proxy.seen()[0].line.starts_with("POST http://jiandaoyun.invalid/api/v5/"), "{:?}", proxy.seen());
    let shown = format!("{:?}", through("http://user:a-proxy-password@127.0.0.1:1"));
    assert!(!shown.contains("a-proxy-password"), "{shown}");
}

#[tokio::test]
async fn the_services_clock_is_seen_in_its_own_answers_alone() {
    let dated = |date: &str, answer: Vec<u8>| {
        let text = String::from_utf8(answer).unwrap();
        text.replacen("\r\n", &format!("\r\ndate: {date}\r\n"), 1).into_bytes()
    };
    let count = AtomicUsize::new(0);
    let wire = Loopback::serve(move |_| {
        Some(match count.fetch_add(1, Ordering::Relaxed) {
            0 => dated("Fri, 01 May 2026 09:00:00 GMT", json(502, "<html>")),
            1 => dated("Fri, 01 May 2026 08:30:00 GMT", json(200, r#"{"data":[]}"#)),
            _ => dated("yesterday", json(200, r#"{"data":[]}"#)),
        })
    })
    .await;
    let here = "2026-05-01T08:00:00Z".parse().unwrap();
    let client = FormClient::new(settings(&wire.url()), Arc::new(FixedClock(here))).unwrap();
    let began = std::time::Instant::now();
    assert_eq!(client.service_clock(began), None);
    read(&client).await.unwrap();
    let sighting = client.service_clock(began).unwrap();
    assert_eq!(sighting.ahead().num_minutes(), 30, "a gateway's error page tells nothing");
    let later = std::time::Instant::now();
    read(&client).await.unwrap();
    assert_eq!(client.service_clock(later), None, "what is no date tells nothing");
}
