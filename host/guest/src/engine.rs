//! The one constructor of every engine that compiles or loads: its flags are part of a compiled artifact. The engine also
//! keeps the clock that ends a call at its deadline.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, Store, WasmFeatures};

use super::error::GuestLoadError;
use super::limits::{
    Budget, GuestLimits, MOST_CORE_INSTANCES, MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES,
};
use super::rehearsal::Rehearsal;
use super::screening::PROPOSALS;

/// The version of wasmtime that guests run on.
pub const WASMTIME: &str = env!("RUZHI_WASMTIME");

/// How often the clock that stops runaway guests ticks.
const TICK: Duration = Duration::from_millis(10);

/// Factor by which the deadline is extended while measuring.
const MEASURING: u32 = 5;

/// More than any guest uses within its deadline.
const FUEL: u64 = u64::MAX;

/// The engine shared by all guests of the process, and the limits of each call.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    limits: GuestLimits,
    metered: bool,
    slots: Arc<tokio::sync::Semaphore>,
    trials: Arc<Mutex<()>>,
    rehearsal: Option<Rehearsal>,
}

impl Engine {
    /// Starts an engine and its epoch thread, which ends with the engine.
    pub fn new(limits: GuestLimits) -> Result<Self, GuestLoadError> {
        Self::start(limits, false)
    }

    /// An engine that counts executed instructions: the count is the same on every machine, and guests run slower by
    /// a third. The deadline is extended by more than that, so that counting changes no result.
    pub fn measuring(limits: GuestLimits) -> Result<Self, GuestLoadError> {
        Self::metered(GuestLimits { deadline: limits.deadline.saturating_mul(MEASURING), ..limits })
    }

    /// An engine that counts executed instructions, with exactly these limits.
    pub(super) fn metered(limits: GuestLimits) -> Result<Self, GuestLoadError> {
        Self::start(limits, true)
    }

    /// The same engine; new components are first tried in a separate process.
    pub fn rehearsing(self, rehearsal: Rehearsal) -> Self {
        Self { rehearsal: Some(rehearsal), ..self }
    }

    /// The means to try components in a separate process; `None` in such a process itself, and in tests.
    pub(super) fn rehearsal(&self) -> Option<&Rehearsal> {
        self.rehearsal.as_ref()
    }

    pub(super) fn is_metered(&self) -> bool {
        self.metered
    }

    fn start(limits: GuestLimits, metered: bool) -> Result<Self, GuestLoadError> {
        let engine_failed =
            |source: &dyn std::fmt::Display| GuestLoadError::Engine { reason: source.to_string() };
        let inner = wasmtime::Engine::new(&config(limits, metered)).map_err(|e| engine_failed(&e))?;
        let weak = inner.weak();
        std::thread::Builder::new()
            .name("ruzhi-epoch".to_owned())
            .spawn(move || {
                while let Some(engine) = weak.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    #[expect(clippy::disallowed_methods, reason = "the thread does nothing else")]
                    std::thread::sleep(TICK);
                }
            })
            .map_err(|e| engine_failed(&e))?;
        let slots = Arc::new(tokio::sync::Semaphore::new(limits.slots as usize));
        Ok(Self { inner, limits, metered, slots, trials: Arc::default(), rehearsal: None })
    }

    /// The limits of each call.
    pub fn limits(&self) -> GuestLimits {
        self.limits
    }

    /// Waits for a place in the pool. The pool fails when full, so callers wait here first.
    pub async fn slot(&self) -> Option<tokio::sync::OwnedSemaphorePermit> {
        // Never closed, so always a permit.
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Held while a component is tried: one at a time, so that trials do not slow running batches.
    pub(super) fn trial(&self) -> MutexGuard<'_, ()> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// A store for one call: every limit is set on it, and it is dropped after the call whatever the outcome.
    pub(super) fn store(&self) -> Store<Budget> {
        let mut store = Store::new(&self.inner, Budget::new(self.limits.memory));
        store.limiter(|budget| budget);
        store.set_hostcall_fuel(self.limits.answer);
        // The current tick is partly used up when the call starts, hence one more.
        let ticks = self.limits.deadline.as_millis() / TICK.as_millis() + 1;
        store.set_epoch_deadline(u64::try_from(ticks).unwrap_or(u64::MAX));
        store.epoch_deadline_trap();
        if self.metered {
            // Fails only in an engine without metering.
            drop(store.set_fuel(FUEL));
        }
        store
    }

    /// Instructions executed so far in a store, if this engine counts them.
    pub(super) fn fuel(&self, store: &Store<Budget>) -> Option<u64> {
        store.get_fuel().ok().map(|left| FUEL.saturating_sub(left))
    }
}

fn config(limits: GuestLimits, metered: bool) -> Config {
    // One more than the batches decided at once: a component is tried while others run.
    let slots = limits.slots.saturating_add(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(MOST_CORE_INSTANCES))
        .total_memories(slots.saturating_mul(MOST_MEMORIES))
        .total_tables(slots.saturating_mul(MOST_TABLES))
        .max_core_instances_per_component(MOST_CORE_INSTANCES)
        .max_memories_per_component(MOST_MEMORIES)
        .max_tables_per_component(MOST_TABLES)
        .max_memory_size(limits.memory)
        .table_elements(MOST_TABLE_ELEMENTS)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        // Resets only the pages a guest has written, where the kernel can tell them apart.
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(PROPOSALS, true)
        .epoch_interruption(true)
        .consume_fuel(metered)
        // A panicking Rust guest leaves its message in memory; a trap keeps the memory for reading.
        .coredump_on_trap(true)
        .concurrency_support(false)
        .max_wasm_stack(512 << 10)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16))
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
