//! Making a plan out of the store, page by page: the planner is a fold, the store gives it candidates and keeps what it
//! says of them.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::Flow;
use crate::model::{MemberKey, OperationKind, Origin, RecordId, Refusal, RunId, Text, Violation};
use crate::plan::{Candidate, Directory, Order, Plan, Planner, Policy, Purpose, Scope, Standing, Survey};
use crate::store::DraftPart;

/// Candidates read together.
pub(super) const PAGE: usize = 500;

/// A plan that has been made, and what the store needs to keep it.
pub(super) struct Made {
    pub(super) plan: Plan,
    pub(super) order: Order,
    /// The moment its parts were kept with.
    pub(super) at: DateTime<Utc>,
    /// It does something for a record that an earlier run fetched.
    pub(super) from_before: bool,
    /// What a person should know beside it.
    pub(super) note: Option<Text>,
}

/// Logs that a record was refused: by whom, for which field, by which rule. The rule's words are left out, for they may
/// repeat what stands in the row.
pub(super) fn refused(record: &RecordId, refusal: &Refusal) {
    let of = |part: fn(&Violation) -> &str| refusal.violations.iter().map(part).collect::<Vec<_>>().join(",");
    tracing::info!(
        record.id = record.as_str(),
        refusal.by = ?refusal.by,
        refusal.rules = of(|violation| &violation.rule),
        refusal.fields = of(|violation| &violation.field),
        wecom.errcode = refusal.errcode,
        "record refused"
    );
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
                refused(&origin.record, &refusal);
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

    pub(super) async fn finish(mut self, (plan, order): (Plan, Order)) -> Result<Made, RunError> {
        self.flush().await?;
        // Only a sync plans again to write the number that was wanted.
        let lets_go = if plan.purpose == Purpose::Sync { order.lets_go.as_slice() } else { &[] };
        for place in lets_go {
            if let Some(operation) = self.flow.store.drafted(self.run, &self.flow.tenant, *place).await? {
                self.part = DraftPart {
                    first: *place,
                    operations: vec![operation.letting_go()],
                    ..DraftPart::default()
                };
                self.flush().await?;
            }
        }
        Ok(Made { plan, order, at: self.at, from_before: false, note: None })
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
    let planning = Planning { flow, scope: &scope, survey: &survey, policy, now };
    let mut looked = planning.look(None, &HashSet::new()).await?;
    let directory = if looked.needs_directory { Some(directory(flow).await?) } else { None };
    // A leader whom the directory's ids refuse is created by nobody, so whoever reports to them is refused in turn.
    let mut rounds = 0;
    while let (Some(directory), true, true) = (&directory, looked.leads, rounds < LEADERS) {
        let again = planning.look(Some(directory), &looked.created).await?;
        let settled = again.created == looked.created;
        looked = again;
        rounds += 1;
        if settled {
            break;
        }
    }
    planning.keep(run, directory.as_ref(), looked).await
}

/// How long a chain of leaders who are refused is followed.
const LEADERS: usize = 10;

/// What a plan of decisions is made from.
struct Planning<'a> {
    flow: &'a Flow,
    scope: &'a Scope,
    survey: &'a Survey,
    policy: &'a Policy,
    now: DateTime<Utc>,
}

/// What a look over the candidates has shown.
struct Looked {
    created: HashSet<MemberKey>,
    needs_directory: bool,
    /// Somebody is to have a leader.
    leads: bool,
    /// All candidates, where one page holds them, as on most days: they need not be looked for again.
    all: Option<Vec<Candidate>>,
}

impl Planning<'_> {
    fn planner<'a>(
        &'a self,
        directory: Option<&'a Directory>,
        created: &'a HashSet<MemberKey>,
    ) -> Planner<'a> {
        Planner::new(self.scope, self.survey, directory, created, self.policy, self.now)
    }

    /// Plans and keeps nothing but who is created.
    async fn look(
        &self,
        directory: Option<&Directory>,
        known: &HashSet<MemberKey>,
    ) -> Result<Looked, RunError> {
        let mut planner = self.planner(directory, known);
        let mut candidates = Candidates::new(self.flow, self.scope, planner.contested());
        let (mut created, mut leads, mut pages, mut all) = (HashSet::new(), false, 0, Vec::new());
        loop {
            let page = candidates.next().await?;
            if page.is_empty() {
                break;
            }
            for candidate in &page {
                let Standing::Acting(operation) = planner.consider(candidate) else { continue };
                leads |= operation.body.contains_key("direct_leader");
                if operation.kind == OperationKind::Create {
                    created.insert(operation.userid.key());
                }
            }
            pages += 1;
            all = page;
        }
        let needs_directory = planner.needs_directory();
        Ok(Looked { created, needs_directory, leads, all: (pages <= 1).then_some(all) })
    }

    /// Plans, and keeps what is said of each record.
    async fn keep(
        &self,
        run: &RunId,
        directory: Option<&Directory>,
        looked: Looked,
    ) -> Result<Made, RunError> {
        let Looked { created, mut all, .. } = looked;
        let mut keeping = Keeping::begin(self.flow, run).await?;
        let mut planner = self.planner(directory, &created);
        let mut candidates = Candidates::new(self.flow, self.scope, planner.contested());
        let mut from_before = false;
        loop {
            let page = match &mut all {
                Some(all) => std::mem::take(all),
                None => candidates.next().await?,
            };
            if page.is_empty() {
                break;
            }
            for candidate in &page {
                let standing = planner.consider(candidate);
                let record = &candidate.record;
                from_before |= matches!(standing, Standing::Acting(_)) && record.fetched != *run;
                keeping.add(&record.origin, (&record.decision, &record.rules), standing).await?;
            }
        }
        let made = keeping.finish(planner.finish()).await?;
        Ok(Made { from_before, ..made })
    }
}

/// The ids of the directory.
pub(super) async fn directory(flow: &Flow) -> Result<Directory, RunError> {
    let departments = flow.directory.department_ids().await.map_err(RunError::Directory)?;
    let members = flow.directory.member_ids().await.map_err(RunError::Directory)?;
    Ok(Directory { departments, members })
}
