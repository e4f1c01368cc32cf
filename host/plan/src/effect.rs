//! The effect of a decision on the directory.
//!
//! Two decisions with the same effect change no member, however they are written: with keys in another order, with a
//! field empty that is empty anyway, with an invitation for someone who is already there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::body;
use ruzhi_model::{LedgerEntry, Member, json as comparable};

/// The directory's values for a member once a decision is carried out, field by field, in a form in which equal effects
/// are equal; `entry` is the ledger's line of the member. Empty fields are left out.
pub fn effect(entry: Option<&LedgerEntry>, member: &Member) -> BTreeMap<String, Value> {
    let written = entry.filter(|entry| entry.exists()).map(|entry| &entry.written);
    let target = written.map_or_else(|| member.clone(), |written| body::merged(written, member));
    let mut effect = BTreeMap::new();
    let mut put = |field: &str, value: Value| drop(effect.insert(field.to_owned(), value));
    match written {
        // WeCom compares accounts without case, and an existing one keeps its own.
        Some(_) => put("userid", json!(member.userid.to_ascii_lowercase())),
        None => {
            put("userid", json!(member.userid));
            if member.to_invite == Some(true) {
                put("to_invite", json!(true));
            }
        }
    }
    let before: BTreeMap<&str, Option<&str>> = written.map(body::texts).into_iter().flatten().collect();
    for (field, value) in body::texts(&target) {
        let value = value.filter(|value| !value.is_empty());
        let kept = || before.get(field).copied().flatten().filter(|_| body::cannot_be_empty(field));
        if let Some(value) = value.or_else(kept).filter(|value| !value.is_empty()) {
            put(field, json!(value));
        }
    }
    if !target.memberships.is_empty() {
        put("memberships", json!(target.memberships));
    }
    if let Some(main) = target.main_department {
        put("main_department", json!(main));
    }
    let leaders = target.direct_leader.unwrap_or_default();
    if !leaders.is_empty() {
        put("direct_leader", leaders.iter().map(|leader| leader.to_ascii_lowercase()).collect());
    }
    if target.enable == Some(false) {
        put("enable", json!(false));
    }
    for (field, text) in &target.extra {
        put(field, attributes_by_name(field, comparable::canonical_text(text)));
    }
    effect
}

/// An attribute of a member is identified by its name: their order does not matter.
fn attributes_by_name(field: &str, mut value: Value) -> Value {
    if field == "extattr"
        && let Some(attributes) = value.get_mut("attrs").and_then(Value::as_array_mut)
    {
        attributes.sort_by_key(|attribute| attribute.get("name").map(Value::to_string));
    }
    value
}
