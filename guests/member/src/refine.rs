//! From what the form says in a field to the value that is assigned: default, lookup, coercion, checks.

use std::borrow::Cow;

use ruzhi_guest::date::{self, Moment};
use ruzhi_guest::fault::{MESSAGE_MOST, cut, show};
use ruzhi_guest::zone::Zone;
use ruzhi_guest::{Clock, Fault, Record, Violation, text, value};
use serde_json::Value;

use crate::rules::{
    Bound, Checks, DateFormat, Day, Entry, Kind, Lookup, LookupMissing, Missing, Rules, Written,
};

/// What an entry makes of a row.
pub(crate) enum Refined<'r> {
    /// A value to assign.
    Value(Cow<'r, Value>),
    /// The form says the field is empty.
    Empty,
    /// The rules do not speak of the field.
    Omit,
    /// The whole row is left out, for this reason.
    Skip(String),
}

/// Takes a row's value of an entry through its rules. A remark is added to `notes` for what was filled in.
///
/// # Errors
/// The rule the value breaks, at the form's field.
pub(crate) fn refine<'r>(
    rules: &'r Rules,
    entry: &'r Entry,
    clock: &Clock,
    record: &'r Record<'_>,
    notes: &mut Vec<String>,
) -> Result<Refined<'r>, Violation> {
    let refined = match entry.template.evaluate(record, entry.target.field().is_identity()) {
        Ok(Some(value)) => filled(rules, entry, clock, value),
        Ok(None) => return absent(rules, entry, clock, notes).map_err(|fault| fault.at(&entry.blame)),
        Err(fault) => Err(fault),
    };
    refined.map(Refined::Value).map_err(|fault| fault.at(&entry.blame))
}

fn filled<'r>(
    rules: &Rules,
    entry: &'r Entry,
    clock: &Clock,
    mut value: Cow<'r, Value>,
) -> Result<Cow<'r, Value>, Fault> {
    if let Some(lookup) = &entry.lookup {
        value = Cow::Owned(look_up(entry, lookup, &value)?);
    }
    let zone = zone_of(rules, entry, clock);
    let moment = match entry.kind {
        Kind::Date => Some(read_date(&entry.date, &value, zone)?),
        _ => None,
    };
    let value = match moment {
        Some(moment) => Cow::Owned(write_date(moment, entry.date.output)),
        None => coerce(entry.kind, value)?,
    };
    check(entry, &value, moment, clock, zone)?;
    Ok(value)
}

fn zone_of<'z>(rules: &'z Rules, entry: &'z Entry, clock: &'z Clock) -> &'z Zone {
    entry.date.zone.as_ref().or(rules.zone.as_ref()).unwrap_or_else(|| clock.zone())
}

fn absent<'r>(
    rules: &Rules,
    entry: &'r Entry,
    clock: &Clock,
    notes: &mut Vec<String>,
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
            notes.push(format!(
                "{label} 为空，已填入默认值 {shown} / {label} is empty: filled in the default {shown}"
            ));
            let value = match entry.kind {
                Kind::Date => {
                    let zone = zone_of(rules, entry, clock);
                    Cow::Owned(write_date(read_date(&entry.date, value, zone)?, entry.date.output))
                }
                kind => coerce(kind, Cow::Borrowed(value))?,
            };
            Ok(Refined::Value(value))
        }
        Missing::Reject => Err(Fault::new(
            format!("{}.empty", entry.target.field().name().replace('_', "-")),
            format_args!("{label} 为空，请填写"),
            format_args!("{label} is empty. Fill it in"),
        )),
    }
}

fn look_up(entry: &Entry, lookup: &Lookup, value: &Value) -> Result<Value, Fault> {
    if entry.kind != Kind::List && !entry.target.field().is_list() {
        return look_up_one(lookup, value);
    }
    let mut found = Vec::new();
    for item in value::list(value) {
        match look_up_one(lookup, &item)? {
            Value::Array(items) => found.extend(items),
            item => found.push(item),
        }
    }
    Ok(Value::Array(found))
}

fn look_up_one(lookup: &Lookup, value: &Value) -> Result<Value, Fault> {
    let text = value::text(value)?;
    let text = text::line(&text);
    // A department or person is known by its name too.
    let name = value.get("name").and_then(Value::as_str).map(text::line);
    let found = lookup.table.get(&*text).or_else(|| lookup.table.get(&*name?));
    match (found, &lookup.missing) {
        (Some(value), _) | (None, LookupMissing::Default(value)) => Ok(value.clone()),
        (None, LookupMissing::Keep) => Ok(value.clone()),
        (None, LookupMissing::Reject) => {
            let shown = show(&text);
            Err(Fault::new(
                "lookup.unknown",
                format_args!("对照表中没有 {shown}，请更正该值，或在规则的 lookup 中补充"),
                format_args!(
                    "{shown} is not in the table. Correct the value or add it to the rules' `lookup`"
                ),
            ))
        }
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

/// Reads a date by the entry's patterns, then by the usual writings.
fn read_date(format: &DateFormat, value: &Value, zone: &Zone) -> Result<Moment, Fault> {
    if !format.input.is_empty() {
        let text = value::text(value)?;
        if let Some(moment) =
            format.input.iter().find_map(|pattern| date::parse_pattern(&text, pattern, zone).ok())
        {
            return Ok(moment);
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

/// The moment that a rule names.
pub(crate) fn moment_of(day: &Day, clock: &Clock, zone: &Zone) -> Result<Moment, Fault> {
    match day {
        Day::Now => Ok(clock.now()),
        Day::Today => Ok(Moment::at(clock.now().timestamp_ms(), zone).start_of_day(zone)),
        Day::Written(text) => date::parse(text, zone),
    }
}

fn check(
    entry: &Entry,
    value: &Value,
    moment: Option<Moment>,
    clock: &Clock,
    zone: &Zone,
) -> Result<(), Fault> {
    let Checks { pattern, one_of, min, max, message } = &entry.checks;
    if pattern.is_none() && one_of.is_none() && min.is_none() && max.is_none() {
        return Ok(());
    }
    let refuse = |rule: &'static str, fault: &dyn Fn(&'static str) -> Fault| match message {
        Some(message) => Fault { rule: rule.into(), message: cut(message.clone(), MESSAGE_MOST) },
        None => fault(rule),
    };
    let is_list = entry.kind == Kind::List || entry.target.field().is_list();
    let raw = if value.is_object() { Cow::Owned(value::json(value)) } else { value::text(value)? };
    let text = entry.cleaning.apply(&raw);
    let shown = || show(&text);
    if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&text)) {
        return Err(refuse("value.pattern", &|rule| {
            Fault::new(
                rule,
                format_args!("{} 不符合规定的格式，请更正", shown()),
                format_args!("{} does not have the form the rules ask for. Correct it", shown()),
            )
        }));
    }
    if let Some(allowed) = one_of
        && !allowed.iter().any(|allowed| *allowed == *text)
    {
        return Err(refuse("value.one-of", &|rule| {
            let listed = cut(allowed.iter().map(String::as_str).collect::<Vec<_>>().join("、"), 60);
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
                let (Some(moment), limit) = (moment, moment_of(day, clock, zone)?) else { continue };
                (
                    if is_min {
                        moment.timestamp_ms() < limit.timestamp_ms()
                    } else {
                        moment.timestamp_ms() > limit.timestamp_ms()
                    },
                    limit.date(),
                )
            }
            Some(Bound::Number(limit)) => {
                let measure = match entry.kind {
                    Kind::Integer | Kind::Number => value::number(value)?,
                    _ if is_list => value::list(value).len() as f64,
                    _ => text.chars().count() as f64,
                };
                (if is_min { measure < *limit } else { measure > *limit }, value::json(&Value::from(*limit)))
            }
        };
        if beyond {
            let (chinese, english) = if is_min {
                ("小于下限", "below the least,")
            } else {
                ("超过上限", "above the most,")
            };
            return Err(refuse(rule, &|rule| {
                Fault::new(
                    rule,
                    format_args!("{} {chinese} {limit}，请更正", shown()),
                    format_args!("{} is {english} {limit}. Correct it", shown()),
                )
            }));
        }
    }
    Ok(())
}
