//! The task of the alerts: hears reports, reads the store every minute, and notifies people.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::address::{Addresses, ReceiverKind};
use super::condition;
use super::delivery::{AlertTransport, ChannelState, PendingNotices, deliver};
use super::detector::{Detection, Detector, conditions_of, drift};
use super::handle::AlertObservation;
use super::message::AlertNotice;
use super::state::{AlertState, Channel};
use ruzhi_app::scheduler::RunResult;
use ruzhi_http::rate::Jitter;
use ruzhi_model::{Clock, UserId};
use ruzhi_store::{AlertRow, Database, FlowStatus, PlanState, RemovalFilter, RunState, StoreError};

/// Interval between reads of the store and rounds of messages.
const LOOK: Duration = Duration::from_secs(60);
/// Time for the last messages once the process is to end. The next process sends the rest.
const LAST: Duration = Duration::from_secs(3);
/// Members named in an alert.
const NAMED: usize = 3;
/// Channels notified at the same time.
const AT_ONCE: usize = 16;

pub(super) struct Notifier {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    addresses: Box<dyn Fn() -> Addresses + Send + Sync>,
    transport: Arc<dyn AlertTransport>,
    active: Arc<RwLock<Vec<AlertRow>>>,
    detector: Detector,
    state: AlertState,
    lines: HashMap<Channel, ChannelState>,
    jitter: Arc<Jitter>,
}

impl Notifier {
    pub(super) fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        addresses: Box<dyn Fn() -> Addresses + Send + Sync>,
        transport: Arc<dyn AlertTransport>,
        active: Arc<RwLock<Vec<AlertRow>>>,
    ) -> Self {
        let seed = clock.now().timestamp_micros().unsigned_abs();
        Self {
            store,
            clock,
            addresses,
            transport,
            active,
            detector: Detector::default(),
            state: AlertState::default(),
            lines: HashMap::new(),
            jitter: Arc::new(Jitter::from_seed(seed)),
        }
    }

    /// Sends alerts until the process is to end, and once more then.
    pub(super) async fn run(
        mut self,
        quit: CancellationToken,
        mut heard: mpsc::UnboundedReceiver<AlertObservation>,
    ) {
        self.remember().await;
        let mut next_look = Instant::now();
        loop {
            let wake = self.opens_at().map_or(next_look, |opens| opens.min(next_look));
            tokio::select! {
                biased;
                () = quit.cancelled() => break,
                said = heard.recv() => match said {
                    Some(said) => self.observe(said).await,
                    None => break,
                },
                () = sleep_until(wake) => {}
            }
            while let Ok(said) = heard.try_recv() {
                self.observe(said).await;
            }
            if Instant::now() >= next_look {
                next_look = Instant::now() + LOOK;
                self.look().await;
            }
            tokio::select! {
                biased;
                () = quit.cancelled() => break,
                () = self.notify() => {}
            }
        }
        heard.close();
        while let Some(said) = heard.recv().await {
            self.observe(said).await;
        }
        let _ = timeout(LAST, self.notify()).await;
    }

    /// Restores the alerts of the previous process.
    pub(super) async fn remember(&mut self) {
        match self.store.alerts_list().await {
            Ok(rows) => self.state = AlertState::new(rows),
            Err(error) => failed(&error),
        }
        self.show();
    }

    pub(super) async fn observe(&mut self, observation: AlertObservation) {
        let findings = match observation {
            AlertObservation::RunEnded(ended) => {
                let mut findings = self.detector.ended(&ended);
                findings.extend(self.held(&ended).await);
                findings.extend(self.drifted().await);
                findings
            }
            AlertObservation::FlowsChecked(schedule_states) => self.detector.looked(&schedule_states),
            AlertObservation::FilesChanged(invalid) => vec![Detector::files(invalid.as_ref())],
        };
        self.take(findings).await;
    }

    /// A plan that waits for a person, unless a person has rejected it.
    async fn held(&self, ended: &RunResult) -> Option<Detection> {
        let run = ended.run.as_ref()?;
        let plan = ended.plan.as_ref().filter(|plan| plan.guard.holds() && run.state == RunState::Held)?;
        match self.store.plan_find(&plan.tenant, &plan.id).await {
            Ok(Some(stored)) if stored.state == PlanState::Held => {
                Some(Detection::Holds(Box::new(condition::plan_held(plan))))
            }
            Ok(_) => None,
            Err(error) => {
                failed(&error);
                None
            }
        }
    }

    /// Finds what is left of the differences that the latest drift check of each tenant found. Any run may settle some.
    async fn drifted(&self) -> Vec<Detection> {
        let addresses = (self.addresses)();
        match self.store.drift_checks_list().await {
            Ok(checks) => {
                checks.iter().filter(|check| addresses.called(&check.tenant).is_some()).map(drift).collect()
            }
            Err(error) => {
                failed(&error);
                Vec::new()
            }
        }
    }

    /// Checks the store for every flow, and the configuration.
    pub(super) async fn look(&mut self) {
        let now = self.clock.now();
        let drifted = self.drifted().await;
        self.take(drifted).await;
        match self.store.flow_statuses_list().await {
            Ok(status) => {
                let grown = |key: &str| self.state.stands(key).map(|row| row.last_seen);
                let mut findings = self.detector.counted(&status, grown, now);
                for flow in &status {
                    findings.extend(conditions_of(flow));
                    findings.extend(self.waits(flow).await);
                    findings.extend(self.removed(flow).await);
                }
                self.take(findings).await;
            }
            Err(error) => failed(&error),
        }
        let addresses = (self.addresses)();
        let gone: Vec<String> =
            self.state.active().into_iter().filter(|row| !addresses.knows(row)).map(|row| row.key).collect();
        self.take(gone.into_iter().map(Detection::Cleared).collect()).await;
        let channels = addresses.channels();
        let unused: Vec<Channel> =
            self.lines.keys().filter(|channel| !channels.contains(*channel)).cloned().collect();
        for channel in unused {
            self.lines.remove(&channel);
            self.take(vec![Detection::Cleared(undelivered_key(&channel))]).await;
        }
    }

    /// Finds a plan of the flow that waits for a person.
    async fn waits(&self, status: &FlowStatus) -> Option<Detection> {
        let key = condition::key(condition::PLAN_HELD, &status.tenant, &status.flow);
        let Some(plan) = status.held.last() else { return Some(Detection::Cleared(key)) };
        let page = format!("/plans/{}/{plan}", status.tenant);
        if self.state.stands(&key).is_some_and(|row| row.page.as_deref() == Some(&page)) {
            return None;
        }
        match self.store.plan_find(&status.tenant, plan).await {
            Ok(stored) => stored.map(|stored| Detection::Holds(Box::new(condition::plan_held(&stored.plan)))),
            Err(error) => {
                failed(&error);
                None
            }
        }
    }

    /// Finds members removed by hand that wait for a person.
    async fn removed(&self, status: &FlowStatus) -> Option<Detection> {
        let (tenant, flow) = (&status.tenant, &status.flow);
        if status.removed == 0 {
            return Some(Detection::Cleared(condition::key(condition::MEMBERS_REMOVED, tenant, flow)));
        }
        let wanted = RemovalFilter {
            tenant: Some(tenant),
            flow: Some(flow),
            waiting: true,
            most: NAMED,
            ..RemovalFilter::default()
        };
        match self.store.removals_list(&wanted).await {
            Ok(rows) => {
                let some: Vec<UserId> = rows.into_iter().map(|row| row.userid).collect();
                let told = condition::members_removed((tenant, flow), status.removed, &some);
                Some(Detection::Holds(Box::new(told)))
            }
            Err(error) => {
                failed(&error);
                None
            }
        }
    }

    async fn take(&mut self, findings: Vec<Detection>) {
        let now = self.clock.now();
        for finding in findings {
            let changed = match finding {
                Detection::Holds(cause) => self.state.raise(*cause, now),
                Detection::Cleared(key) => self.state.resolve(&key, now),
            };
            self.keep(changed).await;
        }
        self.show();
    }

    async fn keep(&self, changed: Option<AlertRow>) {
        let Some(row) = changed else { return };
        if let Err(error) = self.store.alert_put(&row).await {
            failed(&error);
        }
    }

    fn show(&self) {
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = self.state.active();
    }

    /// Sends every channel the messages due.
    pub(super) async fn notify(&mut self) {
        let now = self.clock.now();
        let addresses = (self.addresses)();
        let mut due: BTreeMap<Channel, PendingNotices> = BTreeMap::new();
        for row in self.state.rows() {
            for address in addresses.for_alert(row) {
                // The channel itself is not told that it rejects messages.
                if row.key == undelivered_key(&address.channel) {
                    continue;
                }
                let Some(event) = self.state.due(&address.channel, row, now) else { continue };
                let channel = address.channel.clone();
                let due = due.entry(channel).or_insert_with(|| PendingNotices {
                    address,
                    line: ChannelState::default(),
                    notices: vec![],
                });
                due.notices.push(AlertNotice { event, alert: row.clone() });
            }
        }
        for (channel, due) in &mut due {
            // In order of occurrence.
            due.notices.sort_by_key(|notice| notice.alert.resolved_at.unwrap_or(notice.alert.since));
            due.line = self.lines.get(channel).cloned().unwrap_or_default();
        }
        let addresses = Arc::new(addresses);
        let (transport, clock, jitter) =
            (Arc::clone(&self.transport), Arc::clone(&self.clock), Arc::clone(&self.jitter));
        let mut deliveries = futures::stream::iter(due.into_values())
            .map(|due| {
                let (transport, clock) = (Arc::clone(&transport), Arc::clone(&clock));
                let (addresses, jitter) = (Arc::clone(&addresses), Arc::clone(&jitter));
                async move { deliver(transport.as_ref(), &addresses, clock.as_ref(), &jitter, due).await }
            })
            .buffer_unordered(AT_ONCE);
        // Stored channel by channel, so that a silent channel causes no repetition in another.
        while let Some(each) = deliveries.next().await {
            let (channel, now) = (each.address.channel.clone(), self.clock.now());
            for notice in &each.told {
                let row = self.state.notified(&channel, &notice.alert.key, notice.event, now);
                self.keep(row).await;
            }
            let robot = each.address.taker == ReceiverKind::Robot;
            let finding = match &each.line.rejected {
                Some(why) => {
                    let cause = condition::alerts_undelivered(short(&channel), robot, why);
                    Detection::Holds(Box::new(cause))
                }
                None => Detection::Cleared(undelivered_key(&channel)),
            };
            self.lines.insert(channel, each.line);
            self.take(vec![finding]).await;
        }
        self.show();
    }

    /// When a channel that is waiting may be sent messages again.
    fn opens_at(&self) -> Option<Instant> {
        let now: DateTime<Utc> = self.clock.now();
        let opens = self.lines.values().filter_map(|line| line.opens_at(now)).min()?;
        Some(Instant::now() + (opens - now).to_std().unwrap_or_default())
    }
}

/// Enough of a channel's digest to tell it from others.
fn short(channel: &Channel) -> &str {
    channel.as_str().get(..12).unwrap_or_default()
}

fn undelivered_key(channel: &Channel) -> String {
    format!("{}/{}", condition::ALERTS_UNDELIVERED, short(channel))
}

fn failed(error: &StoreError) {
    tracing::error!(error.code = error.code(), "alerts: {error}");
}
