//! Guests that never return.

use super::*;

const ENDLESS: &str = "(loop $again (br $again))";

/// Runs it and checks the deadline: not stopped early, and not long after. The slack allows for a busy machine.
fn within_the_deadline<T>(run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = run();
    let took = began.elapsed();
    assert!(took >= DEADLINE && took < DEADLINE * 10, "{took:?}");
    result
}

#[test]
fn an_endless_loop_in_decide_is_stopped() {
    let guest = load(&Module::deciding(ENDLESS).component()).unwrap();
    within_the_deadline(|| fails(&guest, "guest.deadline", &["500"]));
}

#[test]
fn an_endless_loop_in_describe_is_stopped() {
    let component = Component::from_bytes(&ENGINE, None, &Module::describing(ENDLESS).component()).unwrap();
    let error = within_the_deadline(|| Guest::new(component, String::new()).err().unwrap());
    assert_eq!(error.code(), "guest.describe");
    says_both(&error.text(), &["`describe`", "500"]);
    assert!(matches!(error, GuestLoadError::Describe(error) if error.code() == "guest.deadline"));
    the_others_go_on();
}

#[test]
fn an_endless_loop_in_start_is_stopped() {
    let bytes = Module::starting(ENDLESS).component();
    let error = within_the_deadline(|| refused(&bytes, "guest.start", &["`start`", "500"]));
    assert!(matches!(error, GuestLoadError::Start(error) if error.code() == "guest.deadline"));
}

#[test]
fn an_endless_loop_in_the_guest_s_allocator_is_stopped() {
    let text = Module::default().text();
    let text = text.replace("(local $at i32)", &format!("(local $at i32) {ENDLESS}"));
    let error = within_the_deadline(|| load(&ruzhi_hostile::component(&text)).err().unwrap());
    // An empty rules file needs no memory, so only `decide` could reach the allocator.
    assert_eq!(error.code(), "guest.describe");
}

#[test]
fn copying_memory_over_and_over_is_stopped() {
    let module = Module {
        pages: 256,
        ..Module::deciding(
            "(loop $again
               (memory.copy (i32.const 8388608) (i32.const 0) (i32.const 8388608))
               (br $again))",
        )
    };
    let guest = load(&module.component()).unwrap();
    within_the_deadline(|| fails(&guest, "guest.deadline", &["500"]));
}

#[test]
fn many_runaway_guests_at_once_are_all_stopped() {
    let guest = load(&Module::deciding(ENDLESS).component()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let error = guest.decide(&context(), &records(1)).unwrap_err();
                assert_eq!(error.code(), "guest.deadline");
            });
        }
    });
    the_others_go_on();
}
