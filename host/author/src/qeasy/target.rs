//! The rules file: the target's metadata as given, without entries unknown to the default guest.
//!
//! The guest itself is asked instead of a second list of valid entries: an entry it rejects loses its value if the
//! member can do without it, and otherwise stops the import.

use ruzhi_guest::Text;
use ruzhi_guest_member::{ENTRY_KEYS, FILE_KEYS, Finding, RulesFile};
use serde_json::{Value, json};

use super::error::ImportError;
use super::find::MetadataPiece;
use super::json::{JsonKind, JsonMember, JsonNode};
use super::note::Notes;
use super::platform::{shown, tell};

/// Without these, the member is not the intended one.
const ESSENTIAL: [&str; 5] = ["userid", "name", "mobile", "email", "department"];
/// WeCom has some twenty fields, and a corp some dozen attributes.
const MOST_ENTRIES: usize = 1000;
const WHOSE: (&str, &str) = ("the target's metadata", "目标元数据");

/// The rules file, and the form's fields it reads.
pub(super) struct RulesDraft {
    pub(super) file: JsonNode,
    pub(super) reads: Vec<String>,
}

/// Makes the rules file; `when` goes before the metadata's own.
///
/// # Errors
/// If the guest would reject it.
pub(super) fn read(
    piece: &MetadataPiece<'_>,
    when: Vec<JsonNode>,
    notes: &mut Notes,
) -> Result<RulesDraft, ImportError> {
    let members = piece.node.object().unwrap_or_default();
    let is_numbered = members.iter().any(|member| member.key == "id" || member.key == "number");
    let mut kept: Vec<JsonMember> = Vec::new();
    let mut when = Some(when).filter(|when| !when.is_empty());
    for member in members {
        let value = match member.key.as_str() {
            "request" => request(piece, &member.value, notes)?,
            "when" => {
                let mut items = when.take().unwrap_or_default();
                match &member.value.kind {
                    JsonKind::List(own) => items.extend(own.iter().cloned()),
                    // Reported by the guest.
                    _ => kept.push(member.clone()),
                }
                JsonNode { at: member.at, kind: JsonKind::List(items) }
            }
            "api" => api(piece, &member.value, notes),
            "condition" => continue,
            // In the platform's metadata this is the field that names a row.
            "name" if is_numbered => {
                tell(member, WHOSE, piece.document, notes);
                continue;
            }
            key if FILE_KEYS.contains(&key) && is_taken(key, &member.value) => member.value.clone(),
            _ => {
                tell(member, WHOSE, piece.document, notes);
                continue;
            }
        };
        if kept.iter().all(|earlier| earlier.key != member.key) {
            kept.push(JsonMember { key: member.key.clone(), at: member.at, value });
        }
    }
    if let Some(items) = when {
        let at = piece.node.at;
        kept.push(JsonMember {
            key: "when".to_owned(),
            at,
            value: JsonNode { at, kind: JsonKind::List(items) },
        });
    }
    let file = JsonNode { at: piece.node.at, kind: JsonKind::Object(kept) };
    match ruzhi_guest::describe::<RulesFile>(&file.json().to_string()) {
        Ok(description) => Ok(RulesDraft { file, reads: description.source_fields }),
        Err(_) => Err(ImportError::Rules {
            place: piece.place(),
            reasons: ruzhi_guest_member::problems(&file.json().to_string()),
        }),
    }
}

/// True if the guest accepts a value of a top-level key.
fn is_taken(key: &str, value: &JsonNode) -> bool {
    let mut file = base("");
    if let Some(file) = file.as_object_mut() {
        file.insert(key.to_owned(), value.json());
    }
    ruzhi_guest::describe::<RulesFile>(&file.to_string()).is_ok()
}

/// A complete rules file, without one field.
fn base(without: &str) -> Value {
    let whole = [
        ("userid", json!("{a}")),
        ("name", json!("{a}")),
        ("mobile", json!("{a}")),
        ("department", json!("{a}")),
    ];
    let entries: Vec<Value> = whole
        .into_iter()
        .filter(|(field, _)| *field != without)
        .map(|(field, value)| json!({ "field": field, "value": value }))
        .collect();
    json!({ "request": entries })
}

/// The guest's reasons for rejecting an entry; empty if it accepts it.
fn findings(field: &str, entry: &JsonNode) -> Vec<Finding> {
    let mut file = base(field);
    if let Some(entries) = file.get_mut("request").and_then(Value::as_array_mut) {
        entries.push(entry.json());
        // A missing value is not an error of the entry itself, so one is filled in.
        if entry.get("value").is_none() && ESSENTIAL.contains(&field) {
            return Vec::new();
        }
    }
    ruzhi_guest_member::problems(&file.to_string())
}

/// The guest's name of the interface.
fn api(piece: &MetadataPiece<'_>, value: &JsonNode, notes: &mut Notes) -> JsonNode {
    let text = value.text().unwrap_or_default();
    let known = ["/cgi-bin/user/create", "/cgi-bin/user/update"].into_iter();
    let plain = known.clone().find(|known| text.contains(known.trim_start_matches("/cgi-bin")));
    match plain {
        Some(plain) if plain != text => {
            notes.at(
                piece.document,
                value.at,
                format!("`api` is written as {plain}"),
                format!("`api` 已写成 {plain}"),
            );
            JsonNode { at: value.at, kind: JsonKind::Text(plain.to_owned()) }
        }
        _ => value.clone(),
    }
}

fn request(piece: &MetadataPiece<'_>, value: &JsonNode, notes: &mut Notes) -> Result<JsonNode, ImportError> {
    // A value that is not a list is reported by the guest.
    let Some(entries) = value.list() else { return Ok(value.clone()) };
    if entries.len() > MOST_ENTRIES {
        return Err(ImportError::TooMany {
            place: piece.document.place(value.at),
            count: entries.len(),
            most: MOST_ENTRIES,
        });
    }
    let mut kept: Vec<JsonNode> = Vec::new();
    for node in entries {
        let Some(entry) = entry(piece, node, notes)? else { continue };
        let field =
            |node: &JsonNode| node.get("field").and_then(JsonNode::text).map(|field| field.trim().to_owned());
        let twin = kept.iter().position(|earlier| field(earlier) == field(&entry));
        let Some(index) = twin else {
            kept.push(entry);
            continue;
        };
        let name = shown(&field(&entry).unwrap_or_default());
        let told = (
            format!("`{name}` stands twice; the entry that fills nothing more was left out"),
            format!("`{name}` 出现两次，已略去没有新取值的一项"),
        );
        if !fills(&entry) || kept.get(index).is_some_and(|earlier| says_the_same(earlier, &entry)) {
            notes.at(piece.document, entry.at, told.0, told.1);
        } else if let Some(earlier) = kept.get_mut(index) {
            if fills(earlier) {
                return Err(ImportError::FieldTwice {
                    field: name,
                    first: piece.document.place(earlier.at),
                    second: piece.document.place(entry.at),
                });
            }
            notes.at(piece.document, earlier.at, told.0, told.1);
            *earlier = entry;
        }
    }
    Ok(JsonNode { at: value.at, kind: JsonKind::List(kept) })
}

fn fills(entry: &JsonNode) -> bool {
    let says = |key: &str| entry.get(key).is_some_and(|value| value.text() != Some(""));
    says("value") || entry.get("default").is_some()
}

/// True if two entries differ only in text for people.
fn says_the_same(one: &JsonNode, other: &JsonNode) -> bool {
    let work = |node: &JsonNode| {
        let mut json = node.json();
        if let Some(keys) = json.as_object_mut() {
            keys.retain(|key, _| !matches!(key.as_str(), "label" | "describe"));
        }
        json
    };
    work(one) == work(other)
}

/// An entry in the guest's form; `None` if no part of it can be kept.
fn entry(
    piece: &MetadataPiece<'_>,
    node: &JsonNode,
    notes: &mut Notes,
) -> Result<Option<JsonNode>, ImportError> {
    let document = piece.document;
    let Some(members) = node.object() else {
        notes.at(
            document,
            node.at,
            "an item of `request` that is no object, not carried over",
            "request 中有一项不是对象，未转入",
        );
        return Ok(None);
    };
    let Some(field) = node.get("field").and_then(JsonNode::text).map(|field| field.trim().to_owned()) else {
        notes.at(
            document,
            node.at,
            "an entry of `request` without a `field`, not carried over",
            "request 中有一项没有 field，未转入",
        );
        return Ok(None);
    };
    let mut kept: Vec<JsonMember> = Vec::new();
    for member in members {
        let is_null = matches!(member.value.kind, JsonKind::Null);
        match member.key.as_str() {
            // An entry without a value fills nothing; `null` means the same.
            "value" | "default" if is_null => {}
            "label" | "describe" | "type" | "message" => match (&member.value.kind, member.value.scalar()) {
                (JsonKind::Text(_), _) => kept.push(member.clone()),
                (_, Some(text)) => {
                    let value = JsonNode { at: member.value.at, kind: JsonKind::Text(text) };
                    kept.push(JsonMember { value, ..member.clone() });
                }
                (_, None) if is_null => {}
                (_, None) => tell(member, WHOSE, document, notes),
            },
            key if ENTRY_KEYS.contains(&key) => kept.push(member.clone()),
            _ => tell(member, WHOSE, document, notes),
        }
    }
    let whole = JsonNode { at: node.at, kind: JsonKind::Object(kept.clone()) };
    let why = findings(&field, &whole);
    if why.is_empty() {
        return Ok(Some(whole));
    }
    if ESSENTIAL.contains(&field.as_str()) {
        return Err(ImportError::Rules { place: document.place(node.at), reasons: why });
    }
    // A field that cannot be computed is not filled; its label stays.
    kept.retain(|member| matches!(member.key.as_str(), "field" | "label" | "describe"));
    let bare = JsonNode { at: node.at, kind: JsonKind::Object(kept) };
    let name = shown(&field);
    // Without the guest's place, which refers to a list of its own.
    for Text { zh, en } in why.iter().map(|finding| &finding.text) {
        notes.at(
            document,
            node.at,
            format!("`{name}` is not filled: {en}"),
            format!("`{name}` 未转入：{zh}"),
        );
    }
    notes.left(
        format!("give `{name}` a value in the rules file, or leave it unfilled"),
        format!("在规则文件中为 `{name}` 填写取值，或不填写该字段"),
    );
    Ok(findings(&field, &bare).is_empty().then_some(bare))
}
