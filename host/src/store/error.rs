//! What can go wrong with the store.

use std::path::PathBuf;

use crate::model::Text;

/// A store that could not do what it was asked; nothing of it is half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be made.
    #[error("cannot open the store {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the store.
    #[error("another ruzhi is running on {}", path.display())]
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// The database does not open or migrate.
    #[error("the store {} cannot be used: {reason}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The database's words.
        reason: String,
    },
    /// A read failed.
    #[error("cannot read {what} from the store")]
    Read {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A write failed and was undone.
    #[error("cannot write {what} to the store{}", reason(source))]
    Write {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value is not what this version writes.
    #[error("the store holds {what} that this version cannot read: {value}")]
    Value {
        /// What.
        what: &'static str,
        /// The beginning of it.
        value: String,
    },
}

/// SQLite's word for a full disk is worth repeating; anything else is in the source.
fn reason(source: &sqlx::Error) -> &'static str {
    if source.to_string().contains("full") { ": the disk is full" } else { "" }
}

impl StoreError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "store.open",
            Self::Locked { .. } => "store.locked",
            Self::Database { .. } => "store.database",
            Self::Read { .. } => "store.read",
            Self::Write { .. } => "store.write",
            Self::Value { .. } => "store.value",
        }
    }

    /// What happened, to what.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Open { path, .. } => format!("无法打开存储文件 {}", path.display()),
            Self::Locked { path } => format!("另一个 ruzhi 正在使用 {}", path.display()),
            Self::Database { path, .. } => format!("存储文件 {} 无法使用", path.display()),
            Self::Read { .. } => "无法读取存储".to_owned(),
            Self::Write { source, .. } if reason(source).is_empty() => "无法写入存储".to_owned(),
            Self::Write { .. } => "无法写入存储：磁盘已满".to_owned(),
            Self::Value { .. } => "存储中有本版本无法读取的内容".to_owned(),
        };
        Text::new(self.to_string(), zh)
    }

    /// What to do next.
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
