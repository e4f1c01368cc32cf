//! Two thousand rows that a form, an import or a malicious clerk could pass to the founding factory's rules: those of
//! the simulated factory, every hostile value in every field, random values, and texts that are not rows.

use ruzhi_sim::Random;
use ruzhi_sim::factory::{DEPARTMENT, Factory, MOBILE, NAME, POSITION, USERID};
use serde_json::json;

use super::chance::{text, value};
use super::values::VALUES;

/// Number of rows.
pub(crate) const ROWS: usize = 2_000;

const FIELDS: [&str; 5] = [USERID, NAME, MOBILE, DEPARTMENT, POSITION];

/// The fields of a good row, as JSON texts.
const GOOD: [&str; 5] = [r#""user1234""#, r#""张三""#, r#""13800138000""#, r#""[1,2,3]""#, r#""工程师""#];

/// Texts in place of a whole row.
const DOCUMENTS: &[&str] = &[
    "",
    " ",
    "\n\n",
    "{}",
    " {} ",
    "[]",
    "[1]",
    "[1,2]",
    "[{}]",
    "[",
    "[1",
    "[1,",
    "[}",
    "]",
    "null",
    "nul",
    "nullx",
    "true",
    "false x",
    "1",
    "-1",
    "1.5",
    "18446744073709551616",
    "01",
    "1x",
    "-",
    "\"a\"",
    "\"a",
    "\"\\ud800\"",
    "{",
    "{\"",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\":1}x",
    "{\"a\":1} {}",
    "{\"a\":1}\n\n x",
    "{1:2}",
    "{a:1}",
    "{'a':1}",
    "{,}",
    "{\"a\" :\n 1\n,\n}",
    "\u{feff}{}",
    "\u{a0}{}",
    "{}\u{0}",
    "\u{0}",
    "{\"a\":\u{0}}",
    "{\"\\ud800\":1}",
    "{\"a\\x\":1}",
    "{\"张\":1,\n\"三\":x}",
    "NaN",
    "{\"a\":NaN}",
    "{\"a\":1e999}",
    "{\"a\":\n\n  1e999}",
    "{\"a\":-}",
    "{\"a\":+1}",
    "{\"a\":01}",
    "{\"a\":\"\\u00\"}",
    "{\"a\":tru}",
    "{\"a\":t",
    "张三",
    "\"张三\" x",
    "[\"张三\", {\"a\": [1, 2",
    "{}{}",
    "{\"\":\"\"}",
    "{\"a\":[1,2}",
    "{\"a\":{\"b\":1]}",
    "{\"a\":\"b\u{1}\"}",
];

/// The rows as the host passes them to a guest: each a text that should be a JSON object.
pub(crate) fn rows(seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut rows: Vec<String> = Factory::builder(seed, 200)
        .hostile(120)
        .build()
        .rows()
        .iter()
        .map(|row| json!(row.row).to_string())
        .collect();
    rows.extend(DOCUMENTS.iter().map(|document| (*document).to_owned()));
    for (field, name) in FIELDS.iter().enumerate() {
        // Every value in the two fields that languages read most differently, a part of them in the others.
        let part = if [NAME, DEPARTMENT].contains(name) { 1 } else { 2 };
        rows.extend(VALUES.iter().skip(field % part).step_by(part).map(|value| with(&[(field, value)])));
    }
    rows.extend(deep_and_large());
    while rows.len() < ROWS {
        let row = match random.below(4) {
            0 => broken(&mut random),
            1 => {
                let text = json!(text(&mut random, 24)).to_string();
                with(&[(random.below(5) as usize, &text)])
            }
            2 => {
                let value = value(&mut random, 4);
                with(&[(random.below(5) as usize, &value)])
            }
            _ => {
                let (first, second) = (random.pick(VALUES), random.pick(VALUES));
                with(&[(random.below(5) as usize, first), (random.below(5) as usize, second)])
            }
        };
        rows.push(row);
    }
    rows.truncate(ROWS);
    rows
}

/// The good row with other values in some fields. A field given twice is written twice, in order.
pub(crate) fn with(values: &[(usize, &str)]) -> String {
    let mut fields: Vec<(usize, &str)> = GOOD.iter().copied().enumerate().collect();
    for (place, (field, value)) in values.iter().enumerate() {
        match (place, fields.get_mut(*field)) {
            (0, Some(slot)) => slot.1 = value,
            _ => fields.push((*field, value)),
        }
    }
    let fields: Vec<String> =
        fields.iter().map(|(field, value)| format!("\"{}\":{value}", FIELDS[*field])).collect();
    format!("{{{}}}", fields.join(","))
}

fn deep_and_large() -> Vec<String> {
    let mut rows = Vec::new();
    for depth in [3, 120, 125, 126, 127, 128, 129, 200, 1_000] {
        for field in [1, 3] {
            rows.push(with(&[(field, &format!("{}1{}", "[".repeat(depth), "]".repeat(depth)))]));
            rows.push(with(&[(field, &format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)))]));
            let inner = format!("\"{}1{}\"", "[".repeat(depth), "]".repeat(depth));
            rows.push(with(&[(field, &inner)]));
        }
    }
    for length in [63, 64, 65, 127, 128, 129, 10_000] {
        for letter in ["a", "1", "字", "😀", "e\u{301}", "\u{200b}", " ", "\u{301}", "１", "@"] {
            let text = json!(letter.repeat(length)).to_string();
            rows.push(with(&[(length % 5, &text)]));
        }
    }
    let many = |count: u32| json!((1..=count).collect::<Vec<_>>()).to_string();
    rows.extend([99, 100, 101, 1_000].map(|count| with(&[(3, &many(count))])));
    for left_out in 0..FIELDS.len() {
        let fields = GOOD.iter().enumerate().filter(|(field, _)| *field != left_out);
        let fields: Vec<String> =
            fields.map(|(field, value)| format!("\"{}\":{value}", FIELDS[field])).collect();
        rows.push(format!("{{{}}}", fields.join(",")));
        rows.push(format!("{{\"_id\" : \"x\" ,\r\n\t{} }}\n", fields.join(" , ")));
    }
    rows
}

/// A good row with one letter changed, lost or inserted.
fn broken(random: &mut Random) -> String {
    let mut letters: Vec<char> = with(&[(3, r#"[1, {"dept_no": 2.5e0}, "3"]"#)]).chars().collect();
    for _ in 0..=random.below(2) {
        let place = random.below(letters.len() as u64) as usize;
        let letter = random.pick(&[
            '{', '}', '[', ']', '"', ',', ':', '\\', '0', '-', '.', 'e', 'n', ' ', '\n', '\u{1}', '张',
        ]);
        match random.below(4) {
            0 => letters[place] = letter,
            1 => letters.insert(place, letter),
            2 => drop(letters.remove(place)),
            _ => letters.truncate(place),
        }
        if letters.is_empty() {
            break;
        }
    }
    letters.into_iter().collect()
}
