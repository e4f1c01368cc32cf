//! `ruzhi rules activate` and `rollback`: replace the live rules.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::arguments::{RulesArguments, note_unread, only_flow, trial_line};
use crate::cli::deployment::{self, ConfigurationUse};
use crate::cli::printer::Printer;
use crate::cli::terminal;
use ruzhi_app::{ActionReason, ActivationOrder, RollbackRequest};
use ruzhi_config as config;
use ruzhi_message::Report;
use ruzhi_model::Digest;
use ruzhi_rules::ActivationResult;

#[derive(Debug, Args)]
pub(crate) struct Activate {
    /// tenant/flow, or the tenant if it has only one flow
    target: String,
    #[command(flatten)]
    new: RulesArguments,
    /// Activate even if more people change than the flow's limit allows
    #[arg(long)]
    approve: bool,
    #[command(flatten)]
    by: AuthorArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// tenant/flow, or the tenant if it has only one flow
    target: String,
    /// Digest of the rules or the component (the first digits suffice), or #NUMBER, as `ruzhi rules list` shows them;
    /// if omitted, the rules that were live before
    to: Option<String>,
    #[command(flatten)]
    by: AuthorArguments,
}

/// The author of a change, and their reason.
#[derive(Debug, Args)]
struct AuthorArguments {
    /// Name for the history; by default the user running the command
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Reason for the history
    #[arg(long, value_name = "TEXT")]
    why: Option<ActionReason>,
}

impl AuthorArguments {
    /// The name for the history, whose entries are single lines.
    fn name(&self) -> Option<String> {
        self.by.as_deref().map(terminal::line)
    }
}

impl Activate {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        // With secrets available, the form is asked for the fields the new rules read; without them the next run
        // asks.
        let (config, asked) = match deployment::configuration(dir, ConfigurationUse::Run, printer) {
            Ok(config) => (config, true),
            Err(_) => (deployment::configuration(dir, ConfigurationUse::Read, printer)?, false),
        };
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let app = terminal::app(&config, deployment::registry(&config, printer)?).await?;
        let own = app.deployment();
        let rules = ruzhi_app::deployment::flow_rules(app.store.as_ref(), &own.registry, tenant, flow, None);
        let new = self.new.artifacts(&rules, flow).await;
        let order = ActivationOrder {
            approved: self.approve,
            by: self.by.name(),
            why: self.by.why.clone(),
            reads_form: asked,
            unaccepted: self.new.unaccepted(),
        };
        let principal = terminal::principal(printer);
        let result = ruzhi_app::activate_artifacts(&app, &principal, &tenant.id, &flow.id, new, &order).await;
        app.store.close().await;
        tell(printer, tenant, flow, &result?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Rollback {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let app = terminal::app(&config, deployment::registry(&config, printer)?).await?;
        let (principal, by) = (terminal::principal(printer), self.by.name());
        let request = RollbackRequest { to: self.to.clone(), why: self.by.why.clone() };
        let (tenant_id, flow_id) = (&tenant.id, &flow.id);
        let result =
            ruzhi_app::rollback(&app, &principal, tenant_id, flow_id, Ok(request), by.as_deref()).await;
        app.store.close().await;
        tell(printer, tenant, flow, &result?);
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(
    printer: &Printer,
    tenant: &config::TenantConfig,
    flow: &config::FlowConfig,
    activated: &ActivationResult,
) {
    let ActivationResult { activation, before, trial } = activated;
    if printer.json {
        printer.json(&json!({
            "tenant": tenant.id,
            "flow": flow.id,
            "state": "done",
            "activation": activation,
            "before": before,
            "trial": trial,
        }));
        return;
    }
    let digest = |digest: &Digest| digest.short().to_owned();
    printer.out(format_args!(
        "{}/{}  {} {}  {} {} → {}",
        tenant.id,
        flow.id,
        activation.name,
        activation.version,
        printer.text("rules", "规则"),
        before.as_ref().map_or_else(|| "—".to_owned(), |before| digest(&before.rules)),
        digest(&activation.rules)
    ));
    if before.is_some() {
        printer.out(format_args!("  {}", trial_line(printer, trial)));
        note_unread(printer, trial);
    }
    printer.out(format_args!(
        "  {} #{}",
        printer.text(
            "live: the next run decides by it, a run under way keeps what it began with. Activation",
            "已上线：下次运行起采用，正在进行的运行仍用原规则。编号"
        ),
        activation.number
    ));
    if let Some(before) = before {
        printer.note(format_args!(
            "  {} `ruzhi rules rollback {}/{} {}`",
            printer.text("to go back:", "如需回退："),
            tenant.id,
            flow.id,
            digest(&before.rules)
        ));
    }
}
