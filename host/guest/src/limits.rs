//! Resource limits of a guest.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Resources available to one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GuestLimits {
    /// All linear memories of the instance together, in bytes.
    pub memory: usize,
    /// Wall time of one call, kept by the engine's clock.
    pub deadline: Duration,
    /// Bytes the host copies out of the guest in one call.
    pub answer: usize,
    /// Batches decided concurrently.
    pub slots: u32,
}

impl Default for GuestLimits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
        Self {
            memory: 64 << 20,
            deadline: Duration::from_secs(2),
            answer: 16 << 20,
            slots: cores.clamp(1, 64),
        }
    }
}

/// Counts every byte of all memories of a store together: wasmtime's own limiter counts each memory alone, so a guest
/// with many small memories would evade it.
///
/// Exceeding a limit traps. A guest told "no" could ask for ever, or decide otherwise on a host that gives less.
pub(super) struct Budget {
    used: usize,
    most: usize,
    /// The request over the limit, to explain the trap it caused.
    pub(super) denied: Option<ExcessiveRequest>,
}

/// The resource requested in excess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExcessiveRequest {
    /// Bytes of memory.
    Memory(usize),
    /// Elements of a table.
    Table(usize),
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self { used: 0, most, denied: None }
    }

    /// Peak size of all memories in bytes: memories never shrink while the store lives.
    pub(super) fn peak(&self) -> usize {
        self.used
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let next = self.used.saturating_add(desired.saturating_sub(current));
        if next > self.most {
            self.denied = Some(ExcessiveRequest::Memory(next));
            return Err(wasmtime::Error::msg("more memory than a guest may have"));
        }
        self.used = next;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > MOST_TABLE_ELEMENTS {
            self.denied = Some(ExcessiveRequest::Table(desired));
            return Err(wasmtime::Error::msg("a larger table than a guest may have"));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        MOST_CORE_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES as usize
    }

    fn tables(&self) -> usize {
        MOST_TABLES as usize
    }
}

/// A Python guest needs about forty core instances, a JavaScript guest three memories and a table of about 7,700
/// elements.
pub(super) const MOST_CORE_INSTANCES: u32 = 64;
pub(super) const MOST_MEMORIES: u32 = 4;
pub(super) const MOST_TABLES: u32 = 8;
pub(super) const MOST_TABLE_ELEMENTS: usize = 20_000;
