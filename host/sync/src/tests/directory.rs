//! A model of WeCom's directory: its members, its answers, and the ways its answers are lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use ruzhi_model::{
    DepartmentId, LedgerEntry, Member, MemberKey, MemberState, Operation, OperationKind, UserId,
};
use ruzhi_plan::{Directory, whole_body};
use ruzhi_wecom::{CallAttempt, WecomError, WecomFailure, WriteAnswer, WriteVerdict};

/// The fault of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No fault.
    None,
    /// The request is lost on the way.
    LostBefore,
    /// The request is carried out and its answer lost.
    LostAfter,
    /// The request of a create is under way for this many more calls, and its answer is lost.
    Late(u8),
    /// Its answer is lost, and the client's own second attempt is answered.
    Retried,
    /// WeCom is too busy to the end.
    Busy,
    /// WeCom rejects the member as it is.
    Rejected,
    /// WeCom takes the request without one of its fields, and says so.
    Warned,
    /// The rate limit does not lift.
    Parked,
    /// The rate limit does not lift after an attempt whose answer was lost.
    ParkedAfter,
    /// The credential is no longer valid.
    Stopped,
    /// The credential is no longer valid after an attempt whose answer was lost.
    StoppedAfter,
    /// A late replica does not find the member.
    NotFound,
}

/// A member.
#[derive(Debug, Clone)]
pub(super) struct ModelMember {
    pub(super) userid: UserId,
    /// By WeCom's names; empty fields are left out.
    pub(super) fields: Map<String, Value>,
    /// Has logged in: a new mobile number is silently ignored.
    pub(super) activated: bool,
    /// Created by a call of ruzhi's.
    pub(super) ours: bool,
    /// The number of invitations sent to this member.
    pub(super) invited: u32,
}

/// The directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) members: BTreeMap<MemberKey, ModelMember>,
    /// Creates that are under way: the number of further calls, and the request.
    late: Vec<(u8, UserId, Map<String, Value>)>,
    /// A create of someone who is there meets their mobile number or e-mail address before their userid.
    pub(super) mobile_first: bool,
    /// Members that this many more listings leave out, because a replica is late.
    pub(super) unlisted: BTreeMap<MemberKey, u8>,
    /// Members who were removed by hand, and whom only a person may have invited again.
    pub(super) removed_by_hand: BTreeSet<MemberKey>,
    /// The number of places; none for no limit.
    pub(super) places: Option<usize>,
    /// Members whom the secret may not write.
    pub(super) out_of_reach: BTreeSet<MemberKey>,
    /// Violations of the invariants.
    pub(super) wrongs: Vec<String>,
}

/// The errcode and the userid it names.
type Code = (i64, Option<UserId>);

const DONE: Code = (0, None);

/// Members' fields as the directory holds them once `body` is written over them.
fn write_over(fields: &mut Map<String, Value>, body: &Map<String, Value>) {
    if let Some(department) = body.get("department").and_then(Value::as_array) {
        let nobody_leads = vec![json!(0); department.len()];
        fields.insert("is_leader_in_dept".to_owned(), json!(nobody_leads));
    }
    for (field, value) in body {
        match field.as_str() {
            "userid" | "to_invite" => {}
            _ if *value == json!("") => drop(fields.remove(field)),
            _ => drop(fields.insert(field.clone(), value.clone())),
        }
    }
}

/// The directory's expected values for a member, by the ledger's line.
pub(super) fn expected(line: &LedgerEntry) -> Map<String, Value> {
    let mut fields = expected_of(&line.written);
    let enabled = line.state != MemberState::Left && line.written.enable != Some(false);
    fields.insert("enable".to_owned(), json!(u8::from(enabled)));
    fields
}

/// The directory's expected values for such a member, field by field; none where the field was cleared.
pub(super) fn expected_of(member: &Member) -> Map<String, Value> {
    let mut fields = Map::from_iter([("enable".to_owned(), json!(1))]);
    write_over(&mut fields, &whole_body(member));
    let texts = [("position", &member.position), ("email", &member.email), ("alias", &member.alias)];
    for (field, _) in texts.into_iter().filter(|(_, text)| text.as_deref() == Some("")) {
        fields.insert(field.to_owned(), Value::Null);
    }
    fields
}

impl Model {
    /// The ids as the sync secret may list them.
    pub(super) fn directory(&mut self) -> Directory {
        self.tick();
        Directory { departments: departments(), members: self.ids() }
    }

    /// A listing, which may leave members out that a late replica does not have.
    pub(super) fn ids(&mut self) -> BTreeMap<MemberKey, UserId> {
        let unlisted = std::mem::take(&mut self.unlisted);
        let ids = self.members.iter().filter(|(key, _)| !unlisted.contains_key(key));
        let ids = ids.map(|(key, held)| (key.clone(), held.userid.clone())).collect();
        let left = unlisted.into_iter().map(|(key, listings)| (key, listings.saturating_sub(1)));
        self.unlisted = left.filter(|(_, listings)| *listings > 0).collect();
        ids
    }

    /// The member with this value of a unique field.
    pub(super) fn holder(&self, field: &str, value: &Value) -> Option<&ModelMember> {
        self.members.values().find(|held| held.fields.get(field) == Some(value))
    }

    /// Someone enters a member by hand.
    pub(super) fn enter_by_hand(&mut self, userid: UserId, mobile: &str, ours: bool) {
        let fields = json!({ "name": "someone", "mobile": mobile, "department": [1], "enable": 1 });
        let fields = fields.as_object().cloned().unwrap_or_default();
        self.members.insert(userid.key(), ModelMember { userid, fields, activated: true, ours, invited: 0 });
    }

    /// True if a create of this member is under way.
    pub(super) fn is_coming(&self, key: &MemberKey) -> bool {
        self.late.iter().any(|(_, userid, _)| userid.key() == *key)
    }

    /// Time passes: requests under way arrive.
    pub(super) fn settle_late(&mut self) {
        for (_, userid, body) in std::mem::take(&mut self.late) {
            self.create(&userid, &body);
        }
    }

    fn tick(&mut self) {
        for (calls, ..) in &mut self.late {
            *calls = calls.saturating_sub(1);
        }
        let (arrived, late) = std::mem::take(&mut self.late).into_iter().partition(|(calls, ..)| *calls == 0);
        self.late = late;
        for (_, userid, body) in arrived {
            self.create(&userid, &body);
        }
    }

    /// Another member that has a unique field of `body`.
    fn clash(&self, userid: &UserId, body: &Map<String, Value>) -> Option<Code> {
        for (field, code) in [("mobile", 60104), ("email", 60106)] {
            let taken = body.get(field).filter(|value| **value != json!(""));
            let holder = taken.and_then(|value| self.holder(field, value));
            if let Some(holder) = holder.filter(|holder| holder.userid.key() != userid.key()) {
                return Some((code, Some(holder.userid.clone())));
            }
        }
        None
    }

    fn create(&mut self, userid: &UserId, body: &Map<String, Value>) -> Code {
        if let Some(held) = self.members.get(&userid.key()) {
            let same_mobile =
                body.get("mobile").is_some_and(|mobile| held.fields.get("mobile") == Some(mobile));
            let same_email = body
                .get("email")
                .is_some_and(|email| *email != json!("") && held.fields.get("email") == Some(email));
            let first = if self.mobile_first { self.clash(userid, body) } else { None };
            return match first {
                Some(code) => code,
                None if self.mobile_first && same_email && !same_mobile => (60106, None),
                None if self.mobile_first && same_mobile => (60104, Some(held.userid.clone())),
                None => (60102, None),
            };
        }
        if let Some(code) = self.clash(userid, body) {
            return code;
        }
        if self.places.is_some_and(|places| self.members.len() >= places) {
            return (45024, None);
        }
        if body.contains_key("direct_leader") {
            self.wrongs.push(format!("{userid} is created with a direct leader: {body:?}"));
        }
        let mut fields = Map::from_iter([("enable".to_owned(), json!(1))]);
        write_over(&mut fields, body);
        let invited = u32::from(body.get("to_invite") != Some(&json!(false)));
        let held = ModelMember { userid: userid.clone(), fields, activated: false, ours: true, invited };
        self.members.insert(userid.key(), held);
        DONE
    }

    fn update(&mut self, userid: &UserId, body: &Map<String, Value>) -> Code {
        let Some(held) = self.members.get(&userid.key()) else { return (60111, None) };
        if !held.ours {
            self.wrongs.push(format!("{userid} was not made by ruzhi and is written: {body:?}"));
        }
        let mut body = body.clone();
        if let Some(leaders) = body.get("direct_leader").and_then(Value::as_array).filter(|l| !l.is_empty()) {
            if body.keys().any(|field| !matches!(field.as_str(), "userid" | "direct_leader")) {
                self.wrongs.push(format!("{userid} gets a leader together with other fields: {body:?}"));
            }
            let there = |leader: &Value| {
                leader.as_str().is_some_and(|leader| self.members.contains_key(&MemberKey::of(leader)))
            };
            if !leaders.iter().all(there) {
                return (60111, None);
            }
        }
        if held.activated {
            body.remove("mobile");
        }
        if let Some(code) = self.clash(userid, &body) {
            return code;
        }
        if let Some(held) = self.members.get_mut(&userid.key()) {
            write_over(&mut held.fields, &body);
        }
        DONE
    }

    fn delete(&mut self, userid: &UserId) -> Code {
        match self.members.remove(&userid.key()) {
            Some(held) if !held.ours => {
                self.wrongs.push(format!("{userid} was not made by ruzhi and is deleted"));
                DONE
            }
            Some(_) => DONE,
            None => (60111, None),
        }
    }

    fn carry_out(&mut self, operation: &Operation, body: &Map<String, Value>) -> Code {
        let key = operation.userid.key();
        if self.out_of_reach.contains(&key) && self.members.contains_key(&key) {
            return (60011, None);
        }
        match operation.kind {
            OperationKind::Create => self.create(&operation.userid, body),
            OperationKind::Delete => self.delete(&operation.userid),
            _ => self.update(&operation.userid, body),
        }
    }

    /// One write, as the client returns its answer. `in_doubt`: an earlier call of this operation, or one noted in the
    /// ledger, may have created the member.
    pub(super) fn write(
        &mut self,
        operation: &Operation,
        fault: Fault,
        in_doubt: bool,
        now: DateTime<Utc>,
    ) -> WriteAnswer {
        self.tick();
        let creates = operation.kind == OperationKind::Create;
        if creates && !in_doubt && self.members.contains_key(&operation.userid.key()) {
            self.wrongs.push(format!("{} is there, without any doubt, and is created", operation.userid));
        }
        let body = &operation.body;
        let invites = creates && body.get("to_invite") != Some(&json!(false));
        if invites && self.removed_by_hand.contains(&operation.userid.key()) {
            self.wrongs.push(format!("{} was removed by hand and is invited again", operation.userid));
        }
        let attempt = |errcode: Option<i64>| CallAttempt {
            api: "user/…",
            at: now,
            took: Duration::ZERO,
            errcode,
            errmsg: String::new(),
        };
        let answer = |verdict, attempts, in_doubt| WriteAnswer { verdict, attempts, in_doubt };
        let lost = || answer(WriteVerdict::Lost, vec![attempt(None)], true);
        if fault == Fault::Rejected || self.clash(&operation.userid, body).is_some() {
            // The same request, still under way, is rejected alike.
            self.late.retain(|(_, userid, _)| *userid != operation.userid);
        }

        let answered = |code: Code, doubt: bool| {
            let mut attempts = if doubt { vec![attempt(None)] } else { vec![] };
            attempts.push(attempt(Some(code.0)));
            answer(verdict(operation, &code, doubt), attempts, doubt)
        };
        let parked = || WriteVerdict::Parked { until: now };
        let stopped = || {
            let failure = WecomFailure::Shape { what: "access_token" };
            WriteVerdict::Stopped(WecomError::Token { failure })
        };
        match fault {
            // A member accepted a moment ago is not rejected now.
            Fault::Rejected if creates && self.members.contains_key(&operation.userid.key()) => {
                answered(self.carry_out(operation, body), false)
            }
            Fault::None => answered(self.carry_out(operation, body), false),
            Fault::NotFound if creates => answered(self.carry_out(operation, body), false),
            Fault::NotFound => answered((60111, None), false),
            Fault::LostBefore => lost(),
            Fault::Late(calls) if creates => {
                self.late.push((calls, operation.userid.clone(), body.clone()));
                lost()
            }
            Fault::LostAfter | Fault::Late(_) => {
                self.carry_out(operation, body);
                lost()
            }
            Fault::Retried => {
                self.carry_out(operation, body);
                answered(self.carry_out(operation, body), true)
            }
            Fault::Busy => answer(WriteVerdict::Busy { errcode: Some(-1) }, vec![attempt(Some(-1))], false),
            Fault::Rejected => answered((301_012, None), false),
            Fault::Warned => {
                let mut less = body.clone();
                less.remove("position");
                match self.carry_out(operation, &less) {
                    (0, _) if operation.kind != OperationKind::Delete => {
                        let errmsg = "warning: wrong json format".to_owned();
                        answer(WriteVerdict::Warned { errmsg }, vec![attempt(Some(0))], false)
                    }
                    code => answered(code, false),
                }
            }
            Fault::Parked => answer(parked(), vec![attempt(Some(45009))], false),
            Fault::ParkedAfter => {
                self.carry_out(operation, body);
                let verdict = if creates { WriteVerdict::Lost } else { parked() };
                answer(verdict, vec![attempt(None), attempt(Some(45009))], true)
            }
            Fault::Stopped => answer(stopped(), vec![attempt(Some(60020))], false),
            Fault::StoppedAfter => {
                self.carry_out(operation, body);
                answer(stopped(), vec![attempt(None), attempt(Some(60020))], true)
            }
        }
    }
}

/// The client's interpretation of a code.
fn verdict(operation: &Operation, (errcode, holder): &Code, in_doubt: bool) -> WriteVerdict {
    match (*errcode, operation.kind) {
        (0, _) => WriteVerdict::Done { created_departments: Vec::new() },
        (60102, OperationKind::Create) => WriteVerdict::AlreadyExists { maybe_ours: in_doubt },
        (60111, _) => WriteVerdict::NotFound,
        (errcode @ 45024, _) => WriteVerdict::NoPlace { errcode, errmsg: String::new() },
        (errcode @ 60011, _) => WriteVerdict::Unsure {
            errcode,
            error: WecomError::Token { failure: WecomFailure::Shape { what: "…" } },
        },
        (60104, _) => WriteVerdict::MobileHeld {
            maybe_ours: holder.as_ref().is_some_and(|holder| holder.key() == operation.userid.key()),
            holder: holder.as_ref().map(UserId::to_string),
        },
        (errcode, _) => WriteVerdict::Rejected { errcode, errmsg: String::new() },
    }
}

/// The departments of the model.
pub(super) fn departments() -> BTreeSet<DepartmentId> {
    (1..=3).map(DepartmentId).collect()
}
