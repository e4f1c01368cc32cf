//! Server-sent events.
//!
//! A stream ends by itself after some minutes, and a browser reconnects, so access is checked again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use utoipa::ToSchema;

use super::answer::{ApiFailure, LookupErrors, RequestErrors};
use super::extract::PathParams;
use crate::state::AppState;
use ruzhi_app::scheduler::ScheduleState;
use ruzhi_app::{LiveRun, Principal};
use ruzhi_model::RunId;
use ruzhi_store::RunRow;

/// The shortest interval between two `progress` events, a pace that a person can follow.
const PROGRESS: Duration = Duration::from_millis(250);
/// The interval at which state is checked for changes.
const LOOK: Duration = Duration::from_secs(1);
/// The length of a stream.
const LENGTH: Duration = Duration::from_secs(10 * 60);
/// The interval of keep-alive comments on a silent stream.
const ALIVE: Duration = Duration::from_secs(15);

/// The runs under way and the state of the flows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusEvent {
    /// Runs under way, oldest first.
    live: Vec<LiveRun>,
    /// The flows, by tenant and flow.
    schedule_states: Vec<ScheduleState>,
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Our own types always have a JSON form, on one line.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

fn alive() -> KeepAlive {
    KeepAlive::new().interval(ALIVE)
}

/// Events of a run. `progress` has its progress, at most four times a second; the last event, `ended`, has the run as
/// stored. A run that is not under way sends only `ended`.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}/events",
    params(("run" = String, Path, description = "The run")),
    responses(
        (status = 200, description = "Server-sent events: `progress` with a LiveRun, then `ended` with a RunRow",
         content_type = "text/event-stream", body = String),
        RequestErrors, LookupErrors
    )
)]
pub(super) async fn run_events(
    State(state): State<Arc<AppState>>,
    Extension(_principal): Extension<Principal>,
    PathParams(run): PathParams<RunId>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiFailure> {
    // Followed before the store is read, so that a run that ends in between is not missed.
    let following = match state.app.live.follow(&run) {
        Some(live) => RunStream::Under { state: Arc::clone(&state), live, next: None },
        None => match state.app.store.run_find(&run).await.map_err(|error| ApiFailure(error.into()))? {
            Some(row) => RunStream::Over(Box::new(row)),
            None => return Err(ApiFailure(ruzhi_app::no_run(&run))),
        },
    };
    let until = Instant::now() + LENGTH;
    let place = state.streams.begin()?;
    let events = stream::unfold((following, place), move |(following, place)| async move {
        let (event, following) = following.next(until).await?;
        Some((Ok(event), (following, place)))
    });
    Ok(Sse::new(events).keep_alive(alive()))
}

/// The state of a run's stream.
enum RunStream {
    /// The run is under way. `next` is when the next event may be sent; none before the first.
    Under { state: Arc<AppState>, live: watch::Receiver<LiveRun>, next: Option<Instant> },
    /// The run has ended and `ended` has not been sent.
    Over(Box<RunRow>),
    /// `ended` has been sent.
    Finished,
}

impl RunStream {
    async fn next(self, until: Instant) -> Option<(Event, Self)> {
        let (state, mut live, next) = match self {
            Self::Finished => return None,
            Self::Over(row) => return Some((event("ended", &*row), Self::Finished)),
            Self::Under { state, live, next } => (state, live, next),
        };
        if let Some(next) = next {
            // Even without a change, the rate differs a second later. A run whose sender is gone is not under way; its
            // outcome is in the store.
            let changed = timeout_at(Instant::now() + LOOK, live.changed()).await;
            if matches!(changed, Ok(Err(_))) || Instant::now() >= until {
                return None;
            }
            // Changes until then are merged into one event. An end is sent at once.
            if live.borrow().stage.is_some() {
                let ends = live.wait_for(|live| live.stage.is_none());
                let _ = timeout_at(next, ends).await;
            }
        }
        let now = live.borrow_and_update().clone();
        if now.stage.is_none() {
            return Some((event("ended", &now.run), Self::Finished));
        }
        let next = Some(Instant::now() + PROGRESS);
        let shown = now.as_of(state.app.clock.now());
        Some((event("progress", &shown), Self::Under { state, live, next }))
    }
}

/// Events of all flows. Event `status` has the runs under way and the state of the flows: once at the start, then on
/// every change, at most once a second.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    responses(
        (status = 200, description = "Server-sent events: `status` with a StatusEvent",
         content_type = "text/event-stream", body = StatusEvent),
        RequestErrors
    )
)]
pub(super) async fn overview_events(
    State(state): State<Arc<AppState>>,
    Extension(_principal): Extension<Principal>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiFailure> {
    let place = state.streams.begin()?;
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let until = Instant::now() + LENGTH;
    let events = stream::unfold(
        (state, looks, String::new(), place),
        move |(state, mut looks, told, place)| async move {
            loop {
                looks.tick().await;
                if Instant::now() >= until {
                    return None;
                }
                let status = StatusEvent {
                    live: state.app.live.runs(state.app.clock.now()),
                    schedule_states: state.app.scheduler.schedule_states(),
                };
                let now = serde_json::to_string(&status).unwrap_or_default();
                if now != told {
                    let event = Event::default().event("status").data(&now);
                    return Some((Ok(event), (state, looks, now, place)));
                }
            }
        },
    );
    Ok(Sse::new(events).keep_alive(alive()))
}
