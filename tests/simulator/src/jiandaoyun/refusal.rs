//! Errors in JianDaoYun's format.

use serde_json::json;

use crate::message::Answer;

#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: i32,
    /// The defect of the request itself, if the service could not understand it.
    pub(super) misunderstanding: Option<String>,
}

impl Refusal {
    pub(super) fn plain(code: i32) -> Self {
        Self { code, misunderstanding: None }
    }

    pub(super) fn misunderstood(code: i32, what: impl Into<String>) -> Self {
        Self { code, misunderstanding: Some(what.into()) }
    }

    pub(super) fn into_answer(self, status: u16) -> Answer {
        let body = json!({ "code": self.code, "msg": message(self.code) });
        Answer::json(status, body.to_string().into_bytes())
    }
}

fn message(code: i32) -> &'static str {
    match code {
        1 => "请求无效",
        2004 => "应用不存在",
        3000 => "表单不存在",
        4001 => "数据不存在",
        4815 => "过滤条件无效",
        8301 => "API Key 授权校验失败",
        8302 => "没有接口调用权限",
        8303 => "超出请求频率限制",
        8304 => "超出接口请求频率限制",
        17017 => "平台接口参数错误",
        17018 => "API Key 无效",
        17053 => "API Key 没有该应用的权限",
        _ => "操作失败",
    }
}
