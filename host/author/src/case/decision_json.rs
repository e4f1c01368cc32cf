//! The decision format of case files: `{"upsert": {…}, "notes": […]}`.

use ruzhi_guest::contract;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ruzhi_model::{Decision, Member, Outcome, Text, Violation, json};

/// Exactly one of the first four is present.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upsert: Option<Box<Member>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leave: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignore: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reject: Option<Vec<Violation>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holds_until: Option<String>,
}

impl DecisionJson {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let mut written = Self {
            notes: outcome.notes.clone(),
            holds_until: outcome.holds_until.clone(),
            ..Self::default()
        };
        match outcome.decision.clone() {
            Decision::Upsert(member) => written.upsert = Some(member),
            Decision::Leave(userid) => written.leave = Some(userid),
            Decision::Ignore(reason) => written.ignore = Some(reason),
            Decision::Reject(violations) => written.reject = Some(violations),
        }
        written
    }

    /// Reads a decision; an unknown key is an error.
    pub(super) fn read(value: &Value) -> Result<Outcome, Text> {
        let written: Self = serde_json::from_value(value.clone()).map_err(|e| {
            let reason = e.to_string();
            Text::new(reason.clone(), reason)
        })?;
        let again = serde_json::to_value(&written).unwrap_or_default();
        if let Some(key) = unknown(value, &again) {
            return Err(Text::new(
                format!("`{key}` is no field of the contract"),
                format!("`{key}` 不是契约中的字段"),
            ));
        }
        let Self { upsert, leave, ignore, reject, notes, holds_until } = written;
        let decision = match (upsert, leave, ignore, reject) {
            (Some(member), None, None, None) => Decision::Upsert(member),
            (None, Some(userid), None, None) => Decision::Leave(userid),
            (None, None, Some(reason), None) => Decision::Ignore(reason),
            (None, None, None, Some(mut violations)) => {
                // A case of contract 0.1 has one string for both languages.
                for Violation { message, .. } in
                    violations.iter_mut().filter(|v| v.message.zh == v.message.en)
                {
                    *message = contract::Text::joined(&message.zh);
                }
                Decision::Reject(violations)
            }
            _ => {
                return Err(Text::new(
                    "give exactly one of `upsert`, `leave`, `ignore`, `reject`",
                    "请在 `upsert`、`leave`、`ignore`、`reject` 中恰好给出一个",
                ));
            }
        };
        Ok(Outcome { decision, notes, holds_until })
    }

    /// In the order of the contract's fields, indented by two spaces per level.
    pub(super) fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// An outcome in comparable form: `extra` sorted by field name, with parsed JSON.
pub(super) fn comparable(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    if let Decision::Upsert(member) = &mut outcome.decision {
        for (_, text) in &mut member.extra {
            *text = json::canonical_text(text).to_string();
        }
        member.extra.sort();
    }
    outcome
}

/// The decisions as the value of a case's `decisions`.
pub(super) fn list(outcomes: &[Outcome]) -> String {
    let written: Vec<DecisionJson> = outcomes.iter().map(DecisionJson::of).collect();
    serde_json::to_string_pretty(&written).unwrap_or_default().replace('\n', "\n  ")
}

/// A key lost in reading. The contract's types ignore unknown keys and omit empty values.
fn unknown(written: &Value, read: &Value) -> Option<String> {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            written.iter().find_map(|(key, value)| match read.get(key) {
                Some(read) => unknown(value, read),
                None if value.is_null() || value.as_array().is_some_and(Vec::is_empty) => None,
                None => Some(key.clone()),
            })
        }
        (Value::Array(written), Value::Array(read)) => {
            written.iter().zip(read).find_map(|(written, read)| unknown(written, read))
        }
        _ => None,
    }
}
