//! Two guests on the same stored records.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use tokio::task::JoinHandle;

use super::comparison::{Basis, Difference, named};
use super::error::ActivationError;
use ruzhi_guest_runtime::{BATCH, Guest};
use ruzhi_model::{Context, FlowId, LedgerEntry, MemberKey, Outcome, RecordId, SourceRecord, TenantId};
use ruzhi_store::Database;

/// The result of trying rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Trial {
    /// Records both guests were asked about.
    pub compared: u64,
    /// Of these, records whose person is treated differently.
    pub changed: u64,
    /// Records that are rejected or ignored for another reason than before.
    pub reworded: u64,
    /// Records that only the new rules cannot decide.
    pub failed: u64,
    /// The reason the first of them has no decision.
    pub failure: Option<String>,
    /// Fields that the new rules read and the stored rows do not hold.
    pub unread: Vec<String>,
}

/// The records of a flow that guests are tried on.
pub(super) struct StoredRecords<'a> {
    pub(super) store: &'a Database,
    pub(super) tenant: &'a TenantId,
    pub(super) flow: &'a FlowId,
}

/// A batch's result: each record with the answers of the live and the new guest.
type AnswerPair = (SourceRecord, Result<Outcome, String>, Result<Outcome, String>);

impl StoredRecords<'_> {
    /// Asks both guests about the stored records, or a sample of them, spread evenly; passes on every difference, in
    /// the order of the records.
    pub(super) async fn compare(
        &self,
        live: &Guest,
        new: &Guest,
        context: &Context,
        sample: Option<u64>,
        mut found: impl FnMut(Difference),
    ) -> Result<Trial, ActivationError> {
        let read: BTreeSet<&String> = live.description().source_fields.iter().collect();
        let unread = new.description().source_fields.iter().filter(|field| !read.contains(field));
        let mut trial = Trial { unread: unread.cloned().collect(), ..Trial::default() };
        let mut sampling = match sample {
            Some(most) => Some(Sampler::new(most, self.store.records_count(self.tenant, self.flow).await?)),
            None => None,
        };
        let most = new.component().engine().limits().slots as usize;
        let mut under_way: std::collections::VecDeque<JoinHandle<Vec<AnswerPair>>> =
            std::collections::VecDeque::new();
        let mut after: Option<RecordId> = None;
        loop {
            let mut page = self.store.records_list(self.tenant, self.flow, after.as_ref(), BATCH).await?;
            let Some(last) = page.last() else { break };
            after = last.id.parse().ok();
            if let Some(sampling) = &mut sampling {
                page.retain(|_| sampling.takes_next());
            }
            if page.is_empty() {
                continue;
            }
            if under_way.len() > most
                && let Some(batch) = under_way.pop_front()
            {
                trial.take(batch, self, &mut found).await?;
            }
            let (live, new, context) = (live.clone(), new.clone(), context.clone());
            let slot = new.component().engine().slot().await;
            under_way.push_back(tokio::task::spawn_blocking(move || {
                let _slot = slot;
                let before = answers(&live, &context, &page);
                let after =
                    if live.rules() == new.rules() { before.clone() } else { answers(&new, &context, &page) };
                page.into_iter()
                    .zip(before)
                    .zip(after)
                    .map(|((record, before), after)| (record, before, after))
                    .collect()
            }));
        }
        while let Some(batch) = under_way.pop_front() {
            trial.take(batch, self, &mut found).await?;
        }
        Ok(trial)
    }

    /// The ledger's lines of the members on whom two guests differ.
    async fn lines(&self, batch: &[AnswerPair]) -> Result<HashMap<MemberKey, LedgerEntry>, ActivationError> {
        let keys: Vec<MemberKey> = batch
            .iter()
            .filter(|(_, before, after)| before != after)
            .flat_map(|(_, before, after)| named([answer(before), answer(after)].into_iter()))
            .collect();
        let lines = self.store.ledger_find(std::slice::from_ref(self.tenant), &keys).await?;
        Ok(lines.into_iter().map(|line| (line.userid.key(), line)).collect())
    }
}

impl Trial {
    async fn take(
        &mut self,
        batch: JoinHandle<Vec<AnswerPair>>,
        records: &StoredRecords<'_>,
        found: &mut impl FnMut(Difference),
    ) -> Result<(), ActivationError> {
        let batch = batch.await.map_err(|error| ActivationError::Worker { reason: error.to_string() })?;
        let lines = records.lines(&batch).await?;
        for (record, before, after) in batch {
            self.compared += 1;
            if let (Ok(_), Err(reason)) = (&before, &after) {
                self.failed += 1;
                self.failure.get_or_insert_with(|| reason.clone());
            }
            let basis = Basis::Ledger(&lines);
            let Some(difference) = Difference::between(&record.id, answer(&before), answer(&after), basis)
            else {
                continue;
            };
            if difference.touches {
                self.changed += 1;
            } else {
                self.reworded += 1;
            }
            found(difference);
        }
        Ok(())
    }
}

fn answer(answer: &Result<Outcome, String>) -> Result<&Outcome, &str> {
    answer.as_ref().map_err(String::as_str)
}

/// Each record's outcome, or the reason it has none.
fn answers(guest: &Guest, context: &Context, batch: &[SourceRecord]) -> Vec<Result<Outcome, String>> {
    let told = |error: ruzhi_guest_runtime::BatchError| format!("{}: {error}", error.code());
    guest.decide_each(context, batch).into_iter().map(|decided| decided.map_err(told)).collect()
}

/// Takes an evenly spread sample.
struct Sampler {
    most: u64,
    of: u64,
    seen: u64,
}

impl Sampler {
    fn new(most: u64, of: u64) -> Self {
        Self { most: most.min(of), of, seen: 0 }
    }

    fn takes_next(&mut self) -> bool {
        let share = |seen: u64| u128::from(seen) * u128::from(self.most) / u128::from(self.of.max(1));
        let takes = share(self.seen + 1) > share(self.seen);
        self.seen += 1;
        takes
    }
}
