//! Behaviour of the whole client: over a scripted wire where time advances only while a task waits, and over loopback
//! for tests of the wire itself.

mod csv;
mod csv_job;
mod http;
mod pace;
mod read;
mod script;
mod token;
mod write;

use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{RateLimits, Rates, WecomClient, WecomClientSettings, WecomError, WecomFailure, WriteVerdict};
use ruzhi_model::{FixedClock, UserId};

const SECRET: &str = "the-corp-secret-of-the-sync-assistant-00001";

fn now() -> DateTime<Utc> {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

fn settings(base_url: &str) -> WecomClientSettings {
    WecomClientSettings {
        quit: CancellationToken::new(),
        base_url: base_url.parse().unwrap(),
        corp_id: "ww0123456789abcdef".to_owned(),
        secret: SECRET.into(),
        proxy: None,
    }
}

fn client(script: &script::WecomScript) -> WecomClient {
    client_with(script, RateLimits::default())
}

fn client_with(script: &script::WecomScript, limits: RateLimits) -> WecomClient {
    client_sharing(script, &Rates::new(limits))
}

fn client_sharing(script: &script::WecomScript, rates: &Rates) -> WecomClient {
    let settings = settings("https://wecom.invalid");
    WecomClient::over(Box::new(script.clone()), settings, rates.clone(), Arc::new(FixedClock(now())), 1)
        .unwrap()
}

fn userid(text: &str) -> UserId {
    text.parse().unwrap()
}

/// The verdict on a code that may concern one member or the tenant.
fn unsure(api: &'static str, who: &str, errcode: i64, errmsg: &str) -> WriteVerdict {
    let failure = WecomFailure::Rejected { errcode, errmsg: errmsg.to_owned(), from_ip: None };
    WriteVerdict::Unsure { errcode, error: WecomError::Write { api, userid: userid(who), failure } }
}

fn zhang() -> Map<String, Value> {
    match json!({ "userid": "e0001", "name": "张三", "mobile": "13800138000", "department": [1, 2, 3] }) {
        Value::Object(body) => body,
        other => panic!("{other}"),
    }
}
