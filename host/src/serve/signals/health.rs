//! Is it alive, and can it work?

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde::Serialize;

use crate::model::Text;
use crate::serve::process::Process;

/// The scheduler looks at its agenda every minute at least; after this long without a look it hangs.
const STILL: TimeDelta = TimeDelta::minutes(3);

/// What somebody who asks is told.
#[derive(Debug, Serialize)]
struct Health {
    ok: bool,
    /// Why not, and what works with less.
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    /// A stable code.
    code: &'static str,
    /// Whether it is this that makes it not ok.
    fatal: bool,
    message: Text,
}

impl Health {
    fn of(reasons: Vec<Reason>) -> Self {
        Self { ok: reasons.iter().all(|reason| !reason.fatal), reasons }
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = if self.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, [("cache-control", "no-store")], Json(self)).into_response()
    }
}

/// `/healthz`: whoever gets no good answer here may restart the process.
pub(super) async fn alive(State(process): State<Arc<Process>>) -> Response {
    Health::of(still(&process).into_iter().collect()).into_response()
}

/// `/readyz`: whether it can do its work. A restart would not help where the store cannot be written.
pub(super) async fn ready(State(process): State<Arc<Process>>) -> Response {
    let mut reasons: Vec<Reason> = still(&process).into_iter().collect();
    if let Err(error) = process.store.check_writable().await {
        reasons.push(Reason {
            code: error.code(),
            fatal: true,
            message: Text::new("the store cannot be written", "存储无法写入"),
        });
    }
    if process.deployment().config.tenants.is_empty() {
        reasons.push(Reason {
            code: "config.empty",
            fatal: true,
            message: Text::new("no tenant is configured", "未配置任何租户"),
        });
    }
    if process.refused().is_some() {
        reasons.push(Reason {
            code: "config.refused",
            fatal: false,
            message: Text::new(
                "the files hold something that does not run; what ran before goes on",
                "配置文件有误，未生效；仍按之前的配置运行",
            ),
        });
    }
    Health::of(reasons).into_response()
}

fn still(process: &Process) -> Option<Reason> {
    let age = process.pulse.age(process.clock.now());
    (age > STILL).then(|| Reason {
        code: "scheduler.still",
        fatal: true,
        message: Text::new(
            format!("the scheduler has not looked at its agenda for {} s", age.num_seconds()),
            format!("调度器已有 {} 秒未检查计划", age.num_seconds()),
        ),
    })
}
