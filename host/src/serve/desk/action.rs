//! What an operator may ask of a flow, and how every asking is written down.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::{Asking, recorded};
use super::found::{Found, said};
use super::page::ticked;
use crate::failure::Failure;
use crate::model::{FlowId, TenantId};
use crate::serve::access::Visitor;
use crate::serve::{Asked, Process};
use crate::sync::{Request, RunOptions};

/// What a run is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunWhat {
    /// Plan, and apply the plan if the guard lets it pass.
    #[default]
    Sync,
    /// Plan, and write nothing to the directory.
    Plan,
    /// Compare the directory with the ledger.
    Drift,
}

/// A run now.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunWish {
    /// What it does.
    pub what: RunWhat,
    /// Read the whole form, decide every row again, and try quarantined records again.
    #[serde(deserialize_with = "ticked")]
    pub full: bool,
    /// Believe the form even if most of its rows are missing.
    #[serde(deserialize_with = "ticked")]
    pub accept_missing: bool,
}

/// A stop until somebody resumes.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct PauseWish {
    /// What for, in their words.
    pub why: Option<String>,
}

/// A no.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct RejectWish {
    /// Why, in their words.
    pub reason: String,
}

/// Runs a flow now.
pub async fn run_now(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    wish: &RunWish,
) -> Result<Asked, Failure> {
    let options = RunOptions { full: wish.full, accept_missing: wish.accept_missing };
    let (word, request) = match wish.what {
        RunWhat::Sync => ("sync", Request::Sync(options)),
        RunWhat::Plan => ("plan", Request::Plan(options)),
        RunWhat::Drift => ("drift", Request::Drift(None)),
    };
    let full = if wish.full { " full" } else { "" };
    let accept = if wish.accept_missing { " accept_missing" } else { "" };
    let asking = Asking::of("run.start", tenant, flow).saying(Some(format!("{word}{full}{accept}")));
    recorded(process, visitor, asking, async {
        Found::of(process, tenant, flow)?;
        process.scheduler.ask(tenant, flow, request, &visitor.name).await
    })
    .await
}

/// Tries a flow's quarantined records again: the whole form is read, and every row decided again.
pub async fn retry(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
) -> Result<Asked, Failure> {
    let asking = Asking::of("quarantine.retry", tenant, flow);
    recorded(process, visitor, asking, async {
        Found::of(process, tenant, flow)?;
        let request = Request::Sync(RunOptions { full: true, accept_missing: false });
        process.scheduler.ask(tenant, flow, request, &visitor.name).await
    })
    .await
}

/// Stops a flow until it is resumed.
pub async fn pause(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    wish: &PauseWish,
) -> Result<(), Failure> {
    let why = said(wish.why.as_deref());
    let asking = Asking::of("flow.pause", tenant, flow).saying(why.clone());
    recorded(process, visitor, asking, async {
        Found::of(process, tenant, flow)?;
        process.scheduler.pause(tenant, flow, &visitor.name, why.as_deref()).await
    })
    .await
}

/// Starts a flow again that was paused or blocked.
pub async fn resume(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
) -> Result<(), Failure> {
    let asking = Asking::of("flow.resume", tenant, flow);
    recorded(process, visitor, asking, async {
        Found::of(process, tenant, flow)?;
        process.scheduler.resume(tenant, flow).await
    })
    .await
}
