//! The reasons rules do not go live. The rules that were live stay live.

use ruzhi_guest_runtime::GuestLoadError;
use ruzhi_model::ChangeLimit;
use ruzhi_model::{Digest, FlowId, RecordId, TenantId, Text};
use ruzhi_store::StoreError;
use ruzhi_sync::RunError;

/// The reason rules do not go live.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The component or its rules file is not fit to run.
    #[error(transparent)]
    Load(#[from] GuestLoadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The new rules cannot decide records that the live ones can.
    #[error("the new rules could not decide {records} of {compared} stored records: {reason}")]
    Fails {
        /// Records without a decision.
        records: u64,
        /// Records tried.
        compared: u64,
        /// The reason the first has none.
        reason: String,
    },
    /// The new rules treat more people differently than the flow allows.
    #[error(
        "the new rules treat {changed} of {compared} people differently; without approval {} % or {} people may change",
        limit.percent,
        limit.least
    )]
    TooMuch {
        /// People treated differently.
        changed: u64,
        /// Records tried.
        compared: u64,
        /// The flow's limit.
        limit: ChangeLimit,
        /// Fields that the new rules read and the stored rows do not hold.
        unread: Vec<String>,
    },
    /// The flow pins another component.
    #[error("the flow pins the component {pinned}, and this one is {found}")]
    Pinned {
        /// The component named in the tenant's file.
        pinned: Digest,
        /// The component that should go live.
        found: Digest,
    },
    /// The form lacks fields that the new rules read, or could not be read.
    #[error("the new rules cannot read the form: {0}")]
    Form(#[source] Box<RunError>),
    /// The rules asked for are live.
    #[error("these rules are live in {tenant}/{flow} already")]
    AlreadyLive {
        /// The tenant.
        tenant: TenantId,
        /// The flow.
        flow: FlowId,
    },
    /// No rules have ever been live in the flow.
    #[error("nothing is live in {tenant}/{flow} yet")]
    NothingLive {
        /// The tenant.
        tenant: TenantId,
        /// The flow.
        flow: FlowId,
    },
    /// There are no earlier rules to go back to.
    #[error("nothing else was live in {tenant}/{flow} before")]
    NothingBefore {
        /// The tenant.
        tenant: TenantId,
        /// The flow.
        flow: FlowId,
    },
    /// No such rules were ever live in the flow.
    #[error("no rules `{name}` were ever live in {tenant}/{flow}")]
    Unknown {
        /// The tenant.
        tenant: TenantId,
        /// The flow.
        flow: FlowId,
        /// The digest or number asked for.
        name: String,
    },
    /// Several rules answer to the name.
    #[error("`{name}` does not name one of the rules that were live in {tenant}/{flow} alone")]
    Ambiguous {
        /// The tenant.
        tenant: TenantId,
        /// The flow.
        flow: FlowId,
        /// The digest asked for.
        name: String,
    },
    /// Other rules were activated meanwhile.
    #[error("other rules went live in {tenant}/{flow} meanwhile")]
    Raced {
        /// The tenant.
        tenant: TenantId,
        /// The flow.
        flow: FlowId,
    },
    /// The guest's context at the time was not kept.
    #[error(
        "record {record} was decided before ruzhi kept what a guest is told, so it cannot be decided again as it was"
    )]
    NotKept {
        /// The record.
        record: RecordId,
    },
    /// A task of the trial died.
    #[error("a worker of the trial ended unexpectedly: {reason}")]
    Worker {
        /// The cause.
        reason: String,
    },
}

impl ActivationError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Load(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Fails { .. } => "activation.fails",
            Self::TooMuch { .. } => "activation.too-much",
            Self::Pinned { .. } => "guest.pin",
            Self::Form(_) => "activation.form",
            Self::AlreadyLive { .. } => "activation.already-live",
            Self::NothingLive { .. } => "activation.nothing-live",
            Self::NothingBefore { .. } => "activation.nothing-before",
            Self::Unknown { .. } => "activation.unknown",
            Self::Ambiguous { .. } => "activation.ambiguous",
            Self::Raced { .. } => "activation.raced",
            Self::NotKept { .. } => "activation.not-kept",
            Self::Worker { .. } => "activation.worker",
        }
    }

    /// The failure.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Load(error) => return error.text(),
            Self::Store(error) => return error.text(),
            Self::Fails { records, compared, reason } => {
                format!("在 {compared} 条已存记录中，新规则有 {records} 条无法判定：{reason}")
            }
            Self::TooMuch { changed, compared, limit, .. } => format!(
                "新规则对 {compared} 人中的 {changed} 人给出不同结果；未经批准最多允许 {} % 或 {} 人",
                limit.percent, limit.least
            ),
            Self::Pinned { pinned, found } => format!("同步流固定使用组件 {pinned}，而此组件为 {found}"),
            Self::Form(error) => return error.text(),
            Self::AlreadyLive { tenant, flow } => format!("{tenant}/{flow} 的现行规则正是这些规则"),
            Self::NothingLive { tenant, flow } => format!("{tenant}/{flow} 尚无现行的同步规则"),
            Self::NothingBefore { tenant, flow } => format!("{tenant}/{flow} 此前没有上线过其他规则"),
            Self::Unknown { tenant, flow, name } => format!("{tenant}/{flow} 从未上线过规则 `{name}`"),
            Self::Ambiguous { tenant, flow, name } => {
                format!("{tenant}/{flow} 上线过的规则中有多个符合 `{name}`")
            }
            Self::Raced { tenant, flow } => format!("其间 {tenant}/{flow} 已有其他规则上线"),
            Self::NotKept { record } => {
                format!("记录 {record} 判定时尚未保存判定条件，无法按当时的条件重新判定")
            }
            Self::Worker { reason } => format!("试运行的任务意外结束：{reason}"),
        };
        Text::new(self.to_string(), zh)
    }

    /// The next step at a terminal.
    pub fn hint(&self) -> Text {
        match self {
            Self::Load(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Fails { .. } => Text::new(
                "the rules that were live stay live; correct the new ones, `ruzhi guest test` tries them on cases",
                "现行规则保持不变；请修正新规则，可用 `ruzhi guest test` 以用例试运行",
            ),
            Self::TooMuch { unread, .. } if !unread.is_empty() => Text::new(
                format!(
                    "the rules that were live stay live. The new ones read {}, which the stored rows do not hold, so the trial cannot show what they make of it; if that is meant, activate with `--approve`: the next run reads the form anew",
                    unread.join(", ")
                ),
                format!(
                    "现行规则保持不变。新规则读取 {}，已存记录中没有这些字段，试运行无法反映其效果；确认无误请加 `--approve` 上线，下次运行会重新读取表单",
                    unread.join("、")
                ),
            ),
            Self::TooMuch { .. } => Text::new(
                "the rules that were live stay live; read `ruzhi rules diff`, then activate with `--approve` if every change is meant",
                "现行规则保持不变；请先用 `ruzhi rules diff` 查看，确认无误后加 `--approve` 上线",
            ),
            Self::Pinned { .. } => Text::new(
                "if the component is meant, change `sha256` in the tenant's file, or take it out",
                "若确要使用该组件，请修改或去掉工厂配置文件中的 `sha256`",
            ),
            Self::Form(_) => Text::new(
                "the rules that were live stay live; correct the field's name in the new rules, or put the field into the form",
                "现行规则保持不变；请更正新规则中的字段名，或在表单中加上该字段",
            ),
            Self::AlreadyLive { .. } => Text::new(
                "nothing was done; `ruzhi rules list` shows what was live",
                "未作改动；`ruzhi rules list` 列出上线过的规则",
            ),
            Self::NothingLive { .. } => Text::new(
                "run `ruzhi plan` or `ruzhi sync` once, or `ruzhi rules activate` without a file",
                "请先运行 `ruzhi plan` 或 `ruzhi sync`，或不带文件运行 `ruzhi rules activate`",
            ),
            Self::NothingBefore { .. } | Self::Unknown { .. } => Text::new(
                "`ruzhi rules list` shows everything that was live, with its digests",
                "`ruzhi rules list` 列出所有上线过的规则及其摘要",
            ),
            Self::Ambiguous { .. } => Text::new(
                "give more digits of its digest, or its number with `#`",
                "请给出更多位摘要，或以 `#` 加序号指定",
            ),
            Self::Raced { .. } => Text::new(
                "look at `ruzhi rules list`, then activate again if still meant",
                "请查看 `ruzhi rules list`，确认后重试",
            ),
            Self::NotKept { .. } => Text::new(
                "`ruzhi sync --full` decides every row anew; from then on it can be replayed",
                "运行 `ruzhi sync --full` 重新判定全部记录后即可重放",
            ),
            Self::Worker { .. } => Text::new("try again", "请重试"),
        }
    }

    /// The next step on a page, where it is not the one at a terminal.
    pub fn page_hint(&self) -> Option<Text> {
        let hint = match self {
            Self::Load(error) => return error.page_hint(),
            Self::Fails { .. } => Text::new(
                "the rules that were live stay live; have the author of the new ones correct them",
                "现行规则保持不变；请新规则的作者修正",
            ),
            Self::TooMuch { unread, .. } if !unread.is_empty() => Text::new(
                format!(
                    "the rules that were live stay live. The new ones read {}, which the stored rows do not hold, so the trial cannot show what they make of it; if that is meant, approve them on the flow's rules page: the next run reads the form anew",
                    unread.join(", ")
                ),
                format!(
                    "现行规则保持不变。新规则读取 {}，已存记录中没有这些字段，试运行无法反映其效果；确认无误请在“同步规则”页面批准上线，下次运行会重新读取表单",
                    unread.join("、")
                ),
            ),
            Self::TooMuch { .. } => Text::new(
                "the rules that were live stay live; see what the new ones would change on the flow's rules page, and approve them there if every change is meant",
                "现行规则保持不变；请在“同步规则”页面查看影响，确认无误后在该页面批准上线",
            ),
            Self::AlreadyLive { .. } => Text::new(
                "nothing was done; the flow's rules page shows what was live",
                "未作改动；“同步规则”页面列出了上线过的规则",
            ),
            Self::NothingLive { .. } => Text::new("run the flow once", "请先运行一次该同步流"),
            Self::NothingBefore { .. } | Self::Unknown { .. } => Text::new(
                "the flow's rules page shows everything that was live, with its digests",
                "“同步规则”页面列出了所有上线过的规则及其摘要",
            ),
            Self::Raced { .. } => Text::new(
                "look at the flow's rules page, then activate again if still meant",
                "请查看“同步规则”页面，确认后重试",
            ),
            Self::NotKept { .. } => Text::new(
                "have the quarantine retried, which decides every row anew; from then on it can be replayed",
                "请重试待修正的记录，全部记录会重新判定，此后即可重放",
            ),
            _ => return None,
        };
        Some(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_line_is_shown_on_a_page() {
        let tenant: TenantId = "north".parse().unwrap();
        let flow: FlowId = "onboarding".parse().unwrap();
        let limit = ChangeLimit { percent: 20, least: 5, stated: true };
        let too_much = |unread| ActivationError::TooMuch { changed: 9, compared: 10, limit, unread };
        let named = || (tenant.clone(), flow.clone());
        let unknown = |(tenant, flow)| ActivationError::Unknown { tenant, flow, name: "x".to_owned() };
        let errors = [
            ActivationError::Fails { records: 1, compared: 2, reason: "no".to_owned() },
            too_much(Vec::new()),
            too_much(vec!["_widget_1".to_owned()]),
            ActivationError::AlreadyLive { tenant: tenant.clone(), flow: flow.clone() },
            ActivationError::NothingLive { tenant: tenant.clone(), flow: flow.clone() },
            ActivationError::NothingBefore { tenant: tenant.clone(), flow: flow.clone() },
            ActivationError::Raced { tenant: tenant.clone(), flow: flow.clone() },
            unknown(named()),
            ActivationError::NotKept { record: "r1".parse().unwrap() },
        ];
        for error in errors {
            let hint = error.page_hint().unwrap_or_else(|| error.hint());
            let shown = format!("{} {} {} {}", error.text().en, error.text().zh, hint.en, hint.zh);
            assert!(!shown.contains("`ruzhi") && !shown.contains("--"), "{shown}");
        }
    }
}
