//! Making a plan out of the store, page by page: the planner is a fold, the store gives it candidates and keeps what it
//! says of them.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::Flow;
use crate::model::{MemberKey, OperationKind, Origin, RecordId, RunId};
use crate::plan::{Candidate, Directory, Plan, Planner, Policy, Scope, Standing};
use crate::store::DraftPart;

/// Candidates read together.
pub(super) const PAGE: usize = 500;

/// A plan that has been made, and what the store needs to keep it.
pub(super) struct Made {
    pub(super) plan: Plan,
    pub(super) waves: Vec<(usize, u32)>,
    /// The moment its parts were kept with.
    pub(super) at: DateTime<Utc>,
}

/// Keeps what is said of records, part by part.
pub(super) struct Keeping<'a> {
    flow: &'a Flow,
    run: &'a RunId,
    at: DateTime<Utc>,
    part: DraftPart,
}

impl<'a> Keeping<'a> {
    pub(super) async fn begin(flow: &'a Flow, run: &'a RunId) -> Result<Self, RunError> {
        flow.store.begin_draft(&flow.tenant, &flow.id).await?;
        Ok(Self { flow, run, at: flow.clock.now(), part: DraftPart::default() })
    }

    /// Takes in what a plan says of a record: `decided` is the decision and the rules it speaks of.
    pub(super) async fn add(
        &mut self,
        origin: &Origin,
        decided: (&crate::model::Digest, &crate::model::Digest),
        standing: Standing,
    ) -> Result<(), RunError> {
        let (decision, rules) = (decided.0.clone(), decided.1.clone());
        match standing {
            Standing::Acting(operation) => self.part.operations.push(*operation),
            Standing::Refused { refusal } => {
                self.part.refused.push((origin.clone(), refusal, decision, rules));
            }
            Standing::Unchanged { confirmed: true } => {
                self.part.confirmed.push((origin.clone(), decision, rules));
            }
            Standing::Unchanged { .. } | Standing::Ignored { .. } | Standing::Failed { .. } => {}
        }
        let held = self.part.operations.len() + self.part.refused.len() + self.part.confirmed.len();
        if held >= PAGE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), RunError> {
        let next = self.part.first + self.part.operations.len();
        let part = std::mem::replace(&mut self.part, DraftPart { first: next, ..DraftPart::default() });
        let empty = part.operations.is_empty() && part.refused.is_empty() && part.confirmed.is_empty();
        if !empty {
            self.flow.store.put_draft(self.run, &self.flow.tenant, &part, self.at).await?;
        }
        Ok(())
    }

    pub(super) async fn finish(mut self, (plan, waves): (Plan, Vec<(usize, u32)>)) -> Result<Made, RunError> {
        self.flush().await?;
        Ok(Made { plan, waves, at: self.at })
    }
}

/// The candidates of a flow: those that may ask for something, in the order of their ids, then those whose claim is
/// contested and that the ledger alone would pass over.
pub(super) struct Candidates<'a> {
    flow: &'a Flow,
    scope: &'a Scope,
    after: Option<RecordId>,
    contested: BTreeSet<RecordId>,
    read_to_end: bool,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(flow: &'a Flow, scope: &'a Scope, contested: Vec<Origin>) -> Self {
        let contested = contested.into_iter().map(|origin| origin.record).collect();
        Self { flow, scope, after: None, contested, read_to_end: false }
    }

    /// The next page; an empty one is the end.
    pub(super) async fn next(&mut self) -> Result<Vec<Candidate>, RunError> {
        let store = &self.flow.store;
        if !self.read_to_end {
            let page = store.candidates(self.scope, self.after.as_ref(), PAGE).await?;
            if let Some(last) = page.last() {
                self.after = Some(last.record.origin.record.clone());
                for candidate in &page {
                    self.contested.remove(&candidate.record.origin.record);
                }
                return Ok(page);
            }
            self.read_to_end = true;
        }
        let some: Vec<RecordId> = self.contested.iter().take(PAGE).cloned().collect();
        for id in &some {
            self.contested.remove(id);
        }
        if some.is_empty() { Ok(Vec::new()) } else { Ok(store.chosen_records(self.scope, &some).await?) }
    }
}

/// The plan that brings the directory in step with the form. The directory is asked only if the plan depends on it.
pub(super) async fn sync(
    flow: &Flow,
    run: &RunId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Made, RunError> {
    let scope = flow.scope(now);
    let survey = flow.store.survey(&scope).await?;
    let nobody = HashSet::new();
    let mut look = Planner::new(&scope, &survey, None, &nobody, policy, now);
    let mut created: HashSet<MemberKey> = HashSet::new();
    let mut candidates = Candidates::new(flow, &scope, look.contested());
    let mut pages = 0;
    let mut first = Vec::new();
    loop {
        let page = candidates.next().await?;
        if page.is_empty() {
            break;
        }
        for candidate in &page {
            if let Standing::Acting(operation) = look.consider(candidate)
                && operation.kind == OperationKind::Create
            {
                created.insert(operation.userid.key());
            }
        }
        pages += 1;
        if pages == 1 {
            first = page;
        }
    }
    let directory = if look.needs_directory() { Some(directory(flow).await?) } else { None };
    drop(look);
    let mut keeping = Keeping::begin(flow, run).await?;
    let mut planner = Planner::new(&scope, &survey, directory.as_ref(), &created, policy, now);
    // Where one page holds them all, as on most days, the records need not be looked for a second time.
    let mut candidates = Candidates::new(flow, &scope, planner.contested());
    let mut next = if pages <= 1 { first } else { candidates.next().await? };
    while !next.is_empty() {
        for candidate in &next {
            let standing = planner.consider(candidate);
            let record = &candidate.record;
            keeping.add(&record.origin, (&record.decision, &record.rules), standing).await?;
        }
        next = if pages <= 1 { Vec::new() } else { candidates.next().await? };
    }
    keeping.finish(planner.finish()).await
}

/// The ids of the directory.
pub(super) async fn directory(flow: &Flow) -> Result<Directory, RunError> {
    let departments = flow.directory.department_ids().await.map_err(RunError::Directory)?;
    let members = flow.directory.member_ids().await.map_err(RunError::Directory)?;
    Ok(Directory { departments, members })
}
