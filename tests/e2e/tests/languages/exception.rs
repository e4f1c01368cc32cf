//! An exception in a guest is an error with its text and its place in the source, not a trap.

use ruzhi_guest::{Outcome, SourceRecord};
use ruzhi_guest_runtime::{BatchError, Guest};

use super::answers::context;
use super::component::{engine, load};

/// The source of the TypeScript fixture.
const RULES: &str = include_str!("../../../../guests/fixtures/helpers-typescript/src/rules.ts");
const PLACE: &str = include_str!("../../../../guests/fixtures/helpers-typescript/src/place.ts");

fn decided(what: &str) -> Result<Vec<Outcome>, Box<BatchError>> {
    let guest = Guest::new(load(&engine(), "helpers-typescript"), String::new()).unwrap();
    let record = SourceRecord { id: "1".into(), json: format!("{{\"do\":{what:?}}}") };
    guest.decide(&context(), &[record]).map_err(Box::new)
}

/// The code and text with which the fixture stops a batch.
fn stopped(what: &str) -> (String, String) {
    match *decided(what).unwrap_err() {
        BatchError::GuestError { code, message, .. } => (code, message),
        other => panic!("{other:?}"),
    }
}

/// `FILE:LINE` of a text in a source. The engine's column is that of the statement or of a part of it.
fn place(file: &str, source: &str, text: &str) -> String {
    let before = &source[..source.find(text).unwrap()];
    format!("{file}:{}", before.matches('\n').count() + 1)
}

#[test]
fn an_exception_in_typescript_is_told_with_its_place_in_the_source() {
    let told = |what: &str, text: &str, place: String| {
        let (code, message) = stopped(what);
        assert_eq!(code, "guest.exception");
        assert!(message.starts_with(&format!("{text} ({place}:")) && message.ends_with(')'), "{message}");
    };
    told("error", "x", place("rules.ts", RULES, "new Error(\"x\")"));
    told("nested", "RangeError: from 2", place("place.ts", PLACE, "new RangeError"));
    told(
        "undefined",
        "TypeError: cannot read property 'val' of undefined",
        place("rules.ts", RULES, "return (undefined"),
    );
    assert_eq!(stopped("text"), ("guest.exception".to_owned(), "only a text".to_owned()));
}

#[test]
fn recursion_without_end_is_a_trap_that_names_the_stack() {
    let trap = decided("deep").unwrap_err().to_string();
    assert!(trap.contains("call stack exhausted"), "{trap}");
}

#[test]
fn time_and_chance_are_refused() {
    for what in ["random", "date"] {
        let (code, message) = stopped(what);
        assert_eq!(code, "guest.exception");
        assert!(message.contains("use clock.now (rules.ts:"), "{message}");
    }
}

#[test]
fn a_configuration_is_refused_in_the_guests_own_words() {
    let refused = |config: &str| {
        Guest::new(load(&engine(), "helpers-typescript"), config.to_owned()).err().unwrap().to_string()
    };
    assert!(refused("refuse").contains("不行 / no"), "{}", refused("refuse"));
    let place = place("rules.ts", RULES, "new Error(\"no such rules\")");
    assert!(refused("throw").contains(&format!("no such rules ({place}:")), "{}", refused("throw"));
}
