//! `ruzhi-sim`: the simulator as a program, and `ruzhi-sim factory`, which prints an invented factory.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ruzhi_sim::factory::Factory;
use ruzhi_sim::{LoadError, Simulator, StartError};

/// JianDaoYun and WeCom on one loopback port
#[derive(Debug, Parser)]
#[command(name = "ruzhi-sim", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print an invented factory as the document that POST /sim/load takes
    Factory(Invented),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Write the base URL into this file once listening
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Start with an invented factory of this many rows
    #[arg(long, value_name = "PEOPLE")]
    factory: Option<usize>,
    /// The seed of that factory
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Exit when standard input ends
    #[arg(long)]
    until_stdin_closes: bool,
}

#[derive(Debug, Args)]
struct Invented {
    /// Rows, wrong ones included
    #[arg(long, default_value_t = 300)]
    people: usize,
    /// Same seed, same factory
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Wrong rows; 15 in 100 if not given
    #[arg(long)]
    hostile: Option<usize>,
    /// Rows of people who have left
    #[arg(long, default_value_t = 0)]
    leavers: usize,
    /// Print each row's kind and expected outcome instead of the document
    #[arg(long)]
    expectations: bool,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("cannot write {path}", path = path.display())]
    ReadyFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    #[error("cannot write the factory as JSON")]
    Json(#[source] serde_json::Error),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Some(Command::Factory(invented)) => print_factory(&invented),
        None => serve(&arguments.serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut message = format!("ruzhi-sim: {failure}");
            let mut cause = std::error::Error::source(&failure);
            while let Some(error) = cause {
                message.push_str(&format!(": {error}"));
                cause = error.source();
            }
            // With standard error closed the message is lost.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Serve) -> Result<(), Failure> {
    let simulator = Simulator::listen(arguments.listen)?;
    if let Some(people) = arguments.factory {
        simulator.load(Factory::new(arguments.seed, people).document())?;
    }
    let url = simulator.url();
    let mut output = io::stdout();
    writeln!(output, "listening on {url}").and_then(|()| output.flush()).map_err(Failure::Output)?;
    if let Some(path) = &arguments.ready_file {
        write_whole(path, &url).map_err(|source| Failure::ReadyFile { path: path.clone(), source })?;
    }
    if arguments.until_stdin_closes {
        // An unreadable standard input counts as ended.
        let _ = io::copy(&mut io::stdin().take(u64::MAX), &mut io::sink());
        drop(simulator);
        return Ok(());
    }
    loop {
        std::thread::park();
    }
}

/// The file appears with its whole content or not at all.
fn write_whole(path: &Path, content: &str) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    std::fs::write(&unfinished, content)?;
    std::fs::rename(&unfinished, path)
}

fn print_factory(invented: &Invented) -> Result<(), Failure> {
    let mut factory = Factory::builder(invented.seed, invented.people).leavers(invented.leavers);
    if let Some(hostile) = invented.hostile {
        factory = factory.hostile(hostile);
    }
    let factory = factory.build();
    let text = if invented.expectations {
        serde_json::to_string_pretty(factory.rows())
    } else {
        serde_json::to_string_pretty(&factory.document())
    };
    writeln!(io::stdout(), "{}", text.map_err(Failure::Json)?).map_err(Failure::Output)
}
