//! Compiled components on disk, so that a known one loads in milliseconds.
//!
//! A compiled artifact is machine code that wasmtime barely checks before running it: write access to one means
//! control of the process. So the folder is private (0700), every artifact carries a MAC under a key kept elsewhere,
//! the MAC covers the component's digest and the engine's settings, and an artifact that does not verify is compiled
//! anew. Artifacts are never accepted from a tenant.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use rustix::fs::OFlags;
use sha2::Sha256;
use std::hash::{Hash as _, Hasher as _};

use super::engine::Engine;
use ruzhi_files::file;
use ruzhi_model::Digest;

const MAC_BYTES: usize = 32;

/// Artifacts kept per user: a few projects with their last builds.
const OF_USER: usize = 20;

/// Artifacts used within this time are kept as long as there is room: rules live yesterday may be live again.
const LATELY: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Accuracy of an artifact's time of last use.
const USED: Duration = Duration::from_secs(60 * 60);

/// A draft older than this is abandoned.
const DRAFT: Duration = Duration::from_secs(24 * 60 * 60);

const EXTENSION: &str = "cwasm";

/// Maximum size of an artifact in bytes; larger ones are compiled anew each time.
const MOST_BYTES: u64 = 1 << 30;

/// A private folder of compiled components, and the key that authenticates them.
#[derive(Clone)]
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
    exposed: Option<u32>,
}

impl Cache {
    /// Opens the cache, creating folder and key if missing. `key` is the path of the key, which must not lie in
    /// `folder`.
    pub fn open(folder: &Path, key: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // The owner of the parent folder could redirect a link, so none is followed, not even to a folder that is
        // private now.
        let opened = unlinked(fs::OpenOptions::new().read(true), OFlags::DIRECTORY).open(folder);
        let opened = opened.map_err(|error| match fs::symlink_metadata(folder) {
            Ok(found) if found.is_symlink() => {
                io::Error::other("it is a symbolic link; name the folder that it leads to")
            }
            _ => error,
        })?;
        // A folder created with a wider mask is narrowed before any of its contents are trusted.
        opened.set_permissions(fs::Permissions::from_mode(0o700))?;
        let (key, exposed) = read_or_make_key(key)?;
        Ok(Self { folder: folder.to_owned(), key, exposed })
    }

    /// The mode of the key's file if others could read or write it: the key was replaced, and earlier artifacts are
    /// compiled again.
    pub fn exposed(&self) -> Option<u32> {
        self.exposed
    }

    /// The cache of this user, for commands outside a deployment; `None` if there is no place for it.
    pub fn of_user() -> Option<Self> {
        let folder = user_folder()?;
        let cache = Self::open(&folder.join("compiled"), &folder.join("compiled-key")).ok()?;
        cache.keep_newest(OF_USER);
        Some(cache)
    }

    /// Removes all but the newest `most` artifacts: rules under development leave one behind with every build.
    fn keep_newest(&self, most: usize) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut artifacts: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        artifacts.sort();
        let surplus = artifacts.len().saturating_sub(most);
        for (_, path) in artifacts.into_iter().take(surplus) {
            // Another process may have removed it first.
            drop(fs::remove_file(path));
        }
    }

    /// Removes artifacts that are unlikely to be loaded again: those neither `live` nor used within [`LATELY`], and
    /// the least recently used of the rest while all together exceed `most` bytes. Live ones stay whatever their
    /// size. A process that has loaded a component no longer needs its artifact, and one that loads it later compiles
    /// it again. So several processes may share a folder, each marking its live artifacts as used.
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
                // The process writing it has ended.
                removed += usize::from(unused >= DRAFT && fs::remove_file(&path).is_ok());
            } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
                others.push((unused, metadata.len(), path));
            }
        }
        others.sort();
        for (unused, bytes, path) in others {
            held += bytes;
            // Another process may have removed it first.
            if (unused >= LATELY || held > most) && fs::remove_file(&path).is_ok() {
                held -= bytes;
                removed += 1;
            }
        }
        removed
    }

    /// The compiled component, if there is an authentic one for this engine.
    pub(super) fn load(&self, engine: &Engine, digest: &Digest) -> Option<wasmtime::component::Component> {
        let artifact = self.artifact(engine, digest)?;
        // SAFETY: `deserialize` trusts its bytes to come from `Component::serialize`. The MAC just verified ensures
        // it: its key is readable only by this program's user, and it covers the component's digest, the engine's
        // compatibility hash and every byte of the artifact. The bytes are in our memory, so they cannot change
        // between check and use.
        #[expect(unsafe_code, reason = "the one place compiled code is loaded; argued above")]
        let component = unsafe { wasmtime::component::Component::deserialize(engine.inner(), &artifact) };
        let component = component.ok()?;
        let (_, path) = self.place(engine, digest);
        let opened = unlinked(fs::OpenOptions::new().read(true), OFlags::NONBLOCK).open(&path);
        #[expect(
            clippy::disallowed_methods,
            reason = "compared with the time of a file, which the machine set"
        )]
        let (now, used) = (
            SystemTime::now(),
            opened.and_then(|opened| opened.metadata()).and_then(|metadata| metadata.modified()),
        );
        mark_as_used(
            &path,
            used.ok().and_then(|used| now.duration_since(used).ok()).unwrap_or_default(),
            now,
        );
        Some(component)
    }

    /// The machine code of a component, if there is an authentic one for this engine.
    pub(super) fn artifact(&self, engine: &Engine, digest: &Digest) -> Option<Vec<u8>> {
        let (name, path) = self.place(engine, digest);
        let opened = unlinked(fs::OpenOptions::new().read(true), OFlags::NONBLOCK).open(&path).ok()?;
        opened.metadata().ok().filter(fs::Metadata::is_file)?;
        let mut bytes = file::whole(&opened, MOST_BYTES).ok()?;
        let (mac, artifact) = bytes.split_at_checked(MAC_BYTES)?;
        self.mac(&name, artifact).verify_slice(mac).ok()?;
        Some(bytes.split_off(MAC_BYTES))
    }

    /// Stores a compiled component. A failure to write costs time, not correctness, so it is only logged.
    pub(super) fn store(&self, engine: &Engine, digest: &Digest, component: &wasmtime::component::Component) {
        match component.serialize() {
            Ok(artifact) => self.keep(engine, digest, &artifact),
            Err(error) => not_kept(digest, &error),
        }
    }

    /// The same for its machine code.
    pub(super) fn keep(&self, engine: &Engine, digest: &Digest, artifact: &[u8]) {
        let (name, path) = self.place(engine, digest);
        let written = {
            let mac = self.mac(&name, artifact).finalize().into_bytes();
            let draft = self.folder.join(format!(".{name}.{}", std::process::id()));
            let write = || {
                // A leftover of an earlier process with this number, or a link, is replaced, not written to.
                drop(fs::remove_file(&draft));
                let mut file =
                    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
                file.write_all(&mac)?;
                file.write_all(artifact)?;
                fs::rename(&draft, &path)
            };
            // Unfinished files must not fill up a full disk.
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

/// Updates an artifact's time of last use, about once an hour. If that fails, the artifact looks older than it is.
fn mark_as_used(path: &Path, unused: Duration, now: SystemTime) {
    if unused >= USED {
        let opened = unlinked(fs::OpenOptions::new().append(true), OFlags::NONBLOCK).open(path);
        drop(opened.and_then(|file| file.set_modified(now)));
    }
}

fn is_draft(name: &str) -> bool {
    name.starts_with('.') && name.contains(&format!(".{EXTENSION}."))
}

/// `~/.cache/ruzhi`, or the user's own cache folder.
pub fn user_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("ruzhi"))
}

/// The same options; a link in the last part of a path is not followed.
fn unlinked(options: &mut fs::OpenOptions, more: OFlags) -> &mut fs::OpenOptions {
    options.custom_flags((OFlags::NOFOLLOW | more).bits().cast_signed())
}

/// The key, and the mode of its predecessor if that was not private.
#[expect(clippy::disallowed_methods, reason = "a key has to be unpredictable")]
fn read_or_make_key(path: &Path) -> io::Result<([u8; 32], Option<u32>)> {
    let exposed = match read_key(path) {
        Ok(KeyFile::Private(key)) => return Ok((key, None)),
        Ok(KeyFile::Exposed(found)) => Some(found),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    let key: [u8; 32] = rand::random();
    let draft = path.with_extension(format!("draft-{}-{:08x}", std::process::id(), rand::random::<u32>()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    if let Some(found) = exposed {
        // Root may look after another user's deployment.
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (found.uid(), found.gid()) {
            fchown(&file, Some(found.uid()), Some(found.gid()))
                .inspect_err(|_| drop(fs::remove_file(&draft)))?;
        }
        // Atomic: a concurrent reader gets one key or the other. If two processes replace it, the last one stays, and
        // the other's artifacts are compiled again.
        fs::rename(&draft, path).inspect_err(|_| drop(fs::remove_file(&draft)))?;
        return Ok((key, Some(mode_of(&found))));
    }
    // The first process to link wins; the other reads the existing file.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok((key, None)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => match read_key(path)? {
            KeyFile::Private(key) => Ok((key, None)),
            KeyFile::Exposed(_) => Err(io::Error::other(format!("others can read {}", path.display()))),
        },
        Err(e) => Err(e),
    }
}

enum KeyFile {
    Private([u8; 32]),
    /// The file is accessible to others, who could authenticate machine code with it.
    Exposed(fs::Metadata),
}

fn mode_of(found: &fs::Metadata) -> u32 {
    found.permissions().mode() & 0o777
}

fn read_key(path: &Path) -> io::Result<KeyFile> {
    let no_key = || {
        io::Error::other(format!(
            "{} is not a key of 32 bytes; delete it and it is made anew",
            path.display()
        ))
    };
    let opened = unlinked(fs::OpenOptions::new().read(true), OFlags::NONBLOCK).open(path);
    let file = opened.map_err(|error| match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => no_key(),
        _ => error,
    })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(no_key());
    }
    if mode_of(&found) & 0o077 != 0 {
        return Ok(KeyFile::Exposed(found));
    }
    let bytes = file::whole(file, 32).map_err(|_| no_key())?;
    Ok(KeyFile::Private(bytes.try_into().map_err(|_| no_key())?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        mode_of(&fs::metadata(path).unwrap())
    }

    #[test]
    fn a_key_that_others_could_read_is_another_one_afterwards_and_is_told_once() {
        let place = tempfile::tempdir().unwrap();
        let (folder, key) = (place.path().join("cache"), place.path().join("key"));
        let first = Cache::open(&folder, &key).unwrap();
        assert_eq!((first.exposed(), mode(&key)), (None, 0o600));
        assert_eq!(Cache::open(&folder, &key).unwrap().key, first.key);
        for exposed in [0o644, 0o640, 0o602] {
            let before = fs::read(&key).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(exposed)).unwrap();
            let cache = Cache::open(&folder, &key).unwrap();
            assert_eq!(cache.exposed(), Some(exposed));
            assert_ne!(cache.key.as_slice(), before);
            assert_eq!((fs::read(&key).unwrap(), mode(&key)), (cache.key.to_vec(), 0o600));
            assert_eq!(Cache::open(&folder, &key).unwrap().exposed(), None);
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_link_is_neither_followed_for_the_folder_nor_for_the_key_nor_for_what_is_compiled() {
        let place = tempfile::tempdir().unwrap();
        let elsewhere = place.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
        let (link, key) = (place.path().join("cache"), place.path().join("key"));
        symlink(&elsewhere, &link).unwrap();
        let error = Cache::open(&link, &key).err().unwrap();
        assert_eq!(error.to_string(), "it is a symbolic link; name the folder that it leads to");
        assert_eq!(mode(&elsewhere), 0o755, "what it leads to is as it was");

        fs::write(place.path().join("known"), [7; 32]).unwrap();
        symlink(place.path().join("known"), &key).unwrap();
        assert!(
            Cache::open(&elsewhere, &key).err().unwrap().to_string().contains("is not a key of 32 bytes")
        );
        fs::remove_file(&key).unwrap();

        let cache = Cache::open(&elsewhere, &key).unwrap();
        let engine = Engine::new(crate::limits::GuestLimits::default()).unwrap();
        let bytes = wat::parse_str("(component)").unwrap();
        let (digest, compiled) =
            (Digest::of(&bytes), wasmtime::component::Component::new(engine.inner(), &bytes).unwrap());
        cache.store(&engine, &digest, &compiled);
        let (name, path) = cache.place(&engine, &digest);
        assert!(cache.load(&engine, &digest).is_some());
        let moved = place.path().join("moved");
        fs::rename(&path, &moved).unwrap();
        symlink(&moved, &path).unwrap();
        assert!(cache.load(&engine, &digest).is_none());
        // A link in place of a draft is not followed either.
        let precious = place.path().join("precious");
        fs::write(&precious, "as it was").unwrap();
        symlink(&precious, elsewhere.join(format!(".{name}.{}", std::process::id()))).unwrap();
        cache.store(&engine, &digest, &compiled);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "as it was");
        assert!(cache.load(&engine, &digest).is_some());
    }
}
