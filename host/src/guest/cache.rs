//! Compiled components on disk, so that a known one loads in milliseconds.
//!
//! A compiled artifact is machine code, and wasmtime looks at it only lightly before running it: whoever can write
//! one owns the process. So the folder is private (0700), every artifact carries a MAC under a key kept elsewhere, the
//! MAC covers the component's digest and the engine's settings, and anything that does not verify is compiled anew.
//! An artifact is never taken from a tenant.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::hash::{Hash as _, Hasher as _};

use super::engine::Engine;
use crate::model::Digest;

const MAC_BYTES: usize = 32;

/// Artifacts kept for a user: a few projects, each with its last builds.
const OF_USER: usize = 20;

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

    /// The compiled component, if a genuine one for this engine is there.
    pub(super) fn load(&self, engine: &Engine, digest: &Digest) -> Option<wasmtime::component::Component> {
        let (name, path) = self.place(engine, digest);
        let bytes = fs::read(path).ok()?;
        let (mac, artifact) = bytes.split_at_checked(MAC_BYTES)?;
        self.mac(&name, artifact).verify_slice(mac).ok()?;
        // SAFETY: `deserialize` trusts its bytes to be what `Component::serialize` gave. The MAC just verified says so:
        // it is keyed with a secret only this program's user can read, and covers the component's digest, the engine's
        // compatibility hash and every byte of the artifact. The bytes are in our memory, so nobody can change them
        // between the check and the use.
        #[expect(unsafe_code, reason = "the one place compiled code is loaded; argued above")]
        let component = unsafe { wasmtime::component::Component::deserialize(engine.inner(), artifact) };
        component.ok()
    }

    /// Keeps a compiled component. A cache that cannot be written costs time, not correctness, so it only says so.
    pub(super) fn store(&self, engine: &Engine, digest: &Digest, component: &wasmtime::component::Component) {
        let (name, path) = self.place(engine, digest);
        let written = component.serialize().map_err(io::Error::other).and_then(|artifact| {
            let mac = self.mac(&name, &artifact).finalize().into_bytes();
            let draft = self.folder.join(format!(".{name}.{}", std::process::id()));
            let write = || {
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&draft)?;
                file.write_all(&mac)?;
                file.write_all(&artifact)?;
                fs::rename(&draft, &path)
            };
            // A disk that is full shall not be filled by what was not finished.
            write().inspect_err(|_| drop(fs::remove_file(&draft)))
        });
        if let Err(error) = written {
            tracing::warn!(
                guest.digest = digest.as_str(),
                error = %error,
                "the compiled component could not be kept; it is compiled again next time"
            );
        }
    }

    fn place(&self, engine: &Engine, digest: &Digest) -> (String, PathBuf) {
        let mut hasher = std::hash::DefaultHasher::new();
        engine.inner().precompile_compatibility_hash().hash(&mut hasher);
        let name = format!("{digest}-{:016x}.cwasm", hasher.finish());
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
