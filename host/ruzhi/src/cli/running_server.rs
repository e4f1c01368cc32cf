//! The `ruzhi serve` that has the store: a command asks it to run flows, through the socket beside the store.
//!
//! Two processes must not run flows over one store. So where one serves it already, a command gives it the work, waits
//! until it is done, and prints the outcome from the store as if it had done the work itself.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::header::HeaderValue;
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::deployment;
use super::printer::Printer;
use super::run_output::{CommandOutcome, OutputMode, RunOutput, RunSummary, RunUnit};
use super::terminal;
use ruzhi_app::ActionReason;
use ruzhi_app::deployment::RulesExchange;
use ruzhi_config::{Config, TenantConfig};
use ruzhi_message::{Report, exit};
use ruzhi_model::{FlowId, PlanId, RunId, TenantId, Text};
use ruzhi_server::{LocalSocket, USER_HEADER};
use ruzhi_store::{Access, Database, RunRow};
use ruzhi_sync::RunTask;

/// Requests at the same time: fewer than the connections that the process takes.
const AT_ONCE: usize = 16;

/// Between two looks at a run.
const LOOK: Duration = Duration::from_millis(250);

/// A process that serves this configuration's store.
pub(super) struct RunningServer {
    client: reqwest::Client,
    /// Keeps the client's address valid.
    _socket: LocalSocket,
}

/// An accepted request for a run.
#[derive(Deserialize)]
struct Accepted {
    run: Option<RunId>,
}

/// An answer that says why a request was not met.
#[derive(Deserialize)]
struct Denial {
    error: Report,
}

/// The part of a run's view that a command waits for.
#[derive(Deserialize)]
struct RunAnswer {
    run: RunRow,
}

impl RunningServer {
    /// Finds the process; none if no process listens.
    pub(super) async fn find(config: &Config) -> Option<Self> {
        let socket = LocalSocket::beside(&config.store.path).ok()?;
        UnixStream::connect(socket.address()).await.ok()?;
        let client = reqwest::Client::builder().unix_socket(socket.address()).build().ok()?;
        Some(Self { client, _socket: socket })
    }

    /// Has the process run each flow of a target, and reports the outcome of each.
    pub(super) async fn run_each(
        &self,
        config: &Config,
        (each, show): (RunUnit, OutputMode),
        target: Option<&str>,
        printer: &Printer,
        request: &RunTask,
    ) -> Result<CommandOutcome, Report> {
        let mut chosen = config.select(target)?;
        if each == RunUnit::Tenant {
            chosen.dedup_by_key(|(tenant, _)| &tenant.id);
        }
        printer.note(
            printer.text("`ruzhi serve` is running here and does this", "`ruzhi serve` 正在运行，由它来执行"),
        );
        let asked = chosen.iter().map(|(tenant, flow)| self.ask(&tenant.id, &flow.id, request));
        let accepted: Vec<_> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
        let store = deployment::store(config, Access::Read).await?;
        let mut output = RunOutput::new(printer, show);
        for ((tenant, flow), accepted) in chosen.into_iter().zip(accepted) {
            match self.outcome(store.as_ref(), tenant, accepted).await {
                Ok(Some(outcome)) => output.add(tenant, outcome, store.as_ref()).await,
                Ok(None) => printer.note(format_args!(
                    "{}/{}{}{}",
                    tenant.id,
                    flow.id,
                    printer.colon(),
                    printer.text("asked for; it begins as soon as there is room", "已请求，有空位时开始")
                )),
                Err(report) => output.add_report(tenant, flow, report),
            }
        }
        store.close().await;
        let outcome = output.outcome();
        Ok(CommandOutcome { outcome, code: output.finish() })
    }

    /// Has the process reject a plan.
    pub(super) async fn reject(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        reason: Option<&ActionReason>,
    ) -> Result<(), Report> {
        let path = format!("tenants/{tenant}/plans/{plan}/reject");
        self.send(Method::POST, &path, Some(json!({ "reason": reason }))).await.map(drop)
    }

    async fn ask(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        request: &RunTask,
    ) -> Result<Option<RunId>, Report> {
        let runs = format!("tenants/{tenant}/flows/{flow}/runs");
        let (path, body) = match request {
            RunTask::Sync(options) => (
                runs,
                json!({ "what": "sync", "full": options.full, "accept_missing": options.accept_missing }),
            ),
            RunTask::Plan(options) => (
                runs,
                json!({ "what": "plan", "full": options.full, "accept_missing": options.accept_missing }),
            ),
            RunTask::Drift(None) => (runs, json!({ "what": "drift" })),
            RunTask::Drift(Some(settle)) => (runs, json!({ "what": "drift", "settle": settle })),
            RunTask::Adopt(by) => (runs, json!({ "what": "adopt", "by": by })),
            RunTask::Revert(run) => (runs, json!({ "what": "revert", "run": run })),
            RunTask::Apply { plan, approved } => {
                let (action, body) = if *approved {
                    ("approve", json!({ "after_rejection": true }))
                } else {
                    ("apply", json!({}))
                };
                (format!("tenants/{tenant}/plans/{plan}/{action}"), body)
            }
        };
        let answer = self.send(Method::POST, &path, Some(body)).await?;
        let accepted: Accepted = answer.json().await.map_err(|error| gone(&error))?;
        Ok(accepted.run)
    }

    /// Waits for the end of a run, and reads its outcome from the store.
    async fn outcome(
        &self,
        store: &Database,
        tenant: &TenantConfig,
        accepted: Result<Option<RunId>, Report>,
    ) -> Result<Option<RunSummary>, Report> {
        let Some(id) = accepted? else { return Ok(None) };
        let run = loop {
            let answer = self.send(Method::GET, &format!("runs/{id}"), None).await?;
            let seen: RunAnswer = answer.json().await.map_err(|error| gone(&error))?;
            if seen.run.ended_at.is_some() {
                break seen.run;
            }
            tokio::time::sleep(LOOK).await;
        };
        let plan = match &run.plan {
            Some(plan) => store.plan_find(&tenant.id, plan).await?.map(|stored| stored.plan),
            None => None,
        };
        let mut findings = Vec::new();
        if store.drift_check_find(&tenant.id).await?.is_some_and(|check| check.run == run.id) {
            let mut after = None;
            loop {
                let page = store.drift_findings_list(&tenant.id, after, 500).await?;
                let Some((place, _)) = page.last() else { break };
                after = Some(*place);
                findings.extend(page.into_iter().map(|(_, finding)| finding));
            }
        }
        let failure = run.failure.clone();
        Ok(Some(RunSummary { run, plan, findings, exchanged: RulesExchange::default(), failure }))
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Response, Report> {
        let mut request = self.client.request(method, format!("http://localhost/api/v1/{path}"));
        if let Ok(user) = HeaderValue::from_bytes(terminal::terminal_user().as_bytes()) {
            request = request.header(USER_HEADER, user);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| gone(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let denial: Denial = answer.json().await.map_err(|error| gone(&error))?;
        Err(denial.error)
    }
}

/// The process does not answer any longer.
fn gone(error: &reqwest::Error) -> Report {
    let text = Text::new(
        "`ruzhi serve` stopped answering; a run it has begun may not be finished",
        "`ruzhi serve` 已停止应答，其已开始的运行可能尚未完成",
    );
    let hint = Text::new(
        "the next start settles it; `ruzhi runs` lists the runs",
        "下次启动时会处理；`ruzhi runs` 会列出各次运行",
    );
    Report::new(exit::FAILED, "serve.gone", text, Some(hint)).because(error)
}
