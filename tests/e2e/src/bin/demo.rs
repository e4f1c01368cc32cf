//! `make demo`: syncs a simulated factory twice with the `ruzhi` binary. It then starts `ruzhi serve` with three
//! factories and leaves the dashboard running while a run is in progress. With `--end` it ends by itself.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ruzhi_e2e::{Deployment, Serving, Tenant, Workforce, exit_code, finish};
use ruzhi_sim::factory::{CORP_ID, Factory};
use ruzhi_sim::{Limits, Simulator};
use serde_json::Value;

const PEOPLE: usize = 320;
const SEED: u64 = 20_260_501;

/// People of the factory whose run is watched, and how many of them WeCom accepts per minute: ten minutes to watch.
const WATCHED: (usize, u32) = (1_200, 120);

/// People of the factory whose plan waits for approval: more than its guard passes at once.
const HELD: usize = 40;

/// Interval between new hires in 宁波工厂's form while the dashboard is open.
const HIRES: Duration = Duration::from_secs(20);

#[expect(clippy::print_stderr, reason = "the output is for a person to read")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let end = match arguments.as_slice() {
        [] => false,
        [only] if only == "--end" => true,
        _ => {
            eprintln!("usage: ruzhi-demo [--end]");
            return ExitCode::from(2);
        }
    };
    exit_code(demo(end).context("the demo failed"))
}

#[expect(clippy::print_stdout, reason = "the output is for a person to read")]
fn demo(end: bool) -> Result<()> {
    let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
    let factory = Factory::new(SEED, PEOPLE);
    simulator.load(factory.document())?;
    println!("Simulated 简道云 and 企业微信 at {}", simulator.url());
    println!(
        "  {PEOPLE} rows in the form, including one record for every validation error: {} must be rejected\n",
        factory.refused().count()
    );

    // Both sides use the services' own rates.
    let tenant = Tenant {
        wecom_limits: "{ per_minute = 10000, per_hour = 150000, in_flight = 4 }".to_owned(),
        per_second: 30,
        tables: String::new(),
        flow: "schedule = \"* * * * *\"".to_owned(),
        ..Tenant::new(&simulator.url())
    };
    let deployment = Deployment::new(std::slice::from_ref(&tenant))?;
    for command in [&["check", "--online"][..], &["sync", "jingxintai"], &["sync", "jingxintai"], &["runs"]] {
        println!("$ ruzhi {}", command.join(" "));
        let began = Instant::now();
        let outcome = finish(deployment.command(command)?)?;
        print!("{}{}", outcome.stdout, outcome.stderr);
        println!("  ({:.1} s)\n", began.elapsed().as_secs_f64());
        ensure!(outcome.code == Some(0), "`ruzhi {}` ended with {:?}", command.join(" "), outcome.code);
    }
    ruzhi_e2e::check_directory(&simulator, &factory).context("the directory is not as it must be")?;
    let created = simulator.created(CORP_ID).len();
    println!("The directory has {created} members, each created and invited once. No write was repeated.\n");
    serve(&deployment, &tenant, end)
}

/// Adds two more factories and serves all three.
#[expect(clippy::print_stdout, reason = "the output is for a person to read")]
fn serve(deployment: &Deployment, first: &Tenant, end: bool) -> Result<()> {
    let (people, per_minute) = WATCHED;
    let (watched, mut workforce) = factory(people)?;
    let watched_rate = format!("{{ per_minute = {per_minute}, per_hour = 150000, in_flight = 4 }}");
    deployment.put(&Tenant {
        id: "ningbo".to_owned(),
        name: "宁波工厂".to_owned(),
        url: watched.url(),
        wecom_limits: watched_rate,
        tables: "[guard]\ncreate_most = 5000\n".to_owned(),
        ..first.clone()
    })?;
    let (held, _) = factory(HELD)?;
    deployment.put(&Tenant {
        id: "suzhou".to_owned(),
        name: "苏州工厂".to_owned(),
        url: held.url(),
        tables: format!("[guard]\ncreate_most = {}\n", HELD / 2),
        ..first.clone()
    })?;
    println!("$ ruzhi serve");
    let serving = Serving::start(deployment, &[("RUZHI_LOG", "ruzhi=info")])?;
    for tenant in ["ningbo", "suzhou"] {
        let path = format!("/api/v1/tenants/{tenant}/flows/onboarding/runs");
        let asked = serving.ask("POST", &path, &[("content-type", "application/json")], b"{}".to_vec())?;
        ensure!(asked.status == 202, "a run was not accepted: {} {}", asked.status, asked.body);
    }
    let run = serving.wait("a run that writes", || writing(&serving))?;
    println!("  ruzhi is serving at {}", serving.url);
    println!("  a run is in progress: {}/runs/{run}", serving.url);
    println!("  苏州工厂 has a plan waiting for approval; 景欣泰工厂 has records in quarantine (待修正)");
    if end {
        ensure!(serving.get(&format!("/runs/{run}"))?.status == 200, "the run has no page");
        let (status, took) = serving.end()?;
        ensure!(status.success(), "ruzhi serve ended with {status}");
        println!("  stopped on request within {:.1} s", took.as_secs_f64());
        return Ok(());
    }
    println!("  Ctrl-C ends it. A new hire joins 宁波工厂's form every {} seconds.", HIRES.as_secs());
    loop {
        std::thread::sleep(HIRES);
        workforce.hire();
        workforce.publish(&watched)?;
        serving.get("/healthz").context("ruzhi serve has ended")?;
    }
}

/// A separate factory on a separate simulator.
fn factory(people: usize) -> Result<(Simulator, Workforce)> {
    let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
    let mut workforce = Workforce::new(people);
    simulator.load(workforce.document())?;
    simulator.set_limits(Limits { enabled: false, ..Limits::default() });
    Ok((simulator, workforce))
}

/// The run that is currently writing, if any.
fn writing(serving: &Serving) -> Option<String> {
    let overview: Value = serving.data("/api/v1/overview").ok()?;
    let live = overview.get("live")?.as_array()?;
    let run = live.iter().find(|live| live.get("settled").and_then(Value::as_u64) > Some(0))?;
    run.pointer("/run/id").and_then(Value::as_str).map(str::to_owned)
}
