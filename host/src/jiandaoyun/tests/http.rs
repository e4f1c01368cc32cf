//! Over loopback: what goes over the wire.

use super::super::{Api, Client, Error, Query, Row};
use super::{KEY, clock, form, settings};
use crate::rate::loopback::{Loopback, json};

async fn read(client: &Client) -> Result<Vec<Row>, Error> {
    client.page(&form(Api::V5), &Query::default(), None).await
}

#[tokio::test]
async fn the_key_is_in_a_header_and_any_base_leads_to_the_api() {
    let wire = Loopback::serve(|_| Some(json(200, r#"{"data":[{"_id":"aa"}]}"#))).await;
    for (base, prefix) in [("", ""), ("/", ""), ("/api", ""), ("/api/", ""), ("/jdy/", "/jdy")] {
        let (client, connections) =
            (Client::new(settings(&format!("{}{base}", wire.url())), clock()).unwrap(), wire.connections());
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
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let wire = Loopback::serve(move |_| match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => {
            Some(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 900\r\n\r\n{\"data\":[]}".to_vec())
        }
        1 => None,
        _ => Some(json(200, r#"{"data":[{"_id":"aa"}]}"#)),
    })
    .await;
    let client = Client::new(settings(&wire.url()), clock()).unwrap();
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
    assert_eq!(read(&Client::new(settings(&wire.url()), clock()).unwrap()).await.unwrap().len(), 2);
}

#[test]
fn settings_that_cannot_work_are_refused_without_showing_the_key() {
    let mut broken = settings("https://h");
    broken.api_key = "line\nbreak".into();
    for settings in [broken, settings("ftp://h")] {
        let shown = format!("{settings:?}");
        assert!(!shown.contains(KEY) && !shown.contains("line"), "{shown}");
        let error = Client::new(settings, clock()).map(drop).unwrap_err();
        assert_eq!(error.code(), "jiandaoyun.settings");
        assert!(!format!("{error:?}").contains("line"));
    }
}
