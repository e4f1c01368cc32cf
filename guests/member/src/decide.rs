//! Takes one row through the rules: first its kind, then field by field.

use ruzhi_guest::contract::Text;
use ruzhi_guest::zone::Zone;
use ruzhi_guest::{Clock, Decision, Fault, Outcome, Problems, Record, Violation, note, value};
use serde_json::Value;

use crate::assign::Draft;
use crate::refine::{Refined, is_after, is_before, read_date, refine};
use crate::rules::{Choices, Condition, Rules, Test, Then};
use crate::target::Field;

/// Notes without duplicates.
#[derive(Default)]
pub(crate) struct Notes(Vec<String>);

/// A list of a thousand unknown names makes a thousand notes, each compared with those before. The host keeps no
/// more.
const MOST_NOTES: usize = 50;

impl Notes {
    pub(crate) fn add(&mut self, note: String) {
        if self.0.len() < MOST_NOTES && !self.0.contains(&note) {
            self.0.push(note);
        }
    }
}

/// Decides a row.
///
/// # Errors
/// All of its problems.
pub(crate) fn decide(rules: &Rules, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
    let mut notes = Notes::default();
    match verdict(rules, clock, record, &mut notes)? {
        None => upsert(rules, clock, record, notes),
        Some(condition) => match condition.then {
            Then::Upsert => upsert(rules, clock, record, notes),
            Then::Leave => leave(rules, clock, record, notes),
            Then::Ignore => {
                let why = told(condition, "该行不同步", "the row is left out");
                Ok(Outcome { notes: notes.0, ..Outcome::new(Decision::Ignore(why.both())) })
            }
            Then::Reject => Err(Problems::from(Violation {
                field: condition.path.field.clone(),
                rule: "when.reject".to_owned(),
                message: told(condition, "该行不符合规定，请更正", "the rules refuse such a row. Correct it"),
            })),
        },
    }
}

fn told(condition: &Condition, chinese: &str, english: &str) -> Text {
    match &condition.message {
        Some(message) => message.clone(),
        None => {
            let label = label_of(condition);
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
    notes: &mut Notes,
) -> Result<Option<&'r Condition>, Problems> {
    for condition in &rules.when {
        let held = holds(condition, rules, clock, record, notes);
        if held.map_err(|fault| Problems::from(fault.at(&condition.path.field)))? {
            return Ok(Some(condition));
        }
    }
    Ok(None)
}

fn holds(
    condition: &Condition,
    rules: &Rules,
    clock: &Clock,
    record: &Record<'_>,
    notes: &mut Notes,
) -> Result<bool, Fault> {
    let value = condition.path.get(record);
    let zone = condition.date.zone.as_ref().or(rules.zone.as_ref()).unwrap_or_else(|| clock.zone());
    match &condition.test {
        Test::In(choices) => is_one_of(condition, choices, &value),
        Test::NotIn(choices) => Ok(!is_one_of(condition, choices, &value)?),
        Test::Empty => Ok(is_empty(condition, &value, zone, notes)),
        Test::NotEmpty => Ok(!is_empty(condition, &value, zone, notes)),
        Test::Before(_) | Test::After(_) if value::is_empty(&value) => Ok(false),
        Test::Before(day) | Test::After(day) => {
            let Some(moment) = read_date(&condition.date, &value, zone)? else {
                notes.add(note::zero_date(label_of(condition), &value::text(&value)?));
                return Ok(false);
            };
            match condition.test {
                Test::Before(_) => is_before(moment, day, clock, zone),
                _ => is_after(moment, day, clock, zone),
            }
        }
    }
}

fn label_of(condition: &Condition) -> &str {
    condition.label.as_deref().unwrap_or(&condition.path.field)
}

/// True if a value matches one of the texts: by its text, by the name of its person or department, or by one of its
/// items.
fn is_one_of(condition: &Condition, choices: &Choices, value: &Value) -> Result<bool, Fault> {
    let has = |text: &str| choices.has(&condition.cleaning.apply(text));
    let is_named = |value: &Value| value.get("name").and_then(Value::as_str).is_some_and(has);
    if has(&value::text(value)?) || is_named(value) {
        return Ok(true);
    }
    for item in value.as_array().into_iter().flatten() {
        if is_named(item) || has(&value::text(item)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// True if the form has no value in a field, which includes a zero date and, in an e-mail or phone, a placeholder.
fn is_empty(condition: &Condition, value: &Value, zone: &Zone, notes: &mut Notes) -> bool {
    if value::is_empty(value) {
        return true;
    }
    if condition.is_contact
        && let Some(text) = value::placeholder(value)
    {
        notes.add(note::placeholder(label_of(condition), &text));
        return true;
    }
    // A date begins with a digit, and a number alone is not certain to be one.
    let is_written = |text: &&str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.len() < 64
            && text.contains(|c: char| !c.is_ascii_digit())
    };
    let is_zero = |_: &&str| matches!(read_date(&condition.date, value, zone), Ok(None));
    match value.as_str().map(str::trim_start).filter(is_written).filter(is_zero) {
        Some(text) => {
            notes.add(note::zero_date(label_of(condition), text));
            true
        }
        None => false,
    }
}

/// For a leaver only the userid is needed.
fn leave(rules: &Rules, clock: &Clock, record: &Record<'_>, mut notes: Notes) -> Result<Outcome, Problems> {
    let mut draft = Draft::default();
    if let Some(entry) = rules.entry(Field::Userid) {
        match refine(rules, entry, clock, record, &mut notes)? {
            Refined::Value(value, cleaning) => draft
                .assign(entry, &value, cleaning)
                .map_err(|fault| Problems::from(fault.at(&entry.blame)))?,
            Refined::Skip(reason) => {
                return Ok(Outcome { notes: notes.0, ..Outcome::new(Decision::Ignore(reason)) });
            }
            Refined::Empty | Refined::Omit => {}
        }
    }
    Ok(Outcome { notes: notes.0, ..Outcome::new(Decision::Leave(draft.finish().0.userid)) })
}

fn upsert(rules: &Rules, clock: &Clock, record: &Record<'_>, mut notes: Notes) -> Result<Outcome, Problems> {
    let mut draft = Draft::default();
    let mut problems = Problems::default();
    let mut departments_rejected = false;
    let mut skipped = None;
    for entry in &rules.entries {
        let verdict = match refine(rules, entry, clock, record, &mut notes) {
            Ok(Refined::Value(value, cleaning)) => {
                draft.assign(entry, &value, cleaning).map_err(|fault| fault.at(&entry.blame))
            }
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
            departments_rejected |= entry.target.field() == Field::Department;
        }
    }
    // A row that the rules leave out needs no correction.
    if let Some(reason) = skipped {
        return Ok(Outcome { notes: notes.0, ..Outcome::new(Decision::Ignore(reason)) });
    }
    let (member, violations) = draft.finish();
    if !departments_rejected {
        violations.into_iter().for_each(|violation| problems.add(violation));
    }
    if problems.is_empty() {
        return Ok(Outcome { notes: notes.0, ..Outcome::new(Decision::Upsert(Box::new(member))) });
    }
    Err(problems.beside(&member))
}
