//! The fields of a member: each can be filled, left empty, and refused in the name of the form's field.

use ruzhi_guest::department;

use super::*;

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
