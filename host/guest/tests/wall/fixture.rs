//! A component once built for contract 0.1 keeps running for ever.

use std::fs;

use super::*;

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn fixture(rules: &str) -> Result<Guest, GuestLoadError> {
    let bytes = fs::read(file("guests/fixtures/v0.1/mapper-0.1.wasm")).unwrap();
    Component::from_bytes(&ENGINE, None, &bytes).and_then(|component| Guest::new(component, rules.to_owned()))
}

#[test]
fn it_is_the_file_that_was_built_on_2026_11_24() {
    let inspection = fixture("").unwrap().component().inspection().clone();
    assert_eq!(
        inspection.digest.as_str(),
        "80e87add209b7c0976b64e1d16ccce5c61de8d966ae7eebe4a24bf4fa46e30d9"
    );
    assert_eq!(inspection.built_for.as_deref(), Some("0.1"));
    assert!(inspection.bytes <= 60_000);
}

#[test]
fn the_contract_it_was_built_for_has_not_changed() {
    let now = fs::read(file("wit/v0.1/mapping.wit")).unwrap();
    let then = fs::read(file("guests/fixtures/v0.1/wit/mapping.wit")).unwrap();
    assert!(now == then, "wit/v0.1/mapping.wit is frozen: see docs/decisions/0022-growing-the-contract.md");
}

#[test]
fn it_describes_itself_and_decides_as_it_did() {
    let guest = fixture("规则").unwrap();
    insta::assert_json_snapshot!("description", guest.description());
    let rows = [
        r#"{"do":"everything","who":"zhangsan","名":"张三"}"#,
        r#"{"do":"little","who":"lisi","名":"李四"}"#,
        r#"{"do":"unlawful"}"#,
        r#"{"do":"leave","who":"wangwu"}"#,
        r#"{"do":"reject"}"#,
        r#"{"do":"reject without a reason"}"#,
        r#"{"do":"午饭"}"#,
    ];
    let records: Vec<SourceRecord> = (0..)
        .zip(rows)
        .map(|(n, row)| SourceRecord { id: format!("{n:024x}"), json: row.to_owned() })
        .collect();
    insta::assert_json_snapshot!("outcomes", guest.decide(&context(), &records).unwrap());
}

#[test]
fn what_it_refuses_it_refuses_as_it_did() {
    let refused = fixture("refuse").err().unwrap();
    assert_eq!(refused.code(), "guest.configuration");
    assert!(refused.to_string().contains("config.invalid") && refused.to_string().contains("配置不被接受"));
    let error = fixture("give up").unwrap().decide(&context(), &records(2)).unwrap_err();
    assert_eq!(error.code(), "guest.error");
    assert!(error.to_string().contains("batch.refused: 整批拒绝"));
}
