//! A push of JianDaoYun: a row, its change, and a signature over the bytes.

use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};

use super::{OutboxKnobs, PushTo};
use crate::clock::iso_ms;

/// A change of a row.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(super) op: &'static str,
    pub(super) about: String,
    body: Value,
}

impl Event {
    /// A row was written; `row` is all of it.
    pub(crate) fn written(id: &str, is_new: bool, row: Map<String, Value>, form: &str, now_ms: u64) -> Self {
        let op = if is_new { "data_create" } else { "data_update" };
        let mut data = row;
        data.insert("formName".to_owned(), form.into());
        data.insert("deleter".to_owned(), Value::Null);
        data.insert("deleteTime".to_owned(), Value::Null);
        Self { op, about: id.to_owned(), body: json!({ "op": op, "opTime": now_ms, "data": data }) }
    }

    /// A row was deleted.
    pub(crate) fn removed(id: &str, app_id: &str, entry_id: &str, form: &str, now_ms: u64) -> Self {
        let op = "data_remove";
        let data = json!({
            "_id": id, "appId": app_id, "entryId": entry_id, "formName": form, "deleteTime": iso_ms(now_ms),
            "deleter": { "name": "人事", "username": "hr", "status": 1, "type": 0, "departments": [1] },
        });
        Self { op, about: id.to_owned(), body: json!({ "op": op, "opTime": now_ms, "data": data }) }
    }

    /// A person pressed the button that tests the connection.
    pub(super) fn test() -> Self {
        Self { op: "data_test", about: String::new(), body: json!({ "op": "data_test", "data": {} }) }
    }
}

/// A push, with its repetitions.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    pub(super) app_id: String,
    pub(super) entry_id: String,
    url: String,
    secret: Option<String>,
    body: Vec<u8>,
}

/// The request of one attempt.
pub(super) struct Posted {
    pub(super) url: reqwest::Url,
    pub(super) delivery: String,
    pub(super) signature: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Push {
    pub(super) fn of(to: &PushTo, event: &Event) -> Self {
        Self {
            app_id: to.app_id.clone(),
            entry_id: to.entry_id.clone(),
            url: to.url.clone(),
            secret: to.secret.clone(),
            body: event.body.to_string().into_bytes(),
        }
    }

    /// The request at this moment. Each attempt is signed anew; the name of the delivery stays.
    pub(super) fn posted(&self, number: u64, nonce: u64, now_s: i64, knobs: &OutboxKnobs) -> Option<Posted> {
        let (nonce, timestamp) = (format!("{:06x}", nonce & 0x00ff_ffff), (now_s - knobs.age_s).to_string());
        let mut url = reqwest::Url::parse(&self.url).ok()?;
        url.query_pairs_mut().append_pair("nonce", &nonce).append_pair("timestamp", &timestamp);
        let secret = self.secret.as_deref().filter(|_| !knobs.unsigned);
        let signature = secret.map(|secret| {
            let secret = if knobs.bad_signature { "another secret" } else { secret };
            let mut hash = Sha1::new();
            hash.update(format!("{nonce}:"));
            hash.update(&self.body);
            hash.update(format!(":{secret}:{timestamp}"));
            hex::encode(hash.finalize())
        });
        Some(Posted { url, delivery: format!("{number:024x}"), signature, body: self.body.clone() })
    }
}
