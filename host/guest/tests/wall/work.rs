//! Components that take much work to compile.

use ruzhi_hostile::beside;

use super::*;

/// Upper bound for loading any component, in this slow build and on a busy machine.
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
    // Most of this time is spent reading the text.
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

/// A component that makes another one call this many functions of a third, each with a type of `20^depth` times `base`.
fn adapters(depth: usize, functions: usize, base: &str) -> String {
    let mut types = format!("(type $t0 {base})");
    for level in 1..=depth {
        types += &format!("(type $t{level} (tuple {}))", format!("$t{} ", level - 1).repeat(20));
    }
    let memory = r#"(core module $m (memory (export "m") 1)
        (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0))
        (func (export "f") (param i32)))
        (core instance $i (instantiate $m))"#;
    let options = r#"(memory (core memory $i "m")) (realloc (core func $i "r"))"#;
    let each = |text: &dyn Fn(usize) -> String| (0..functions).map(text).collect::<String>();
    let lifted = each(&|n| {
        format!(r#"(func (export "f{n}") (param "x" $t{depth}) (canon lift (core func $i "f") {options}))"#)
    });
    let imported = each(&|n| format!(r#"(import "f{n}" (func $f{n} (param "x" $t{depth})))"#));
    let lowered =
        each(&|n| format!("(core func $l{n} (canon lower (func $f{n}) {options} string-encoding=utf16))"));
    let given = each(&|n| format!(r#"(export "{n}" (func $l{n}))"#));
    let wanted = each(&|n| format!(r#"(import "" "{n}" (func (param i32)))"#));
    let with = each(&|n| format!(r#"(with "f{n}" (func $ia "f{n}"))"#));
    format!(
        r#"(component $a {types} {memory} {lifted})
        (component $b {types} {imported} {memory} {lowered}
            (core module $user {wanted})
            (core instance (instantiate $user (with "" (instance {given})))))
        (instance $ia (instantiate $a))
        (instance (instantiate $b {with}))"#
    )
}

#[test]
fn functions_between_components_count_before_they_are_made() {
    let began = Instant::now();
    load(&beside(&adapters(0, 100, "u8"))).unwrap();
    load(&beside(&adapters(2, 30, "string"))).unwrap();
    for (depth, functions, base) in
        [(2, 150, "string"), (3, 10, "u8"), (0, 9_000, "u8"), (2, 50, "(option (list u8))")]
    {
        let bomb = beside(&adapters(depth, functions, base));
        refused(&bomb, "guest.too-complex", &["16777216"]);
    }
    // Each instance has its own functions: a few more bytes multiply them many times.
    let again = "(instance (instantiate $pair))".repeat(20);
    let many = format!("(component $pair {}) {again}", adapters(2, 30, "string"));
    refused(&beside(&many), "guest.too-complex", &["16777216"]);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[test]
fn components_in_components_are_bounded() {
    let nested = |levels: usize| {
        let inner = |open: &str, close: &str| format!("{}{}", open.repeat(levels), close.repeat(levels));
        inner("(component $c ", ") (instance (instantiate $c))")
    };
    load(&beside(&nested(2))).unwrap();
    refused(&beside(&nested(30)), "guest.too-complex", &[]);
    // Each level contains a hundred of the level below.
    let tenfold = (0..3).fold("(component $c)".to_owned(), |inner, _| {
        format!("(component $c {inner} {})", "(instance (instantiate $c))".repeat(100))
    });
    refused(&beside(&tenfold), "guest.too-complex", &[]);
}
