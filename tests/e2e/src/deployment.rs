//! A deployment in a separate folder, and the binary run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context as _, Result};
use ruzhi_sim::factory::{API_KEY, APP_ID, CORP_ID, ENTRY_ID, SECRET};
use serde_json::Value;
use tempfile::TempDir;

/// One tenant's file, as the tests vary it.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The file's stem.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The time zone.
    pub timezone: String,
    /// Base URL of both services.
    pub url: String,
    /// The corp.
    pub corp_id: String,
    /// The form.
    pub entry_id: String,
    /// `v2` or `v5`.
    pub api: String,
    /// The guest's file name in `guests/built`.
    pub component: String,
    /// The rules file's text; without it the guest has no configuration.
    pub rules: Option<String>,
    /// TOML put at the top of the file, for keys of the tenant itself.
    pub top: String,
    /// TOML put after the flow's `[flows.source]` table keys.
    pub source: String,
    /// TOML put into `[wecom]`.
    pub wecom: String,
    /// TOML put into the flow itself.
    pub flow: String,
    /// TOML put before the flow, for tables such as `[guard]`.
    pub tables: String,
    /// TOML of further flows, put at the end; `{component}` stands for the guest's path.
    pub flows: String,
    /// Further files in the folder of the rules, by name.
    pub files: Vec<(String, String)>,
    /// The WeCom limits.
    pub wecom_limits: String,
    /// The JianDaoYun limit.
    pub per_second: u32,
}

impl Tenant {
    /// The simulated factory with the default guest, without rates.
    pub fn new(url: &str) -> Self {
        Self {
            id: "jingxintai".to_owned(),
            name: "景欣泰工厂".to_owned(),
            timezone: "Asia/Shanghai".to_owned(),
            url: url.to_owned(),
            corp_id: CORP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            api: "v5".to_owned(),
            component: "member.wasm".to_owned(),
            rules: Some(crate::RULES.to_owned()),
            top: String::new(),
            source: String::new(),
            wecom: String::new(),
            flow: String::new(),
            flows: String::new(),
            files: Vec::new(),
            tables: "[guard]\ncreate_most = 100000\n".to_owned(),
            wecom_limits: "{ per_minute = 1000000, per_hour = 10000000, in_flight = 8 }".to_owned(),
            per_second: 100_000,
        }
    }

    fn toml(&self, component: &Path) -> String {
        let rules = match self.rules {
            Some(_) => format!("config = \"{}/onboarding.json\"\n", self.id),
            None => String::new(),
        };
        format!(
            r#"name = "{name}"
timezone = "{timezone}"
{top}
[wecom]
base_url = "{url}"
corp_id = "{corp}"
secret = {{ env = "JINGXINTAI_WECOM_SECRET" }}
limits = {limits}
{wecom}
[jiandaoyun]
base_url = "{url}"
api_key = {{ env = "JINGXINTAI_JDY_KEY" }}
limits = {{ per_second = {per_second} }}

{tables}
[[flows]]
id = "onboarding"
{flow}
[flows.source]
api = "{api}"
app_id = "{APP_ID}"
entry_id = "{entry}"
{source}
[flows.guest]
component = "{component}"
{rules}
{flows}"#,
            name = self.name,
            timezone = self.timezone,
            entry = self.entry_id,
            wecom = self.wecom,
            flow = self.flow,
            flows = self.flows.replace("{component}", &component.display().to_string()),
            top = self.top,
            url = self.url,
            corp = self.corp_id,
            limits = self.wecom_limits,
            per_second = self.per_second,
            tables = self.tables,
            api = self.api,
            source = self.source,
            component = component.display(),
        )
    }
}

/// Result of a run of the binary.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The exit code; none if it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output as JSON.
    ///
    /// # Errors
    /// If it is not JSON; the error shows both outputs.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("not JSON:\n{}\nstandard error:\n{}", self.stdout, self.stderr))
    }
}

/// A folder with `ruzhi.toml`, tenants and a store.
#[derive(Debug)]
pub struct Deployment {
    folder: TempDir,
    /// Seconds by which its machine's clock is ahead of the real one.
    ahead_s: AtomicI64,
}

impl Deployment {
    /// A deployment of these tenants.
    ///
    /// # Errors
    /// If the folder cannot be written, or the guests have not been built.
    pub fn new(tenants: &[Tenant]) -> Result<Self> {
        let deployment = Self { folder: tempfile::tempdir()?, ahead_s: AtomicI64::new(0) };
        fs::create_dir_all(deployment.path().join("tenants"))?;
        fs::write(deployment.path().join("ruzhi.toml"), "[store]\nurl = \"sqlite://ruzhi.db\"\n")?;
        for tenant in tenants {
            deployment.put(tenant)?;
        }
        Ok(deployment)
    }

    /// A deployment of these tenants that reuses the compiled guests of another, to avoid compiling them again.
    ///
    /// # Errors
    /// If the folder cannot be written, or the other has compiled nothing yet.
    pub fn beside(other: &Self, tenants: &[Tenant]) -> Result<Self> {
        let deployment = Self::new(tenants)?;
        let cache = deployment.path().join("cache");
        fs::create_dir(&cache)?;
        for file in fs::read_dir(other.path().join("cache"))? {
            let file = file?;
            fs::copy(file.path(), cache.join(file.file_name()))?;
        }
        fs::copy(other.path().join("ruzhi.cache-key"), deployment.path().join("ruzhi.cache-key"))?;
        Ok(deployment)
    }

    /// Adds a person whose token is in the environment as `RUZHI_TOKEN`: a process that others can reach does not start
    /// without one.
    ///
    /// # Errors
    /// If `ruzhi.toml` cannot be written.
    pub fn with_token(&self) -> Result<()> {
        let path = self.path().join("ruzhi.toml");
        let text = fs::read_to_string(&path)?;
        if text.contains("[server]") {
            return Ok(());
        }
        Ok(fs::write(path, text + "[server]\ntoken = { env = \"RUZHI_TOKEN\" }\n")?)
    }

    /// Writes a tenant's files.
    ///
    /// # Errors
    /// If they cannot be written, or the guest has not been built.
    pub fn put(&self, tenant: &Tenant) -> Result<()> {
        let component = component(&tenant.component)?;
        let folder = self.path().join("tenants");
        fs::write(folder.join(format!("{}.toml", tenant.id)), tenant.toml(&component))?;
        if let Some(rules) = &tenant.rules {
            fs::create_dir_all(folder.join(&tenant.id))?;
            fs::write(folder.join(&tenant.id).join("onboarding.json"), rules)?;
        }
        for (name, content) in &tenant.files {
            fs::create_dir_all(folder.join(&tenant.id))?;
            fs::write(folder.join(&tenant.id).join(name), content)?;
        }
        Ok(())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves the clock of the deployment's machine, for every command from now on.
    pub fn move_clock(&self, seconds: i64) {
        self.ahead_s.fetch_add(seconds, Ordering::Relaxed);
    }

    /// The command `ruzhi` in this folder, with the secrets of the simulated factory.
    ///
    /// # Errors
    /// If the binary has not been built.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("ruzhi")?);
        command
            .arg("--config")
            .arg(self.path())
            .args(arguments)
            .env("JINGXINTAI_WECOM_SECRET", SECRET)
            .env("JINGXINTAI_JDY_KEY", API_KEY)
            .env("RUZHI_CLOCK_AHEAD_S", self.ahead_s.load(Ordering::Relaxed).to_string())
            .env("LANG", "C.UTF-8")
            .env_remove("LC_ALL")
            .env_remove("RUZHI_LOG")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs `ruzhi` to its end.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Outcome> {
        finish(self.command(arguments)?)
    }

    /// Runs `ruzhi` to its end, which must be successful.
    ///
    /// # Errors
    /// If it cannot be started, or exits with a code other than 0; the error shows both outputs.
    pub fn run_well(&self, arguments: &[&str]) -> Result<Outcome> {
        let outcome = self.run(arguments)?;
        anyhow::ensure!(outcome.code == Some(0), "{arguments:?}: {outcome:?}");
        Ok(outcome)
    }
}

/// Runs a command to its end.
///
/// # Errors
/// If it cannot be started.
pub fn finish(mut command: Command) -> Result<Outcome> {
    let output = command.output().context("cannot run ruzhi")?;
    Ok(Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// A binary of this workspace, built in the same profile as the caller.
pub fn binary(name: &str) -> Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(name);
    anyhow::ensure!(path.exists(), "{} is missing: run `cargo build --workspace`", path.display());
    Ok(path)
}

/// A component built by `make guests`.
fn component(name: &str) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/built").join(name);
    path.canonicalize().with_context(|| format!("guests/built/{name} is missing: run `make guests`"))
}
