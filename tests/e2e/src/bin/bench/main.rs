//! `make bench`: speed, as ratios within one run.
//!
//! First the guests, in every language, against the same rules compiled natively, including a fresh instance for each
//! batch and the time to bring one live. Then whole runs of the binary against the simulator without rates, with the
//! memory of the `ruzhi` process. Last the slowdown that page readers cause for the runs of a serving process.

mod filled;
mod guests;
mod pages;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ruzhi_e2e::{Deployment, Tenant, check_directory, exit_code, simulator};
use ruzhi_guest_runtime::{ComponentRegistry, Engine, Guest, GuestLimits};
use ruzhi_sim::factory::Factory;

const PEOPLE: usize = 20_000;
const MANY_PEOPLE: usize = 100_000;
/// Ledger sizes over which an unchanged row should cost the same.
const LEDGERS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() -> ExitCode {
    exit_code(bench())
}

/// `ruzhi-bench [guests|whole|plan|pages]`: one part, or all.
fn bench() -> Result<()> {
    let part = std::env::args().nth(1);
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    let engine = Engine::new(GuestLimits::default())?;
    if wanted("guests") {
        guests::measure(&engine)?;
    }
    if wanted("whole") {
        end_to_end(PEOPLE)?;
        end_to_end(MANY_PEOPLE)?;
    }
    if wanted("plan") {
        unchanged_rows(&engine)?;
    }
    if wanted("pages") {
        pages::measure()?;
    }
    Ok(())
}

/// A factory of this many people: new, unchanged, and unchanged with every row read and decided again.
#[expect(clippy::print_stdout, reason = "the output is the purpose")]
fn end_to_end(people: usize) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let factory = Factory::builder(6, people).hostile(people / 100).build();
    let simulator = runtime.block_on(simulator(&factory))?;
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())])?;
    for (what, command) in [
        ("new", &["sync", "jingxintai"][..]),
        ("unchanged", &["sync", "jingxintai"]),
        ("unchanged (--full)", &["plan", "jingxintai", "--full"]),
    ] {
        let Measured { took, planned, peak } = measure(deployment.command(command)?)?;
        println!(
            "end to end   {people} rows {what}: {:.0} a second with the simulator on the same cores, planned in {:.2} s, {} MiB resident",
            people as f64 / took.as_secs_f64(),
            planned.as_secs_f64(),
            peak / 1024
        );
    }
    check_directory(&simulator, &factory)
}

/// Plans over ledgers of all sizes in which every row matches the directory. The rows are put into the store directly:
/// only the plan is measured, from the first query of the store to the plan's hash.
#[expect(clippy::print_stdout, reason = "the output is the purpose")]
fn unchanged_rows(engine: &Engine) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let factory = Factory::builder(7, 1).hostile(0).build();
    let simulator = runtime.block_on(simulator(&factory))?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/built/member.wasm");
    let component = ComponentRegistry::new(engine.clone(), None).load(&path, None)?;
    let rules = Guest::new(component, ruzhi_e2e::RULES.to_owned())?.rules().clone();
    for ledger in LEDGERS {
        let deployment = Deployment::new(&[Tenant::new(&simulator.url())])?;
        // The first run creates the store and its watermark; a filter by time then finds nothing new.
        let filter = r#"filter = { rel = "and", cond = [{ field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] }] }
overlap = "0s"
"#;
        deployment.put(&Tenant { source: filter.to_owned(), ..Tenant::new(&simulator.url()) })?;
        measure(deployment.command(&["sync", "jingxintai"])?)?;
        runtime.block_on(filled::fill(&deployment.path().join("ruzhi.db"), &rules, ledger))?;
        let mut best = Duration::MAX;
        let mut peak = 0;
        for _ in 0..3 {
            let measured = measure(deployment.command(&["plan", "jingxintai"])?)?;
            best = best.min(measured.planned);
            peak = measured.peak;
        }
        println!(
            "plan         {ledger:>9} unchanged rows in the ledger: {:>8.1} ms, {:.2} µs a row, {} MiB resident",
            best.as_secs_f64() * 1000.0,
            best.as_secs_f64() * 1e6 / ledger as f64,
            peak / 1024
        );
    }
    Ok(())
}

/// Measurements of one process.
struct Measured {
    took: Duration,
    /// Time to make its last plan.
    planned: Duration,
    /// Peak resident memory, in KiB.
    peak: u64,
}

/// Runs a command to its end.
fn measure(mut command: Command) -> Result<Measured> {
    let began = Instant::now();
    let mut child =
        command.env("RUZHI_LOG", "ruzhi=info").stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let log = child.stderr.take().context("no standard error")?;
    let reader = std::thread::spawn(move || std::io::read_to_string(log));
    let peak = watch(child)?;
    let took = began.elapsed();
    let log = reader.join().map_err(|_| anyhow::anyhow!("the log could not be read"))??;
    let planned = log.lines().rev().find_map(|line| line.split_once("duration_us="));
    let micros = planned.and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    Ok(Measured { took, planned: Duration::from_micros(micros.context("nothing was planned")?), peak })
}

/// Waits for the process and returns its peak memory, in KiB.
fn watch(mut child: Child) -> Result<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Ok(text) = fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            peak = peak.max(kib.unwrap_or(0));
        }
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(peak),
            Some(status) => anyhow::bail!("ruzhi ended with {status}"),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}
