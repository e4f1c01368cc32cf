//! Components built for another contract, or that export more than the contract.

use ruzhi_hostile::{MAPPER, component_of};

use super::*;

const WIT: &str = include_str!("../../../../wit/v0.2/mapping.wit");

fn marked(mut bytes: Vec<u8>, version: &str) -> Vec<u8> {
    let name = b"ruzhi:api-version";
    let section = [&[name.len() as u8][..], name, version.as_bytes()].concat();
    ruzhi_hostile::section(&mut bytes, 0, &section);
    bytes
}

#[test]
fn a_component_of_a_later_version_is_refused_and_both_versions_are_named() {
    let wit = WIT.replace("ruzhi:mapping@0.2.0", "ruzhi:mapping@0.3.0");
    let module = Module::default().text().replace(MAPPER, "ruzhi:mapping/mapper@0.3.0");
    let bytes = marked(component_of(&wit, "mapping-guest", &module), "0.3");
    refused(&bytes, "guest.version", &["0.3", "0.1", "0.2"]);
}

#[test]
fn a_component_that_says_a_later_version_and_exports_none_is_told_so() {
    refused(&marked(wat::parse_str("(component)").unwrap(), "0.9"), "guest.version", &["0.9", "0.1", "0.2"]);
    refused(&wat::parse_str("(component)").unwrap(), "guest.contract", &[MAPPER]);
}

#[test]
fn a_later_patch_of_the_same_contract_loads() {
    let wit = WIT.replace("ruzhi:mapping@0.2.0", "ruzhi:mapping@0.2.7");
    let module = Module::default().text().replace(MAPPER, "ruzhi:mapping/mapper@0.2.7");
    load(&component_of(&wit, "mapping-guest", &module)).unwrap();
}

#[test]
fn types_that_are_not_the_contract_s_are_refused_at_load() {
    for (was, becomes) in [
        ("notes: list<string>,", "notes: list<string>, more: bool,"),
        ("holds-until: option<string>,", "holds-until: option<s64>,"),
        ("message: text,", "message: string,"),
        ("ignore(string),", ""),
        ("leave(string),", "leave(u32),"),
        ("department: u32,", "department: u64,"),
        ("decide: func(config: string, ", "decide: func("),
    ] {
        let wit = WIT.replace(was, becomes);
        assert_ne!(wit, WIT);
        let text = Module::default().text();
        let text = match was.starts_with("decide") {
            // Two words fewer are passed in.
            true => text.replace("(param $config i32) (param $config_length i32) (param $now", "(param $now"),
            false => text,
        };
        refused(&component_of(&wit, "mapping-guest", &text), "guest.contract", &[]);
    }
    let missing = WIT.replace("describe: func", "explain: func");
    let text = Module::default().text().replace("#describe", "#explain");
    refused(&component_of(&missing, "mapping-guest", &text), "guest.contract", &["describe"]);
}

#[test]
fn more_exports_than_the_contract_asks_for_are_tolerated() {
    let wit = WIT.replace(
        "export mapper;",
        "export mapper; export init: func(); export self-test: interface { run: func() -> u32; }",
    );
    let items = r#"(func (export "init")) (func (export "self-test#run") (result i32) (i32.const 1))"#;
    let module = Module { items: items.to_owned(), ..Module::default() };
    let guest = load(&component_of(&wit, "mapping-guest", &module.text())).unwrap();
    let exports = &guest.component().inspection().exports;
    assert!(
        exports.iter().any(|export| export == "init") && exports.iter().any(|export| export == "self-test")
    );
    fails(&guest, "guest.count", &["0"]);
}

#[test]
fn an_asynchronous_export_is_refused() {
    let lift = |options: &str| {
        wat::parse_str(format!(
            r#"(component
              (core module $m (func (export "f") (result i32) (i32.const 0))
                (func (export "g") (param i32 i32 i32) (result i32) (i32.const 0)))
              (core instance $i (instantiate $m))
              (func (export "describe") async (canon lift (core func $i "f") async {options})))"#
        ))
        .unwrap()
    };
    refused(&lift(r#"(callback (core func $i "g"))"#), "guest.damaged", &["async"]);
}
