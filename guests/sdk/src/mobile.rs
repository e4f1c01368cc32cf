//! Mobile numbers in one normal form: mainland numbers without a country code, `13800138000`; all others with it,
//! `+85291234567`.
//!
//! WeCom accepts digits, `+` and `-`, allows mainland numbers to omit `+86`, and requires the country code on all
//! others (error 60103). People also write spaces, brackets, full-width digits and `0086`; all of that is accepted.
//!
//! Mainland, Hong Kong, Macao and Taiwan numbers are checked against their own numbering plans, others by an assigned
//! country code and the lengths of E.164. The `phonenumber` crate knows every country's plan, but adds its tables and
//! a regular expression engine to each guest: more than the 450 KB a whole component may have.

use std::fmt;

use crate::fault::{Fault, show};
use crate::text;

/// The country code of the mainland, `+86`.
pub const MAINLAND: u16 = 86;

/// A mobile number in normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mobile {
    country: u16,
    text: String,
}

impl Mobile {
    /// The country code, for example 86 or 852.
    pub fn country(&self) -> u16 {
        self.country
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The normal form.
    pub fn into_string(self) -> String {
        self.text
    }
}

impl fmt::Display for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads a number; one without a country code is a mainland number.
///
/// ```
/// use ruzhi_guest::mobile::parse;
/// assert_eq!(parse("+86 138-0013-8000").unwrap().as_str(), "13800138000");
/// assert_eq!(parse("+852 9123 4567").unwrap().as_str(), "+85291234567");
/// assert_eq!(parse("9123 4567").unwrap_err().rule, "mobile.invalid");
/// ```
///
/// # Errors
/// `mobile.invalid` if it is not a number or not a mobile number of its country; `mobile.country-code` if its country
/// code is not assigned.
pub fn parse(text: &str) -> Result<Mobile, Fault> {
    parse_in(text, MAINLAND)
}

/// Reads a number; one without a country code belongs to the country with code `home`.
///
/// # Errors
/// As [`parse`].
pub fn parse_in(text: &str, home: u16) -> Result<Mobile, Fault> {
    if home == MAINLAND && is_mainland(text) {
        return Ok(Mobile { country: MAINLAND, text: text.to_owned() });
    }
    let plain = text::identifier(text);
    let mut digits = String::with_capacity(plain.len());
    let mut plus = false;
    let mut rest = &*plain;
    while let Some(c) = rest.chars().next() {
        // A trunk zero, dialled only within the country: `+44 (0)7911 …`.
        rest = rest.strip_prefix("(0)").or_else(|| rest.get(c.len_utf8()..)).unwrap_or_default();
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() && !plus => plus = true,
            ' ' | '-' | '(' | ')' | '.' | '/' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            _ => return Err(invalid(text)),
        }
    }
    if !plus && let Some(rest) = digits.strip_prefix("00") {
        digits = rest.to_owned();
        plus = true;
    }
    let (country, national) = if plus {
        split_country(&digits).ok_or_else(|| unassigned(text))?
    } else {
        match digits.strip_prefix("86") {
            Some(rest) if home == MAINLAND && is_mainland(without_trunk(MAINLAND, rest)) => (MAINLAND, rest),
            _ => (home, digits.as_str()),
        }
    };
    let national = without_trunk(country, national);
    if !is_national(country, national) {
        return Err(invalid(text));
    }
    let text = if country == MAINLAND { national.to_owned() } else { format!("+{country}{national}") };
    Ok(Mobile { country, text })
}

/// Checks that a number can be sent to WeCom unchanged: at most 32 characters of digits, `+` and `-`, and a number
/// [`parse`] reads.
///
/// # Errors
/// As [`parse`].
pub fn check(text: &str) -> Result<(), Fault> {
    if is_mainland(text) {
        return Ok(());
    }
    if text.len() > 32 || !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-')) {
        return Err(invalid(text));
    }
    parse(text).map(|_| ())
}

/// True if a country code is assigned to a country or a satellite network.
pub fn is_assigned(country: u16) -> bool {
    CODES.binary_search(&country).is_ok()
}

fn invalid(text: &str) -> Fault {
    let shown = show(text);
    Fault::new(
        "mobile.invalid",
        format_args!(
            "手机号 {shown} 无效：大陆手机号应为 1 开头的 11 位数字，其他地区须加国家或地区代码，如 +852。请更正"
        ),
        format_args!(
            "mobile {shown} is not valid: a mainland number has 11 digits and begins with 13–19, any other needs its \
             country code, such as +852. Correct it"
        ),
    )
}

fn unassigned(text: &str) -> Fault {
    let shown = show(text);
    Fault::new(
        "mobile.country-code",
        format_args!("手机号 {shown} 的国家或地区代码不存在，请更正"),
        format_args!("mobile {shown} has a country code that is not assigned. Correct it"),
    )
}

fn is_mainland(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit))
}

fn is_national(country: u16, national: &str) -> bool {
    let first = national.bytes().next().unwrap_or_default();
    match country {
        MAINLAND => is_mainland(national),
        852 => national.len() == 8 && matches!(first, b'4'..=b'9'),
        853 => national.len() == 8 && first == b'6',
        886 => national.len() == 9 && first == b'9',
        _ => {
            let code = if country < 10 { 1 } else { 2 + usize::from(country > 99) };
            let length = 7..=15;
            (first != b'0' || keeps_zero(country))
                && national.len() >= 4
                && length.contains(&(code + national.len()))
        }
    }
}

/// A number without its domestic trunk prefix, which people often keep after the country code: `+44 07911 …`, `+86
/// 0138…`. A zero that belongs to the number is kept.
fn without_trunk(country: u16, national: &str) -> &str {
    let trunk = match country {
        country if keeps_zero(country) => return national,
        // Russia and Kazakhstan dial 8 before ten digits, Hungary 06.
        7 if national.len() == 11 => "8",
        36 if national.starts_with("06") => "06",
        _ => "0",
    };
    national.strip_prefix(trunk).unwrap_or(national)
}

/// Benin, Burkina Faso, Congo, Côte d'Ivoire; landlines of Italy, San Marino and the Vatican.
fn keeps_zero(country: u16) -> bool {
    matches!(country, 39 | 225 | 226 | 229 | 242 | 378 | 379)
}

/// No assigned code is a prefix of another.
fn split_country(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let code = code.parse().ok().filter(|_| !code.starts_with('0'))?;
        is_assigned(code).then_some((code, rest))
    })
}

/// ITU-T E.164 assigned country codes and the shared codes of satellite networks, sorted; without the codes for
/// freephone, shared cost and premium services, which are not mobile numbers.
#[rustfmt::skip]
const CODES: [u16; 211] = [
    1, 7, 20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60,
    61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
    211, 212, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237,
    238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 260, 261,
    262, 263, 264, 265, 266, 267, 268, 269, 290, 291, 297, 298, 299,
    350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 380, 381, 382,
    383, 385, 386, 387, 389, 420, 421, 423,
    500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599,
    670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686, 687, 688, 689, 690, 691, 692,
    850, 852, 853, 855, 856, 870, 880, 881, 882, 883, 886,
    960, 961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 992, 993, 994, 995, 996, 998,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> String {
        parse(text).map(Mobile::into_string).unwrap_or_else(|fault| fault.rule.into_owned())
    }

    #[test]
    fn every_way_to_write_a_mainland_number() {
        for text in [
            "13800138000",
            "+8613800138000",
            "+86 13800138000",
            "0086-138-0013-8000",
            "8613800138000",
            "(+86) 138 0013 8000",
            "１３８００１３８０００",
            "＋８６　１３８００１３８０００",
            "\u{202d}138 0013 8000\u{202c}",
            "138–0013–8000",
        ] {
            assert_eq!(normal(text), "13800138000", "{text}");
        }
    }

    #[test]
    fn other_regions_need_and_keep_their_code() {
        assert_eq!(normal("+852 9123 4567"), "+85291234567");
        assert_eq!(normal("00853-6612-3456"), "+85366123456");
        assert_eq!(normal("+886 0912 345 678"), "+886912345678");
        assert_eq!(normal("+44 (0)7911 123456"), "+447911123456");
        assert_eq!(normal("+1 (415) 555-2671"), "+14155552671");
        assert_eq!(normal("85291234567"), "mobile.invalid");
        assert_eq!(parse_in("07911 123456", 44).unwrap().as_str(), "+447911123456");
        assert_eq!(parse_in("9123 4567", 852).unwrap().as_str(), "+85291234567");
    }

    #[test]
    fn a_trunk_zero_behind_the_country_code_is_not_of_the_number() {
        for (text, number) in [
            ("+44 07911 123456", "+447911123456"),
            ("0044 (0)7911 123456", "+447911123456"),
            ("+44 (07911) 123456", "+447911123456"),
            ("+49 0151 23456789", "+4915123456789"),
            ("+61 0412 345 678", "+61412345678"),
            ("+62 0812-3456-7890", "+6281234567890"),
            ("+86 0138 0013 8000", "13800138000"),
            ("0086-013800138000", "13800138000"),
            ("86 013800138000", "13800138000"),
            ("013800138000", "13800138000"),
            ("+886 0912 345 678", "+886912345678"),
            ("+7 8 912 345-67-89", "+79123456789"),
            ("+7 912 345-67-89", "+79123456789"),
            ("+36 06 20 123 4567", "+36201234567"),
            ("+36 0 20 123 4567", "+36201234567"),
            ("+39 06 1234 5678", "+390612345678"),
            ("+39 347 123 4567", "+393471234567"),
            ("+225 07 12 34 56 78", "+2250712345678"),
            ("+242 06 123 4567", "+242061234567"),
        ] {
            assert_eq!(normal(text), number, "{text}");
        }
    }

    #[test]
    fn what_is_no_mobile_number() {
        for text in [
            "",
            "张三",
            "1380013800",
            "138001380000",
            "12800138000",
            "01012345678",
            "+86 010 1234 5678",
            "1380013800x",
            "+852 2345 678",
            "+852 1234 5678",
            "+853 2812 3456",
            "138+00138000",
            "++8613800138000",
            "+",
            "00",
            "+1415",
            "+1234567890123456",
            "1.3800138E10",
            "+44 00 7911 123456",
            "+86 0010 1234 5678",
        ] {
            let rule = normal(text);
            assert!(rule.starts_with("mobile."), "{text}: {rule}");
        }
        assert_eq!(normal("+999 12345678"), "mobile.country-code");
        assert_eq!(normal("+0 12345678"), "mobile.country-code");
    }

    #[test]
    fn codes_are_sorted_and_none_begins_another() {
        assert!(CODES.is_sorted());
        for a in CODES {
            for b in CODES {
                assert!(a == b || !b.to_string().starts_with(&a.to_string()), "{a} {b}");
            }
        }
    }

    #[test]
    fn a_message_never_holds_the_number() {
        let message = parse("1380013800").unwrap_err().message;
        assert!(message.zh.contains("“138*****00”") && message.en.contains("“138*****00”"), "{message:?}");
    }

    proptest! {
        #[test]
        fn the_normal_form_is_what_wecom_takes(text in "[0-9+() \u{ff10}-\u{ff19}-]{5,20}") {
            if let Ok(mobile) = parse(&text) {
                prop_assert!(mobile.as_str().len() <= 32);
                prop_assert!(mobile.as_str().bytes().all(|b| b.is_ascii_digit() || b == b'+'));
                prop_assert!(check(mobile.as_str()).is_ok());
                prop_assert_eq!(parse(mobile.as_str()).unwrap(), mobile);
            }
        }

        #[test]
        fn decoration_does_not_change_a_number(number in "1[3-9][0-9]{9}", at in 1usize..10, mark in "[ ()-]{0,2}") {
            let decorated = format!("+86{}{mark}{}", &number[..at], &number[at..]);
            prop_assert_eq!(normal(&decorated), number);
        }

        #[test]
        fn what_check_takes_obeys_the_documented_rule(text in "[+]?[0-9-]{1,34}") {
            if check(&text).is_ok() {
                prop_assert!(text.len() <= 32);
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert!(digits.len() >= 7);
            }
        }

        #[test]
        fn no_text_is_too_strange(text in any::<String>(), home in any::<u16>()) {
            let _ = parse_in(&text, home);
            let _ = check(&text);
        }
    }
}
