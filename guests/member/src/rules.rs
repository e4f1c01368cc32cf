//! A rules file as [`file`](crate::file) has understood it: nothing in it can be wrong any more.

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
    /// Which rows are what; the first that holds decides.
    pub when: Vec<Condition>,
    /// How each field is filled, in the order of the file.
    pub entries: Vec<Entry>,
}

/// How one field is filled.
#[derive(Debug)]
pub struct Entry {
    /// The field of WeCom.
    pub target: Target,
    /// What a person calls it.
    pub label: Option<String>,
    /// Where the value comes from.
    pub template: Template,
    /// The form's field that a violation names, or WeCom's if no one field is to blame.
    pub blame: String,
    /// What the value is turned into.
    pub kind: Kind,
    /// What becomes of a row that says nothing here.
    pub missing: Missing,
    /// How texts of the form are cleaned.
    pub cleaning: Cleaning,
    /// How a text that a lookup gave is cleaned: it is the author's, and nothing in it is changed or stripped.
    pub plain: Cleaning,
    /// Whether the author says how texts are cleaned or dates read.
    pub is_formatted: bool,
    /// How dates are read and written.
    pub date: DateFormat,
    /// Which mobile numbers are meant.
    pub mobile: MobileRegions,
    /// What stands for what.
    pub lookup: Option<Lookup>,
    /// What the value must be besides.
    pub checks: Checks,
}

/// What a value is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the field of WeCom asks for.
    Plain,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A list.
    List,
    /// An object, or a text that holds one as JSON.
    Object,
    /// Whatever a text holds as JSON.
    Json,
    /// A date, written as the format says.
    Date,
}

/// What becomes of a row that says nothing in a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// The field is managed, and empty.
    Empty,
    /// This value is filled in.
    Default(Value),
    /// The row is refused.
    Reject,
    /// The row is left out.
    Skip,
    /// The rules do not speak of the field.
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
    /// Patterns tried before the usual writings.
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

/// Which mobile numbers are meant, by country codes.
#[derive(Debug, Clone)]
pub struct MobileRegions {
    /// Of a number without a code.
    pub home: u16,
    /// The only ones allowed; empty allows all.
    pub allowed: Vec<u16>,
}

/// What stands for what.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// By the form's text, cleaned, as texts are compared.
    pub table: BTreeMap<String, Value>,
    /// What becomes of a text that is not in the table.
    pub missing: LookupMissing,
}

/// What becomes of a text that a lookup does not know.
#[derive(Debug, Clone, PartialEq)]
pub enum LookupMissing {
    /// The row is refused.
    Reject,
    /// This value is taken.
    Default(Value),
    /// The text stays.
    Keep,
}

/// Texts that a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    /// As the author wrote them.
    pub written: Vec<String>,
    folded: Vec<String>,
}

impl Choices {
    /// The texts, cleaned as the form's are and folded, once.
    pub fn new(written: Vec<String>, cleaning: &Cleaning) -> Self {
        let folded = written.iter().map(|text| fold(&cleaning.apply(text)).into_owned()).collect();
        Choices { written, folded }
    }

    /// Whether a cleaned text is one of them, as texts are compared.
    pub fn has(&self, text: &str) -> bool {
        let text = fold(text);
        self.folded.iter().any(|folded| *folded == *text)
    }
}

/// What a value must be besides.
#[derive(Debug, Default)]
pub struct Checks {
    /// The whole text matches.
    pub pattern: Option<Regex>,
    /// The text is one of these.
    pub one_of: Option<Choices>,
    /// The least.
    pub min: Option<Bound>,
    /// The most.
    pub max: Option<Bound>,
    /// What a person reads instead of the usual text.
    pub message: Option<Text>,
}

/// A bound of a number, of a date, or of a length.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// Of a number, or of the length of a text or list.
    Number(f64),
    /// Of a date.
    Date(Day),
}

/// A moment that a rule names.
#[derive(Debug, Clone, PartialEq)]
pub enum Day {
    /// The moment of the run.
    Now,
    /// The beginning of the day of the run.
    Today,
    /// A date or moment, as written.
    Written(String),
}

/// Which rows are what.
#[derive(Debug)]
pub struct Condition {
    /// The form's field.
    pub path: Path,
    /// What a person calls it.
    pub label: Option<String>,
    /// How its texts are cleaned before they are compared.
    pub cleaning: Cleaning,
    /// How its dates are read.
    pub date: DateFormat,
    /// Whether a word for nothing, such as `无`, is nothing there: an e-mail or phone is filled from it.
    pub is_contact: bool,
    /// What holds of it.
    pub test: Test,
    /// What such a row is.
    pub then: Then,
    /// What a person reads.
    pub message: Option<Text>,
}

/// What may hold of a form's field.
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

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// A person who shall be in the directory.
    Upsert,
    /// A person who has left.
    Leave,
    /// Nothing to the directory.
    Ignore,
    /// Wrong.
    Reject,
}

impl Rules {
    /// What the host asks the form for, and what people call it.
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
