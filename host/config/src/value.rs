//! Values written as text: durations, sizes, addresses, zones, schedules, ids.

use std::ops::RangeInclusive;
use std::time::Duration;

use chrono_tz::Tz;
use reqwest::Url;

use super::diagnostics::Diagnostic;
use super::schedule::{Schedule, ScheduleError};
use super::suggest;
use ruzhi_model::{Digest, FlowId, TenantId, UserId};

/// `500ms`, `2s`, `10m`, `12h`, `30d`.
pub(super) fn duration(text: &str) -> Result<Duration, Diagnostic> {
    let (number, unit) = split_unit(text);
    let unit_ms = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let ms = number.zip(unit_ms).and_then(|(number, unit)| number.checked_mul(unit));
    // Ten years: far beyond any use, far below the limits of date arithmetic.
    ms.filter(|ms| *ms <= 3_650 * 86_400_000).map(Duration::from_millis).ok_or_else(|| {
        Diagnostic::new(format!("`{text}` is not a duration"), format!("“{text}”不是时长")).hint(
            "write a whole number and one of ms, s, m, h, d, such as \"30d\"; at most 3650d",
            "请写整数加单位 ms、s、m、h、d 之一，例如 \"30d\"；最多 3650d",
        )
    })
}

/// A duration within limits; `least` and `most` are the limits as text.
pub(super) fn duration_within(text: &str, least: &str, most: &str) -> Result<Duration, Diagnostic> {
    let found = duration(text)?;
    if (duration(least)?..=duration(most)?).contains(&found) {
        return Ok(found);
    }
    Err(Diagnostic::new(
        format!("must be from {least} to {most}, found {text}"),
        format!("应在 {least} 到 {most} 之间，写成了 {text}"),
    ))
}

/// `64MiB`: from 1 MiB to 4 GiB, the maximum of a 32-bit component.
pub(super) fn memory(text: &str) -> Result<u64, Diagnostic> {
    size(text, "1MiB", "4GiB", 1 << 20..=4 << 30)
}

/// A size on disk, in bytes.
pub(super) fn disk(text: &str) -> Result<u64, Diagnostic> {
    size(text, "1MiB", "1024GiB", 1 << 20..=1 << 40)
}

fn size(text: &str, least: &str, most: &str, within: RangeInclusive<u64>) -> Result<u64, Diagnostic> {
    let (number, unit) = split_unit(text);
    let unit_bytes = match unit {
        "KiB" => Some(1_u64 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    let bytes = number.zip(unit_bytes).and_then(|(number, unit)| number.checked_mul(unit));
    bytes.filter(|bytes| within.contains(bytes)).ok_or_else(|| {
        Diagnostic::new(
            format!("`{text}` is not a size from {least} to {most}"),
            format!("“{text}”不是 {least} 到 {most} 之间的大小"),
        )
        .hint(
            "write a whole number and one of KiB, MiB, GiB, such as \"64MiB\"",
            "请写整数加单位 KiB、MiB、GiB 之一，例如 \"64MiB\"",
        )
    })
}

fn split_unit(text: &str) -> (Option<u64>, &str) {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    (number.parse().ok(), unit.trim_start())
}

/// An http or https address without credentials and parameters. It is not repeated in messages, for it may contain
/// some.
pub(super) fn address(text: &str) -> Result<Url, Diagnostic> {
    let diagnostic = |en: &str, zh: &str| {
        Diagnostic::new(en, zh).hint(
            "write it as \"https://host\" or \"http://host:port\"",
            "请写成 \"https://主机\" 或 \"http://主机:端口\"",
        )
    };
    let url = Url::parse(text.trim()).map_err(|error| {
        diagnostic(&format!("this is not a URL: {error}"), &format!("这不是有效的网址：{error}"))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(diagnostic("only http and https addresses can be used", "只支持 http 和 https 地址"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(diagnostic(
            "an address must not hold a user name or password",
            "地址里不能写用户名或密码",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(diagnostic(
            "an address must end before `?` and `#`",
            "地址里不能有 `?` 或 `#` 之后的部分",
        ));
    }
    Ok(url)
}

/// Common names of a zone that are not in the IANA database.
const ZONE_ALIASES: &[(&str, &str)] = &[
    ("asia/beijing", "Asia/Shanghai"),
    ("beijing", "Asia/Shanghai"),
    ("shanghai", "Asia/Shanghai"),
    ("china", "Asia/Shanghai"),
    ("asia/china", "Asia/Shanghai"),
    ("cst", "Asia/Shanghai"),
    ("utc+8", "Asia/Shanghai"),
    ("utc+08:00", "Asia/Shanghai"),
    ("gmt+8", "Asia/Shanghai"),
    ("+08:00", "Asia/Shanghai"),
    ("+8", "Asia/Shanghai"),
    ("asia/shenzhen", "Asia/Shanghai"),
    ("asia/guangzhou", "Asia/Shanghai"),
];

/// An IANA time zone.
pub(super) fn zone(text: &str) -> Result<Tz, Diagnostic> {
    text.parse().map_err(|_| {
        let lower = text.trim().to_lowercase();
        let alias = ZONE_ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, zone)| *zone);
        let near = alias.or_else(|| suggest::nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|z| z.name())));
        let near = near.unwrap_or("Asia/Shanghai");
        Diagnostic::new(format!("`{text}` is not an IANA time zone"), format!("“{text}”不是 IANA 时区名"))
            .hint(format!("did you mean `{near}`?"), format!("是否想写 `{near}`？"))
    })
}

/// A cron expression of five fields that has a next time in `zone`.
pub(super) fn schedule(text: &str, zone: Tz) -> Result<Schedule, Diagnostic> {
    let hint = |diagnostic: Diagnostic| {
        diagnostic.hint(
            "five fields: minute hour day month weekday; \"*/5 * * * *\" is every five minutes",
            "五段：分 时 日 月 周；\"*/5 * * * *\" 表示每五分钟",
        )
    };
    Schedule::parse(text, zone).map_err(|error| {
        hint(match error {
            ScheduleError::Cron(error) => Diagnostic::new(
                format!("`{text}` is not a cron expression: {error}"),
                format!("“{text}”不是有效的 cron 表达式：{error}"),
            ),
            ScheduleError::Never => Diagnostic::new(
                format!("`{text}` never comes: there is no such date"),
                format!("“{text}”永远不会到来：没有这样的日期"),
            ),
        })
    })
}

/// A flow id.
pub(super) fn flow_id(text: &str) -> Result<FlowId, Diagnostic> {
    text.parse().map_err(|_| file_name_diagnostic(text, "flow id", "同步流 id"))
}

/// A tenant id, from the name of its file.
pub(super) fn tenant_id(text: &str) -> Result<TenantId, Diagnostic> {
    text.parse().map_err(|_| file_name_diagnostic(text, "tenant id", "工厂 id"))
}

fn file_name_diagnostic(text: &str, en: &str, zh: &str) -> Diagnostic {
    Diagnostic::new(format!("`{text}` is not a valid {en}"), format!("“{text}”不是有效的{zh}")).hint(
        "1 to 64 of the letters a-z and A-Z, digits, `-` and `_`, first a letter or digit",
        "1 到 64 个英文字母、数字、`-`、`_`，以字母或数字开头",
    )
}

/// A protected account.
pub(super) fn userid(text: &str) -> Result<UserId, Diagnostic> {
    text.parse().map_err(|_| {
        Diagnostic::new(format!("`{text}` is not a valid userid"), format!("“{text}”不是有效的成员账号"))
            .hint(
                "1 to 64 of the letters a-z and A-Z, digits, `_`, `-`, `@` and `.`, first a letter or digit",
                "1 到 64 个英文字母、数字、`_`、`-`、`@`、`.`，以字母或数字开头",
            )
    })
}

/// A pinned digest.
pub(super) fn digest(text: &str) -> Result<Digest, Diagnostic> {
    text.trim().to_ascii_lowercase().parse().map_err(|_| {
        Diagnostic::new("this is not a SHA-256", "这不是 SHA-256").hint(
            "64 hexadecimal digits, as `sha256sum` prints them",
            "64 个十六进制字符，即 `sha256sum` 的输出",
        )
    })
}

/// The id of an app or form: 24 hexadecimal digits on the public service; a private deployment may have others. A
/// value that resembles the former but lacks a digit was not copied completely.
pub(super) fn form_id(text: &str) -> Result<String, Diagnostic> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let cut =
        text.bytes().all(|b| b.is_ascii_hexdigit()) && (16..32).contains(&text.len()) && text.len() != 24;
    if (1..=64).contains(&text.len()) && text.bytes().all(good) && !cut {
        return Ok(text.to_owned());
    }
    Err(Diagnostic::new(format!("`{text}` is not an id of JianDaoYun"), format!("“{text}”不是简道云的 id"))
        .hint(
            "24 hexadecimal digits, as in the form's address: …/app/APP_ID/entry/ENTRY_ID",
            "24 个十六进制字符，见表单网址：…/app/应用ID/entry/表单ID",
        ))
}

/// WeCom's EncodingAESKey: 32 bytes as base64 without the `=`. It is not repeated in messages.
pub(super) fn aes_key(text: &str) -> Result<(), Diagnostic> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    if text.len() == 43 && text.bytes().all(good) {
        return Ok(());
    }
    Err(Diagnostic::new("this is not an EncodingAESKey", "这不是 EncodingAESKey").hint(
        "43 letters and digits, as WeCom's admin console shows them where the callback is set up",
        "43 个字母和数字，见企业微信管理后台设置回调处",
    ))
}

/// A corp id.
pub(super) fn corp_id(text: &str) -> Result<String, Diagnostic> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if text.len() <= 64 && text.bytes().all(good) {
        return Ok(text.to_owned());
    }
    Err(Diagnostic::new(format!("`{text}` is not a corp id"), format!("“{text}”不是企业 ID")).hint(
        "it begins with `ww` or `wx`; WeCom's admin console shows it under My Company",
        "以 `ww` 或 `wx` 开头，见企业微信管理后台“我的企业”",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_takes_every_unit() {
        for (text, ms) in
            [("500ms", 500), ("2s", 2_000), ("10m", 600_000), ("12 h", 43_200_000), ("30d", 2_592_000_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for bad in ["", "2", "s", "-2s", "2.5s", "2 weeks", "3651d", "99999999999999999999d", "1h30m"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_takes_binary_units_only() {
        assert_eq!(memory("64MiB"), Ok(64 << 20));
        assert_eq!(memory("1 GiB"), Ok(1 << 30));
        for bad in ["64", "64MB", "1KiB", "5GiB", "MiB", "18446744073709551615GiB"] {
            assert!(memory(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_leap_day_comes_and_a_thirtieth_of_february_does_not() {
        assert!(schedule("0 0 29 2 *", Tz::Asia__Shanghai).is_ok());
        assert!(schedule("0 0 30 2 *", Tz::Asia__Shanghai).is_err());
    }

    #[test]
    fn a_schedule_has_five_fields() {
        for bad in ["* * * *", "0 */5 * * * *", "61 * * * *", "every day"] {
            assert!(schedule(bad, Tz::UTC).is_err(), "{bad}");
        }
    }
}
