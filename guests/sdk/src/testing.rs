//! Generators for the property tests of several modules.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON value, often with the keys of JianDaoYun's objects.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        "[0-9,;\\[\\]{}. \u{ff0c}-]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![
            Just("phone"),
            Just("username"),
            Just("dept_no"),
            Just("id"),
            Just("province"),
            Just("detail"),
            Just("attrs"),
            Just("name"),
            Just("type"),
            Just("text"),
            Just("value"),
            Just("web"),
            Just("external_attr"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}
