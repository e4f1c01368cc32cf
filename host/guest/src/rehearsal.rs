//! Tries a component in a separate process first. A fault of the compiler or the engine that crashes a process then
//! crashes the child, and is reported as an error of the component.
//!
//! The child is this program again (`ruzhi guest try`). It compiles, instantiates, and makes the later calls:
//! `describe` under the rules file, and decisions on rows. Its memory, CPU time and wall time are bounded. The
//! compiled code comes back through a pipe held by the child alone, so a component is compiled once.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bindings::Version;
use super::error::GuestLoadError;
use super::limits::GuestLimits;
use ruzhi_message::sanitize;
use ruzhi_model::{Context, SourceRecord};

/// Wall time limit of a child. The slowest accepted component takes two minutes to compile on a busy machine.
const CLOCK: Duration = Duration::from_secs(240);

/// Maximum answer of a child in bytes: compiled code is larger than its component.
const ANSWER: u64 = 1 << 30;

/// The first byte of a child's answer.
pub(super) const COMPILED: u8 = 1;
pub(super) const REJECTED: u8 = 2;

/// The request to a child, as one line of JSON; the bytes follow.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RehearsalRequest {
    pub(super) limits: GuestLimits,
    pub(super) metered: bool,
    /// The bytes are a compiled component of this contract; if absent, they are to be compiled.
    pub(super) compiled_for: Option<Version>,
    pub(super) rules: Option<RehearsalRules>,
}

/// The rules under which a component describes itself, and rows for it to decide.
#[derive(Debug, Serialize, Deserialize)]
pub struct RehearsalRules {
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
    /// rules will bring. The guest's answers are ignored. The child's engine gets the limits, and the flag whether it
    /// counts instructions.
    pub(super) fn compile(
        &self,
        (limits, metered): (GuestLimits, bool),
        component: &[u8],
        rules: Option<RehearsalRules>,
    ) -> Result<Vec<u8>, GuestLoadError> {
        let request = RehearsalRequest { limits, metered, compiled_for: None, rules };
        let mut answer = self.ask(&request, component)?;
        match answer.first() {
            Some(&COMPILED) => Ok(answer.split_off(1)),
            Some(&REJECTED) => {
                let reason = String::from_utf8_lossy(&answer.split_off(1)).into_owned();
                Err(GuestLoadError::Compile { reason: sanitize::line(&reason, 500) })
            }
            _ => Err(GuestLoadError::Died { how: "no answer".to_owned() }),
        }
    }

    /// The same for a compiled component.
    pub(super) fn rehearse(
        &self,
        (limits, metered): (GuestLimits, bool),
        (artifact, contract): (&[u8], Version),
        rules: RehearsalRules,
    ) -> Result<(), GuestLoadError> {
        let request = RehearsalRequest { limits, metered, compiled_for: Some(contract), rules: Some(rules) };
        self.ask(&request, artifact).map(drop)
    }

    fn ask(&self, request: &RehearsalRequest, bytes: &[u8]) -> Result<Vec<u8>, GuestLoadError> {
        let failed = |source| GuestLoadError::Rehearsal { source };
        let header = serde_json::to_vec(request).map_err(|e| failed(io::Error::other(e)))?;
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
            return Err(GuestLoadError::Died { how: format!("no answer in {} s", CLOCK.as_secs()) });
        };
        let status = child.wait().map_err(failed)?;
        if status.success() {
            read.map_err(failed)
        } else {
            Err(GuestLoadError::Died { how: status.to_string() })
        }
    }
}
