//! Dates and moments as forms and people write them.
//!
//! JianDaoYun returns every date as a moment in UTC, a date-only field too: 1 May in Shanghai is
//! `2024-04-30T16:00:00.000Z`, with three digits of a second, or two. People type `2024/5/1` and `2024年5月1日` into
//! text fields, and other systems fill in seconds or milliseconds since 1970. Each is read as a [`Moment`] in a
//! [`Zone`], and a moment is written as a date, in ISO 8601, or as a timestamp. Years before 1900 are typing errors;
//! a date far in the future, such as 9999-12-31, is how people write "not yet".
//!
//! Spreadsheets and computers write a zero as a date: 1899-12-30, 1900-01-01, 1970-01-01, `0000-00-00`. No person
//! means such a day. It parses to a moment that [`Moment::is_zero`]; as a field's value ([`parse_value`]) it is
//! empty.

use serde_json::Value;

use crate::fault::{Fault, show};
use crate::text::identifier;
use crate::value;
use crate::zone::{Zone, civil, days, days_in};

/// 1905-01-01. Before it most clocks showed local solar time, up to an hour behind the zone's, and other programs use
/// it.
const SUN_TIME: i64 = -2_051_222_400;

/// A moment and the offset of its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    milliseconds: i64,
    offset: i32,
}

impl Moment {
    /// The moment a number of milliseconds after 1970 in UTC.
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

    /// True for a zero that a spreadsheet or computer wrote as a date, in the zone or in UTC: the first days of
    /// Excel, of Unix, of SQL Server and of Windows, and that of the year 1.
    pub fn is_zero(&self) -> bool {
        const OLDER: [(i64, u8, u8); 7] = [
            (1, 1, 1),
            (1601, 1, 1),
            (1753, 1, 1),
            (1899, 12, 30),
            (1899, 12, 31),
            (1900, 1, 1),
            (1904, 1, 1),
        ];
        // In UTC only the start of the day counts: its evening is the next day in Shanghai.
        let is_on = |day: i64, behind: i64| {
            let (start, end) = (day * 86_400, (day + 1) * 86_400);
            self.timestamp() == start || (start - behind..end).contains(&self.local())
        };
        is_on(0, 0) || OLDER.iter().any(|(year, month, day)| is_on(days(*year, *month, *day), 3600))
    }

    /// The first moment of its day in the zone.
    pub fn start_of_day(&self, zone: &Zone) -> Self {
        Moment::at(zone.instant_of(self.local().div_euclid(86_400) * 86_400) * 1000, zone)
    }

    fn local(&self) -> i64 {
        self.timestamp() + i64::from(self.offset)
    }
}

/// Reads a form's value: a text as [`parse`] does, a number as seconds or milliseconds since 1970. A zero date gives
/// none.
///
/// ```
/// use ruzhi_guest::{date::parse_value, zone::Zone};
/// use serde_json::json;
/// let shanghai = Zone::named("Asia/Shanghai").unwrap();
/// assert_eq!(parse_value(&json!("1900-01-01"), &shanghai), Ok(None));
/// ```
///
/// # Errors
/// `date.invalid`; `value.shape` if the value is an object.
pub fn parse_value(value: &Value, zone: &Zone) -> Result<Option<Moment>, Fault> {
    Ok(Some(parse(&value::text(value)?, zone)?).filter(|moment| !moment.is_zero()))
}

/// Reads `2024-05-01`, `2024/5/1`, `2024.5.1`, `2024年5月1日`, `20240501`, any of the first four with a time (`T` or
/// space, `8:30`, `08:30:00.25`, `8时30分`) and a zone (`Z`, `+08:00`), ten digits (seconds since 1970) or thirteen
/// (milliseconds), `0`. Without a zone it is in `zone`; without a time it is the start of the day.
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
    read(&plain, zone).and_then(|moment| in_range(moment, zone)).ok_or_else(|| invalid(text))
}

/// Reads a date by a pattern of `YYYY`, `MM`, `DD`, `HH`, `mm`, `ss` (so many digits) and `M`, `D`, `H`, `m`, `s`
/// (one or two); all other characters are literal. `DD.MM.YYYY` reads `01.05.2024`.
///
/// # Errors
/// `date.invalid`.
pub fn parse_pattern(text: &str, pattern: &str, zone: &Zone) -> Result<Moment, Fault> {
    let plain = identifier(text);
    read_pattern(&plain, pattern, zone).and_then(|moment| in_range(moment, zone)).ok_or_else(|| invalid(text))
}

/// Milliseconds since 1970 as RFC 3339 in UTC; none beyond the year 9999, which has no such text.
pub(crate) fn utc(milliseconds: i64) -> Option<String> {
    let seconds = milliseconds.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    (0..=9999).contains(&year).then(|| {
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            second / 3600,
            second / 60 % 60,
            second % 60,
            milliseconds.rem_euclid(1000)
        )
    })
}

fn invalid(text: &str) -> Fault {
    let shown = show(text);
    Fault::new(
        "date.invalid",
        format_args!("{shown} 不是有效日期，请按 2024-05-01 的格式填写"),
        format_args!("{shown} is no date. Write it like 2024-05-01"),
    )
}

/// The moment, if it is in the valid range or a zero. A moment after the year 9999 in its zone becomes the last one
/// with a four-digit year.
fn in_range(moment: Moment, zone: &Zone) -> Option<Moment> {
    const FIRST: i64 = -2_208_988_800; // 1900-01-01
    const END: i64 = 253_402_300_800; // 10000-01-01
    if moment.local() >= END {
        return Some(Moment::at((zone.instant_of(END) - 1) * 1000, zone));
    }
    (moment.local() >= FIRST || moment.is_zero()).then_some(moment)
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
        // Zeros that are not days, whatever the time: of databases, and of a spreadsheet that counts from 1900-01-00.
        match (self.year, self.month, self.day) {
            (0, 0, 0) => return Some(Moment::at(zone.instant_of(days(1, 1, 1) * 86_400) * 1000, zone)),
            (1900, 1, 0) => {
                return Some(Moment::at(zone.instant_of(days(1899, 12, 31) * 86_400) * 1000, zone));
            }
            _ => {}
        }
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
    if let Some(digits) = text.strip_prefix('-') {
        return read_before_unix(digits, zone);
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
        1 if text == "0" => Some(Moment::at(0, zone)),
        8 => read_pattern(text, "YYYYMMDD", zone),
        10 => Some(Moment::at(text.parse::<i64>().ok()? * 1000, zone)),
        13 => Some(Moment::at(text.parse().ok()?, zone)),
        14 => read_pattern(text, "YYYYMMDDHHmmss", zone),
        _ => None,
    }
}

/// A zero date as a negative number of seconds or milliseconds: midnight of 1970-01-01 in Shanghai is `-28800`. No
/// other date before 1970 is written in this way.
fn read_before_unix(digits: &str, zone: &Zone) -> Option<Moment> {
    let plain = digits.len() < 16 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| plain)?;
    let is_zero = |moment: &Moment| {
        let is_midnight = moment.local() % 86_400 == 0 || moment.local() < SUN_TIME;
        moment.is_zero() && is_midnight
    };
    [1000, 1].map(|unit| Moment::at(-number * unit, zone)).into_iter().find(is_zero)
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

/// The remaining text.
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

    /// Any number of digits; only the first three count.
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
mod tests;
