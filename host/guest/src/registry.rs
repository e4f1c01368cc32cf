//! The components of a process: each compiled once, however many tenants use it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::cache::Cache;
use super::engine::Engine;
use super::error::GuestLoadError;
use super::loader::{Component, MOST_BYTES, screened};
use super::rehearsal::RehearsalRules;
use ruzhi_files::file::{self, UnfitFile};
use ruzhi_model::Digest;

/// Loads components from files and caches them by digest. Cheap to clone; all clones share the cache.
#[derive(Clone)]
pub struct ComponentRegistry {
    engine: Engine,
    cache: Option<Cache>,
    loaded: Arc<Mutex<HashMap<Digest, ComponentSlot>>>,
}

/// The slot of a component. Held while compiling: two flows that request one component get one compilation, and a
/// flow that requests another does not wait.
type ComponentSlot = Arc<Mutex<Option<Component>>>;

impl ComponentRegistry {
    /// A registry for one engine. Without a cache every component is compiled anew in each process.
    pub fn new(engine: Engine, cache: Option<Cache>) -> Self {
        Self { engine, cache, loaded: Arc::default() }
    }

    /// Reads, checks and compiles a component file. `pin` is the required digest.
    pub fn load(&self, path: &Path, pin: Option<&Digest>) -> Result<Component, GuestLoadError> {
        self.load_bytes(&Self::read(path, pin)?)
    }

    /// Reads a component file, checking only its size and pin.
    pub fn read(path: &Path, pin: Option<&Digest>) -> Result<Vec<u8>, GuestLoadError> {
        let bytes = match file::read(path, MOST_BYTES) {
            Ok(read) => read.bytes,
            Err(source) => {
                return Err(match UnfitFile::of(&source) {
                    Some(UnfitFile::TooLarge { bytes, most }) => GuestLoadError::TooLarge { bytes, most },
                    _ => GuestLoadError::Read { path: path.to_owned(), source },
                });
            }
        };
        let digest = Digest::of(&bytes);
        if let Some(pinned) = pin.filter(|pinned| **pinned != digest) {
            return Err(GuestLoadError::Pin { found: digest.to_string(), pinned: pinned.to_string() });
        }
        Ok(bytes)
    }

    /// Removes compiled components that are neither live nor recently used, and the least recently used beyond `most`
    /// bytes. Returns the number removed.
    #[expect(clippy::disallowed_methods, reason = "compared with the times of files, which the machine sets")]
    pub fn prune(&self, live: &BTreeSet<Digest>, most: u64) -> usize {
        self.cache.as_ref().map_or(0, |cache| cache.prune(&self.engine, live, most, SystemTime::now()))
    }

    /// Tries rules in a separate process, if the engine has one for trials: the process must survive compiling and
    /// starting the component, its `describe`, and its decisions on some rows. The answers are ignored.
    pub fn rehearse(&self, bytes: &[u8], rules: RehearsalRules) -> Result<(), GuestLoadError> {
        let Some(rehearsal) = self.engine.rehearsal() else { return Ok(()) };
        let settings = (self.engine.limits(), self.engine.is_metered());
        let contract = screened(&self.engine, bytes)?;
        let digest = Digest::of(bytes);
        let known = self.cache.as_ref().and_then(|cache| cache.artifact(&self.engine, &digest));
        if let Some(artifact) = known {
            return rehearsal.rehearse(settings, (&artifact, contract), rules);
        }
        let artifact = rehearsal.compile(settings, bytes, Some(rules))?;
        if let Some(cache) = &self.cache {
            cache.keep(&self.engine, &digest, &artifact);
        }
        Ok(())
    }

    /// Checks and compiles a component, unless it is cached.
    pub fn load_bytes(&self, bytes: &[u8]) -> Result<Component, GuestLoadError> {
        let digest = Digest::of(bytes);
        let place = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            // Unused components are dropped when a new one is loaded: rules are exchanged for years.
            if !loaded.contains_key(&digest) {
                loaded.retain(|_, place| in_use(place));
            }
            Arc::clone(loaded.entry(digest).or_default())
        };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = place.as_ref() {
            return Ok(component.clone());
        }
        let component = Component::from_bytes(&self.engine, self.cache.as_ref(), bytes)?;
        *place = Some(component.clone());
        Ok(component)
    }
}

/// The component is in use outside the registry, or being compiled.
fn in_use(place: &ComponentSlot) -> bool {
    Arc::strong_count(place) > 1
        || place.try_lock().map_or(true, |held| held.as_ref().is_some_and(Component::is_shared))
}
