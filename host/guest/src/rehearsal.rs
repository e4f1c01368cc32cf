//! Trying a component in a process of its own first. A fault of the compiler or the engine that ends a process ends that
//! one, and what it says is told as an error of the component.
//!
//! The child is this program again (`ruzhi guest try`). It compiles, makes an instance, and asks it what it is to be asked
//! later: to describe itself under its rules file, and to decide rows. Its memory, its time on a core and its time on the
//! clock are bounded. What it compiled comes back through a pipe that it alone has, so a component is compiled once.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use serde::{Deserialize, Serialize};

use super::bindings::Version;
use super::engine::Engine;
use super::error::LoadError;
use super::judge::shorten;
use super::limits::Limits;
use super::loader::{Component, contract};
use super::mapper::Guest;
use ruzhi_model::{Context, SourceRecord};

/// How long a child may take. What may be compiled at all takes two minutes on a busy machine.
const CLOCK: Duration = Duration::from_secs(240);

/// Seconds that a child may use of all cores together.
const CORES: u64 = 480;

/// Bytes of memory that a child may have. Compiling a Python guest takes a third of it.
const MEMORY: u64 = 4 << 30;

/// Bytes that a child may answer with: compiled code is larger than its component.
const ANSWER: u64 = 1 << 30;

/// The first byte of a child's answer.
const COMPILED: u8 = 1;
const REFUSED: u8 = 2;

/// What a child is asked, as one line of JSON; the bytes follow.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    limits: Limits,
    metered: bool,
    /// The bytes are those of a component of this contract that was compiled; else it is to be compiled.
    compiled_for: Option<Version>,
    rules: Option<Rules>,
}

/// The rules under which a component is asked to describe itself, and rows that it is asked to decide.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rules {
    /// The rules file's text.
    pub text: String,
    /// What a guest may know beside the rows.
    pub context: Context,
    /// The rows.
    pub records: Vec<SourceRecord>,
}

/// Makes processes in which components are tried.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    program: PathBuf,
}

impl Rehearsal {
    /// Of this very program, also while its file is being replaced.
    pub fn of_this_program() -> io::Result<Self> {
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() { running } else { std::env::current_exe()? };
        Ok(Self { program })
    }

    /// The machine code of a component that compiles, and whose process survives an instance of it and what rules are going
    /// to be asked. What the guest answers is not looked at.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        component: &[u8],
        rules: Option<Rules>,
    ) -> Result<Vec<u8>, LoadError> {
        let asked =
            Asked { limits: engine.limits(), metered: engine.is_metered(), compiled_for: None, rules };
        let mut answer = self.ask(&asked, component)?;
        match answer.first() {
            Some(&COMPILED) => Ok(answer.split_off(1)),
            Some(&REFUSED) => {
                let reason = String::from_utf8_lossy(&answer.split_off(1)).into_owned();
                Err(LoadError::Compile { reason: shorten(&reason, 500) })
            }
            _ => Err(LoadError::Died { how: "no answer".to_owned() }),
        }
    }

    /// The same of a component that was compiled.
    pub(super) fn rehearse(
        &self,
        engine: &Engine,
        (artifact, contract): (&[u8], Version),
        rules: Rules,
    ) -> Result<(), LoadError> {
        let asked = Asked {
            limits: engine.limits(),
            metered: engine.is_metered(),
            compiled_for: Some(contract),
            rules: Some(rules),
        };
        self.ask(&asked, artifact).map(drop)
    }

    fn ask(&self, asked: &Asked, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        let failed = |source| LoadError::Rehearsal { source };
        let header = serde_json::to_vec(asked).map_err(|e| failed(io::Error::other(e)))?;
        let mut child = Command::new(&self.program)
            .args(["guest", "try"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let read = std::thread::scope(|scope| {
            scope.spawn(|| {
                let Some(mut stdin) = stdin else { return };
                // A child that has ended reads nothing more; how it ended says why.
                drop(stdin.write_all(&header).and_then(|()| stdin.write_all(b"\n")));
                drop(stdin.write_all(bytes));
            });
            let (told, heard) = mpsc::channel();
            scope.spawn(move || {
                let mut answer = Vec::new();
                let read = stdout.map_or(Ok(0), |stdout| stdout.take(ANSWER).read_to_end(&mut answer));
                drop(told.send(read.map(|_| answer)));
            });
            let read = heard.recv_timeout(CLOCK);
            if read.is_err() {
                // Both threads come to their end with it.
                drop(child.kill());
            }
            read
        });
        let Ok(read) = read else {
            drop(child.wait());
            return Err(LoadError::Died { how: format!("no answer in {} s", CLOCK.as_secs()) });
        };
        let status = child.wait().map_err(failed)?;
        if status.success() { read.map_err(failed) } else { Err(LoadError::Died { how: status.to_string() }) }
    }
}

/// What the child does: reads what it is asked, and answers.
pub fn answer(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    bound()?;
    let mut header = Vec::new();
    input.read_until(b'\n', &mut header)?;
    let asked: Asked = serde_json::from_slice(&header).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let engine = if asked.metered { Engine::metered(asked.limits) } else { Engine::new(asked.limits) };
    let engine = engine.map_err(io::Error::other)?;
    let component = if let Some(contract) = asked.compiled_for {
        // SAFETY: The bytes are what the process that started this one got from `Component::serialize`; nothing else
        // can write into the pipe.
        #[expect(unsafe_code, reason = "compiled code from the process that started this one; argued above")]
        let compiled = unsafe { wasmtime::component::Component::deserialize(engine.inner(), &bytes) };
        Component::of_compiled(&engine, compiled.map_err(io::Error::other)?, Some(contract))
    } else {
        let compiled = match wasmtime::component::Component::new(engine.inner(), &bytes) {
            Ok(compiled) => compiled,
            Err(error) => {
                output.write_all(&[REFUSED])?;
                return output.write_all(format!("{error:#}").as_bytes());
            }
        };
        output.write_all(&[COMPILED])?;
        output.write_all(&compiled.serialize().map_err(io::Error::other)?)?;
        output.flush()?;
        Component::of_compiled(&engine, compiled, contract(&bytes))
    };
    // What is wrong with the guest is found again, and told, by the process that asks.
    let Ok(component) = component else { return Ok(()) };
    let Some(Rules { text, context, records }) = asked.rules else { return Ok(()) };
    let Ok(guest) = Guest::new(component, text) else { return Ok(()) };
    for batch in records.chunks(super::mapper::BATCH) {
        drop(guest.decide_each(&context, batch));
    }
    Ok(())
}

/// Bounds this process: it ends with the one that started it, leaves no core behind, and is the first to go where the
/// machine has no memory left.
fn bound() -> io::Result<()> {
    let most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Cpu, most(CORES))?;
    setrlimit(Resource::Data, most(MEMORY))?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Not every system has it.
    drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    Ok(())
}
