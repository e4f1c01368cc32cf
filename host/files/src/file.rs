//! Reads files named by a person: whole, or not at all.
//!
//! A path may lead to a pipe without a writer, an endless device, a file of any size, or a file system that no longer
//! responds. So only regular files are read, up to a size larger than their kind can need, and never on the caller's
//! thread, which waits only for a limited time. A thread stuck in a file system cannot be ended, but does not keep
//! the process from ending; there is at most one per path, and a bounded number in total.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;

use ruzhi_model::Text;

/// The longest wait for a file system.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest wait while other paths do not respond: hundreds of files may lie on one dead file system.
const LESS_PATIENCE: Duration = Duration::from_millis(500);

/// Maximum number of paths waited for in vain. Beyond it no other is accessed until one responds.
const MOST_STILL: usize = 64;

/// The reason a path is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitFile {
    /// A pipe, a device or a socket.
    #[error("it is a pipe, a device or a socket, not a regular file")]
    NotRegular,
    /// Larger than its kind may be.
    #[error("it has {} bytes or more; at most {} KiB are read", bytes, most >> 10)]
    TooLarge {
        /// Its size, as far as known.
        bytes: u64,
        /// The limit, in bytes.
        most: u64,
    },
    /// Its file system does not respond.
    #[error("its file system does not answer")]
    Still,
}

impl UnfitFile {
    /// The reason behind an error of this module; `None` for an error of the system.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// The same for a person.
    pub fn text(self) -> Text {
        let zh = match self {
            Self::NotRegular => "这是管道、设备或套接字，不是普通文件".to_owned(),
            Self::TooLarge { bytes, most } => format!("至少有 {bytes} 字节，最多读取 {} KiB", most >> 10),
            Self::Still => "所在的文件系统没有响应".to_owned(),
        };
        Text::new(self.to_string(), zh)
    }
}

impl From<UnfitFile> for io::Error {
    fn from(unfit: UnfitFile) -> Self {
        let kind = match unfit {
            UnfitFile::NotRegular => io::ErrorKind::InvalidInput,
            UnfitFile::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            UnfitFile::Still => io::ErrorKind::TimedOut,
        };
        Self::new(kind, unfit)
    }
}

/// The reason a file could not be read, as the end of a sentence, in both languages; empty for an error of the
/// system, which follows as the cause.
pub fn because(error: &io::Error) -> Text {
    match UnfitFile::of(error) {
        Some(unfit) => Text::new(format!(": {unfit}"), format!("：{}", unfit.text().zh)),
        None => Text::new("", ""),
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct FileContent {
    /// The contents.
    pub bytes: Vec<u8>,
    /// The metadata when it was read.
    pub metadata: Metadata,
}

/// Reads a regular file of at most `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<FileContent> {
    within(path, move |path| {
        let (file, metadata) = open(path)?;
        if metadata.len() > most {
            return Err(UnfitFile::TooLarge { bytes: metadata.len(), most }.into());
        }
        Ok(FileContent { bytes: whole(file, most)?, metadata })
    })
}

/// The same for a UTF-8 file.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, most)?.bytes);
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// Reads to the end of at most `most` bytes.
pub fn whole(mut from: impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.by_ref().take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if found > most { Err(UnfitFile::TooLarge { bytes: found, most }.into()) } else { Ok(bytes) }
}

/// Checks that a path is a readable regular file.
pub fn check(path: &Path) -> io::Result<()> {
    within(path, |path| open(path).map(drop))
}

/// The first `most` bytes of a regular file, or fewer if it is shorter.
pub fn head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    within(path, move |path| {
        let mut bytes = Vec::new();
        open(path)?.0.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// The metadata of a file of any kind.
pub fn stat(path: &Path) -> io::Result<Metadata> {
    within(path, |path| fs::metadata(path))
}

/// The metadata of many files; `None` for one that is missing or does not respond. A single thread handles all of
/// them as long as they respond.
pub fn stats(paths: &[PathBuf]) -> Vec<Option<Metadata>> {
    RUNNING.stats(paths, PATIENCE)
}

/// The entries of a folder, each with a flag for folders.
pub fn folder(path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    within(path, |path| {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            found.push((entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir())));
        }
        Ok(found)
    })
}

/// Runs a file system operation on a path, and waits for it for a limited time.
pub fn within<T: Send + 'static>(
    path: &Path,
    ask: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    RUNNING.within(path, PATIENCE, ask)
}

/// Opens a regular file. Any other kind is not opened: that alone could block, or wake the process at the other end.
fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let regular = |metadata: &Metadata| match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::from(UnfitFile::NotRegular)),
    };
    regular(&fs::metadata(path)?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    // It may have been replaced in between.
    let metadata = file.metadata()?;
    regular(&metadata)?;
    Ok((file, metadata))
}

static RUNNING: LazyLock<RunningOperations> = LazyLock::new(RunningOperations::default);

/// The paths with a running operation.
#[derive(Clone, Default)]
struct RunningOperations(Arc<Mutex<Vec<RunningOperation>>>);

struct RunningOperation {
    path: PathBuf,
    /// The caller no longer waits for it.
    is_given_up: bool,
}

/// Removes a path once its operation is over.
struct OperationGuard {
    running: RunningOperations,
    path: PathBuf,
}

impl RunningOperations {
    fn within<T: Send + 'static>(
        &self,
        path: &Path,
        patience: Duration,
        ask: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let turn = self.begin(path)?;
        let patience = self.patience(patience);
        let (tell, answer) = mpsc::sync_channel(1);
        thread::Builder::new().name("file".to_owned()).spawn(move || {
            let told = ask(&turn.path);
            drop(turn);
            // The caller may have given up.
            drop(tell.send(told));
        })?;
        match answer.recv_timeout(patience) {
            Ok(told) => told,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.give_up(path);
                Err(UnfitFile::Still.into())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(io::Error::other("it could not be read")),
        }
    }

    fn stats(&self, paths: &[PathBuf], patience: Duration) -> Vec<Option<Metadata>> {
        let mut found = Vec::with_capacity(paths.len());
        while let Some(rest) = paths.get(found.len()..).filter(|rest| !rest.is_empty()) {
            let (tell, answers) = mpsc::channel();
            let (running, rest) = (self.clone(), rest.to_vec());
            let began = thread::Builder::new().name("file".to_owned()).spawn(move || {
                for path in rest {
                    let told = running.begin(&path).and_then(|_turn| fs::metadata(&path)).ok();
                    if tell.send(told).is_err() {
                        return;
                    }
                }
            });
            if began.is_err() {
                break;
            }
            while let Some(path) = paths.get(found.len()) {
                let Ok(told) = answers.recv_timeout(self.patience(patience)) else {
                    self.give_up(path);
                    found.push(None);
                    break;
                };
                found.push(told);
            }
        }
        found.resize_with(paths.len(), || None);
        found
    }

    /// Starts an operation on a path, unless an earlier one there is stuck.
    fn begin(&self, path: &Path) -> io::Result<OperationGuard> {
        let mut running = self.lock();
        let mut still = running.iter().filter(|operation| operation.is_given_up);
        if still.clone().count() >= MOST_STILL || still.any(|operation| operation.path == path) {
            return Err(UnfitFile::Still.into());
        }
        running.push(RunningOperation { path: path.to_owned(), is_given_up: false });
        Ok(OperationGuard { running: self.clone(), path: path.to_owned() })
    }

    fn patience(&self, usual: Duration) -> Duration {
        let is_tried = self.lock().iter().any(|operation| operation.is_given_up);
        if is_tried { LESS_PATIENCE.min(usual) } else { usual }
    }

    fn give_up(&self, path: &Path) {
        self.lock()
            .iter_mut()
            .filter(|operation| operation.path == path)
            .for_each(|operation| operation.is_given_up = true);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<RunningOperation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OperationGuard {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        if let Some(at) = running.iter().position(|operation| operation.path == self.path) {
            running.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LATE: Duration = Duration::from_secs(60);

    fn still(error: &io::Error) -> bool {
        UnfitFile::of(error) == Some(UnfitFile::Still)
    }

    #[test]
    fn a_pipe_a_device_and_a_folder_are_no_files_and_are_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [&pipe, &link] {
            for error in [
                read(path, 10).unwrap_err(),
                read_text(path, 10).unwrap_err(),
                check(path).unwrap_err(),
                head(path, 4).unwrap_err(),
            ] {
                assert_eq!(UnfitFile::of(&error), Some(UnfitFile::NotRegular), "{path:?}");
            }
        }
        assert_eq!(read(folder.path(), 10).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(&folder.path().join("none"), 10).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_is_read_up_to_its_kind_s_size_and_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("ten"), folder.path().join("link"));
        fs::write(&path, "0123456789").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read(&link, 10).unwrap().bytes, b"0123456789");
        let error = read(&link, 9).unwrap_err();
        assert_eq!(UnfitFile::of(&error), Some(UnfitFile::TooLarge { bytes: 10, most: 9 }));
        assert_eq!(head(&path, 3).unwrap(), b"012");
        // Its size is unknown in advance.
        let error = whole(io::repeat(0), 9).unwrap_err();
        assert_eq!(UnfitFile::of(&error), Some(UnfitFile::TooLarge { bytes: 10, most: 9 }));
        assert_eq!(whole(&b"0123456789"[..], 10).unwrap().len(), 10);
    }

    #[test]
    fn a_path_that_does_not_answer_is_given_up_is_not_asked_again_and_is_once_it_answers() {
        let running = RunningOperations::default();
        let path = Path::new("/hangs");
        let (release, held) = mpsc::channel::<()>();
        let (end, ended) = mpsc::channel();
        let hangs = move |_: &Path| {
            let _released = held.recv();
            end.send(()).map_err(io::Error::other)
        };
        assert!(still(&running.within(path, SOON, hangs).unwrap_err()));
        assert!(still(&running.within(path, LATE, |_| Ok(())).unwrap_err()), "it is not running again");
        // Other paths respond.
        running.within(Path::new("/answers"), LATE, |_| Ok(())).unwrap();
        assert_eq!(running.patience(LATE), LESS_PATIENCE);
        drop(release);
        ended.recv_timeout(LATE).unwrap();
        // The thread ends a little after its answer; the path is removed by then at the latest.
        let began = std::time::Instant::now();
        while !running.lock().is_empty() {
            assert!(began.elapsed() < LATE);
            thread::yield_now();
        }
        running.within(path, LATE, |_| Ok(())).unwrap();
        assert_eq!(running.patience(LATE), LATE);
    }

    #[test]
    fn as_many_threads_as_may_be_held_are_and_no_more() {
        let running = RunningOperations::default();
        let held: Vec<OperationGuard> = (0..MOST_STILL)
            .map(|n| {
                let turn = running.begin(Path::new(&format!("/{n}"))).unwrap();
                running.give_up(&turn.path);
                turn
            })
            .collect();
        assert!(still(&running.within(Path::new("/other"), LATE, |_| Ok(())).unwrap_err()));
        drop(held);
        running.within(Path::new("/other"), LATE, |_| Ok(())).unwrap();
    }

    #[test]
    fn a_look_passes_over_what_does_not_answer() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = ["a", "b", "c"].iter().map(|name| folder.path().join(name)).collect();
        fs::write(&paths[0], "a").unwrap();
        fs::write(&paths[2], "ccc").unwrap();
        let running = RunningOperations::default();
        let turn = running.begin(&paths[1]).unwrap();
        running.give_up(&paths[1]);
        let sizes: Vec<_> =
            running.stats(&paths, LATE).into_iter().map(|found| found.map(|m| m.len())).collect();
        assert_eq!(sizes, [Some(1), None, Some(3)]);
        drop(turn);
    }
}
