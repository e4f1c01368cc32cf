//! The platform's own filter, `condition`, which selects rows after reading.
//!
//! It is a list of groups; a row passes if all conditions of one group hold. One group becomes `when`: a row that
//! violates one of its conditions is ignored. Several groups cannot be expressed there, nor can some of the
//! comparisons.

use super::find::MetadataPiece;
use super::json::{JsonKind, JsonMember, JsonNode};
use super::note::Notes;
use super::platform::shown;

/// The items of `when` for the conditions of a metadata.
pub(super) fn read(piece: &MetadataPiece<'_>, notes: &mut Notes) -> Vec<JsonNode> {
    let Some(condition) = piece.node.get("condition").filter(|condition| !condition.is_blank()) else {
        return Vec::new();
    };
    let groups: Vec<&JsonNode> =
        condition.list().unwrap_or_default().iter().filter(|group| !group.is_blank()).collect();
    // A single group may stand without a list around it.
    let single = match groups.as_slice() {
        [group] if group.list().is_some() => group.list(),
        groups if !groups.is_empty() && groups.iter().all(|group| group.object().is_some()) => {
            condition.list()
        }
        _ => None,
    };
    let Some(conditions) = single else {
        notes.at(
            piece.document,
            condition.at,
            "`condition` is not carried over: it is not one group of conditions. Rows that the platform kept out are \
             let in until you write them into `when` of the rules file",
            "condition 未转入：它不是单独一组条件。在您写入规则文件的 when 之前，原平台拦下的数据会放行",
        );
        notes.left(
            "write the platform's `condition` into `when` of the rules file",
            "把平台的 condition 写入规则文件的 when",
        );
        return Vec::new();
    };
    conditions.iter().filter(|item| !item.is_blank()).filter_map(|item| one(piece, item, notes)).collect()
}

fn one(piece: &MetadataPiece<'_>, item: &JsonNode, notes: &mut Notes) -> Option<JsonNode> {
    let text = |key: &str| item.get(key).and_then(JsonNode::scalar).map(|text| text.trim().to_owned());
    let field = text("field").unwrap_or_default();
    let logic = text("logic").unwrap_or_default();
    let value = item.get("value");
    let texts: Option<Vec<JsonNode>> = match value {
        Some(JsonNode { kind: JsonKind::List(items), .. }) => {
            items.iter().all(|item| item.scalar().is_some()).then(|| items.clone())
        }
        Some(node) if node.scalar().is_some_and(|text| !text.contains("{{")) => Some(vec![node.clone()]),
        _ => None,
    };
    // The list of `in` may be a text with commas.
    let listed = || {
        let texts = texts.clone()?;
        Some(match texts.as_slice() {
            [only] => split(only),
            _ => texts,
        })
    };
    // A row is ignored if the opposite holds.
    let test = match logic.as_str() {
        "notnull" => Some(("empty", bool_node(item.at))),
        "null" | "isnull" => Some(("not_empty", bool_node(item.at))),
        "eq" | "eqv2" | "==" | "=" => texts.map(|texts| ("not_in", list_node(item.at, texts))),
        "neq" | "neqv2" | "ne" | "!=" => texts.map(|texts| ("in", list_node(item.at, texts))),
        "in" => listed().map(|texts| ("not_in", list_node(item.at, texts))),
        "notin" | "nin" => listed().map(|texts| ("in", list_node(item.at, texts))),
        _ => None,
    };
    let said = format!("{} {}", shown(&field), shown(&logic));
    let is_field = !field.is_empty()
        && !field.contains(['{', '}'])
        && field.split('.').all(|name| !name.trim().is_empty());
    let Some((test, operand)) = test.filter(|_| is_field) else {
        notes.at(
            piece.document,
            item.at,
            format!(
                "the condition `{said}` is not carried over. Rows that it kept out are let in until you write it into \
                 `when` of the rules file"
            ),
            format!("条件 `{said}` 未转入。在您写入规则文件的 when 之前，它拦下的数据会放行"),
        );
        notes.left(
            format!("write the condition `{said}` into `when` of the rules file"),
            format!("把条件 `{said}` 写入规则文件的 when"),
        );
        return None;
    };
    notes.at(
        piece.document,
        item.at,
        format!("the condition `{said}` became an `ignore` in `when` of the rules file"),
        format!("条件 `{said}` 已转为规则文件 when 中的 ignore"),
    );
    let at = item.at;
    let member = |key: &str, value: JsonNode| JsonMember { key: key.to_owned(), at, value };
    let text = |text: &str| JsonNode { at, kind: JsonKind::Text(text.to_owned()) };
    let message = format!("平台条件 {said} 不成立 / the platform's condition {said} does not hold");
    Some(JsonNode {
        at,
        kind: JsonKind::Object(vec![
            member("field", text(&field)),
            member(test, operand),
            member("then", text("ignore")),
            member("message", text(&message)),
        ]),
    })
}

fn bool_node(at: usize) -> JsonNode {
    JsonNode { at, kind: JsonKind::Bool(true) }
}

fn list_node(at: usize, items: Vec<JsonNode>) -> JsonNode {
    JsonNode { at, kind: JsonKind::List(items) }
}

fn split(node: &JsonNode) -> Vec<JsonNode> {
    let Some(text) = node.text() else { return vec![node.clone()] };
    text.split(',')
        .map(|part| JsonNode { at: node.at, kind: JsonKind::Text(part.trim().to_owned()) })
        .collect()
}
