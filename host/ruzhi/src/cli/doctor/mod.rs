//! `ruzhi doctor`: checks everything a run needs, and says how to fix it.
//!
//! It changes nothing and may run beside `ruzhi serve`. Each finding is *ok*, *warn* (works, but needs attention) or
//! *fail* (a run would fail).

mod advisory;
mod check_result;
mod local;
mod services;

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use self::check_result::{CheckResult, Level};
use super::deployment::registry;
use super::printer::Printer;
use ruzhi_app::deployment;
use ruzhi_config::{Checks, Config, Problems, ProcessEnvironment, Secrets};
use ruzhi_message::{Report, exit};

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
    /// Call no service
    #[arg(long)]
    offline: bool,
    /// Only check that `ruzhi serve` is running here and ready, as a container does every half minute
    #[arg(long)]
    alive: bool,
}

impl Doctor {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let secrets = if self.alive { Secrets::Skip } else { Secrets::Resolve };
        let checks = Checks { secrets, ..deployment::checks() };
        let (config, problems) = Config::usable(dir, &ProcessEnvironment, &checks);
        if self.alive {
            // An invalid tenant file does not keep the process from answering.
            let config = config.ok_or_else(|| problems.unwrap_or_default())?;
            return Ok(tell(&[services::alive(&config.server).await], printer));
        }
        let mut findings = vec![local::engine()];
        let unusable = problems.iter().flat_map(|p| local::unusable(p, config.is_some(), printer.lang));
        findings.extend(unusable);
        if let Some(config) = config {
            findings.push(local::configuration(&config, printer.lang));
            self.look(&config, problems.as_ref(), printer, &mut findings).await?;
        }
        Ok(tell(&findings, printer))
    }

    async fn look(
        &self,
        config: &Config,
        problems: Option<&Problems>,
        printer: &Printer,
        findings: &mut Vec<CheckResult>,
    ) -> Result<(), Report> {
        let chosen = config.select_usable(self.target.as_deref(), problems)?;
        let (store, opened) = local::store(&config.store.path).await;
        findings.extend(store);
        findings.extend(local::disk(config));
        findings.push(local::door(&config.server));
        let registry = registry(config, printer)?;
        for (tenant, flow) in &chosen {
            let guest = deployment::guest(&registry, flow);
            findings.push(local::component(opened.as_ref(), tenant, flow, guest.as_ref()).await);
        }
        if !self.offline {
            let mut tenants: Vec<_> = chosen.iter().map(|(tenant, _)| *tenant).collect();
            tenants.dedup_by_key(|tenant| &tenant.id);
            for tenant in tenants {
                findings.extend(services::tenant(config, tenant).await);
            }
            for (tenant, flow) in &chosen {
                let guest = deployment::guest(&registry, flow).ok();
                findings.extend(services::flow(tenant, flow, guest.as_ref()).await);
            }
        }
        for (tenant, flow) in &chosen {
            findings.extend(local::pushes(&config.server, tenant, flow));
        }
        if let Some(store) = opened {
            store.close().await;
        }
        Ok(())
    }
}

/// Prints the findings, worst last, so that the worst is right above the prompt.
fn tell(findings: &[CheckResult], printer: &Printer) -> ExitCode {
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (warned, failed) = (count(Level::Warn), count(Level::Fail));
    if printer.json {
        printer.json(&json!({ "ok": failed == 0, "findings": findings }));
    } else {
        for finding in findings {
            let mark = match finding.level {
                Level::Ok => printer.text("ok  ", "正常"),
                Level::Warn => printer.text("warn", "注意"),
                Level::Fail => printer.text("FAIL", "失败"),
            };
            let of = finding.of.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
            printer.out(format_args!(
                "{mark}  {}{of}{}{}",
                word(finding.check, printer),
                printer.colon(),
                finding.message.in_lang(printer.lang)
            ));
            for cause in &finding.causes {
                for line in cause.trim_end().lines() {
                    printer.out(format_args!("        {line}"));
                }
            }
            if let Some(hint) = &finding.hint {
                printer.out(format_args!("      → {}", hint.in_lang(printer.lang)));
            }
        }
        printer.out(format_args!(
            "{} {}{comma}{} {}{comma}{} {}",
            count(Level::Ok),
            printer.text("ok", "项正常"),
            warned,
            printer.text("to know", "项注意"),
            failed,
            printer.text("failed", "项失败"),
            comma = printer.comma()
        ));
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) }
}

fn word(check: &'static str, printer: &Printer) -> &'static str {
    match check {
        "engine" => printer.text("engine", "引擎"),
        "configuration" => printer.text("configuration", "配置"),
        "store" => printer.text("store", "存储"),
        "disk" => printer.text("disk", "磁盘"),
        "serve" => printer.text("serve", "服务"),
        "door" => printer.text("door", "监听"),
        "component" => printer.text("component", "规则组件"),
        "wecom" => printer.text("WeCom", "企业微信"),
        "jiandaoyun" => printer.text("JianDaoYun", "简道云"),
        "clock" => printer.text("clock", "时钟"),
        "write-back" => printer.text("write-back", "回写"),
        "push" => printer.text("push", "推送"),
        "callback" => printer.text("callback", "回调"),
        other => other,
    }
}
