//! Any input gets an answer, and the output keeps its promise.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

#[test]
fn wrong_types_everywhere_are_answered() {
    let wrong = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!(""),
        json!("x"),
        json!([]),
        json!([[{}]]),
        json!({}),
        json!({"a": [1]}),
    ];
    let whole: Value = json!([
        source(),
        serde_json::from_str::<Value>(&target(&[
            json!({"field": "alias", "label": "l", "type": "string", "describe": "d", "value": "{d}"})
        ]))
        .unwrap()
    ]);
    let mut places = Vec::new();
    pointers(&whole, String::new(), &mut places);
    assert!(places.len() > 50);
    for place in places {
        for wrong in &wrong {
            let mut broken = whole.clone();
            *broken.pointer_mut(&place).unwrap() = wrong.clone();
            match import_all(&[&broken.to_string()]) {
                Ok(imported) => promised(&imported),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

fn pointers(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(key, item)| pointers(item, format!("{at}/{key}"), places));
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, item)| pointers(item, format!("{at}/{key}"), places));
        }
        _ => {}
    }
    places.push(at);
}

#[test]
fn an_empty_request_and_missing_values_are_told_by_the_guest() {
    for request in [
        json!([]),
        json!({}),
        json!([{"field": "userid"}, {"field": "name"}]),
        json!([{"value": "{a}"}]),
        json!([1]),
    ] {
        let text = json!({"api": "/cgi-bin/user/create", "request": request}).to_string();
        let error = refused(&[&text]);
        assert!(matches!(error, ImportError::Rules { .. }), "{error}");
    }
    assert_eq!(refused(&[r#"{"api": "/cgi-bin/user/create"}"#]).code(), "import.rules");
}

#[test]
fn size_and_depth_have_bounds() {
    assert_eq!(refused(&[&" ".repeat(10 << 20)]).code(), "import.too-large");
    let deep = format!("{{\"api\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&[&deep]).to_string().contains("in each other"));
    assert_eq!(refused(&[&"{\"a\":".repeat(500_000)]).code(), "import.syntax");
    for tangle in ["{\"a\":", "{“{“", "{/*", "{ {", "{\"{\"", "[{"] {
        let code = refused(&[&format!("文{}", tangle.repeat(600_000 / tangle.len()))]).code();
        assert!(matches!(code, "import.tangled" | "import.no-target"), "{tangle}: {code}");
    }
    let many: Vec<Value> =
        (0..2000).map(|at| json!({"field": format!("extattr.{at}"), "value": "{d}"})).collect();
    assert_eq!(refused(&[&target(&many)]).code(), "import.too-many-entries");
}

#[test]
fn what_there_is_to_tell_has_bounds() {
    let conditions: Vec<Value> =
        (0..3_000).map(|at| json!({"field": format!("f{at}"), "logic": "gt"})).collect();
    let mut file: Value = serde_json::from_str(&target(&[])).unwrap();
    file["condition"] = json!([conditions]);
    let imported = good(&[&file.to_string()]);
    assert!(notes(&imported).ends_with("more of the kind are not listed\n"));
    assert!(imported.notes.len() < 600 && imported.left.len() <= 501);
}

#[test]
fn a_document_cut_anywhere_is_answered() {
    for cut in FOUNDING.char_indices().map(|(at, _)| at).step_by(7) {
        let (head, tail) = FOUNDING.split_at(cut);
        for part in [head, tail] {
            if let Ok(imported) = import_all(&[part]) {
                promised(&imported);
            }
        }
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(vec![
            "{a}",
            "{a.b}-{c}",
            "{",
            "{{LAST_SYNC_TIME|datetime}}",
            "_function x",
            "true",
            "string",
            ":string",
            "date",
            "_widget_1",
            "and",
            "range",
            "eq",
            "empty",
            "1",
            "6399c24287cae90008d24e0b",
            "/cgi-bin/user/create",
            "",
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!(["a", 1])),
        Just(json!({"技术部": 2})),
    ]
}

fn entry() -> impl Strategy<Value = Value> {
    let field = select(vec![
        "userid",
        "name",
        "mobile",
        "email",
        "department",
        "order",
        "is_leader_in_dept",
        "position",
        "alias",
        "gender",
        "to_invite",
        "extattr",
        "extattr.工号",
        "extattr.",
        "nothing",
    ]);
    let keys = select(vec![
        "label",
        "type",
        "describe",
        "value",
        "default",
        "required",
        "missing",
        "format",
        "lookup",
        "lookup_missing",
        "pattern",
        "one_of",
        "min",
        "max",
        "message",
        "formModel",
        "children",
        "value",
        "value",
    ]);
    (field, vec((keys, leaf()), 0..5)).prop_map(|(field, keys)| {
        let mut entry = json!({ "field": field });
        for (key, value) in keys {
            entry[key] = value;
        }
        entry
    })
}

fn condition() -> impl Strategy<Value = Value> {
    let keys = select(vec!["field", "type", "method", "value", "logic", "other"]);
    vec((keys, leaf()), 0..5)
        .prop_map(|keys| keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_imported_is_accepted(
        entries in vec(entry(), 0..6),
        whole in any::<bool>(),
        top in vec((select(vec!["effect", "method", "idCheck", "name", "version", "timezone", "when", "condition", "x"]), leaf()), 0..3),
        conditions in vec(condition(), 0..3),
        filter in vec(condition(), 0..2),
        ids in (leaf(), leaf()),
    ) {
        let mut file: Value = match whole {
            true => serde_json::from_str(&target(&entries)).unwrap(),
            false => json!({"api": "/cgi-bin/user/create", "request": entries}),
        };
        for (key, value) in top {
            file[key] = value;
        }
        let mut source = json!({"appId": ids.0, "entryId": ids.1, "filter": {"rel": "and", "cond": filter}});
        if filter.is_empty() {
            source = json!({"api": "/api/v2/app/x/entry/y/data", "condition": [conditions], "request": [{"field": "appId", "value": ids.0}]});
        }
        if let Ok(imported) = import_all(&[&file.to_string(), &source.to_string()]) {
            promised(&imported);
        }
    }

    #[test]
    fn any_text_is_answered(text in "[{}\\[\\]\":,“”‘'/*a-c1\\\\ \n]{0,60}") {
        drop(import_all(&[&text]));
        drop(import_all(&[&format!("{{\"api\":\"/cgi-bin/user/create\",{text}"), &target(&[])]));
    }
}
