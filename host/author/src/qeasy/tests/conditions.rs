//! Selection of rows by the form's filter and the platform's own conditions; and entries that cannot be carried over.

use super::*;

fn with_filter(filter: Value) -> Result<ImportOutput, ImportError> {
    let body =
        json!({"appId": "6399c24287cae90008d24e0b", "entryId": "63e0706d0e33350008189952", "filter": filter});
    import_all(&[&body.to_string(), &target(&[])])
}

#[test]
fn every_spelling_of_a_filter_is_read() {
    let range =
        |value: Value| json!({"field": "updateTime", "type": "datetime", "method": "range", "value": value});
    let one = json!({"field": "flowState", "method": "eq", "value": "1"});
    for (filter, written) in [
        (
            json!({"cond": [one]}),
            r#"cond = [
  { field = "flowState", method = "eq", value = "1" } ]"#,
        ),
        (
            json!({"rel": "or", "cond_10": {"field": "b", "method": "empty", "value": []}, "cond_2": one}),
            r#"{ rel = "or", cond = [
  { field = "flowState", method = "eq", value = "1" },
  { field = "b", method = "empty" } ]"#,
        ),
        (
            json!({"cond_1": range(json!("{{LAST_SYNC_TIME|datetime}},{{CURRENT_TIME|datetime}}"))}),
            r#"value = ["{{LAST_SYNC_TIME|datetime}}", ""]"#,
        ),
        (
            json!({"cond_1": range(json!(["{{LAST_SYNC_TIME|datetime}}", null]))}),
            r#"value = ["{{LAST_SYNC_TIME|datetime}}", ""]"#,
        ),
        (json!(json!({"rel": "and", "cond_1": one}).to_string()), r#"value = "1""#),
        (
            json!({"cond_1": {"field": "x\"\n\u{7f}", "type": null, "method": "in", "value": [1, 2.5, true, "a\\"]}}),
            r#"field = "x\"\u000A\u007F", method = "in", value = [1, 2.5, true, "a\\"]"#,
        ),
    ] {
        let imported = with_filter(filter).unwrap();
        promised(&imported);
        assert!(imported.tenant.contains(written), "{written}\n{}", imported.tenant);
    }
}

#[test]
fn a_filter_that_would_read_other_rows_stops_the_import() {
    let of = |condition: Value| json!({"rel": "and", "cond_1": condition});
    for (filter, why) in [
        (json!([]), ""),
        (json!({"rel": "xor", "cond": []}), "`rel`"),
        (json!({"cond": {}}), "not a list"),
        (json!({"cond": [1]}), "not a JSON object"),
        (json!({"cond_x": {}}), "unknown key `cond_x`"),
        (json!("nonsense"), "no JSON object"),
        (json!("\"{}\""), "no JSON object"),
        (json!(7), "no JSON object"),
        (of(json!({"field": "a", "method": "eq", "value": "{{DAYS_AGO_1|datetime}}"})), "placeholder"),
        (of(json!({"field": "a", "method": "equals", "value": "1"})), "method"),
        (of(json!({"field": "a", "method": "eq", "value": [null]})), "value"),
        (of(json!({"field": "a", "method": "eq"})), "`value`"),
        (of(json!({"method": "eq", "value": "1"})), "`field`"),
        (of(json!({"field": "a", "method": "eq", "value": "1", "and": 1})), "unknown key"),
        (of(json!({"rel": "or", "cond": [], "field": "x"})), "conditions of its own"),
    ] {
        let result = with_filter(filter.clone());
        match (result, why) {
            (Ok(imported), "") => promised(&imported),
            (Err(error @ ImportError::Filter { .. }), why) => {
                assert!(error.to_string().contains("0.json:1:"), "{error}");
                assert!(error.to_string().contains(why), "{error}");
            }
            (other, _) => panic!("{filter}: {other:?}"),
        }
    }
}

#[test]
fn conditions_of_one_group_become_when() {
    let mut source = source();
    source["condition"] = json!([[
        {"field": "_widget_1", "logic": "notnull"},
        {"field": "_widget_2", "logic": "in", "value": "在职, 试用"},
        {"field": "_widget_3", "logic": "neqv2", "value": 0},
    ]]);
    let imported = good(&[&source.to_string(), &target(&[])]);
    let when = rules(&imported)["when"].clone();
    assert_eq!(when.as_array().unwrap().len(), 3);
    assert_eq!((&when[0]["empty"], &when[0]["then"]), (&json!(true), &json!("ignore")));
    assert_eq!(when[1]["not_in"], json!(["在职", "试用"]));
    assert_eq!(when[2]["in"], json!([0]));
    assert!(notes(&imported).contains("the condition `_widget_1 notnull` became an `ignore`"));
    assert_eq!(left(&imported).lines().count(), 1);
}

#[test]
fn conditions_that_cannot_be_said_are_left_for_a_person() {
    for condition in [
        json!([[{"field": "a", "logic": "notnull"}], [{"field": "b", "logic": "notnull"}]]),
        json!([[{"field": "a", "logic": "gt", "value": 3}]]),
        json!([[{"field": "a", "logic": "eq", "value": "{{LAST_SYNC_TIME}}"}]]),
        json!([[{"field": "{a}", "logic": "null"}]]),
        json!([[{"field": "", "logic": "null"}]]),
        json!([[7]]),
        json!({"field": "a"}),
        json!("a = 1"),
    ] {
        let mut target: Value = serde_json::from_str(&target(&[])).unwrap();
        target["condition"] = condition.clone();
        let imported = good(&[&target.to_string()]);
        assert!(left(&imported).contains("into `when` of the rules file"), "{condition}");
        assert!(notes(&imported).contains("let in until"), "{condition}");
    }
}

#[test]
fn what_the_guest_cannot_do_is_not_filled_and_told() {
    let imported = good(&[&target(&[
        json!({"field": "position", "label": "职务", "value": "_findCollection find name from x", "formModel": {"enable": false}}),
        json!({"field": "alias", "value": "{d}", "type": "selectMultiple", "formModel": {"enable": false}}),
        json!({"field": "no_such_field", "value": "{d}"}),
        json!({"field": "email", "value": null, "label": 7, "describe": ["x"]}),
    ])]);
    let request = rules(&imported)["request"].clone();
    assert_eq!(request.as_array().unwrap().len(), 6);
    assert_eq!(request[3], json!({"field": "position", "label": "职务"}));
    assert_eq!(request[4], json!({"field": "alias"}));
    assert_eq!(request[5], json!({"field": "email", "label": "7"}));
    let notes = notes(&imported);
    assert!(notes.contains("`formModel` of the target's metadata is not carried over; see whether the flow needs it (2 times)"), "{notes}");
    for field in ["position", "alias", "no_such_field"] {
        assert!(notes.contains(&format!("`{field}` is not filled: ")), "{notes}");
        assert!(left(&imported).contains(&format!("give `{field}` a value")));
    }
}

#[test]
fn what_a_member_cannot_do_without_stops_the_import() {
    for entry in [
        json!({"field": "userid", "value": "{{x}}"}),
        json!({"field": "name", "value": "_function concat(a,b)"}),
        json!({"field": "department", "value": "_findCollection find id from x"}),
        json!({"field": "mobile", "value": "{a"}),
    ] {
        let field = entry["field"].clone();
        let mut target: Value = serde_json::from_str(&target(&[])).unwrap();
        let request = target["request"].as_array_mut().unwrap();
        request.retain(|other| other["field"] != field);
        request.push(entry);
        let error = refused(&[&target.to_string()]);
        let ImportError::Rules { reasons, .. } = &error else { panic!("{error}") };
        assert!(
            format!("{} {}", reasons[0].place, reasons[0].text.both()).contains(field.as_str().unwrap()),
            "{reasons:?}"
        );
    }
}

#[test]
fn a_field_twice_is_one_or_an_error() {
    let two = |one: Value, other: Value| import_all(&[&target(&[one, other])]);
    let filled = json!({"field": "alias", "value": "{d}"});
    for twin in [
        json!({"field": "alias"}),
        json!({"field": "alias", "value": ""}),
        json!({"field": "alias", "label": "x", "value": "{d}"}),
    ] {
        for (one, other) in [(&filled, &twin), (&twin, &filled)] {
            let imported = two(one.clone(), other.clone()).unwrap();
            promised(&imported);
            assert_eq!(rules(&imported)["request"][3]["value"], "{d}");
            assert!(notes(&imported).contains("`alias` stands twice"));
        }
    }
    let error = two(filled, json!({"field": "alias", "value": "{e}"})).unwrap_err();
    assert!(matches!(error, ImportError::FieldTwice { .. }), "{error}");
}

#[test]
fn keys_of_the_file_are_kept_if_the_guest_takes_them() {
    let text = target(&[]).replace("{\"api\"", "{\"name\":\"FName\",\"number\":\"FNumber\",\"idCheck\":\"yes\",\
        \"effect\":\"QUERY\",\"timezone\":\"Asia/Hong_Kong\",\"when\":[{\"field\":\"x\",\"empty\":true,\"then\":\"ignore\"}],\"api\"")
        .replace("/cgi-bin/user/create", "https://qyapi.weixin.qq.com/cgi-bin/user/create");
    let imported = good(&[&text]);
    let rules = rules(&imported);
    let keys: Vec<&str> = rules.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["api", "request", "timezone", "when"]);
    assert_eq!(rules["api"], "/cgi-bin/user/create");
    for key in [
        "`name` is not needed",
        "`number` is not needed",
        "`idCheck` is not needed",
        "`effect` is not needed",
        "`api` is written as",
    ] {
        assert!(notes(&imported).contains(key), "{key}\n{}", notes(&imported));
    }
}
