//! From the world to a plan.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::body;
use super::claims::{self, Claim, Claims, named};
use super::draft::{Draft, Plan, Purpose};
use super::waves::Order;
use super::world::{Candidate, Directory, Existing, Policy, RecordState, Resolution, Scope, Survey, Totals};
use crate::model::{
    Decision, DepartmentId, LedgerEntry, Member, MemberKey, MemberState, Operation, OperationKind, Origin,
    Refusal, RefusedBy, Text, UserId, Violation,
};

/// What a plan says of one record of its flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// An operation carries it out.
    Acting(Box<Operation>),
    /// The directory is as the record wants it.
    Unchanged {
        /// The record owns the member, and the ledger may say that its decision is carried out.
        confirmed: bool,
    },
    /// The record says nothing of the directory.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The record is in quarantine.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The record could not be decided.
    Failed {
        /// Why.
        reason: String,
    },
}

const UNCHANGED: Standing = Standing::Unchanged { confirmed: false };

/// Makes the plan of one flow from its candidates, one after the other. It is a fold without any side effect: the same
/// survey, candidates, directory, policy and moment give the same plan.
pub struct Planner<'a> {
    scope: &'a Scope,
    directory: Option<&'a Directory>,
    /// Members that this plan creates, where a first look has found them: a leader may be among them.
    created: &'a HashSet<MemberKey>,
    policy: &'a Policy,
    now: DateTime<Utc>,
    claims: Claims,
    needs_directory: bool,
    draft: Draft,
    totals: Totals,
}

impl<'a> Planner<'a> {
    /// A planner that has seen no candidate yet. Without a directory the plan may turn out to need one.
    pub fn new(
        scope: &'a Scope,
        survey: &Survey,
        directory: Option<&'a Directory>,
        created: &'a HashSet<MemberKey>,
        policy: &'a Policy,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            scope,
            directory,
            created,
            policy,
            now,
            claims: claims::resolve(survey, policy.duplicates),
            needs_directory: false,
            draft: Draft::new(scope.tenant.clone(), scope.flow.clone(), Purpose::Sync, policy.retry, survey),
            totals: survey.totals,
        }
    }

    /// Records of the flow whose claim something stands in the way of: they are candidates whatever the ledger says.
    pub fn contested(&self) -> Vec<Origin> {
        let ours = |origin: &&Origin| origin.tenant == self.scope.tenant && origin.flow == self.scope.flow;
        let mut contested: Vec<Origin> = self.claims.keys().filter(ours).cloned().collect();
        contested.sort();
        contested
    }

    /// Whether the plan creates members or changes departments and was made without the directory.
    pub fn needs_directory(&self) -> bool {
        self.needs_directory
    }

    /// What becomes of a record.
    pub fn consider(&mut self, candidate: &Candidate) -> Standing {
        let standing = self.stand(candidate);
        self.draft.add(&candidate.record.origin, &standing);
        let total = match &candidate.record.resolution {
            // A row that is gone is in no total.
            _ if candidate.record.absent => return standing,
            Resolution::Decided(Decision::Upsert(_)) => &mut self.totals.upserts,
            Resolution::Decided(Decision::Leave(_)) if candidate.entry.is_some() => &mut self.totals.leavers,
            Resolution::Decided(Decision::Leave(_)) => &mut self.totals.strangers,
            _ => return standing,
        };
        *total = total.saturating_sub(1);
        standing
    }

    /// The plan, and the order of its operations.
    pub fn finish(mut self) -> (Plan, Order) {
        let Totals { upserts, leavers, strangers, ignored } = self.totals;
        self.draft.pass_over(upserts + leavers, strangers + ignored);
        self.draft.finish(&self.policy.guard)
    }

    fn stand(&mut self, candidate: &Candidate) -> Standing {
        let record = &candidate.record;
        match self.claims.get(&record.origin) {
            Some(Claim::Refused(violation)) => return refused(vec![violation.clone()]),
            Some(Claim::SameAs(other)) => {
                return self.beside(other, "the same person as record", "与记录相同：");
            }
            Some(Claim::Overruled(other)) if other.tenant != record.origin.tenant => {
                return self.beside(other, "this person moves to record", "此人转至记录：");
            }
            Some(Claim::Overruled(other)) => {
                return self.beside(other, "a newer record speaks of this person:", "已有更新的记录：");
            }
            None => {}
        }
        match &record.resolution {
            Resolution::Failed(reason) => Standing::Failed { reason: reason.clone() },
            Resolution::Decided(Decision::Ignore(reason)) => Standing::Ignored { reason: reason.clone() },
            Resolution::Decided(Decision::Reject(violations)) => Standing::Refused {
                refusal: Refusal { by: RefusedBy::Guest, violations: violations.clone(), errcode: None },
            },
            Resolution::Decided(Decision::Upsert(member)) => self.upsert(candidate, member),
            Resolution::Decided(Decision::Leave(_)) => self.leave(candidate),
        }
    }

    fn beside(&self, other: &Origin, en: &str, zh: &str) -> Standing {
        let name = named(other, &self.scope.tenant);
        Standing::Ignored { reason: Text::new(format!("{en} {name}"), format!("{zh}{name}")).both() }
    }

    fn upsert(&mut self, candidate: &Candidate, member: &Member) -> Standing {
        let record = &candidate.record;
        if let Some(owned) = candidate.also_owns.first() {
            return refused(vec![renamed(owned, &member.userid)]);
        }
        let Ok(userid) = member.userid.parse::<UserId>() else {
            return refused(vec![violation("userid", "userid.charset", "not a valid userid", "帐号不合规")]);
        };
        let line = candidate.entry.as_ref();
        // Someone who was adopted under another account and is gone says nothing of the account that is to be made.
        let known = line.filter(|entry| entry.exists() || entry.may_appear());
        let key = known.map_or_else(|| userid.key(), |entry| entry.userid.key());
        let there = self.directory.and_then(|directory| directory.members.get(&key));
        let entry = line.filter(|entry| entry.exists() || (there.is_some() && entry.may_appear()));
        let adopted = there.filter(|_| entry.is_none() && self.policy.existing == Existing::Adopt);
        let (kind, mut body, after) = match (entry, adopted) {
            (None, None) => (OperationKind::Create, body::create(member), member.clone()),
            (None, Some(_)) => (OperationKind::Update, body::whole(member), member.clone()),
            (Some(entry), _) => {
                let mut after = body::merged(&entry.written, member);
                // In doubt, also what the rules no longer speak of is sent as the ledger has it.
                let mut change =
                    if entry.doubtful { body::whole(&after) } else { body::changes(&entry.written, member) };
                if entry.state == MemberState::Left && member.enable != Some(false) {
                    change.insert("enable".to_owned(), json!(1));
                    after.enable = member.enable;
                }
                if change.is_empty() {
                    return self.unchanged(record, entry, after);
                }
                let kind = match change.get("enable").and_then(Value::as_u64) {
                    Some(0) => OperationKind::Disable,
                    Some(_) if entry.state == MemberState::Left => OperationKind::Enable,
                    Some(_) if entry.written.enable == Some(false) => OperationKind::Enable,
                    _ => OperationKind::Update,
                };
                (kind, change, after)
            }
        };
        let userid = entry.map(|entry| &entry.userid).or(adopted).cloned().unwrap_or(userid);
        if kind != OperationKind::Create {
            body.insert("userid".to_owned(), json!(userid));
        }
        if self.is_protected(candidate) {
            return refused(vec![protected()]);
        }
        if let Some(refusal) = self.standing_refusal(record, kind) {
            return Standing::Refused { refusal };
        }
        let speaks_of_directory = kind == OperationKind::Create
            || body.contains_key("department")
            || body.contains_key("direct_leader");
        if speaks_of_directory {
            match self.directory {
                None => self.needs_directory = true,
                Some(directory) => {
                    let violations = against_directory(directory, kind, &key, &body, &after, self.created);
                    if !violations.is_empty() {
                        return refused(violations);
                    }
                }
            }
        }
        act(candidate, kind, userid, body, after, false)
    }

    /// Nothing has to be written. Where another tenant owned the member, the ledger still learns that they moved.
    fn unchanged(&self, record: &RecordState, entry: &LedgerEntry, after: Member) -> Standing {
        if entry.owner.tenant != record.origin.tenant {
            let candidate =
                Candidate { record: record.clone(), entry: Some(entry.clone()), also_owns: Vec::new() };
            if self.is_protected(&candidate) {
                return refused(vec![protected()]);
            }
            return act(&candidate, OperationKind::Adopt, entry.userid.clone(), Map::new(), after, false);
        }
        Standing::Unchanged {
            confirmed: entry.owner == record.origin
                && entry.state == MemberState::Active
                && entry.carried_out.as_ref() != Some(&record.decision),
        }
    }

    fn leave(&mut self, candidate: &Candidate) -> Standing {
        let record = &candidate.record;
        let ours = candidate.entry.as_ref().filter(|entry| entry.owner.tenant == record.origin.tenant);
        let Some(entry) = ours else {
            return Standing::Ignored {
                reason: Text::new(
                    "has left, and was never a member that ruzhi created",
                    "已离职，且不是 ruzhi 创建的成员",
                )
                .both(),
            };
        };
        let kind = match entry.state {
            // A create that was lost may have happened since: then there is someone to disable.
            MemberState::Deleted if entry.may_appear() && self.has_appeared(entry) => OperationKind::Disable,
            MemberState::Deleted => return UNCHANGED,
            MemberState::Left if entry.left_at.is_none() => OperationKind::Disable,
            MemberState::Left if !self.grace_is_over(entry) => return UNCHANGED,
            MemberState::Left => OperationKind::Delete,
            MemberState::Active => OperationKind::Disable,
        };
        if self.is_protected(candidate) {
            return refused(vec![protected()]);
        }
        if let Some(refusal) = self.standing_refusal(record, kind) {
            return Standing::Refused { refusal };
        }
        let mut body = Map::new();
        body.insert("userid".to_owned(), json!(entry.userid));
        if kind == OperationKind::Disable {
            body.insert("enable".to_owned(), json!(0));
        }
        act(candidate, kind, entry.userid.clone(), body, entry.written.clone(), true)
    }

    /// A member is protected by the account in the directory and by the one the record names.
    fn is_protected(&self, candidate: &Candidate) -> bool {
        let named = match &candidate.record.resolution {
            Resolution::Decided(Decision::Upsert(member)) => Some(MemberKey::of(&member.userid)),
            Resolution::Decided(Decision::Leave(userid)) => Some(MemberKey::of(userid)),
            _ => None,
        };
        let written = candidate.entry.as_ref().map(|entry| entry.userid.key());
        named.iter().chain(&written).any(|key| self.policy.protected.contains(key))
    }

    fn has_appeared(&mut self, entry: &LedgerEntry) -> bool {
        self.needs_directory |= self.directory.is_none();
        self.directory.is_some_and(|directory| directory.members.contains_key(&entry.userid.key()))
    }

    fn grace_is_over(&self, entry: &LedgerEntry) -> bool {
        entry
            .left_at
            .and_then(|left| left.checked_add_signed(self.policy.grace))
            .is_some_and(|end| end <= self.now)
    }

    /// The refusal that still stands: the decision and the rules are the ones that were refused, and nothing new is
    /// known. What only the directory refused is looked at again whenever the directory is at hand anyway.
    fn standing_refusal(&self, record: &RecordState, kind: OperationKind) -> Option<Refusal> {
        let stored = record.refusal.as_ref()?;
        let same = stored.decision == record.decision && stored.rules == record.rules;
        let settled_elsewhere = match stored.refusal.by {
            RefusedBy::Wecom | RefusedBy::Person => true,
            RefusedBy::Plan => self.directory.is_none() && speaks_of_directory(&stored.refusal, kind),
            RefusedBy::Guest => false,
        };
        (same && settled_elsewhere && !self.policy.retry).then(|| stored.refusal.clone())
    }
}

fn act(
    candidate: &Candidate,
    kind: OperationKind,
    userid: UserId,
    body: Map<String, Value>,
    member: Member,
    left: bool,
) -> Standing {
    let record = &candidate.record;
    Standing::Acting(Box::new(Operation {
        kind,
        userid,
        flow: record.origin.flow.clone(),
        record: record.origin.record.clone(),
        body,
        member,
        before: candidate.entry.clone(),
        decision: record.decision.clone(),
        rules: record.rules.clone(),
        left,
        names: None,
        partial: false,
        undoes: false,
    }))
}

const UNKNOWN_DEPARTMENT: &str = "department.unknown";
const UNKNOWN_LEADER: &str = "direct-leader.unknown";
const FOREIGN: &str = "member.foreign";

fn speaks_of_directory(refusal: &Refusal, kind: OperationKind) -> bool {
    // A member that has become ruzhi's is no longer a foreign one.
    let speaks = |rule: &str| match rule {
        FOREIGN => kind == OperationKind::Create,
        UNKNOWN_DEPARTMENT | UNKNOWN_LEADER => true,
        _ => false,
    };
    refusal.violations.iter().any(|violation| speaks(&violation.rule))
}

/// What the directory's ids forbid. WeCom itself would create an unknown department without a word.
fn against_directory(
    directory: &Directory,
    kind: OperationKind,
    key: &MemberKey,
    body: &Map<String, Value>,
    member: &Member,
    created: &HashSet<MemberKey>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    if let Some(existing) = directory.members.get(key).filter(|_| kind == OperationKind::Create) {
        violations.push(violation(
            "userid",
            FOREIGN,
            &format!(
                "{existing} is already in WeCom and was not created by ruzhi; give this person another userid"
            ),
            &format!("企业微信中已有成员 {existing}，且不是 ruzhi 创建的；请更换帐号"),
        ));
    }
    if body.contains_key("department") {
        let unknown: Vec<String> = member
            .memberships
            .iter()
            .map(|m| DepartmentId(m.department))
            .filter(|id| !directory.departments.contains(id))
            .map(|id| id.to_string())
            .collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            violations.push(violation(
                "department",
                UNKNOWN_DEPARTMENT,
                &format!("department {unknown} does not exist in WeCom; correct the row, or create it and run `ruzhi sync --full`"),
                &format!("企业微信中没有部门 {unknown}；请更正，或先建立该部门再运行 `ruzhi sync --full`"),
            ));
        }
    }
    if body.contains_key("direct_leader") {
        for leader in member.direct_leader.iter().flatten() {
            let leader_key = MemberKey::of(leader);
            if !directory.members.contains_key(&leader_key) && !created.contains(&leader_key) {
                violations.push(violation(
                    "direct_leader",
                    UNKNOWN_LEADER,
                    &format!("the leader {leader} is not in WeCom; correct the row, or add the leader first"),
                    &format!("企业微信中没有直属上级 {leader}；请更正，或先添加该上级"),
                ));
            }
        }
    }
    violations
}

pub(super) fn violation(field: &str, rule: &str, en: &str, zh: &str) -> Violation {
    Violation { field: field.to_owned(), rule: rule.to_owned(), message: Text::new(en, zh).both() }
}

fn renamed(owned: &UserId, wanted: &str) -> Violation {
    violation(
        "userid",
        "userid.changed",
        &format!(
            "this row's person is the member {owned}, and WeCom cannot rename a member to {wanted}; put {owned} back, or let {owned} leave and enter the person in a new row"
        ),
        &format!(
            "该行对应的成员是 {owned}，企业微信不能把成员改名为 {wanted}；请改回 {owned}，或先办理 {owned} 离职，再用新的一行入职"
        ),
    )
}

pub(super) fn protected() -> Violation {
    violation(
        "userid",
        "member.protected",
        "this member is protected in the tenant's file and is never written",
        "该成员在租户文件中受保护，不会被改动",
    )
}

pub(super) fn refused(violations: Vec<Violation>) -> Standing {
    Standing::Refused { refusal: Refusal { by: RefusedBy::Plan, violations, errcode: None } }
}
