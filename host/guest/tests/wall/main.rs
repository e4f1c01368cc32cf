//! Attacking guests. Each is rejected or stopped within its deadline with a message that names the cause, and the same
//! engine then decides with a good guest at once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value fails the test"
)]

mod answer;
mod bytes;
mod contract;
mod field;
mod fixture;
mod imports;
mod isolation;
mod memory;
mod promise;
mod proposals;
mod rules_file;
mod terminal;
mod time;
mod trap;
mod until;
mod work;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ruzhi_guest_runtime::{BatchError, Component, Engine, Guest, GuestLimits, GuestLoadError};
use ruzhi_hostile::{Memory, Module};
use ruzhi_model::{Context, Decision, Outcome, SourceRecord};

const DEADLINE: Duration = Duration::from_millis(500);
const MEMORY: usize = 32 << 20;

/// The engine that all attacks of this process share: damage done by one of them would show in the others.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    // Tests run in parallel without waiting for a slot.
    let limits = GuestLimits { memory: MEMORY, deadline: DEADLINE, answer: 4 << 20, slots: 32 };
    Engine::new(limits).unwrap()
});

/// A guest that answers with the bytes in its rules file.
static ECHO: LazyLock<Component> =
    LazyLock::new(|| Component::from_bytes(&ENGINE, None, &ruzhi_hostile::echo(160)).unwrap());

static GOOD: LazyLock<Guest> = LazyLock::new(|| {
    let answer = Memory::answer(&[ignored("好")]);
    Guest::new(ECHO.clone(), ruzhi_hostile::rules(answer.bytes())).unwrap()
});

fn ignored(why: &str) -> Outcome {
    Outcome::new(Decision::Ignore(why.to_owned()))
}

fn records(count: usize) -> Vec<SourceRecord> {
    (0..count)
        .map(|n| SourceRecord { id: format!("{n:024x}"), json: format!("{{\"_id\":\"{n:024x}\"}}") })
        .collect()
}

fn context() -> Context {
    Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() }
}

fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/built").join(name);
    assert!(path.exists(), "{} is missing: run `make guests`", path.display());
    path
}

fn load(bytes: &[u8]) -> Result<Guest, GuestLoadError> {
    Component::from_bytes(&ENGINE, None, bytes).and_then(|component| Guest::new(component, String::new()))
}

/// A guest that answers with these bytes.
fn answering(memory: &Memory) -> Guest {
    Guest::new(ECHO.clone(), ruzhi_hostile::rules(memory.bytes())).unwrap()
}

/// The good guest decides, within its own deadline.
fn the_others_go_on() {
    assert_eq!(GOOD.decide(&context(), &records(1)).unwrap(), [ignored("好")]);
}

/// The code and text of an error, checked in both languages: each must contain these words.
fn says_both(text: &ruzhi_model::Text, words: &[&str]) {
    for side in [&text.en, &text.zh] {
        for word in words {
            assert!(side.contains(word), "no `{word}` in: {side}");
        }
        assert!(side.chars().count() < 1_200, "too long: {side}");
        assert!(!side.chars().any(char::is_control), "{side:?}");
    }
    assert!(text.zh.chars().any(|c| ('\u{4e00}'..'\u{a000}').contains(&c)), "no Chinese: {}", text.zh);
}

/// The component is rejected with this code; both texts contain these words.
fn refused(bytes: &[u8], code: &str, words: &[&str]) -> GuestLoadError {
    let error = match load(bytes) {
        Ok(_) => panic!("it was let in"),
        Err(error) => error,
    };
    assert_eq!(error.code(), code, "{error}");
    says_both(&error.text(), words);
    says_both(&error.hint(), &[]);
    the_others_go_on();
    error
}

/// The component loads, and its batch fails with this code; both texts contain these words.
fn fails(guest: &Guest, code: &str, words: &[&str]) -> BatchError {
    let batch = records(3);
    let error = guest.decide(&context(), &batch).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    says_both(&error.text(), words);
    says_both(&error.text(), &["`decide`", "3", &batch[0].id, &batch[2].id]);
    the_others_go_on();
    error
}

/// The same for a module.
fn module_fails(module: &Module, code: &str, words: &[&str]) -> BatchError {
    fails(&load(&module.component()).unwrap(), code, words)
}
