//! What a person who waits is told.

/// Told how far a run has come. Never waits and never fails.
pub trait Progress: Send + Sync {
    /// So many rows have been read.
    fn collected(&self, rows: u64);
    /// So many operations are to be done.
    fn planned(&self, operations: u64);
    /// So many of them are done.
    fn settled(&self, operations: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn collected(&self, _rows: u64) {}
    fn planned(&self, _operations: u64) {}
    fn settled(&self, _operations: u64) {}
}
