//! From WeCom's verdict on a call to the operation's outcome: its state, the ledger's line, the quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Map;

use ruzhi_model::{
    LedgerEntry, Member, MemberKey, MemberState, Operation, OperationKind, OperationState, Origin,
    RejectedBy, Rejection, TenantId, Text, UniqueField, UserId, Violation, WaitsFor, rest_after,
};
use ruzhi_plan::unknown_leader;
use ruzhi_store::{AttemptRow, Settlement};
use ruzhi_wecom::{self as wecom, WriteAnswer, WriteVerdict};

/// The context of an operation beside the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutcomeContext<'a> {
    /// The tenant that writes.
    pub(super) tenant: &'a TenantId,
    /// It comes after others it depends on, which may have failed.
    pub(super) later: bool,
    /// Members that are there already are adopted.
    pub(super) adopts: bool,
    /// An earlier call of ruzhi for this same member was lost: a member found there now is ours.
    pub(super) maybe_ours: bool,
    /// The moment.
    pub(super) when: DateTime<Utc>,
}

/// The meaning of an answer for the run.
#[derive(Debug)]
pub(super) enum OperationOutcome {
    /// Settled, one way or the other.
    Settled(Box<Settlement>),
    /// Not settled: the same call is to be made again in this run.
    Again {
        /// It may have happened.
        doubt: bool,
        /// The calls so far.
        attempts: Vec<AttemptRow>,
    },
    /// Only the directory's own listing can tell: WeCom did not find a member, or rejected a create that may have been
    /// carried out before.
    NotFound {
        /// The calls so far.
        attempts: Vec<AttemptRow>,
        /// An earlier call may have been carried out.
        doubt: bool,
        /// Of a create: the reason it was rejected.
        rejection: Option<Rejection>,
    },
    /// The tenant's calls are over for this run.
    Stop {
        /// Settled as not done; none if it may have happened, so that it stays in doubt.
        settlement: Option<Box<Settlement>>,
        /// The cause.
        error: Option<wecom::WecomError>,
    },
}

/// Reads an answer.
pub(super) fn read(
    operation: &Arc<Operation>,
    place: usize,
    known: OutcomeContext<'_>,
    answer: WriteAnswer,
) -> OperationOutcome {
    let before = operation.before.as_ref();
    let after = || after(operation, known.tenant, known.when);
    let attempts: Vec<AttemptRow> = answer.attempts.iter().map(attempt_row).collect();
    let last = answer.attempts.last();
    let errcode = last.and_then(|attempt| attempt.errcode);
    let errmsg = last.map(|attempt| attempt.errmsg.clone());
    let settlement = |state, ledger, rejection| Settlement {
        place,
        operation: Arc::clone(operation),
        state,
        errcode,
        errmsg: errmsg.clone(),
        attempts: attempts.clone(),
        ledger,
        rejection,
    };
    let settled =
        |state, ledger, rejection| OperationOutcome::Settled(Box::new(settlement(state, ledger, rejection)));
    let done = || settled(OperationState::Done, Some(after()), undone(operation));
    let there = || settled(OperationState::Done, Some(found(operation, after())), undone(operation));
    let creating = operation.kind == OperationKind::Create;
    // An earlier call of a create, whose answer was lost, may have made the member.
    let may_be_there = creating && (answer.in_doubt || known.maybe_ours);
    // A change that is rejected now may have been carried out by an earlier call whose answer was lost.
    let called_before = before.filter(|_| !creating && (answer.in_doubt || known.maybe_ours));
    let doubtful = called_before.map(|before| before.in_doubt(operation));
    let rejected = |rejection| {
        settled(OperationState::Rejected, doubtful.clone(), Some(rested(operation, rejection, known.when)))
    };
    match answer.verdict {
        WriteVerdict::Done { created_departments } if created_departments.is_empty() => done(),
        WriteVerdict::Done { created_departments } => {
            // The plan knew every department, so one was deleted in between; the member is written all the same.
            let names: Vec<String> =
                created_departments.iter().map(|(id, name)| format!("{id} {name}")).collect();
            tracing::error!(
                member.userid = operation.userid.as_str(),
                record.id = operation.record.as_str(),
                "WeCom created departments that did not exist: {}",
                names.join(", ")
            );
            done()
        }
        WriteVerdict::Warned { errmsg } => {
            // Part of the body was dropped without an error: WeCom does not hold the intended values.
            tracing::error!(
                member.userid = operation.userid.as_str(),
                record.id = operation.record.as_str(),
                "WeCom took the request only in part, which is a fault of ruzhi: {errmsg}"
            );
            let mut entry = after();
            entry.doubtful = true;
            let rejection = rejection(
                Some(0),
                WaitsFor::Time,
                "",
                "wecom.warning",
                Text::new(
                    format!(
                        "WeCom took the request only in part: {errmsg}; this is a fault of ruzhi, report it"
                    ),
                    format!("企业微信只接受了请求的一部分：{errmsg}；这是 ruzhi 的问题，请反馈"),
                ),
            );
            settled(OperationState::Failed, Some(entry), Some(rested(operation, rejection, known.when)))
        }
        WriteVerdict::AlreadyExists { maybe_ours } if maybe_ours || known.maybe_ours => there(),
        // Created by someone else since the plan was made, and the tenant adopts existing members: with all fields,
        // next time.
        WriteVerdict::AlreadyExists { .. } if known.adopts => {
            settled(OperationState::Done, Some(LedgerEntry { doubtful: true, ..after() }), None)
        }
        WriteVerdict::AlreadyExists { .. } => rejected(rejection(
            errcode,
            WaitsFor::Userid,
            "userid",
            "member.foreign",
            Text::new(
                format!(
                    "{} is already in WeCom and was not created by ruzhi; give this person another userid",
                    operation.userid
                ),
                format!("企业微信中已有成员 {}，且不是 ruzhi 创建的；请更换账号", operation.userid),
            ),
        )),
        // The holder is this same userid, and an earlier call for it may have been carried out: it was.
        WriteVerdict::MobileHeld { maybe_ours: true, .. } if may_be_there => there(),
        // The plan had another member give the number up first; if that failed, both are tried again.
        WriteVerdict::MobileHeld { .. } if known.later => settled(OperationState::Failed, doubtful, None),
        WriteVerdict::MobileHeld { holder, .. } => rejected(mobile_held(errcode, holder.as_deref())),
        WriteVerdict::NotFound if creating => rejected(from_table(60111)),
        WriteVerdict::NotFound => {
            OperationOutcome::NotFound { doubt: doubtful.is_some(), attempts, rejection: None }
        }
        // As with a mobile number: the plan had another member give the value up first.
        WriteVerdict::Rejected { errcode, .. } if known.later && value_taken(errcode).is_some() => {
            settled(OperationState::Failed, doubtful, None)
        }
        WriteVerdict::Rejected { errcode, errmsg } => {
            let held_by: Option<UserId> =
                value_taken(errcode).and_then(|_| wecom::holder(&errmsg)?.parse().ok());
            match &held_by {
                Some(holder) if may_be_there && holder.key() == operation.userid.key() => there(),
                // The value may be taken by this same member.
                None if may_be_there && value_taken(errcode).is_some() => {
                    OperationOutcome::NotFound { doubt: true, attempts, rejection: Some(from_table(errcode)) }
                }
                _ => rejected(Rejection { held_by, ..from_table(errcode) }),
            }
        }
        // The member may be there by now, and be the one it has no right to.
        WriteVerdict::Unsure { errcode, .. } if may_be_there => {
            OperationOutcome::NotFound { doubt: true, attempts, rejection: Some(from_table(errcode)) }
        }
        // The blame has turned out to be this member's.
        WriteVerdict::Unsure { errcode, .. } => {
            if wecom::class(errcode) != wecom::ErrcodeClass::Configuration {
                tracing::error!(
                    wecom.errcode = errcode,
                    member.userid = operation.userid.as_str(),
                    record.id = operation.record.as_str(),
                    "WeCom answered with an unexpected code: {}",
                    errmsg.clone().unwrap_or_default()
                );
            }
            rejected(from_table(errcode))
        }
        // The last place may have gone to this very member.
        WriteVerdict::NoPlace { .. } if may_be_there => OperationOutcome::Again { doubt: true, attempts },
        // The record waits for a place, and is no worse for it.
        WriteVerdict::NoPlace { .. } => settled(OperationState::Failed, doubtful, None),
        WriteVerdict::Stopped(error) => OperationOutcome::Stop {
            settlement: (!answer.in_doubt && !known.maybe_ours)
                .then(|| Box::new(settlement(OperationState::Failed, None, None))),
            error: Some(error),
        },
        WriteVerdict::Parked { .. } | WriteVerdict::Quit => OperationOutcome::Stop {
            settlement: (!known.maybe_ours).then(|| {
                // A change that was called before the limit was reached, or before the process was to end, may have
                // happened.
                let called_before = before.filter(|_| !creating && (answer.in_doubt || attempts.len() > 1));
                let doubtful = called_before.map(|entry| entry.in_doubt(operation));
                Box::new(settlement(OperationState::Failed, doubtful, None))
            }),
            error: None,
        },
        WriteVerdict::Lost => OperationOutcome::Again { doubt: true, attempts },
        WriteVerdict::Busy { .. } => OperationOutcome::Again { doubt: false, attempts },
    }
}

/// The violation for a mobile number that is another member's.
fn mobile_held(errcode: Option<i64>, holder: Option<&str>) -> Rejection {
    let who = holder.unwrap_or_default();
    let text = Text::new(
        format!(
            "this mobile number belongs to the member {who} in WeCom; correct the number, or remove it there"
        ),
        format!("该手机号在企业微信中属于成员 {who}；请更正手机号，或先从该成员处移除"),
    );
    let held_by = holder.and_then(|who| who.parse().ok());
    Rejection { held_by, ..rejection(errcode, WaitsFor::Mobile, "mobile", "mobile.held", text) }
}

/// The ledger's line once an operation is done.
pub(super) fn after(operation: &Operation, tenant: &TenantId, when: DateTime<Utc>) -> LedgerEntry {
    let before = operation.before.as_ref();
    let kind = operation.kind;
    let stays = before.map_or(MemberState::Active, |before| before.state);
    let moves = before.is_some_and(LedgerEntry::exists);
    let state = match kind {
        OperationKind::Delete => MemberState::Deleted,
        OperationKind::Disable if operation.left => MemberState::Left,
        OperationKind::Update if operation.left => stays,
        OperationKind::Keep if settles_removal(operation) => MemberState::Removed,
        OperationKind::Keep if operation.body.is_empty() => MemberState::Deleted,
        OperationKind::Keep => stays,
        OperationKind::Adopt if moves => stays,
        _ => MemberState::Active,
    };
    // A leave may come from another form, and an undoing from a record that is not the owner; neither becomes it. Nor
    // does either send every field, so a doubt about them stays.
    let partial = operation.left || operation.undoes || kind == OperationKind::Keep;
    let kept_from = before.filter(|_| partial);
    let carried_out = match kind {
        OperationKind::Keep => before.and_then(|before| before.carried_out.clone()),
        OperationKind::Delete => None,
        OperationKind::Adopt if !moves => None,
        _ if operation.undoes || operation.partial => None,
        _ => Some(operation.decision.clone()),
    };
    let named = || operation.names.clone().unwrap_or_else(|| operation.userid.key());
    let own =
        || Origin { tenant: tenant.clone(), flow: operation.flow.clone(), record: operation.record.clone() };
    LedgerEntry {
        userid: operation.userid.clone(),
        owner: kept_from.map_or_else(own, |before| before.owner.clone()),
        decided_as: before
            .filter(|before| before.userid.key() == operation.userid.key())
            .map_or_else(named, |before| before.decided_as.clone()),
        written: Member { userid: operation.userid.to_string(), ..operation.member.clone() },
        state,
        left_at: match (kind, state) {
            (OperationKind::Disable, MemberState::Left) => Some(when),
            (_, MemberState::Left | MemberState::Removed) => before.and_then(|before| before.left_at),
            _ => None,
        },
        doubtful: match kind {
            OperationKind::Adopt => !moves || before.is_some_and(|before| before.doubtful),
            // Only one field was sent.
            _ if operation.parks.is_some() => before.is_some_and(|before| before.doubtful),
            OperationKind::Keep if settles_removal(operation) => false,
            _ => kept_from.is_some_and(|before| before.doubtful && state != MemberState::Deleted),
        },
        carried_out,
        rules: operation.rules.clone(),
        kept: kept(operation),
        removal_answer: before.filter(|_| state == MemberState::Removed).and_then(|line| line.removal_answer),
    }
}

/// True if a second listing without the member is all that the operation notes.
fn settles_removal(operation: &Operation) -> bool {
    let removed = operation.before.as_ref().is_some_and(|line| line.state == MemberState::Removed);
    removed && operation.kind == OperationKind::Keep && !operation.left && !operation.undoes
}

/// The ledger's line of a created member who was found there already. If an earlier plan's create was lost too, the
/// member may have that one's fields, so all are to be sent.
pub(super) fn found(operation: &Operation, line: LedgerEntry) -> LedgerEntry {
    let unsure = |before: &LedgerEntry| before.may_appear() || before.state == MemberState::Removed;
    let doubtful = operation.before.as_ref().is_some_and(unsure);
    LedgerEntry { doubtful, ..line }
}

/// The changes by hand that stand: no longer those in fields that ruzhi writes.
fn kept(operation: &Operation) -> Map<String, serde_json::Value> {
    let mut kept = match (&operation.before, operation.kind) {
        (_, OperationKind::Create | OperationKind::Delete) | (None, _) => Map::new(),
        (Some(before), _) => before.kept.clone(),
    };
    match operation.kind {
        OperationKind::Keep => kept.extend(operation.body.clone()),
        _ => kept.retain(|field, _| !operation.body.contains_key(field)),
    }
    kept
}

/// The reason the record of an operation that undoes another waits.
pub(super) fn undone(operation: &Operation) -> Option<Rejection> {
    if !operation.undoes {
        return None;
    }
    let (rule, text) = match operation.kind {
        OperationKind::Keep => (
            "drift.kept",
            Text::new(
                "this member was removed by hand in WeCom, and a person let that stand; change the row, or have the quarantine retried",
                "该成员在企业微信中被手工删除，并已确认不再创建；如需创建，请修改该行，或请操作员重试待修正的记录",
            ),
        ),
        _ => (
            "run.reverted",
            Text::new(
                "what this row asks for was undone by a person; correct the row or the rules; to do it again, have the quarantine retried",
                "该行的改动已被人工撤销；请更正该行或规则；如需重新执行，请操作员重试待修正的记录",
            ),
        ),
    };
    let violation = Violation { field: String::new(), rule: rule.to_owned(), message: text.into() };
    Some(Rejection::new(RejectedBy::Person, vec![violation]))
}

/// WeCom did not take a member's new mobile number: the ledger keeps the old one, if that is certain, and the record
/// waits.
pub(super) fn mobile_not_taken(settlement: &mut Settlement, when: DateTime<Utc>) {
    let before = settlement.operation.before.as_ref().filter(|before| !before.doubtful);
    let old = before.and_then(|before| before.written.mobile.clone());
    if let Some(line) = &mut settlement.ledger {
        line.written.mobile = old;
        line.carried_out = None;
    }
    settlement.rejection = Some(rested(&settlement.operation, mobile_ignored(), when));
}

/// The reason a record waits when the member does not take the new mobile number.
fn mobile_ignored() -> Rejection {
    rejection(
        Some(0),
        WaitsFor::Time,
        "mobile",
        "mobile.activated",
        Text::new(
            "WeCom did not take the new mobile number: a member who has logged in changes it themselves; every other field was written. Once they have, have the quarantine retried",
            "企业微信未更改手机号：成员激活后须由本人修改；其余字段均已写入。本人修改后，请操作员重试待修正的记录",
        ),
    )
}

/// A rejection by WeCom, as the table of codes explains it.
fn from_table(errcode: i64) -> Rejection {
    let meaning = wecom::meaning(errcode);
    let (means, advice) = (meaning.means(), meaning.advice_for_one());
    rejection(
        Some(errcode),
        value_taken(errcode).map_or(WaitsFor::Time, WaitsFor::from),
        meaning.field().unwrap_or_default(),
        &format!("wecom.{errcode}"),
        Text::new(format!("{}; {}", means.en, advice.en), format!("{}；{}", means.zh, advice.zh)),
    )
}

/// A rejection by WeCom for one reason.
fn rejection(errcode: Option<i64>, waits_for: WaitsFor, field: &str, rule: &str, text: Text) -> Rejection {
    let violation = Violation { field: field.to_owned(), rule: rule.to_owned(), message: text.into() };
    Rejection { errcode, waits_for, ..Rejection::new(RejectedBy::Wecom, vec![violation]) }
}

/// The field with a value that another member has, if a code says so.
fn value_taken(errcode: i64) -> Option<UniqueField> {
    wecom::meaning(errcode).taken()
}

/// A rejection with the time of the next attempt. One of a direct leader keeps nothing else back.
fn rested(operation: &Operation, rejection: Rejection, when: DateTime<Utc>) -> Rejection {
    let tries = operation.tries.saturating_add(1);
    let waits_for = if operation.sets_leader_only() { WaitsFor::Leader } else { rejection.waits_for };
    Rejection { tries, retry_at: Some(when + rest_after(tries)), waits_for, ..rejection }
}

/// Settles an operation whose member WeCom did not find, once the directory has been listed.
pub(super) fn not_found(
    members: &BTreeMap<MemberKey, UserId>,
    tenant: &TenantId,
    due: ListingCheck,
    when: DateTime<Utc>,
) -> Settlement {
    let ListingCheck { place, operation, attempts, doubt, rejection } = due;
    let there = |key: &MemberKey| members.contains_key(key);
    let before = operation.before.as_ref();
    let last = attempts.last();
    let (errcode, errmsg) = (last.and_then(|a| a.errcode), last.map(|a| a.errmsg.clone()));
    let missing =
        operation.member.direct_leader.iter().flatten().find(|leader| !there(&MemberKey::of(leader)));
    let (state, ledger, rejection) = if let Some(rejection) = rejection {
        let line = after(&operation, tenant, when);
        if there(&operation.userid.key()) {
            (OperationState::Done, Some(found(&operation, line)), undone(&operation))
        } else {
            // The listing may be late. If the ledger already has the member as possibly appearing, that stays.
            let says_so = before.is_some_and(|before| before.may_appear() || before.removal_is_unsure());
            let line = (!says_so).then(|| line.may_yet_appear());
            (OperationState::Rejected, line, Some(rested(&operation, rejection, when)))
        }
    } else if there(&operation.userid.key()) {
        let doubtful = before.filter(|_| doubt).map(|before| before.in_doubt(&operation));
        match missing.filter(|_| operation.sets_leader_only()) {
            // The leader is gone, not the member. It is set when the listing has the leader.
            Some(leader) => {
                let rejection = Rejection {
                    errcode,
                    waits_for: WaitsFor::Leader,
                    ..Rejection::new(RejectedBy::Wecom, vec![unknown_leader(leader)])
                };
                (OperationState::Rejected, doubtful, Some(rejection))
            }
            // Everyone is there: it is WeCom's word on the leader. A late replica's is taken back by the next run.
            None if operation.sets_leader_only() => {
                let errcode = errcode.unwrap_or(60111);
                let mut rejection = rested(&operation, from_table(errcode), when);
                for violation in &mut rejection.violations {
                    violation.field = "direct_leader".to_owned();
                }
                if operation.tries == 0 {
                    rejection.retry_at = Some(when);
                }
                (OperationState::Rejected, doubtful, Some(rejection))
            }
            // A late replica, or a member that the operation only refers to.
            None => (OperationState::Failed, doubtful, None),
        }
    } else {
        match operation.kind {
            OperationKind::Delete => {
                (OperationState::Done, Some(after(&operation, tenant, when)), undone(&operation))
            }
            OperationKind::Disable if operation.left => {
                (OperationState::Done, before.map(|before| before.removed(when)), undone(&operation))
            }
            _ => (OperationState::Failed, before.map(|before| before.removed(when)), None),
        }
    };
    if ledger.as_ref().is_some_and(|line| line.state == MemberState::Removed) {
        tracing::warn!(
            member.userid = operation.userid.as_str(),
            record.id = operation.record.as_str(),
            "the member was removed from WeCom by hand"
        );
    }
    Settlement { place, operation, state, errcode, errmsg, attempts, ledger, rejection }
}

/// An operation with an answer that only the listing explains: WeCom did not find its member, or rejected a create that
/// may have been carried out before.
#[derive(Debug)]
pub(super) struct ListingCheck {
    pub(super) place: usize,
    pub(super) operation: Arc<Operation>,
    pub(super) attempts: Vec<AttemptRow>,
    /// An earlier call may have been carried out.
    pub(super) doubt: bool,
    /// It is a create that was rejected after a call with a lost answer: this is the reason, if the member is not
    /// there.
    pub(super) rejection: Option<Rejection>,
}

pub(super) fn attempt_row(attempt: &wecom::CallAttempt) -> AttemptRow {
    AttemptRow {
        api: attempt.api.to_owned(),
        at: attempt.at,
        took_ms: i64::try_from(attempt.took.as_millis()).unwrap_or(i64::MAX),
        errcode: attempt.errcode,
        errmsg: attempt.errmsg.clone(),
    }
}
