//! Who may have a member: the records that claim the same userid or mobile.
//!
//! Equal decisions are one person. Otherwise the record that already owns the member keeps it; if none does, the flow's
//! policy says. Between an upsert and a leave of the same person the record created later is right: a leaver's form
//! comes after the onboarding form, a returner's new onboarding form comes after both.

use std::collections::{BTreeMap, HashMap};

use super::world::{Duplicates, Policy, RecordState, Resolution, World};
use crate::model::{Decision, Member, MemberKey, Text, Violation};

/// What the other records' claims mean for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nothing in the way.
    Free,
    /// Another record says the same; that one acts.
    SameAs(usize),
    /// A newer record says otherwise of this person.
    Overruled(usize),
    /// Another record has the member or the mobile.
    Refused(Violation),
}

/// One claim per record of the world, in the same order.
pub(super) fn resolve(world: &World, policy: &Policy) -> Vec<Claim> {
    let mut claims = vec![Claim::Free; world.records.len()];
    by_userid(world, policy, &mut claims);
    overruled(world, &mut claims);
    by_mobile(world, policy, &mut claims);
    claims
}

fn upserts(world: &World) -> impl Iterator<Item = (usize, &RecordState, &Member)> {
    world.records.iter().enumerate().filter_map(|(at, record)| match &record.resolution {
        Resolution::Decided(Decision::Upsert(member)) => Some((at, record, member.as_ref())),
        _ => None,
    })
}

fn by_userid(world: &World, policy: &Policy, claims: &mut [Claim]) {
    let mut groups: BTreeMap<MemberKey, Vec<usize>> = BTreeMap::new();
    for (at, _, member) in upserts(world) {
        groups.entry(MemberKey::of(&member.userid)).or_default().push(at);
    }
    for (key, group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        let owner = world.ledger.get(&key).filter(|entry| entry.exists()).and_then(|entry| {
            group.iter().copied().find(|at| {
                world.records.get(*at).is_some_and(|r| r.id == entry.record && r.flow == entry.flow)
            })
        });
        let first = group.iter().filter_map(|at| world.records.get(*at)).next();
        let all_equal = group
            .iter()
            .filter_map(|at| world.records.get(*at))
            .all(|record| Some(&record.decision) == first.map(|r| &r.decision));
        if all_equal {
            let acting = owner.or_else(|| oldest(world, &group));
            for at in group {
                if let (Some(acting), Some(claim)) =
                    (acting.filter(|acting| *acting != at), claims.get_mut(at))
                {
                    *claim = Claim::SameAs(acting);
                }
            }
        } else {
            let what = Text::new(format!("the userid {key}"), format!("帐号 {key}"));
            settle(world, policy, claims, &group, owner, "userid", &what);
        }
    }
}

fn by_mobile(world: &World, policy: &Policy, claims: &mut [Claim]) {
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, _, member) in upserts(world) {
        if claims.get(at) == Some(&Claim::Free)
            && let Some(mobile) = member.mobile.as_deref().filter(|mobile| !mobile.is_empty())
        {
            groups.entry(normal_mobile(mobile)).or_default().push(at);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, group)| group.len() > 1).collect();
    groups.sort();
    for (mobile, group) in groups {
        let owner = group.iter().copied().find(|at| {
            let Some(record) = world.records.get(*at) else { return false };
            let Resolution::Decided(Decision::Upsert(member)) = &record.resolution else { return false };
            world.ledger.get(&MemberKey::of(&member.userid)).is_some_and(|entry| {
                entry.exists() && entry.written.mobile.as_deref().map(normal_mobile).as_ref() == Some(&mobile)
            })
        });
        let what = Text::new("the same mobile number", "同一手机号");
        settle(world, policy, claims, &group, owner, "mobile", &what);
    }
}

/// Refuses all of a group but the one that keeps what they claim, each named to the other.
fn settle(
    world: &World,
    policy: &Policy,
    claims: &mut [Claim],
    group: &[usize],
    owner: Option<usize>,
    field: &str,
    what: &Text,
) {
    let newest = || group.iter().copied().max_by_key(|at| world.records.get(*at).map(|r| (&r.id, &r.flow)));
    let keeper = owner.or(match policy.duplicates {
        Duplicates::Refuse => None,
        Duplicates::Newest => newest(),
    });
    for at in group.iter().copied().filter(|at| Some(*at) != keeper) {
        let others: Vec<String> = group
            .iter()
            .copied()
            .filter(|other| *other != at && keeper.is_none_or(|keeper| keeper == *other))
            .filter_map(|other| world.records.get(other))
            .map(|record| format!("{}/{}", record.flow, record.id))
            .take(5)
            .collect();
        let others = others.join(", ");
        let text = match keeper {
            Some(_) => Text::new(
                format!(
                    "{} is claimed by this record and kept by record {others}; correct whichever is wrong",
                    what.en
                ),
                format!("{}已由记录 {others} 使用，本记录与之重复；请更正有误的一条", what.zh),
            ),
            None => Text::new(
                format!(
                    "{} is claimed by this record and by record {others}; correct whichever is wrong",
                    what.en
                ),
                format!("本记录与记录 {others} 使用了{}；请更正有误的一条", what.zh),
            ),
        };
        if let Some(claim) = claims.get_mut(at) {
            *claim = Claim::Refused(Violation {
                field: field.to_owned(),
                rule: format!("{field}.duplicate"),
                message: text.both(),
            });
        }
    }
}

/// Between an upsert and a leave of the same person the newer record is right. A record that says the same as another
/// speaks for it here: a second onboarding form after the leave brings the first one back.
fn overruled(world: &World, claims: &mut [Claim]) {
    let mut spoken: BTreeMap<MemberKey, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, record) in world.records.iter().enumerate() {
        match &record.resolution {
            Resolution::Decided(Decision::Leave(userid)) => {
                spoken.entry(MemberKey::of(userid)).or_default().1.push(at);
            }
            Resolution::Decided(Decision::Upsert(member))
                if matches!(claims.get(at), Some(Claim::Free | Claim::SameAs(_))) =>
            {
                spoken.entry(MemberKey::of(&member.userid)).or_default().0.push(at);
            }
            _ => {}
        }
    }
    let order = |at: &usize| world.records.get(*at).map(|record| (&record.id, &record.flow));
    for (upserts, leaves) in spoken.into_values() {
        let Some(leave) = leaves.iter().copied().max_by_key(order) else { continue };
        let upsert = upserts.iter().copied().max_by_key(order);
        let (right, wrong) = match upsert {
            Some(upsert) if order(&upsert) > order(&leave) => (upsert, leaves),
            _ => (leave, upserts.into_iter().chain(leaves).filter(|at| *at != leave).collect()),
        };
        for at in wrong {
            if let Some(claim) = claims.get_mut(at) {
                *claim = Claim::Overruled(right);
            }
        }
    }
}

fn oldest(world: &World, group: &[usize]) -> Option<usize> {
    group.iter().copied().min_by_key(|at| world.records.get(*at).map(|r| (&r.id, &r.flow)))
}

/// A mobile for comparing: two spellings of one number are one claim.
pub(super) fn normal_mobile(mobile: &str) -> String {
    ruzhi_guest::mobile::parse(mobile).map_or_else(|_| mobile.to_owned(), |mobile| mobile.into_string())
}
