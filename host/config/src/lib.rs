//! The configuration: `ruzhi.toml` and `tenants/*.toml`, read once into checked types.
//!
//! A load reports *every* problem of *every* file, each at its line, so that a person corrects a file only once.
//! Serde derives stop at the first error, hence our own walk (`table`) over the spanned tree of the TOML parser. A
//! file with broken syntax is reported as such and not walked; the others still are. A reader that cannot use a value
//! reports it and returns `None`, so a `Config` exists only if nothing is wrong.
//!
//! Files contain no secrets (`secret`), and a line shown in a message masks one written there by mistake (`source`).

use std::path::Path;

mod alarms;
mod failure;
mod flow;
mod guarded;
mod host;
mod problem;
mod reading;
mod reload;
mod request;
mod secret;
mod server;
mod settings;
mod signature;
mod source;
mod spelling;
mod table;
mod target;
mod tenant;
#[cfg(test)]
mod tests;
mod value;
mod write_back;

pub use guarded::Unguarded;
pub use ruzhi_message::{Problem, Problems, Severity};
pub use secret::{ProcessEnvironment, SecretSource};
pub use settings::{
    Absent, AlarmSettings, CallbackSettings, ChangeLimit, Checks, Config, DuplicatePolicy, ExistingPolicy,
    Flow, FlowGuest, Guard, GuestSettings, JiandaoyunSettings, Person, RemovedPolicy, Role, ScheduleSettings,
    Secrets, ServerSettings, Source, StoreSettings, Tenant, WecomSettings, WriteBack,
};
pub use signature::{Signature, watched};
pub use target::TargetError;

use host::HostSettings;
use reading::Reading;
use tenant::SHAPES as TENANT_SHAPES;

const GUARD_KEYS: &[&str] = &[
    "leave_percent",
    "leave_least",
    "leave_most",
    "leave_day_percent",
    "leave_day_most",
    "leave_week_percent",
    "leave_week_most",
    "create_most",
    "update_most",
];

/// Checks the id of an app or form.
pub fn is_form_id(text: &str) -> bool {
    value::form_id(text).is_ok()
}

/// Checks the id of a corp.
pub fn is_corp_id(text: &str) -> bool {
    !text.is_empty() && value::corp_id(text).is_ok()
}

/// The environment variable suggested for a tenant's secret.
pub fn variable(tenant: &str, what: &str) -> String {
    let id = tenant.to_uppercase().replace('-', "_");
    let first = if id.starts_with(|c: char| c.is_ascii_digit()) { "T_" } else { "" };
    format!("{first}{id}_{what}")
}

impl Config {
    /// Reads the configuration in `dir`.
    ///
    /// # Errors
    /// Every problem of every file; warnings are among them.
    pub fn load(dir: &Path, secrets: &dyn SecretSource, checks: &Checks) -> Result<Self, Problems> {
        match Self::usable(dir, secrets, checks) {
            (Some(config), None) => Ok(config),
            (_, problems) => Err(problems.unwrap_or_default()),
        }
    }

    /// Reads as much of the configuration in `dir` as is usable, for commands that run nothing: tenants with an
    /// invalid file are left out. `None` if the host's file is invalid or there is no tenant file.
    ///
    /// The second value is every problem of every file, if one of them is an error.
    pub fn usable(
        dir: &Path,
        secrets: &dyn SecretSource,
        checks: &Checks,
    ) -> (Option<Self>, Option<Problems>) {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let mut reading = Reading::new(&dir, secrets, checks);
        let mut config = read(&dir, &mut reading);
        let failed = reading.failed();
        let list = reading.finish(config.as_mut());
        (config, failed.then_some(Problems { list }))
    }

    fn of(dir: &Path, host: HostSettings, tenants: Vec<Tenant>) -> Self {
        Self {
            dir: dir.to_owned(),
            host_written: host.written,
            store: host.store,
            server: host.server,
            schedule: host.schedule,
            alarms: host.alarms,
            guest: host.guest,
            guard_ceiling: host.guard_ceiling,
            tenants,
            warnings: Vec::new(),
            secret_files: Vec::new(),
            signature: Signature::default(),
        }
    }
}

fn read(dir: &Path, reading: &mut Reading<'_>) -> Option<Config> {
    if !reading.folder() {
        return None;
    }
    let host = reading.host().found;
    // With an invalid ruzhi.toml nothing is loaded anyway; the tenants are then checked without a ceiling.
    let ceiling = host.as_ref().unwrap_or(&HostSettings::defaults(dir)).guard_ceiling;
    let tenants = reading.tenants(ceiling)?.into_iter().filter_map(|tenant| tenant.found).collect();
    Some(Config::of(dir, host?, tenants))
}
