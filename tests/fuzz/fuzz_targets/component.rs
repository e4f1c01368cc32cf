//! Any file → the loader: either rejected with a message, or a guest that decides or fails with a message.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ruzhi_guest_runtime::{Component, Engine, Guest, GuestLimits};
use ruzhi_model::{Context, SourceRecord};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let limits =
        GuestLimits { memory: 16 << 20, deadline: Duration::from_millis(50), answer: 1 << 20, slots: 1 };
    Engine::new(limits).expect("an engine")
});

fuzz_target!(|bytes: &[u8]| {
    let guest = Component::from_bytes(&ENGINE, None, bytes)
        .and_then(|component| Guest::new(component, "{}".to_owned()));
    match guest {
        Err(error) => {
            let told = format!("{}{}", error.text().both(), error.hint().both());
            assert!(!told.contains('\u{1b}') && !error.code().is_empty());
        }
        Ok(guest) => {
            let record = SourceRecord { id: "1".to_owned(), json: "{}".to_owned() };
            let context = Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "UTC".to_owned() };
            match guest.decide(&context, &[record]) {
                Ok(outcomes) => assert_eq!(outcomes.len(), 1),
                Err(error) => assert!(!error.text().both().contains('\u{1b}')),
            }
        }
    }
});
