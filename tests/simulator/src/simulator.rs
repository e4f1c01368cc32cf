//! The simulator as a value: it serves on a separate thread, so that a test may block while it answers, and stops when
//! the value is dropped.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::control;
use crate::fault::{Faults, Service};
use crate::load::{self, LoadDocument, LoadError, RowChange};
use crate::observation::Misunderstanding;
use crate::outbox::{self, CallbackTo, Delivery, OutboxError, OutboxKnobs, PushTo};
use crate::robot::RobotMessage;
use crate::server;
use crate::settings::{Knobs, Limits};
use crate::wecom::{CorpError, Member};
use crate::world::Shared;

/// Reason for a failed start of the simulator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The thread that serves cannot be started.
    #[error("cannot start the thread that serves")]
    Thread(#[source] io::Error),
}

/// Both services, running on one loopback port.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    world: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts on a free loopback port.
    ///
    /// # Panics
    /// If no loopback port is available: no test can go on then.
    #[expect(clippy::expect_used, clippy::unused_async, reason = "for tests, which await every start alike")]
    pub async fn start() -> Self {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a loopback port")
    }

    /// Starts on the given address; port 0 takes a free one.
    pub fn listen(address: SocketAddr) -> Result<Self, StartError> {
        let refused = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let world = Arc::new(Shared::new());
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&world);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let serving = move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = server::serve(listener, Arc::clone(&served)) => {}
                    () = outbox::send::run(served) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("ruzhi-sim".to_owned()).spawn(serving);
        let thread = thread.map_err(StartError::Thread)?;
        Ok(Self { address, world, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, the base URL of both services.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forgets everything, settings included.
    pub fn reset(&self) {
        self.world.lock().reset();
    }

    /// Adds keys, forms and corps; an existing form or corp is replaced.
    pub fn load(&self, document: LoadDocument) -> Result<(), LoadError> {
        load::load(&mut self.world.lock(), document)
    }

    /// Changes rows of one form; returns the ids of the rows written.
    pub fn change_rows(&self, change: RowChange) -> Result<Vec<String>, LoadError> {
        self.world.lock().change_rows(change)
    }

    /// Replaces the fault rules.
    pub fn set_faults(&self, faults: Faults) {
        self.world.lock().set_faults(faults);
    }

    /// Number of requests ever left without an answer.
    pub fn stalled(&self) -> u64 {
        self.world.wait_for_stall(0, Duration::ZERO)
    }

    /// Waits until more than `before` requests were left without an answer, or for `most`; returns true in the first
    /// case.
    pub fn wait_for_stall(&self, before: u64, most: Duration) -> bool {
        self.world.wait_for_stall(before, most) > before
    }

    /// Lets the service act on the requests held before it; the answers are lost. Returns their number.
    pub fn release(&self) -> usize {
        self.world.lock().release()
    }

    /// Replaces the limits.
    pub fn set_limits(&self, limits: Limits) {
        self.world.lock().limits = limits;
    }

    /// Replaces the knobs.
    pub fn set_knobs(&self, knobs: Knobs) {
        self.world.lock().knobs = knobs;
    }

    /// Advances the clock.
    pub fn advance_ms(&self, milliseconds: u64) {
        self.world.lock().clock.advance(milliseconds);
    }

    /// Puts the clock this far ahead of the machine's, or behind it: `Date`, the times of rows and everything else.
    pub fn set_ahead_ms(&self, milliseconds: i64) {
        self.world.lock().clock.set_ahead(milliseconds);
    }

    /// Stops the clock, or lets it run again.
    pub fn freeze(&self, frozen: bool) {
        self.world.lock().clock.freeze(frozen);
    }

    /// The member logs in for the first time.
    pub fn activate(&self, corp_id: &str, userid: &str) -> Result<(), CorpError> {
        self.world.lock().wecom.activate(corp_id, userid)
    }

    /// The member leaves the corp on their own.
    pub fn quit(&self, corp_id: &str, userid: &str) -> Result<(), CorpError> {
        self.world.lock().wecom.quit(corp_id, userid)
    }

    /// Someone deletes the member in the console.
    pub fn delete_by_hand(&self, corp_id: &str, userid: &str) -> Result<(), CorpError> {
        self.world.lock().delete_by_hand(corp_id, userid)
    }

    /// Someone changes a member in the console; the fields are those of user/update.
    pub fn change_by_hand(&self, corp_id: &str, fields: Map<String, Value>) -> Result<(), CorpError> {
        self.world.lock().change_by_hand(corp_id, fields)
    }

    /// Someone adds a member in the console; the fields are those of user/create.
    pub fn add_by_hand(&self, corp_id: &str, fields: Map<String, Value>) -> Result<(), CorpError> {
        self.world.lock().add_by_hand(corp_id, fields)
    }

    /// Someone adds a department in the console.
    pub fn add_department(&self, corp_id: &str, id: u32, name: &str) -> Result<(), CorpError> {
        self.world.lock().wecom.add_department(corp_id, id, name)
    }

    /// user/list_id keeps showing this member as it is now, or keeps hiding it, until [`Self::list_in_time`].
    pub fn list_late(&self, corp_id: &str, userid: &str, shown: bool) -> Result<(), CorpError> {
        self.world.lock().wecom.list_late(corp_id, userid, shown)
    }

    /// user/list_id shows the directory as it is.
    pub fn list_in_time(&self, corp_id: &str) -> Result<(), CorpError> {
        self.world.lock().wecom.list_in_time(corp_id)
    }

    /// The services' clock, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.world.lock().clock.now_ms()
    }

    /// Pushes the rows of a form to an address from now on.
    pub fn push_to(&self, to: PushTo) -> Result<(), OutboxError> {
        self.world.lock().outbox.push_to(to)
    }

    /// Sends the events of a corp to an address from now on, once it is verified.
    pub fn call_back_to(&self, to: CallbackTo) -> Result<(), OutboxError> {
        self.world.lock().outbox.call_back_to(to)
    }

    /// Replaces the settings for sending.
    pub fn set_outbox(&self, knobs: OutboxKnobs) {
        self.world.lock().outbox.knobs = knobs;
    }

    /// Waits until this many deliveries have ended, or for `most`; returns all there are, in the order of the changes.
    pub fn wait_for_deliveries(&self, ended: usize, most: Duration) -> Vec<Delivery> {
        self.world.wait_for_deliveries(ended, most)
    }

    /// The bodies of the logged requests to paths with this ending, oldest first; the knob `log_requests` keeps them.
    pub fn bodies(&self, path: &str) -> Vec<String> {
        self.world.lock().observation.bodies(path)
    }

    /// Adds a group robot with this key to its group, beside [`ROBOT_KEY`](crate::ROBOT_KEY).
    pub fn add_robot(&self, key: &str) {
        self.world.lock().told.add(key);
    }

    /// Removes a group robot from its group.
    pub fn remove_robot(&self, key: &str) {
        self.world.lock().told.remove(key);
    }

    /// Messages accepted by group robots, oldest first.
    pub fn robot_messages(&self) -> Vec<RobotMessage> {
        self.world.lock().told.messages().to_vec()
    }

    /// Posts to `/sink`, oldest first.
    pub fn posted(&self) -> Vec<Value> {
        self.world.lock().told.posted().to_vec()
    }

    /// Waits until group robots and `/sink` together accepted this many, or for `most`; returns true in the first case.
    pub fn wait_for_told(&self, count: usize, most: Duration) -> bool {
        self.world.wait_for_told(count, most)
    }

    /// A row of a form as it is, by alias or field id.
    pub fn row(&self, app_id: &str, entry_id: &str, id: &str) -> Option<Map<String, Value>> {
        self.world.lock().jiandaoyun.form_mut(app_id, entry_id)?.fields(id).cloned()
    }

    /// The members of a corp by userid in lower case; empty for an unknown corp.
    pub fn members(&self, corp_id: &str) -> BTreeMap<String, Member> {
        self.world.lock().wecom.members(corp_id)
    }

    /// Number of invitations of each userid (lower case).
    pub fn invitations(&self, corp_id: &str) -> BTreeMap<String, u64> {
        self.world.lock().wecom.invitations(corp_id)
    }

    /// Number of creations of each userid (lower case).
    pub fn created(&self, corp_id: &str) -> BTreeMap<String, u64> {
        self.world.lock().wecom.created(corp_id)
    }

    /// Every access token ever issued: none of them may appear in an output, a log or a store.
    pub fn tokens(&self) -> Vec<String> {
        self.world.lock().wecom.tokens()
    }

    /// Number of requests that each API of a service received.
    pub fn requests(&self, service: Service) -> BTreeMap<&'static str, u64> {
        self.world.lock().observation.requests(service)
    }

    /// Number of answers of a service by code.
    pub fn answers(&self, service: Service) -> BTreeMap<String, u64> {
        self.world.lock().observation.answers(service)
    }

    /// The answer of `GET /sim/state`.
    pub fn state(&self) -> Value {
        control::state(&self.world.lock())
    }

    /// The requests that the real services would not have understood.
    pub fn misunderstandings(&self) -> Vec<Misunderstanding> {
        self.world.lock().observation.misunderstandings().to_vec()
    }

    /// Fails the test if any request was misunderstood.
    ///
    /// # Panics
    /// If one was, naming each.
    #[expect(clippy::panic, reason = "an assertion for tests")]
    #[track_caller]
    pub fn assert_understood(&self) {
        let misunderstandings = self.misunderstandings();
        if !misunderstandings.is_empty() {
            let mut report =
                format!("{} request(s) the real service would not understand:", misunderstandings.len());
            for each in misunderstandings.iter().take(20) {
                report.push_str(&format!(
                    "\n- {:?} {}: {}\n  {}",
                    each.service, each.path, each.what, each.body
                ));
            }
            panic!("{report}");
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended already; then the signal has no receiver, which is fine.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
