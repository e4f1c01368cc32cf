//! Errors of calls to WeCom, with advice for a person.

use chrono::{DateTime, SecondsFormat, Utc};

use super::errcode::{Blame, ErrcodeClass, blame, class, meaning};
use ruzhi_files::open_files;
use ruzhi_http::answer::Excess;
use ruzhi_model::{DepartmentId, Text, UserId};

/// A failed operation. The cause is the source, a [`WecomFailure`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WecomError {
    /// The settings do not allow a connection.
    #[error("cannot set up the connection to WeCom")]
    Settings {
        /// The problem.
        #[source]
        failure: WecomFailure,
    },
    /// No access token was issued.
    #[error("cannot get a WeCom access token")]
    Token {
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// The departments could not be listed.
    #[error("cannot list the WeCom departments")]
    Departments {
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// The members could not be listed.
    #[error("cannot list the WeCom members")]
    MemberIds {
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// A member could not be read.
    #[error("cannot read the WeCom member {userid}")]
    GetMember {
        /// The member.
        userid: UserId,
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// The holder of a mobile number could not be looked up.
    #[error("cannot look up a WeCom member by mobile number")]
    UseridByMobile {
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// The members of a department could not be read.
    #[error("cannot read the members of the WeCom department {department}")]
    MembersOf {
        /// The department.
        department: DepartmentId,
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// A file of members could not be written, for a reason that concerns every member.
    #[error("cannot write {rows} WeCom members as one file ({api})")]
    CsvFile {
        /// The call, such as `batch/syncuser`.
        api: &'static str,
        /// Number of members in the file.
        rows: usize,
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// The wait for an earlier process's job failed.
    #[error("cannot learn whether a WeCom job is over")]
    Job {
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
    /// A member could not be written, for a reason that concerns every member.
    #[error("cannot write the WeCom member {userid} ({api})")]
    Write {
        /// The call, such as `user/create`.
        api: &'static str,
        /// The member.
        userid: UserId,
        /// The cause.
        #[source]
        failure: WecomFailure,
    },
}

/// The cause of a failed operation. No variant holds a URL, a token or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WecomFailure {
    /// The settings are invalid.
    #[error("{detail}")]
    Settings {
        /// The problem.
        detail: String,
    },
    /// WeCom rejected the call.
    #[error("errcode {errcode}: {errmsg}")]
    Rejected {
        /// The code.
        errcode: i64,
        /// WeCom's message, shortened.
        errmsg: String,
        /// The caller's address as seen by WeCom.
        from_ip: Option<String>,
    },
    /// WeCom accepted the call, but had to guess at the request.
    #[error("WeCom took the request for malformed: {errmsg}")]
    Warned {
        /// WeCom's message, shortened.
        errmsg: String,
    },
    /// WeCom was busy at every attempt.
    #[error("errcode {errcode} at every attempt: {errmsg}")]
    Busy {
        /// The last code.
        errcode: i64,
        /// WeCom's message, shortened.
        errmsg: String,
    },
    /// Every attempt failed to connect.
    #[error("no connection: {detail}")]
    Unreachable {
        /// The message of the connection.
        detail: String,
    },
    /// Every attempt failed to connect because this process has too many open files.
    #[error("too many open files: {detail}")]
    OpenFiles {
        /// The message of the connection.
        detail: String,
    },
    /// No attempt got a readable answer.
    #[error("no readable answer: {detail}")]
    NoAnswer {
        /// The reply in its place.
        detail: String,
    },
    /// An answer over a limit. The call may have been carried out, and is not repeated: its answer would be as
    /// large.
    #[error("{excess}")]
    TooLarge {
        /// The limit it exceeds.
        excess: Excess,
    },
    /// The API is parked because its rate limit does not lift.
    #[error("rate limit (45009) until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true))]
    Parked {
        /// The time of the next attempt.
        until: DateTime<Utc>,
    },
    /// The process ends, and the call was not made.
    #[error("ruzhi was asked to end before the call was made")]
    Quit,
    /// A listing without end: it returned to an earlier cursor, or to members already listed.
    #[error("the listing comes to no end: stopped after {pages} pages")]
    Endless {
        /// Number of pages read.
        pages: usize,
    },
    /// The answer lacks a requested field.
    #[error("the answer has no usable `{what}`")]
    Shape {
        /// The key.
        what: &'static str,
    },
}

impl WecomFailure {
    /// The class of the code in the table, which determines the next step.
    pub fn class(&self) -> ErrcodeClass {
        match self {
            Self::Settings { .. } => ErrcodeClass::Configuration,
            Self::Rejected { errcode, .. } => class(*errcode),
            Self::Warned { .. } | Self::Shape { .. } | Self::Endless { .. } => ErrcodeClass::Bug,
            Self::Busy { .. }
            | Self::Unreachable { .. }
            | Self::OpenFiles { .. }
            | Self::NoAnswer { .. }
            | Self::TooLarge { .. }
            | Self::Quit => ErrcodeClass::Retry,
            Self::Parked { .. } => ErrcodeClass::Throttled,
        }
    }

    /// True if every call of the tenant fails, whatever its subject.
    pub(super) fn is_the_tenants(&self) -> bool {
        match self {
            Self::Settings { .. } => true,
            Self::Rejected { errcode, .. } => blame(*errcode) == Blame::Tenant,
            _ => false,
        }
    }

    /// WeCom's last code, if there was one.
    pub(super) fn errcode(&self) -> Option<i64> {
        match self {
            Self::Rejected { errcode, .. } | Self::Busy { errcode, .. } => Some(*errcode),
            Self::Parked { .. } => Some(45009),
            Self::Settings { .. }
            | Self::Warned { .. }
            | Self::Unreachable { .. }
            | Self::OpenFiles { .. }
            | Self::NoAnswer { .. }
            | Self::TooLarge { .. }
            | Self::Quit
            | Self::Endless { .. }
            | Self::Shape { .. } => None,
        }
    }

    fn code(&self) -> String {
        match self {
            Self::Settings { .. } => "wecom.settings".to_owned(),
            Self::Rejected { errcode, .. } | Self::Busy { errcode, .. } => format!("wecom.{errcode}"),
            Self::Warned { .. } => "wecom.warning".to_owned(),
            Self::Unreachable { .. } => "wecom.unreachable".to_owned(),
            Self::OpenFiles { .. } => open_files::CODE.to_owned(),
            Self::NoAnswer { .. } => "wecom.no_answer".to_owned(),
            Self::TooLarge { .. } => "wecom.too_large".to_owned(),
            Self::Parked { .. } => "wecom.45009".to_owned(),
            Self::Quit => "run.quit".to_owned(),
            Self::Endless { .. } => "wecom.endless".to_owned(),
            Self::Shape { .. } => "wecom.shape".to_owned(),
        }
    }

    fn explain(&self) -> Text {
        match self {
            Self::Settings { detail } => Text::new(
                format!("{detail}. Correct `[wecom]` in the tenant's file."),
                format!("{detail}。请修正工厂配置文件中的 [wecom]。"),
            ),
            Self::Rejected { errcode: 60020, from_ip, .. } => {
                let (en, zh) = match from_ip {
                    Some(ip) => (format!(" {ip}"), format!(" {ip} ")),
                    None => (" of the machine that calls".to_owned(), "本机出口 IP ".to_owned()),
                };
                Text::new(
                    format!(
                        "WeCom does not accept calls from this address (60020). Add the IP{en} to 企业可信IP of the \
                         contact-sync assistant in the WeCom console, or set `proxy`; it takes about a minute."
                    ),
                    format!(
                        "企业微信拒绝该 IP 的调用（60020）。请在管理后台的通讯录同步中把{zh}加入企业可信IP，或配置 \
                         proxy；保存后约一分钟生效。"
                    ),
                )
            }
            Self::Rejected { errcode, errmsg, .. } => {
                let meaning = meaning(*errcode);
                let (means, advice) = (meaning.means(), meaning.advice());
                Text::new(
                    format!("{} ({errcode}: {errmsg}). {}", capital(&means.en), advice.en),
                    format!("{}（{errcode}: {errmsg}）。{}", means.zh, advice.zh),
                )
            }
            Self::Warned { errmsg } => Text::new(
                format!(
                    "WeCom found the request malformed and may have dropped a field ({errmsg}). Report it."
                ),
                format!("企业微信认为请求格式有误，可能丢弃了字段（{errmsg}）。请反馈此问题。"),
            ),
            Self::Busy { errcode, errmsg } => Text::new(
                format!("WeCom was busy at every attempt ({errcode}: {errmsg}). Run again later."),
                format!("企业微信持续繁忙（{errcode}: {errmsg}）。请稍后重新运行。"),
            ),
            Self::Unreachable { detail } => Text::new(
                format!("WeCom cannot be reached ({detail}). Check `base_url`, `proxy` and the network."),
                format!("无法连接企业微信（{detail}）。请检查 base_url、proxy 与网络。"),
            ),
            Self::OpenFiles { .. } => open_files::advice(),
            Self::NoAnswer { detail } => Text::new(
                format!(
                    "WeCom gave no readable answer ({detail}). Check `base_url` and `proxy`; run again later."
                ),
                format!("企业微信没有给出可读的应答（{detail}）。请检查 base_url 与 proxy，稍后重新运行。"),
            ),
            Self::TooLarge { excess } => {
                let Text { en, zh } = excess.text();
                Text::new(
                    format!(
                        "{}. Check that `base_url` and `proxy` lead to WeCom; run again later.",
                        capital(&en)
                    ),
                    format!("{zh}。请检查 base_url 与 proxy 是否指向企业微信，稍后重新运行。"),
                )
            }
            Self::Parked { until } => {
                let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
                Text::new(
                    format!("WeCom's rate limit does not lift (45009). Run again after {until}."),
                    format!("企业微信频率限制未解除（45009）。请在 {until} 之后重新运行。"),
                )
            }
            Self::Quit => Text::new(
                "ruzhi was asked to end; the next run goes on from here.",
                "ruzhi 正在退出；下次运行会从这里继续。",
            ),
            Self::Endless { pages } => Text::new(
                format!(
                    "The listing came back to pages it had given before; it was stopped after {pages} pages and nothing \
                     was concluded from it. Run again; if it stays so, check that `base_url` leads to WeCom."
                ),
                format!(
                    "成员列表的游标出现循环，已在第 {pages} 页后停止，未据此做任何判断。请重新运行；若仍如此，请检查 \
                     base_url 是否指向企业微信。"
                ),
            ),
            Self::Shape { what } => Text::new(
                format!("WeCom's answer has no usable `{what}`. Check that `base_url` leads to WeCom."),
                format!("企业微信的应答缺少可用的 {what}。请检查 base_url 是否指向企业微信。"),
            ),
        }
    }
}

impl WecomError {
    /// The cause of the failed operation.
    pub fn failure(&self) -> &WecomFailure {
        match self {
            Self::Settings { failure }
            | Self::Token { failure }
            | Self::Departments { failure }
            | Self::MemberIds { failure }
            | Self::GetMember { failure, .. }
            | Self::UseridByMobile { failure }
            | Self::Job { failure }
            | Self::MembersOf { failure, .. }
            | Self::CsvFile { failure, .. }
            | Self::Write { failure, .. } => failure,
        }
    }

    /// True if the call was given up because the process is ending.
    pub fn is_quit(&self) -> bool {
        matches!(self.failure(), WecomFailure::Quit)
    }

    /// True if the process may open no more files.
    pub fn is_out_of_files(&self) -> bool {
        matches!(self.failure(), WecomFailure::OpenFiles { .. })
    }

    /// True if WeCom answered and rejected the call.
    pub fn is_rejection(&self) -> bool {
        matches!(self.failure(), WecomFailure::Rejected { .. })
    }

    /// True if every call of the tenant fails, whatever its subject.
    pub fn is_the_tenants(&self) -> bool {
        self.failure().is_the_tenants()
    }

    /// A stable code, such as `wecom.60020`.
    pub fn code(&self) -> String {
        self.failure().code()
    }

    /// The class of the failure.
    pub fn class(&self) -> ErrcodeClass {
        self.failure().class()
    }

    /// The failure, its subject and the next step.
    pub fn explain(&self) -> Text {
        let failure = self.failure().explain();
        let zh = match self {
            Self::Settings { .. } => "无法建立与企业微信的连接".to_owned(),
            Self::Token { .. } => "无法获取企业微信 access_token".to_owned(),
            Self::Departments { .. } => "无法读取企业微信部门列表".to_owned(),
            Self::MemberIds { .. } => "无法读取企业微信成员列表".to_owned(),
            Self::GetMember { userid, .. } => format!("无法读取企业微信成员 {userid}"),
            Self::UseridByMobile { .. } => "无法按手机号查找企业微信成员".to_owned(),
            Self::Job { .. } => "无法得知企业微信的批量任务是否结束".to_owned(),
            Self::MembersOf { department, .. } => format!("无法读取企业微信部门 {department} 的成员"),
            Self::CsvFile { api, rows, .. } => format!("无法以文件批量写入 {rows} 名企业微信成员（{api}）"),
            Self::Write { api, userid, .. } => format!("无法写入企业微信成员 {userid}（{api}）"),
        };
        Text::new(format!("{}: {}", capital(&self.to_string()), failure.en), format!("{zh}：{}", failure.zh))
    }
}

/// The text with a capital first letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_address_says_which_one_to_add_and_where() {
        let error = WecomError::Token {
            failure: WecomFailure::Rejected {
                errcode: 60020,
                errmsg: "not allow to access from your ip".to_owned(),
                from_ip: Some("203.0.113.9".to_owned()),
            },
        };
        assert_eq!(error.code(), "wecom.60020");
        assert_eq!(error.class(), ErrcodeClass::Configuration);
        let text = error.explain();
        for part in ["203.0.113.9", "企业可信IP"] {
            assert!(text.en.contains(part) && text.zh.contains(part), "{text:?}");
        }
    }

    #[test]
    fn the_source_is_not_repeated_in_the_operations_own_text() {
        let error = WecomError::Departments { failure: WecomFailure::Shape { what: "department_id" } };
        assert_eq!(error.to_string(), "cannot list the WeCom departments");
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "the answer has no usable `department_id`"
        );
    }
}
