//! The stored form of a row, and the rows that are not given to any rules.
//!
//! Anyone who can fill in the form can enter anything, and every row is stored, hashed, shown and searched. So a field
//! and a row have a maximum length. WeCom takes 128 characters of the longest field, so a longer row does not describe
//! a member. It is not cut silently: rules might turn a part of a text into another account or another department. It
//! goes to quarantine, its field is named, and its member stays as it is until the row is shortened in the form.
//!
//! The beginning of a field that is too long is kept, so that people recognise it, and enough of it that it is still
//! too long. So the stored row leads to the same rejection as the fetched one, whenever it is decided again.

use ruzhi_guest::contract::{self, Violation};
use serde_json::{Map, Value};

/// The maximum length of a field, in bytes of JSON.
pub const FIELD: usize = 64 << 10;
/// The maximum length of a row, in bytes of JSON.
pub const ROW: usize = 256 << 10;
/// Replaces all fields of a row that is too large to be read. No form has such a field.
pub const UNREAD: &str = "_unread";

/// The row as it is stored and as rules see it: its id, and its fields as far as they are not too long.
pub fn kept(id: &str, mut fields: Map<String, Value>) -> String {
    let mut kept = Map::new();
    if fields.remove(UNREAD) == Some(Value::Bool(true)) {
        kept.insert(UNREAD.to_owned(), Value::Bool(true));
    } else {
        let mut length = 0;
        for (field, value) in fields {
            // The field that makes the row too long is kept, so that it still is.
            if length > ROW {
                break;
            }
            let value = shortened(value);
            length += json(&value) + field.len();
            kept.insert(field, value);
        }
    }
    kept.insert("_id".to_owned(), Value::String(id.to_owned()));
    Value::Object(kept).to_string()
}

/// The reason a stored row is not given to the rules; none if it is.
pub fn violations(row: &str) -> Option<Vec<Violation>> {
    if row.len() <= FIELD && !row.contains(UNREAD) {
        return None;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(row) else { return None };
    if fields.get(UNREAD) == Some(&Value::Bool(true)) {
        return Some(vec![violation(
            "_id",
            "row.unread",
            "the row is so large that it cannot be read. Shorten its texts in the form",
            "该行内容过大，无法读取。请在表单中缩短其内容",
        )]);
    }
    let long = fields.iter().filter(|(_, value)| json(value) > FIELD);
    let mut violations: Vec<Violation> = long
        .map(|(field, _)| {
            violation(
                field,
                "field.too-long",
                &format!("the content is longer than {} KiB. Shorten it in the form", FIELD >> 10),
                &format!("内容超过 {} KiB，请在表单中缩短", FIELD >> 10),
            )
        })
        .collect();
    if violations.is_empty() && row.len() > ROW {
        violations.push(violation(
            "_id",
            "row.too-long",
            &format!("the row's fields are longer than {} KiB together. Shorten them in the form", ROW >> 10),
            &format!("该行各字段合计超过 {} KiB，请在表单中缩短", ROW >> 10),
        ));
    }
    (!violations.is_empty()).then_some(violations)
}

fn violation(field: &str, rule: &str, en: &str, zh: &str) -> Violation {
    Violation { field: field.to_owned(), rule: rule.to_owned(), message: contract::Text::new(zh, en) }
}

/// The value, or the beginning of its text that is longer than a field may be, and an ellipsis.
fn shortened(value: Value) -> Value {
    if json(&value) <= FIELD {
        return value;
    }
    let text = match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let mut length = 2;
    let beyond = |(at, c): (usize, char)| {
        length += escaped(c);
        (length > FIELD).then_some(at + c.len_utf8())
    };
    let end = text.char_indices().find_map(beyond).unwrap_or(text.len());
    Value::String(format!("{}…", text.get(..end).unwrap_or(&text)))
}

/// The length of a value as JSON.
fn json(value: &Value) -> usize {
    match value {
        Value::String(text) => 2 + text.chars().map(escaped).sum::<usize>(),
        other => other.to_string().len(),
    }
}

/// The length of a character in a JSON text.
fn escaped(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if u32::from(c) < 0x20 => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other}"),
        }
    }

    fn again(row: &str) -> String {
        let mut fields = fields(serde_json::from_str(row).unwrap());
        fields.remove("_id");
        kept("r1", fields)
    }

    fn rules(row: &str) -> Vec<(String, String)> {
        let violations = violations(row).unwrap_or_default();
        violations.into_iter().map(|violation| (violation.field, violation.rule)).collect()
    }

    fn at(field: &str, rule: &str) -> Vec<(String, String)> {
        vec![(field.to_owned(), rule.to_owned())]
    }

    #[test]
    fn a_row_within_the_limits_is_kept_as_it_is() {
        let row = kept("r1", fields(json!({"name": "张三\n", "note": "字".repeat(20_000)})));
        assert_eq!(row, json!({"_id": "r1", "name": "张三\n", "note": "字".repeat(20_000)}).to_string());
        assert_eq!(violations(&row), None);
        assert_eq!(violations(&kept("r1", fields(json!({"note": "_unread"})))), None);
    }

    #[test]
    fn a_field_that_is_too_long_is_named_and_its_beginning_kept() {
        for long in [
            json!("a".repeat(1_000_000)),
            json!("𠮷".repeat(1_000_000)),
            json!("\u{1}".repeat(1_000_000)),
            json!("…".repeat(FIELD)),
            json!(vec!["行"; 100_000]),
            json!({"a": {"b": "\"".repeat(FIELD)}}),
            json!("a".repeat(FIELD - 1)),
        ] {
            let row = kept("r1", fields(json!({"name": "张三", "note": long})));
            assert!(row.len() < FIELD + 100, "{}", row.len());
            assert_eq!(rules(&row), at("note", "field.too-long"));
            assert_eq!(again(&row), row, "what is kept is kept as it is");
        }
    }

    #[test]
    fn a_row_that_is_too_long_is_rejected_as_a_whole() {
        let many: Map<String, Value> =
            (0..500).map(|n| (format!("F{n:03}"), json!("字".repeat(10_000)))).collect();
        let row = kept("r1", many);
        assert!((ROW..ROW + FIELD).contains(&row.len()), "{}", row.len());
        assert_eq!(rules(&row), at("_id", "row.too-long"));
        assert!(row.contains("\"_id\":\"r1\""), "its id is there though other names come before");
        assert_eq!(again(&row), row);
    }

    #[test]
    fn a_row_that_was_not_read_is_rejected_and_holds_nothing() {
        let row = kept("r1", fields(json!({UNREAD: true, "updateTime": "2026-05-01T00:00:00.000Z"})));
        assert_eq!(row, r#"{"_id":"r1","_unread":true}"#);
        assert_eq!(rules(&row), at("_id", "row.unread"));
    }

    proptest! {
        #[test]
        fn the_length_is_that_of_the_json(text in any::<String>()) {
            prop_assert_eq!(json(&Value::String(text.clone())), Value::String(text).to_string().len());
        }
    }
}
