//! Memory taken from the system, and given back to it.

use std::time::Duration;

/// The interval at which `ruzhi serve` gives back unused memory.
const GIVE_BACK: Duration = Duration::from_secs(60);

/// Makes all threads share two arenas, unless `MALLOC_ARENA_MAX` says how many. Must run before a second thread
/// starts.
///
/// By default glibc gives nearly every thread an arena of its own, up to eight per processor. Each run works on
/// another thread and every arena keeps the peak of its largest run, so `ruzhi serve` would grow for hours while its
/// use stays the same (decision 0034). Other C libraries have no arenas.
pub(super) fn share_arenas() {
    #[cfg(target_env = "gnu")]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        // SAFETY: `mallopt` takes two numbers by value and changes a setting of the allocator. No other thread runs
        // yet, so no allocation is under way; an unknown setting changes nothing.
        #[expect(unsafe_code, reason = "the allocator can be told in no other way; argued above")]
        let _taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
    }
}

/// Repeatedly gives back whole free pages between allocations; by itself glibc gives back only the free end of an
/// arena.
pub(super) async fn give_back() {
    loop {
        tokio::time::sleep(GIVE_BACK).await;
        // Trimming visits every free piece and takes some milliseconds; the blocking pool keeps that from other
        // tasks.
        drop(tokio::task::spawn_blocking(trim).await);
    }
}

fn trim() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: `malloc_trim` takes a number by value, holds each arena's lock while it works there, and touches
        // only pages without allocations.
        #[expect(unsafe_code, reason = "the allocator can be told in no other way; argued above")]
        let _given = unsafe { libc::malloc_trim(0) };
    }
}
