//! `make load`: 1,000 slow connections, 10,000 signed pushes, 200 viewers of the largest pages and a run of 20,000
//! people, all at once, for the number of minutes in the first argument.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ruzhi_e2e::{Load, exit_code, share};

fn main() -> ExitCode {
    exit_code(load())
}

#[expect(clippy::print_stdout, reason = "the output is the purpose")]
fn load() -> Result<()> {
    let minutes = std::env::args().nth(1).unwrap_or_else(|| "10".to_owned());
    let minutes: f64 = minutes.parse().context("the first argument is a number of minutes")?;
    let load = Load {
        people: 20_000,
        factories: 5,
        slow: 1_000,
        pushes: 10_000,
        viewers: 200,
        length: Duration::from_secs_f64(minutes * 60.0),
    };
    println!("{load:?}");
    let loaded = load.run()?;
    let line = |name: &str, times: &[Duration]| {
        let at = |percent| share(times, percent).as_secs_f64() * 1000.0;
        println!(
            "  {name:<22} {:>8}   ms: half {:.0}, 99 % {:.0}, all {:.0}",
            times.len(),
            at(50),
            at(99),
            at(100)
        );
    };
    line("/healthz", &loaded.health);
    line("pages", &loaded.pages);
    println!("  pushes accepted        {:>8}", loaded.pushes);
    println!("  connections closed     {:>8}", loaded.closed);
    println!("  people created         {:>8}", loaded.created);
    println!("  other runs             {:>8}   latest {:.1} s", loaded.runs, loaded.latest.as_secs_f64());
    let (before, most) = loaded.memory;
    println!("  MiB resident           {:>8.0}   before {:.0}", most / 1024.0, before / 1024.0);
    println!("  shutdown               {:?}", loaded.ended);
    loaded.check(&load)
}
