//! The result of an action, shown once on the page that follows. The cookie carries the name of a sentence, never the
//! sentence itself, so a forged link or cookie cannot put text on a page.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use ruzhi_model::Lang;

/// The cookie.
const COOKIE: &str = "ruzhi_flash";

macro_rules! flashes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $en:literal, $zh:literal;)*) => {
        /// The result of an action.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Flash {
            $($(#[$doc])* $name,)*
        }

        impl Flash {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            fn named(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }

            /// The sentence.
            pub(super) fn text(self, lang: Lang) -> &'static str {
                match (self, lang) { $((Self::$name, Lang::En) => $en, (Self::$name, Lang::Zh) => $zh,)* }
            }
        }
    };
}

flashes! {
    /// A run was requested and waits for its turn.
    Asked = "asked", "The run is asked for and begins as soon as there is room.", "已请求运行，有空位时立即开始。";
    /// A run was requested and has begun.
    Began = "began", "The run has begun.", "运行已开始。";
    /// A flow was paused.
    Paused = "paused", "The flow is paused. A run that is under way ends as it would.", "同步流已暂停。正在进行的运行会照常结束。";
    /// A flow was resumed.
    Resumed = "resumed", "The flow is on its schedule again.", "同步流已恢复按时运行。";
    /// A plan was approved.
    Approved = "approved", "The plan is approved and is being applied. Your reason is in the audit log.", "计划已批准，正在执行。您的理由已记入审计日志。";
    /// A plan was approved and waits for its turn.
    ApprovedWaits = "approved_waits", "The plan is approved, and is applied as soon as its flow's turn comes. Your reason is in the audit log.", "计划已批准，轮到该同步流时立即执行。您的理由已记入审计日志。";
    /// A plan was rejected.
    Rejected = "rejected", "The plan is rejected: nothing of it is written. Your reason is in the audit log.", "计划已驳回，不会写入任何内容。您的理由已记入审计日志。";
    /// Records are retried.
    Retried = "retried", "What is in quarantine is tried again with the next run, which is asked for now.", "待修正的记录将在下一次运行中重试，运行已请求。";
    /// A decision was made about a member who was removed by hand.
    Decided = "decided", "It is decided. The next run carries it out, and is asked for now; your reason is in the audit log.", "已决定，由下一次运行执行，运行已请求；您的理由已记入审计日志。";
    /// Rules were rolled back.
    RolledBack = "rolled_back", "The earlier rules are live. The next run decides by them.", "已恢复为先前的同步规则，下一次运行按其判定。";
    /// Rules were activated.
    Activated = "activated", "The rules from the files are live. The next run decides by them.", "文件中的同步规则已上线，下一次运行按其判定。";
    /// Masked values were shown.
    Revealed = "revealed", "Shown in full. That you looked, and why, is in the audit log.", "已完整显示。查看人与理由已记入审计日志。";
    /// A comparison with the directory was requested.
    Compared = "compared", "A comparison with the directory is asked for.", "已请求与通讯录比对。";
    /// A test alert was sent.
    Told = "told", "A test alert was sent.", "已发送测试告警。";
}

impl Flash {
    /// Reads the result from a request's cookie.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, word)| (name == COOKIE).then(|| Self::named(word)).flatten())
    }

    /// Redirects to a page that shows the result.
    pub(super) fn on(self, page: &str) -> Response {
        let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", self.word());
        let mut answer = to(page);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    }
}

/// Removes the cookie once the result is shown.
pub(super) fn said(answer: &mut Response) {
    let gone = "ruzhi_flash=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
    answer.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(gone));
}

/// Redirects to a page, which is then requested by GET.
pub(super) fn to(page: &str) -> Response {
    match HeaderValue::from_str(page) {
        Ok(page) => (StatusCode::SEE_OTHER, [(header::LOCATION, page)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response(),
    }
}
