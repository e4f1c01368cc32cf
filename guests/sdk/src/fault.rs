//! The reason for rejecting a value, before its field and form are known.
//!
//! A rule knows the value and the constraint; only its caller knows the form's field. So a rule returns a [`Fault`],
//! and [`Fault::at`] turns it into the contract's [`Violation`]. The text, in Chinese and English, names the problem
//! and the remedy, and never contains a complete mobile number, e-mail address or identity number.

use std::borrow::Cow;
use std::fmt::Display;

use crate::contract::{Text, Violation};
use crate::mask;

/// The longest text of a violation, in characters of one language.
pub const MESSAGE_MOST: usize = 300;

/// A value that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A stable code, such as `mobile.invalid`.
    pub rule: Cow<'static, str>,
    /// The message for a person, at most [`MESSAGE_MOST`] characters in each language.
    pub message: Text,
}

impl Fault {
    /// A fault whose text is cut to [`MESSAGE_MOST`] characters in each language.
    #[cold]
    pub fn new(rule: impl Into<Cow<'static, str>>, chinese: impl Display, english: impl Display) -> Self {
        Self::of(rule.into(), &chinese, &english)
    }

    /// The same, compiled once for all rules to keep components small.
    #[cold]
    #[inline(never)]
    fn of(rule: Cow<'static, str>, chinese: &dyn Display, english: &dyn Display) -> Self {
        let text = |text: &dyn Display| cut(text.to_string(), MESSAGE_MOST);
        Fault { rule, message: Text::new(text(chinese), text(english)) }
    }

    /// The violation of this rule by a field.
    pub fn at(self, field: impl Into<String>) -> Violation {
        Violation { field: field.into(), rule: self.rule.into_owned(), message: self.message }
    }
}

/// At most `most` characters, the last an ellipsis if something was left out.
pub fn cut(mut text: String, most: usize) -> String {
    if text.len() > most && text.chars().count() > most {
        let end = text.char_indices().nth(most.saturating_sub(1)).map_or(text.len(), |(index, _)| index);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A value in the form shown in messages: short, on one line, masked as in [`mask`]: its long digit runs and the name
/// part of an e-mail address.
///
/// ```
/// use ruzhi_guest::fault::show;
/// assert_eq!(show("工程师"), "“工程师”");
/// assert_eq!(show("13800138000"), "“138******00”");
/// assert_eq!(show("zhangsan@example.com"), "“z*******@example.com”");
/// ```
pub fn show(value: &str) -> String {
    let shown = if value.contains(['@', '＠']) {
        value.split_inclusive(mask::ends_a_word).map(mask::address).collect()
    } else {
        mask::digits(value)
    };
    let shown = shown.chars().map(|c| if c.is_control() { '␣' } else { c }).collect();
    format!("“{}”", cut(shown, 32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_identity_number_is_masked_in_any_writing() {
        assert_eq!(show("110101199003071234"), "“110*************34”");
        assert_eq!(show("138-0013-8000"), "“138-****-**00”");
        assert_eq!(show("１３８００１３８０００"), "“１３８******００”");
    }

    #[test]
    fn an_address_among_other_text_is_masked() {
        assert_eq!(show("zhangsan@example.com,lisi@example.com").matches('*').count(), 10);
    }

    proptest! {
        #[test]
        fn a_message_is_never_longer_than_the_limit(chinese in ".{0,400}", english in ".{0,400}") {
            let Text { zh, en } = Fault::new("x", chinese, english).message;
            prop_assert!(zh.chars().count() <= MESSAGE_MOST && en.chars().count() <= MESSAGE_MOST);
        }

        #[test]
        fn no_eleven_digits_survive(before in "[^0-9]{0,5}", number in "1[3-9][0-9]{9}", after in "[^0-9]{0,5}") {
            let shown = show(&format!("{before}{number}{after}"));
            prop_assert!(!shown.contains(&number));
        }

        #[test]
        fn what_is_shown_is_short_and_on_one_line(value in any::<String>()) {
            let shown = show(&value);
            prop_assert!(shown.chars().count() <= 34);
            prop_assert!(!shown.contains('\n'));
        }
    }
}
