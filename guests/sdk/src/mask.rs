//! Masking of personal numbers and addresses: the only module that decides how a masked value is written, for guests
//! and for the host.
//!
//! It is part of the SDK because a guest masks the values in its own messages and cannot link the host's crates. The
//! host's crate `message` passes it on; `plan`, which is below `message`, uses it from here. It calls nothing but
//! `serde_json`.
//!
//! Enough is left to recognise a value one already knows:
//!
//! | value | masked | left |
//! |---|---|---|
//! | mobile, telephone | `138******00` | the first three digits and the last two, and what separates them |
//! | identity number | `110************23X` | the same, and a final `X` |
//! | e-mail address | `l****@example.com` | the first character, and the domain |
//! | postal address, anything else | `深圳市***一号` | the first three characters and the last two |
//!
//! Every hidden digit and every hidden character of an e-mail address is one `*`, so that a missing digit is noticed.

use serde_json::{Map, Value};

/// A run of this many digits may be a person's number.
pub const NUMBER: usize = 7;
/// No number of a person is written in more characters, and no e-mail address has more.
const LONGEST_NUMBER: usize = 40;
const LONGEST_ADDRESS: usize = 254;
/// Characters examined after the last one shown.
const AHEAD: usize = 400;
/// Stands for the hidden part of a value that is neither a number nor an e-mail address.
const HIDDEN: &str = "***";
/// Stands for the part of a text that is cut off.
const MORE: &str = "…";
/// The example address in ruzhi's own messages.
const EXAMPLE: &str = "name@example.com";

/// The numbers to mask in free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Mobile and identity numbers. For texts of programs, in which other long numbers are ids that a reader needs.
    OfPeople,
    /// Every number of seven digits or more that is not a date. For texts that people fill in: telephones, accounts
    /// and cards may be among them.
    Long,
}

/// Masks the numbers and e-mail addresses in a free text, in any writing: in groups, after a country code, with
/// full-width characters.
///
/// ```
/// use ruzhi_guest::mask::{Numbers, text};
/// assert_eq!(text("call +86 138-0013-8000", Numbers::OfPeople), "call +86 1**-****-**00");
/// assert_eq!(text("座机 0755-12345678", Numbers::Long), "座机 075*-******78");
/// assert_eq!(text("li.si@example.com", Numbers::OfPeople), "l****@example.com");
/// ```
pub fn text(text: &str, numbers: Numbers) -> String {
    beginning(text, numbers, usize::MAX)
}

/// The first `most` characters of a text, masked as by [`text`], and an ellipsis if there are more. A number or address
/// that begins within them is examined whole.
///
/// Every character is examined a fixed number of times, so a text of any length may come from outside.
pub fn beginning(text: &str, numbers: Numbers, most: usize) -> String {
    let original: Vec<char> = text.chars().take(most.saturating_add(AHEAD)).collect();
    let folded: Vec<char> = original.iter().map(|c| fold(*c)).collect();
    let mut shown = String::with_capacity(text.len().min(most.saturating_mul(4)));
    let mut at = 0;
    while at < most.min(original.len()) {
        let (found, length) = find(&folded, at, numbers);
        let length = match found {
            Found::Text => length.min((most - at).max(LONGEST_NUMBER)),
            Found::Number | Found::Address => length,
        };
        let part: String = original.iter().skip(at).take(length).collect();
        shown.push_str(&match found {
            Found::Text => part,
            Found::Number if length <= LONGEST_NUMBER => digits(&part),
            Found::Address if length <= LONGEST_ADDRESS => address(&part),
            Found::Number | Found::Address => ends(&part),
        });
        at += length;
    }
    if at < original.len() {
        shown.push_str(MORE);
    }
    shown
}

/// Masks a value that is known to be personal, whatever it looks like.
///
/// ```
/// use ruzhi_guest::mask::value;
/// assert_eq!(value("13800138000"), "138******00");
/// assert_eq!(value("深圳市南山区科技园一号"), "深圳市***一号");
/// ```
pub fn value(text: &str) -> String {
    if text.contains(['@', '＠']) {
        let words = text.split_inclusive(ends_a_word);
        let is_address = |word: &str| word.contains(['@', '＠']) && word.chars().count() <= LONGEST_ADDRESS;
        return words.map(|word| if is_address(word) { address(word) } else { ends(word) }).collect();
    }
    let written = |c: char| is_digit(c) || separates(c) || matches!(c, '+' | '(' | ')' | 'X' | 'x');
    let is_number = text.chars().map(fold).filter(|c| is_digit(*c)).count() >= NUMBER;
    if is_number && text.chars().count() <= LONGEST_NUMBER && text.chars().map(fold).all(written) {
        return digits(text);
    }
    ends(text.trim())
}

/// True if a field of a WeCom member is personal.
pub fn is_personal(field: &str) -> bool {
    matches!(field, "mobile" | "email" | "biz_mail" | "telephone" | "address" | "extattr")
}

/// Masks the value of a field of a WeCom member. Accounts, departments and the like stay; a text, such as a name, loses
/// the numbers in it.
pub fn field(name: &str, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) if is_personal(name) => Value::String(self::value(text)),
        _ if is_personal(name) => Value::String(HIDDEN.to_owned()),
        Value::String(content) if name != "userid" => Value::String(text(content, Numbers::Long)),
        other => other.clone(),
    }
}

/// Masks the fields of a WeCom member, such as a request body.
pub fn body(fields: &Map<String, Value>) -> Map<String, Value> {
    fields.iter().map(|(name, value)| (name.clone(), field(name, value))).collect()
}

/// Masks the digits of a text that has seven or more, whatever is between them, except the first three and the last
/// two.
pub(crate) fn digits(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let digit = |c: &char| c.is_ascii_digit() || ('０'..='９').contains(c);
    let total = characters.iter().filter(|c| digit(c)).count();
    if total < NUMBER {
        return text.to_owned();
    }
    let mut seen = 0;
    let mask = |c: char| {
        if digit(&c) {
            seen += 1;
            if seen > 3 && seen + 2 <= total { '*' } else { c }
        } else {
            c
        }
    };
    characters.into_iter().map(mask).collect()
}

/// Masks the name part of an e-mail address except its first character, and the digits of a domain that has seven.
pub(crate) fn address(part: &str) -> String {
    let (local, domain) =
        part.find(['@', '＠']).and_then(|at| part.split_at_checked(at)).unwrap_or(("", part));
    let masked: String =
        local.chars().enumerate().map(|(index, c)| if index == 0 { c } else { '*' }).collect();
    masked + &digits(domain)
}

/// True for the characters between two addresses in one text.
pub(crate) fn ends_a_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '，' | '；')
}

/// Keeps only the ends of a text; nothing of a short one.
fn ends(text: &str) -> String {
    let (before, text) = text.split_at(text.len() - text.trim_start().len());
    let (text, after) = text.split_at(text.trim_end().len());
    if text.is_empty() {
        return format!("{before}{after}");
    }
    let longer_than = |most: usize| text.chars().nth(most).is_some();
    let kept = match () {
        () if longer_than(8) => 3,
        () if longer_than(4) => 1,
        () => return format!("{before}{HIDDEN}{after}"),
    };
    let start: String = text.chars().take(kept).collect();
    let end: String = [text.chars().nth_back(1), text.chars().next_back()].into_iter().flatten().collect();
    format!("{before}{start}{HIDDEN}{end}{after}")
}

/// A piece of a free text.
enum Found {
    /// Nothing personal.
    Text,
    /// A number of a person.
    Number,
    /// An e-mail address.
    Address,
}

/// The piece that begins at a place, and its length.
fn find(text: &[char], at: usize, numbers: Numbers) -> (Found, usize) {
    let rest = text.get(at..).unwrap_or_default();
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    // A word is examined once, where it begins.
    if !before.is_some_and(|c| is_of_an_address(*c)) {
        if let Some(length) = record_id(rest) {
            return (Found::Text, length);
        }
        if let Some(length) = email(rest) {
            return (Found::Address, length);
        }
    }
    if !rest.first().is_some_and(|c| is_digit(*c)) {
        return (Found::Text, 1);
    }
    let found = match numbers {
        Numbers::Long => long_number(rest),
        Numbers::OfPeople => number_of_a_person(before.copied(), rest),
    };
    found.unwrap_or_else(|| (Found::Text, rest.iter().take_while(|c| is_digit(**c)).count()))
}

/// A date, or a number of at least seven digits, its groups separated by single characters.
fn long_number(rest: &[char]) -> Option<(Found, usize)> {
    if is_date(rest) {
        return Some((Found::Text, 10));
    }
    let (mut digits, mut length) = (0, 0);
    for (place, c) in rest.iter().enumerate() {
        let parts = separates(*c) && rest.get(place + 1).is_some_and(|next| is_digit(*next));
        if is_digit(*c) {
            digits += 1;
            length = place + 1;
        } else if !parts {
            break;
        }
    }
    (digits >= NUMBER).then_some((Found::Number, length))
}

/// A mobile or identity number, with or without a country code, that stands by itself: digits within a word of letters
/// are part of an id.
fn number_of_a_person(before: Option<char>, rest: &[char]) -> Option<(Found, usize)> {
    if before.is_some_and(is_of_an_id) {
        return None;
    }
    let mut number = String::new();
    let mut longest = None;
    for (place, c) in rest.iter().enumerate() {
        let next = rest.get(place + 1);
        if is_digit(*c) {
            number.push(*c);
            let x = next.is_some_and(|next| matches!(next, 'X' | 'x'));
            let (length, after) = if x { (place + 2, rest.get(place + 2)) } else { (place + 1, next) };
            let is_whole = !after.is_some_and(|after| is_of_an_id(*after) || is_digit(*after));
            let in_groups = number.len() <= place;
            let is_a_persons = match before {
                _ if x => number.len() == 17,
                Some('+') => (8..=15).contains(&number.len()),
                _ => is_mobile(&number) || is_identity(&number, in_groups),
            };
            if is_whole && is_a_persons {
                longest = Some((Found::Number, length));
            }
        } else if !separates(*c) || !next.is_some_and(|next| is_digit(*next)) {
            break;
        }
        // An international number has at most 15 digits, an identity number 18.
        if number.len() > 18 {
            break;
        }
    }
    longest
}

fn is_mobile(number: &str) -> bool {
    let codes = ["", "86", "0086"].iter();
    let mut national = codes.filter_map(|code| number.strip_prefix(code));
    national.any(|number| number.len() == 11 && number.starts_with('1') && !number.starts_with("10"))
}

/// Groups of digits may be anything: together they are an identity number only if they contain a date of birth.
fn is_identity(number: &str, in_groups: bool) -> bool {
    let year = match number.len() {
        15 => 6..8,
        18 => 6..10,
        _ => return false,
    };
    let part = |from: usize| number.get(from..from + 2).and_then(|part| part.parse::<u8>().ok());
    let (month, day) = (part(year.end), part(year.end + 2));
    !in_groups
        || (month.is_some_and(|month| (1..=12).contains(&month))
            && day.is_some_and(|day| (1..=31).contains(&day)))
}

/// Matches a date such as `2026-05-01`, which is not a personal number.
fn is_date(rest: &[char]) -> bool {
    let date: String = rest.iter().take(10).collect();
    let part = |from, to| date.get(from..to).and_then(|part: &str| part.parse::<u32>().ok());
    let hyphens = [4, 7].iter().all(|place| rest.get(*place) == Some(&'-'));
    hyphens
        && part(0, 4).is_some()
        && part(5, 7).is_some_and(|month| (1..=12).contains(&month))
        && part(8, 10).is_some_and(|day| (1..=31).contains(&day))
        && !rest.get(10).is_some_and(|next| is_digit(*next))
}

/// The length of a record id: 24 hexadecimal digits name a row of a form, not a person.
fn record_id(rest: &[char]) -> Option<usize> {
    const LENGTH: usize = 24;
    let length = rest.iter().take(LENGTH + 1).take_while(|c| c.is_ascii_alphanumeric()).count();
    let hexadecimal = rest.iter().take(length).all(char::is_ascii_hexdigit);
    (length == LENGTH && hexadecimal).then_some(length)
}

/// The length of an e-mail address.
fn email(rest: &[char]) -> Option<usize> {
    let word: String = rest.iter().take_while(|c| is_of_an_address(**c)).collect();
    let (name, domain) = word.split_once('@')?;
    let domain = domain.trim_end_matches('.');
    let written = |part: &str| part.contains(|c: char| c.is_ascii_alphanumeric());
    let whole = written(name) && domain.contains('.') && written(domain);
    (whole && word.trim_end_matches('.') != EXAMPLE).then(|| word.chars().count())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// A space or a hyphen between the groups of a number.
fn separates(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn is_of_an_id(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_of_an_address(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%' | '@')
}

/// The ASCII character of which a character is the full-width form; any other character itself.
fn fold(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests;
