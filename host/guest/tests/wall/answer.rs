//! Answers that lie about their size, their number or their text.

use ruzhi_hostile::BASE;

use super::*;

/// The region that [`ECHO`] fills with the letter `a`: from above its answer to its end.
const LETTERS: u32 = BASE + (64 << 10);
const MEBIBYTE: u32 = 1 << 20;

/// An answer of one list with this many outcomes, each an ignore with the same text.
fn outcomes_pointing_at(count: u32, text: (u32, u32)) -> Memory {
    let outcomes: Vec<Outcome> = (0..count).map(|_| ignored("")).collect();
    let mut memory = Memory::answer(&outcomes);
    for n in 0..count {
        memory.pair(BASE + 12 + n * 188 + 4, text);
    }
    memory
}

#[test]
fn a_hundred_texts_that_are_one_mebibyte_are_refused() {
    let guest = answering(&outcomes_pointing_at(100, (LETTERS, MEBIBYTE)));
    let error = guest.decide(&context(), &records(100)).unwrap_err();
    assert_eq!(error.code(), "guest.answer", "{error}");
    says_both(&error.text(), &["`decide`", "100"]);
    the_others_go_on();
}

#[test]
fn one_text_within_the_limit_is_taken_and_shortened() {
    let guest = answering(&outcomes_pointing_at(1, (LETTERS, MEBIBYTE)));
    let outcomes = guest.decide(&context(), &records(1)).unwrap();
    assert!(matches!(&outcomes[0].decision, Decision::Ignore(why) if why.chars().count() == 1_000));
}

#[test]
fn lists_that_hold_themselves_are_refused() {
    // Each note points at the whole answer. A list cannot nest without end, but a hundred outcomes can all share the
    // same ten thousand notes.
    let outcomes: Vec<Outcome> = (0..100).map(|_| ignored("x")).collect();
    let mut memory = Memory::answer(&outcomes);
    let note = memory.text("note");
    let notes = memory.room(8 * 4_000, 4);
    for n in 0..4_000 {
        memory.pair(notes + n * 8, note);
    }
    for n in 0..100 {
        memory.pair(BASE + 12 + n * 188 + 168, (notes, 4_000));
    }
    let error = answering(&memory).decide(&context(), &records(100)).unwrap_err();
    assert_eq!(error.code(), "guest.answer", "{error}");
    the_others_go_on();
}

#[test]
fn a_length_that_nothing_has_is_a_trap_and_nothing_is_allocated_for_it() {
    for length in [1 << 31, u32::MAX, u32::MAX / 188, 1 << 27] {
        let error = answering(&Memory::claiming(BASE, length)).decide(&context(), &records(3)).unwrap_err();
        assert!(["guest.trap", "guest.answer"].contains(&error.code()), "{length}: {error}");
        says_both(&error.text(), &["`decide`"]);
        the_others_go_on();
    }
}

#[test]
fn an_address_that_is_nowhere_or_crooked_is_a_trap() {
    for address in [u32::MAX, 0xffff_fff0, BASE + 1, BASE + 2] {
        fails(&answering(&Memory::claiming(address, 3)), "guest.trap", &["`decide`"]);
    }
    fails(&answering(&outcomes_pointing_at(3, (u32::MAX - 3, 3))), "guest.trap", &["`decide`"]);
    let crooked = Module { decide: "(i32.const 3)".to_owned(), ..Module::default() };
    module_fails(&crooked, "guest.trap", &["`decide`"]);
    let nowhere = Module { decide: "(i32.const -8)".to_owned(), ..Module::default() };
    module_fails(&nowhere, "guest.trap", &["`decide`"]);
}

#[test]
fn a_case_that_is_none_is_a_trap() {
    let mut memory = Memory::answer(&[ignored("a"), ignored("b"), ignored("c")]);
    memory.byte(BASE + 12 + 188, 4);
    fails(&answering(&memory), "guest.trap", &["`decide`"]);
    let mut memory = Memory::answer(&[ignored("a"), ignored("b"), ignored("c")]);
    memory.byte(BASE, 2);
    fails(&answering(&memory), "guest.trap", &["`decide`"]);
}

#[test]
fn a_text_that_is_no_utf_8_is_a_trap() {
    for bytes in [&b"\xff\xfe"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8"] {
        let mut memory = outcomes_pointing_at(3, (LETTERS, 1));
        let text = memory.raw(bytes);
        memory.pair(BASE + 12 + 188 + 4, text);
        fails(&answering(&memory), "guest.trap", &["utf-8"]);
    }
}

#[test]
fn any_number_of_outcomes_but_the_right_one_fails_the_batch() {
    for count in [0, 1, 2, 4, 100] {
        let outcomes: Vec<Outcome> = (0..count).map(|_| ignored("x")).collect();
        let error = fails(&answering(&Memory::answer(&outcomes)), "guest.count", &[&count.to_string()]);
        assert!(matches!(error, BatchError::Count { found, expected: 3, .. } if found == count));
    }
}

#[test]
fn a_batch_given_up_with_a_mebibyte_of_words_is_told_in_few() {
    let text = (LETTERS, MEBIBYTE);
    let BatchError::GuestError { code, message, .. } =
        fails(&answering(&Memory::giving_up(text, text)), "guest.error", &["aaaa"])
    else {
        panic!("no guest error")
    };
    assert_eq!((code.chars().count(), message.chars().count()), (80, 1_000));
}

#[test]
fn a_batch_given_up_with_too_many_words_is_refused() {
    let text = (LETTERS, 5 * MEBIBYTE);
    fails(&answering(&Memory::giving_up(text, text)), "guest.answer", &["`decide`"]);
}
