//! The configuration: `ruzhi.toml` and `tenants/*.toml`, read once into checked types.
//!
//! A load reports *every* problem of *every* file, each at its line, so that a person corrects a file only once.
//! Serde derives stop at the first error, hence our own walk (`toml_reader`) over the spanned tree of the TOML parser.
//! A file with broken syntax is reported as such and not walked; the others still are. A reader that cannot use a value
//! reports it and returns `None`, so a `Config` exists only if nothing is wrong.
//!
//! Files contain no secrets (`secret`), and a line shown in a message masks one written there by mistake (`source`).

mod alerts;
mod choice;
mod context;
mod diagnostics;
mod exposure;
mod fingerprint;
mod flow;
mod host;
mod keys;
mod loader;
mod paths;
mod reload;
mod report;
mod schedule;
mod secret;
mod server;
mod settings;
mod source;
mod source_request;
mod suggest;
mod target;
mod tenant;
#[cfg(test)]
mod tests;
mod toml_reader;
mod value;
mod write_back;

pub use context::variable;
pub use exposure::UnguardedServer;
pub use fingerprint::Fingerprint;
pub use paths::watched;
pub use ruzhi_message::{Problem, Problems, Severity};
pub use schedule::{Schedule, ScheduleError};
pub use secret::{ProcessEnvironment, SecretSource};
pub use settings::{
    Absent, AlertSettings, CallbackSettings, ChangeLimit, Checks, Config, DuplicatePolicy, ExistingPolicy,
    FlowConfig, FlowGuest, FlowSource, Guard, GuestSettings, JiandaoyunSettings, PersonSettings,
    RemovedPolicy, Role, ScheduleSettings, Secrets, ServerSettings, StoreSettings, TenantConfig,
    WecomSettings, WriteBack,
};
pub use target::TargetError;

/// Checks the id of an app or form.
pub fn is_form_id(text: &str) -> bool {
    value::form_id(text).is_ok()
}

/// Checks the id of a corp.
pub fn is_corp_id(text: &str) -> bool {
    !text.is_empty() && value::corp_id(text).is_ok()
}
