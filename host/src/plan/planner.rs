//! From the world to a plan.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::body;
use super::claims::{self, Claim};
use super::guard::GuardVerdict;
use super::waves;
use super::world::{Directory, LedgerEntry, MemberState, Policy, RecordState, Resolution, World};
use crate::model::{
    Decision, DepartmentId, Digest, DigestOfParts, FlowId, Member, MemberKey, Operation, OperationKind,
    PlanId, RecordId, Refusal, RefusedBy, TenantId, Text, UserId, Violation,
};

/// What a plan says of one record of its flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// An operation carries it out.
    Acting {
        /// Its place in [`Plan::operations`].
        operation: usize,
    },
    /// The directory is as the record wants it.
    Unchanged,
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

/// The operations of one run, with what the guard says of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Names tenant, flow, world and operations: the same world gives the same id.
    pub id: PlanId,
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Digest of everything below and of the world it was made from.
    pub hash: Digest,
    /// What is to be done, in order.
    pub operations: Vec<Operation>,
    /// What the guard says.
    pub guard: GuardVerdict,
    /// One for each record of the flow.
    pub standings: BTreeMap<RecordId, Standing>,
    /// Members in the directory that ruzhi owns.
    pub owned: usize,
    /// It tries quarantined records again.
    pub retry: bool,
}

/// A plan, and whether it was made without knowledge it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The plan.
    pub plan: Plan,
    /// It creates members or changes departments and was made without the directory: fetch it and draft again.
    pub needs_directory: bool,
}

/// Makes the plan of one flow. Without a directory the result may say that it needs one.
pub fn draft(world: &World, directory: Option<&Directory>, policy: &Policy, now: DateTime<Utc>) -> Drafted {
    let claims = claims::resolve(world, policy);
    let mut owned: HashMap<_, Vec<_>> = HashMap::new();
    for entry in world.ledger.values().filter(|entry| entry.state == MemberState::Active) {
        owned.entry((&entry.flow, &entry.record)).or_default().push(entry);
    }
    let mut planner =
        Planner { world, directory, policy, now, needs_directory: false, operations: Vec::new(), owned };
    let mut standings: BTreeMap<RecordId, Standing> = BTreeMap::new();
    let created = created_here(world, &claims);
    let mut in_order: Vec<(&RecordState, &Claim)> =
        world.records.iter().zip(&claims).filter(|(record, _)| record.flow == world.flow).collect();
    in_order.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    for (record, claim) in in_order {
        standings.insert(record.id.clone(), planner.stand(record, claim, &created));
    }
    let Planner { mut operations, needs_directory, .. } = planner;
    let before: BTreeMap<MemberKey, Member> = operations
        .iter()
        .filter_map(|operation| {
            let key = operation.userid.key();
            world.ledger.get(&key).filter(|entry| entry.exists()).map(|entry| (key, entry.written.clone()))
        })
        .collect();
    waves::arrange(&mut operations, &before);
    // Applied in this order: wave by wave, within one by record.
    operations.sort_by_key(|operation| operation.wave);
    for (place, operation) in operations.iter().enumerate() {
        standings.insert(operation.record.clone(), Standing::Acting { operation: place });
    }
    let owned = world.ledger.values().filter(|entry| entry.exists()).count();
    let guard = policy.guard.judge(&operations, owned);
    let hash = hash(world, &operations, &guard);
    let id = plan_id(&hash);
    Drafted {
        plan: Plan {
            id,
            tenant: world.tenant.clone(),
            flow: world.flow.clone(),
            hash,
            operations,
            guard,
            standings,
            owned,
            retry: policy.retry,
        },
        needs_directory,
    }
}

struct Planner<'a> {
    world: &'a World,
    directory: Option<&'a Directory>,
    policy: &'a Policy,
    now: DateTime<Utc>,
    needs_directory: bool,
    operations: Vec<Operation>,
    /// Members in the directory that have not left, by the record that owns them.
    owned: HashMap<(&'a FlowId, &'a RecordId), Vec<&'a LedgerEntry>>,
}

impl Planner<'_> {
    fn stand(
        &mut self,
        record: &RecordState,
        claim: &Claim,
        created: &BTreeMap<MemberKey, UserId>,
    ) -> Standing {
        match claim {
            Claim::Refused(violation) => return refused(vec![violation.clone()]),
            Claim::SameAs(other) => {
                return Standing::Ignored {
                    reason: self.beside(*other, "the same person as record", "与记录相同："),
                };
            }
            Claim::Overruled(other) => {
                return Standing::Ignored {
                    reason: self.beside(*other, "a newer record speaks of this person:", "已有更新的记录："),
                };
            }
            Claim::Free => {}
        }
        match &record.resolution {
            Resolution::Failed(reason) => Standing::Failed { reason: reason.clone() },
            Resolution::Decided(Decision::Ignore(reason)) => Standing::Ignored { reason: reason.clone() },
            Resolution::Decided(Decision::Reject(violations)) => Standing::Refused {
                refusal: Refusal { by: RefusedBy::Guest, violations: violations.clone(), errcode: None },
            },
            Resolution::Decided(Decision::Upsert(member)) => self.upsert(record, member, created),
            Resolution::Decided(Decision::Leave(userid)) => self.leave(record, userid),
        }
    }

    fn beside(&self, other: usize, en: &str, zh: &str) -> String {
        let name = self.world.records.get(other).map(|r| format!("{}/{}", r.flow, r.id)).unwrap_or_default();
        Text::new(format!("{en} {name}"), format!("{zh}{name}")).both()
    }

    fn upsert(
        &mut self,
        record: &RecordState,
        member: &Member,
        created: &BTreeMap<MemberKey, UserId>,
    ) -> Standing {
        if let Some(owned) = self.owned_otherwise(record, &MemberKey::of(&member.userid)) {
            return refused(vec![renamed(owned, &member.userid)]);
        }
        let Ok(userid) = member.userid.parse::<UserId>() else {
            return refused(vec![violation("userid", "userid.charset", "not a valid userid", "帐号不合规")]);
        };
        let key = userid.key();
        let appeared = self.directory.is_some_and(|directory| directory.members.contains_key(&key));
        let line = self.world.ledger.get(&key);
        let entry = line.filter(|entry| entry.exists() || (appeared && entry.may_appear()));
        let (kind, body, after) = match entry {
            None => (OperationKind::Create, body::create(member), member.clone()),
            Some(entry) => {
                let mut change =
                    if entry.doubtful { body::whole(member) } else { body::changes(&entry.written, member) };
                let mut after = body::merged(&entry.written, member);
                if entry.state == MemberState::Left && member.enable != Some(false) {
                    change.insert("enable".to_owned(), json!(1));
                    after.enable = member.enable;
                }
                if change.is_empty() {
                    return Standing::Unchanged;
                }
                let kind = match change.get("enable").and_then(Value::as_u64) {
                    Some(0) => OperationKind::Disable,
                    Some(_) if entry.state == MemberState::Left => OperationKind::Enable,
                    Some(_) if entry.written.enable == Some(false) => OperationKind::Enable,
                    _ => OperationKind::Update,
                };
                let mut body = Map::new();
                body.insert("userid".to_owned(), json!(entry.userid));
                body.append(&mut change);
                (kind, body, after)
            }
        };
        if self.policy.protected.contains(&key) {
            return refused(vec![protected()]);
        }
        if let Some(refusal) = self.standing_refusal(record) {
            return Standing::Refused { refusal };
        }
        let speaks_of_directory = kind == OperationKind::Create
            || body.contains_key("department")
            || body.contains_key("direct_leader");
        if speaks_of_directory {
            match self.directory {
                None => self.needs_directory = true,
                Some(directory) => {
                    let violations = against_directory(directory, kind, &key, &body, &after, created);
                    if !violations.is_empty() {
                        return refused(violations);
                    }
                }
            }
        }
        let userid = entry.map_or(userid, |entry| entry.userid.clone());
        self.act(record, kind, userid, body, after, false)
    }

    fn leave(&mut self, record: &RecordState, userid: &str) -> Standing {
        let key = MemberKey::of(userid);
        let Some(entry) = self.world.ledger.get(&key) else {
            return Standing::Ignored {
                reason: Text::new(
                    "has left, and was never a member that ruzhi created",
                    "已离职，且不是 ruzhi 创建的成员",
                )
                .both(),
            };
        };
        let kind = match entry.state {
            MemberState::Deleted => return Standing::Unchanged,
            MemberState::Left if !self.grace_is_over(entry) => return Standing::Unchanged,
            MemberState::Left => OperationKind::Delete,
            MemberState::Active => OperationKind::Disable,
        };
        if self.policy.protected.contains(&key) {
            return refused(vec![protected()]);
        }
        if let Some(refusal) = self.standing_refusal(record) {
            return Standing::Refused { refusal };
        }
        let mut body = Map::new();
        body.insert("userid".to_owned(), json!(entry.userid));
        if kind == OperationKind::Disable {
            body.insert("enable".to_owned(), json!(0));
        }
        self.act(record, kind, entry.userid.clone(), body, entry.written.clone(), true)
    }

    /// Another member this record owns: its userid was changed. WeCom cannot rename a member, and a second account would
    /// leave the first behind.
    fn owned_otherwise(&self, record: &RecordState, key: &MemberKey) -> Option<&UserId> {
        let owned = self.owned.get(&(&record.flow, &record.id))?;
        owned.iter().copied().find(|entry| entry.userid.key() != *key).map(|entry| &entry.userid)
    }

    fn grace_is_over(&self, entry: &LedgerEntry) -> bool {
        entry
            .left_at
            .and_then(|left| left.checked_add_signed(self.policy.grace))
            .is_some_and(|end| end <= self.now)
    }

    /// The refusal that still stands: the decision and the rules are the ones that were refused, and nothing new is
    /// known. What only the directory refused is looked at again whenever the directory is at hand anyway.
    fn standing_refusal(&self, record: &RecordState) -> Option<Refusal> {
        let stored = record.refusal.as_ref()?;
        let same = stored.decision == record.decision && stored.rules == record.rules;
        let settled_elsewhere = match stored.refusal.by {
            RefusedBy::Wecom => true,
            RefusedBy::Plan => self.directory.is_none() && speaks_of_directory(&stored.refusal),
            RefusedBy::Guest => false,
        };
        (same && settled_elsewhere && !self.policy.retry).then(|| stored.refusal.clone())
    }

    fn act(
        &mut self,
        record: &RecordState,
        kind: OperationKind,
        userid: UserId,
        body: Map<String, Value>,
        member: Member,
        left: bool,
    ) -> Standing {
        self.operations.push(Operation {
            kind,
            userid,
            flow: record.flow.clone(),
            record: record.id.clone(),
            wave: 0,
            body,
            member,
            decision: record.decision.clone(),
            rules: record.rules.clone(),
            left,
        });
        Standing::Acting { operation: self.operations.len() - 1 }
    }
}

/// The members that this world's records would create: a leader may be among them.
fn created_here(world: &World, claims: &[Claim]) -> BTreeMap<MemberKey, UserId> {
    world
        .records
        .iter()
        .zip(claims)
        .filter(|(_, claim)| **claim == Claim::Free)
        .filter_map(|(record, _)| match &record.resolution {
            Resolution::Decided(Decision::Upsert(member)) => {
                member.userid.parse::<UserId>().ok().map(|userid| (userid.key(), userid))
            }
            _ => None,
        })
        .collect()
}

const UNKNOWN_DEPARTMENT: &str = "department.unknown";
const UNKNOWN_LEADER: &str = "direct-leader.unknown";
const FOREIGN: &str = "member.foreign";

fn speaks_of_directory(refusal: &Refusal) -> bool {
    refusal
        .violations
        .iter()
        .any(|v| [UNKNOWN_DEPARTMENT, UNKNOWN_LEADER, FOREIGN].contains(&v.rule.as_str()))
}

/// What the directory's ids forbid. WeCom itself would create an unknown department without a word.
fn against_directory(
    directory: &Directory,
    kind: OperationKind,
    key: &MemberKey,
    body: &Map<String, Value>,
    member: &Member,
    created: &BTreeMap<MemberKey, UserId>,
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
            if !directory.members.contains_key(&leader_key) && !created.contains_key(&leader_key) {
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

fn violation(field: &str, rule: &str, en: &str, zh: &str) -> Violation {
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

fn protected() -> Violation {
    violation(
        "userid",
        "member.protected",
        "this member is protected in the tenant's file and is never written",
        "该成员在租户文件中受保护，不会被改动",
    )
}

fn refused(violations: Vec<Violation>) -> Standing {
    Standing::Refused { refusal: Refusal { by: RefusedBy::Plan, violations, errcode: None } }
}

/// Covers source (decisions), guest (rules), ledger and what is to be done: an approval is for exactly this.
fn hash(world: &World, operations: &[Operation], guard: &GuardVerdict) -> Digest {
    let mut records: Vec<&RecordState> = world.records.iter().collect();
    records.sort_by(|a, b| (&a.flow, &a.id).cmp(&(&b.flow, &b.id)));
    let mut hasher = DigestOfParts::new();
    hasher.part(world.tenant.as_str());
    hasher.part(world.flow.as_str());
    for record in records {
        for part in
            [record.flow.as_str(), record.id.as_str(), record.decision.as_str(), record.rules.as_str()]
        {
            hasher.part(part);
        }
    }
    for (key, entry) in &world.ledger {
        hasher.json(&(key, entry.state, &entry.record, entry.doubtful, entry.left_at, &entry.written));
    }
    for operation in operations {
        hasher.json(operation);
    }
    hasher.json(guard);
    hasher.finish()
}

#[expect(clippy::expect_used, reason = "twelve hexadecimal digits after a letter are a valid id")]
fn plan_id(hash: &Digest) -> PlanId {
    format!("p{}", hash.short()).parse().expect("a plan id")
}
