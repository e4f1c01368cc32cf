//! The form: from the source's metadata, from a request body, or from both.

use super::document::Document;
use super::error::{ImportError, SourcePlace};
use super::find::{MetadataPiece, MetadataSet};
use super::json::{JsonKind, JsonMember, JsonNode, Reader};
use super::note::Notes;
use super::platform;
use ruzhi_config::is_form_id;
use ruzhi_jiandaoyun::RowFilter;
use ruzhi_model::Text;

const VERSIONS: [&str; 4] = ["v1", "v2", "v4", "v5"];
const WHOSE: (&str, &str) = ("the source's metadata", "数据源元数据");

/// The form and the rows to read.
#[derive(Debug, Default)]
pub(super) struct FormDraft {
    /// `None` if not given.
    pub(super) api: Option<&'static str>,
    pub(super) app_id: Option<String>,
    pub(super) entry_id: Option<String>,
    pub(super) filter: Option<Rows>,
}

/// A filter supported by the form's service.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    /// `and` or `or`.
    pub(super) relation: String,
    /// Field, type, method and value, as given.
    pub(super) conditions: Vec<serde_json::Value>,
}

/// A value and its place.
type Located<T> = Option<(T, SourcePlace)>;

#[derive(Default)]
struct FormParts {
    api: Located<&'static str>,
    app_id: Located<String>,
    entry_id: Located<String>,
    filter: Located<Rows>,
}

/// Reads everything given about the form.
///
/// # Errors
/// If two values contradict each other, or a filter is not supported.
pub(super) fn read(
    found: &MetadataSet<'_>,
    documents: &[Document<'_>],
    notes: &mut Notes,
) -> Result<FormDraft, ImportError> {
    let mut parts = FormParts::default();
    for piece in &found.sources {
        metadata(piece, &mut parts, notes)?;
    }
    for piece in &found.bodies {
        for member in piece.node.object().unwrap_or_default() {
            part(piece.document, member, &mut parts, notes)?;
        }
    }
    let api = match parts.api {
        Some((api, _)) => Some(api),
        None => version_in(documents, notes),
    };
    let value = |said: Located<String>| said.map(|(value, _)| value);
    Ok(FormDraft {
        api,
        app_id: value(parts.app_id),
        entry_id: value(parts.entry_id),
        filter: parts.filter.map(|(filter, _)| filter),
    })
}

fn metadata(piece: &MetadataPiece<'_>, parts: &mut FormParts, notes: &mut Notes) -> Result<(), ImportError> {
    let document = piece.document;
    for member in piece.node.object().unwrap_or_default() {
        match (member.key.as_str(), &member.value.kind) {
            ("api", JsonKind::Text(api)) => match version(api) {
                Some(api) => said(&mut parts.api, api, document.place(member.at), "api")?,
                None => platform::tell(member, WHOSE, document, notes),
            },
            ("request" | "otherRequest", JsonKind::List(entries)) => {
                for entry in entries {
                    match entry.get("field").and_then(JsonNode::text) {
                        Some(field) => {
                            let key = field.trim().to_owned();
                            let told = JsonMember { key, at: entry.at, value: plain(entry) };
                            part(document, &told, parts, notes)?;
                        }
                        None => notes.at(
                            document,
                            entry.at,
                            "an entry of the source's `request` without a `field`, not carried over",
                            "数据源 request 中有一项没有 field，未转入",
                        ),
                    }
                }
            }
            // Becomes `when` of the rules file.
            ("condition", _) => {}
            _ => platform::tell(member, WHOSE, document, notes),
        }
    }
    Ok(())
}

/// The value of an entry of `request`, with its children as an object.
fn plain(entry: &JsonNode) -> JsonNode {
    let children = entry.get("children").and_then(JsonNode::list).filter(|children| !children.is_empty());
    if let Some(children) = children {
        let members = children.iter().filter_map(|child| {
            let key = child.get("field")?.text()?.trim().to_owned();
            Some(JsonMember { key, at: child.at, value: plain(child) })
        });
        return JsonNode { at: entry.at, kind: JsonKind::Object(members.collect()) };
    }
    match entry.get("value") {
        Some(value) => value.clone(),
        None => JsonNode { at: entry.at, kind: JsonKind::Null },
    }
}

/// One key of a request body.
fn part(
    document: &Document<'_>,
    member: &JsonMember,
    parts: &mut FormParts,
    notes: &mut Notes,
) -> Result<(), ImportError> {
    if member.value.is_blank() {
        return Ok(());
    }
    let place = document.place(member.at);
    match member.key.as_str() {
        "appId" | "app_id" => id(document, member, &mut parts.app_id, place, "app_id", notes),
        "entryId" | "entry_id" => id(document, member, &mut parts.entry_id, place, "entry_id", notes),
        "filter" => match filter(document, &member.value, notes)? {
            Some(filter) => said(&mut parts.filter, filter, place, "filter"),
            None => Ok(()),
        },
        _ => {
            platform::tell(member, ("the request", "请求"), document, notes);
            Ok(())
        }
    }
}

fn id(
    document: &Document<'_>,
    member: &JsonMember,
    slot: &mut Located<String>,
    place: SourcePlace,
    what: &'static str,
    notes: &mut Notes,
) -> Result<(), ImportError> {
    match member.value.text().map(str::trim).filter(|id| is_form_id(id)) {
        Some(id) => said(slot, id.to_owned(), place, what),
        None => {
            notes.at(
                document,
                member.at,
                format!("`{}` holds no id of JianDaoYun, so `{what}` is left for you", member.key),
                format!("`{}` 不是简道云的 id，`{what}` 需要您填写", member.key),
            );
            Ok(())
        }
    }
}

/// Keeps a value; a different earlier one is a contradiction.
fn said<T: PartialEq>(
    slot: &mut Located<T>,
    value: T,
    place: SourcePlace,
    what: &'static str,
) -> Result<(), ImportError> {
    match slot {
        Some((earlier, first)) if *earlier != value => {
            Err(ImportError::SeveralSources { what, first: first.clone(), second: place })
        }
        Some(_) => Ok(()),
        None => {
            *slot = Some((value, place));
            Ok(())
        }
    }
}

fn version(api: &str) -> Option<&'static str> {
    VERSIONS.into_iter().find(|version| api.contains(&format!("/{version}/app")))
}

/// The version of the route named in a text around the metadata.
fn version_in(documents: &[Document<'_>], notes: &mut Notes) -> Option<&'static str> {
    let mut named = VERSIONS.into_iter().filter(|version| {
        let route = format!("/{version}/app");
        documents.iter().any(|document| document.text.contains(&route))
    });
    let first = named.next();
    match (first, named.next()) {
        (Some(api), None) => {
            notes.add(
                format!("`api = \"{api}\"` was taken from a route that the text names"),
                format!("`api = \"{api}\"` 取自文中写到的接口路径"),
            );
            Some(api)
        }
        (Some(_), Some(_)) => {
            notes.add(
                "the text names routes of several versions; the newest, v5, was taken",
                "文中写到多个版本的接口路径，已采用最新的 v5",
            );
            None
        }
        (None, _) => None,
    }
}

fn filter(document: &Document<'_>, node: &JsonNode, notes: &mut Notes) -> Result<Option<Rows>, ImportError> {
    let invalid = |at: usize, why: Text| Err(ImportError::Filter { place: document.place(at), why });
    // The whole filter may be given as text.
    if let Some(text) = node.text() {
        let Ok(mut inner) = Reader::new(text, 0).whole() else {
            return invalid(node.at, Text::new("it is no JSON object", "不是 JSON 对象"));
        };
        inner.move_to(node.at);
        // Text within text is not a filter any more.
        if inner.text().is_some() {
            return invalid(node.at, Text::new("it is no JSON object", "不是 JSON 对象"));
        }
        return filter(document, &inner, notes);
    }
    let Some(members) = node.object() else {
        return invalid(node.at, Text::new("it is no JSON object", "不是 JSON 对象"));
    };
    let mut relation = "and".to_owned();
    let mut numbered: Vec<(u32, &JsonNode)> = Vec::new();
    let mut listed: Vec<&JsonNode> = Vec::new();
    for member in members {
        let number = member.key.strip_prefix("cond_").and_then(|number| number.parse().ok());
        match (member.key.as_str(), number) {
            ("rel", _) if member.value.is_blank() => {}
            ("rel", _) => match member.value.text().map(str::trim) {
                Some(word @ ("and" | "or")) => relation = word.to_owned(),
                _ => {
                    return invalid(
                        member.at,
                        Text::new("`rel` is neither and nor or", "rel 应为 and 或 or"),
                    );
                }
            },
            (_, Some(number)) => numbered.push((number, &member.value)),
            ("cond", None) => match member.value.list() {
                Some(items) => listed.extend(items),
                None => return invalid(member.at, Text::new("`cond` is not a list", "cond 不是列表")),
            },
            (key, None) => {
                let key = platform::shown(key);
                return invalid(
                    member.at,
                    Text::new(
                        format!("the unknown key `{key}`; the service would pass over it and give every row"),
                        format!("未知的键 `{key}`，简道云会忽略它并返回全部数据"),
                    ),
                );
            }
        }
    }
    numbered.sort_by_key(|(number, _)| *number);
    let mut conditions = Vec::new();
    for node in listed.into_iter().chain(numbered.into_iter().map(|(_, node)| node)) {
        let says = |key: &str| node.get(key).is_some_and(|value| !value.is_blank());
        if node.is_blank()
            || (node.object().is_some() && !["field", "method", "value"].iter().any(|key| says(key)))
        {
            notes.at(document, node.at, "an empty condition, left out", "空的筛选条件，已略去");
            continue;
        }
        let condition = condition(document, node, notes);
        let alone = serde_json::json!({ "rel": "and", "cond": [condition] });
        if let Err(error) = RowFilter::parse(&alone) {
            return invalid(node.at, error.explain());
        }
        conditions.push(condition);
    }
    Ok((!conditions.is_empty()).then_some(Rows { relation, conditions }))
}

/// A condition in the service's own spelling, checked by [`RowFilter::parse`] afterwards.
fn condition(document: &Document<'_>, node: &JsonNode, notes: &mut Notes) -> serde_json::Value {
    let mut condition = node.json();
    let Some(keys) = condition.as_object_mut() else { return condition };
    let method = keys.get("method").and_then(|method| method.as_str()).unwrap_or_default().trim().to_owned();
    if keys.get("type").is_some_and(|kind| kind.is_null() || kind == "") {
        keys.remove("type");
    }
    if matches!(method.as_str(), "empty" | "not_empty" | "verified" | "unverified") {
        keys.remove("value");
    }
    let Some(value) = keys.get_mut("value") else { return condition };
    if method != "range" {
        return condition;
    }
    // The platform writes both ends of a range into one text.
    if let Some((from, to)) = value.as_str().and_then(|text| text.split_once(',')) {
        *value = serde_json::json!([from.trim(), to.trim()]);
    }
    if let Some(ends) = value.as_array_mut() {
        for end in ends.iter_mut().filter(|end| end.is_null()) {
            *end = "".into();
        }
        if let [_, to] = ends.as_mut_slice()
            && to.as_str().is_some_and(is_now)
        {
            *to = "".into();
            notes.at(
                document,
                node.at,
                "the range that ends now has no end: it is the same",
                "范围的终点是当前时间，已写成不设终点，两者等同",
            );
        }
    }
    condition
}

fn is_now(text: &str) -> bool {
    let inside = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    inside.is_some_and(|inside| {
        matches!(inside.split('|').next().unwrap_or_default().trim(), "CURRENT_TIME" | "NOW")
    })
}
