//! Who may come in, and what they may do.

use crate::config::Role;
use crate::model::Lang;

/// Whoever is asking: put into a request's extensions once they have been let in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// What the audit log calls them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// `page` or `api`, and the address they came from.
    pub origin: String,
    /// What a form has to bring back; none for a caller without a session.
    pub csrf: Option<String>,
    /// In which language they read.
    pub lang: Lang,
}
