//! The work of commands: done here, or by the process that serves this store.

use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::deployment::{narrowed, no_components, registry, store};
use super::printer::Printer;
use super::progress::TerminalProgress;
use super::run_output::{CommandOutcome, OutputMode, RunOutput, RunSummary, RunUnit};
use super::running_server::RunningServer;
use super::terminal;
use ruzhi_app::deployment::{Deployment, siblings};
use ruzhi_app::{ActionReason, RejectRequest, audit_of_run};
use ruzhi_config::{self as config, Config};
use ruzhi_message::Report;
use ruzhi_model::{PlanId, TenantId};
use ruzhi_rules::ChangeAuthor;
use ruzhi_store::{Access, RunCause};
use ruzhi_sync::RunTask;

/// The deployment in a folder, opened by a command that runs flows.
struct OpenDeployment(Deployment);

impl OpenDeployment {
    /// Opens the deployment of a configuration; no other process may run its flows meanwhile.
    async fn of(config: Config, printer: &Printer) -> Result<Self, Report> {
        let store = store(&config, Access::Write).await?;
        let registry = registry(&config, printer)?;
        Ok(Self(Deployment::new(config, store, Arc::new(registry), CancellationToken::new())))
    }

    /// Runs each flow of a target and reports each result. A flow that cannot run does not stop the others. Flows of
    /// one corp all read their forms before the first of them plans, so that someone leaving one and joining another
    /// is moved.
    async fn run_each(
        self,
        each: RunUnit,
        target: Option<&str>,
        printer: &Printer,
        show: OutputMode,
        request: RunTask,
    ) -> Result<CommandOutcome, Report> {
        let config = &self.0.config;
        let mut output = RunOutput::new(printer, show);
        let mut waiting = config.select(target)?;
        if each == RunUnit::Tenant {
            waiting.dedup_by_key(|(tenant, _)| &tenant.id);
        }
        while let Some((first, _)) = waiting.first() {
            let corp: Vec<&TenantId> = siblings(config, first).map(|tenant| &tenant.id).collect();
            let (together, later) =
                waiting.into_iter().partition::<Vec<_>, _>(|(tenant, _)| corp.contains(&&tenant.id));
            waiting = later;
            self.run_together(&together, printer, &mut output, &request).await;
        }
        self.0.prune_cache().await;
        self.0.store.close().await;
        let outcome = output.outcome();
        Ok(CommandOutcome { outcome, code: output.finish() })
    }

    async fn run_together(
        &self,
        chosen: &[(&config::TenantConfig, &config::FlowConfig)],
        printer: &Printer,
        output: &mut RunOutput<'_>,
        request: &RunTask,
    ) {
        let bar = Arc::new(TerminalProgress::new(printer));
        let by = ChangeAuthor { who: terminal::terminal_user(), why: None };
        let mut flows = Vec::with_capacity(chosen.len());
        for (tenant, flow) in chosen {
            flows.push((*tenant, *flow, self.0.flow(tenant, flow, &by, bar.clone()).await));
        }
        let mut begun = Vec::with_capacity(flows.len());
        for (tenant, flow, ready) in &flows {
            begun.push(match ready {
                Ok((ready, exchanged)) => (
                    *tenant,
                    *flow,
                    Ok((ready.begin(request.clone(), RunCause::Person).await, exchanged.clone())),
                ),
                Err(report) => (*tenant, *flow, Err(report)),
            });
        }
        for (tenant, flow, begun) in begun {
            match begun {
                Ok((begun, exchanged)) => {
                    let report = begun.finish().await;
                    bar.clear();
                    let outcome = RunSummary::of(report, exchanged);
                    output.add(tenant, outcome, self.0.store.as_ref()).await;
                }
                Err(report) => {
                    bar.clear();
                    output.add_report(tenant, flow, report.clone());
                }
            }
        }
    }
}

/// Runs the flows of a target: here, or by the process that serves this store. What a person asks for in particular is
/// audited by the process that runs it.
pub(super) async fn run_flows(
    config: Config,
    (each, show): (RunUnit, OutputMode),
    target: Option<&str>,
    printer: &Printer,
    request: RunTask,
) -> Result<ExitCode, Report> {
    let (tenant, flow) = narrowed(&config, target)?;
    if let Some(server) = RunningServer::find(&config).await {
        return Ok(server.run_each(&config, (each, show), target, printer, &request).await?.code);
    }
    let asking = audit_of_run(&request, tenant, flow);
    let work = async {
        OpenDeployment::of(config.clone(), printer)
            .await?
            .run_each(each, target, printer, show, request)
            .await
    };
    let Some(asking) = asking else { return Ok(work.await?.code) };
    Ok(terminal::recorded_as(&config, asking, work, |ran| ran.outcome.clone()).await?.code)
}

/// Rejects a plan: here, or by the process that serves this store.
pub(super) async fn reject_plan(
    config: &Config,
    printer: &Printer,
    (tenant, plan): (&TenantId, &PlanId),
    reason: Option<&ActionReason>,
) -> Result<(), Report> {
    if let Some(server) = RunningServer::find(config).await {
        return server.reject(tenant, plan, reason).await;
    }
    let app = terminal::app(config, no_components()?).await?;
    let request = RejectRequest { reason: reason.cloned() };
    let principal = terminal::principal(printer);
    let rejected = ruzhi_app::reject_plan(&app, &principal, tenant, plan, Ok(request)).await;
    app.store.close().await;
    rejected
}
