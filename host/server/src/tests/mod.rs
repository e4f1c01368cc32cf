//! A served process as its clients see it: a deployment in a folder of its own, with a filled store.

mod api;
mod auth;
mod cut_off;
mod decisions;
pub(crate) mod dom;
mod drift;
mod long;
mod proxied;
pub(super) mod removed;
mod roles;
mod store;
mod strict;
mod use_cases;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use self::dom::Dom;
use super::alerts::handle::Alerts;
use super::api::document;
use super::{AppState, router};
use ruzhi_app::deployment::{self, Deployment};
use ruzhi_app::scheduler::{Inbox, Scheduler};
use ruzhi_config::{Config, PersonSettings, Role};
use ruzhi_guest_runtime::{ComponentRegistry, Engine, GuestLimits};
use ruzhi_model::{Clock, FlowId, TenantId};
use ruzhi_plan::Counts;
use ruzhi_store::{Access, Database, RunKind, RunRow, RunState};

/// The token of an operator called 韩梅梅.
pub(crate) const OPERATOR: &str = "operator-token-0123456789";
/// The token of a viewer called 李雷.
pub(crate) const VIEWER: &str = "viewer-token-0123456789";
/// Secrets of the tenants, which must appear in no answer.
pub(crate) const SECRETS: [&str; 3] = ["wecom-secret-of-acme", "jiandaoyun-key-of-acme", "robot-key-of-acme"];

/// A mobile number in the store, which must appear in no masked answer.
pub(crate) const MOBILE: &str = "13800138000";

const TENANT: &str = r#"name = "景欣泰工厂"
[wecom]
base_url = "http://127.0.0.1:9"
corp_id = "ww0123456789abcdef"
secret = { env = "WECOM_SECRET" }
proxy = "http://127.0.0.1:9"
[jiandaoyun]
base_url = "http://127.0.0.1:9"
api_key = { env = "JDY_KEY" }
[[flows]]
id = "onboarding"
schedule = "*/5 * * * *"
[flows.source]
app_id = "6399c24287cae90008d24e0b"
entry_id = "63e0706d0e33350008189952"
[flows.guest]
component = "../guest.wasm"
config = "../rules.txt"
"#;

/// A clock that stands still until it is set.
pub(crate) struct Set(Mutex<DateTime<Utc>>);

impl Clock for Set {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// A run of the flow `onboarding` that has begun and not ended.
pub(crate) fn run_begun(tenant: &TenantId, id: &str, kind: RunKind) -> RunRow {
    RunRow {
        tenant: tenant.clone(),
        flow: "onboarding".parse().unwrap(),
        id: id.parse().unwrap(),
        kind,
        cause: None,
        state: RunState::Running,
        started_at: now(),
        ended_at: None,
        plan: None,
        rules: None,
        counts: Counts::default(),
        calls: BTreeMap::new(),
        problem: None,
        failure: None,
    }
}

/// Asserts that the OpenAPI document lists this status for a request that it describes, whoever answers it: the handler,
/// or what checks access before.
fn is_listed(method: &Method, path: &str, status: StatusCode) {
    let paths = &document().paths.paths;
    let fits = |template: &str| {
        let is_place = |(known, given): (&str, &str)| known == given || known.starts_with('{');
        template.split('/').count() == path.split('/').count()
            && template.split('/').zip(path.split('/')).all(is_place)
    };
    let item = paths.get(path).or_else(|| paths.iter().find(|(known, _)| fits(known)).map(|(_, item)| item));
    let operation = item.and_then(|item| match *method {
        Method::GET | Method::HEAD => item.get.as_ref(),
        Method::POST => item.post.as_ref(),
        _ => None,
    });
    if let Some(operation) = operation {
        let listed: Vec<&String> = operation.responses.responses.keys().collect();
        assert!(
            listed.iter().any(|known| **known == status.as_str()),
            "{method} {path}: {status} is not in {listed:?}"
        );
    }
}

/// A process and its client.
pub(crate) struct Served {
    pub(crate) state: Arc<AppState>,
    clock: Arc<Set>,
    folder: TempDir,
    inbox: Option<Inbox>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.body))
    }

    /// The page.
    pub(crate) fn dom(&self) -> Dom {
        Dom::of(&self.body)
    }

    /// The code of a failure.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The value of a cookie it sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let mut values = cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
        values.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

pub(crate) fn acme() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn flow() -> FlowId {
    "onboarding".parse().unwrap()
}

pub(crate) fn person(name: &str, role: Role, token: &str) -> PersonSettings {
    PersonSettings { name: name.to_owned(), role, token: SecretString::from(token.to_owned()) }
}

/// A viewer and an operator.
pub(crate) fn people() -> Vec<PersonSettings> {
    vec![person("李雷", Role::Viewer, VIEWER), person("韩梅梅", Role::Operator, OPERATOR)]
}

impl Served {
    /// A process that admits these people, with an empty store.
    pub(crate) async fn by(people: Vec<PersonSettings>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        std::fs::create_dir(dir.join("tenants")).unwrap();
        std::fs::write(dir.join("tenants/acme.toml"), TENANT).unwrap();
        std::fs::write(dir.join("rules.txt"), "good").unwrap();
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/built/misbehaving.wasm");
        std::fs::copy(built, dir.join("guest.wasm")).expect("run `make guests`");
        let config = Self::config(dir, people);
        let store: Arc<Database> = Arc::new(Database::open(&config.store.path, Access::Write).await.unwrap());
        let registry = Arc::new(ComponentRegistry::new(Engine::new(GuestLimits::default()).unwrap(), None));
        let deployment = Deployment::new(config, store, registry, tokio_util::sync::CancellationToken::new());
        let clock = Arc::new(Set(Mutex::new(now())));
        let (scheduler, inbox) = Scheduler::new();
        let state =
            AppState::new(deployment, Arc::clone(&clock) as Arc<dyn Clock>, scheduler, Alerts::default());
        Self { state: Arc::new(state), clock, folder, inbox: Some(inbox) }
    }

    /// The same with [`people`], and with a row of every kind in the store.
    pub(crate) async fn full() -> Self {
        let mut served = Self::by(people()).await;
        store::fill(&mut served).await;
        served
    }

    fn config(dir: &std::path::Path, people: Vec<PersonSettings>) -> Config {
        let secrets = BTreeMap::from([("WECOM_SECRET", SECRETS[0]), ("JDY_KEY", SECRETS[1])]);
        let mut config = Config::load(dir, &secrets, &deployment::checks()).unwrap();
        config.server.people = people;
        for tenant in &mut config.tenants {
            let robot = format!("https://example.invalid/webhook/send?key={}", SECRETS[2]);
            tenant.alerts = Some(ruzhi_config::AlertSettings {
                robot: Some(SecretString::from(robot)),
                ..Default::default()
            });
        }
        config
    }

    /// Replaces the configured people.
    pub(crate) fn people_become(&self, people: Vec<PersonSettings>) {
        let config = Self::config(self.folder.path(), people);
        self.state.app.exchange(self.state.app.deployment().with(config), None);
    }

    /// Exchanges the deployment for one with other settings.
    pub(crate) fn settings_become(&self, change: impl FnOnce(&mut Config)) {
        let mut config =
            Self::config(self.folder.path(), self.state.app.deployment().config.server.people.clone());
        change(&mut config);
        self.state.app.exchange(self.state.app.deployment().with(config), None);
    }

    /// Replaces the rules file of the flow.
    pub(crate) fn rules_become(&self, text: &str) {
        std::fs::write(self.folder.path().join("rules.txt"), text).unwrap();
    }

    pub(crate) fn after(&self, span: TimeDelta) {
        *self.clock.0.lock().unwrap() += span;
    }

    /// Grants and records every request to the scheduler.
    pub(crate) fn agreeing(&mut self) -> Arc<Mutex<Vec<String>>> {
        self.inbox.take().unwrap().agree()
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        self.inbox.as_ref().unwrap()
    }

    pub(crate) fn router(&self) -> Router {
        router(Arc::clone(&self.state))
    }

    /// Sends a request, from an address.
    pub(crate) async fn send(&self, from: &str, mut request: Request<Body>) -> Answer {
        let from: SocketAddr = format!("{from}:50000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(from));
        request.headers_mut().entry(HOST).or_insert("localhost:7080".parse().unwrap());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        is_listed(&method, &path, status);
        let body = axum::body::to_bytes(response.into_body(), 16 << 20).await.unwrap();
        Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// Sends GET with a token.
    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.with(Method::GET, token, path, None).await
    }

    /// Sends POST with a token.
    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.with(Method::POST, token, path, Some(body)).await
    }

    pub(crate) async fn with(&self, method: Method, token: &str, path: &str, body: Option<Value>) -> Answer {
        let kind = body.as_ref().map(|_| "application/json");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.sends(method, token, path, kind, body).await
    }

    /// Sends a body as it is, with a content type.
    pub(crate) async fn sends(
        &self,
        method: Method,
        token: &str,
        path: &str,
        kind: Option<&str>,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        self.send("192.0.2.7", request.body(body.into()).unwrap()).await
    }
}
