//! Compiled components on disk, so that a known one loads in milliseconds.
//!
//! A compiled artifact is machine code, and wasmtime looks at it only lightly before running it: whoever can write
//! one owns the process. So the folder is private (0700), every artifact carries a MAC under a key kept elsewhere, the
//! MAC covers the component's digest and the engine's settings, and anything that does not verify is compiled anew.
//! An artifact is never taken from a tenant.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::hash::{Hash as _, Hasher as _};

use super::engine::Engine;
use crate::model::Digest;

const MAC_BYTES: usize = 32;

/// Artifacts kept for a user: a few projects, each with its last builds.
const OF_USER: usize = 20;

/// An artifact that was used within this time is kept, as long as there is room: what was live yesterday may be again.
const LATELY: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How exactly it is known when an artifact was used last.
const USED: Duration = Duration::from_secs(60 * 60);

/// What is written for longer is not written any more.
const DRAFT: Duration = Duration::from_secs(24 * 60 * 60);

const EXTENSION: &str = "cwasm";

/// A private folder of compiled components and the key that vouches for them.
#[derive(Clone)]
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
}

impl Cache {
    /// Opens the cache, making the folder and the key where they are missing. `key` is the key's file, which must not
    /// lie in `folder`.
    pub fn open(folder: &Path, key: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // A folder made by someone with a wider mask is narrowed before anything in it is believed.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        Ok(Self { folder: folder.to_owned(), key: read_or_make_key(key)? })
    }

    /// The cache of this user, for commands that belong to no deployment; none where there is no place for it.
    pub fn of_user() -> Option<Self> {
        let folder = user_folder()?;
        let cache = Self::open(&folder.join("compiled"), &folder.join("compiled-key")).ok()?;
        cache.keep_newest(OF_USER);
        Some(cache)
    }

    /// Removes all but so many artifacts: whoever writes rules leaves one behind with every build.
    fn keep_newest(&self, most: usize) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut artifacts: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        artifacts.sort();
        let surplus = artifacts.len().saturating_sub(most);
        for (_, path) in artifacts.into_iter().take(surplus) {
            // Another process may have been faster.
            drop(fs::remove_file(path));
        }
    }

    /// Removes artifacts that nobody is likely to load again: those that are not `live` and were not used for
    /// [`LATELY`], and the longest unused of the rest as long as all together have more than `most` bytes. What is live
    /// stays whatever its size. A process that has loaded a component does not need its artifact; one that loads it later
    /// compiles it again. So several processes may share a folder, and each marks what is live for it as used.
    pub(super) fn prune(
        &self,
        engine: &Engine,
        live: &BTreeSet<Digest>,
        most: u64,
        now: SystemTime,
    ) -> usize {
        let Ok(entries) = fs::read_dir(&self.folder) else { return 0 };
        let live: BTreeSet<PathBuf> = live.iter().map(|digest| self.place(engine, digest).1).collect();
        let (mut held, mut removed, mut others) = (0, 0, Vec::new());
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Some(metadata) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
            let unused =
                metadata.modified().ok().and_then(|used| now.duration_since(used).ok()).unwrap_or_default();
            if live.contains(&path) {
                held += metadata.len();
                mark_as_used(&path, unused, now);
            } else if is_draft(&name.to_string_lossy()) {
                // Its process ended while it wrote.
                removed += usize::from(unused >= DRAFT && fs::remove_file(&path).is_ok());
            } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
                others.push((unused, metadata.len(), path));
            }
        }
        others.sort();
        for (unused, bytes, path) in others {
            held += bytes;
            // Another process may have been faster.
            if (unused >= LATELY || held > most) && fs::remove_file(&path).is_ok() {
                held -= bytes;
                removed += 1;
            }
        }
        removed
    }

    /// The compiled component, if a genuine one for this engine is there.
    pub(super) fn load(&self, engine: &Engine, digest: &Digest) -> Option<wasmtime::component::Component> {
        let artifact = self.artifact(engine, digest)?;
        // SAFETY: `deserialize` trusts its bytes to be what `Component::serialize` gave. The MAC just verified says so:
        // it is keyed with a secret only this program's user can read, and covers the component's digest, the engine's
        // compatibility hash and every byte of the artifact. The bytes are in our memory, so nobody can change them
        // between the check and the use.
        #[expect(unsafe_code, reason = "the one place compiled code is loaded; argued above")]
        let component = unsafe { wasmtime::component::Component::deserialize(engine.inner(), &artifact) };
        let component = component.ok()?;
        let (_, path) = self.place(engine, digest);
        let (now, used) = (SystemTime::now(), fs::metadata(&path).and_then(|metadata| metadata.modified()));
        mark_as_used(
            &path,
            used.ok().and_then(|used| now.duration_since(used).ok()).unwrap_or_default(),
            now,
        );
        Some(component)
    }

    /// The machine code of a component, if a genuine one for this engine is there.
    pub(super) fn artifact(&self, engine: &Engine, digest: &Digest) -> Option<Vec<u8>> {
        let (name, path) = self.place(engine, digest);
        let mut bytes = fs::read(&path).ok()?;
        let (mac, artifact) = bytes.split_at_checked(MAC_BYTES)?;
        self.mac(&name, artifact).verify_slice(mac).ok()?;
        Some(bytes.split_off(MAC_BYTES))
    }

    /// Keeps a compiled component. A cache that cannot be written costs time, not correctness, so it only says so.
    pub(super) fn store(&self, engine: &Engine, digest: &Digest, component: &wasmtime::component::Component) {
        match component.serialize() {
            Ok(artifact) => self.keep(engine, digest, &artifact),
            Err(error) => not_kept(digest, &error),
        }
    }

    /// The same of its machine code.
    pub(super) fn keep(&self, engine: &Engine, digest: &Digest, artifact: &[u8]) {
        let (name, path) = self.place(engine, digest);
        let written = {
            let mac = self.mac(&name, artifact).finalize().into_bytes();
            let draft = self.folder.join(format!(".{name}.{}", std::process::id()));
            let write = || {
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&draft)?;
                file.write_all(&mac)?;
                file.write_all(artifact)?;
                fs::rename(&draft, &path)
            };
            // A disk that is full shall not be filled by what was not finished.
            write().inspect_err(|_| drop(fs::remove_file(&draft)))
        };
        if let Err(error) = written {
            not_kept(digest, &error);
        }
    }

    fn place(&self, engine: &Engine, digest: &Digest) -> (String, PathBuf) {
        let mut hasher = std::hash::DefaultHasher::new();
        engine.inner().precompile_compatibility_hash().hash(&mut hasher);
        let name = format!("{digest}-{:016x}.{EXTENSION}", hasher.finish());
        let path = self.folder.join(&name);
        (name, path)
    }

    fn mac(&self, name: &str, artifact: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("an HMAC key");
        mac.update(name.as_bytes());
        mac.update(artifact);
        mac
    }
}

fn not_kept(digest: &Digest, error: &dyn std::fmt::Display) {
    tracing::warn!(
        guest.digest = digest.as_str(),
        error = %error,
        "the compiled component could not be kept; it is compiled again next time"
    );
}

/// Keeps in an artifact's time that it is used, about once an hour. Failing to do so makes it look older than it is.
fn mark_as_used(path: &Path, unused: Duration, now: SystemTime) {
    if unused >= USED {
        drop(fs::OpenOptions::new().append(true).open(path).and_then(|file| file.set_modified(now)));
    }
}

fn is_draft(name: &str) -> bool {
    name.starts_with('.') && name.contains(&format!(".{EXTENSION}."))
}

/// `~/.cache/ruzhi`, or where the user keeps such things.
pub(super) fn user_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("ruzhi"))
}

fn read_or_make_key(path: &Path) -> io::Result<[u8; 32]> {
    let read = |bytes: Vec<u8>| {
        <[u8; 32]>::try_from(bytes).map_err(|_| {
            io::Error::other(format!(
                "{} is not a key of 32 bytes; delete it and it is made anew",
                path.display()
            ))
        })
    };
    match fs::read(path) {
        Ok(bytes) => return read(bytes),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let key: [u8; 32] = rand::random();
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // Whoever links first wins; the other reads what is there.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(key),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => read(fs::read(path)?),
        Err(e) => Err(e),
    }
}
