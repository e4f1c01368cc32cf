//! Makes a plan from the store, page by page: the planner is a fold, and the store supplies its candidates and keeps
//! its results.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};

use super::error::RunError;
use super::flow::FlowRuntime;
use ruzhi_model::{MemberKey, Origin, RecordId, Rejection, RunId, Text, UniqueField, Violation};
use ruzhi_plan::{
    Candidate, Directory, Disposition, Leaver, OperationOrder, Plan, Planner, Policy, Purpose, RecordPlan,
    Scope, Survey, freed as values_freed,
};
use ruzhi_store::DraftPart;

/// Candidates read together.
pub(super) const PAGE: usize = 500;

/// A plan that has been made, with the data the store needs to keep it.
pub(super) struct PreparedPlan {
    pub(super) plan: Plan,
    pub(super) order: OperationOrder,
    /// The moment its parts were stored with.
    pub(super) at: DateTime<Utc>,
    /// It does something for a record that an earlier run fetched.
    pub(super) from_before: bool,
    /// A remark for a person beside it.
    pub(super) note: Option<Text>,
}

/// Logs the rejection of a record: by whom, for which field, by which rule. The rule's text is left out, for it may
/// repeat the contents of the row.
pub(super) fn log_rejection(record: &RecordId, rejection: &Rejection) {
    let of =
        |part: fn(&Violation) -> &str| rejection.violations.iter().map(part).collect::<Vec<_>>().join(",");
    tracing::info!(
        record.id = record.as_str(),
        rejection.by = ?rejection.by,
        rejection.rules = of(|violation| &violation.rule),
        rejection.fields = of(|violation| &violation.field),
        wecom.errcode = rejection.errcode,
        "record rejected"
    );
}

/// Stores the results for records, part by part.
pub(super) struct DraftWriter<'a> {
    flow: &'a FlowRuntime,
    run: &'a RunId,
    at: DateTime<Utc>,
    part: DraftPart,
}

impl<'a> DraftWriter<'a> {
    pub(super) async fn begin(flow: &'a FlowRuntime, run: &'a RunId) -> Result<Self, RunError> {
        flow.store.draft_begin(&flow.tenant, &flow.id).await?;
        Ok(Self { flow, run, at: flow.clock.now(), part: DraftPart::default() })
    }

    /// Takes in a plan's result for a record: `decided` is the decision and the rules it is about.
    pub(super) async fn add(
        &mut self,
        origin: &Origin,
        decided: (&ruzhi_model::Digest, &ruzhi_model::Digest),
        record_plan: impl Into<RecordPlan>,
    ) -> Result<(), RunError> {
        let (decision, rules) = (decided.0.clone(), decided.1.clone());
        let RecordPlan { disposition, pending } = record_plan.into();
        if let Some(rejection) = pending {
            log_rejection(&origin.record, &rejection);
            self.part.rejected.push((origin.clone(), rejection, decision.clone(), rules.clone()));
        }
        match disposition {
            Disposition::Operation(operation) => self.part.operations.push(*operation),
            Disposition::Rejected { rejection } => {
                log_rejection(&origin.record, &rejection);
                self.part.rejected.push((origin.clone(), rejection, decision, rules));
            }
            Disposition::Unchanged { confirmed: true } => {
                self.part.confirmed.push((origin.clone(), decision, rules));
            }
            Disposition::Unchanged { .. } | Disposition::Ignored { .. } | Disposition::Failed { .. } => {}
        }
        let held = self.part.operations.len() + self.part.rejected.len() + self.part.confirmed.len();
        if held >= PAGE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), RunError> {
        let next = self.part.first + self.part.operations.len();
        let part = std::mem::replace(&mut self.part, DraftPart { first: next, ..DraftPart::default() });
        let empty = part.operations.is_empty() && part.rejected.is_empty() && part.confirmed.is_empty();
        if !empty {
            self.flow.store.draft_put(self.run, &self.flow.tenant, &part, self.at).await?;
        }
        Ok(())
    }

    pub(super) async fn finish(
        mut self,
        (plan, order): (Plan, OperationOrder),
    ) -> Result<PreparedPlan, RunError> {
        self.flush().await?;
        // Only a sync plans again to write the rest.
        if plan.purpose == Purpose::Sync {
            let mut lessened: BTreeMap<usize, Vec<(UniqueField, bool)>> = BTreeMap::new();
            for (lists, parks) in [(&order.parks, true), (&order.held_back, false)] {
                for (place, field) in lists {
                    lessened.entry(*place).or_default().push((*field, parks));
                }
            }
            for (place, fields) in lessened {
                if let Some(operation) =
                    self.flow.store.draft_operation_find(self.run, &self.flow.tenant, place).await?
                {
                    let less = fields.into_iter().fold(operation, |operation, (field, parks)| {
                        if parks { operation.parking(field) } else { operation.holding_back(field) }
                    });
                    self.part = DraftPart { first: place, operations: vec![less], ..DraftPart::default() };
                    self.flush().await?;
                }
            }
        }
        Ok(PreparedPlan { plan, order, at: self.at, from_before: false, note: None })
    }
}

/// The candidates of a flow: those that may ask for something, in the order of their ids, then those with a contested
/// claim that the ledger alone would skip.
pub(super) struct CandidatePages<'a> {
    flow: &'a FlowRuntime,
    scope: &'a Scope,
    after: Option<RecordId>,
    contested: BTreeSet<RecordId>,
    read_to_end: bool,
}

impl<'a> CandidatePages<'a> {
    pub(super) fn new(flow: &'a FlowRuntime, scope: &'a Scope, contested: Vec<Origin>) -> Self {
        let contested = contested.into_iter().map(|origin| origin.record).collect();
        Self { flow, scope, after: None, contested, read_to_end: false }
    }

    /// The next page; an empty one is the end.
    pub(super) async fn next(&mut self) -> Result<Vec<Candidate>, RunError> {
        let store = &self.flow.store;
        if !self.read_to_end {
            let page = store.candidates_list(self.scope, self.after.as_ref(), PAGE).await?;
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
        if some.is_empty() { Ok(Vec::new()) } else { Ok(store.candidates_find(self.scope, &some).await?) }
    }
}

/// The plan that brings the directory in step with the form. The directory is listed only if the plan depends on it.
pub(super) async fn sync(
    flow: &FlowRuntime,
    run: &RunId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<PreparedPlan, RunError> {
    let scope = flow.scope(now);
    let survey = flow.store.survey_find(&scope).await?;
    let planning = PlanInput { flow, scope: &scope, survey: &survey, policy, now };
    let mut looked = planning.look(None, &HashSet::new()).await?;
    let directory = if looked.needs_directory { Some(directory(flow).await?) } else { None };
    // A record that waits for a value is tried again when another one's operation frees it, which may free a value in
    // turn that a third one waits for.
    for _ in 0..CHAIN {
        if looked.freed.is_empty() {
            break;
        }
        let again = planning.look(directory.as_ref(), &looked.freed).await?;
        let settled = again.freed == looked.freed;
        looked = again;
        if settled {
            break;
        }
    }
    planning.keep(run, directory.as_ref(), looked).await
}

/// Limit on the length of a chain of records that wait for each other's values.
const CHAIN: usize = 10;

/// The input of a plan of decisions.
struct PlanInput<'a> {
    flow: &'a FlowRuntime,
    scope: &'a Scope,
    survey: &'a Survey,
    policy: &'a Policy,
    now: DateTime<Utc>,
}

/// The result of a look over the candidates.
struct PlanPreview {
    /// Unique values that operations free.
    freed: HashSet<u64>,
    needs_directory: bool,
    /// All candidates, if one page holds them, as on most days: they need not be read again.
    all: Option<Vec<Candidate>>,
}

impl PlanInput<'_> {
    fn planner<'a>(&'a self, directory: Option<&'a Directory>, freed: &'a HashSet<u64>) -> Planner<'a> {
        Planner::new(self.scope, self.survey, directory, freed, self.policy, self.now)
    }

    /// Plans and keeps only the freed values.
    async fn look(
        &self,
        directory: Option<&Directory>,
        known: &HashSet<u64>,
    ) -> Result<PlanPreview, RunError> {
        let mut planner = self.planner(directory, known);
        let (mut freed, mut pages, mut all) = (HashSet::new(), 0, Vec::new());
        let mut take = |record_plan: RecordPlan| {
            if let Disposition::Operation(operation) = record_plan.disposition {
                freed.extend(values_freed(&operation).into_iter().map(|(_, value)| value));
            }
        };
        let mut leavers = LeaverPages::new(self.flow, self.scope);
        while let Some(page) = leavers.next().await? {
            for leaver in &page {
                take(planner.part_with(leaver));
            }
        }
        let mut candidates = CandidatePages::new(self.flow, self.scope, planner.contested());
        loop {
            let page = candidates.next().await?;
            if page.is_empty() {
                break;
            }
            for candidate in &page {
                take(planner.consider(candidate));
            }
            pages += 1;
            all = page;
        }
        let needs_directory = planner.needs_directory();
        Ok(PlanPreview { freed, needs_directory, all: (pages <= 1).then_some(all) })
    }

    /// Plans, and stores the result for each record.
    async fn keep(
        &self,
        run: &RunId,
        directory: Option<&Directory>,
        looked: PlanPreview,
    ) -> Result<PreparedPlan, RunError> {
        let PlanPreview { freed, mut all, .. } = looked;
        let mut keeping = DraftWriter::begin(self.flow, run).await?;
        let mut planner = self.planner(directory, &freed);
        let mut leavers = LeaverPages::new(self.flow, self.scope);
        while let Some(page) = leavers.next().await? {
            for leaver in &page {
                let record_plan = planner.part_with(leaver);
                // An operation that the ledger asks for names a decision and rules of its own.
                let decided = match &record_plan.disposition {
                    Disposition::Operation(operation) => {
                        (operation.decision.clone(), operation.rules.clone())
                    }
                    _ => match &leaver.rejection {
                        Some(stored) => (stored.decision.clone(), stored.rules.clone()),
                        None => (leaver.entry.rules.clone(), leaver.entry.rules.clone()),
                    },
                };
                keeping.add(&leaver.entry.owner, (&decided.0, &decided.1), record_plan).await?;
            }
        }
        let mut candidates = CandidatePages::new(self.flow, self.scope, planner.contested());
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
                let record_plan = planner.consider(candidate);
                let record = &candidate.record;
                from_before |=
                    matches!(record_plan.disposition, Disposition::Operation(_)) && record.fetched != *run;
                keeping.add(&record.origin, (&record.decision, &record.rules), record_plan).await?;
            }
        }
        let made = keeping.finish(planner.finish()).await?;
        Ok(PreparedPlan { from_before, ..made })
    }
}

/// Leavers who have something left to do according to the ledger, in the order of their accounts.
struct LeaverPages<'a> {
    flow: &'a FlowRuntime,
    scope: &'a Scope,
    after: Option<MemberKey>,
}

impl<'a> LeaverPages<'a> {
    fn new(flow: &'a FlowRuntime, scope: &'a Scope) -> Self {
        Self { flow, scope, after: None }
    }

    async fn next(&mut self) -> Result<Option<Vec<Leaver>>, RunError> {
        let page = self.flow.store.leavers_list(self.scope, self.after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = Some(last.entry.userid.key());
        Ok(Some(page))
    }
}

/// The ids of the directory.
pub(super) async fn directory(flow: &FlowRuntime) -> Result<Directory, RunError> {
    let departments = flow.directory.department_ids().await.map_err(RunError::Directory)?;
    let members = flow.directory.member_ids().await.map_err(RunError::Directory)?;
    Ok(Directory { departments, members })
}
