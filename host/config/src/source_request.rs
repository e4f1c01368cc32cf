//! The request to the form: the filter, the fields, or a whole request body pasted as JSON.

use std::ops::Range;

use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use super::diagnostics::Diagnostic;
use super::toml_reader::TomlEntry;
use super::{suggest, value};
use ruzhi_jiandaoyun::RowFilter;
use ruzhi_model::Text;

/// The keys of a pasted request body.
const KEYS: &[&str] = &["appId", "entryId", "fields", "limit", "filter"];

/// A pasted request body. Its `limit` is checked and dropped, since ruzhi requests full pages.
#[derive(Default)]
pub(super) struct SourceRequest {
    pub(super) app_id: Option<String>,
    pub(super) entry_id: Option<String>,
    pub(super) filter: Option<Option<RowFilter>>,
    pub(super) fields: Option<Value>,
}

/// Reads a pasted request body.
pub(super) fn read(entry: &TomlEntry<'_>) -> Option<SourceRequest> {
    entry.text()?;
    let Value::Object(body) = parse(entry)? else {
        entry.error(Diagnostic::new(
            format!("`{}` must hold a JSON object", entry.name),
            format!("`{}` 里应是一个 JSON 对象", entry.name),
        ));
        return None;
    };
    let mut request = SourceRequest::default();
    let mut good = true;
    for (key, found) in body {
        let part = TomlEntry {
            name: format!("{}.{key}", entry.name),
            at: place(entry, &format!("\"{key}\"")),
            ..entry.clone()
        };
        let read = match key.as_str() {
            "appId" => part.good(id(&found)).map(|id| request.app_id = Some(id)),
            "entryId" => part.good(id(&found)).map(|id| request.entry_id = Some(id)),
            "fields" => part.good(fields(&found)).map(|fields| request.fields = Some(fields)),
            "limit" => part.good(page_size(&found)),
            "filter" => object(&part, found)
                .and_then(|filter| checked(&part, &filter))
                .map(|filter| request.filter = Some(filter)),
            _ => part.good(Err(unknown(&key))),
        };
        good &= read.is_some();
    }
    good.then_some(request)
}

fn unknown(key: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new("unknown key", "没有这个键");
    let list = suggest::list(KEYS.iter().copied());
    match suggest::nearest(key, KEYS.iter().copied()) {
        Some(near) => diagnostic.hint(
            format!("did you mean `{near}`? Known here: {list}"),
            format!("是否想写 `{near}`？此处可用：{list}"),
        ),
        None => diagnostic.hint(format!("known here: {list}"), format!("此处可用：{list}")),
    }
}

fn id(found: &Value) -> Result<String, Diagnostic> {
    value::form_id(found.as_str().ok_or_else(|| Diagnostic::new("must be text", "应为文本"))?)
}

/// `100` or `"100"`.
fn page_size(found: &Value) -> Result<(), Diagnostic> {
    let size = found.as_u64().or_else(|| found.as_str().and_then(|text| text.trim().parse().ok()));
    match size {
        Some(1..=100) => Ok(()),
        _ => Err(Diagnostic::new("must be from 1 to 100", "应在 1 到 100 之间")),
    }
}

fn fields(found: &Value) -> Result<Value, Diagnostic> {
    let list = match found {
        Value::String(text) => Some(names(text)),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(|name| Value::from(name.trim()))).collect()
        }
        _ => None,
    };
    list.ok_or_else(|| Diagnostic::new("must be a list of texts, or one text", "应为文本列表或一段文本"))
}

/// Reads `fields`: a list of names, or one text with commas between them. Returns a list.
pub(super) fn read_fields(entry: &TomlEntry<'_>) -> Option<Value> {
    if entry.value.is_str() {
        return Some(names(entry.text()?));
    }
    Some(entry.texts()?.iter().filter_map(TomlEntry::text).map(|name| Value::from(name.trim())).collect())
}

fn names(text: &str) -> Value {
    text.split([',', '\u{ff0c}']).map(str::trim).filter(|name| !name.is_empty()).map(Value::from).collect()
}

/// Reads `filter`: a table, or text that holds a JSON object. Without conditions it is none.
pub(super) fn read_filter(entry: &TomlEntry<'_>) -> Option<Option<RowFilter>> {
    let filter = match entry.value {
        DeValue::Table(_) => entry.good(json(entry.value))?,
        DeValue::String(_) => object(entry, parse(entry)?)?,
        other => {
            entry.wrong_type(("a table, or text that holds JSON", "表或写有 JSON 的文本"), other);
            return None;
        }
    };
    checked(entry, &filter)
}

fn object(entry: &TomlEntry<'_>, found: Value) -> Option<Value> {
    entry.good(if found.is_object() {
        Ok(found)
    } else {
        Err(Diagnostic::new("must be a JSON object", "应为 JSON 对象"))
    })
}

/// The filter, if the form's service understands it.
fn checked(entry: &TomlEntry<'_>, filter: &Value) -> Option<Option<RowFilter>> {
    entry.good(RowFilter::parse(filter).map_err(|error| Diagnostic { text: error.explain(), hint: None }))
}

/// Parses the JSON in a text. An error is reported at its own line if the text stands verbatim in the file.
fn parse(entry: &TomlEntry<'_>) -> Option<Value> {
    let text = entry.text()?;
    let error = match serde_json::from_str(text) {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let offset = line_start + error.column().saturating_sub(1);
    let at = match entry.verbatim() {
        Some(start) => {
            let offset =
                (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            start + offset..start + offset
        }
        None => entry.at.clone(),
    };
    // The place is given in lines of the file, not in the parser's lines of the text.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let mut diagnostic = Diagnostic::new(
        format!("`{}` holds broken JSON: {message}", entry.name),
        format!("`{}` 里的 JSON 语法有误：{message}", entry.name),
    );
    diagnostic.hint = text.contains(['“', '”', '\u{ff0c}', '\u{ff1a}']).then(|| {
        Text::new(
            "JSON wants \" , : and not the Chinese “ ” ， ：",
            "JSON 只认英文的 \" , :，不认中文的 “ ” ， ：",
        )
    });
    entry.file.error(at, diagnostic);
    None
}

/// The place of `needle` in the file, or else the whole text.
fn place(entry: &TomlEntry<'_>, needle: &str) -> Range<usize> {
    entry
        .verbatim()
        .zip(entry.value.as_str().and_then(|text| text.find(needle)))
        .map_or_else(|| entry.at.clone(), |(start, at)| start + at..start + at + needle.len())
}

/// A TOML value as JSON; dates become text.
fn json(value: &DeValue<'_>) -> Result<Value, Diagnostic> {
    Ok(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::from)
            .map_err(|_| Diagnostic::new(format!("{number} is too large"), format!("{number} 太大")))?,
        DeValue::Float(number) => {
            number.as_str().parse().ok().and_then(Number::from_f64).map(Value::Number).ok_or_else(|| {
                Diagnostic::new(format!("{number} cannot be sent"), format!("{number} 无法发送"))
            })?
        }
        DeValue::Boolean(value) => Value::from(*value),
        DeValue::Datetime(moment) => Value::from(moment.to_string()),
        DeValue::Array(items) => {
            items.iter().map(|item| json(item.get_ref())).collect::<Result<Vec<_>, _>>()?.into()
        }
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| Ok((key.get_ref().to_string(), json(value.get_ref())?)))
            .collect::<Result<Map<_, _>, Diagnostic>>()?
            .into(),
    })
}
