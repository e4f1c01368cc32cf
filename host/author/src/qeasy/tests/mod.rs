//! Texts in, two files or one reason out.

mod conditions;
mod files;
mod hostile;
mod reading;

use ruzhi_guest_member::RulesFile;
use serde_json::{Value, json};

use super::*;
use ruzhi_config::{Checks, Config, ProcessEnvironment, Secrets};

/// An article with a request body, the target's metadata and much that is neither.
const FOUNDING: &str = include_str!("founding.md");

fn naming() -> Naming {
    Naming::new("jingxintai".parse().unwrap(), "onboarding".parse().unwrap())
}

fn import_all(texts: &[&str]) -> Result<ImportOutput, ImportError> {
    let texts: Vec<(String, String)> =
        texts.iter().enumerate().map(|(at, text)| (format!("{at}.json"), (*text).to_owned())).collect();
    import(&texts, &naming())
}

/// Imports, and checks the promises of every import.
fn good(texts: &[&str]) -> ImportOutput {
    let imported = import_all(texts).unwrap();
    promised(&imported);
    imported
}

fn refused(texts: &[&str]) -> ImportError {
    let error = import_all(texts).unwrap_err();
    let (text, hint) = (error.text(), error.hint());
    assert!(error.code().starts_with("import."));
    for said in [text.en, text.zh, hint.en, hint.zh] {
        assert!(!said.trim().is_empty() && said.len() < 100_000);
    }
    error
}

/// The promises of every import: the guest accepts the rules, and the configuration accepts the tenant's file if no
/// step is left.
fn promised(imported: &ImportOutput) {
    ruzhi_guest::describe::<RulesFile>(&imported.rules).unwrap();
    let tenant: toml::Table = imported.tenant.parse().unwrap();
    let source = &tenant["flows"][0]["source"];
    if let Some(filter) = source.get("filter") {
        assert!(RowFilter::parse(&serde_json::to_value(filter).unwrap()).unwrap().is_some());
    }
    let is_whole = ["app_id", "entry_id"].iter().all(|key| source[key].as_str() != Some(""));
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("tenants")).unwrap();
    std::fs::write(dir.path().join("tenants/jingxintai.toml"), &imported.tenant).unwrap();
    let checks = Checks { secrets: Secrets::Skip, files: false };
    match Config::load(dir.path(), &ProcessEnvironment, &checks) {
        Ok(config) => assert!(is_whole && config.warnings.is_empty()),
        Err(problems) => assert!(!is_whole, "{}", problems.render(ruzhi_model::Lang::En)),
    }
    for text in imported.notes.iter().chain(&imported.left) {
        assert!(!text.en.is_empty() && !text.zh.is_empty());
    }
}

fn target(entries: &[Value]) -> String {
    let mut request = vec![
        json!({"field": "userid", "value": "{a}"}),
        json!({"field": "name", "value": "{b}"}),
        json!({"field": "mobile", "value": "{c}"}),
    ];
    request.extend(entries.iter().cloned());
    json!({"api": "/cgi-bin/user/create", "request": request}).to_string()
}

fn source() -> Value {
    json!({
        "api": "/api/v4/app/{app_id}/entry/{entry_id}/data",
        "effect": "QUERY",
        "method": "POST",
        "number": "_id",
        "id": "_id",
        "request": [
            {"field": "appId", "label": "应用ID", "type": "string", "value": "6399c24287cae90008d24e0b"},
            {"field": "entryId", "label": "表单ID", "type": "string", "value": "63e0706d0e33350008189952"},
            {"field": "data_id", "type": "string"},
            {"field": "limit", "type": "string", "value": "100"},
            {"field": "filter", "type": "object", "children": [
                {"field": "rel", "value": "and"},
                {"field": "cond_2", "type": "object", "children": [
                    {"field": "field", "value": "flowState"},
                    {"field": "method", "value": "eq"},
                    {"field": "value", "value": "1"}]},
                {"field": "cond_1", "type": "object", "children": [
                    {"field": "field", "value": "updateTime"},
                    {"field": "type", "value": "datetime"},
                    {"field": "method", "value": "range"},
                    {"field": "value", "value": "{{LAST_SYNC_TIME|datetime}}"}]},
                {"field": "cond_3", "type": "object", "children": [
                    {"field": "field", "value": ""}, {"field": "value"}]}]}
        ],
        "otherRequest": [],
        "pagination": {"pageSize": 100},
        "formatResponse": [{"old": "a", "new": "b", "format": "date"}],
    })
}

fn notes(imported: &ImportOutput) -> String {
    imported.notes.iter().map(|note| format!("{}\n", note.en)).collect()
}

fn left(imported: &ImportOutput) -> String {
    imported.left.iter().map(|note| format!("{}\n", note.en)).collect()
}

/// `[flows.source]` of the tenant's file.
fn form(imported: &ImportOutput) -> toml::Table {
    let tenant: toml::Table = imported.tenant.parse().unwrap();
    tenant["flows"][0]["source"].as_table().unwrap().clone()
}

fn rules(imported: &ImportOutput) -> Value {
    serde_json::from_str(&imported.rules).unwrap()
}
