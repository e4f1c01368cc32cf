//! WebAssembly proposals that no guest needs: a component that uses one is rejected before it is compiled.

use super::*;

/// A guest with these definitions in addition to its own.
fn with(items: &str) -> Vec<u8> {
    Module { items: items.to_owned(), ..Module::default() }.component()
}

#[test]
fn a_type_check_that_the_engine_cannot_make_is_never_compiled() {
    let types = "(type $a (sub (func))) (type $b (sub $a (func))) (func $g (type $b))";
    let call = "(table $t funcref (elem $g)) (func $start (call_indirect $t (type $a) (i32.const 0))) (start $start)";
    refused(&with(&format!("{types} {call}")), "guest.damaged", &["gc"]);
    let instructions = [
        "(ref.test (ref func) (ref.func $f)) drop",
        "(ref.cast (ref func) (ref.func $f)) drop",
        "(block (result funcref) (br_on_cast 0 funcref (ref func) (ref.func $f))) drop",
        "(block (result funcref) (br_on_cast_fail 0 funcref (ref func) (ref.func $f))) drop",
        "(ref.i31 (i32.const 1)) drop",
        "(ref.as_non_null (ref.func $f)) drop",
        "(ref.null none) drop",
        "(ref.null extern) drop",
    ];
    for instruction in instructions {
        let items = format!("(func $f) (elem declare func $f) (func {instruction})");
        refused(&with(&items), "guest.damaged", &[]);
    }
}

#[test]
fn every_proposal_beyond_the_list_is_refused() {
    for (proposal, items) in [
        ("a type that may have subtypes", "(type (sub (func)))"),
        ("a group of recursive types", "(rec (type (func)) (type (func)))"),
        ("a group of one", "(rec (type (func)))"),
        ("a structure", "(type (struct (field i32)))"),
        ("an array", "(type (array i8))"),
        ("a reference to a type", "(type $f (func)) (func (param (ref $f)))"),
        ("a call by reference", "(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))"),
        ("a reference from outside", "(func (param externref))"),
        ("a table with an initial value", "(func $f) (table 1 (ref func) (ref.func $f))"),
        ("a tag", "(tag (param i32))"),
        ("an exception", "(tag $t) (func (throw $t))"),
        ("a handler", "(func (try_table (catch_all 0)))"),
        ("a tail call", "(func $f (return_call $f))"),
        ("a shared memory", "(memory $s 1 1 shared)"),
        ("an atomic instruction", "(func (i32.atomic.load (i32.const 0)) drop)"),
        ("a second memory", "(memory $more 1)"),
        ("a memory of 64 bits", "(memory $wide i64 1)"),
        ("a table of 64 bits", "(table i64 1 funcref)"),
        (
            "relaxed vectors",
            "(func (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0)) drop)",
        ),
        ("wide arithmetic", "(func (i64.mul_wide_u (i64.const 1) (i64.const 1)) drop drop)"),
        ("pages of another size", "(memory $small 1 (pagesize 1))"),
        ("a continuation", "(type $f (func)) (type $c (cont $f))"),
    ] {
        let error = std::panic::catch_unwind(|| refused(&with(items), "guest.damaged", &[]));
        assert!(error.is_ok(), "{proposal}: {items}");
    }
}

#[test]
fn what_guests_use_is_let_in() {
    for items in [
        "(func (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))",
        "(func (i32.extend8_s (i32.trunc_sat_f32_s (f32.const 1))) drop)",
        "(func (memory.copy (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(func (i8x16.splat (i32.const 0)) drop)",
        "(table 2 funcref) (func (ref.null func) (ref.is_null) drop)",
        "(global (mut i32) (i32.add (i32.const 1) (i32.const 2)))",
    ] {
        load(&with(items)).unwrap();
    }
}
