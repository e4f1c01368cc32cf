//! The state of authentication: sessions, counts of wrong tokens, tallies of logins.

use super::session::Sessions;
use super::throttle::Throttle;
use crate::warnings::Warnings;
use ruzhi_app::Tally;

/// Logins of one person in an hour.
const LOGINS: u32 = 20;

/// Sessions, counts of wrong tokens, and tallies of logins.
pub(crate) struct AuthState {
    pub(super) sessions: Sessions,
    pub(super) throttle: Throttle,
    pub(super) logins: Tally,
    pub(super) wrong: Warnings,
}

impl Default for AuthState {
    fn default() -> Self {
        Self {
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            logins: Tally::new(LOGINS),
            wrong: Warnings::default(),
        }
    }
}
