//! Problems of a run that reached its end, in words.

use super::error::RunError;
use ruzhi_model::{Text, UserId};
use ruzhi_plan::Plan;

/// The reason records have no decision, given once.
pub(super) fn undecided(plan: &Plan) -> Option<Text> {
    let (reason, count) = (plan.undecided.as_ref()?, plan.counts.failed);
    Some(Text::new(
        format!("{count} records could not be decided ({reason}); the history of each shows why"),
        format!("{count} 条记录无法判定（{reason}）；原因见每条记录的全程"),
    ))
}

/// The rejection of the plan by a person.
pub(super) fn rejected(error: &RunError) -> Text {
    let text = error.text();
    Text::new(
        format!("{}: correct the form or the rules, and run again", text.en),
        format!("{}：请更正表单或规则后重新运行", text.zh),
    )
}

/// WeCom's rate limit outlasted the run's patience.
pub(super) fn parked() -> Text {
    Text::new(
        "WeCom's rate limit did not lift; run again in an hour, the rest is planned again",
        "企业微信的频率限制未解除；请一小时后重试，其余操作会重新计划",
    )
}

/// The number of operations not done, one of them by name, and WeCom's last message on it.
pub(super) fn not_done(failed: u64, userid: &UserId, words: &str) -> Text {
    Text::new(
        format!(
            "{failed} operations were not done, {userid} among them ({words}); the next run plans them again, and each record's history has every call"
        ),
        format!("{failed} 项操作未完成，包括 {userid}（{words}）；下次运行会重新计划，每次调用见记录的全程"),
    )
}

/// The number of operations not done or in doubt.
pub(super) fn in_doubt(failed: u64) -> Text {
    Text::new(
        format!(
            "{failed} operations were not done or are in doubt; the next run asks WeCom and goes on, and each record's history has every call"
        ),
        format!("{failed} 项操作未完成或结果不明；下次运行会先与企业微信核对再继续，每次调用见记录的全程"),
    )
}

/// The number of people without a place, the first by name.
pub(super) fn no_place(unplaced: u64, userid: &UserId, code: i64) -> Text {
    Text::new(
        format!(
            "the corp has no free accounts (errcode {code}): {unplaced} places are missing, the first of them for {userid}; no other operation waits for that. Free accounts in WeCom or raise the corp's limit; the next run tries again"
        ),
        format!(
            "企业账号名额已满（错误码 {code}）：还缺 {unplaced} 个名额，首先缺的是 {userid} 的；其他操作不受影响。请在企业微信中释放账号或申请扩容，下次运行会再次尝试"
        ),
    )
}

/// The number of leavers who can still log in, one of them by name.
pub(super) fn leavers_rejected(count: u64, userid: &UserId, errcode: Option<i64>) -> Text {
    let code = errcode.map(|errcode| format!(" (errcode {errcode})")).unwrap_or_default();
    let code_zh = errcode.map(|errcode| format!("（错误码 {errcode}）")).unwrap_or_default();
    Text::new(
        format!(
            "people who left can still log in, because WeCom refuses to disable them: {count}, {userid}{code} among them; disable them by hand in the WeCom console; the quarantine says why for each"
        ),
        format!(
            "有 {count} 名离职人员仍可登录，包括 {userid}{code_zh}：企业微信拒绝停用；请在企业微信管理后台手工停用；每人的原因见“待修正”"
        ),
    )
}

/// Two problems in one text.
pub(super) fn both(first: Option<Text>, second: Text) -> Text {
    match first {
        None => second,
        Some(first) => {
            Text::new(format!("{}; {}", first.en, second.en), format!("{}；{}", first.zh, second.zh))
        }
    }
}

/// Members found by the run to have been removed by hand. That is not a failure of the run.
pub(super) fn removed(members: &[UserId]) -> Text {
    const NAMED: usize = 3;
    let named = |by: &str| members.iter().take(NAMED).map(UserId::as_str).collect::<Vec<_>>().join(by);
    let (en, zh) = match members.len().saturating_sub(NAMED) {
        0 => (String::new(), String::new()),
        more => (format!(" and {more} more"), format!("，另有 {more} 名")),
    };
    let count = members.len();
    Text::new(
        format!(
            "{count} members were removed from WeCom by hand: {}{en}; if their rows still ask for them, a person decides",
            named(", ")
        ),
        format!(
            "{count} 名成员在企业微信中被手工删除：{}{zh}；若表单中仍在职，请决定是否重新创建",
            named("、")
        ),
    )
}
