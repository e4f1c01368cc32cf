//! Finds the metadata in the input: a file of JSON, an export with several in it, or a text with metadata between its
//! lines. The kind is determined by the contents, not by order or file name.

use super::document::Document;
use super::error::{ImportError, SourcePlace};
use super::json::{JsonKind, JsonMember, JsonNode, Quirk, Reader, Slip};
use super::note::Notes;
use super::platform::shown;

/// Maximum size of a text, in bytes; metadata has a few thousand.
const LARGEST: usize = 4 << 20;
/// Maximum number of bytes read per byte of a text while searching it.
const EFFORT: usize = 16;
/// Maximum number of listed JSON texts without metadata.
const MOST_LISTED: usize = 8;

/// An object and the text that contains it.
#[derive(Debug)]
pub(super) struct MetadataPiece<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) node: JsonNode,
}

impl MetadataPiece<'_> {
    pub(super) fn place(&self) -> SourcePlace {
        self.document.place(self.node.at)
    }
}

/// The metadata found.
#[derive(Debug, Default)]
pub(super) struct MetadataSet<'d> {
    /// Metadata that creates members.
    pub(super) targets: Vec<MetadataPiece<'d>>,
    /// Metadata that reads a form.
    pub(super) sources: Vec<MetadataPiece<'d>>,
    /// Request bodies that read a form.
    pub(super) bodies: Vec<MetadataPiece<'d>>,
    /// Metadata of other interfaces, by their names.
    pub(super) others: Vec<(String, MetadataPiece<'d>)>,
    unused: Vec<(&'d Document<'d>, usize)>,
}

enum MetadataKind {
    Target,
    Source,
    Body,
    Other(String),
}

/// Finds all metadata.
///
/// # Errors
/// If a text is too large, or metadata in it is broken.
pub(super) fn search<'d>(
    documents: &'d [Document<'d>],
    notes: &mut Notes,
) -> Result<MetadataSet<'d>, ImportError> {
    let mut found = MetadataSet::default();
    for document in documents {
        read(document, &mut found, notes)?;
    }
    let listed: Vec<String> =
        found.unused.iter().take(MOST_LISTED).map(|(document, at)| document.place(*at).to_string()).collect();
    if !listed.is_empty() {
        let more = found.unused.len() - listed.len();
        let (en, zh) = if more == 0 {
            (String::new(), String::new())
        } else {
            (format!(" and {more} more"), format!("等 {} 处", found.unused.len()))
        };
        notes.add(
            format!("JSON without metadata, not used: {}{en}", listed.join(", ")),
            format!("不是元数据的 JSON，未使用：{}{zh}", listed.join("、")),
        );
    }
    Ok(found)
}

fn read<'d>(
    document: &'d Document<'d>,
    found: &mut MetadataSet<'d>,
    notes: &mut Notes,
) -> Result<(), ImportError> {
    let text = document.text;
    if text.len() > LARGEST {
        return Err(ImportError::TooLarge { file: document.name.to_owned(), bytes: text.len() });
    }
    let broken = |slip: &Slip| ImportError::syntax(document.name, text, slip);
    let mut effort = text.len().saturating_mul(EFFORT);
    let mut next = 0;
    // A file of JSON must be JSON throughout; in any other text a brace may begin anything.
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
    let start = text.find(|c| !blank(c)).unwrap_or(text.len());
    let head = text.get(start..).unwrap_or_default();
    let is_list = head.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', '[']));
    if is_list || head.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '“', '/']))
    {
        let mut reader = Reader::new(text, start);
        let node = reader.value().map_err(|slip| broken(&slip))?;
        next = reader.at();
        take(document, node, &reader.quirks, found, notes);
    }
    while let Some(ahead) = text.get(next..).and_then(|rest| rest.find('{')) {
        let start = next + ahead;
        let mut reader = Reader::new(text, start);
        let read = reader.value();
        let cost = reader.at().max(start + 1) - start;
        let Some(rest) = effort.checked_sub(cost) else {
            return Err(ImportError::Tangled { file: document.name.to_owned() });
        };
        effort = rest;
        match read {
            Ok(node) => {
                next = reader.at();
                take(document, node, &reader.quirks, found, notes);
            }
            Err(slip) if reader.keys.iter().any(|key| is_telling(key)) => return Err(broken(&slip)),
            Err(_) => next = start + 1,
        }
    }
    Ok(())
}

/// A key that makes a broken object worth a message.
fn is_telling(key: &str) -> bool {
    matches!(key, "api" | "request" | "appId" | "entryId" | "app_id" | "entry_id")
}

/// Sorts a root object or list.
fn take<'d>(
    document: &'d Document<'d>,
    node: JsonNode,
    quirks: &[(Quirk, usize)],
    found: &mut MetadataSet<'d>,
    notes: &mut Notes,
) {
    let at = node.at;
    if !sort(document, node, found, notes) {
        found.unused.push((document, at));
        return;
    }
    for (quirk, at) in quirks {
        let (en, zh) = match quirk {
            Quirk::Comment => ("a comment, passed over", "注释，已略过"),
            Quirk::TrailingComma => ("a comma too many, passed over", "多余的逗号，已略过"),
            Quirk::ChineseMark => ("a Chinese mark, read as \" , or :", "中文标点，已按 \" , : 读取"),
            Quirk::RepeatedKey => ("a key that stands twice with one value", "重复的键，取值相同"),
        };
        notes.at(document, *at, en, zh);
    }
}

/// Files a node, or its contents, under its kind; returns true if any was found. Other contents beside metadata are
/// reported.
fn sort<'d>(
    document: &'d Document<'d>,
    node: JsonNode,
    found: &mut MetadataSet<'d>,
    notes: &mut Notes,
) -> bool {
    if let Some(role) = role(&node) {
        let piece = MetadataPiece { document, node };
        match role {
            MetadataKind::Target => found.targets.push(piece),
            MetadataKind::Source => found.sources.push(piece),
            MetadataKind::Body => found.bodies.push(piece),
            MetadataKind::Other(api) => found.others.push((api, piece)),
        }
        return true;
    }
    match node.kind {
        JsonKind::List(items) => {
            let mut beside = Vec::new();
            let mut any = false;
            for item in items {
                let (at, is_object) = (item.at, item.object().is_some());
                if sort(document, item, found, notes) {
                    any = true;
                } else if is_object {
                    beside.push((document, at));
                }
            }
            if any {
                found.unused.extend(beside);
            }
            any
        }
        JsonKind::Object(members) => {
            let mut beside = Vec::new();
            let mut any = false;
            for JsonMember { key, at, value } in members {
                let is_blank = value.is_blank();
                if sort(document, value, found, notes) {
                    any = true;
                } else if !is_blank {
                    beside.push((key, at));
                }
            }
            for (key, at) in beside.into_iter().filter(|_| any) {
                let key = shown(&key);
                notes.at(
                    document,
                    at,
                    format!("`{key}` stands beside the metadata and is not carried over"),
                    format!("`{key}` 在元数据之外，未转入"),
                );
            }
            any
        }
        // An export may hold metadata as text.
        JsonKind::Text(text) if text.trim_start().starts_with(['{', '[']) => {
            let inner = Reader::new(&text, 0).whole();
            inner.is_ok_and(|mut inner| {
                inner.move_to(node.at);
                // Text within text is not metadata any more.
                role(&inner).is_some() && sort(document, inner, found, notes)
            })
        }
        _ => false,
    }
}

fn role(node: &JsonNode) -> Option<MetadataKind> {
    let members = node.object()?;
    let api = node.get("api").and_then(JsonNode::text);
    let request = node.get("request");
    let fields: Vec<&str> = request
        .and_then(JsonNode::list)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| entry.get("field")?.text())
        .collect();
    let fills = |names: &[&str]| fields.iter().any(|field| names.contains(field));
    let is = |part: &str| api.is_some_and(|api| api.contains(part));
    if is("/user/create") || is("/user/update") || (api.is_none() && fills(&["userid"])) {
        return Some(MetadataKind::Target);
    }
    let reads = is("/entry/") || fills(&["appId", "app_id", "entryId", "entry_id"]);
    if (api.is_some() || request.is_some_and(|request| request.list().is_some())) && reads {
        return Some(MetadataKind::Source);
    }
    if let Some(api) = api.filter(|api| api.contains('/') && (request.is_some() || has(members, "effect"))) {
        return Some(MetadataKind::Other(api.chars().take(80).collect()));
    }
    // A row of a form names its app and form too.
    let is_body = (has(members, "appId") || has(members, "app_id"))
        && (has(members, "entryId") || has(members, "entry_id"))
        && !has(members, "_id");
    is_body.then_some(MetadataKind::Body)
}

fn has(members: &[JsonMember], key: &str) -> bool {
    members.iter().any(|member| member.key == key)
}
