//! The contract's types (`wit/v0.1`) as plain Rust, the same on both sides of the sandbox.
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

/// One reason for refusing a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// The form's field, or a WeCom field where no one source field is to blame.
    pub field: String,
    /// A stable code, such as `mobile.invalid`.
    pub rule: String,
    /// What a person shall read, in Chinese and English.
    pub message: String,
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
