//! A form and its rows, kept by `_id`, which is the order of creation.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::{Map, Value, json};

use crate::clock::iso_ms;
use crate::load::{FormLoad, LoadError, Widget};

#[derive(Debug)]
pub(crate) struct Form {
    pub(super) app_id: String,
    pub(super) entry_id: String,
    pub(super) name: String,
    widgets: Vec<Widget>,
    without_workflow: bool,
    rows: BTreeMap<String, Row>,
    /// The last id given out, as a number of 96 bits.
    last_id: u128,
    modified_ms: u64,
}

/// A row, by the names that the API shows: alias, or field id if none is set.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) fields: Map<String, Value>,
    pub(super) created_ms: Option<i64>,
    pub(super) updated_ms: Option<i64>,
}

impl Row {
    pub(super) fn id(&self) -> &str {
        self.fields.get("_id").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Ids are made of seconds (2024-01-01) and a counter, so that the same load gives the same ids.
const FIRST_ID: u128 = 0x6591_8080_0000_0000_0000_0000;

/// System fields that every form has.
const SYSTEM_FIELDS: [(&str, &str); 8] = [
    ("_id", "dataid"),
    ("data_id", "dataid"),
    ("flowState", "flowstate"),
    ("createTime", "datetime"),
    ("updateTime", "datetime"),
    ("creator", "user"),
    ("updater", "user"),
    ("ext", "text"),
];

impl Form {
    pub(super) fn new(load: FormLoad, now_ms: u64) -> Result<Self, LoadError> {
        let FormLoad { app_id, entry_id, name, widgets, without_workflow, rows } = load;
        for (what, value) in [("app_id", &app_id), ("entry_id", &entry_id)] {
            if !is_object_id(value) {
                return Err(LoadError::Id { what, value: value.clone() });
            }
        }
        let name = if name.is_empty() { entry_id.clone() } else { name };
        let mut form = Self {
            app_id,
            entry_id,
            name,
            widgets: widgets.into_iter().map(with_names).collect(),
            without_workflow,
            rows: BTreeMap::new(),
            last_id: FIRST_ID,
            modified_ms: now_ms,
        };
        for row in rows {
            form.upsert(row, now_ms)?;
        }
        Ok(form)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn touch(&mut self, now_ms: u64) {
        self.modified_ms = now_ms;
    }

    /// Writes the given fields, into the row with the given `_id` or into a new one; returns its id.
    pub(crate) fn upsert(&mut self, row: Map<String, Value>, now_ms: u64) -> Result<String, LoadError> {
        let mut fields: Map<String, Value> =
            row.into_iter().map(|(name, value)| (self.shown_name(name), value)).collect();
        let id = match fields.remove("_id") {
            Some(Value::String(id)) if is_object_id(&id) => id,
            Some(other) => return Err(LoadError::Id { what: "_id", value: other.to_string() }),
            None => format!("{:024x}", self.last_id + 1),
        };
        self.last_id = self.last_id.max(u128::from_str_radix(&id, 16).unwrap_or(0));

        let now = Value::String(iso_ms(now_ms));
        fields.entry("updateTime").or_insert_with(|| now.clone());
        let mut whole = match self.rows.remove(&id) {
            Some(row) => row.fields,
            None => {
                let updated = fields.get("updateTime").cloned().unwrap_or(now);
                fields.entry("createTime").or_insert(updated);
                Map::new()
            }
        };
        whole.extend(fields);
        whole.insert("_id".to_owned(), Value::String(id.clone()));
        whole.insert("appId".to_owned(), Value::String(self.app_id.clone()));
        whole.insert("entryId".to_owned(), Value::String(self.entry_id.clone()));
        let row = Row {
            created_ms: time_of(&whole, "createTime")?,
            updated_ms: time_of(&whole, "updateTime")?,
            fields: whole,
        };
        self.rows.insert(id.clone(), row);
        Ok(id)
    }

    /// Returns true if the row existed.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        self.rows.remove(id).is_some()
    }

    /// A row as it is.
    pub(crate) fn fields(&self, id: &str) -> Option<&Map<String, Value>> {
        self.rows.get(id).map(|row| &row.fields)
    }

    /// The form's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn row(&self, id: &str) -> Option<&Row> {
        self.rows.get(id)
    }

    /// The rows with a greater id; the row itself need not exist any more.
    pub(super) fn rows_after(&self, id: &str) -> impl Iterator<Item = &Row> {
        self.rows.range::<str, _>((Bound::Excluded(id), Bound::Unbounded)).map(|(_, row)| row)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The type of a field that may stand in a filter.
    pub(super) fn kind_of(&self, name: &str) -> Option<&str> {
        let widget =
            self.widgets.iter().find(|widget| widget.name == name).map(|widget| widget.kind.as_str());
        widget.or_else(|| SYSTEM_FIELDS.iter().find(|(system, _)| *system == name).map(|(_, kind)| *kind))
    }

    /// The type of a field that is written by this name: its alias, or its id if it has none.
    pub(super) fn written_kind(&self, name: &str) -> Option<String> {
        self.widgets.iter().find(|widget| widget.name == name).map(|widget| widget.kind.clone())
    }

    pub(super) fn describe(&self, version: u8) -> Value {
        let always = ["creator", "updater", "deleter", "ext", "createTime", "updateTime", "deleteTime"];
        let system = (!self.without_workflow).then_some("flowState").into_iter().chain(always);
        let system: Vec<Value> = system.map(|name| json!({ "name": name })).collect();
        let mut described = json!({ "widgets": self.widgets, "sysWidgets": system });
        if let (true, Value::Object(described)) = (version >= 2, &mut described) {
            described.insert("dataModifyTime".to_owned(), Value::String(iso_ms(self.modified_ms)));
        }
        described
    }

    /// The row as a version shows it, projected on `fields` and the three ids that always come along.
    pub(super) fn shown(&self, row: &Row, fields: Option<&[String]>, version: u8) -> Value {
        let kept = row.fields.iter().filter(|(name, _)| is_wanted(name, fields));
        kept.map(|(name, value)| (name.clone(), in_version(value, version))).collect::<Map<_, _>>().into()
    }

    pub(super) fn write(&self, row: &Row, fields: Option<&[String]>, version: u8, page: &mut Vec<u8>) {
        // Writing into memory cannot fail, and a row that was parsed from JSON can be written as JSON.
        let _ = match (fields, version) {
            (None, 3..) => serde_json::to_writer(page, &row.fields),
            _ => serde_json::to_writer(page, &self.shown(row, fields, version)),
        };
    }

    fn shown_name(&self, name: String) -> String {
        match self.widgets.iter().find(|widget| widget.widget_name == name) {
            Some(widget) => widget.name.clone(),
            None => name,
        }
    }
}

fn is_wanted(name: &str, fields: Option<&[String]>) -> bool {
    matches!(name, "_id" | "appId" | "entryId")
        || fields.is_none_or(|fields| fields.iter().any(|field| field == name))
}

fn with_names(mut widget: Widget) -> Widget {
    if widget.name.is_empty() {
        widget.name.clone_from(&widget.widget_name);
    }
    widget.items = widget.items.into_iter().map(with_names).collect();
    widget
}

pub(super) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn time_of(fields: &Map<String, Value>, name: &str) -> Result<Option<i64>, LoadError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match super::condition::moment(text) {
            Some(moment) => Ok(Some(moment.from_ms)),
            None => Err(LoadError::Time { value: text.clone() }),
        },
        Some(other) => Err(LoadError::Time { value: other.to_string() }),
    }
}

/// Before v4 members and departments have their internal `_id` and no `type`; in v1 a subform's row has no `_id`.
/// A member is known by `username`, a department by `dept_no`.
fn in_version(value: &Value, version: u8) -> Value {
    if version > 2 {
        return value.clone();
    }
    match value {
        Value::Object(object) => {
            let key = ["username", "dept_no"].iter().find_map(|key| object.get(*key));
            if let Some(key) = key {
                let mut shown = object.clone();
                shown.remove("type");
                shown.insert("_id".to_owned(), Value::String(internal_id(&key.to_string())));
                Value::Object(shown)
            } else {
                value.clone()
            }
        }
        Value::Array(items) => {
            let shown = items.iter().map(|item| match in_version(item, version) {
                Value::Object(mut row) if version == 1 && !row.contains_key("name") => {
                    row.remove("_id");
                    Value::Object(row)
                }
                shown => shown,
            });
            shown.collect()
        }
        _ => value.clone(),
    }
}

/// 24 hexadecimal digits that depend on the key alone (FNV-1a).
fn internal_id(key: &str) -> String {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    format!("5f000000{hash:016x}")
}
