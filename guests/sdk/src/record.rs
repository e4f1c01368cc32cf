//! One row of the form, read field by field, and its problems.
//!
//! The getters clean, read and check a field in one step, and a violation they return names the form's field. An
//! absent field counts as empty. [`Problems`] collects violations, so that a clerk sees all of them at once. A getter
//! notes a skipped value; the frame puts the record's notes before those of the outcome.

use std::cell::RefCell;

use serde_json::Value;

use crate::clock::Clock;
use crate::contract::{Decision, Member, Membership, Outcome, SourceRecord, Violation};
use crate::date::{self, Moment};
use crate::fault::Fault;
use crate::row::Row;
use crate::{department, email, mobile, note, rule, text, value};

/// The most notes of one row; the host keeps no more.
const MOST_NOTES: usize = 50;

/// A row of the form.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    id: &'a str,
    row: Row<'a>,
    notes: RefCell<Vec<String>>,
}

impl<'a> Record<'a> {
    /// Reads a row.
    ///
    /// # Errors
    /// `row.not-json` at `_id` if it is not a JSON object.
    pub fn parse(record: &'a SourceRecord) -> Result<Self, Violation> {
        match serde_json::from_str(&record.json) {
            Ok(row) => Ok(Record { id: &record.id, row, notes: RefCell::default() }),
            Err(error) => Err(Fault::new(
                "row.not-json",
                format_args!("该行不是 JSON 对象（第 {} 行第 {} 列）", error.line(), error.column()),
                format_args!("the row is no JSON object, line {} column {}", error.line(), error.column()),
            )
            .at("_id")),
        }
    }

    /// The row's `_id`.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// A field as it is in the form.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.row.get(field)
    }

    /// True if the form has no value in a field.
    pub fn is_empty(&self, field: &str) -> bool {
        self.get(field).is_none_or(value::is_empty)
    }

    /// A text for people, cleaned by [`text::line()`]; empty if the field is empty.
    ///
    /// # Errors
    /// `value.shape`.
    pub fn text(&self, field: &str) -> Result<String, Violation> {
        self.read(field, |value| Ok(text::line(&value::text(value)?).into_owned()))
            .map(Option::unwrap_or_default)
    }

    /// A text for machines, cleaned by [`text::identifier`]; empty if the field is empty.
    ///
    /// # Errors
    /// `value.shape`.
    pub fn identifier(&self, field: &str) -> Result<String, Violation> {
        self.read(field, |value| Ok(text::identifier(&value::text(value)?).into_owned()))
            .map(Option::unwrap_or_default)
    }

    /// A userid.
    ///
    /// # Errors
    /// Those of [`value::identity`] and [`rule::userid`].
    pub fn userid(&self, field: &str) -> Result<String, Violation> {
        let userid = self.read(field, identifier)?.unwrap_or_default();
        rule::userid(&userid).map_err(|fault| fault.at(field))?;
        Ok(userid)
    }

    /// Userids of direct leaders; none if the field is empty or holds a placeholder that cannot be a userid.
    ///
    /// # Errors
    /// Those of [`value::identity`] and [`rule::direct_leader`].
    pub fn leaders(&self, field: &str) -> Result<Vec<String>, Violation> {
        let read = |value: &Value| {
            // A placeholder that could be an account name is read as one.
            let nothing =
                value::placeholder(value).filter(|text| rule::userid(&text::identifier(text)).is_err());
            if let Some(text) = nothing {
                self.note(note::placeholder(field, &text));
                return Ok(Vec::new());
            }
            let leaders: Vec<String> =
                value::list(value).iter().map(|item| identifier(item)).collect::<Result<_, _>>()?;
            rule::direct_leader(&leaders)?;
            Ok(leaders)
        };
        self.read(field, read).map(Option::unwrap_or_default)
    }

    /// A person's name.
    ///
    /// # Errors
    /// Those of [`value::identity`] and [`rule::name`].
    pub fn name(&self, field: &str) -> Result<String, Violation> {
        let read = |value: &Value| Ok(text::line(&value::identity(value)?).into_owned());
        let name = self.read(field, read)?.unwrap_or_default();
        rule::name(&name).map_err(|fault| fault.at(field))?;
        Ok(name)
    }

    /// A mobile number in normal form; empty if the field is empty or holds a placeholder for "none"
    /// ([`text::is_placeholder`]).
    ///
    /// # Errors
    /// Those of [`value::identity`] and [`mobile::parse`].
    pub fn mobile(&self, field: &str) -> Result<String, Violation> {
        self.contact(field, |text| mobile::parse(text).map(mobile::Mobile::into_string))
    }

    /// An e-mail address; empty if the field is empty or holds a placeholder for "none" ([`text::is_placeholder`]).
    ///
    /// # Errors
    /// Those of [`value::identity`] and [`email::parse`].
    pub fn email(&self, field: &str) -> Result<String, Violation> {
        self.contact(field, email::parse)
    }

    fn contact(
        &self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<String, Fault>,
    ) -> Result<String, Violation> {
        let contact = self.read(field, |value| match value::placeholder(value) {
            Some(text) => {
                self.note(note::placeholder(field, &text));
                Ok(String::new())
            }
            None => parse(&value::identity(value)?),
        });
        contact.map(Option::unwrap_or_default)
    }

    /// Departments, in the order of the form; none if the field is empty.
    ///
    /// # Errors
    /// Those of [`department::parse`].
    pub fn departments(&self, field: &str) -> Result<Vec<Membership>, Violation> {
        let ids = self.read(field, department::parse)?.unwrap_or_default();
        Ok(department::memberships(ids))
    }

    /// A date or moment in the tenant's zone; none if the field is empty, or holds a zero date
    /// ([`Moment::is_zero`]).
    ///
    /// # Errors
    /// Those of [`date::parse_value`].
    pub fn date(&self, field: &str, clock: &Clock) -> Result<Option<Moment>, Violation> {
        let moment = self.read(field, |value| {
            let moment = date::parse_value(value, clock.zone())?;
            if moment.is_none() {
                self.note(note::zero_date(field, &value::text(value)?));
            }
            Ok(moment)
        });
        moment.map(Option::flatten)
    }

    /// Yes or no.
    ///
    /// # Errors
    /// Those of [`value::boolean`].
    pub fn boolean(&self, field: &str) -> Result<Option<bool>, Violation> {
        self.read(field, value::boolean)
    }

    /// A whole number.
    ///
    /// # Errors
    /// Those of [`value::integer`].
    pub fn integer(&self, field: &str) -> Result<Option<i64>, Violation> {
        self.read(field, value::integer)
    }

    /// A list of texts.
    ///
    /// # Errors
    /// `value.shape`.
    pub fn list(&self, field: &str) -> Result<Vec<String>, Violation> {
        let read = |value: &Value| {
            value::list(value).iter().map(|item| Ok(text::line(&value::text(item)?).into_owned())).collect()
        };
        self.read(field, read).map(Option::unwrap_or_default)
    }

    /// Adds a note to the record's trace, for example about a default that was filled in; duplicates are dropped.
    pub fn note(&self, text: impl Into<String>) {
        let (text, mut notes) = (text.into(), self.notes.borrow_mut());
        if notes.len() < MOST_NOTES && !notes.contains(&text) {
            notes.push(text);
        }
    }

    /// The notes so far.
    pub(crate) fn into_notes(self) -> Vec<String> {
        self.notes.into_inner()
    }

    /// A field read by `reader`, unless it is empty.
    ///
    /// # Errors
    /// Those of `reader`, at this field.
    pub fn read<T>(
        &self,
        field: &str,
        reader: impl FnOnce(&Value) -> Result<T, Fault>,
    ) -> Result<Option<T>, Violation> {
        match self.get(field) {
            Some(value) if !value::is_empty(value) => {
                reader(value).map(Some).map_err(|fault| fault.at(field))
            }
            _ => Ok(None),
        }
    }
}

/// The problems of one row, collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// By the fields of the form.
    found: Vec<Violation>,
    /// By the fields of WeCom.
    broken: Vec<Violation>,
}

impl Problems {
    /// The value, or the type's default and an added violation.
    pub fn take<T: Default>(&mut self, read: Result<T, Violation>) -> T {
        read.unwrap_or_else(|violation| {
            self.found.push(violation);
            T::default()
        })
    }

    /// Adds a violation.
    pub fn add(&mut self, violation: Violation) {
        self.found.push(violation);
    }

    /// True if there are no problems.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.broken.is_empty()
    }

    /// The member, if there are no problems.
    ///
    /// # Errors
    /// The collected violations, and the rules the member itself breaks by [`rule::check`].
    pub fn finish(self, member: Member) -> Result<Outcome, Problems> {
        if self.is_empty() {
            return Ok(Outcome::new(Decision::Upsert(Box::new(member))));
        }
        Err(self.beside(&member))
    }

    /// The collected violations and the rules that `member` breaks.
    pub fn beside(mut self, member: &Member) -> Problems {
        self.broken.extend(rule::check(member));
        self
    }

    /// Every violation, with each WeCom field replaced by the form's field that `source_of` names as its source,
    /// except those whose source was already rejected, by a getter or by one of the guest's own rules: the member has
    /// only a placeholder there.
    pub fn into_violations<'s>(self, source_of: impl Fn(&str) -> Option<&'s str>) -> Vec<Violation> {
        let Problems { mut found, broken } = self;
        let rejected: Vec<(String, String)> =
            found.iter().map(|violation| (violation.field.clone(), subject(&violation.rule))).collect();
        // The guest does not name a field's source: the rule codes of its getters identify the rejected fields.
        let is_rejected = |field: &str, subject: &str| {
            let source = source_of(field);
            rejected.iter().any(|(at, rule)| match source {
                Some(source) => at == source || at == field,
                None => at == field || rule == subject,
            })
        };
        for violation in broken {
            let subject = subject(&violation.rule);
            let follows = match violation.rule.as_str() {
                // A rejected contact does not also count as missing, and the main department is not judged if the
                // departments were rejected.
                "contact.missing" => is_rejected("mobile", "mobile") || is_rejected("email", "email"),
                "main-department.not-a-member" => {
                    is_rejected("main_department", &subject) || is_rejected("department", "department")
                }
                _ => is_rejected(&violation.field, &subject),
            };
            if !follows {
                let field =
                    source_of(&violation.field).map_or_else(|| violation.field.clone(), str::to_owned);
                found.push(Violation { field, ..violation });
            }
        }
        found
    }

    /// The rules that a finished member, or its userid alone, breaks.
    pub(crate) fn of_member(broken: Vec<Violation>) -> Self {
        Problems { found: Vec::new(), broken }
    }
}

impl From<Violation> for Problems {
    fn from(violation: Violation) -> Self {
        Problems { found: vec![violation], broken: Vec::new() }
    }
}

/// The subject of a rule: `mobile` of `mobile.invalid`.
fn subject(rule: &str) -> String {
    rule.split('.').next().unwrap_or_default().to_owned()
}

fn identifier(value: &Value) -> Result<String, Fault> {
    Ok(text::identifier(&value::identity(value)?).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::Context;

    fn row(json: Value) -> SourceRecord {
        SourceRecord { id: "1".into(), json: json.to_string() }
    }

    #[test]
    fn getters_clean_and_check_and_name_the_field() {
        let source = row(json!({
            "account": " ｕser1234\u{200b}", "who": "张\u{3000}三", "phone": {"phone": "+86 138 0013 8000"}, "mail": "a.b@Example.com",
            "in": [{"dept_no": 3}], "joined": "2024-04-30T16:00:00.00Z", "invite": "是", "count": "7", "tags": "甲、乙", "bad": "x y",
        }));
        let record = Record::parse(&source).unwrap();
        let clock =
            Clock::new(&Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() })
                .unwrap();
        assert_eq!(record.id(), "1");
        assert_eq!(record.userid("account").unwrap(), "user1234");
        assert_eq!(record.name("who").unwrap(), "张 三");
        assert_eq!(record.mobile("phone").unwrap(), "13800138000");
        assert_eq!(record.email("mail").unwrap(), "a.b@example.com");
        assert_eq!(record.departments("in").unwrap(), department::memberships([3]));
        assert_eq!(record.date("joined", &clock).unwrap().unwrap().date(), "2024-05-01");
        assert_eq!(record.boolean("invite").unwrap(), Some(true));
        assert_eq!(record.integer("count").unwrap(), Some(7));
        assert_eq!(record.list("tags").unwrap(), ["甲", "乙"]);
        let violation = record.userid("bad").unwrap_err();
        assert_eq!((violation.field.as_str(), violation.rule.as_str()), ("bad", "userid.charset"));
    }

    #[test]
    fn an_absent_field_is_an_empty_one() {
        let source = row(json!({}));
        let record = Record::parse(&source).unwrap();
        assert!(record.is_empty("x"));
        assert_eq!(record.text("x").unwrap(), "");
        assert_eq!(record.mobile("x").unwrap(), "");
        assert_eq!(record.departments("x").unwrap(), []);
        assert_eq!(record.boolean("x").unwrap(), None);
        assert_eq!(record.userid("x").unwrap_err().rule, "userid.empty");
    }

    #[test]
    fn a_row_that_is_no_object_is_refused() {
        for json in ["[]", "{", "", "1"] {
            let source = SourceRecord { id: "1".into(), json: json.into() };
            assert_eq!(Record::parse(&source).unwrap_err().rule, "row.not-json");
        }
    }

    #[test]
    fn all_problems_are_told_and_each_once() {
        let source = row(json!({"account": "张三", "phone": "1"}));
        let record = Record::parse(&source).unwrap();
        let mut problems = Problems::default();
        let member = Member {
            userid: problems.take(record.userid("account")),
            mobile: Some(problems.take(record.mobile("phone"))),
            gender: Some("x".into()),
            ..Member::default()
        };
        let rules: Vec<_> = problems
            .finish(member)
            .unwrap_err()
            .into_violations(|_| None)
            .into_iter()
            .map(|v| v.rule)
            .collect();
        assert_eq!(rules, ["userid.charset", "mobile.invalid", "name.empty", "gender.invalid"]);
    }
}
