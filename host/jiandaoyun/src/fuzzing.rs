//! Feeds an arbitrary answer of JianDaoYun to every request. Time advances only while a task waits.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::json;

use super::client::{FormClient, FormClientSettings};
use super::error::FormError;
use super::form::{ApiVersion, FormAddress, RowQuery};
use super::transport::{FormReply, FormTransport, FormTransportError};
use ruzhi_model::{FixedClock, RecordId};

const KEY: &str = "the-key-of-the-company-that-no-message-holds";
/// The longest message: 200 characters from the service, in two languages, with our text around them.
const LONGEST: usize = 4_000;

/// A transport with one answer for everything.
struct FormWire {
    status: u16,
    body: Vec<u8>,
}

#[async_trait]
impl FormTransport for FormWire {
    async fn post(&self, _: &Url, _: &[u8]) -> Result<FormReply, FormTransportError> {
        Ok(FormReply { status: self.status, body: self.body.clone(), date: None })
    }
}

/// Makes every request that ruzhi makes to JianDaoYun. Panics on a row without an id, or on an error unfit to be
/// displayed.
pub async fn answered(status: u16, body: &[u8], api: ApiVersion) {
    let settings = FormClientSettings {
        base_url: "https://jiandaoyun.invalid".parse().expect("an address"),
        api_key: KEY.into(),
        proxy: None,
        per_second: None,
    };
    let wire = FormWire { status, body: body.to_owned() };
    let clock = Arc::new(FixedClock(chrono::DateTime::UNIX_EPOCH));
    let client = FormClient::over(Box::new(wire), settings, clock).expect("a client");
    let form = FormAddress { api, app_id: "a".repeat(24), entry_id: "b".repeat(24) };
    let id: RecordId = "c".repeat(24).parse().expect("an id");
    match client.page(&form, &RowQuery::default(), None).await {
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

fn fit(error: &FormError) {
    let text = error.explain();
    for text in [&error.code(), &error.to_string(), &error.failure().to_string(), &text.en, &text.zh] {
        assert!(text.chars().count() <= LONGEST, "too long: {text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains(KEY), "{text}");
    }
}
