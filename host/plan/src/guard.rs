//! The limits that hold a plan for a person. A filter slip or an empty page shows as many leavers at once; a changed
//! credential shows as many new people at once. Neither is believed without asking.
//!
//! A slip may also come in small steps, each of which passes: five people every hour. So the leavers of the last 24
//! hours and of the last 7 days are added to the plan's own, across all flows of the tenant ([`Guard::over_time`];
//! `docs/decisions/0042-the-guard-over-time.md`).

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use ruzhi_model::{MemberKey, Text};

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// More leavers than this share of the members ruzhi owns hold the plan, in percent.
    pub leave_percent: u32,
    /// Up to this many leavers pass, whatever their share.
    pub leave_least: u32,
    /// More leavers than this hold the plan whatever their share.
    pub leave_most: u32,
    /// More new members than this hold the plan.
    pub create_most: u32,
    /// More changed members than this hold the plan; the greatest value means no limit.
    pub update_most: u32,
    /// The same as `leave_percent` for the leavers of 24 hours, including the plan's own.
    pub leave_day_percent: u32,
    /// The same as `leave_most` for the leavers of 24 hours.
    pub leave_day_most: u32,
    /// The same as `leave_percent` for the leavers of 7 days.
    pub leave_week_percent: u32,
    /// The same as `leave_most` for the leavers of 7 days.
    pub leave_week_most: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            leave_percent: 20,
            leave_least: 5,
            leave_most: 200,
            create_most: 500,
            update_most: u32::MAX,
            leave_day_percent: 40,
            leave_day_most: 400,
            leave_week_percent: 40,
            leave_week_most: 400,
        }
    }
}

/// The limits of a day and of a week as a multiple of one run's, unless the configuration sets them.
pub const OVER_TIME: u32 = 2;

/// Members of a tenant who left lately through plans that no person released, and who have not come back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecentLeavers {
    /// In the last 24 hours.
    pub day: LeaverWindow,
    /// In the last 7 days.
    pub week: LeaverWindow,
}

/// Members who left within a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaverWindow {
    /// The members: each counts once, whether disabled, deleted or both.
    pub left: HashSet<MemberKey>,
    /// The number of them that the tenant no longer owns, because they are deleted.
    pub gone: u64,
}

/// Leavers of a plan who are in no span yet, and members of the spans whom the plan brings back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeaverDelta {
    /// Leavers beyond those of the last 24 hours.
    pub day: u64,
    /// Leavers beyond those of the last 7 days.
    pub week: u64,
    /// Members who come back and left in the last 24 hours.
    pub day_back: u64,
    /// Members who come back and left in the last 7 days.
    pub week_back: u64,
}

impl LeaverDelta {
    /// Counts a leaver of the plan.
    pub(super) fn count(&mut self, recent_leavers: &RecentLeavers, member: &MemberKey) {
        self.day += u64::from(!recent_leavers.day.left.contains(member));
        self.week += u64::from(!recent_leavers.week.left.contains(member));
    }

    /// Counts a member whom the plan brings back.
    pub(super) fn back(&mut self, recent_leavers: &RecentLeavers, member: &MemberKey) {
        self.day_back += u64::from(recent_leavers.day.left.contains(member));
        self.week_back += u64::from(recent_leavers.week.left.contains(member));
    }
}

/// A limit, by its key in the tenant's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardLimit {
    /// The leavers of a plan, as a share of the members.
    LeavePercent,
    /// The leavers of a plan.
    LeaveMost,
    /// The new members of a plan.
    CreateMost,
    /// The changed members of a plan.
    UpdateMost,
    /// The leavers of 24 hours, as a share of the members.
    LeaveDayPercent,
    /// The leavers of 24 hours.
    LeaveDayMost,
    /// The leavers of 7 days, as a share of the members.
    LeaveWeekPercent,
    /// The leavers of 7 days.
    LeaveWeekMost,
}

impl GuardLimit {
    /// The key in the tenant's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeavePercent => "leave_percent",
            Self::LeaveMost => "leave_most",
            Self::CreateMost => "create_most",
            Self::UpdateMost => "update_most",
            Self::LeaveDayPercent => "leave_day_percent",
            Self::LeaveDayMost => "leave_day_most",
            Self::LeaveWeekPercent => "leave_week_percent",
            Self::LeaveWeekMost => "leave_week_most",
        }
    }

    /// True if it limits leavers.
    pub fn is_of_leavers(self) -> bool {
        !matches!(self, Self::CreateMost | Self::UpdateMost)
    }
}

impl fmt::Display for GuardLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A limit that a plan exceeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GuardReason {
    /// The limit.
    pub limit: GuardLimit,
    /// The plan's number.
    pub found: u64,
    /// The number the limit allows.
    pub allowed: u64,
    /// The explanation for a person.
    pub text: Text,
}

/// The guard's verdict on a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardVerdict {
    /// Empty: the plan may be applied.
    pub reasons: Vec<GuardReason>,
}

impl GuardVerdict {
    /// True if a person has to look first.
    pub fn holds(&self) -> bool {
        !self.reasons.is_empty()
    }
}

impl Guard {
    /// Judges a plan's outcome against the number of members ruzhi owns.
    pub fn judge(&self, counts: &Counts, owned: u64) -> GuardVerdict {
        let leavers = counts.disabled + counts.deleted;
        let created = counts.created;
        let changed = counts.updated + counts.enabled;
        let share = owned.saturating_mul(u64::from(self.leave_percent)) / 100;
        let mut reasons = Vec::new();
        let mut reason = |limit: GuardLimit, found: u64, allowed: u64, text: Text| {
            reasons.push(GuardReason { limit, found, allowed, text });
        };
        // In whole people, so that no rounding lets one more pass: n is more than p percent of m when 100n > pm.
        if leavers > u64::from(self.leave_least)
            && leavers.saturating_mul(100) > owned.saturating_mul(u64::from(self.leave_percent))
        {
            reason(
                GuardLimit::LeavePercent,
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
                GuardLimit::LeaveMost,
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
                GuardLimit::CreateMost,
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
                GuardLimit::UpdateMost,
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

    /// Judges the plan's leavers together with those of the last day and the last week. It only adds to the reasons
    /// against the plan alone: one reason, the narrowest, is enough for a person to look.
    pub fn over_time(
        &self,
        added: LeaverDelta,
        recent_leavers: &RecentLeavers,
        owned: u64,
        verdict: &mut GuardVerdict,
    ) {
        let spans = [
            (
                (GuardLimit::LeaveDayPercent, GuardLimit::LeaveDayMost),
                (self.leave_day_percent, self.leave_day_most),
                (added.day, added.day_back, &recent_leavers.day),
                ("24 hours", "24 小时"),
            ),
            (
                (GuardLimit::LeaveWeekPercent, GuardLimit::LeaveWeekMost),
                (self.leave_week_percent, self.leave_week_most),
                (added.week, added.week_back, &recent_leavers.week),
                ("7 days", "7 天"),
            ),
        ];
        for ((by_share, by_number), (percent, most), (more, back, span), (en, zh)) in spans {
            // A leaver of this same plan who was counted before is not new.
            if more == 0 || verdict.reasons.iter().any(|reason| reason.limit.is_of_leavers()) {
                continue;
            }
            let before = u64::try_from(span.left.len()).unwrap_or(u64::MAX).saturating_sub(back);
            let found = before.saturating_add(more);
            // The number of members if none had been deleted meanwhile.
            let base = owned.saturating_add(span.gone);
            let share = base.saturating_mul(u64::from(percent));
            let least = u64::from(self.leave_least.saturating_mul(OVER_TIME));
            let mut hold = |limit: GuardLimit, allowed: u64, of: Text| {
                let text = Text::new(
                    format!(
                        "would disable or delete {more} members; with {before} of the last {en} that is {found}{}",
                        of.en
                    ),
                    format!("将停用或删除 {more} 名成员；连同最近 {zh}的 {before} 名共 {found} 名{}", of.zh),
                );
                verdict.reasons.push(GuardReason { limit, found, allowed, text });
            };
            if found > least && found.saturating_mul(100) > share {
                let of = Text::new(
                    format!(" of {base}, more than {percent} %"),
                    format!("（成员 {base} 名），超过 {percent}%"),
                );
                hold(by_share, share / 100, of);
            }
            if found > u64::from(most) {
                let of = Text::new(format!(", more than {most}"), format!("，超过 {most} 名"));
                hold(by_number, u64::from(most), of);
            }
        }
    }
}
