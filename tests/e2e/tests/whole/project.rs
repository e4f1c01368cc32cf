//! Writing a factory's rules: from nothing to a tested component.

use std::fs;
use std::path::{Path, PathBuf};

use ruzhi_e2e::{Deployment, Outcome, finish};

/// A separate folder to write guests in.
struct Desk(Deployment);

impl Desk {
    fn new() -> Self {
        Self(Deployment::new(&[]).unwrap())
    }

    /// A folder with the cases of the founding factory, in `project`.
    fn with_cases() -> Self {
        let desk = Self::new();
        fs::create_dir_all(desk.path("project/cases")).unwrap();
        for case in fs::read_dir(guests().join("jingxintai/cases")).unwrap() {
            let case = case.unwrap();
            fs::copy(case.path(), desk.path("project/cases").join(case.file_name())).unwrap();
        }
        desk
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap()
    }

    fn write(&self, inside: &str, text: &str) {
        fs::write(self.path(inside), text).unwrap();
    }

    /// `ruzhi guest …` in this folder. The SDK's dependencies are compiled once for all tests.
    fn guest(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.0.command(&["guest"]).unwrap();
        command.args(arguments).current_dir(self.path("")).env("CARGO_TARGET_DIR", guests().join("target"));
        finish(command).unwrap()
    }

    /// `ruzhi guest test` of `project` with the founding factory's component.
    fn test(&self, arguments: &[&str]) -> Outcome {
        let component = built("jingxintai.wasm");
        self.guest(&[&["test", "project", "--component", &component], arguments].concat())
    }
}

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests").canonicalize().unwrap()
}

fn built(name: &str) -> String {
    guests().join("built").join(name).to_str().unwrap().to_owned()
}

fn says(outcome: &Outcome, code: i32, words: &[&str]) {
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.code, Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
}

#[test]
fn a_new_rust_project_builds_passes_its_cases_and_is_fit_to_go_live() {
    let desk = Desk::new();
    let made = desk.guest(&["new", "north-plant", "--lang", "rust"]);
    says(
        &made,
        0,
        &["north-plant", "src/lib.rs", "ruzhi guest test north-plant", "ruzhi guest check north-plant/"],
    );
    says(&desk.guest(&["test", "north-plant"]), 0, &["founding", "everything-wrong", "4 of 4 cases pass"]);
    says(&desk.guest(&["check", "north-plant/north-plant.wasm"]), 0, &["north-plant 0.1.0", "手机号码"]);

    // Changed rules are built before they are tested, and a panic is reported with its place.
    let rules = desk.read("north-plant/src/lib.rs");
    desk.write("north-plant/src/lib.rs", &rules.replace("to_invite: Some(true)", "to_invite: Some(false)"));
    says(
        &desk.guest(&["test", "north-plant"]),
        1,
        &["-    \"to_invite\": true", "+    \"to_invite\": false"],
    );
    desk.write(
        "north-plant/src/lib.rs",
        &rules.replace("to_invite: Some(true)", "to_invite: None::<Option<bool>>.unwrap()"),
    );
    let line = 1 + rules.lines().position(|line| line.contains("to_invite: Some(true)")).unwrap();
    says(
        &desk.guest(&["test", "north-plant", "--case", "founding"]),
        1,
        &["guest.exception", "called `Option::unwrap()` on a `None` value", &format!("(src/lib.rs:{line}:")],
    );
}

#[test]
fn a_project_is_not_written_over_another_nor_under_a_name_that_cannot_be() {
    let desk = Desk::with_cases();
    says(
        &desk.guest(&["new", "project", "--lang", "rust"]),
        2,
        &["project is there already", "nothing was written"],
    );
    assert!(!desk.path("project/Cargo.toml").exists());
    for name in ["North", "test", "north_plant", "../north", "self"] {
        says(&desk.guest(&["new", name, "--lang", "rust"]), 2, &["cannot be a guest's name", "north-plant"]);
    }
    says(&desk.guest(&["new", "north", "--lang", "cobol"]), 2, &["rust, typescript, python"]);
    fs::create_dir(desk.path("north")).unwrap();
    says(&desk.guest(&["new", "north", "--lang", "rust", "--into", "."]), 0, &["north"]);
    says(&desk.guest(&["new", "north", "--lang", "rust", "--into", "of/ours"]), 0, &["of/ours/north"]);
}

#[test]
fn the_example_passes_its_cases_and_costs_the_same_each_time() {
    let desk = Desk::with_cases();
    let outcome = desk.test(&["--json"]);
    says(&outcome, 0, &[]);
    let told = outcome.json().unwrap();
    for case in told["cases"].as_array().unwrap() {
        assert_eq!(case["result"], "ok", "{case:#}");
        assert!(case["fuel"].as_u64().unwrap() > 10_000, "{case:#}");
        assert!(case["peak_memory"].as_u64().unwrap() > 65_536, "{case:#}");
    }
    // Fuel and memory are the same each time.
    let again = desk.test(&["--json"]).json().unwrap();
    for (case, again) in told["cases"].as_array().unwrap().iter().zip(again["cases"].as_array().unwrap()) {
        assert_eq!(
            (&case["name"], &case["fuel"], &case["peak_memory"]),
            (&again["name"], &again["fuel"], &again["peak_memory"])
        );
    }
}

#[test]
fn a_case_that_differs_shows_the_lines_and_blessing_accepts_them() {
    let desk = Desk::with_cases();
    let right = desk.read("project/cases/other-shapes.json");
    let (first, second) = right.split_at(right.rfind("工程师").unwrap());
    let wrong = format!("{first}{}", second.replacen("工程师", "经理", 1));
    desk.write("project/cases/other-shapes.json", &wrong);
    let outcome = desk.test(&["--case", "other-shapes", "--junit", "out/junit.xml"]);
    says(&outcome, 1, &["0 of 1 cases pass", "--bless"]);
    let (_, shown) = outcome.stdout.split_once("\n\n").unwrap();
    insta::assert_snapshot!(shown, @r#"
    project/cases/other-shapes.json
      row 2 (65f000000000000000000002)  - expected, + found
        @@ -18,5 +18,5 @@
               }
             ],
        -    "position": "经理",
        +    "position": "工程师",
             "to_invite": true
           }

    0 of 1 cases pass
    if what was found is right, `ruzhi guest test project --bless` accepts it
    "#);
    let junit = desk.read("out/junit.xml");
    for part in [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        r#"<testcase name="other-shapes" classname="project""#,
        r#"<failure message="1 of 2 rows differ" type="differs">"#,
        "row 2 (65f000000000000000000002)",
        r#"name="fuel""#,
        "</testsuites>",
    ] {
        assert!(junit.contains(part), "no `{part}` in:\n{junit}");
    }

    says(&desk.test(&["--bless"]), 0, &["project/cases/other-shapes.json", "were written"]);
    assert_eq!(desk.read("project/cases/other-shapes.json"), right);
    let founding = fs::read_to_string(guests().join("jingxintai/cases/founding.json")).unwrap();
    assert_eq!(desk.read("project/cases/founding.json"), founding);
    says(&desk.test(&[]), 0, &["4 of 4 cases pass"]);
}

#[test]
fn a_case_that_cannot_be_read_is_told_with_file_line_and_shape() {
    let desk = Desk::with_cases();
    let right = desk.read("project/cases/founding.json");
    for (from, to, words) in [
        ("\"timezone\"", "\"zone\"", ["project/cases/founding.json:3", "unknown field `zone`"]),
        ("\"mobile\"", "\"moblie\"", ["project/cases/founding.json:15", "`moblie` is no field"]),
        (
            "\"decisions\": [",
            "\"decisions\": [ {\"leave\": \"a\"},",
            ["project/cases/founding.json:14", "2 decisions for 1 of `rows`"],
        ),
        ("}", "", ["project/cases/founding.json:", "case.syntax"]),
    ] {
        desk.write("project/cases/founding.json", &right.replacen(from, to, 1));
        says(&desk.test(&[]), 2, &words);
    }
    desk.write("project/cases/founding.json", &right);
    says(&desk.test(&["--case", "foundling"]), 2, &["foundling", "founding, other-shapes"]);
    fs::remove_dir_all(desk.path("project/cases")).unwrap();
    says(&desk.test(&[]), 2, &["no cases in project/cases", "--bless"]);
    says(&desk.guest(&["test", "nowhere"]), 1, &["nowhere holds no guest", "ruzhi guest new"]);
}

#[test]
fn a_guest_that_breaks_fails_the_case_with_the_cause() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("broken/cases")).unwrap();
    let case = |rules: &str| {
        format!(
            r#"{{"now": "2026-05-01T08:00:00Z", "timezone": "Asia/Shanghai", "rules": "../{rules}",
                "rows": [{{"_widget_1": "panic"}}], "decisions": [{{"ignore": "无关 / not ours"}}]}}"#
        )
    };
    for behaviour in ["panic", "allocate", "error", "one-too-few", "good", "unheard-of"] {
        desk.write(&format!("broken/{behaviour}"), behaviour);
        desk.write(&format!("broken/cases/{behaviour}.json"), &case(behaviour));
    }
    let outcome = desk.guest(&["test", "broken", "--component", &built("misbehaving.wasm"), "--json"]);
    says(&outcome, 1, &[]);
    let told = outcome.json().unwrap();
    let cases = told["cases"].as_array().unwrap().iter();
    let told: Vec<String> = cases
        .map(|case| {
            let message = case["error"]["message"].as_str().unwrap_or_default();
            let place = message.find("src/lib.rs").map_or(message.len(), |at| at + "src/lib.rs".len());
            format!("{} {} {}", case["name"], case["result"], &message[..place])
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "allocate" "failed" `decide` wanted 68222976 bytes of memory, at most 67108864 are given (batch of 1 records, row-1 to row-1)
    "error" "failed" `decide` gave up (batch of 1 records, row-1 to row-1): batch.refused: 整批拒绝 / the whole batch is refused
    "good" "ok" 
    "one-too-few" "failed" `decide` gave 0 outcomes for 1 records (batch of 1 records, row-1 to row-1)
    "panic" "failed" `decide` gave up (batch of 1 records, row-1 to row-1): guest.exception: as the record asks (fixtures/misbehaving/src/lib.rs
    "unheard-of" "failed" the guest refuses its configuration (config.invalid): 不认识的行为 unheard-of / unknown behaviour unheard-of
    "#);
}

#[test]
fn check_says_what_a_component_is() {
    let desk = Desk::new();
    let rules = guests().join("../docs/example/tenants/jingxintai/onboarding.json");
    let check = |name: &str, more: &[&str]| {
        let outcome = desk.guest(&[&["check", &built(name)], more].concat());
        says(&outcome, 0, &[]);
        let redacted = outcome.stdout.lines().skip(2).map(|line| {
            let line = line.trim_end();
            let measured = ["size", "compile time", "memory at start"];
            match measured.iter().find(|name| line.trim_start().starts_with(**name)) {
                Some(name) => format!(" {name} …"),
                None => line.to_owned(),
            }
        });
        redacted.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(check("jingxintai.wasm", &[]), @r#"
    guest            jingxintai 0.1.0
    contract         0.2
    exports          ruzhi:mapping/mapper@0.2.0
    imports          ruzhi:mapping/types@0.2.0 (types only)
    size …
    compile time …
    memory at start …
    reads            _widget_1681087902876  成员UserID
                     _widget_1675653229901  成员名称
                     _widget_1680875447221  手机号码
                     _widget_1680156501787  成员所属部门id列表
                     _widget_1680750424796  职务信息
    "#);
    insta::assert_snapshot!(check("member.wasm", &[]), @r#"
    contract         0.2
    exports          ruzhi:mapping/mapper@0.2.0
    imports          ruzhi:mapping/types@0.2.0 (types only)
    size …
    compile time …
    memory at start …
     wants a rules file: add `--rules FILE`
    "#);
    insta::assert_snapshot!(check("member.wasm", &["--rules", rules.to_str().unwrap()]), @r#"
    guest            member 0.1.0
    contract         0.2
    exports          ruzhi:mapping/mapper@0.2.0
    imports          ruzhi:mapping/types@0.2.0 (types only)
    size …
    compile time …
    memory at start …
    reads            _widget_1681087902876  成员UserID
                     _widget_1675653229901  成员名称
                     _widget_1680875447221  手机号码
                     _widget_1680156501787  成员所属部门id列表
                     _widget_1680750424796  职务信息
    "#);
}

#[test]
fn a_component_for_a_later_contract_is_refused_with_both_versions_in_both_languages() {
    let desk = Desk::new();
    let mut bytes = fs::read(built("jingxintai.wasm")).unwrap();
    let name = b"ruzhi:mapping/mapper@0.2.0";
    while let Some(at) = bytes.windows(name.len()).position(|window| window == name) {
        bytes[at + name.len() - 3] = b'3';
    }
    fs::write(desk.path("later.wasm"), bytes).unwrap();
    says(
        &desk.guest(&["check", "later.wasm"]),
        2,
        &["guest.version", "built for 0.3, this host speaks 0.1 and 0.2", "ruzhi guest build"],
    );
    says(&desk.guest(&["check", "later.wasm", "--lang", "zh"]), 2, &["契约 0.3", "本程序支持 0.1 与 0.2"]);
}
