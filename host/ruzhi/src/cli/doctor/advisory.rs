//! Advisories of the WebAssembly engine known when ruzhi was built.
//!
//! `advisories.json` is a dated copy of the RustSec and CVE entries for the engine's recent versions. Nothing is
//! looked up online: a factory's machine may reach two services and nothing else. Later advisories are missing, so
//! every answer gives the date of the list.

use serde::Deserialize;

/// The engine's version, from the lock file.
pub(super) const ENGINE: &str = ruzhi_guest_runtime::WASMTIME;

const KNOWN: &str = include_str!("advisories.json");

/// The advisories known at build time.
#[derive(Debug, Deserialize)]
pub(super) struct AdvisoryList {
    /// The day of the list.
    pub(super) as_of: String,
    /// The place to look for later advisories.
    pub(super) source: String,
    advisories: Vec<Advisory>,
}

/// A vulnerability of the engine.
#[derive(Debug, Deserialize)]
pub(super) struct Advisory {
    /// Its identifier.
    pub(super) id: String,
    /// The date of publication.
    pub(super) date: String,
    /// Its title.
    pub(super) title: String,
    /// Ranges of versions: from the first, up to but excluding the second.
    affected: Vec<(String, String)>,
}

impl AdvisoryList {
    /// The list in this binary; `None` only if it does not parse, which a test catches.
    pub(super) fn read() -> Option<Self> {
        serde_json::from_str(KNOWN).ok()
    }

    /// The advisories that affect a version.
    pub(super) fn concerning(&self, version: &str) -> Vec<&Advisory> {
        let Some(version) = parts(version) else { return Vec::new() };
        let within = |(from, before): &(String, String)| {
            parts(from).is_some_and(|from| from <= version)
                && parts(before).is_some_and(|before| version < before)
        };
        self.advisories.iter().filter(|advisory| advisory.affected.iter().any(within)).collect()
    }
}

/// Major, minor and patch.
fn parts(version: &str) -> Option<[u32; 3]> {
    let mut numbers = version.split('.').map(|part| part.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(version: &str) -> Vec<String> {
        AdvisoryList::read().unwrap().concerning(version).iter().map(|advisory| advisory.id.clone()).collect()
    }

    #[test]
    fn a_version_is_concerned_from_the_first_bad_one_to_before_the_good_one() {
        assert_eq!(names("48.0.9"), [""; 0]);
        assert_eq!(names("48.0.8"), ["RUSTSEC-2026-0570"]);
        assert_eq!(names("48.0.5"), ["RUSTSEC-2026-0358", "RUSTSEC-2026-0570"]);
        assert_eq!(names("50.0.2"), [""; 0]);
        assert_eq!(names("50.0.1"), ["RUSTSEC-2026-0570"]);
        assert_eq!(names("100.0.0"), [""; 0]);
    }

    #[test]
    fn every_range_of_the_list_can_be_compared() {
        for advisory in AdvisoryList::read().unwrap().advisories {
            for (from, before) in advisory.affected {
                assert!(parts(&from).unwrap() < parts(&before).unwrap(), "{}: {from} {before}", advisory.id);
            }
        }
    }

    #[test]
    fn the_engine_has_the_version_of_the_lock_file() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{ENGINE}\"\n")), "{ENGINE}");
    }
}
