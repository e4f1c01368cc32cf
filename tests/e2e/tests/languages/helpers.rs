//! Every helper of the SDK, applied to one value: its reading of a row's `v`, as remarks.
//!
//! The fixtures `helpers-*` of the other languages do the same, helper by helper, so that the ports cannot differ in
//! helpers that the founding factory's rules do not use.

use std::fmt::Display;

use ruzhi_guest::date::{self, Moment};
use ruzhi_guest::text::{Case, Cleaning};
use ruzhi_guest::zone::Zone;
use ruzhi_guest::{
    Clock, Decision, Description, Fault, GuestError, Mapping, Member, Outcome, Problems, Record, department,
    email, mobile, rule, text, value,
};
use serde_json::Value;

use super::answers::{context, line, records};
use super::values;

/// The guest. Its rules are the name of a time zone; if empty, the clock's.
pub(crate) struct Helpers;

impl Mapping for Helpers {
    type Rules = String;

    fn load(config: &str) -> Result<String, GuestError> {
        Ok(config.to_owned())
    }

    fn describe(_: &String) -> Description {
        Description {
            name: "helpers".into(),
            version: "0".into(),
            source_fields: Vec::new(),
            labels: Vec::new(),
        }
    }

    fn decide(config: &String, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
        let zone = if config.is_empty() {
            clock.zone().clone()
        } else {
            Zone::named(config).map_err(|_| Problems::default())?
        };
        let mut notes = told(record, &zone);
        notes.extend(record.read("v", |held| Ok(asked(clock, held, &zone))).unwrap_or_default());
        Ok(Outcome { notes, ..Outcome::new(Decision::Ignore("told".into())) })
    }
}

/// One question to the clock about a moment, chosen by the moment: the answer, and the moment until which the outcome
/// holds.
fn asked(clock: &Clock, held: &Value, zone: &Zone) -> String {
    let Ok(Some(moment)) = date::parse_value(held, zone) else { return "no moment".into() };
    let answer = match moment.timestamp_ms().rem_euclid(9) {
        0 => moment < clock.now(),
        1 => moment > clock.now(),
        2 => clock.now() < moment,
        3 => clock.now() > moment,
        4 => moment < clock.today_in(zone),
        5 => moment > clock.today(),
        6 => clock.today() < moment,
        7 => clock.today_in(zone) > moment,
        _ => return format!("asks {} {}", clock.now().iso8601(), clock.now().start_of_day(zone).iso8601()),
    };
    format!("asks {answer}")
}

fn told(record: &Record<'_>, zone: &Zone) -> Vec<String> {
    let mut notes = Vec::new();
    let mut attempt = |name: &str, read: &dyn Fn(&Value) -> Result<String, Fault>| {
        let told = record.read("v", |held| {
            Ok(read(held).unwrap_or_else(|fault| format!("{}: {}", fault.rule, fault.message.both())))
        });
        notes.push(format!("{name} {}", told.unwrap().unwrap_or_else(|| "empty".into())));
    };
    attempt("text", &|held| Ok(text::line(&value::text(held)?).into_owned()));
    attempt("identifier", &|held| Ok(text::identifier(&value::text(held)?).into_owned()));
    attempt("folded", &|held| Ok(text::fold(&value::text(held)?).into_owned()));
    attempt("identity", &|held| Ok(value::identity(held)?.into_owned()));
    attempt("nothing", &|held| Ok(value::placeholder(held).map_or("no", |_| "yes").to_owned()));
    attempt("list", &|held| {
        let items = value::list(held);
        let items: Result<Vec<_>, Fault> =
            items.iter().map(|item| Ok(text::line(&value::text(item)?).into_owned())).collect();
        Ok(items?.join(" | "))
    });
    attempt("boolean", &|held| shown(value::boolean(held)));
    attempt("integer", &|held| shown(value::integer(held)));
    attempt("number", &|held| value::number(held).map(bits));
    attempt("email", &|held| email::parse(&value::text(held)?));
    attempt("mobile", &|held| shown(mobile::parse(&value::text(held)?)));
    attempt("mobile of Hong Kong", &|held| shown(mobile::parse_in(&value::text(held)?, 852)));
    attempt("departments", &|held| {
        Ok(department::parse(held)?.iter().map(u32::to_string).collect::<Vec<_>>().join(" | "))
    });
    attempt("gender", &|held| shown(rule::parse_gender(&value::text(held)?)));
    attempt("telephone", &|held| rule::parse_telephone(&value::text(held)?));
    attempt("date", &|held| {
        Ok(date::parse_value(held, zone)?.map_or("zero".to_owned(), |found| moment(found, zone)))
    });
    for pattern in ["DD.MM.YYYY", "M/D/YYYY H:mm", "入职YYYY-M-D", "YYYYYMMM"] {
        attempt(pattern, &|held| Ok(moment(date::parse_pattern(&value::text(held)?, pattern, zone)?, zone)));
    }
    attempt("userid", &|held| lawful(rule::userid(&value::text(held)?)));
    attempt("name", &|held| lawful(rule::name(&value::text(held)?)));
    attempt("alias", &|held| lawful(rule::alias(&value::text(held)?)));
    attempt("external position", &|held| lawful(rule::external_position(&value::text(held)?)));
    attempt("landline", &|held| lawful(rule::telephone(&value::text(held)?)));
    attempt("mobile as it stands", &|held| lawful(mobile::check(&value::text(held)?)));
    attempt("enterprise mail", &|held| lawful(email::check_biz_mail(&value::text(held)?)));
    attempt("leader", &|held| lawful(rule::direct_leader(&[value::text(held)?.into_owned()])));
    attempt("member", &|held| Ok(broken(&value::text(held)?)));
    let upper =
        Cleaning { trim: false, nfkc: true, collapse: false, case: Some(Case::Upper), strip: "-_一".into() };
    let lower = Cleaning { collapse: false, case: Some(Case::Lower), ..Cleaning::default() };
    attempt("upper", &|held| Ok(upper.apply(&value::text(held)?).into_owned()));
    attempt("lower", &|held| Ok(lower.apply(&value::text(held)?).into_owned()));
    notes
}

/// A mostly invalid member, with the text as JSON in every extra field.
fn broken(json: &str) -> String {
    let extra = |field: &str, json: &str| (field.to_owned(), json.to_owned());
    let member = Member {
        userid: "a".into(),
        name: "a".into(),
        main_department: Some(7),
        gender: Some(json.to_owned()),
        direct_leader: Some(vec![json.to_owned(), json.to_owned()]),
        extra: vec![
            extra("extattr", json),
            extra("external_profile", json),
            extra("nickname", json),
            extra("nickname", json),
            extra("mobile", json),
            extra(json, "1"),
        ],
        ..Member::default()
    };
    let told: Vec<_> = rule::check(&member)
        .into_iter()
        .map(|violation| format!("{} {} {}", violation.field, violation.rule, violation.message.both()))
        .collect();
    told.join(" | ")
}

fn shown(read: Result<impl Display, Fault>) -> Result<String, Fault> {
    read.map(|read| read.to_string())
}

fn lawful(verdict: Result<(), Fault>) -> Result<String, Fault> {
    verdict.map(|()| "lawful".to_owned())
}

fn moment(moment: Moment, zone: &Zone) -> String {
    format!("{} {} {}", moment.iso8601(), moment.timestamp_ms(), moment.start_of_day(zone).iso8601())
}

/// A number by its bits, since each language prints numbers in its own way.
fn bits(number: f64) -> String {
    format!("{:016x}", number.to_bits())
}

/// Near misses of dates, yes or no, landlines and extras.
pub(crate) const VALUES: &[&str] = &[
    "2024-05-01",
    "2024/5/1",
    "2024.5.1",
    "2024年5月1日",
    "2024年5月1",
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
    "2018-04-10T14:16:38.10Z",
    "2018-04-10T14:16:38.1Z",
    "2018-04-10T14:16:38.123456Z",
    "2018-04-10T14:16:38,5Z",
    "2024年5月1日8时30分",
    "2024年5月1日8点30分5秒",
    "2024年5月1日8时",
    "2024年5月1日8:30",
    "2024/5/1 8:30",
    "1988-06-30T15:00:00.000Z",
    "1988-07-01",
    "1965-04-30T16:00:00Z",
    "1900-01-01",
    "1899-12-31",
    "2199-12-31T23:59:59",
    "2200-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
    "1899-12-30",
    "1899-12-29T16:00:00Z",
    "1899-12-31T15:54:17.000Z",
    "1900/1/0",
    "1900-01-02",
    "1970-01-01",
    "1970-01-01T00:00:00.000Z",
    "1970-01-01T16:00:00.000Z",
    "1969-12-31T16:00:00.000Z",
    "0000-00-00",
    "0001-01-01T00:00:00Z",
    "0",
    "\u{ff08}无\u{ff09}",
    "N/A",
    "——",
    "undefined",
    "生产部（⼀⻋间）",
    "İstanbul  Ⅷ",
    "今天",
    "2024-02-30",
    "2023-02-29",
    "2024-02-29",
    "2100-02-29",
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
    "2024-05-01T08:00:60",
    "2024-05-01T08:00:61",
    "2024-05-01T08:60",
    "2024-05-01T08:00-0330",
    "2024-05-01T08:00+08",
    "2024-05-01T08:00+8",
    "2024-05-01T08:00+08:",
    "2024-05-01T08:00z",
    "2024-05-01T",
    "2024-05-01 ",
    "2024-03-10T02:30",
    "2024-11-03T01:30",
    "2024-03-31T02:30",
    "2024-10-27T02:30",
    "1986-05-04T02:30",
    "1991-09-15T01:30",
    "2050-07-01",
    "2050-01-01",
    "01.05.2024",
    "5/1/2024 8:05",
    "12/31/2024 23:59",
    "入职2024-5-1",
    "202412",
    "20241212",
    "1.5.2024",
    "是",
    "否",
    "启用",
    "停用",
    "YES",
    "off",
    "Ｎｏ",
    "0",
    "1",
    "2",
    "+5",
    "-5",
    "--5",
    "+",
    "-",
    "00012",
    "９２２３３７２０３６８５４７７５８０７",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "1.50",
    "1e3",
    "+1e3",
    "++1e3",
    ".5",
    "1e400",
    "NaN",
    "男",
    "女士",
    "Male",
    "先生",
    "Ｆ",
    "010-1234 5678",
    "(010)12345678",
    "010-12345678转801",
    "010-12345678 ext.801",
    "010--1",
    "+86 10 1234",
    "（010）1",
    "a@b.cn",
    "Zhang.San@Example.COM",
    "zhang＠example.com",
    "a..b@x.cn",
    "a@x",
    "o'hara@x-y.io",
    "a@1.2.3.4",
    "a@b.c",
    "zhangsan@example.com,lisi@example.com",
    "联系人 zhangsan@example.com；138 0013 8000",
    "@",
    "张@三",
    "{\"attrs\":[]}",
    "{\"attrs\":[{\"type\":0,\"name\":\"工号\",\"text\":{\"value\":\"001\"}}]}",
    "{\"attrs\":{}}",
    "{\"attrs\":[],\"b\":1,\"a\":2}",
    "{\"attrs\":[{\"type\":0.0,\"name\":\"a\",\"text\":{\"value\":\"1\"}}]}",
    "{\"attrs\":[{\"type\":1,\"name\":\"a\",\"web\":{\"url\":\"http://x\",\"title\":\"十二个字的标题正好十二个\"}}]}",
    "{\"attrs\":[{\"type\":1,\"name\":\"a\",\"web\":{\"url\":\"ftp://x\",\"title\":\"t\"}}]}",
    "{\"attrs\":[{\"type\":2,\"name\":\"a\",\"miniprogram\":{\"appid\":\"a\",\"pagepath\":\"b\",\"title\":\"c\"}}]}",
    "{\"external_attr\":[{\"type\":2,\"name\":\"a\",\"miniprogram\":{\"appid\":\"a\",\"pagepath\":\"b\",\"title\":\"c\"}}]}",
    "{\"external_corp_name\":\"x\",\"wechat_channels\":{\"nickname\":\"n\"}}",
    "{\"wechat_channels\":{}}",
    "{\"😀\":1,\"\u{ff21}\":2}",
    "\"号\"",
    "\"\\n\"",
    "5",
    "null",
    "[1,\"[2]\",[3]]",
    "a,b；c、d|e｜f\ng",
    "[\"a\", null, \" \"]",
    "[1,",
    "\"\\ud800\"",
];

/// One row for each value, and rows of every character with a meaning in Unicode. Moments around that of the context,
/// to the millisecond: for every question to the clock, the answers differ across them.
pub(crate) fn moments() -> Vec<String> {
    let base = 1_777_622_400_000_i64;
    let near = (-60..60).map(|n: i64| base + n * 4_000_001);
    let apart = (-60..60).map(|n: i64| base + n * 86_400_000 * 5 + n.rem_euclid(9));
    near.chain(apart).map(|moment| moment.to_string()).collect()
}

/// Rows for each time zone.
pub(crate) fn zoned() -> usize {
    moments().len() + VALUES.len()
}

pub(crate) fn rows() -> Vec<String> {
    let texts = VALUES.iter().map(|text| Value::from(*text).to_string());
    let hostile = values::VALUES.iter().map(|value| (*value).to_owned());
    // All characters except the ideographs that have no decomposition.
    let characters: Vec<char> = ('\0'..='\u{33ff}')
        .chain('\u{a000}'..='\u{abff}')
        .chain('\u{d700}'..='\u{1ffff}')
        .chain('\u{2f7f0}'..='\u{2fa2f}')
        .chain('\u{e0000}'..='\u{e01ff}')
        .collect();
    let characters = characters.chunks(190).flat_map(|chunk| {
        // Once alone, once where marks compose and reorder and joiners join.
        let plain: String = chunk.iter().collect();
        let marked: String = chunk.iter().flat_map(|c| ['e', *c, '\u{301}', '\u{200d}']).collect();
        [plain, marked].map(|text| Value::from(text).to_string())
    });
    moments()
        .into_iter()
        .chain(texts)
        .chain(hostile)
        .chain(characters)
        .map(|value| format!("{{\"v\":{value}}}"))
        .collect()
}

/// The helpers' native answers, as the host shows them.
pub(crate) fn native(config: &str, rows: &[String]) -> Vec<String> {
    let outcomes = ruzhi_guest::decide::<Helpers>(config, &context(), &records(rows)).unwrap();
    outcomes.into_iter().map(|outcome| line(&shown_by_host(outcome))).collect()
}

fn shown_by_host(mut outcome: Outcome) -> Outcome {
    for note in &mut outcome.notes {
        *note = note.chars().map(|c| if c.is_control() { ' ' } else { c }).take(1_000).collect();
    }
    outcome
}
