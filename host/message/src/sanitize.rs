//! Texts from outside (services, guests, the libraries' errors, what a person types), made fit for logs, terminals, the
//! store and pages: the only module that does so. Personal values are the matter of [`mask`](crate::mask).

use std::borrow::Cow;

/// Stands for a secret.
const REMOVED: &str = "***";

/// A text on one line: without any character that steers a terminal or turns the following text around, at most `most`
/// characters.
pub fn line(text: &str, most: usize) -> String {
    line_without(text, &[], most)
}

/// The same, without any of `secrets`.
pub fn line_without(text: &str, secrets: &[&str], most: usize) -> String {
    let mut text = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        if text.contains(secret) {
            text = Cow::Owned(text.replace(secret, REMOVED));
        }
    }
    text.chars().map(|c| if steers(c) { ' ' } else { c }).take(most).collect()
}

/// A text of several lines, each as by [`line`], indented from the second on; at most `most` characters are read.
pub fn lines(text: &str, most: usize) -> String {
    let text: String = text.chars().take(most).collect();
    text.lines().map(|text| line(text, most)).collect::<Vec<_>>().join("\n    ")
}

/// Detects a control character, or one that changes the direction of the following text and so misrepresents it.
pub fn steers(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_outside_is_one_short_line_that_steers_nothing() {
        let outside = " a\nb\r\u{1b}[2Jc\u{202e}d\u{2066}e\u{61c}f\u{2028}g\u{9b}h 张三 ";
        assert_eq!(line(outside, 100), " a b  [2Jc d e f g h 张三 ");
        assert_eq!(line(&"错误".repeat(300), 200).chars().count(), 200);
        assert_eq!(line("", 200), "");
    }

    #[test]
    fn a_secret_is_removed_before_the_text_is_cut() {
        assert_eq!(line_without("key S3CRET, S3CRET", &["", "S3CRET"], 8), "key ***,");
    }

    #[test]
    fn lines_stay_apart() {
        assert_eq!(lines("one\ntwo\u{7}\nthree", 10), "one\n    two \n    t");
    }
}
