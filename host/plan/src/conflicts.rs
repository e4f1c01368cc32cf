//! Conflicts: records that claim the same userid or mobile, across all tenants of the corp.
//!
//! Between an upsert and a leave of the same person in one tenant, the record created later is right: a leaver's form
//! comes after the onboarding form, a returner's new onboarding form comes after both. A leave says that the person
//! leaves its own tenant; if another tenant wants them, they move. Of the upserts that remain, equal decisions are one
//! person; otherwise the record that already owns the member keeps it; if none does, the flow's policy decides.

use std::collections::{BTreeMap, HashMap};

use super::disposition::plan_rejection;
use super::world::{Claimant, DuplicatePolicy, Holder, MemberClaim, Survey};
use ruzhi_model::{MemberKey, Origin, Rejection, TenantId, Text, Violation, WaitsFor};

/// A field whose value two records may claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimedField {
    /// The account.
    Userid,
    /// The mobile number.
    Mobile,
}

impl ClaimedField {
    /// WeCom's name of the field.
    fn as_str(self) -> &'static str {
        match self {
            Self::Userid => "userid",
            Self::Mobile => "mobile",
        }
    }

    /// The rule of a violation that rejects such a claim.
    fn rule(self) -> &'static str {
        match self {
            Self::Userid => "userid.duplicate",
            Self::Mobile => "mobile.duplicate",
        }
    }

    /// The cause that a record rejected for such a claim waits for.
    fn waits_for(self) -> WaitsFor {
        match self {
            Self::Userid => WaitsFor::SameUserid,
            Self::Mobile => WaitsFor::SameMobile,
        }
    }

    /// The field whose value another record claims too; none if the record is rejected for another reason.
    pub fn of(rejection: &Rejection) -> Option<Self> {
        [Self::Userid, Self::Mobile].into_iter().find(|field| field.waits_for() == rejection.waits_for)
    }
}

/// The effect of the other records' claims on one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Another record has the same decision; that one acts.
    SameAs(Origin),
    /// Another record decides otherwise about this person and is right.
    Overruled(Origin),
    /// Another record has the member or the mobile.
    Rejected(Rejection),
}

/// The claims with an obstacle.
pub(super) type Conflicts = HashMap<Origin, Conflict>;

/// Settles every claim of a survey.
pub(super) fn resolve(survey: &Survey, duplicates: DuplicatePolicy) -> Conflicts {
    let mut groups: BTreeMap<&MemberKey, Vec<&Claimant>> = BTreeMap::new();
    for claimant in &survey.claimants {
        groups.entry(&claimant.member).or_default().push(claimant);
    }
    let mut resolver = ConflictResolver { holders: &survey.holders, duplicates, conflicts: Conflicts::new() };
    for (member, group) in groups {
        resolver.leaves(&group);
        resolver.by_userid(member, &group);
        resolver.moves(&group);
    }
    resolver.by_mobile(&survey.claimants);
    resolver.conflicts
}

struct ConflictResolver<'a> {
    holders: &'a HashMap<MemberKey, Holder>,
    duplicates: DuplicatePolicy,
    conflicts: Conflicts,
}

/// Records are created in the order of their ids.
fn age(claimant: &Claimant) -> (&ruzhi_model::RecordId, &TenantId, &ruzhi_model::FlowId) {
    (&claimant.origin.record, &claimant.origin.tenant, &claimant.origin.flow)
}

fn upsert(claimant: &Claimant) -> bool {
    matches!(claimant.claim, MemberClaim::Upsert(_))
}

impl<'a> ConflictResolver<'a> {
    fn free<'b>(&self, group: &[&'b Claimant], wanted: impl Fn(&Claimant) -> bool) -> Vec<&'b Claimant> {
        let free = |claimant: &&&Claimant| wanted(claimant) && !self.conflicts.contains_key(&claimant.origin);
        group.iter().filter(free).copied().collect()
    }

    /// Within one tenant the newer of upsert and leave is right.
    fn leaves(&mut self, group: &[&Claimant]) {
        let mut tenants: BTreeMap<&TenantId, Vec<&Claimant>> = BTreeMap::new();
        for claimant in group {
            tenants.entry(&claimant.origin.tenant).or_default().push(claimant);
        }
        for of_tenant in tenants.into_values() {
            let newest = |wanted: fn(&Claimant) -> bool| {
                of_tenant.iter().copied().filter(|c| wanted(c)).max_by_key(|c| age(c))
            };
            let Some(leave) = newest(|c| !upsert(c)) else { continue };
            let right = match newest(upsert) {
                Some(upsert) if age(upsert) > age(leave) => upsert,
                _ => leave,
            };
            for claimant in of_tenant {
                let wrong = if upsert(claimant) { age(claimant) < age(leave) } else { claimant != right };
                if wrong {
                    let over = if upsert(claimant) { leave } else { right };
                    self.conflicts.insert(claimant.origin.clone(), Conflict::Overruled(over.origin.clone()));
                }
            }
        }
    }

    fn by_userid(&mut self, member: &MemberKey, group: &[&Claimant]) {
        let upserts = self.free(group, upsert);
        let (Some(first), true) = (upserts.first(), upserts.len() > 1) else { return };
        let owner = self
            .holders
            .get(member)
            .and_then(|holder| upserts.iter().copied().find(|claimant| claimant.origin == holder.owner));
        if upserts.iter().all(|claimant| claimant.decision == first.decision) {
            let acting = owner.or_else(|| upserts.iter().copied().min_by_key(|c| age(c))).unwrap_or(first);
            for claimant in upserts.iter().filter(|claimant| claimant.origin != acting.origin) {
                self.conflicts.insert(claimant.origin.clone(), Conflict::SameAs(acting.origin.clone()));
            }
        } else {
            let what = Text::new(format!("the userid {member}"), format!("账号 {member}"));
            self.settle(&upserts, owner, ClaimedField::Userid, &what);
        }
    }

    /// A leave gives way if another tenant wants the person.
    fn moves(&mut self, group: &[&Claimant]) {
        let upserts = self.free(group, upsert);
        for leave in self.free(group, |c| !upsert(c)) {
            if let Some(wanted) = upserts.iter().find(|u| u.origin.tenant != leave.origin.tenant) {
                self.conflicts.insert(leave.origin.clone(), Conflict::Overruled(wanted.origin.clone()));
            }
        }
    }

    fn by_mobile(&mut self, claimants: &[Claimant]) {
        let mut groups: BTreeMap<&str, Vec<&Claimant>> = BTreeMap::new();
        for claimant in claimants.iter().filter(|c| !self.conflicts.contains_key(&c.origin)) {
            if let MemberClaim::Upsert(Some(mobile)) = &claimant.claim {
                groups.entry(mobile).or_default().push(claimant);
            }
        }
        for (mobile, mut group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
            group.sort_by_key(|claimant| age(claimant));
            let holds = |claimant: &&Claimant| {
                let holder = self.holders.get(&claimant.member);
                holder.is_some_and(|holder| holder.mobile.as_deref() == Some(mobile))
            };
            let owner = group.iter().copied().find(holds);
            let what = Text::new("the same mobile number", "同一手机号");
            self.settle(&group, owner, ClaimedField::Mobile, &what);
        }
    }

    /// Rejects all of a group but the one that keeps the claim, and names each to the other.
    fn settle(&mut self, group: &[&Claimant], owner: Option<&Claimant>, field: ClaimedField, what: &Text) {
        let keeper = owner.or_else(|| match self.duplicates {
            DuplicatePolicy::Reject => None,
            DuplicatePolicy::Newest => group.iter().copied().max_by_key(|c| age(c)),
        });
        for claimant in group.iter().filter(|claimant| Some(**claimant) != keeper) {
            let others: Vec<String> = group
                .iter()
                .filter(|other| *other != claimant && keeper.is_none_or(|keeper| keeper == **other))
                .map(|other| named(&other.origin, &claimant.origin.tenant))
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
            let violation = Violation {
                field: field.as_str().to_owned(),
                rule: field.rule().to_owned(),
                message: text.into(),
            };
            let rejection = Rejection { waits_for: field.waits_for(), ..plan_rejection(vec![violation]) };
            self.conflicts.insert(claimant.origin.clone(), Conflict::Rejected(rejection));
        }
    }
}

/// A record as people of one tenant name it.
pub(super) fn named(origin: &Origin, here: &TenantId) -> String {
    if origin.tenant == *here { format!("{}/{}", origin.flow, origin.record) } else { origin.to_string() }
}
