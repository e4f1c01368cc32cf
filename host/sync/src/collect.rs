//! Reading the form and deciding new rows.
//!
//! Pages are read one after another, because each cursor is the end of the page before; decisions are made alongside on
//! all cores. Only rows whose content or rules changed are decided again.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::decide::{DecisionRunner, parse};
use super::error::RunError;
use super::flow::FlowRuntime;
use super::notice::Notice;
use super::service_time::{ServiceTime, UPDATED, updated_at};
use ruzhi_guest_runtime::BATCH;
use ruzhi_jiandaoyun::{FormRow, RowQuery};
use ruzhi_metrics as metrics;
use ruzhi_model::{Digest, RecordId, RunId, SourceRecord, row};
use ruzhi_store::{Absence, DueRecord, FetchedRecord, PresentRecord};

pub(super) struct Collector<'a> {
    pub(super) flow: &'a FlowRuntime,
    pub(super) run: &'a RunId,
    pub(super) started_at: DateTime<Utc>,
    /// Read and decide every row, regardless of earlier knowledge.
    pub(super) full: bool,
    /// Read every row.
    pub(super) complete: bool,
    /// Most rows may be missing, as a person has confirmed.
    pub(super) accept_missing: bool,
    /// The rules have decided rows in this collect.
    pub(super) decided: AtomicBool,
}

/// The result of a collect.
pub(super) struct CollectSummary {
    /// It read the whole form.
    pub(super) complete: bool,
    /// Its knowledge of the service's time.
    pub(super) time: ServiceTime,
    /// The watermark it began from; none if there was none, or it was not credible.
    pub(super) before: Option<DateTime<Utc>>,
    /// Neither this collect nor one before has found a row.
    pub(super) nothing_yet: Option<Notice>,
}

impl CollectSummary {
    /// The next watermark. The year 1970, so that the next collect is complete too, if nothing tells the time; as long
    /// as no row was read there is no time yet.
    pub(super) fn reached(&self) -> DateTime<Utc> {
        if self.nothing_yet.is_some() {
            return DateTime::UNIX_EPOCH;
        }
        let reached = self.time.reached();
        // Only a complete collect moves a watermark back: an incremental one starts at the one before.
        let kept = self.before.filter(|_| !self.complete || reached.is_none());
        reached.max(kept).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// Limit on missing rows queried one by one; if more are missing, these represent them all.
const ASKED_FOR: usize = 200;

/// The system field of a workflow's state.
const FLOW_STATE: &str = "flowState";

/// Up to this many rows may be missing, whatever their share.
const FEW_MISSING: u64 = 10;

/// The known rows that a complete collect has not found. Pages come in the order of the ids, as in the store, so only
/// missing rows are kept.
#[derive(Default)]
struct Census {
    /// Rows found by an earlier collect that ended well.
    had: u64,
    /// Of these, rows not found.
    missing: u64,
    /// Every row not found, and its confirmation.
    absent: Vec<PresentRecord>,
}

impl Census {
    /// Takes in the rows known between two ids, and those found there.
    fn take(&mut self, known: Vec<PresentRecord>, found: &[FormRow]) {
        for PresentRecord { id, confirmed } in known {
            self.had += u64::from(confirmed);
            if found.binary_search_by(|row| row.id.cmp(&id)).is_err() {
                self.missing += u64::from(confirmed);
                self.absent.push(PresentRecord { id, confirmed });
            }
        }
    }
}

impl Collector<'_> {
    /// Reads the form to its end and stores every decision.
    pub(super) async fn collect(&self) -> Result<CollectSummary, RunError> {
        let flow = self.flow;
        let store = &flow.store;
        let asking = flow.query_digest();
        let watermark = store.watermark_find(&flow.tenant, &flow.id).await?;
        if let Some(before) = &watermark
            && !before.form.is_empty()
            && before.form != flow.form_name()
            && !self.accept_missing
        {
            // Rows of another form are other people, and none of the known rows is in it.
            return Err(RunError::SourceOtherForm { before: before.form.clone(), now: flow.form_name() });
        }
        if watermark.as_ref().is_some_and(|before| before.query != asking) {
            store.watermark_set_unfinished_query(&flow.tenant, &flow.id, &asking).await?;
        }
        // A form that never gave a row is read completely.
        let never_read = watermark.as_ref().is_none_or(|watermark| watermark.is_of_nothing());
        let watermark = watermark.filter(|watermark| watermark.query == asking);
        let same_query = watermark.is_some();
        let mut before = watermark.as_ref().map(|watermark| watermark.reached);
        let mut since = watermark
            .filter(|watermark| !watermark.is_of_nothing())
            // Rows found by another query since then do not answer this one.
            .filter(|watermark| !self.full && !self.complete && watermark.unfinished_query.is_none())
            .filter(|_| flow.filter.as_ref().is_some_and(|filter| filter.is_incremental()))
            .and_then(|watermark| watermark.reached.checked_sub_signed(flow.overlap));
        let mut query = self.query(since);
        let mut time = ServiceTime::begin(flow.clock.now());
        let mut first = Some(self.page(&query, None).await?);
        time.saw(flow.source.service_clock(time.asked()));
        if before.is_some_and(|before| time.contradicts(before)) {
            tracing::warn!("the watermark is ahead of JianDaoYun's clock and is not believed");
            before = None;
            if since.take().is_some() {
                query = self.query(None);
                time = ServiceTime::begin(flow.clock.now());
                first = None;
            }
        }
        let complete = since.is_none();
        let mut census = Census::default();
        let mut rows = 0;
        let mut deciding = self.deciding();
        let mut after: Option<RecordId> = None;
        loop {
            let mut page = match first.take() {
                Some(page) => page,
                None => self.page(&query, after.as_ref()).await?,
            };
            time.saw(flow.source.service_clock(time.asked()));
            if page.is_empty() {
                // The end of a form may be the end of someone's employment, and skipped rows are never fetched again:
                // the service is asked once more before it is believed.
                page = self.page(&query, after.as_ref()).await?;
            }
            let Some(last) = page.last() else { break };
            let until = last.id.clone();
            rows += page.len() as u64;
            time.read(&page);
            metrics::rows_read(&flow.tenant, &flow.id, page.len());
            if complete {
                let known = self.present(after.as_ref(), Some(&until)).await?;
                census.take(known, &page);
            }
            after = Some(until);
            flow.progress.collected(rows);
            let fresh = self.fresh(page).await?;
            deciding.begin(fresh).await?;
        }
        deciding.finish().await?;
        if complete {
            census.take(self.present(after.as_ref(), None).await?, &[]);
            self.part_with_absent(census, rows, same_query).await?;
        }
        self.decide_again().await?;
        let nothing_yet = if never_read && complete && rows == 0 { Some(self.no_row().await) } else { None };
        Ok(CollectSummary { complete, time, before, nothing_yet })
    }

    fn deciding(&self) -> DecisionRunner<'_> {
        DecisionRunner::new(self.flow, self.started_at, &self.decided)
    }

    /// The query: the fields the rules read, and the time of each row's last change.
    fn query(&self, since: Option<DateTime<Utc>>) -> RowQuery {
        let mut fields = self.flow.guest.description().source_fields.clone();
        if !fields.is_empty() && !fields.iter().any(|field| field == UPDATED) {
            fields.push(UPDATED.to_owned());
        }
        RowQuery { fields, filter: self.flow.filter.as_ref().and_then(|filter| filter.resolve(since)) }
    }

    /// The reason no row was found, as far as the form tells.
    async fn no_row(&self) -> Notice {
        let flow = self.flow;
        let filtered = flow.filter.as_ref().map(ruzhi_jiandaoyun::RowFilter::fields).unwrap_or_default();
        let mut state = filtered.iter().any(|field| field == FLOW_STATE);
        if state {
            // The oldest routes list no system fields, and a missing answer says nothing.
            let told = flow.source.sys_widgets(&flow.form).await.unwrap_or_default();
            state = !told.is_empty() && !told.iter().any(|field| field == FLOW_STATE);
        }
        Notice::NoRow { filtered: !filtered.is_empty(), no_workflow: state }
    }

    /// The rows between two ids that the last complete collect found.
    async fn present(
        &self,
        after: Option<&RecordId>,
        until: Option<&RecordId>,
    ) -> Result<Vec<PresentRecord>, RunError> {
        Ok(self.flow.store.records_list_present(&self.flow.tenant, &self.flow.id, after, until).await?)
    }

    async fn page(&self, query: &RowQuery, after: Option<&RecordId>) -> Result<Vec<FormRow>, RunError> {
        self.flow.source.page(&self.flow.form, query, after).await.map_err(RunError::Collect)
    }

    /// A row that a complete collect does not find was deleted, or left the filter: its claims end. Only a tenant that
    /// says so treats a deleted row as a leave, and a form that withholds most rows is not believed at all.
    async fn part_with_absent(&self, census: Census, rows: u64, same_query: bool) -> Result<(), RunError> {
        let flow = self.flow;
        let Census { had, missing, absent } = census;
        // Another filter is meant to find other rows; but if a missing row means a leaver, it is checked all the same.
        let doubted = (same_query || flow.absent_leaves) && !self.accept_missing;
        if rows == 0 && had > 0 && !self.accept_missing {
            return Err(RunError::SourceEmptied { had });
        }
        if missing > FEW_MISSING && missing * 2 > had && doubted {
            return Err(RunError::SourceShrunk { had, missing });
        }
        let (gone, elsewhere) = self.ask_for_absent(absent, doubted, same_query).await?;
        for (absence, ids) in [(Absence::Gone, gone), (Absence::Elsewhere, elsewhere)] {
            if !ids.is_empty() {
                flow.store.records_mark_absent(&flow.tenant, &flow.id, absence, &ids).await?;
            }
        }
        Ok(())
    }

    /// Sorts the missing rows into deleted ones and those still in the form. A row that is there unchanged has neither
    /// been deleted nor left the filter: the service withheld it, or the filter was changed. If a row's absence has no
    /// consequence, a sample represents them all.
    async fn ask_for_absent(
        &self,
        absent: Vec<PresentRecord>,
        doubted: bool,
        same_query: bool,
    ) -> Result<(Vec<RecordId>, Vec<RecordId>), RunError> {
        let flow = self.flow;
        let ids: Vec<RecordId> = absent.iter().map(|record| record.id.clone()).collect();
        if self.accept_missing && flow.absent_leaves {
            // A person says that everyone missing has left; the guard still checks.
            return Ok((ids, Vec::new()));
        }
        if !doubted && !flow.absent_leaves {
            return Ok((Vec::new(), ids));
        }
        let known = flow.store.records_find(&flow.tenant, &flow.id, &ids).await?;
        let most = if flow.absent_leaves { absent.len() } else { ASKED_FOR };
        let (mut gone, mut elsewhere, mut there) = (Vec::new(), Vec::new(), 0);
        let missing = absent.len() as u64;
        let mut absent = absent.into_iter();
        for PresentRecord { id, confirmed } in absent.by_ref().take(most) {
            let row = match flow.source.row(&flow.form, &id).await {
                Ok(row) => row,
                Err(error) if error.is_unknown_route() => None,
                Err(error) => return Err(RunError::Collect(error)),
            };
            let Some(row) = row else {
                gone.push(id);
                continue;
            };
            let updated = updated_at(&row);
            // Both are of the service's clock; for a row from before its time was kept, the fetch was by this
            // machine's.
            let before = known.get(&id).map(|known| known.updated_at.unwrap_or(known.fetched_at));
            let edited = updated.zip(before).is_some_and(|(updated, before)| updated > before);
            // The unchanged filter itself explains why the row is missing, for example a workflow that began again.
            let filter = flow.filter.as_ref().filter(|_| same_query);
            let excluded = filter.is_some_and(|filter| filter.excludes(&row.fields));
            let content = Digest::of(self.visible(row));
            // A row that only a collect with another query has found is rightly missing.
            if confirmed
                && !edited
                && !excluded
                && known.get(&id).is_some_and(|known| known.content == content)
            {
                there += 1;
            }
            elsewhere.push(id);
        }
        if there > 0 && doubted {
            return Err(RunError::SourceHeldBack { missing, there });
        }
        elsewhere.extend(absent.map(|record| record.id));
        Ok((gone, elsewhere))
    }

    /// The rows of a page that have to be decided, as the guest may see them.
    async fn fresh(&self, page: Vec<FormRow>) -> Result<Vec<FetchedRecord>, RunError> {
        let flow = self.flow;
        let ids: Vec<RecordId> = page.iter().map(|row| row.id.clone()).collect();
        let known = flow.store.records_find(&flow.tenant, &flow.id, &ids).await?;
        let mut fresh = Vec::new();
        for row in page {
            let id = row.id.clone();
            let updated_at = updated_at(&row);
            let json = self.visible(row);
            let settled = known.get(&id).is_some_and(|known| {
                !known.failed
                    && !known.absent
                    && known.rules == *flow.guest.rules()
                    && known.content == Digest::of(&json)
            });
            if self.full || !settled {
                fresh.push(FetchedRecord {
                    record: SourceRecord { id: id.into(), json },
                    fetched_at: self.started_at,
                    updated_at,
                    fetched_run: self.run.clone(),
                });
            }
        }
        Ok(fresh)
    }

    fn visible(&self, row: FormRow) -> String {
        visible(row, &self.flow.guest.description().source_fields)
    }

    /// Decides stored rows that other rules decided, or whose batch failed.
    async fn decide_again(&self) -> Result<(), RunError> {
        let flow = self.flow;
        let mut deciding = self.deciding();
        let mut after: Option<RecordId> = None;
        loop {
            let stale = flow
                .store
                .records_list_stale(
                    (&flow.tenant, &flow.id),
                    flow.guest.rules(),
                    &flow.timezone,
                    // A row whose batch failed in this same run is not tried twice in it.
                    self.started_at,
                    after.as_ref(),
                    BATCH,
                )
                .await?;
            let Some(last) = stale.last() else { break };
            after = Some(parse(&last.record.id)?);
            deciding.begin(stale).await?;
        }
        deciding.finish().await?;
        for stated in [true, false] {
            self.decide_due(stated).await?;
        }
        Ok(())
    }

    /// Decides stored rows whose decision has expired.
    async fn decide_due(&self, stated: bool) -> Result<(), RunError> {
        let flow = self.flow;
        let mut deciding = self.deciding();
        let mut after: Option<DueRecord> = None;
        loop {
            let due = flow
                .store
                .records_list_due(&flow.tenant, &flow.id, self.started_at, stated, after.as_ref(), BATCH)
                .await?;
            let Some(last) = due.last() else { break };
            after = Some(last.clone());
            deciding.begin(due.into_iter().map(|due| due.row).collect()).await?;
        }
        deciding.finish().await
    }
}

/// The row with its id and the source fields and nothing else: the guest sees it, the store keeps it, and its hash
/// shows changes. Anything too long for [`row::kept`] is shortened.
pub fn visible(fetched: FormRow, source_fields: &[String]) -> String {
    let FormRow { id, mut fields } = fetched;
    let seen = |field: &str| fields.remove(field).map(|value| (field.to_owned(), value));
    let seen: Map<String, Value> =
        source_fields.iter().map(String::as_str).chain([row::UNREAD]).filter_map(seen).collect();
    row::kept(id.as_str(), seen)
}
