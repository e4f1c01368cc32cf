//! `ruzhi guest list`: the live rules of each flow, the rules in its files, and the history of activations.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::rules::activation_line;
use crate::cli::deployment::{self, Need};
use crate::cli::speech::Speech;
use ruzhi_config as config;
use ruzhi_guest_runtime::Guest;
use ruzhi_message::Failure;
use ruzhi_message::exit;
use ruzhi_store::{Access, ActivationRow};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
    /// Show this many activations per flow
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
}

/// The rules of a flow.
struct Listed<'c> {
    tenant: &'c config::Tenant,
    flow: &'c config::Flow,
    /// The rules in the tenant's files.
    offered: Result<Guest, Failure>,
    /// Newest first; the first is live.
    history: Vec<ActivationRow>,
    /// The reason the live rules could not be loaded again.
    broken: Option<Failure>,
}

impl List {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let config = deployment::configuration(dir, Need::Read, speech)?;
        let library = deployment::library(&config, speech)?;
        let store = match config.store.path.exists() {
            true => Some(deployment::store(&config, Access::Read).await?),
            false => None,
        };
        let mut values = Vec::new();
        let mut failed = false;
        for (tenant, flow) in config.select(self.target.as_deref())? {
            let offered = ruzhi_app::deployment::guest(&library, flow);
            let mut listed = Listed { tenant, flow, offered, history: Vec::new(), broken: None };
            if let Some(store) = &store {
                listed.history = store.activations_list(&tenant.id, &flow.id, self.last.max(1)).await?;
                if let Some(live) = listed.history.first() {
                    let rules =
                        ruzhi_app::deployment::flow_rules(store.as_ref(), &library, tenant, flow, None);
                    listed.broken = rules.restored(live).await.err().map(Failure::from);
                }
            }
            // Live rules keep working whatever happens to the files.
            failed |= listed.broken.is_some() || (listed.offered.is_err() && listed.history.is_empty());
            if speech.json {
                values.push(listed.value(speech));
            } else {
                listed.print(speech);
            }
        }
        if let Some(store) = store {
            store.close().await;
        }
        if speech.json {
            speech.json(&values);
        }
        Ok(if failed { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS })
    }
}

impl Listed<'_> {
    /// The tenant's files hold rules other than the live ones.
    fn differs(&self) -> bool {
        let offered = self.offered.as_ref().map(Guest::rules).ok();
        self.history.first().is_some_and(|live| offered != Some(&live.rules))
    }

    fn value(&self, speech: &Speech) -> Value {
        let (rules, component, description, error) = match &self.offered {
            Ok(guest) => {
                (Some(guest.rules()), Some(guest.component().inspection()), Some(guest.description()), None)
            }
            Err(failure) => (None, None, None, Some(speech.failure_value(failure))),
        };
        let mut value = json!({
            "tenant": self.tenant.id,
            "flow": self.flow.id,
            "path": self.flow.guest.component,
            "rules": rules,
            "component": component,
            "description": description,
            "live": self.history.first(),
            "differs": self.differs(),
            "history": self.history,
        });
        if let Some(object) = value.as_object_mut() {
            let live_error = self.broken.as_ref().map(|failure| speech.failure_value(failure));
            let errors = [("error", error), ("live_error", live_error)];
            object.extend(errors.into_iter().filter_map(|(key, error)| Some((key.to_owned(), error?))));
        }
        value
    }

    fn print(&self, speech: &Speech) {
        let (tenant, flow) = (&self.tenant.id, &self.flow.id);
        let path = self.flow.guest.component.display();
        match &self.offered {
            Ok(guest) => speech.out(format_args!(
                "{tenant}/{flow}  {path}: {} {}  {} {}  {} {}",
                guest.description().name,
                guest.description().version,
                speech.say("rules", "规则"),
                guest.rules().short(),
                speech.say("component", "组件"),
                guest.component().inspection().digest.short(),
            )),
            Err(failure) => {
                speech.out(format_args!("{tenant}/{flow}  {path}"));
                speech.explain(failure);
            }
        }
        let standing = if self.history.is_empty() {
            speech.say(
                "nothing is live yet: the first run makes these rules live",
                "尚无生效的规则：首次运行时以上规则生效",
            )
        } else if self.differs() {
            speech.say(
                "live is the first of this list; the tenant's files hold other rules",
                "以下第一条为现行规则；租户文件中为其他规则",
            )
        } else {
            speech
                .say("live, as the tenant's files have it; newest first", "现行规则与租户文件一致；新的在前")
        };
        speech.out(format_args!("  {standing}"));
        for row in &self.history {
            speech.out(format_args!("  {}", activation_line(speech, row)));
        }
        if let Some(failure) = &self.broken {
            speech.explain(failure);
        }
    }
}
