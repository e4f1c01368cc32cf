//! The plan that adopts members who were in the directory before ruzhi.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::FlowRuntime;
use super::planning::{CandidatePages, DraftWriter, PreparedPlan, directory};
use ruzhi_model::{Decision, LedgerEntry, Member, MemberKey, Origin, RunId, Text, UserId};
use ruzhi_plan::adopt::{AdoptionMatch, adopt};
use ruzhi_plan::{
    AdoptBy, Candidate, Directory, Disposition, Draft, Planner, Policy, Purpose, RecordPlan, Resolution,
};

pub(super) async fn plan(
    flow: &FlowRuntime,
    run: &RunId,
    purpose: Purpose,
    by: AdoptBy,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<PreparedPlan, RunError> {
    let scope = flow.scope(now);
    let survey = flow.store.survey_find(&scope).await?;
    let directory = directory(flow).await?;
    let unasked = std::collections::HashSet::new();
    let contested = Planner::new(&scope, &survey, None, &unasked, policy, now).contested();
    let mut draft = Draft::new(flow.tenant.clone(), flow.id.clone(), purpose, false, &survey);
    let mut keeping = DraftWriter::begin(flow, run).await?;
    let mut looking = MemberLookup { flow, directory: &directory, by, missed: 0, unasked: 0 };
    let mut taken: HashMap<MemberKey, Origin> = HashMap::new();
    let mut candidates = CandidatePages::new(flow, &scope, Vec::new());
    loop {
        let page = candidates.next().await?;
        if page.is_empty() {
            break;
        }
        for candidate in &page {
            let origin = &candidate.record.origin;
            // Two records that claim one person are rejected by the ordinary plan.
            if contested.binary_search(origin).is_ok() {
                continue;
            }
            let Some(member) = wanted(candidate) else { continue };
            let found = looking.found(member).await?;
            let keys: Vec<MemberKey> =
                found.by_userid.iter().chain(&found.by_mobile).map(UserId::key).collect();
            let lines = flow.store.ledger_find(&flow.siblings, &keys).await?;
            let mut owners = taken.clone();
            owners.retain(|key, _| keys.contains(key));
            owners.extend(
                lines.into_iter().filter(LedgerEntry::exists).map(|line| (line.userid.key(), line.owner)),
            );
            let record_plan = RecordPlan::from(adopt(candidate, &found, &owners, policy));
            if let Disposition::Operation(operation) = &record_plan.disposition {
                taken.insert(operation.userid.key(), origin.clone());
            }
            draft.add(origin, &record_plan);
            let record = &candidate.record;
            keeping.add(origin, (&record.decision, &record.rules), record_plan).await?;
        }
    }
    let made = keeping.finish(draft.finish(&policy.guard)).await?;
    let unasked = looking.unasked;
    let note = (unasked > 0).then(|| {
        Text::new(
            format!("{unasked} mobile numbers were not asked for: WeCom blocks the question for a day when a fifth of the corp's size was asked for in vain; adopt by userid, or take the rest another day"),
            format!("有 {unasked} 个手机号未查询：查无结果的次数超过企业人数的五分之一时，企业微信会停用该查询一天；请按账号接管，或改日继续"),
        )
    });
    Ok(PreparedPlan { note, ..made })
}

/// The member a record wants that the ledger does not have.
fn wanted(candidate: &Candidate) -> Option<&Member> {
    match &candidate.record.resolution {
        Resolution::Decided(Decision::Upsert(member))
            if !candidate.entry.as_ref().is_some_and(LedgerEntry::exists) =>
        {
            Some(member)
        }
        _ => None,
    }
}

struct MemberLookup<'a> {
    flow: &'a FlowRuntime,
    directory: &'a Directory,
    by: AdoptBy,
    missed: usize,
    unasked: u64,
}

impl MemberLookup<'_> {
    /// Finds the members of the directory that may be this person.
    async fn found(&mut self, member: &Member) -> Result<AdoptionMatch, RunError> {
        let mut found = AdoptionMatch::default();
        if self.by != AdoptBy::Mobile {
            found.by_userid = self.directory.members.get(&MemberKey::of(&member.userid)).cloned();
        }
        // WeCom blocks this question for a day once a fifth of the corp's size was asked in vain.
        let patience = (self.directory.members.len() / 10).max(5);
        let mobile = member.mobile.as_deref().filter(|mobile| !mobile.is_empty());
        if let Some(mobile) = mobile.filter(|_| self.by != AdoptBy::Userid) {
            if self.missed < patience {
                found.by_mobile =
                    self.flow.directory.userid_by_mobile(mobile).await.map_err(RunError::Directory)?;
                self.missed += usize::from(found.by_mobile.is_none());
            } else {
                self.unasked += 1;
            }
        }
        if let Some(userid) = found.by_userid.as_ref().or(found.by_mobile.as_ref()) {
            found.name = self.name(userid).await;
        }
        Ok(found)
    }

    /// The member's name, if any credential may read it.
    async fn name(&self, userid: &UserId) -> Option<String> {
        let reader = self.flow.reader.as_ref()?;
        match reader.get_member(userid).await {
            Ok(member) => member?.get("name")?.as_str().map(str::to_owned),
            Err(error) => {
                tracing::warn!(
                    member.userid = userid.as_str(),
                    error.code = error.code(),
                    "the member's name could not be read"
                );
                None
            }
        }
    }
}
