//! The components of a process: each compiled once, however many tenants use it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::cache::Cache;
use super::engine::Engine;
use super::error::LoadError;
use super::loader::{Component, MOST_BYTES, screened};
use super::rehearsal::Rules;
use ruzhi_files::file::{self, Unfit};
use ruzhi_model::Digest;

/// Loads components from files and caches them by digest. Cheap to clone; all clones share the cache.
#[derive(Clone)]
pub struct Library {
    engine: Engine,
    cache: Option<Cache>,
    loaded: Arc<Mutex<HashMap<Digest, Place>>>,
}

/// The slot of a component. Held while compiling: two flows that request one component get one compilation, and a
/// flow that requests another does not wait.
type Place = Arc<Mutex<Option<Component>>>;

impl Library {
    /// A library for one engine. Without a cache every component is compiled anew in each process.
    pub fn new(engine: Engine, cache: Option<Cache>) -> Self {
        Self { engine, cache, loaded: Arc::default() }
    }

    /// Reads, checks and compiles a component file. `pin` is the required digest.
    pub fn load(&self, path: &Path, pin: Option<&Digest>) -> Result<Component, LoadError> {
        self.load_bytes(&Self::read(path, pin)?)
    }

    /// Reads a component file, checking only its size and pin.
    pub fn read(path: &Path, pin: Option<&Digest>) -> Result<Vec<u8>, LoadError> {
        let bytes = match file::read(path, MOST_BYTES) {
            Ok(read) => read.bytes,
            Err(source) => {
                return Err(match Unfit::of(&source) {
                    Some(Unfit::TooLarge { bytes, most }) => LoadError::TooLarge { bytes, most },
                    _ => LoadError::Read { path: path.to_owned(), source },
                });
            }
        };
        let digest = Digest::of(&bytes);
        if let Some(pinned) = pin.filter(|pinned| **pinned != digest) {
            return Err(LoadError::Pin { found: digest.to_string(), pinned: pinned.to_string() });
        }
        Ok(bytes)
    }

    /// Removes compiled components that are neither live nor recently used, and the least recently used beyond `most`
    /// bytes. Returns the number removed.
    pub fn prune(&self, live: &BTreeSet<Digest>, most: u64) -> usize {
        self.cache.as_ref().map_or(0, |cache| cache.prune(&self.engine, live, most, SystemTime::now()))
    }

    /// Tries rules in a separate process, if the engine has one for trials: the process must survive compiling and
    /// starting the component, its `describe`, and its decisions on some rows. The answers are ignored.
    pub fn rehearse(&self, bytes: &[u8], rules: Rules) -> Result<(), LoadError> {
        let Some(rehearsal) = self.engine.rehearsal() else { return Ok(()) };
        let contract = screened(&self.engine, bytes)?;
        let digest = Digest::of(bytes);
        let known = self.cache.as_ref().and_then(|cache| cache.artifact(&self.engine, &digest));
        if let Some(artifact) = known {
            return rehearsal.rehearse(&self.engine, (&artifact, contract), rules);
        }
        let artifact = rehearsal.compile(&self.engine, bytes, Some(rules))?;
        if let Some(cache) = &self.cache {
            cache.keep(&self.engine, &digest, &artifact);
        }
        Ok(())
    }

    /// Checks and compiles a component, unless it is cached.
    pub fn load_bytes(&self, bytes: &[u8]) -> Result<Component, LoadError> {
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

/// The component is in use outside the library, or being compiled.
fn in_use(place: &Place) -> bool {
    Arc::strong_count(place) > 1
        || place.try_lock().map_or(true, |held| held.as_ref().is_some_and(Component::is_shared))
}
