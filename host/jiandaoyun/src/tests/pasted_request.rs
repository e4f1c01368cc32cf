//! The pasted request, and `fields` in its spellings.

use serde_json::json;

use super::super::{PastedRequest, PastedRequestError, parse_fields};

#[test]
fn a_pasted_request_is_read_in_either_spelling() {
    for body in [
        json!({ "appId": "a1", "entryId": "e1", "fields": "x, y", "limit": "100", "filter": {} }),
        json!({ "app_id": "a1", "entry_id": "e1", "fields": ["x", "y"], "limit": 100, "data_id": "" }),
    ] {
        let request = PastedRequest::parse(&body.to_string()).unwrap();
        let expected = PastedRequest {
            app_id: Some("a1".to_owned()),
            entry_id: Some("e1".to_owned()),
            fields: vec!["x".to_owned(), "y".to_owned()],
            limit: Some(100),
            filter: None,
        };
        assert_eq!(request, expected);
    }
}

#[test]
fn what_a_request_cannot_mean_is_refused() {
    for (body, word) in [
        ("[]", "JSON object"),
        ("{\"limit\": \"100\"", "line 1"),
        (r#"{"page_size": 100}"#, "`page_size`"),
        (r#"{"dataId": "59e9a2fe283ffa7c11b1ddbf"}"#, "`dataId`"),
        (r#"{"appId": 7}"#, "`appId`"),
        (r#"{"fields": {"a": 1}}"#, "`fields`"),
        (r#"{"fields": [1]}"#, "`fields`"),
        (r#"{"limit": 0}"#, "`0`"),
        (r#"{"limit": "1000"}"#, "1000"),
        (r#"{"filter": {"cond_3": {}}}"#, "cond_3"),
    ] {
        let error: PastedRequestError = PastedRequest::parse(body).unwrap_err();
        assert!(error.explain().en.contains(word), "{word}: {error:?}");
    }
}

#[test]
fn fields_are_names_in_order_and_once_each() {
    for (value, expected) in [
        (json!(null), &[][..]),
        (json!(""), &[]),
        (json!("_widget_1,_id"), &["_widget_1", "_id"]),
        (json!("a，b, a,"), &["a", "b"]),
        (json!(["a", " b ", "a"]), &["a", "b"]),
    ] {
        assert_eq!(parse_fields(&value).unwrap(), expected, "{value}");
    }
    assert!(parse_fields(&json!(7)).is_err());
}
