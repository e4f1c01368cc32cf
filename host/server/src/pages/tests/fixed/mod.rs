//! A realistic deployment, the same every time.

mod flows;
mod kept;
mod people;
mod rule_sets;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use flows::*;
use kept::*;
use people::*;
use rule_sets::*;

use super::super::flash::Flash;
use super::super::layout::HtmlPage;
use super::super::view::{TenantPlace, View};
use super::super::{
    alerts, audit, charts, drift, error_page, overview, plan, quarantine, record, rules, run, runs, settings,
};
use ruzhi_app::scheduler::{ScheduleState, ScheduleStateKind};
use ruzhi_app::{
    self, AlertsView, ApiCalls, Attention, AttentionKind, AuditQuery, CallsChart, ChartQuery, ChartStep,
    ConfigurationStatus, CorpCalls, DecisionView, DifferenceView, DriftQuery, DriftView, FieldChange,
    FlowOverview, FlowRulesView, FlowSettings, GuestName, LimitView, LiveRules, MemberView, OfferedRules,
    Offers, OperationView, Overview, PersonView, PlanMay, PlanQuery, PlanView, ProblemView, QuarantineChart,
    QuarantineQuery, QuarantineView, RecordView, RejectView, RemovalView, RowField, RuleGroup, RulesOverview,
    RunView, RunsChart, RunsPoint, RunsQuery, SecretView, ServerView, SettingsView, TenantOverview,
    TenantSettings, ViolationView,
};
use ruzhi_app::{LiveRun, PATIENCE, Principal};
use ruzhi_config::Role;
use ruzhi_message::{Report, exit};
use ruzhi_model::{
    DepartmentId, Digest, Lang, OperationKind, OperationState, Origin, RejectedBy, RemoteService,
    RemovalAnswer, TenantId, Text, UniqueField, WaitsFor,
};
use ruzhi_plan::drift::DriftFinding;
use ruzhi_plan::{Counts, GuardLimit, GuardReason, PurposeKind};
use ruzhi_rules::{DecisionKind, Difference, FieldDifference, Trial};
use ruzhi_store::{
    ActivationKind, ActivationRow, AlertRow, AttemptRow, AuditRow, Blocked, Paused, PlanState, RunCause,
    RunKind, RunRow, RunState,
};
use ruzhi_sync::Stage;

/// Free text that people write.
pub(super) struct Written {
    pub(super) tenant: &'static str,
    pub(super) person: &'static str,
    pub(super) words: &'static str,
    /// A record's id may be any printable characters.
    pub(super) record: &'static str,
}

/// Benign input.
pub(super) const KIND: Written = Written {
    tenant: "景欣泰工厂",
    person: "李雷",
    words: "季度入职，已与人事核对",
    record: "63e0706d0e33350008189952",
};

/// Hostile input.
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
        ("jingxintai", written.tenant, vec!["onboarding".parse().unwrap(), "leavers".parse().unwrap()]),
        ("huadong", "华东电子", vec!["onboarding".parse().unwrap()]),
    ];
    let zone = chrono_tz::Asia::Shanghai;
    View {
        principal: Principal {
            name: written.person.to_owned(),
            role,
            origin: "page 10.0.0.8".to_owned(),
            lang,
            patience: PATIENCE,
        },
        csrf: Some("0123456789abcdef".to_owned()),
        now: now(),
        here: here.to_owned(),
        flash: Some(Flash::Resumed),
        alerts: 2,
        places: Arc::new(
            places
                .into_iter()
                .map(|(id, name, flows)| {
                    (id.parse().unwrap(), TenantPlace { name: name.to_owned(), zone, flows })
                })
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
        cause: Some(RunCause::CutOff),
        state,
        started_at: before(5),
        ended_at: (state != RunState::Running).then(|| before(4)),
        plan: Some("p0a1b2c3d4e5f".parse().unwrap()),
        rules: Some(Digest::of("rules")),
        counts,
        calls: BTreeMap::from([
            ("wecom user/create".parse().unwrap(), 312),
            ("wecom department/simplelist".parse().unwrap(), 1),
        ]),
        problem: None,
        failure: None,
    }
}

fn usual() -> Counts {
    Counts { created: 3, updated: 12, disabled: 1, rejected: 4, unchanged: 11_204, ..Counts::default() }
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

fn charts_page(view: &View, written: &Written) -> HtmlPage {
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
        &QuarantineChart {
            rules: rules
                .into_iter()
                .map(|(rule, records)| RuleGroup {
                    rule: rule.to_owned(),
                    labels: vec!["手机号".to_owned(), written.words.to_owned()],
                    records,
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
        &ChartQuery::default(),
    )
}

pub(super) fn failure(code: &str, written: &Written) -> Report {
    let hint = Text::new("Correct it and save the file.", "请修改后保存文件。");
    let command = Text::new("`ruzhi status` lists them", "`ruzhi status` 会列出");
    Report::new(exit::USAGE, code, both(written.words), Some(command))
        .on_page(Some(hint))
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
        drift: (row.kind == RunKind::Drift).then(drift_view),
        may_revert: row.state == RunState::Done && row.kind.writes(),
        run: row,
    }
}

fn drift_view() -> DriftView {
    let userid = |name: &str| name.parse().unwrap();
    let owner = Origin {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        record: KIND.record.parse().unwrap(),
    };
    DriftView {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        run: "r20261124-093500-1".parse().unwrap(),
        at: before(4),
        total: 312,
        items: vec![
            DriftFinding::Missing { userid: userid("lilei"), owner: owner.clone() },
            DriftFinding::Moved {
                userid: userid("hanmeimei"),
                owner: owner.clone(),
                ledger: [DepartmentId(2), DepartmentId(5)].into(),
                directory: [DepartmentId(7)].into(),
            },
            DriftFinding::Changed {
                userid: userid("wangwu"),
                owner,
                field: "position".to_owned(),
                ledger: serde_json::Value::Null,
                directory: serde_json::Value::Null,
            },
            DriftFinding::Unexpected { userid: userid("boss") },
        ],
        next_cursor: Some(4),
    }
}

/// Every page by name, with this input.
pub(super) fn pages(view: &View, written: &Written) -> Vec<(&'static str, HtmlPage)> {
    let checked = RunRow { plan: None, ..run_row(RunState::Done, RunKind::Drift, Counts::default()) };
    let tenant: TenantId = "jingxintai".parse().unwrap();
    let asked = QuarantineQuery {
        rule: Some("mobile.invalid".to_owned()),
        search: Some(written.words.to_owned()),
        ..QuarantineQuery::default()
    };
    let all = overview(written);
    let nothing = Overview {
        tenants: Vec::new(),
        attention: Vec::new(),
        live: Vec::new(),
        alerts: Vec::new(),
        ..all.clone()
    };
    let failed = RunRow {
        problem: Some(both(written.words)),
        failure: Some(failure("run.undone", written)),
        ended_at: Some(before(3)),
        ..run_row(RunState::Failed, RunKind::Apply, usual())
    };
    let page = |items| ruzhi_app::Page { items, next_cursor: Some("r1".to_owned()) };
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
        next_cursor: None,
        purpose: PurposeKind::Revert,
        undoes: Some("r1".parse().unwrap()),
        ..plan_view(written, false)
    };
    let flow_rules = rules_view(written, Offers::PassedOver);
    let bare = FlowRulesView { live: None, history: Vec::new(), ..rules_view(written, Offers::Unreadable) };
    let second = FlowRulesView { flow: "leavers".parse().unwrap(), ..rules_view(written, Offers::New) };
    let all_rules = RulesOverview { flows: vec![flow_rules.clone(), second, bare.clone()] };
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
        ("run-drift", run::page(view, &run_view(checked, false, written))),
        (
            "drift",
            drift::page(view, &tenant, Some(&drift_view()), &DriftQuery { cursor: Some(4), limit: None }),
        ),
        ("drift-none", drift::page(view, &tenant, None, &DriftQuery::default())),
        (
            "runs",
            runs::page(
                view,
                &page(rows),
                &RunsQuery { cursor: Some("1793000000000.r9".parse().unwrap()), ..RunsQuery::default() },
            ),
        ),
        ("runs-none", runs::page(view, &none(), &RunsQuery::default())),
        ("plan", plan::page(view, &plan_view(written, false), &PlanQuery::default())),
        ("plan-revealed", plan::page(view, &plan_view(written, true), &PlanQuery::default())),
        ("plan-rejected", plan::page(view, &rejected, &PlanQuery::default())),
        ("quarantine", quarantine::page(view, &quarantined, &QuarantineQuery::default())),
        ("quarantine-filtered", quarantine::page(view, &quarantine_view(written, true), &asked)),
        ("quarantine-none", quarantine::page(view, &empty_quarantine, &QuarantineQuery::default())),
        ("record", record::page(view, &record_view(written, DecisionKind::Upsert))),
        ("record-refused", record::page(view, &record_view(written, DecisionKind::Reject))),
        ("rules", rules::page(view, &all_rules)),
        ("flow-rules", rules::flow_page(view, &flow_rules)),
        ("flow-rules-live", rules::flow_page(view, &rules_view(written, Offers::Live))),
        ("flow-rules-none", rules::flow_page(view, &bare)),
        ("difference", rules::difference_page(view, &flow_rules, &difference_view(written), None)),
        ("difference-none", rules::difference_page(view, &flow_rules, &none_differ, Some("3"))),
        ("charts", charts_page(view, written)),
        ("alerts", alerts::page(view, &alert_rows(written))),
        ("alerts-none", alerts::page(view, &[])),
        (
            "audit",
            audit::page(
                view,
                &audit_page(written),
                &AuditQuery {
                    cursor: Some("1793000000000.001793000000000-0000000009-00aa".parse().unwrap()),
                    ..AuditQuery::default()
                },
            ),
        ),
        ("audit-none", audit::page(view, &none(), &AuditQuery::default())),
        ("settings", settings::page(view, &settings_view(written, true))),
        ("settings-refused", settings::page(view, &settings_view(written, false))),
        ("trouble", error_page::drawn(view, &failure("plan.unknown", written))),
    ]
}

fn none<T>() -> ruzhi_app::Page<T> {
    ruzhi_app::Page { items: Vec::new(), next_cursor: None }
}
