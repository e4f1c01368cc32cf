//! Turns a form field's content into the assigned value: default, cleaning, lookup, coercion, checks.
//!
//! Texts compared with an author's table or list are first cleaned according to the entry's `format` and folded.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ruzhi_guest::date::{self, Moment};
use ruzhi_guest::fault::{cut, show};
use ruzhi_guest::text::Cleaning;
use ruzhi_guest::zone::Zone;
use ruzhi_guest::{Clock, Fault, Record, Text, Violation, note, rule, text, value};
use serde_json::Value;

use crate::decide::Notes;
use crate::rules::{
    Bound, Checks, Choices, DateFormat, Day, Entry, Kind, Lookup, LookupMissing, Missing, Rules, Written,
};
use crate::target::{Field, Target};

/// The result of an entry for a row.
pub(crate) enum Refined<'r> {
    /// A value to assign, and the cleaning of its texts.
    Value(Cow<'r, Value>, &'r Cleaning),
    /// The field is empty in the form.
    Empty,
    /// The rules do not set the field.
    Omit,
    /// The whole row is left out, for this reason.
    Skip(String),
}

/// Takes a row's value of an entry through its rules. Values filled in or skipped leave notes in `notes`.
///
/// # Errors
/// The rule the value breaks, at the form's field.
pub(crate) fn refine<'r>(
    rules: &'r Rules,
    entry: &'r Entry,
    clock: &Clock,
    record: &'r Record<'_>,
    notes: &mut Notes,
) -> Result<Refined<'r>, Violation> {
    let label = entry.label.as_deref().unwrap_or(&entry.blame);
    let field = entry.target.field();
    let passed_over = |text: &str| notes.add(note::placeholder(label, text));
    let refined = match entry.template.evaluate(record, field, passed_over) {
        Ok(Some(value)) => filled(rules, entry, clock, value, notes),
        Ok(None) => Ok(None),
        Err(fault) => Err(fault),
    };
    let refined = match refined {
        Ok(Some((value, cleaning))) => Ok(Refined::Value(value, cleaning)),
        Ok(None) => absent(rules, entry, clock, notes),
        Err(fault) => Err(fault),
    };
    refined.map_err(|fault| fault.at(&entry.blame))
}

/// The value and the cleaning of its texts; none if the value is a placeholder or a zero date.
fn filled<'r>(
    rules: &Rules,
    entry: &'r Entry,
    clock: &Clock,
    value: Cow<'r, Value>,
    notes: &mut Notes,
) -> Result<Option<(Cow<'r, Value>, &'r Cleaning)>, Fault> {
    let label = entry.label.as_deref().unwrap_or(&entry.blame);
    if let Some(text) = nothing(entry, &value) {
        notes.add(note::placeholder(label, &text));
        return Ok(None);
    }
    let mut value = clean(entry, value);
    let mut cleaning = &entry.cleaning;
    if let Some(lookup) = &entry.lookup {
        value = Cow::Owned(look_up(entry, lookup, &value, notes)?);
        cleaning = &entry.plain;
    }
    let zone = zone_of(rules, entry, clock);
    let moment = match entry.kind {
        Kind::Date => match read_date(&entry.date, &value, zone)? {
            Some(moment) => Some(moment),
            None => {
                notes.add(note::zero_date(label, &value::text(&value)?));
                return Ok(None);
            }
        },
        _ => None,
    };
    let value = match moment {
        Some(moment) => Cow::Owned(write_date(moment, entry.date.output)),
        None => coerce(entry.kind, value)?,
    };
    check(entry, &value, cleaning, moment, clock, zone)?;
    Ok(Some((value, cleaning)))
}

/// A placeholder in an e-mail or phone, unless the author's table contains it.
fn nothing<'v>(entry: &Entry, value: &'v Value) -> Option<Cow<'v, str>> {
    let field = entry.target.field();
    let found = value::placeholder(value)?;
    let is_known = entry
        .lookup
        .as_ref()
        .is_some_and(|lookup| lookup.table.contains_key(&*text::fold(&entry.cleaning.apply(&found))));
    // A placeholder that could be an account name is read as one.
    let is_leader = field == Field::DirectLeader && rule::userid(&text::identifier(&found)).is_err();
    ((field.is_contact() || is_leader) && !is_known).then_some(found)
}

/// The value with cleaned texts, in a list each item's. A text that contains JSON is not for people and is kept
/// unchanged.
fn clean<'r>(entry: &Entry, value: Cow<'r, Value>) -> Cow<'r, Value> {
    let field = entry.target.field();
    let holds_json = matches!(entry.kind, Kind::Json | Kind::Object)
        || matches!(entry.target, Target::Field(Field::Extattr | Field::ExternalProfile));
    if holds_json {
        return value;
    }
    if entry.kind == Kind::List || field.is_list() {
        let cleaning = &entry.cleaning;
        if cleaning.strip.is_empty() && cleaning.case.is_none() {
            // The readers of lists clean their items.
            return value;
        }
        let items = value::list(&value).into_iter().map(|item| clean_text(cleaning, item).into_owned());
        return Cow::Owned(items.collect());
    }
    clean_text(&entry.cleaning, value)
}

fn clean_text<'v>(cleaning: &Cleaning, value: Cow<'v, Value>) -> Cow<'v, Value> {
    match value.as_str().map(|text| cleaning.apply(text)) {
        Some(Cow::Owned(text)) => Cow::Owned(Value::String(text)),
        Some(Cow::Borrowed(_)) | None => value,
    }
}

fn zone_of<'z>(rules: &'z Rules, entry: &'z Entry, clock: &'z Clock) -> &'z Zone {
    entry.date.zone.as_ref().or(rules.zone.as_ref()).unwrap_or_else(|| clock.zone())
}

fn absent<'r>(
    rules: &'r Rules,
    entry: &'r Entry,
    clock: &Clock,
    notes: &mut Notes,
) -> Result<Refined<'r>, Fault> {
    let label = entry.label.as_deref().unwrap_or(&entry.blame);
    match &entry.missing {
        Missing::Empty => Ok(Refined::Empty),
        Missing::Omit => Ok(Refined::Omit),
        Missing::Skip => Ok(Refined::Skip(format!(
            "{label} 为空，按规则不处理该行 / {label} is empty: the row is left out by the rules"
        ))),
        Missing::Default(value) => {
            let shown = value::text(value).map(|text| show(&text)).unwrap_or_default();
            notes.add(format!(
                "{label} 为空，已填入默认值 {shown} / {label} is empty: filled in the default {shown}"
            ));
            let value = match entry.kind {
                Kind::Date => {
                    let zone = zone_of(rules, entry, clock);
                    let moment = read_date(&entry.date, value, zone)?;
                    moment.map_or(Cow::Borrowed(value), |moment| {
                        Cow::Owned(write_date(moment, entry.date.output))
                    })
                }
                kind => coerce(kind, Cow::Borrowed(value))?,
            };
            Ok(Refined::Value(value, &entry.cleaning))
        }
        Missing::Reject => Err(Fault::new(
            format!("{}.empty", entry.target.field().name().replace('_', "-")),
            format_args!("{label} 为空，请填写"),
            format_args!("{label} is empty. Fill it in"),
        )),
    }
}

fn look_up(entry: &Entry, lookup: &Lookup, value: &Value, notes: &mut Notes) -> Result<Value, Fault> {
    let mut look_up_one = |value: &Value| look_up_one(entry, lookup, value, notes);
    if entry.kind != Kind::List && !entry.target.field().is_list() {
        return look_up_one(value);
    }
    // A name may contain a list separator.
    if let Some(found) =
        value.as_str().and_then(|text| lookup.table.get(&*text::fold(&entry.cleaning.apply(text))))
    {
        return Ok(found.clone());
    }
    let mut found = Vec::new();
    for item in value::list(value) {
        match look_up_one(&item)? {
            Value::Array(items) => found.extend(items),
            item => found.push(item),
        }
    }
    // Two names of one department are that department once.
    let mut seen = BTreeSet::new();
    found.retain(|item| seen.insert(value::json(item)));
    Ok(Value::Array(found))
}

fn look_up_one(entry: &Entry, lookup: &Lookup, value: &Value, notes: &mut Notes) -> Result<Value, Fault> {
    let text = value::text(value)?;
    let text = entry.cleaning.apply(&text);
    // A department or person also matches by name.
    let name = value.get("name").and_then(Value::as_str).map(|name| entry.cleaning.apply(name));
    let of = |text: &str| lookup.table.get(&*text::fold(text));
    let found = of(&text).or_else(|| of(name.as_deref()?));
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let label = entry.label.as_deref().unwrap_or(&entry.blame);
    let shown = show(name.as_deref().unwrap_or(&text));
    match &lookup.missing {
        LookupMissing::Default(default) => {
            let filled = value::text(default).map(|text| show(&text)).unwrap_or_default();
            notes.add(format!(
                "{label} 的 {shown} 不在对照表中，已改用默认值 {filled} / {label}: {shown} is not in the table, the default \
                 {filled} was taken"
            ));
            Ok(default.clone())
        }
        LookupMissing::Keep => {
            notes.add(format!(
                "{label} 的 {shown} 不在对照表中，已原样保留 / {label}: {shown} is not in the table and stays as it is"
            ));
            Ok(value.clone())
        }
        LookupMissing::Reject => Err(Fault::new(
            "lookup.unknown",
            format_args!("对照表中没有 {shown}，请更正该值，或在规则的 lookup 中补充"),
            format_args!("{shown} is not in the table. Correct the value or add it to the rules' `lookup`"),
        )),
    }
}

fn coerce(kind: Kind, value: Cow<'_, Value>) -> Result<Cow<'_, Value>, Fault> {
    Ok(match kind {
        Kind::Plain | Kind::Date => value,
        Kind::Integer => Cow::Owned(value::integer(&value)?.into()),
        Kind::Number => Cow::Owned(value::number(&value)?.into()),
        Kind::Boolean => Cow::Owned(value::boolean(&value)?.into()),
        Kind::List => Cow::Owned(value::list(&value).into_iter().map(Cow::into_owned).collect()),
        Kind::Json | Kind::Object => {
            let value = match value.as_str() {
                Some(text) => {
                    Cow::Owned(serde_json::from_str(text).map_err(|_| wrong_type(text, "JSON", "JSON"))?)
                }
                None => value,
            };
            if kind == Kind::Object && !value.is_object() {
                return Err(wrong_type(&value::json(&value), "对象", "an object"));
            }
            value
        }
    })
}

fn wrong_type(text: &str, chinese: &str, english: &str) -> Fault {
    Fault::new(
        "value.type",
        format_args!("{} 不是{chinese}，请更正", show(text)),
        format_args!("{} is not {english}. Correct it", show(text)),
    )
}

/// Reads a date by the author's patterns, then by the usual formats; none if it is a zero date.
pub(crate) fn read_date(format: &DateFormat, value: &Value, zone: &Zone) -> Result<Option<Moment>, Fault> {
    if !format.input.is_empty() {
        let text = value::text(value)?;
        let by_pattern = |pattern: &String| date::parse_pattern(&text, pattern, zone).ok();
        if let Some(moment) = format.input.iter().find_map(by_pattern) {
            return Ok(Some(moment).filter(|moment| !moment.is_zero()));
        }
    }
    date::parse_value(value, zone)
}

fn write_date(moment: Moment, written: Written) -> Value {
    match written {
        Written::Date => moment.date().into(),
        Written::Iso8601 => moment.iso8601().into(),
        Written::Timestamp => moment.timestamp().into(),
        Written::TimestampMs => moment.timestamp_ms().into(),
    }
}

/// True if a moment is before the one named by a rule.
pub(crate) fn is_before(moment: Moment, day: &Day, clock: &Clock, zone: &Zone) -> Result<bool, Fault> {
    Ok(match day {
        Day::Now => moment < clock.now(),
        Day::Today => moment < clock.today_in(zone),
        Day::Written(text) => moment.timestamp_ms() < date::parse(text, zone)?.timestamp_ms(),
    })
}

/// True if a moment is after the one named by a rule.
pub(crate) fn is_after(moment: Moment, day: &Day, clock: &Clock, zone: &Zone) -> Result<bool, Fault> {
    Ok(match day {
        Day::Now => moment > clock.now(),
        Day::Today => moment > clock.today_in(zone),
        Day::Written(text) => moment.timestamp_ms() > date::parse(text, zone)?.timestamp_ms(),
    })
}

/// The day named by a rule, as shown to a person. A date in place of `today` would change the text of the same
/// rejection every day.
fn told(day: &Day, zone: &Zone) -> Result<Text, Fault> {
    Ok(match day {
        Day::Now => Text::new("现在", "now"),
        Day::Today => Text::new("今天", "today"),
        Day::Written(text) => Text::same(date::parse(text, zone)?.date()),
    })
}

fn check(
    entry: &Entry,
    value: &Value,
    cleaning: &Cleaning,
    moment: Option<Moment>,
    clock: &Clock,
    zone: &Zone,
) -> Result<(), Fault> {
    let Checks { pattern, one_of, min, max, message } = &entry.checks;
    if pattern.is_none() && one_of.is_none() && min.is_none() && max.is_none() {
        return Ok(());
    }
    let violation = |rule: &'static str, fault: &dyn Fn(&'static str) -> Fault| match message {
        Some(message) => Fault { rule: rule.into(), message: message.clone() },
        None => fault(rule),
    };
    let is_list = entry.kind == Kind::List || entry.target.field().is_list();
    let raw = if value.is_object() { Cow::Owned(value::json(value)) } else { value::text(value)? };
    let text = cleaning.apply(&raw);
    let shown = || show(&text);
    if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&text)) {
        return Err(violation("value.pattern", &|rule| {
            Fault::new(
                rule,
                format_args!("{} 不符合规定的格式，请更正", shown()),
                format_args!("{} does not have the form the rules ask for. Correct it", shown()),
            )
        }));
    }
    let is_among = |allowed: &Choices| -> Result<bool, Fault> {
        // Each of several.
        let has = |item: &Value| value::text(item).map(|text| allowed.has(&cleaning.apply(&text)));
        match value.as_array() {
            Some(items) if items.len() > 1 && !allowed.has(&text) => {
                items.iter().try_fold(true, |all, item| Ok(all && has(item)?))
            }
            _ => Ok(allowed.has(&text)),
        }
    };
    if let Some(allowed) = one_of
        && !is_among(allowed)?
    {
        return Err(violation("value.one-of", &|rule| {
            let listed = cut(allowed.written.join("、"), 60);
            Fault::new(
                rule,
                format_args!("{} 不在允许的范围内（{listed}），请更正", shown()),
                format_args!("{} is none of the values allowed ({listed}). Correct it", shown()),
            )
        }));
    }
    for (bound, rule, is_min) in [(min, "value.min", true), (max, "value.max", false)] {
        let (beyond, limit) = match bound {
            None => continue,
            Some(Bound::Date(day)) => {
                let Some(moment) = moment else { continue };
                let beyond = if is_min { is_before } else { is_after };
                (beyond(moment, day, clock, zone)?, told(day, zone)?)
            }
            Some(Bound::Number(limit)) => {
                let measure = match entry.kind {
                    Kind::Integer | Kind::Number => value::number(value)?,
                    _ if is_list => value::list(value).len() as f64,
                    _ => text.chars().count() as f64,
                };
                (
                    if is_min { measure < *limit } else { measure > *limit },
                    Text::same(value::json(&Value::from(*limit))),
                )
            }
        };
        if beyond {
            let (chinese, english) = if is_min {
                ("小于下限", "below the least,")
            } else {
                ("超过上限", "above the most,")
            };
            return Err(violation(rule, &|rule| {
                Fault::new(
                    rule,
                    format_args!("{} {chinese} {}，请更正", shown(), limit.zh),
                    format_args!("{} is {english} {}. Correct it", shown(), limit.en),
                )
            }));
        }
    }
    Ok(())
}
