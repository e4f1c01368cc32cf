//! The separate process in which a component is tried: the child's side of [`rehearsal`](super::rehearsal).

use std::io::{self, BufRead, Write};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::engine::Engine;
use super::guest::{BATCH, Guest};
use super::loader::{Component, contract};
use super::rehearsal::{COMPILED, REJECTED, RehearsalRequest, RehearsalRules};

/// CPU time limit of a child in seconds, over all cores.
const CORES: u64 = 480;

/// Memory limit of a child in bytes. Compiling a Python guest takes a third of it.
const MEMORY: u64 = 4 << 30;

/// Reads the request and answers it.
pub fn answer(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    bound()?;
    let mut header = Vec::new();
    input.read_until(b'\n', &mut header)?;
    let request: RehearsalRequest = serde_json::from_slice(&header).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let engine = if request.metered { Engine::metered(request.limits) } else { Engine::new(request.limits) };
    let engine = engine.map_err(io::Error::other)?;
    let component = if let Some(contract) = request.compiled_for {
        // SAFETY: The bytes are those the parent process got from `Component::serialize`; nothing else can write into
        // the pipe.
        #[expect(unsafe_code, reason = "compiled code from the process that started this one; argued above")]
        let compiled = unsafe { wasmtime::component::Component::deserialize(engine.inner(), &bytes) };
        Component::of_compiled(&engine, compiled.map_err(io::Error::other)?, Some(contract))
    } else {
        let compiled = match wasmtime::component::Component::new(engine.inner(), &bytes) {
            Ok(compiled) => compiled,
            Err(error) => {
                output.write_all(&[REJECTED])?;
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
    let Some(RehearsalRules { text, context, records }) = request.rules else { return Ok(()) };
    let Ok(guest) = Guest::new(component, text) else { return Ok(()) };
    for batch in records.chunks(BATCH) {
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
