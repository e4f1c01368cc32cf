//! Looks at the files and exchanges the deployment when they change.
//!
//! Files are looked at rather than waited for: a mounted volume, a network share and a rename in place tell a listener
//! nothing or too much. A change is taken up once the files have stood still for one look, so that a file that is being
//! written is not read half-way.

use std::sync::Arc;
use std::time::Duration;

use super::process::Process;
use super::scheduler::Wake;
use crate::config::{self, Config, ProcessEnvironment, Signature};
use crate::deployment;
use crate::failure::Failure;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Watches the files until the process is to end.
pub(super) async fn watch(process: Arc<Process>) {
    let mut seen = None;
    loop {
        tokio::select! {
            () = process.quit.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = look(&process).await;
        let taken = process.deployment().config.signature.clone();
        if now != taken && seen.as_ref() == Some(&now) {
            take_up(&process, &taken, &now);
        }
        seen = Some(now);
    }
}

async fn look(process: &Arc<Process>) -> Signature {
    let deployment = process.deployment();
    let looking = tokio::task::spawn_blocking(move || Signature::of(&deployment.config));
    looking.await.unwrap_or_default()
}

/// Reads the files and lets run what is good in them.
fn take_up(process: &Arc<Process>, before: &Signature, now: &Signature) {
    let deployment = process.deployment();
    let (config, problems) = Config::reload(
        &deployment.config.dir,
        &ProcessEnvironment,
        &deployment::checks(),
        &deployment.config,
    );
    let refused = problems.map(Failure::from);
    match &refused {
        Some(failure) => log(failure),
        None => tracing::info!("the files have changed and are taken up"),
    }
    let rules = rules_changed(&config, before, now);
    process.exchange(deployment.with(config), refused.clone());
    process.scheduler.exchanged();
    process.alarms.files(refused.as_ref());
    for (tenant, flow) in rules {
        process.scheduler.wake(&tenant, &flow, Wake::Rules);
    }
}

/// What is wrong, each with its place.
fn log(failure: &Failure) {
    tracing::warn!(error.code = failure.code(), "the files are not taken up whole: {}", failure.text().en);
    for problem in failure.problems().iter().flat_map(|problems| &problems.list) {
        tracing::warn!(
            config.file = %problem.file.display(),
            config.line = problem.line,
            "{}",
            problem.text.en
        );
    }
}

/// The flows whose component or rules file has changed.
fn rules_changed(
    config: &Config,
    before: &Signature,
    now: &Signature,
) -> Vec<(crate::model::TenantId, crate::model::FlowId)> {
    let changed = |flow: &config::Flow| {
        let files = std::iter::once(&flow.guest.component).chain(&flow.guest.config);
        files.into_iter().any(|file| before.differs_at(now, file))
    };
    let flows = config.tenants.iter().flat_map(|tenant| tenant.flows.iter().map(move |flow| (tenant, flow)));
    flows
        .filter(|(_, flow)| changed(flow))
        .map(|(tenant, flow)| (tenant.id.clone(), flow.id.clone()))
        .collect()
}
