//! Applies each cleaning step of the founding document, and each key of the rules file, to a row.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "code of tests only: a wrong outcome is to fail the test"
)]

use ruzhi_guest::contract::Text;
use ruzhi_guest::{Context, Decision, Member, Outcome, SourceRecord, Violation, decide, department};
use ruzhi_guest_member::RulesFile;
use serde_json::{Value, json};

fn file(extra: Value, keys: Value) -> Value {
    let mut file = json!({"request": [
        {"field": "userid", "label": "帐号", "value": "{account}"},
        {"field": "name", "label": "姓名", "value": "{who}"},
        {"field": "mobile", "label": "手机", "value": "{phone}"},
    ]});
    file["request"].as_array_mut().unwrap().extend(extra.as_array().unwrap().iter().cloned());
    file.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    file
}

fn row(keys: Value) -> Value {
    let mut row = json!({"_id": "1", "account": "zhangsan", "who": "张三", "phone": "13800138000"});
    row.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    row
}

fn outcome(file: &Value, row: &Value) -> Outcome {
    let context = Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() };
    let record = SourceRecord { id: "1".into(), json: row.to_string() };
    decide::<RulesFile>(&file.to_string(), &context, &[record]).unwrap().remove(0)
}

/// The member made with one more entry and one more field of the row.
fn member(entry: Value, fields: Value) -> Member {
    upserted(outcome(&file(json!([entry]), json!({})), &row(fields)))
}

fn upserted(outcome: Outcome) -> Member {
    match outcome.decision {
        Decision::Upsert(member) => *member,
        other => panic!("{other:?}"),
    }
}

fn rejected(outcome: Outcome) -> Vec<(String, String)> {
    violations(outcome).into_iter().map(|violation| (violation.field, violation.rule)).collect()
}

fn violations(outcome: Outcome) -> Vec<Violation> {
    match outcome.decision {
        Decision::Reject(violations) => violations,
        other => panic!("{other:?}"),
    }
}

/// The violations caused by one more entry and field.
fn refused(entry: Value, fields: Value) -> Vec<(String, String)> {
    rejected(outcome(&file(json!([entry]), json!({})), &row(fields)))
}

fn one(field: &str, rule: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), rule.to_owned())]
}

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
fn what_an_empty_field_means_by_default() {
    let all = json!([
        {"field": "email", "value": "{x}"}, {"field": "department", "value": "{x}"}, {"field": "alias", "value": "{x}"},
        {"field": "gender", "value": "{x}"}, {"field": "telephone", "value": "{x}"}, {"field": "address", "value": "{x}"},
        {"field": "direct_leader", "value": "{x}"}, {"field": "biz_mail", "value": "{x}"}, {"field": "enable", "value": "{x}"},
        {"field": "external_position", "value": "{x}"}, {"field": "to_invite", "value": "{x}"}, {"field": "main_department", "value": "{x}"},
        {"field": "extattr.工号", "value": "{x}"}, {"field": "nickname", "value": "{x}"}, {"field": "external_profile", "value": "{x}"},
    ]);
    let empty = || Some(String::new());
    let expected = Member {
        userid: "zhangsan".into(),
        name: "张三".into(),
        mobile: Some("13800138000".into()),
        email: empty(),
        alias: empty(),
        gender: empty(),
        telephone: empty(),
        address: empty(),
        direct_leader: Some(Vec::new()),
        biz_mail: empty(),
        external_position: empty(),
        extra: vec![("extattr".into(), r#"{"attrs":[{"name":"工号","text":{"value":""},"type":0}]}"#.into())],
        ..Member::default()
    };
    assert_eq!(upserted(outcome(&file(all, json!({})), &row(json!({})))), expected);
    assert_eq!(
        refused(json!({"field": "alias", "value": "{x}"}), json!({"account": "", "who": ""})),
        [("account".to_owned(), "userid.empty".to_owned()), ("who".to_owned(), "name.empty".to_owned()),]
    );
    assert_eq!(
        refused(json!({"field": "email", "value": "{x}"}), json!({"phone": ""})),
        one("phone", "contact.missing")
    );
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
fn mobiles_of_the_regions_meant() {
    let mut file = file(json!([]), json!({}));
    file["request"][2]["format"] = json!({"mobile": {"default_region": "HK", "regions": ["CN", "HK"]}});
    let mobile = |phone: Value| outcome(&file, &row(json!({"phone": phone})));
    assert_eq!(upserted(mobile(json!("9123 4567"))).mobile.as_deref(), Some("+85291234567"));
    assert_eq!(
        upserted(mobile(json!({"phone": "+8613800138000", "verified": true}))).mobile.as_deref(),
        Some("13800138000")
    );
    assert_eq!(rejected(mobile(json!("+44 7911 123456"))), one("phone", "mobile.region"));
    assert_eq!(rejected(mobile(json!("12"))), one("phone", "mobile.invalid"));
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

#[test]
fn every_field_of_the_call_can_be_filled() {
    let all = json!([
        {"field": "email", "value": "{mail}"},
        {"field": "department", "value": "{in}"},
        {"field": "order", "value": "{order}"},
        {"field": "is_leader_in_dept", "value": "{leads}"},
        {"field": "main_department", "value": "{main}"},
        {"field": "direct_leader", "value": "{boss}"},
        {"field": "position", "value": "{job}"},
        {"field": "alias", "value": "{nick}"},
        {"field": "gender", "value": "{sex}"},
        {"field": "telephone", "value": "{desk}"},
        {"field": "address", "value": "{home}"},
        {"field": "biz_mail", "value": "{corp}"},
        {"field": "enable", "type": "int", "value": "{active}"},
        {"field": "to_invite", "value": "false"},
        {"field": "external_position", "value": "{job}"},
        {"field": "external_profile", "value": {"external_corp_name": "景欣泰"}},
        {"field": "extattr.工号", "value": "{number}"},
        {"field": "extattr.批次", "value": "A"},
        {"field": "avatar_mediaid", "value": "{face}"},
        {"field": "nickname", "value": "{channel}"},
    ]);
    let row = row(json!({
        "mail": "ZhangSan@Example.com", "in": [{"dept_no": 5, "name": "a"}, {"dept_no": 6, "name": "b"}], "order": "10,20",
        "leads": ["是", "否"], "main": {"dept_no": 6}, "boss": {"username": "lisi", "name": "李四"}, "job": "工程师", "nick": "三儿",
        "sex": "女", "desk": "(020) 8888-8888 转 1", "home": {"province": "上海市", "city": "上海市", "detail": "1号"},
        "corp": "zs@corp.example.com", "active": "1", "number": 7, "face": "media1", "channel": "号",
    }));
    let mut memberships = department::memberships([5, 6]);
    memberships[0].leader = true;
    memberships[0].order = Some(10);
    memberships[1].order = Some(20);
    let text = |text: &str| Some(text.to_owned());
    let expected = Member {
        userid: "zhangsan".into(), name: "张三".into(), mobile: text("13800138000"), email: text("ZhangSan@example.com"),
        memberships, main_department: Some(6), position: text("工程师"), alias: text("三儿"), gender: text("2"),
        telephone: text("020-8888-8888,1"), address: text("上海市1号"), direct_leader: Some(vec!["lisi".into()]),
        biz_mail: text("zs@corp.example.com"), external_position: text("工程师"), enable: Some(true), to_invite: Some(false),
        extra: vec![
            ("external_profile".into(), r#"{"external_corp_name":"景欣泰"}"#.into()),
            ("avatar_mediaid".into(), r#""media1""#.into()),
            ("nickname".into(), r#""号""#.into()),
            (
                "extattr".into(),
                r#"{"attrs":[{"name":"工号","text":{"value":"7"},"type":0},{"name":"批次","text":{"value":"A"},"type":0}]}"#.into(),
            ),
        ],
    };
    assert_eq!(upserted(outcome(&file(all, json!({})), &row)), expected);
}

#[test]
fn every_field_is_refused_in_the_name_of_the_forms_field() {
    for (field, value, rule) in [
        ("email", json!("zhangsan"), "email.invalid"),
        ("department", json!("技术部"), "department.invalid"),
        ("department", json!([1, 1]), "department.duplicate"),
        ("direct_leader", json!(["a", "b"]), "direct-leader.too-many"),
        ("direct_leader", json!("李四"), "direct-leader.invalid"),
        ("position", json!("字".repeat(129)), "position.too-long"),
        ("position", json!({"name": "a.png", "url": "u"}), "value.shape"),
        ("alias", json!("字".repeat(65)), "alias.too-long"),
        ("gender", json!("未知"), "gender.invalid"),
        ("telephone", json!("call me"), "telephone.invalid"),
        ("address", json!("字".repeat(129)), "address.too-long"),
        ("biz_mail", json!("zhangsan"), "biz-mail.invalid"),
        ("external_position", json!("字".repeat(13)), "external-position.too-long"),
        ("enable", json!("maybe"), "value.type"),
        ("extattr.工号", json!("字".repeat(65)), "extattr.invalid"),
        ("extattr", json!({ "attr": [1] }), "extattr.invalid"),
        ("external_profile", json!("x"), "external-profile.invalid"),
        ("nickname", json!("字".repeat(65)), "nickname.invalid"),
    ] {
        assert_eq!(
            refused(json!({"field": field, "value": "{v}"}), json!({"v": value})),
            one("v", rule),
            "{field} {value}"
        );
    }
    let with_departments = |entry: Value, fields: Value| {
        rejected(outcome(
            &file(json!([{"field": "department", "value": "{in}"}, entry]), json!({})),
            &row(fields),
        ))
    };
    assert_eq!(
        with_departments(json!({"field": "main_department", "value": "{m}"}), json!({"in": [1], "m": 2})),
        one("m", "main-department.not-a-member")
    );
    assert_eq!(
        with_departments(
            json!({"field": "main_department", "value": "{m}"}),
            json!({"in": [1, 2], "m": [1, 2]})
        ),
        one("m", "main-department.invalid")
    );
    assert_eq!(
        with_departments(json!({"field": "order", "value": "{m}"}), json!({"in": [1], "m": [1, 2]})),
        one("m", "order.length")
    );
    assert_eq!(
        with_departments(json!({"field": "order", "value": "{m}"}), json!({"in": [1], "m": -1})),
        one("m", "order.invalid")
    );
    assert_eq!(
        with_departments(
            json!({"field": "is_leader_in_dept", "value": "{m}"}),
            json!({"in": [1, 2], "m": "是"})
        ),
        one("m", "is-leader-in-dept.length")
    );
    // Consequences of a field that is already rejected are not reported.
    assert_eq!(
        with_departments(
            json!({"field": "main_department", "value": "{m}"}),
            json!({"in": "技术部", "m": 2})
        ),
        one("in", "department.invalid")
    );
    let all = refused(
        json!({"field": "gender", "value": "{v}"}),
        json!({"v": "x", "account": "张三", "phone": "1", "who": "字".repeat(65)}),
    );
    let rules: Vec<_> = all.iter().map(|(_, rule)| rule.as_str()).collect();
    assert_eq!(rules, ["mobile.invalid", "gender.invalid", "userid.charset", "name.too-long"]);
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
