//! Tenants, flows and their states.

use super::*;

pub(super) fn standing(state: StandingState, written: &Written) -> FlowStanding {
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
            service: Some(RemoteService::Wecom),
            code: "wecom.60020".to_owned(),
            text: Text::new("WeCom refuses this machine's address", "企业微信拒绝本机的 IP 地址"),
            hint: Some(Text::new("Add it to the trusted addresses.", "请将其加入可信 IP。")),
            at: before(30),
            settings: String::new(),
        }),
    }
}

pub(super) fn flow_overview(
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
        removed: if state == StandingState::Waiting { 2 } else { 0 },
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
                    "请查看计划，然后批准或驳回。",
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
