//! The rules of the flows: which are live, which were, and what others would change.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use similar::TextDiff;
use utoipa::{IntoParams, ToSchema};

use super::audit::{Asking, recorded};
use super::mask::Sight;
use super::page::{number, ticked, unless_empty};
use crate::Process;
use crate::access::Visitor;
use ruzhi_app::deployment::{flow_rules, offered};
use ruzhi_config as config;
use ruzhi_message::{Failure, exit};
use ruzhi_model::{Digest, FlowId, TenantId, Text};
use ruzhi_rules::{Difference, Trial};
use ruzhi_store::{ActivationRow, Artifacts};

/// The rules of every flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GuestOverview {
    /// By tenant and flow.
    pub flows: Vec<FlowGuestView>,
}

/// The rules of a flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowGuestView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// What is live; none before the flow's first run.
    pub live: Option<LiveRules>,
    /// What the tenant's files hold.
    pub offered: OfferedRules,
    /// How rules came to be live, newest first. For all flows together only the latest.
    pub history: Vec<ActivationRow>,
}

/// Rules that are live.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LiveRules {
    /// How they came to be live: guest, version, digests.
    pub activation: ActivationRow,
    /// The form's fields the guest reads; none where the component cannot be loaded now, or for all flows together.
    pub fields: Vec<String>,
}

/// What a tenant's files hold, beside what is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offers {
    /// The rules that are live.
    Live,
    /// Others, and the next run tries them and makes them live.
    New,
    /// Others, and a person went back or brought rules from elsewhere since: what is live stays until the files change.
    PassedOver,
    /// They cannot be read.
    Unreadable,
}

/// What a tenant's files hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferedRules {
    /// Beside what is live.
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
    pub failure: Option<Failure>,
}

/// Which rules are compared with the live ones.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DifferenceAsked {
    /// Rules that were live once: a number, or a digest or its beginning. Not given: what the tenant's files hold.
    #[serde(deserialize_with = "unless_empty")]
    pub to: Option<String>,
    /// On so many records, spread evenly; not given: 2000, a million at most. All of them are looked at when the rules are made live.
    #[serde(deserialize_with = "number::<_, 1, MOST_SAMPLED>")]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub sample: Option<u32>,
    /// With numbers and addresses in full: for an operator, and written down.
    #[serde(deserialize_with = "ticked")]
    pub reveal: bool,
}

/// What rules would change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DifferenceView {
    /// What is live.
    pub live: ActivationRow,
    /// Digest of the other rules.
    pub rules: Digest,
    /// What came of trying them.
    pub trial: Trial,
    /// Records decided differently, the first 200.
    pub differences: Vec<Difference>,
    /// There are more.
    pub more: bool,
    /// So much change needs an approval.
    pub needs_approval: bool,
    /// The rules files, line by line as a unified difference; empty where they are the same. Secrets are never in one.
    pub rules_file: String,
    /// Numbers and addresses are in full.
    pub revealed: bool,
}

/// Records that rules are tried on where nobody says how many.
const SAMPLE: u32 = 2000;
/// The same at most.
const MOST_SAMPLED: u32 = 1_000_000;
/// Differences in one answer.
const MOST: usize = 200;
/// Activations in one answer.
const HISTORY: usize = 200;

/// The rules of every flow.
pub async fn guests(process: &Process) -> Result<GuestOverview, Failure> {
    let deployment = process.deployment();
    let mut files = Files::default();
    let mut flows = Vec::new();
    for tenant in &deployment.config.tenants {
        for flow in &tenant.flows {
            let history = process.store.activations(&tenant.id, &flow.id, 1).await?;
            let latest = history.first().cloned();
            flows.push(FlowGuestView {
                tenant: tenant.id.clone(),
                flow: flow.id.clone(),
                offered: tried(process, tenant, flow, files.beside(flow, latest.as_ref()).await),
                live: latest.map(|activation| LiveRules { activation, fields: Vec::new() }),
                history,
            });
        }
    }
    Ok(GuestOverview { flows })
}

/// The rules of a flow, and its history.
pub async fn guest(process: &Process, tenant: &TenantId, flow: &FlowId) -> Result<FlowGuestView, Failure> {
    let deployment = process.deployment();
    let (tenant_settings, flow_settings) = deployment.find(tenant, flow)?;
    let history = process.store.activations(tenant, flow, HISTORY).await?;
    let latest = history.first();
    let live = match latest {
        Some(activation) => {
            let rules =
                flow_rules(process.store.as_ref(), &deployment.library, tenant_settings, flow_settings, None);
            let fields = match rules.restored(activation).await {
                Ok(guest) => guest.description().source_fields.clone(),
                // That the component does not load any more is what the next run says, and no reason to show less here.
                Err(_) => Vec::new(),
            };
            Some(LiveRules { activation: activation.clone(), fields })
        }
        None => None,
    };
    Ok(FlowGuestView {
        tenant: tenant.clone(),
        flow: flow.clone(),
        live,
        offered: tried(
            process,
            tenant_settings,
            flow_settings,
            Files::default().beside(flow_settings, latest).await,
        ),
        history,
    })
}

/// What the files offer, with why it did not go live when a run tried it: the alarm that stands says so.
fn tried(
    process: &Process,
    tenant: &config::Tenant,
    flow: &config::Flow,
    mut offered: OfferedRules,
) -> OfferedRules {
    if offered.is == Offers::New && offered.failure.is_none() {
        let about = |alarm: &ruzhi_store::AlarmRow| {
            alarm.kind == "rules.kept"
                && alarm.tenant.as_ref() == Some(&tenant.id)
                && alarm.flow.as_ref() == Some(&flow.id)
        };
        offered.failure = process
            .alarms
            .standing()
            .into_iter()
            .find(about)
            .map(|alarm| Failure::new(exit::FAILED, alarm.kind, alarm.text, alarm.hint));
    }
    offered
}

/// What the files of several flows hold; flows that share their files have them read once.
#[derive(Default)]
pub(super) struct Files(HashMap<Names, Result<Digests, Failure>>);

/// A component's file, and the rules file beside it.
type Names = (PathBuf, Option<PathBuf>);

/// Of the component, and of both together.
type Digests = (Digest, Digest);

impl Files {
    /// What a flow's files hold beside what is live.
    pub(super) async fn beside(&mut self, flow: &config::Flow, live: Option<&ActivationRow>) -> OfferedRules {
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

/// Reads a flow's files. A component has megabytes, so a thread of its own does.
pub(super) async fn read(flow: &config::Flow) -> Result<Artifacts, Failure> {
    let flow = flow.clone();
    match tokio::task::spawn_blocking(move || offered(&flow)).await {
        Ok(held) => Ok(held?),
        Err(error) => Err(Failure::io("read the flow's rules", "读取规则文件", &error)),
    }
}

/// What rules would change, beside those that are live.
pub async fn guest_difference(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    asked: &DifferenceAsked,
) -> Result<DifferenceView, Failure> {
    let work = difference(process, tenant, flow, asked);
    if !asked.reveal {
        return work.await;
    }
    let asking = Asking::of("rules.reveal", tenant, flow).saying(asked.to.clone());
    recorded(process, visitor, asking, work).await
}

async fn difference(
    process: &Process,
    tenant: &TenantId,
    flow: &FlowId,
    asked: &DifferenceAsked,
) -> Result<DifferenceView, Failure> {
    let deployment = process.deployment();
    let (tenant_settings, flow_settings) = deployment.find(tenant, flow)?;
    let store = process.store.as_ref();
    let rules = flow_rules(store, &deployment.library, tenant_settings, flow_settings, None);
    let live = rules.latest().await?.ok_or_else(|| nothing_live(tenant, flow))?;
    let other = match asked.to.as_deref() {
        Some(name) => {
            let earlier = rules.earlier(name).await?;
            store.artifacts(&earlier.component, &earlier.config).await?
        }
        None => read(flow_settings).await?,
    };
    let held = store.artifacts(&live.component, &live.config).await?;
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

fn nothing_live(tenant: &TenantId, flow: &FlowId) -> Failure {
    Failure::new(
        exit::USAGE,
        "rules.none",
        Text::new(
            format!("no rules are live in {tenant}/{flow} yet"),
            format!("{tenant}/{flow} 尚无生效的规则"),
        ),
        Some(Text::new("its first run makes those of its files live", "首次运行会启用其文件中的规则")),
    )
}
