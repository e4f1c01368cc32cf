//! Why a run ended early.

use crate::jiandaoyun;
use crate::model::{PlanId, Text};
use crate::store::StoreError;
use crate::wecom;

/// A run that could not go on. What was done before is in the store, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The form could not be read to its end.
    #[error("the form could not be read")]
    Collect(#[source] jiandaoyun::Error),
    /// The form is empty though it had rows.
    #[error("the form answered with no rows, though {had} are known from before")]
    SourceEmptied {
        /// Rows known.
        had: u64,
    },
    /// Most rows of the form are missing.
    #[error("the form answered without {missing} of the {had} rows known from before")]
    SourceShrunk {
        /// Rows known.
        had: u64,
        /// Of these, rows not found.
        missing: u64,
    },
    /// A row's id is none.
    #[error("a row of the form cannot be used: {reason}")]
    Row {
        /// Why.
        reason: String,
    },
    /// The directory's ids could not be read.
    #[error("the directory's ids could not be read from WeCom")]
    Directory(#[source] wecom::Error),
    /// WeCom refuses the credential, the address or the permission.
    #[error("WeCom stopped the run")]
    Stopped(#[source] wecom::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the run died.
    #[error("a worker of the run ended unexpectedly: {reason}")]
    Worker {
        /// Why.
        reason: String,
    },
    /// There is no such plan.
    #[error("there is no plan {plan}")]
    NoSuchPlan {
        /// The id asked for.
        plan: PlanId,
    },
    /// The plan is held and was not approved.
    #[error("plan {plan} is held by the guard")]
    NotApproved {
        /// The plan.
        plan: PlanId,
    },
    /// The plan has been applied.
    #[error("plan {plan} has been applied already")]
    AlreadyApplied {
        /// The plan.
        plan: PlanId,
    },
    /// The world changed since the plan was made.
    #[error("source, rules or ledger changed since plan {plan} was made; the new plan is {new}")]
    Superseded {
        /// The plan asked for.
        plan: PlanId,
        /// The one made instead.
        new: PlanId,
    },
}

impl RunError {
    /// A stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Collect(error) => error.code(),
            Self::SourceEmptied { .. } => "source.emptied".to_owned(),
            Self::SourceShrunk { .. } => "source.shrunk".to_owned(),
            Self::Row { .. } => "source.row".to_owned(),
            Self::Directory(error) | Self::Stopped(error) => error.code(),
            Self::Store(error) => error.code().to_owned(),
            Self::Worker { .. } => "run.worker".to_owned(),
            Self::NoSuchPlan { .. } => "plan.unknown".to_owned(),
            Self::NotApproved { .. } => "plan.held".to_owned(),
            Self::AlreadyApplied { .. } => "plan.applied".to_owned(),
            Self::Superseded { .. } => "plan.superseded".to_owned(),
        }
    }

    /// What happened, to what.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Collect(_) => "无法读取表单".to_owned(),
            Self::SourceEmptied { had } => format!("表单没有返回任何数据，而此前已知 {had} 条"),
            Self::SourceShrunk { had, missing } => {
                format!("此前已知的 {had} 条数据中，表单这次缺少 {missing} 条")
            }
            Self::Row { reason } => format!("表单中有一行无法使用：{reason}"),
            Self::Directory(_) => "无法从企业微信读取通讯录的 ID".to_owned(),
            Self::Stopped(_) => "企业微信中止了本次运行".to_owned(),
            Self::Store(error) => error.text().zh,
            Self::Worker { reason } => format!("运行中的一个任务意外结束：{reason}"),
            Self::NoSuchPlan { plan } => format!("没有计划 {plan}"),
            Self::NotApproved { plan } => format!("计划 {plan} 已被熔断"),
            Self::AlreadyApplied { plan } => format!("计划 {plan} 已执行过"),
            Self::Superseded { plan, new } => {
                format!("计划 {plan} 生成后，源数据、规则或台账已变化；新计划为 {new}")
            }
        };
        Text::new(self.to_string(), zh)
    }

    /// What to do next.
    pub fn hint(&self) -> Text {
        match self {
            Self::Collect(error) => error.explain(),
            Self::Directory(error) | Self::Stopped(error) => error.explain(),
            Self::Store(error) => error.hint(),
            Self::SourceEmptied { .. } => Text::new(
                "nobody was taken for a leaver; check the form, the filter and the API key's scope, then run again",
                "没有任何人被当作离职处理；请检查表单、筛选条件与 API Key 的授权范围后重试",
            ),
            Self::SourceShrunk { .. } => Text::new(
                "nothing was written; check the form and the filter, and if the rows are meant to be gone run `ruzhi sync --full --accept-missing`",
                "未写入任何内容；请检查表单与筛选条件；若确已删除这些数据，请运行 `ruzhi sync --full --accept-missing`",
            ),
            Self::Row { .. } => Text::new(
                "check that `base_url`, `app_id` and `entry_id` name a JianDaoYun form",
                "请检查 `base_url`、`app_id`、`entry_id` 是否指向简道云表单",
            ),
            Self::Worker { .. } => Text::new("run again", "请重试"),
            Self::NoSuchPlan { .. } => {
                Text::new("`ruzhi status` lists the plans that wait", "`ruzhi status` 会列出待处理的计划")
            }
            Self::NotApproved { plan } => Text::new(
                format!("read it, then release exactly this plan with `ruzhi apply {plan} --approve`"),
                format!("请先查看，再用 `ruzhi apply {plan} --approve` 放行该计划"),
            ),
            Self::AlreadyApplied { .. } => Text::new("nothing is left to do", "无需再操作"),
            Self::Superseded { new, .. } => Text::new(
                format!("read the new plan, then apply it: `ruzhi apply {new}`"),
                format!("请查看新计划后再执行：`ruzhi apply {new}`"),
            ),
        }
    }
}
