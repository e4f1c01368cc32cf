//! One attempt of a call.

use std::time::Duration;

use serde_json::{Map, Value};

use super::error::FormFailure;
use ruzhi_http::rate::Backoff;
use ruzhi_metrics as metrics;

/// The outcome of one attempt.
pub(super) enum FormAttempt {
    Success(Map<String, Value>),
    Again(FormFailure, Backoff),
    Failed(FormFailure),
}

impl FormAttempt {
    /// Counts and logs the attempt. No text from the service is logged: a body may contain anything.
    pub(super) fn log(&self, api: &'static str, took: Duration) {
        let said = match self {
            Self::Success(_) => metrics::CallStatus::Code(0),
            Self::Again(failure, _) | Self::Failed(failure) => match failure {
                FormFailure::Rejected { code, .. } => metrics::CallStatus::Code(*code),
                FormFailure::Http { status } => metrics::CallStatus::Http(*status),
                _ => metrics::CallStatus::None,
            },
        };
        let (code, status) = match said {
            metrics::CallStatus::Code(code) => (Some(code), None),
            metrics::CallStatus::Http(status) => (None, Some(status)),
            metrics::CallStatus::None => (None, None),
        };
        tracing::debug!(
            jiandaoyun.api = api,
            jiandaoyun.code = code,
            http.status = status,
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "called JianDaoYun"
        );
        metrics::called(metrics::RemoteService::Jiandaoyun, api, said, took);
    }
}
