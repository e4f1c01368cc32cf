//! Undoing a run: each of its operations backwards, to the ledger's line before it.
//!
//! Only the run's own writes are taken back, and only where they still stand: a field that a later run wrote again, or
//! a member who has gone since, is left as it is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::body;
use super::disposition::{Disposition, rejected};
use super::reasons::protected;
use super::world::Policy;
use ruzhi_model::{LedgerEntry, Member, MemberState, Operation, OperationKind, Text};

/// The operation that undoes `operation`, which was done, given the member's line now.
pub fn undo(operation: &Operation, current: Option<&LedgerEntry>, policy: &Policy) -> Disposition {
    let Some(current) = current else {
        return nothing("the ledger no longer knows the member", "台账中已无该成员");
    };
    let undone = match operation.kind {
        OperationKind::Create => removed(current),
        OperationKind::Delete => recreated(operation, current),
        OperationKind::Update | OperationKind::Disable | OperationKind::Enable => {
            restored(operation, current)
        }
        OperationKind::Adopt | OperationKind::Keep => None,
    };
    let Some((kind, mut body, member, left)) = undone else {
        return nothing("nothing of it is left to undo", "没有可撤销的内容");
    };
    if policy.protected.contains(&current.userid.key()) {
        return rejected(vec![protected()]);
    }
    body.insert("userid".to_owned(), json!(current.userid));
    Disposition::Operation(Box::new(Operation {
        kind,
        userid: current.userid.clone(),
        flow: operation.flow.clone(),
        record: operation.record.clone(),
        body,
        member,
        before: Some(current.clone()),
        decision: operation.decision.clone(),
        rules: operation.rules.clone(),
        left,
        names: None,
        partial: false,
        parks: None,
        tries: 0,
        notes: Vec::new(),
        undoes: true,
    }))
}

/// Merges several operations on one member, in the order they were done, into one with the same result.
pub fn as_one(operations: Vec<Operation>) -> Option<Operation> {
    let mut operations = operations.into_iter();
    let first = operations.next()?;
    Some(operations.fold(first, |before, after| {
        let kind = match (before.kind, after.kind) {
            (OperationKind::Create, OperationKind::Delete) => OperationKind::Delete,
            (OperationKind::Create, _) => OperationKind::Create,
            (_, kind) => kind,
        };
        let mut body = before.body;
        body.extend(after.body);
        Operation { kind, body, before: before.before, ..after }
    }))
}

fn nothing(en: &str, zh: &str) -> Disposition {
    Disposition::Ignored { reason: Text::new(en, zh) }
}

type Reversal = (OperationKind, Map<String, Value>, Member, bool);

fn removed(current: &LedgerEntry) -> Option<Reversal> {
    current.exists().then(|| (OperationKind::Delete, Map::new(), current.written.clone(), false))
}

/// Without an invitation: the person was a member before.
fn recreated(operation: &Operation, current: &LedgerEntry) -> Option<Reversal> {
    // Nothing is known to create a member from that was adopted and never written.
    let before =
        operation.before.as_ref().filter(|before| !current.exists() && !before.written.name.is_empty())?;
    // A leader who may be gone must not keep the member out; the row sets it again.
    let mut member = Member { to_invite: Some(false), direct_leader: None, ..before.written.clone() };
    if before.state == MemberState::Left {
        member.enable = Some(false);
    }
    Some((OperationKind::Create, body::create(&member), member, false))
}

fn restored(operation: &Operation, current: &LedgerEntry) -> Option<Reversal> {
    let before = operation.before.as_ref().filter(|_| current.exists())?;
    let was = &before.written;
    let wrote = &operation.member;
    let now = &current.written;
    let mut wanted = now.clone();
    for field in operation.changes().filter(|field| !before.doubtful || known(field, was)) {
        restore(field, was, wrote, now, &mut wanted);
    }
    let mut body = body::changes(now, &wanted);
    let (left_before, left_now) = (before.state == MemberState::Left, current.state == MemberState::Left);
    let mut kind = OperationKind::Update;
    if left_now && !left_before {
        kind = OperationKind::Enable;
        wanted.enable = was.enable;
        body.insert("enable".to_owned(), json!(u8::from(was.enable != Some(false))));
    } else if left_before && !left_now {
        kind = OperationKind::Disable;
        body.insert("enable".to_owned(), json!(0));
    } else {
        match body.get("enable").and_then(Value::as_u64) {
            Some(0) => kind = OperationKind::Disable,
            Some(_) => kind = OperationKind::Enable,
            None => {}
        }
    }
    let left = kind == OperationKind::Disable && left_before;
    (!body.is_empty()).then_some((kind, body, wanted, left))
}

/// True if the ledger knew the field: an empty one of a doubtful member may have held anything.
fn known(field: &str, was: &Member) -> bool {
    match field {
        "name" => !was.name.is_empty(),
        "department" | "is_leader_in_dept" | "order" => !was.memberships.is_empty(),
        "main_department" => was.main_department.is_some(),
        "direct_leader" => was.direct_leader.is_some(),
        "enable" => true,
        _ => body::create(was).contains_key(field),
    }
}

/// Sets a field back in `wanted`, if the operation's value still stands. A field that was not there is cleared.
fn restore(field: &str, was: &Member, wrote: &Member, now: &Member, wanted: &mut Member) {
    let text = |was: &Option<String>, wrote: &Option<String>, now: &Option<String>| {
        (now == wrote).then(|| Some(was.clone().unwrap_or_default()))
    };
    macro_rules! back {
        ($field:ident) => {
            if let Some(value) = text(&was.$field, &wrote.$field, &now.$field) {
                wanted.$field = value;
            }
        };
    }
    match field {
        "name" if now.name == wrote.name => wanted.name.clone_from(&was.name),
        "mobile" => back!(mobile),
        "email" => back!(email),
        "position" => back!(position),
        "alias" => back!(alias),
        "gender" => back!(gender),
        "telephone" => back!(telephone),
        "address" => back!(address),
        "biz_mail" => back!(biz_mail),
        "external_position" => back!(external_position),
        "department" if now.memberships == wrote.memberships && !was.memberships.is_empty() => {
            wanted.memberships.clone_from(&was.memberships);
        }
        "main_department" if now.main_department == wrote.main_department => {
            wanted.main_department = was.main_department.or(now.main_department);
        }
        "direct_leader" if now.direct_leader == wrote.direct_leader => {
            wanted.direct_leader = Some(was.direct_leader.clone().unwrap_or_default());
        }
        "enable" if now.enable == wrote.enable => wanted.enable = Some(was.enable.unwrap_or(true)),
        _ => {
            let of = |member: &Member| member.extra.iter().find(|(name, _)| name == field).cloned();
            if let (Some((_, value)), true) = (of(was), of(now) == of(wrote)) {
                let mut extra: BTreeMap<String, String> = wanted.extra.iter().cloned().collect();
                extra.insert(field.to_owned(), value);
                wanted.extra = extra.into_iter().collect();
            }
        }
    }
}
