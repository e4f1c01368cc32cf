//! Guests that try to take the machine's memory.

use ruzhi_hostile::beside;

use super::*;

/// Asks for one page after another until the machine has none, ignoring every answer.
const GROW: &str = "(loop $again (drop (memory.grow (i32.const 1))) (br $again))";
const BUDGET: &str = "33554432";

#[test]
fn growing_in_decide_is_stopped_at_the_budget() {
    module_fails(&Module::deciding(GROW), "guest.memory", &[BUDGET]);
}

#[test]
fn one_great_leap_is_refused() {
    module_fails(&Module::deciding("(drop (memory.grow (i32.const 65000)))"), "guest.memory", &[BUDGET]);
}

#[test]
fn growing_in_start_is_refused_at_load() {
    let error = refused(&Module::starting(GROW).component(), "guest.start", &["`start`", BUDGET]);
    assert!(matches!(error, GuestLoadError::Start(error) if error.code() == "guest.memory"));
}

#[test]
fn a_memory_that_begins_above_the_budget_is_refused_at_load() {
    let module = Module { pages: 20_000, ..Module::default() };
    refused(&module.component(), "guest.start", &["1310720000", BUDGET]);
}

#[test]
fn memories_are_counted_together() {
    // 2 × 16 MiB fit; the guest's own 256 KiB on top do not.
    let core =
        "(core module $m (memory 256)) (core instance (instantiate $m)) (core instance (instantiate $m))";
    let bytes = beside(core);
    let error = refused(&bytes, "guest.start", &[BUDGET]);
    assert!(matches!(error, GuestLoadError::Start(error) if error.code() == "guest.memory"));
}

#[test]
fn many_memories_are_refused() {
    let core = format!("(core module $m (memory 1)) {}", "(core instance (instantiate $m))".repeat(40));
    refused(&beside(&core), "guest.damaged", &["memor"]);
    let one_module = format!("(core module $m {}) (core instance (instantiate $m))", "(memory 1)".repeat(60));
    refused(&beside(&one_module), "guest.damaged", &["memor"]);
}

#[test]
fn many_core_instances_are_refused() {
    let core = format!("(core module $m) {}", "(core instance (instantiate $m))".repeat(1_000));
    refused(&beside(&core), "guest.damaged", &["instance"]);
}

#[test]
fn a_table_that_grows_is_stopped() {
    let module = Module {
        items: "(table $t 1 funcref)".to_owned(),
        ..Module::deciding(
            "(loop $again (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $again))",
        )
    };
    module_fails(&module, "guest.table", &["20000"]);
    let leap = Module {
        items: "(table $t 1 funcref)".to_owned(),
        ..Module::deciding("(drop (table.grow $t (ref.null func) (i32.const 4000000000)))")
    };
    module_fails(&leap, "guest.table", &["20000"]);
}

#[test]
fn a_table_that_begins_too_large_or_many_tables_are_refused() {
    let module = Module { items: "(table 10000000 funcref)".to_owned(), ..Module::default() };
    refused(&module.component(), "guest.start", &["10000000", "20000"]);
    let module = Module { items: "(table 1 funcref)".repeat(60), ..Module::default() };
    refused(&module.component(), "guest.damaged", &["table"]);
}

#[test]
fn a_memory_of_64_bits_is_refused() {
    let core = "(core module $m (memory i64 1)) (core instance (instantiate $m))";
    refused(&beside(core), "guest.damaged", &["64"]);
}
