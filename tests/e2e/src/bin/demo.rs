//! `make demo`: a simulated factory is synced twice, by the `ruzhi` a person would run.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use ruzhi_e2e::{Deployment, Tenant, finish};
use ruzhi_sim::Simulator;
use ruzhi_sim::factory::{CORP_ID, Factory};

const PEOPLE: usize = 320;
const SEED: u64 = 20_260_501;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it shows a person what happens")]
fn main() -> ExitCode {
    match demo() {
        Ok(lines) => {
            println!("{lines}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: the demo did not end as it should: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "it shows a person what happens")]
fn demo() -> Result<String> {
    let runtime = tokio::runtime::Runtime::new()?;
    let simulator = runtime.block_on(Simulator::start());
    let factory = Factory::new(SEED, PEOPLE);
    simulator.load(factory.document())?;
    println!("A simulated 简道云 and 企业微信 on {}", simulator.url());
    println!("  {PEOPLE} rows in the form, {} of them wrong on purpose\n", factory.refused().count());

    // The rates are the services' own, on both sides.
    let tenant = Tenant {
        wecom_limits: "{ per_minute = 10000, per_hour = 150000, in_flight = 4 }".to_owned(),
        per_second: 30,
        tables: String::new(),
        ..Tenant::new(&simulator.url())
    };
    let deployment = Deployment::new(&[tenant])?;
    for command in [&["check", "--online"][..], &["sync", "jingxintai"], &["sync", "jingxintai"], &["runs"]] {
        println!("$ ruzhi {}", command.join(" "));
        let began = Instant::now();
        let outcome = finish(deployment.command(command)?)?;
        print!("{}{}", outcome.stdout, outcome.stderr);
        println!("  ({:.1} s)\n", began.elapsed().as_secs_f64());
        anyhow::ensure!(
            outcome.code == Some(0),
            "`ruzhi {}` ended with {:?}",
            command.join(" "),
            outcome.code
        );
    }

    ruzhi_e2e::check_directory(&simulator, &factory).context("the directory is not as it must be")?;
    let created = simulator.created(CORP_ID);
    Ok(format!(
        "The directory holds {} members, each created once and invited once; nothing was written twice.",
        created.len()
    ))
}
