//! A deployment as it might be, the same every time.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::super::flash::Flash;
use super::super::shell::Page;
use super::super::view::{Place, View};
use super::super::{
    alarms, audit, charts, guests, overview, plan, quarantine, record, run, runs, settings, trouble,
};
use crate::activation::{Difference, FieldDifference, Trial, Verdict};
use crate::config::Role;
use crate::failure::{Failure, exit};
use crate::model::{Digest, Lang, OperationKind, OperationState, RefusedBy, Text};
use crate::plan::{Counts, GuardReason};
use crate::serve::access::Visitor;
use crate::serve::desk::{
    self, AlarmsView, ApiCalls, Attention, AttentionKind, AuditAsked, CallsChart, ChartAsked, ChartStep,
    CorpCalls, DecisionView, DifferenceView, FieldChange, FlowGuestView, FlowOverview, FlowSettings,
    GuestName, GuestOverview, LimitView, LiveRules, MemberView, Observance, OfferedRules, Offers,
    OperationView, Overview, PersonView, PlanAsked, PlanMay, PlanView, ProblemView, QuarantineAsked,
    QuarantineView, RecordView, RefusalsChart, RejectView, RowField, RuleCount, RuleGroup, RunView,
    RunsAsked, RunsChart, RunsPoint, SecretView, ServerView, SettingsView, TenantOverview, TenantSettings,
    ViolationView,
};
use crate::serve::{FlowStanding, LiveRun, StandingState};
use crate::store::{
    ActivationKind, ActivationRow, AlarmRow, AttemptRow, AuditRow, Blocked, Paused, PlanState, RunKind,
    RunRow, RunState,
};
use crate::sync::Stage;

/// What people write where they may write what they like.
pub(super) struct Written {
    pub(super) tenant: &'static str,
    pub(super) person: &'static str,
    pub(super) words: &'static str,
    /// A record's id may be any printable characters.
    pub(super) record: &'static str,
}

/// As one would wish.
pub(super) const KIND: Written = Written {
    tenant: "景欣泰工厂",
    person: "李雷",
    words: "季度入职，已与人事核对",
    record: "63e0706d0e33350008189952",
};

/// As one would not.
pub(super) const HOSTILE: Written = Written {
    tenant: "<script>alert('t')</script>\u{202e}قاعدة\" onload=\"x",
    person: "<img src=x onerror=alert(1)>'\"&\u{202e}שלום",
    words: "</p><script src=\"https://evil.example/x.js\"></script>'\"&amp;",
    record: "a/../b?c#d%2e\"'<script>&",
};

pub(super) fn now() -> DateTime<Utc> {
    "2026-11-24T09:40:00Z".parse().unwrap()
}

fn before(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

fn both(words: &str) -> Text {
    Text::new(words, words)
}

pub(super) fn view(lang: Lang, role: Role, written: &Written, here: &str) -> View {
    let places = [
        ("jingxintai", written.tenant, chrono_tz::Asia::Shanghai),
        ("huadong", "华东电子", chrono_tz::Asia::Shanghai),
    ];
    View {
        visitor: Visitor {
            name: written.person.to_owned(),
            role,
            origin: "page 10.0.0.8".to_owned(),
            csrf: Some("0123456789abcdef".to_owned()),
            lang,
        },
        now: now(),
        here: here.to_owned(),
        flash: Some(Flash::Resumed),
        alarms: 2,
        places: Arc::new(
            places
                .into_iter()
                .map(|(id, name, zone)| (id.parse().unwrap(), Place { name: name.to_owned(), zone }))
                .collect(),
        ),
    }
}

fn run_row(state: RunState, kind: RunKind, counts: Counts) -> RunRow {
    RunRow {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        id: "r20261124-093500-1".parse().unwrap(),
        kind,
        state,
        started_at: before(5),
        ended_at: (state != RunState::Running).then(|| before(4)),
        plan: Some("p0a1b2c3d4e5f".parse().unwrap()),
        rules: Some(Digest::of("rules")),
        counts,
        calls: BTreeMap::from([("user/create".to_owned(), 312), ("department/simplelist".to_owned(), 1)]),
        problem: None,
    }
}

fn usual() -> Counts {
    Counts { created: 3, updated: 12, disabled: 1, refused: 4, unchanged: 11_204, ..Counts::default() }
}

fn live_run() -> LiveRun {
    LiveRun {
        run: run_row(RunState::Running, RunKind::Sync, Counts::default()),
        stage: Some(Stage::Apply),
        rows: 11_224,
        planned: 1_240,
        settled: 512,
        per_second: 41.3,
        eta_seconds: Some(18),
        stage_since: before(1),
        at: now(),
    }
}

fn standing(state: StandingState, written: &Written) -> FlowStanding {
    FlowStanding {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        state,
        next: Some(now() + TimeDelta::minutes(5)),
        queued_since: None,
        run: None,
        failures: 0,
        late: state == StandingState::Queued,
        paused: (state == StandingState::Paused).then(|| Paused {
            who: written.person.to_owned(),
            at: before(90),
            why: Some(written.words.to_owned()),
        }),
        blocked: (state == StandingState::Blocked).then(|| Blocked {
            code: "wecom.60020".to_owned(),
            text: Text::new("WeCom refuses this machine's address", "企业微信拒绝本机的 IP 地址"),
            hint: Some(Text::new("Add it to the trusted addresses.", "请将其加入可信 IP。")),
            at: before(30),
            settings: String::new(),
        }),
    }
}

fn flow_overview(
    tenant: &str,
    flow: &str,
    state: StandingState,
    run: Option<RunRow>,
    written: &Written,
) -> FlowOverview {
    let held = run.as_ref().filter(|run| run.state == RunState::Held).and_then(|run| run.plan.clone());
    FlowOverview {
        tenant: tenant.parse().unwrap(),
        flow: flow.parse().unwrap(),
        schedule: (state != StandingState::Idle).then(|| "*/5 * * * *".to_owned()),
        standing: Some(standing(state, written)),
        last_run: run,
        next_run: None,
        members: 11_219,
        records: 11_240,
        rejects: if state == StandingState::Waiting { 4 } else { 0 },
        watermark: Some(before(5)),
        held: held.into_iter().collect(),
        live: None,
    }
}

pub(super) fn overview(written: &Written) -> Overview {
    let failed = RunRow {
        problem: Some(Text::new("WeCom refuses this machine's address", "企业微信拒绝本机的 IP 地址")),
        ..run_row(RunState::Failed, RunKind::Sync, Counts::default())
    };
    let flows = vec![
        flow_overview(
            "jingxintai",
            "onboarding",
            StandingState::Waiting,
            Some(run_row(RunState::Done, RunKind::Sync, usual())),
            written,
        ),
        flow_overview(
            "jingxintai",
            "leavers",
            StandingState::Paused,
            Some(run_row(RunState::Held, RunKind::Sync, Counts { disabled: 312, ..Counts::default() })),
            written,
        ),
        flow_overview("jingxintai", "dispatch", StandingState::Idle, None, written),
    ];
    let other = vec![
        flow_overview("huadong", "onboarding", StandingState::Blocked, Some(failed), written),
        flow_overview(
            "huadong",
            "interns",
            StandingState::Queued,
            Some(run_row(RunState::Done, RunKind::Sync, Counts { unchanged: 42, ..Counts::default() })),
            written,
        ),
    ];
    let kinds = [
        AttentionKind::Blocked,
        AttentionKind::HeldPlan,
        AttentionKind::FilesRefused,
        AttentionKind::Failing,
        AttentionKind::Late,
        AttentionKind::Paused,
        AttentionKind::Quarantine,
    ];
    Overview {
        at: now(),
        started_at: before(60 * 50),
        tenants: vec![
            TenantOverview {
                id: "jingxintai".parse().unwrap(),
                name: written.tenant.to_owned(),
                timezone: "Asia/Shanghai".to_owned(),
                flows,
            },
            TenantOverview {
                id: "huadong".parse().unwrap(),
                name: "华东电子".to_owned(),
                timezone: "Asia/Shanghai".to_owned(),
                flows: other,
            },
        ],
        attention: kinds
            .into_iter()
            .map(|kind| Attention {
                kind,
                tenant: (kind != AttentionKind::FilesRefused).then(|| "jingxintai".parse().unwrap()),
                flow: (kind != AttentionKind::FilesRefused).then(|| "onboarding".parse().unwrap()),
                text: Text::new(
                    format!("would disable 312 of 1,204 members, more than 20 % {}", written.words),
                    format!("将停用 1,204 名成员中的 312 名，超过 20%。{}", written.words),
                ),
                hint: Some(Text::new(
                    "Look at the plan, then approve or reject it.",
                    "请查看计划，然后批准或否决。",
                )),
                link: "/plans/jingxintai/p0a1b2c3d4e5f".to_owned(),
                since: Some(before(25)),
            })
            .collect(),
        live: vec![
            live_run(),
            LiveRun { stage: Some(Stage::Collect), planned: 0, settled: 0, rows: 3_400, ..live_run() },
        ],
        alarms: alarm_rows(written),
    }
}

fn change(
    field: &str,
    en: &str,
    zh: &str,
    before: serde_json::Value,
    after: serde_json::Value,
) -> FieldChange {
    FieldChange { field: field.to_owned(), label: Text::new(en, zh), before, after }
}

fn attempt(errcode: Option<i64>) -> AttemptRow {
    AttemptRow {
        api: "user/create".to_owned(),
        at: before(4),
        took_ms: 183,
        errcode,
        errmsg: "mobile existed".to_owned(),
    }
}

fn operation(kind: OperationKind, place: u64, written: &Written) -> OperationView {
    let fields = match kind {
        OperationKind::Create => vec![
            change("name", "name", "姓名", json!(null), json!(written.person)),
            change("mobile", "mobile", "手机号", json!(null), json!("138…34")),
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
        left: kind == OperationKind::Disable,
        state: if place == 4 { OperationState::Refused } else { OperationState::Planned },
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
        purpose: "sync".to_owned(),
        undoes: None,
        hash: Digest::of("plan"),
        state: PlanState::Held,
        reason: None,
        run: "r20261124-093500-1".parse().unwrap(),
        made_at: before(25),
        operations: 327,
        counts: Counts { created: 3, updated: 12, disabled: 312, refused: 4, ..Counts::default() },
        owned: 1_204,
        retry: true,
        undecided: Some(format!("deadline: {}", written.words)),
        guard: vec![GuardReason {
            limit: "leave_percent".to_owned(),
            found: 312,
            allowed: 240,
            text: Text::new(
                "would disable or delete 312 of 1204 members, more than 20 %",
                "将停用或删除 1204 名成员中的 312 名，超过 20%",
            ),
        }],
        may: PlanMay { approve: true, apply: true, reject: true },
        items: kinds.into_iter().zip(0..).map(|(kind, place)| operation(kind, place, written)).collect(),
        next: Some(50),
        revealed,
    }
}

fn row_fields(written: &Written) -> Vec<RowField> {
    [
        ("_widget_name", "姓名", json!(written.person)),
        ("_widget_mobile", "手机号", json!("138…34")),
        ("_widget_department", "部门", json!(["一车间", written.words])),
        ("_widget_date", "入职日期", json!("2026-11-20T16:00:00.000Z")),
        ("_widget_note", "备注", json!(written.words)),
        ("_widget_extra", written.tenant, json!({ "a": written.words })),
    ]
    .into_iter()
    .map(|(field, label, value)| RowField { field: field.to_owned(), label: label.to_owned(), value })
    .collect()
}

fn reject(written: &Written, by: RefusedBy) -> RejectView {
    RejectView {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        record: written.record.parse().unwrap(),
        by,
        errcode: (by == RefusedBy::Wecom).then_some(60_104),
        violations: vec![
            ViolationView {
                field: "_widget_mobile".to_owned(),
                label: "手机号".to_owned(),
                rule: "mobile.invalid".to_owned(),
                message: "不是有效的手机号 / is not a valid mobile number".to_owned(),
            },
            ViolationView {
                field: "_widget_name".to_owned(),
                label: written.tenant.to_owned(),
                rule: "name.missing".to_owned(),
                message: written.words.to_owned(),
            },
        ],
        row: row_fields(written),
        first_seen: before(60 * 26),
        last_seen: before(5),
    }
}

pub(super) fn quarantine_view(written: &Written, revealed: bool) -> QuarantineView {
    QuarantineView {
        page: desk::Page {
            items: [RefusedBy::Guest, RefusedBy::Plan, RefusedBy::Wecom, RefusedBy::Person]
                .map(|by| reject(written, by))
                .into(),
            next: Some("63e0/706d".to_owned()),
        },
        total: 1_204,
        by_rule: vec![
            RuleGroup { rule: "mobile.invalid".to_owned(), records: 1_100 },
            RuleGroup { rule: written.words.to_owned(), records: 104 },
        ],
        revealed,
    }
}

pub(super) fn record_view(written: &Written, verdict: Verdict) -> RecordView {
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
            reason: (verdict != Verdict::Upsert).then(|| written.words.to_owned()),
            member: vec![
                change("name", "name", "姓名", json!(null), json!(written.person)),
                change("mobile", "mobile", "手机号", json!(null), json!("138…34")),
            ],
        },
        notes: vec![written.words.to_owned(), "已去除空格 / spaces were removed".to_owned()],
        told: Some("2026-11-24T09:35:00Z Asia/Shanghai".to_owned()),
        refusal: (verdict == Verdict::Reject).then(|| reject(written, RefusedBy::Wecom)),
        operations: vec![
            operation(OperationKind::Create, 0, written),
            operation(OperationKind::Update, 4, written),
        ],
        members: vec![MemberView { userid: "jxt10234".to_owned(), state: "active".to_owned() }],
        revealed: false,
    }
}

fn activation(number: u64, kind: ActivationKind, written: &Written) -> ActivationRow {
    ActivationRow {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        number,
        at: before(60 * 24 * (10 - number.cast_signed())),
        who: written.person.to_owned(),
        why: (number > 1).then(|| written.words.to_owned()),
        kind,
        name: written.words.to_owned(),
        version: format!("1.{number}.0"),
        component: Digest::of("component"),
        config: Digest::of(number.to_string()),
        rules: Digest::of(format!("rules {number}")),
        offered: Digest::of("offered"),
        compared: 11_240,
        changed: number * 3,
        approved: number == 3,
    }
}

fn offered(is: Offers) -> OfferedRules {
    OfferedRules {
        is,
        rules: Some(Digest::of("offered")),
        component: Some(Digest::of("component")),
        component_file: "guests/member.wasm".to_owned(),
        rules_file: Some("tenants/jingxintai/onboarding.json".to_owned()),
        failure: (is == Offers::Unreadable).then(|| failure("guest.file", &KIND)),
    }
}

pub(super) fn guest_view(written: &Written, is: Offers) -> FlowGuestView {
    let kinds =
        [ActivationKind::File, ActivationKind::Rollback, ActivationKind::Activate, ActivationKind::First];
    let history: Vec<ActivationRow> =
        kinds.into_iter().zip([4, 3, 2, 1]).map(|(kind, number)| activation(number, kind, written)).collect();
    FlowGuestView {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        live: Some(LiveRules {
            activation: activation(4, ActivationKind::File, written),
            fields: vec!["_widget_name".to_owned(), "_widget_mobile".to_owned()],
        }),
        offered: offered(is),
        history,
    }
}

pub(super) fn difference_view(written: &Written) -> DifferenceView {
    let difference = |before, after| Difference {
        record: written.record.to_owned(),
        userid: Some("JXT10234".to_owned()),
        name: Some(written.person.to_owned()),
        before,
        after,
        fields: vec![FieldDifference {
            field: "position".to_owned(),
            before: json!("操作工"),
            after: json!(written.words),
        }],
    };
    DifferenceView {
        live: activation(4, ActivationKind::File, written),
        rules: Digest::of("offered"),
        trial: Trial {
            compared: 2_000,
            changed: 812,
            reworded: 3,
            failed: 0,
            failure: None,
            unread: vec!["_widget_new".to_owned()],
        },
        differences: vec![
            difference(Verdict::Upsert, Verdict::Upsert),
            difference(Verdict::Upsert, Verdict::Reject),
            difference(Verdict::Leave, Verdict::Ignore),
        ],
        more: true,
        needs_approval: true,
        rules_file: format!(
            "@@ -1,3 +1,3 @@\n {{\n-  \"label\": \"{0}\"\n+  \"label\": \"{0}!\"\n }}",
            written.words
        ),
        revealed: false,
    }
}

pub(super) fn audit_page(written: &Written) -> desk::Page<AuditRow> {
    let row = |action: &str, outcome: &str, subject: Option<&str>| AuditRow {
        id: "1".to_owned(),
        at: before(12),
        who: written.person.to_owned(),
        role: "operator".to_owned(),
        origin: "page 10.0.0.8".to_owned(),
        action: action.to_owned(),
        tenant: Some("jingxintai".parse().unwrap()),
        flow: Some("onboarding".parse().unwrap()),
        subject: subject.map(str::to_owned),
        detail: Some(written.words.to_owned()),
        outcome: outcome.to_owned(),
    };
    desk::Page {
        items: vec![
            row("plan.approve", "done", Some("p0a1b2c3d4e5f")),
            row("record.reveal", "done", Some(written.record)),
            row("rules.roll_back", "access.forbidden", Some("3")),
            AuditRow { tenant: None, flow: None, ..row("session.begin", "begun", None) },
        ],
        next: Some("41".to_owned()),
    }
}

pub(super) fn alarm_rows(written: &Written) -> Vec<AlarmRow> {
    let alarm = |kind: &str, over: bool| AlarmRow {
        key: kind.to_owned(),
        kind: kind.to_owned(),
        tenant: (kind != "files.refused").then(|| "jingxintai".parse().unwrap()),
        flow: (kind == "plan.held").then(|| "onboarding".parse().unwrap()),
        text: both(written.words),
        hint: Some(both(written.words)),
        since: before(60 * 30),
        last_seen: before(5),
        seen: 14,
        told_at: (kind == "plan.held").then(|| before(60 * 29)),
        over_at: over.then(|| before(3)),
        over_told_at: None,
        page: (kind == "plan.held").then(|| "/plans/jingxintai/p0a1b2c3d4e5f".to_owned()),
    };
    vec![
        alarm("plan.held", false),
        alarm("quarantine.growing", false),
        alarm("files.refused", false),
        alarm("run.late", true),
    ]
}

pub(super) fn settings_view(written: &Written, same: bool) -> SettingsView {
    let problem = ProblemView {
        file: "tenants/jingxintai.toml".to_owned(),
        line: Some(12),
        column: Some(9),
        source_line: Some("secret = { env = \"RUZHI\" }".to_owned()),
        text: both(written.words),
        hint: Some(both(written.words)),
    };
    SettingsView {
        version: "0.1.0".to_owned(),
        started_at: before(60 * 50),
        dir: "/etc/ruzhi".to_owned(),
        observance: Observance {
            same,
            refused: (!same).then(|| failure("config", written)),
            problems: if same { Vec::new() } else { vec![problem.clone()] },
            warnings: vec![problem],
        },
        server: ServerView {
            listen: "127.0.0.1:7080".to_owned(),
            url: None,
            people: vec![
                PersonView { name: written.person.to_owned(), role: Role::Operator },
                PersonView { name: "韩梅梅".to_owned(), role: Role::Viewer },
            ],
        },
        store: "/var/lib/ruzhi/ruzhi.db".to_owned(),
        at_once: 32,
        late_after_seconds: 900,
        alarms: AlarmsView { robot: true, url: false, lang: None },
        guest_memory_bytes: 64 << 20,
        guest_deadline_ms: 2_000,
        tenants: vec![TenantSettings {
            id: "jingxintai".parse().unwrap(),
            name: written.tenant.to_owned(),
            file: "tenants/jingxintai.toml".to_owned(),
            timezone: "Asia/Shanghai".to_owned(),
            corp_id: "ww0123456789abcdef".to_owned(),
            wecom: "https://qyapi.weixin.qq.com".to_owned(),
            proxy: true,
            secrets: vec![
                SecretView { key: "wecom.secret".to_owned(), set: true },
                SecretView { key: "wecom.callback.token".to_owned(), set: false },
            ],
            jiandaoyun: "https://api.jiandaoyun.com".to_owned(),
            per_minute: 10_000,
            per_hour: 150_000,
            in_flight: 4,
            batch_from: 1_000,
            guard: vec![
                LimitView { key: "leave_percent".to_owned(), most: Some(20) },
                LimitView { key: "update_most".to_owned(), most: None },
            ],
            grace_days: 30,
            protected: vec!["boss".to_owned()],
            alarms: None,
            flows: vec![FlowSettings {
                id: "onboarding".parse().unwrap(),
                schedule: Some("*/5 * * * *".to_owned()),
                form: "v5 6399c24287cae90008d24e0b/63e0706d0e33350008189952".to_owned(),
                filter: Some(json!({ "rel": "and", "cond": [{ "field": written.words }] })),
                overlap_seconds: 300,
                duplicates: "refuse".to_owned(),
                absent: "keep".to_owned(),
                push: true,
                write_back: Some(written.words.to_owned()),
                rules: offered(Offers::New),
            }],
        }],
    }
}

fn charts_page(view: &View, written: &Written) -> Page {
    let points = (0..30_u64)
        .map(|day| RunsPoint {
            at: before((30 - day.cast_signed()) * 60 * 24),
            done: 288 - (day * 7) % 40,
            held: u64::from(day % 11 == 3),
            failed: if day == 17 { 60 } else { day % 4 },
            running: 0,
            created: day,
            updated: 0,
            disabled: 0,
            enabled: 0,
            deleted: 0,
        })
        .collect();
    let rules = [("mobile.invalid", 41), ("department.unknown", 12), ("name.missing", 3)];
    charts::page(
        view,
        &RunsChart { step: ChartStep::Day, points },
        &RefusalsChart {
            rules: rules
                .into_iter()
                .map(|(rule, records)| RuleCount {
                    rule: rule.to_owned(),
                    records,
                    example: written.words.to_owned(),
                })
                .collect(),
            records: 56,
        },
        &CallsChart {
            at: now(),
            corps: vec![CorpCalls {
                corp: "ww0123456789abcdef".to_owned(),
                tenants: vec!["jingxintai".parse().unwrap()],
                per_minute: 10_000,
                per_hour: 150_000,
                apis: vec![
                    ApiCalls { api: "user/create".to_owned(), last_minute: 9_412, last_hour: 61_000 },
                    ApiCalls { api: "user/update".to_owned(), last_minute: 120, last_hour: 4_020 },
                ],
            }],
        },
        &ChartAsked::default(),
    )
}

pub(super) fn failure(code: &str, written: &Written) -> Failure {
    let hint = Text::new("Correct it and save the file.", "请修改后保存文件。");
    Failure::new(exit::USAGE, code, both(written.words), Some(hint))
        .because(&std::io::Error::other(written.words))
}

fn run_view(row: RunRow, live: bool, written: &Written) -> RunView {
    RunView {
        live: live.then(live_run),
        plan_state: Some(if row.state == RunState::Held { PlanState::Held } else { PlanState::Done }),
        operations: Some(1_240),
        rules: Some(activation(4, ActivationKind::File, written)),
        seconds: 63,
        at: now(),
        run: row,
    }
}

/// Every page, each by a name, as people who write like this would see it.
pub(super) fn pages(view: &View, written: &Written) -> Vec<(&'static str, Page)> {
    let asked = QuarantineAsked {
        rule: Some("mobile.invalid".to_owned()),
        search: Some(written.words.to_owned()),
        ..QuarantineAsked::default()
    };
    let all = overview(written);
    let nothing = Overview {
        tenants: Vec::new(),
        attention: Vec::new(),
        live: Vec::new(),
        alarms: Vec::new(),
        ..all.clone()
    };
    let failed = RunRow {
        problem: Some(both(written.words)),
        ended_at: Some(before(3)),
        ..run_row(RunState::Failed, RunKind::Apply, usual())
    };
    let page = |items| desk::Page { items, next: Some("r1".to_owned()) };
    let rows = vec![
        run_row(RunState::Running, RunKind::Sync, Counts::default()),
        run_row(RunState::Done, RunKind::Sync, usual()),
        run_row(RunState::Held, RunKind::Plan, usual()),
        failed.clone(),
    ];
    let quarantined = quarantine_view(written, false);
    let empty_quarantine = QuarantineView { page: none(), total: 0, by_rule: Vec::new(), revealed: false };
    let rejected = PlanView {
        state: PlanState::Rejected,
        reason: Some(written.words.to_owned()),
        may: PlanMay { approve: false, apply: false, reject: false },
        guard: Vec::new(),
        items: Vec::new(),
        next: None,
        purpose: "revert".to_owned(),
        undoes: Some("r1".parse().unwrap()),
        ..plan_view(written, false)
    };
    let guest = guest_view(written, Offers::PassedOver);
    let bare = FlowGuestView { live: None, history: Vec::new(), ..guest_view(written, Offers::Unreadable) };
    let second = FlowGuestView { flow: "leavers".parse().unwrap(), ..guest_view(written, Offers::New) };
    let guests = GuestOverview { flows: vec![guest.clone(), second, bare.clone()] };
    let none_differ = DifferenceView {
        differences: Vec::new(),
        more: false,
        rules_file: String::new(),
        trial: Trial { failed: 3, failure: Some(written.words.to_owned()), ..Trial::default() },
        revealed: true,
        ..difference_view(written)
    };
    vec![
        ("overview", overview::page(view, &all)),
        ("overview-nothing", overview::page(view, &nothing)),
        ("tenant", overview::tenant_page(view, &all, &all.tenants[0])),
        ("tenant-blocked", overview::tenant_page(view, &all, &all.tenants[1])),
        ("run-live", run::page(view, &run_view(rows[0].clone(), true, written))),
        ("run-done", run::page(view, &run_view(rows[1].clone(), false, written))),
        ("run-held", run::page(view, &run_view(rows[2].clone(), false, written))),
        ("run-failed", run::page(view, &run_view(failed, false, written))),
        (
            "runs",
            runs::page(
                view,
                &page(rows),
                &RunsAsked { after: Some("r9".to_owned()), ..RunsAsked::default() },
            ),
        ),
        ("runs-none", runs::page(view, &none(), &RunsAsked::default())),
        ("plan", plan::page(view, &plan_view(written, false), &PlanAsked::default())),
        ("plan-revealed", plan::page(view, &plan_view(written, true), &PlanAsked::default())),
        ("plan-rejected", plan::page(view, &rejected, &PlanAsked::default())),
        ("quarantine", quarantine::page(view, &quarantined, &QuarantineAsked::default())),
        ("quarantine-filtered", quarantine::page(view, &quarantine_view(written, true), &asked)),
        ("quarantine-none", quarantine::page(view, &empty_quarantine, &QuarantineAsked::default())),
        ("record", record::page(view, &record_view(written, Verdict::Upsert))),
        ("record-refused", record::page(view, &record_view(written, Verdict::Reject))),
        ("guests", guests::page(view, &guests)),
        ("guest", guests::flow_page(view, &guest)),
        ("guest-live", guests::flow_page(view, &guest_view(written, Offers::Live))),
        ("guest-none", guests::flow_page(view, &bare)),
        ("difference", guests::difference_page(view, &guest, &difference_view(written), None)),
        ("difference-none", guests::difference_page(view, &guest, &none_differ, Some("3"))),
        ("charts", charts_page(view, written)),
        ("alarms", alarms::page(view, &alarm_rows(written))),
        ("alarms-none", alarms::page(view, &[])),
        (
            "audit",
            audit::page(
                view,
                &audit_page(written),
                &AuditAsked { after: Some("9".to_owned()), ..AuditAsked::default() },
            ),
        ),
        ("audit-none", audit::page(view, &none(), &AuditAsked::default())),
        ("settings", settings::page(view, &settings_view(written, true))),
        ("settings-refused", settings::page(view, &settings_view(written, false))),
        ("trouble", trouble::drawn(view, &failure("plan.unknown", written))),
    ]
}

fn none<T>() -> desk::Page<T> {
    desk::Page { items: Vec::new(), next: None }
}
