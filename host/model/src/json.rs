//! JSON compared as JSON: neither the order of keys nor the spelling of a number is a difference.

use serde_json::{Map, Number, Value};

/// The value with each whole number in one spelling: `1.0` is `1`. Two values with the same meaning are equal then.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(fields) => {
            // Sorts the keys, whatever order the map keeps.
            let sorted: std::collections::BTreeMap<&String, &Value> = fields.iter().collect();
            let fields: Map<String, Value> =
                sorted.into_iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
            Value::Object(fields)
        }
        other => other.clone(),
    }
}

/// True if two values have the same meaning.
pub fn same(one: &Value, other: &Value) -> bool {
    one == other || canonical(one) == canonical(other)
}

/// The value of a JSON text, in its canonical form; a text that is not valid JSON stands for itself.
pub fn canonical_text(text: &str) -> Value {
    serde_json::from_str(text).map_or_else(|_| Value::String(text.to_owned()), |value| canonical(&value))
}

#[expect(clippy::cast_possible_truncation, reason = "whole, and checked to fit")]
fn whole(number: &Number) -> Option<Number> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() <= MOST).then(|| Number::from(float as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn neither_order_nor_spelling_is_a_difference() {
        for (one, other) in [
            (r#"{"a":1,"b":[1.0,{"c":2e3}]}"#, r#"{ "b": [1, {"c": 2000}], "a": 1.00 }"#),
            (
                r#"{"attrs":[{"type":0,"name":"工号","text":{"value":"7"}}]}"#,
                r#"{"attrs":[{"name":"\u5de5\u53f7","text":{"value":"7"},"type":0.0}]}"#,
            ),
            ("-0.0", "0"),
        ] {
            assert_eq!(canonical_text(one), canonical_text(other), "{one} {other}");
        }
        for (one, other) in [
            ("1", "1.5"),
            (r#""1""#, "1"),
            ("[1,2]", "[2,1]"),
            ("null", r#"{"a":null}"#),
            ("no json", "no json!"),
        ] {
            assert_ne!(canonical_text(one), canonical_text(other), "{one} {other}");
        }
        assert!(same(&json!({"a": 1.0}), &json!({"a": 1})) && !same(&json!(0.1), &json!(0)));
    }

    proptest! {
        #[test]
        fn a_canonical_value_is_canonical(number in any::<f64>(), whole in any::<i64>(), text in ".{0,8}") {
            let once = canonical(&json!({"a": [number, whole, text]}));
            prop_assert_eq!(canonical(&once), once);
            // A fraction may be read with another last digit than it was written with.
            let exact = canonical(&json!({"b": text, "a": whole}));
            prop_assert_eq!(canonical_text(&exact.to_string()), exact);
        }
    }
}
