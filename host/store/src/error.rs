//! Errors of the store.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;

use ruzhi_model::Text;

/// SQLite's result code `SQLITE_FULL`: no room on the disk, or no further page allowed.
const SQLITE_FULL: i32 = 13;
/// The bits of an extended result code that are the result code (<https://www.sqlite.org/rescode.html>).
const RESULT_CODE: i32 = 0xff;

/// A failed request to the store; nothing of it is half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be created.
    #[error("cannot open the store {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the store.
    #[error("another ruzhi is running on {}", path.display())]
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// The file has a second name, under which it would have a second log.
    #[error("the store {} {}", path.display(), names(*is_mount).en)]
    Names {
        /// The file.
        path: PathBuf,
        /// It is a mount of its own; otherwise it has a hard link.
        is_mount: bool,
    },
    /// The log beside the file belongs to another file.
    #[error("the log {} is not that of the store {}", path.display(), store.display())]
    Log {
        /// The store's file.
        store: PathBuf,
        /// The log.
        path: PathBuf,
    },
    /// The file, its log or its lock is no longer the one that was opened.
    #[error(
        "the store {} was removed or exchanged while ruzhi ran on it ({}); nothing has been written since",
        store.display(),
        path.display()
    )]
    Exchanged {
        /// The store's file, as configured.
        store: PathBuf,
        /// The file that is gone or was replaced.
        path: PathBuf,
    },
    /// The database cannot be opened or migrated.
    #[error("the store {} cannot be used{}", path.display(), reason(source))]
    Database {
        /// The file.
        path: PathBuf,
        /// The database's error.
        source: sqlx::Error,
    },
    /// A read failed.
    #[error("cannot read {what} from the store")]
    Read {
        /// The rows being read.
        what: &'static str,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A write failed and was rolled back.
    #[error("cannot write {what} to the store{}", reason(source))]
    Write {
        /// The rows being written.
        what: &'static str,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value is not one this version writes.
    #[error("the store holds {what} that this version cannot read: {value}")]
    Value {
        /// The kind of value.
        what: &'static str,
        /// Its beginning.
        value: String,
    },
}

/// Names a full disk; any other reason is in the source.
fn reason(source: &sqlx::Error) -> &'static str {
    if says_full(source) { ": the disk is full" } else { "" }
}

/// True if SQLite reports a full disk for a statement or a migration.
fn says_full(error: &sqlx::Error) -> bool {
    result_code(error) == Some(SQLITE_FULL)
}

/// SQLite's result code of a failed statement or migration; the driver gives the extended one, as a number in text.
fn result_code(error: &sqlx::Error) -> Option<i32> {
    if let sqlx::Error::Migrate(migration) = error {
        return match migration.as_ref() {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => result_code(source),
            _ => None,
        };
    }
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & RESULT_CODE)
}

/// Names the kind of the file's second name.
fn names(is_mount: bool) -> Text {
    if is_mount {
        Text::new("is mounted without its folder", "是单独挂载的文件，其目录未一同挂载")
    } else {
        Text::new("has another name (a hard link)", "另有一个名字（硬链接）")
    }
}

impl StoreError {
    /// Makes the error of a failed read.
    pub(crate) fn read(what: &'static str) -> impl Fn(sqlx::Error) -> Self + Copy {
        move |source| Self::Read { what, source }
    }

    /// Makes the error of a failed write.
    pub(crate) fn write(what: &'static str) -> impl Fn(sqlx::Error) -> Self + Copy {
        move |source| Self::Write { what, source }
    }

    /// True if the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Write { source, .. } if says_full(source))
    }

    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "store.open",
            Self::Locked { .. } => "store.locked",
            Self::Names { .. } => "store.names",
            Self::Log { .. } => "store.log",
            Self::Exchanged { .. } => "store.exchanged",
            Self::Database { .. } => "store.database",
            Self::Read { .. } => "store.read",
            Self::Write { .. } => "store.write",
            Self::Value { .. } => "store.value",
        }
    }

    /// The failure and its subject.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Open { path, .. } => format!("无法打开存储文件 {}", path.display()),
            Self::Locked { path } => format!("另一个 ruzhi 正在使用 {}", path.display()),
            Self::Names { path, is_mount } => format!("存储文件 {} {}", path.display(), names(*is_mount).zh),
            Self::Log { store, path } => {
                format!("日志文件 {} 不属于存储文件 {}", path.display(), store.display())
            }
            Self::Exchanged { store, path } => format!(
                "存储文件 {} 在 ruzhi 运行期间被删除或替换（{}）；此后未写入任何内容",
                store.display(),
                path.display()
            ),
            Self::Database { path, source } if says_full(source) => {
                format!("存储文件 {} 无法使用：磁盘已满", path.display())
            }
            Self::Database { path, .. } => format!("存储文件 {} 无法使用", path.display()),
            Self::Read { .. } => "无法读取存储".to_owned(),
            Self::Write { source, .. } if says_full(source) => "无法写入存储：磁盘已满".to_owned(),
            Self::Write { .. } => "无法写入存储".to_owned(),
            Self::Value { .. } => "存储中有本版本无法读取的内容".to_owned(),
        };
        Text::new(self.to_string(), zh)
    }

    /// The next step for the reader.
    pub fn hint(&self) -> Text {
        match self {
            Self::Open { .. } => Text::new(
                "check that the folder exists and that this user may write there",
                "请检查该目录是否存在，以及当前用户是否有写入权限",
            ),
            Self::Locked { .. } => Text::new(
                "if it is `ruzhi serve`, ask for this on its pages or by its API; else wait until it has ended: two at once could invite someone twice",
                "若它是 `ruzhi serve`，请在其页面或通过其 API 操作；否则请等待其结束：同时运行两个可能重复邀请成员",
            ),
            Self::Names { is_mount: true, .. } => Text::new(
                "mount the folder, not the file: the store's log lies beside it",
                "请挂载整个目录而不是单个文件：存储的日志文件在其旁边",
            ),
            Self::Names { .. } => Text::new(
                "remove the other name (`find -samefile` finds it): ruzhi under the one would not see what ruzhi under the other writes, and the file would be damaged",
                "请删除另一个名字（可用 `find -samefile` 查找）：以不同名字打开同一文件会互相覆盖并损坏文件",
            ),
            Self::Log { store, .. } => Text::new(
                format!(
                    "if a backup was put in its place, remove what the file before left: `rm {0}-wal {0}-shm` (it would be written into the backup); if all these files were moved here together, remove {0}.lock instead",
                    store.display()
                ),
                format!(
                    "若此处放回了备份，请删除旧文件遗留的日志：`rm {0}-wal {0}-shm`（否则会写入备份）；若这些文件是一起移动过来的，请改为删除 {0}.lock",
                    store.display()
                ),
            ),
            Self::Exchanged { .. } => Text::new(
                "put the right file in its place, remove what is left of another (`-wal`, `-shm` beside it) and start ruzhi again; to restore a backup, end ruzhi first (docs/guide/install.md). What was under way is settled with WeCom",
                "请放回正确的文件，删除旁边属于其他文件的 `-wal`、`-shm`，然后重新启动 ruzhi；恢复备份前请先停止 ruzhi（见 docs/guide/install.md）。中断的操作会先与企业微信核对",
            ),
            Self::Database { .. } | Self::Value { .. } => Text::new(
                "check first that the disk has room and works; if the file is from a newer ruzhi, use that one; only if it is damaged, restore the backup",
                "请先检查磁盘空间与状态；若该文件由更新版本的 ruzhi 写入，请使用该版本；只有文件确已损坏时才恢复备份",
            ),
            Self::Read { .. } => Text::new(
                "check the disk and the file's permissions, then run again",
                "请检查磁盘与文件权限后重试",
            ),
            Self::Write { .. } => Text::new(
                "free some disk space and run again: what was done is settled with WeCom first, nothing is done twice",
                "请清理磁盘空间后重试：下次运行会先与企业微信核对，不会重复操作",
            ),
        }
    }
}
