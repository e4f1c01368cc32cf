//! Any text in any row of the form delays no other row.

use std::time::{Duration, Instant};

use ruzhi_e2e::Serving;
use ruzhi_sim::RowChange;
use ruzhi_sim::factory::{APP_ID, ENTRY_ID, NAME, POSITION};
use serde_json::{Map, Value, json};

use crate::site::Site;

/// Longest time for a command; quadratic handling of the text would take hours.
const LONG: Duration = Duration::from_secs(300);

/// Sets a field of a row.
fn fill(site: &Site, record: &str, field: &str, value: Value) {
    let row = Map::from_iter([("_id".to_owned(), json!(record)), (field.to_owned(), value)]);
    let (app_id, entry_id) = (APP_ID.to_owned(), ENTRY_ID.to_owned());
    site.simulator.change_rows(RowChange { app_id, entry_id, upsert: vec![row], delete: vec![] }).unwrap();
}

/// A site of twelve people, this many of them with this text as job title.
fn site(count: usize, text: &str) -> Site {
    let mut site = Site::new(12, |tenant| tenant);
    site.workforce.publish(&site.simulator).unwrap();
    for place in 0..count {
        fill(&site, &site.record(place), POSITION, json!(text));
    }
    site
}

/// Runs a command, which has to end in time.
fn timed(site: &Site, arguments: &[&str]) -> String {
    let began = Instant::now();
    let outcome = site.run(arguments);
    assert!(began.elapsed() < LONG, "{arguments:?} took {:?}", began.elapsed());
    assert_eq!(outcome.code, Some(0), "{arguments:?}\n{}", outcome.stderr);
    outcome.stdout
}

#[test]
fn a_row_of_a_million_letters_waits_and_every_command_and_page_goes_on() {
    let site = site(1, &"1 13800138000a".repeat(1_000_000 / 14));
    let record = site.record(0);
    timed(&site, &["sync", "jingxintai"]);
    assert_eq!(site.refused(&record), ["field.too-long"]);
    assert_eq!(site.simulator.members(ruzhi_sim::factory::CORP_ID).len(), 11, "everyone else is there");

    let plan = site.json(0, &["runs", "jingxintai"])[0]["plan"].as_str().unwrap().to_owned();
    for arguments in [
        &["sync", "jingxintai"][..],
        &["sync", "jingxintai", "--full"],
        &["plan", "jingxintai"],
        &["show", &plan],
        &["status"],
        &["runs"],
        &["check"],
        &["quarantine"],
        &["quarantine", "--reveal"],
        &["quarantine", "--reveal", "--json"],
        &["trace", "jingxintai", &record],
        &["trace", "jingxintai", &record, "--reveal"],
        &["trace", "jingxintai", &record, "--replay", "--json"],
    ] {
        let said = timed(&site, arguments);
        assert!(said.len() < 400_000, "{arguments:?} says {} bytes", said.len());
    }

    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let row = format!("/records/jingxintai/onboarding/{record}");
    let api = "/api/v1/tenants/jingxintai/flows/onboarding";
    for path in [
        "/",
        "/quarantine",
        "/quarantine?search=13800138000",
        "/quarantine.csv",
        &row,
        &format!("/plans/jingxintai/{plan}"),
        "/api/v1/quarantine",
        "/api/v1/quarantine?search=aaaa",
        "/api/v1/quarantine.csv",
        &format!("{api}/records/{record}"),
        "/metrics",
        "/healthz",
    ] {
        let began = Instant::now();
        let answer = serving.get(path).unwrap();
        assert!(began.elapsed() < LONG, "{path} took {:?}", began.elapsed());
        assert!(answer.body.len() < 400_000, "{path} has {} bytes", answer.body.len());
        assert!(!answer.body.contains("13800138000a"), "{path} shows a number");
    }
}

#[test]
fn a_row_is_synced_as_soon_as_it_is_shortened() {
    let mut site = site(1, &"字".repeat(30_000));
    let record = site.record(0);
    timed(&site, &["sync", "jingxintai"]);
    let violations = &site.json(0, &["quarantine"])[0]["violations"];
    assert_eq!(
        (&violations[0]["field"], &violations[0]["rule"]),
        (&json!(POSITION), &json!("field.too-long"))
    );
    assert!(violations[0]["message"]["zh"].as_str().unwrap().contains("64 KiB"), "{violations}");
    fill(&site, &record, POSITION, json!("工程师"));
    site.json(0, &["sync", "jingxintai"]);
    assert_eq!(site.refused(&record), [""; 0]);
    assert!(site.member(&site.userid(0)).is_some());
    site.sync();
}

#[test]
fn rows_too_large_for_a_page_or_for_an_answer_keep_no_other_row_from_being_read() {
    let site = site(7, &"字".repeat(1_000_000));
    // One row is larger than any answer may be.
    fill(&site, &site.record(11), NAME, json!("x".repeat(17 << 20)));
    timed(&site, &["sync", "jingxintai"]);
    for place in 0..7 {
        assert_eq!(site.refused(&site.record(place)), ["field.too-long"]);
    }
    assert_eq!(site.refused(&site.record(11)), ["row.unread"]);
    assert_eq!(site.simulator.members(ruzhi_sim::factory::CORP_ID).len(), 4);
    let again = site.json(0, &["sync", "jingxintai"]);
    assert_eq!(again["counts"]["created"], 0, "{again}");
}
