//! State shared by the tasks of the process.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::alerts::handle::Alerts;
use super::auth::state::AuthState;
use super::streams::Streams;
use super::webhooks::limits::WebhookLimits;
use ruzhi_app::App;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Scheduler;
use ruzhi_model::Clock;
use ruzhi_scheduler::Heartbeat;

/// The state behind all routes and tasks.
pub struct AppState {
    /// The use cases, with deployment, store, clock and scheduler.
    pub app: Arc<App>,
    /// Notifies people.
    pub alerts: Alerts,
    /// Cancelled when the process is to end.
    pub quit: CancellationToken,
    /// The sessions, and the limits on logins and wrong tokens.
    pub(super) auth: AuthState,
    /// The limits on pushes of unknown senders.
    pub(super) webhook_limits: WebhookLimits,
    /// The event streams being followed.
    pub(super) streams: Streams,
    /// Shows whether the scheduler still works.
    pub heartbeat: Arc<Heartbeat>,
}

impl AppState {
    /// A process over a deployment.
    pub fn new(deployment: Deployment, clock: Arc<dyn Clock>, scheduler: Scheduler, alerts: Alerts) -> Self {
        Self {
            quit: deployment.quit.clone(),
            heartbeat: Arc::new(Heartbeat::new(clock.now())),
            app: Arc::new(App::new(deployment, clock, scheduler, alerts.list())),
            auth: AuthState::default(),
            webhook_limits: WebhookLimits::default(),
            streams: Streams::default(),
            alerts,
        }
    }
}
