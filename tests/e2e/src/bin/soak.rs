//! `make soak`: twenty factories in one process under every fault, for the number of minutes in the first argument,
//! then two restarts of the process.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ruzhi_e2e::{Soak, exit_code};

fn main() -> ExitCode {
    exit_code(soak())
}

#[expect(clippy::print_stdout, reason = "the output is the purpose")]
fn soak() -> Result<()> {
    let minutes = std::env::args().nth(1).unwrap_or_else(|| "20".to_owned());
    let minutes: f64 = minutes.parse().context("the first argument is a number of minutes")?;
    let soak = Soak {
        tenants: 20,
        people: 30,
        length: Duration::from_secs_f64(minutes * 60.0),
        deaths: 2,
        seed: 20_261_124,
    };
    println!(
        "{} factories of {} people, every fault, {minutes} minutes, then {} restarts",
        soak.tenants, soak.people, soak.deaths
    );
    let told = soak.run(|line| println!("  {line}"))?;
    println!("\n  rows changed        {:>8}", told.rows);
    println!("  pages requested     {:>8}", told.pages);
    println!("  rules replaced      {:>8}", told.rules);
    println!("  service calls       {:>8}", told.calls);
    println!("  faults among these  {:>8}", told.faults);
    println!(
        "  exact after         {:>6.1} s, no one created or invited twice\n",
        told.settled.as_secs_f64()
    );
    println!("  life   seconds   KiB a minute over the second half   MiB resident by tenths of the life");
    for (number, life) in told.lives.iter().enumerate() {
        let tenths: Vec<_> = life.tenths().iter().map(|kib| format!("{:.1}", kib / 1024.0)).collect();
        println!(
            "  {:>4}   {:>7.0}   {:>33.0}   {}",
            number + 1,
            life.length().as_secs_f64(),
            life.growth(),
            tenths.join(" ")
        );
    }
    told.lives.iter().try_for_each(ruzhi_e2e::Life::check)
}
