//! Errors of a guest, worded for the person who runs it or wrote it.

use std::path::PathBuf;

use ruzhi_guest::component::VERSION;

use ruzhi_files::file::because;
use ruzhi_model::Text;

/// The reason a component does not go live. The previous one keeps running.
#[derive(Debug, thiserror::Error)]
pub enum GuestLoadError {
    /// The file cannot be read.
    #[error("cannot read the component {}{}", path.display(), because(source).en)]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The rules file cannot be read as UTF-8 text.
    #[error("cannot read the rules file {}{}", path.display(), because(source).en)]
    Rules {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than a component may be.
    #[error("the component has {bytes} bytes; at most {most} are accepted")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// The tenant's file pins another component.
    #[error("the component's SHA-256 is {found}, the flow pins {pinned}")]
    Pin {
        /// The file's digest.
        found: String,
        /// The pinned digest.
        pinned: String,
    },
    /// The file is not a component.
    #[error("this is not a WebAssembly component: {found}")]
    NotAComponent {
        /// Its apparent kind.
        found: ErrorText,
    },
    /// The file does not compile.
    #[error("the component is damaged or uses features this host does not run: {reason}")]
    Compile {
        /// The message of wasmtime.
        reason: String,
    },
    /// Compiling the component would take too much work.
    #[error(
        "compiling the component would take too long: its code counts for more than {most} bytes, large functions and functions with many locals more than others"
    )]
    TooComplex {
        /// The limit.
        most: u64,
    },
    /// The component imports something.
    #[error("the component imports `{import}`; a mapping guest may import nothing that can be called")]
    Import {
        /// The import.
        import: String,
        /// The way to build without it.
        fix: ErrorText,
    },
    /// The component does not export the contract.
    #[error("the component does not export `{WORLD}`: {reason}")]
    Contract {
        /// The message of wasmtime.
        reason: String,
    },
    /// The component implements another version of the contract.
    #[error("the component was built for {built_for}, this host speaks 0.1 and {VERSION}")]
    Version {
        /// The version, such as `0.2`.
        built_for: String,
    },
    /// The component traps on start.
    #[error("the component fails when it starts: {0}")]
    Start(Box<BatchError>),
    /// `describe` failed.
    #[error("the guest's `describe` failed: {0}")]
    Describe(Box<BatchError>),
    /// The guest rejects its rules file.
    #[error("the guest refuses its configuration ({code}): {message}")]
    Configuration {
        /// The guest's code.
        code: String,
        /// The guest's message.
        message: String,
    },
    /// The description breaks the contract.
    #[error("the guest's description is not usable: {reason}")]
    Description {
        /// The violation.
        reason: String,
    },
    /// The process trying the component crashed.
    #[error("the process in which the component was tried ended by itself: {how}")]
    Died {
        /// The way it ended.
        how: String,
    },
    /// The process that would try the component does not start.
    #[error("cannot start a process to try the component in")]
    Rehearsal {
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A process of this program crashed on its first use of the rules.
    #[error("ruzhi ended by itself while it first used these rules, at {at}")]
    Quarantined {
        /// The start of that use.
        at: String,
    },
    /// Another process is trying the rules now.
    #[error("another process of ruzhi is trying these rules now")]
    TriedElsewhere,
    /// The engine cannot be created.
    #[error("the WebAssembly engine cannot be started: {reason}")]
    Engine {
        /// The message of wasmtime.
        reason: String,
    },
}

/// A short bilingual text inside an error; `Display` is English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorText(pub Text);

impl std::fmt::Display for ErrorText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.en)
    }
}

/// The name of instantiation in messages.
pub(super) const START: &str = "start";

pub(super) const WORLD: &str = "ruzhi:mapping/mapper@0.2.0";

impl GuestLoadError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "guest.unreadable",
            Self::Rules { .. } => "guest.rules-unreadable",
            Self::TooLarge { .. } => "guest.too-large",
            Self::Pin { .. } => "guest.pin",
            Self::NotAComponent { .. } => "guest.not-a-component",
            Self::Compile { .. } => "guest.damaged",
            Self::TooComplex { .. } => "guest.too-complex",
            Self::Import { .. } => "guest.import",
            Self::Contract { .. } => "guest.contract",
            Self::Version { .. } => "guest.version",
            Self::Start(_) => "guest.start",
            Self::Describe(_) => "guest.describe",
            Self::Configuration { .. } => "guest.configuration",
            Self::Description { .. } => "guest.description",
            Self::Died { .. } => "guest.died",
            Self::Rehearsal { .. } => "guest.no-process",
            Self::Quarantined { .. } => "guest.quarantined",
            Self::TriedElsewhere => "guest.tried-elsewhere",
            Self::Engine { .. } => "guest.engine",
        }
    }

    /// The problem and its subject.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Read { path, source } => {
                format!("无法读取组件文件 {}{}", path.display(), because(source).zh)
            }
            Self::Rules { path, source } => {
                format!("无法读取规则文件 {}{}", path.display(), because(source).zh)
            }
            Self::TooLarge { bytes, most } => format!("组件有 {bytes} 字节，最多 {most} 字节"),
            Self::Pin { found, pinned } => format!("组件的 SHA-256 为 {found}，而同步流指定的是 {pinned}"),
            Self::NotAComponent { found } => format!("这不是 WebAssembly 组件：{}", found.0.zh),
            Self::Compile { reason } => format!("组件已损坏，或使用了本程序不支持的特性：{reason}"),
            Self::TooComplex { most } => {
                format!("编译该组件耗时过长：其代码折合超过 {most} 字节，函数越大、局部变量越多，折合越多")
            }
            Self::Import { import, .. } => format!("组件导入了 `{import}`；规则组件不得导入任何可调用的接口"),
            Self::Contract { reason, .. } => format!("组件没有导出 `{WORLD}`：{reason}"),
            Self::Version { built_for } => {
                format!("该组件是为契约 {built_for} 构建的，本程序支持 0.1 与 {VERSION}")
            }
            Self::Start(error) => format!("组件启动失败：{}", error.text().zh),
            Self::Describe(error) => format!("规则组件的 `describe` 失败：{}", error.text().zh),
            Self::Configuration { code, message } => format!("规则组件不接受其配置（{code}）：{message}"),
            Self::Description { reason } => format!("规则组件的自述无法使用：{reason}"),
            Self::Died { how } => format!("试用该组件的进程自行终止：{how}"),
            Self::Rehearsal { source } => format!("无法启动试用组件的进程：{source}"),
            Self::Quarantined { at } => format!("ruzhi 在首次使用这套规则时意外退出（{at}）"),
            Self::TriedElsewhere => "另一个 ruzhi 进程正在试用这套规则".to_owned(),
            Self::Engine { reason } => format!("无法启动 WebAssembly 引擎：{reason}"),
        };
        Text::new(self.to_string(), zh)
    }

    /// The next step at a terminal.
    pub fn hint(&self) -> Text {
        match self {
            Self::Read { .. } => Text::new(
                "check the path (in a tenant's file it stands after `component =`); `make guests` builds the ones that come with ruzhi",
                "请检查路径（在工厂配置文件中写在 `component =` 之后）；随 ruzhi 提供的规则组件用 `make guests` 构建",
            ),
            Self::Rules { .. } => Text::new(
                "check the path (in a tenant's file it stands after `config =`); the file must be UTF-8",
                "请检查路径（在工厂配置文件中写在 `config =` 之后）；文件须为 UTF-8 编码",
            ),
            Self::TooLarge { .. } => Text::new(
                "build the guest in release mode and strip it",
                "请以 release 方式构建规则组件并去除调试信息",
            ),
            Self::Pin { .. } => Text::new(
                "if the new component is meant, put its SHA-256 into the flow's `sha256`; otherwise restore the old file",
                "若确要使用新组件，请把它的 SHA-256 写入同步流的 `sha256`；否则请恢复旧文件",
            ),
            Self::NotAComponent { .. } => Text::new(
                "`ruzhi guest build DIRECTORY` makes a component from a project in Rust, TypeScript or Python",
                "用 `ruzhi guest build 目录` 可由 Rust、TypeScript 或 Python 项目生成组件",
            ),
            Self::Compile { .. } => Text::new("build the component again", "请重新构建该组件"),
            Self::TooComplex { .. } => Text::new(
                "let the rules be data, not code: no function may hold a whole table; build in release mode",
                "请把数据放在数据段或规则文件中，不要写成巨大的函数；并以 release 方式构建",
            ),
            Self::Import { fix, .. } => fix.0.clone(),
            Self::Contract { .. } => {
                Text::new("build it against wit/v0.2 of this release", "请按本版本的 wit/v0.2 重新构建")
            }
            Self::Version { .. } => Text::new(
                format!(
                    "run a ruzhi that speaks its version, or build it with this one: `ruzhi guest build DIRECTORY` against the SDK of contract {VERSION} (`ruzhi guest new` brings it)"
                ),
                format!(
                    "请使用支持该版本的 ruzhi，或用本程序重新构建：`ruzhi guest build 目录`，SDK 须为契约 {VERSION} 的版本（`ruzhi guest new` 自带）"
                ),
            ),
            Self::Start(_) | Self::Describe(_) => Text::new(
                "the fault is in the guest: tell its author what is said above",
                "问题出在规则组件：请把以上内容告知其作者",
            ),
            Self::Configuration { .. } => {
                Text::new("correct the rules file, then run again", "请修改规则文件后重试")
            }
            Self::Description { .. } => Text::new("tell the guest's author", "请告知规则组件的作者"),
            Self::Died { .. } => Text::new(
                "use another component; that this one ends a process, or takes more than 4 GiB or 4 minutes to compile, is worth a report with its file",
                "请换用其他组件；若某组件会使进程终止，或编译超过 4 GiB 内存或 4 分钟，请附上组件文件反馈",
            ),
            Self::Rehearsal { .. } => Text::new(
                "check the limits on processes and open files of ruzhi's user (`TasksMax`, `LimitNOFILE`)",
                "请检查 ruzhi 用户的进程数与打开文件数限制（`TasksMax`、`LimitNOFILE`）",
            ),
            Self::Quarantined { .. } => Text::new(
                "the rules are not tried again by themselves: put other rules in place, or, if the process was ended from outside (power, memory, kill), let them be tried again with `ruzhi rules confirm TENANT/FLOW`",
                "这套规则不会自动重试：请更换规则；若进程是被外部终止的（断电、内存不足、kill），可用 `ruzhi rules confirm 工厂/同步流` 允许再次试用",
            ),
            Self::TriedElsewhere => Text::new("the next run tries again", "下次运行会再试"),
            Self::Engine { .. } => Text::new(
                "lower `memory` in ruzhi.toml, or raise the limit on address space (`ulimit -v`)",
                "请在 ruzhi.toml 中调低 `memory`，或放宽地址空间限制（`ulimit -v`）",
            ),
        }
    }

    /// The next step on a page, where it is not the one at a terminal.
    pub fn page_hint(&self) -> Option<Text> {
        let hint = match self {
            Self::Read { .. } => Text::new(
                "check the path: in a tenant's file it stands after `component =`",
                "请检查路径：在工厂配置文件中写在 `component =` 之后",
            ),
            Self::NotAComponent { .. } => Text::new(
                "have the guest's author build it: a component is made from a project in Rust, TypeScript or Python",
                "请规则组件的作者重新构建：组件由 Rust、TypeScript 或 Python 项目生成",
            ),
            Self::Version { .. } => Text::new(
                format!(
                    "run a ruzhi that speaks its version, or have the guest's author build it with the SDK of contract {VERSION}"
                ),
                format!("请使用支持该版本的 ruzhi，或请规则组件的作者用契约 {VERSION} 的 SDK 重新构建"),
            ),
            Self::Import { import, .. } if import.starts_with("wasi:") => Text::new(
                "have the guest's author build it without WASI: time and configuration come as arguments",
                "请规则组件的作者去掉 WASI 后重新构建：时间与配置由参数传入",
            ),
            Self::Quarantined { .. } => Text::new(
                "the rules are not tried again by themselves: put other rules in place, or, if the process was ended from outside (power, memory, kill), ask the server's administrator to allow them again",
                "这套规则不会自动重试：请更换规则；若进程是被外部终止的（断电、内存不足、kill），请服务器管理员允许再次试用",
            ),
            _ => return None,
        };
        Some(hint)
    }
}

/// The reason a batch has no outcomes. Only the records of that batch fail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The guest exceeded its deadline.
    #[error("`{function}` ran longer than {deadline_ms} ms and was stopped{batch}")]
    Deadline {
        /// The export that was called.
        function: &'static str,
        /// The limit.
        deadline_ms: u64,
        /// The batch.
        batch: BatchSpan,
    },
    /// The guest exceeded its memory limit.
    #[error("`{function}` wanted {wanted} bytes of memory, at most {most} are given{batch}")]
    Memory {
        /// The export that was called.
        function: &'static str,
        /// The requested size.
        wanted: usize,
        /// The limit.
        most: usize,
        /// The batch.
        batch: BatchSpan,
    },
    /// The guest exceeded its table limit.
    #[error("`{function}` wanted a table of {wanted} elements, at most {most} are given{batch}")]
    Table {
        /// The export that was called.
        function: &'static str,
        /// The requested size.
        wanted: usize,
        /// The limit.
        most: usize,
        /// The batch.
        batch: BatchSpan,
    },
    /// The guest's answer is larger than the host copies.
    #[error("`{function}` answered with too much data{batch}")]
    Answer {
        /// The export that was called.
        function: &'static str,
        /// The batch.
        batch: BatchSpan,
    },
    /// The guest panicked, overflowed its stack or failed in another way.
    #[error("`{function}` trapped{batch}: {reason}")]
    Trap {
        /// The export that was called.
        function: &'static str,
        /// The message of wasmtime.
        reason: String,
        /// The batch.
        batch: BatchSpan,
    },
    /// The guest returned an error for the batch.
    #[error("`{function}` gave up{batch}: {code}: {message}")]
    GuestError {
        /// The export that was called.
        function: &'static str,
        /// The guest's code.
        code: String,
        /// The guest's message.
        message: String,
        /// The batch.
        batch: BatchSpan,
    },
    /// The number of outcomes differs from that of records.
    #[error("`decide` gave {found} outcomes for {expected} records{batch}")]
    Count {
        /// Number of outcomes.
        found: usize,
        /// Number of records.
        expected: usize,
        /// The batch.
        batch: BatchSpan,
    },
}

impl BatchError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Deadline { .. } => "guest.deadline",
            Self::Memory { .. } => "guest.memory",
            Self::Table { .. } => "guest.table",
            Self::Answer { .. } => "guest.answer",
            Self::Trap { .. } => "guest.trap",
            Self::GuestError { .. } => "guest.error",
            Self::Count { .. } => "guest.count",
        }
    }

    /// The problem and its subject.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Deadline { function, deadline_ms, batch } => {
                format!("`{function}` 运行超过 {deadline_ms} 毫秒，已被终止{}", batch.zh())
            }
            Self::Memory { function, wanted, most, batch } => {
                format!("`{function}` 需要 {wanted} 字节内存，最多提供 {most} 字节{}", batch.zh())
            }
            Self::Table { function, wanted, most, batch } => {
                format!("`{function}` 需要 {wanted} 个表项，最多提供 {most} 个{}", batch.zh())
            }
            Self::Answer { function, batch } => format!("`{function}` 返回的数据过多{}", batch.zh()),
            Self::Trap { function, reason, batch } => {
                format!("`{function}` 异常终止{}：{reason}", batch.zh())
            }
            Self::GuestError { function, code, message, batch } => {
                format!("`{function}` 放弃处理{}：{code}：{message}", batch.zh())
            }
            Self::Count { found, expected, batch } => {
                format!("`decide` 对 {expected} 条记录给出 {found} 个判定{}", batch.zh())
            }
        };
        Text::new(self.to_string(), zh)
    }
}

impl BatchError {
    /// True if a single record may be the cause, so that the batch is worth retrying without it. A guest that is too
    /// slow would take its whole time again for each half, and one that miscounts cannot be trusted at all.
    pub(super) fn may_be_of_one_record(&self) -> bool {
        !matches!(self, Self::Deadline { .. } | Self::Count { .. })
    }
}

/// The records of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchSpan {
    /// First record, last record and number of records; `None` for `describe`.
    pub records: Option<(String, String, usize)>,
}

impl BatchSpan {
    fn zh(&self) -> String {
        match &self.records {
            Some((first, last, count)) => format!("（共 {count} 条记录，{first} 至 {last}）"),
            None => String::new(),
        }
    }
}

impl std::fmt::Display for BatchSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.records {
            Some((first, last, count)) => write!(f, " (batch of {count} records, {first} to {last})"),
            None => Ok(()),
        }
    }
}
