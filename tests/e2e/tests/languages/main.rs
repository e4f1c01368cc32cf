//! One factory's rules in three languages, which must be indistinguishable.
//!
//! The rules of the founding factory are written in Rust, TypeScript and Python over three ports of one SDK. Each
//! component decides two thousand rows, most of them hostile. Every decision and note must equal that of the Rust
//! component, and of the same Rust code run natively.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value fails the test"
)]

mod answers;
mod chance;
mod component;
mod exception;
mod helpers;
mod hostile;
mod long;
mod python;
mod values;

use ruzhi_guest_jingxintai::Jingxintai;

use answers::{compare, native, of_component, of_component_with};
use component::{engine, load};

const SEED: u64 = 1_689_220_800;

#[test]
fn the_rows_are_two_thousand_and_of_many_kinds() {
    let rows = hostile::rows(SEED);
    assert_eq!(rows.len(), hostile::ROWS);
    assert_eq!(rows, hostile::rows(SEED));
    let outcomes = native::<Jingxintai>(&rows);
    let count = |rule: &str| outcomes.iter().filter(|outcome| outcome.contains(rule)).count();
    for rule in [
        "\"upsert\"",
        "row.not-json",
        "value.shape",
        "userid.empty",
        "userid.too-long",
        "userid.charset",
        "userid.first-character",
        "name.empty",
        "name.too-long",
        "mobile.invalid",
        "mobile.country-code",
        "contact.missing",
        "department.invalid",
        "department.zero",
        "department.duplicate",
        "department.too-many",
        "position.too-long",
    ] {
        assert!(count(rule) >= 3, "{rule}: {}", count(rule));
    }
}

#[test]
fn the_rust_component_decides_as_the_same_code_does_natively() {
    let rows = hostile::rows(SEED);
    compare(&rows, "native Rust", &native::<Jingxintai>(&rows), "Rust", &of_component("jingxintai", &rows));
}

#[test]
fn typescript_decides_as_rust_does() {
    decides_as_rust_does("TypeScript", "jingxintai-typescript");
}

#[test]
fn python_decides_as_rust_does() {
    decides_as_rust_does("Python", "jingxintai-python");
}

#[test]
fn a_long_text_costs_the_default_guest_in_proportion() {
    long::costs_in_proportion("member", long::in_fields);
}

#[test]
fn a_long_text_costs_typescript_in_proportion() {
    long::costs_in_proportion("jingxintai-typescript", long::in_fields);
}

#[test]
fn a_long_text_costs_every_helper_of_typescript_in_proportion() {
    long::costs_in_proportion("helpers-typescript", |value| vec![format!("{{\"v\":{value}}}")]);
}

#[test]
fn a_long_text_costs_python_in_proportion() {
    long::costs_in_proportion("jingxintai-python", long::in_fields);
}

fn decides_as_rust_does(language: &str, name: &str) {
    let rows = hostile::rows(SEED);
    compare(&rows, "Rust", &of_component("jingxintai", &rows), language, &of_component(name, &rows));
}

#[test]
fn every_helper_of_typescript_answers_as_rusts_does() {
    helpers_answer_as_rusts_do("TypeScript", "helpers-typescript");
}

/// Zones of both hemispheres, with half-hour offsets, with summer times that go backwards or not at all, and an invalid
/// one.
const ZONES: [&str; 8] = [
    "america/new_york",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "UTC",
];

fn helpers_answer_as_rusts_do(language: &str, name: &str) {
    let rows = helpers::rows();
    let compared = |config: &str, rows: &[String]| {
        let answers = of_component_with(name, config.to_owned(), rows);
        compare(rows, "Rust", &helpers::native(config, rows), language, &answers);
    };
    compared("", &rows);
    for zone in ZONES {
        compared(zone, &rows[..helpers::zoned()]);
    }
}

/// Every shipped guest.
const SHIPPED: [&str; 4] = ["member", "jingxintai", "jingxintai-typescript", "jingxintai-python"];

#[test]
fn every_shipped_guest_imports_no_function_and_says_its_contract() {
    let engine = engine();
    for name in SHIPPED {
        let component = load(&engine, name);
        let inspection = component.inspection();
        let imports = &inspection.imports;
        let are_types = imports.iter().all(|import| import.starts_with("ruzhi:mapping/types@"));
        assert!(!imports.is_empty() && are_types, "{name}: {imports:?}");
        assert_eq!(inspection.built_for.as_deref(), Some("0.2"), "{name}");
    }
}

#[test]
fn every_shipped_guest_decides_the_same_rows_the_same_way_again() {
    let rows: Vec<String> = hostile::rows(SEED).into_iter().step_by(5).collect();
    for name in SHIPPED {
        compare(&rows, name, &of_component(name, &rows), "itself, once more", &of_component(name, &rows));
    }
}
