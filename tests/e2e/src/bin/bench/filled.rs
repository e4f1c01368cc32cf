//! A store filled with people who all match the directory.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use chrono::Utc;
use ruzhi_model::{
    Context, Decision, Digest, LedgerEntry, Member, MemberKey, MemberState, Membership, Operation,
    OperationKind, OperationState, Origin, RecordId,
};
use ruzhi_plan::Resolution;
use ruzhi_store::{Access, Database, RecordRow, Settlement};

/// Rows written in one batch.
const TOGETHER: usize = 5_000;

/// Fills the store in the file `path` with this many people, decided by `rules`.
pub(super) async fn fill(path: &Path, rules: &Digest, people: usize) -> Result<()> {
    let store = Database::open(path, Access::Write).await?;
    let (tenant, flow) = ("jingxintai".parse()?, "onboarding".parse()?);
    let mut n = 0;
    while n < people {
        let until = (n + TOGETHER).min(people);
        let mut records = Vec::with_capacity(TOGETHER);
        let mut settlements = Vec::with_capacity(TOGETHER);
        for person in n..until {
            let member = member(person);
            let row = row(person, rules, &member)?;
            let origin =
                Origin { tenant: "jingxintai".parse()?, flow: "onboarding".parse()?, record: row.id.clone() };
            settlements.push(written(person, origin, member, &row, rules)?);
            records.push(row);
        }
        store.records_put(&tenant, &flow, &records).await?;
        store
            .operations_settle(
                std::slice::from_ref(&tenant),
                &tenant,
                &"pfilled".parse()?,
                &settlements,
                Utc::now(),
            )
            .await?;
        n = until;
    }
    store.close().await;
    Ok(())
}

fn member(person: usize) -> Member {
    Member {
        userid: format!("F{person:07}"),
        name: format!("员工{person:07}"),
        mobile: Some(format!("139{person:08}")),
        email: Some(format!("f{person:07}@jingxintai.example.com")),
        memberships: vec![Membership { department: 2, leader: false, order: None }],
        position: Some("工程师".to_owned()),
        to_invite: Some(true),
        ..Member::default()
    }
}

fn row(person: usize, rules: &Digest, member: &Member) -> Result<RecordRow> {
    let id: RecordId = format!("7{person:023x}").parse()?;
    let content = format!(
        r#"{{"_id":"{id}","_widget_1":"{}","_widget_2":"{}","_widget_3":"{}","_widget_4":"工程师"}}"#,
        member.userid,
        member.name,
        member.mobile.as_deref().unwrap_or_default()
    );
    Ok(RecordRow {
        id,
        content_hash: Digest::of(&content),
        content,
        fetched_at: Utc::now(),
        updated_at: None,
        fetched_run: "rfilled".parse()?,
        decided_at: Utc::now(),
        rules: rules.clone(),
        resolution: Resolution::Decided(Decision::Upsert(Box::new(member.clone()))),
        notes: Vec::new(),
        context: Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() },
        holds_until: None,
    })
}

fn written(
    person: usize,
    owner: Origin,
    member: Member,
    row: &RecordRow,
    rules: &Digest,
) -> Result<Settlement> {
    let (flow, record) = (owner.flow.clone(), owner.record.clone());
    let entry = LedgerEntry {
        userid: member.userid.parse()?,
        owner,
        decided_as: MemberKey::of(&member.userid),
        written: member.clone(),
        state: MemberState::Active,
        left_at: None,
        doubtful: false,
        carried_out: Some(row.decision_hash()),
        rules: rules.clone(),
        kept: serde_json::Map::new(),
        removal_answer: None,
    };
    Ok(Settlement {
        place: person,
        state: OperationState::Done,
        errcode: Some(0),
        errmsg: None,
        attempts: Vec::new(),
        ledger: Some(entry),
        rejection: None,
        operation: Arc::new(Operation {
            kind: OperationKind::Create,
            userid: member.userid.parse()?,
            flow,
            record,
            body: serde_json::Map::new(),
            member,
            before: None,
            decision: row.decision_hash(),
            rules: rules.clone(),
            left: false,
            names: None,
            partial: false,
            parks: None,
            tries: 0,
            notes: Vec::new(),
            undoes: false,
        }),
    })
}
