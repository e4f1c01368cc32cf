//! Operations: single writes to the directory.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use ruzhi_guest::contract::Member;

use super::id::{Digest, FlowId, MemberKey, RecordId, TenantId, UserId};
use super::ledger::{LedgerEntry, MemberState};
use super::text::{Label, Text};

/// The effect of an operation on a member.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// A new member.
    Create,
    /// Changed fields of a member.
    Update,
    /// The member may no longer log in.
    Disable,
    /// The member may log in again.
    Enable,
    /// The member is removed from the directory.
    Delete,
    /// An existing member becomes ruzhi's; nothing is written to the directory.
    Adopt,
    /// A change by hand in the directory stands; nothing is written to the directory.
    Keep,
}

impl OperationKind {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Create => Label::new("create", "新增"),
            Self::Update => Label::new("update", "更新"),
            Self::Disable => Label::new("disable", "停用"),
            Self::Enable => Label::new("enable", "启用"),
            Self::Delete => Label::new("delete", "删除"),
            Self::Adopt => Label::new("take over", "接管"),
            Self::Keep => Label::new("let stand", "保留"),
        }
    }
}

impl OperationKind {
    /// The word the store and the commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Keep => "keep",
        }
    }

    /// True if it calls WeCom; the others change the ledger only.
    pub fn calls(self) -> bool {
        !matches!(self, Self::Adopt | Self::Keep)
    }
}

/// The progress of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Not begun.
    Planned,
    /// Stored before the call: found after a crash, it is in doubt.
    Sending,
    /// Done and noted in the ledger.
    Done,
    /// WeCom rejects the record.
    #[serde(alias = "refused")]
    Rejected,
    /// Not done; the next run plans it again.
    Failed,
    /// Was in doubt, and WeCom shows that it did not happen; the next run plans it again.
    Lost,
}

impl OperationState {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Planned => Label::new("planned", "已计划"),
            Self::Sending => Label::new("sending", "发送中"),
            Self::Done => Label::new("done", "完成"),
            Self::Rejected => Label::new("rejected", "待修正"),
            Self::Failed => Label::new("failed", "失败"),
            Self::Lost => Label::new("did not happen", "未生效"),
        }
    }
}

impl OperationState {
    /// The word the store and the commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// A field in which two members cannot have the same value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum UniqueField {
    /// The mobile number.
    Mobile,
    /// The e-mail address.
    Email,
    /// The enterprise mail address.
    BizMail,
}

impl UniqueField {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mobile, Self::Email, Self::BizMail];

    /// WeCom's name of the field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::BizMail => "biz_mail",
        }
    }

    /// The member's value, if it is not empty.
    pub fn of(self, member: &Member) -> Option<&str> {
        let value = match self {
            Self::Mobile => &member.mobile,
            Self::Email => &member.email,
            Self::BizMail => &member.biz_mail,
        };
        value.as_deref().filter(|value| !value.is_empty())
    }

    pub fn set(self, member: &mut Member, value: Option<String>) {
        match self {
            Self::Mobile => member.mobile = value,
            Self::Email => member.email = value,
            Self::BizMail => member.biz_mail = value,
        }
    }
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// One write, complete: applying it leaves no choice open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The kind.
    pub kind: OperationKind,
    /// The member.
    pub userid: UserId,
    /// The flow whose record asks for it.
    pub flow: FlowId,
    /// The record that asks for it.
    pub record: RecordId,
    /// The request body in WeCom's format.
    pub body: Map<String, Value>,
    /// The ledger's values for the member once this is done.
    pub member: Member,
    /// The ledger's line before it, if there is one: the target of an undo.
    #[serde(default)]
    pub before: Option<LedgerEntry>,
    /// Digest of the decision it carries out.
    pub decision: Digest,
    /// Digest of the guest and rules file that decided.
    pub rules: Digest,
    /// For a disable: the member left, so that the grace period before a delete begins.
    #[serde(default)]
    pub left: bool,
    /// The account the record names, if the member has another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<MemberKey>,
    /// It carries out a part of the decision; the next plan does the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// The field with a unique value that is emptied first, because another member takes the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parks: Option<UniqueField>,
    /// The number of times WeCom has rejected this same decision before.
    #[serde(default, skip_serializing_if = "is_none")]
    pub tries: u32,
    /// Remarks for the reader of the plan or of the record's trace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Text>,
    /// It undoes an earlier operation: the record waits until its row or the rules change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undoes: bool,
}

impl Operation {
    /// The flow the member comes from, if another one owned them.
    pub fn moved_from(&self, tenant: &TenantId) -> Option<(&TenantId, &FlowId)> {
        let owner = &self.before.as_ref().filter(|before| before.exists())?.owner;
        let moves = !self.left && (owner.tenant != *tenant || owner.flow != self.flow);
        moves.then_some((&owner.tenant, &owner.flow))
    }

    /// The operation that empties `field` of the member, and leaves everything else to the next plan.
    pub fn parking(mut self, field: UniqueField) -> Self {
        self.body = Map::from_iter([
            ("userid".to_owned(), Value::String(self.userid.to_string())),
            (field.as_str().to_owned(), Value::String(String::new())),
        ]);
        if let Some(before) = &self.before {
            self.member = before.written.clone();
        }
        field.set(&mut self.member, Some(String::new()));
        self.kind = OperationKind::Update;
        self.partial = true;
        self.parks = Some(field);
        self
    }

    /// The operation without a field, which it leaves to the next plan.
    pub fn holding_back(mut self, field: UniqueField) -> Self {
        self.body.remove(field.as_str());
        let before = self.before.as_ref().and_then(|before| field.of(&before.written));
        field.set(&mut self.member, before.map(str::to_owned));
        self.partial = true;
        self
    }

    /// True if it sets a direct leader and nothing else.
    pub fn sets_leader_only(&self) -> bool {
        self.kind == OperationKind::Update && self.changes().eq(["direct_leader"])
    }

    /// The names of the fields it sends, for the person who reads the plan.
    pub fn changes(&self) -> impl Iterator<Item = &str> {
        self.body.keys().map(String::as_str).filter(|field| *field != "userid")
    }
}

impl LedgerEntry {
    /// The line once an operation may or may not have happened: everything is sent again, and a leaver may still be
    /// enabled.
    pub fn in_doubt(&self, operation: &Operation) -> Self {
        let mut entry = Self { doubtful: true, ..self.clone() };
        let leaves = operation.kind == OperationKind::Disable && operation.left;
        if leaves || (operation.kind == OperationKind::Enable && self.state == MemberState::Left) {
            entry.state = MemberState::Left;
            entry.left_at = None;
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::OperationState;

    #[test]
    fn the_state_of_an_older_store_is_read() {
        for word in ["refused", "rejected"] {
            let state: OperationState = serde_json::from_value(json!(word)).unwrap();
            assert_eq!(
                (state, json!(state), state.as_str()),
                (OperationState::Rejected, json!("rejected"), "rejected")
            );
        }
    }
}
