//! The task of the alarms: hears reports, reads the store every minute, and notifies people.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::address::{Addresses, Taker};
use super::book::{Book, Channel};
use super::cause;
use super::delivery::{Due, Line, Transport, deliver};
use super::message::Notice;
use super::watch::{Finding, Watch, told_by};
use ruzhi_app::scheduler::{Ended, FlowStanding};
use ruzhi_http::rate::Jitter;
use ruzhi_message::Failure;
use ruzhi_model::{Clock, UserId};
use ruzhi_store::{AlarmRow, Database, FlowStatus, PlanState, RemovalFilter, RunState, StoreError};

/// Interval between reads of the store and rounds of messages.
const LOOK: Duration = Duration::from_secs(60);
/// Time for the last messages once the process is to end. The next process sends the rest.
const LAST: Duration = Duration::from_secs(3);
/// Members named in an alarm.
const NAMED: usize = 3;
/// Channels notified at the same time.
const AT_ONCE: usize = 16;

/// Reports to the task.
#[derive(Debug)]
pub(super) enum Said {
    /// A run has ended.
    Ended(Box<Ended>),
    /// How the flows stand.
    Looked(Vec<FlowStanding>),
    /// Why the configuration on disk is not fully in use.
    Files(Option<Failure>),
}

pub(super) struct Telling {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    addresses: Box<dyn Fn() -> Addresses + Send + Sync>,
    transport: Arc<dyn Transport>,
    standing: Arc<RwLock<Vec<AlarmRow>>>,
    watch: Watch,
    book: Book,
    lines: HashMap<Channel, Line>,
    jitter: Arc<Jitter>,
}

impl Telling {
    pub(super) fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        addresses: Box<dyn Fn() -> Addresses + Send + Sync>,
        transport: Arc<dyn Transport>,
        standing: Arc<RwLock<Vec<AlarmRow>>>,
    ) -> Self {
        let seed = clock.now().timestamp_micros().unsigned_abs();
        Self {
            store,
            clock,
            addresses,
            transport,
            standing,
            watch: Watch::default(),
            book: Book::default(),
            lines: HashMap::new(),
            jitter: Arc::new(Jitter::from_seed(seed)),
        }
    }

    /// Sends alarms until the process is to end, and once more then.
    pub(super) async fn until(mut self, quit: CancellationToken, mut heard: mpsc::UnboundedReceiver<Said>) {
        self.remember().await;
        let mut next_look = Instant::now();
        loop {
            let wake = self.opens_at().map_or(next_look, |opens| opens.min(next_look));
            tokio::select! {
                biased;
                () = quit.cancelled() => break,
                said = heard.recv() => match said {
                    Some(said) => self.hear(said).await,
                    None => break,
                },
                () = sleep_until(wake) => {}
            }
            while let Ok(said) = heard.try_recv() {
                self.hear(said).await;
            }
            if Instant::now() >= next_look {
                next_look = Instant::now() + LOOK;
                self.look().await;
            }
            tokio::select! {
                biased;
                () = quit.cancelled() => break,
                () = self.tell() => {}
            }
        }
        heard.close();
        while let Some(said) = heard.recv().await {
            self.hear(said).await;
        }
        let _ = timeout(LAST, self.tell()).await;
    }

    /// Restores the alarms of the previous process.
    pub(super) async fn remember(&mut self) {
        match self.store.alarms_list().await {
            Ok(rows) => self.book = Book::new(rows),
            Err(error) => failed(&error),
        }
        self.show();
    }

    pub(super) async fn hear(&mut self, said: Said) {
        let findings = match said {
            Said::Ended(ended) => {
                let mut findings = self.watch.ended(&ended);
                findings.extend(self.held(&ended).await);
                findings
            }
            Said::Looked(standings) => self.watch.looked(&standings),
            Said::Files(refused) => vec![Watch::files(refused.as_ref())],
        };
        self.take(findings).await;
    }

    /// A plan that waits for a person, unless a person has rejected it.
    async fn held(&self, ended: &Ended) -> Option<Finding> {
        let run = ended.run.as_ref()?;
        let plan = ended.plan.as_ref().filter(|plan| plan.guard.holds() && run.state == RunState::Held)?;
        match self.store.plan_find(&plan.tenant, &plan.id).await {
            Ok(Some(stored)) if stored.state == PlanState::Held => {
                Some(Finding::So(Box::new(cause::plan_held(plan))))
            }
            Ok(_) => None,
            Err(error) => {
                failed(&error);
                None
            }
        }
    }

    /// Checks the store for every flow, and the configuration.
    pub(super) async fn look(&mut self) {
        let now = self.clock.now();
        match self.store.flow_statuses_list().await {
            Ok(status) => {
                let grown = |key: &str| self.book.stands(key).map(|row| row.last_seen);
                let mut findings = self.watch.counted(&status, grown, now);
                for flow in &status {
                    findings.extend(told_by(flow));
                    findings.extend(self.waits(flow).await);
                    findings.extend(self.removed(flow).await);
                }
                self.take(findings).await;
            }
            Err(error) => failed(&error),
        }
        let addresses = (self.addresses)();
        let gone: Vec<String> =
            self.book.standing().into_iter().filter(|row| !addresses.knows(row)).map(|row| row.key).collect();
        self.take(gone.into_iter().map(Finding::NotSo).collect()).await;
        let channels = addresses.channels();
        let unused: Vec<Channel> =
            self.lines.keys().filter(|channel| !channels.contains(*channel)).cloned().collect();
        for channel in unused {
            self.lines.remove(&channel);
            self.take(vec![Finding::NotSo(refused_key(&channel))]).await;
        }
    }

    /// Finds a plan of the flow that waits for a person.
    async fn waits(&self, status: &FlowStatus) -> Option<Finding> {
        let key = cause::key(cause::PLAN_HELD, &status.tenant, &status.flow);
        let Some(plan) = status.held.last() else { return Some(Finding::NotSo(key)) };
        let page = format!("/plans/{}/{plan}", status.tenant);
        if self.book.stands(&key).is_some_and(|row| row.page.as_deref() == Some(&page)) {
            return None;
        }
        match self.store.plan_find(&status.tenant, plan).await {
            Ok(stored) => stored.map(|stored| Finding::So(Box::new(cause::plan_held(&stored.plan)))),
            Err(error) => {
                failed(&error);
                None
            }
        }
    }

    /// Finds members removed by hand that wait for a person.
    async fn removed(&self, status: &FlowStatus) -> Option<Finding> {
        let (tenant, flow) = (&status.tenant, &status.flow);
        if status.removed == 0 {
            return Some(Finding::NotSo(cause::key(cause::MEMBERS_REMOVED, tenant, flow)));
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
                let told = cause::members_removed((tenant, flow), status.removed, &some);
                Some(Finding::So(Box::new(told)))
            }
            Err(error) => {
                failed(&error);
                None
            }
        }
    }

    async fn take(&mut self, findings: Vec<Finding>) {
        let now = self.clock.now();
        for finding in findings {
            let changed = match finding {
                Finding::So(cause) => self.book.raise(*cause, now),
                Finding::NotSo(key) => self.book.over(&key, now),
            };
            self.keep(changed).await;
        }
        self.show();
    }

    async fn keep(&self, changed: Option<AlarmRow>) {
        let Some(row) = changed else { return };
        if let Err(error) = self.store.alarm_put(&row).await {
            failed(&error);
        }
    }

    fn show(&self) {
        *self.standing.write().unwrap_or_else(PoisonError::into_inner) = self.book.standing();
    }

    /// Sends every channel the messages due.
    pub(super) async fn tell(&mut self) {
        let now = self.clock.now();
        let addresses = (self.addresses)();
        let mut due: BTreeMap<Channel, Due> = BTreeMap::new();
        for row in self.book.rows() {
            for address in addresses.for_alarm(row) {
                // The channel itself is not told that it rejects messages.
                if row.key == refused_key(&address.channel) {
                    continue;
                }
                let Some(event) = self.book.due(&address.channel, row, now) else { continue };
                let channel = address.channel.clone();
                let due = due.entry(channel).or_insert_with(|| Due {
                    address,
                    line: Line::default(),
                    notices: vec![],
                });
                due.notices.push(Notice { event, alarm: row.clone() });
            }
        }
        for (channel, due) in &mut due {
            // In order of occurrence.
            due.notices.sort_by_key(|notice| notice.alarm.over_at.unwrap_or(notice.alarm.since));
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
                let row = self.book.told(&channel, &notice.alarm.key, notice.event, now);
                self.keep(row).await;
            }
            let robot = each.address.taker == Taker::Robot;
            let finding = match &each.line.refused {
                Some(why) => {
                    let cause = cause::alarms_refused(short(&channel), robot, why);
                    Finding::So(Box::new(cause))
                }
                None => Finding::NotSo(refused_key(&channel)),
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

fn refused_key(channel: &Channel) -> String {
    format!("{}/{}", cause::ALARMS_REFUSED, short(channel))
}

fn failed(error: &StoreError) {
    tracing::error!(error.code = error.code(), "alarms: {error}");
}
