//! A running `ruzhi serve`, and a client that sends it requests.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::Deployment;

/// Longest wait for anything before a test fails.
const PATIENCE: Duration = Duration::from_secs(120);

const SERVE: [&str; 4] = ["serve", "--listen", "127.0.0.1:0", "--json"];

/// KiB that a process may need beyond its memory when it began to listen, under any load.
const MOST_MEMORY: f64 = 256.0 * 1024.0;

/// Delay between two polls.
const LOOK: Duration = Duration::from_millis(50);

/// A command with at most this many open files.
pub fn with_files(plain: &Command, files: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &files.to_string()]);
    command.arg(plain.get_program()).args(plain.get_args()).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The process, killed when dropped.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    /// The address it listens on.
    pub url: String,
    log: PathBuf,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    token: Option<String>,
    /// KiB resident once it listened.
    at_rest: f64,
}

/// A line of the kernel's account of a process, in KiB.
fn memory(process: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let told = status.lines().find_map(|told| told.strip_prefix(line));
    told.and_then(|told| told.trim().trim_end_matches(" kB").parse().ok()).context("no memory is told")
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// If the body is not JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("{}: not JSON: {}", self.status, self.body))
    }
}

impl Serving {
    /// Starts `ruzhi serve` on a free port and waits until it listens.
    ///
    /// # Errors
    /// If it does not; the error shows its log.
    pub fn start(deployment: &Deployment, environment: &[(&str, &str)]) -> Result<Self> {
        Self::launch(deployment, deployment.command(&SERVE)?, environment)
    }

    /// The same with at most this many open files.
    ///
    /// # Errors
    /// If it does not; the error shows its log.
    pub fn start_with_files(deployment: &Deployment, files: u32) -> Result<Self> {
        let plain = deployment.command(&SERVE)?;
        Self::launch(deployment, with_files(&plain, files), &[])
    }

    /// The same by way of a shell, which prepares something and then executes its arguments.
    ///
    /// # Errors
    /// If it does not; the error shows its log.
    pub fn prepared(deployment: &Deployment, shell: &[&str]) -> Result<Self> {
        let [program, arguments @ ..] = shell else { bail!("no shell") };
        Self::launch(deployment, within(&deployment.command(&SERVE)?, program, arguments), &[])
    }

    fn launch(deployment: &Deployment, mut command: Command, environment: &[(&str, &str)]) -> Result<Self> {
        let log = deployment.path().join(format!("serve-{}.log", std::process::id()));
        command.envs(environment.iter().copied()).stdout(Stdio::piped());
        command.stderr(File::options().create(true).append(true).open(&log)?);
        let mut child = command.spawn().context("cannot start ruzhi serve")?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut said = String::new();
        for line in BufReader::new(stdout).lines() {
            said.push_str(&line?);
            if said.ends_with('}') {
                break;
            }
        }
        let told = serde_json::from_str::<Value>(&said).ok();
        let Some(address) = told.as_ref().and_then(|told| told.get("listen")).and_then(Value::as_str) else {
            let status = child.wait()?;
            bail!("ruzhi serve does not listen ({status}): {said}\n{}", std::fs::read_to_string(&log)?);
        };
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let at_rest = memory(child.id(), "VmRSS:")?;
        Ok(Self { child, url: format!("http://{address}"), log, runtime, client, token: None, at_rest })
    }

    /// The same, with this token.
    #[must_use]
    pub fn by(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Requests a path, with headers and a body.
    ///
    /// # Errors
    /// If no answer comes.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer> {
        let method: Method = method.parse()?;
        let mut request = self.client.request(method, format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        self.runtime.block_on(async {
            let response = request.timeout(PATIENCE).send().await.context("no answer")?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, body: response.text().await? })
        })
    }

    /// Requests a path.
    ///
    /// # Errors
    /// If no answer comes.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.ask("GET", path, &[], Vec::new())
    }

    /// Requests a path on a new connection, as a monitor of many processes does.
    ///
    /// # Errors
    /// If no answer comes.
    pub fn get_anew(&self, path: &str) -> Result<Answer> {
        self.ask("GET", path, &[("connection", "close")], Vec::new())
    }

    /// Requests data from the API.
    ///
    /// # Errors
    /// If it returns none.
    pub fn data(&self, path: &str) -> Result<Value> {
        let answer = self.get(path)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.body);
        answer.json()
    }

    /// Polls until the condition holds.
    ///
    /// # Errors
    /// If it does not come to hold; the error shows the log.
    pub fn wait<T>(&self, what: &str, mut so: impl FnMut() -> Option<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = so() {
                return Ok(found);
            }
            if began.elapsed() > PATIENCE {
                bail!("{what} did not come within {PATIENCE:?}; the log:\n{}", self.log()?);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The log so far.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// Resident memory, in KiB.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn resident(&self) -> Result<f64> {
        memory(self.pid(), "VmRSS:")
    }

    /// Peak resident memory, in KiB, since the process began.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn most_resident(&self) -> Result<f64> {
        memory(self.pid(), "VmHWM:")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end; returns how it ended, and how long that took.
    ///
    /// # Errors
    /// If it does not end, or its memory grew by more than [`MOST_MEMORY`].
    pub fn end(self) -> Result<(ExitStatus, Duration)> {
        // A process that has ended already has no memory to read; its exit status is reported below.
        let cost = self.most_resident().map_or(0.0, |most| most - self.at_rest);
        ensure!(
            cost <= MOST_MEMORY,
            "it had {cost:.0} KiB more than at the start; at most {MOST_MEMORY} may be"
        );
        let killed = Command::new("kill").arg(self.child.id().to_string()).status()?;
        ensure!(killed.success(), "cannot signal ruzhi serve");
        self.ended()
    }

    /// The exit status, and how long it took from now on.
    ///
    /// # Errors
    /// If it does not end.
    pub fn ended(mut self) -> Result<(ExitStatus, Duration)> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, began.elapsed()));
            }
            ensure!(began.elapsed() < PATIENCE, "ruzhi serve does not end; the log:\n{}", self.log()?);
            std::thread::sleep(LOOK);
        }
    }
}

/// The command as the last arguments of another program.
fn within(inner: &Command, program: &str, arguments: &[&str]) -> Command {
    let mut outer = Command::new(program);
    outer.args(arguments).arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
