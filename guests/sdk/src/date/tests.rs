//! Texts that are dates, texts that are not, and dates that mean no date.

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
    let milliseconds = parse_value(&json!(1_714_492_800_000_i64), &shanghai()).unwrap();
    assert_eq!(milliseconds.unwrap().date(), "2024-05-01");
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
fn a_date_far_ahead_is_a_date() {
    for (text, date) in [
        ("9999-12-31", "9999-12-31"),
        ("9999-12-30T16:00:00.000Z", "9999-12-31"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31"),
        ("9999-12-31 23:59:59", "9999-12-31"),
        ("9999-12-31T23:59:59-12:00", "9999-12-31"),
        ("9999年12月31日", "9999-12-31"),
        ("99991231", "9999-12-31"),
        ("2999-12-31", "2999-12-31"),
        ("2200-01-01", "2200-01-01"),
    ] {
        for name in ["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "UTC"] {
            let moment = parse(text, &Zone::named(name).unwrap()).unwrap();
            assert!(!moment.is_zero() && moment.date().as_str() >= "2199-12-31", "{text} {name}");
            assert_eq!(moment.date().len(), 10, "{text} {name}");
        }
        assert_eq!(parse(text, &shanghai()).unwrap().date(), date, "{text}");
    }
}

#[test]
fn zeros_of_spreadsheets_and_computers_are_empty() {
    for value in [
        json!("1899-12-30"),
        json!("1899-12-31"),
        json!("1899-12-29T16:00:00Z"),
        json!("1899-12-29T15:54:17.000Z"),
        json!("1900-01-00"),
        json!("1900/1/0"),
        json!("1900/1/0 0:00:00"),
        json!("1900-01-01"),
        json!("1900年1月1日"),
        json!("19000101"),
        json!("1899-12-31T15:54:17.000Z"),
        json!("1899-12-31T16:00:00.000Z"),
        json!("1900-01-01T00:00:00Z"),
        json!("1900-01-01 00:00:00"),
        json!("1904-01-01"),
        json!("1970-01-01"),
        json!("1970-01-01T00:00:00.000Z"),
        json!("1970-01-01 08:00:00"),
        json!("1969-12-31T16:00:00.000Z"),
        json!(0),
        json!(0.0),
        json!("0"),
        json!("0000000000"),
        json!(-28_800),
        json!(-28_800_000),
        json!(-2_209_017_943_i64),
        json!(-2_209_190_400_000_i64),
        json!("0000-00-00"),
        json!("0000-00-00 00:00:00"),
        json!("0000-00-00T00:00:00.000Z"),
        json!("0000/0/0"),
        json!("00000000"),
        json!("0001-01-01"),
        json!("0001-01-01T00:00:00Z"),
        json!("0000-12-31T15:54:17.000Z"),
        json!("1601-01-01T00:00:00Z"),
        json!("1753-01-01"),
    ] {
        assert_eq!(parse_value(&value, &shanghai()), Ok(None), "{value}");
    }
    let new_york = Zone::named("America/New_York").unwrap();
    for text in [
        "1970-01-01",
        "1970-01-01T00:00:00Z",
        "0",
        "1899-12-30",
        "1900-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
    ] {
        assert_eq!(parse_value(&json!(text), &new_york), Ok(None), "{text}");
    }
    for (text, date) in [
        ("1900-01-02", "1900-01-02"),
        ("1900-01-01T16:00:00.000Z", "1900-01-02"),
        ("1969-12-31", "1969-12-31"),
        ("1970-01-02", "1970-01-02"),
        ("1970-01-01T16:00:00.000Z", "1970-01-02"),
        ("1965-05-01", "1965-05-01"),
        ("2000-01-01", "2000-01-01"),
    ] {
        let moment = parse_value(&json!(text), &shanghai()).unwrap();
        assert_eq!(moment.unwrap().date(), date, "{text}");
    }
    assert!(parse_pattern("00.00.0000", "DD.MM.YYYY", &shanghai()).unwrap().is_zero());
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
        "1850-05-06",
        "0000-05-06",
        "0000-00-01",
        "1900-02-00",
        "45413",
        "-45413",
        "-1714492800",
        "-",
        "--28800",
        "-+28800",
        "-99999999999999999999",
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
    fn what_is_written_is_read_again(second in -2_000_000_000i64..253_402_000_000, millis in 0i64..1000,
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
