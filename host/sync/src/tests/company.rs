//! A company of two tenants over one directory: its rows and the store's contents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::directory::{Model, expected};
use crate::recovery::read_back;
use ruzhi_model::{
    Decision, Digest, FlowId, LedgerEntry, Member, MemberKey, MemberState, Membership, Operation,
    OperationKind, OperationState, Origin, Rejection, TenantId, UniqueField, Violation,
};
use ruzhi_plan::testing::world::{PlanResult, World, decided, id};
use ruzhi_plan::{
    Disposition, DuplicatePolicy, ExistingPolicy, Guard, Policy, RemovedPolicy, StoredRejection, freed,
};
use ruzhi_store::Settlement;

/// The contents of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    On,
    Left,
    Wrong,
    Silent,
}

/// A row of the form.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) userid: u8,
    pub(super) mobile: u8,
    pub(super) email: u8,
    pub(super) department: u32,
    pub(super) leads: bool,
    /// The direct leader: `USERIDS` and more name no member.
    pub(super) leader: Option<u8>,
    pub(super) position: u8,
    pub(super) state: State,
}

pub(super) fn userid(n: u8) -> String {
    format!("u{n}")
}

pub(super) fn mobile(n: u8) -> String {
    format!("1380000000{n}")
}

/// The rules' decision on a row; each version sets more fields than the one before, except the last.
fn decide(row: &Row, version: u8) -> Decision {
    let text = |n: u8| if n == 0 { String::new() } else { format!("text {n}") };
    match row.state {
        State::On => Decision::Upsert(Box::new(Member {
            userid: if row.position == 2 { userid(row.userid).to_uppercase() } else { userid(row.userid) },
            name: format!("name of {}", row.userid),
            mobile: Some(mobile(row.mobile)),
            memberships: vec![Membership { department: row.department, leader: row.leads, order: None }],
            position: (version > 0).then(|| text(row.position)),
            email: (version > 1)
                .then(|| if row.email == 0 { String::new() } else { format!("e{}@x.cn", row.email) }),
            direct_leader: (version > 0).then(|| row.leader.map(userid).into_iter().collect()),
            alias: (version == 2).then(|| text(row.position)),
            to_invite: (version > 0).then_some(true),
            ..Member::default()
        })),
        State::Left => Decision::Leave(userid(row.userid)),
        State::Silent => Decision::Ignore("not on duty".to_owned()),
        State::Wrong => Decision::Reject(vec![Violation {
            field: "mobile".to_owned(),
            rule: "mobile.invalid".to_owned(),
            message: "…".into(),
        }]),
    }
}

pub(super) struct Company {
    pub(super) world: World,
    pub(super) directory: Model,
    pub(super) rows: BTreeMap<(usize, u32), Row>,
    pub(super) version: u8,
    pub(super) now: DateTime<Utc>,
    pub(super) tenants: [TenantId; 2],
    /// The policy on members who are removed by hand.
    pub(super) removed: RemovedPolicy,
    /// Members whom someone deleted by hand and the ledger still has: ruzhi does not notice until it writes them.
    pub(super) deleted_by_hand: BTreeSet<MemberKey>,
    /// Operations stored as `sending`.
    pub(super) sending: BTreeMap<(TenantId, usize), Arc<Operation>>,
    next_row: u32,
}

impl Company {
    pub(super) fn new() -> Self {
        Self {
            world: World::default(),
            directory: Model::default(),
            rows: BTreeMap::new(),
            version: 1,
            now: "2026-05-01T08:00:00Z".parse().unwrap_or_default(),
            tenants: ["factory", "office"].map(|tenant| tenant.parse().unwrap()),
            removed: RemovedPolicy::Ask,
            deleted_by_hand: BTreeSet::new(),
            sending: BTreeMap::new(),
            next_row: 1,
        }
    }

    pub(super) fn flow() -> FlowId {
        "onboarding".parse().unwrap()
    }

    pub(super) fn policy(full: bool) -> Policy {
        Policy {
            duplicates: DuplicatePolicy::Reject,
            existing: ExistingPolicy::Reject,
            removed: RemovedPolicy::Ask,
            protected: BTreeSet::new(),
            grace: TimeDelta::days(30),
            guard: Guard { leave_least: 100, ..Guard::default() },
            retry: full,
        }
    }

    pub(super) fn origin(&self, (tenant, n): (usize, u32)) -> Origin {
        Origin { tenant: self.tenants[tenant].clone(), flow: Self::flow(), record: id(n) }
    }

    pub(super) fn enter(&mut self, tenant: usize, row: Row) {
        let key = (tenant, self.next_row);
        self.next_row += 1;
        self.rows.insert(key, row);
        self.decide(key);
    }

    /// Decides a row by the live rules; its quarantine entry stays until the next plan.
    pub(super) fn decide(&mut self, key: (usize, u32)) {
        let origin = self.origin(key);
        let rules = Digest::of([self.version]);
        let mut record = decided(origin, decide(&self.rows[&key], self.version), rules);
        record.rejection = self.world.records.get(&record.origin).and_then(|before| before.rejection.clone());
        self.world.put(record);
    }

    /// True if the ledger has, or may yet have, a member of this name.
    pub(super) fn knows(&self, key: &MemberKey) -> bool {
        let line = |line: &LedgerEntry| {
            line.userid.key() == *key && (line.exists() || line.may_appear() || line.removal_is_unsure())
        };
        self.world.ledger.values().any(line)
            || self.sending.values().any(|operation| operation.userid.key() == *key)
            || self.directory.is_coming(key)
    }

    pub(super) fn plan(&mut self, tenant: &TenantId, full: bool) -> PlanResult {
        let directory = self.directory.directory();
        let policy = Policy { removed: self.removed, ..Self::policy(full) };
        self.world.plan((tenant, &Self::flow()), Some(&directory), &policy, self.now)
    }

    /// The quarantine of a flow is the rejections of its last plan; the decisions it confirmed go to the ledger.
    pub(super) fn keep_quarantine(&mut self, tenant: &TenantId, planned: &PlanResult) {
        for record in self.world.records.values_mut().filter(|record| record.origin.tenant == *tenant) {
            let stored = |rejection: &Rejection| StoredRejection {
                rejection: rejection.clone(),
                decision: record.decision.clone(),
                rules: record.rules.clone(),
            };
            record.rejection = match planned.dispositions.get(&record.origin) {
                Some(Disposition::Rejected { rejection }) => Some(stored(rejection)),
                // A retried entry stays until its operation is done.
                Some(Disposition::Operation(_)) if record.rejection.is_some() => record.rejection.take(),
                _ => planned.pending.get(&record.origin).map(stored),
            };
            if let Some(Disposition::Unchanged { confirmed: true }) = planned.dispositions.get(&record.origin)
            {
                for line in self.world.ledger.values_mut().filter(|line| line.owner == record.origin) {
                    line.carried_out = Some(record.decision.clone());
                    line.rules = record.rules.clone();
                }
            }
        }
    }

    pub(super) fn settle_crash(&mut self) {
        let members = self.directory.ids();
        let in_doubt: Vec<_> =
            self.sending.iter().map(|(at, operation)| (at.clone(), Arc::clone(operation))).collect();
        for ((tenant, place), operation) in in_doubt {
            let settlement = read_back(&members, &tenant, place, &operation, self.now);
            self.store(&tenant, settlement);
        }
    }

    /// Stores an outcome: the journal, the ledger and the quarantine together.
    pub(super) fn store(&mut self, tenant: &TenantId, settlement: Settlement) {
        let Settlement { place, operation, state, ledger, rejection, .. } = settlement;
        self.sending.remove(&(tenant.clone(), place));
        if let Some(line) = ledger {
            if let Some(before) = operation.before.as_ref().filter(|b| b.owner.tenant != line.owner.tenant) {
                self.world.ledger.remove(&(before.owner.tenant.clone(), before.userid.key()));
            }
            if !line.exists() || operation.kind == OperationKind::Create {
                self.deleted_by_hand.remove(&line.userid.key());
            }
            if line.state == MemberState::Deleted {
                // Gone as the form asks: a returner is a new member.
                self.directory.removed_by_hand.remove(&line.userid.key());
            }
            self.world.write(line);
        }
        let origin =
            Origin { tenant: tenant.clone(), flow: operation.flow.clone(), record: operation.record.clone() };
        if state == OperationState::Done {
            for (field, _) in freed(&operation) {
                self.wake_waiting(field);
            }
        }
        let done = state == OperationState::Done && !operation.partial;
        let rejection = rejection.map(|rejection| {
            let (decision, rules) = (operation.decision.clone(), operation.rules.clone());
            StoredRejection { rejection, decision, rules }
        });
        if operation.left && operation.before.as_ref().is_some_and(|line| line.owner == origin) {
            match rejection.clone() {
                Some(rejection) => drop(self.world.leaver_rejections.insert(origin.clone(), rejection)),
                None if done => drop(self.world.leaver_rejections.remove(&origin)),
                None => {}
            }
        }
        if let Some(record) = self.world.records.get_mut(&origin)
            && (rejection.is_some() || done)
        {
            record.rejection = rejection;
        }
    }

    /// Releases records that wait for a value of a field, as the store does.
    fn wake_waiting(&mut self, field: UniqueField) {
        let records = self.world.records.values_mut().filter_map(|record| record.rejection.as_mut());
        for stored in records.filter(|stored| stored.rejection.waits_for.value() == Some(field)) {
            stored.rejection.retry_at = Some(DateTime::UNIX_EPOCH);
        }
    }

    /// The invariants that hold whenever nothing is in doubt.
    pub(super) fn check(&mut self) {
        assert_eq!(self.directory.wrongs, Vec::<String>::new());
        for line in self.world.ledger.values().filter(|line| line.exists() && !line.doubtful) {
            if self.deleted_by_hand.contains(&line.userid.key()) {
                continue;
            }
            let held = self.directory.members.get(&line.userid.key());
            assert!(held.is_some(), "the ledger has {}, the directory has not: {line:#?}", line.userid);
            let Some(held) = held else { continue };
            for (field, value) in expected(line) {
                let there = held.fields.get(&field).unwrap_or(&Value::Null);
                assert_eq!(*there, value, "{field} of {}: {line:#?}", line.userid);
            }
        }
        for (key, held) in &self.directory.members {
            assert!(held.invited <= 1, "{key} was invited {} times", held.invited);
            assert!(!held.ours || self.knows(key), "{key} is unknown");
        }
    }
}
