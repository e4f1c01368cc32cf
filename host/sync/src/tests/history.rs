//! Random histories.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::company::{Company, Row, State, mobile, userid};
use super::directory::{Fault, departments, expected_of};
use super::run::{Crash, Weather};
use ruzhi_model::{Decision, LedgerEntry, MemberKey, MemberState, OperationKind, RejectedBy, RemovalAnswer};
use ruzhi_plan::{Disposition, RecordState, RemovedPolicy, Resolution};

/// One event.
#[derive(Debug, Clone)]
enum Step {
    Hire {
        tenant: usize,
        row: Row,
    },
    Transfer {
        row: prop::sample::Index,
        department: u32,
        leads: bool,
        position: u8,
    },
    NewMobile {
        row: prop::sample::Index,
        mobile: u8,
    },
    NewEmail {
        row: prop::sample::Index,
        email: u8,
    },
    SwapMobiles {
        one: prop::sample::Index,
        other: prop::sample::Index,
    },
    /// Two people pass their e-mail addresses on.
    SwapEmails {
        one: prop::sample::Index,
        other: prop::sample::Index,
    },
    /// Another direct leader, the person itself among them.
    Lead {
        row: prop::sample::Index,
        leader: Option<u8>,
    },
    /// The row leaves the form, or its filter.
    Archive {
        row: prop::sample::Index,
    },
    Rename {
        row: prop::sample::Index,
        userid: u8,
    },
    Turn {
        row: prop::sample::Index,
        state: State,
    },
    /// A form of its own says that someone left.
    LeaveForm {
        tenant: usize,
        userid: u8,
    },
    Rules {
        version: u8,
    },
    Days(i64),
    DeleteByHand {
        userid: u8,
    },
    /// The tenant configures the treatment of members who are removed by hand.
    Removed(RemovedPolicy),
    /// A person decides on a member who was removed by hand.
    Answer {
        userid: u8,
        answer: RemovalAnswer,
    },
    /// A late replica leaves a member out of this many listings.
    Unlisted {
        userid: u8,
        listings: u8,
    },
    EnterByHand {
        userid: u8,
        mobile: u8,
    },
    LogsIn {
        userid: u8,
    },
    MobileFirst(bool),
    /// The corp has this many places.
    Places(Option<usize>),
    /// The secret loses its right to write a member, or regains it.
    Reach {
        userid: u8,
        out: bool,
    },
    Run {
        tenant: usize,
        weather: Weather,
    },
}

const USERIDS: u8 = 6;
const MOBILES: u8 = 8;

fn any_row() -> impl Strategy<Value = Row> {
    (0..USERIDS, 0..MOBILES, 0..4_u8, any_department(), any::<bool>(), any_leader(), 0..4_u8).prop_map(
        |(userid, mobile, email, department, leads, leader, position)| Row {
            userid,
            mobile,
            email,
            department,
            leads,
            leader,
            position,
            state: State::On,
        },
    )
}

fn any_leader() -> impl Strategy<Value = Option<u8>> {
    prop::option::of(0..USERIDS + 1)
}

fn any_department() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 1..4_u32, 1 => Just(99)]
}

fn any_state() -> impl Strategy<Value = State> {
    prop_oneof![3 => Just(State::Left), 2 => Just(State::On), 1 => Just(State::Wrong), 1 => Just(State::Silent)]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        10 => Just(Fault::None),
        2 => Just(Fault::LostBefore),
        2 => Just(Fault::LostAfter),
        2 => (1..8_u8).prop_map(Fault::Late),
        1 => Just(Fault::Retried),
        1 => Just(Fault::Busy),
        1 => Just(Fault::Rejected),
        1 => Just(Fault::Warned),
        1 => Just(Fault::Parked),
        1 => Just(Fault::ParkedAfter),
        1 => Just(Fault::Stopped),
        1 => Just(Fault::StoppedAfter),
        2 => Just(Fault::NotFound),
    ]
}

fn any_weather() -> impl Strategy<Value = Weather> {
    let faults = prop_oneof![1 => Just(vec![]), 2 => prop::collection::vec(any_fault(), 1..6)];
    let crash = prop::option::weighted(0.4, (0..8_usize).prop_map(|calls| Crash { calls }));
    (faults, crash, 1..4_usize, prop::bool::weighted(0.2))
        .prop_map(|(faults, crash, stored_together, full)| Weather { faults, crash, stored_together, full })
}

fn any_answer() -> impl Strategy<Value = RemovalAnswer> {
    prop::sample::select(vec![
        RemovalAnswer::Recreate,
        RemovalAnswer::RecreateInvited,
        RemovalAnswer::Release,
    ])
}

fn any_step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => (0..2_usize, any_row()).prop_map(|(tenant, row)| Step::Hire { tenant, row }),
        2 => (index(), any_department(), any::<bool>(), 0..4_u8)
            .prop_map(|(row, department, leads, position)| Step::Transfer { row, department, leads, position }),
        2 => (index(), 0..MOBILES).prop_map(|(row, mobile)| Step::NewMobile { row, mobile }),
        1 => (index(), 0..4_u8).prop_map(|(row, email)| Step::NewEmail { row, email }),
        1 => (index(), index()).prop_map(|(one, other)| Step::SwapMobiles { one, other }),
        1 => (index(), index()).prop_map(|(one, other)| Step::SwapEmails { one, other }),
        2 => (index(), any_leader()).prop_map(|(row, leader)| Step::Lead { row, leader }),
        1 => index().prop_map(|row| Step::Archive { row }),
        1 => (index(), 0..USERIDS).prop_map(|(row, userid)| Step::Rename { row, userid }),
        4 => (index(), any_state()).prop_map(|(row, state)| Step::Turn { row, state }),
        1 => (0..2_usize, 0..USERIDS).prop_map(|(tenant, userid)| Step::LeaveForm { tenant, userid }),
        1 => (0..4_u8).prop_map(|version| Step::Rules { version }),
        2 => prop_oneof![1..20_i64, Just(31)].prop_map(Step::Days),
        2 => (0..USERIDS).prop_map(|userid| Step::DeleteByHand { userid }),
        1 => prop::sample::select(vec![RemovedPolicy::Ask, RemovedPolicy::Recreate, RemovedPolicy::Release]).prop_map(Step::Removed),
        1 => (0..USERIDS, any_answer()).prop_map(|(userid, answer)| Step::Answer { userid, answer }),
        1 => (0..USERIDS, 1..3_u8).prop_map(|(userid, listings)| Step::Unlisted { userid, listings }),
        1 => (0..USERIDS, 0..MOBILES).prop_map(|(userid, mobile)| Step::EnterByHand { userid, mobile }),
        1 => (0..USERIDS).prop_map(|userid| Step::LogsIn { userid }),
        1 => any::<bool>().prop_map(Step::MobileFirst),
        1 => prop::option::weighted(0.8, 0..6_usize).prop_map(Step::Places),
        1 => (0..USERIDS, prop::bool::weighted(0.8)).prop_map(|(userid, out)| Step::Reach { userid, out }),
        10 => (0..2_usize, any_weather()).prop_map(|(tenant, weather)| Step::Run { tenant, weather }),
    ]
}

impl Company {
    fn change(&mut self, row: prop::sample::Index, change: impl FnOnce(&mut Row)) {
        let keys: Vec<_> = self.rows.keys().copied().collect();
        if keys.is_empty() {
            return;
        }
        let key = *row.get(&keys);
        if let Some(row) = self.rows.get_mut(&key) {
            change(row);
        }
        self.decide(key);
    }

    fn step(&mut self, step: Step) {
        let key = |n: u8| MemberKey::of(&userid(n));
        match step {
            Step::Hire { tenant, row } => self.enter(tenant, row),
            Step::Transfer { row, department, leads, position } => self.change(row, |row| {
                (row.department, row.leads, row.position) = (department, leads, position);
            }),
            Step::NewMobile { row, mobile } => self.change(row, |row| row.mobile = mobile),
            Step::NewEmail { row, email } => self.change(row, |row| row.email = email),
            Step::SwapMobiles { one, other } => {
                let keys: Vec<_> = self.rows.keys().copied().collect();
                if keys.is_empty() {
                    return;
                }
                let (first, second) = (self.rows[one.get(&keys)].mobile, self.rows[other.get(&keys)].mobile);
                self.change(one, |row| row.mobile = second);
                self.change(other, |row| row.mobile = first);
            }
            Step::SwapEmails { one, other } => {
                let keys: Vec<_> = self.rows.keys().copied().collect();
                if keys.is_empty() {
                    return;
                }
                let (first, second) = (self.rows[one.get(&keys)].email, self.rows[other.get(&keys)].email);
                self.change(one, |row| row.email = second);
                self.change(other, |row| row.email = first);
            }
            Step::Lead { row, leader } => self.change(row, |row| row.leader = leader),
            Step::Archive { row } => {
                let keys: Vec<_> = self.rows.keys().copied().collect();
                if !keys.is_empty() {
                    let key = *row.get(&keys);
                    self.rows.remove(&key);
                    self.world.records.remove(&self.origin(key));
                }
            }
            Step::Removed(removed) => self.removed = removed,
            Step::Answer { userid, answer } => {
                let key = key(userid);
                let removed = self
                    .world
                    .ledger
                    .values_mut()
                    .filter(|line| line.userid.key() == key && line.state == MemberState::Removed);
                for line in removed {
                    line.removal_answer = Some(answer);
                    if answer == RemovalAnswer::RecreateInvited {
                        self.directory.removed_by_hand.remove(&key);
                    }
                }
            }
            Step::Unlisted { userid, listings } => {
                // A listing without a member that is unknown says nothing of lateness.
                let ours = self.world.ledger.values().any(|l| l.exists() && l.userid.key() == key(userid));
                if ours && self.directory.members.contains_key(&key(userid)) {
                    self.directory.unlisted.insert(key(userid), listings);
                }
            }
            Step::Rename { row, userid } => self.change(row, |row| row.userid = userid),
            Step::Turn { row, state } => self.change(row, |row| row.state = state),
            Step::LeaveForm { tenant, userid } => {
                let state = State::Left;
                let row = Row {
                    userid,
                    mobile: 0,
                    email: 0,
                    department: 1,
                    leads: false,
                    leader: None,
                    position: 0,
                    state,
                };
                self.enter(tenant, row);
            }
            Step::Rules { version } => {
                self.version = version;
                for key in self.rows.keys().copied().collect::<Vec<_>>() {
                    self.decide(key);
                }
            }
            Step::Days(days) => {
                self.directory.settle_late();
                self.now += chrono::TimeDelta::days(days);
            }
            Step::DeleteByHand { userid } => {
                let key = key(userid);
                if self.directory.members.remove(&key).is_some_and(|held| held.ours) {
                    // A member that ruzhi never learned of does not exist for it.
                    let known = |line: &LedgerEntry| line.exists() && line.userid.key() == key;
                    if self.world.ledger.values().any(known) {
                        self.directory.removed_by_hand.insert(key.clone());
                    }
                    self.deleted_by_hand.insert(key);
                }
            }
            Step::EnterByHand { userid: n, mobile: number } => {
                let taken = self.directory.holder("mobile", &mobile(number).into()).is_some();
                // So soon after a removal it is taken for the member who was removed.
                let unsure = |line: &LedgerEntry| line.userid.key() == key(n) && line.removal_is_unsure();
                let again = self.world.ledger.values().any(unsure);
                let there = self.directory.members.contains_key(&key(n));
                if !taken && !there && (again || !self.knows(&key(n))) {
                    self.directory.enter_by_hand(userid(n).parse().unwrap(), &mobile(number), again);
                    self.directory.removed_by_hand.remove(&key(n));
                }
            }
            Step::LogsIn { userid } => {
                if let Some(held) = self.directory.members.get_mut(&key(userid)) {
                    held.activated = true;
                }
            }
            Step::MobileFirst(first) => self.directory.mobile_first = first,
            Step::Places(places) => self.directory.places = places,
            Step::Reach { userid, out: false } => drop(self.directory.out_of_reach.remove(&key(userid))),
            // Three would be the tenant's fault.
            Step::Reach { userid, .. } if self.directory.out_of_reach.len() < 2 => {
                self.directory.out_of_reach.insert(key(userid));
            }
            Step::Reach { .. } => {}
            Step::Run { tenant, weather } => drop(self.run(tenant, &weather)),
        }
    }

    /// Once faults stop, a few runs reach rest.
    fn come_to_rest(&mut self) {
        self.directory.settle_late();
        self.rest();
        self.check_others();
        self.directory.places = None;
        self.directory.out_of_reach.clear();
        self.rest();
        // A grace period later, every leaver left is wanted by a record.
        self.now += chrono::TimeDelta::days(31);
        self.rest();
        for line in self.world.ledger.values().filter(|line| line.state == MemberState::Left) {
            let wants = |record: &RecordState| {
                matches!(&record.resolution, Resolution::Decided(Decision::Upsert(member))
                    if MemberKey::of(&member.userid) == line.decided_as)
            };
            assert!(self.world.records.values().any(wants), "{} was never deleted", line.userid);
        }
        for tenant in self.tenants.clone() {
            let planned = self.plan(&tenant, false);
            assert_eq!(planned.operations, [], "at rest");
            for (origin, disposition) in &planned.dispositions {
                let Resolution::Decided(decision) = &self.world.records[origin].resolution else { continue };
                self.check_at_rest(origin.tenant.as_str(), decision, disposition);
            }
        }
    }

    /// Runs until two days bring nothing new. There are no requests: only the passing of time retries quarantined
    /// records.
    fn rest(&mut self) {
        let mut quiet = 0;
        for day in 0.. {
            assert!(day < 30, "no rest: {:#?}", self.world);
            let moved: usize = (0..6).map(|run| self.run(run % 2, &Weather::fair(false))).sum();
            quiet = if moved == 0 { quiet + 1 } else { 0 };
            if quiet == 2 {
                break;
            }
            self.now += chrono::TimeDelta::days(1);
        }
    }

    /// Every leaver is out and every changed member is changed, however full the corp is and whichever others cannot be
    /// written: only new members need places.
    fn check_others(&mut self) {
        for tenant in self.tenants.clone() {
            for operation in self.plan(&tenant, false).operations {
                let comes = matches!(operation.kind, OperationKind::Create | OperationKind::Enable);
                let reached = !self.directory.out_of_reach.contains(&operation.userid.key());
                assert!(comes || !reached, "{} waits for another's place: {operation:#?}", operation.userid);
            }
        }
    }

    /// Every upsert without an obstacle has exactly its member, every leaver is out, and the obstacles of the others
    /// are real.
    fn check_at_rest(&self, tenant: &str, decision: &Decision, disposition: &Disposition) {
        let held = |userid: &str| self.directory.members.get(&MemberKey::of(userid));
        match (decision, disposition) {
            (Decision::Upsert(member), Disposition::Unchanged { .. }) => {
                let key = MemberKey::of(&member.userid);
                if self.deleted_by_hand.contains(&key) {
                    return;
                }
                let held = held(&member.userid);
                assert!(held.is_some(), "{key} is not there");
                let Some(held) = held else { return };
                assert!(held.ours, "{key} is not ours");
                let leader = member.direct_leader.iter().flatten().next();
                let led =
                    leader.is_none_or(|leader| self.directory.members.contains_key(&MemberKey::of(leader)));
                for (field, value) in expected_of(member) {
                    if field == "direct_leader" && !led {
                        continue;
                    }
                    assert_eq!(*held.fields.get(&field).unwrap_or(&Value::Null), value, "{field} of {key}");
                }
            }
            (Decision::Leave(userid), Disposition::Unchanged { .. }) => {
                let out = held(userid)
                    .is_none_or(|held| !held.ours || held.fields.get("enable") == Some(&0.into()));
                assert!(out, "{userid} has left {tenant} and may log in: {:#?}", self.world.ledger);
            }
            (Decision::Upsert(member), Disposition::Rejected { rejection }) => {
                let taken = |field: &str, value: &Option<String>| {
                    let value = value.clone().unwrap_or_default().into();
                    let holder = self.directory.holder(field, &value);
                    holder.is_some_and(|held| held.userid.key() != MemberKey::of(&member.userid))
                };
                let rule = rejection.violations[0].rule.as_str();
                let true_of = match rule {
                    "userid.duplicate" | "mobile.duplicate" | "userid.changed" => {
                        rejection.by == RejectedBy::Plan
                    }
                    "member.foreign" => held(&member.userid).is_some_and(|held| !held.ours),
                    "department.unknown" => member
                        .memberships
                        .iter()
                        .any(|m| !departments().iter().any(|id| id.0 == m.department)),
                    "mobile.held" => taken("mobile", &member.mobile),
                    "wecom.60106" => taken("email", &member.email),
                    "member.removed" => held(&member.userid).is_none(),
                    "mobile.activated" => held(&member.userid).is_some_and(|held| held.activated),
                    _ => false,
                };
                assert!(true_of, "{} is rejected without reason: {rejection:?}", member.userid);
            }
            (Decision::Reject(_), Disposition::Rejected { rejection }) => {
                assert_eq!(rejection.by, RejectedBy::Guest)
            }
            (_, Disposition::Ignored { .. }) => {}
            other => panic!("not at rest: {other:?}"),
        }
    }
}

/// The number of histories: two thousand, unless `RUZHI_HISTORIES` says otherwise (`make histories`).
fn histories() -> u32 {
    std::env::var("RUZHI_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: histories(),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x7275_7a68_6932),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    /// Despite losses, rejections and interruptions: no member is created twice or invited twice, only ruzhi's own are
    /// written, the ledger is right wherever it is not marked doubtful, and in fair weather all comes to rest.
    #[test]
    fn no_member_is_lost(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut company = Company::new();
        for step in steps {
            company.step(step);
        }
        company.come_to_rest();
    }
}
