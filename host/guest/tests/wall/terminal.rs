//! Guests whose texts contain terminal control sequences.

use ruzhi_guest::contract::Text;

use super::*;

/// Clears the screen, sets the window's title, rings the bell and reverses the writing direction.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{202e}txet\u{2066}";

fn harmless(text: &str) {
    let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.chars().any(bad), "{text:?}");
    assert!(text.contains("owned"), "{text}");
}

#[test]
fn what_a_guest_says_of_a_record_is_harmless() {
    let decision = Decision::Reject(vec![ruzhi_model::Violation {
        field: ESCAPES.to_owned(),
        rule: ESCAPES.to_owned(),
        message: Text::same(ESCAPES),
    }]);
    let outcome = Outcome { notes: vec![ESCAPES.to_owned()], ..Outcome::new(decision) };
    let outcome = answering(&Memory::answer(&[outcome])).decide(&context(), &records(1)).unwrap().remove(0);
    harmless(&outcome.notes[0]);
    let Decision::Reject(violations) = outcome.decision else { panic!("no reject") };
    let ruzhi_model::Violation { field, rule, message: Text { zh, en } } = &violations[0];
    for text in [field, rule, zh, en] {
        harmless(text);
    }
    let outcome =
        answering(&Memory::answer(&[ignored(ESCAPES)])).decide(&context(), &records(1)).unwrap().remove(0);
    let Decision::Ignore(reason) = outcome.decision else { panic!("no ignore") };
    harmless(&reason);
}

#[test]
fn what_a_guest_says_of_a_batch_is_harmless() {
    let mut memory = Memory::giving_up((0, 0), (0, 0));
    let text = memory.text(ESCAPES);
    memory.pair(ruzhi_hostile::BASE + 4, text);
    memory.pair(ruzhi_hostile::BASE + 12, text);
    let error = answering(&memory).decide(&context(), &records(1)).unwrap_err();
    harmless(&error.to_string());
    harmless(&error.text().zh);
}

#[test]
fn the_contract_a_component_claims_is_harmless() {
    let mut bytes = wat::parse_str("(component)").unwrap();
    let name = b"ruzhi:api-version";
    let section = [&[name.len() as u8][..], name, b"9 owned\x1b[2J\x07"].concat();
    ruzhi_hostile::section(&mut bytes, 0, &section);
    let error = load(&bytes).err().unwrap();
    harmless(&format!("{} {}", error.text().both(), error.hint().both()));
}

#[test]
fn names_in_a_component_are_harmless_in_what_is_said_of_it() {
    // Names in the component model are words with dashes; a core module may have any name, and a trap includes it.
    let module = format!(
        r#"(module
  (import "owned{0}" "owned{0}" (func))
)"#,
        r"\1b[2J\07"
    );
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    ruzhi_hostile::section(&mut component, 1, &wat::parse_str(module).unwrap());
    // An instance of it with no imports: the missing import is named.
    ruzhi_hostile::section(&mut component, 2, &[1, 0, 0, 0]);
    let error = load(&component).err().unwrap();
    harmless(&format!("{} {}", error.text().both(), error.hint().both()));
}
