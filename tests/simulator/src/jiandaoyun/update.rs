//! Writing one row. The given fields are replaced and no others. A value its field cannot take is silently emptied, and
//! a value for a field that cannot be written or does not exist is silently dropped. No validation, no formula, no push
//! unless the outbox is told to: a write through the API sends no notification.

use serde_json::{Map, Value, json};

use super::JianDaoYun;
use super::condition::moment;
use super::form::is_object_id;
use super::refusal::Refusal;
use super::route::Route;
use crate::clock::iso_ms;

/// A row that was written.
pub(super) struct Updated {
    pub(super) answer: Vec<u8>,
    /// The caller's mistakes.
    pub(super) faults: Vec<String>,
    pub(super) app_id: String,
    pub(super) entry_id: String,
    pub(super) data_id: String,
}

/// Takes from `body` every key the service knows.
pub(super) fn update(
    service: &mut JianDaoYun,
    route: &Route,
    key: &str,
    body: &mut Map<String, Value>,
    now_ms: u64,
) -> Result<Updated, Refusal> {
    let (app_id, entry_id) = route.form_ids(body)?;
    service.form(key, &app_id, &entry_id)?;
    let data_id = match body.remove("data_id") {
        Some(Value::String(id)) if is_object_id(&id) => id,
        other => return Err(Refusal::misunderstood(17017, format!("malformed data_id {other:?}"))),
    };
    let Some(Value::Object(data)) = body.remove("data") else {
        return Err(Refusal::misunderstood(17017, "data must be an object of {\"value\": …}"));
    };
    if let Some(other) = body.remove("is_start_trigger").filter(|value| !value.is_boolean()) {
        return Err(Refusal::misunderstood(
            17017,
            format!("is_start_trigger must be a boolean, not {other}"),
        ));
    }
    body.remove("transaction_id");
    let form = service.form_mut(&app_id, &entry_id).ok_or_else(|| Refusal::plain(3000))?;
    if form.row(&data_id).is_none() {
        return Err(Refusal::plain(4001));
    }
    let mut row = Map::from_iter([("_id".to_owned(), Value::String(data_id.clone()))]);
    let mut faults = Vec::new();
    for (name, wrapped) in data {
        let value = match wrapped {
            Value::Object(mut wrapped) if wrapped.contains_key("value") => {
                wrapped.remove("value").unwrap_or_default()
            }
            other => {
                return Err(Refusal::misunderstood(
                    17017,
                    format!("{name} must be {{\"value\": …}}, not {other}"),
                ));
            }
        };
        match form.written_kind(&name) {
            None => faults.push(format!("the form has no field {name} by this name")),
            Some(kind) => {
                let (stored, fits) = stored(&kind, value);
                if !fits {
                    faults.push(format!("{name} of type {kind} does not take the value and is emptied"));
                }
                row.insert(name, stored);
            }
        }
    }
    form.upsert(row, now_ms).map_err(|_| Refusal::plain(17017))?;
    form.touch(now_ms);
    let row = form.row(&data_id).ok_or_else(|| Refusal::plain(4001))?;
    let answer = json!({ "data": form.shown(row, None, route.version) });
    Ok(Updated { answer: answer.to_string().into_bytes(), faults, app_id, entry_id, data_id })
}

/// The part of a value that a field of this type keeps, and true if that is the whole value.
fn stored(kind: &str, value: Value) -> (Value, bool) {
    let empty = match kind {
        "number" | "datetime" | "user" | "dept" => Value::Null,
        "checkboxgroup" | "combocheck" | "usergroup" | "deptgroup" | "subform" | "image" | "upload" => {
            json!([])
        }
        "address" | "location" | "phone" => json!({}),
        _ => json!(""),
    };
    let kept = match (kind, value) {
        ("text" | "textarea" | "radiogroup" | "combo" | "richtext" | "lookup", value @ Value::String(_)) => {
            Some(value)
        }
        ("number", value @ Value::Number(_)) => Some(value),
        ("datetime", Value::String(text)) => moment(&text)
            .and_then(|moment| u64::try_from(moment.from_ms).ok())
            .map(|at| Value::String(iso_ms(at))),
        ("datetime", Value::Number(at)) => {
            at.as_u64().filter(|at| *at > 0).map(|at| Value::String(iso_ms(at)))
        }
        ("checkboxgroup" | "combocheck", Value::Array(items)) => {
            items.iter().all(Value::is_string).then_some(Value::Array(items))
        }
        ("address" | "location" | "phone", value @ Value::Object(_)) => Some(value),
        // Members, departments, files and subforms are not written by any caller yet.
        _ => None,
    };
    let fits = kept.is_some();
    (kept.unwrap_or(empty), fits)
}
