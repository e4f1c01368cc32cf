//! The common form of different spellings of one text.
//!
//! A table says `生产部（一车间）` and the form `生产部(一车间) `; a name comes out of a PDF with radicals in place of its
//! characters. A person sees no difference, so both sides of a comparison are folded first. Texts written to the
//! directory are never folded.

use std::borrow::Cow;

use super::{is_invisible, is_joiner};
use crate::normal::nfkc;

include!(concat!(env!("OUT_DIR"), "/lower.rs"));

/// The characters that replace those from U+2E81 on: Unicode's `Equivalent_Unified_Ideograph` of the block CJK
/// Radicals Supplement, of which NFKC maps only two. NFKC maps the other radicals (Kangxi).
const RADICALS: &str = "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵⺚旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀\
                        聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟";

/// The form in which texts are compared: NFKC; radicals as their characters; every kind of dot, dash, slash, bracket
/// and quote as one; Latin, Greek and Cyrillic letters in lower case, with or without the dot of an `i`; no invisible
/// characters, and no space but a single one between two letters or digits of these scripts.
///
/// ```
/// use ruzhi_guest::text::fold;
/// assert_eq!(fold("生产部（一车间）"), fold("⽣产部 (一⻋间)\u{200b}"));
/// assert_eq!(fold("财务 部"), fold("财务\u{3000}部"));
/// assert_eq!(fold("Li  Ming"), "li ming");
/// ```
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_folded) {
        return Cow::Borrowed(text);
    }
    let visible: String = text.chars().filter(|c| !vanishes(*c)).collect();
    let mut folded = String::with_capacity(visible.len());
    let mut spaced = false;
    for c in nfkc(&visible).chars() {
        if c.is_whitespace() {
            spaced = true;
            continue;
        }
        let last = folded.chars().next_back();
        let letter = match c {
            // NFKC turns `´` into a space, possibly trimmed, and this mark.
            '\u{301}' if spaced || last.is_none() => '\'',
            c => fold_character(c),
        };
        match (last, letter) {
            // Chinese doubles its dash; and lower-casing `İ` leaves a combining dot.
            (Some('-'), '-') if c != '-' => continue,
            (Some('i'), '\u{307}') => continue,
            (Some('\''), '\'') => {
                folded.pop();
                folded.push('"');
                continue;
            }
            _ => {}
        }
        if spaced && last.is_some_and(is_spaced) && is_spaced(letter) {
            folded.push(' ');
        }
        spaced = false;
        folded.push(letter);
    }
    // Characters that are now adjacent may compose.
    Cow::Owned(if folded.is_ascii() { folded } else { nfkc(&folded) })
}

/// True for a character that folding never changes, whatever is beside it. Nearly every character in a form is one.
fn is_folded(c: char) -> bool {
    match c {
        'A'..='Z' | '[' | '\\' | ']' | '`' | '{' | '}' | '\'' => false,
        '!'..='~' | '\u{4e00}'..='\u{9fff}' => true,
        _ => false,
    }
}

/// Invisible characters: zero-width characters, joiners, fillers, and variation selectors.
fn vanishes(c: char) -> bool {
    match c {
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => true,
        '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' => true,
        c => !c.is_whitespace() && (is_invisible(c) || is_joiner(c)),
    }
}

/// A letter or digit of a script that separates words with spaces, as far as names in a directory are concerned.
fn is_spaced(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}' | '\u{1e00}'..='\u{1eff}')
}

fn fold_character(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        '·' | '•' | '‧' | '∙' | '⋅' | '・' | '◦' | '●' | '。' | 'ꞏ' | '⸱' | '⸳' | '᛫' => {
            '.'
        }
        '\u{2010}'..='\u{2015}' | '˗' | '⁃' | '−' | '⸺' | '⸻' | '─' | '━' | '➖' => '-',
        '∕' | '⁄' | '╱' | '⧸' | '\\' | '∖' | '⧵' | '╲' => '/',
        '[' | '{' | '〔' | '【' | '〖' | '〘' | '〚' | '⟦' | '⟨' | '❨' | '❲' => '(',
        ']' | '}' | '〕' | '】' | '〗' | '〙' | '〛' | '⟧' | '⟩' | '❩' | '❳' => ')',
        '“' | '”' | '„' | '‟' | '«' | '»' | '「' | '」' | '『' | '』' | '〝' | '〞' | '〟' => {
            '"'
        }
        '‘' | '’' | '‚' | '‛' | '‹' | '›' | '′' | '‵' | 'ʼ' | 'ʹ' | '`' => '\'',
        '〈' | '《' => '<',
        '〉' | '》' => '>',
        '、' => ',',
        '∶' => ':',
        '∼' | '〜' => '~',
        'İ' | 'ı' => 'i',
        'ς' => 'σ',
        '\u{2e81}'..='\u{2ef3}' => radical(c),
        '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}' | '\u{1e00}'..='\u{1eff}' => lower(c),
        c => c,
    }
}

fn radical(c: char) -> char {
    let place = u32::from(c).checked_sub(0x2e81).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| RADICALS.chars().nth(place)).unwrap_or(c)
}

/// The letter in lower case, if that is one letter: `build.rs` has the ranges from the standard library.
fn lower(c: char) -> char {
    let code = u32::from(c);
    let after = LOWER.partition_point(|(first, ..)| u32::from(*first) <= code);
    match after.checked_sub(1).and_then(|at| LOWER.get(at)) {
        Some((first, last, step, shift))
            if code <= u32::from(*last) && (code - u32::from(*first)).is_multiple_of(u32::from(*step)) =>
        {
            code.checked_add_signed(i32::from(*shift)).and_then(char::from_u32).unwrap_or(c)
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests;
