//! Unicode NFKC, in 35 KB.
//!
//! The `unicode-normalization` crate adds 138 KB to a guest and `icu_normalizer` 116 KB, mostly tables laid out for
//! fast processing of whole documents. Here a few characters of a few fields are normalised, and a component has 450
//! KB in all. So `build.rs` packs that crate's tables, this module runs the standard's algorithm (UAX #15) on them,
//! and the tests compare the two for every character.

include!(concat!(env!("OUT_DIR"), "/normal.rs"));

const SYLLABLES: u32 = 0xac00;
const LEADS: u32 = 0x1100;
const VOWELS: u32 = 0x1161;
const TRAILS: u32 = 0x11a7;
const VOWEL_COUNT: u32 = 21;
const TRAIL_COUNT: u32 = 28;
const LEAD_COUNT: u32 = 19;
const SYLLABLE_COUNT: u32 = LEAD_COUNT * VOWEL_COUNT * TRAIL_COUNT;

/// A character and its combining class.
type Classed = (char, u8);

/// The text in NFKC.
pub(crate) fn nfkc(text: &str) -> String {
    let mut characters: Vec<Classed> = Vec::with_capacity(text.len());
    for c in text.chars() {
        decompose(c, &mut |part| characters.push((part, class(part))));
    }
    // Canonical order: marks between two starters are sorted by class. A text may consist only of marks, so they are
    // sorted rather than inserted one by one.
    for marks in characters.split_mut(|(_, class)| *class == 0) {
        marks.sort_by_key(|(_, class)| *class);
    }
    compose(characters)
}

fn decompose(c: char, emit: &mut impl FnMut(char)) {
    let code = u32::from(c);
    if let Some(index) = code.checked_sub(SYLLABLES).filter(|index| *index < SYLLABLE_COUNT) {
        let trail = index % TRAIL_COUNT;
        let parts = [
            LEADS + index / (VOWEL_COUNT * TRAIL_COUNT),
            VOWELS + index / TRAIL_COUNT % VOWEL_COUNT,
            TRAILS + trail,
        ];
        parts.into_iter().take(2 + usize::from(trail > 0)).filter_map(char::from_u32).for_each(emit);
        return;
    }
    match decomposed(code) {
        Some(parts) => parts.chars().for_each(emit),
        None => emit(c),
    }
}

fn decomposed(code: u32) -> Option<&'static str> {
    let at = BLOCKS.binary_search_by_key(&u16::try_from(code / 64).ok()?, |(block, _)| *block).ok()?;
    let (start, end) = (BLOCKS.get(at)?.1, BLOCKS.get(at + 1)?.1);
    let mut data = DECOMPOSED.get(usize::from(start)..usize::from(end))?;
    while let [head, rest @ ..] = data {
        let (length, rest) = match (head >> 6, rest) {
            (3, [length, rest @ ..]) => (usize::from(*length), rest),
            (kind, rest) => (usize::from(kind) + 1, rest),
        };
        let (parts, rest) = rest.split_at_checked(length)?;
        if u32::from(head & 63) == code % 64 {
            return std::str::from_utf8(parts).ok();
        }
        data = rest;
    }
    None
}

fn class(c: char) -> u8 {
    let code = u32::from(c);
    let after = CLASSES.partition_point(|(start, ..)| *start <= code);
    match after.checked_sub(1).and_then(|at| CLASSES.get(at)) {
        Some((start, length, class)) if code - start < u32::from(*length) => *class,
        _ => 0,
    }
}

fn compose(characters: Vec<Classed>) -> String {
    let mut composed: Vec<char> = Vec::with_capacity(characters.len());
    // The position of the last starter, and the class of the last character kept after it.
    let mut starter = None;
    let mut last = 0;
    for (c, class) in characters {
        let blocked = composed.len().checked_sub(1) != starter && last >= class;
        if let Some(first) = starter.and_then(|at: usize| composed.get_mut(at))
            && !blocked
            && let Some(pair) = pair(*first, c)
        {
            *first = pair;
            continue;
        }
        if class == 0 {
            starter = Some(composed.len());
        }
        last = class;
        composed.push(c);
    }
    composed.into_iter().collect()
}

fn pair(first: char, second: char) -> Option<char> {
    let (first, second) = (u32::from(first), u32::from(second));
    if let (Some(lead), Some(vowel)) = (first.checked_sub(LEADS), second.checked_sub(VOWELS))
        && lead < LEAD_COUNT
        && vowel < VOWEL_COUNT
    {
        return char::from_u32(SYLLABLES + (lead * VOWEL_COUNT + vowel) * TRAIL_COUNT);
    }
    if let (Some(syllable), Some(trail)) = (first.checked_sub(SYLLABLES), second.checked_sub(TRAILS))
        && syllable < SYLLABLE_COUNT
        && syllable % TRAIL_COUNT == 0
        && (1..TRAIL_COUNT).contains(&trail)
    {
        return char::from_u32(first + trail);
    }
    let composed = match (u16::try_from(first), u16::try_from(second)) {
        (Ok(first), Ok(second)) => {
            let at = PAIRS.binary_search_by_key(&(first, second), |(first, second, _)| (*first, *second));
            PAIRS.get(at.ok()?).map(|(.., composed)| u32::from(*composed))
        }
        _ => ASTRAL_PAIRS
            .iter()
            .find(|pair| (pair.0, pair.1) == (first, second))
            .map(|(.., composed)| *composed),
    };
    composed.and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn every_character_agrees_with_the_crate() {
        for c in '\0'..=char::MAX {
            let expected: String = c.nfkc().collect();
            assert_eq!(nfkc(&c.to_string()), expected, "{c:?}");
            // Again after a letter and before a mark, where it may compose or reorder.
            let text = format!("e{c}\u{301}");
            assert_eq!(nfkc(&text), text.nfkc().collect::<String>(), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_nothing_but_marks_takes_no_longer_than_another() {
        let text = format!("e{}{}", "\u{301}".repeat(500_000), "\u{316}".repeat(500_000));
        let began = std::time::Instant::now();
        let normal = nfkc(&text);
        // Inserted one by one, so many marks would take hours.
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
        assert_eq!(normal, format!("é{}{}", "\u{316}".repeat(500_000), "\u{301}".repeat(499_999)));
    }

    proptest! {
        #[test]
        fn every_text_agrees_with_the_crate(text in any::<String>()) {
            prop_assert_eq!(nfkc(&text), text.nfkc().collect::<String>());
        }

        #[test]
        fn texts_of_marks_and_syllables_agree(text in proptest::collection::vec(prop_oneof![
            proptest::char::range('a', 'f'), proptest::char::range('\u{300}', '\u{345}'), proptest::char::range('\u{1100}', '\u{1112}'),
            proptest::char::range('\u{1161}', '\u{1175}'), proptest::char::range('\u{11a7}', '\u{11c2}'), proptest::char::range('\u{ac00}', '\u{ac20}'),
            proptest::char::range('\u{1e00}', '\u{1eff}'), proptest::char::range('\u{110b0}', '\u{110bb}'), proptest::char::range('\u{ff01}', '\u{ffee}'),
        ], 0..12)) {
            let text: String = text.into_iter().collect();
            prop_assert_eq!(nfkc(&text), text.nfkc().collect::<String>());
        }
    }
}
