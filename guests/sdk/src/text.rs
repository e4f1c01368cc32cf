//! Cleaning of text: people paste more into a form than they can see.
//!
//! There are three kinds. [`line()`] is for texts read by people (name, position, address): invisible and control
//! characters are removed, any run of white space becomes one space, the ends are trimmed, and nothing else changes:
//! a full-width bracket in a Chinese job title is correct. [`identifier`] is for values compared by machines (userid,
//! mobile, e-mail, ids): the same after NFKC, which turns `Ａ１＠` into `A1@`. [`Cleaning`] is either, depending on its
//! settings. All are idempotent and borrow if there is nothing to do, which is nearly always.
//!
//! Beside them [`fold()`]: for comparison with a table or a list, never for writing.

mod fold;

use std::borrow::Cow;

pub use self::fold::fold;
use crate::normal::nfkc;

/// Letter case of A–Z.
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
    /// Characters to remove everywhere.
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

    /// The text, cleaned. Invisible and control characters are always removed, white space among the control
    /// characters only by `collapse` and `trim`.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = self.stripped(Cow::Borrowed(text));
        if self.nfkc && !text.is_ascii() {
            text = self.stripped(Cow::Owned(nfkc(&text)));
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

    /// The text without the characters of `strip`, which may match before or after NFKC: so this runs both before and
    /// after it.
    fn stripped<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        if self.strip.is_empty() || !text.contains(|c| self.strip.contains(c)) {
            return text;
        }
        Cow::Owned(text.chars().filter(|c| !self.strip.contains(*c)).collect())
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

/// True if [`Cleaning::rewrite`] would or might change the text.
fn needs_work(text: &str, cleaning: &Cleaning) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    // As if a space came first, so that a leading space counts as a run.
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

/// A text for people, on one line; see the module.
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

/// A text for machines; see the module.
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

/// True if a person would see nothing.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c) || is_joiner(c))
}

/// True for a placeholder that means "none": `无`, `暂无`, `N/A`, `null`, `（无）`, or nothing but dashes, slashes and
/// dots. Anything else, such as `0`, is a value.
///
/// ```
/// use ruzhi_guest::text::is_placeholder;
/// assert!(["无", "／", "——", "n/a", "（暂无）"].into_iter().all(is_placeholder));
/// assert!(!["", "0", "吴", "1380013800"].into_iter().any(is_placeholder));
/// ```
pub fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 31] = [
        "无",
        "没有",
        "暂无",
        "没",
        "空",
        "无此项",
        "不详",
        "未知",
        "未填",
        "未填写",
        "不填",
        "未提供",
        "不适用",
        "无邮箱",
        "没有邮箱",
        "暂无邮箱",
        "无手机",
        "没有手机",
        "无手机号",
        "没有手机号",
        "无电话",
        "没有电话",
        "n/a",
        "n.a",
        "na",
        "#n/a",
        "null",
        "nil",
        "none",
        "undefined",
        "not applicable",
    ];
    // Longer than any of them in any spelling.
    if text.len() > 100 {
        return false;
    }
    let folded = fold(text);
    let word = folded.trim_matches(['(', ')', '<', '>', '"', '\'', '.', '-', '/', '_', ',', '~']);
    if word.is_empty() { !folded.is_empty() } else { WORDS.contains(&word) }
}

/// True if the text has a character that does not belong on one line: a control character or a line break.
pub fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Zero-width characters, direction marks, byte order marks, soft hyphens and control characters.
fn is_invisible(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' => true,
        _ => c.is_control(),
    }
}

/// Joiners have a meaning between emoji and in some scripts, so they are kept there and only there.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Neither ASCII nor Chinese, which joiners never affect.
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
        // A character to strip may match before or after NFKC.
        let slashes = Cleaning { strip: "／(".into(), ..Cleaning::identifier() };
        assert_eq!(slashes.apply("冲压／夜班（二)/"), "冲压夜班二)/");
        let lower = Cleaning { case: Some(Case::Lower), ..Cleaning::default() };
        assert_eq!(lower.apply("ABC张"), "abc张");
    }

    #[test]
    fn words_for_nothing_are_no_value() {
        for text in [
            "无",
            " 无 ",
            "（无）",
            "无。",
            "没有",
            "暂无",
            "/",
            "／",
            "//",
            "-",
            "--",
            "—",
            "——",
            "－",
            "N/A",
            "n/a",
            "Ｎ／Ａ",
            "N.A.",
            "NULL",
            "None",
            "nil",
            "...",
            "。",
            "、",
            "_",
            "#N/A",
            "未填写",
            "无邮箱",
            "\u{200b}无\u{3000}",
            "Not Applicable",
            "\\",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "",
            " ",
            "0",
            "00",
            "*",
            "138****0000",
            "吴",
            "无锡",
            "a",
            "x@y.cn",
            "1",
            "nan",
            "未名",
            "no-reply@x.cn",
            "+",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
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
