//! Plans, quarantine and one record.

use super::*;

pub(super) fn change(
    field: &str,
    en: &str,
    zh: &str,
    before: serde_json::Value,
    after: serde_json::Value,
) -> FieldChange {
    FieldChange { field: field.to_owned(), label: Text::new(en, zh), before, after }
}

pub(super) fn attempt(errcode: Option<i64>) -> AttemptRow {
    AttemptRow {
        api: "user/create".to_owned(),
        at: before(4),
        took_ms: 183,
        errcode,
        errmsg: "mobile existed".to_owned(),
    }
}

pub(super) fn operation(kind: OperationKind, place: u64, written: &Written) -> OperationView {
    let fields = match kind {
        OperationKind::Create => vec![
            change("name", "name", "姓名", json!(null), json!(written.person)),
            change("mobile", "mobile", "手机号", json!(null), json!("138******34")),
            change("department", "departments", "部门", json!(null), json!([12, 31])),
        ],
        OperationKind::Disable => vec![change("enable", "enabled", "启用", json!(1), json!(0))],
        _ => vec![
            change("position", "position", "职务", json!("操作工"), json!(written.words)),
            change("department", "departments", "部门", json!([12]), json!([31])),
        ],
    };
    OperationView {
        plan: "p0a1b2c3d4e5f".parse().unwrap(),
        place,
        wave: 0,
        kind,
        userid: format!("JXT{:05}", 10_230 + place).parse().unwrap(),
        name: written.person.to_owned(),
        flow: "onboarding".parse().unwrap(),
        record: written.record.parse().unwrap(),
        fields,
        moved_from: (place == 2).then(|| "huadong/onboarding".to_owned()),
        partial: place == 3,
        parks: (place == 3).then_some(UniqueField::Mobile),
        notes: match place {
            3 => vec![Text::new("the direct leader follows", "直属上级随后写入")],
            _ => Vec::new(),
        },
        left: kind == OperationKind::Disable,
        state: if place == 4 { OperationState::Rejected } else { OperationState::Planned },
        planned_at: before(5),
        sent_at: None,
        settled_at: None,
        errcode: (place == 4).then_some(60_104),
        errmsg: (place == 4).then(|| "mobile existed".to_owned()),
        attempts: if place == 4 {
            vec![attempt(None), attempt(Some(60_104)), attempt(Some(0))]
        } else {
            Vec::new()
        },
    }
}

pub(super) fn plan_view(written: &Written, revealed: bool) -> PlanView {
    let kinds = [
        OperationKind::Create,
        OperationKind::Create,
        OperationKind::Update,
        OperationKind::Update,
        OperationKind::Update,
        OperationKind::Disable,
        OperationKind::Disable,
        OperationKind::Enable,
        OperationKind::Delete,
    ];
    PlanView {
        id: "p0a1b2c3d4e5f".parse().unwrap(),
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        purpose: PurposeKind::Sync,
        undoes: None,
        hash: Digest::of("plan"),
        state: PlanState::Held,
        reason: None,
        run: "r20261124-093500-1".parse().unwrap(),
        made_at: before(25),
        operations: 327,
        counts: Counts { created: 3, updated: 12, disabled: 312, rejected: 4, ..Counts::default() },
        owned: 1_204,
        retry: true,
        undecided: Some(format!("deadline: {}", written.words)),
        guard: vec![GuardReason {
            limit: GuardLimit::LeavePercent,
            found: 312,
            allowed: 240,
            text: Text::new(
                "would disable or delete 312 of 1204 members, more than 20 %",
                "将停用或删除 1204 名成员中的 312 名，超过 20%",
            ),
        }],
        may: PlanMay { approve: true, apply: true, reject: true },
        items: kinds.into_iter().zip(0..).map(|(kind, place)| operation(kind, place, written)).collect(),
        next_cursor: Some(50),
        revealed,
    }
}

pub(super) fn row_fields(written: &Written) -> Vec<RowField> {
    [
        ("_widget_name", "姓名", json!(written.person)),
        ("_widget_mobile", "手机号", json!("138******34")),
        ("_widget_department", "部门", json!(["一车间", written.words])),
        ("_widget_date", "入职日期", json!("2026-11-20T16:00:00.000Z")),
        ("_widget_note", "备注", json!(written.words)),
        ("_widget_extra", written.tenant, json!({ "a": written.words })),
    ]
    .into_iter()
    .map(|(field, label, value)| RowField { field: field.to_owned(), label: label.to_owned(), value })
    .collect()
}

fn removal(written: &Written) -> RemovalView {
    RemovalView {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        record: written.record.parse().unwrap(),
        userid: "JXT10299".parse().unwrap(),
        name: written.person.to_owned(),
        found_at: Some(before(90)),
        unsure: false,
        answer: Some(RemovalAnswer::Recreate),
        waits: false,
    }
}

pub(super) fn reject(written: &Written, by: RejectedBy) -> RejectView {
    RejectView {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        record: written.record.parse().unwrap(),
        by,
        errcode: (by == RejectedBy::Wecom).then_some(60_104),
        violations: vec![
            ViolationView {
                field: "_widget_mobile".to_owned(),
                label: "手机号".to_owned(),
                rule: "mobile.invalid".to_owned(),
                message: Text::new("is not a valid mobile number", "不是有效的手机号"),
            },
            ViolationView {
                field: "_widget_name".to_owned(),
                label: written.tenant.to_owned(),
                rule: "name.missing".to_owned(),
                message: Text::new(written.words, written.words),
            },
        ],
        waits_for: WaitsFor::Mobile,
        waits: WaitsFor::Mobile.words(),
        tries: 2,
        retry_at: Some(before(-60)),
        removal: (by == RejectedBy::Plan).then(|| removal(written)),
        row: row_fields(written),
        first_seen: before(60 * 26),
        last_seen: before(5),
    }
}

pub(super) fn quarantine_view(written: &Written, revealed: bool) -> QuarantineView {
    QuarantineView {
        page: ruzhi_app::Page {
            items: [RejectedBy::Guest, RejectedBy::Plan, RejectedBy::Wecom, RejectedBy::Person]
                .map(|by| reject(written, by))
                .into(),
            next_cursor: Some("63e0/706d".to_owned()),
        },
        total: 1_204,
        by_rule: vec![
            RuleGroup {
                rule: "mobile.invalid".to_owned(),
                labels: vec!["手机号".to_owned()],
                records: 1_100,
            },
            RuleGroup {
                rule: written.words.to_owned(),
                labels: vec![written.words.to_owned()],
                records: 104,
            },
        ],
        revealed,
    }
}

pub(super) fn record_view(written: &Written, verdict: DecisionKind) -> RecordView {
    RecordView {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        record: written.record.parse().unwrap(),
        row: row_fields(written),
        fetched_at: before(6),
        fetched_run: "r20261124-093500-1".parse().unwrap(),
        decided_at: before(5),
        guest: GuestName {
            rules: Digest::of("rules"),
            component: Some(Digest::of("component")),
            name: Some(written.words.to_owned()),
            version: Some("1.2.0".to_owned()),
            number: Some(7),
        },
        decision: DecisionView {
            verdict,
            userid: Some("JXT10234".to_owned()),
            reason: (verdict != DecisionKind::Upsert).then(|| written.words.to_owned()),
            member: vec![
                change("name", "name", "姓名", json!(null), json!(written.person)),
                change("mobile", "mobile", "手机号", json!(null), json!("138******34")),
            ],
        },
        notes: vec![written.words.to_owned(), "已去除空格 / spaces were removed".to_owned()],
        told: Some("2026-11-24T09:35:00Z Asia/Shanghai".to_owned()),
        holds_until: None,
        rejection: (verdict == DecisionKind::Reject).then(|| reject(written, RejectedBy::Wecom)),
        removal: (verdict == DecisionKind::Reject).then(|| removal(written)),
        operations: vec![
            operation(OperationKind::Create, 0, written),
            operation(OperationKind::Update, 4, written),
        ],
        members: vec![MemberView { userid: "jxt10234".to_owned(), state: "active".to_owned() }],
        revealed: false,
    }
}
