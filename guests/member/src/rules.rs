//! A rules file as parsed by [`file`](crate::file), and valid by construction.

use std::collections::BTreeMap;

use regex_lite::Regex;
use ruzhi_guest::Description;
use ruzhi_guest::contract::Text;
use ruzhi_guest::text::{Cleaning, fold};
use ruzhi_guest::zone::Zone;
use serde_json::Value;

use crate::target::{Field, Target};
use crate::template::{Path, Template};

/// The rules of one flow.
#[derive(Debug)]
pub struct Rules {
    /// The file's own name, or the guest's.
    pub name: String,
    /// The file's own version, or the guest's.
    pub version: String,
    /// Replaces the tenant's time zone.
    pub zone: Option<Zone>,
    /// Conditions for kinds of rows; the first that holds decides.
    pub when: Vec<Condition>,
    /// How each field is filled, in file order.
    pub entries: Vec<Entry>,
}

/// How one field is filled.
#[derive(Debug)]
pub struct Entry {
    /// The field of WeCom.
    pub target: Target,
    /// The label people know it by.
    pub label: Option<String>,
    /// Where the value comes from.
    pub template: Template,
    /// The form's field that a violation names, or WeCom's if no single field is at fault.
    pub blame: String,
    /// The type of the resulting value.
    pub kind: Kind,
    /// The treatment of a row without a value here.
    pub missing: Missing,
    /// The cleaning of the form's texts.
    pub cleaning: Cleaning,
    /// The cleaning of a text from a lookup: it is the author's, and nothing in it is changed or stripped.
    pub plain: Cleaning,
    /// True if the author defined how texts are cleaned or dates read.
    pub is_formatted: bool,
    /// How dates are read and written.
    pub date: DateFormat,
    /// The accepted mobile numbers.
    pub mobile: MobileRegions,
    /// A table of replacements.
    pub lookup: Option<Lookup>,
    /// Further checks of the value.
    pub checks: Checks,
}

/// The type of a resulting value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The type of the WeCom field.
    Plain,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A list.
    List,
    /// An object, or a text that contains one as JSON.
    Object,
    /// Any JSON value in a text.
    Json,
    /// A date, written according to the format.
    Date,
}

/// The treatment of a row without a value in a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// The field is managed and empty.
    Empty,
    /// This value is filled in.
    Default(Value),
    /// The row is rejected.
    Reject,
    /// The row is left out.
    Skip,
    /// The rules do not set the field.
    Omit,
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// `2024-05-01`
    Date,
    /// `2024-05-01T08:30:00+08:00`
    Iso8601,
    /// Seconds since 1970.
    Timestamp,
    /// Milliseconds since 1970.
    TimestampMs,
}

/// How dates are read and written.
#[derive(Debug, Clone)]
pub struct DateFormat {
    /// Patterns tried before the usual formats.
    pub input: Vec<String>,
    /// How it is written.
    pub output: Written,
    /// Replaces the file's and the tenant's time zone.
    pub zone: Option<Zone>,
}

impl Default for DateFormat {
    fn default() -> Self {
        DateFormat { input: Vec::new(), output: Written::Date, zone: None }
    }
}

/// The accepted mobile numbers, by country codes.
#[derive(Debug, Clone)]
pub struct MobileRegions {
    /// The country code of a number without one.
    pub home: u16,
    /// The allowed country codes; empty allows all.
    pub allowed: Vec<u16>,
}

/// A table of replacements.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Keyed by the form's text, cleaned and folded.
    pub table: BTreeMap<String, Value>,
    /// The treatment of a text that is not in the table.
    pub missing: LookupMissing,
}

/// The treatment of a text unknown to a lookup.
#[derive(Debug, Clone, PartialEq)]
pub enum LookupMissing {
    /// The row is rejected.
    Reject,
    /// This value is used.
    Default(Value),
    /// The text is kept.
    Keep,
}

/// Texts for comparison with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    /// As the author wrote them.
    pub written: Vec<String>,
    folded: Vec<String>,
}

impl Choices {
    /// The texts, cleaned like the form's and folded, once.
    pub fn new(written: Vec<String>, cleaning: &Cleaning) -> Self {
        let folded = written.iter().map(|text| fold(&cleaning.apply(text)).into_owned()).collect();
        Choices { written, folded }
    }

    /// True if a cleaned text is one of them when folded.
    pub fn has(&self, text: &str) -> bool {
        let text = fold(text);
        self.folded.iter().any(|folded| *folded == *text)
    }
}

/// Further checks of a value.
#[derive(Debug, Default)]
pub struct Checks {
    /// The whole text matches.
    pub pattern: Option<Regex>,
    /// The text is one of these.
    pub one_of: Option<Choices>,
    /// The minimum.
    pub min: Option<Bound>,
    /// The maximum.
    pub max: Option<Bound>,
    /// The message shown instead of the usual one.
    pub message: Option<Text>,
}

/// A bound of a number, of a date, or of a length.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// For a number, or for the length of a text or list.
    Number(f64),
    /// For a date.
    Date(Day),
}

/// A moment named by a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Day {
    /// The current time of the run.
    Now,
    /// The beginning of the day of the run.
    Today,
    /// A date or moment, as written.
    Written(String),
}

/// A condition for a kind of row.
#[derive(Debug)]
pub struct Condition {
    /// The form's field.
    pub path: Path,
    /// The label people know it by.
    pub label: Option<String>,
    /// The cleaning of its texts before comparison.
    pub cleaning: Cleaning,
    /// How its dates are read.
    pub date: DateFormat,
    /// True if a placeholder such as `无` counts as empty there, because an e-mail or phone is filled from it.
    pub is_contact: bool,
    /// The test of the field.
    pub test: Test,
    /// The kind of such a row.
    pub then: Then,
    /// The message for a person.
    pub message: Option<Text>,
}

/// A test of a form's field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Its text, or one of several, is one of these.
    In(Choices),
    /// None of its texts is one of these.
    NotIn(Choices),
    /// It is empty.
    Empty,
    /// It is not empty.
    NotEmpty,
    /// It is a date before.
    Before(Day),
    /// It is a date after.
    After(Day),
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// A person who belongs in the directory.
    Upsert,
    /// A person who has left.
    Leave,
    /// Not relevant to the directory.
    Ignore,
    /// Invalid.
    Reject,
}

impl Rules {
    /// The fields the host requests from the form, and their labels.
    pub fn describe(&self) -> Description {
        let mut source_fields: Vec<String> = Vec::new();
        let mut labels: Vec<(String, String)> = Vec::new();
        let entries = self.entries.iter().flat_map(|entry| entry.template.paths());
        for path in entries.chain(self.when.iter().map(|condition| &condition.path)) {
            if !source_fields.contains(&path.field) {
                source_fields.push(path.field.clone());
            }
        }
        let mut label = |field: &str, label: &Option<String>| {
            if let Some(label) = label
                && labels.iter().all(|(known, _)| known != field)
            {
                labels.push((field.to_owned(), label.clone()));
            }
        };
        for entry in &self.entries {
            if let Some(field) = entry.template.only_field() {
                label(field, &entry.label);
            }
        }
        for condition in &self.when {
            label(&condition.path.field, &condition.label);
        }
        for entry in &self.entries {
            match &entry.target {
                Target::Field(field) => label(field.name(), &entry.label),
                Target::Attribute(name) => label(&format!("extattr.{name}"), &entry.label),
            }
        }
        Description { name: self.name.clone(), version: self.version.clone(), source_fields, labels }
    }

    /// The entry that fills a field.
    pub fn entry(&self, field: Field) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.target == Target::Field(field))
    }

    /// The form's field that fills a field of WeCom, if it is one.
    pub fn source_of(&self, field: &str) -> Option<&str> {
        let entry = self
            .entries
            .iter()
            .find(|entry| matches!(entry.target, Target::Field(known) if known.name() == field));
        entry.map(|entry| entry.blame.as_str())
    }
}
