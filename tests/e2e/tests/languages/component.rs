//! The built components, and an engine that gives a debug build the time it needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use ruzhi_guest_runtime::{Cache, Component, ComponentRegistry, Engine, GuestLimits};

/// Bytes of compiled components that are kept for the next run of the tests.
const MOST_COMPILED: u64 = 1 << 30;

/// An engine under the limits every guest must keep, with more time because the host may be a debug build.
pub(crate) fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let limits = || GuestLimits { deadline: Duration::from_secs(20), ..GuestLimits::default() };
    ENGINE.get_or_init(|| Engine::new(limits()).unwrap()).clone()
}

/// The same, counting instructions.
pub(crate) fn measuring() -> Engine {
    Engine::measuring(GuestLimits { deadline: Duration::from_secs(20), ..GuestLimits::default() }).unwrap()
}

/// Compiled components, by digest and engine: a Python interpreter takes a minute to compile, and a registry drops what
/// no test uses at the moment.
pub(crate) fn cache() -> Cache {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Cache::open(&folder.join("compiled"), &folder.join("compiled-key")).unwrap()
}

/// A component of `guests/built`, compiled once.
pub(crate) fn load(engine: &Engine, name: &str) -> Component {
    static LIBRARY: OnceLock<ComponentRegistry> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let library = ComponentRegistry::new(engine.clone(), Some(cache()));
        // Those of earlier builds.
        library.prune(&BTreeSet::new(), MOST_COMPILED);
        library
    });
    library.load(&built(name), None).unwrap()
}

pub(crate) fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../guests/built/{name}.wasm"));
    assert!(path.exists(), "{} is missing: run `make languages`", path.display());
    path
}
