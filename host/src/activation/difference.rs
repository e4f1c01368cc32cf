//! What two guests say of the same record, compared.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::{Decision, Outcome};

/// How many of a flow's people new rules may treat differently: more than `least` who are more than `percent` of those
/// they were tried on need a person's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeLimit {
    /// So many percent.
    pub percent: u32,
    /// So few may change whatever their share.
    pub least: u32,
    /// The tenant's file sets it: then it is also asked of files that are exchanged in place.
    pub stated: bool,
}

impl ChangeLimit {
    /// What holds where the tenant's file says nothing.
    pub const DEFAULT: Self = Self { percent: 20, least: 5, stated: false };

    /// Whether so many changes need no approval.
    pub fn allows(&self, changed: u64, compared: u64) -> bool {
        changed <= u64::from(self.least) || changed * 100 <= u64::from(self.percent) * compared
    }
}

/// What is said of a record, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// This person shall be in the directory.
    Upsert,
    /// This person has left.
    Leave,
    /// The row says nothing of the directory.
    Ignore,
    /// The row is wrong.
    Reject,
    /// The guest did not decide.
    Failed,
}

/// A field of which two guests say different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldDifference {
    /// A WeCom field of a member; the form's field of a refusal; `reason` or `failure`.
    pub field: String,
    /// What was said of it; null for nothing.
    pub before: Value,
    /// What is said of it; null for nothing.
    pub after: Value,
}

/// A record that two guests decide differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The record.
    pub record: String,
    /// The account it is about, if either guest names one.
    pub userid: Option<String>,
    /// The person's name, if either guest gives one.
    pub name: Option<String>,
    /// The verdict of the rules that are live.
    pub before: Verdict,
    /// The verdict of the new rules.
    pub after: Verdict,
    /// Field by field.
    pub fields: Vec<FieldDifference>,
}

impl Difference {
    /// Compares what two guests say of a record; `Err` holds why a guest did not decide. None if they agree; remarks are
    /// not compared.
    pub fn between(
        record: &str,
        before: Result<&Outcome, &str>,
        after: Result<&Outcome, &str>,
    ) -> Option<Self> {
        let (old, new) = (said(before), said(after));
        if old == new {
            return None;
        }
        let decisions = [after, before].into_iter().flatten().map(|outcome| &outcome.decision);
        let mut userid = None;
        let mut name = None;
        for decision in decisions {
            match decision {
                Decision::Upsert(member) => {
                    userid.get_or_insert_with(|| member.userid.clone());
                    name.get_or_insert_with(|| member.name.clone());
                }
                Decision::Leave(leaver) => {
                    userid.get_or_insert_with(|| leaver.clone());
                }
                Decision::Ignore(_) | Decision::Reject(_) => {}
            }
        }
        let same_verdict = old.verdict == new.verdict;
        // Beside another verdict the whole member says nothing more.
        let shown = |said: Said| {
            if same_verdict || said.verdict != Verdict::Upsert { said.fields } else { BTreeMap::new() }
        };
        let (before, after) = (old.verdict, new.verdict);
        let (mut old, mut new) = (shown(old), shown(new));
        let names: std::collections::BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
        let fields = names
            .into_iter()
            .map(|field| FieldDifference {
                before: old.remove(&field).unwrap_or_default(),
                after: new.remove(&field).unwrap_or_default(),
                field,
            })
            .filter(|difference| difference.before != difference.after)
            .collect();
        Some(Self { record: record.to_owned(), userid, name, before, after, fields })
    }

    /// Whether the directory may come to look different: rows that are refused or passed over for another reason than
    /// before change nothing in it.
    pub fn touches_the_directory(&self) -> bool {
        [self.before, self.after].iter().any(|verdict| !matches!(verdict, Verdict::Ignore | Verdict::Reject))
    }
}

#[derive(PartialEq)]
struct Said {
    verdict: Verdict,
    fields: BTreeMap<String, Value>,
}

fn said(answer: Result<&Outcome, &str>) -> Said {
    let one = |field: &str, text: &str| BTreeMap::from([(field.to_owned(), Value::from(text))]);
    let (verdict, fields) = match answer.map(|outcome| &outcome.decision) {
        Err(failure) => (Verdict::Failed, one("failure", failure)),
        Ok(Decision::Leave(userid)) => (Verdict::Leave, one("userid", userid)),
        Ok(Decision::Ignore(reason)) => (Verdict::Ignore, one("reason", reason)),
        Ok(Decision::Upsert(member)) => {
            let fields = match serde_json::to_value(member) {
                Ok(Value::Object(fields)) => fields.into_iter().collect(),
                // A member is plain data and always an object.
                _ => BTreeMap::new(),
            };
            (Verdict::Upsert, fields)
        }
        Ok(Decision::Reject(violations)) => {
            let mut fields: BTreeMap<String, String> = BTreeMap::new();
            for violation in violations {
                let text = format!("[{}] {}", violation.rule, violation.message);
                fields
                    .entry(violation.field.clone())
                    .and_modify(|said| {
                        said.push_str("; ");
                        said.push_str(&text);
                    })
                    .or_insert(text);
            }
            let fields = fields.into_iter().map(|(field, text)| (field, Value::from(text))).collect();
            (Verdict::Reject, fields)
        }
    };
    Said { verdict, fields }
}
