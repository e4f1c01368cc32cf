//! The contract as wasmtime sees it, and its translation to the plain types the rest of the program uses.

wasmtime::component::bindgen!({ path: "../wit/v0.1", world: "mapping-guest" });

use ruzhi_guest::contract as plain;

use self::exports::ruzhi::mapping::mapper::Outcome;
use self::ruzhi::mapping::types;

impl From<&plain::SourceRecord> for types::SourceRecord {
    fn from(record: &plain::SourceRecord) -> Self {
        Self { id: record.id.clone(), json: record.json.clone() }
    }
}

impl From<&plain::Context> for types::Context {
    fn from(context: &plain::Context) -> Self {
        Self { now: context.now.clone(), timezone: context.timezone.clone() }
    }
}

impl From<types::Member> for plain::Member {
    fn from(member: types::Member) -> Self {
        Self {
            userid: member.userid,
            name: member.name,
            mobile: member.mobile,
            email: member.email,
            memberships: member
                .memberships
                .into_iter()
                .map(|m| plain::Membership { department: m.department, leader: m.leader, order: m.order })
                .collect(),
            main_department: member.main_department,
            position: member.position,
            alias: member.alias,
            gender: member.gender,
            telephone: member.telephone,
            address: member.address,
            direct_leader: member.direct_leader,
            biz_mail: member.biz_mail,
            external_position: member.external_position,
            enable: member.enable,
            to_invite: member.to_invite,
            extra: member.extra,
        }
    }
}

impl From<types::Violation> for plain::Violation {
    fn from(violation: types::Violation) -> Self {
        Self { field: violation.field, rule: violation.rule, message: violation.message }
    }
}

impl From<Outcome> for plain::Outcome {
    fn from(outcome: Outcome) -> Self {
        let decision = match outcome.decision {
            types::Decision::Upsert(member) => plain::Decision::Upsert(Box::new(member.into())),
            types::Decision::Leave(userid) => plain::Decision::Leave(userid),
            types::Decision::Ignore(reason) => plain::Decision::Ignore(reason),
            types::Decision::Reject(violations) => {
                plain::Decision::Reject(violations.into_iter().map(Into::into).collect())
            }
        };
        Self { decision, notes: outcome.notes }
    }
}

impl From<types::Description> for plain::Description {
    fn from(description: types::Description) -> Self {
        Self {
            name: description.name,
            version: description.version,
            source_fields: description.source_fields,
            labels: description.labels,
        }
    }
}

impl From<types::GuestError> for plain::GuestError {
    fn from(error: types::GuestError) -> Self {
        Self { code: error.code, message: error.message }
    }
}
