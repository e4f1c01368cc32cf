//! The limit on the effect of new rules.

/// The number of a flow's people that new rules may treat differently: more than `least` who are more than `percent` of
/// those they were tried on need a person's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeLimit {
    /// The percentage.
    pub percent: u32,
    /// Up to this many may change, whatever their share.
    pub least: u32,
    /// The tenant's file sets it: then it also applies to files that are replaced in place.
    pub stated: bool,
}

impl ChangeLimit {
    /// The limit if the tenant's file sets none.
    pub const DEFAULT: Self = Self { percent: 20, least: 5, stated: false };

    /// True if this many changes need no approval.
    pub fn allows(&self, changed: u64, compared: u64) -> bool {
        changed <= u64::from(self.least) || changed * 100 <= u64::from(self.percent) * compared
    }
}
