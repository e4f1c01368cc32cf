//! E-mail addresses: 6 to 64 bytes accepted by WeCom (error 60105), checked for common mistakes rather than against
//! all of RFC 5322.

use crate::fault::{Fault, show};
use crate::text;

/// Reads an address: cleaned as an [`identifier`](text::identifier), the domain in lower case.
///
/// ```
/// use ruzhi_guest::email::parse;
/// assert_eq!(parse(" zhang.san＠Example.COM ").unwrap(), "zhang.san@example.com");
/// ```
///
/// # Errors
/// `email.length` if it has fewer than 6 or more than 64 bytes, `email.invalid` if it is not an address.
pub fn parse(text: &str) -> Result<String, Fault> {
    let mut address = text::identifier(text).into_owned();
    check(&address)?;
    if let Some(at) = address.find('@')
        && let Some(domain) = address.get_mut(at..)
    {
        domain.make_ascii_lowercase();
    }
    Ok(address)
}

/// Checks that an address can be sent unchanged.
///
/// # Errors
/// As [`parse`].
pub fn check(address: &str) -> Result<(), Fault> {
    check_as(address, 64, "邮箱", "e-mail", ["email.length", "email.invalid"])
}

/// Checks that a text is an enterprise mail address of 6 to 63 bytes: the update call takes one byte less than the
/// create call.
///
/// # Errors
/// `biz-mail.length`, `biz-mail.invalid`.
pub fn check_biz_mail(address: &str) -> Result<(), Fault> {
    check_as(address, 63, "企业邮箱", "enterprise mail", ["biz-mail.length", "biz-mail.invalid"])
}

fn check_as(
    address: &str,
    most: usize,
    chinese: &str,
    english: &str,
    rules: [&'static str; 2],
) -> Result<(), Fault> {
    let [length, invalid] = rules;
    let shown = || show(address);
    if !(6..=most).contains(&address.len()) {
        return Err(Fault::new(
            length,
            format_args!("{chinese} {} 长度应为 6~{most} 字节，现为 {} 字节，请更正", shown(), address.len()),
            format_args!(
                "{english} {} must have 6 to {most} bytes, it has {}. Correct it",
                shown(),
                address.len()
            ),
        ));
    }
    if !is_address(address) {
        return Err(Fault::new(
            invalid,
            format_args!("{chinese} {} 格式不正确，应如 name@example.com，请更正", shown()),
            format_args!("{english} {} is no address such as name@example.com. Correct it", shown()),
        ));
    }
    Ok(())
}

fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b);
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom))
        && domain.split('.').all(label)
        && domain
            .rsplit_once('.')
            .is_some_and(|(_, top)| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_people_have() {
        for address in [
            "a.b+c@example.com",
            "e0001@mail.example.com.cn",
            "o'hara@x-y.io",
            "1@q.cn",
            "a@xn--fiqs8s.xn--fiqs8s",
        ] {
            assert!(check(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn mistakes_people_make() {
        for address in [
            "zhangsan",
            "zhangsan@",
            "@example.com",
            "a@@example.com",
            "a b@example.com",
            "a@example",
            "a@example.",
            "a@.example.com",
            "a..b@example.com",
            ".a@example.com",
            "a@-example.com",
            "张三@example.com",
            "a@example.com,b@example.com",
            "a@1.2.3.4",
            "<a@example.com>",
            "a@exam_ple.com",
        ] {
            assert_eq!(check(address).unwrap_err().rule, "email.invalid", "{address}");
        }
        assert_eq!(check("a@b.c").unwrap_err().rule, "email.length");
        assert!(check(&format!("{}@example.com", "a".repeat(52))).is_ok());
        assert_eq!(check(&format!("{}@example.com", "a".repeat(53))).unwrap_err().rule, "email.length");
        assert!(check_biz_mail(&format!("{}@example.com", "a".repeat(51))).is_ok());
        assert_eq!(
            check_biz_mail(&format!("{}@example.com", "a".repeat(52))).unwrap_err().rule,
            "biz-mail.length"
        );
    }

    #[test]
    fn a_message_never_holds_the_address() {
        assert!(!check("zhangsan@example").unwrap_err().message.both().contains("zhangsan"));
    }

    proptest! {
        #[test]
        fn what_is_taken_obeys_the_documented_rule(text in "[a-zA-Z0-9.@_+ -]{0,70}") {
            if let Ok(address) = parse(&text) {
                prop_assert!(address.len() >= 6 && address.len() <= 64);
                prop_assert_eq!(address.matches('@').count(), 1);
                prop_assert!(address.is_ascii() && !address.contains(' '));
                prop_assert!(!address.contains(".."));
                prop_assert_eq!(parse(&address).unwrap(), address);
            }
        }

        #[test]
        fn no_text_is_too_strange(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
