//! Big loads: creates and updates of a wave as CSV files, each one WeCom job.
//!
//! A job writes every member the file names, present or not. So the directory is listed again before the files, and a
//! create whose userid has turned up, or an update whose member has gone, is left to a single call, which reports it.
//! Anything a file cannot express goes singly too: it is not marked here, and the wave's ordinary round finds it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::applier::PlanApplier;
use super::error::RunError;
use super::pending_call::PendingCall;
use ruzhi_model::{Operation, OperationKind};
use ruzhi_plan::whole_body;
use ruzhi_store::OperationRow;
use ruzhi_wecom::{BatchRow, MemberWrite, csv_files};

/// Operations examined together: as many as a file may hold.
const PAGE: usize = 5_000;

impl PlanApplier<'_> {
    /// True if the plan has the size from which the tenant wants files.
    pub(super) fn goes_in_bulk(&self) -> bool {
        let from = u64::from(self.flow.batch_from);
        from > 0 && self.plan.counts.created + self.plan.counts.updated >= from
    }

    /// Writes the part of a wave that a file can express.
    pub(super) async fn bulk(&self, wave: u32) -> Result<(), RunError> {
        let flow = self.flow;
        let mut after = None;
        while !self.halted() {
            let page =
                flow.store.operations_list_planned(&flow.tenant, &self.plan.id, wave, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.place);
            self.write_page(wave, page).await?;
        }
        Ok(())
    }

    async fn write_page(&self, wave: u32, page: Vec<OperationRow>) -> Result<(), RunError> {
        let flow = self.flow;
        let fits = |row: &OperationRow| {
            let Operation { kind, left, before, .. } = &row.operation;
            // A file repeats fields that have not changed; that would overwrite changes by hand that a person let
            // stand.
            let stands = before.as_ref().is_some_and(|before| !before.kept.is_empty());
            matches!(kind, OperationKind::Create | OperationKind::Update) && !left && !stands
        };
        let mut rows: Vec<OperationRow> = page.into_iter().filter(fits).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let members = match flow.directory.member_ids().await {
            Ok(members) => members,
            // A process that ends waits for no listing, and nothing of this page was called.
            Err(_) if self.halted() => return Ok(()),
            Err(error) => return Err(RunError::Directory(error)),
        };
        rows.retain(|row| {
            let there = members.contains_key(&row.operation.userid.key());
            there == (row.operation.kind != OperationKind::Create)
        });
        let rows: Vec<(usize, Arc<Operation>, Map<String, Value>)> = rows
            .into_iter()
            .map(|row| {
                let whole = whole_body(&row.operation.member);
                (row.place, Arc::new(row.operation), whole)
            })
            .collect();
        let batch: Vec<BatchRow<'_>> = rows
            .iter()
            .map(|(_, operation, whole)| {
                let (userid, body) = (&operation.userid, &operation.body);
                let write = match operation.kind {
                    OperationKind::Create => MemberWrite::Create { userid, body },
                    _ => MemberWrite::Update { userid, body },
                };
                BatchRow { write, whole }
            })
            .collect();
        for csv_file in &csv_files(&batch).files {
            if self.halted() {
                break;
            }
            // An operation without a place is left for the wave's ordinary round, which reports it without a call.
            if csv_file.creates() && self.gate.is_full() {
                continue;
            }
            let in_file: Vec<_> = csv_file.rows().iter().filter_map(|at| rows.get(*at)).collect();
            let places: Vec<usize> = in_file.iter().map(|(place, ..)| *place).collect();
            self.take_up(in_file.iter().map(|(place, operation, _)| (*place, operation.as_ref()))).await?;
            let mut stored = Ok(());
            let taken = async |job: String| {
                stored = flow.store.operations_set_job(&flow.tenant, &self.plan.id, &places, &job).await;
            };
            let answers = flow.directory.write_csv_file(csv_file, taken).await;
            stored?;
            // An answer that concerns the tenant applies to all rows, wherever in the file it stands.
            for ((_, operation, _), answer) in in_file.iter().zip(&answers) {
                self.gate.learn(operation.kind, &answer.verdict);
            }
            let mut settlements = Vec::with_capacity(answers.len());
            for ((place, operation, _), answer) in in_file.into_iter().zip(answers) {
                let due = PendingCall {
                    place: *place,
                    later: wave > self.plan.first_wave,
                    operation: Arc::clone(operation),
                    doubt: false,
                    attempts: Vec::new(),
                };
                settlements.extend(self.settled(due, answer).await);
            }
            self.keep(settlements).await?;
        }
        Ok(())
    }
}
