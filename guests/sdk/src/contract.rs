//! The contract's types (`wit/v0.2`) as plain Rust, the same on both sides of the sandbox.
//!
//! Shapes, units and limits of every field are documented in the WIT file.

use serde::{Deserialize, Serialize};

/// One row of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The row's `_id`.
    pub id: String,
    /// The row as one JSON object.
    pub json: String,
}

/// The context given to a guest beside the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The current time of the run, RFC 3339 in UTC.
    pub now: String,
    /// The tenant's time zone, an IANA name.
    pub timezone: String,
}

/// One department a member belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The department's id in WeCom.
    pub department: u32,
    /// True if the member leads it.
    #[serde(default)]
    pub leader: bool,
    /// The position among its members, larger first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
}

/// A person's intended entry in the directory. `None` means that the rules do not set the field; an empty text means
/// that the form says it is empty.
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
    /// Departments; empty means that the rules do not set them.
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
    /// True if the account can log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable: Option<bool>,
    /// True if creating the member sends an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_invite: Option<bool>,
    /// (WeCom field name, JSON text) for fields without a place of their own.
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

    /// A single text for readers of both languages.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { zh: text.clone(), en: text }
    }

    /// Both on one line, Chinese first, where only one text is possible; once if they are the same.
    pub fn both(&self) -> String {
        let Self { zh, en } = self;
        if zh == en { zh.clone() } else { format!("{zh} / {en}") }
    }

    /// Splits a text for both languages as contract 0.1 and rules files write it: `中文 / English`. Any other text
    /// serves readers of both languages whole.
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

/// The number of Chinese characters in a text, and their share of a thousand letters.
fn share(text: &str) -> (usize, usize) {
    let chinese = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    let latin = text.chars().filter(char::is_ascii_alphabetic).count();
    (chinese, chinese * 1000 / (chinese + latin).max(1))
}

/// A text as deserialized. Contract 0.1 and data stored by ruzhi 0.1 have one string for both languages: it becomes
/// both texts, whole.
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

/// One reason for rejecting a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// The form's field, or a WeCom field if no single source field is at fault.
    pub field: String,
    /// A stable code, such as `mobile.invalid`.
    pub rule: String,
    /// The message for a person.
    pub message: Text,
}

/// The decision on a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The person belongs in the directory with this entry.
    Upsert(Box<Member>),
    /// The person with this userid has left.
    Leave(String),
    /// The row has no effect on the directory; the text gives the reason.
    Ignore(String),
    /// The row is rejected.
    Reject(Vec<Violation>),
}

/// A decision and the notes made on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The decision on the row.
    pub decision: Decision,
    /// Notes for the record's trace.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Until when the decision holds, RFC 3339 in UTC; none means for ever. The frame fills it in from the questions
    /// to the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_until: Option<String>,
}

/// A guest's description of itself under a given configuration.
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

/// An error that stops a whole batch or marks a configuration as invalid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestError {
    /// A stable code, such as `config.invalid`.
    pub code: String,
    /// The message for a person.
    pub message: String,
}
