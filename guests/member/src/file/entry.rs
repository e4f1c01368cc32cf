//! The items of `request`.

use std::collections::BTreeMap;

use regex_lite::Regex;
use ruzhi_guest::fault::show;
use ruzhi_guest::mobile::{MAINLAND, is_assigned};
use ruzhi_guest::text::{Case, Cleaning, fold};
use serde_json::Value;

use super::condition::day;
use super::finding::{Findings, Keys, nearest};
use crate::rules::{
    Bound, Checks, Choices, DateFormat, Entry, Kind, Lookup, LookupMissing, Missing, MobileRegions, Written,
};
use crate::target::{FIELDS, Field, Target};
use crate::template::{Mistake, Template};

/// The keys of an entry of `request`.
pub const KEYS: [&str; 16] = [
    "field",
    "label",
    "type",
    "describe",
    "value",
    "default",
    "required",
    "missing",
    "format",
    "lookup",
    "lookup_missing",
    "pattern",
    "one_of",
    "min",
    "max",
    "message",
];

const KINDS: [(&str, Kind); 14] = [
    ("string", Kind::Plain),
    ("int", Kind::Integer),
    ("integer", Kind::Integer),
    ("number", Kind::Number),
    ("float", Kind::Number),
    ("bool", Kind::Boolean),
    ("boolean", Kind::Boolean),
    ("list", Kind::List),
    ("array", Kind::List),
    ("object", Kind::Object),
    ("json", Kind::Json),
    ("date", Kind::Date),
    ("datetime", Kind::Date),
    ("text", Kind::Plain),
];

const WRITTEN: [(&str, Written); 4] = [
    ("date", Written::Date),
    ("iso8601", Written::Iso8601),
    ("timestamp", Written::Timestamp),
    ("timestamp-ms", Written::TimestampMs),
];

/// Reads an entry; none if it fills no field or has a problem.
pub(super) fn read(value: &Value, index: usize, findings: &mut Findings) -> Option<Entry> {
    let mut keys = Keys::read(value, format!("request[{index}]"), findings)?;
    if let Some(name) = keys.get("field").and_then(Value::as_str) {
        keys.rename(format!("request[{index}] {name}"));
    }
    keys.reject_unknown(&KEYS, &[]);
    let target = target(&mut keys);
    let label = keys.text("label").map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
    let _ = keys.text("describe");
    let kind = kind(&mut keys);
    let template = template(&mut keys);
    let default = keys.get("default").cloned();
    let required = keys.boolean("required");
    let is_unmapped = !keys.has("value") || keys.get("value").is_some_and(|value| value.as_str() == Some(""));
    if is_unmapped && default.is_none() {
        if required == Some(true) {
            keys.add(
                "value",
                "必填字段没有取值，请填写 value",
                "the field is required and has no `value`. Give one",
            );
        }
        // The platform lists every field of the API; a field without a value is not mapped.
        return None;
    }
    let target = target?;
    let missing = missing(&mut keys, &target, default.clone(), required);
    let is_formatted = keys.has("format");
    let (cleaning, date, mobile, is_date) = format(&mut keys, target.field());
    let plain = Cleaning { case: None, strip: String::new(), ..cleaning.clone() };
    let kind = if is_date && kind == Some(Kind::Plain) { Some(Kind::Date) } else { kind };
    let lookup = lookup(&mut keys, default.as_ref(), &cleaning);
    let checks = checks(&mut keys, kind.unwrap_or(Kind::Plain), &cleaning);
    let template = if is_unmapped { Template::Constant(default?) } else { template? };
    let blame = template.only_field().unwrap_or_else(|| target.field().name()).to_owned();
    Some(Entry {
        target,
        label,
        template,
        blame,
        kind: kind?,
        missing: missing?,
        cleaning,
        plain,
        is_formatted,
        date,
        mobile,
        lookup,
        checks,
    })
}

fn target(keys: &mut Keys<'_, '_>) -> Option<Target> {
    let Some(name) = keys.text("field") else {
        if !keys.has("field") {
            keys.add(
                "field",
                "缺少企业微信字段名，如 userid",
                "the WeCom field's name is missing, such as userid",
            );
        }
        return None;
    };
    let target = Target::named(name.trim());
    if target.is_none() {
        let known: Vec<&str> = FIELDS.iter().map(|(known, _)| *known).collect();
        match nearest(&name, &known) {
            Some(near) => keys.add(
                "field",
                format_args!("企业微信没有 {} 字段，是否想写 {near}？", show(&name)),
                format_args!("WeCom has no field {}. Did you mean {near}?", show(&name)),
            ),
            None => keys.add(
                "field",
                format_args!(
                    "企业微信没有 {} 字段；自定义属性请写 extattr.属性名；可用字段：{}",
                    show(&name),
                    known.join("、")
                ),
                format_args!(
                    "WeCom has no field {}; for an attribute of your own write extattr.<name>; known are {}",
                    show(&name),
                    known.join(", ")
                ),
            ),
        }
    }
    target
}

fn kind(keys: &mut Keys<'_, '_>) -> Option<Kind> {
    let Some(name) = keys.text("type") else { return Some(Kind::Plain).filter(|_| !keys.has("type")) };
    // The platform writes `:string` as well as `string`.
    let plain = name.trim().trim_start_matches(':').to_ascii_lowercase();
    let found = KINDS.iter().find(|(word, _)| *word == plain).map(|(_, kind)| *kind);
    if found.is_none() && !plain.is_empty() {
        const KNOWN: &str = "string, int, number, bool, list, array, object, json, date";
        keys.add(
            "type",
            format_args!("不认识的类型 {}，可用：{KNOWN}", show(&name)),
            format_args!("unknown type {}; use one of {KNOWN}", show(&name)),
        );
        return None;
    }
    found.or(Some(Kind::Plain))
}

fn template(keys: &mut Keys<'_, '_>) -> Option<Template> {
    let value = keys.get("value")?;
    let Some(text) = value.as_str() else { return Some(Template::Constant(value.clone())) };
    match Template::parse(text) {
        Ok(template) => Some(template),
        Err(mistake) => {
            let (chinese, english) = match mistake {
                Mistake::Unbalanced => {
                    ("花括号不成对，应如 {_widget_1}", "has a brace without its partner. Write {_widget_1}")
                }
                Mistake::EmptyName => (
                    "花括号内缺少字段名，应如 {_widget_1}",
                    "has no field name between the braces. Write {_widget_1}",
                ),
                Mistake::Platform => (
                    "是平台的变量或函数，这里不能计算，请改用 {字段}、default、lookup 或 format",
                    "is a variable or function of the platform, which cannot be computed here. Use {field}, default, lookup or format",
                ),
            };
            keys.add(
                "value",
                format_args!("{} {chinese}", show(text)),
                format_args!("{} {english}", show(text)),
            );
            None
        }
    }
}

fn missing(
    keys: &mut Keys<'_, '_>,
    target: &Target,
    default: Option<Value>,
    required: Option<bool>,
) -> Option<Missing> {
    #[derive(Clone, Copy, PartialEq)]
    enum Word {
        Default,
        Reject,
        Skip,
        Omit,
    }
    const WORDS: [(&str, Word); 4] =
        [("default", Word::Default), ("reject", Word::Reject), ("skip", Word::Skip), ("omit", Word::Omit)];
    let must_be_there = matches!(target, Target::Field(Field::Userid | Field::Name));
    if keys.has("missing") {
        let word = keys.word("missing", &WORDS)?;
        return match (word, default) {
            (Word::Default, Some(default)) => Some(Missing::Default(default)),
            (Word::Default, None) => {
                keys.add("missing", "为 default 时须填写 default", "is default, so `default` must be given");
                None
            }
            (Word::Omit, _) if must_be_there => {
                keys.add(
                    "missing",
                    "该字段不能省略，请改为 reject 或 skip",
                    "cannot be omit: every member has this field. Use reject or skip",
                );
                None
            }
            (Word::Omit | Word::Skip, _) if required == Some(true) => {
                keys.add(
                    "missing",
                    "与 required 矛盾，请删除其中一个",
                    "contradicts `required`. Remove one of them",
                );
                None
            }
            (Word::Reject, _) => Some(Missing::Reject),
            (Word::Skip, _) => Some(Missing::Skip),
            (Word::Omit, _) => Some(Missing::Omit),
        };
    }
    Some(match default {
        Some(default) => Missing::Default(default),
        None if must_be_there || required == Some(true) => Missing::Reject,
        None => Missing::Empty,
    })
}

fn format(keys: &mut Keys<'_, '_>, field: Field) -> (Cleaning, DateFormat, MobileRegions, bool) {
    let mut cleaning = if field.is_identifier() { Cleaning::identifier() } else { Cleaning::default() };
    let mut date = DateFormat::default();
    let mut mobile = MobileRegions { home: MAINLAND, allowed: Vec::new() };
    let Some(mut format) = keys.part("format") else { return (cleaning, date, mobile, false) };
    format.reject_unknown(
        &["trim", "nfkc", "collapse", "case", "strip", "date", "input", "timezone", "mobile"],
        &[],
    );
    read_cleaning(&mut format, &mut cleaning);
    let is_date = ["date", "input", "timezone"].iter().any(|key| format.has(key));
    date.output = format.word("date", &WRITTEN).unwrap_or(date.output);
    read_date_input(&mut format, &mut date);
    if let Some(mut regions) = format.part("mobile") {
        if field != Field::Mobile {
            regions.add("", "只能用于 mobile 字段", "is for the field mobile only");
        }
        regions.reject_unknown(&["default_region", "regions"], &[]);
        if let Some(name) = regions.scalar("default_region") {
            mobile.home = region(&name, "default_region", &mut regions).unwrap_or(MAINLAND);
        }
        let names = regions.texts("regions").unwrap_or_default();
        mobile.allowed = names.iter().filter_map(|name| region(name, "regions", &mut regions)).collect();
    }
    (cleaning, date, mobile, is_date)
}

/// How texts are cleaned, by the keys of a `format`.
pub(super) fn read_cleaning(format: &mut Keys<'_, '_>, cleaning: &mut Cleaning) {
    cleaning.trim = format.boolean("trim").unwrap_or(cleaning.trim);
    cleaning.nfkc = format.boolean("nfkc").unwrap_or(cleaning.nfkc);
    cleaning.collapse = format.boolean("collapse").unwrap_or(cleaning.collapse);
    cleaning.case = format.word("case", &[("lower", Case::Lower), ("upper", Case::Upper)]);
    cleaning.strip = format.text("strip").unwrap_or_default();
}

/// How dates are read, by the keys of a `format`.
pub(super) fn read_date_input(format: &mut Keys<'_, '_>, date: &mut DateFormat) {
    date.input = format.texts("input").unwrap_or_default();
    let lacks = |pattern: &String| {
        let has = |letter| pattern.contains(letter);
        !has('Y') || !has('M') || !has('D')
    };
    if date.input.iter().any(lacks) {
        format.add(
            "input",
            "格式须含 YYYY、M 和 D，如 DD.MM.YYYY",
            "must hold YYYY, M and D, such as DD.MM.YYYY",
        );
    }
    date.zone = format.zone("timezone");
}

/// The country code of `CN`, `HK`, `MO`, `TW` or `+65`.
fn region(name: &str, key: &str, keys: &mut Keys<'_, '_>) -> Option<u16> {
    let code = match name.trim().to_ascii_uppercase().as_str() {
        "CN" => Some(MAINLAND),
        "HK" => Some(852),
        "MO" => Some(853),
        "TW" => Some(886),
        code => code.trim_start_matches('+').parse().ok().filter(|code| is_assigned(*code)),
    };
    if code.is_none() {
        keys.add(
            key,
            format_args!("{} 不是地区，应为 CN、HK、MO、TW 或国家代码如 +65", show(name)),
            format_args!("{} is no region: use CN, HK, MO, TW or a country code such as +65", show(name)),
        );
    }
    code
}

fn lookup(keys: &mut Keys<'_, '_>, default: Option<&Value>, cleaning: &Cleaning) -> Option<Lookup> {
    let table = keys.object("lookup").map(|fields| {
        let mut table = BTreeMap::new();
        for (key, value) in fields {
            let folded = |key: &str| fold(&cleaning.apply(key)).into_owned();
            match table.insert(folded(key), value.clone()) {
                Some(known) if known != *value => {
                    let alike = |other: &&String| folded(other) == folded(key);
                    let (one, other) = (fields.keys().find(alike).map_or("", String::as_str), show(key));
                    let one = show(one);
                    keys.add(
                        "lookup",
                        format_args!("{one} 与 {other} 在比较时是同一文本，却对应不同的值，请只保留一个"),
                        format_args!(
                            "{one} and {other} are compared as one text and have different values. Keep one"
                        ),
                    );
                }
                _ => {}
            }
        }
        table
    });
    let missing = match keys.text("lookup_missing").as_deref() {
        None | Some("reject") => Some(LookupMissing::Reject),
        Some("keep") => Some(LookupMissing::Keep),
        Some("default") => match default {
            Some(default) => Some(LookupMissing::Default(default.clone())),
            None => {
                keys.add(
                    "lookup_missing",
                    "为 default 时须填写 default",
                    "is default, so `default` must be given",
                );
                None
            }
        },
        Some(_) => {
            keys.add("lookup_missing", "应为 reject、default 或 keep", "must be reject, default or keep");
            None
        }
    };
    if keys.has("lookup_missing") && !keys.has("lookup") {
        keys.add(
            "lookup_missing",
            "没有 lookup，请添加或删除",
            "there is no `lookup`. Add one or remove this",
        );
    }
    Some(Lookup { table: table?, missing: missing? })
}

fn checks(keys: &mut Keys<'_, '_>, kind: Kind, cleaning: &Cleaning) -> Checks {
    let pattern = keys.text("pattern").and_then(|pattern| match Regex::new(&format!("^(?:{pattern})$")) {
        Ok(regex) => Some(regex),
        Err(_) => {
            keys.add(
                "pattern",
                format_args!("{} 不是正则表达式", show(&pattern)),
                format_args!("{} is no regular expression", show(&pattern)),
            );
            None
        }
    });
    let checks = Checks {
        pattern,
        one_of: keys.texts("one_of").map(|texts| Choices::new(texts, cleaning)),
        min: bound("min", kind, keys),
        max: bound("max", kind, keys),
        message: keys.told("message"),
    };
    if checks.message.is_some() && !["pattern", "one_of", "min", "max"].iter().any(|key| keys.has(key)) {
        keys.add(
            "message",
            "没有 pattern、one_of、min 或 max，message 不会被用到，请删除",
            "is never shown: there is no pattern, one_of, min or max. Remove it",
        );
    }
    checks
}

fn bound(key: &str, kind: Kind, keys: &mut Keys<'_, '_>) -> Option<Bound> {
    if !keys.has(key) {
        return None;
    }
    if kind == Kind::Date {
        return day(key, keys).map(Bound::Date);
    }
    let number = keys.get(key).and_then(|value| ruzhi_guest::value::number(value).ok());
    if number.is_none() {
        keys.add(
            key,
            "应为数字（类型为 date 时应为日期）",
            "must be a number, or a date if the type is date",
        );
    }
    number.map(Bound::Number)
}
