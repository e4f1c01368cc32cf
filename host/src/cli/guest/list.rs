//! `ruzhi guest list`: what is live in each flow, what its files hold, and everything that was live before.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::rules::activation_line;
use crate::activation::ActivationError;
use crate::cli::deployment::{self, Need};
use crate::cli::exit;
use crate::cli::speech::{Failure, Speech};
use crate::store::Access;

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// tenant or tenant/flow; all of them if left out
    target: Option<String>,
    /// Show so many activations of each flow
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
}

impl List {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let config = deployment::configuration(dir, Need::Read, speech)?;
        let chosen = config.select(self.target.as_deref())?;
        let library = deployment::library(&config, speech)?;
        let store = match config.store.path.exists() {
            true => Some(deployment::store(&config, Access::Read).await?),
            false => None,
        };
        let mut values = Vec::new();
        let mut failed = false;
        for (tenant, flow) in chosen {
            let guest = deployment::guest(&library, flow);
            let history = match &store {
                Some(store) => store.activations(&tenant.id, &flow.id, self.last.max(1)).await?,
                None => Vec::new(),
            };
            let live = history.first();
            let differs = match (&guest, live) {
                (Ok(guest), Some(live)) => guest.rules() != &live.rules,
                (Err(_), Some(_)) => true,
                (_, None) => false,
            };
            let restored = match (&store, live) {
                (Some(store), Some(live)) => {
                    let rules = deployment::flow_rules(store.as_ref(), &library, tenant, flow);
                    rules.restored(live).await.err()
                }
                _ => None,
            };
            failed |= guest.is_err() || restored.is_some();
            let restored = restored.map(|error: ActivationError| Failure::from(error));
            if speech.json {
                let mut value = match &guest {
                    Ok(guest) => json!({
                        "rules": guest.rules(),
                        "component": guest.component().inspection(),
                        "description": guest.description(),
                    }),
                    Err(failure) => json!({ "error": speech.failure_value(failure) }),
                };
                if let Some(object) = value.as_object_mut() {
                    object.insert("tenant".to_owned(), json!(tenant.id));
                    object.insert("flow".to_owned(), json!(flow.id));
                    object.insert("path".to_owned(), json!(flow.guest.component));
                    object.insert("live".to_owned(), json!(live));
                    object.insert("differs".to_owned(), json!(differs));
                    object.insert("history".to_owned(), json!(history));
                    if let Some(failure) = &restored {
                        object.insert("live_error".to_owned(), speech.failure_value(failure));
                    }
                }
                values.push(value);
                continue;
            }
            let path = flow.guest.component.display();
            match &guest {
                Ok(guest) => speech.out(format_args!(
                    "{}/{}  {} {}  {} {}  {} {}  {path}",
                    tenant.id,
                    flow.id,
                    guest.description().name,
                    guest.description().version,
                    speech.say("rules", "规则"),
                    guest.rules().short(),
                    speech.say("component", "组件"),
                    guest.component().inspection().digest.short(),
                )),
                Err(failure) => {
                    speech.out(format_args!("{}/{}  {path}", tenant.id, flow.id));
                    speech.explain(failure);
                }
            }
            match live {
                None => speech.out(format_args!(
                    "  {}",
                    speech.say(
                        "nothing is live yet: the first run makes these rules live",
                        "尚无生效的规则：首次运行时以上规则生效"
                    )
                )),
                Some(_) if differs => speech.out(format_args!(
                    "  {}",
                    speech.say(
                        "live is the first of this list; the tenant's files hold other rules",
                        "以下第一条为现行规则；租户文件中为其他规则"
                    )
                )),
                Some(_) => speech.out(format_args!(
                    "  {}",
                    speech.say(
                        "live, as the tenant's files have it; newest first",
                        "现行规则与租户文件一致；新的在前"
                    )
                )),
            }
            for row in &history {
                speech.out(format_args!("  {}", activation_line(speech, row)));
            }
            if let Some(failure) = &restored {
                speech.explain(failure);
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
