//! Cost of page readers to the runs: a hundred factories run at once, first without readers, then with many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ruzhi_e2e::{Deployment, Serving, Tenant, Workforce};
use ruzhi_sim::{Limits, Simulator};
use serde_json::Value;

const TENANTS: usize = 100;
/// People created by each first run.
const PEOPLE: usize = 30;
const READERS: usize = 8;
/// Shortest interval between two requests of a reader: together more than the people of a hundred factories request.
const PACE: Duration = Duration::from_millis(50);
const PAGES: [&str; 6] = ["/", "/runs", "/quarantine", "/charts", "/api/v1/overview", "/api/v1/runs"];

/// Greatest slowdown of the runs. Readers share two cores with the runs and the simulators; beyond this they would be
/// in the way.
const MOST_SLOWER: f64 = 3.0;

/// Measurements of one turn.
struct Turn {
    /// From the first request to the last run's end.
    took: Duration,
    /// Delay from the request of a run to its start: the median, and the longest.
    began: [Duration; 2],
    /// Response time of each page, shortest first.
    pages: Vec<Duration>,
}

/// Prints all measurements.
#[expect(clippy::print_stdout, reason = "the output is the purpose")]
pub(super) fn measure() -> Result<()> {
    let alone = turn(0)?;
    let read = turn(READERS)?;
    let millis = |took: &Duration| took.as_secs_f64() * 1000.0;
    let of = |share: usize| read.pages.get(read.pages.len() * share / 100).map_or(0.0, millis);
    for (what, turn) in [("no readers", &alone), ("many readers", &read)] {
        let [median, longest] = &turn.began;
        println!(
            "pages        {TENANTS} runs of {PEOPLE} people, {what}: {:.2} s; a run begins after {:.0} ms, the last after {:.0} ms",
            turn.took.as_secs_f64(),
            millis(median),
            millis(longest)
        );
    }
    let slower = read.took.as_secs_f64() / alone.took.as_secs_f64();
    println!(
        "pages        {:.0} pages a second meanwhile, p50 {:.1} ms, p99 {:.1} ms; the runs take {slower:.2} times as long (at most {MOST_SLOWER})",
        read.pages.len() as f64 / read.took.as_secs_f64(),
        of(50),
        of(99)
    );
    ensure!(!read.pages.is_empty(), "no page was answered");
    ensure!(slower <= MOST_SLOWER, "readers slow the runs down {slower:.2} times");
    Ok(())
}

fn turn(readers: usize) -> Result<Turn> {
    let mut simulators = Vec::new();
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
        simulator.load(Workforce::new(PEOPLE).document())?;
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        tenants.push(Tenant { id: format!("factory-{number}"), ..Tenant::new(&simulator.url()) });
        simulators.push(simulator);
    }
    let deployment = Deployment::new(&tenants)?;
    let serving = Serving::start(&deployment, &[("RUZHI_LOG", "ruzhi=warn")])?;
    let over = Arc::new(AtomicBool::new(false));
    let reading: Vec<_> = (0..readers)
        .map(|reader| {
            let (over, url) = (Arc::clone(&over), serving.url.clone());
            thread::spawn(move || read(&url, reader, &over))
        })
        .collect();
    let started = Instant::now();
    let asked_at = chrono::Utc::now();
    for tenant in &tenants {
        let path = format!("/api/v1/tenants/{}/flows/onboarding/runs", tenant.id);
        let asked = serving.ask("POST", &path, &[("content-type", "application/json")], b"{}".to_vec())?;
        ensure!(asked.status == 202, "{path}: {} {}", asked.status, asked.body);
    }
    let done = serving.wait("the last run's end", || ended(&serving));
    let took = started.elapsed();
    over.store(true, Ordering::Relaxed);
    let mut pages = Vec::new();
    for reader in reading {
        pages.extend(reader.join().map_err(|_| anyhow::anyhow!("a reader gave up"))??);
    }
    pages.sort_unstable();
    let mut began: Vec<Duration> = done?
        .iter()
        .filter_map(|at| (at.parse::<chrono::DateTime<chrono::Utc>>().ok()? - asked_at).to_std().ok())
        .collect();
    began.sort_unstable();
    let longest = began.last().copied().context("no run began")?;
    let median = began.get(began.len() / 2).copied().unwrap_or(longest);
    Ok(Turn { took, began: [median, longest], pages })
}

/// Requests one page after another at the given pace.
fn read(url: &str, reader: usize, over: &AtomicBool) -> Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = reqwest::Client::new();
    let mut took = Vec::new();
    for page in PAGES.iter().cycle().skip(reader) {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let began = Instant::now();
        let status = runtime.block_on(async {
            let answer = client.get(format!("{url}{page}")).send().await?;
            let status = answer.status();
            answer.bytes().await?;
            anyhow::Ok(status)
        })?;
        ensure!(status.is_success(), "{page}: {status}");
        took.push(began.elapsed());
        thread::sleep(PACE.saturating_sub(began.elapsed()));
    }
    Ok(took)
}

/// Start times of the runs, once every flow's run is done.
fn ended(serving: &Serving) -> Option<Vec<String>> {
    let overview = serving.data("/api/v1/overview").ok()?;
    let flows = overview.get("tenants")?.as_array()?.iter().filter_map(|tenant| tenant.pointer("/flows/0"));
    flows
        .map(|flow| {
            let run = flow.get("last_run")?;
            (run.get("state").and_then(Value::as_str) == Some("done")).then_some(())?;
            run.get("started_at").and_then(Value::as_str).map(str::to_owned)
        })
        .collect()
}
