//! The constraints of a member's fields and their error codes (reference §5.2).

use super::verdict::Refusal;

const LARGEST_USERID_BYTES: usize = 64;
const LONGEST_NAME: usize = 64;
const LONGEST_POSITION: usize = 128;
const LONGEST_ADDRESS: usize = 128;
const LONGEST_EXTERNAL_POSITION: usize = 12;
const LONGEST_PHONE: usize = 32;

pub(super) fn userid(text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(41009, "missing userid"));
    }
    if text.len() > LARGEST_USERID_BYTES {
        return Err(Refusal::new(40058, "userid exceed max length 64. invalid Request Parameter"));
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@' | b'.');
    if text.bytes().all(known) && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(Refusal::new(40003, "invalid userid"))
    }
}

pub(super) fn name(text: &str) -> Result<(), Refusal> {
    match text.chars().count() {
        0 => Err(Refusal::new(40058, "name exceed min utf8 words 1. invalid Request Parameter")),
        1..=LONGEST_NAME if !text.chars().any(char::is_control) => Ok(()),
        _ => Err(Refusal::new(60112, "invalid name")),
    }
}

pub(super) fn mobile(text: &str) -> Result<(), Refusal> {
    let invalid = || Refusal::new(60103, "invalid mobile");
    let known = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b' ');
    if text.len() > LONGEST_PHONE || !text.bytes().all(known) {
        return Err(invalid());
    }
    let normal = normal_mobile(text);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let good = match normal.strip_prefix('+') {
        Some(foreign) => digits(foreign) && (7..=15).contains(&foreign.len()) && !foreign.starts_with("86"),
        None => {
            let bytes = normal.as_bytes();
            bytes.len() == 11 && digits(&normal) && matches!(bytes, [b'1', b'3'..=b'9', ..])
        }
    };
    if good { Ok(()) } else { Err(invalid()) }
}

/// A number as uniqueness sees it: without spaces, hyphens and the mainland's `+86`.
pub(super) fn normal_mobile(text: &str) -> String {
    let bare: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    match bare.strip_prefix("+86") {
        Some(mainland) => mainland.to_owned(),
        None => bare,
    }
}

pub(super) fn is_email(text: &str) -> bool {
    if !(6..=64).contains(&text.len()) || !text.is_ascii() {
        return false;
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let in_local =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'\'' | b'&');
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    !local.is_empty()
        && local.bytes().all(in_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.contains('.')
        && domain.split('.').all(label)
}

pub(super) fn email(text: &str) -> Result<(), Refusal> {
    if is_email(text) { Ok(()) } else { Err(Refusal::new(60105, "invalid email")) }
}

pub(super) fn biz_mail(text: &str) -> Result<(), Refusal> {
    if is_email(text) { Ok(()) } else { Err(Refusal::new(60143, "invalid biz_mail")) }
}

pub(super) fn position(text: &str) -> Result<(), Refusal> {
    no_longer_than(text, LONGEST_POSITION, 301_012, "invalid position")
}

pub(super) fn alias(text: &str) -> Result<(), Refusal> {
    no_longer_than(text, LONGEST_NAME, 40058, "alias exceed max utf8 words 64. invalid Request Parameter")
}

pub(super) fn address(text: &str) -> Result<(), Refusal> {
    no_longer_than(
        text,
        LONGEST_ADDRESS,
        40058,
        "address exceed max utf8 words 128. invalid Request Parameter",
    )
}

pub(super) fn external_position(text: &str) -> Result<(), Refusal> {
    let said = "external_position exceed max utf8 words 12. invalid Request Parameter";
    no_longer_than(text, LONGEST_EXTERNAL_POSITION, 40058, said)
}

pub(super) fn telephone(text: &str) -> Result<(), Refusal> {
    let known = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b',');
    if text.len() <= LONGEST_PHONE && text.bytes().all(known) {
        Ok(())
    } else {
        Err(Refusal::new(301_013, "invalid telephone"))
    }
}

pub(super) fn gender(text: &str) -> Result<(), Refusal> {
    match text {
        "" | "0" | "1" | "2" => Ok(()),
        _ => Err(Refusal::new(40058, "gender invalid. invalid Request Parameter")),
    }
}

fn no_longer_than(text: &str, most: usize, code: i32, said: &'static str) -> Result<(), Refusal> {
    if text.chars().count() <= most { Ok(()) } else { Err(Refusal::new(code, said)) }
}

#[cfg(test)]
mod tests {
    use super::{is_email, mobile, normal_mobile, userid};

    #[test]
    fn a_mainland_number_is_one_number_however_it_is_written() {
        for text in ["13800138000", "+8613800138000", "+86 138-0013-8000"] {
            assert_eq!(normal_mobile(text), "13800138000");
            assert!(mobile(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn numbers_of_elsewhere_need_their_country() {
        assert!(mobile("+852 5123 4567").is_ok());
        for text in
            ["51234567", "1380013800", "12800138000", "１３８００１３８０００", "8613800138000", "+86123"]
        {
            assert_eq!(mobile(text).map_err(|refusal| refusal.code), Err(60103), "{text}");
        }
    }

    #[test]
    fn userids_are_counted_in_bytes_and_begin_with_a_letter_or_digit() {
        assert!(userid("E0001_a-b@c.d").is_ok());
        assert_eq!(userid("").map_err(|refusal| refusal.code), Err(41009));
        assert_eq!(userid(&"a".repeat(65)).map_err(|refusal| refusal.code), Err(40058));
        assert_eq!(userid("-a").map_err(|refusal| refusal.code), Err(40003));
        assert_eq!(userid("张三").map_err(|refusal| refusal.code), Err(40003));
    }

    #[test]
    fn an_email_has_one_domain() {
        assert!(is_email("a@b.cn"));
        for text in ["a@b", "a b@c.cn", "@b.cn", "a@.cn", "a@b.", "张三@b.cn"] {
            assert!(!is_email(text), "{text}");
        }
    }
}
