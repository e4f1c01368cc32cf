//! From the form's value to a clean one: dates, types, missing values, tables, templates, rules of the business.

use ruzhi_guest::contract::Text;
use ruzhi_guest::department;

use super::*;

/// The text written into an attribute by a date entry.
fn written(format: Value, value: Value) -> String {
    let entry = json!({"field": "extattr.入职日期", "type": "date", "value": "{joined}", "format": format});
    let member = member(entry, json!({"joined": value}));
    let (field, json) = &member.extra[0];
    assert_eq!(field, "extattr");
    let extattr: Value = serde_json::from_str(json).unwrap();
    assert_eq!(extattr["attrs"][0]["type"], 0);
    assert_eq!(extattr["attrs"][0]["name"], "入职日期");
    extattr["attrs"][0]["text"]["value"].as_str().unwrap().to_owned()
}

#[test]
fn dates_become_one_format_in_the_tenants_zone() {
    let utc = json!("2024-04-30T16:00:00.000Z");
    assert_eq!(written(json!({}), utc.clone()), "2024-05-01");
    assert_eq!(written(json!({"date": "date"}), json!("2024年5月1日")), "2024-05-01");
    assert_eq!(written(json!({"date": "iso8601"}), utc.clone()), "2024-05-01T00:00:00+08:00");
    assert_eq!(written(json!({"date": "timestamp"}), json!("2024/5/1")), "1714492800");
    assert_eq!(written(json!({"date": "timestamp-ms"}), json!(1_714_492_800)), "1714492800000");
    assert_eq!(written(json!({"timezone": "America/New_York"}), utc.clone()), "2024-04-30");
    assert_eq!(written(json!({"input": ["DD.MM.YYYY"]}), json!("01.05.2024")), "2024-05-01");
    assert_eq!(written(json!({"input": ["DD.MM.YYYY"]}), json!("2024-05-01")), "2024-05-01");
    // Summer time of 1988: the day began an hour earlier.
    assert_eq!(written(json!({}), json!("1988-06-30T15:00:00.00Z")), "1988-07-01");

    let entry = json!({"field": "extattr.入职日期", "type": "date", "value": "{joined}"});
    let file = file(json!([entry]), json!({"timezone": "Europe/London"}));
    let member = upserted(outcome(&file, &row(json!({"joined": utc}))));
    assert!(member.extra[0].1.contains("2024-04-30"));
}

#[test]
fn a_format_for_dates_makes_a_date_of_a_string() {
    let entry =
        json!({"field": "position", "type": "string", "value": "{joined}", "format": {"date": "date"}});
    assert_eq!(
        member(entry.clone(), json!({"joined": 1_714_492_800_000_i64})).position.as_deref(),
        Some("2024-05-01")
    );
    assert_eq!(refused(entry, json!({"joined": "明天"})), one("joined", "date.invalid"));
}

#[test]
fn missing_values_are_filled_refused_left_out_or_not_spoken_of() {
    let entry = |keys: Value| {
        let mut entry = json!({"field": "position", "label": "职务", "value": "{job}"});
        entry.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        file(json!([entry]), json!({}))
    };
    for empty in [
        json!({}),
        json!({"job": ""}),
        json!({"job": null}),
        json!({"job": " \u{3000}\u{200b}"}),
        json!({"job": {}}),
        json!({"job": []}),
    ] {
        let row = row(empty);
        assert_eq!(upserted(outcome(&entry(json!({})), &row)).position.as_deref(), Some(""));
        let filled = outcome(&entry(json!({"default": "员工"})), &row);
        assert_eq!(
            filled.notes,
            ["职务 为空，已填入默认值 “员工” / 职务 is empty: filled in the default “员工”"]
        );
        assert_eq!(upserted(filled).position.as_deref(), Some("员工"));
        assert_eq!(
            upserted(outcome(&entry(json!({"default": "员工", "missing": "default"})), &row))
                .position
                .as_deref(),
            Some("员工")
        );
        assert_eq!(upserted(outcome(&entry(json!({"missing": "omit"})), &row)).position, None);
        assert_eq!(rejected(outcome(&entry(json!({"required": true})), &row)), one("job", "position.empty"));
        assert_eq!(
            rejected(outcome(&entry(json!({"missing": "reject"})), &row)),
            one("job", "position.empty")
        );
        match outcome(&entry(json!({"missing": "skip"})), &row).decision {
            Decision::Ignore(reason) => {
                assert!(reason.contains("职务 为空") && reason.contains(" / "), "{reason}")
            }
            other => panic!("{other:?}"),
        }
    }
    // A row that is left out needs no correction.
    let row = row(json!({"phone": "1"}));
    assert!(matches!(outcome(&entry(json!({"missing": "skip"})), &row).decision, Decision::Ignore(_)));
}

#[test]
fn types_are_coerced_or_refused() {
    let text = |kind: &str, value: Value| {
        member(json!({"field": "position", "type": kind, "value": "{v}"}), json!({"v": value}))
            .position
            .unwrap()
    };
    assert_eq!(text("string", json!(7)), "7");
    assert_eq!(text(":string", json!(7)), "7");
    assert_eq!(text("int", json!("０７")), "7");
    assert_eq!(text("int", json!(7.0)), "7");
    assert_eq!(text("number", json!("1.50")), "1.5");
    assert_eq!(text("float", json!(2)), "2");
    assert_eq!(text(":bool", json!("是")), "true");
    assert_eq!(text("list", json!("a、b；c")), "a,b,c");
    assert_eq!(text("array", json!("[\"a\",\"b\"]")), "a,b");
    assert_eq!(text("json", json!("{\"username\":\"a\"}")), "a");
    assert_eq!(text("object", json!({"phone": "1"})), "1");
    for (kind, value) in
        [("int", "7.5"), ("int", "七"), ("number", "x"), ("bool", "maybe"), ("json", "{"), ("object", "[1]")]
    {
        let entry = json!({"field": "position", "type": kind, "value": "{v}"});
        assert_eq!(refused(entry, json!({"v": value})), one("v", "value.type"), "{kind} {value}");
    }
    let invite = |value: Value| {
        member(json!({"field": "to_invite", "type": ":string", "value": value}), json!({})).to_invite
    };
    assert_eq!(invite(json!("true")), Some(true));
    assert_eq!(invite(json!("false")), Some(false));
    assert_eq!(invite(json!(true)), Some(true));
    assert_eq!(invite(json!(0)), Some(false));
}

#[test]
fn business_rules_refuse_with_their_own_words() {
    let entry = |keys: Value| {
        let mut entry = json!({"field": "position", "value": "{v}"});
        entry.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        entry
    };
    let pattern = entry(json!({"pattern": "[A-Z]{2}[0-9]+|无"}));
    assert_eq!(member(pattern.clone(), json!({"v": " GS001 "})).position.as_deref(), Some("GS001"));
    assert_eq!(refused(pattern.clone(), json!({"v": "xGS001"})), one("v", "value.pattern"));
    assert_eq!(refused(pattern, json!({"v": "无效"})), one("v", "value.pattern"));
    let one_of =
        entry(json!({"one_of": ["在职", "试用"], "message": "状态须为在职或试用 / must be on the staff"}));
    assert_eq!(member(one_of.clone(), json!({"v": "在职"})).position.as_deref(), Some("在职"));
    let told = violations(outcome(&file(json!([one_of]), json!({})), &row(json!({"v": "离职"}))));
    assert_eq!(
        (told[0].rule.as_str(), &told[0].message),
        ("value.one-of", &Text::new("状态须为在职或试用", "must be on the staff"))
    );
    let years = entry(json!({"type": "int", "min": 16, "max": 65}));
    assert_eq!(member(years.clone(), json!({"v": 16})).position.as_deref(), Some("16"));
    assert_eq!(refused(years.clone(), json!({"v": 15})), one("v", "value.min"));
    assert_eq!(refused(years, json!({"v": "66"})), one("v", "value.max"));
    let length = entry(json!({"min": 2, "max": 4}));
    assert_eq!(refused(length.clone(), json!({"v": "工"})), one("v", "value.min"));
    assert_eq!(refused(length, json!({"v": "高级工程师"})), one("v", "value.max"));
    let since = entry(json!({"type": "date", "min": "2020-01-01", "max": "today"}));
    assert_eq!(member(since.clone(), json!({"v": "2020/1/1"})).position.as_deref(), Some("2020-01-01"));
    assert_eq!(refused(since.clone(), json!({"v": "2019-12-31"})), one("v", "value.min"));
    assert_eq!(refused(since, json!({"v": "2026-05-02"})), one("v", "value.max"));
    let few = json!({"field": "department", "value": "{v}", "max": 2});
    assert_eq!(refused(few, json!({"v": [1, 2, 3]})), one("v", "value.max"));
}

#[test]
fn tables_turn_what_people_write_into_what_wecom_knows() {
    let table = json!({"field": "department", "value": "{v}", "lookup": {"技术部": 2, "人事部": 3, "集团": [1, 9], " 生产 ": "4"}});
    let ids = |value: Value| member(table.clone(), json!({"v": value})).memberships;
    assert_eq!(ids(json!("技术部")), department::memberships([2]));
    assert_eq!(ids(json!("技术部、人事部")), department::memberships([2, 3]));
    assert_eq!(ids(json!(["集团", "生产"])), department::memberships([1, 9, 4]));
    assert_eq!(ids(json!([{"name": "人事部", "dept_no": 77}])), department::memberships([3]));
    assert_eq!(refused(table.clone(), json!({"v": "食堂"})), one("v", "lookup.unknown"));
    let with = |keys: Value| {
        let mut entry = table.clone();
        entry.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        entry
    };
    let keep = with(json!({"lookup_missing": "keep"}));
    assert_eq!(member(keep.clone(), json!({"v": "技术部,8"})).memberships, department::memberships([2, 8]));
    assert_eq!(refused(keep, json!({"v": "食堂"})), one("v", "department.invalid"));
    let default = with(json!({"lookup_missing": "default", "default": 1}));
    assert_eq!(member(default, json!({"v": "食堂"})).memberships, department::memberships([1]));
    let title = json!({"field": "position", "value": "{v}", "lookup": {"eng": "工程师"}});
    assert_eq!(member(title, json!({"v": " eng "})).position.as_deref(), Some("工程师"));
}

#[test]
fn special_characters_are_cleaned_and_the_rest_stays() {
    let clean = |fields: Value| member(json!({"field": "position", "value": "{job}"}), fields);
    let found = clean(json!({
        "account": "\u{feff}ｚｈａｎｇ\u{200b}ｓａｎ\u{3000}", "who": "\u{202a}张\u{200b}三\u{202c}\n", "phone": "＋８６　１３８－００１３－８０００",
        "job": "高级\t工程师（上海）👩\u{200d}🔧",
    }));
    assert_eq!(found.userid, "zhangsan");
    assert_eq!(found.name, "张三");
    assert_eq!(found.mobile.as_deref(), Some("13800138000"));
    assert_eq!(found.position.as_deref(), Some("高级 工程师（上海）👩\u{200d}🔧"));
    let rare = clean(json!({"who": "𠮷野·阿卜杜拉", "job": "Ingénieur"}));
    assert_eq!((rare.name.as_str(), rare.position.as_deref()), ("𠮷野·阿卜杜拉", Some("Ingénieur")));

    let format = |format: Value, value: &str| {
        let entry = json!({"field": "position", "value": "{job}", "format": format});
        outcome(&file(json!([entry]), json!({})), &row(json!({"job": value})))
    };
    assert_eq!(
        upserted(format(json!({"nfkc": true}), "Ｃ＋＋（高级）")).position.as_deref(),
        Some("C++(高级)")
    );
    assert_eq!(upserted(format(json!({"case": "upper"}), "gs01")).position.as_deref(), Some("GS01"));
    assert_eq!(upserted(format(json!({"case": "lower"}), "GS01")).position.as_deref(), Some("gs01"));
    assert_eq!(upserted(format(json!({"strip": "【】*"}), "【组长】*")).position.as_deref(), Some("组长"));
    assert_eq!(
        upserted(format(json!({"trim": false, "collapse": false}), " a  b ")).position.as_deref(),
        Some(" a  b ")
    );
    assert_eq!(
        rejected(format(json!({"collapse": false}), "a\nb")),
        one("job", "position.control-character")
    );
}

#[test]
fn templates_mix_fields_and_reach_into_them() {
    let value = |template: &str, fields: Value| {
        member(json!({"field": "address", "value": template}), fields).address.unwrap()
    };
    assert_eq!(value("{_widget_1}-{alias_2}", json!({"_widget_1": " GS", "alias_2": 7})), "GS-7");
    assert_eq!(value("{boss.name}", json!({"boss": {"name": "李四", "username": "lisi"}})), "李四");
    assert_eq!(
        value(
            "{home}",
            json!({"home": {"province": "江苏省", "city": "苏州市", "district": "", "detail": "1号"}})
        ),
        "江苏省苏州市1号"
    );
    assert_eq!(value("固定", json!({})), "固定");
    let mut parts = file(json!([]), json!({}));
    parts["request"][0]["value"] = json!("{plant}-{number}");
    assert_eq!(upserted(outcome(&parts, &row(json!({"plant": "GS", "number": "001"})))).userid, "GS-001");
    // Half an account could be another person's.
    assert_eq!(rejected(outcome(&parts, &row(json!({"plant": "GS"})))), one("userid", "userid.empty"));
}
