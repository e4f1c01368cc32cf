//! Invariants over random histories.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// Three corps: one with two flows, one with one, one with one that has no schedule.
const FLOWS: [(&str, &str, &str); 4] =
    [("a", "x", "*/7 * * * *"), ("b", "x", "*/5 * * * *"), ("c", "y", "*/11 * * * *"), ("d", "z", "")];

#[derive(Debug, Clone)]
enum Event {
    Pass(u16),
    StepBack(u16),
    Wake(usize, Wake),
    RequestKind(usize, RequestKind),
    Pause(usize),
    Resume(usize),
    End(usize, usize),
    Reload(u8),
    Restart,
}

fn any_event() -> impl Strategy<Value = Event> {
    let flow = 0..FLOWS.len();
    prop_oneof![
        6 => (1..400_u16).prop_map(Event::Pass),
        1 => (1..7_200_u16).prop_map(Event::StepBack),
        3 => (flow.clone(), prop::sample::select(vec![Wake::Push, Wake::Callback, Wake::CutOff]))
            .prop_map(|(flow, why)| Event::Wake(flow, why)),
        2 => (flow.clone(), prop::sample::select(vec![RequestKind::Sync, RequestKind::Other]))
            .prop_map(|(flow, ask)| Event::RequestKind(flow, ask)),
        1 => flow.clone().prop_map(Event::Pause),
        1 => flow.clone().prop_map(Event::Resume),
        8 => (flow, 0..5_usize).prop_map(|(flow, outcome)| Event::End(flow, outcome)),
        1 => any::<u8>().prop_map(Event::Reload),
        1 => Just(Event::Restart),
    ]
}

/// The flows of a configuration, selected by `mask`; another generation has other settings.
fn flows(mask: u8) -> Vec<ScheduledFlow> {
    let here = FLOWS.iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0);
    let flow = |(id, corp, schedule): &(&str, &str, &str)| ScheduledFlow {
        corp: (*corp).to_owned(),
        settings: (mask >> 6).to_string(),
        ..planned(id, schedule)
    };
    here.map(|(_, known)| flow(known)).collect()
}

/// The scheduler's behaviour as seen from outside.
struct Seen {
    state: SchedulerState,
    stored: BTreeMap<TenantId, ScheduleStateRow>,
    mask: u8,
    now: DateTime<Utc>,
    /// The corp of every flow that runs.
    running: BTreeMap<usize, &'static str>,
    /// Unanswered requests.
    asked: Vec<u64>,
    tickets: u64,
}

impl Seen {
    fn id(index: usize) -> (TenantId, FlowId) {
        (tenant(FLOWS[index].0), flow("f"))
    }

    fn store(&mut self) {
        for row in self.state.changed_rows() {
            self.stored.insert(row.tenant.clone(), row);
        }
    }

    fn take(&mut self, at_once: usize) -> usize {
        let busy: BTreeSet<&str> = self.running.values().copied().collect();
        let batches = self.state.take_due(self.now, at_once);
        let mut runs = 0;
        for batch in &batches {
            assert!(!busy.contains(&*batch.corp), "corp {} runs already", batch.corp);
            assert!(!batch.runs.is_empty());
            for due in &batch.runs {
                let index = FLOWS.iter().position(|(id, _, _)| *id == due.tenant.as_str()).unwrap();
                assert!(self.mask & (1 << index) != 0, "it is not there");
                assert_eq!(self.running.insert(index, FLOWS[index].1), None, "it runs already");
                assert!(due.since <= self.now.max(self.state.seen.unwrap()));
                if let Trigger::Person(ticket) = due.trigger {
                    let place =
                        self.asked.iter().position(|asked| *asked == ticket).expect("it was asked for");
                    self.asked.remove(place);
                }
                runs += 1;
            }
        }
        let busy: BTreeSet<&str> = self.running.values().copied().collect();
        assert_eq!(busy.len(), self.state.busy());
        assert!(batches.is_empty() || busy.len() <= at_once);
        runs
    }

    fn end(&mut self, index: usize, outcome: RunOutcome) {
        self.running.remove(&index);
        let (tenant, flow) = Self::id(index);
        self.state.ended(&tenant, &flow, outcome, self.now);
    }

    fn happens(&mut self, event: Event) {
        let by = |index| Self::id(index);
        match event {
            Event::Pass(seconds) => self.now += TimeDelta::seconds(seconds.into()),
            Event::StepBack(seconds) => self.now -= TimeDelta::seconds(seconds.into()),
            Event::Wake(index, why) => {
                let (tenant, flow) = by(index);
                self.state.wake(&tenant, &flow, why, self.now);
            }
            Event::RequestKind(index, ask) => {
                let (tenant, flow) = by(index);
                self.tickets += 1;
                if self.state.ask(&tenant, &flow, self.tickets, ask, self.now) {
                    self.asked.push(self.tickets);
                }
            }
            Event::Pause(index) => {
                let (tenant, flow) = by(index);
                let paused = Paused { who: "x".to_owned(), at: self.now, why: None };
                self.state.pause(&tenant, &flow, paused);
            }
            Event::Resume(index) => {
                let (tenant, flow) = by(index);
                self.state.resume(&tenant, &flow, self.now);
            }
            Event::End(index, outcome) => {
                let outcome = match outcome {
                    0 | 1 => RunOutcome::Done,
                    2 => RunOutcome::Held,
                    3 => RunOutcome::Failed,
                    _ => blocked(&(self.mask >> 6).to_string()),
                };
                if self.running.contains_key(&index) {
                    self.end(index, outcome);
                }
            }
            Event::Reload(mask) => {
                self.mask = mask;
                let unanswered = self.state.set_flows(flows(mask), self.now);
                self.asked.retain(|ticket| !unanswered.contains(ticket));
            }
            Event::Restart => {
                let running: Vec<usize> = self.running.keys().copied().collect();
                for index in running {
                    self.end(index, RunOutcome::CutOff);
                }
                self.store();
                self.asked.clear();
                self.state = SchedulerState::restore(self.stored.values().cloned().collect(), vec![]);
                self.state.set_flows(flows(self.mask), self.now);
            }
        }
    }

    /// After any history: with every obstacle gone, each flow runs by itself in time, every request is answered, and
    /// then there is nothing left to do until a tick.
    fn no_flow_starves(&mut self, at_once: usize) {
        let running: Vec<usize> = self.running.keys().copied().collect();
        for index in running {
            self.end(index, RunOutcome::Done);
        }
        let all = self.mask | 0b1111;
        self.happens(Event::Reload(all));
        for index in 0..FLOWS.len() {
            self.happens(Event::Resume(index));
        }
        self.happens(Event::Wake(3, Wake::Push));
        let mut ran = [0; FLOWS.len()];
        let until = self.now + TimeDelta::minutes(12);
        loop {
            while self.take(at_once) > 0 {
                let running: Vec<usize> = self.running.keys().copied().collect();
                for index in running {
                    ran[index] += 1;
                    self.end(index, RunOutcome::Done);
                }
            }
            assert_eq!(self.asked, Vec::<u64>::new(), "every request is answered");
            let schedule_states = self.state.schedule_states(self.now, Duration::ZERO);
            assert!(schedule_states.iter().all(|flow| !flow.late && flow.state != ScheduleStateKind::Queued));
            match self.state.next_moment() {
                Some(next) if next <= until => {
                    assert!(next > self.now, "what is due has begun");
                    self.now = next;
                }
                _ => break,
            }
        }
        assert!(ran.iter().all(|ran| *ran >= 1), "{ran:?}");
        self.happens(Event::Restart);
        assert_eq!(self.take(9), 0, "nothing was left undone");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn runs_never_overlap_no_flow_starves_and_nothing_is_forgotten(
        events in prop::collection::vec((any_event(), any::<bool>()), 1..120),
        at_once in 1..4_usize,
    ) {
        let mut seen = Seen {
            state: SchedulerState::default(),
            stored: BTreeMap::new(),
            mask: 0b1111,
            now: at("12:00"),
            running: BTreeMap::new(),
            asked: Vec::new(),
            tickets: 0,
        };
        seen.state.set_flows(flows(seen.mask), seen.now);
        for (event, look) in events {
            seen.happens(event);
            if look {
                seen.take(at_once);
            }
        }
        seen.no_flow_starves(at_once);
    }
}
