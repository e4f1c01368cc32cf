//! The limits that hold a plan for a person. A filter slip or an empty page shows as many leavers at once; a changed
//! credential shows as many new people at once. Neither is believed without asking.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use crate::model::Text;

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// More leavers than this share of the members ruzhi owns hold the plan, in percent.
    pub leave_percent: u32,
    /// So few leavers are let pass whatever their share.
    pub leave_least: u32,
    /// More leavers than this hold the plan whatever their share.
    pub leave_most: u32,
    /// More new members than this hold the plan.
    pub create_most: u32,
    /// More changed members than this hold the plan; the greatest value for no limit.
    pub update_most: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self { leave_percent: 20, leave_least: 5, leave_most: 200, create_most: 500, update_most: u32::MAX }
    }
}

/// One limit that a plan goes past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GuardReason {
    /// The key of the limit in the tenant's file.
    pub limit: String,
    /// What the plan would do.
    pub found: u64,
    /// What the limit allows.
    pub allowed: u64,
    /// For a person.
    pub text: Text,
}

/// What the guard says of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardVerdict {
    /// Empty: the plan may be applied.
    pub reasons: Vec<GuardReason>,
}

impl GuardVerdict {
    /// Whether a person has to look first.
    pub fn holds(&self) -> bool {
        !self.reasons.is_empty()
    }
}

impl Guard {
    /// Judges what a plan comes to against the number of members ruzhi owns.
    pub fn judge(&self, counts: &Counts, owned: u64) -> GuardVerdict {
        let leavers = counts.disabled + counts.deleted;
        let created = counts.created;
        let changed = counts.updated + counts.enabled;
        let share = owned.saturating_mul(u64::from(self.leave_percent)) / 100;
        let mut reasons = Vec::new();
        let mut reason = |limit: &str, found: u64, allowed: u64, text: Text| {
            reasons.push(GuardReason { limit: limit.to_owned(), found, allowed, text });
        };
        // In whole people, so that no rounding lets one more pass: n is more than p percent of m when 100n > pm.
        if leavers > u64::from(self.leave_least)
            && leavers.saturating_mul(100) > owned.saturating_mul(u64::from(self.leave_percent))
        {
            reason(
                "leave_percent",
                leavers,
                share,
                Text::new(
                    format!(
                        "would disable or delete {leavers} of {owned} members, more than {} %",
                        self.leave_percent
                    ),
                    format!("将停用或删除 {owned} 名成员中的 {leavers} 名，超过 {}%", self.leave_percent),
                ),
            );
        }
        if leavers > u64::from(self.leave_most) {
            reason(
                "leave_most",
                leavers,
                u64::from(self.leave_most),
                Text::new(
                    format!("would disable or delete {leavers} members, more than {}", self.leave_most),
                    format!("将停用或删除 {leavers} 名成员，超过 {} 名", self.leave_most),
                ),
            );
        }
        if created > u64::from(self.create_most) {
            reason(
                "create_most",
                created,
                u64::from(self.create_most),
                Text::new(
                    format!("would create {created} members at once, more than {}", self.create_most),
                    format!("将一次新增 {created} 名成员，超过 {} 名", self.create_most),
                ),
            );
        }
        if changed > u64::from(self.update_most) {
            reason(
                "update_most",
                changed,
                u64::from(self.update_most),
                Text::new(
                    format!("would change {changed} members at once, more than {}", self.update_most),
                    format!("将一次更改 {changed} 名成员，超过 {} 名", self.update_most),
                ),
            );
        }
        GuardVerdict { reasons }
    }
}
