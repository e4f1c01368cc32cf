//! Every fault at every step, in whole runs of the binary; the results are `docs/reliability.md`.
//!
//! Each cell is a separate small factory. It is brought to the state just before the step, the fault is set on the
//! step's call, a run meets it, the fault ends, and runs follow until the directory is exact. `RUZHI_BLESS=1` writes
//! the document; without it the test fails if the document differs from the results.

mod document;
mod faults;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use ruzhi_e2e::{Deployment, Standing, Tenant, Workforce};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{Faults, Knobs, Limits, Service, Simulator};
use serde_json::Value;

use faults::{FAULTS, Fault, Lasting, MEMBER};
use steps::{STEPS, Step};

/// Result of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// The exit code of each run, until one was done and the directory exact; none means killed.
    exits: Vec<Option<i32>>,
    /// Writes that took effect beyond those that a run without the fault needs.
    again: i64,
    /// The error of the run that met the fault.
    code: Option<String>,
}

impl Seen {
    fn text(&self) -> String {
        let exits: Vec<String> = self
            .exits
            .iter()
            .map(|exit| exit.map_or_else(|| "†".to_owned(), |code| code.to_string()))
            .collect();
        let again = if self.again == 0 { String::new() } else { format!(" {:+}", self.again) };
        format!("{}{again}", exits.join("→"))
    }
}

const MOST_RUNS: usize = 5;

struct Cell<'a> {
    step: &'a Step,
    simulator: Simulator,
    deployment: Deployment,
    workforce: Workforce,
}

impl<'a> Cell<'a> {
    fn at(step: &'a Step, fault: Option<Fault>, compiled: &Deployment) -> Result<Self> {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
        let mut workforce = Workforce::new(step.people);
        simulator.load(workforce.document())?;
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let tenant = (step.tenant)(Tenant::new(&simulator.url()));
        let tenant = fault.map_or(tenant.clone(), |fault| fault.tenant(tenant));
        let deployment = Deployment::beside(compiled, &[tenant])?;
        if let Some(Fault::ClockAhead(minutes)) = fault {
            deployment.move_clock(minutes * 60);
        }
        let mut cell = Self { step, simulator, deployment, workforce };
        for change in step.before {
            change(&mut cell.workforce);
            cell.workforce.publish(&cell.simulator)?;
            let outcome = cell.deployment.run(&["sync", "jingxintai"])?;
            ensure!(outcome.code == Some(0), "before the fault: {}{}", outcome.stdout, outcome.stderr);
            cell.workforce.check_exact(&cell.simulator)?;
        }
        (step.change)(&mut cell.workforce);
        cell.workforce.publish(&cell.simulator)?;
        Ok(cell)
    }

    fn writes(&self) -> i64 {
        let state = self.simulator.state();
        let writes = state.pointer(&format!("/wecom/corps/{CORP_ID}/writes")).and_then(Value::as_object);
        writes.into_iter().flatten().filter_map(|(_, count)| count.as_i64()).sum()
    }

    /// No one may be disabled or deleted who has not left, least of all because a form was read in part.
    fn check_none_lost(&self, known: &BTreeSet<String>) -> Result<()> {
        let members = self.simulator.members(CORP_ID);
        for worker in self.workforce.workers() {
            let key = worker.person.userid.to_ascii_lowercase();
            if worker.standing == Standing::Employed && known.contains(&key) {
                ensure!(members.get(&key).is_some_and(|member| member.enabled), "{key} was lost");
            }
        }
        Ok(())
    }

    fn begin(&self, fault: Fault, lasting: Lasting) -> Result<()> {
        self.simulator.set_faults(Faults { seed: 1, rules: fault.rules(self.step, lasting) });
        match fault {
            Fault::OneMember(errcode) => self.simulator.set_knobs(Knobs {
                out_of_reach: vec![MEMBER.to_owned()],
                out_of_reach_code: errcode,
                ..Knobs::default()
            }),
            Fault::RemovedBefore => self.simulator.delete_by_hand(CORP_ID, MEMBER)?,
            _ => {}
        }
        Ok(())
    }

    fn end(&self, fault: Fault) -> Result<()> {
        let happened = match fault {
            Fault::RemovedBefore | Fault::ClockAhead(_) => true,
            Fault::OneMember(errcode) => {
                self.simulator.answers(Service::WeCom).contains_key(&errcode.to_string())
            }
            _ => {
                let fired = self.simulator.state().pointer("/faults").cloned().unwrap_or_default();
                fired.as_object().is_some_and(|fired| !fired.is_empty())
            }
        };
        ensure!(happened, "the fault did not happen");
        self.simulator.set_faults(Faults::default());
        if let Fault::OneMember(_) = fault {
            self.simulator.set_knobs(Knobs::default());
            // Writes refused by WeCom are retried within a day.
            self.simulator.advance_ms(25 * 3_600_000);
            self.deployment.move_clock(25 * 3_600);
        }
        Ok(())
    }

    fn see(&mut self, fault: Option<(Fault, Lasting)>) -> Result<Seen> {
        let mut enabled: BTreeSet<String> = self
            .simulator
            .members(CORP_ID)
            .into_iter()
            .filter(|(_, member)| member.enabled)
            .map(|(key, _)| key)
            .collect();
        if fault.is_some_and(|(fault, _)| fault.removes()) {
            enabled.remove(&MEMBER.to_ascii_lowercase());
        }
        let before = self.writes();
        let mut seen = Seen { exits: Vec::new(), again: 0, code: None };
        if let Some((fault, lasting)) = fault {
            self.begin(fault, lasting)?;
            let (exit, code) = match fault {
                Fault::Killed { .. } => (self.killed_run()?, None),
                _ => self.run()?,
            };
            seen.exits.push(exit);
            seen.code = code;
            self.end(fault)?;
            if let Fault::OneMember(_) = fault {
                // A disabled leaver already counts as exact, so the pending deletion gets a run of its own.
                seen.exits.push(self.run()?.0);
            }
            self.workforce.check_so_far(&self.simulator)?;
            self.check_none_lost(&enabled)?;
        }
        while seen.exits.last() != Some(&Some(0)) || self.workforce.check_exact(&self.simulator).is_err() {
            if seen.exits.len() == MOST_RUNS {
                self.workforce.check_exact(&self.simulator)?;
                anyhow::bail!("no run ended well: {:?}", seen.exits);
            }
            seen.exits.push(self.run()?.0);
            self.workforce.check_so_far(&self.simulator)?;
            self.check_none_lost(&enabled)?;
        }
        seen.again = self.writes() - before;
        // One more run finds nothing to do.
        let rest = self.deployment.run(&["sync", "jingxintai", "--json"])?.json()?;
        for write in ["created", "updated", "disabled", "enabled", "deleted", "failed"] {
            ensure!(rest["counts"][write] == 0, "a run after the last still has {write}: {rest}");
        }
        Ok(seen)
    }

    fn run(&self) -> Result<(Option<i32>, Option<String>)> {
        let outcome = self.deployment.run(&["sync", "jingxintai", "--json"])?;
        let report = outcome.json()?;
        let code = report.pointer("/error/code").and_then(Value::as_str).map(str::to_owned);
        Ok((outcome.code, code))
    }

    fn killed_run(&self) -> Result<Option<i32>> {
        let mut command = self.deployment.command(&["sync", "jingxintai"])?;
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        while !self.simulator.wait_for_stall(0, Duration::from_millis(5)) {
            ensure!(child.try_wait()?.is_none(), "the run ended before the call came");
        }
        child.kill()?;
        Ok(child.wait()?.code())
    }
}

/// A fault, a step, and a flag for the whole run.
type Place = (usize, usize, bool);

#[test]
fn every_fault_at_every_step_ends_as_the_reliability_document_says() {
    let steps = &STEPS;
    // The guest is compiled once for all.
    let compiled = Deployment::new(&[Tenant::new("http://127.0.0.1:9")]).unwrap();
    assert_eq!(compiled.run(&["check"]).unwrap().code, Some(0));

    let needed: Vec<i64> = steps
        .iter()
        .map(|step| {
            let seen = Cell::at(step, None, &compiled).and_then(|mut cell| cell.see(None));
            let seen = seen.unwrap_or_else(|error| panic!("{} without a fault: {error:#}", step.what.0));
            assert_eq!(seen.exits, [Some(0)], "{} without a fault", step.what.0);
            assert!(seen.again > 0, "{} writes nothing", step.what.0);
            seen.again
        })
        .collect();

    let (mut waiting, mut big_loads, mut quick) = (Vec::new(), Vec::new(), Vec::new());
    for (column, step) in steps.iter().enumerate() {
        for (line, row) in FAULTS.iter().enumerate() {
            for lasting in [Lasting::Once, Lasting::TheWholeRun] {
                if !row.is_tried(step, lasting) {
                    continue;
                }
                let lane = match row.fault.waits(step, lasting) {
                    true => &mut waiting,
                    // Job results are polled after half a second, one and two.
                    false if step.by_job => &mut big_loads,
                    false => &mut quick,
                };
                lane.push(((line, column, lasting == Lasting::TheWholeRun), row.fault, lasting));
            }
        }
    }
    let seen: Mutex<BTreeMap<Place, Seen>> = Mutex::default();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let try_cell = &|(place, fault, lasting): (Place, Fault, Lasting)| {
        let step = &steps[place.1];
        let result =
            Cell::at(step, Some(fault), &compiled).and_then(|mut cell| cell.see(Some((fault, lasting))));
        match result {
            Ok(mut found) => {
                found.again -= needed[place.1];
                seen.lock().unwrap().insert(place, found);
            }
            Err(error) => {
                wrong
                    .lock()
                    .unwrap()
                    .push(format!("{} ({}): {fault:?} {lasting:?}: {error:#}", step.api, step.what.0));
            }
        }
    };
    std::thread::scope(|scope| {
        for cell in waiting {
            scope.spawn(move || try_cell(cell));
        }
        for (cells, threads) in [(&big_loads, 12), (&quick, 3)] {
            let next = Arc::new(AtomicUsize::new(0));
            for _ in 0..threads {
                let next = Arc::clone(&next);
                scope.spawn(move || {
                    while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                        try_cell(*cell);
                    }
                });
            }
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
    document::compare(&document::document(steps, &seen.into_inner().unwrap())).unwrap();
}
