//! Progress of the runs under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::watch;

use ruzhi_model::{Clock, RunId};
use ruzhi_store::RunRow;
use ruzhi_sync::{Progress, Stage};

/// The progress of a run.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LiveRun {
    /// The run, as it began; once it has ended, as it ended.
    pub run: RunRow,
    /// The current stage; none once the run has ended.
    pub stage: Option<Stage>,
    /// Rows read.
    pub rows: u64,
    /// Operations of the plan.
    pub planned: u64,
    /// Operations of the plan that are done.
    pub settled: u64,
    /// Rows read or operations done per second, over this stage.
    pub per_second: f64,
    /// Seconds until the plan is carried out, at this rate.
    pub eta_seconds: Option<u64>,
    /// When this stage began.
    pub stage_since: DateTime<Utc>,
    /// The time of this observation.
    pub at: DateTime<Utc>,
}

/// The runs under way.
#[derive(Clone, Default)]
pub struct LiveRuns(Arc<Mutex<BTreeMap<RunId, watch::Sender<LiveRun>>>>);

impl LiveRuns {
    /// Every run under way, oldest first, as of now.
    pub fn runs(&self, now: DateTime<Utc>) -> Vec<LiveRun> {
        self.under_way().iter().map(|run| run.as_of(now)).collect()
    }

    /// Every run under way, oldest first, as last reported.
    pub fn under_way(&self) -> Vec<LiveRun> {
        self.lock().values().map(|run| run.borrow().clone()).collect()
    }

    /// Follows a run; none if it is not under way. The last value has no stage.
    pub fn follow(&self, run: &RunId) -> Option<watch::Receiver<LiveRun>> {
        self.lock().get(run).map(watch::Sender::subscribe)
    }

    /// Removes a run that has ended; its followers see it end.
    pub fn ended(&self, row: &RunRow) {
        let Some(run) = self.lock().remove(&row.id) else { return };
        run.send_modify(|live| {
            live.at = row.ended_at.unwrap_or(live.at);
            live.run = row.clone();
            live.stage = None;
            live.eta_seconds = None;
        });
    }

    /// Tracks one run from its beginning.
    pub fn progress(
        &self,
        clock: Arc<dyn Clock>,
        began: impl FnOnce(RunId) + Send + 'static,
    ) -> Arc<dyn Progress> {
        let began: BeganCallback = Box::new(began);
        Arc::new(ProgressTracker {
            live: self.clone(),
            clock,
            run: Mutex::new(None),
            began: Mutex::new(Some(began)),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<RunId, watch::Sender<LiveRun>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives the id of a run once it has one.
type BeganCallback = Box<dyn FnOnce(RunId) + Send>;

struct ProgressTracker {
    live: LiveRuns,
    clock: Arc<dyn Clock>,
    run: Mutex<Option<RunId>>,
    began: Mutex<Option<BeganCallback>>,
}

impl ProgressTracker {
    fn change(&self, change: impl FnOnce(&mut LiveRun)) {
        let Some(run) = self.run.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
        let now = self.clock.now();
        if let Some(sender) = self.live.lock().get(&run) {
            sender.send_modify(|live| {
                change(live);
                live.at = now;
                live.pace();
            });
        }
    }
}

impl LiveRun {
    /// The same, as of a later moment: the rate of a run that waits for its turn drops while nothing happens.
    pub fn as_of(&self, now: DateTime<Utc>) -> Self {
        let mut live = self.clone();
        if live.stage.is_some() {
            live.at = now.max(live.at);
            live.pace();
        }
        live
    }

    fn pace(&mut self) {
        let done = if self.stage == Some(Stage::Apply) { self.settled } else { self.rows };
        #[expect(clippy::cast_precision_loss, reason = "a rate that is looked at, far below 2^52")]
        let (seconds, done) = ((self.at - self.stage_since).num_milliseconds() as f64 / 1000.0, done as f64);
        self.per_second = if seconds > 0.0 { done / seconds } else { 0.0 };
        let left = self.planned.saturating_sub(self.settled);
        let applying = self.stage == Some(Stage::Apply) && self.per_second > 0.0;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float too great for an integer becomes the greatest one"
        )]
        let eta = applying.then(|| (left as f64 / self.per_second).ceil() as u64);
        self.eta_seconds = eta;
    }
}

impl Progress for ProgressTracker {
    fn began(&self, run: &RunRow) {
        let live = LiveRun {
            run: run.clone(),
            stage: Some(Stage::Settle),
            rows: 0,
            planned: 0,
            settled: 0,
            per_second: 0.0,
            eta_seconds: None,
            stage_since: run.started_at,
            at: run.started_at,
        };
        self.live.lock().insert(run.id.clone(), watch::Sender::new(live));
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.id.clone());
        if let Some(began) = self.began.lock().unwrap_or_else(PoisonError::into_inner).take() {
            began(run.id.clone());
        }
    }

    fn entered(&self, stage: Stage) {
        let now = self.clock.now();
        self.change(|live| {
            live.stage = Some(stage);
            live.stage_since = now;
        });
    }

    fn collected(&self, rows: u64) {
        self.change(|live| live.rows = rows);
    }

    fn planned(&self, operations: u64) {
        self.change(|live| {
            live.planned = operations;
            live.settled = 0;
        });
    }

    fn settled(&self, operations: u64) {
        self.change(|live| live.settled += operations);
    }
}
