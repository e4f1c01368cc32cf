//! The end of a run, in the process's metrics and in its log.

use super::error::RunError;
use ruzhi_metrics as metrics;
use ruzhi_model::PlanId;
use ruzhi_store::RunRow;

/// Counts a run that has ended in the process's metrics.
pub fn count(run: &RunRow) {
    let took = run.ended_at.map(|ended_at| (ended_at - run.started_at).to_std().unwrap_or_default());
    let rows = if run.kind.writes() { run.counts.outcomes().to_vec() } else { Vec::new() };
    metrics::run_ended(&metrics::EndedRun {
        tenant: &run.tenant,
        flow: &run.flow,
        kind: run.kind.as_str(),
        state: run.state.as_str(),
        took,
        rows: &rows,
    });
}

/// Logs the end of a run.
pub(super) fn log(row: &RunRow, error: Option<&RunError>) {
    let duration_ms = row.ended_at.map_or(0, |at| (at - row.started_at).num_milliseconds());
    match error {
        Some(error) => tracing::warn!(
            error.code = error.code(),
            duration_ms,
            "run failed: {}; {}",
            error.text().en,
            error.hint().en
        ),
        None => {
            let counts = &row.counts;
            tracing::info!(
                run.kind = ?row.kind,
                run.state = ?row.state,
                plan.id = row.plan.as_ref().map(PlanId::as_str),
                duration_ms,
                counts.created = counts.created,
                counts.updated = counts.updated,
                counts.disabled = counts.disabled,
                counts.enabled = counts.enabled,
                counts.deleted = counts.deleted,
                counts.unchanged = counts.unchanged,
                counts.ignored = counts.ignored,
                counts.rejected = counts.rejected,
                counts.failed = counts.failed,
                counts.untried = counts.untried,
                counts.unplaced = counts.unplaced,
                "run ended"
            );
        }
    }
}
