//! Makes texts of a guest fit for logs and terminals: short, without control characters, without personal numbers.

/// A text of several lines, each as by [`shorten`].
pub(super) fn lines(text: &str, most: usize) -> String {
    let text: String = text.chars().take(most).collect();
    text.lines().map(|line| shorten(line, most)).collect::<Vec<_>>().join("\n    ")
}

/// At most `most` characters, without any that control a terminal.
pub(super) fn shorten(text: &str, most: usize) -> String {
    text.chars().map(|c| if commands(c) { ' ' } else { c }).take(most).collect()
}

/// A text with mobiles, identity numbers and e-mail addresses masked: the message of a guest that gives up may hold
/// the row it failed on, and goes into logs. Widget ids stay readable.
pub(super) fn without_people(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+' | '@' | '%') => {
                word.push(c)
            }
            _ => {
                shown.push_str(&hidden(&word));
                word.clear();
                shown.extend(c);
            }
        }
    }
    shown
}

fn hidden(word: &str) -> String {
    if let Some((name, host)) =
        word.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty())
    {
        let first: String = name.chars().take(1).collect();
        return format!("{first}***@{host}");
    }
    let digits = word.trim_matches(|c: char| matches!(c, '.' | '-' | '+' | '_'));
    let digits = digits.strip_suffix(['X', 'x']).unwrap_or(digits);
    let count = digits.chars().filter(char::is_ascii_digit).count();
    let numeric = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.'));
    // Mobiles, with or without country code, and identity numbers of both lengths.
    if !numeric || !(matches!(count, 11 | 15 | 17 | 18) || (count > 11 && word.starts_with('+'))) {
        return word.to_owned();
    }
    let start: String = word.chars().take(3).collect();
    let end: String = word.chars().skip(word.chars().count() - 2).collect();
    format!("{start}…{end}")
}

/// Detects a control character, or one that changes the direction of the following text and so misrepresents it.
pub(super) fn commands(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::without_people;

    #[test]
    fn a_guest_that_gives_up_reveals_no_number() {
        for (said, told) in [
            ("KeyError: '13800138000' (rules.py:12)", "KeyError: '138…00' (rules.py:12)"),
            ("no 138-0013-8000, nor +8613800138000", "no 138…00, nor +86…00"),
            ("id 11010519491231002X of zhang.san@example.com", "id 110…2X of z***@example.com"),
            (
                "field _widget_1681087902876 of row 65000000000000000000000f",
                "field _widget_1681087902876 of row 65000000000000000000000f",
            ),
            ("手机号13800138000已用", "手机号138…00已用"),
            ("index 12345 out of 2026-05-01", "index 12345 out of 2026-05-01"),
        ] {
            assert_eq!(without_people(said), told);
        }
    }
}
