//! Errors that end a run early.

use std::fmt::Write as _;

use ruzhi_jiandaoyun as jiandaoyun;
use ruzhi_model::{PlanId, RemoteService, RunId, Text};
use ruzhi_store::{PlanRow, PlanState, StoreError};
use ruzhi_wecom as wecom;

/// A field that the rules or the filter read and that the form no longer has under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingField {
    /// The name it is read by.
    pub field: String,
    /// Its former label on the form.
    pub label: Option<String>,
    /// The name it has now, if it was renamed.
    pub now: Option<String>,
}

impl MissingField {
    /// The field, and the change to it.
    fn text(&self) -> Text {
        let label = self.label.as_deref().map(|label| format!(" ({label})")).unwrap_or_default();
        match &self.now {
            Some(now) => Text::new(
                format!("{}{label} is now called {now}", self.field),
                format!("{}{label} 现名为 {now}", self.field),
            ),
            None => {
                Text::new(format!("{}{label} is gone", self.field), format!("{}{label} 已不存在", self.field))
            }
        }
    }
}

/// Several fields in one text.
fn listed(missing: &[MissingField]) -> Text {
    let texts: Vec<Text> = missing.iter().map(MissingField::text).collect();
    let join = |pick: fn(&Text) -> &str, by: &str| texts.iter().map(pick).collect::<Vec<_>>().join(by);
    Text::new(join(|text| &text.en, "; "), join(|text| &text.zh, "；"))
}

/// The progress of a plan; empty if there was none.
fn so_far(done: u64, failed: u64, untried: u64) -> Text {
    if done + failed + untried == 0 {
        return Text::new("", "");
    }
    let (mut en, mut zh) = (format!(": {done} operations done"), format!("：已完成 {done} 项操作"));
    if failed > 0 {
        let _ = write!(en, ", {failed} not done or in doubt");
        let _ = write!(zh, "，{failed} 项未完成或结果不明");
    }
    if untried > 0 {
        let _ = write!(en, ", {untried} left for the next run");
        let _ = write!(zh, "，{untried} 项留待下次运行");
    }
    Text::new(en, zh)
}

/// The kind of a failure, as far as the schedule and the alerts depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The process is ending; the next run goes on from there.
    CutOff,
    /// A service denies the credential, the address or the permission: no later run can succeed until a person acts.
    Blocked(RemoteService),
    /// The form is not as the flow expects it, which no retry changes.
    Form,
    /// Any other.
    Other,
}

/// A run that could not go on. The work done before is in the store, and the next run continues from there.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The form could not be read to its end.
    #[error("the form could not be read")]
    Collect(#[source] jiandaoyun::FormError),
    /// The form's fields could not be read.
    #[error("the form's fields could not be read")]
    Fields(#[source] jiandaoyun::FormError),
    /// The form lacks fields that the rules or the filter read.
    #[error("the form no longer has every field that is read: {}", listed(missing).en)]
    FieldsMissing {
        /// The fields.
        missing: Vec<MissingField>,
    },
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
    /// The flow reads another form than before.
    #[error("this flow has read the form {before}, and now it is to read {now}")]
    SourceOtherForm {
        /// The form read before.
        before: String,
        /// The one to read now.
        now: String,
    },
    /// Rows that the form did not return are in it all the same.
    #[error("of {missing} rows that the form no longer gives, {there} are still in it, unchanged")]
    SourceHeldBack {
        /// Rows not found.
        missing: u64,
        /// Of those queried one by one, rows that are there.
        there: u64,
    },
    /// A row has an invalid id.
    #[error("a row of the form cannot be used: {reason}")]
    Row {
        /// The cause.
        reason: String,
    },
    /// The directory's ids could not be read.
    #[error("the directory's ids could not be read from WeCom")]
    Directory(#[source] wecom::WecomError),
    /// WeCom denies the credential, the address or the permission.
    #[error("WeCom stopped the run")]
    Stopped(#[source] wecom::WecomError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the run died.
    #[error("a worker of the run ended unexpectedly: {reason}")]
    Worker {
        /// The cause.
        reason: String,
    },
    /// The process ends.
    #[error("ruzhi was asked to end before the run was over{}", so_far(*done, *failed, *untried).en)]
    Quit {
        /// Operations done.
        done: u64,
        /// Operations that were tried and not done, or are in doubt.
        failed: u64,
        /// Operations that were not tried.
        untried: u64,
    },
    /// A person rejected the plan.
    #[error("plan {plan} was rejected by a person")]
    Rejected {
        /// The plan.
        plan: PlanId,
    },
    /// There is no such run, or it has done nothing.
    #[error("run {run} has done nothing that could be undone")]
    NothingToUndo {
        /// The run.
        run: RunId,
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
    /// The data changed since the plan was made.
    #[error("source, rules or ledger changed since plan {plan} was made; the new plan is {new}")]
    Superseded {
        /// The guard holds the new one.
        held: bool,
        /// The plan asked for.
        plan: PlanId,
        /// The one made instead.
        new: PlanId,
    },
}

/// Checks that a stored plan may be applied: with a person's approval also one that the guard holds or that a person
/// has rejected before. Whether it still fits the form is known only once the run has made it again.
///
/// # Errors
/// The reason it may not be applied.
pub fn check_applicable(stored: &PlanRow, approved: bool) -> Result<(), RunError> {
    let plan = stored.plan.id.clone();
    match stored.state {
        PlanState::Done => Err(RunError::AlreadyApplied { plan }),
        PlanState::Rejected if !approved => Err(RunError::Rejected { plan }),
        _ if stored.plan.guard.holds() && !approved => Err(RunError::NotApproved { plan }),
        _ => Ok(()),
    }
}

impl RunError {
    /// A stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Collect(error) => error.code(),
            Self::Fields(error) => error.code(),
            Self::FieldsMissing { .. } => "source.fields".to_owned(),
            Self::SourceEmptied { .. } => "source.emptied".to_owned(),
            Self::SourceShrunk { .. } => "source.shrunk".to_owned(),
            Self::SourceOtherForm { .. } => "source.other_form".to_owned(),
            Self::SourceHeldBack { .. } => "source.held_back".to_owned(),
            Self::Row { .. } => "source.row".to_owned(),
            Self::Directory(error) | Self::Stopped(error) => error.code(),
            Self::Store(error) => error.code().to_owned(),
            Self::Worker { .. } => "run.worker".to_owned(),
            Self::Quit { .. } => "run.quit".to_owned(),
            Self::Rejected { .. } => "plan.rejected".to_owned(),
            Self::NothingToUndo { .. } => "run.nothing_to_undo".to_owned(),
            Self::NoSuchPlan { .. } => "plan.unknown".to_owned(),
            Self::NotApproved { .. } => "plan.held".to_owned(),
            Self::AlreadyApplied { .. } => "plan.applied".to_owned(),
            Self::Superseded { .. } => "plan.superseded".to_owned(),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Collect(error) | Self::Fields(error) => match error.class() {
                jiandaoyun::FormErrorClass::Auth | jiandaoyun::FormErrorClass::Config => {
                    FailureKind::Blocked(RemoteService::Jiandaoyun)
                }
                _ => FailureKind::Other,
            },
            Self::Directory(error) | Self::Stopped(error) => match error.class() {
                wecom::ErrcodeClass::Configuration => FailureKind::Blocked(RemoteService::Wecom),
                _ if error.is_quit() => FailureKind::CutOff,
                _ => FailureKind::Other,
            },
            Self::FieldsMissing { .. }
            | Self::SourceEmptied { .. }
            | Self::SourceShrunk { .. }
            | Self::SourceOtherForm { .. }
            | Self::SourceHeldBack { .. }
            | Self::Row { .. } => FailureKind::Form,
            Self::Quit { .. } => FailureKind::CutOff,
            Self::Store(_)
            | Self::Worker { .. }
            | Self::Rejected { .. }
            | Self::NothingToUndo { .. }
            | Self::NoSuchPlan { .. }
            | Self::NotApproved { .. }
            | Self::AlreadyApplied { .. }
            | Self::Superseded { .. } => FailureKind::Other,
        }
    }

    /// The failure and its subject.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Collect(_) => "无法读取表单".to_owned(),
            Self::Fields(_) => "无法读取表单的字段".to_owned(),
            Self::FieldsMissing { missing } => format!("表单缺少所读取的字段：{}", listed(missing).zh),
            Self::Quit { done, failed, untried } => {
                format!("运行结束前 ruzhi 被要求退出{}", so_far(*done, *failed, *untried).zh)
            }
            Self::Rejected { plan } => format!("计划 {plan} 已被人工驳回"),
            Self::NothingToUndo { run } => format!("运行 {run} 没有可撤销的操作"),
            Self::SourceEmptied { had } => format!("表单没有返回任何数据，而此前已知 {had} 条"),
            Self::SourceShrunk { had, missing } => {
                format!("此前已知的 {had} 条数据中，表单这次缺少 {missing} 条")
            }
            Self::SourceOtherForm { before, now } => {
                format!("该同步流此前读取表单 {before}，现在却要读取 {now}")
            }
            Self::SourceHeldBack { missing, there } => {
                format!("表单不再返回的 {missing} 条数据中，有 {there} 条仍在表单里且未变")
            }
            Self::Row { reason } => format!("表单中有一行无法使用：{reason}"),
            Self::Directory(_) => "无法从企业微信读取通讯录的 ID".to_owned(),
            Self::Stopped(_) => "企业微信中止了本次运行".to_owned(),
            Self::Store(error) => error.text().zh,
            Self::Worker { reason } => format!("运行中的一个任务意外结束：{reason}"),
            Self::NoSuchPlan { plan } => format!("没有计划 {plan}"),
            Self::NotApproved { plan } => format!("计划 {plan} 待审批"),
            Self::AlreadyApplied { plan } => format!("计划 {plan} 已执行过"),
            Self::Superseded { plan, new, .. } => {
                format!("计划 {plan} 生成后，源数据、规则或台账已变化；新计划为 {new}")
            }
        };
        Text::new(self.to_string(), zh)
    }

    /// The next step at a terminal.
    pub fn hint(&self) -> Text {
        match self {
            Self::Collect(error) | Self::Fields(error) => error.explain(),
            Self::FieldsMissing { .. } => Text::new(
                "no row was read, no one was taken for a leaver and the watermark stays; put the field back, or correct the rules file and the filter (a field that was given an alias is known by the alias)",
                "未读取任何数据，没有任何人被当作离职处理，水位不变；请恢复该字段，或修改规则文件与筛选条件（设置了别名的字段须使用别名）",
            ),
            Self::Quit { .. } => Text::new(
                "every answer that came is stored; the next run goes on from there",
                "已收到的应答都已保存；下次运行会从那里继续",
            ),
            Self::Rejected { plan } => Text::new(
                format!(
                    "correct the form or the rules, and run again; or approve it after all with `ruzhi apply {plan} --approve`"
                ),
                format!("请更正表单或规则后重试；若改变主意，仍可用 `ruzhi apply {plan} --approve` 批准"),
            ),
            Self::NothingToUndo { .. } => Text::new(
                "`ruzhi runs` lists the runs and what they did",
                "`ruzhi runs` 会列出各次运行及其结果",
            ),
            Self::Directory(error) | Self::Stopped(error) => error.explain(),
            Self::Store(error) => error.hint(),
            Self::SourceEmptied { .. } => Text::new(
                "no one was taken for a leaver; check the form, the filter and the API key's scope, then run again",
                "没有任何人被当作离职处理；请检查表单、筛选条件与 API Key 的授权范围后重试",
            ),
            Self::SourceShrunk { .. } => Text::new(
                "nothing was written; check the form and the filter, and if the rows are meant to be gone run `ruzhi sync --full --accept-missing`",
                "未写入任何内容；请检查表单与筛选条件；若确已删除这些数据，请运行 `ruzhi sync --full --accept-missing`",
            ),
            Self::SourceOtherForm { .. } => Text::new(
                "no row was read and no one was taken for a leaver; correct `app_id` and `entry_id`, or if the form was moved run `ruzhi sync --full --accept-missing`",
                "未读取任何数据，没有任何人被当作离职处理；请更正 `app_id` 与 `entry_id`；若表单确已更换，请运行 `ruzhi sync --full --accept-missing`",
            ),
            Self::SourceHeldBack { .. } => Text::new(
                "no one was taken for a leaver and nothing was written; run again, and check the filter if it was changed; if these people have left, run `ruzhi sync --full --accept-missing`",
                "没有任何人被当作离职处理，未写入任何内容；请重试，若改过筛选条件请检查；若这些人确已离职，请运行 `ruzhi sync --full --accept-missing`",
            ),
            Self::Row { .. } => Text::new(
                "check that `base_url`, `app_id` and `entry_id` name a JianDaoYun form",
                "请检查 `base_url`、`app_id`、`entry_id` 是否指向简道云表单",
            ),
            Self::Worker { .. } => Text::new("run again", "请重试"),
            Self::NoSuchPlan { .. } => {
                Text::new("`ruzhi status` lists the plans that wait", "`ruzhi status` 会列出待审批的计划")
            }
            Self::NotApproved { plan } => Text::new(
                format!("read it, then approve exactly this plan with `ruzhi apply {plan} --approve`"),
                format!("请先查看，再用 `ruzhi apply {plan} --approve` 批准该计划"),
            ),
            Self::AlreadyApplied { .. } => Text::new("nothing is left to do", "无需再操作"),
            Self::Superseded { new, held, .. } => {
                let approve = if *held { " --approve" } else { "" };
                Text::new(
                    format!(
                        "read the new plan (`ruzhi show {new}`), then apply it: `ruzhi apply {new}{approve}`"
                    ),
                    format!("请查看新计划（`ruzhi show {new}`）后再执行：`ruzhi apply {new}{approve}`"),
                )
            }
        }
    }

    /// The next step on a page, where it is not the one at a terminal.
    pub fn page_hint(&self) -> Option<Text> {
        let hint = match self {
            Self::Rejected { .. } => Text::new(
                "correct the form or the rules, and run again; or approve the plan after all on its page",
                "请更正表单或规则后重新运行；若改变主意，仍可在计划页面批准",
            ),
            Self::NothingToUndo { .. } => {
                Text::new("the list of runs shows what each of them did", "运行列表中可查看每次运行的结果")
            }
            Self::SourceShrunk { .. } => Text::new(
                "nothing was written; check the form and the filter, and if the rows are meant to be gone start “Another run” with both boxes ticked",
                "未写入任何内容；请检查表单与筛选条件；若确已删除这些数据，请用“其他运行”并勾选两个选项",
            ),
            Self::SourceOtherForm { .. } => Text::new(
                "no row was read and no one was taken for a leaver; correct `app_id` and `entry_id`, or if the form was moved start “Another run” with both boxes ticked",
                "未读取任何数据，没有任何人被当作离职处理；请更正 `app_id` 与 `entry_id`；若表单确已更换，请用“其他运行”并勾选两个选项",
            ),
            Self::SourceHeldBack { .. } => Text::new(
                "no one was taken for a leaver and nothing was written; run again, and check the filter if it was changed; if these people have left, start “Another run” with both boxes ticked",
                "没有任何人被当作离职处理，未写入任何内容；请重新运行，若改过筛选条件请检查；若这些人确已离职，请用“其他运行”并勾选两个选项",
            ),
            Self::NoSuchPlan { .. } => {
                Text::new("the overview lists the plans that wait", "概览页列出了待审批的计划")
            }
            Self::NotApproved { .. } => {
                Text::new("read it, then approve it on its page", "请查看后在计划页面批准")
            }
            Self::Superseded { new, held: true, .. } => Text::new(
                format!("read the new plan {new}, then approve it on its page"),
                format!("请查看新计划 {new}，再在其页面批准"),
            ),
            Self::Superseded { new, held: false, .. } => Text::new(
                format!("read the new plan {new}, then apply it on its page"),
                format!("请查看新计划 {new}，再在其页面执行"),
            ),
            _ => return None,
        };
        Some(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzhi_wecom::{WecomError, WecomFailure};

    #[test]
    fn no_command_line_is_shown_on_a_page() {
        let plan: PlanId = "p1".parse().unwrap();
        let errors = [
            RunError::Rejected { plan: plan.clone() },
            RunError::NothingToUndo { run: "r1".parse().unwrap() },
            RunError::SourceEmptied { had: 2 },
            RunError::SourceShrunk { had: 60, missing: 54 },
            RunError::SourceOtherForm { before: "a".to_owned(), now: "b".to_owned() },
            RunError::SourceHeldBack { missing: 6, there: 6 },
            RunError::NoSuchPlan { plan: plan.clone() },
            RunError::NotApproved { plan: plan.clone() },
            RunError::AlreadyApplied { plan: plan.clone() },
            RunError::Superseded { held: true, plan: plan.clone(), new: plan.clone() },
            RunError::Superseded { held: false, plan: plan.clone(), new: plan },
        ];
        for error in errors {
            let hint = error.page_hint().unwrap_or_else(|| error.hint());
            let shown = format!("{} {} {} {}", error.text().en, error.text().zh, hint.en, hint.zh);
            assert!(!shown.contains("ruzhi ") && !shown.contains("--"), "{shown}");
        }
    }

    #[test]
    fn the_kind_of_a_failure_names_the_service_that_denies_access_and_the_end_of_the_process() {
        let listing = |failure| RunError::Directory(WecomError::MemberIds { failure }).kind();
        let denied = WecomFailure::Rejected { errcode: 60020, errmsg: String::new(), from_ip: None };
        assert_eq!(listing(denied), FailureKind::Blocked(RemoteService::Wecom));
        assert_eq!(listing(WecomFailure::Quit), FailureKind::CutOff);
        assert_eq!(listing(WecomFailure::Shape { what: "dept_user" }), FailureKind::Other);
        assert_eq!(RunError::Quit { done: 1, failed: 0, untried: 2 }.kind(), FailureKind::CutOff);
        assert_eq!(RunError::SourceEmptied { had: 3 }.kind(), FailureKind::Form);
    }
}
