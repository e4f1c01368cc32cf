//! `ruzhi guest activate` and `rollback`: replace the live rules.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::rules::{Brought, note_unread, offered_now, only_flow, trial_line};
use crate::cli::deployment::{self, Need};
use crate::cli::speech::Speech;
use crate::cli::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_config as config;
use ruzhi_message::Failure;
use ruzhi_model::Digest;
use ruzhi_rules::{ActivationResult, ChangeAuthor};
use ruzhi_store::Access;

#[derive(Debug, Args)]
pub(crate) struct Activate {
    /// tenant/flow, or the tenant if it has only one flow
    target: String,
    #[command(flatten)]
    new: Brought,
    /// Activate even if more people change than the flow's limit allows
    #[arg(long)]
    approve: bool,
    #[command(flatten)]
    by: Person,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// tenant/flow, or the tenant if it has only one flow
    target: String,
    /// Digest of the rules or the component (the first digits suffice), or #NUMBER, as `ruzhi guest list` shows them;
    /// if omitted, the rules that were live before
    to: Option<String>,
    #[command(flatten)]
    by: Person,
}

/// The author of a change, and their reason.
#[derive(Debug, Args)]
struct Person {
    /// Name for the history; by default the user running the command
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Reason for the history
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
}

impl Person {
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
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        // With secrets available, the form is asked for the fields the new rules read; without them the next run
        // asks.
        let (config, asked) = match deployment::configuration(dir, Need::Run, speech) {
            Ok(config) => (config, true),
            Err(_) => (deployment::configuration(dir, Need::Read, speech)?, false),
        };
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let form = match asked {
            true => Some(ruzhi_app::deployment::form_fields(ruzhi_app::deployment::source(tenant)?, flow)?),
            false => None,
        };
        let store = deployment::store(&config, Access::Beside).await?;
        let library = deployment::library(&config, speech)?;
        let rules = ruzhi_app::deployment::flow_rules(store.as_ref(), &library, tenant, flow, form.as_ref());
        let new = self.new.artifacts(&rules, flow).await;
        let mut asking = AuditRequest::of("rules.activate", &tenant.id, &flow.id).with_detail(self.by.said());
        asking.subject = new.as_ref().ok().map(|new| new.rules().to_string());
        let work = async {
            let new = new?;
            let offered = offered_now(flow, &new.rules());
            let result = rules.activate(&new, offered, &self.by.by(), self.approve, |_| {}).await;
            result.map_err(|error| self.new.explained(error))
        };
        let result = terminal::recorded(&config, asking, work).await;
        store.close().await;
        tell(speech, tenant, flow, &result?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Rollback {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let config = deployment::configuration(dir, Need::Read, speech)?;
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let store = deployment::store(&config, Access::Beside).await?;
        let library = deployment::library(&config, speech)?;
        let rules = ruzhi_app::deployment::flow_rules(store.as_ref(), &library, tenant, flow, None);
        let offered = offered_now(flow, &Digest::of(""));
        let mut asking =
            AuditRequest::of("rules.roll_back", &tenant.id, &flow.id).with_detail(self.by.said());
        asking.subject = self.to.clone();
        let result = terminal::recorded(&config, asking, async {
            Ok(rules.roll_back(self.to.as_deref(), offered, &self.by.by(), |_| {}).await?)
        })
        .await;
        store.close().await;
        tell(speech, tenant, flow, &result?);
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(speech: &Speech, tenant: &config::Tenant, flow: &config::Flow, activated: &ActivationResult) {
    let ActivationResult { activation, before, trial } = activated;
    if speech.json {
        speech.json(&json!({
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
    speech.out(format_args!(
        "{}/{}  {} {}  {} {} → {}",
        tenant.id,
        flow.id,
        activation.name,
        activation.version,
        speech.say("rules", "规则"),
        before.as_ref().map_or_else(|| "—".to_owned(), |before| digest(&before.rules)),
        digest(&activation.rules)
    ));
    if before.is_some() {
        speech.out(format_args!("  {}", trial_line(speech, trial)));
        note_unread(speech, trial);
    }
    speech.out(format_args!(
        "  {} #{}",
        speech.say(
            "live: the next run decides by it, a run under way keeps what it began with. Activation",
            "已生效：下次运行起采用，正在进行的运行保持原规则。启用序号"
        ),
        activation.number
    ));
    if let Some(before) = before {
        speech.note(format_args!(
            "  {} `ruzhi guest rollback {}/{} {}`",
            speech.say("to go back:", "如需回退："),
            tenant.id,
            flow.id,
            digest(&before.rules)
        ));
    }
}
