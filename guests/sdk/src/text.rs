//! Cleaning of text: what people paste into a form is seldom only what they see.
//!
//! Three strengths. [`line()`] is for what a person reads (name, position, address): invisible and control characters
//! go, any run of white space becomes one space, the ends are trimmed, and nothing else changes: a full-width
//! bracket in a Chinese job title is right as it stands. [`identifier`] is for what a machine compares (userid,
//! mobile, e-mail, ids): the same after NFKC, which turns `Ａ１＠` into `A1@`. [`Cleaning`] is either, as a
//! configuration says. All are idempotent and borrow when there is nothing to do, which is nearly always.

use std::borrow::Cow;

use crate::normal::nfkc;

/// Letter case, of the letters A–Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `abc`
    Lower,
    /// `ABC`
    Upper,
}

/// How a text is cleaned. The default is that of [`line()`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaning {
    /// Remove white space at both ends.
    pub trim: bool,
    /// Normalise to Unicode NFKC first.
    pub nfkc: bool,
    /// Turn each run of white space, line breaks included, into one space.
    pub collapse: bool,
    /// Change the case of the letters A–Z.
    pub case: Option<Case>,
    /// Characters to remove wherever they stand.
    pub strip: String,
}

impl Default for Cleaning {
    fn default() -> Self {
        Cleaning { trim: true, nfkc: false, collapse: true, case: None, strip: String::new() }
    }
}

impl Cleaning {
    /// The cleaning of [`identifier`].
    pub fn identifier() -> Self {
        Cleaning { nfkc: true, ..Cleaning::default() }
    }

    /// The text, cleaned. Invisible and control characters go whatever the settings, white space among the control
    /// characters only by `collapse` and `trim`.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        if self.nfkc && !text.is_ascii() {
            text = Cow::Owned(nfkc(&text));
        }
        if !self.strip.is_empty() && text.contains(|c| self.strip.contains(c)) {
            text = Cow::Owned(text.chars().filter(|c| !self.strip.contains(*c)).collect());
        }
        if needs_work(&text, self) {
            text = Cow::Owned(self.rewrite(&text));
        }
        match self.case {
            Some(Case::Lower) if text.bytes().any(|b| b.is_ascii_uppercase()) => {
                Cow::Owned(text.to_ascii_lowercase())
            }
            Some(Case::Upper) if text.bytes().any(|b| b.is_ascii_lowercase()) => {
                Cow::Owned(text.to_ascii_uppercase())
            }
            _ => text,
        }
    }

    fn rewrite(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            if c.is_whitespace() {
                if !self.collapse {
                    clean.push(c);
                } else if !clean.ends_with(' ') {
                    clean.push(' ');
                }
            } else if is_joiner(c) {
                let joins = |c: Option<char>| c.is_some_and(is_joined_script);
                if joins(clean.chars().next_back()) && joins(characters.peek().copied()) {
                    clean.push(c);
                }
            } else if !is_invisible(c) {
                clean.push(c);
            }
        }
        if self.trim {
            let end = clean.trim_end().len();
            clean.truncate(end);
            let start = clean.len() - clean.trim_start().len();
            clean.drain(..start);
        }
        clean
    }
}

/// Whether [`Cleaning::rewrite`] would change anything, or might.
fn needs_work(text: &str, cleaning: &Cleaning) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    // As if a space came before, so that a leading one is seen as a run.
    let mut space = cleaning.trim;
    for c in text.chars() {
        if c == ' ' {
            if space {
                return true;
            }
            space = cleaning.collapse;
        } else {
            let is_plain = c.is_ascii_graphic() || ('\u{4e00}'..='\u{9fff}').contains(&c);
            if !is_plain && (c.is_whitespace() || is_invisible(c) || is_joiner(c)) {
                return true;
            }
            space = false;
        }
    }
    cleaning.trim && text.ends_with(' ')
}

/// A text for people, on one line: see the module.
///
/// ```
/// use ruzhi_guest::text::line;
/// assert_eq!(line("\u{feff}　高级\n工程师（上海） "), "高级 工程师（上海）");
/// ```
pub fn line(text: &str) -> Cow<'_, str> {
    const LINE: Cleaning =
        Cleaning { trim: true, nfkc: false, collapse: true, case: None, strip: String::new() };
    LINE.apply(text)
}

/// A text for machines: see the module.
///
/// ```
/// use ruzhi_guest::text::identifier;
/// assert_eq!(identifier("\u{200b}ｕｓｅｒ１２３４　"), "user1234");
/// ```
pub fn identifier(text: &str) -> Cow<'_, str> {
    const IDENTIFIER: Cleaning =
        Cleaning { trim: true, nfkc: true, collapse: true, case: None, strip: String::new() };
    IDENTIFIER.apply(text)
}

/// Whether a person would see nothing.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c) || is_joiner(c))
}

/// Whether the text has a character that does not belong on one line: a control character or a line break.
pub fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Zero-width characters, marks of writing direction, byte order marks, soft hyphens and control characters.
fn is_invisible(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' => true,
        _ => c.is_control(),
    }
}

/// Joiners have a meaning between emoji and in some scripts, so they stay there and only there.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Neither ASCII nor Chinese, which no joiner ever changes.
fn is_joined_script(c: char) -> bool {
    !c.is_ascii()
        && !c.is_whitespace()
        && !is_joiner(c)
        && !matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_that_is_clean_is_not_copied() {
        for text in ["工程师", "Li Ming", "👨‍👩‍👧"] {
            assert_eq!(line(text), text);
        }
        assert!(matches!(line("工程师"), Cow::Borrowed(_)));
        assert!(matches!(identifier("user1234"), Cow::Borrowed(_)));
    }

    #[test]
    fn emoji_keep_their_joiners_and_chinese_does_not() {
        assert_eq!(line("张\u{200d}三"), "张三");
        assert_eq!(line("张三\u{200d}"), "张三");
        assert_eq!(line("班长👩\u{200d}🔧"), "班长👩\u{200d}🔧");
    }

    #[test]
    fn marks_of_direction_from_an_address_book_go() {
        assert_eq!(line("\u{202d}13800138000\u{202c}"), "13800138000");
    }

    #[test]
    fn white_space_of_every_kind_is_one_space() {
        assert_eq!(line("a\u{a0}\u{3000}\t\r\n b"), "a b");
        assert_eq!(line(" \u{3000} "), "");
    }

    #[test]
    fn the_settings_are_separate() {
        let keep = Cleaning { trim: false, collapse: false, ..Cleaning::default() };
        assert_eq!(keep.apply("  a  b\u{0} "), "  a  b ");
        let upper = Cleaning { case: Some(Case::Upper), strip: "-_".into(), ..Cleaning::identifier() };
        assert_eq!(upper.apply("ｇs-001_a"), "GS001A");
        let lower = Cleaning { case: Some(Case::Lower), ..Cleaning::default() };
        assert_eq!(lower.apply("ABC张"), "abc张");
    }

    #[test]
    fn control_characters_and_line_breaks_are_seen() {
        assert!(has_control("a\nb") && has_control("a\u{2028}b") && has_control("a\u{7f}"));
        assert!(!has_control("张三 👩\u{200d}🔧"));
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_more(text in any::<String>(), trim: bool, nfkc: bool, collapse: bool) {
            let cleaning = Cleaning { trim, nfkc, collapse, ..Cleaning::default() };
            let once = cleaning.apply(&text).into_owned();
            prop_assert_eq!(cleaning.apply(&once).into_owned(), once);
        }

        #[test]
        fn a_line_has_no_control_character_and_no_loose_space(
            text in proptest::collection::vec(prop_oneof![
                Just(' '), Just('\u{3000}'), Just('\u{200b}'), Just('\u{200d}'), Just('\n'), Just('\u{feff}'),
                Just('\u{1f469}'), any::<char>()], 0..20)
        ) {
            let text: String = text.into_iter().collect();
            let line = line(&text);
            prop_assert!(!has_control(&line));
            prop_assert_eq!(line.trim(), &*line);
            prop_assert!(!line.contains("  "));
            prop_assert_eq!(line.is_empty(), is_blank(&text));
        }

        #[test]
        fn the_quick_look_agrees_with_the_work(text in "[ a\u{3000}\n\u{200d}张\u{feff}]{0,8}", trim: bool, collapse: bool) {
            let cleaning = Cleaning { trim, collapse, ..Cleaning::default() };
            if !needs_work(&text, &cleaning) {
                prop_assert_eq!(cleaning.rewrite(&text), text);
            }
        }
    }
}
