//! The ledger's lines: the last values ruzhi wrote for each member.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use ruzhi_guest::contract::Member;

use super::id::{Digest, FlowId, MemberKey, RecordId, TenantId, UserId};
use super::text::Label;

/// A record, named across all tenants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Origin {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.flow, self.record)
    }
}

/// The state of a member, as far as ruzhi has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// In the directory.
    Active,
    /// Left: disabled, to be deleted after the grace period.
    Left,
    /// No longer in the directory.
    Deleted,
    /// Removed from the directory by someone else, according to WeCom's own listing.
    Removed,
}

impl MemberState {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Active => Label::new("in the directory", "在通讯录中"),
            Self::Left => Label::new("left, disabled", "已离职，已停用"),
            Self::Deleted => Label::new("deleted", "已删除"),
            Self::Removed => Label::new("removed by hand", "被手工删除"),
        }
    }
}

/// A person's decision about a member who was removed by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemovalAnswer {
    /// The member is created again, without an invitation.
    Recreate,
    /// The member is created again, and invited if the rules say so.
    RecreateInvited,
    /// The removal stands: ruzhi lets go of the member.
    Release,
}

impl RemovalAnswer {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Recreate => Label::new("Create again, without an invitation", "重新创建，不发邀请"),
            Self::RecreateInvited => Label::new("Create again and invite", "重新创建并邀请"),
            Self::Release => Label::new("Let go: ruzhi does nothing more", "不再管理"),
        }
    }
}

impl RemovalAnswer {
    /// The word the store and the commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recreate => "recreate",
            Self::RecreateInvited => "recreate_invited",
            Self::Release => "release",
        }
    }
}

impl MemberState {
    /// The state behind a word of the store.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Left, Self::Deleted, Self::Removed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// The word the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Left => "left",
            Self::Deleted => "deleted",
            Self::Removed => "removed",
        }
    }
}

/// The last values ruzhi wrote for a member. The sync secret cannot read details back, so changes are computed against
/// this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The account in the case it was created with.
    pub userid: UserId,
    /// The record that owns the member.
    pub owner: Origin,
    /// The account its owner's decisions name: differs for a member that was adopted by mobile number.
    pub decided_as: MemberKey,
    /// The fields as written.
    pub written: Member,
    /// The state of the member.
    pub state: MemberState,
    /// The time the member was disabled as a leaver; none for a leaver whom WeCom may not have disabled. Of a removed
    /// member: the time the removal was found.
    pub left_at: Option<DateTime<Utc>>,
    /// A write's answer was lost: WeCom's values may differ from `written`, so everything is sent again. On a deleted
    /// member: a create was lost and was not found to have happened; if the member turns up, it is ours. On a removed
    /// one: only one listing has shown the removal.
    pub doubtful: bool,
    /// Digest of the decision that `written` carries out whole; none if it carries out only a part of one, or none.
    pub carried_out: Option<Digest>,
    /// Digest of the guest and rules file that decided.
    pub rules: Digest,
    /// Changes by hand in the directory that a person let stand, by field.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kept: Map<String, Value>,
    /// A person's decision about the removal of a removed member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_answer: Option<RemovalAnswer>,
}

impl LedgerEntry {
    /// The line of a create that may or may not have happened.
    pub fn may_yet_appear(self) -> Self {
        Self { state: MemberState::Deleted, doubtful: true, carried_out: None, ..self }
    }

    /// True if a create of the member was lost and may still turn out to have happened.
    pub fn may_appear(&self) -> bool {
        self.state == MemberState::Deleted && self.doubtful
    }

    /// True if the member is in the directory.
    pub fn exists(&self) -> bool {
        matches!(self.state, MemberState::Active | MemberState::Left)
    }

    /// The line once WeCom's listing has shown that someone else removed the member.
    pub fn removed(&self, found_at: DateTime<Utc>) -> Self {
        Self {
            state: MemberState::Removed,
            left_at: Some(found_at),
            doubtful: true,
            carried_out: None,
            removal_answer: None,
            ..self.clone()
        }
    }

    /// True if only one listing has shown the removal, which may have been a late replica's: if the member turns up, it
    /// is ruzhi's.
    pub fn removal_is_unsure(&self) -> bool {
        self.state == MemberState::Removed && self.doubtful
    }

    /// True if a listing that still lacks the member settles the removal: no replica is late for so long.
    pub fn removal_can_be_settled(&self, now: DateTime<Utc>) -> bool {
        const LATE: TimeDelta = TimeDelta::minutes(10);
        self.removal_is_unsure() && self.left_at.is_none_or(|found| found + LATE <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    #[test]
    fn a_state_is_found_by_its_word_and_has_one_for_people_in_each_language() {
        for word in ["active", "left", "deleted", "removed"] {
            let state = MemberState::of_word(word).unwrap();
            assert_eq!(state.as_str(), word);
            assert!(
                state.label().in_lang(Lang::En).is_ascii() && !state.label().in_lang(Lang::Zh).is_ascii()
            );
        }
        assert_eq!(MemberState::of_word("gone"), None);
    }
}
