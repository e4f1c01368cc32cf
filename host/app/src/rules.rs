//! The rules of the flows: live, earlier, on disk, and how others would change the decisions.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use similar::TextDiff;
use utoipa::{IntoParams, ToSchema};

use super::audit_log::{AuditRequest, recorded};
use super::mask::Sight;
use super::paging::{number, ticked, unless_empty};
use crate::app::App;
use crate::deployment::{flow_rules, offered};
use crate::principal::Principal;
use ruzhi_config as config;
use ruzhi_message::{Report, exit};
use ruzhi_model::{Digest, FlowId, Label, TenantId, Text};
use ruzhi_rules::{Difference, Trial};
use ruzhi_store::{ActivationRow, Artifacts, AuditAction};

/// The rules of every flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RulesOverview {
    /// By tenant and flow.
    pub flows: Vec<FlowRulesView>,
}

/// The rules of a flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowRulesView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The live rules; none before the flow's first run.
    pub live: Option<LiveRules>,
    /// The rules in the tenant's files.
    pub offered: OfferedRules,
    /// The activations, newest first; in the list of all flows only the latest.
    pub history: Vec<ActivationRow>,
}

/// The live rules.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LiveRules {
    /// The activation that made them live: guest, version, digests.
    pub activation: ActivationRow,
    /// The form fields that the guest reads; empty if the component cannot be loaded, or in the list of all flows.
    pub fields: Vec<String>,
}

/// The rules in a tenant's files, compared with the live ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offers {
    /// They are the live rules.
    Live,
    /// They are different; the next run tries them and makes them live.
    New,
    /// They are different, but a person has rolled back or activated other rules since: the live ones stay until the
    /// files change.
    PassedOver,
    /// They cannot be read.
    Unreadable,
}

impl Offers {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Live => Label::new("files are live", "与文件一致"),
            Self::New => Label::new("new in the files", "文件中有新的同步规则"),
            Self::PassedOver => Label::new("files passed over", "文件中的同步规则未采用"),
            Self::Unreadable => Label::new("files cannot be read", "文件无法读取"),
        }
    }
}

/// The rules in a tenant's files.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferedRules {
    /// How they compare with the live rules.
    pub is: Offers,
    /// Digest of component and rules file together.
    pub rules: Option<Digest>,
    /// Digest of the component.
    pub component: Option<Digest>,
    /// The component's file.
    pub component_file: String,
    /// The rules file.
    pub rules_file: Option<String>,
    /// Why they cannot be read.
    #[schema(value_type = Option<Object>)]
    pub failure: Option<Report>,
}

/// Selects the rules to compare with the live ones.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DifferenceQuery {
    /// Earlier rules, by number, digest or the beginning of a digest; by default those in the tenant's files.
    #[serde(deserialize_with = "unless_empty")]
    pub to: Option<String>,
    /// Number of records to compare, spread evenly: 2000 by default, at most a million. Activation compares them all.
    #[serde(deserialize_with = "number::<_, 1, MOST_SAMPLED>")]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub sample: Option<u32>,
    /// Show numbers and addresses in full. Needs an operator, and is recorded in the audit log.
    #[serde(deserialize_with = "ticked")]
    pub reveal: bool,
}

/// How other rules would change the decisions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DifferenceView {
    /// The live rules.
    pub live: ActivationRow,
    /// Digest of the other rules.
    pub rules: Digest,
    /// The outcome of the trial.
    pub trial: Trial,
    /// The first 200 records decided differently.
    pub differences: Vec<Difference>,
    /// True if there are more differences.
    pub more: bool,
    /// True if the number of changes needs an approval.
    pub needs_approval: bool,
    /// The rules files as a unified diff; empty if they are the same. A rules file never contains a secret.
    pub rules_file: String,
    /// True if numbers and addresses are shown in full.
    pub revealed: bool,
}

/// Default number of records that rules are tried on.
const SAMPLE: u32 = 2000;
/// Maximum number of records that rules are tried on.
const MOST_SAMPLED: u32 = 1_000_000;
/// Maximum number of differences in one answer.
const MOST: usize = 200;
/// Maximum number of activations in one answer.
const HISTORY: usize = 200;

/// The rules of every flow.
pub async fn rules_overview(app: &App) -> Result<RulesOverview, Report> {
    let deployment = app.deployment();
    let mut files = FileDigests::default();
    let mut flows = Vec::new();
    for tenant in &deployment.config.tenants {
        for flow in &tenant.flows {
            let history = app.store.activations_list(&tenant.id, &flow.id, 1).await?;
            let latest = history.first().cloned();
            flows.push(FlowRulesView {
                tenant: tenant.id.clone(),
                flow: flow.id.clone(),
                offered: tried(app, tenant, flow, files.beside(flow, latest.as_ref()).await),
                live: latest.map(|activation| LiveRules { activation, fields: Vec::new() }),
                history,
            });
        }
    }
    Ok(RulesOverview { flows })
}

/// The rules of a flow, and its history.
pub async fn rules_view(app: &App, tenant: &TenantId, flow: &FlowId) -> Result<FlowRulesView, Report> {
    let deployment = app.deployment();
    let (tenant_settings, flow_settings) = deployment.find(tenant, flow)?;
    let history = app.store.activations_list(tenant, flow, HISTORY).await?;
    let latest = history.first();
    let live = match latest {
        Some(activation) => {
            let rules =
                flow_rules(app.store.as_ref(), &deployment.registry, tenant_settings, flow_settings, None);
            let fields = match rules.restored(activation).await {
                Ok(guest) => guest.description().source_fields.clone(),
                // The next run reports a component that no longer loads; the rest is shown here all the same.
                Err(_) => Vec::new(),
            };
            Some(LiveRules { activation: activation.clone(), fields })
        }
        None => None,
    };
    Ok(FlowRulesView {
        tenant: tenant.clone(),
        flow: flow.clone(),
        live,
        offered: tried(
            app,
            tenant_settings,
            flow_settings,
            FileDigests::default().beside(flow_settings, latest).await,
        ),
        history,
    })
}

/// Adds to the rules in the files the reason why a run did not make them live, taken from the active alert.
fn tried(
    app: &App,
    tenant: &config::TenantConfig,
    flow: &config::FlowConfig,
    mut offered: OfferedRules,
) -> OfferedRules {
    if offered.is == Offers::New && offered.failure.is_none() {
        let about = |alert: &ruzhi_store::AlertRow| {
            alert.kind == "rules.kept"
                && alert.tenant.as_ref() == Some(&tenant.id)
                && alert.flow.as_ref() == Some(&flow.id)
        };
        offered.failure = app
            .active_alerts()
            .into_iter()
            .find(about)
            .map(|alert| Report::new(exit::FAILED, alert.kind, alert.text, alert.hint));
    }
    offered
}

/// The contents of several flows' files; files that flows share are read once.
#[derive(Default)]
pub(super) struct FileDigests(HashMap<RulesPaths, Result<RulesDigests, Report>>);

/// A component's file and the rules file with it.
type RulesPaths = (PathBuf, Option<PathBuf>);

/// The digest of the component, and of both files together.
type RulesDigests = (Digest, Digest);

impl FileDigests {
    /// Compares a flow's files with the live rules.
    pub(super) async fn beside(
        &mut self,
        flow: &config::FlowConfig,
        live: Option<&ActivationRow>,
    ) -> OfferedRules {
        let names = (flow.guest.component.clone(), flow.guest.config.clone());
        let held = match self.0.get(&names) {
            Some(held) => held.clone(),
            None => {
                let held = read(flow).await.map(|held| (Digest::of(&held.component), held.rules()));
                self.0.insert(names, held.clone());
                held
            }
        };
        let (is, component, rules, failure) = match held {
            Err(failure) => (Offers::Unreadable, None, None, Some(failure)),
            Ok((component, rules)) => {
                let is = match live {
                    Some(live) if live.rules == rules => Offers::Live,
                    Some(live) if live.offered == rules => Offers::PassedOver,
                    _ => Offers::New,
                };
                (is, Some(component), Some(rules), None)
            }
        };
        OfferedRules {
            is,
            rules,
            component,
            component_file: flow.guest.component.display().to_string(),
            rules_file: flow.guest.config.as_ref().map(|file| file.display().to_string()),
            failure,
        }
    }
}

/// Reads a flow's files, on a thread of its own because a component has megabytes.
pub(super) async fn read(flow: &config::FlowConfig) -> Result<Artifacts, Report> {
    let flow = flow.clone();
    match tokio::task::spawn_blocking(move || offered(&flow)).await {
        Ok(held) => Ok(held?),
        Err(error) => Err(Report::io("read the flow's rules", "读取规则文件", &error)),
    }
}

/// How other rules would change the decisions of the live ones.
pub async fn rules_difference(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    asked: &DifferenceQuery,
) -> Result<DifferenceView, Report> {
    let work = difference(app, tenant, flow, asked);
    if !asked.reveal {
        return work.await;
    }
    let asking = AuditRequest::of(AuditAction::RulesReveal, tenant, flow).with_detail(asked.to.clone());
    recorded(app, principal, asking, work).await
}

async fn difference(
    app: &App,
    tenant: &TenantId,
    flow: &FlowId,
    asked: &DifferenceQuery,
) -> Result<DifferenceView, Report> {
    let deployment = app.deployment();
    let (tenant_settings, flow_settings) = deployment.find(tenant, flow)?;
    let store = app.store.as_ref();
    let rules = flow_rules(store, &deployment.registry, tenant_settings, flow_settings, None);
    let live = rules.latest().await?.ok_or_else(|| nothing_live(tenant, flow))?;
    let other = match asked.to.as_deref() {
        Some(name) => {
            let earlier = rules.earlier(name).await?;
            store.artifacts_find(&earlier.component, &earlier.config).await?
        }
        None => read(flow_settings).await?,
    };
    let held = store.artifacts_find(&live.component, &live.config).await?;
    let sight = Sight::of(asked.reveal);
    let (mut differences, mut more) = (Vec::new(), false);
    let trial = rules
        .try_out(&other, Some(asked.sample.unwrap_or(SAMPLE).into()), |difference| {
            if differences.len() < MOST {
                differences.push(shown(difference, sight));
            } else {
                more = true;
            }
        })
        .await?;
    Ok(DifferenceView {
        live,
        rules: other.rules(),
        needs_approval: !flow_settings.guest.change.allows(trial.changed, trial.compared),
        trial: Trial { failure: trial.failure.as_deref().map(|why| sight.text(why)), ..trial },
        differences,
        more,
        rules_file: TextDiff::from_lines(&held.config, &other.config)
            .unified_diff()
            .context_radius(3)
            .header("live", "other")
            .to_string(),
        revealed: asked.reveal,
    })
}

fn shown(mut difference: Difference, sight: Sight) -> Difference {
    for field in &mut difference.fields {
        for value in [&mut field.before, &mut field.after] {
            *value = sight.field(&field.field, value);
        }
    }
    difference.name = difference.name.as_deref().map(|name| sight.text(name));
    difference
}

fn nothing_live(tenant: &TenantId, flow: &FlowId) -> Report {
    Report::new(
        exit::USAGE,
        "rules.none",
        Text::new(
            format!("no rules are live in {tenant}/{flow} yet"),
            format!("{tenant}/{flow} 尚无现行的同步规则"),
        ),
        Some(Text::new("its first run makes those of its files live", "首次运行时，其文件中的规则上线")),
    )
}
