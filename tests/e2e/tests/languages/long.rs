//! The longest text a form may hold costs a guest in proportion to its length, whatever is in it: one row that takes the
//! whole time of a batch would keep the other rows of the batch waiting.

use ruzhi_guest::SourceRecord;
use ruzhi_guest_runtime::{Guest, Library};
use serde_json::json;

use super::answers::{config, context};
use super::component::{built, measuring};
use super::hostile::with;

/// What a text is made of, again and again.
const LETTERS: [&str; 28] = [
    "a",
    "1",
    " ",
    "字",
    "１",
    "，",
    "1,",
    "[",
    "\"",
    "\\",
    "-",
    "0",
    "@",
    "e\u{301}",
    "\u{301}",
    "\u{200b}",
    "ﷺ",
    "😀\u{200d}",
    "2026-01-01 ",
    "a@b.",
    "\u{315}\u{300}",
    "\u{1acf}\u{315}\u{300}",
    "无",
    "(",
    "\u{d}\u{a}",
    "\u{ac}\u{ff10}",
    "\u{301}\u{ff9e}",
    "\u{f73}",
];

/// A short text in bytes, and so many times as long a one.
const SHORT: usize = 2_000;
const TIMES: usize = 4;
/// A text four times as long may cost so many times as much: in proportion to the square it would be sixteen.
const MOST: u64 = 6;

/// What stands in a field: the letters as one text, and as a list of so many texts.
fn values(letters: &str, bytes: usize) -> [String; 2] {
    // As a row has it, with what has to be escaped.
    let one = json!(letters).to_string();
    let text = json!(letters.repeat(bytes / (one.len() - 2))).to_string();
    let list = json!(vec![letters; bytes / (one.len() + 1)]).to_string();
    [text, list]
}

/// Fails where a text costs more than in proportion. `row` puts a value into a row in each way there is.
pub(crate) fn costs_in_proportion(name: &str, row: impl Fn(&str) -> Vec<String>) {
    let library = Library::new(measuring(), None);
    let guest = Guest::new(library.load(&built(name), None).unwrap(), config(name)).unwrap();
    let cost = |json: String| {
        let record = SourceRecord { id: "row-1".to_owned(), json };
        let measured = guest.measure(&context(), &[record]);
        measured.outcomes.unwrap_or_else(|error| panic!("{name}: {error}"));
        measured.fuel.unwrap()
    };
    for letters in LETTERS {
        for (short, long) in values(letters, SHORT).iter().zip(values(letters, SHORT * TIMES)) {
            for (way, (short, long)) in row(short).into_iter().zip(row(&long)).enumerate() {
                let (short, long) = (cost(short), cost(long));
                assert!(long <= short * MOST, "{name}, {way}, {letters:?}: {short}, {long}");
            }
        }
    }
}

/// The row of the founding factory with the value where an identifier, a text for people and a list stand.
pub(crate) fn in_fields(value: &str) -> Vec<String> {
    [0, 1, 3].map(|field| with(&[(field, value)])).to_vec()
}
