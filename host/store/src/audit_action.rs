//! The actions of the audit log.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An action of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum AuditAction {
    /// A plan was approved.
    PlanApprove,
    /// A plan was applied.
    PlanApply,
    /// A plan was rejected.
    PlanReject,
    /// Masked values of a plan were shown.
    PlanReveal,
    /// Masked values of a record were shown.
    RecordReveal,
    /// Masked values of the quarantine were shown.
    QuarantineReveal,
    /// Records in quarantine were tried again.
    QuarantineRetry,
    /// The fate of a member removed by hand was decided.
    MemberRemoval,
    /// Masked values of a difference between rules were shown.
    RulesReveal,
    /// Rules went live.
    RulesActivate,
    /// Rules that had ended a process may be tried again.
    RulesConfirm,
    /// Earlier rules went live again.
    RulesRollback,
    /// A run was asked for.
    RunStart,
    /// A flow was paused.
    FlowPause,
    /// A flow was resumed.
    FlowResume,
    /// A person logged in.
    SessionBegin,
    /// An action of another version of ruzhi.
    Other(String),
}

impl AuditAction {
    /// Every action of this version.
    pub const ALL: [Self; 16] = [
        Self::PlanApprove,
        Self::PlanApply,
        Self::PlanReject,
        Self::PlanReveal,
        Self::RecordReveal,
        Self::QuarantineReveal,
        Self::QuarantineRetry,
        Self::MemberRemoval,
        Self::RulesReveal,
        Self::RulesActivate,
        Self::RulesConfirm,
        Self::RulesRollback,
        Self::RunStart,
        Self::FlowPause,
        Self::FlowResume,
        Self::SessionBegin,
    ];

    /// The word it is stored under.
    pub fn as_str(&self) -> &str {
        match self {
            Self::PlanApprove => "plan.approve",
            Self::PlanApply => "plan.apply",
            Self::PlanReject => "plan.reject",
            Self::PlanReveal => "plan.reveal",
            Self::RecordReveal => "record.reveal",
            Self::QuarantineReveal => "quarantine.reveal",
            Self::QuarantineRetry => "quarantine.retry",
            Self::MemberRemoval => "member.removal",
            Self::RulesReveal => "rules.reveal",
            Self::RulesActivate => "rules.activate",
            Self::RulesConfirm => "rules.confirm",
            Self::RulesRollback => "rules.rollback",
            Self::RunStart => "run.start",
            Self::FlowPause => "flow.pause",
            Self::FlowResume => "flow.resume",
            Self::SessionBegin => "session.begin",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditAction {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        let known = Self::ALL.into_iter().find(|action| action.as_str() == word);
        Ok(known.unwrap_or_else(|| Self::Other(word.to_owned())))
    }
}

impl From<String> for AuditAction {
    fn from(word: String) -> Self {
        let known = Self::ALL.into_iter().find(|action| action.as_str() == word);
        known.unwrap_or(Self::Other(word))
    }
}

impl From<AuditAction> for String {
    fn from(action: AuditAction) -> Self {
        action.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_read_by_its_word_and_another_one_is_kept() {
        for action in AuditAction::ALL {
            assert_eq!(action.as_str().parse(), Ok(action.clone()));
            assert_eq!(serde_json::to_value(&action).unwrap(), action.as_str());
        }
        let other = AuditAction::from("guest.exchange".to_owned());
        assert_eq!(
            (&other, other.as_str()),
            (&AuditAction::Other("guest.exchange".to_owned()), "guest.exchange")
        );
    }
}
