//! Search for records by words.
//!
//! Part of a masked value does not match: otherwise a viewer could guess a number digit by digit. A complete number or
//! address matches, since a person who types it already knows it. Only the shown part of a long cell is searched.

use serde_json::Value;

use super::labels::Labels;
use super::mask::{CELL, Sight};
use ruzhi_guest::contract::Text;

use ruzhi_model::Decision;
use ruzhi_store::QuarantineDetail;

/// Limits on the length and number of words; the rest is cut.
const LONGEST: usize = 100;
const MOST: usize = 8;

/// Words that a record must all contain.
pub(super) struct Search(Vec<String>);

impl Search {
    pub(super) fn of(text: Option<&str>) -> Self {
        let words = text.unwrap_or_default().split_whitespace().take(MOST);
        Self(words.map(|word| word.chars().take(LONGEST).collect::<String>().to_lowercase()).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words that the store can search for. It has no labels, and ignores case only for ASCII letters.
    pub(super) fn in_store<'l>(&self, labels: impl Iterator<Item = &'l Labels> + Clone) -> Vec<String> {
        let ours = |word: &&String| {
            let cased = word.chars().any(|c| !c.is_ascii() && c.to_uppercase().ne(std::iter::once(c)));
            // JSON text escapes these.
            let escaped = word.contains(['"', '\\', '/']);
            !cased && !escaped && !labels.clone().any(|labels| labels.any_matches(word))
        };
        self.0.iter().filter(ours).cloned().collect()
    }

    /// Returns true if a record contains every word.
    pub(super) fn finds(&self, shown: &QuarantineDetail, labels: &Labels, sight: Sight) -> bool {
        if self.is_empty() {
            return true;
        }
        let reject = &shown.reject;
        let mut texts = vec![SearchText::open(reject.record.as_str())];
        for violation in &reject.rejection.violations {
            texts.push(SearchText::open(&violation.rule));
            texts.push(SearchText::open(&labels.of_form(&violation.field)));
            let Text { zh, en } = &violation.message;
            texts.extend([zh, en].map(|text| SearchText::masked(text, &sight.text(text))));
        }
        match &shown.decision {
            Some(Decision::Upsert(member)) => {
                texts.extend([SearchText::open(&member.userid), SearchText::open(&sight.text(&member.name))]);
            }
            Some(Decision::Leave(userid)) => texts.push(SearchText::open(userid)),
            _ => {}
        }
        let row = reject.content.as_deref().and_then(|content| serde_json::from_str(content).ok());
        if let Some(Value::Object(fields)) = row {
            for (field, value) in &fields {
                let label = labels.of_form(field);
                texts.push(SearchText::open(&label));
                let seen = sight.cell(&label, value, CELL);
                leaves(value, &seen, &mut texts);
            }
        }
        self.0.iter().all(|word| texts.iter().any(|text| text.has(word)))
    }
}

/// A text to search: as shown and, if masked, in full.
struct SearchText {
    shown: String,
    whole: Option<String>,
}

impl SearchText {
    fn open(text: &str) -> Self {
        Self { shown: text.to_lowercase(), whole: None }
    }

    fn masked(text: &str, shown: &str) -> Self {
        Self { shown: shown.to_lowercase(), whole: (text != shown).then(|| text.to_lowercase()) }
    }

    fn has(&self, word: &str) -> bool {
        if self.shown.contains(word) {
            return true;
        }
        let Some(whole) = &self.whole else { return false };
        let part_of_one = |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+');
        whole == word || whole.split(|c| !part_of_one(c)).any(|part| part == word)
    }
}

/// Collects the texts of a value, in full and as shown.
fn leaves(value: &Value, shown: &Value, texts: &mut Vec<SearchText>) {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match (value, shown) {
        (Value::Array(items), Value::Array(seen)) => {
            items.iter().zip(seen).for_each(|(item, seen)| leaves(item, seen, texts));
        }
        (Value::Object(fields), Value::Object(seen)) => {
            for (name, item) in fields {
                leaves(item, seen.get(name).unwrap_or(&Value::Null), texts);
            }
        }
        _ => {
            if let (Some(value), Some(shown)) = (text(value), text(shown)) {
                texts.push(SearchText::masked(&value, &shown));
            }
        }
    }
}
