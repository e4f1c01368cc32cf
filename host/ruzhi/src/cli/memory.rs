//! How the process takes memory from the system, and gives it back.

use std::time::Duration;

/// How often a process that stays gives back what it does not use.
const GIVE_BACK: Duration = Duration::from_secs(60);

/// Has all threads share two arenas, unless `MALLOC_ARENA_MAX` says how many. Before there is a second thread.
///
/// By default glibc gives nearly every thread an arena of its own, eight for each processor. Each run works on another
/// thread, every arena keeps what the largest of its runs ever needed, and a process that stays would grow for hours while
/// what it uses stays the same (decision 0034). Other C libraries have no arenas.
pub(super) fn share_arenas() {
    #[cfg(target_env = "gnu")]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        // SAFETY: `mallopt` takes two numbers by value and changes a setting of the allocator. Called before any other
        // thread is there, it changes it under nobody's hands; a setting it does not know leaves everything as it is.
        #[expect(unsafe_code, reason = "the allocator can be told in no other way; argued above")]
        let _taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
    }
}

/// Gives whole pages back that lie free between others, again and again; by itself glibc gives back only what is free at
/// the end of an arena.
pub(super) async fn give_back() {
    loop {
        tokio::time::sleep(GIVE_BACK).await;
        // It goes through every free piece: some milliseconds, which no other task waits for.
        drop(tokio::task::spawn_blocking(trim).await);
    }
}

fn trim() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: `malloc_trim` takes a number by value, holds the lock of each arena while it is there, and touches only
        // pages in which nothing is allocated.
        #[expect(unsafe_code, reason = "the allocator can be told in no other way; argued above")]
        let _given = unsafe { libc::malloc_trim(0) };
    }
}
