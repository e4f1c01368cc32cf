//! For any rules file and row: one outcome for each record, and no member that WeCom would reject.
#![expect(clippy::indexing_slicing, reason = "code of tests only: a wrong outcome is to fail the test")]

use proptest::prelude::*;
use ruzhi_guest::{Context, Decision, SourceRecord, decide, describe, rule};
use ruzhi_guest_member::RulesFile;
use serde_json::{Value, json};

const FIELDS: [&str; 23] = [
    "userid",
    "name",
    "mobile",
    "email",
    "department",
    "order",
    "is_leader_in_dept",
    "main_department",
    "direct_leader",
    "position",
    "alias",
    "gender",
    "telephone",
    "address",
    "biz_mail",
    "enable",
    "to_invite",
    "external_position",
    "external_profile",
    "extattr",
    "avatar_mediaid",
    "nickname",
    "extattr.工号",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..2_000_000_000_000).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof![
            Just("张三"),
            Just("[1,2,3]"),
            Just("1,2"),
            Just("true"),
            Just("男"),
            Just("13800138000"),
            Just("a@example.com"),
            Just("2024-05-01"),
            Just("zhangsan"),
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            inner.clone().prop_map(|value| json!({ "phone": value })),
            inner.clone().prop_map(|value| json!({ "dept_no": value, "name": "部" })),
            inner.prop_map(|value| json!({ "username": value })),
        ]
    })
}

prop_compose! {
    /// A rules file that is valid, or nearly.
    fn any_file()(
        entries in proptest::collection::btree_map(0..FIELDS.len(), (
            prop_oneof![Just("string"), Just("int"), Just("bool"), Just("list"), Just("json"), Just("date"), Just("number")],
            prop_oneof![Just("{a}"), Just("{b}"), Just("{a}-{b}"), Just("{a.name}"), Just("7")],
            prop_oneof![Just(None), Just(Some("reject")), Just(Some("skip")), Just(Some("omit")), Just(Some("default"))],
            proptest::option::of(any_value()),
        ), 0..8),
        condition in prop_oneof![
            Just(json!([])), Just(json!([{"field": "b", "empty": true, "then": "leave"}])),
            Just(json!([{"field": "b", "before": "now", "then": "ignore"}])),
        ],
    ) -> Value {
        let mut request = vec![
            json!({"field": "userid", "value": "{id}"}), json!({"field": "name", "value": "{a}"}), json!({"field": "mobile", "value": "{c}"}),
        ];
        for (field, (kind, value, missing, default)) in entries.into_iter().filter(|(field, _)| *field > 2) {
            request.push(json!({"field": FIELDS[field], "type": kind, "value": value, "missing": missing, "default": default}));
        }
        json!({"request": request, "when": condition})
    }
}

fn context() -> Context {
    Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() }
}

proptest! {
    #[test]
    fn every_row_has_a_lawful_outcome(file in any_file(), rows in proptest::collection::vec([any_value(), any_value(), any_value()], 0..4)) {
        let file = file.to_string();
        let records: Vec<_> = rows.into_iter().map(|[a, b, c]| {
            let row = json!({"id": "zhangsan", "a": a, "b": b, "c": c});
            SourceRecord { id: "1".into(), json: row.to_string() }
        }).collect();
        match decide::<RulesFile>(&file, &context(), &records) {
            Ok(outcomes) => {
                prop_assert!(describe::<RulesFile>(&file).is_ok());
                prop_assert_eq!(outcomes.len(), records.len());
                for outcome in &outcomes {
                    match &outcome.decision {
                        Decision::Upsert(member) => prop_assert_eq!(rule::check(member), []),
                        Decision::Leave(userid) => prop_assert!(rule::userid(userid).is_ok()),
                        Decision::Ignore(reason) => prop_assert!(!reason.is_empty()),
                        Decision::Reject(violations) => prop_assert!(!violations.is_empty()),
                    }
                }
                prop_assert_eq!(decide::<RulesFile>(&file, &context(), &records).unwrap(), outcomes);
            }
            Err(error) => prop_assert_eq!(error.code, "config.invalid"),
        }
    }

    #[test]
    fn no_text_is_too_strange_for_a_file_or_a_row(file in any::<String>(), row in any::<String>()) {
        prop_assert!(describe::<RulesFile>(&file).is_err());
        let lawful = json!({"request": [{"field": "userid", "value": "{a}"}, {"field": "name", "value": "{a}"}, {"field": "email", "value": "{a}"}]});
        let record = SourceRecord { id: "1".into(), json: row };
        let outcomes = decide::<RulesFile>(&lawful.to_string(), &context(), &[record]).unwrap();
        prop_assert!(matches!(outcomes[0].decision, Decision::Reject(_)));
    }

    #[test]
    fn no_json_is_too_strange_for_a_file(entry in any_value(), when in any_value()) {
        let file = json!({"request": [entry.clone(), {"field": entry, "value": when, "format": when, "lookup": when}], "when": when});
        prop_assert!(describe::<RulesFile>(&file.to_string()).is_err());
    }
}
