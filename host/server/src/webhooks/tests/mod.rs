//! The receivers, over a store in a folder of its own: the effect of a push, and the answer to its sender.

mod cost;
mod envelope;
mod jiandaoyun;
mod wecom;

use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sha1::{Digest as _, Sha1};
use sqlx::Connection as _;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::routes;
use crate::alerts::handle::Alerts;
use crate::state::AppState;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::{Inbox, Scheduler};
use ruzhi_config::{CallbackSettings, Checks, Config, ProcessEnvironment, Secrets};
use ruzhi_guest_runtime::{ComponentRegistry, Engine, GuestLimits};
use ruzhi_model::FixedClock;
use ruzhi_store::{Access, Database, WakeRow};

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
[[flows]]
id = "visitors"
[flows.source]
app_id = "6399c24287cae90008d24e0b"
entry_id = "63e0706d0e33350008189953"
[flows.guest]
component = "../guests/member.wasm"
"#;

const SECRET: &str = "pushed-by-the-form";
const TOKEN: &str = "Tk0nOfTests";
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// A process of two tenants: `north` takes pushes for `onboarding` and callbacks, `south` takes nothing.
struct Running {
    state: Arc<AppState>,
    inbox: Mutex<Inbox>,
    folder: TempDir,
}

fn now() -> DateTime<Utc> {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

impl Running {
    async fn start() -> Self {
        Self::at(now(), |_| ()).await
    }

    async fn at(now: DateTime<Utc>, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tenants = folder.path().join("tenants");
        std::fs::create_dir(&tenants).unwrap();
        for name in ["north", "south"] {
            std::fs::write(tenants.join(name).with_extension("toml"), TENANT).unwrap();
        }
        let checks = Checks { secrets: Secrets::Skip, files: false };
        let mut config = Config::load(folder.path(), &ProcessEnvironment, &checks).unwrap();
        let north = config.tenants.iter_mut().find(|tenant| tenant.id.as_str() == "north").unwrap();
        north.flows[0].push = Some(SecretString::from(SECRET));
        north.wecom.callback =
            Some(CallbackSettings { token: SecretString::from(TOKEN), aes_key: SecretString::from(AES_KEY) });
        change(&mut config);
        let store = Database::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
        let store: Arc<Database> = Arc::new(store);
        let registry = Arc::new(ComponentRegistry::new(Engine::new(GuestLimits::default()).unwrap(), None));
        let deployment = Deployment::new(config, store, registry, CancellationToken::new());
        let clock = Arc::new(FixedClock(now));
        let (scheduler, inbox) = Scheduler::new();
        let state = AppState::new(deployment, clock, scheduler, Alerts::default());
        Self { state: Arc::new(state), inbox: Mutex::new(inbox), folder }
    }

    /// Another process writes to the store for as long as the connection lives.
    async fn kept_busy(&self) -> sqlx::SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("ruzhi.db"));
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        connection
    }

    /// The flows woken by answered requests since the last call.
    fn woken(&self) -> Vec<String> {
        let woken = self.inbox.lock().unwrap().woken();
        woken.into_iter().map(|(tenant, flow, why)| format!("{tenant}/{flow} {why:?}")).collect()
    }

    /// The flows a restarted process would wake, and how often each was woken.
    async fn kept(&self) -> Vec<String> {
        let kept = self.state.app.store.wakes_list().await.unwrap();
        let named = kept.into_iter().map(|wake| {
            let WakeRow { tenant, flow, kind, count, .. } = wake;
            format!("{tenant}/{flow} {kind:?} {count}")
        });
        named.collect()
    }

    /// The answer to a request.
    async fn answer(&self, request: Request<Body>) -> (StatusCode, String) {
        let router = routes().with_state(Arc::clone(&self.state));
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

/// The SHA-1 of texts, in hexadecimal.
fn sha1_of(parts: &[&[u8]]) -> String {
    hex::encode(Sha1::digest(parts.concat()))
}
