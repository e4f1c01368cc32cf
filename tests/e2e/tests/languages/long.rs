//! The longest text a form may hold costs a guest time in proportion to its length, for any content. A row that took
//! the whole time of a batch would delay the other rows of the batch.

use ruzhi_guest::SourceRecord;
use ruzhi_guest_runtime::{ComponentRegistry, Guest};
use serde_json::json;

use super::answers::{config, context};
use super::component::{built, cache, measuring};
use super::hostile::with;

/// Units that a text repeats.
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

/// Length of the short text in bytes, and the factor of the long one.
const SHORT: usize = 2_000;
const TIMES: usize = 4;
/// Greatest cost ratio of a text four times as long; quadratic cost would give sixteen.
const MOST: u64 = 6;

/// Content of a field: the letters as one text, and as a list of this many texts.
fn values(letters: &str, bytes: usize) -> [String; 2] {
    // As in a row, with everything escaped that must be.
    let one = json!(letters).to_string();
    let text = json!(letters.repeat(bytes / (one.len() - 2))).to_string();
    let list = json!(vec![letters; bytes / (one.len() + 1)]).to_string();
    [text, list]
}

/// Fails if a text costs more than in proportion. `row` puts a value into a row in each supported way.
pub(crate) fn costs_in_proportion(name: &str, row: impl Fn(&str) -> Vec<String>) {
    let library = ComponentRegistry::new(measuring(), Some(cache()));
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

/// The row of the founding factory with the value in an identifier, a text for people and a list.
pub(crate) fn in_fields(value: &str) -> Vec<String> {
    [0, 1, 3].map(|field| with(&[(field, value)])).to_vec()
}
