//! One row through the rules: what kind of row it is, then field by field.

use ruzhi_guest::date;
use ruzhi_guest::fault::{MESSAGE_MOST, cut};
use ruzhi_guest::{Clock, Decision, Fault, Outcome, Problems, Record, Violation, text, value};

use crate::assign::Draft;
use crate::refine::{Refined, moment_of, refine};
use crate::rules::{Condition, Rules, Test, Then};
use crate::target::Field;

/// Decides a row.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn decide(rules: &Rules, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
    match verdict(rules, clock, record)? {
        None => upsert(rules, clock, record),
        Some(condition) => match condition.then {
            Then::Upsert => upsert(rules, clock, record),
            Then::Leave => leave(rules, clock, record),
            Then::Ignore => {
                Ok(Outcome::new(Decision::Ignore(told(condition, "该行不同步", "the row is left out"))))
            }
            Then::Reject => Err(Problems::from(Violation {
                field: condition.path.field.clone(),
                rule: "when.reject".to_owned(),
                message: told(condition, "该行不符合规定，请更正", "the rules refuse such a row. Correct it"),
            })),
        },
    }
}

fn told(condition: &Condition, chinese: &str, english: &str) -> String {
    match &condition.message {
        Some(message) => cut(message.clone(), MESSAGE_MOST),
        None => {
            let label = condition.label.as_deref().unwrap_or(&condition.path.field);
            Fault::new(
                "",
                format_args!("按 {label} 的规则，{chinese}"),
                format_args!("by the rule on {label}, {english}"),
            )
            .message
        }
    }
}

/// The first condition that holds.
fn verdict<'r>(
    rules: &'r Rules,
    clock: &Clock,
    record: &Record<'_>,
) -> Result<Option<&'r Condition>, Problems> {
    for condition in &rules.when {
        let held = holds(condition, rules, clock, record);
        if held.map_err(|fault| Problems::from(fault.at(&condition.path.field)))? {
            return Ok(Some(condition));
        }
    }
    Ok(None)
}

fn holds(condition: &Condition, rules: &Rules, clock: &Clock, record: &Record<'_>) -> Result<bool, Fault> {
    let value = condition.path.get(record);
    let empty = value::is_empty(&value);
    let is_in = |texts: &[String]| -> Result<bool, Fault> {
        let found = value::text(&value)?;
        let found = text::line(&found);
        Ok(texts.iter().any(|text| *text == *found))
    };
    let zone = rules.zone.as_ref().unwrap_or_else(|| clock.zone());
    match &condition.test {
        Test::Empty => Ok(empty),
        Test::NotEmpty => Ok(!empty),
        Test::In(texts) => is_in(texts),
        Test::NotIn(texts) => is_in(texts).map(|is_in| !is_in),
        Test::Before(_) | Test::After(_) if empty => Ok(false),
        Test::Before(day) => {
            Ok(date::parse_value(&value, zone)?.timestamp_ms() < moment_of(day, clock, zone)?.timestamp_ms())
        }
        Test::After(day) => {
            Ok(date::parse_value(&value, zone)?.timestamp_ms() > moment_of(day, clock, zone)?.timestamp_ms())
        }
    }
}

/// Of one who has left only the userid is asked.
fn leave(rules: &Rules, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
    let mut draft = Draft::default();
    let mut notes = Vec::new();
    if let Some(entry) = rules.entry(Field::Userid) {
        match refine(rules, entry, clock, record, &mut notes)? {
            Refined::Value(value) => {
                draft.assign(entry, &value).map_err(|fault| Problems::from(fault.at(&entry.blame)))?
            }
            Refined::Skip(reason) => return Ok(Outcome { decision: Decision::Ignore(reason), notes }),
            Refined::Empty | Refined::Omit => {}
        }
    }
    Ok(Outcome { decision: Decision::Leave(draft.finish().0.userid), notes })
}

fn upsert(rules: &Rules, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
    let mut draft = Draft::default();
    let mut notes = Vec::new();
    let mut problems = Problems::default();
    let mut refused: Vec<&str> = Vec::new();
    let mut skipped = None;
    for entry in &rules.entries {
        let verdict = match refine(rules, entry, clock, record, &mut notes) {
            Ok(Refined::Value(value)) => draft.assign(entry, &value).map_err(|fault| fault.at(&entry.blame)),
            Ok(Refined::Empty) => {
                draft.clear(entry);
                Ok(())
            }
            Ok(Refined::Omit) => Ok(()),
            Ok(Refined::Skip(reason)) => {
                skipped.get_or_insert(reason);
                Ok(())
            }
            Err(violation) => Err(violation),
        };
        if let Err(violation) = verdict {
            problems.add(violation);
            refused.push(entry.target.field().name());
        }
    }
    // A row that the rules leave out is nobody's to correct.
    if let Some(reason) = skipped {
        return Ok(Outcome { decision: Decision::Ignore(reason), notes });
    }
    let departments_refused = refused.contains(&Field::Department.name());
    let (member, violations) = draft.finish();
    if !departments_refused {
        violations.into_iter().for_each(|violation| problems.add(violation));
    }
    if problems.is_empty() {
        return Ok(Outcome { decision: Decision::Upsert(Box::new(member)), notes });
    }
    Err(problems.beside(&member, |violation| refused.contains(&violation.field.as_str())))
}
