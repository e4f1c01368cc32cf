//! Components that are much work to compile.

use super::*;

/// Whatever a component is, loading it is over in this time, in this slow build and on a busy machine.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn ten_thousand_of_anything_load_or_are_refused_in_time() {
    let began = Instant::now();
    let functions = Module { items: "(func)".repeat(10_000), ..Module::default() };
    load(&functions.component()).unwrap();
    let exports: String = (0..10_000).map(|n| format!(r#"(export "e{n}" (func $f))"#)).collect();
    let core = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))"#;
    refused(&wat::parse_str(format!("(component {core} {exports})")).unwrap(), "guest.contract", &[]);
    let types: String = (0..10_000).map(|n| format!("(type $t{n} (list u8))")).collect();
    refused(&wat::parse_str(format!("(component {types})")).unwrap(), "guest.contract", &[]);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[test]
fn eight_mebibytes_of_data_load() {
    let data = format!(r#"(data (i32.const 65536) "{}")"#, "x".repeat(8 << 20));
    let module = Module { pages: 160, items: data, ..Module::default() };
    fails(&load(&module.component()).unwrap(), "guest.count", &["0"]);
}
