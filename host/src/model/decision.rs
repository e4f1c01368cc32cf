//! Refusals: why a record is in quarantine.

use serde::{Deserialize, Serialize};

use super::Violation;

/// Who refused a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBy {
    /// The guest's rules, or the host's check of what the guest gave back.
    Guest,
    /// The plan: an unknown department, a claim that another record holds, a protected or foreign member.
    Plan,
    /// WeCom, when the operation was called.
    Wecom,
    /// A person, who undid what the record asked for or let the directory stand as it is.
    Person,
}

impl RefusedBy {
    /// The word the store and the commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Plan => "plan",
            Self::Wecom => "wecom",
            Self::Person => "person",
        }
    }
}

/// Why a record is in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Who refused it.
    pub by: RefusedBy,
    /// At least one reason.
    pub violations: Vec<Violation>,
    /// WeCom's code, where WeCom refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
}
