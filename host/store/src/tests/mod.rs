//! The promises of the store, over SQLite in a folder of its own.

mod activations;
mod audit;
mod departures;
mod drift;
mod due;
mod journal;
mod migration;
mod removed;
mod runs;
mod trouble;
mod wakes;
mod world;
mod write_back;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Map;
use tempfile::TempDir;

use super::{Access, Database, RecordRow, Settlement};
use ruzhi_model::{
    Decision, Digest, FlowId, LedgerEntry, Member, MemberKey, MemberState, Operation, OperationKind,
    OperationState, Origin, RejectedBy, TenantId, WaitsFor,
};
use ruzhi_plan::Resolution;
use ruzhi_plan::testing::member;
use ruzhi_plan::testing::world::id;

struct Opened {
    store: Database,
    folder: TempDir,
}

async fn open() -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let store = Database::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
    Opened { store, folder }
}

fn now() -> DateTime<Utc> {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn flow() -> FlowId {
    "onboarding".parse().unwrap()
}

fn origin(tenant: &TenantId, n: u32) -> Origin {
    Origin { tenant: tenant.clone(), flow: flow(), record: id(n) }
}

fn upsert(userid: &str, mobile: &str) -> Resolution {
    Resolution::Decided(Decision::Upsert(Box::new(member(userid, mobile))))
}

fn row(n: u32, resolution: Resolution) -> RecordRow {
    RecordRow {
        id: id(n),
        content: "{}".to_owned(),
        content_hash: Digest::of("{}"),
        fetched_at: now(),
        updated_at: None,
        fetched_run: "r1".parse().unwrap(),
        decided_at: now(),
        rules: Digest::of("rules"),
        resolution,
        notes: vec![],
        context: ruzhi_model::Context {
            now: "2026-05-01T08:00:00Z".into(),
            timezone: "Asia/Shanghai".into(),
        },
        holds_until: None,
    }
}

/// A line of the ledger that carries out no decision.
fn line(owner: Origin, written: Member, state: MemberState) -> LedgerEntry {
    LedgerEntry {
        userid: written.userid.parse().unwrap(),
        owner,
        decided_as: MemberKey::of(&written.userid),
        written,
        state,
        left_at: (state == MemberState::Left).then(now),
        doubtful: false,
        carried_out: None,
        rules: Digest::of("rules"),
        kept: Map::new(),
        removal_answer: None,
    }
}

fn operation(kind: OperationKind, n: u32, userid: &str) -> Operation {
    Operation {
        kind,
        userid: userid.parse().unwrap(),
        flow: flow(),
        record: id(n),
        body: Map::new(),
        member: member(userid, &format!("1380000000{n}")),
        before: None,
        decision: Digest::of("decision"),
        rules: Digest::of("rules"),
        left: false,
        names: None,
        partial: false,
        parks: None,
        tries: 0,
        notes: Vec::new(),
        undoes: false,
    }
}

/// An outcome with nothing more to say of an operation.
fn settlement(place: usize, operation: Operation, ledger: Option<LedgerEntry>) -> Settlement {
    Settlement {
        place,
        operation: Arc::new(operation),
        state: OperationState::Done,
        errcode: Some(0),
        errmsg: None,
        attempts: vec![],
        ledger,
        rejection: None,
    }
}

impl Opened {
    /// Puts lines into the ledger, as outcomes do.
    async fn write(&self, tenant: &TenantId, lines: &[LedgerEntry]) {
        let of_line = |(place, line): (usize, &LedgerEntry)| {
            settlement(place, operation(OperationKind::Create, 1, line.userid.as_str()), Some(line.clone()))
        };
        let settlements: Vec<Settlement> = lines.iter().enumerate().map(of_line).collect();
        self.store
            .operations_settle(
                std::slice::from_ref(tenant),
                tenant,
                &"nowhere".parse().unwrap(),
                &settlements,
                now(),
            )
            .await
            .unwrap();
    }
}
