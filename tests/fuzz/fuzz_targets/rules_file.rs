//! Any text → the default guest's rules, and rows decided under them: either rejected with a place, or every row is
//! decided and every decision is valid.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruzhi_guest::{Context, SourceRecord, decide, describe};
use ruzhi_guest_member::RulesFile;

/// Separator between the rules and the rows, and between rows.
const BETWEEN: &str = "\n---\n";

fuzz_target!(|text: &str| {
    let mut parts = text.split(BETWEEN);
    let rules = parts.next().unwrap_or_default();
    let rows = [parts.next().unwrap_or("{}"), parts.next().unwrap_or("[]")];
    let Ok(description) = describe::<RulesFile>(rules) else {
        let error = describe::<RulesFile>(rules).expect_err("refused twice");
        assert!(!error.message.is_empty() && !error.code.is_empty());
        return;
    };
    assert!(description.source_fields.iter().all(|field| !field.is_empty()));
    let context = Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() };
    // Rows written by the fuzzer, and one with every field that the rules read.
    let whole: serde_json::Map<String, serde_json::Value> =
        description.source_fields.iter().map(|field| (field.clone(), rows[0].into())).collect();
    let whole = serde_json::Value::Object(whole).to_string();
    let rows = [rows[0], rows[1], whole.as_str()];
    let records: Vec<SourceRecord> = rows
        .iter()
        .enumerate()
        .map(|(n, row)| SourceRecord { id: n.to_string(), json: (*row).to_owned() })
        .collect();
    let outcomes = decide::<RulesFile>(rules, &context, &records).expect("rules that were taken decide");
    assert_eq!(outcomes.len(), records.len());
    let again = decide::<RulesFile>(rules, &context, &records).expect("as before");
    assert_eq!(outcomes, again);
});
