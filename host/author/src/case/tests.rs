use ruzhi_model::Decision;

use super::*;

const CASE: &str = r#"{
  "timezone": "Asia/Shanghai",
  "now": "2026-05-01T08:00:00Z",
  "rows": [
    { "_id": "65f0", "z": 1, "a": "x", "unread": true },
    { "a": "y" }
  ],
  "decisions": [
    { "leave": "zhangsan" },
    { "upsert": { "userid": "a", "name": "甲", "memberships": [{ "department": 1 }] }, "notes": ["n"] }
  ]
}
"#;

fn parse(text: &str) -> Result<GuestCase, CaseError> {
    GuestCase::parse(Path::new("cases/one.json"), text.to_owned())
}

fn refusal(text: &str) -> String {
    let error = match parse(text) {
        Ok(case) => case.expected().unwrap_err(),
        Err(error) => error,
    };
    let because = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    format!("{error} {because}")
}

fn description() -> Description {
    Description {
        name: "n".to_owned(),
        version: "1".to_owned(),
        source_fields: vec!["z".to_owned(), "a".to_owned()],
        labels: Vec::new(),
    }
}

fn leave(userid: &str) -> Outcome {
    Outcome::new(Decision::Leave(userid.to_owned()))
}

#[test]
fn rows_reach_the_guest_as_they_do_live() {
    let records = parse(CASE).unwrap().records(&description());
    let records: Vec<_> = records.iter().map(|r| (r.id.as_str(), r.json.as_str())).collect();
    assert_eq!(
        records,
        [("65f0", r#"{"_id":"65f0","a":"x","z":1}"#), ("row-2", r#"{"_id":"row-2","a":"y"}"#)]
    );
}

#[test]
fn decisions_are_read_in_the_shapes_of_the_contract() {
    let expected = parse(CASE).unwrap().expected().unwrap();
    assert_eq!(expected[0], leave("zhangsan"));
    let Decision::Upsert(member) = &expected[1].decision else { panic!("{expected:?}") };
    assert!(!member.memberships[0].leader);
    assert_eq!(expected[1].notes, ["n"]);
}

#[test]
fn a_difference_names_its_row_and_shows_the_lines() {
    let case = parse(CASE).unwrap();
    let expected = case.expected().unwrap();
    assert!(case.differences(&expected, &expected).is_empty());
    let found = [leave("lisi"), expected[1].clone()];
    let differences = case.differences(&expected, &found);
    assert_eq!(differences.len(), 1);
    assert_eq!((differences[0].row, differences[0].id.as_str()), (1, "65f0"));
    assert_eq!(
        differences[0].diff,
        "@@ -1,3 +1,3 @@\n {\n-  \"leave\": \"zhangsan\"\n+  \"leave\": \"lisi\"\n }\n"
    );
}

#[test]
fn the_json_of_a_field_is_compared_as_json() {
    let case = parse(&CASE.replace(
        r#""memberships": [{ "department": 1 }]"#,
        r#""extra": [["nickname", "\"b\""], ["extattr", "{\"attrs\":[{\"type\":0,\"name\":\"a\"}]}"]]"#,
    ))
    .unwrap();
    let expected = case.expected().unwrap();
    let with = |extra: [(&str, &str); 2]| {
        let mut found = expected.clone();
        if let Decision::Upsert(member) = &mut found[1].decision {
            member.extra = extra.map(|(field, json)| (field.to_owned(), json.to_owned())).to_vec();
        }
        case.differences(&expected, &found).len()
    };
    assert_eq!(
        with([("extattr", r#"{ "attrs": [{"name": "a", "type": 0.0}] }"#), ("nickname", r#""\u0062""#)]),
        0
    );
    assert_eq!(with([("extattr", r#"{"attrs":[{"name":"a","type":1}]}"#), ("nickname", r#""b""#)]), 1);
}

#[test]
fn blessing_exchanges_the_decisions_and_nothing_else() {
    let case = parse(CASE).unwrap();
    let blessed = case.blessed(&[leave("lisi"), leave("wangwu")]);
    let (before, _) = CASE.split_once("\"decisions\"").unwrap();
    assert_eq!(
        blessed,
        format!(
            "{before}\"decisions\": [\n    {{\n      \"leave\": \"lisi\"\n    }},\n    {{\n      \"leave\": \"wangwu\"\n    }}\n  ]\n}}\n"
        )
    );
    let again = parse(&blessed).unwrap();
    assert_eq!(again.expected().unwrap(), [leave("lisi"), leave("wangwu")]);
    assert_eq!(again.blessed(&[leave("lisi"), leave("wangwu")]), blessed);
}

#[test]
fn blessing_a_case_without_decisions_adds_them() {
    let text = r#"{"now":"2026-05-01T08:00:00Z","timezone":"UTC","rows":[{}]}"#;
    assert!(refusal(text).contains("no `decisions`"));
    let blessed = parse(text).unwrap().blessed(&[leave("lisi")]);
    assert_eq!(parse(&blessed).unwrap().expected().unwrap(), [leave("lisi")]);
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_what_is_expected() {
    for (from, to, words) in [
        ("\"now\"", "\"nwo\"", ["cases/one.json:3", "unknown field `nwo`"]),
        ("2026-05-01T08", "2026-05-01 at 8", ["cases/one.json:3", "2026-05-01T08:00:00Z"]),
        ("Asia/Shanghai", "Asia/Beijing", ["cases/one.json:2", "Asia/Shanghai"]),
        ("{ \"a\": \"y\" }", "7", ["cases/one.json:6", "invalid type"]),
        ("{ \"leave\": \"zhangsan\" },", "", ["cases/one.json:8", "1 decisions for 2 of `rows`"]),
        ("\"leave\"", "\"leaves\"", ["cases/one.json:9", "unknown field `leaves`"]),
        ("\"department\"", "\"departement\"", ["cases/one.json:10", "missing field `department`"]),
        ("\"name\"", "\"moblie\": \"1\", \"name\"", ["cases/one.json:10", "`moblie` is no field"]),
        ("\"leave\": \"zhangsan\"", "\"notes\": []", ["cases/one.json:9", "exactly one"]),
        (
            "\"leave\": \"zhangsan\"",
            "\"leave\": \"a\", \"ignore\": \"b\"",
            ["cases/one.json:9", "exactly one"],
        ),
        ("  ]\n}", "", ["cases/one.json:12", "EOF"]),
    ] {
        let told = refusal(&CASE.replace(from, to));
        assert!(words.iter().all(|word| told.contains(word)), "{words:?} in {told}");
    }
}

#[test]
fn rules_lie_beside_the_case() {
    let text = CASE.replacen('{', "{\n  \"rules\": \"../onboarding.json\",", 1);
    assert_eq!(parse(&text).unwrap().rules().unwrap(), Path::new("cases/../onboarding.json"));
    assert_eq!(parse(CASE).unwrap().rules(), None);
}
