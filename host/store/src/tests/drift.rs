//! The differences of a drift check, until they are settled.

use serde_json::{Value, json};

use super::*;
use crate::DriftCheckRow;
use ruzhi_model::{DepartmentId, RemovalAnswer};
use ruzhi_plan::drift::DriftFinding;

fn here() -> TenantId {
    tenant("one")
}

fn there() -> TenantId {
    tenant("two")
}

fn missing(userid: &str) -> DriftFinding {
    DriftFinding::Missing { userid: userid.parse().unwrap(), owner: origin(&here(), 1) }
}

fn unexpected(userid: &str) -> DriftFinding {
    DriftFinding::Unexpected { userid: userid.parse().unwrap() }
}

fn moved(userid: &str) -> DriftFinding {
    let ids = |id| [DepartmentId(id)].into_iter().collect();
    let userid = userid.parse().unwrap();
    DriftFinding::Moved { userid, owner: origin(&here(), 1), ledger: ids(1), directory: ids(2) }
}

fn changed(userid: &str, field: &str) -> DriftFinding {
    DriftFinding::Changed {
        userid: userid.parse().unwrap(),
        owner: origin(&here(), 1),
        field: field.to_owned(),
        ledger: Value::Null,
        directory: Value::Null,
    }
}

fn writing(kind: OperationKind, userid: &str, body: Value) -> Operation {
    Operation { body: body.as_object().cloned().unwrap_or_default(), ..operation(kind, 1, userid) }
}

/// A line of the ledger of a tenant.
fn owned(tenant: &TenantId, userid: &str, state: MemberState) -> LedgerEntry {
    line(origin(tenant, 1), member(userid, "13800000001"), state)
}

impl Opened {
    async fn checked(&self, tenant: &TenantId, findings: &[DriftFinding]) {
        let check = DriftCheckRow {
            tenant: tenant.clone(),
            flow: flow(),
            run: "r1".parse().unwrap(),
            at: now(),
            findings: 0,
        };
        self.store.drift_check_put(&check, findings).await.unwrap();
    }

    /// The differences that are left of a tenant's check, in short.
    async fn left(&self, tenant: &TenantId) -> Vec<String> {
        let findings = self.store.drift_findings_list(tenant, None, 100).await.unwrap();
        let check = self.store.drift_check_find(tenant).await.unwrap().unwrap();
        assert_eq!(check.findings, findings.len() as u64);
        let short = |(_, finding)| match finding {
            DriftFinding::Missing { userid, .. } => format!("{userid} missing"),
            DriftFinding::Unexpected { userid } => format!("{userid} unexpected"),
            DriftFinding::Moved { userid, .. } => format!("{userid} moved"),
            DriftFinding::Changed { userid, field, .. } => format!("{userid} {field}"),
        };
        findings.into_iter().map(short).collect()
    }

    /// Stores an outcome of a tenant of the corp that both share.
    async fn ends(
        &self,
        tenant: &TenantId,
        operation: Operation,
        state: OperationState,
        ledger: Option<LedgerEntry>,
    ) {
        let settlement = Settlement { state, ..settlement(0, operation, ledger) };
        let plan = "nowhere".parse().unwrap();
        self.store.operations_settle(&[here(), there()], tenant, &plan, &[settlement], now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_difference_is_left_until_it_is_written_over_or_its_member_goes_by_whatever_plan() {
    let opened = open().await;
    opened
        .checked(
            &here(),
            &[moved("Leaver"), changed("Leaver", "position"), changed("b", "name"), missing("c")],
        )
        .await;
    let leaver = |state| Some(owned(&here(), "Leaver", state));
    let (update, done) = (OperationKind::Update, OperationState::Done);

    // A sync writes one of two changed fields.
    let written = writing(update, "leaver", json!({ "position": "工程师" }));
    opened.ends(&here(), written, done, leaver(MemberState::Active)).await;
    assert_eq!(opened.left(&here()).await, ["Leaver moved", "b name", "c missing"]);
    // WeCom rejects another field.
    let name = writing(update, "b", json!({ "name": "乙" }));
    opened.ends(&here(), name.clone(), OperationState::Rejected, None).await;
    assert_eq!(opened.left(&here()).await, ["Leaver moved", "b name", "c missing"]);
    opened.ends(&here(), name, done, Some(owned(&here(), "b", MemberState::Active))).await;
    assert_eq!(opened.left(&here()).await, ["Leaver moved", "c missing"]);

    // Weeks pass: who was moved by hand leaves, and is deleted after the grace period.
    let disable = writing(OperationKind::Disable, "leaver", json!({ "enable": 0 }));
    opened.ends(&here(), disable, done, leaver(MemberState::Left)).await;
    assert_eq!(opened.left(&here()).await, ["Leaver moved", "c missing"], "an account stays where it is");
    let delete = writing(OperationKind::Delete, "leaver", json!({}));
    opened.ends(&here(), delete, done, leaver(MemberState::Deleted)).await;
    assert_eq!(opened.left(&here()).await, ["c missing"]);

    let create = writing(OperationKind::Create, "c", json!({}));
    opened.ends(&here(), create, done, Some(owned(&here(), "c", MemberState::Active))).await;
    assert_eq!(opened.left(&here()).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_member_who_turns_out_to_be_removed_is_only_missing_until_a_person_lets_go() {
    let opened = open().await;
    let removed = owned(&here(), "a", MemberState::Active).removed(now());
    opened.checked(&here(), &[missing("a"), moved("a"), changed("a", "name")]).await;
    let update = writing(OperationKind::Update, "a", json!({ "name": "甲" }));
    opened.ends(&here(), update, OperationState::Lost, Some(removed)).await;
    assert_eq!(opened.left(&here()).await, ["a missing"]);
    for (answer, left) in [(RemovalAnswer::Recreate, 1), (RemovalAnswer::Release, 0)] {
        assert!(opened.store.removal_answer(&here(), &MemberKey::of("A"), answer).await.unwrap());
        assert_eq!(opened.left(&here()).await.len(), left, "{answer:?}");
    }
}

#[tokio::test]
async fn a_tenant_of_the_corp_settles_what_the_other_found_about_a_member_it_takes() {
    let opened = open().await;
    opened.checked(&here(), &[unexpected("new"), moved("moves"), moved("stays")]).await;
    opened.checked(&there(), &[unexpected("new"), unexpected("visitor")]).await;
    opened.checked(&tenant("alone"), &[unexpected("new")]).await;
    let adopt = writing(OperationKind::Adopt, "new", json!({}));
    let done = OperationState::Done;
    opened.ends(&there(), adopt, done, Some(owned(&there(), "new", MemberState::Active))).await;
    assert_eq!(opened.left(&here()).await, ["moves moved", "stays moved"]);
    assert_eq!(opened.left(&there()).await, ["visitor unexpected"]);
    let moves = Operation {
        before: Some(owned(&here(), "moves", MemberState::Active)),
        ..writing(OperationKind::Update, "moves", json!({ "name": "丙" }))
    };
    opened.ends(&there(), moves, done, Some(owned(&there(), "moves", MemberState::Active))).await;
    assert_eq!(opened.left(&here()).await, ["stays moved"]);
    assert_eq!(opened.left(&tenant("alone")).await, ["new unexpected"], "another corp");
}
