//! The problems of invalid rules files: all at once, each with its place and its remedy.

use serde_json::json;

use super::*;

/// The problems of a file, without the heading.
fn problems(file: Value) -> Vec<String> {
    let error = read(&file.to_string()).unwrap_err().into_error();
    assert_eq!(error.code, "config.invalid");
    error.message.lines().skip(1).map(str::to_owned).collect()
}

fn base() -> Value {
    json!({"request": [
        {"field": "userid", "value": "{a}"},
        {"field": "name", "value": "{b}"},
        {"field": "mobile", "value": "{c}"},
    ]})
}

/// The only problem of the base file with one more entry.
fn problem_of(entry: Value) -> String {
    let mut file = base();
    file["request"].as_array_mut().unwrap().push(entry);
    let found = problems(file);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[track_caller]
fn says(problem: &str, place: &str, text: &str) {
    assert!(problem.starts_with(place), "{problem}");
    assert!(problem.contains(text), "{problem}");
    assert!(problem.contains(" / "), "{problem}");
}

#[test]
fn the_base_is_lawful() {
    assert!(read(&base().to_string()).is_ok());
    assert!(read(&format!("\u{feff}{}", base())).is_ok());
}

#[test]
fn what_is_no_rules_file() {
    says(&read("").unwrap_err().into_error().message, "规则文件有 1 处问题", "there is no rules file");
    says(&problems(json!([]))[0], "规则文件应为 JSON 对象", "is a JSON object");
    says(&problems(json!({}))[0], "缺少 request", "no list `request`");
    says(&problems(json!({"request": []}))[0], "缺少 request", "no list `request`");
    let message = read("{\n  \"request\": [\n}").unwrap_err().into_error().message;
    assert!(message.contains("line 3 column 1"), "{message}");
}

#[test]
fn the_other_half_of_the_metadata_is_told_where_it_belongs() {
    let found = problems(
        json!({"appId": "6399c24287cae90008d24e0b", "entryId": "63e0706d0e33350008189952", "limit": "100"}),
    );
    assert_eq!(found.len(), 1);
    says(&found[0], "这是表单一侧的元数据", "[flows.source]");
}

#[test]
fn all_problems_are_told_at_once() {
    let found = problems(json!({
        "api": "/cgi-bin/department/create",
        "effect": "QUERY",
        "reqeust": [],
        "duplicates": "newest",
        "timezone": "Asia/Beijing",
        "request": [
            {"field": "userid", "value": "{a", "requird": true},
            {"field": "phone", "value": "{b}"},
            {"field": "mobil", "value": "{b}"},
            {"field": "name", "type": "strng", "value": "{c}"},
            7,
        ],
        "when": [{"field": "d", "equals": 1, "then": "drop"}],
    }));
    let all = found.join("\n");
    for (place, text) in [
        ("api: ", "/cgi-bin/user/create"),
        ("effect: ", "EXECUTE"),
        ("reqeust: ", "Did you mean request?"),
        ("duplicates: ", "[[flows]]"),
        ("timezone: ", "Asia/Shanghai"),
        ("request[0] userid.requird: ", "Did you mean required?"),
        ("request[0] userid.value: ", "brace"),
        ("request[1] phone.field: ", "no field “phone”"),
        ("request[2] mobil.field: ", "Did you mean mobile?"),
        ("request[3] name.type: ", "unknown type “strng”"),
        ("request[4]: ", "JSON object"),
        ("when[0].then: ", "upsert, leave, ignore, reject"),
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(place) && line.contains(text)),
            "{place} {text}\n{all}"
        );
    }
    assert_eq!(found.len(), 12, "{all}");
}

#[test]
fn what_every_member_needs_must_come_from_somewhere() {
    let all = problems(json!({"request": [{"field": "department", "value": "{a}"}]})).join("\n");
    assert!(
        all.contains("nothing fills userid")
            && all.contains("nothing fills name")
            && all.contains("mobile or email"),
        "{all}"
    );
    says(&problem_of(json!({"field": "main_department", "value": "{d}"})), "request", "needs department");
    says(&problem_of(json!({"field": "mobile", "value": "{d}"})), "request[3]", "there already");
}

#[test]
fn keys_that_contradict_each_other() {
    let entry = |keys: Value| {
        let mut entry = json!({"field": "position", "value": "{d}"});
        entry.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        problem_of(entry)
    };
    let place = "request[3] position.";
    says(&entry(json!({"missing": "default"})), &format!("{place}missing"), "`default` must be given");
    says(&entry(json!({"missing": "drop"})), &format!("{place}missing"), "default, reject, skip, omit");
    says(&entry(json!({"missing": "skip", "required": true})), &format!("{place}missing"), "contradicts");
    says(&entry(json!({"lookup_missing": "keep"})), &format!("{place}lookup_missing"), "no `lookup`");
    says(
        &entry(json!({"lookup": {}, "lookup_missing": "default"})),
        &format!("{place}lookup_missing"),
        "`default` must be given",
    );
    says(&entry(json!({"lookup": []})), &format!("{place}lookup"), "an object");
    says(&entry(json!({"pattern": "("})), &format!("{place}pattern"), "no regular expression");
    says(&entry(json!({"min": "many"})), &format!("{place}min"), "must be a number");
    says(&entry(json!({"type": "date", "min": "soon"})), &format!("{place}min"), "now or today");
    says(&entry(json!({"message": "x"})), &format!("{place}message"), "never shown");
    says(&entry(json!({"one_of": "a"})), &format!("{place}one_of"), "a list");
    says(&entry(json!({"required": "maybe"})), &format!("{place}required"), "true or false");
    says(&entry(json!({"format": {"trm": true}})), &format!("{place}format.trm"), "Did you mean trim?");
    says(&entry(json!({"format": {"date": "rfc"}})), &format!("{place}format.date"), "iso8601");
    says(&entry(json!({"format": {"input": ["DD.MM"]}})), &format!("{place}format.input"), "YYYY");
    says(&entry(json!({"format": {"timezone": "Mars"}})), &format!("{place}format.timezone"), "IANA");
    says(&entry(json!({"format": {"mobile": {}}})), &format!("{place}format.mobile"), "field mobile only");
    says(
        &entry(json!({"value": "{{LAST_SYNC_TIME|datetime}}"})),
        &format!("{place}value"),
        "variable or function of the platform",
    );
    says(&entry(json!({"value": "{}"})), &format!("{place}value"), "no field name");
    let required = problem_of(json!({"field": "position", "required": true}));
    says(&required, "request[3] position.value", "has no `value`");
}

#[test]
fn regions_of_mobiles() {
    let mut file = base();
    file["request"][2]["format"] = json!({"mobile": {"default_region": "XX", "regions": ["CN", "+999"]}});
    let found = problems(file.clone());
    assert_eq!(found.len(), 2, "{found:?}");
    says(&found[0], "request[2] mobile.format.mobile.default_region", "CN, HK, MO, TW");
    says(&found[1], "request[2] mobile.format.mobile.regions", "“+999”");
    file["request"][2]["format"] =
        json!({"mobile": {"default_region": "HK", "regions": ["CN", "HK", "+65"]}});
    assert!(read(&file.to_string()).is_ok());
}

#[test]
fn conditions_need_a_field_one_test_and_a_verdict() {
    let found = |condition: Value| {
        let mut file = base();
        file["when"] = json!([condition]);
        let found = problems(file);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    says(&found(json!({"equals": 1, "then": "leave"})), "when[0].field", "missing");
    says(
        &found(json!({"field": "a.", "equals": 1, "then": "leave"})),
        "when[0].field",
        "no name of a form field",
    );
    says(&found(json!({"field": "a", "equals": 1})), "when[0].then", "is missing");
    says(&found(json!({"field": "a", "then": "leave"})), "when[0]", "exactly one test");
    says(
        &found(json!({"field": "a", "equals": 1, "in": [1], "then": "leave"})),
        "when[0]",
        "exactly one test",
    );
    says(&found(json!({"field": "a", "before": "soon", "then": "leave"})), "when[0].before", "now or today");
    says(
        &found(json!({"field": "a", "equal": 1, "empty": true, "then": "leave"})),
        "when[0].equal",
        "Did you mean equals?",
    );
    says(&found(json!({"field": "a", "in": 1, "then": "leave"})), "when[0].in", "a list");
}

#[test]
fn a_field_that_is_not_mapped_fills_nothing() {
    let mut file = base();
    file["request"]
        .as_array_mut()
        .unwrap()
        .push(json!({"field": "email", "label": "邮箱", "type": "string"}));
    file["request"].as_array_mut().unwrap().push(json!({"field": "alias", "value": ""}));
    assert_eq!(read(&file.to_string()).unwrap().entries.len(), 3);
}
