//! The words for every state and kind shown on pages, in both languages, one word for each.

use super::view::View;
use ruzhi_app::scheduler::StandingState;
use ruzhi_app::{AttentionKind, Offers, RunMode};
use ruzhi_config::Role;
use ruzhi_model::{Lang, OperationKind, OperationState, RejectedBy, RemovalAnswer};
use ruzhi_rules::DecisionKind;
use ruzhi_store::{ActivationKind, PlanState, RunKind, RunRow, RunState};
use ruzhi_sync::Stage;

/// The urgency of a word: the name of a class of the stylesheet.
pub(super) type Tone = &'static str;

/// Everything is in order.
pub(super) const OK: Tone = "ok";
/// Needs a look.
pub(super) const WARN: Tone = "warn";
/// Something is wrong.
pub(super) const BAD: Tone = "bad";
/// It is under way.
pub(super) const RUN: Tone = "run";
/// Needs nothing.
pub(super) const PLAIN: Tone = "plain";

/// The state of a run.
pub(super) fn run_state(view: &View, run: &RunRow) -> (Tone, &'static str) {
    match (run.state, run.kind) {
        (RunState::Done, RunKind::Drift) if run.plan.is_none() => (OK, view.say("compared", "已比对")),
        (RunState::Done, RunKind::Sync | RunKind::Apply) => (OK, view.say("done", "完成")),
        // Its counts say how much would be done.
        (RunState::Done, _) => (OK, view.say("planned", "已计划")),
        (RunState::Running, _) => (RUN, view.say("running", "运行中")),
        (RunState::Held, _) => (WARN, view.say("held", "待审批")),
        (RunState::Failed, _) => (BAD, view.say("failed", "失败")),
    }
}

/// The kind of a run.
pub(super) fn run_kind(view: &View, kind: RunKind) -> &'static str {
    match kind {
        RunKind::Plan => view.say("plan only", "仅计划"),
        RunKind::Sync => view.say("sync", "同步"),
        RunKind::Apply => view.say("apply a plan", "执行计划"),
        RunKind::Adopt => view.say("take over members", "接管成员"),
        RunKind::Revert => view.say("undo a run", "撤销运行"),
        RunKind::Drift => view.say("compare with the directory", "与通讯录比对"),
    }
}

/// The kind of run that a person requests.
pub(super) fn run_what(view: &View, what: RunMode) -> &'static str {
    match what {
        RunMode::Sync => view.say("Sync: plan and write", "同步：计划并写入"),
        RunMode::Plan => view.say("Plan only: write nothing", "仅计划：不写入"),
        RunMode::Drift => view.say("Compare with the directory", "与通讯录比对"),
        RunMode::Adopt => view.say("Take over existing members", "接管已有成员"),
        RunMode::Revert => view.say("Undo a run", "撤销一次运行"),
    }
}

/// The state of a plan.
pub(super) fn plan_state(view: &View, state: PlanState) -> (Tone, &'static str) {
    match state {
        PlanState::Planned => (PLAIN, view.say("planned", "已计划")),
        PlanState::Held => (WARN, view.say("held", "待审批")),
        PlanState::Applying => (RUN, view.say("being applied", "执行中")),
        PlanState::Done => (OK, view.say("applied", "已执行")),
        PlanState::Failed => (BAD, view.say("applied in part", "部分执行")),
        PlanState::Superseded => (PLAIN, view.say("superseded", "已被取代")),
        PlanState::Rejected => (PLAIN, view.say("rejected", "已驳回")),
    }
}

/// An operation's sign, colour and word.
pub(super) fn operation(view: &View, kind: OperationKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        OperationKind::Create => ("+", "plus", view.say("create", "新增")),
        OperationKind::Update => ("~", "tilde", view.say("update", "更新")),
        OperationKind::Disable => ("−", "minus", view.say("disable", "停用")),
        OperationKind::Enable => ("↑", "plus", view.say("enable", "启用")),
        OperationKind::Delete => ("×", "minus", view.say("delete", "删除")),
        OperationKind::Adopt => ("=", "", view.say("take over", "接管")),
        OperationKind::Keep => ("·", "", view.say("let stand", "保留")),
    }
}

/// The state of an operation.
pub(super) fn operation_state(view: &View, state: OperationState) -> (Tone, &'static str) {
    match state {
        OperationState::Planned => (PLAIN, view.say("planned", "已计划")),
        OperationState::Sending => (RUN, view.say("sending", "发送中")),
        OperationState::Done => (OK, view.say("done", "完成")),
        OperationState::Rejected => (BAD, view.say("rejected", "待修正")),
        OperationState::Failed => (BAD, view.say("failed", "失败")),
        OperationState::Lost => (WARN, view.say("did not happen", "未生效")),
    }
}

/// The state of a flow in the scheduler.
pub(super) fn standing(view: &View, state: StandingState) -> (Tone, &'static str) {
    match state {
        StandingState::Waiting => (OK, view.say("on schedule", "按时运行")),
        StandingState::Idle => (PLAIN, view.say("runs when asked", "按需运行")),
        StandingState::Queued => (RUN, view.say("queued", "排队中")),
        StandingState::Running => (RUN, view.say("running", "运行中")),
        StandingState::Retrying => (WARN, view.say("retrying", "重试中")),
        StandingState::Paused => (WARN, view.say("paused", "已暂停")),
        StandingState::Blocked => (BAD, view.say("blocked", "已停止待处理")),
    }
}

/// The stage of a run: the word of the API, and the word for a person.
pub(super) fn stage(view: &View, stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Settle => ("settle", view.say("Settle", "核实")),
        Stage::Collect => ("collect", view.say("Collect and decide", "读取与判定")),
        Stage::Plan => ("plan", view.say("Plan", "计划")),
        Stage::Apply => ("apply", view.say("Apply", "执行")),
    }
}

/// The kind of an item that needs a person.
pub(super) fn attention(view: &View, kind: AttentionKind) -> (Tone, &'static str) {
    match kind {
        AttentionKind::Blocked => (BAD, view.say("blocked", "已停止待处理")),
        AttentionKind::HeldPlan => (WARN, view.say("plan held", "计划待审批")),
        AttentionKind::Removed => (WARN, view.say("removed by hand", "被手工删除")),
        AttentionKind::Drift => (WARN, view.say("changed by hand", "手工改动")),
        AttentionKind::FilesRefused => (BAD, view.say("files not in use", "文件未生效")),
        AttentionKind::Failing => (BAD, view.say("failing", "持续失败")),
        AttentionKind::Late => (WARN, view.say("late", "逾期")),
        AttentionKind::Paused => (WARN, view.say("paused", "已暂停")),
        AttentionKind::Quarantine => (WARN, view.say("quarantine", "待修正")),
    }
}

/// The kind of an alarm; none for a kind without a word, which is shown by its name.
pub(super) fn alarm(view: &View, kind: &str) -> Option<&'static str> {
    Some(match kind {
        "plan.held" => view.say("plan held", "计划待审批"),
        "flow.failing" => view.say("failing", "持续失败"),
        "flow.blocked" => view.say("blocked", "已停止待处理"),
        "quarantine.growing" => view.say("quarantine grows", "待修正增多"),
        "places.full" => view.say("no free accounts", "账号名额已满"),
        "leavers.refused" => view.say("leavers can still log in", "离职人员仍可登录"),
        "members.removed" => view.say("removed by hand", "被手工删除"),
        "run.late" => view.say("late", "逾期"),
        "files.refused" => view.say("files not in use", "文件未生效"),
        "rules.kept" => view.say("rules kept", "同步规则未更换"),
        "drift.found" => view.say("changed by hand", "手工改动"),
        "clock.off" => view.say("clock off", "时钟偏差"),
        "form.empty" => view.say("form without rows", "表单无数据"),
        "alarms.refused" => view.say("alarms refused", "告警未送达"),
        _ => return None,
    })
}

/// The decision on a record.
pub(super) fn verdict(view: &View, verdict: DecisionKind) -> (Tone, &'static str) {
    match verdict {
        DecisionKind::Upsert => (OK, view.say("upsert", "入职")),
        DecisionKind::Leave => (PLAIN, view.say("leave", "离职")),
        DecisionKind::Ignore => (PLAIN, view.say("ignore", "忽略")),
        DecisionKind::Reject => (BAD, view.say("reject", "拒绝")),
        DecisionKind::Failed => (BAD, view.say("not decided", "未能判定")),
    }
}

/// The decision about a member who was removed by hand.
pub(super) fn removal_answer(view: &View, answer: RemovalAnswer) -> &'static str {
    match answer {
        RemovalAnswer::Recreate => view.say("Create again, without an invitation", "重新创建，不发邀请"),
        RemovalAnswer::RecreateInvited => view.say("Create again and invite", "重新创建并邀请"),
        RemovalAnswer::Release => view.say("Let go: ruzhi does nothing more", "不再管理"),
    }
}

/// The party that rejected a record.
pub(super) fn refused_by(view: &View, by: RejectedBy) -> &'static str {
    match by {
        RejectedBy::Guest => view.say("the rules", "同步规则"),
        RejectedBy::Plan => view.say("the plan", "计划"),
        RejectedBy::Wecom => view.say("WeCom", "企业微信"),
        RejectedBy::Person => view.say("a person", "人工"),
    }
}

/// The kind of an activation.
pub(super) fn activation(view: &View, kind: ActivationKind) -> &'static str {
    match kind {
        ActivationKind::First => view.say("the first", "首次上线"),
        ActivationKind::File => view.say("files exchanged", "文件更换"),
        ActivationKind::Activate => view.say("activated", "人工上线"),
        ActivationKind::Rollback => view.say("rolled back", "回退"),
    }
}

/// The rules in the files, compared with the live ones.
pub(super) fn offers(view: &View, offers: Offers) -> (Tone, &'static str) {
    match offers {
        Offers::Live => (OK, view.say("files are live", "与文件一致")),
        Offers::New => (WARN, view.say("new in the files", "文件中有新的同步规则")),
        Offers::PassedOver => (WARN, view.say("files passed over", "文件中的同步规则未采用")),
        Offers::Unreadable => (BAD, view.say("files cannot be read", "文件无法读取")),
    }
}

/// A role.
pub(super) fn role(view: &View, role: Role) -> &'static str {
    match role {
        Role::Viewer => view.say("viewer", "查看者"),
        Role::Operator => view.say("operator", "操作员"),
    }
}

/// The state of a member.
pub(super) fn member_state<'a>(view: &View, state: &'a str) -> &'a str {
    match state {
        "active" => view.say("in the directory", "在通讯录中"),
        "left" => view.say("left, disabled", "已离职，已停用"),
        "deleted" => view.say("deleted", "已删除"),
        "removed" => view.say("removed by hand", "被手工删除"),
        other => other,
    }
}

/// The reader's half of a text in both languages, as guests write them (Chinese, ` / `, English). Either half may quote
/// the form in any language, so the cut is made where the left half is the more Chinese one.
pub(super) fn half<'a>(view: &View, message: &'a str) -> &'a str {
    let is_chinese = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    let share = |text: &str| {
        let chinese = text.chars().filter(is_chinese).count();
        let latin = text.chars().filter(char::is_ascii_alphabetic).count();
        (chinese, chinese * 1000 / (chinese + latin).max(1))
    };
    let cuts = message.match_indices(" / ").filter_map(|(at, _)| {
        let (zh, en) = (message.get(..at)?, message.get(at + 3..)?);
        let ((chinese, left), (_, right)) = (share(zh), share(en));
        (chinese > 0 && left > right).then(|| (left - right, zh, en))
    });
    match (cuts.max_by_key(|(apart, ..)| *apart), view.lang()) {
        (Some((_, zh, _)), Lang::Zh) => zh,
        (Some((_, _, en)), Lang::En) => en,
        (None, _) => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::tests::view;
    use ruzhi_config::Role;

    #[test]
    fn a_reader_is_told_the_half_they_understand() {
        for (message, zh, en) in [
            ("不是有效的手机号 / is no mobile", "不是有效的手机号", "is no mobile"),
            (
                "成员UserID 为空，请填写 / 成员UserID is empty. Fill it in",
                "成员UserID 为空，请填写",
                "成员UserID is empty. Fill it in",
            ),
            ("“A / B”无效 / “A / B” is not valid", "“A / B”无效", "“A / B” is not valid"),
            ("plain / English", "plain / English", "plain / English"),
            ("只有中文", "只有中文", "只有中文"),
        ] {
            assert_eq!(half(&view(Lang::Zh, Role::Viewer), message), zh);
            assert_eq!(half(&view(Lang::En, Role::Viewer), message), en);
        }
    }
}
