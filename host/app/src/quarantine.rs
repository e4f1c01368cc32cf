//! The quarantine: records that wait to be corrected, with the form's own labels. One record of it is a `RejectView`.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::audit_log::{AuditRequest, recorded};
use super::blocking::off_thread;
use super::labels::Labels;
use super::mask::Sight;
use super::paging::{CursorError, MOST, Page, number, page_size, ticked, unless_empty};
use super::reject_view::RejectView;
use super::removals::of_record;
use super::search::Search;
use super::spreadsheet::Spreadsheet;
use crate::app::App;
use crate::principal::Principal;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, RecordId, TenantId, WaitsFor};
use ruzhi_store::{AuditAction, QuarantineDetail, QuarantineFilter, QuarantineRow};

/// Filter and page of the quarantine.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct QuarantineQuery {
    /// Only this tenant. Tenants removed from the configuration still match; unknown tenants return an empty page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub tenant: Option<TenantId>,
    /// Only flows with this id. Flows removed from the configuration still match; unknown ones return an empty page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub flow: Option<FlowId>,
    /// Only records rejected by this rule.
    #[serde(deserialize_with = "unless_empty")]
    pub rule: Option<String>,
    /// Words that must all occur in the record id, account, label, rule, message or row.
    #[serde(deserialize_with = "unless_empty")]
    pub search: Option<String>,
    /// The `next_cursor` of the previous page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "place")]
    pub cursor: Option<QuarantineCursor>,
    /// Page size: 50 by default, at most 500.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Show numbers and addresses in full. Needs an operator, and is recorded in the audit log.
    #[serde(deserialize_with = "ticked")]
    pub reveal: bool,
}

/// The position of an entry in the list, written with tabs, which no id contains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuarantineCursor {
    tenant: TenantId,
    flow: FlowId,
    record: RecordId,
}

impl QuarantineCursor {
    fn of(reject: &QuarantineRow) -> Self {
        let QuarantineRow { tenant, flow, record, .. } = reject;
        Self { tenant: tenant.clone(), flow: flow.clone(), record: record.clone() }
    }
}

impl fmt::Display for QuarantineCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{}", self.tenant, self.flow, self.record)
    }
}

impl FromStr for QuarantineCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('\t');
        let mut part = || parts.next().ok_or(CursorError);
        let (tenant, flow, record) = (part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(CursorError);
        }
        Ok(Self {
            tenant: tenant.parse().map_err(|_| CursorError)?,
            flow: flow.parse().map_err(|_| CursorError)?,
            record: record.parse().map_err(|_| CursorError)?,
        })
    }
}

/// A page of the quarantine, with totals over all matching records.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuarantineView {
    /// The page.
    pub page: Page<RejectView>,
    /// Matching records on all pages.
    pub total: u64,
    /// Matching records by rule, the most frequent first; a record may count under several.
    pub by_rule: Vec<RuleGroup>,
    /// True if numbers and addresses are shown in full.
    pub revealed: bool,
}

/// Records rejected by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleGroup {
    /// The rule.
    pub rule: String,
    /// The form's labels of the fields it concerns, in alphabetical order.
    pub labels: Vec<String>,
    /// Number of records.
    pub records: u64,
}

/// Returns a page of the quarantine.
pub async fn quarantine(
    app: &App,
    principal: &Principal,
    asked: &QuarantineQuery,
) -> Result<QuarantineView, Report> {
    if !asked.reveal {
        return part(app, asked).await;
    }
    recorded(app, principal, revealing(AuditAction::QuarantineReveal, asked), part(app, asked)).await
}

/// Exports all matching records as CSV for a spreadsheet: UTF-8 with a byte order mark, one line for each reason. Text
/// that a spreadsheet would take for a formula is escaped.
pub async fn quarantine_csv(
    app: &App,
    principal: &Principal,
    asked: &QuarantineQuery,
) -> Result<Vec<u8>, Report> {
    if !asked.reveal {
        return export(app, principal, asked).await;
    }
    recorded(app, principal, revealing(AuditAction::QuarantineReveal, asked), export(app, principal, asked))
        .await
}

fn revealing<'a>(action: AuditAction, asked: &'a QuarantineQuery) -> AuditRequest<'a> {
    let rule = asked.rule.as_ref().map(|rule| format!("rule {rule}"));
    let search = asked.search.as_ref().map(|words| format!("search {}", Sight::Masked.text(words)));
    let detail = [rule, search].into_iter().flatten().collect::<Vec<_>>().join(", ");
    AuditRequest {
        action,
        tenant: asked.tenant.as_ref(),
        flow: asked.flow.as_ref(),
        subject: None,
        detail: (!detail.is_empty()).then_some(detail),
    }
}

/// Number of rows read at once: each may have 256 KiB.
const AT_ONCE: u32 = 50;

/// The matching records by tenant, flow and record, without their rows, and the labels of their flows.
struct QuarantineSelection {
    rejects: Vec<QuarantineRow>,
    labels: HashMap<(TenantId, FlowId), Labels>,
}

impl QuarantineSelection {
    /// Adds the entries that match the rule and the words, without their rows.
    fn with(
        mut self,
        found: Vec<QuarantineDetail>,
        rule: Option<&str>,
        search: &Search,
        sight: Sight,
    ) -> Self {
        let nameless = Labels::default();
        for shown in found {
            let reject = &shown.reject;
            let of = self.labels.get(&(reject.tenant.clone(), reject.flow.clone())).unwrap_or(&nameless);
            let ruled = rule.is_none_or(|rule| reject.rejection.violations.iter().any(|of| of.rule == rule));
            if ruled && search.finds(&shown, of, sight) {
                self.rejects.push(QuarantineRow { content: None, ..shown.reject });
            }
        }
        self
    }

    /// Groups the records by rule, the most frequent first; a record may count under several.
    fn by_rule(&self) -> Vec<RuleGroup> {
        let nameless = Labels::default();
        let mut by_rule: BTreeMap<&str, (BTreeSet<String>, u64)> = BTreeMap::new();
        for reject in &self.rejects {
            let of = self.labels.get(&(reject.tenant.clone(), reject.flow.clone())).unwrap_or(&nameless);
            let mut counted = BTreeSet::new();
            for violation in &reject.rejection.violations {
                let (labels, records) = by_rule.entry(&violation.rule).or_default();
                labels.insert(of.of_form(&violation.field));
                *records += u64::from(counted.insert(&violation.rule));
            }
        }
        let group = |(rule, (labels, records)): (&str, (BTreeSet<String>, u64))| RuleGroup {
            rule: rule.to_owned(),
            labels: labels.into_iter().collect(),
            records,
        };
        let mut groups: Vec<RuleGroup> = by_rule.into_iter().map(group).collect();
        groups.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.rule.cmp(&b.rule)));
        groups
    }
}

async fn chosen(app: &App, asked: &QuarantineQuery) -> Result<QuarantineSelection, Report> {
    let store = app.store.as_ref();
    let search = Arc::new(Search::of(asked.search.as_deref()));
    let mut labels: HashMap<(TenantId, FlowId), Labels> = HashMap::new();
    if !search.is_empty() {
        let deployment = app.deployment();
        for tenant in &deployment.config.tenants {
            for flow in &tenant.flows {
                let of = Labels::of(store, &tenant.id, &flow.id).await?;
                labels.insert((tenant.id.clone(), flow.id.clone()), of);
            }
        }
    }
    let in_store = search.in_store(labels.values());
    let sight = Sight::of(asked.reveal);
    let mut chosen = QuarantineSelection { rejects: Vec::new(), labels };
    let mut last: Option<(TenantId, FlowId, RecordId)> = None;
    loop {
        let wanted = QuarantineFilter {
            tenant: asked.tenant.as_ref(),
            flow: asked.flow.as_ref(),
            words: &in_store,
            rows: !search.is_empty(),
            after: last.as_ref().map(|(tenant, flow, record)| (tenant, flow, record)),
            most: (!search.is_empty()).then_some(AT_ONCE),
            ..QuarantineFilter::default()
        };
        let found = store.quarantine_list_details(&wanted).await?;
        for shown in &found {
            let flow = (shown.reject.tenant.clone(), shown.reject.flow.clone());
            if let Entry::Vacant(none) = chosen.labels.entry(flow) {
                let (tenant, flow) = none.key();
                let of = Labels::of(store, tenant, flow).await?;
                none.insert(of);
            }
        }
        let (whole, most) = (found.len(), wanted.most);
        last = found.last().map(|shown| {
            let reject = &shown.reject;
            (reject.tenant.clone(), reject.flow.clone(), reject.record.clone())
        });
        let (rule, search) = (asked.rule.clone(), Arc::clone(&search));
        chosen = off_thread(move || chosen.with(found, rule.as_deref(), &search, sight)).await?;
        if most.is_none_or(|most| whole < most as usize) {
            return Ok(chosen);
        }
    }
}

/// Counts the quarantined records of a tenant or flow, by rule and in total.
pub(super) async fn by_rule(
    app: &App,
    tenant: Option<&TenantId>,
    flow: Option<&FlowId>,
) -> Result<(Vec<RuleGroup>, u64), Report> {
    let (tenant, flow) = (tenant.cloned(), flow.cloned());
    let chosen = chosen(app, &QuarantineQuery { tenant, flow, ..QuarantineQuery::default() }).await?;
    Ok((chosen.by_rule(), chosen.rejects.len() as u64))
}

async fn part(app: &App, asked: &QuarantineQuery) -> Result<QuarantineView, Report> {
    let chosen = chosen(app, asked).await?;
    let by_rule = chosen.by_rule();
    let QuarantineSelection { rejects, labels } = chosen;
    let most = page_size(asked.limit) as usize;
    let start = match &asked.cursor {
        Some(after) => rejects.partition_point(|reject| QuarantineCursor::of(reject) <= *after),
        None => 0,
    };
    let page = rejects.get(start..).unwrap_or_default();
    let more = page.len() > most;
    let (sight, total) = (Sight::of(asked.reveal), rejects.len() as u64);
    let mut chosen = Vec::new();
    for reject in page.iter().take(most) {
        chosen.push(with_row(app, reject).await?);
    }
    let next_cursor = chosen.last().filter(|_| more).map(|reject| QuarantineCursor::of(reject).to_string());
    let mut items = off_thread(move || views(&chosen, &labels, sight)).await?;
    for view in items.iter_mut().filter(|view| view.waits_for == WaitsFor::Person) {
        view.removal = of_record(app, (&view.tenant, &view.flow, &view.record), sight).await?;
    }
    Ok(QuarantineView { page: Page { items, next_cursor }, total, by_rule, revealed: asked.reveal })
}

/// Adds its row to an entry, unless the row is gone in the meantime.
async fn with_row(app: &App, reject: &QuarantineRow) -> Result<QuarantineRow, Report> {
    let wanted = QuarantineFilter {
        tenant: Some(&reject.tenant),
        flow: Some(&reject.flow),
        record: Some(&reject.record),
        rows: true,
        ..QuarantineFilter::default()
    };
    let found = app.store.quarantine_list_details(&wanted).await?.into_iter().next();
    Ok(QuarantineRow { content: found.and_then(|shown| shown.reject.content), ..reject.clone() })
}

async fn export(app: &App, principal: &Principal, asked: &QuarantineQuery) -> Result<Vec<u8>, Report> {
    let QuarantineSelection { rejects, labels } = chosen(app, asked).await?;
    let (sight, labels) = (Sight::of(asked.reveal), Arc::new(labels));
    let mut sheet = Spreadsheet::begin(principal.lang)?;
    for part in rejects.chunks(AT_ONCE as usize) {
        let mut rows = Vec::with_capacity(part.len());
        for reject in part {
            rows.push(with_row(app, reject).await?);
        }
        let labels = Arc::clone(&labels);
        sheet = off_thread(move || sheet.with(&views(&rows, &labels, sight))).await??;
    }
    sheet.finish()
}

fn views(
    rejects: &[QuarantineRow],
    labels: &HashMap<(TenantId, FlowId), Labels>,
    sight: Sight,
) -> Vec<RejectView> {
    let nameless = Labels::default();
    let view = |reject: &QuarantineRow| {
        let of = labels.get(&(reject.tenant.clone(), reject.flow.clone())).unwrap_or(&nameless);
        RejectView::of(reject, of, sight)
    };
    rejects.iter().map(view).collect()
}
