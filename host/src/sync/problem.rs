//! What went wrong in a run that went to its end, in words.

use super::error::RunError;
use crate::model::{Text, UserId};
use crate::plan::Plan;

/// Why records have no decision, told once.
pub(super) fn undecided(plan: &Plan) -> Option<Text> {
    let (reason, count) = (plan.undecided.as_ref()?, plan.counts.failed);
    Some(Text::new(
        format!("{count} records could not be decided ({reason}); `ruzhi trace` shows each"),
        format!("{count} 条记录无法判定（{reason}）；可用 `ruzhi trace` 逐条查看"),
    ))
}

/// A person said no to the plan, and what they may do.
pub(super) fn rejected(error: &RunError) -> Text {
    let (what, hint) = (error.text(), error.hint());
    Text::new(format!("{}: {}", what.en, hint.en), format!("{}：{}", what.zh, hint.zh))
}

/// WeCom's rate limit outlasted the run's patience.
pub(super) fn parked() -> Text {
    Text::new(
        "WeCom's rate limit did not lift; run again in an hour, the rest is planned again",
        "企业微信的频率限制未解除；请一小时后重试，其余操作会重新计划",
    )
}

/// So many operations were not done, this one among them, and WeCom's last words on it.
pub(super) fn not_done(failed: u64, userid: &UserId, words: &str) -> Text {
    Text::new(
        format!(
            "{failed} operations were not done, {userid} among them ({words}); the next run plans them again, `ruzhi trace` shows each call"
        ),
        format!(
            "{failed} 项操作未完成，包括 {userid}（{words}）；下次运行会重新计划，可用 `ruzhi trace` 查看每次调用"
        ),
    )
}

/// So many operations were not done, or nobody knows.
pub(super) fn in_doubt(failed: u64) -> Text {
    Text::new(
        format!(
            "{failed} operations were not done or are in doubt; the next run asks WeCom and goes on, `ruzhi trace` shows each call"
        ),
        format!(
            "{failed} 项操作未完成或结果未知；下次运行会先与企业微信核对再继续，可用 `ruzhi trace` 查看每次调用"
        ),
    )
}
