//! Any file → the loader with a child process to try it in: this process survives and gets an answer, and a file
//! accepted by the child is a component here too.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ruzhi_guest_runtime::{
    ComponentRegistry, Engine, GuestLimits, Rehearsal, RehearsalRules, answer_rehearsal,
};
use ruzhi_model::{Context, SourceRecord};

static LIBRARY: LazyLock<ComponentRegistry> = LazyLock::new(|| {
    let limits =
        GuestLimits { memory: 16 << 20, deadline: Duration::from_millis(50), answer: 1 << 20, slots: 1 };
    let engine = Engine::new(limits).expect("an engine");
    let rehearsal = Rehearsal::of_this_program().expect("a program");
    ComponentRegistry::new(engine.rehearsing(rehearsal), None)
});

fuzz_target!(
    init: {
        // The child is this program again.
        if std::env::args().skip(1).eq(["guest", "try"]) {
            let answered = answer_rehearsal(std::io::stdin().lock(), std::io::stdout().lock());
            std::process::exit(i32::from(answered.is_err()));
        }
    },
    |bytes: &[u8]| {
        let rules = RehearsalRules {
            text: "{}".to_owned(),
            context: Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "UTC".to_owned() },
            records: vec![SourceRecord { id: "1".to_owned(), json: "{}".to_owned() }],
        };
        match LIBRARY.rehearse(bytes, rules) {
            Err(error) => assert!(!error.code().is_empty() && !error.text().both().contains('\u{1b}')),
            Ok(()) => drop(LIBRARY.load_bytes(bytes)),
        }
    }
);
