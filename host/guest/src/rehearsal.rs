//! Tries a component in a separate process first. A fault of the compiler or the engine that crashes a process then
//! crashes the child, and is reported as an error of the component.
//!
//! The child is this program again (`ruzhi guest try`). It compiles, instantiates, and makes the later calls:
//! `describe` under the rules file, and decisions on rows. Its memory, CPU time and wall time are bounded. The
//! compiled code comes back through a pipe held by the child alone, so a component is compiled once.

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

/// Wall time limit of a child. The slowest accepted component takes two minutes to compile on a busy machine.
const CLOCK: Duration = Duration::from_secs(240);

/// CPU time limit of a child in seconds, over all cores.
const CORES: u64 = 480;

/// Memory limit of a child in bytes. Compiling a Python guest takes a third of it.
const MEMORY: u64 = 4 << 30;

/// Maximum answer of a child in bytes: compiled code is larger than its component.
const ANSWER: u64 = 1 << 30;

/// The first byte of a child's answer.
const COMPILED: u8 = 1;
const REFUSED: u8 = 2;

/// The request to a child, as one line of JSON; the bytes follow.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    limits: Limits,
    metered: bool,
    /// The bytes are a compiled component of this contract; if absent, they are to be compiled.
    compiled_for: Option<Version>,
    rules: Option<Rules>,
}

/// The rules under which a component describes itself, and rows for it to decide.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rules {
    /// The rules file's text.
    pub text: String,
    /// The guest's input besides the rows.
    pub context: Context,
    /// The rows.
    pub records: Vec<SourceRecord>,
}

/// Starts the processes that try components.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    program: PathBuf,
}

impl Rehearsal {
    /// Runs this same program, even while its file is being replaced.
    pub fn of_this_program() -> io::Result<Self> {
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() { running } else { std::env::current_exe()? };
        Ok(Self { program })
    }

    /// The machine code of a component that compiles, and whose process survives instantiation and the calls the
    /// rules will bring. The guest's answers are ignored.
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

    /// The same for a compiled component.
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
                // A child that has ended reads no more; its exit status tells why.
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
                // Both threads end with it.
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

/// The child's side: reads the request and answers it.
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
        // SAFETY: The bytes are those the parent process got from `Component::serialize`; nothing else can write into
        // the pipe.
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
    // Errors of the guest are found again and reported by the parent.
    let Ok(component) = component else { return Ok(()) };
    let Some(Rules { text, context, records }) = asked.rules else { return Ok(()) };
    let Ok(guest) = Guest::new(component, text) else { return Ok(()) };
    for batch in records.chunks(super::mapper::BATCH) {
        drop(guest.decide_each(&context, batch));
    }
    Ok(())
}

/// Restricts this process: it ends with its parent, leaves no core dump, and is the first to be killed when the
/// machine runs out of memory.
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
