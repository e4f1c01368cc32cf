//! Who changed what, and who asked to see what is masked.
//!
//! What a visitor asks for is written down before it is done, with `begun` for an outcome, and again once it is known: a
//! row that stays `begun` is of something whose end nobody saw, and nothing is ever done that is not in the log.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::page::{MOST, NotAPlace, Page, number, page_size, unless_empty};
use crate::config::Role;
use crate::failure::{Failure, exit};
use crate::model::{FlowId, TenantId, Text};
use crate::serve::Process;
use crate::serve::access::Visitor;
use crate::store::AuditRow;

/// The outcome of what is not known to have ended.
pub(super) const BEGUN: &str = "begun";
/// The outcome of what was done.
pub(super) const DONE: &str = "done";

/// Which part of the audit log.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuditAsked {
    /// Of this tenant, also one that is gone from the configuration; of one that never was there is nothing.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub tenant: Option<TenantId>,
    /// The `next` of the part before.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "place")]
    pub after: Option<AuditPlace>,
    /// How many, 50 if not given, 500 at most.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 500)]
    pub most: Option<u32>,
}

/// The place behind a row of the log: the row's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace(String);

impl AuditPlace {
    /// The row's id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AuditPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let is_part = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        let parts: Vec<&str> = text.split('-').collect();
        let is_id = parts.len() == ID_PARTS.len()
            && parts.iter().zip(ID_PARTS).all(|(part, length)| is_part(part, length));
        if is_id { Ok(Self(text.to_owned())) } else { Err(NotAPlace) }
    }
}

/// Digits of each part of a row's id: its moment in milliseconds, its place among the rows of the process, chance.
const ID_PARTS: [usize; 3] = [15, 10, 4];

/// The audit log, newest first.
pub async fn audit(process: &Process, asked: &AuditAsked) -> Result<Page<AuditRow>, Failure> {
    let most = page_size(asked.most);
    let mut items = process
        .store
        .audit(asked.tenant.as_ref(), asked.after.as_ref().map(AuditPlace::as_str), most + 1)
        .await?;
    let more = items.len() > most as usize;
    items.truncate(most as usize);
    let next = items.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Page { items, next })
}

/// What somebody asks for.
pub(super) struct Asking<'a> {
    pub(super) action: &'static str,
    pub(super) tenant: Option<&'a TenantId>,
    pub(super) flow: Option<&'a FlowId>,
    pub(super) subject: Option<String>,
    pub(super) detail: Option<String>,
}

impl<'a> Asking<'a> {
    /// Something asked of a flow.
    pub(super) fn of(action: &'static str, tenant: &'a TenantId, flow: &'a FlowId) -> Self {
        Self { action, tenant: Some(tenant), flow: Some(flow), subject: None, detail: None }
    }

    pub(super) fn on(mut self, subject: impl ToString) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    pub(super) fn saying(mut self, detail: Option<String>) -> Self {
        self.detail = detail;
        self
    }
}

/// Does what an operator asks for, and writes down who asked and what came of it. Of somebody who may not ask it is
/// written down that they did.
pub(super) async fn recorded<T>(
    process: &Process,
    visitor: &Visitor,
    asking: Asking<'_>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut row = row(process, &visitor.name, visitor.role, &visitor.origin, asking);
    if visitor.role < Role::Operator {
        let failure = forbidden();
        failure.code().clone_into(&mut row.outcome);
        process.store.put_audit(&row).await?;
        return Err(failure);
    }
    process.store.put_audit(&row).await?;
    let result = work.await;
    result.as_ref().map_or_else(Failure::code, |_| DONE).clone_into(&mut row.outcome);
    match process.store.put_audit(&row).await {
        // What was asked for is what the answer is about; the log says `begun`.
        Err(error) if result.is_err() => tracing::error!(%error, "the audit log could not be written"),
        written => written?,
    }
    result
}

/// Writes down that somebody has logged in.
pub(in crate::serve) async fn logged_in(
    process: &Process,
    who: &str,
    role: Role,
    origin: &str,
) -> Result<(), Failure> {
    let asking = Asking { action: "session.begin", tenant: None, flow: None, subject: None, detail: None };
    let mut row = row(process, who, role, origin, asking);
    DONE.clone_into(&mut row.outcome);
    Ok(process.store.put_audit(&row).await?)
}

fn row(process: &Process, who: &str, role: Role, origin: &str, asking: Asking<'_>) -> AuditRow {
    // Rows of one millisecond keep their order.
    static ROWS: AtomicU64 = AtomicU64::new(0);
    let at = process.clock.now();
    let place = ROWS.fetch_add(1, Ordering::Relaxed);
    AuditRow {
        id: id(at, place, rand::random()),
        at,
        who: who.to_owned(),
        role: if role == Role::Operator { "operator" } else { "viewer" }.to_owned(),
        origin: origin.to_owned(),
        action: asking.action.to_owned(),
        tenant: asking.tenant.cloned(),
        flow: asking.flow.cloned(),
        subject: asking.subject,
        detail: asking.detail,
        outcome: BEGUN.to_owned(),
    }
}

fn id(at: DateTime<Utc>, place: u64, chance: u16) -> String {
    let [moment, order, rest] = ID_PARTS;
    format!("{:0moment$}-{place:0order$}-{chance:0rest$x}", at.timestamp_millis())
}

fn forbidden() -> Failure {
    Failure::new(
        exit::USAGE,
        "access.forbidden",
        Text::new(
            "this needs an operator, and you are a viewer; nothing was done",
            "此操作需要操作员，您是查看者；未执行任何操作",
        ),
        Some(Text::new("ask an operator, who finds it in the same place", "请联系操作员，在同一位置操作")),
    )
}
