//! `ruzhi rules activate` and `rollback`: replace the live rules.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::arguments::{RulesArguments, note_unread, offered_now, only_flow, trial_line};
use crate::cli::deployment::{self, ConfigurationUse};
use crate::cli::printer::Printer;
use crate::cli::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_config as config;
use ruzhi_message::Report;
use ruzhi_model::Digest;
use ruzhi_rules::{ActivationResult, ChangeAuthor};
use ruzhi_store::{Access, AuditAction};

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
    why: Option<String>,
}

impl AuthorArguments {
    fn by(&self) -> ChangeAuthor {
        // An entry of the history is a single line.
        let who = self.by.as_deref().map_or_else(terminal::terminal_user, terminal::line);
        ChangeAuthor { who, why: self.why.as_deref().map(terminal::line) }
    }

    /// Detail for the audit log, beside the user who ran the command.
    fn said(&self) -> Option<String> {
        match (&self.by, &self.why) {
            (Some(by), Some(why)) => Some(format!("by {by}: {why}")),
            (Some(by), None) => Some(format!("by {by}")),
            (None, why) => why.clone(),
        }
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
        let form = match asked {
            true => Some(ruzhi_app::deployment::form_fields(ruzhi_app::deployment::source(tenant)?, flow)),
            false => None,
        };
        let store = deployment::store(&config, Access::Beside).await?;
        let registry = deployment::registry(&config, printer)?;
        let rules = ruzhi_app::deployment::flow_rules(store.as_ref(), &registry, tenant, flow, form.as_ref());
        let new = self.new.artifacts(&rules, flow).await;
        let mut asking =
            AuditRequest::of(AuditAction::RulesActivate, &tenant.id, &flow.id).with_detail(self.by.said());
        asking.subject = new.as_ref().ok().map(|new| new.rules().to_string());
        let work = async {
            let new = new?;
            let offered = offered_now(flow, &new.rules());
            let result = rules.activate(&new, offered, &self.by.by(), self.approve, |_| {}).await;
            result.map_err(|error| self.new.explained(error))
        };
        let result = terminal::recorded(&config, asking, work).await;
        store.close().await;
        tell(printer, tenant, flow, &result?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Rollback {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let store = deployment::store(&config, Access::Beside).await?;
        let registry = deployment::registry(&config, printer)?;
        let rules = ruzhi_app::deployment::flow_rules(store.as_ref(), &registry, tenant, flow, None);
        let offered = offered_now(flow, &Digest::of(""));
        let mut asking =
            AuditRequest::of(AuditAction::RulesRollback, &tenant.id, &flow.id).with_detail(self.by.said());
        asking.subject = self.to.clone();
        let result = terminal::recorded(&config, asking, async {
            Ok(rules.rollback(self.to.as_deref(), offered, &self.by.by(), |_| {}).await?)
        })
        .await;
        store.close().await;
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
            "已生效：下次运行起采用，正在进行的运行保持原规则。启用序号"
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
