//! The process has no more memory after many attacks of every kind than before. A separate process, so that nothing
//! else moves the figure.
#![expect(clippy::unwrap_used, reason = "an unexpected value fails the test")]

use std::time::Duration;

use ruzhi_guest_runtime::{Component, Engine, Guest, GuestLimits};
use ruzhi_hostile::{BASE, Memory, Module, beside, echo, rules};
use ruzhi_model::{Context, SourceRecord};

/// Resident memory in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

const GROW: &str = "(loop $again (drop (memory.grow (i32.const 1)))
    (memory.fill (i32.shl (i32.sub (memory.size) (i32.const 1)) (i32.const 16)) (i32.const 1) (i32.const 65536))
    (br $again))";

#[test]
fn the_memory_that_attacks_took_comes_back() {
    let limits =
        GuestLimits { memory: 32 << 20, deadline: Duration::from_millis(20), answer: 16 << 20, slots: 2 };
    let engine = Engine::new(limits).unwrap();
    let load = |bytes: &[u8]| Component::from_bytes(&engine, None, bytes);
    let refused: Vec<Vec<u8>> = vec![
        Module::starting(GROW).component(),
        Module::starting("(loop $again (br $again))").component(),
        Module::starting("(unreachable)").component(),
        beside(&format!("(core module $m (memory 1)) {}", "(core instance (instantiate $m))".repeat(40))),
        beside(
            r#"(core module $m (memory 200) (data (i32.const 0) "x")) (core instance (instantiate $m))
            (core instance (instantiate $m)) (core instance (instantiate $m))"#,
        ),
        vec![0; 33 << 20],
        b"\0asm\x0d\0\x01\0\x04\xff\xff\xff\xff\x0f".to_vec(),
    ];
    let echo = load(&echo(160)).unwrap();
    let answering = |memory: &Memory| Guest::new(echo.clone(), rules(memory.bytes())).unwrap();
    let mut amplified = Memory::giving_up((0, 0), (0, 0));
    amplified.pair(BASE + 4, (BASE + 4096, 5 << 20));
    amplified.pair(BASE + 12, (BASE + 4096, 5 << 20));
    let module = |module: Module| Guest::new(load(&module.component()).unwrap(), String::new()).unwrap();
    let breaking: Vec<Guest> = vec![
        module(Module::deciding(GROW)),
        module(Module::deciding("(loop $again (br $again))")),
        module(Module::deciding("(unreachable)")),
        module(Module { items: "(func $deep (call $deep))".to_owned(), ..Module::deciding("(call $deep)") }),
        module(Module {
            items: "(table $t 1 funcref)".to_owned(),
            ..Module::deciding(
                "(loop $again (drop (table.grow $t (ref.null func) (i32.const 99))) (br $again))",
            )
        }),
        answering(&amplified),
        answering(&Memory::claiming(BASE, 1 << 31)),
        answering(&Memory::claiming(BASE, 20_000)),
    ];
    let records = [SourceRecord { id: "1".to_owned(), json: "{}".to_owned() }];
    let context = Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() };
    let round = || {
        for bytes in &refused {
            assert!(load(bytes).is_err());
        }
        for guest in &breaking {
            assert!(guest.decide(&context, &records).is_err());
        }
    };
    // Memory taken once and kept (arenas, threads, the pool's warm pages) is taken in the first rounds.
    (0..5).for_each(|_| round());
    let before = resident();
    (0..50).for_each(|_| round());
    let after = resident();
    assert!(after < before + (24 << 20), "{} KiB grew to {} KiB", before >> 10, after >> 10);
}
