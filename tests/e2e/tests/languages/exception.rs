//! An exception in a guest is an error with its text and its place in the source, not a trap.

use ruzhi::guest::{BatchError, Guest};
use ruzhi_guest::SourceRecord;

use super::answers::context;
use super::component::{engine, load};

/// The source of the TypeScript fixture.
const RULES: &str = include_str!("../../../../guests/fixtures/helpers-typescript/src/rules.ts");
const PLACE: &str = include_str!("../../../../guests/fixtures/helpers-typescript/src/place.ts");

/// The code and text with which the fixture stops a batch.
fn stopped(what: &str) -> (String, String) {
    let guest = Guest::new(load(&engine(), "helpers-typescript"), String::new()).unwrap();
    let record = SourceRecord { id: "1".into(), json: format!("{{\"do\":{what:?}}}") };
    match guest.decide(&context(), &[record]).unwrap_err() {
        BatchError::GuestError { code, message, .. } => (code, message),
        other => panic!("{other:?}"),
    }
}

/// `FILE:LINE:COLUMN` of a text in a source.
fn place(file: &str, source: &str, text: &str) -> String {
    let before = &source[..source.find(text).unwrap()];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("{file}:{line}:{column}")
}

#[test]
fn an_exception_in_typescript_is_told_with_its_place_in_the_source() {
    let exception = |message: String| ("guest.exception".to_owned(), message);
    let place_of_error = place("rules.ts", RULES, "new Error(\"x\")");
    assert_eq!(stopped("error"), exception(format!("x ({place_of_error})")));
    let place_of_range = place("place.ts", PLACE, "new RangeError");
    assert_eq!(stopped("nested"), exception(format!("RangeError: from 2 ({place_of_range})")));
    assert_eq!(stopped("text"), exception("only a text".to_owned()));
    let (code, message) = stopped("undefined");
    assert_eq!(code, "guest.exception");
    assert!(message.starts_with("TypeError: "), "{message}");
    let undefined = place("rules.ts", RULES, "return (undefined");
    assert!(message.contains(undefined.rsplit_once(':').unwrap().0), "{message}");
    let (_, message) = stopped("deep");
    assert!(message.contains("RangeError") || message.contains("InternalError"), "{message}");
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
    assert!(refused("throw").contains(&format!("no such rules ({place})")), "{}", refused("throw"));
}
