//! Errors of calls to JianDaoYun, with advice for a person.

use super::code::{Reaction, meaning};
use super::form::FormAddress;
use ruzhi_files::open_files;
use ruzhi_http::answer::Excess;
use ruzhi_model::{RecordId, Text};

/// The kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FormErrorClass {
    /// The key is wrong.
    Auth,
    /// A setting made by a person is wrong, or a quota is used up.
    Config,
    /// The call will never succeed.
    Permanent,
    /// Every attempt failed for a temporary reason.
    Exhausted,
}

/// A failed operation. The cause is the source, a [`FormFailure`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The settings do not allow a connection.
    #[error("cannot set up the connection to JianDaoYun")]
    Settings {
        /// The problem.
        #[source]
        failure: FormFailure,
    },
    /// A page of rows could not be read.
    #[error("cannot read the JianDaoYun form {}/{}", form.app_id, form.entry_id)]
    ListRows {
        /// The form.
        form: FormAddress,
        /// The cause.
        #[source]
        failure: FormFailure,
    },
    /// A row could not be read.
    #[error("cannot read the row {id} of the JianDaoYun form {}/{}", form.app_id, form.entry_id)]
    GetRow {
        /// The form.
        form: FormAddress,
        /// The row.
        id: RecordId,
        /// The cause.
        #[source]
        failure: FormFailure,
    },
    /// A row could not be written.
    #[error("cannot write the row {id} of the JianDaoYun form {}/{}", form.app_id, form.entry_id)]
    UpdateRow {
        /// The form.
        form: FormAddress,
        /// The row.
        id: RecordId,
        /// The cause.
        #[source]
        failure: FormFailure,
    },
    /// A form's fields could not be read.
    #[error("cannot read the fields of the JianDaoYun form {}/{}", form.app_id, form.entry_id)]
    ListWidgets {
        /// The form.
        form: FormAddress,
        /// The cause.
        #[source]
        failure: FormFailure,
    },
}

/// The cause of a failed operation. No variant holds the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormFailure {
    /// The settings are invalid.
    #[error("{detail}")]
    Settings {
        /// The problem.
        detail: String,
    },
    /// The service rejected the call.
    #[error("code {code}: {msg}")]
    Rejected {
        /// The code.
        code: i64,
        /// The service's message, shortened.
        msg: String,
    },
    /// An HTTP status without a code, from the service or an intermediary.
    #[error("HTTP {status}")]
    Http {
        /// The status.
        status: u16,
    },
    /// No attempt got an answer.
    #[error("no answer: {detail}")]
    NoAnswer {
        /// The reply in its place.
        detail: String,
    },
    /// Every attempt failed to connect because this process has too many open files.
    #[error("too many open files: {detail}")]
    OpenFiles {
        /// The message of the connection.
        detail: String,
    },
    /// Every attempt got a success whose body is not JSON.
    #[error("an answer of {length} bytes that are not JSON")]
    Unreadable {
        /// The length of the body.
        length: usize,
    },
    /// An answer over a limit. It is not requested again as it was: it would be as large.
    #[error("{excess}")]
    TooLarge {
        /// The limit it exceeds.
        excess: Excess,
    },
    /// A success without a requested field.
    #[error("the answer has no usable `{what}`")]
    Shape {
        /// The key.
        what: &'static str,
    },
    /// Rows out of order: paging on would lose or repeat some.
    #[error("row {id} does not come after the row before it")]
    Order {
        /// The row.
        id: RecordId,
    },
}

impl FormFailure {
    fn class(&self) -> FormErrorClass {
        match self {
            Self::Settings { .. } => FormErrorClass::Config,
            Self::Rejected { code, .. } => match meaning(*code).reaction {
                Reaction::Wait | Reaction::Retry => FormErrorClass::Exhausted,
                Reaction::Auth => FormErrorClass::Auth,
                Reaction::Config => FormErrorClass::Config,
                Reaction::Permanent | Reaction::Unknown => FormErrorClass::Permanent,
            },
            Self::Http { status } if passes(*status) => FormErrorClass::Exhausted,
            Self::Http { .. } => FormErrorClass::Config,
            Self::NoAnswer { .. } | Self::OpenFiles { .. } | Self::Unreadable { .. } => {
                FormErrorClass::Exhausted
            }
            Self::TooLarge { .. } | Self::Shape { .. } | Self::Order { .. } => FormErrorClass::Permanent,
        }
    }

    fn code(&self) -> String {
        match self {
            Self::Settings { .. } => "jiandaoyun.settings".to_owned(),
            Self::Rejected { code, .. } => format!("jiandaoyun.{code}"),
            Self::Http { status } => format!("jiandaoyun.http_{status}"),
            Self::NoAnswer { .. } => "jiandaoyun.no_answer".to_owned(),
            Self::OpenFiles { .. } => open_files::CODE.to_owned(),
            Self::Unreadable { .. } => "jiandaoyun.unreadable".to_owned(),
            Self::TooLarge { .. } => "jiandaoyun.too_large".to_owned(),
            Self::Shape { .. } => "jiandaoyun.shape".to_owned(),
            Self::Order { .. } => "jiandaoyun.order".to_owned(),
        }
    }

    fn explain(&self) -> Text {
        match self {
            Self::Settings { detail } => Text::new(
                format!("{detail}. Correct `[jiandaoyun]` in the tenant's file."),
                format!("{detail}。请修正工厂配置文件中的 [jiandaoyun]。"),
            ),
            Self::Rejected { code, msg } => {
                let meaning = meaning(*code);
                let (means, advice) = (meaning.means(), meaning.advice());
                Text::new(
                    format!("{} ({code}: {msg}). {}", means.en, advice.en),
                    format!("{}（{code}: {msg}）。{}", means.zh, advice.zh),
                )
            }
            Self::Http { status } if passes(*status) => Text::new(
                format!("the service failed at every attempt (HTTP {status}). Run again later."),
                format!("服务持续出错（HTTP {status}）。请稍后重新运行。"),
            ),
            Self::Http { status } => Text::new(
                format!("the address does not lead to the API (HTTP {status}). Check `base_url`."),
                format!("该地址不是简道云接口（HTTP {status}）。请检查 base_url。"),
            ),
            Self::NoAnswer { detail } => Text::new(
                format!("no answer at any attempt ({detail}). Check `base_url`, `proxy` and the network."),
                format!("始终没有应答（{detail}）。请检查 base_url、proxy 与网络。"),
            ),
            Self::OpenFiles { .. } => open_files::advice(),
            Self::Unreadable { length } => Text::new(
                format!(
                    "every answer was broken off or no JSON ({length} bytes). Check `base_url`; run again later."
                ),
                format!("应答不完整或不是 JSON（{length} 字节）。请检查 base_url，稍后重新运行。"),
            ),
            Self::TooLarge { excess } => {
                let Text { en, zh } = excess.text();
                Text::new(
                    format!("{en}. If a row has a text as long as that, shorten it; else check `base_url`."),
                    format!("{zh}。若某行的内容确实如此之长，请缩短；否则请检查 base_url。"),
                )
            }
            Self::Shape { what } => Text::new(
                format!("the answer has no usable `{what}`. Check that `base_url` leads to JianDaoYun."),
                format!("应答缺少可用的 {what}。请检查 base_url 是否指向简道云。"),
            ),
            Self::Order { id } => Text::new(
                format!(
                    "row {id} does not come after the one before it, so pages would lose rows. Report it."
                ),
                format!("数据 {id} 未按顺序返回，继续翻页会丢失数据。请反馈此问题。"),
            ),
        }
    }
}

/// True if an HTTP status is worth another attempt.
pub(super) fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

impl FormError {
    /// The service does not have the route; an older or a private one may not.
    pub fn is_unknown_route(&self) -> bool {
        matches!(self.failure(), FormFailure::Http { status: 404 | 405 })
    }

    /// True if the process may open no more files.
    pub fn is_out_of_files(&self) -> bool {
        matches!(self.failure(), FormFailure::OpenFiles { .. })
    }

    /// The cause of the failed operation.
    pub fn failure(&self) -> &FormFailure {
        match self {
            Self::Settings { failure }
            | Self::ListRows { failure, .. }
            | Self::GetRow { failure, .. }
            | Self::UpdateRow { failure, .. }
            | Self::ListWidgets { failure, .. } => failure,
        }
    }

    /// A stable code, such as `jiandaoyun.17018`.
    pub fn code(&self) -> String {
        self.failure().code()
    }

    /// The class of the failure.
    pub fn class(&self) -> FormErrorClass {
        self.failure().class()
    }

    /// The failure, its subject and the next step.
    pub fn explain(&self) -> Text {
        let failure = self.failure().explain();
        let (en, zh) = match self {
            Self::Settings { .. } => {
                ("Cannot set up the connection to JianDaoYun".to_owned(), "无法建立与简道云的连接".to_owned())
            }
            Self::ListRows { form, .. } => (
                format!("Cannot read the JianDaoYun form {}/{}", form.app_id, form.entry_id),
                format!("无法读取简道云表单 {}/{}", form.app_id, form.entry_id),
            ),
            Self::GetRow { form, id, .. } => (
                format!("Cannot read the row {id} of the JianDaoYun form {}/{}", form.app_id, form.entry_id),
                format!("无法读取简道云表单 {}/{} 的数据 {id}", form.app_id, form.entry_id),
            ),
            Self::UpdateRow { form, id, .. } => (
                format!("Cannot write the row {id} of the JianDaoYun form {}/{}", form.app_id, form.entry_id),
                format!("无法写入简道云表单 {}/{} 的数据 {id}", form.app_id, form.entry_id),
            ),
            Self::ListWidgets { form, .. } => (
                format!("Cannot read the fields of the JianDaoYun form {}/{}", form.app_id, form.entry_id),
                format!("无法读取简道云表单 {}/{} 的字段", form.app_id, form.entry_id),
            ),
        };
        Text::new(format!("{en}: {}", failure.en), format!("{zh}：{}", failure.zh))
    }
}
