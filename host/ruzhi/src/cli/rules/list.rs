//! `ruzhi rules list`: the live rules of each flow, the rules in its files, and the history of activations.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::arguments::activation_line;
use crate::cli::deployment::{self, ConfigurationUse};
use crate::cli::printer::Printer;
use ruzhi_config as config;
use ruzhi_guest_runtime::Guest;
use ruzhi_message::Report;
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
struct RulesListing<'c> {
    tenant: &'c config::TenantConfig,
    flow: &'c config::FlowConfig,
    /// The rules in the tenant's files.
    offered: Result<Guest, Report>,
    /// Newest first; the first is live.
    history: Vec<ActivationRow>,
    /// The reason the live rules could not be loaded again.
    broken: Option<Report>,
}

impl List {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let registry = deployment::registry(&config, printer)?;
        let store = match config.store.path.exists() {
            true => Some(deployment::store(&config, Access::Read).await?),
            false => None,
        };
        let mut values = Vec::new();
        let mut failed = false;
        for (tenant, flow) in config.select(self.target.as_deref())? {
            let offered = ruzhi_app::deployment::guest(&registry, flow);
            let mut listed = RulesListing { tenant, flow, offered, history: Vec::new(), broken: None };
            if let Some(store) = &store {
                listed.history = store.activations_list(&tenant.id, &flow.id, self.last.max(1)).await?;
                if let Some(live) = listed.history.first() {
                    let rules =
                        ruzhi_app::deployment::flow_rules(store.as_ref(), &registry, tenant, flow, None);
                    listed.broken = rules.restored(live).await.err().map(Report::from);
                }
            }
            // Live rules keep working whatever happens to the files.
            failed |= listed.broken.is_some() || (listed.offered.is_err() && listed.history.is_empty());
            if printer.json {
                values.push(listed.value(printer));
            } else {
                listed.print(printer);
            }
        }
        if let Some(store) = store {
            store.close().await;
        }
        if printer.json {
            printer.json(&values);
        }
        Ok(if failed { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS })
    }
}

impl RulesListing<'_> {
    /// The tenant's files hold rules other than the live ones.
    fn differs(&self) -> bool {
        let offered = self.offered.as_ref().map(Guest::rules).ok();
        self.history.first().is_some_and(|live| offered != Some(&live.rules))
    }

    fn value(&self, printer: &Printer) -> Value {
        let (rules, component, description, error) = match &self.offered {
            Ok(guest) => {
                (Some(guest.rules()), Some(guest.component().inspection()), Some(guest.description()), None)
            }
            Err(report) => (None, None, None, Some(printer.report_value(report))),
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
            let live_error = self.broken.as_ref().map(|report| printer.report_value(report));
            let errors = [("error", error), ("live_error", live_error)];
            object.extend(errors.into_iter().filter_map(|(key, error)| Some((key.to_owned(), error?))));
        }
        value
    }

    fn print(&self, printer: &Printer) {
        let (tenant, flow) = (&self.tenant.id, &self.flow.id);
        let path = self.flow.guest.component.display();
        match &self.offered {
            Ok(guest) => printer.out(format_args!(
                "{tenant}/{flow}  {path}: {} {}  {} {}  {} {}",
                guest.description().name,
                guest.description().version,
                printer.text("rules", "规则"),
                guest.rules().short(),
                printer.text("component", "组件"),
                guest.component().inspection().digest.short(),
            )),
            Err(report) => {
                printer.out(format_args!("{tenant}/{flow}  {path}"));
                printer.explain(report);
            }
        }
        let standing = if self.history.is_empty() {
            printer.text(
                "nothing is live yet: the first run makes these rules live",
                "尚无现行的同步规则：首次运行时，以上规则上线",
            )
        } else if self.differs() {
            printer.text(
                "live is the first of this list; the tenant's files hold other rules",
                "以下第一条为现行规则；工厂配置文件中的规则与之不同",
            )
        } else {
            printer.text(
                "live, as the tenant's files have it; newest first",
                "现行规则与工厂配置文件一致；新的在前",
            )
        };
        printer.out(format_args!("  {standing}"));
        for row in &self.history {
            printer.out(format_args!("  {}", activation_line(printer, row)));
        }
        if let Some(report) = &self.broken {
            printer.explain(report);
        }
    }
}
