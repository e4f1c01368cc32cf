//! The places for connections, and the choice of the one that gives way when all are taken.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::auth::throttle::network;

/// Time for a request to arrive whole before its connection may have to give way: far longer than an honest client
/// needs.
const QUICK: Duration = Duration::from_millis(100);
/// Longest wait for a single connection to give its place back.
const WAIT: Duration = Duration::from_secs(1);

/// All places.
pub(super) struct ConnectionSlots {
    most: usize,
    taken: Mutex<ConnectionTable>,
    /// A place was given back, or a connection waits for its next request.
    changed: Notify,
}

#[derive(Default)]
struct ConnectionTable {
    next: u64,
    all: HashMap<u64, Connection>,
}

struct Connection {
    /// Its address; an IPv6 one by its network.
    of: IpAddr,
    stage: ConnectionStage,
    /// It has been answered before.
    answered: bool,
    /// Cancelled when it has to give way.
    go: CancellationToken,
}

/// The stage of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionStage {
    /// No whole request has arrived since then.
    Waiting(Instant),
    /// A whole request is being answered.
    Answering,
}

/// A place that was taken; given back when dropped.
pub(super) struct ConnectionSlot {
    number: u64,
    go: CancellationToken,
    places: Arc<ConnectionSlots>,
}

impl ConnectionSlots {
    /// All places, free.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default(), changed: Notify::new() })
    }

    /// Takes a place for a connection of this address, as soon as there is one. If there is none, another connection is
    /// asked to give way.
    pub(super) async fn take(self: &Arc<Self>, of: IpAddr) -> Arc<ConnectionSlot> {
        loop {
            let until = match self.try_take(network(of), Instant::now()) {
                Ok(place) => return place,
                Err(until) => until,
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Asks a connection to give way, if one may have to.
    pub(super) fn make_room(&self) {
        let _ = self.lock().send_away(Instant::now());
    }

    fn try_take(self: &Arc<Self>, of: IpAddr, now: Instant) -> Result<Arc<ConnectionSlot>, Instant> {
        let mut taken = self.lock();
        if taken.all.len() >= self.most {
            return Err(taken.send_away(now));
        }
        let (number, go) = (taken.next, CancellationToken::new());
        taken.next += 1;
        let connection =
            Connection { of, stage: ConnectionStage::Waiting(now), answered: false, go: go.clone() };
        taken.all.insert(number, connection);
        Ok(Arc::new(ConnectionSlot { number, go, places: Arc::clone(self) }))
    }

    fn lock(&self) -> MutexGuard<'_, ConnectionTable> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionTable {
    /// Asks a connection to give way; returns until when to wait. One at a time is asked: its place is seen to be free
    /// before another has to go.
    fn send_away(&mut self, now: Instant) -> Instant {
        if self.all.values().any(|one| one.go.is_cancelled()) {
            return now + WAIT;
        }
        let mut by_address: HashMap<IpAddr, usize> = HashMap::new();
        for one in self.all.values() {
            *by_address.entry(one.of).or_default() += 1;
        }
        let waiting = self.all.iter().filter_map(|(number, one)| match one.stage {
            ConnectionStage::Waiting(since) => Some((one, since, number)),
            ConnectionStage::Answering => None,
        });
        let due = |since: Instant| since + QUICK;
        let slow =
            waiting.clone().filter(|(_, since, _)| due(*since) <= now).max_by_key(|(one, since, number)| {
                let of_its_address = by_address.get(&one.of).copied().unwrap_or_default();
                (of_its_address, !one.answered, Reverse((*since, *number)))
            });
        match slow {
            Some((one, ..)) => {
                one.go.cancel();
                now + WAIT
            }
            None => waiting.map(|(_, since, _)| due(since)).min().unwrap_or(now + WAIT),
        }
    }
}

impl ConnectionSlot {
    /// Ends when the connection has to give way.
    pub(super) async fn is_to_go(&self) {
        self.go.cancelled().await;
    }

    /// Records that a request has arrived whole.
    pub(super) fn answering(&self) {
        if let Some(one) = self.places.lock().all.get_mut(&self.number) {
            one.stage = ConnectionStage::Answering;
        }
    }

    /// Records that a request's body is awaited.
    pub(super) fn arriving(&self) {
        self.waits();
    }

    /// Records that an answer was given, and the next request is awaited.
    pub(super) fn answered(&self) {
        if let Some(one) = self.places.lock().all.get_mut(&self.number) {
            one.answered = true;
        }
        self.waits();
        self.places.changed.notify_one();
    }

    fn waits(&self) {
        if let Some(one) = self.places.lock().all.get_mut(&self.number) {
            one.stage = ConnectionStage::Waiting(Instant::now());
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.places.lock().all.remove(&self.number);
        self.places.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "127.0.0.1";
    const FLOOD: &str = "192.0.2.1";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn take(places: &Arc<ConnectionSlots>, of: &str) -> Option<Arc<ConnectionSlot>> {
        places.try_take(network(ip(of)), Instant::now()).ok()
    }

    /// The places that have to give way.
    fn going(all: &[Arc<ConnectionSlot>]) -> Vec<usize> {
        all.iter().enumerate().filter(|(_, place)| place.go.is_cancelled()).map(|(at, _)| at).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_places_are_taken_the_slowest_of_the_busiest_address_gives_way() {
        let places = ConnectionSlots::new(4);
        let mut all: Vec<_> =
            [HERE, FLOOD, FLOOD, FLOOD].iter().map(|of| take(&places, of).unwrap()).collect();
        assert!(take(&places, HERE).is_none());
        assert_eq!(going(&all), [0; 0], "none has had the time a request takes");
        tokio::time::advance(QUICK).await;
        assert!(take(&places, HERE).is_none());
        assert_eq!(going(&all), [1], "the oldest is of an address that has one");
        assert!(take(&places, HERE).is_none());
        assert_eq!(going(&all), [1], "one at a time");
        all.remove(1);
        assert!(take(&places, HERE).is_some(), "what was given back is there");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_and_one_that_was_answered_come_after_one_that_never_came() {
        let places = ConnectionSlots::new(3);
        let all: Vec<_> = (0..3).map(|_| take(&places, HERE).unwrap()).collect();
        all[0].answering();
        all[1].answering();
        all[1].answered();
        tokio::time::advance(QUICK).await;
        all[2].arriving();
        tokio::time::advance(QUICK).await;
        assert!(take(&places, HERE).is_none());
        assert_eq!(going(&all), [2], "half a body is no request");
        let all: Vec<_> = all.into_iter().take(2).collect();
        let _third = take(&places, HERE).unwrap();
        assert!(take(&places, HERE).is_none());
        assert_eq!(going(&all), [1], "the third has only come");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_waited_for_while_every_other_is_answered() {
        let places = ConnectionSlots::new(2);
        let all: Vec<_> = (0..2).map(|_| take(&places, FLOOD).unwrap()).collect();
        all.iter().for_each(|place| place.answering());
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(ip(HERE)).await.number }
        });
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished() && going(&all).is_empty());
        drop(all);
        assert_eq!(waiting.await.unwrap(), 2);
    }
}
