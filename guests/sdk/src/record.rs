//! One row of the form, read field by field, and what is wrong with it.
//!
//! The getters clean, read and check a field in one step, and a violation they return names the form's field. A field
//! that is absent is one that is empty. [`Problems`] gathers violations, so that a clerk hears of all at once.

use serde_json::Value;

use crate::contract::{Decision, Member, Membership, Outcome, SourceRecord, Violation};
use crate::date::{self, Moment};
use crate::fault::Fault;
use crate::mapping::Clock;
use crate::row::Row;
use crate::{department, email, mobile, rule, text, value};

/// A row of the form.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    id: &'a str,
    row: Row<'a>,
}

impl<'a> Record<'a> {
    /// Reads a row.
    ///
    /// # Errors
    /// `row.not-json` at `_id` if it is no JSON object.
    pub fn parse(record: &'a SourceRecord) -> Result<Self, Violation> {
        match serde_json::from_str(&record.json) {
            Ok(row) => Ok(Record { id: &record.id, row }),
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

    /// A field as the form holds it.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.row.get(field)
    }

    /// Whether the form says nothing in a field.
    pub fn is_empty(&self, field: &str) -> bool {
        self.get(field).is_none_or(value::is_empty)
    }

    /// A text for people, cleaned by [`text::line()`]; empty if the field is.
    ///
    /// # Errors
    /// `value.shape`.
    pub fn text(&self, field: &str) -> Result<String, Violation> {
        self.read(field, |value| Ok(text::line(&value::text(value)?).into_owned()))
            .map(Option::unwrap_or_default)
    }

    /// A text for machines, cleaned by [`text::identifier`]; empty if the field is.
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
    /// `value.shape` and those of [`rule::userid`].
    pub fn userid(&self, field: &str) -> Result<String, Violation> {
        let userid = self.identifier(field)?;
        rule::userid(&userid).map_err(|fault| fault.at(field))?;
        Ok(userid)
    }

    /// A person's name.
    ///
    /// # Errors
    /// `value.shape` and those of [`rule::name`].
    pub fn name(&self, field: &str) -> Result<String, Violation> {
        let name = self.text(field)?;
        rule::name(&name).map_err(|fault| fault.at(field))?;
        Ok(name)
    }

    /// A mobile number in normal form; empty if the field is.
    ///
    /// # Errors
    /// `value.shape` and those of [`mobile::parse`].
    pub fn mobile(&self, field: &str) -> Result<String, Violation> {
        let mobile =
            self.read(field, |value| mobile::parse(&value::text(value)?).map(mobile::Mobile::into_string));
        mobile.map(Option::unwrap_or_default)
    }

    /// An e-mail address; empty if the field is.
    ///
    /// # Errors
    /// `value.shape` and those of [`email::parse`].
    pub fn email(&self, field: &str) -> Result<String, Violation> {
        self.read(field, |value| email::parse(&value::text(value)?)).map(Option::unwrap_or_default)
    }

    /// Departments, in the order of the form; none if the field is empty.
    ///
    /// # Errors
    /// Those of [`department::parse`].
    pub fn departments(&self, field: &str) -> Result<Vec<Membership>, Violation> {
        let ids = self.read(field, department::parse)?.unwrap_or_default();
        Ok(department::memberships(ids))
    }

    /// A date or moment in the tenant's zone.
    ///
    /// # Errors
    /// Those of [`date::parse_value`].
    pub fn date(&self, field: &str, clock: &Clock) -> Result<Option<Moment>, Violation> {
        self.read(field, |value| date::parse_value(value, clock.zone()))
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

/// What is wrong with one row, gathered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// By the fields of the form.
    found: Vec<Violation>,
    /// By the fields of WeCom.
    broken: Vec<Violation>,
}

impl Problems {
    /// The value, or the type's default and one violation more.
    pub fn take<T: Default>(&mut self, read: Result<T, Violation>) -> T {
        read.unwrap_or_else(|violation| {
            self.found.push(violation);
            T::default()
        })
    }

    /// One violation more.
    pub fn add(&mut self, violation: Violation) {
        self.found.push(violation);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.broken.is_empty()
    }

    /// The member, if nothing was wrong.
    ///
    /// # Errors
    /// What was gathered, and the rules the member itself breaks by [`rule::check`]; of these none whose field was
    /// refused already, for its value here is only a stand-in.
    pub fn finish(self, member: Member) -> Result<Outcome, Problems> {
        let subject = |violation: &Violation| violation.rule.split('.').next().unwrap_or_default().to_owned();
        if self.is_empty() {
            return Ok(Outcome::new(Decision::Upsert(Box::new(member))));
        }
        let refused: Vec<String> = self.found.iter().map(subject).collect();
        Err(self.beside(&member, |violation| refused.contains(&subject(violation))))
    }

    /// The rules `member` breaks as well, except those that `refused` says follow from what was found: a contact is
    /// not missing if the mobile was refused, nor is a main department wrong if the departments were.
    pub fn beside(mut self, member: &Member, refused: impl Fn(&Violation) -> bool) -> Problems {
        let follows = |violation: &Violation| {
            let as_rule = |rule: &str| Violation {
                rule: rule.to_owned(),
                field: field_of(rule),
                message: String::new(),
            };
            match violation.rule.as_str() {
                "contact.missing" => {
                    refused(&as_rule("mobile.invalid")) || refused(&as_rule("email.invalid"))
                }
                "main-department.not-a-member" => {
                    refused(violation) || refused(&as_rule("department.invalid"))
                }
                _ => refused(violation),
            }
        };
        self.broken.extend(rule::check(member).into_iter().filter(|violation| !follows(violation)));
        self
    }

    /// Every violation, those by a field of WeCom at the form's field that `source_of` says fills it.
    pub fn into_violations<'s>(self, source_of: impl Fn(&str) -> Option<&'s str>) -> Vec<Violation> {
        let named = self.broken.into_iter().map(|violation| match source_of(&violation.field) {
            Some(source) => Violation { field: source.to_owned(), ..violation },
            None => violation,
        });
        self.found.into_iter().chain(named).collect()
    }

    /// Rules that a finished member, or its userid alone, breaks.
    pub(crate) fn of_member(broken: Vec<Violation>) -> Self {
        Problems { found: Vec::new(), broken }
    }
}

impl From<Violation> for Problems {
    fn from(violation: Violation) -> Self {
        Problems { found: vec![violation], broken: Vec::new() }
    }
}

fn field_of(rule: &str) -> String {
    rule.split('.').next().unwrap_or_default().to_owned()
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
