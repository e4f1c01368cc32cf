//! How much new rules may change at once.

/// How many of a flow's people new rules may treat differently: more than `least` who are more than `percent` of those
/// they were tried on need a person's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeLimit {
    /// So many percent.
    pub percent: u32,
    /// So few may change whatever their share.
    pub least: u32,
    /// The tenant's file sets it: then it is also asked of files that are exchanged in place.
    pub stated: bool,
}

impl ChangeLimit {
    /// What holds where the tenant's file says nothing.
    pub const DEFAULT: Self = Self { percent: 20, least: 5, stated: false };

    /// Whether so many changes need no approval.
    pub fn allows(&self, changed: u64, compared: u64) -> bool {
        changed <= u64::from(self.least) || changed * 100 <= u64::from(self.percent) * compared
    }
}
