//! A row as a whole: conditions, duplicates, and the messages about it.

use ruzhi_guest::contract::Text;

use super::*;

#[test]
fn when_says_what_a_row_is() {
    let when = json!({"when": [
        {"field": "flowState", "label": "流程状态", "not_in": [1, "2"], "then": "ignore"},
        {"field": "state", "equals": "黑名单", "then": "reject", "message": "不得入职 / may not join"},
        {"field": "left", "label": "离职日期", "before": "now", "then": "leave"},
        {"field": "left", "after": "2030-01-01", "then": "reject"},
        {"field": "kind", "in": ["临时工", "外包"], "then": "ignore", "message": "不进通讯录 / not in the directory"},
        {"field": "paper", "empty": true, "then": "ignore"},
        {"field": "boss.username", "not_empty": true, "then": "upsert"},
    ]});
    let file = file(json!([]), when);
    let decide = |fields: Value| {
        let mut given = json!({"flowState": 1, "paper": "x"});
        given.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        outcome(&file, &row(given)).decision
    };
    let ignored = |reason: &str| Decision::Ignore(reason.to_owned());
    assert!(matches!(decide(json!({})), Decision::Upsert(_)));
    assert!(matches!(decide(json!({"flowState": "2"})), Decision::Upsert(_)));
    assert_eq!(
        decide(json!({"flowState": 0})),
        ignored("按 流程状态 的规则，该行不同步 / by the rule on 流程状态, the row is left out")
    );
    assert_eq!(decide(json!({"left": "2026-05-01 15:59:59"})), Decision::Leave("zhangsan".into()));
    assert!(matches!(decide(json!({"left": "2026-05-01 16:00:01"})), Decision::Upsert(_)));
    assert_eq!(decide(json!({"kind": "外包"})), ignored("不进通讯录 / not in the directory"));
    assert!(matches!(decide(json!({"paper": ""})), Decision::Ignore(_)));
    let refusal = |fields: Value| match decide(fields) {
        Decision::Reject(violations) => violations.into_iter().map(|v| (v.field, v.rule)).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(json!({"state": "黑名单"})), one("state", "when.reject"));
    assert_eq!(refusal(json!({"left": "2031-01-01"})), one("left", "when.reject"));
    assert_eq!(refusal(json!({"left": "离职"})), one("left", "date.invalid"));
    // The first condition that holds decides, and a leaver needs only a userid.
    assert_eq!(
        decide(json!({"left": "2026-01-01", "kind": "外包", "phone": "", "who": ""})),
        Decision::Leave("zhangsan".into())
    );
    assert_eq!(refusal(json!({"left": "2026-01-01", "account": ""})), one("account", "userid.empty"));
    assert_eq!(refusal(json!({"left": "2026-01-01", "account": "张三"})), one("account", "userid.charset"));
}

#[test]
fn duplicates_are_the_hosts_and_the_file_says_so() {
    let context = Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() };
    let refused =
        decide::<RulesFile>(&file(json!([]), json!({"duplicates": "newest"})).to_string(), &context, &[])
            .unwrap_err();
    assert!(
        refused.message.contains("duplicates") && refused.message.contains("[[flows]]"),
        "{}",
        refused.message
    );
    // Two rows of one person give two equal decisions, which the host treats as one.
    let record = SourceRecord { id: "1".into(), json: row(json!({})).to_string() };
    let outcomes =
        decide::<RulesFile>(&file(json!([]), json!({})).to_string(), &context, &[record.clone(), record])
            .unwrap();
    assert_eq!(outcomes[0], outcomes[1]);
}

#[test]
fn no_message_holds_a_whole_mobile_or_address() {
    let file = file(json!([{"field": "email", "label": "邮箱", "value": "{mail}"}]), json!({}));
    let row = row(json!({"phone": "23800138000", "mail": "zhangsan@example"}));
    for violation in violations(outcome(&file, &row)) {
        let Text { zh, en } = violation.message;
        assert!(!zh.contains("23800138000") && !zh.contains("zhangsan@") && !zh.is_empty(), "{zh}");
        assert!(!en.contains("23800138000") && !en.contains("zhangsan@") && !en.is_empty(), "{en}");
    }
}
