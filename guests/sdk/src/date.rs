//! Dates and moments as forms and people write them.
//!
//! JianDaoYun returns every date as a moment in UTC, a date-only field too: 1 May in Shanghai is
//! `2024-04-30T16:00:00.000Z`, with three digits of a second, or two. People type `2024/5/1` and `2024年5月1日` into text
//! fields, and other systems fill in seconds or milliseconds since 1970. Each is read as a [`Moment`] in a [`Zone`],
//! and a moment is written as a date, in ISO 8601, or as a timestamp. Years outside 1900–2199 are typing errors.

use serde_json::Value;

use crate::fault::{Fault, show};
use crate::text::identifier;
use crate::value;
use crate::zone::{Zone, civil, days, days_in};

/// A moment, and the offset of the clock it is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    milliseconds: i64,
    offset: i32,
}

impl Moment {
    /// A moment of a number of milliseconds since 1970 in UTC.
    pub fn at(milliseconds: i64, zone: &Zone) -> Self {
        Moment { milliseconds, offset: zone.offset_at(milliseconds.div_euclid(1000)) }
    }

    /// Seconds since 1970 in UTC.
    pub fn timestamp(&self) -> i64 {
        self.milliseconds.div_euclid(1000)
    }

    /// Milliseconds since 1970 in UTC.
    pub fn timestamp_ms(&self) -> i64 {
        self.milliseconds
    }

    /// The day in the zone, `2024-05-01`.
    pub fn date(&self) -> String {
        let (year, month, day) = civil(self.local().div_euclid(86_400));
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The moment in ISO 8601 with the zone's offset, `2024-05-01T08:30:00+08:00`; a fraction only if there is one.
    pub fn iso8601(&self) -> String {
        let second = self.local().rem_euclid(86_400);
        let mut text =
            format!("{}T{:02}:{:02}:{:02}", self.date(), second / 3600, second / 60 % 60, second % 60);
        let fraction = self.milliseconds.rem_euclid(1000);
        if fraction != 0 {
            text.push_str(&format!(".{fraction:03}"));
        }
        let minutes = self.offset.abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        text
    }

    /// The first moment of its day in the zone.
    pub fn start_of_day(&self, zone: &Zone) -> Self {
        Moment::at(zone.instant_of(self.local().div_euclid(86_400) * 86_400) * 1000, zone)
    }

    fn local(&self) -> i64 {
        self.timestamp() + i64::from(self.offset)
    }
}

/// Reads a form's value: a text as [`parse`] does, a number as seconds or milliseconds since 1970.
///
/// # Errors
/// `date.invalid`; `value.shape` if the value is an object.
pub fn parse_value(value: &Value, zone: &Zone) -> Result<Moment, Fault> {
    parse(&value::text(value)?, zone)
}

/// Reads `2024-05-01`, `2024/5/1`, `2024.5.1`, `2024年5月1日`, `20240501`, any of the first four with a time (`T` or space,
/// `8:30`, `08:30:00.25`, `8时30分`) and a zone (`Z`, `+08:00`), ten digits (seconds since 1970) or thirteen
/// (milliseconds). What has no zone is in `zone`; what has no time begins the day.
///
/// ```
/// use ruzhi_guest::{date::parse, zone::Zone};
/// let shanghai = Zone::named("Asia/Shanghai").unwrap();
/// assert_eq!(parse("2024-04-30T16:00:00.00Z", &shanghai).unwrap().date(), "2024-05-01");
/// assert_eq!(parse("2024年5月1日", &shanghai).unwrap().timestamp(), 1_714_492_800);
/// ```
///
/// # Errors
/// `date.invalid`.
pub fn parse(text: &str, zone: &Zone) -> Result<Moment, Fault> {
    let plain = identifier(text);
    read(&plain, zone).filter(|moment| in_range(*moment)).ok_or_else(|| invalid(text))
}

/// Reads a date by a pattern of `YYYY`, `MM`, `DD`, `HH`, `mm`, `ss` (so many digits) and `M`, `D`, `H`, `m`, `s` (one
/// or two); all else stands for itself. `DD.MM.YYYY` reads `01.05.2024`.
///
/// # Errors
/// `date.invalid`.
pub fn parse_pattern(text: &str, pattern: &str, zone: &Zone) -> Result<Moment, Fault> {
    let plain = identifier(text);
    read_pattern(&plain, pattern, zone).filter(|moment| in_range(*moment)).ok_or_else(|| invalid(text))
}

fn invalid(text: &str) -> Fault {
    let shown = show(text);
    Fault::new(
        "date.invalid",
        format_args!("{shown} 不是有效日期，请按 2024-05-01 的格式填写"),
        format_args!("{shown} is no date. Write it like 2024-05-01"),
    )
}

fn in_range(moment: Moment) -> bool {
    const FIRST: i64 = -2_208_988_800; // 1900-01-01
    const LAST: i64 = 7_258_118_400; // 2200-01-01
    (FIRST..LAST).contains(&moment.local())
}

/// A date and time on some clock.
#[derive(Default, Clone, Copy)]
struct Clock {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    millisecond: u32,
}

impl Clock {
    fn moment(self, offset: Option<i32>, zone: &Zone) -> Option<Moment> {
        let (year, month) = (i64::from(self.year), u8::try_from(self.month).ok()?);
        let day = u8::try_from(self.day).ok()?;
        let lawful = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        // A leap second counts as the second after it.
        if !lawful || self.hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let second =
            days(year, month, day) * 86_400 + i64::from(self.hour * 3600 + self.minute * 60 + self.second);
        let instant = match offset {
            Some(offset) => second - i64::from(offset),
            None => zone.instant_of(second),
        };
        Some(Moment::at(instant * 1000 + i64::from(self.millisecond), zone))
    }
}

fn read(text: &str, zone: &Zone) -> Option<Moment> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return read_digits(text, zone);
    }
    let mut cursor = Cursor(text);
    let mut clock = Clock { year: cursor.number(4, 4)?, ..Clock::default() };
    let separator = ["-", "/", ".", "年"].into_iter().find(|separator| cursor.take(separator))?;
    clock.month = cursor.number(1, 2)?;
    if separator == "年" {
        cursor.take("月").then_some(())?;
        clock.day = cursor.number(1, 2)?;
        let _ = cursor.take("日") || cursor.take("号");
    } else {
        cursor.take(separator).then_some(())?;
        clock.day = cursor.number(1, 2)?;
    }
    let gap = cursor.take("T") || cursor.take(" ");
    if cursor.0.is_empty() {
        return clock.moment(None, zone);
    }
    if !gap && separator != "年" {
        return None;
    }
    clock.hour = cursor.number(1, 2)?;
    if cursor.take("时") || cursor.take("点") {
        if !cursor.0.is_empty() {
            clock.minute = cursor.number(1, 2)?;
            let _ = cursor.take("分");
        }
        if !cursor.0.is_empty() {
            clock.second = cursor.number(1, 2)?;
            let _ = cursor.take("秒");
        }
    } else {
        cursor.take(":").then_some(())?;
        clock.minute = cursor.number(2, 2)?;
        if cursor.take(":") {
            clock.second = cursor.number(2, 2)?;
            if cursor.take(".") || cursor.take(",") {
                clock.millisecond = cursor.fraction()?;
            }
        }
    }
    let _ = cursor.take(" ");
    let offset = cursor.offset()?;
    cursor.0.is_empty().then(|| clock.moment(offset, zone))?
}

fn read_digits(text: &str, zone: &Zone) -> Option<Moment> {
    match text.len() {
        8 => read_pattern(text, "YYYYMMDD", zone),
        10 => Some(Moment::at(text.parse::<i64>().ok()? * 1000, zone)),
        13 => Some(Moment::at(text.parse().ok()?, zone)),
        14 => read_pattern(text, "YYYYMMDDHHmmss", zone),
        _ => None,
    }
}

fn read_pattern(text: &str, pattern: &str, zone: &Zone) -> Option<Moment> {
    let mut clock = Clock { month: 1, day: 1, ..Clock::default() };
    let mut cursor = Cursor(text);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let count = rest.chars().take_while(|next| *next == c).count();
        let (digits, target) = match c {
            'Y' => (4, &mut clock.year),
            'M' => (2, &mut clock.month),
            'D' => (2, &mut clock.day),
            'H' => (2, &mut clock.hour),
            'm' => (2, &mut clock.minute),
            's' => (2, &mut clock.second),
            _ => {
                cursor.take(rest.get(..c.len_utf8())?).then_some(())?;
                rest = rest.get(c.len_utf8()..)?;
                continue;
            }
        };
        let count = count.min(digits);
        *target = cursor.number(count, if count == 1 { 2 } else { count })?;
        rest = rest.get(count..)?;
    }
    cursor.0.is_empty().then(|| clock.moment(None, zone))?
}

/// What is left to read.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn take(&mut self, text: &str) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        if digits < least { None } else { number.parse().ok() }
    }

    /// Any number of digits, the first three of which count.
    fn fraction(&mut self) -> Option<u32> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(digits).filter(|_| digits > 0)?;
        self.0 = rest;
        format!("{:0<3}", number.get(..3).unwrap_or(number)).parse().ok()
    }

    /// `Z`, `+08:00`, `+0800`, `+08`, or nothing.
    fn offset(&mut self) -> Option<Option<i32>> {
        if self.0.is_empty() {
            return Some(None);
        }
        if self.take("Z") || self.take("z") {
            return Some(Some(0));
        }
        let sign = if self.take("+") {
            1
        } else if self.take("-") {
            -1
        } else {
            return None;
        };
        let hours = self.number(2, 2)?;
        let _ = self.take(":");
        let minutes = if self.0.is_empty() { 0 } else { self.number(2, 2)? };
        (hours < 24 && minutes < 60).then(|| Some(sign * (hours * 3600 + minutes * 60) as i32))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn shanghai() -> Zone {
        Zone::named("Asia/Shanghai").unwrap()
    }

    #[test]
    fn every_writing_of_one_day() {
        for text in [
            "2024-05-01",
            "2024/5/1",
            "2024.5.1",
            "2024年5月1日",
            "2024年05月01号",
            "20240501",
            "２０２４－０５－０１",
            "2024-05-01T00:00:00",
            "2024-05-01 00:00",
            "2024-05-01T00:00:00+08:00",
            "2024-04-30T16:00:00.000Z",
            "2024-04-30T16:00:00.00Z",
            "2024-04-30 16:00:00Z",
            "2024-05-01T02:00:00 +1000",
            "1714492800",
            "1714492800000",
            "20240501000000",
            "2024年5月1日0时0分",
            " 2024-05-01\u{3000}",
        ] {
            let moment = parse(text, &shanghai()).unwrap();
            assert_eq!(moment.date(), "2024-05-01", "{text}");
            assert_eq!(moment.timestamp(), 1_714_492_800, "{text}");
            assert_eq!(moment.iso8601(), "2024-05-01T00:00:00+08:00", "{text}");
        }
        assert_eq!(parse_value(&json!(1_714_492_800_000_i64), &shanghai()).unwrap().date(), "2024-05-01");
    }

    #[test]
    fn times_are_kept() {
        let moment = parse("2018-04-10T14:16:38.10Z", &shanghai()).unwrap();
        assert_eq!(moment.iso8601(), "2018-04-10T22:16:38.100+08:00");
        assert_eq!(moment.timestamp_ms(), 1_523_369_798_100);
        assert_eq!(parse("2024年5月1日8时30分", &shanghai()).unwrap().iso8601(), "2024-05-01T08:30:00+08:00");
        assert_eq!(parse("2024/5/1 8:30", &shanghai()).unwrap().iso8601(), "2024-05-01T08:30:00+08:00");
    }

    #[test]
    fn summer_time_of_1988_is_known() {
        // Born on 1 July 1988: midnight in Shanghai was 15:00 in UTC.
        assert_eq!(parse("1988-06-30T15:00:00.000Z", &shanghai()).unwrap().date(), "1988-07-01");
        assert_eq!(parse("1988-07-01", &shanghai()).unwrap().iso8601(), "1988-07-01T00:00:00+09:00");
        assert_eq!(parse("1965-04-30T16:00:00Z", &shanghai()).unwrap().date(), "1965-05-01");
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "今天",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "24-05-01",
            "2024-05",
            "2024-5/1",
            "0202-05-01",
            "2024-05-01T25:00",
            "2024-05-01T08",
            "2024-05-01X08:00",
            "2024-05-01T08:00:00+99:00",
            "123",
            "99999999",
            "2024-05-01 早上",
            "2024-05-01T08:00:00.Z",
            "2024年5日",
        ] {
            assert_eq!(parse(text, &shanghai()).unwrap_err().rule, "date.invalid", "{text}");
        }
        assert_eq!(parse("2024-02-29", &shanghai()).unwrap().date(), "2024-02-29");
    }

    #[test]
    fn patterns_of_other_countries() {
        assert_eq!(parse_pattern("01.05.2024", "DD.MM.YYYY", &shanghai()).unwrap().date(), "2024-05-01");
        assert_eq!(
            parse_pattern("5/1/2024 8:05", "M/D/YYYY H:mm", &shanghai()).unwrap().iso8601(),
            "2024-05-01T08:05:00+08:00"
        );
        assert_eq!(parse_pattern("入职2024-5-1", "入职YYYY-M-D", &shanghai()).unwrap().date(), "2024-05-01");
        assert!(parse_pattern("1.5.2024", "DD.MM.YYYY", &shanghai()).is_err());
        assert!(parse_pattern("01.05.2024x", "DD.MM.YYYY", &shanghai()).is_err());
    }

    #[test]
    fn a_day_starts_at_midnight_of_its_zone() {
        let zone = Zone::named("America/New_York").unwrap();
        let moment = parse("2024-03-10T12:00:00-04:00", &zone).unwrap();
        assert_eq!(moment.start_of_day(&zone).iso8601(), "2024-03-10T00:00:00-05:00");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(second in -2_000_000_000i64..7_000_000_000, millis in 0i64..1000,
                                         name in prop_oneof![Just("Asia/Shanghai"), Just("America/New_York"), Just("Asia/Kolkata")]) {
            let zone = Zone::named(name).unwrap();
            let moment = Moment::at(second * 1000 + millis, &zone);
            prop_assert_eq!(parse(&moment.iso8601(), &zone).unwrap(), moment);
            let date = moment.date();
            prop_assert_eq!(parse(&date, &zone).unwrap().date(), date);
        }

        #[test]
        fn digits_are_a_moment(second in 1_000_000_000i64..7_000_000_000) {
            let zone = shanghai();
            prop_assert_eq!(parse(&second.to_string(), &zone).unwrap().timestamp(), second);
            prop_assert_eq!(parse(&(second * 1000 + 7).to_string(), &zone).unwrap().timestamp_ms(), second * 1000 + 7);
        }

        #[test]
        fn no_text_is_too_strange(text in any::<String>(), pattern in any::<String>()) {
            let _ = parse(&text, &shanghai());
            let _ = parse_pattern(&text, &pattern, &shanghai());
        }

        #[test]
        fn nearly_a_date_is_not_too_strange(text in "[0-9]{1,5}[-/.年][0-9]{0,3}[-/.月][0-9]{0,3}[T ]?[0-9:.+Z -]{0,16}") {
            if let Ok(moment) = parse(&text, &shanghai()) {
                prop_assert_eq!(moment.date().len(), 10);
            }
        }
    }
}
