//! Calls a guest.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bindings::Instance;
use super::error::{BatchError, BatchSpan, GuestLoadError, START};
use super::limits::Budget;
use super::loader::Component;
use super::trap::{did_not_start, explain};
use super::validate;
use ruzhi_files::file;
use ruzhi_message::mask::{self, Numbers};
use ruzhi_message::sanitize;
use ruzhi_metrics as metrics;
use ruzhi_model::{Context, Decision, Description, Digest, Outcome, SourceRecord, Violation, row};

/// Records per call. Each batch has its own instance; at a hundred records its cost per record is negligible beside
/// one call to WeCom.
pub const BATCH: usize = 100;

/// Maximum size of a rules file in bytes. A table of ten thousand departments has 1 MiB.
const MOST_RULES: u64 = 4 << 20;

/// Maximum number of undecidable records isolated from a batch. With more, the fault is in the rules and not in the
/// records, and finding each costs a call per half.
const MOST_APART: usize = 8;

/// A row with more bytes than this is decided alone. The time of a guest grows with the text, in some languages to
/// seconds for the longest, and the batch shares one deadline: a single row would keep the others from being decided.
/// Rows of people have a tenth of it.
const ALONE: usize = 8 << 10;

/// The long rows of a batch share a deadline of this many times the batch's. A trial in a separate process decides
/// ten batches within its time.
const LONG_ROWS: u32 = 4;

/// A component with its rules file; decides the records of a flow. Cheap to clone.
#[derive(Clone)]
pub struct Guest {
    component: Component,
    config: Arc<str>,
    description: Arc<Description>,
    rules: Digest,
}

impl Guest {
    /// Passes the text of a rules file to a component and asks it to describe itself.
    pub fn new(component: Component, config: String) -> Result<Self, GuestLoadError> {
        let trial = component.engine().trial();
        let (mut store, instance) = component.instance();
        let instance = instance.map_err(|e| did_not_start(component.engine(), e, &store))?;
        let answer = instance.describe(&mut store, &config).map_err(|e| {
            GuestLoadError::Describe(
                explain(component.engine(), "describe", e, &store, BatchSpan::default()).into(),
            )
        })?;
        // Its place in the pool must be free before the next one is tried.
        drop(store);
        drop(trial);
        let description: Description = match answer {
            Ok(description) => description,
            Err(error) => {
                return Err(GuestLoadError::Configuration {
                    code: sanitize::line(&error.code, 80),
                    message: sanitize::lines(&error.message, 8_000),
                });
            }
        };
        let description =
            validate::description(description).map_err(|reason| GuestLoadError::Description { reason })?;
        let rules = Digest::of_rules(&component.inspection().digest, &config);
        Ok(Self { component, config: config.into(), description: description.into(), rules })
    }

    /// The same, with the rules file still on disk; without a file the text is empty.
    pub fn with_rules_file(component: Component, path: Option<&Path>) -> Result<Self, GuestLoadError> {
        Self::new(component, Self::read_rules(path)?)
    }

    /// The text of a rules file; empty without a file.
    pub fn read_rules(path: Option<&Path>) -> Result<String, GuestLoadError> {
        path.map_or_else(
            || Ok(String::new()),
            |path| {
                file::read_text(path, MOST_RULES)
                    .map_err(|source| GuestLoadError::Rules { path: path.to_owned(), source })
            },
        )
    }

    /// The guest's description of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The component without its rules file.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// Digest of component and rules file together: a decision made under the same digest need not be made again.
    pub fn rules(&self) -> &Digest {
        &self.rules
    }

    /// The display label of a field, or else the field itself.
    pub fn label<'a>(&'a self, field: &'a str) -> &'a str {
        self.description.labels.iter().find(|(name, _)| name == field).map_or(field, |(_, label)| label)
    }

    /// Decides a batch in its own instance: one checked outcome per record, in order. Blocks; call it where blocking
    /// is allowed, holding a [`slot`](super::engine::Engine::slot).
    pub fn decide(&self, context: &Context, records: &[SourceRecord]) -> Result<Vec<Outcome>, BatchError> {
        self.measure(context, records).outcomes
    }

    /// The same, but a failing batch is halved recursively and a long row is decided alone, so that one undecidable
    /// record does not keep the others from being decided.
    pub fn decide_each(
        &self,
        context: &Context,
        records: &[SourceRecord],
    ) -> Vec<Result<Outcome, BatchError>> {
        let mut decided = Vec::with_capacity(records.len());
        let mut left = MOST_APART;
        let is_long = |record: &SourceRecord| record.json.len() > ALONE;
        if !records.iter().any(is_long) {
            self.decide_halves(context, records, &mut decided, &mut left);
            return decided;
        }
        let short: Vec<SourceRecord> = records.iter().filter(|record| !is_long(record)).cloned().collect();
        self.decide_halves(context, &short, &mut decided, &mut left);
        // A guest that miscounts cannot be trusted for any row.
        let mut miscounts = decided.iter().any(|decided| matches!(decided, Err(BatchError::Count { .. })));
        let mut of_short = decided.into_iter();
        let deadline = self.component.engine().limits().deadline;
        let mut time = deadline * LONG_ROWS;
        let mut alone = |record: &SourceRecord| {
            let batch = BatchSpan { records: Some((record.id.clone(), record.id.clone(), 1)) };
            if miscounts {
                return Err(BatchError::Count { found: 0, expected: 1, batch });
            }
            // A row that is too long is not passed to the guest, so it takes no time.
            if time.is_zero() && row::violations(&record.json).is_none() {
                let deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
                return Err(BatchError::Deadline { function: "decide", deadline_ms, batch });
            }
            let measured = self.measure(context, std::slice::from_ref(record));
            time = time.saturating_sub(measured.wall);
            miscounts = matches!(measured.outcomes, Err(BatchError::Count { .. }));
            measured.outcomes.and_then(|mut outcomes| {
                outcomes.pop().ok_or(BatchError::Count { found: 0, expected: 1, batch })
            })
        };
        let decide = |record| if is_long(record) { Some(alone(record)) } else { of_short.next() };
        records.iter().filter_map(decide).collect()
    }

    fn decide_halves(
        &self,
        context: &Context,
        records: &[SourceRecord],
        decided: &mut Vec<Result<Outcome, BatchError>>,
        left: &mut usize,
    ) {
        match self.decide(context, records) {
            Ok(outcomes) => decided.extend(outcomes.into_iter().map(Ok)),
            Err(error) if records.len() == 1 || *left == 0 || !error.may_be_of_one_record() => {
                *left = left.saturating_sub(1);
                decided.extend(records.iter().map(|_| Err(error.clone())));
            }
            Err(_) => {
                let (first, second) = records.split_at(records.len() / 2);
                self.decide_halves(context, first, decided, left);
                self.decide_halves(context, second, decided, left);
            }
        }
    }

    /// The same as [`Guest::decide`], with its cost. A row that is too long is not passed to the guest.
    pub fn measure(&self, context: &Context, records: &[SourceRecord]) -> Measurement {
        let rejected: Vec<Option<Vec<Violation>>> =
            records.iter().map(|record| row::violations(&record.json)).collect();
        if rejected.iter().all(Option::is_none) {
            return self.measure_all(context, records);
        }
        let asked = records.iter().zip(&rejected).filter(|(_, rejected)| rejected.is_none());
        let asked: Vec<SourceRecord> = asked.map(|(record, _)| record.clone()).collect();
        let measured = self.measure_all(context, &asked);
        let outcomes = measured.outcomes.map(|decided| {
            let mut decided = decided.into_iter();
            let outcome = |rejected: Option<Vec<Violation>>| match rejected {
                Some(violations) => Some(Outcome::new(Decision::Reject(violations))),
                None => decided.next(),
            };
            rejected.into_iter().filter_map(outcome).collect()
        });
        Measurement { outcomes, ..measured }
    }

    fn measure_all(&self, context: &Context, records: &[SourceRecord]) -> Measurement {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Measurement { outcomes: Ok(Vec::new()), wall: Duration::ZERO, fuel: None, peak: 0 };
        };
        let batch = BatchSpan { records: Some((first.id.clone(), last.id.clone(), records.len())) };
        let began = Instant::now();
        let (mut store, instance) = self.component.instance();
        let outcomes = self.ask(&mut store, instance, context, records, batch);
        let wall = began.elapsed();
        // A guest that was stopped has not recorded its last consumption.
        let fuel = if outcomes.is_ok() { self.component.engine().fuel(&store) } else { None };
        let peak = store.data().peak();
        let failure = outcomes.as_ref().err().map(BatchError::code);
        metrics::batch(&self.description.name, records.len(), failure, wall, peak);
        Measurement { outcomes, wall, fuel, peak }
    }

    fn ask(
        &self,
        store: &mut wasmtime::Store<Budget>,
        instance: Result<Instance, wasmtime::Error>,
        context: &Context,
        records: &[SourceRecord],
        batch: BatchSpan,
    ) -> Result<Vec<Outcome>, BatchError> {
        let instance = match instance {
            Ok(instance) => instance,
            Err(e) => return Err(explain(self.component.engine(), START, e, store, batch)),
        };
        let answer = instance.decide(&mut *store, &self.config, context, records);
        let outcomes = match answer {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(error)) => {
                return Err(BatchError::GuestError {
                    function: "decide",
                    code: sanitize::line(&error.code, 80),
                    message: mask::text(&sanitize::line(&error.message, 1_000), Numbers::Long),
                    batch,
                });
            }
            Err(e) => return Err(explain(self.component.engine(), "decide", e, store, batch)),
        };
        if outcomes.len() != records.len() {
            return Err(BatchError::Count { found: outcomes.len(), expected: records.len(), batch });
        }
        let horizon = validate::Horizon::of(context, self.component.tells_until_when());
        Ok(outcomes.into_iter().map(|outcome| validate::outcome(outcome, horizon.as_ref())).collect())
    }
}

/// A batch's outcomes and their cost, including instantiation.
#[derive(Debug)]
pub struct Measurement {
    /// As returned by [`Guest::decide`].
    pub outcomes: Result<Vec<Outcome>, BatchError>,
    /// Wall time.
    pub wall: Duration,
    /// Executed instructions, if the engine counts them and the guest returned outcomes: the same for the same
    /// component and records on any machine.
    pub fuel: Option<u64>,
    /// Bytes of all the instance's memories.
    pub peak: usize,
}
