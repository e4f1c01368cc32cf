//! Guests that trap.

use super::*;

const TRAPS: [(&str, &str); 6] = [
    ("(unreachable)", "unreachable"),
    ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "divide by zero"),
    ("(drop (i32.div_s (i32.const -2147483648) (i32.const -1)))", "overflow"),
    ("(drop (i32.load (i32.const -4)))", "out of bounds memory"),
    ("(memory.fill (i32.const -16) (i32.const 0) (i32.const 1000))", "out of bounds memory"),
    ("(drop (i32.trunc_f64_s (f64.const nan)))", "integer"),
];

#[test]
fn a_trap_in_decide_fails_the_batch_and_says_which() {
    for (body, words) in TRAPS {
        module_fails(&Module::deciding(body), "guest.trap", &[words]);
    }
}

#[test]
fn a_trap_in_start_is_found_at_load() {
    for (body, words) in TRAPS {
        let error = refused(&Module::starting(body).component(), "guest.start", &["`start`", words]);
        assert!(matches!(error, GuestLoadError::Start(error) if error.code() == "guest.trap"));
    }
}

#[test]
fn a_trap_in_describe_is_found_at_load() {
    let error = refused(&Module::describing("(unreachable)").component(), "guest.describe", &["`describe`"]);
    assert!(matches!(error, GuestLoadError::Describe(error) if error.code() == "guest.trap"));
}

#[test]
fn recursion_without_end_is_a_trap_and_not_a_crash() {
    let deep = |frame: &str| Module {
        items: format!(
            "(func $deep (param i32) (result i32) {frame} (i32.add (i32.const 1) (call $deep (local.get 0))))"
        ),
        ..Module::deciding("(drop (call $deep (i32.const 1)))")
    };
    module_fails(&deep(""), "guest.trap", &["call stack exhausted"]);
    // Frames of many kilobytes.
    module_fails(&deep(&"(local i64)".repeat(2_000)), "guest.trap", &["call stack exhausted"]);
    let start = Module { items: "(func $deep (call $deep)) (start $deep)".to_owned(), ..Module::default() };
    refused(&start.component(), "guest.start", &["call stack exhausted"]);
}

#[test]
fn calling_through_a_table_what_is_not_there_is_a_trap() {
    let module = Module {
        items: "(table 4 funcref) (type $f (func))".to_owned(),
        ..Module::deciding(
            "(call_indirect (type $f) (i32.const 2)) (call_indirect (type $f) (i32.const 900))",
        )
    };
    module_fails(&module, "guest.trap", &["uninitialized element"]);
}
