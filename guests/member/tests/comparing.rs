//! Tests compared texts, shapes of identities, zero dates and placeholders, each on a row.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "code of tests only: a wrong outcome is to fail the test"
)]

use proptest::prelude::*;
use ruzhi_guest::{Context, Decision, GuestError, Member, Outcome, SourceRecord, decide, department};
use ruzhi_guest_member::RulesFile;
use serde_json::{Value, json};

fn merged(mut base: Value, keys: Value) -> Value {
    base.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    base
}

/// A rules file with the three fields every member needs, further entries, and further keys.
fn file(entries: Value, keys: Value) -> Value {
    let mut file = json!({"request": [
        {"field": "userid", "label": "工号", "value": "{account}"},
        {"field": "name", "value": "{who}"},
        {"field": "mobile", "label": "手机", "value": "{phone}"},
    ]});
    file["request"].as_array_mut().unwrap().extend(entries.as_array().unwrap().iter().cloned());
    merged(file, keys)
}

fn row(keys: Value) -> Value {
    merged(json!({"_id": "1", "account": "zhangsan", "who": "张三", "phone": "13800138000"}), keys)
}

fn answer(file: &Value, row: &Value) -> Result<Outcome, GuestError> {
    let context = Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() };
    let record = SourceRecord { id: "1".into(), json: row.to_string() };
    decide::<RulesFile>(&file.to_string(), &context, &[record]).map(|mut outcomes| outcomes.remove(0))
}

fn outcome(file: &Value, row: &Value) -> Outcome {
    answer(file, row).unwrap()
}

#[track_caller]
fn upserted(outcome: Outcome) -> Member {
    match outcome.decision {
        Decision::Upsert(member) => *member,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn rejected(outcome: Outcome) -> Vec<(String, String)> {
    match outcome.decision {
        Decision::Reject(violations) => violations.into_iter().map(|v| (v.field, v.rule)).collect(),
        other => panic!("{other:?}"),
    }
}

fn one(field: &str, rule: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), rule.to_owned())]
}

#[test]
fn a_department_is_found_however_it_is_spelt() {
    let table = file(
        json!([{"field": "department", "value": "{in}", "lookup": {
            "生产部（一车间）": 3, "技术部(研发)": 4, "质检部": 5, "财务 部": 6, "非标车间": 7, "设备、动力部": 8, "R&D Center": 9,
        }}]),
        json!({}),
    );
    for (value, ids) in [
        (json!("生产部（一车间）"), vec![3]),
        (json!("生产部(一车间)"), vec![3]),
        (json!("技术部(研发)"), vec![4]),
        (json!("技术部（研发）"), vec![4]),
        (json!("质检部 "), vec![5]),
        (json!("质检部\u{200b}"), vec![5]),
        (json!("\u{3000}质检部"), vec![5]),
        (json!("⾮标⻋间"), vec![7]),
        (json!("财务 部"), vec![6]),
        (json!("财务部"), vec![6]),
        (json!(["质检部", "技术部(研发)"]), vec![5, 4]),
        (json!("质检部、技术部(研发)"), vec![5, 4]),
        (json!("质检部\n"), vec![5]),
        (json!({"name": "质检部", "dept_no": 99, "type": 0, "status": 1}), vec![5]),
        (json!([{"name": "⾮标⻋间", "dept_no": 98}, {"name": "质检部", "dept_no": 99}]), vec![7, 5]),
        (json!("质检部\n技术部（研发）"), vec![5, 4]),
        (json!("设备、动力部"), vec![8]),
        (json!("r＆d  center"), vec![9]),
        (json!(["质检部", "质检部 "]), vec![5]),
    ] {
        let found = upserted(outcome(&table, &row(json!({"in": value})))).memberships;
        assert_eq!(found, department::memberships(ids), "{value}");
    }
    assert_eq!(rejected(outcome(&table, &row(json!({"in": "质检"})))), one("in", "lookup.unknown"));
}

#[test]
fn two_spellings_of_one_text_in_a_table_need_one_value() {
    let table =
        |lookup: Value| file(json!([{"field": "department", "value": "{in}", "lookup": lookup}]), json!({}));
    assert!(answer(&table(json!({"质检部": 5, "质检部 ": 5})), &row(json!({"in": "质检部"}))).is_ok());
    let error = answer(&table(json!({"生产（一）": 5, "生产(一)": 6})), &row(json!({}))).unwrap_err();
    assert_eq!(error.code, "config.invalid");
    assert!(
        error.message.contains("“生产（一）”") && error.message.contains("“生产(一)”"),
        "{}",
        error.message
    );
    assert!(error.message.contains("request[3] department.lookup"), "{}", error.message);
}

#[test]
fn what_is_written_stays_as_the_form_has_it() {
    let entry = json!([{"field": "position", "value": "{job}", "one_of": ["工程师(上海)", "IT Manager"]}]);
    let position =
        |job: &str| upserted(outcome(&file(entry.clone(), json!({})), &row(json!({"job": job})))).position;
    assert_eq!(position("工程师（上海）").as_deref(), Some("工程师（上海）"));
    assert_eq!(position("it manager").as_deref(), Some("it manager"));
    let refused = outcome(&file(entry.clone(), json!({})), &row(json!({"job": "班长"})));
    assert_eq!(rejected(refused), one("job", "value.one-of"));
    let keep = json!([{"field": "position", "value": "{job}", "lookup": {"eng": "工程师"}, "lookup_missing": "keep"}]);
    let kept = upserted(outcome(&file(keep, json!({})), &row(json!({"job": "班长（夜）"})))).position;
    assert_eq!(kept.as_deref(), Some("班长（夜）"));
}

#[test]
fn cleaning_comes_before_every_comparison() {
    // 冲压车间／夜班 with a format landed in the default department.
    let shop = |format: Value, value: &str| {
        let entry = json!([{
            "field": "department", "value": "{in}", "format": format, "default": 1, "lookup_missing": "default",
            "lookup": {"冲压车间/夜班": 12, "GS-7": 7},
        }]);
        outcome(&file(entry, json!({})), &row(json!({"in": value})))
    };
    let ids =
        |outcome: Outcome| upserted(outcome).memberships.iter().map(|m| m.department).collect::<Vec<_>>();
    for value in ["冲压车间／夜班", "冲压车间/夜班", " 冲压车间 ／夜班"] {
        let found = shop(json!({"nfkc": true}), value);
        assert_eq!(found.notes, Vec::<String>::new());
        assert_eq!(ids(found), [12], "{value}");
    }
    assert_eq!(ids(shop(json!({"strip": "【】*"}), "【冲压车间/夜班】*")), [12]);
    assert_eq!(ids(shop(json!({"strip": "／"}), "冲压车间夜班")), [1]);
    // Characters stripped from the form are stripped from the table too.
    assert_eq!(ids(shop(json!({"strip": "-"}), "GS-7")), [7]);
    assert_eq!(ids(shop(json!({"strip": "-"}), "gs7")), [7]);
    // Each item of a list is cleaned.
    assert_eq!(ids(shop(json!({"strip": "*"}), "*GS-7、冲压车间／夜班*")), [7, 12]);

    let checked = |keys: Value, value: &str| {
        let entry = merged(
            json!({"field": "position", "value": "{v}", "format": {"strip": "*", "case": "upper"}}),
            keys,
        );
        outcome(&file(json!([entry]), json!({})), &row(json!({"v": value})))
    };
    assert_eq!(upserted(checked(json!({"pattern": "GS[0-9]+"}), "*gs7")).position.as_deref(), Some("GS7"));
    assert_eq!(upserted(checked(json!({"one_of": ["gs7"]}), "*GS7")).position.as_deref(), Some("GS7"));
    // A value from the table is the author's, and is kept.
    assert_eq!(
        upserted(checked(json!({"lookup": {"gs": "Foreman *"}}), "GS*")).position.as_deref(),
        Some("Foreman *")
    );
    // A number from which something is stripped first.
    let number = json!([{"field": "position", "type": "int", "value": "{v}", "format": {"strip": "No."}}]);
    assert_eq!(
        upserted(outcome(&file(number, json!({})), &row(json!({"v": "No.007"})))).position.as_deref(),
        Some("7")
    );
}

#[test]
fn a_condition_compares_what_its_field_is_cleaned_to() {
    let entries = json!([{"field": "extattr.班次", "value": "{shift}", "format": {"strip": "*"}}]);
    let decide = |when: Value, fields: Value| {
        outcome(&file(entries.clone(), json!({"when": [when]})), &row(fields)).decision
    };
    let ignores = |when: Value, fields: Value| matches!(decide(when, fields), Decision::Ignore(_));
    let night = json!({"field": "shift", "equals": "夜班(二)", "then": "ignore"});
    assert!(ignores(night.clone(), json!({"shift": "*夜班（二） *"})));
    assert!(!ignores(night, json!({"shift": "*夜班（三）*"})));
    let own = json!({"field": "state", "format": {"strip": "#"}, "in": ["离职"], "then": "ignore"});
    assert!(ignores(own, json!({"state": "#离职"})));
    let not = json!({"field": "state", "not_in": ["Active", "试用（期）"], "then": "ignore"});
    for active in ["ACTIVE", "ａｃｔｉｖｅ", "试用(期)", "试用 (期)"] {
        assert!(!ignores(not.clone(), json!({"state": active})), "{active}");
    }
    assert!(ignores(not.clone(), json!({"state": ""})));
    // Dates are read like those of the field's entry.
    let dated = json!([{"field": "extattr.离职", "type": "date", "value": "{left}", "format": {"input": ["DD.MM.YYYY"]}}]);
    let left = file(dated, json!({"when": [{"field": "left", "before": "today", "then": "leave"}]}));
    assert_eq!(
        outcome(&left, &row(json!({"left": "30.04.2026"}))).decision,
        Decision::Leave("zhangsan".into())
    );
    let unknown = answer(
        &file(
            json!([]),
            json!({"when": [{"field": "a", "format": {"date": "date"}, "equals": 1, "then": "leave"}]}),
        ),
        &row(json!({})),
    );
    assert!(unknown.unwrap_err().message.contains("when[0].format.date"));
}

#[test]
fn a_multiple_choice_is_in_a_list_if_one_of_it_is() {
    let decide = |test: Value, value: Value| {
        let when = merged(json!({"field": "kind", "then": "ignore"}), test);
        matches!(
            outcome(&file(json!([]), json!({"when": [when]})), &row(json!({"kind": value}))).decision,
            Decision::Ignore(_)
        )
    };
    let several = json!(["外包", "临时工 "]);
    assert!(decide(json!({"in": ["临时工", "实习"]}), several.clone()));
    assert!(decide(json!({"equals": "外包"}), several.clone()));
    assert!(decide(json!({"equals": "外包,临时工"}), several.clone()));
    assert!(!decide(json!({"in": ["实习"]}), several.clone()));
    assert!(!decide(json!({"not_in": ["实习", "外包"]}), several.clone()));
    assert!(decide(json!({"not_in": ["实习"]}), several));
    assert!(decide(json!({"not_in": ["实习"]}), json!([])));
    // A person or department also matches by name.
    assert!(decide(json!({"equals": "质检部"}), json!([{"name": "质检部 ", "dept_no": 5}])));
    assert!(decide(json!({"equals": 5}), json!({"name": "质检部 ", "dept_no": 5})));
}

#[test]
fn what_no_table_has_is_named_in_a_note() {
    let fallback = |missing: &str| {
        let entry = json!([{
            "field": "department", "label": "部门", "value": "{in}", "lookup": {"质检部": 5}, "lookup_missing": missing, "default": 1,
        }]);
        outcome(&file(entry, json!({})), &row(json!({"in": ["食堂", "质检部", "保卫处", "8"]})))
    };
    let default = fallback("default");
    assert_eq!(default.notes.len(), 3);
    assert!(
        default.notes[0].contains("部门 的 “食堂” 不在对照表中") && default.notes[0].contains("“1”"),
        "{:?}",
        default.notes
    );
    assert!(default.notes[1].contains("“保卫处” is not in the table"), "{:?}", default.notes);
    assert_eq!(upserted(default).memberships, department::memberships([1, 5]));
    let keep =
        json!([{"field": "position", "value": "{in}", "lookup": {"a": "b"}, "lookup_missing": "keep"}]);
    let kept = outcome(&file(keep, json!({})), &row(json!({"in": "食堂"})));
    assert!(kept.notes[0].contains("“食堂”"), "{:?}", kept.notes);
}

#[test]
fn no_identity_comes_out_of_the_wrong_shape() {
    let all = file(
        json!([
            {"field": "email", "value": "{mail}"}, {"field": "direct_leader", "value": "{boss}"}, {"field": "biz_mail", "value": "{corp}"},
        ]),
        json!({"when": [{"field": "gone", "equals": 1, "then": "leave"}]}),
    );
    for value in [
        json!(true),
        json!(false),
        json!({"id": "x"}),
        json!({"id": "0123456789abcdef01234567"}),
        json!({"value": "x"}),
        json!({"name": "技术部", "dept_no": 12}),
        json!({"username": ["a"]}),
        json!(["a", "b"]),
        json!(1001.5),
        json!(9_007_199_254_740_993_i64),
        json!(1e300),
        json!("false"),
    ] {
        for field in ["account", "phone", "mail", "boss", "corp", "who"] {
            if field == "boss" && value.is_array() {
                continue;
            }
            let refused = rejected(outcome(&all, &row(json!({field: value}))));
            assert_eq!(refused, one(field, "value.shape"), "{field} {value}");
        }
        let left = outcome(&all, &row(json!({"account": value, "gone": 1})));
        assert_eq!(rejected(left), one("account", "value.shape"), "{value}");
    }
    let userid = |value: Value| upserted(outcome(&all, &row(json!({"account": value})))).userid;
    assert_eq!(userid(json!(1002)), "1002");
    assert_eq!(userid(json!(1002.0)), "1002");
    assert_eq!(userid(serde_json::from_str("1e3").unwrap()), "1000");
    assert_eq!(userid(json!({"username": "lisi", "name": "李四"})), "lisi");
    assert_eq!(userid(json!([{"username": "lisi", "name": "李四"}])), "lisi");
    let leader = |value: Value| upserted(outcome(&all, &row(json!({"boss": value})))).direct_leader;
    assert_eq!(leader(json!({"username": "lisi", "name": "李四"})), Some(vec!["lisi".to_owned()]));
    assert_eq!(leader(json!([{"username": "lisi", "name": "李四"}])), Some(vec!["lisi".to_owned()]));
    assert_eq!(leader(json!("lisi")), Some(vec!["lisi".to_owned()]));
    assert_eq!(leader(json!(1002.0)), Some(vec!["1002".to_owned()]));
}

#[test]
fn a_mixture_is_made_of_nothing_that_is_no_identity_itself() {
    let mut parts = file(json!([{"field": "email", "value": "{account}@example.com"}]), json!({}));
    parts["request"][0]["value"] = json!("E{account}");
    for value in [json!(true), json!({"id": "x"}), json!(1001.5), json!(["a", "b"])] {
        let refused = rejected(outcome(&parts, &row(json!({"account": value}))));
        assert_eq!(
            refused,
            [one("account", "value.shape"), one("account", "value.shape")].concat(),
            "{value}"
        );
    }
    let member = upserted(outcome(&parts, &row(json!({"account": 1002.0}))));
    assert_eq!((member.userid.as_str(), member.email.as_deref()), ("E1002", Some("1002@example.com")));
}

#[test]
fn zero_dates_are_empty_and_dates_far_ahead_are_dates() {
    let leaves = file(
        json!([]),
        json!({"when": [{"field": "left", "label": "离职日期", "before": "today", "then": "leave"}]}),
    );
    let decide = |value: Value| outcome(&leaves, &row(json!({"left": value})));
    for value in [
        json!("9999-12-31"),
        json!("9999-12-30T16:00:00.000Z"),
        json!("2999-12-31"),
        json!("9999-12-31T23:59:59Z"),
    ] {
        let decided = decide(value.clone());
        assert_eq!(decided.notes, Vec::<String>::new());
        assert!(matches!(decided.decision, Decision::Upsert(_)), "{value}");
    }
    for value in [
        json!("1900-01-01"),
        json!("1899-12-30"),
        json!("1899-12-29T16:00:00Z"),
        json!("0001-01-01T00:00:00Z"),
        json!("1970-01-01T00:00:00.000Z"),
        json!("1969-12-31T16:00:00.000Z"),
        json!("1970-01-01"),
        json!("0000-00-00"),
        json!("0"),
        json!(0),
    ] {
        let decided = decide(value.clone());
        assert_eq!(decided.notes.len(), 1, "{value}");
        assert!(
            decided.notes[0].starts_with("离职日期 的 ") && decided.notes[0].contains(" / "),
            "{:?}",
            decided.notes
        );
        assert!(matches!(decided.decision, Decision::Upsert(_)), "{value}");
    }
    for value in [
        "2024-5-1 9:00",
        "2024/5/1 0:00:00",
        "2024-05-01T16:00:00.000+0800",
        "2024年5月1日",
        "2024-05-01 00:00:00.0",
        "20240501",
    ] {
        assert_eq!(decide(json!(value)).decision, Decision::Leave("zhangsan".into()), "{value}");
    }
    for value in [
        json!("待定"),
        json!("45413"),
        json!(45413),
        json!("24/5/1"),
        json!("2024-02-30"),
        json!("2024.05"),
        json!("May 1, 2024"),
    ] {
        assert_eq!(rejected(decide(value.clone())), one("left", "date.invalid"), "{value}");
    }
}

#[test]
fn a_field_of_a_zero_date_is_empty_for_every_key() {
    let entry = |keys: Value| {
        let entry = merged(
            json!({"field": "extattr.入职", "label": "入职日期", "type": "date", "value": "{joined}"}),
            keys,
        );
        outcome(&file(json!([entry]), json!({})), &row(json!({"joined": "1900/1/0"})))
    };
    let text = |outcome: Outcome| {
        let extattr: Value = serde_json::from_str(&upserted(outcome).extra[0].1).unwrap();
        extattr["attrs"][0]["text"]["value"].as_str().unwrap().to_owned()
    };
    let empty = entry(json!({}));
    assert_eq!(empty.notes.len(), 1);
    assert_eq!(text(empty), "");
    assert_eq!(text(entry(json!({"default": "2020-01-01"}))), "2020-01-01");
    assert_eq!(rejected(entry(json!({"required": true}))), one("joined", "extattr.empty"));
    assert!(matches!(entry(json!({"missing": "skip"})).decision, Decision::Ignore(_)));
    assert_eq!(text(entry(json!({"format": {"input": ["YYYY/M/D"]}}))), "");

    let when = |test: Value, value: Value| {
        let when = merged(json!({"field": "left", "then": "leave"}), test);
        outcome(&file(json!([]), json!({"when": [when]})), &row(json!({"left": value})))
    };
    assert!(matches!(
        when(json!({"not_empty": true}), json!("1970-01-01T00:00:00.000Z")).decision,
        Decision::Upsert(_)
    ));
    assert_eq!(when(json!({"not_empty": true}), json!("1900-01-01")).notes.len(), 1);
    assert!(matches!(when(json!({"not_empty": true}), json!("2026-04-01")).decision, Decision::Leave(_)));
    assert!(matches!(when(json!({"empty": true}), json!("0000-00-00")).decision, Decision::Leave(_)));
    assert!(matches!(when(json!({"empty": true}), json!("0")).decision, Decision::Upsert(_)));
}

#[test]
fn words_for_nothing_are_nothing_in_an_email_or_phone() {
    let entries = json!([
        {"field": "email", "label": "邮箱", "value": "{mail}"}, {"field": "telephone", "value": "{desk}"}, {"field": "direct_leader", "value": "{boss}"},
        {"field": "position", "value": "{job}"},
    ]);
    let file = file(entries, json!({}));
    for word in ["无", "/", "-", "N/A", "n/a", "—", "没有", "暂无", "null", "（无）", "／"] {
        let decided = outcome(&file, &row(json!({"mail": word})));
        assert_eq!(decided.notes.len(), 1, "{word}");
        assert!(decided.notes[0].starts_with("邮箱 填的是"), "{:?}", decided.notes);
        assert_eq!(upserted(decided).email.as_deref(), Some(""), "{word}");
        assert_eq!(
            upserted(outcome(&file, &row(json!({"desk": word})))).telephone.as_deref(),
            Some(""),
            "{word}"
        );
        let contact =
            row(json!({"phone": {"phone": word, "verified": false}, "mail": "zhangsan@example.com"}));
        assert_eq!(upserted(outcome(&file, &contact)).mobile.as_deref(), Some(""), "{word}");
        assert_eq!(
            rejected(outcome(&file, &row(json!({"phone": word})))),
            one("phone", "contact.missing"),
            "{word}"
        );
        assert_eq!(
            upserted(outcome(&file, &row(json!({"job": word})))).position.as_deref(),
            Some(word),
            "{word}"
        );
    }
    assert_eq!(upserted(outcome(&file, &row(json!({"boss": "无"})))).direct_leader, Some(vec![]));
    assert_eq!(
        upserted(outcome(&file, &row(json!({"boss": "na"})))).direct_leader,
        Some(vec!["na".to_owned()])
    );
    assert_eq!(rejected(outcome(&file, &row(json!({"mail": "zhangsan"})))), one("mail", "email.invalid"));
    assert_eq!(rejected(outcome(&file, &row(json!({"phone": "0"})))), one("phone", "mobile.invalid"));
}

#[test]
fn a_refused_field_is_told_of_once_and_the_others_all() {
    let entries = json!([{"field": "email", "value": "{mail}"}, {"field": "alias", "value": "{nick}"}]);
    let refused = rejected(outcome(
        &file(entries, json!({})),
        &row(json!({"account": true, "phone": "1", "mail": "", "who": "", "nick": "字".repeat(65)})),
    ));
    let mut told = refused.clone();
    told.sort();
    assert_eq!(
        told,
        [
            one("account", "value.shape"),
            one("nick", "alias.too-long"),
            one("phone", "mobile.invalid"),
            one("who", "name.empty"),
        ]
        .concat(),
    );
}

proptest! {
    /// A department is found by its name whatever marks are in and around it; and the form's own text is written.
    #[test]
    fn marks_that_are_not_seen_change_no_decision(
        before in "[ \u{3000}\u{a0}\u{200b}\u{feff}\t]{0,3}", at in 0usize..4, mark in "[\u{200b}\u{2060}\u{fe0f} \u{3000}]{0,2}",
        behind in "[ \u{3000}\n\u{200b}]{0,3}", open in "[(（]", close in "[)）]",
    ) {
        let name: String = "冲压车间".chars().enumerate().flat_map(|(place, c)| {
            (place == at).then(|| mark.clone()).into_iter().flat_map(|mark| mark.chars().collect::<Vec<_>>()).chain([c])
        }).collect();
        let written = format!("{before}{name}{open}夜{close}{behind}");
        let table = file(json!([{"field": "department", "value": "{in}", "lookup": {"冲压车间（夜）": 3}}]), json!({}));
        // A line break separates a list, and the remainder is empty.
        prop_assert_eq!(upserted(outcome(&table, &row(json!({"in": written})))).memberships, department::memberships([3]));
    }

    #[test]
    fn no_number_becomes_another_account(number in any::<f64>()) {
        let file = file(json!([]), json!({}));
        let decided = outcome(&file, &row(json!({"account": number})));
        if let Decision::Upsert(member) = decided.decision {
            let read: f64 = member.userid.parse().unwrap();
            prop_assert!(read == number && number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0);
        }
    }
}
