//! The contract's types (`wit/v0.2`) as plain Rust, the same on both sides of the sandbox.
//!
//! Shapes, units and limits of every field are written in the WIT file.

use serde::{Deserialize, Serialize};

/// One row of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The row's `_id`.
    pub id: String,
    /// The row as one JSON object.
    pub json: String,
}

/// What a guest may know of the world beside the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The moment of the run, RFC 3339 in UTC.
    pub now: String,
    /// The tenant's time zone, an IANA name.
    pub timezone: String,
}

/// One department a member belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The department's id in WeCom.
    pub department: u32,
    /// Whether the member leads it.
    #[serde(default)]
    pub leader: bool,
    /// The place among its members, larger first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
}

/// A person as the directory shall hold them. `None` means the rules do not speak of the field; an empty text means
/// the form says it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The account, unique ignoring case.
    pub userid: String,
    /// The person's name.
    pub name: String,
    /// Mobile number; mainland numbers need no country code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Departments; empty means the rules do not speak of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memberships: Vec<Membership>,
    /// One of `memberships`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_department: Option<u32>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// Alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// `1` male, `2` female.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// Landline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telephone: Option<String>,
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Userids of the direct leaders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_leader: Option<Vec<String>>,
    /// Enterprise mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biz_mail: Option<String>,
    /// Job title shown outside the company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_position: Option<String>,
    /// Whether the account may log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable: Option<bool>,
    /// Whether creating sends an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_invite: Option<bool>,
    /// (WeCom field name, JSON text) for what has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<(String, String)>,
}

/// A text for people, in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "StoredText")]
pub struct Text {
    /// 简体中文.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A text from its two versions.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// A text that is given once, for readers of both languages.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { zh: text.clone(), en: text }
    }

    /// Both on one line, Chinese first, for where a text has one form only; once if they are the same.
    pub fn both(&self) -> String {
        let Self { zh, en } = self;
        if zh == en { zh.clone() } else { format!("{zh} / {en}") }
    }

    /// A text as contract 0.1 and rules files write one for both languages: `中文 / English`. One that is not written like
    /// this is for readers of both, whole.
    ///
    /// ```
    /// use ruzhi_guest::contract::Text;
    /// assert_eq!(Text::joined("格式不正确 / is malformed"), Text::new("格式不正确", "is malformed"));
    /// assert_eq!(Text::joined("“A / B”无效 / “A / B” is not valid"), Text::new("“A / B”无效", "“A / B” is not valid"));
    /// assert_eq!(Text::joined("A / B"), Text::same("A / B"));
    /// ```
    pub fn joined(text: &str) -> Self {
        let cuts = text.match_indices(" / ").filter_map(|(at, _)| {
            let (zh, en) = (text.get(..at)?, text.get(at + 3..)?);
            let ((chinese, left), (_, right)) = (share(zh), share(en));
            (chinese > 0 && left > right).then(|| (left - right, zh, en))
        });
        cuts.max_by_key(|(apart, ..)| *apart)
            .map_or_else(|| Self::same(text), |(_, zh, en)| Self::new(zh, en))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::same(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::same(text)
    }
}

/// How many Chinese characters a text has, and how many those are of a thousand letters.
fn share(text: &str) -> (usize, usize) {
    let chinese = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    let latin = text.chars().filter(char::is_ascii_alphabetic).count();
    (chinese, chinese * 1000 / (chinese + latin).max(1))
}

/// A text as it is read. Contract 0.1 and what ruzhi 0.1 stored have one string for both languages: it is both, whole.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredText {
    Both { zh: String, en: String },
    One(String),
}

impl From<StoredText> for Text {
    fn from(stored: StoredText) -> Self {
        match stored {
            StoredText::Both { zh, en } => Self { zh, en },
            StoredText::One(text) => Self::same(text),
        }
    }
}

/// One reason for refusing a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// The form's field, or a WeCom field where no one source field is to blame.
    pub field: String,
    /// A stable code, such as `mobile.invalid`.
    pub rule: String,
    /// What a person shall read.
    pub message: Text,
}

/// What a guest says of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// This person shall be in the directory like this.
    Upsert(Box<Member>),
    /// The person with this userid has left.
    Leave(String),
    /// The row says nothing of the directory; the text says why.
    Ignore(String),
    /// The row is wrong.
    Reject(Vec<Violation>),
}

/// A decision and the remarks made on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What the guest says of the row.
    pub decision: Decision,
    /// Remarks for the record's trace.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Until when the decision holds, RFC 3339 in UTC; none is for ever. The frame fills it in by what the clock was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_until: Option<String>,
}

/// What a guest says of itself under a given configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The guest's name.
    pub name: String,
    /// The guest's version.
    pub version: String,
    /// The form fields the guest reads.
    pub source_fields: Vec<String>,
    /// (source field or WeCom field, label).
    pub labels: Vec<(String, String)>,
}

/// What stops a whole batch or refuses a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestError {
    /// A stable code, such as `config.invalid`.
    pub code: String,
    /// What a person shall read.
    pub message: String,
}
