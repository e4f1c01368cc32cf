//! Deciding rows: batches on all cores, whose results are stored as they come.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use tokio::task::JoinSet;

use super::error::RunError;
use super::flow::FlowRuntime;
use ruzhi_guest_runtime::BATCH;
use ruzhi_model::{Context, Digest, RecordId, SourceRecord};
use ruzhi_plan::Resolution;
use ruzhi_store::{FetchedRecord, FirstUse, HoldsUntil, RecordRow, UseAttempt, UseState};

/// Limit on a batch's total length, so that long rows do not exhaust the memory of a guest that decides them with
/// others.
const BATCH_BYTES: usize = 4 << 20;

/// Batches under way.
pub(super) struct DecisionRunner<'a> {
    flow: &'a FlowRuntime,
    context: Context,
    /// The rules have decided rows in this collect.
    decided: &'a AtomicBool,
    under_way: JoinSet<Vec<(FetchedRecord, RowResolution)>>,
}

impl<'a> DecisionRunner<'a> {
    pub(super) fn new(flow: &'a FlowRuntime, started_at: DateTime<Utc>, decided: &'a AtomicBool) -> Self {
        let context = context(started_at, &flow.timezone);
        Self { flow, context, decided, under_way: JoinSet::new() }
    }

    /// The note to make before rules decide their first rows ever; none for rules that have decided some.
    fn takes_first_use(&self) -> Option<FirstUse> {
        let first_use = self.flow.first_use.as_ref()?;
        (!self.decided.swap(true, Ordering::Relaxed)).then(|| first_use.clone())
    }

    pub(super) async fn begin(&mut self, records: Vec<FetchedRecord>) -> Result<(), RunError> {
        let guest = &self.flow.guest;
        let most = guest.component().engine().limits().slots as usize * 2;
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let mut batch: Vec<FetchedRecord> = Vec::new();
            let mut length = 0;
            while let Some(next) = records.next_if(|next| {
                batch.is_empty() || (batch.len() < BATCH && length + next.record.json.len() <= BATCH_BYTES)
            }) {
                length += next.record.json.len();
                batch.push(next);
            }
            while self.under_way.len() >= most {
                self.keep_one().await?;
            }
            let first_use = self.takes_first_use();
            let _surviving = match &first_use {
                Some(first_use) => Some(UseAttempt::begin(self.flow.store.as_ref(), first_use).await?),
                None => None,
            };
            let (guest, context) = (guest.clone(), self.context.clone());
            let slot = guest.component().engine().slot().await;
            let span = tracing::Span::current();
            self.under_way.spawn_blocking(move || {
                let _slot = slot;
                span.in_scope(|| decide(&guest, &context, batch))
            });
            if let Some(first_use) = first_use {
                self.keep_one().await?;
                let used = FirstUse { state: UseState::Used, ..first_use };
                self.flow.store.first_use_put(&used).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<(), RunError> {
        while !self.under_way.is_empty() {
            self.keep_one().await?;
        }
        Ok(())
    }

    async fn keep_one(&mut self) -> Result<(), RunError> {
        let Some(decided) = self.under_way.join_next().await else { return Ok(()) };
        let decided = decided.map_err(|e| RunError::Worker { reason: e.to_string() })?;
        let flow = self.flow;
        let now = flow.clock.now();
        let rows: Vec<RecordRow> = decided
            .into_iter()
            .map(|(fetched, RowResolution { resolution, notes, holds_until })| {
                Ok(RecordRow {
                    id: parse(&fetched.record.id)?,
                    content_hash: Digest::of(&fetched.record.json),
                    content: fetched.record.json,
                    fetched_at: fetched.fetched_at,
                    updated_at: fetched.updated_at,
                    fetched_run: fetched.fetched_run,
                    decided_at: now,
                    rules: flow.guest.rules().clone(),
                    resolution,
                    notes,
                    context: self.context.clone(),
                    holds_until,
                })
            })
            .collect::<Result<_, RunError>>()?;
        flow.store.records_put(&flow.tenant, &flow.id, &rows).await?;
        Ok(())
    }
}

/// The result of deciding a row.
struct RowResolution {
    resolution: Resolution,
    notes: Vec<String>,
    holds_until: Option<HoldsUntil>,
}

fn decide(
    guest: &ruzhi_guest_runtime::Guest,
    context: &Context,
    batch: Vec<FetchedRecord>,
) -> Vec<(FetchedRecord, RowResolution)> {
    let records: Vec<SourceRecord> = batch.iter().map(|fetched| fetched.record.clone()).collect();
    let decided = guest.decide_each(context, &records);
    let failed = decided.iter().filter(|decided| decided.is_err()).count();
    if let Some(error) = decided.iter().find_map(|decided| decided.as_ref().err()) {
        tracing::error!(error.code = error.code(), records = failed, "{error}");
    }
    let resolved = |decided: Result<ruzhi_model::Outcome, ruzhi_guest_runtime::BatchError>| match decided {
        Ok(outcome) => RowResolution {
            holds_until: holds_until(guest, &outcome),
            resolution: Resolution::Decided(outcome.decision),
            notes: outcome.notes,
        },
        Err(error) => RowResolution {
            resolution: Resolution::Failed(format!("{}: {}", error.code(), error.text().both())),
            notes: Vec::new(),
            holds_until: None,
        },
    };
    batch.into_iter().zip(decided.into_iter().map(resolved)).collect()
}

/// A moment beyond the range of our calendar never comes.
fn holds_until(guest: &ruzhi_guest_runtime::Guest, outcome: &ruzhi_model::Outcome) -> Option<HoldsUntil> {
    let at = DateTime::parse_from_rfc3339(outcome.holds_until.as_deref()?).ok()?.to_utc();
    Some(HoldsUntil { at, stated: guest.component().tells_until_when() })
}

/// The context given to a guest. The moment is exact to the millisecond, as are the expiry times of decisions.
pub fn context(now: DateTime<Utc>, timezone: &str) -> Context {
    Context { now: now.to_rfc3339_opts(SecondsFormat::Millis, true), timezone: timezone.to_owned() }
}

pub(super) fn parse(id: &str) -> Result<RecordId, RunError> {
    id.parse().map_err(|e: ruzhi_model::IdError| RunError::Row { reason: e.to_string() })
}
