//! A case: rows of the form, and the decisions a guest is expected to make.
//!
//! `cases/NAME.json` holds the moment and the zone, the rows, and one decision per row in the shape of the contract.
//! A row reaches the guest as in production: with its id and the fields the guest says it reads, and no others.
//! Decisions are compared by value, so an expected `"leader": false` may be left out, and JSON in `extra` is compared
//! as JSON. Unknown keys are errors, so that a typo in an expectation is not taken for agreement.

mod decision_json;
mod difference;
mod error;
mod location;
mod trial;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use self::decision_json::DecisionJson;
pub use self::difference::CaseDifference;
pub use self::error::CaseError;
use self::location::KeyLocations;
pub use self::trial::{CaseFinding, CaseTrial};
use ruzhi_files::file;
use ruzhi_model::{Context, Description, Outcome, SourceRecord, Text};

/// Maximum size of a case file in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// One file of a project's `cases` folder.
#[derive(Debug, Clone)]
pub struct GuestCase {
    name: String,
    path: PathBuf,
    text: String,
    file: CaseFile,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    now: String,
    timezone: String,
    rules: Option<PathBuf>,
    rows: Vec<Map<String, Value>>,
    decisions: Option<Vec<Value>>,
}

impl GuestCase {
    /// The cases of a folder, by name.
    pub fn of_folder(folder: &Path) -> Result<Vec<Self>, CaseError> {
        let unreadable = |source| CaseError::Read { path: folder.to_owned(), source };
        let mut paths = Vec::new();
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(unreadable)?.path();
                    if path.extension().is_some_and(|extension| extension == "json") {
                        paths.push(path);
                    }
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(error)),
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// Reads a case from its file.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let text = file::read_text(path, MOST_BYTES)
            .map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
        Self::parse(path, text)
    }

    /// Reads a case from its text; `path` is used in messages.
    pub fn parse(path: &Path, text: String) -> Result<Self, CaseError> {
        let file: CaseFile = serde_json::from_str(&text).map_err(|source| CaseError::Syntax {
            path: path.to_owned(),
            line: source.line(),
            source,
        })?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let case = Self { name, path: path.to_owned(), text, file };
        if chrono::DateTime::parse_from_rfc3339(&case.file.now).is_err() {
            let what = Text::new(
                "`now` is no moment such as \"2026-05-01T08:00:00Z\"",
                "`now` 不是时刻，应如 \"2026-05-01T08:00:00Z\"",
            );
            return Err(case.wrong(Some("now"), None, what));
        }
        if case.file.timezone.parse::<chrono_tz::Tz>().is_err() {
            let what = Text::new(
                "`timezone` is no zone's name such as \"Asia/Shanghai\"",
                "`timezone` 不是时区名称，应如 \"Asia/Shanghai\"",
            );
            return Err(case.wrong(Some("timezone"), None, what));
        }
        if case.file.rows.is_empty() {
            let what = Text::new(
                "`rows` is empty; give at least one row of the form",
                "`rows` 为空，请至少给出表单的一行",
            );
            return Err(case.wrong(Some("rows"), None, what));
        }
        Ok(case)
    }

    /// The file's name without `.json`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.file.rows.len()
    }

    /// The rules file of the case.
    pub fn rules(&self) -> Option<PathBuf> {
        let beside = self.path.parent().unwrap_or(Path::new(""));
        self.file.rules.as_ref().map(|rules| beside.join(rules))
    }

    /// Moment and zone.
    pub fn context(&self) -> Context {
        Context { now: self.file.now.clone(), timezone: self.file.timezone.clone() }
    }

    /// The rows as the guest sees them in production.
    pub fn records(&self, description: &Description) -> Vec<SourceRecord> {
        let record = |(index, row): (usize, &Map<String, Value>)| {
            let id = row_id(index, row);
            let mut visible: Map<String, Value> = description
                .source_fields
                .iter()
                .filter_map(|field| Some((field.clone(), row.get(field)?.clone())))
                .collect();
            visible.insert("_id".to_owned(), Value::String(id.clone()));
            SourceRecord { id, json: Value::Object(visible).to_string() }
        };
        self.file.rows.iter().enumerate().map(record).collect()
    }

    /// The expected decisions, one per row.
    pub fn expected(&self) -> Result<Vec<Outcome>, CaseError> {
        let rows = self.file.rows.len();
        let Some(decisions) = &self.file.decisions else {
            let what = Text::new(
                format!("it has no `decisions` for its {rows} of `rows`; `--bless` writes those found"),
                format!("缺少 `decisions`（共 {rows} 行，每行一个判定）；`--bless` 可写入实际判定"),
            );
            return Err(self.wrong(None, None, what));
        };
        if decisions.len() != rows {
            let found = decisions.len();
            let what = Text::new(
                format!(
                    "it has {found} decisions for {rows} of `rows`; give one for each, in the same order"
                ),
                format!("有 {rows} 行，却有 {found} 个判定；请按顺序为每行给出一个判定"),
            );
            return Err(self.wrong(Some("decisions"), None, what));
        }
        let read = |(index, decision): (usize, &Value)| {
            DecisionJson::read(decision).map_err(|what| {
                let number = index + 1;
                let what = Text::new(
                    format!("decision {number}: {}", what.en),
                    format!("第 {number} 个判定：{}", what.zh),
                );
                self.wrong(Some("decisions"), Some(index), what)
            })
        };
        decisions.iter().enumerate().map(read).collect()
    }

    /// The rows whose decision differs from the expected one.
    pub fn differences(&self, expected: &[Outcome], found: &[Outcome]) -> Vec<CaseDifference> {
        let found =
            found.iter().zip(expected).map(|(found, expected)| asked(found, expected.holds_until.is_some()));
        let pairs = self.file.rows.iter().zip(expected).zip(found).enumerate();
        pairs
            .filter(|(_, ((_, expected), found))| *expected != found)
            .map(|(index, ((row, expected), found))| {
                (index, row, decision_json::comparable(expected), decision_json::comparable(&found))
            })
            .filter(|(_, _, expected, found)| expected != found)
            .map(|(index, row, expected, found)| {
                CaseDifference::new(
                    index + 1,
                    row_id(index, row),
                    DecisionJson::of(&expected),
                    DecisionJson::of(&found),
                )
            })
            .collect()
    }

    /// The file's text with these decisions in place of its own; the rest stays as written.
    pub fn blessed(&self, found: &[Outcome]) -> String {
        let states = |index: usize| {
            let decision = self.file.decisions.as_ref().and_then(|decisions| decisions.get(index));
            decision.is_some_and(|decision| decision.get("holds_until").is_some())
        };
        let found: Vec<Outcome> =
            found.iter().enumerate().map(|(index, found)| asked(found, states(index))).collect();
        let decisions = decision_json::list(&found);
        let places = KeyLocations::of(&self.text);
        if let Some(place) = places.of_key("decisions")
            && let (Some(before), Some(after)) = (self.text.get(..place.start), self.text.get(place.end..))
        {
            return format!("{before}{decisions}{after}");
        }
        // A missing key is added as the last one.
        let body = self.text.trim_end();
        let body = body.strip_suffix('}').unwrap_or(body).trim_end();
        format!("{body},\n  \"decisions\": {decisions}\n}}\n")
    }

    /// An error at a key, or at an element of the list under the key.
    fn wrong(&self, key: Option<&str>, element: Option<usize>, what: Text) -> CaseError {
        let places = KeyLocations::of(&self.text);
        let place = key.and_then(|key| match element {
            Some(element) => places.of_element(key, element),
            None => places.of_key(key),
        });
        let line = place.map_or(1, |place| places.line(place.start));
        CaseError::Invalid { path: self.path.clone(), line, what }
    }
}

/// The compared part of an outcome: its expiry counts only if the case states one.
fn asked(outcome: &Outcome, until_when: bool) -> Outcome {
    let holds_until = outcome.holds_until.clone().filter(|_| until_when);
    Outcome { holds_until, ..outcome.clone() }
}

fn row_id(index: usize, row: &Map<String, Value>) -> String {
    let own = row.get("_id").and_then(Value::as_str);
    own.map_or_else(|| format!("row-{}", index + 1), ToOwned::to_owned)
}

#[cfg(test)]
mod tests;
