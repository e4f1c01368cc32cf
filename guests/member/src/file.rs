//! Parses a rules file into [`Rules`], or reports every problem at once, each with its place and its remedy.
//!
//! An unknown key is a problem, not a note: a misspelt `requird` would silently accept rows that it should reject.

mod condition;
mod entry;
mod finding;

use ruzhi_guest::Text;
use ruzhi_guest::zone::Zone;
use serde_json::{Map, Value};

use crate::rules::{Condition, Entry, Rules};
use crate::target::{Field, Target};
pub use entry::KEYS as ENTRY_KEYS;
pub use finding::Finding;
pub(crate) use finding::Findings;
use finding::Keys;

/// The keys of a rules file.
pub const KEYS: [&str; 9] =
    ["api", "effect", "method", "idCheck", "request", "when", "name", "version", "timezone"];

/// Reads a rules file.
///
/// # Errors
/// All problems.
pub(crate) fn read(config: &str) -> Result<Rules, Findings> {
    let mut findings = Findings::default();
    let rules = parse(config, &mut findings).and_then(|file| rules(&file, &mut findings));
    match rules {
        Some(rules) if findings.is_empty() => Ok(rules),
        _ => Err(findings),
    }
}

fn parse(config: &str, findings: &mut Findings) -> Option<Map<String, Value>> {
    let config = config.trim_start_matches('\u{feff}');
    if config.trim().is_empty() {
        findings.add(
            "",
            "没有规则文件，请在 [flows.guest] 中用 config 指定",
            "there is no rules file. Name one with `config` in [flows.guest]",
        );
        return None;
    }
    match serde_json::from_str(config) {
        Ok(Value::Object(file)) => Some(file),
        Ok(_) => {
            findings.add(
                "",
                "规则文件应为 JSON 对象 {\"request\":[…]}",
                "a rules file is a JSON object {\"request\":[…]}",
            );
            None
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            findings.add(
                "",
                format_args!("第 {line} 行第 {column} 列不是有效的 JSON，请检查引号、逗号和括号"),
                format_args!("line {line} column {column} is not JSON. Look for quotes, commas and brackets"),
            );
            None
        }
    }
}

fn rules(file: &Map<String, Value>, findings: &mut Findings) -> Option<Rules> {
    if file.contains_key("appId") || file.contains_key("entryId") {
        findings.add(
            "",
            "这是表单一侧的元数据，请放到租户文件的 [flows.source]；规则文件是含 request 的那一份",
            "this is the metadata of the form's side: it belongs to [flows.source] of the tenant's file. A rules file is \
             the one with `request`",
        );
        return None;
    }
    let mut keys = Keys::of(file, String::new(), findings);
    keys.reject_unknown(&KEYS, &[(
        "duplicates",
        "重复记录由主机处理，请在租户文件的 [[flows]] 中设置 duplicates",
        "rows that claim the same person are the host's to judge. Set `duplicates` in [[flows]] of the tenant's file",
    )]);
    keys.constant("api", &["/cgi-bin/user/create", "/cgi-bin/user/update"]);
    keys.constant("effect", &["EXECUTE"]);
    keys.constant("method", &["POST"]);
    // The host always checks uniqueness; the key is accepted because the platform writes it.
    let _ = keys.boolean("idCheck");
    let name = keys.text("name").unwrap_or_else(|| "member".to_owned());
    let version = keys.text("version").unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    let zone = keys.zone("timezone");
    let request = keys.list("request");
    let when = keys.list("when").map(Vec::as_slice).unwrap_or_default();

    let Some(request) = request.filter(|request| !request.is_empty()) else {
        findings.add(
            "",
            "缺少 request 列表，至少须填写 userid 和 name",
            "there is no list `request`. It needs userid and name at least",
        );
        return None;
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (index, value) in request.iter().enumerate() {
        let Some(entry) = entry::read(value, index, findings) else { continue };
        if entries.iter().any(|earlier| earlier.target == entry.target) {
            findings.add(
                format!("request[{index}]"),
                "该字段已在前面出现过，请删除其中一个",
                "the field is there already. Remove one of the two",
            );
        }
        entries.push(entry);
    }
    let when: Vec<Condition> = when
        .iter()
        .enumerate()
        .filter_map(|(index, value)| condition::read(value, index, &entries, findings))
        .collect();
    if findings.is_empty() {
        complete(&entries, findings);
    }
    Some(Rules { name, version, zone, when, entries })
}

/// The fields that WeCom requires of every member need a source.
fn complete(entries: &[Entry], findings: &mut Findings) {
    let has = |field| entries.iter().any(|entry| entry.target == Target::Field(field));
    for field in [Field::Userid, Field::Name] {
        if !has(field) {
            let name = field.name();
            findings.add(
                "request",
                format_args!("没有为 {name} 指定取值，请添加"),
                format_args!("nothing fills {name}. Add an entry for it"),
            );
        }
    }
    if !has(Field::Mobile) && !has(Field::Email) {
        findings.add(
            "request",
            "mobile 和 email 至少须有一项，请添加",
            "mobile or email must be filled. Add an entry for one of them",
        );
    }
    let attributes = entries.iter().any(|entry| matches!(entry.target, Target::Attribute(_)));
    if attributes && has(Field::Extattr) {
        findings.add(
            "request",
            "extattr 与 extattr.属性名 不能同时使用，请只用一种",
            "extattr and extattr.<name> cannot both be given. Use one of them",
        );
    }
    for field in [Field::Order, Field::IsLeaderInDept, Field::MainDepartment] {
        if has(field) && !has(Field::Department) {
            let name = field.name();
            findings.add(
                "request",
                format_args!("{name} 需要 department，请添加"),
                format_args!("{name} needs department. Add an entry for it"),
            );
        }
    }
}

/// A time zone by its name; a problem if there is none.
fn zone_named(name: &str, place: &str, findings: &mut Findings) -> Option<Zone> {
    match Zone::named(name) {
        Ok(zone) => Some(zone),
        Err(error) => {
            findings.add_text(place, Text::joined(&error.message));
            None
        }
    }
}

#[cfg(test)]
mod tests;
