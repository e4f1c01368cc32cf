//! The colour of every state and kind shown on pages, beside its word.

use super::view::View;
use ruzhi_app::scheduler::ScheduleStateKind;
use ruzhi_app::{AttentionKind, Offers};
use ruzhi_model::{Lang, OperationKind, OperationState};
use ruzhi_rules::DecisionKind;
use ruzhi_store::{PlanState, RunRow, RunState};

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
    let tone = match run.state {
        RunState::Done => OK,
        RunState::Running => RUN,
        RunState::Held => WARN,
        RunState::Failed => BAD,
    };
    (tone, view.word(run.state_label()))
}

/// The state of a plan.
pub(super) fn plan_state(view: &View, state: PlanState) -> (Tone, &'static str) {
    let tone = match state {
        PlanState::Planned | PlanState::Superseded | PlanState::Rejected => PLAIN,
        PlanState::Held => WARN,
        PlanState::Applying => RUN,
        PlanState::Done => OK,
        PlanState::Failed => BAD,
    };
    (tone, view.word(state.label()))
}

/// An operation's sign, colour and word.
pub(super) fn operation(view: &View, kind: OperationKind) -> (&'static str, &'static str, &'static str) {
    let (sign, colour) = match kind {
        OperationKind::Create => ("+", "plus"),
        OperationKind::Update => ("~", "tilde"),
        OperationKind::Disable => ("−", "minus"),
        OperationKind::Enable => ("↑", "plus"),
        OperationKind::Delete => ("×", "minus"),
        OperationKind::Adopt => ("=", ""),
        OperationKind::Keep => ("·", ""),
    };
    (sign, colour, view.word(kind.label()))
}

/// The state of an operation.
pub(super) fn operation_state(view: &View, state: OperationState) -> (Tone, &'static str) {
    let tone = match state {
        OperationState::Planned => PLAIN,
        OperationState::Sending => RUN,
        OperationState::Done => OK,
        OperationState::Rejected | OperationState::Failed => BAD,
        OperationState::Lost => WARN,
    };
    (tone, view.word(state.label()))
}

/// The state of a flow in the scheduler.
pub(super) fn schedule_state(view: &View, state: ScheduleStateKind) -> (Tone, &'static str) {
    let tone = match state {
        ScheduleStateKind::Waiting => OK,
        ScheduleStateKind::Idle => PLAIN,
        ScheduleStateKind::Queued | ScheduleStateKind::Running => RUN,
        ScheduleStateKind::Retrying | ScheduleStateKind::Paused => WARN,
        ScheduleStateKind::Blocked => BAD,
    };
    (tone, view.word(state.label()))
}

/// The kind of an item that needs a person.
pub(super) fn attention(view: &View, kind: AttentionKind) -> (Tone, &'static str) {
    let tone = match kind {
        AttentionKind::Blocked | AttentionKind::ConfigInvalid | AttentionKind::Failing => BAD,
        AttentionKind::HeldPlan
        | AttentionKind::Removed
        | AttentionKind::Drift
        | AttentionKind::Late
        | AttentionKind::Paused
        | AttentionKind::Quarantine => WARN,
    };
    (tone, view.word(kind.label()))
}

/// The decision on a record.
pub(super) fn verdict(view: &View, verdict: DecisionKind) -> (Tone, &'static str) {
    let tone = match verdict {
        DecisionKind::Upsert => OK,
        DecisionKind::Leave | DecisionKind::Ignore => PLAIN,
        DecisionKind::Reject | DecisionKind::Failed => BAD,
    };
    (tone, view.word(verdict.label()))
}

/// The rules in the files, compared with the live ones.
pub(super) fn offers(view: &View, offers: Offers) -> (Tone, &'static str) {
    let tone = match offers {
        Offers::Live => OK,
        Offers::New | Offers::PassedOver => WARN,
        Offers::Unreadable => BAD,
    };
    (tone, view.word(offers.label()))
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
