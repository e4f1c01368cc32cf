//! Random texts, numbers and values from a seed.

use ruzhi_sim::Random;
use serde_json::json;

/// Alphabet of random texts.
const LETTERS: &str = "aZ9 09,;、|，；[]{}\":.+-@_()/\\\t\n\r\u{0}\u{1b}\u{7f}\u{85}\u{a0}\u{ad}\u{300}\u{301}\u{323}\u{345}\u{200b}\u{200c}\u{200d}\
     \u{200e}\u{202e}\u{2028}\u{2060}\u{3000}\u{feff}\u{fe0f}\u{1f469}\u{1f527}\u{1100}\u{1161}\u{11a8}\u{ac00}ｱﾞＡ１＠－＋①½㍿ﬁÅé\u{e0001}张三𠮷";

/// A text of letters that languages read, cut or fold differently.
pub(crate) fn text(random: &mut Random, most: u64) -> String {
    let letters: Vec<char> = LETTERS.chars().collect();
    let letter = |random: &mut Random| match random.below(8) {
        0 => char::from_u32(random.below(0x11_0000) as u32).unwrap_or('\u{fffd}'),
        1 => char::from_u32(random.below(0x3000) as u32).unwrap_or('\u{fffd}'),
        _ => random.pick(&letters),
    };
    (0..random.below(most)).map(|_| letter(random)).collect()
}

/// A JSON value of any shape, with objects up to this depth.
pub(crate) fn value(random: &mut Random, depth: u32) -> String {
    match random.below(if depth == 0 { 4 } else { 7 }) {
        0 => json!(text(random, 12)).to_string(),
        1 => number(random),
        2 => json!(random.below(20)).to_string(),
        3 => random.pick(&["null", "true", "\"\"", "\"a\"", "\"2\""]).to_owned(),
        4 | 5 => {
            let items: Vec<String> = (0..random.below(4)).map(|_| value(random, depth - 1)).collect();
            format!("[{}]", items.join(","))
        }
        _ => {
            let keys = ["phone", "username", "dept_no", "id", "province", "city", "detail", "name", "a"];
            let fields: Vec<String> = (0..random.below(3))
                .map(|_| format!("\"{}\":{}", random.pick(&keys), value(random, depth - 1)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

/// A JSON number, sometimes beyond the range of a float.
fn number(random: &mut Random) -> String {
    let digits = |random: &mut Random, most: u64| -> String {
        (0..=random.below(most)).map(|_| char::from(b'0' + random.below(10) as u8)).collect()
    };
    let sign = random.pick(&["", "", "-"]);
    let whole = digits(random, 21);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if random.below(2) == 0 { format!(".{}", digits(random, 19)) } else { String::new() };
    let exponent = match random.below(3) {
        0 => format!("e{}{}", random.pick(&["", "+", "-"]), random.below(330)),
        1 => format!("E{}{}", random.pick(&["", "-"]), random.below(12)),
        _ => String::new(),
    };
    format!("{sign}{whole}{fraction}{exponent}")
}
