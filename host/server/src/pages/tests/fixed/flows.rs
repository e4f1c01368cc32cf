//! Tenants, flows and their states.

use super::*;

pub(super) fn schedule_state(state: ScheduleStateKind, written: &Written) -> ScheduleState {
    ScheduleState {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        state,
        next: Some(now() + TimeDelta::minutes(5)),
        queued_since: None,
        run: None,
        failures: 0,
        late: state == ScheduleStateKind::Queued,
        paused: (state == ScheduleStateKind::Paused).then(|| Paused {
            who: written.person.to_owned(),
            at: before(90),
            why: Some(written.words.to_owned()),
        }),
        blocked: (state == ScheduleStateKind::Blocked).then(|| Blocked {
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
    state: ScheduleStateKind,
    run: Option<RunRow>,
    written: &Written,
) -> FlowOverview {
    let held = run.as_ref().filter(|run| run.state == RunState::Held).and_then(|run| run.plan.clone());
    FlowOverview {
        tenant: tenant.parse().unwrap(),
        flow: flow.parse().unwrap(),
        schedule: (state != ScheduleStateKind::Idle).then(|| "*/5 * * * *".to_owned()),
        schedule_state: Some(schedule_state(state, written)),
        last_run: run,
        next_run: None,
        members: 11_219,
        records: 11_240,
        rejected: if state == ScheduleStateKind::Waiting { 4 } else { 0 },
        removed: if state == ScheduleStateKind::Waiting { 2 } else { 0 },
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
            ScheduleStateKind::Waiting,
            Some(run_row(RunState::Done, RunKind::Sync, usual())),
            written,
        ),
        flow_overview(
            "jingxintai",
            "leavers",
            ScheduleStateKind::Paused,
            Some(run_row(RunState::Held, RunKind::Sync, Counts { disabled: 312, ..Counts::default() })),
            written,
        ),
        flow_overview("jingxintai", "dispatch", ScheduleStateKind::Idle, None, written),
    ];
    let other = vec![
        flow_overview("huadong", "onboarding", ScheduleStateKind::Blocked, Some(failed), written),
        flow_overview(
            "huadong",
            "interns",
            ScheduleStateKind::Queued,
            Some(run_row(RunState::Done, RunKind::Sync, Counts { unchanged: 42, ..Counts::default() })),
            written,
        ),
    ];
    let kinds = [
        AttentionKind::Blocked,
        AttentionKind::HeldPlan,
        AttentionKind::ConfigInvalid,
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
                tenant: (kind != AttentionKind::ConfigInvalid).then(|| "jingxintai".parse().unwrap()),
                flow: (kind != AttentionKind::ConfigInvalid).then(|| "onboarding".parse().unwrap()),
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
        alerts: alert_rows(written),
    }
}
