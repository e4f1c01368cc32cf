//! Planning a record that wants its person in the directory.
//!
//! A reference keeps no person out: a direct leader is never written together with anything else, so that a leader who
//! is missing, rejected or part of a ring costs the person only the leader. A plan of the same run sets it once both
//! are there; a leader who is not known to come is reported, and every run looks for them.

use serde_json::{Map, Value, json};

use super::body;
use super::change::{MemberChange, act};
use super::context::{PlanContext, RetryDecision};
use super::disposition::{Disposition, RecordPlan, UNCHANGED, plan_rejection, rejected};
use super::reasons::{against_directory, protected, removed_by_hand, renamed, unknown_leader, violation};
use super::world::{Candidate, ExistingPolicy, RecordState, RemovedPolicy};
use ruzhi_model::{
    LedgerEntry, Member, MemberKey, MemberState, OperationKind, RejectedBy, Rejection, RemovalAnswer, Text,
    UserId, WaitsFor,
};

impl<'a> PlanContext<'a> {
    /// The result for a record that wants its person in the directory, and whose claim nothing contests.
    pub(super) fn upsert(&mut self, candidate: &Candidate, wanted: &Member) -> RecordPlan {
        if let Some(owned) = candidate.also_owns.first() {
            return rejected(vec![renamed(owned, &wanted.userid)]).into();
        }
        let line = match self.line(candidate, wanted) {
            Ok(line) => line,
            Err(disposition) => return disposition.into(),
        };
        // Leaders are written by themselves, and only where nothing else is to be written.
        let member = Member { direct_leader: cleared(wanted), ..wanted.clone() };
        let mut change = self.change(&member, &line);
        let leader = self.leader(candidate, wanted, &line);
        let pending = match &leader {
            LeaderState::Missing(rejection) => Some(rejection.clone()),
            _ => None,
        };
        if let Some(change) = &mut change
            && leader != LeaderState::Settled
        {
            // The leader in the directory is known only as far as the ledger is certain.
            let written = line.entry.filter(|entry| !entry.doubtful);
            change.member.direct_leader = written.and_then(|entry| entry.written.direct_leader.clone());
            change.partial = true;
            change.notes.extend(leader_follows(wanted));
        }
        let change = match (change, &leader, line.entry) {
            (None, LeaderState::There, Some(entry)) => Some(leader_alone(entry, wanted)),
            (change, ..) => change,
        };
        let Some(change) = change else {
            let carried_out = leader == LeaderState::Settled;
            let disposition = match line.entry {
                Some(entry) => self.unchanged(&candidate.record, entry, &member, carried_out),
                None => UNCHANGED,
            };
            return RecordPlan { disposition, pending };
        };
        let disposition = self.checked(candidate, change);
        // The rejection of the whole record is enough.
        let pending = pending.filter(|_| !matches!(disposition, Disposition::Rejected { .. }));
        RecordPlan { disposition, pending }
    }

    /// The member's line as this plan takes it, and the directory's view of the account.
    fn line<'c>(&mut self, candidate: &'c Candidate, wanted: &Member) -> Result<LedgerView<'c>, Disposition>
    where
        'a: 'c,
    {
        let Ok(userid) = wanted.userid.parse::<UserId>() else {
            return Err(rejected(vec![violation(
                "userid",
                "userid.charset",
                "not a valid userid",
                "账号不合规",
            )]));
        };
        let stored = candidate.entry.as_ref();
        // Someone who was adopted under another account and is gone says nothing of the account that is to be created.
        let known = stored
            .filter(|entry| entry.exists() || entry.may_appear() || entry.state == MemberState::Removed);
        let key = known.map_or_else(|| userid.key(), |entry| entry.userid.key());
        let there = self.directory.and_then(|directory| directory.members.get(&key));
        if let Some(entry) = stored.filter(|entry| entry.state == MemberState::Removed) {
            return self.removed(candidate, entry, there);
        }
        let entry = stored.filter(|entry| entry.exists() || (there.is_some() && entry.may_appear()));
        Ok(LedgerView { userid, entry, there, invites: true })
    }

    /// A member whom someone removed by hand is created again only if the tenant or a person says so.
    fn removed<'c>(
        &mut self,
        candidate: &'c Candidate,
        entry: &'c LedgerEntry,
        there: Option<&'a UserId>,
    ) -> Result<LedgerView<'c>, Disposition>
    where
        'a: 'c,
    {
        let unsure = entry.removal_is_unsure();
        let answer = entry.removal_answer.or(match self.policy.removed {
            RemovedPolicy::Ask => None,
            RemovedPolicy::Recreate => Some(RemovalAnswer::Recreate),
            RemovedPolicy::Release => Some(RemovalAnswer::Release),
        });
        // A late replica may have listed too few, and while a person is asked someone may enter the account anew: the
        // listing is asked once more.
        self.needs_directory |= (unsure || answer.is_none()) && self.directory.is_none();
        let userid = entry.userid.clone();
        if there.is_some() && unsure {
            return Ok(LedgerView { userid, entry: Some(entry), there, invites: false });
        }
        if self.directory.is_some() && entry.removal_can_be_settled(self.now) {
            let change = MemberChange {
                kind: OperationKind::Keep,
                userid,
                body: Map::new(),
                member: entry.written.clone(),
                partial: true,
                notes: Vec::new(),
            };
            return Err(act(candidate, change, 0, false));
        }
        match answer {
            Some(RemovalAnswer::Release) => Err(Disposition::Ignored {
                reason: Text::new(
                    "removed by hand in WeCom, and let go",
                    "已在企业微信中被手工删除，不再管理",
                ),
            }),
            // Someone entered the account anew: whether it is the same person, ruzhi cannot know.
            _ if there.is_some() => Ok(LedgerView { userid, entry: None, there, invites: false }),
            Some(answer) => Ok(LedgerView {
                userid,
                entry: None,
                there,
                invites: answer == RemovalAnswer::RecreateInvited,
            }),
            None if self.is_protected(candidate) => Err(rejected(vec![protected()])),
            None => Err(Disposition::Rejected {
                rejection: Rejection {
                    waits_for: WaitsFor::Person,
                    ..plan_rejection(vec![removed_by_hand(&userid)])
                },
            }),
        }
    }

    /// The values to write for a member, without the direct leader; none if there are none.
    fn change(&self, member: &Member, line: &LedgerView<'_>) -> Option<MemberChange> {
        let adopted =
            line.there.filter(|_| line.entry.is_none() && self.policy.existing == ExistingPolicy::Adopt);
        let (kind, mut body, after) = match (line.entry, adopted) {
            (None, None) => {
                let to_invite = member.to_invite.filter(|_| line.invites);
                let member = Member { to_invite, ..member.clone() };
                (OperationKind::Create, body::create(&member), member)
            }
            (None, Some(_)) => (OperationKind::Update, body::whole(member), member.clone()),
            (Some(entry), _) => {
                let mut after = body::merged(&entry.written, member);
                let unsure = entry.doubtful || entry.state == MemberState::Removed;
                // In doubt, fields the rules no longer set are sent too, as the ledger has them, except the leader.
                if unsure {
                    after.direct_leader = cleared(member);
                }
                let mut change =
                    if unsure { body::whole(&after) } else { body::changes(&entry.written, member) };
                // A member who turned up after a late listing may have been disabled before it.
                let may_be_out = matches!(entry.state, MemberState::Left | MemberState::Removed);
                if may_be_out && member.enable != Some(false) {
                    change.insert("enable".to_owned(), json!(1));
                    after.enable = member.enable;
                }
                if change.is_empty() {
                    return None;
                }
                let kind = match change.get("enable").and_then(Value::as_u64) {
                    Some(0) => OperationKind::Disable,
                    Some(_) if entry.state == MemberState::Left => OperationKind::Enable,
                    Some(_) if entry.written.enable == Some(false) => OperationKind::Enable,
                    _ => OperationKind::Update,
                };
                (kind, change, after)
            }
        };
        let userid = line.entry.map(|entry| &entry.userid).or(adopted).unwrap_or(&line.userid).clone();
        if kind != OperationKind::Create {
            body.insert("userid".to_owned(), json!(userid));
        }
        Some(MemberChange { kind, userid, body, member: after, partial: false, notes: Vec::new() })
    }

    /// The obstacle to a change, or the operation if there is none.
    fn checked(&mut self, candidate: &Candidate, change: MemberChange) -> Disposition {
        let record = &candidate.record;
        if self.is_protected(candidate) {
            return rejected(vec![protected()]);
        }
        let leader_alone = change.is_leader_alone();
        let stored = record.rejection.as_ref().filter(|stored| stored.rejection.blocks() != leader_alone);
        let tries = match self.again(stored, (&record.decision, &record.rules), Some(&change.member)) {
            RetryDecision::Stands(rejection) => return Disposition::Rejected { rejection },
            RetryDecision::Tries(tries) => tries,
        };
        if change.kind == OperationKind::Create || change.body.contains_key("department") {
            match self.directory {
                None => self.needs_directory = true,
                Some(directory) => {
                    if let Some(rejection) = against_directory(directory, &change) {
                        return Disposition::Rejected { rejection };
                    }
                }
            }
        }
        act(candidate, change, tries, false)
    }

    /// The state of the direct leader that the record names.
    fn leader(&mut self, candidate: &Candidate, wanted: &Member, line: &LedgerView<'_>) -> LeaderState {
        let leaders = wanted.direct_leader.as_deref().unwrap_or_default();
        let written = line.entry.filter(|entry| {
            !entry.doubtful && matches!(entry.state, MemberState::Active | MemberState::Left)
        });
        if leaders.is_empty()
            || written.is_some_and(|entry| entry.written.direct_leader.as_deref() == Some(leaders))
        {
            return LeaderState::Settled;
        }
        let record = &candidate.record;
        let stored = record.rejection.as_ref().filter(|stored| !stored.rejection.blocks());
        let rejected = stored.filter(|stored| stored.rejection.by == RejectedBy::Wecom);
        let own = MemberKey::of(&wanted.userid);
        let (mut missing, mut coming) = (None, false);
        for leader in leaders {
            let key = MemberKey::of(leader);
            let known = candidate.leaders.iter().find(|known| known.key == key);
            // The ledger is enough until WeCom has said otherwise.
            let in_ledger = known.is_some_and(|known| known.there) && rejected.is_none();
            if in_ledger || (key == own && line.entry.is_some()) {
                continue;
            }
            self.needs_directory |= self.directory.is_none();
            if self.directory.is_some_and(|directory| directory.members.contains_key(&key)) {
                continue;
            }
            coming |= key == own || known.is_some_and(|known| known.asked_for);
            missing.get_or_insert(leader);
        }
        if let (Some(_), Some(stored), true) = (missing, rejected, self.directory.is_some()) {
            return LeaderState::Missing(stored.rejection.clone());
        }
        match missing {
            // Without the directory it is not yet known if the leader is missing.
            Some(_) if self.directory.is_none() => LeaderState::Coming,
            Some(_) if coming => LeaderState::Coming,
            Some(leader) => LeaderState::Missing(Rejection {
                waits_for: WaitsFor::Leader,
                ..plan_rejection(vec![unknown_leader(leader)])
            }),
            None if line.entry.is_none() => LeaderState::Coming,
            None => match rejected {
                // The leader has come since; any other rejection rests for its time.
                Some(stored) if !stored.rejection.names_a_missing_member() => {
                    match self.again(Some(stored), (&record.decision, &record.rules), None) {
                        RetryDecision::Stands(rejection) => LeaderState::Missing(rejection),
                        RetryDecision::Tries(_) => LeaderState::There,
                    }
                }
                _ => LeaderState::There,
            },
        }
    }

    /// There is nothing to write. If another tenant owned the member, the ledger still learns that they moved.
    fn unchanged(
        &self,
        record: &RecordState,
        entry: &LedgerEntry,
        wanted: &Member,
        carried_out: bool,
    ) -> Disposition {
        if entry.owner.tenant != record.origin.tenant {
            let candidate = Candidate {
                record: record.clone(),
                entry: Some(entry.clone()),
                also_owns: Vec::new(),
                leaders: Vec::new(),
            };
            if self.is_protected(&candidate) {
                return rejected(vec![protected()]);
            }
            let change = MemberChange {
                kind: OperationKind::Adopt,
                userid: entry.userid.clone(),
                body: Map::new(),
                member: body::merged(&entry.written, wanted),
                partial: !carried_out,
                notes: Vec::new(),
            };
            return act(&candidate, change, 0, false);
        }
        Disposition::Unchanged {
            confirmed: carried_out
                && entry.owner == record.origin
                && entry.state == MemberState::Active
                && entry.carried_out.as_ref() != Some(&record.decision),
        }
    }
}

/// A member's line as a plan takes it.
struct LedgerView<'c> {
    userid: UserId,
    entry: Option<&'c LedgerEntry>,
    there: Option<&'c UserId>,
    /// An invitation may be sent if the member is created.
    invites: bool,
}

/// The state of the direct leader of a record's person.
#[derive(PartialEq, Eq)]
enum LeaderState {
    /// None is named, or the directory has the named one.
    Settled,
    /// The directory has the leader, and the member does not name them yet.
    There,
    /// The leader, or the member, is not there yet; a later plan sets it.
    Coming,
    /// Nothing suggests that the leader will ever be there, or WeCom rejects them.
    Missing(Rejection),
}

/// The leader list of rules that ask for no leader at all, which can be written at any time.
fn cleared(member: &Member) -> Option<Vec<String>> {
    member.direct_leader.clone().filter(Vec::is_empty)
}

fn leader_alone(entry: &LedgerEntry, wanted: &Member) -> MemberChange {
    let leaders = wanted.direct_leader.clone().unwrap_or_default();
    let mut body = Map::from_iter([("userid".to_owned(), json!(entry.userid))]);
    body.insert("direct_leader".to_owned(), json!(leaders));
    let member = body::merged(&entry.written, wanted);
    MemberChange {
        kind: OperationKind::Update,
        userid: entry.userid.clone(),
        body,
        member,
        partial: false,
        notes: Vec::new(),
    }
}

fn leader_follows(wanted: &Member) -> Option<Text> {
    let leaders = wanted.direct_leader.as_ref().filter(|leaders| !leaders.is_empty())?.join(", ");
    Some(Text::new(
        format!("the direct leader {leaders} is set once that member is in WeCom"),
        format!("直属上级 {leaders} 加入企业微信后再设置"),
    ))
}
