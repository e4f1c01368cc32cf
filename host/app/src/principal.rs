//! The person on whose behalf something is done.

use std::time::Duration;

use ruzhi_config::Role;
use ruzhi_model::Lang;

/// An authenticated person.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Their name in the audit log.
    pub name: String,
    /// Their permissions.
    pub role: Role,
    /// The origin of the request in the audit log: `page` or `api` with an address, or `terminal`.
    pub origin: String,
    /// The language they read.
    pub lang: Lang,
    /// The longest wait for a requested run to begin, before the request is answered without its id.
    pub patience: Duration,
}

/// The patience of a caller over the network.
pub const PATIENCE: Duration = Duration::from_secs(2);
