//! Costs of a guest: a record at every batch size, an instance, compiling, loading from the cache, going live.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ruzhi_e2e::{Deployment, RULES, Tenant, simulator};
use ruzhi_guest::{Context, Mapping, SourceRecord};
use ruzhi_guest_jingxintai::Jingxintai;
use ruzhi_guest_member::RulesFile;
use ruzhi_guest_runtime::{BATCH, Cache, Component, ComponentRegistry, Engine, Guest};
use ruzhi_sim::factory::Factory;

const RECORDS: usize = 20_000;
/// Records for interpreted languages: fewer are enough.
const FEWER_RECORDS: usize = 2_000;
/// Native code and guest alternate this often, and the best time of each counts: noise only ever adds time.
const TURNS: usize = 7;
const BATCHES: [usize; 4] = [1, 10, BATCH, 500];
/// Stored records that rules are tried on before they go live.
const STORED: usize = 1_000;

/// A shipped guest.
struct Shipped {
    name: &'static str,
    config: &'static str,
    records: usize,
    native: fn(&str, &Context, &[SourceRecord]) -> usize,
    /// Upper bound for its cost relative to native code; none for interpreted languages.
    target: Option<f64>,
}

fn native<M: Mapping>(config: &str, context: &Context, batch: &[SourceRecord]) -> usize {
    ruzhi_guest::decide::<M>(config, context, batch).map_or(0, |outcomes| outcomes.len())
}

const SHIPPED: [Shipped; 4] = [
    Shipped {
        name: "member",
        config: RULES,
        records: RECORDS,
        native: native::<RulesFile>,
        target: Some(3.0),
    },
    Shipped {
        name: "jingxintai",
        config: "",
        records: RECORDS,
        native: native::<Jingxintai>,
        target: Some(2.5),
    },
    Shipped {
        name: "jingxintai-typescript",
        config: "",
        records: FEWER_RECORDS,
        native: native::<Jingxintai>,
        target: None,
    },
    Shipped {
        name: "jingxintai-python",
        config: "",
        records: FEWER_RECORDS,
        native: native::<Jingxintai>,
        target: None,
    },
];

/// Prints all measurements.
#[expect(clippy::print_stdout, reason = "the output is the purpose")]
pub(super) fn measure(engine: &Engine) -> Result<()> {
    let factory = Factory::builder(5, RECORDS).hostile(RECORDS / 100).build();
    let records: Vec<SourceRecord> = factory
        .rows()
        .iter()
        .map(|row| SourceRecord {
            id: row.row.get("_id").and_then(|id| id.as_str()).unwrap_or_default().to_owned(),
            json: serde_json::Value::Object(row.row.clone()).to_string(),
        })
        .collect();
    let folder = tempfile::tempdir()?;
    let cache = Cache::open(&folder.path().join("cache"), &folder.path().join("key"))?;
    for shipped in &SHIPPED {
        let path = path(shipped.name);
        let bytes = ComponentRegistry::read(&path, None)?;
        let began = Instant::now();
        let component = Component::from_bytes(engine, Some(&cache), &bytes)?;
        let compiled = began.elapsed();
        let loaded =
            best(|| Component::from_bytes(engine, Some(&cache), &bytes).map(drop).map_err(Into::into))?;
        let started = best(|| component.start().map_err(Into::into))?;
        println!(
            "{:22} {:>6} KB, compiled in {:.0} ms, loaded from the cache in {:.1} ms, an instance in {:.0} µs",
            shipped.name,
            bytes.len().div_ceil(1000),
            millis(compiled),
            millis(loaded),
            millis(started) * 1000.0
        );
        let guest = Guest::new(component, shipped.config.to_owned())?;
        for batch in BATCHES {
            against_native(shipped, &guest, records.get(..shipped.records).unwrap_or_default(), batch)?;
        }
    }
    for name in ["jingxintai", "jingxintai-typescript", "jingxintai-python"] {
        going_live(name)?;
    }
    Ok(())
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../guests/built/{name}.wasm"))
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

fn best(mut act: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..TURNS {
        let began = Instant::now();
        act()?;
        best = best.min(began.elapsed());
    }
    Ok(best)
}

#[expect(clippy::print_stdout, reason = "the output is the purpose")]
fn against_native(shipped: &Shipped, guest: &Guest, records: &[SourceRecord], batch: usize) -> Result<()> {
    let context = Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() };
    let (mut native, mut sandboxed) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        let began = Instant::now();
        for records in records.chunks(batch) {
            anyhow::ensure!((shipped.native)(shipped.config, &context, records) == records.len());
        }
        native = native.min(began.elapsed());
        let began = Instant::now();
        for records in records.chunks(batch) {
            let outcomes = guest.decide(&context, records).context("the guest failed")?;
            anyhow::ensure!(outcomes.len() == records.len());
        }
        sandboxed = sandboxed.min(began.elapsed());
    }
    let each = |took: Duration| took.as_nanos() as f64 / records.len() as f64 / 1000.0;
    let target = match shipped.target {
        // The bound applies only to the batch size that runs use.
        Some(target) if batch == BATCH => format!(" (target: at most {target})"),
        _ => String::new(),
    };
    println!(
        "  batches of {batch:>3}: {:8.2} µs a record in the sandbox, {:5.2} µs native: {:.2} times{target}",
        each(sandboxed),
        each(native),
        sandboxed.as_secs_f64() / native.as_secs_f64()
    );
    Ok(())
}

/// `ruzhi rules activate` end to end: replaces the live rules with the same rules in this language, and back.
#[expect(clippy::print_stdout, reason = "the output is the purpose")]
fn going_live(name: &str) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let factory = Factory::builder(8, STORED).hostile(0).build();
    let simulator = runtime.block_on(simulator(&factory))?;
    let tenant =
        Tenant { component: "jingxintai.wasm".to_owned(), rules: None, ..Tenant::new(&simulator.url()) };
    let deployment = Deployment::new(&[tenant])?;
    let run = |arguments: &[&str]| -> Result<Duration> {
        let began = Instant::now();
        let outcome = deployment.run(arguments)?;
        anyhow::ensure!(outcome.code == Some(0), "{}", outcome.stderr);
        Ok(began.elapsed())
    };
    run(&["sync"])?;
    // An added section makes it a different component from the live one.
    let mut bytes = ComponentRegistry::read(&path(name), None)?;
    bytes.extend(*b"\0\x06\x05bench");
    let component = deployment.path().join("new.wasm");
    std::fs::write(&component, bytes)?;
    let component = component.display().to_string();
    let first = run(&["rules", "activate", "jingxintai", &component, "--approve"])?;
    let back = run(&["rules", "rollback", "jingxintai", "#1"])?;
    let again = run(&["rules", "activate", "jingxintai", &component, "--approve"])?;
    println!(
        "{name:22} goes live in {:.0} ms, {:.0} ms once it is compiled, tried on {STORED} records; rolled back in {:.0} ms",
        millis(first),
        millis(again),
        millis(back)
    );
    Ok(())
}
