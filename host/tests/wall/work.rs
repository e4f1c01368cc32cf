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

#[test]
fn code_that_takes_long_to_compile_is_refused_before_it_is_compiled() {
    let began = Instant::now();
    let locals = "(local i64)".repeat(1_000);
    let body: String = (0..50_000)
        .map(|n| {
            format!(
                "(if (local.get 0) (then (local.set {} (local.get {}))))",
                1 + n % 1_000,
                1 + n * 7 % 1_000
            )
        })
        .collect();
    let many_locals = Module { items: format!("(func (param i32) {locals} {body})"), ..Module::default() };
    refused(&many_locals.component(), "guest.too-complex", &["16777216"]);
    let sum = "(i32.const 1) (i32.add)".repeat(500_000);
    let large =
        Module { items: format!("(func (param i32) (result i32) (local.get 0) {sum})"), ..Module::default() };
    refused(&large.component(), "guest.too-complex", &["16777216"]);
    let many = Module { items: "(func)".repeat(600_000), ..Module::default() };
    refused(&many.component(), "guest.too-complex", &["16777216"]);
    // Most of this is reading the text.
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[test]
fn more_locals_than_webassembly_allows_are_refused() {
    let mut module = wat::parse_str("(module (func (local i32 i64)))").unwrap();
    // Two groups of locals: the first now has 4 billion.
    let at = module.windows(4).position(|w| w == [1, 0x7f, 1, 0x7e]).unwrap();
    module.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0x0f]);
    let code = module.windows(2).position(|w| w == [2, 0xff]).unwrap();
    // Its body and its section are four bytes longer.
    module[code - 1] += 4;
    module[code - 3] += 4;
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    ruzhi_hostile::section(&mut component, 1, &module);
    let error = load(&component).err().unwrap();
    assert!(["guest.damaged", "guest.too-complex"].contains(&error.code()), "{error}");
}
