//! The built components, and an engine that gives a debug build the time it needs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use ruzhi_guest_runtime::{Component, ComponentRegistry, Engine, GuestLimits};

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

/// A component of `guests/built`, compiled once in this process.
pub(crate) fn load(engine: &Engine, name: &str) -> Component {
    static LIBRARY: OnceLock<ComponentRegistry> = OnceLock::new();
    LIBRARY.get_or_init(|| ComponentRegistry::new(engine.clone(), None)).load(&built(name), None).unwrap()
}

pub(crate) fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../guests/built/{name}.wasm"));
    assert!(path.exists(), "{} is missing: run `make languages`", path.display());
    path
}
