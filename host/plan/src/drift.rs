//! Changes made by hand: the directory against the ledger.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::body;
use super::disposition::{Disposition, rejected};
use super::draft::DriftResolution;
use super::reasons::protected;
use super::world::Policy;
use ruzhi_model::{
    DepartmentId, Digest, LedgerEntry, Member, MemberState, Operation, OperationKind, Origin, RemovalAnswer,
    Text, UserId,
};

/// One difference between directory and ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DriftFinding {
    /// The ledger has the member, the directory does not.
    Missing {
        /// The member.
        userid: UserId,
        /// The record that owns the member.
        owner: Origin,
    },
    /// The directory has the member, the ledger does not.
    Unexpected {
        /// The member.
        userid: UserId,
    },
    /// The member is in other departments.
    Moved {
        /// The member.
        userid: UserId,
        /// The record that owns the member.
        owner: Origin,
        /// The departments as ruzhi wrote them.
        #[schema(value_type = Vec<u32>)]
        ledger: BTreeSet<DepartmentId>,
        /// The departments as they are.
        #[schema(value_type = Vec<u32>)]
        directory: BTreeSet<DepartmentId>,
    },
    /// A field differs. Its values are personal data, and are not stored with the difference.
    Changed {
        /// The member.
        userid: UserId,
        /// The record that owns the member.
        owner: Origin,
        /// WeCom's name of the field.
        field: String,
        /// The value as ruzhi wrote it.
        #[serde(skip)]
        ledger: Value,
        /// The value as it is.
        #[serde(skip)]
        directory: Value,
    },
}

impl DriftFinding {
    /// The member.
    pub fn userid(&self) -> &UserId {
        match self {
            Self::Missing { userid, .. }
            | Self::Unexpected { userid }
            | Self::Moved { userid, .. }
            | Self::Changed { userid, .. } => userid,
        }
    }

    /// True if the difference is gone once this operation on its member is done. `entry` is the member's line of the
    /// ledger afterwards.
    pub fn is_settled_by(&self, operation: &Operation, entry: Option<&LedgerEntry>) -> bool {
        match (self, operation.kind) {
            (_, OperationKind::Create | OperationKind::Adopt | OperationKind::Delete) => true,
            // The ledger may still want the member back.
            (Self::Missing { .. }, OperationKind::Keep) => !entry.is_some_and(is_expected),
            (Self::Missing { .. } | Self::Unexpected { .. }, _) => true,
            (Self::Moved { .. }, _) => operation.body.contains_key("department"),
            (Self::Changed { field, .. }, _) => operation.body.contains_key(field),
        }
    }

    /// The record that owns the member, if ruzhi manages them.
    pub fn owner(&self) -> Option<&Origin> {
        match self {
            Self::Missing { owner, .. } | Self::Moved { owner, .. } | Self::Changed { owner, .. } => {
                Some(owner)
            }
            Self::Unexpected { .. } => None,
        }
    }

    /// The difference for a person, without the member. `label` names a field.
    pub fn text(&self, label: impl Fn(&str) -> String) -> Text {
        match self {
            Self::Missing { .. } => Text::new("was removed from WeCom", "已从企业微信中删除"),
            Self::Unexpected { .. } => {
                Text::new("is in WeCom and not managed by ruzhi", "在企业微信中，但不由 ruzhi 管理")
            }
            Self::Moved { ledger, directory, .. } => {
                let (before, after) = (listed(ledger), listed(directory));
                Text::new(
                    format!("departments changed: {before} → {after}"),
                    format!("部门被改动：{before} → {after}"),
                )
            }
            Self::Changed { field, .. } => {
                let field = label(field);
                Text::new(format!("`{field}` was changed"), format!("字段 {field} 被改动"))
            }
        }
    }

    /// The field concerned and its value in the directory; none if the finding is about the whole member.
    fn held(&self) -> Option<(String, Value)> {
        match self {
            Self::Missing { .. } | Self::Unexpected { .. } => None,
            Self::Moved { directory, .. } => Some(("department".to_owned(), json!(directory))),
            Self::Changed { field, directory, .. } => Some((field.clone(), directory.clone())),
        }
    }
}

fn listed(departments: &BTreeSet<DepartmentId>) -> String {
    departments.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A member as the directory shows them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DirectoryMember {
    /// The departments.
    pub departments: BTreeSet<DepartmentId>,
    /// The member's fields, where a credential may read them.
    pub details: Option<Map<String, Value>>,
}

/// The differences of one member of the ledger. Changes by hand that a person let stand are not differences.
pub fn compare(entry: &LedgerEntry, shown: Option<&DirectoryMember>) -> Vec<DriftFinding> {
    if !is_expected(entry) {
        return Vec::new();
    }
    let (userid, owner) = (&entry.userid, &entry.owner);
    let Some(shown) = shown.filter(|_| entry.exists()) else {
        return vec![DriftFinding::Missing { userid: userid.clone(), owner: owner.clone() }];
    };
    let mut findings = Vec::new();
    let ledger: BTreeSet<DepartmentId> =
        entry.written.memberships.iter().map(|membership| DepartmentId(membership.department)).collect();
    if !ledger.is_empty() && ledger != shown.departments {
        findings.push(DriftFinding::Moved {
            userid: userid.clone(),
            owner: owner.clone(),
            ledger,
            directory: shown.departments.clone(),
        });
    }
    for (field, ledger) in spoken_of(entry) {
        let Some(directory) = shown.details.as_ref().and_then(|details| details.get(field)) else { continue };
        // A field that a credential may not read looks empty.
        let hidden = matches!(field, "mobile" | "email" | "gender" | "address")
            && matches!(directory, Value::String(text) if text.is_empty() || text == "0");
        if !hidden && *directory != ledger {
            findings.push(DriftFinding::Changed {
                userid: userid.clone(),
                owner: owner.clone(),
                field: field.to_owned(),
                ledger,
                directory: directory.clone(),
            });
        }
    }
    findings
        .retain(|finding| finding.held().is_none_or(|(field, value)| entry.kept.get(&field) != Some(&value)));
    findings
}

/// True if the directory should have the member, as far as the ledger goes: also one who was removed by hand, until a
/// person has let go.
fn is_expected(entry: &LedgerEntry) -> bool {
    let is_released = entry.removal_answer == Some(RemovalAnswer::Release);
    entry.exists() || (entry.state == MemberState::Removed && !is_released)
}

/// The fields ruzhi has written, as user/get shows them.
fn spoken_of(entry: &LedgerEntry) -> Vec<(&'static str, Value)> {
    let Member {
        name, mobile, email, position, alias, telephone, gender, address, external_position, ..
    } = &entry.written;
    let mut fields = vec![("name", json!(name))];
    let texts = [
        ("mobile", mobile),
        ("email", email),
        ("position", position),
        ("alias", alias),
        ("telephone", telephone),
        ("gender", gender),
        ("address", address),
        ("external_position", external_position),
    ];
    fields.extend(texts.into_iter().filter_map(|(field, text)| Some((field, json!(text.as_ref()?)))));
    if let Some(leaders) = &entry.written.direct_leader {
        fields.push(("direct_leader", json!(leaders)));
    }
    if let Some(main) = entry.written.main_department {
        fields.push(("main_department", json!(main)));
    }
    if entry.state == MemberState::Left || entry.written.enable == Some(false) {
        fields.push(("enable", json!(0)));
    } else if entry.state == MemberState::Active {
        fields.push(("enable", json!(1)));
    }
    fields
}

/// The operation that settles the differences of one member.
pub fn settle(
    entry: &LedgerEntry,
    findings: &[DriftFinding],
    settle: DriftResolution,
    policy: &Policy,
) -> Option<Disposition> {
    let gone = findings.iter().any(|finding| matches!(finding, DriftFinding::Missing { .. }));
    if findings.is_empty() {
        return None;
    }
    let (kind, body, member) = match settle {
        DriftResolution::Adopt => return None,
        DriftResolution::Keep => {
            let held = findings.iter().filter_map(DriftFinding::held).collect();
            (OperationKind::Keep, held, entry.written.clone())
        }
        // A leaver who is gone is where they were going.
        DriftResolution::Overwrite if gone && entry.state == MemberState::Left => {
            (OperationKind::Keep, Map::new(), entry.written.clone())
        }
        // A member is never invited a second time.
        DriftResolution::Overwrite if gone => {
            let member = Member { to_invite: Some(false), direct_leader: None, ..entry.written.clone() };
            (OperationKind::Create, body::create(&member), member)
        }
        DriftResolution::Overwrite => {
            let whole = body::whole(&entry.written);
            let mut body = Map::new();
            for finding in findings {
                match finding {
                    DriftFinding::Moved { .. } => {
                        for field in ["department", "is_leader_in_dept", "order", "main_department"] {
                            body.extend(whole.get(field).map(|value| (field.to_owned(), value.clone())));
                        }
                    }
                    DriftFinding::Changed { field, ledger, .. } => {
                        body.insert(field.clone(), ledger.clone());
                    }
                    DriftFinding::Missing { .. } | DriftFinding::Unexpected { .. } => {}
                }
            }
            (OperationKind::Update, body, entry.written.clone())
        }
    };
    if policy.protected.contains(&entry.userid.key()) {
        return Some(rejected(vec![protected()]));
    }
    let mut body = body;
    if kind == OperationKind::Update {
        body.insert("userid".to_owned(), json!(entry.userid));
    }
    Some(Disposition::Operation(Box::new(Operation {
        kind,
        userid: entry.userid.clone(),
        flow: entry.owner.flow.clone(),
        record: entry.owner.record.clone(),
        body,
        member,
        before: Some(entry.clone()),
        decision: entry.carried_out.clone().unwrap_or_else(|| Digest::of("")),
        rules: entry.rules.clone(),
        left: entry.state == MemberState::Left,
        names: None,
        // The next sync sets the direct leader.
        partial: kind == OperationKind::Create && entry.written.direct_leader.is_some(),
        parks: None,
        tries: 0,
        notes: Vec::new(),
        undoes: gone && settle == DriftResolution::Keep,
    })))
}
