//! A process killed at any moment leaves nothing undone and nothing done twice.
//!
//! Five factories live through changing rows and failing services while every run may be killed: after so many
//! microseconds of its life, or when the services have received its n-th call of one kind, before or after they acted
//! on it. A call that was on its way when its caller died may arrive later. One factory writes by CSV job. In all, 200
//! runs are killed.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Duration;

use ruzhi_e2e::{Deployment, Standing, Tenant, Workforce};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultKind, FaultRule, Faults, Knobs, Limits, Random, Service, Simulator};

const FACTORIES: u64 = 5;
const KILLS_EACH: u64 = 40;
const PEOPLE: usize = 60;
/// The longest life of a run that is killed by time; most end before. Half a second is the wait for a job.
const LONGEST_LIFE_US: u64 = 60_000;
const LONGEST_LIFE_WITH_JOB_US: u64 = 600_000;

struct History {
    seed: u64,
    random: Random,
    simulator: Simulator,
    deployment: Deployment,
    workforce: Workforce,
    kills: u64,
    by_job: bool,
    /// The history so far, for diagnosing a failure.
    told: Vec<String>,
}

impl History {
    fn begin(seed: u64) -> Self {
        let by_job = seed % FACTORIES == FACTORIES - 1;
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let mut workforce = Workforce::new(PEOPLE - 5);
        for _ in 0..5 {
            workforce.hire_wrongly();
        }
        simulator.load(workforce.document()).unwrap();
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        simulator.set_knobs(Knobs { job_polls: 0, ..Knobs::default() });
        let incremental = r#"filter = { rel = "and", cond = [
  { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] } ] }"#;
        let tenant = Tenant {
            // Half of the factories delete leavers at once, so that a returner is created again.
            top: format!("grace = \"{}\"\n", if seed.is_multiple_of(2) { "30d" } else { "0s" }),
            source: if seed % 4 < 2 { incremental.to_owned() } else { String::new() },
            wecom: if by_job { "batch_from = 3\n".to_owned() } else { String::new() },
            tables: "[guard]\ncreate_most = 100000\nleave_percent = 100\n".to_owned(),
            ..Tenant::new(&simulator.url())
        };
        let deployment = Deployment::new(&[tenant]).unwrap();
        // The guest is compiled before the first run; otherwise the first kills would all hit the compiler.
        assert_eq!(deployment.run(&["check"]).unwrap().code, Some(0));
        Self {
            seed,
            random: Random::new(seed),
            simulator,
            deployment,
            workforce,
            kills: 0,
            told: Vec::new(),
            by_job,
        }
    }

    fn say(&mut self, what: String) {
        self.told.push(what);
    }

    fn must<T>(&self, held: anyhow::Result<T>) -> T {
        held.unwrap_or_else(|error| {
            let told = self.told.iter().rev().take(12).rev().cloned().collect::<Vec<_>>().join("\n");
            let error = format!("{error:#}");
            let trace = error.split(['(', ')']).nth(1).and_then(|record| {
                self.deployment.run(&["trace", "jingxintai", record]).ok().map(|outcome| outcome.stdout)
            });
            panic!(
                "factory {} after {} kills: {error}\n{told}\n{}",
                self.seed,
                self.kills,
                trace.unwrap_or_default()
            )
        })
    }

    /// A few rows change.
    fn change(&mut self) {
        for _ in 0..self.random.below(6) {
            let random = &mut self.random;
            let workforce = &mut self.workforce;
            let employed = workforce.any(Standing::Employed, random);
            let other = workforce.any(Standing::Employed, random);
            let left = workforce.any(Standing::Left, random);
            let wrong = workforce.any(Standing::Wrong, random);
            let what = match (random.below(9), employed, other, left, wrong) {
                (0 | 1, ..) => format!("hired {}", workforce.hire()),
                (2, ..) => format!("hired wrongly {}", workforce.hire_wrongly()),
                (3, Some(one), ..) => {
                    workforce.transfer(one);
                    format!("transferred {one}")
                }
                (4, Some(one), ..) => {
                    workforce.leave(one);
                    format!("left {one}")
                }
                (5 | 6, _, _, Some(one), _) => {
                    workforce.employ(one);
                    format!("came back {one}")
                }
                (7, Some(one), Some(other), ..) if one != other => {
                    workforce.hand_over_mobile(one, other);
                    format!("mobile of {one} to {other}")
                }
                (8, _, _, _, Some(one)) => {
                    workforce.employ(one);
                    format!("corrected {one}")
                }
                _ => continue,
            };
            self.say(what);
        }
        let told = self.workforce.publish(&self.simulator);
        self.must(told);
    }

    fn faults(&mut self) -> Vec<FaultRule> {
        let kinds = [
            FaultKind::ResetAfter,
            FaultKind::ResetBefore,
            FaultKind::BadGatewayAfter,
            FaultKind::BadGatewayBefore,
            FaultKind::BusyAfter,
            FaultKind::BusyBefore,
            FaultKind::VersionConflict,
            FaultKind::Truncated,
            FaultKind::TooConcurrent,
            FaultKind::RevokeToken,
            FaultKind::StringErrcode,
            FaultKind::Slow,
        ];
        let mut rules = Vec::new();
        for _ in 0..self.random.below(4) {
            let kind = kinds[self.random.below(kinds.len() as u64) as usize];
            let share = 20 + self.random.below(120);
            rules.push(FaultRule {
                delay_ms: 3,
                ..FaultRule::new(kind).service(Service::WeCom).per_mille(share)
            });
        }
        rules
    }

    /// One run, killed at a random moment, unless it ends before.
    fn killed_run(&mut self) {
        let mut rules = self.faults();
        let single = [
            "user/create",
            "user/create",
            "user/create",
            "user/update",
            "user/update",
            "user/update",
            "user/delete",
            "data/list",
            "widget/list",
            "user/list_id",
            "department/simplelist",
            "gettoken",
        ];
        let job = [
            "media/upload",
            "batch/syncuser",
            "batch/syncuser",
            "batch/getresult",
            "user/update",
            "user/list_id",
        ];
        let calls: &[&str] = if self.by_job { &job } else { &single };
        let by_call = self.random.below(2) == 0;
        let api = self.random.pick(calls);
        let before = self.random.below(2) == 0;
        let skip = self.random.below(if self.by_job { 2 } else { 6 });
        let longest = if self.by_job { LONGEST_LIFE_WITH_JOB_US } else { LONGEST_LIFE_US };
        let life = Duration::from_micros(self.random.below(longest));
        let longer = Duration::from_micros(self.random.below(3) * self.random.below(2_000));
        if by_call {
            let kind = if before { FaultKind::StallBefore } else { FaultKind::StallAfter };
            rules.insert(0, FaultRule::new(kind).api(api).skip(skip).next(1));
            let side = if before { "before" } else { "after" };
            self.say(format!("killed {longer:?} from {side} {api} {skip}; {} faults", rules.len() - 1));
        } else {
            self.say(format!("killed after {life:?}; {} faults", rules.len()));
        }
        self.simulator.set_faults(Faults { seed: self.random.next(), rules });
        let stalled = self.simulator.stalled();
        let mut child = self
            .deployment
            .command(&["sync", "jingxintai"])
            .unwrap()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if by_call {
            let moment = Duration::from_millis(1);
            while !self.simulator.wait_for_stall(stalled, moment) && child.try_wait().unwrap().is_none() {}
            std::thread::sleep(longer);
        } else {
            std::thread::sleep(life);
        }
        child.kill().unwrap();
        self.kills += u64::from(child.wait().unwrap().signal() == Some(9));
        if self.random.below(2) == 0 {
            let late = self.simulator.release();
            self.say(format!("{late} calls arrived late"));
        }
        self.must(self.workforce.check_so_far(&self.simulator));
    }

    /// Runs to the end, first with failing services, and checks directory and ledger.
    fn settle(&mut self) {
        let rules = self.faults();
        self.simulator.set_faults(Faults { seed: self.random.next(), rules });
        for _ in 0..self.random.below(2) {
            let outcome = self.deployment.run(&["sync", "jingxintai"]).unwrap();
            self.say(format!("ran with faults: {:?}", outcome.code));
            self.must(self.workforce.check_so_far(&self.simulator));
        }
        self.simulator.set_faults(Faults::default());
        let outcome = self.deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
        self.say(format!("ran: {:?} {}", outcome.json().unwrap()["counts"].to_string(), outcome.stderr));
        assert_eq!(outcome.code, Some(0), "{:?}", self.told);
        self.must(self.workforce.check_exact(&self.simulator));
        self.check_ledger();
    }

    /// The ledger agrees with the directory about every member, and nothing is left in doubt.
    fn check_ledger(&self) {
        let runs = self.deployment.run(&["runs", "--json", "--limit", "3"]).unwrap().json().unwrap();
        let runs = runs.as_array().unwrap();
        assert!(!runs.is_empty() && runs.iter().all(|run| run["state"] != "running"), "{runs:?}");
        let status = self.deployment.run(&["status", "--json"]).unwrap().json().unwrap();
        assert_eq!(status[0]["members"], self.simulator.members(CORP_ID).len(), "{:?}", self.told.last());
    }

    /// No record's trace shows an operation in doubt, and each shows the member that exists.
    fn check_traces(&self) {
        let members = self.simulator.members(CORP_ID);
        for worker in self.workforce.workers() {
            let trace = self
                .deployment
                .run(&["trace", "jingxintai", &worker.record, "--json"])
                .unwrap()
                .json()
                .unwrap();
            let trace = &trace[0];
            for operation in trace["operations"].as_array().unwrap() {
                assert_ne!(operation["state"], "sending", "{trace}");
            }
            let there = members.get(&worker.person.userid.to_ascii_lowercase());
            let state =
                trace["members"].as_array().unwrap().last().map_or("", |member| member[1].as_str().unwrap());
            match there {
                Some(member) => assert_eq!(state, if member.enabled { "active" } else { "left" }, "{trace}"),
                None => assert!(matches!(state, "" | "deleted"), "{trace}"),
            }
        }
    }
}

#[test]
fn two_hundred_killed_runs_leave_every_person_once_and_right() {
    let live = |seed| {
        let mut history = History::begin(seed);
        while history.kills < KILLS_EACH {
            history.change();
            history.killed_run();
            if history.random.below(2) == 0 {
                history.settle();
            }
        }
        history.settle();
        history.check_traces();
    };
    std::thread::scope(|scope| {
        for seed in 0..FACTORIES {
            scope.spawn(move || live(seed));
        }
    });
}
