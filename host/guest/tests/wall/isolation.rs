//! No state passes from one batch, flow or tenant to another.

use super::*;

/// Counts its calls in a global, in its memory and in a table, and answers the greatest count it found.
fn counting() -> Guest {
    let module = Module {
        items: r#"(global $calls (mut i32) (i32.const 0))
            (table $calls 1 1000 funcref)
            (func $once) (elem declare func $once)"#
            .to_owned(),
        decide: r#"(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store (i32.const 131072) (i32.add (i32.load (i32.const 131072)) (i32.const 1)))
            (drop (table.grow $calls (ref.func $once) (i32.const 1)))
            ;; The answer: one ignore whose text is three digits.
            (i32.store (i32.const 65540) (i32.const 65552)) (i32.store (i32.const 65544) (i32.const 1))
            (i32.store8 (i32.const 65552) (i32.const 2))
            (i32.store (i32.const 65556) (i32.const 66000)) (i32.store (i32.const 65560) (i32.const 3))
            (i32.store8 (i32.const 66000) (i32.add (i32.const 48) (global.get $calls)))
            (i32.store8 (i32.const 66001) (i32.add (i32.const 48) (i32.load (i32.const 131072))))
            (i32.store8 (i32.const 66002) (i32.add (i32.const 47) (table.size $calls)))
            (i32.const 65536)"#
            .to_owned(),
        ..Module::default()
    };
    load(&module.component()).unwrap()
}

fn first_call(guest: &Guest) {
    assert_eq!(guest.decide(&context(), &records(1)).unwrap(), [ignored("111")]);
}

#[test]
fn every_batch_is_a_guest_s_first() {
    let guest = counting();
    // Another flow or tenant with the same component shares the compiled code and nothing else.
    let other = Guest::new(guest.component().clone(), "other rules".to_owned()).unwrap();
    for _ in 0..100 {
        first_call(&guest);
        first_call(&other);
    }
}

#[test]
fn every_batch_is_a_guest_s_first_under_load_too() {
    let guest = counting();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let tenant = Guest::new(guest.component().clone(), "rules".to_owned()).unwrap();
            scope.spawn(move || (0..200).for_each(|_| first_call(&tenant)));
        }
    });
}

/// Fills all its memory with a secret, then traps or ends; memory handed out next is zeroed.
#[test]
fn what_one_guest_leaves_in_memory_another_does_not_find() {
    let secret = "(memory.fill (i32.const 65536) (i32.const 0x5e) (i32.const 196608))";
    let leaver = load(&Module::deciding(secret).component()).unwrap();
    let trapper = load(&Module::deciding(&format!("{secret} (unreachable)")).component()).unwrap();
    let finder = Module::deciding(
        r#"(local $at i32)
        (local.set $at (i32.const 65536))
        (loop $next
          (if (i32.load8_u (local.get $at)) (then (unreachable)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $at) (i32.const 262144))))"#,
    );
    let finder = load(&finder.component()).unwrap();
    for _ in 0..50 {
        assert_eq!(leaver.decide(&context(), &records(1)).unwrap_err().code(), "guest.count");
        assert_eq!(trapper.decide(&context(), &records(1)).unwrap_err().code(), "guest.trap");
        // It answers with no outcomes: the count is wrong, and no secret was found.
        assert_eq!(finder.decide(&context(), &records(1)).unwrap_err().code(), "guest.count");
    }
}

#[test]
fn tenants_that_load_at_once_while_others_decide_wait_for_each_other() {
    let engine =
        Engine::new(GuestLimits { memory: MEMORY, deadline: DEADLINE * 10, answer: 4 << 20, slots: 2 })
            .unwrap();
    let component = Component::from_bytes(&engine, None, &ruzhi_hostile::echo(96)).unwrap();
    let answer = ruzhi_hostile::rules(Memory::answer(&[ignored("x")]).bytes());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let guest = Guest::new(component.clone(), answer.clone()).unwrap();
                    let _slot = runtime.block_on(engine.slot());
                    guest.decide(&context(), &records(1)).unwrap();
                }
            });
        }
    });
}
