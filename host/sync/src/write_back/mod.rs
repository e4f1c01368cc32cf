//! Writes the outcome of each row back onto the form, for the people who fill it in.
//!
//! The last step of a run that writes. For every row whose outcome differs from the one last written, the text goes
//! into the fields that the tenant chose for it; the store keeps the basis of the text. A crash between the call and
//! the store leads to the same text written once more, and to nothing else. A failed write never fails the run: it is
//! reported, and tried again by later runs.
//!
//! It never causes another run. Fields that the rules or the filter read are not allowed, so the next collect sees a
//! written row unchanged; and the service sends no push for changes through its API.

mod fault;
mod row_outcome;

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;

pub use fault::{WriteBackFault, write_back_faults};
use row_outcome::RowOutcome;

use super::flow::FlowRuntime;
use ruzhi_jiandaoyun::{self as jiandaoyun, FormErrorClass};
use ruzhi_metrics as metrics;
use ruzhi_model::{Digest, Origin, PlanId, RecordId, Rejection, Text, WriteBack};
use ruzhi_plan::ClaimedField;
use ruzhi_store::{DueWriteBack, StoreError, WriteBackRow, WriteBackScope};

/// Rows written by one run, and the time it may take; later runs write the rest.
const MOST: usize = 1000;
const LONGEST: Duration = Duration::from_secs(60);
/// Rows whose outcome is stored together.
const PAGE: usize = 50;
/// Attempts, in as many runs, at a row that the service rejects.
const ATTEMPTS: u32 = 3;

/// The result for one row.
enum RowWrite {
    /// The text is there, or the row is gone.
    Done(WriteBackRow),
    /// The service rejects this row.
    Rejected(WriteBackRow, jiandaoyun::FormError),
    /// The service emptied the field.
    Emptied(WriteBackRow),
    /// Further calls are useless.
    Stopped(jiandaoyun::FormError),
}

/// The text to write to one row.
struct RowText {
    due: DueWriteBack,
    text: String,
    digest: Digest,
}

/// The result of writing back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WriteBackSummary {
    /// Rows written.
    pub(super) written: usize,
    /// The reason some rows were not written.
    pub(super) problem: Option<Text>,
}

/// Writes the outcome of its rows to the form. `held` is the plan of this run, if it waits for a person.
pub(super) async fn write_back(
    flow: &FlowRuntime,
    held: Option<&PlanId>,
) -> Result<WriteBackSummary, StoreError> {
    let Some(place) = &flow.write_back else { return Ok(WriteBackSummary::default()) };
    let writing = WriteBackPass { flow, place, held, settings: settings(flow, place) };
    let wrote = writing.write().await?;
    if wrote.written > 0 || wrote.problem.is_some() {
        tracing::info!(
            tenant.id = flow.tenant.as_str(),
            flow.id = flow.id.as_str(),
            rows = wrote.written,
            problem = wrote.problem.as_ref().map_or("", |problem| problem.en.as_str()),
            "written back"
        );
    }
    Ok(wrote)
}

struct WriteBackPass<'a> {
    flow: &'a FlowRuntime,
    place: &'a WriteBack,
    held: Option<&'a PlanId>,
    settings: Digest,
}

impl WriteBackPass<'_> {
    async fn write(&self) -> Result<WriteBackSummary, StoreError> {
        let flow = self.flow;
        let until = Instant::now() + LONGEST;
        let mut wrote = WriteBackSummary::default();
        let mut rejected = (0_usize, None);
        let mut after: Option<RecordId> = None;
        let mut checked = false;
        while wrote.written + rejected.0 < MOST && Instant::now() < until && !flow.quit.is_cancelled() {
            let due = self.due(after.as_ref()).await?;
            let Some(last) = due.last() else { break };
            after = Some(last.record.clone());
            let (words, mut kept) = self.words(due).await?;
            if !words.is_empty() && !checked {
                match self.fault().await {
                    Ok(None) => checked = true,
                    Ok(Some(fault)) => {
                        wrote.problem = Some(not_written(&fault.text(), Some(&fault.hint())));
                        break;
                    }
                    Err(error) => {
                        wrote.problem = Some(not_written(&error.explain(), None));
                        break;
                    }
                }
            }
            let mut stopped = None;
            let at_once = flow.in_flight.max(1);
            let mut telling =
                futures::stream::iter(words).map(|words| self.tell(words)).buffer_unordered(at_once);
            while let Some(told) = telling.next().await {
                match told {
                    RowWrite::Done(written) => {
                        wrote.written += 1;
                        kept.push(written);
                    }
                    RowWrite::Rejected(written, error) => {
                        rejected.0 += 1;
                        rejected.1.get_or_insert_with(|| error.explain());
                        kept.push(written);
                    }
                    RowWrite::Emptied(written) => {
                        rejected.0 += 1;
                        rejected.1.get_or_insert_with(|| self.emptied());
                        kept.push(written);
                    }
                    RowWrite::Stopped(error) => {
                        stopped.get_or_insert(error);
                        // The others of this page would fail the same way.
                        break;
                    }
                }
            }
            drop(telling);
            flow.store.write_backs_put(&flow.tenant, &flow.id, &kept, flow.clock.now()).await?;
            if let Some(error) = stopped {
                wrote.problem = Some(not_written(&error.explain(), None));
                break;
            }
        }
        metrics::write_back(&flow.tenant, &flow.id, true, wrote.written);
        metrics::write_back(&flow.tenant, &flow.id, false, rejected.0);
        if let (0, (count @ 1.., Some(why))) = (usize::from(wrote.problem.is_some()), rejected) {
            let (en, zh) = (&why.en, &why.zh);
            wrote.problem = Some(Text::new(
                format!("the outcome of {count} rows was not written to the form: {en}"),
                format!("有 {count} 条数据的结果未能回写到表单：{zh}"),
            ));
        }
        Ok(wrote)
    }

    async fn due(&self, after: Option<&RecordId>) -> Result<Vec<DueWriteBack>, StoreError> {
        let scope = WriteBackScope {
            tenant: &self.flow.tenant,
            flow: &self.flow.id,
            settings: &self.settings,
            held: self.held,
        };
        self.flow.store.write_backs_list_due(&scope, after, PAGE).await
    }

    /// The texts to write, and the rows that already show theirs.
    async fn words(&self, due: Vec<DueWriteBack>) -> Result<(Vec<RowText>, Vec<WriteBackRow>), StoreError> {
        let lang = self.place.lang;
        let waiting = self.digest(&RowOutcome::Waits.words(lang));
        let (mut words, mut kept) = (Vec::new(), Vec::new());
        for due in due {
            let outcome = match row_outcome::outcome(&due, due.written.as_ref() == Some(&waiting)) {
                None => continue,
                Some(RowOutcome::ReadyBut(_)) => RowOutcome::ReadyBut(self.reasons(&due).await?),
                Some(RowOutcome::Rejected(_)) => RowOutcome::Rejected(self.reasons(&due).await?),
                Some(outcome) => outcome,
            };
            let text = outcome.words(lang);
            let digest = self.digest(&text);
            if due.written.as_ref() == Some(&digest) || (due.written.is_none() && text.is_empty()) {
                let (record, basis) = (due.record, due.basis);
                kept.push(WriteBackRow { record, basis, digest: due.written, failures: 0 });
            } else {
                words.push(RowText { due, text, digest });
            }
        }
        Ok((words, kept))
    }

    /// Digest of a text and its place: the same text in another field has to be written.
    fn digest(&self, text: &str) -> Digest {
        Digest::of_parts([self.settings.as_str().as_bytes(), text.as_bytes()])
    }

    async fn reasons(&self, due: &DueWriteBack) -> Result<Vec<String>, StoreError> {
        let labels = &self.flow.guest.description().labels;
        let mut reasons = Vec::new();
        let Some(rejection) = &due.rejection else { return Ok(reasons) };
        for violation in &rejection.violations {
            reasons.push(match self.holder(&due.record, rejection).await? {
                Some(holder) => row_outcome::taken(&violation.field, &holder, labels, self.place.lang),
                None => row_outcome::reason(violation, labels, self.place.lang),
            });
        }
        Ok(reasons)
    }

    /// The holder of a value this row claims: by name if a record of ours has it, otherwise by userid.
    async fn holder(&self, record: &RecordId, rejection: &Rejection) -> Result<Option<String>, StoreError> {
        let flow = self.flow;
        let claimed = match ClaimedField::of(rejection) {
            Some(claimed) => claimed,
            None => {
                let Some(userid) = &rejection.held_by else { return Ok(None) };
                let ours = flow.store.ledger_find(&flow.siblings, &[userid.key()]).await?;
                let name = ours.into_iter().next().map(|line| line.written.name);
                return Ok(Some(name.filter(|name| !name.is_empty()).unwrap_or_else(|| userid.to_string())));
            }
        };
        let origin = Origin { tenant: flow.tenant.clone(), flow: flow.id.clone(), record: record.clone() };
        flow.store.record_find_rival(&flow.siblings, &origin, claimed == ClaimedField::Mobile).await
    }

    /// The obstacle to writing, given the form as it is now.
    async fn fault(&self) -> Result<Option<WriteBackFault>, jiandaoyun::FormError> {
        let flow = self.flow;
        let widgets = match flow.source.widgets(&flow.form).await {
            Ok(widgets) => Some(widgets),
            Err(error) if error.is_unknown_route() => None,
            Err(error) => return Err(error),
        };
        let read = &flow.guest.description().source_fields;
        Ok(write_back_faults(self.place, read, flow.filter.as_ref(), widgets.as_deref()).into_iter().next())
    }

    async fn tell(&self, words: RowText) -> RowWrite {
        let flow = self.flow;
        let RowText { due, text, digest } = words;
        let mut values = vec![(self.place.outcome.as_str(), Value::String(text.clone()))];
        if let Some(at) = &self.place.at {
            let now = flow.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            values.push((at, Value::String(now)));
        }
        let answer = flow.source.update(&flow.form, &due.record, &values).await;
        // A rejected row is tried again by the next runs, and then left until its outcome changes.
        let failures = if due.failures < ATTEMPTS { due.failures + 1 } else { 1 };
        let again = |digest| WriteBackRow {
            record: due.record.clone(),
            basis: if failures < ATTEMPTS { String::new() } else { due.basis.clone() },
            digest,
            failures,
        };
        match answer {
            Ok(Some(row)) => {
                let found = row.fields.get(&self.place.outcome);
                if found.is_some_and(|found| found.as_str() != Some(text.as_str())) && !text.is_empty() {
                    return RowWrite::Emptied(again(None));
                }
                let digest = Some(digest).filter(|_| !text.is_empty());
                RowWrite::Done(WriteBackRow { record: due.record, basis: due.basis, digest, failures: 0 })
            }
            // The row was deleted: there is nothing to write to.
            Ok(None) => RowWrite::Done(WriteBackRow {
                record: due.record,
                basis: due.basis,
                digest: None,
                failures: 0,
            }),
            Err(error) if error.class() == FormErrorClass::Permanent => {
                RowWrite::Rejected(again(due.written.clone()), error)
            }
            Err(error) => RowWrite::Stopped(error),
        }
    }

    fn emptied(&self) -> Text {
        let field = &self.place.outcome;
        Text::new(
            format!(
                "JianDaoYun did not take the value of {field}; choose another field in `[flows.write_back]`"
            ),
            format!("简道云未接受字段 {field} 的值；请在 `[flows.write_back]` 中改用其他字段"),
        )
    }
}

/// Names the fields and the language: under others, everything is written again.
fn settings(flow: &FlowRuntime, place: &WriteBack) -> Digest {
    let lang = if place.lang == ruzhi_model::Lang::Zh { "zh" } else { "en" };
    let parts = [flow.form_name(), place.outcome.clone(), lang.to_owned()];
    Digest::of_parts(parts.iter().map(|part| part.as_bytes()))
}

fn not_written(why: &Text, hint: Option<&Text>) -> Text {
    let hint = hint.map_or_else(
        || Text::new("", ""),
        |hint| Text::new(format!("; {}", hint.en), format!("；{}", hint.zh)),
    );
    Text::new(
        format!("outcomes were not written to the form: {}{}", why.en, hint.en),
        format!("结果未能回写到表单：{}{}", why.zh, hint.zh),
    )
}
