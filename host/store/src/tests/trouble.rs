//! Events at the store's file while a process has it open: no room, another file in its place, another name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;
use crate::StoreError;

/// Writes as much as a run would.
async fn write(store: &Database, n: u32) -> Result<(), StoreError> {
    let rows: Vec<RecordRow> = (0..200)
        .map(|m| RecordRow {
            content: "x".repeat(4_000),
            ..row(n * 1_000 + m, upsert("zhang", "13800000001"))
        })
        .collect();
    store.records_put(&tenant("here"), &flow(), &rows).await
}

/// Every file of a folder with its contents.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn is_exchanged(result: Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Exchanged { .. }))
}

#[tokio::test]
async fn after_a_write_that_found_no_room_the_next_one_goes_well() {
    let Opened { store, folder: _folder } = open().await;
    let (here, last) = (tenant("here"), 5);
    for n in 0..last {
        // On the connection that writes: no page beyond the present ones.
        store.on_writer("PRAGMA max_page_count = 1").await;
        let error = write(&store, n).await.unwrap_err();
        assert!(error.is_full(), "{error}");
        assert_eq!(error.to_string(), "cannot write records to the store: the disk is full");
        assert_eq!(store.records_count(&here, &flow()).await.unwrap(), u64::from(n) * 200, "half is written");
        store.check_writable().await.unwrap();
        write(&store, n).await.unwrap();
    }
    assert_eq!(store.records_count(&here, &flow()).await.unwrap(), u64::from(last) * 200);
}

#[tokio::test]
async fn after_a_write_that_was_broken_off_the_next_one_goes_well() {
    let Opened { store, folder: _folder } = open().await;
    for patience in [0, 1, 2, 5, 10] {
        let limit = std::time::Duration::from_millis(patience);
        drop(tokio::time::timeout(limit, write(&store, 1)).await);
        write(&store, 2).await.unwrap();
        store.check_writable().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_written_once_the_file_is_another_one_whatever_became_of_it() {
    type Exchange = fn(&Path);
    let exchanges: [(&str, Exchange); 7] = [
        ("removed", |path| fs::remove_file(path).unwrap()),
        ("moved away", |path| fs::rename(path, path.with_extension("old")).unwrap()),
        ("a backup put in its place", |path| {
            fs::copy(path, path.with_extension("new")).unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        }),
        ("a folder put in its place", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("its folder moved away", |path| {
            let folder = path.parent().unwrap();
            fs::rename(folder, folder.with_extension("old")).unwrap();
        }),
        ("its log removed", |path| fs::remove_file(path.with_extension("db-wal")).unwrap()),
        ("its lock removed", |path| fs::remove_file(path.with_extension("db.lock")).unwrap()),
    ];
    for (how, exchange) in exchanges {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("data");
        fs::create_dir(&inner).unwrap();
        let path = inner.join("ruzhi.db");
        let store = Database::open(&path, Access::Write).await.unwrap();
        write(&store, 1).await.unwrap();
        store.check_place().unwrap();
        exchange(&path);
        let now = if inner.is_dir() { inner.clone() } else { inner.with_extension("old") };
        let before = files(&now);
        assert!(is_exchanged(store.check_place()), "{how}");
        assert!(is_exchanged(write(&store, 2).await), "{how}");
        assert!(is_exchanged(store.check_writable().await), "{how}");
        assert!(files(&now) == before, "{how}: something was written");
        let error = store.check_place().unwrap_err();
        assert_eq!(error.code(), "store.exchanged");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert!(error.text().zh.contains(&path.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_backup_beside_the_log_of_the_file_before_is_not_opened_until_the_log_is_gone() {
    let Opened { store, folder } = open().await;
    let path = folder.path().join("ruzhi.db");
    write(&store, 1).await.unwrap();
    // As after a crash: the log is left behind.
    let left: Vec<_> = ["db-wal", "db-shm"]
        .map(|end| (path.with_extension(end), fs::read(path.with_extension(end)).unwrap()))
        .into();
    store.close().await;
    drop(store);
    for (path, bytes) in &left {
        fs::write(path, bytes).unwrap();
    }
    let backup = folder.path().join("backup.db");
    fs::copy(&path, &backup).unwrap();
    fs::rename(&backup, &path).unwrap();
    let before = files(folder.path());
    for access in [Access::Write, Access::Beside, Access::Read] {
        let error = Database::open(&path, access).await.err().unwrap();
        assert_eq!(error.code(), "store.log");
    }
    assert!(files(folder.path()) == before, "something was written");
    for (path, _) in &left {
        fs::remove_file(path).unwrap();
    }
    let store = Database::open(&path, Access::Write).await.unwrap();
    // The file's own log is accepted.
    write(&store, 2).await.unwrap();
    Database::open(&path, Access::Read).await.unwrap();
}

#[tokio::test]
async fn a_file_that_comes_back_is_not_taken_up_again() {
    let Opened { store, folder } = open().await;
    let path = folder.path().join("ruzhi.db");
    fs::rename(&path, folder.path().join("away")).unwrap();
    assert!(is_exchanged(store.check_place()));
    fs::rename(folder.path().join("away"), &path).unwrap();
    assert!(is_exchanged(write(&store, 1).await));
}

#[tokio::test]
async fn one_file_has_one_lock_by_whatever_link_it_is_reached() {
    let Opened { store, folder } = open().await;
    let path = folder.path().join("ruzhi.db");
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("other.db");
    symlink(&path, &link).unwrap();
    let second = Database::open(&link, Access::Write).await;
    assert!(matches!(second, Err(StoreError::Locked { .. })));
    let linked = elsewhere.path().join("folder");
    symlink(folder.path(), &linked).unwrap();
    let second = Database::open(&linked.join("ruzhi.db"), Access::Write).await;
    assert!(matches!(second, Err(StoreError::Locked { .. })));
    store.close().await;
    drop(store);

    // A link is redirected while a process keeps running on its former target.
    let store = Database::open(&link, Access::Write).await.unwrap();
    write(&store, 1).await.unwrap();
    fs::remove_file(&link).unwrap();
    let other = elsewhere.path().join("really-other.db");
    fs::write(&other, "").unwrap();
    symlink(&other, &link).unwrap();
    assert!(is_exchanged(write(&store, 2).await));
    assert_eq!(fs::read(&other).unwrap(), b"");
}

#[tokio::test]
async fn a_file_with_two_names_is_opened_under_neither() {
    let Opened { store, folder } = open().await;
    store.close().await;
    drop(store);
    let (path, other) = (folder.path().join("ruzhi.db"), folder.path().join("other.db"));
    fs::hard_link(&path, &other).unwrap();
    for path in [&path, &other] {
        for access in [Access::Write, Access::Beside, Access::Read] {
            let error = Database::open(path, access).await.err().unwrap();
            assert_eq!(error.code(), "store.names");
            assert_eq!(
                error.to_string(),
                format!("the store {} has another name (a hard link)", path.display())
            );
        }
    }
    fs::remove_file(&other).unwrap();
    Database::open(&path, Access::Write).await.unwrap();
}

#[test]
fn a_store_that_several_processes_open_for_the_first_time_is_made_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ruzhi.db");
        let open = |access| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Database::open(&path, access)).map(drop)
        };
        std::thread::scope(|scope| {
            let accesses = [Access::Write].into_iter().chain([Access::Read; 7]);
            let opened: Vec<_> = accesses.map(|access| scope.spawn(move || open(access))).collect();
            opened.into_iter().for_each(|opened| opened.join().unwrap().unwrap());
        });
    }
}

#[tokio::test]
async fn what_is_no_regular_file_is_no_store_and_is_told_at_once() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
    for path in [pipe.as_path(), folder.path(), Path::new("/dev/null")] {
        let error = Database::open(path, Access::Write).await.err().unwrap();
        assert_eq!(error.code(), "store.open", "{}", path.display());
    }
}
