//! A long-lived process under every fault: the services fail in every way, rows change, rules are replaced, pages are
//! requested, and the process itself is stopped and killed. Afterwards the services work again, and every directory
//! must become exact, with no one created or invited twice. The memory of the process is read throughout.
//!
//! The sequence of events follows from a seed, their timing from the clock.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ruzhi_sim::factory::{APP_ID, ENTRY_ID};
use ruzhi_sim::{FaultKind, FaultRule, Faults, Limits, OutboxKnobs, PushTo, Random, Simulator};

use crate::{Deployment, RULES, Serving, Standing, Tenant, Workforce};

/// Every fault, with its greatest rate per thousand calls.
const FAULTS: [(FaultKind, u64); 15] = [
    (FaultKind::ResetBefore, 30),
    (FaultKind::ResetAfter, 30),
    (FaultKind::Slow, 50),
    (FaultKind::BadGatewayBefore, 30),
    (FaultKind::BadGatewayAfter, 30),
    (FaultKind::Truncated, 20),
    (FaultKind::BusyBefore, 30),
    (FaultKind::BusyAfter, 30),
    (FaultKind::VersionConflict, 20),
    (FaultKind::RateLimited, 10),
    (FaultKind::TooConcurrent, 20),
    (FaultKind::RevokeToken, 30),
    (FaultKind::CompanyLimited, 20),
    (FaultKind::EndpointLimited, 20),
    (FaultKind::TooManyRequests, 20),
];

/// Pages requested meanwhile.
const PAGES: [&str; 9] =
    ["/", "/runs", "/quarantine", "/rules", "/charts", "/audit", "/settings", "/api/v1/overview", "/metrics"];

/// Delay between two events.
const BEAT: Duration = Duration::from_millis(250);

/// Longest time for the directories to become exact after the last fault.
const SETTLED: Duration = Duration::from_secs(180);

/// Shorter lives are not checked for growth: caches are still being filled.
const LONG: Duration = Duration::from_secs(600);

/// Greatest growth of resident memory per minute, in KiB: the scatter of the readings of one life.
const GROWTH: f64 = 512.0;

/// Share of a life after which growth is measured.
const WARM: f64 = 0.5;

/// Parameters of the soak test.
#[derive(Debug, Clone, Copy)]
pub struct Soak {
    /// Number of factories, each on separate services.
    pub tenants: usize,
    /// People in each at the beginning; up to half as many more come later.
    pub people: usize,
    /// Length of the first life of the process.
    pub length: Duration,
    /// Number of restarts, alternately a kill and a request to end; each further life is a tenth of the first.
    pub deaths: u32,
    /// Seed of all random choices.
    pub seed: u64,
}

/// One life of the process.
#[derive(Debug, Clone, Default)]
pub struct Life {
    /// Seconds since it began, and KiB resident.
    pub memory: Vec<(f64, f64)>,
}

impl Life {
    /// How long it was watched.
    pub fn length(&self) -> Duration {
        self.memory.last().map_or(Duration::ZERO, |(at, _)| Duration::from_secs_f64(*at))
    }

    /// KiB added per minute over the second half, by least squares.
    pub fn growth(&self) -> f64 {
        let from = self.length().as_secs_f64() * WARM;
        let late: Vec<_> = self.memory.iter().filter(|(at, _)| *at >= from).collect();
        let count = late.len() as f64;
        let mean_at = late.iter().map(|(at, _)| at).sum::<f64>() / count;
        let mean = late.iter().map(|(_, kib)| kib).sum::<f64>() / count;
        let above: f64 = late.iter().map(|(at, kib)| (at - mean_at) * (kib - mean)).sum();
        let below: f64 = late.iter().map(|(at, _)| (at - mean_at).powi(2)).sum();
        if below > 0.0 { above / below * 60.0 } else { 0.0 }
    }

    /// KiB resident by tenths of the life, on average.
    pub fn tenths(&self) -> Vec<f64> {
        let tenth = self.length().as_secs_f64() / 10.0;
        let mean = |number: u32| {
            let (from, to) = (tenth * f64::from(number), tenth * f64::from(number + 1));
            let within = self.memory.iter().filter(|(at, _)| (from..=to).contains(at)).map(|(_, kib)| *kib);
            let (sum, count) = within.fold((0.0, 0.0), |(sum, count), kib| (sum + kib, count + 1.0));
            sum / f64::max(count, 1.0)
        };
        (0..10).map(mean).collect()
    }

    /// Fails if it lived long and its memory grew.
    ///
    /// # Errors
    /// If it did.
    pub fn check(&self) -> Result<()> {
        let growth = self.growth();
        ensure!(
            self.length() < LONG || growth <= GROWTH,
            "resident memory grew by {growth:.0} KiB a minute over the second half of {:?}; at most {GROWTH} may be",
            self.length()
        );
        Ok(())
    }
}

/// Result of the soak test.
#[derive(Debug, Clone, Default)]
pub struct Soaked {
    /// The lives of the process.
    pub lives: Vec<Life>,
    /// Rows changed.
    pub rows: u64,
    /// Pages requested.
    pub pages: u64,
    /// Rules files replaced.
    pub rules: u64,
    /// Faults that happened.
    pub faults: u64,
    /// Calls received by the services.
    pub calls: u64,
    /// Time from the last fault until every directory was exact.
    pub settled: Duration,
}

struct Factory {
    simulator: Simulator,
    workforce: Workforce,
    /// Greatest number of people.
    most: usize,
    tenant: Tenant,
    exchanged: usize,
}

impl Factory {
    fn new(number: usize, people: usize) -> Result<Self> {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
        let mut workforce = Workforce::new(people);
        simulator.load(workforce.document())?;
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let tenant = Tenant {
            id: format!("factory-{number}"),
            name: format!("工厂 {number}"),
            flow: "schedule = \"* * * * *\"".to_owned(),
            flows: format!("[flows.push]\nsecret = {{ env = \"{PUSH}\" }}\n"),
            tables: "[guard]\ncreate_most = 100000\nleave_percent = 100\n".to_owned(),
            wecom_limits: "{ per_minute = 100000, per_hour = 1000000, in_flight = 2 }".to_owned(),
            ..Tenant::new(&simulator.url())
        };
        Ok(Self { simulator, workforce, most: people * 3 / 2, tenant, exchanged: 0 })
    }

    /// Directs pushes to the current process.
    fn push_to(&self, serving: &Serving) -> Result<()> {
        let url = format!("{}/hooks/jiandaoyun/{}/onboarding", serving.url, self.tenant.id);
        let (app_id, entry_id) = (APP_ID.to_owned(), ENTRY_ID.to_owned());
        let secret = Some(PUSH.to_owned());
        self.simulator.push_to(PushTo { app_id, entry_id, url, secret, test: false })?;
        Ok(())
    }

    /// Changes one random person. A full factory hires no one: the memory of a run depends on the number of people and
    /// would grow with them.
    fn change(&mut self, random: &mut Random) -> Result<()> {
        let workforce = &mut self.workforce;
        let full = workforce.workers().len() >= self.most;
        match random.below(if full { 5 } else { 7 }) {
            5 => drop(workforce.hire()),
            6 => drop(workforce.hire_wrongly()),
            0 => workforce.any(Standing::Wrong, random).into_iter().for_each(|one| workforce.employ(one)),
            1 => workforce.any(Standing::Left, random).into_iter().for_each(|one| workforce.employ(one)),
            2 => {
                workforce.any(Standing::Employed, random).into_iter().for_each(|one| workforce.transfer(one))
            }
            3 => {
                workforce.any(Standing::Employed, random).into_iter().for_each(|one| workforce.renumber(one))
            }
            _ => workforce.any(Standing::Employed, random).into_iter().for_each(|one| workforce.leave(one)),
        }
        workforce.publish(&self.simulator)
    }

    /// Sets three random faults from now on.
    fn fail(&self, random: &mut Random) {
        let rules = (0..3).filter_map(|_| {
            let (kind, share) = FAULTS.get(random.below(FAULTS.len() as u64) as usize).copied()?;
            Some(FaultRule { delay_ms: 400, window_ms: 2000, ..FaultRule::new(kind) }.per_mille(share))
        });
        let rules = rules.collect();
        self.simulator.set_faults(Faults { seed: random.next(), rules });
        let outbox = OutboxKnobs {
            duplicates: u32::try_from(random.below(3)).unwrap_or(0),
            reversed: random.below(2) == 0,
            ..OutboxKnobs::default()
        };
        self.simulator.set_outbox(outbox);
    }

    /// Replaces the rules file with one of the same meaning in other bytes.
    fn exchange(&mut self, deployment: &Deployment) -> Result<()> {
        self.exchanged += 1;
        self.tenant.rules = Some(format!("{RULES}{}", "\n".repeat(self.exchanged)));
        deployment.put(&self.tenant)
    }
}

const PUSH: &str = "PUSH_SECRET_OF_THE_SOAK";
const TOKEN: &str = "a-token-of-the-soak-0123456789";

fn start(deployment: &Deployment, factories: &[Factory]) -> Result<Serving> {
    let environment = [(PUSH, PUSH), ("RUZHI_TOKEN", TOKEN), ("RUZHI_LOG", "ruzhi=warn")];
    let serving = Serving::start(deployment, &environment)?.by(TOKEN);
    factories.iter().try_for_each(|factory| factory.push_to(&serving))?;
    Ok(serving)
}

impl Soak {
    /// Lengths of the lives.
    fn lives(&self) -> impl Iterator<Item = Duration> {
        let further = std::iter::repeat_n(self.length / 10, self.deaths as usize);
        std::iter::once(self.length).chain(further)
    }

    /// Runs the test; `say` receives a progress line now and then.
    ///
    /// # Errors
    /// If a promise is broken: the process ends by itself, a page is not answered, a directory does not become exact.
    pub fn run(&self, mut say: impl FnMut(&str)) -> Result<Soaked> {
        let mut random = Random::new(self.seed);
        let mut factories =
            (0..self.tenants).map(|number| Factory::new(number, self.people)).collect::<Result<Vec<_>>>()?;
        let tenants: Vec<Tenant> = factories.iter().map(|factory| factory.tenant.clone()).collect();
        let deployment = Deployment::new(&tenants)?;
        deployment.with_token()?;
        let mut serving = start(&deployment, &factories)?;
        let mut told = Soaked { lives: vec![Life::default()], ..Soaked::default() };
        let (began, mut born) = (Instant::now(), Instant::now());
        let mut lives = self.lives();
        let mut length = lives.next().unwrap_or_default();
        for beat in 0_u64.. {
            if born.elapsed() >= length {
                let Some(next) = lives.next() else { break };
                if told.lives.len() % 2 == 1 {
                    serving.kill()?;
                } else {
                    let (status, took) = serving.end()?;
                    ensure!(status.success(), "asked to end, it ended with {status} after {took:?}");
                }
                serving = start(&deployment, &factories)?;
                told.lives.push(Life::default());
                (born, length) = (Instant::now(), next);
            }
            let chosen = random.below(factories.len() as u64) as usize;
            let factory = factories.get_mut(chosen).context("there is no factory")?;
            if beat % 8 == 0 {
                factory.fail(&mut random);
            }
            factory.change(&mut random)?;
            told.rows += 1;
            if beat % 50 == 49 {
                factory.exchange(&deployment)?;
                told.rules += 1;
            }
            let page = random.pick(&PAGES);
            let answer = serving.get(page).with_context(|| format!("{page}: {:?}", serving.log()))?;
            ensure!(answer.status == 200, "{page}: {} {}", answer.status, answer.body);
            told.pages += 1;
            if beat % 4 == 0
                && let Some(life) = told.lives.last_mut()
            {
                life.memory.push((born.elapsed().as_secs_f64(), serving.resident()?));
            }
            if beat % 240 == 239 {
                say(&format!("{:.0} s: {} rows changed", began.elapsed().as_secs_f64(), told.rows));
            }
            std::thread::sleep(BEAT);
        }
        told.settled = settle(&serving, &factories)?;
        for factory in &factories {
            let state = factory.simulator.state();
            let sum = |what: &str| -> u64 {
                let counts = state.pointer(what).and_then(|counts| counts.as_object());
                counts.into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
            };
            told.faults += sum("/faults");
            told.calls += sum("/requests/wecom") + sum("/requests/jiandaoyun");
        }
        let (status, took) = serving.end()?;
        ensure!(status.success(), "asked to end, it ended with {status} after {took:?}");
        Ok(told)
    }
}

/// Ends all faults and waits until every directory is exact. A flow that failed often waits minutes before it tries
/// again, so its run is requested.
fn settle(serving: &Serving, factories: &[Factory]) -> Result<Duration> {
    for factory in factories {
        factory.simulator.set_faults(Faults::default());
        factory.simulator.set_outbox(OutboxKnobs::default());
    }
    let began = Instant::now();
    for beat in 0_u64.. {
        for factory in factories.iter().filter(|_| beat % 40 == 0) {
            if factory.workforce.check_exact(&factory.simulator).is_err() {
                let path = format!("/api/v1/tenants/{}/flows/onboarding/runs", factory.tenant.id);
                let asked =
                    serving.ask("POST", &path, &[("content-type", "application/json")], b"{}".to_vec())?;
                ensure!(matches!(asked.status, 200..=299 | 409), "{path}: {} {}", asked.status, asked.body);
            }
        }
        let wrong = factories.iter().find_map(|factory| {
            let error = factory.workforce.check_exact(&factory.simulator).err()?;
            Some(format!("{}: {error:#}", factory.tenant.id))
        });
        let Some(wrong) = wrong else { return Ok(began.elapsed()) };
        let overview = || serving.get("/api/v1/overview").map(|answer| answer.body).unwrap_or_default();
        ensure!(
            began.elapsed() < SETTLED,
            "not as it must be {SETTLED:?} after the last fault: {wrong}\n{}",
            overview()
        );
        std::thread::sleep(BEAT);
    }
    Ok(began.elapsed())
}
