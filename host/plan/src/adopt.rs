//! Adopting members that were in the directory before ruzhi.
//!
//! Adoption writes nothing to the directory: the ledger learns the member's record, and the next plan sends every field
//! once, because WeCom's values cannot be read. Members that could be someone else are left to a person.

use std::collections::HashMap;

use serde_json::Map;

use super::disposition::{Disposition, plan_rejection, rejected};
use super::reasons::{protected, violation};
use super::world::{Candidate, Policy, Resolution};
use ruzhi_model::{
    Decision, Member, MemberKey, Operation, OperationKind, Origin, Rejection, Text, UserId, WaitsFor, fold,
};

/// The members of the directory that may be a record's person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdoptionMatch {
    /// The member with the userid the record names, in any case.
    pub by_userid: Option<UserId>,
    /// The member with the record's mobile number.
    pub by_mobile: Option<UserId>,
    /// That member's name, where it can be read.
    pub name: Option<String>,
}

/// The result for a record. `owners` names the records that own members already, including those of this plan.
pub fn adopt(
    candidate: &Candidate,
    found: &AdoptionMatch,
    owners: &HashMap<MemberKey, Origin>,
    policy: &Policy,
) -> Disposition {
    let record = &candidate.record;
    let Resolution::Decided(Decision::Upsert(member)) = &record.resolution else {
        return ignored("the record names no member to take over", "该记录没有要接管的成员");
    };
    if candidate.entry.as_ref().is_some_and(ruzhi_model::LedgerEntry::exists)
        || !candidate.also_owns.is_empty()
    {
        return Disposition::Unchanged { confirmed: false };
    }
    let userid = match (&found.by_userid, &found.by_mobile) {
        (None, None) => {
            return ignored(
                "no member of the directory has this userid or mobile",
                "通讯录中没有此账号或手机号",
            );
        }
        (Some(one), Some(other)) if one.key() != other.key() => {
            return ambiguous(
                &format!(
                    "the userid is {one}'s and the mobile number {other}'s; say which of them it is by correcting the row"
                ),
                &format!("账号属于 {one}，手机号却属于 {other}；请更正该行以明确是哪一位"),
            );
        }
        (Some(userid), _) | (None, Some(userid)) => userid,
    };
    if let Some(owner) = owners.get(&userid.key()) {
        return ambiguous(
            &format!("{userid} belongs to record {owner} already"),
            &format!("{userid} 已属于记录 {owner}"),
        );
    }
    let is_another = |name: &&str| !name.is_empty() && fold(name) != fold(&member.name);
    if let Some(name) = found.name.as_deref().filter(is_another) {
        return ambiguous(
            &format!(
                "{userid} is called {name} in WeCom and {} in the row; correct whichever is wrong",
                member.name
            ),
            &format!("{userid} 在企业微信中名为 {name}，该行却是 {}；请更正有误的一处", member.name),
        );
    }
    if policy.protected.contains(&userid.key()) || policy.protected.contains(&MemberKey::of(&member.userid)) {
        return rejected(vec![protected()]);
    }
    let mobile = member.mobile.clone().filter(|_| found.by_mobile.is_some());
    Disposition::Operation(Box::new(Operation {
        kind: OperationKind::Adopt,
        userid: userid.clone(),
        flow: record.origin.flow.clone(),
        record: record.origin.record.clone(),
        body: Map::new(),
        member: Member {
            userid: userid.to_string(),
            name: found.name.clone().unwrap_or_default(),
            mobile,
            ..Member::default()
        },
        before: candidate.entry.clone(),
        decision: record.decision.clone(),
        rules: record.rules.clone(),
        left: false,
        names: Some(MemberKey::of(&member.userid)).filter(|named| *named != userid.key()),
        partial: false,
        parks: None,
        tries: 0,
        notes: Vec::new(),
        undoes: false,
    }))
}

fn ignored(en: &str, zh: &str) -> Disposition {
    Disposition::Ignored { reason: Text::new(en, zh) }
}

/// The member could be someone else: the row has to say who it is.
fn ambiguous(en: &str, zh: &str) -> Disposition {
    let violation = violation("userid", "adopt.ambiguous", en, zh);
    let rejection = Rejection { waits_for: WaitsFor::Identity, ..plan_rejection(vec![violation]) };
    Disposition::Rejected { rejection }
}
