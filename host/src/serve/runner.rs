//! Runs what the agenda says is due: flows of one corp together, so that each plan knows what the others' forms say.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::process::Process;
use super::scheduler::Ended;
use crate::activation::By;
use crate::config;
use crate::deployment::{Deployment, Exchanged};
use crate::failure::{Failure, exit};
use crate::model::{FlowId, RunId, TenantId, Text};
use crate::sync::{Flow, Report, Request};

/// What is done in the name of the process itself.
const ITSELF: &str = "ruzhi serve";

/// A run to make.
pub(super) struct Due {
    /// The tenant.
    pub(super) tenant: TenantId,
    /// The flow.
    pub(super) flow: FlowId,
    /// What for.
    pub(super) request: Request,
    /// The person who asks for it.
    pub(super) who: Option<String>,
}

/// What becomes of a run, as it becomes so. `at` is its place among those that are due together.
pub(super) enum Course {
    /// It has begun.
    Began {
        /// Which.
        at: usize,
        /// Its run.
        run: RunId,
    },
    /// It has ended.
    Ended {
        /// Which.
        at: usize,
        /// How.
        ended: Box<Ended>,
    },
}

/// Runs flows of one corp: all begin before the first of them plans. Tells the course of each.
pub(super) async fn run_together(process: Arc<Process>, due: Vec<Due>, told: mpsc::UnboundedSender<Course>) {
    let deployment = process.deployment();
    let mut ready = Vec::with_capacity(due.len());
    for (at, due) in due.into_iter().enumerate() {
        let prepared = prepare(&process, &deployment, &due, at, &told).await;
        ready.push((at, due, prepared));
    }
    let mut begun = Vec::with_capacity(ready.len());
    for (at, due, prepared) in &ready {
        begun.push((
            *at,
            due,
            match prepared {
                Ok((flow, exchanged)) => Ok((flow.begin(due.request.clone()).await, exchanged.clone())),
                Err(failure) => Err(failure.clone()),
            },
        ));
    }
    for (at, due, begun) in begun {
        let ended = match begun {
            Ok((begun, exchanged)) => ended(due, begun.finish().await, exchanged),
            Err(failure) => could_not_run(due, failure),
        };
        if let Some(run) = &ended.run {
            process.live.ended(run);
        }
        // Nobody listens any longer only when the process is ending.
        drop(told.send(Course::Ended { at, ended: Box::new(ended) }));
    }
}

/// Makes a flow ready. New rules are compiled and tried here, which may take seconds of a processor: not on a thread that
/// others' runs and pages wait for.
async fn prepare(
    process: &Arc<Process>,
    deployment: &Arc<Deployment>,
    due: &Due,
    at: usize,
    told: &mpsc::UnboundedSender<Course>,
) -> Result<(Flow, Exchanged), Failure> {
    let told = told.clone();
    let began = move |run| drop(told.send(Course::Began { at, run }));
    let progress = process.live.progress(Arc::clone(&process.clock), began);
    let by = By { who: due.who.clone().unwrap_or_else(|| ITSELF.to_owned()), why: None };
    let (deployment, tenant, flow) = (Arc::clone(deployment), due.tenant.clone(), due.flow.clone());
    let here = tokio::runtime::Handle::current();
    let work = move || {
        here.block_on(async {
            let (tenant, flow) =
                find(&deployment.config, &tenant, &flow).ok_or_else(|| no_such_flow(&tenant, &flow))?;
            deployment.flow(tenant, flow, &by, progress).await
        })
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(ready) => ready,
        Err(error) => Err(Failure::io("get the flow ready", "准备同步流", &error)),
    }
}

/// A flow of the configuration.
pub(super) fn find<'a>(
    config: &'a config::Config,
    tenant: &TenantId,
    flow: &FlowId,
) -> Option<(&'a config::Tenant, &'a config::Flow)> {
    let tenant = config.tenants.iter().find(|known| known.id == *tenant)?;
    Some((tenant, tenant.flows.iter().find(|known| known.id == *flow)?))
}

/// There is no such flow.
pub(super) fn no_such_flow(tenant: &TenantId, flow: &FlowId) -> Failure {
    Failure::new(
        exit::USAGE,
        "target",
        Text::new(format!("there is no flow {tenant}/{flow}"), format!("没有同步流 {tenant}/{flow}")),
        Some(Text::new("the overview lists them", "总览页列出了全部同步流")),
    )
}

fn ended(due: &Due, report: Report, exchanged: Exchanged) -> Ended {
    let Report { run, plan, findings, error } = report;
    let never_began = run.ended_at.is_none();
    Ended {
        tenant: due.tenant.clone(),
        flow: due.flow.clone(),
        run: Some(run).filter(|_| !never_began),
        plan,
        exchanged,
        findings: findings.len(),
        blocked: error.as_ref().is_some_and(crate::sync::RunError::blocks),
        failure: error.map(Failure::from),
    }
}

fn could_not_run(due: &Due, failure: Failure) -> Ended {
    Ended {
        tenant: due.tenant.clone(),
        flow: due.flow.clone(),
        run: None,
        plan: None,
        exchanged: Exchanged::default(),
        findings: 0,
        blocked: false,
        failure: Some(failure),
    }
}
