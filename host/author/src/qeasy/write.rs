//! The two files as text, for a person to read and edit.

use std::fmt::Write as _;

use serde_json::Value;

use super::json::{JsonKind, JsonNode};
use super::naming::Naming;
use super::source::{FormDraft, Rows};
use ruzhi_config::variable;

/// A longer entry is written over several lines.
const WIDTH: usize = 110;
/// Placeholder for the corp's id; it belongs to no corp.
pub(super) const NO_CORP: &str = "ww0000000000000000";

/// The tenant's file.
pub(super) fn tenant(naming: &Naming, form: &FormDraft, api: &str) -> String {
    let id = naming.tenant.as_str();
    let flow = naming.flow.as_str();
    let mut file = String::new();
    let mut line = |text: &str, comment: &str| {
        let _ = match comment {
            "" => writeln!(file, "{text}"),
            _ => writeln!(file, "{text:<52}  # {comment}"),
        };
    };
    line("# Made from the metadata of 轻易云 by `ruzhi guest import qeasy` · 由轻易云元数据导入", "");
    line("# docs/reference/configuration.md has a line for each key · 各项说明见该文件", "");
    line(&format!("name = {}", quoted(id)), "what people call the factory · 工厂名称");
    line("timezone = \"Asia/Shanghai\"", "");
    line("", "");
    line("[wecom]", "");
    line("base_url = \"https://qyapi.weixin.qq.com\"", "");
    match &naming.corp_id {
        Some(corp) => line(&format!("corp_id = {}", quoted(corp)), ""),
        None => line(
            &format!("corp_id = {}", quoted(NO_CORP)),
            "TO DO: your corp's id · 待填：我的企业 → 企业信息 → 企业ID",
        ),
    }
    line(
        &format!("secret = {{ env = {} }}", quoted(&variable(id, "WECOM_SECRET"))),
        "管理工具 → 通讯录同步 → Secret",
    );
    line("", "");
    line("[jiandaoyun]", "");
    line("base_url = \"https://api.jiandaoyun.com\"", "");
    line(&format!("api_key = {{ env = {} }}", quoted(&variable(id, "JDY_KEY"))), "开放平台 → API Key");
    line("", "");
    line("[[flows]]", "");
    line(&format!("id = {}", quoted(flow)), "");
    line("", "");
    line("[flows.source]", "");
    line(&format!("api = {}", quoted(api)), "");
    let address = "TO DO: from the form's address …/app/APP_ID/entry/ENTRY_ID · 待填：见表单网址";
    for (key, id) in [("app_id", &form.app_id), ("entry_id", &form.entry_id)] {
        let comment = if id.is_some() { "" } else { address };
        line(&format!("{key} = {}", quoted(id.as_deref().unwrap_or_default())), comment);
    }
    if let Some(rows) = &form.filter {
        line(&filter(rows), "");
    }
    line("", "");
    line("[flows.guest]", "");
    line("component = \"../guests/member.wasm\"", "the default guest · 默认规则组件");
    line(&format!("config = {}", quoted(&format!("{id}/{flow}.json"))), "the rules file · 规则文件");
    file
}

fn filter(rows: &Rows) -> String {
    let conditions: Vec<String> = rows
        .conditions
        .iter()
        .map(|condition| {
            let keys = ["field", "type", "method", "value"];
            let keys: Vec<String> = keys
                .into_iter()
                .filter_map(|key| Some(format!("{key} = {}", toml(condition.get(key)?))))
                .collect();
            format!("  {{ {} }}", keys.join(", "))
        })
        .collect();
    format!("filter = {{ rel = {}, cond = [\n{} ] }}", quoted(&rows.relation), conditions.join(",\n"))
}

/// A value of a condition. A checked condition holds texts, numbers, booleans, and lists of them.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(fraction)) => toml::Value::Float(fraction).to_string(),
            (None, None) => quoted(&number.to_string()),
        },
        Value::String(text) => quoted(text),
        Value::Null | Value::Object(_) => quoted(""),
    }
}

/// A quoted text, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The rules file: one line per entry, or several for a long one.
pub(super) fn rules(file: &JsonNode) -> String {
    let mut text = String::new();
    node(&mut text, file, 0);
    text.push('\n');
    text
}

fn node(text: &mut String, value: &JsonNode, depth: usize) {
    let short = one_line(value);
    // The file itself and its lists are always broken; below, a value that fits stays on one line.
    let opened = depth < 2 && !value.is_blank() && (value.list().is_some() || depth == 0);
    if !opened && depth * 2 + short.chars().count() <= WIDTH {
        text.push_str(&short);
        return;
    }
    let indent = "  ".repeat(depth + 1);
    match &value.kind {
        JsonKind::List(items) => {
            text.push_str("[\n");
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ",\n" });
                text.push_str(&indent);
                node(text, item, depth + 1);
            }
        }
        JsonKind::Object(members) => {
            text.push_str("{\n");
            for (at, member) in members.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ",\n" });
                text.push_str(&indent);
                text.push_str(&json(&member.key));
                text.push_str(": ");
                node(text, &member.value, depth + 1);
            }
        }
        _ => {
            text.push_str(&short);
            return;
        }
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(if value.list().is_some() { ']' } else { '}' });
}

fn one_line(value: &JsonNode) -> String {
    match &value.kind {
        JsonKind::List(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        JsonKind::Object(members) if members.is_empty() => "{}".to_owned(),
        JsonKind::Object(members) => {
            let members = members.iter().map(|m| format!("{}: {}", json(&m.key), one_line(&m.value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        JsonKind::Number(number) => number.clone(),
        JsonKind::Bool(value) => value.to_string(),
        JsonKind::Null => "null".to_owned(),
        JsonKind::Text(text) => json(text),
    }
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}
