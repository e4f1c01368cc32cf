//! From a member to WeCom's request body: everything for a new member, only the changes for a known one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use ruzhi_model::{Member, Membership, json};

/// The body of a create. An empty field is left out; an invitation is sent only if the rules say so, because WeCom's
/// own default is to send one.
pub fn create(member: &Member) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("userid".to_owned(), json!(member.userid));
    for (field, value) in texts(member) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            body.insert(field.to_owned(), json!(value));
        }
    }
    if !member.memberships.is_empty() {
        departments(&mut body, &[], &member.memberships);
    }
    if let Some(main) = member.main_department {
        body.insert("main_department".to_owned(), json!(main));
    }
    if let Some(leaders) = member.direct_leader.as_ref().filter(|leaders| !leaders.is_empty()) {
        body.insert("direct_leader".to_owned(), json!(leaders));
    }
    if let Some(enable) = member.enable {
        body.insert("enable".to_owned(), json!(u8::from(enable)));
    }
    for (field, value) in extras(member) {
        body.insert(field, value);
    }
    body.insert("to_invite".to_owned(), json!(member.to_invite.unwrap_or(false)));
    body
}

/// The fields in which `new` differs from what was written, without `userid`. Fields the rules leave out are never
/// included.
pub(super) fn changes(written: &Member, new: &Member) -> Map<String, Value> {
    let mut body = Map::new();
    let before: BTreeMap<&str, Option<&str>> = texts(written).into_iter().collect();
    for (field, value) in texts(new) {
        let Some(value) = value else { continue };
        let was = before.get(field).copied().flatten().unwrap_or("");
        let clears_what_cannot_be = value.is_empty() && cannot_be_empty(field);
        if value != was && !clears_what_cannot_be {
            body.insert(field.to_owned(), json!(value));
        }
    }
    if !new.memberships.is_empty() && new.memberships != written.memberships {
        departments(&mut body, &written.memberships, &new.memberships);
        // The main department follows the departments unless it is sent again.
        if let Some(main) = new.main_department {
            body.insert("main_department".to_owned(), json!(main));
        }
    } else if let Some(main) = new.main_department.filter(|main| Some(*main) != written.main_department) {
        body.insert("main_department".to_owned(), json!(main));
    }
    if let Some(leaders) = &new.direct_leader
        && leaders != written.direct_leader.as_deref().unwrap_or_default()
    {
        body.insert("direct_leader".to_owned(), json!(leaders));
    }
    if let Some(enable) = new.enable
        && enable != written.enable.unwrap_or(true)
    {
        body.insert("enable".to_owned(), json!(u8::from(enable)));
    }
    let extra_before = extras(written);
    for (field, value) in extras(new) {
        if !extra_before.get(&field).is_some_and(|before| json::same(before, &value)) {
            body.insert(field, value);
        }
    }
    body
}

/// Every field of a member, whatever the directory holds: sent when an answer was lost. Empty ones are included, for
/// they may still have to be cleared.
pub(super) fn whole(new: &Member) -> Map<String, Value> {
    let before = Member {
        // Differs from every value, so that each field counts as changed.
        enable: new.enable.map(|enable| !enable),
        ..Member::default()
    };
    let mut body = changes(&before, new);
    for (field, value) in texts(new) {
        if value == Some("") && !cannot_be_empty(field) {
            body.insert(field.to_owned(), json!(""));
        }
    }
    if let Some(leaders) = &new.direct_leader {
        body.insert("direct_leader".to_owned(), json!(leaders));
    }
    body
}

/// The member once `new` is written over `written`: fields the rules leave out stay.
pub(super) fn merged(written: &Member, new: &Member) -> Member {
    let or = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
    let mut extra: BTreeMap<String, String> = written.extra.iter().cloned().collect();
    extra.extend(new.extra.iter().cloned());
    let memberships_change = !new.memberships.is_empty();
    Member {
        userid: written.userid.clone(),
        name: new.name.clone(),
        mobile: or(&new.mobile, &written.mobile),
        email: or(&new.email, &written.email),
        memberships: if memberships_change { new.memberships.clone() } else { written.memberships.clone() },
        main_department: new.main_department.or(written.main_department),
        position: or(&new.position, &written.position),
        alias: or(&new.alias, &written.alias),
        gender: or(&new.gender, &written.gender),
        telephone: or(&new.telephone, &written.telephone),
        address: or(&new.address, &written.address),
        direct_leader: new.direct_leader.clone().or_else(|| written.direct_leader.clone()),
        biz_mail: or(&new.biz_mail, &written.biz_mail),
        external_position: or(&new.external_position, &written.external_position),
        enable: new.enable.or(written.enable),
        to_invite: written.to_invite,
        extra: extra.into_iter().collect(),
    }
}

/// WeCom has no value for "no gender", and a name is never empty.
pub(super) fn cannot_be_empty(field: &str) -> bool {
    matches!(field, "gender" | "name")
}

pub(super) fn texts(member: &Member) -> [(&'static str, Option<&str>); 10] {
    [
        ("name", Some(member.name.as_str())),
        ("mobile", member.mobile.as_deref()),
        ("email", member.email.as_deref()),
        ("position", member.position.as_deref()),
        ("alias", member.alias.as_deref()),
        ("gender", member.gender.as_deref()),
        ("telephone", member.telephone.as_deref()),
        ("address", member.address.as_deref()),
        ("biz_mail", member.biz_mail.as_deref()),
        ("external_position", member.external_position.as_deref()),
    ]
}

/// `department` and its parallel lists. Without `is_leader_in_dept` a change of departments ends every leadership, so
/// it is sent too if there is a leadership before or after.
fn departments(body: &mut Map<String, Value>, before: &[Membership], after: &[Membership]) {
    let ids: Vec<u32> = after.iter().map(|m| m.department).collect();
    body.insert("department".to_owned(), json!(ids));
    if before.iter().chain(after).any(|m| m.leader) {
        let leaders: Vec<u8> = after.iter().map(|m| u8::from(m.leader)).collect();
        body.insert("is_leader_in_dept".to_owned(), json!(leaders));
    }
    if after.iter().any(|m| m.order.is_some()) {
        let orders: Vec<u32> = after.iter().map(|m| m.order.unwrap_or(0)).collect();
        body.insert("order".to_owned(), json!(orders));
    }
}

/// `extra` as values. The field rules have parsed every text before; one that does not parse is dropped.
fn extras(member: &Member) -> BTreeMap<String, Value> {
    member
        .extra
        .iter()
        .filter_map(|(field, text)| Some((field.clone(), serde_json::from_str(text).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_order_of_keys_nor_the_spelling_of_a_number_is_written() {
        let member = |json: &str| Member {
            userid: "a".to_owned(),
            name: "a".to_owned(),
            extra: vec![("external_profile".to_owned(), json.to_owned())],
            ..Member::default()
        };
        let written = member(r#"{"a":1,"b":[2]}"#);
        assert!(changes(&written, &member(r#"{ "b": [2.0], "a": 1 }"#)).is_empty());
        assert!(changes(&written, &member(r#"{"a":1,"b":[3]}"#)).contains_key("external_profile"));
    }
}
