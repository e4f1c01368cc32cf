//! A run from beginning to end.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::apply::{Applied, Applying};
use super::collect::Collecting;
use super::error::RunError;
use super::flow::Flow;
use super::settle::settle_crash;
use crate::model::{MemberKey, PlanId, Text};
use crate::plan::{Counts, Directory, LedgerEntry, Plan, Standing, World, draft};
use crate::store::{PlanState, RunKind, RunRow, RunState, Watermark};

/// How often a run plans again because it found members missing that the ledger knew. The guard judges each plan.
const PASSES: usize = 3;

/// What a person may ask of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Read the whole form, decide every row again, and try quarantined records again.
    pub full: bool,
    /// Believe the form even if most of its rows are missing.
    pub accept_missing: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// The run, as stored.
    pub run: RunRow,
    /// The plan it made first.
    pub plan: Option<Plan>,
    /// Why it ended early.
    pub error: Option<RunError>,
}

/// What a run is asked to do.
enum Aim {
    Plan,
    Sync,
    Apply { plan: PlanId, approved: bool },
}

impl Flow {
    /// Collects, decides and plans, and writes nothing to the directory.
    pub async fn plan(&self, options: RunOptions) -> Report {
        self.run(Aim::Plan, options).await
    }

    /// Plans, and applies the plan if the guard lets it pass.
    pub async fn sync(&self, options: RunOptions) -> Report {
        self.run(Aim::Sync, options).await
    }

    /// Applies a stored plan, if the world is still as it was when the plan was made. A held plan needs `approved`.
    pub async fn apply(&self, plan: &PlanId, approved: bool) -> Report {
        self.run(Aim::Apply { plan: plan.clone(), approved }, RunOptions::default()).await
    }

    async fn run(&self, aim: Aim, options: RunOptions) -> Report {
        let started_at = self.clock.now();
        let kind = match aim {
            Aim::Plan => RunKind::Plan,
            Aim::Sync => RunKind::Sync,
            Aim::Apply { .. } => RunKind::Apply,
        };
        let mut running = Running {
            flow: self,
            options,
            retry: options.full,
            row: RunRow {
                tenant: self.tenant.clone(),
                flow: self.id.clone(),
                id: self.run_ids.next(started_at),
                kind,
                state: RunState::Running,
                started_at,
                ended_at: None,
                plan: None,
                rules: Some(self.guest.rules().clone()),
                counts: Counts::default(),
                calls: BTreeMap::new(),
                problem: None,
            },
            plan: None,
            begun: false,
        };
        let result = running.go(&aim).await;
        running.end(result).await
    }
}

struct Running<'a> {
    flow: &'a Flow,
    options: RunOptions,
    /// Quarantined records are tried again: a person asks, or the plan to apply was made so.
    retry: bool,
    row: RunRow,
    plan: Option<Plan>,
    /// The run is in the store.
    begun: bool,
}

impl Running<'_> {
    async fn go(&mut self, aim: &Aim) -> Result<RunState, RunError> {
        let flow = self.flow;
        // A plan that may not be applied makes no run.
        let asked = match aim {
            Aim::Apply { plan, approved } => Some(self.asked_for(plan, *approved).await?),
            Aim::Plan | Aim::Sync => None,
        };
        flow.store.abandon_runs(&flow.tenant, self.row.started_at).await?;
        flow.store.put_run(&self.row).await?;
        self.begun = true;
        let labels = flow.guest.description().labels.iter().cloned().collect();
        flow.store.put_labels(&flow.tenant, &flow.id, &labels).await?;
        settle_crash(flow).await?;
        self.collect().await?;
        let (mut world, mut plan) = self.draft().await?;
        if let Some(asked) = &asked
            && *asked != plan.id
        {
            self.keep(&plan, &world, false).await?;
            return Err(RunError::Superseded { plan: asked.clone(), new: plan.id });
        }
        for pass in 0..PASSES {
            let standing = plan.standing_counts();
            self.row.counts = merged(self.row.counts, standing);
            self.row.problem = undecided(&plan, standing.failed);
            let released = asked.is_some() && pass == 0;
            let state = self.keep(&plan, &world, released).await?;
            if matches!(aim, Aim::Plan) {
                self.row.counts = plan.counts();
            }
            match (aim, state) {
                (_, PlanState::Held) => {
                    self.plan.get_or_insert(plan);
                    return Ok(RunState::Held);
                }
                (Aim::Plan, _) => {
                    self.plan.get_or_insert(plan);
                    return Ok(RunState::Done);
                }
                _ => {}
            }
            // What was planned from is not needed any more, except what the ledger held.
            let World { ledger, .. } = world;
            let applied = self.apply(&plan, &ledger).await?;
            drop(ledger);
            self.plan.get_or_insert(plan);
            self.add(&applied);
            if let Some(error) = applied.stopped {
                return Err(RunError::Stopped(error));
            }
            if applied.parked {
                self.row.problem = Some(Text::new(
                    "WeCom's rate limit did not lift; run again in an hour, the rest is planned again",
                    "企业微信的频率限制未解除；请一小时后重试，其余操作会重新计划",
                ));
            }
            if !applied.plan_again || pass + 1 == PASSES {
                break;
            }
            // Those found missing are planned anew, and counted by what becomes of them then.
            self.row.counts.failed = 0;
            (world, plan) = self.draft().await?;
        }
        if self.row.counts.failed > 0 {
            return Ok(RunState::Failed);
        }
        self.move_watermark().await?;
        Ok(RunState::Done)
    }

    /// The plan a person asked for, if it may be applied.
    async fn asked_for(&mut self, id: &PlanId, approved: bool) -> Result<PlanId, RunError> {
        let stored = self.flow.store.plan(&self.flow.tenant, id).await?;
        match stored.filter(|stored| stored.flow == self.flow.id) {
            None => Err(RunError::NoSuchPlan { plan: id.clone() }),
            Some(stored) => match stored.state {
                PlanState::Done => Err(RunError::AlreadyApplied { plan: id.clone() }),
                _ if stored.guard.holds() && !approved => Err(RunError::NotApproved { plan: id.clone() }),
                _ => {
                    self.retry = stored.retry;
                    Ok(stored.id)
                }
            },
        }
    }

    async fn collect(&self) -> Result<(), RunError> {
        Collecting {
            flow: self.flow,
            run: &self.row.id,
            started_at: self.row.started_at,
            full: self.options.full,
            accept_missing: self.options.accept_missing,
        }
        .collect()
        .await
    }

    /// Plans from the store. The directory is asked only if the plan depends on it.
    async fn draft(&self) -> Result<(World, Plan), RunError> {
        let flow = self.flow;
        let world = flow.store.world(&flow.tenant, &flow.id).await?;
        let mut policy = flow.policy.clone();
        policy.retry = self.retry;
        let now = self.row.started_at;
        {
            let drafted = draft(&world, None, &policy, now);
            if !drafted.needs_directory {
                return Ok((world, drafted.plan));
            }
        }
        let departments = flow.directory.department_ids().await.map_err(RunError::Directory)?;
        let members = flow.directory.member_ids().await.map_err(RunError::Directory)?;
        let directory = Directory { departments, members };
        let plan = draft(&world, Some(&directory), &policy, now).plan;
        Ok((world, plan))
    }

    async fn keep(&mut self, plan: &Plan, world: &World, released: bool) -> Result<PlanState, RunError> {
        let state = if plan.guard.holds() && !released { PlanState::Held } else { PlanState::Planned };
        let flow = self.flow;
        flow.store.put_plan(&self.row.id, plan, world, state, flow.clock.now()).await?;
        self.row.plan.get_or_insert_with(|| plan.id.clone());
        Ok(state)
    }

    async fn apply(
        &self,
        plan: &Plan,
        ledger: &BTreeMap<MemberKey, LedgerEntry>,
    ) -> Result<Applied, RunError> {
        let flow = self.flow;
        if plan.operations.is_empty() {
            flow.store.set_plan_state(&flow.tenant, &plan.id, PlanState::Done).await?;
            return Ok(Applied::default());
        }
        flow.progress.planned(plan.operations.len() as u64);
        flow.store.set_plan_state(&flow.tenant, &plan.id, PlanState::Applying).await?;
        let applied = Applying::new(flow, plan, ledger).apply().await?;
        let state = if applied.counts.failed == 0 { PlanState::Done } else { PlanState::Failed };
        flow.store.set_plan_state(&flow.tenant, &plan.id, state).await?;
        Ok(applied)
    }

    fn add(&mut self, applied: &Applied) {
        self.row.counts = self.row.counts + applied.counts;
    }

    /// Only after every page was read, every row decided and every outcome stored.
    async fn move_watermark(&self) -> Result<(), RunError> {
        let flow = self.flow;
        let watermark = Watermark { reached: self.row.started_at, query: flow.query_digest() };
        flow.store.set_watermark(&flow.tenant, &flow.id, &watermark).await?;
        Ok(())
    }

    async fn end(mut self, result: Result<RunState, RunError>) -> Report {
        let now: DateTime<Utc> = self.flow.clock.now();
        let error = match result {
            Ok(state) => {
                self.row.state = state;
                None
            }
            Err(error) => {
                self.row.state = RunState::Failed;
                self.row.problem = Some(error.text());
                Some(error)
            }
        };
        self.row.ended_at = Some(now);
        self.row.calls = self.flow.calls();
        // The run's own error is the one to tell; if the store failed, its end cannot be stored either.
        let stored = if self.begun { self.flow.store.put_run(&self.row).await } else { Ok(()) };
        let error = match (error, stored) {
            (Some(error), _) => Some(error),
            (None, Ok(())) => None,
            (None, Err(error)) => {
                self.row.state = RunState::Failed;
                Some(RunError::Store(error))
            }
        };
        Report { run: self.row, plan: self.plan, error }
    }
}

/// Why records have no decision, told once.
fn undecided(plan: &Plan, count: u64) -> Option<Text> {
    let reason = plan.standings.values().find_map(|standing| match standing {
        Standing::Failed { reason } => Some(reason),
        _ => None,
    })?;
    Some(Text::new(
        format!("{count} records could not be decided ({reason}); `ruzhi trace` shows each"),
        format!("{count} 条记录无法判定（{reason}）；可用 `ruzhi trace` 逐条查看"),
    ))
}

/// The standing of the records is the newest plan's; what was written before stays counted.
fn merged(before: Counts, standing: Counts) -> Counts {
    Counts {
        unchanged: standing.unchanged,
        ignored: standing.ignored,
        refused: standing.refused,
        failed: standing.failed,
        ..before
    }
}
