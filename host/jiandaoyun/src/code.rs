//! The table of codes: the reaction to each code and the advice to a person.
//!
//! Source: the service's error list. None of it was ever seen in a recording, so a code missing here counts as
//! permanent and is reported.

use ruzhi_model::Text;

/// The reaction to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Too many calls: all callers of the key wait, then the call is repeated.
    Wait,
    /// The call is repeated.
    Retry,
    /// The key is wrong.
    Auth,
    /// A setting made by a person is wrong, or a quota is used up.
    Config,
    /// The call will never succeed.
    Permanent,
    /// Not in the table.
    Unknown,
}

/// One range of codes.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodeMeaning {
    from: i64,
    to: i64,
    pub(super) reaction: Reaction,
    means: (&'static str, &'static str),
    advice: (&'static str, &'static str),
}

impl CodeMeaning {
    pub(super) fn means(&self) -> Text {
        Text::new(self.means.0, self.means.1)
    }

    pub(super) fn advice(&self) -> Text {
        Text::new(self.advice.0, self.advice.1)
    }
}

/// The entry of a code.
pub(super) fn meaning(code: i64) -> CodeMeaning {
    TABLE.iter().find(|row| (row.from..=row.to).contains(&code)).copied().unwrap_or(CodeMeaning {
        from: code,
        to: code,
        reaction: Reaction::Unknown,
        means: ("JianDaoYun answered with a code that is not in the table", "简道云返回了未收录的错误码"),
        advice: (
            "Look the code up in JianDaoYun's documentation and report it.",
            "请查阅简道云文档并反馈该错误码。",
        ),
    })
}

type CodeAdvice = (&'static str, &'static str);

const WAITS: CodeAdvice = (
    "If it lasts, lower `limits.per_second` or run later.",
    "若持续出现，请调低 limits.per_second 或稍后再运行。",
);
const KEY: CodeAdvice = (
    "Check the tenant's `api_key`: 开放平台 → 密钥管理 shows whether it exists and is enabled.",
    "请检查工厂的 api_key：在 开放平台 → 密钥管理 中确认其存在且已启用。",
);
const SCOPE: CodeAdvice = (
    "In 开放平台 → 密钥管理 give the key the form's app, the read API and this machine's address.",
    "请在 开放平台 → 密钥管理 中为该密钥授权对应应用、读取接口及本机 IP。",
);
const IDS: CodeAdvice = (
    "Check `app_id` and `entry_id` of the flow: both are in the form's address.",
    "请检查同步流的 app_id 与 entry_id，可从表单地址中获得。",
);
const FILTER: CodeAdvice = (
    "Check the flow's `filter`: field names, methods and the number of values.",
    "请检查同步流的 filter：字段名、方法与值的数量。",
);
const ACCOUNT: CodeAdvice =
    ("Check the company's edition and quota in JianDaoYun.", "请检查简道云的企业版本与用量配额。");
const REPORT: CodeAdvice = ("Report it: ruzhi does not make such calls.", "请反馈：ruzhi 不会发出此类调用。");

macro_rules! table {
    ($($from:literal $(..= $to:literal)? $reaction:ident $advice:ident $en:literal $zh:literal;)*) => {
        /// Sorted by code.
        const TABLE: &[CodeMeaning] = &[$(
            CodeMeaning {
                from: $from,
                to: { let _to = $from; $(let _to = $to;)? _to },
                reaction: Reaction::$reaction,
                means: ($en, $zh),
                advice: $advice,
            },
        )*];
    };
}

table! {
    1 Permanent REPORT "the request is invalid" "请求无效";
    1005 Permanent REPORT "the e-mail exists" "邮箱已存在";
    1010 Permanent REPORT "the member does not exist" "成员不存在";
    1017..=1019 Permanent REPORT "a member's account, e-mail or nickname is invalid" "成员账号、邮箱或昵称格式错误";
    1022 Config ACCOUNT "the company does not exist or is closed" "企业不存在或已关闭";
    1024 Permanent REPORT "the mobile number is invalid" "手机号格式错误";
    1027 Permanent REPORT "the mobile number exists" "手机号已存在";
    1058 Config SCOPE "no permission for the task" "没有任务权限";
    1065 Permanent REPORT "the member is already in the team" "成员已在团队中";
    1082 Permanent REPORT "mobile and e-mail are both empty" "手机号与邮箱均为空";
    1085 Permanent REPORT "the nickname is missing" "缺少昵称";
    1087 Permanent REPORT "a field that must be unique is not" "唯一字段重复";
    1092 Permanent REPORT "the account's name is too long" "账号过长";
    1096 Permanent REPORT "a member parameter is invalid" "成员参数无效";
    1201..=1208 Permanent REPORT "a role is refused" "角色操作失败";
    2004 Config IDS "the app does not exist" "应用不存在";
    3000 Config IDS "the form does not exist" "表单不存在";
    3001 Permanent REPORT "a name is missing" "缺少名称";
    3005 Permanent REPORT "a parameter is invalid" "参数无效";
    3041..=3042 Permanent REPORT "the form's design is over a limit" "表单设计超出限制";
    3083 Permanent REPORT "the form's design is over a limit" "表单设计超出限制";
    3091..=3092 Permanent REPORT "the form's design is over a limit" "表单设计超出限制";
    4000 Permanent REPORT "the data was not submitted" "数据提交失败";
    4001 Permanent REPORT "the data does not exist" "数据不存在";
    4007..=4008 Permanent REPORT "the workflow is closed or has no approver" "流程已关闭或没有负责人";
    4009 Config SCOPE "no permission to approve" "没有审批权限";
    4012 Retry WAITS "another batch edit keeps the form busy" "表单正在被批量修改";
    4015..=4016 Permanent REPORT "the workflow cannot be handed over" "流程无法转交";
    4025 Config SCOPE "no permission for the workflow" "没有流程权限";
    4042 Permanent REPORT "the data was not deleted" "删除失败";
    4402 Permanent REPORT "an aggregation's check failed" "聚合表校验失败";
    4815 Permanent FILTER "the filter is invalid or too long" "筛选条件无效或过长";
    5003..=5053 Permanent REPORT "a workflow node is refused" "流程节点错误";
    6000..=6064 Permanent REPORT "the department tree is refused" "部门操作失败";
    7103 Config ACCOUNT "a quota is used up" "用量超出配额";
    7206 Config ACCOUNT "a quota is used up" "用量超出配额";
    7212 Config ACCOUNT "this month's data quota is used up" "当月数据量超出配额";
    7216..=7221 Config ACCOUNT "a quota is used up" "用量超出配额";
    8017 Config ACCOUNT "the team does not exist or is closed" "团队不存在或已关闭";
    8301 Auth KEY "the key was not accepted" "API Key 鉴权失败";
    8302 Auth SCOPE "the key may not make this call" "API Key 没有调用该接口的权限";
    8303 Wait WAITS "the company makes too many calls" "企业请求超出频率限制";
    8304 Wait WAITS "this call is made too often" "接口请求超出频率限制";
    9004 Permanent REPORT "the task was not created" "任务创建失败";
    9007 Retry WAITS "the data is locked" "数据加锁失败";
    17017 Permanent FILTER "a parameter is wrong" "接口参数错误";
    17018 Auth KEY "the key is not valid" "API Key 无效";
    17023..=17027 Permanent REPORT "a batch or transaction is refused" "批量或事务参数错误";
    17032..=17034 Permanent REPORT "a field's type or a batch's size is not supported" "字段类型或批量大小不支持";
    17052 Config SCOPE "this address is not on the key's list" "本机 IP 不在密钥白名单";
    17053 Config SCOPE "the app is not among the key's apps" "应用不在密钥授权范围";
    17054 Config SCOPE "the call is not among the key's calls" "接口不在密钥授权范围";
    30002 Config IDS "forms of the built-in CRM cannot be read" "CRM 预置表单不可调用";
    50000..=50082 Permanent REPORT "the workflow engine refuses" "流程引擎错误";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_reaction() {
        for (codes, reaction) in [
            (&[8303, 8304][..], Reaction::Wait),
            (&[4012, 9007], Reaction::Retry),
            (&[8301, 8302, 17018], Reaction::Auth),
            (
                &[1022, 8017, 2004, 3000, 17052, 17053, 17054, 30002, 7103, 7206, 7212, 7216, 7219, 7221],
                Reaction::Config,
            ),
            (
                &[1, 1005, 1018, 1010, 1017, 1092, 1019, 1085, 1024, 1027, 1065, 1082, 1087, 1096],
                Reaction::Permanent,
            ),
            (
                &[
                    1201, 1208, 3001, 3005, 3041, 3042, 3083, 3091, 3092, 4000, 4001, 4007, 4008, 4015, 4016,
                    4042, 4402,
                ],
                Reaction::Permanent,
            ),
            (
                &[
                    4815, 5003, 5053, 6000, 6006, 6010, 6021, 6064, 9004, 17017, 17023, 17024, 17033, 17025,
                    17026, 17027, 17032, 17034, 50000, 50082,
                ],
                Reaction::Permanent,
            ),
            (&[0, 2, 8300, 8305, 123_456], Reaction::Unknown),
        ] {
            for code in codes {
                assert_eq!(meaning(*code).reaction, reaction, "{code}");
            }
        }
    }

    #[test]
    fn the_table_is_sorted_and_no_code_is_in_it_twice() {
        assert!(TABLE.iter().all(|row| row.from <= row.to));
        assert!(TABLE.windows(2).all(|pair| pair[0].to < pair[1].from));
    }
}
