//! The process's open files, and the number of them for connections.

/// The limit requested: more open files than any deployment needs.
const WANTED: u64 = 65_536;
/// Open files always reserved: the store, its log and its readers, one run's calls of both services, a component, the
/// runtime's own.
const KEPT_LEAST: u64 = 40;
/// Most connections where open files are plenty. Each may take some tens of KiB before it is authenticated.
const MOST: u64 = 2048;
/// Fewest connections, however few open files there are.
const LEAST: u64 = 8;
/// The assumed limit where the system does not tell it.
const UNTOLD: u64 = 256;

/// Raises the limit on open files as far as allowed, and returns the number of connections there may be.
pub(super) fn room() -> usize {
    let limit = rlimit::increase_nofile_limit(WANTED)
        .or_else(|_| rlimit::Resource::NOFILE.get_soft())
        .unwrap_or(UNTOLD);
    of(limit)
}

/// The connections for which a limit leaves room: a quarter is reserved for the runs.
fn of(limit: u64) -> usize {
    let kept = (limit / 4).max(KEPT_LEAST);
    let room = limit.saturating_sub(kept).clamp(LEAST, MOST);
    usize::try_from(room).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_keep_their_open_files_however_few_there_are() {
        for (limit, room) in
            [(0, 8), (48, 8), (64, 24), (256, 192), (1024, 768), (4096, 2048), (u64::MAX, 2048)]
        {
            assert_eq!(of(limit), room, "{limit}");
        }
    }
}
