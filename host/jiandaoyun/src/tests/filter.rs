//! The filter in both spellings, and invalid filters.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::{FilterError, RowFilter};
use ruzhi_model::Lang;

fn since() -> Option<DateTime<Utc>> {
    Some("2026-05-01T08:00:00Z".parse().unwrap())
}

fn parse(value: &Value) -> RowFilter {
    RowFilter::parse(value).unwrap().unwrap()
}

/// A filter of one condition, resolved.
fn condition(condition: Value) -> Value {
    parse(&json!({ "rel": "and", "cond": [condition] })).resolve(since()).unwrap()["cond"][0].clone()
}

fn refused(value: &Value) -> FilterError {
    RowFilter::parse(value).unwrap_err()
}

/// The error of a filter with this second condition.
fn refused_condition(condition: &Value) -> FilterError {
    let good = json!({ "field": "a", "method": "empty" });
    let error = refused(&json!({ "cond_1": good, "cond_2": condition }));
    assert_eq!(error.at, "cond_2", "{error}");
    assert!(error.to_string().starts_with("cond_2 "), "{error}");
    assert!(error.explain().in_lang(Lang::Zh).starts_with("cond_2 "));
    assert_eq!(refused(&json!({ "cond": [good, condition] })).at, "cond[1]");
    error
}

/// The founding document's request body, verbatim.
const PASTED: &str = r#"{
    "appId": "6399c24287cae90008d24e0b", "entryId": "63e0706d0e33350008189952",
    "fields": "_widget_1675653229901,_id", "limit": "100",
    "filter": { "rel": "and",
      "cond_1": { "field": "updateTime", "type": "datetime", "method": "range", "value": "{{LAST_SYNC_TIME|datetime}}" },
      "cond_2": { "field": "flowState", "type": "flowState", "method": "eq", "value": "1" } } }"#;

fn pasted() -> RowFilter {
    let body: Value = serde_json::from_str(PASTED).unwrap();
    parse(&body["filter"])
}

#[test]
fn the_pasted_filter_is_written_as_the_service_takes_it() {
    let filter = pasted();
    assert!(filter.is_incremental());
    let flow_state = json!({ "field": "flowState", "type": "flowstate", "method": "eq", "value": [1] });
    assert_eq!(
        filter.resolve(since()).unwrap(),
        json!({ "rel": "and", "cond": [
            { "field": "updateTime", "type": "datetime", "method": "range", "value": ["2026-05-01T08:00:00.000Z", null] },
            flow_state ] })
    );
    assert_eq!(filter.resolve(None).unwrap(), json!({ "rel": "and", "cond": [flow_state] }));
    // The template is the same filter, with the placeholder.
    assert_eq!(filter.template()["cond"][0]["value"], json!(["{{LAST_SYNC_TIME|datetime}}", null]));
    assert_eq!(parse(&filter.template()), filter);
}

#[test]
fn the_services_own_spelling_means_the_same() {
    let own = json!({ "rel": "and", "cond": [
        { "field": "updateTime", "type": "datetime", "method": "range", "value": ["{{LAST_SYNC_TIME|datetime}}", ""] },
        { "field": "flowState", "type": "flowstate", "method": "eq", "value": ["1"] } ] });
    assert_eq!(parse(&own), pasted());
}

#[test]
fn numbered_conditions_come_in_the_order_of_their_numbers() {
    let empty = |field: &str| json!({ "field": field, "method": "empty" });
    let filter = parse(&json!({ "cond_10": empty("c"), "cond_9": empty("b"), "cond_1": empty("a") }));
    let fields: Vec<_> = filter.resolve(None).unwrap()["cond"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["field"].clone())
        .collect();
    assert_eq!(fields, ["a", "b", "c"]);
    assert!(!filter.is_incremental());
}

#[test]
fn no_conditions_are_no_filter() {
    for value in [json!(null), json!({}), json!({ "rel": "or" }), json!({ "rel": "and", "cond": [] })] {
        assert_eq!(RowFilter::parse(&value), Ok(None), "{value}");
    }
}

#[test]
fn a_full_read_leaves_out_what_speaks_of_the_last_sync() {
    let time = json!({ "field": "updateTime", "method": "range", "value": "{{LAST_SYNC_TIME}}" });
    let other = json!({ "field": "name", "method": "not_empty" });
    assert_eq!(parse(&json!({ "cond_1": time })).resolve(None), None);
    // Under `or` the other condition alone would give fewer rows, not more.
    let either = parse(&json!({ "rel": "or", "cond": [time, other] }));
    assert_eq!(either.resolve(None), None);
    assert_eq!(either.resolve(since()).unwrap()["cond"].as_array().unwrap().len(), 2);
    let without = parse(&json!({ "rel": "or", "cond": [other] }));
    assert_eq!(without.resolve(None).unwrap(), json!({ "rel": "or", "cond": [other] }));
}

#[test]
fn the_last_sync_is_known_in_every_spelling_and_anywhere_in_a_value() {
    for (text, expected) in [
        ("{{LAST_SYNC_TIME|datetime}}", "2026-05-01T08:00:00.000Z"),
        ("{{ LAST_SYNC_TIME | datetime }}", "2026-05-01T08:00:00.000Z"),
        ("{{LAST_SYNC_TIME}}", "2026-05-01T08:00:00.000Z"),
        ("after {{LAST_SYNC_TIME}}!", "after 2026-05-01T08:00:00.000Z!"),
    ] {
        let value = json!({ "field": "t", "method": "eq", "value": text });
        assert_eq!(condition(value)["value"], json!([expected]), "{text}");
    }
}

#[test]
fn values_become_what_the_method_takes() {
    for (method, kind, value, expected) in [
        ("eq", "text", json!("x"), json!(["x"])),
        ("eq", "text", json!(""), json!([""])),
        ("eq", "text", json!("1"), json!(["1"])),
        ("in", "flowState", json!(["0", 2]), json!([0, 2])),
        ("gt", "number", json!("1.5"), json!([1.5])),
        ("range", "datetime", json!(["", "2026-01-01"]), json!([null, "2026-01-01"])),
        ("range", "datetime", json!(["2026-01-01"]), json!(["2026-01-01", null])),
        ("range", "number", json!([1, null]), json!([1, null])),
    ] {
        let given = json!({ "field": "f", "type": kind, "method": method, "value": value });
        assert_eq!(condition(given)["value"], expected, "{method} {kind} {value}");
    }
    let without_type = json!({ "field": "flowState", "method": "eq", "value": "1" });
    assert_eq!(condition(without_type), json!({ "field": "flowState", "method": "eq", "value": [1] }));
    let without_value = json!({ "field": "f", "method": "empty", "value": "" });
    assert_eq!(condition(without_value), json!({ "field": "f", "method": "empty" }));
}

#[test]
fn what_the_service_would_pass_over_is_refused_with_the_conditions_name() {
    for (wrong, word) in [
        (json!("x"), "object"),
        (json!({ "method": "eq", "value": "x" }), "`field`"),
        (json!({ "field": " ", "method": "eq", "value": "x" }), "`field`"),
        (json!({ "field": "f", "value": "x" }), "`method`"),
        (json!({ "field": "f", "method": "eq" }), "`value`"),
        (json!({ "field": "f", "method": "equals", "value": "x" }), "not_empty"),
        (json!({ "field": "f", "method": "eq", "value": "x", "typ": "text" }), "`typ`"),
        (json!({ "field": "f", "method": "eq", "type": 1, "value": "x" }), "`type`"),
        (json!({ "rel": "and", "cond": [] }), "one level"),
        (json!({ "field": "f", "method": "eq", "value": [] }), "exactly one"),
        (json!({ "field": "f", "method": "eq", "value": ["a", "b"] }), "exactly one"),
        (json!({ "field": "f", "method": "in", "value": [] }), "at least one"),
        (json!({ "field": "f", "method": "in", "value": vec![1; 1001] }), "1000"),
        (json!({ "field": "f", "method": "range", "value": ["", ""] }), "start and an end"),
        (json!({ "field": "f", "method": "range", "value": [1, 2, 3] }), "start and an end"),
        (json!({ "field": "f", "method": "eq", "value": { "a": 1 } }), "text, number"),
        (json!({ "field": "f", "method": "eq", "value": [null] }), "text, number"),
        (json!({ "field": "flowState", "method": "eq", "value": "完成" }), "number"),
        (json!({ "field": "f", "method": "eq", "value": "{{NOW}}" }), "{{LAST_SYNC_TIME|datetime}}"),
        (
            json!({ "field": "f", "method": "eq", "value": "{{LAST_SYNC_TIME|date}}" }),
            "{{LAST_SYNC_TIME|datetime}}",
        ),
        (json!({ "field": "f", "method": "eq", "value": "{{LAST_SYNC_TIME" }), "{{LAST_SYNC_TIME|datetime}}"),
        (json!({ "field": "{{F}}", "method": "empty" }), "{{LAST_SYNC_TIME|datetime}}"),
    ] {
        let error = refused_condition(&wrong);
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    assert!(
        RowFilter::parse(&json!({ "cond_1": { "field": "f", "method": "in", "value": vec![1; 1000] } }))
            .is_ok()
    );
}

#[test]
fn an_unknown_key_of_the_filter_itself_is_refused() {
    let good = json!({ "field": "a", "method": "empty" });
    for (wrong, word) in [
        (json!([]), "object"),
        (json!({ "conds": [good] }), "`conds`"),
        (json!({ "cond_x": good }), "`cond_x`"),
        (json!({ "data_filter": {} }), "`data_filter`"),
        (json!({ "rel": "xor", "cond": [good] }), "`xor`"),
        (json!({ "cond": good }), "not a list"),
        (json!({ "cond": [good], "cond_1": good }), "keep one"),
    ] {
        let error = refused(&wrong);
        assert!(error.at == "filter" && error.to_string().contains(word), "{word}: {error}");
    }
}

#[test]
fn a_row_that_plainly_differs_is_excluded_and_what_is_not_plain_is_left_open() {
    let filter = RowFilter::parse(&json!({ "rel": "and", "cond": [
        { "field": "updateTime", "type": "datetime", "method": "range", "value": ["{{LAST_SYNC_TIME|datetime}}", ""] },
        { "field": "flowState", "type": "flowstate", "method": "eq", "value": ["1"] },
    ] }))
    .unwrap()
    .unwrap();
    let excluded = |row: Value| filter.excludes(row.as_object().unwrap());
    assert!(excluded(json!({ "flowState": 0 })));
    assert!(!excluded(json!({ "flowState": 1 })));
    assert!(!excluded(json!({ "flowState": "1" })));
    assert!(!excluded(json!({})));
    assert!(!excluded(json!({ "flowState": null })));
    let either = RowFilter::parse(&json!({ "rel": "or", "cond": [
        { "field": "flowState", "type": "flowstate", "method": "eq", "value": ["1"] },
        { "field": "a", "type": "text", "method": "eq", "value": ["x"] },
    ] }))
    .unwrap()
    .unwrap();
    assert!(!either.excludes(json!({ "flowState": 0 }).as_object().unwrap()));
}
