//! Feeds an arbitrary answer of JianDaoYun to every request. Time advances only while a task waits.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::json;

use super::transport::{Broken, Reply, Transport};
use super::{Api, Client, Error, Form, Query, Settings};
use ruzhi_model::{FixedClock, RecordId};

const KEY: &str = "the-key-of-the-company-that-no-message-holds";
/// The longest message: 200 characters from the service, in two languages, with our text around them.
const LONGEST: usize = 4_000;

/// A transport with one answer for everything.
struct Wire {
    status: u16,
    body: Vec<u8>,
}

#[async_trait]
impl Transport for Wire {
    async fn post(&self, _: &Url, _: &[u8]) -> Result<Reply, Broken> {
        Ok(Reply { status: self.status, body: self.body.clone(), date: None })
    }
}

/// Makes every request that ruzhi makes to JianDaoYun. Panics on a row without an id, or on an error unfit to be
/// displayed.
pub async fn answered(status: u16, body: &[u8], api: Api) {
    let settings = Settings {
        base_url: "https://jiandaoyun.invalid".parse().expect("an address"),
        api_key: KEY.into(),
        proxy: None,
        per_second: None,
    };
    let wire = Wire { status, body: body.to_owned() };
    let clock = Arc::new(FixedClock(chrono::DateTime::UNIX_EPOCH));
    let client = Client::over(Box::new(wire), settings, clock).expect("a client");
    let form = Form { api, app_id: "a".repeat(24), entry_id: "b".repeat(24) };
    let id: RecordId = "c".repeat(24).parse().expect("an id");
    match client.page(&form, &Query::default(), None).await {
        Ok(rows) => {
            for row in rows {
                assert_eq!(row.fields.get("_id").and_then(|id| id.as_str()), Some(row.id.as_str()));
            }
        }
        Err(error) => fit(&error),
    }
    client.row(&form, &id).await.map(drop).unwrap_or_else(|error| fit(&error));
    client
        .update(&form, &id, &[("state", json!("done"))])
        .await
        .map(drop)
        .unwrap_or_else(|error| fit(&error));
    client.widgets(&form).await.map(drop).unwrap_or_else(|error| fit(&error));
    client.sys_widgets(&form).await.map(drop).unwrap_or_else(|error| fit(&error));
}

fn fit(error: &Error) {
    let text = error.explain();
    for text in [&error.code(), &error.to_string(), &error.failure().to_string(), &text.en, &text.zh] {
        assert!(text.chars().count() <= LONGEST, "too long: {text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains(KEY), "{text}");
    }
}
