//! The reasons why access is denied.

use axum::http::StatusCode;

use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

/// The reasons why access is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessDenial {
    /// No token, a wrong one, or a session that is over.
    Unknown,
    /// It changes something, and does not come from a page of the session.
    Forged,
    /// A page of another site asks, without a token.
    Foreign,
    /// No people are configured, and it does not come from this machine.
    Elsewhere,
    /// Too many wrong tokens came from its address.
    TooOften {
        /// Seconds to wait.
        seconds: u64,
    },
    /// The token is right, and was shown at the login page too often.
    LoginsTooOften {
        /// Seconds to wait.
        seconds: u64,
    },
    /// Its form is too long.
    TooLong,
}

impl AccessDenial {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Forged | Self::Foreign => StatusCode::FORBIDDEN,
            // The answer of a server that does not know this name (RFC 9110, 421).
            Self::Elsewhere => StatusCode::MISDIRECTED_REQUEST,
            Self::TooOften { .. } | Self::LoginsTooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    pub(super) fn report(self) -> Report {
        let (code, text, hint) = match self {
            Self::Unknown => (
                "access.unknown",
                Text::new("no valid token was shown", "未提供有效的访问令牌"),
                Text::new(
                    "log in at /login, or send `Authorization: Bearer` with a token of ruzhi.toml",
                    "请在 /login 登录，或以 `Authorization: Bearer` 发送 ruzhi.toml 中的令牌",
                ),
            ),
            Self::Forged => (
                "access.forged",
                Text::new(
                    "this request does not come from a page of your session, and nothing was done",
                    "请求不是由您会话中的页面发出，未执行任何操作",
                ),
                Text::new(
                    "go back, load the page again and repeat it; a program sends `x-csrf-token`, or a bearer token instead of a cookie",
                    "请返回并刷新页面后重试；程序请发送 `x-csrf-token`，或使用 Bearer 令牌而非 Cookie",
                ),
            ),
            Self::Foreign => (
                "access.foreign",
                Text::new(
                    "another site sent your browser here, and nothing was shown or done",
                    "浏览器是由其他网站引导至此，未显示或执行任何内容",
                ),
                Text::new(
                    "type the address yourself, or open it from a bookmark",
                    "请自行输入地址，或从书签打开",
                ),
            ),
            Self::Elsewhere => (
                "access.elsewhere",
                Text::new(
                    "no people are configured, so only this machine is answered, under its own name and without a proxy",
                    "未配置任何人员，因此只应答本机以本机名称发出、未经代理的请求",
                ),
                Text::new(
                    "set `token` in [server] of ruzhi.toml, and `url` if another name leads here",
                    "请在 ruzhi.toml 的 [server] 中设置 `token`；若以其他名称访问，请设置 `url`",
                ),
            ),
            Self::TooOften { seconds } => (
                "access.too_often",
                Text::new("too many wrong tokens came from your address", "您的地址提交错误令牌次数过多"),
                Text::new(format!("wait {seconds} s and try again"), format!("请在 {seconds} 秒后重试")),
            ),
            Self::LoginsTooOften { seconds } => (
                "access.too_often",
                Text::new("you have logged in too often in this hour", "您在一小时内登录次数过多"),
                Text::new(
                    format!(
                        "wait {seconds} s; a program sends `Authorization: Bearer` with each request instead of logging in"
                    ),
                    format!(
                        "请在 {seconds} 秒后重试；程序请在每个请求中发送 `Authorization: Bearer`，无需登录"
                    ),
                ),
            ),
            Self::TooLong => (
                "access.too_long",
                Text::new("the form is too long", "表单内容过长"),
                Text::new("shorten what you wrote", "请缩短填写的内容"),
            ),
        };
        Report::new(exit::USAGE, code, text, Some(hint))
    }
}
