//! The person on whose behalf something is done.

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
}
