//! WeCom's verdict on a call: HTTP 200 always, `errcode` decides, and `errmsg` of an error carries a tail that no
//! client may match on.

use std::borrow::Cow;

use crate::message::{Answer, WECOM_JSON};

/// A successful call.
#[derive(Debug)]
pub(super) struct Success {
    pub(super) text: &'static str,
    /// Further members of the JSON object, each with its comma before it.
    pub(super) rest: String,
}

impl Success {
    pub(super) fn said(text: &'static str) -> Result<Self, Refusal> {
        Ok(Self { text, rest: String::new() })
    }

    /// The members of an object, as JSON text.
    pub(super) fn of(object: &serde_json::Value) -> Result<Self, Refusal> {
        let text = object.to_string();
        let members = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
        Self::with(format!(",{members}"))
    }

    pub(super) fn with(rest: String) -> Result<Self, Refusal> {
        Ok(Self { text: "ok", rest })
    }
}

/// A failed call.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) text: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(code: i32, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }
}

/// The verdict in the answer's body.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) code: i32,
    pub(super) text: String,
    pub(super) rest: Cow<'static, str>,
    pub(super) code_is_text: bool,
}

/// The real service's text for a body that was not JSON of the right types.
const WARNING: &str = "wrong json format. ";

impl Verdict {
    pub(super) fn of(result: Result<Success, Refusal>, warned: bool, lists_in_errors: &'static str) -> Self {
        match result {
            Ok(success) => {
                let mut verdict = Self {
                    code: 0,
                    text: success.text.to_owned(),
                    rest: Cow::Owned(success.rest),
                    code_is_text: false,
                };
                if warned {
                    verdict.warn();
                }
                verdict
            }
            Err(refusal) => {
                let warning = if warned { format!("Warning: {WARNING}") } else { String::new() };
                let Refusal { code, text } = refusal;
                let text = format!(
                    "{warning}{text}, hint: [1713777111197560034674942], from ip: 127.0.0.1, more info at \
                     https://open.work.weixin.qq.com/devtool/query?e={code}"
                );
                Self { code, text, rest: Cow::Borrowed(lists_in_errors), code_is_text: false }
            }
        }
    }

    /// Marks a success whose request was only partly understood.
    pub(super) fn warn(&mut self) {
        let text = self.text.trim_end_matches(". ");
        self.text = format!("{text}. Warning: {WARNING}");
    }

    pub(super) fn into_answer(self) -> Answer {
        let text = serde_json::to_string(&self.text).unwrap_or_default();
        let quote = if self.code_is_text { "\"" } else { "" };
        let body = format!("{{\"errcode\":{quote}{}{quote},\"errmsg\":{text}{}}}", self.code, self.rest);
        Answer {
            status: 200,
            content_type: WECOM_JSON,
            verdict: Some((self.code, self.text)),
            body: body.into_bytes(),
        }
    }
}
