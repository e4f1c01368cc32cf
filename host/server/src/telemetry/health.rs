//! Health checks: is it alive, and can it work?

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde::Serialize;

use crate::state::AppState;
use ruzhi_model::Text;
use ruzhi_store::StoreError;

/// The scheduler checks its schedule at least every minute; after this long without a check it hangs.
const STILL: TimeDelta = TimeDelta::minutes(3);
/// A health check waits a few seconds at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answer to a health check.
#[derive(Debug, Serialize)]
struct Health {
    ok: bool,
    /// Why it is not ok, and what works with less.
    reasons: Vec<HealthReason>,
}

#[derive(Debug, Serialize)]
struct HealthReason {
    /// A stable code.
    code: &'static str,
    /// True if this reason makes it not ok.
    fatal: bool,
    message: Text,
}

impl Health {
    fn of(reasons: Vec<HealthReason>) -> Self {
        Self { ok: reasons.iter().all(|reason| !reason.fatal), reasons }
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let status = if self.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, [("cache-control", "no-store")], Json(self)).into_response()
    }
}

/// `/healthz`: a failure here justifies restarting the process.
pub(super) async fn alive(State(state): State<Arc<AppState>>) -> Response {
    Health::of(still(&state).into_iter().collect()).into_response()
}

/// `/readyz`: is the process able to work? A restart would not help if the store cannot be written.
pub(super) async fn ready(State(state): State<Arc<AppState>>) -> Response {
    let mut reasons: Vec<HealthReason> = still(&state).into_iter().collect();
    match tokio::time::timeout(PATIENCE, state.app.store.check_writable()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            reasons.push(HealthReason { code: error.code(), fatal: true, message: unwritable(&error) })
        }
        // A long write is under way, which is normal for a store.
        Err(_) => reasons.push(HealthReason {
            code: "store.busy",
            fatal: false,
            message: Text::new("the store is being written", "存储正在写入"),
        }),
    }
    if state.app.deployment().config.tenants.is_empty() {
        reasons.push(HealthReason {
            code: "config.empty",
            fatal: true,
            message: Text::new("no tenant is configured", "未配置任何工厂"),
        });
    }
    if state.app.invalid().is_some() {
        reasons.push(HealthReason {
            code: "config.invalid",
            fatal: false,
            message: Text::new(
                "the files hold something that does not run; what ran before goes on",
                "配置文件有误，未生效；仍按之前的配置运行",
            ),
        });
    }
    Health::of(reasons).into_response()
}

/// Why the store cannot be written, for the public: no path is named.
fn unwritable(error: &StoreError) -> Text {
    if matches!(error, StoreError::Exchanged { .. }) {
        return Text::new(
            "the store was removed or exchanged; nothing is written to it any more",
            "存储文件已被删除或替换；不再写入",
        );
    }
    if error.is_full() {
        return Text::new("the store cannot be written: the disk is full", "存储无法写入：磁盘已满");
    }
    Text::new("the store cannot be written", "存储无法写入")
}

fn still(state: &AppState) -> Option<HealthReason> {
    let age = state.heartbeat.age(state.app.clock.now());
    (age > STILL).then(|| HealthReason {
        code: "scheduler.still",
        fatal: true,
        message: Text::new(
            format!("the scheduler has not checked its schedule for {} s", age.num_seconds()),
            format!("调度器已有 {} 秒未检查运行时间", age.num_seconds()),
        ),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use chrono::{DateTime, Utc};
    use serde_json::Value;
    use tempfile::TempDir;
    use tokio_util::sync::CancellationToken;
    use tower::ServiceExt as _;

    use super::*;
    use crate::alerts::handle::Alerts;
    use crate::telemetry::health_routes;
    use ruzhi_app::deployment::Deployment;
    use ruzhi_app::scheduler::Scheduler;
    use ruzhi_config::{Checks, Config, ProcessEnvironment, Secrets};
    use ruzhi_guest_runtime::{ComponentRegistry, Engine, GuestLimits};
    use ruzhi_message::{Report, exit};
    use ruzhi_model::FixedClock;
    use ruzhi_store::{Access, Database};

    const TENANT: &str = r#"
[wecom]
corp_id = "ww0123456789abcdef"
secret = { env = "WECOM_SECRET" }
[jiandaoyun]
api_key = { env = "JDY_KEY" }
[[flows]]
id = "onboarding"
[flows.source]
app_id = "6399c24287cae90008d24e0b"
entry_id = "63e0706d0e33350008189952"
[flows.guest]
component = "../guests/member.wasm"
"#;

    async fn state() -> (Arc<AppState>, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tenants")).unwrap();
        std::fs::write(folder.path().join("tenants/north.toml"), TENANT).unwrap();
        let checks = Checks { secrets: Secrets::Skip, files: false };
        let config = Config::load(folder.path(), &ProcessEnvironment, &checks).unwrap();
        let store = Database::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
        let registry = Arc::new(ComponentRegistry::new(Engine::new(GuestLimits::default()).unwrap(), None));
        let deployment = Deployment::new(config, Arc::new(store), registry, CancellationToken::new());
        let now: DateTime<Utc> = "2026-05-01T08:00:00Z".parse().unwrap();
        let (scheduler, _) = Scheduler::new();
        let state = AppState::new(deployment, Arc::new(FixedClock(now)), scheduler, Alerts::default());
        (Arc::new(state), folder)
    }

    /// The answer: the status, and the codes of the reasons, with `!` where one is fatal.
    async fn asked(state: &Arc<AppState>, path: &str) -> (u16, Vec<String>) {
        let router = health_routes().with_state(Arc::clone(state));
        let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body: Value =
            serde_json::from_slice(&to_bytes(response.into_body(), 65_536).await.unwrap()).unwrap();
        assert_eq!(body["ok"], status == 200);
        let reasons = body["reasons"].as_array().unwrap().iter();
        let code = |reason: &Value| {
            let fatal = if reason["fatal"] == true { "!" } else { "" };
            format!("{fatal}{}", reason["code"].as_str().unwrap())
        };
        (status, reasons.map(code).collect())
    }

    #[tokio::test]
    async fn a_process_whose_scheduler_looks_is_alive_and_one_that_hangs_is_not() {
        let (state, _folder) = state().await;
        assert_eq!(asked(&state, "/healthz").await, (200, vec![]));
        state.heartbeat.beat(state.app.clock.now() - STILL);
        assert_eq!(asked(&state, "/healthz").await, (200, vec![]));
        state.heartbeat.beat(state.app.clock.now() - STILL - TimeDelta::milliseconds(1));
        assert_eq!(asked(&state, "/healthz").await, (503, vec!["!scheduler.still".to_owned()]));
        assert_eq!(asked(&state, "/readyz").await, (503, vec!["!scheduler.still".to_owned()]));
    }

    #[tokio::test]
    async fn files_that_are_refused_are_told_and_a_store_that_cannot_be_written_is_not_ready() {
        let (state, folder) = state().await;
        assert_eq!(asked(&state, "/readyz").await, (200, vec![]));
        state.app.set_invalid(Some(Report::new(exit::USAGE, "config", Text::new("no", "否"), None)));
        assert_eq!(asked(&state, "/readyz").await, (200, vec!["config.invalid".to_owned()]));
        std::fs::rename(folder.path().join("ruzhi.db"), folder.path().join("away.db")).unwrap();
        let gone = ["!store.exchanged".to_owned(), "config.invalid".to_owned()];
        assert_eq!(asked(&state, "/readyz").await, (503, gone.into()));
        state.app.store.close().await;
        let (status, reasons) = asked(&state, "/readyz").await;
        assert_eq!((status, reasons.len()), (503, 2), "{reasons:?}");
        assert!(reasons[0].starts_with("!store."), "{reasons:?}");
        assert_eq!(asked(&state, "/healthz").await, (200, vec![]), "a restart would not help");
    }
}
