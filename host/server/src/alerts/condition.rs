//! The kinds of alerts, with the word, the text, the hint and the page of each.

use ruzhi_app::scheduler::RunFailure;
use ruzhi_message::{Report, exit};
use ruzhi_model::{FlowId, Label, RemoteService, RunId, TenantId, Text, UserId};
use ruzhi_plan::Plan;
use ruzhi_sync::{FailureKind, Notice};

/// A plan waits for a person. Its key does not name the plan: a plan made anew, because a row changed while it waited,
/// is still one matter to look at.
pub(super) const PLAN_HELD: &str = "plan.held";
/// A flow fails repeatedly, or in a way that no retry can fix.
pub(super) const FLOW_FAILING: &str = "flow.failing";
/// A service rejects the credential, the address or the permission.
pub(super) const FLOW_BLOCKED: &str = "flow.blocked";
/// Rows go into quarantine faster than they come out.
pub(super) const QUARANTINE_GROWING: &str = "quarantine.growing";
/// People wait because the corp has no free account.
pub(super) const PLACES_FULL: &str = "places.full";
/// Leavers can still log in, because WeCom refuses to disable them.
pub(super) const LEAVERS_REJECTED: &str = "leavers.rejected";
/// The directory was changed outside ruzhi.
pub(super) const DRIFT_FOUND: &str = "drift.found";
/// Members were removed by hand, their rows want them back, and a person has to decide.
pub(super) const MEMBERS_REMOVED: &str = "members.removed";
/// A run should have begun long ago.
pub(super) const RUN_LATE: &str = "run.late";
/// The configuration on disk is invalid, in part or as a whole.
pub(super) const CONFIG_INVALID: &str = "config.invalid";
/// The configuration on disk has rules that are not live.
pub(super) const RULES_KEPT: &str = "rules.kept";
/// A channel rejects the alerts themselves.
pub(super) const ALERTS_UNDELIVERED: &str = "alerts.undelivered";

/// The clocks of this machine and a service differ.
pub(super) const CLOCK_OFF: &str = "clock.off";
/// The form has never had a row.
pub(super) const FORM_EMPTY: &str = "form.empty";

/// Every kind.
#[cfg(test)]
pub(super) const KINDS: [&str; 14] = [
    PLAN_HELD,
    FLOW_FAILING,
    FLOW_BLOCKED,
    QUARANTINE_GROWING,
    PLACES_FULL,
    LEAVERS_REJECTED,
    DRIFT_FOUND,
    MEMBERS_REMOVED,
    RUN_LATE,
    CONFIG_INVALID,
    RULES_KEPT,
    ALERTS_UNDELIVERED,
    CLOCK_OFF,
    FORM_EMPTY,
];

/// The word for a kind; none for a kind of a newer version.
pub(crate) fn label(kind: &str) -> Option<Label> {
    let (en, zh) = match kind {
        PLAN_HELD => ("plan held", "计划待审批"),
        FLOW_FAILING => ("flow failing", "同步失败"),
        FLOW_BLOCKED => ("flow blocked", "同步已停止待处理"),
        MEMBERS_REMOVED => ("members removed by hand", "成员被手工删除"),
        QUARANTINE_GROWING => ("quarantine growing", "待修正增多"),
        PLACES_FULL => ("no free accounts", "账号名额已满"),
        LEAVERS_REJECTED => ("leavers can still log in", "离职人员仍可登录"),
        RUN_LATE => ("run late", "运行逾期"),
        CONFIG_INVALID => ("configuration invalid", "配置未采用"),
        RULES_KEPT => ("rules not live", "规则未上线"),
        CLOCK_OFF => ("clock off", "时钟偏差"),
        FORM_EMPTY => ("form without rows", "表单无数据"),
        DRIFT_FOUND => ("directory changed by hand", "通讯录被手工改动"),
        ALERTS_UNDELIVERED => ("alerts undelivered", "告警未送达"),
        _ => return None,
    };
    Some(Label::new(en, zh))
}

/// Consecutive failures from which on a flow counts as failing.
pub(super) const FAILURES: u32 = 2;

/// The content of an alert before it is raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlertCondition {
    /// One alert of a key stands at a time.
    pub key: String,
    /// Its kind, such as `plan.held`.
    pub kind: &'static str,
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The flow.
    pub flow: Option<FlowId>,
    /// The event and its subject.
    pub text: Text,
    /// Suggested next step.
    pub hint: Option<Text>,
    /// The page with details.
    pub page: Option<String>,
}

/// The key of an alert of a flow.
pub(super) fn key(kind: &str, tenant: &TenantId, flow: &FlowId) -> String {
    format!("{kind}/{tenant}/{flow}")
}

/// The key of an alert of a tenant.
pub(super) fn tenants_key(kind: &str, tenant: &TenantId) -> String {
    format!("{kind}/{tenant}")
}

fn of_flow(kind: &'static str, (tenant, flow): (&TenantId, &FlowId), text: Text) -> AlertCondition {
    AlertCondition {
        key: key(kind, tenant, flow),
        kind,
        tenant: Some(tenant.clone()),
        flow: Some(flow.clone()),
        text,
        hint: None,
        page: Some(format!("/tenants/{tenant}")),
    }
}

/// The text of a failure with its code.
fn told(report: &Report) -> Text {
    let code = report.code();
    Text::new(format!("{} ({code})", report.text().en), format!("{}（{code}）", report.text().zh))
}

pub(super) fn plan_held(plan: &Plan) -> AlertCondition {
    let id = &plan.id;
    let reasons = |pick: fn(&Text) -> &str, by| {
        plan.guard.reasons.iter().map(|reason| pick(&reason.text)).collect::<Vec<_>>().join(by)
    };
    let text = Text::new(
        format!(
            "plan {id} with {} operations waits for approval: {}",
            plan.operations,
            reasons(|text| &text.en, "; ")
        ),
        format!("计划 {id}（{} 项操作）待审批：{}", plan.operations, reasons(|text| &text.zh, "；")),
    );
    AlertCondition {
        hint: Some(Text::new(
            "open the plan, read it, and approve or reject it there; nothing of it is written before",
            "请打开该计划，查看后批准或驳回；在此之前不会写入任何内容",
        )),
        page: Some(format!("/plans/{}/{id}", plan.tenant)),
        ..of_flow(PLAN_HELD, (&plan.tenant, &plan.flow), text)
    }
}

/// True if no retry can fix a failure, so that one is enough for an alert: the configuration or the form is wrong. A
/// service that does not answer is retried first.
pub(super) fn is_final(report: &RunFailure) -> bool {
    report.report.exit() == exit::USAGE || report.kind == FailureKind::Form
}

pub(super) fn flow_failing(flow: (&TenantId, &FlowId), failures: u32, report: &Report) -> AlertCondition {
    let what = told(report);
    let text = match failures {
        0 | 1 => Text::new(format!("the run failed: {}", what.en), format!("运行失败：{}", what.zh)),
        _ => Text::new(
            format!("{failures} runs failed in a row, the last one so: {}", what.en),
            format!("连续 {failures} 次运行失败，最近一次：{}", what.zh),
        ),
    };
    let hint = report.page_hint().cloned().unwrap_or_else(|| {
        Text::new("open the last run: its page shows the problem", "请打开最近一次运行，其页面会显示问题所在")
    });
    AlertCondition { hint: Some(hint), ..of_flow(FLOW_FAILING, flow, text) }
}

pub(super) fn flow_blocked(
    flow: (&TenantId, &FlowId),
    service: Option<RemoteService>,
    code: &str,
    text: &Text,
    hint: Option<&Text>,
) -> AlertCondition {
    let service = service.map_or_else(|| Text::new("a service", "对方服务"), RemoteService::name);
    let (tenant, id) = flow;
    let resume = Text::new(
        format!(
            "nothing is asked until {tenant}/{id} is resumed on the tenant's page or its settings change"
        ),
        format!("{tenant}/{id} 已停止，不再发起调用；请在工厂页面点击“恢复”，或修改其设置"),
    );
    let hint = match hint {
        Some(hint) => {
            Text::new(format!("{} · {}", hint.en, resume.en), format!("{} · {}", hint.zh, resume.zh))
        }
        None => resume,
    };
    let text = Text::new(
        format!("{} refuses the credential, the address or the right ({code}): {}", service.en, text.en),
        format!("{}拒绝了凭证、IP 或权限（{code}）：{}", service.zh, text.zh),
    );
    AlertCondition { hint: Some(hint), ..of_flow(FLOW_BLOCKED, flow, text) }
}

/// A check is of the tenant's whole directory, whichever flow makes it.
pub(super) fn drift_found(tenant: &TenantId, findings: u64) -> AlertCondition {
    let text = Text::new(
        format!("the directory was changed outside ruzhi: {findings} differences from what ruzhi wrote"),
        format!("通讯录被他人改动：与 ruzhi 写入的内容有 {findings} 处不同"),
    );
    let hint = Text::new(
        "open the list, then keep the changes, restore ruzhi's values or take the members over; nothing is written until a person decides",
        "请打开列表查看，然后保留改动、恢复为 ruzhi 写入的内容或接管成员；决定之前不会写入",
    );
    AlertCondition {
        key: tenants_key(DRIFT_FOUND, tenant),
        kind: DRIFT_FOUND,
        tenant: Some(tenant.clone()),
        flow: None,
        text,
        hint: Some(hint),
        page: Some(format!("/drift/{tenant}")),
    }
}

pub(super) fn places_full(flow: (&TenantId, &FlowId), missing: u64, run: &RunId) -> AlertCondition {
    let text = Text::new(
        format!("the corp has no free accounts: {missing} people wait for a place"),
        format!("企业账号名额已满：{missing} 人等待名额"),
    );
    let hint = Text::new(
        "free accounts in WeCom or raise the corp's limit; each run tries one of them, and all once there is room",
        "请在企业微信中释放账号或申请扩容；每次运行会先尝试一人，有名额后全部新增",
    );
    AlertCondition {
        hint: Some(hint),
        page: Some(format!("/runs/{run}")),
        ..of_flow(PLACES_FULL, flow, text)
    }
}

pub(super) fn leavers_rejected(flow: (&TenantId, &FlowId), count: u64) -> AlertCondition {
    let (tenant, id) = flow;
    let text = Text::new(
        format!("{count} people who left can still log in: WeCom refuses to disable them"),
        format!("{count} 名离职人员仍可登录：企业微信拒绝停用"),
    );
    let hint = Text::new(
        "disable them by hand in the WeCom console; the quarantine says why for each",
        "请在企业微信管理后台手工停用；每人的原因见“待修正”页面",
    );
    AlertCondition {
        hint: Some(hint),
        page: Some(format!("/quarantine?tenant={tenant}&flow={id}")),
        ..of_flow(LEAVERS_REJECTED, flow, text)
    }
}

pub(super) fn quarantine_growing(flow: (&TenantId, &FlowId), before: u64, now: u64) -> AlertCondition {
    let (tenant, id) = flow;
    let text = Text::new(
        format!("{now} rows wait to be corrected, {} more than before", now.saturating_sub(before)),
        format!("待修正 {now} 条，比之前多 {} 条", now.saturating_sub(before)),
    );
    AlertCondition {
        hint: Some(Text::new(
            "open the quarantine: it lists each with the field and what is wrong with it",
            "请打开“待修正”页面，其中逐条列出字段与原因",
        )),
        page: Some(format!("/quarantine?tenant={tenant}&flow={id}")),
        ..of_flow(QUARANTINE_GROWING, flow, text)
    }
}

/// `some` are the first of those waiting.
pub(super) fn members_removed(flow: (&TenantId, &FlowId), count: u64, some: &[UserId]) -> AlertCondition {
    let (tenant, id) = flow;
    let named = |by: &str| some.iter().map(UserId::as_str).collect::<Vec<_>>().join(by);
    let (en, zh) = match count.saturating_sub(some.len() as u64) {
        0 => (String::new(), String::new()),
        more => (format!(" and {more} more"), format!("，另有 {more} 名")),
    };
    let text = Text::new(
        format!(
            "{count} members were removed from WeCom by hand though the form has them: {}{en}; nothing is created again \
             until a person decides",
            named(", ")
        ),
        format!(
            "{count} 名成员在企业微信中被手工删除，但表单中仍在职：{}{zh}；决定之前不会重新创建",
            named("、")
        ),
    );
    AlertCondition {
        hint: Some(Text::new(
            "open the quarantine, and decide for each: create again, or release",
            "请打开“待修正”页面，逐一决定：重新创建，或不再管理",
        )),
        page: Some(format!("/quarantine?tenant={tenant}&flow={id}&rule=member.removed")),
        ..of_flow(MEMBERS_REMOVED, flow, text)
    }
}

pub(super) fn run_late(flow: (&TenantId, &FlowId), due: Option<&str>) -> AlertCondition {
    let (en, zh) = match due {
        Some(due) => (format!(" (due {due})"), format!("（应于 {due} 开始）")),
        None => (String::new(), String::new()),
    };
    let text = Text::new(
        format!("a run has not begun though its time has come{en}"),
        format!("已到时间，运行仍未开始{zh}"),
    );
    AlertCondition {
        hint: Some(Text::new(
            "another run may take long: look at the runs under way, or raise `[schedule] at_once`",
            "可能有其他运行耗时过长：请查看正在进行的运行，或调大 `[schedule] at_once`",
        )),
        page: Some("/runs".to_owned()),
        ..of_flow(RUN_LATE, flow, text)
    }
}

pub(super) fn config_invalid(report: &Report) -> AlertCondition {
    let what = told(report);
    let problems = report.problems().map_or(0, |problems| problems.list.len());
    let count = match problems {
        0 => Text::new("", ""),
        n => Text::new(format!(", {n} problems"), format!("，{n} 处问题")),
    };
    AlertCondition {
        key: CONFIG_INVALID.to_owned(),
        kind: CONFIG_INVALID,
        tenant: None,
        flow: None,
        text: Text::new(
            format!("the files were changed and cannot be taken over: {}{}", what.en, count.en),
            format!("配置文件已修改但无法采用：{}{}", what.zh, count.zh),
        ),
        hint: Some(Text::new(
            "what ran before goes on; the settings page names file and line",
            "此前的配置继续运行；“设置”页面会指出文件与行号",
        )),
        page: Some("/settings".to_owned()),
    }
}

/// The alert for a notice of a run that made nothing fail.
pub(super) fn noticed(flow: (&TenantId, &FlowId), run: &RunId, notice: &Notice) -> AlertCondition {
    let told = |kind| AlertCondition {
        hint: Some(notice.hint()),
        page: Some(format!("/runs/{run}")),
        ..of_flow(kind, flow, notice.text())
    };
    match notice {
        Notice::NoRow { .. } => told(FORM_EMPTY),
        // All flows of a tenant ask the same services.
        Notice::ClockOff { .. } => {
            AlertCondition { key: tenants_key(CLOCK_OFF, flow.0), flow: None, ..told(CLOCK_OFF) }
        }
    }
}

pub(super) fn rules_kept(flow: (&TenantId, &FlowId), report: &Report) -> AlertCondition {
    let (tenant, id) = flow;
    let what = told(report);
    let text = Text::new(
        format!("the files offer rules that are not live: {}", what.en),
        format!("文件中的规则未上线：{}", what.zh),
    );
    let hint = report.page_hint().cloned().unwrap_or_else(|| {
        Text::new(
            "open the flow's rules page, and see what the new ones would change",
            "请打开“同步规则”页面，查看新规则的影响",
        )
    });
    AlertCondition {
        hint: Some(hint),
        page: Some(format!("/rules/{tenant}/{id}")),
        ..of_flow(RULES_KEPT, flow, text)
    }
}

pub(super) fn alerts_undelivered(channel: &str, robot: bool, why: &Text) -> AlertCondition {
    let (en, zh) =
        if robot { ("the group robot", "群机器人") } else { ("the alert address", "告警地址") };
    AlertCondition {
        key: format!("{ALERTS_UNDELIVERED}/{channel}"),
        kind: ALERTS_UNDELIVERED,
        tenant: None,
        flow: None,
        text: Text::new(format!("{en} takes no alerts: {}", why.en), format!("{zh}不接收告警：{}", why.zh)),
        hint: Some(Text::new(
            "correct `[alerts]`; it is tried again once an hour and when the address changes",
            "请修正 `[alerts]`；每小时及地址变更时会重试",
        )),
        page: Some("/settings".to_owned()),
    }
}
