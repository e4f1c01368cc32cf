//! `make bench`: how fast, as ratios within this one run.
//!
//! First the guests against the same rules compiled natively, a fresh instance for each batch included. Then whole
//! runs of the binary against the simulator without rates, with the memory of the `ruzhi` process.

use std::fs;
use std::path::Path;
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ruzhi::guest::{BATCH, Engine, Guest, Library, Limits};
use ruzhi_e2e::{Deployment, Tenant, check_directory, simulator};
use ruzhi_guest::{Context, Mapping, SourceRecord};
use ruzhi_sim::factory::Factory;

const RECORDS: usize = 20_000;
/// Native and guest take turns this often, and the best of each counts: noise only ever adds time.
const TURNS: usize = 7;
const PEOPLE: usize = 20_000;

#[expect(clippy::print_stderr, reason = "a failure is told to a person")]
fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let factory = Factory::builder(5, RECORDS).hostile(RECORDS / 100).build();
    let records: Vec<SourceRecord> = factory
        .rows()
        .iter()
        .map(|row| SourceRecord {
            id: row.row.get("_id").and_then(|id| id.as_str()).unwrap_or_default().to_owned(),
            json: serde_json::Value::Object(row.row.clone()).to_string(),
        })
        .collect();
    let engine = Engine::new(Limits::default())?;
    guest_against_native::<ruzhi_guest_member::RulesFile>(&engine, "member", ruzhi_e2e::RULES, &records)?;
    guest_against_native::<ruzhi_guest_jingxintai::Jingxintai>(&engine, "jingxintai", "", &records)?;
    end_to_end()
}

#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn guest_against_native<M: Mapping>(
    engine: &Engine,
    name: &str,
    config: &str,
    records: &[SourceRecord],
) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../guests/built/{name}.wasm"));
    let component = Library::new(engine.clone(), None).load(&path, None)?;
    let guest = Guest::new(component, config.to_owned())?;
    let context = Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() };
    let (mut native, mut sandboxed) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        let began = Instant::now();
        for batch in records.chunks(BATCH) {
            let outcomes = ruzhi_guest::decide::<M>(config, &context, batch);
            anyhow::ensure!(outcomes.is_ok_and(|outcomes| outcomes.len() == batch.len()));
        }
        native = native.min(began.elapsed());
        let began = Instant::now();
        for batch in records.chunks(BATCH) {
            let outcomes = guest.decide(&context, batch).context("the guest failed")?;
            anyhow::ensure!(outcomes.len() == batch.len());
        }
        sandboxed = sandboxed.min(began.elapsed());
    }
    let each = |took: Duration| took.as_nanos() as f64 / records.len() as f64 / 1000.0;
    println!(
        "{name:12} {:6.2} µs a record in the sandbox, {:6.2} µs native: {:.2} times (target: at most 3)",
        each(sandboxed),
        each(native),
        sandboxed.as_secs_f64() / native.as_secs_f64()
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn end_to_end() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let factory = Factory::builder(6, PEOPLE).hostile(PEOPLE / 100).build();
    let simulator = runtime.block_on(simulator(&factory))?;
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())])?;
    for what in ["new", "unchanged"] {
        let began = Instant::now();
        let child = deployment
            .command(&["sync", "jingxintai"])?
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        let peak = watch(child)?;
        let took = began.elapsed().as_secs_f64();
        println!(
            "end to end   {:.0} {what} rows a second with the simulator on the same cores (target for new: at least 5000); {} MiB resident (target: under 150)",
            PEOPLE as f64 / took,
            peak / 1024
        );
    }
    check_directory(&simulator, &factory)
}

/// Waits for the process and gives the most memory it held, in KiB.
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
