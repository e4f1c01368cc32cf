//! JSON as people paste it, and its errors.

use super::*;

#[test]
fn what_has_one_meaning_is_read_and_told() {
    let pasted = "\u{feff}// 目标平台\r\n{\r\n  “api”：“/cgi-bin/user/create”，\r\n  \"request\": [\r\n    \
                  {\"field\":\"userid\",\"field\":\"userid\",\"value\":\"{a}\"}, /* 姓名 */\r\n    \
                  {\"field\":\"name\",\"value\":\"{b}\",},\u{3000}\r\n    \
                  {\"field\":\"mobile\",\"value\":\"{c}\"},\r\n  ]\r\n}\r\n";
    let imported = good(&[pasted]);
    assert_eq!(rules(&imported)["request"].as_array().unwrap().len(), 3);
    let notes = notes(&imported);
    for told in [
        "0.json:3:3: a Chinese mark",
        "0.json:5:23: a key that stands twice with one value",
        "0.json:5:56: a comment",
        "0.json:6:34: a comma too many",
    ] {
        assert!(notes.contains(told), "{told}\n{notes}");
    }
}

#[test]
fn a_break_is_told_with_line_and_column() {
    let head = "{\"api\":\"/cgi-bin/user/create\",\n";
    for (rest, place, what) in [
        ("\"request\":[{]}", "2:13", "a key in quotes"),
        ("\"request\":[{\"field\" \"userid\"}]}", "2:21", "`:` belongs here"),
        ("\"request\":[{\"field\":\"userid\" \"value\":1}]}", "2:30", "`,` or `}`"),
        ("\"request\":[1 2]}", "2:14", "`,` or `]`"),
        ("\"request\":[{'field':1}]}", "2:13", "not in '…'"),
        ("\"request\":userid}", "2:11", "a text needs quotes"),
        ("\"request\":[\"姓\n名\"]}", "2:14", "a line break"),
        ("\"request\":[\"\\x\"]}", "2:13", "`\\`"),
        ("\"request\":[\"\\ud800\"]}", "2:13", "`\\`"),
        ("\"request\":[1e999]}", "2:12", "no number"),
        ("\"request\":[1-1]}", "2:12", "no number"),
        ("\"request\":1,\"request\":2}", "2:13", "stands twice with two values"),
        ("\"request\":[\"", "2:13", "ends in the middle"),
        ("\"request\":[]", "2:13", "ends in the middle"),
        ("/* \"request\":[]", "2:1", "ends in the middle"),
    ] {
        for before in ["", "说明：\n", "\u{feff}"] {
            let error = refused(&[&format!("{before}{head}{rest}")]).to_string();
            let lines = before.matches('\n').count();
            let (line, column) = place.split_once(':').unwrap();
            let line = line.parse::<usize>().unwrap() + lines;
            assert!(error.contains(&format!("0.json:{line}:{column}: ")) && error.contains(what), "{error}");
        }
    }
}

#[test]
fn a_broken_brace_in_prose_is_prose() {
    let text = format!("路径 {{app_id}}，{{ 'a': 1 }} {{\"x\": }} {} 完 {{", target(&[]));
    good(&[&text]);
}

#[test]
fn escapes_come_through() {
    let entry = r#"{"field":"position","label":"\u804c\u52a1\ud83d\ude00\n\"\\\/","value":"{d}"}"#;
    let text = target(&[]).replace("]}", &format!(",{entry}]}}"));
    let imported = good(&[&text]);
    assert_eq!(rules(&imported)["request"][3]["label"], "职务😀\n\"\\/");
}

#[test]
fn nothing_found_says_what_was() {
    let ImportError::NoTarget { others, .. } = refused(&["no JSON here"]) else { panic!() };
    assert!(others.is_empty());
    let department = json!({"api": "/cgi-bin/department/create", "request": []}).to_string();
    let ImportError::NoTarget { others, .. } = refused(&[&source().to_string(), &department]) else {
        panic!()
    };
    assert_eq!(others, ["the form's side (0.json:1:1)", "/cgi-bin/department/create (1.json:1:1)"]);
    assert_eq!(refused(&[]).code(), "import.no-target");
}

#[test]
fn other_metadata_beside_the_target_is_told() {
    let department = json!({"api": "/cgi-bin/department/create", "request": []}).to_string();
    let imported = good(&[&target(&[]), &department]);
    assert!(
        notes(&imported)
            .contains("1.json:1:1: the metadata of /cgi-bin/department/create is not carried over")
    );
}

#[test]
fn two_targets_are_refused_unless_they_are_one() {
    let error = refused(&[&target(&[]), &target(&[json!({"field": "alias", "value": "{d}"})])]);
    let ImportError::SeveralTargets { places } = &error else { panic!("{error}") };
    assert_eq!(places.iter().map(SourcePlace::to_string).collect::<Vec<_>>(), ["0.json:1:1", "1.json:1:1"]);
    good(&[&target(&[]), &target(&[])]);
}

#[test]
fn a_row_of_the_form_is_no_request() {
    let row = json!({"appId": "000000000000000000000000", "entryId": "000000000000000000000000", "_id": "1"});
    let imported = good(&[&row.to_string(), &target(&[])]);
    assert_eq!(form(&imported)["app_id"].as_str(), Some(""));
}
