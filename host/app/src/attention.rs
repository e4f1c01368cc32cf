//! Items that need a person, the most urgent first.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::tenant_overview::{FlowOverview, TenantOverview};
use crate::scheduler::ScheduleStateKind;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, Label, TenantId, Text};
use ruzhi_store::DriftCheckRow;

/// The kind of an item that needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// A service rejects a credential, an address or a permission.
    Blocked,
    /// A plan waits to be approved or rejected.
    HeldPlan,
    /// Members removed by hand wait for a decision.
    Removed,
    /// The directory was changed by hand.
    Drift,
    /// The configuration on disk is invalid; the previous one is still in use.
    ConfigInvalid,
    /// The last runs failed.
    Failing,
    /// A run is overdue.
    Late,
    /// A person paused it.
    Paused,
    /// Records are in quarantine and wait to be corrected.
    Quarantine,
}

impl AttentionKind {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Blocked => Label::new("blocked", "已停止待处理"),
            Self::HeldPlan => Label::new("plan held", "计划待审批"),
            Self::Removed => Label::new("removed by hand", "被手工删除"),
            Self::Drift => Label::new("changed by hand", "手工改动"),
            Self::ConfigInvalid => Label::new("files not in use", "文件未生效"),
            Self::Failing => Label::new("failing", "持续失败"),
            Self::Late => Label::new("late", "逾期"),
            Self::Paused => Label::new("paused", "已暂停"),
            Self::Quarantine => Label::new("quarantine", "待修正"),
        }
    }
}

/// An item that needs a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Attention {
    /// Its kind.
    pub kind: AttentionKind,
    /// The tenant; none if it concerns the whole app.
    pub tenant: Option<TenantId>,
    /// The flow.
    pub flow: Option<FlowId>,
    /// The problem and its subject.
    pub text: Text,
    /// Advice on the next step.
    pub hint: Option<Text>,
    /// The page for acting on it.
    pub link: String,
    /// Its beginning, if known.
    pub since: Option<DateTime<Utc>>,
}

/// Collects everything that needs a person, the most urgent first.
pub(super) fn list(
    tenants: &[TenantOverview],
    checks: &[DriftCheckRow],
    invalid: Option<&Report>,
) -> Vec<Attention> {
    let mut all: Vec<Attention> = invalid.map(files).into_iter().collect();
    for flow in tenants.iter().flat_map(|tenant| &tenant.flows) {
        of_flow(flow, &mut all);
    }
    let is_here = |check: &&DriftCheckRow| tenants.iter().any(|tenant| tenant.id == check.tenant);
    all.extend(checks.iter().filter(is_here).map(drift));
    all.sort_by(|a, b| (a.kind, &a.tenant, &a.flow).cmp(&(b.kind, &b.tenant, &b.flow)));
    all
}

fn files(invalid: &Report) -> Attention {
    Attention {
        kind: AttentionKind::ConfigInvalid,
        tenant: None,
        flow: None,
        text: Text::new(
            format!(
                "the configuration on disk is invalid; still using the previous one: {}",
                invalid.text().en
            ),
            format!("配置文件有误，仍在使用此前的配置：{}", invalid.text().zh),
        ),
        hint: Some(Text::new(
            "correct the files; they are then loaded automatically",
            "修正文件后会自动生效",
        )),
        link: "/settings".to_owned(),
        since: None,
    }
}

fn drift(check: &DriftCheckRow) -> Attention {
    let DriftCheckRow { tenant, findings, .. } = check;
    Attention {
        kind: AttentionKind::Drift,
        tenant: Some(tenant.clone()),
        flow: Some(check.flow.clone()),
        text: Text::new(
            format!(
                "the directory of {tenant} was changed by hand: {findings} differences from what ruzhi wrote"
            ),
            format!("{tenant} 的通讯录被手工改动：与 ruzhi 写入的内容有 {findings} 处不同"),
        ),
        hint: Some(Text::new(
            "read them, then keep them, write the former values again, or take the members over",
            "请查看后决定：保留改动、恢复为 ruzhi 写入的内容，或接管成员",
        )),
        link: format!("/drift/{tenant}"),
        since: Some(check.at),
    }
}

fn of_flow(flow: &FlowOverview, all: &mut Vec<Attention>) {
    let name = format!("{}/{}", flow.tenant, flow.flow);
    let here = format!("/tenants/{}", flow.tenant);
    let mut say = |kind, text, hint, link: String, since| {
        all.push(Attention {
            kind,
            tenant: Some(flow.tenant.clone()),
            flow: Some(flow.flow.clone()),
            text,
            hint,
            link,
            since,
        });
    };
    if let Some(blocked) =
        flow.schedule_state.as_ref().and_then(|schedule_state| schedule_state.blocked.as_ref())
    {
        let text = Text::new(
            format!("{name} is blocked: {}", blocked.text.en),
            format!("{name} 已停止待处理：{}", blocked.text.zh),
        );
        say(AttentionKind::Blocked, text, blocked.hint.clone(), here.clone(), Some(blocked.at));
    }
    for plan in &flow.held {
        let text = Text::new(
            format!("plan {plan} of {name} waits to be approved or rejected"),
            format!("{name} 的计划 {plan} 待审批"),
        );
        let hint = Text::new("read it, then approve or reject it", "请查看后批准或驳回");
        say(AttentionKind::HeldPlan, text, Some(hint), format!("/plans/{}/{plan}", flow.tenant), None);
    }
    if flow.removed > 0 {
        let text = Text::new(
            format!(
                "{} members of {name} were removed from WeCom by hand and wait for a decision",
                flow.removed
            ),
            format!("{name} 有 {} 名成员在企业微信中被手工删除，等待决定", flow.removed),
        );
        let hint =
            Text::new("decide for each one: create again, or let go", "请逐一决定：重新创建，或不再管理");
        let link = format!("/quarantine?tenant={}&flow={}&rule=member.removed", flow.tenant, flow.flow);
        say(AttentionKind::Removed, text, Some(hint), link, None);
    }
    if let Some(schedule_state) = &flow.schedule_state {
        if schedule_state.failures > 0 && schedule_state.state != ScheduleStateKind::Blocked {
            let problem = flow.last_run.as_ref().and_then(|run| run.problem.clone());
            let why = |lang: fn(&Text) -> &String| problem.as_ref().map(lang).cloned().unwrap_or_default();
            let text = Text::new(
                format!(
                    "{name} failed {} times one after another: {}",
                    schedule_state.failures,
                    why(|text| &text.en)
                ),
                format!("{name} 已连续失败 {} 次：{}", schedule_state.failures, why(|text| &text.zh)),
            );
            let run = flow.last_run.as_ref();
            let link = run.map_or_else(|| here.clone(), |run| format!("/runs/{}", run.id));
            let hint = run.and_then(|run| run.failure.as_ref()?.page_hint().cloned());
            say(AttentionKind::Failing, text, hint, link, run.and_then(|run| run.ended_at));
        }
        if schedule_state.late {
            let text = Text::new(
                format!("{name} is overdue: its run has not started"),
                format!("{name} 逾期未运行"),
            );
            say(AttentionKind::Late, text, None, here.clone(), schedule_state.queued_since);
        }
        if let Some(paused) = &schedule_state.paused {
            let why = paused.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let text = Text::new(
                format!("{} paused {name}{why}", paused.who),
                format!("{} 已暂停 {name}{why}", paused.who),
            );
            let hint = Text::new("resume it when the reason is gone", "原因消除后请恢复");
            say(AttentionKind::Paused, text, Some(hint), here.clone(), Some(paused.at));
        }
    }
    if flow.rejected > 0 {
        let text = Text::new(
            format!("{} records of {name} wait to be corrected", flow.rejected),
            format!("{name} 有 {} 条记录待修正", flow.rejected),
        );
        let hint = Text::new("correct the rows in the form", "请在表单中修正这些行");
        let link = format!("/quarantine?tenant={}&flow={}", flow.tenant, flow.flow);
        say(AttentionKind::Quarantine, text, Some(hint), link, None);
    }
}
