//! Attacks of every kind leave nothing behind: the process has as many bytes allocated and as many pieces of compiled code
//! after many rounds of them as after few. A separate process, so that nothing else moves the figures.
#![expect(clippy::unwrap_used, reason = "an unexpected value fails the test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ruzhi_guest_runtime::{Component, Engine, Guest, GuestLimits};
use ruzhi_hostile::{BASE, Memory, Module, beside, echo, rules};
use ruzhi_model::{Context, SourceRecord};

/// Rounds after which everything that is taken once and kept (threads, tables, the pool's slots) has been taken.
const WARM_UP: usize = 10;
const ROUNDS: usize = 50;

/// Bytes that each round may leave allocated: less than the smallest thing a round could leave behind, such as a
/// component, its code or a row. Tables that grow by doubling are why it is not zero.
const PER_ROUND: usize = 1 << 10;

/// Counts the bytes that are allocated, whatever the allocator of the system makes of them: its arenas grow with the
/// threads that happen to run at the same time, so resident memory shows only leaks of megabytes.
struct CountingAllocator;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

// SAFETY: every call is passed on as it is; counting touches nothing that is allocated.
#[expect(unsafe_code, reason = "the allocator of this process; argued above")]
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

/// Memory that is mapped rather than allocated: executable mappings of no file, which are compiled code. A component's
/// code is one until the component is dropped.
fn compiled() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let is_code = |line: &&str| line.contains("r-xp") && line.trim_end().ends_with(" 0");
    maps.lines().filter(is_code).count()
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
    (0..WARM_UP).for_each(|_| round());
    let before = (ALLOCATED.load(Ordering::Relaxed), compiled());
    assert!(before.1 > 0, "no compiled code is found, so none could be seen to stay");
    (0..ROUNDS).for_each(|_| round());
    let after = (ALLOCATED.load(Ordering::Relaxed), compiled());
    let more = after.0.saturating_sub(before.0);
    assert!(more < ROUNDS * PER_ROUND, "{more} bytes more after {ROUNDS} rounds: {before:?} {after:?}");
    assert_eq!(after.1, before.1, "pieces of compiled code");
}
