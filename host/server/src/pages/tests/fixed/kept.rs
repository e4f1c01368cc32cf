//! Audit log, alerts and settings.

use super::*;

pub(super) fn audit_page(written: &Written) -> ruzhi_app::Page<AuditRow> {
    let row = |action: &str, outcome: &str, subject: Option<&str>| AuditRow {
        id: "1".parse().unwrap(),
        at: before(12),
        who: written.person.to_owned(),
        role: "operator".to_owned(),
        origin: "page 10.0.0.8".to_owned(),
        action: action.parse().unwrap(),
        tenant: Some("jingxintai".parse().unwrap()),
        flow: Some("onboarding".parse().unwrap()),
        subject: subject.map(str::to_owned),
        detail: Some(written.words.to_owned()),
        outcome: outcome.to_owned(),
    };
    ruzhi_app::Page {
        items: vec![
            row("plan.approve", "done", Some("p0a1b2c3d4e5f")),
            row("record.reveal", "done", Some(written.record)),
            row("plan.approve", "plan.unknown", Some("p00000000000")),
            row("rules.rollback", "access.forbidden", Some("3")),
            AuditRow { tenant: None, flow: None, ..row("session.begin", "begun", None) },
        ],
        next_cursor: Some("41".to_owned()),
    }
}

pub(super) fn alert_rows(written: &Written) -> Vec<AlertRow> {
    let alert = |kind: &str, over: bool| AlertRow {
        key: kind.to_owned(),
        kind: kind.to_owned(),
        tenant: (kind != "config.invalid").then(|| "jingxintai".parse().unwrap()),
        flow: (kind == "plan.held").then(|| "onboarding".parse().unwrap()),
        text: both(written.words),
        hint: Some(both(written.words)),
        since: before(60 * 30),
        last_seen: before(5),
        seen: 14,
        notified_at: (kind == "plan.held").then(|| before(60 * 29)),
        resolved_at: over.then(|| before(3)),
        resolution_notified_at: None,
        page: (kind == "plan.held").then(|| "/plans/jingxintai/p0a1b2c3d4e5f".to_owned()),
    };
    vec![
        alert("plan.held", false),
        alert("quarantine.growing", false),
        alert("config.invalid", false),
        alert("run.late", true),
    ]
}

pub(super) fn settings_view(written: &Written, in_use: bool) -> SettingsView {
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
        configuration: ConfigurationStatus {
            in_use,
            error: (!in_use).then(|| failure("config", written)),
            problems: if in_use { Vec::new() } else { vec![problem.clone()] },
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
        alerts: AlertsView { robot: true, url: false, lang: None },
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
            jiandaoyun_proxy: false,
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
            alerts: None,
            flows: vec![FlowSettings {
                id: "onboarding".parse().unwrap(),
                schedule: Some("*/5 * * * *".to_owned()),
                form: "v5 6399c24287cae90008d24e0b/63e0706d0e33350008189952".to_owned(),
                filter: Some(json!({ "rel": "and", "cond": [{ "field": written.words }] })),
                overlap_seconds: 300,
                duplicates: "reject".to_owned(),
                absent: "keep".to_owned(),
                push: true,
                write_back: Some(written.words.to_owned()),
                rules: offered(Offers::New),
            }],
        }],
    }
}
