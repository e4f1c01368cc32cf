//! The answers of two guests on the same record, compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;

use ruzhi_model::{Decision, Label, LedgerEntry, Member, MemberKey, Outcome, json};
use ruzhi_plan::effect;

/// The verdict on a record, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// This person is to be in the directory.
    Upsert,
    /// This person has left.
    Leave,
    /// The row asks for nothing in the directory.
    Ignore,
    /// The row is wrong.
    Reject,
    /// The guest did not decide.
    Failed,
}

impl DecisionKind {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Upsert => Label::new("upsert", "入职"),
            Self::Leave => Label::new("leave", "离职"),
            Self::Ignore => Label::new("ignore", "忽略"),
            Self::Reject => Label::new("reject", "拒绝"),
            Self::Failed => Label::new("not decided", "未能判定"),
        }
    }
}

/// A field on which two guests differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldDifference {
    /// A WeCom field of a member; the form's field of a rejection; `reason` or `failure`.
    pub field: String,
    /// The former value; null for nothing.
    pub before: Value,
    /// The new value; null for nothing.
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
    pub before: DecisionKind,
    /// The verdict of the new rules.
    pub after: DecisionKind,
    /// Field by field.
    pub fields: Vec<FieldDifference>,
    /// The directory may come to look different: rows that are rejected or ignored for another reason than before, and
    /// leavers it does not have, change nothing in it.
    #[serde(skip)]
    pub touches: bool,
}

/// The basis on which two decisions are compared.
#[derive(Debug, Clone, Copy)]
pub enum Basis<'l> {
    /// Their text.
    Decisions,
    /// Their effect, where the ledger has these members.
    Ledger(&'l HashMap<MemberKey, LedgerEntry>),
}

impl<'l> Basis<'l> {
    fn entry(self, userid: &str) -> Option<&'l LedgerEntry> {
        match self {
            Self::Decisions => None,
            Self::Ledger(entries) => entries.get(&MemberKey::of(userid)),
        }
    }

    /// A member's fields, in a form in which the same fields are equal.
    fn fields(self, member: &Member) -> BTreeMap<String, Value> {
        match self {
            Self::Decisions => stated(member),
            Self::Ledger(_) => effect(self.entry(&member.userid), member),
        }
    }

    fn touches(self, decision: Result<&Outcome, &str>) -> bool {
        match decision.map(|outcome| &outcome.decision) {
            Ok(Decision::Ignore(_) | Decision::Reject(_)) => false,
            Ok(Decision::Leave(userid)) => match self {
                Self::Decisions => true,
                Self::Ledger(_) => self.entry(userid).is_some_and(LedgerEntry::exists),
            },
            Ok(Decision::Upsert(_)) | Err(_) => true,
        }
    }
}

/// The accounts that decisions name.
pub(super) fn named<'o>(answers: impl Iterator<Item = Result<&'o Outcome, &'o str>>) -> Vec<MemberKey> {
    let userid = |outcome: &'o Outcome| match &outcome.decision {
        Decision::Upsert(member) => Some(MemberKey::of(&member.userid)),
        Decision::Leave(userid) => Some(MemberKey::of(userid)),
        Decision::Ignore(_) | Decision::Reject(_) => None,
    };
    answers.flatten().filter_map(userid).collect()
}

impl Difference {
    /// Compares the answers of two guests on a record; `Err` holds the reason a guest did not decide. None if they
    /// agree, or have the same effect; remarks are not compared.
    pub fn between(
        record: &str,
        before: Result<&Outcome, &str>,
        after: Result<&Outcome, &str>,
        basis: Basis<'_>,
    ) -> Option<Self> {
        let (old, new) = (said(before, basis), said(after, basis));
        if old.agrees_with(&new) {
            return None;
        }
        let touches = basis.touches(before) || basis.touches(after);
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
        // Beside another verdict, the whole member adds nothing.
        let is_told = |said: &ComparableAnswer| same_verdict || said.verdict != DecisionKind::Upsert;
        let (old_told, new_told) = (is_told(&old), is_told(&new));
        let names: BTreeSet<&String> = old.compared.keys().chain(new.compared.keys()).collect();
        let fields = names
            .into_iter()
            .filter(|field| old.compared.get(*field) != new.compared.get(*field))
            .map(|field| FieldDifference {
                before: old.stated.get(field).filter(|_| old_told).cloned().unwrap_or_default(),
                after: new.stated.get(field).filter(|_| new_told).cloned().unwrap_or_default(),
                field: field.clone(),
            })
            .filter(|difference| !difference.before.is_null() || !difference.after.is_null())
            .collect();
        let (before, after) = (old.verdict, new.verdict);
        Some(Self { record: record.to_owned(), userid, name, before, after, fields, touches })
    }
}

/// A guest's answer, and the form in which it is compared.
struct ComparableAnswer {
    verdict: DecisionKind,
    compared: BTreeMap<String, Value>,
    stated: BTreeMap<String, Value>,
}

impl ComparableAnswer {
    fn same(verdict: DecisionKind, fields: BTreeMap<String, Value>) -> Self {
        Self { verdict, compared: fields.clone(), stated: fields }
    }

    fn agrees_with(&self, other: &Self) -> bool {
        self.verdict == other.verdict && self.compared == other.compared
    }
}

/// A member's fields as given; each of `extra` is a field of its own, and its JSON is compared as JSON.
fn stated(member: &Member) -> BTreeMap<String, Value> {
    let mut fields: BTreeMap<String, Value> = match serde_json::to_value(member) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        // A member is plain data and always an object.
        _ => BTreeMap::new(),
    };
    fields.remove("extra");
    fields.extend(member.extra.iter().map(|(field, text)| (field.clone(), json::canonical_text(text))));
    fields
}

fn said(answer: Result<&Outcome, &str>, basis: Basis<'_>) -> ComparableAnswer {
    let one = |field: &str, text: &str| BTreeMap::from([(field.to_owned(), Value::from(text))]);
    match answer.map(|outcome| &outcome.decision) {
        Err(failure) => ComparableAnswer::same(DecisionKind::Failed, one("failure", failure)),
        Ok(Decision::Leave(userid)) => ComparableAnswer {
            verdict: DecisionKind::Leave,
            compared: match basis {
                Basis::Decisions => one("userid", userid),
                Basis::Ledger(_) => one("userid", &userid.to_ascii_lowercase()),
            },
            stated: one("userid", userid),
        },
        Ok(Decision::Ignore(reason)) => ComparableAnswer::same(DecisionKind::Ignore, one("reason", reason)),
        Ok(Decision::Upsert(member)) => ComparableAnswer {
            verdict: DecisionKind::Upsert,
            compared: basis.fields(member),
            stated: stated(member),
        },
        Ok(Decision::Reject(violations)) => {
            let mut fields: BTreeMap<String, String> = BTreeMap::new();
            for violation in violations {
                let text = format!("[{}] {}", violation.rule, violation.message.both());
                fields
                    .entry(violation.field.clone())
                    .and_modify(|said| {
                        said.push_str("; ");
                        said.push_str(&text);
                    })
                    .or_insert(text);
            }
            let fields = fields.into_iter().map(|(field, text)| (field, Value::from(text))).collect();
            ComparableAnswer::same(DecisionKind::Reject, fields)
        }
    }
}
