//! Errors of building a guest, worded for its author.

use std::path::PathBuf;

use super::common::TARGET;
use ruzhi_model::Text;

/// The reason a build made no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No compiler to WebAssembly is installed.
    #[error("no Rust that can compile to {TARGET} was found")]
    NoToolchain,
    /// No TypeScript compiler is installed.
    #[error("the TypeScript compiler ruzhi-typescript was not found")]
    NoTypeScript,
    /// A TypeScript project has no name.
    #[error("{} cannot be read: {reason}", path.display())]
    PackageJson {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The folder contains no guest's source.
    #[error("{} holds no guest: no Cargo.toml, package.json or pyproject.toml", folder.display())]
    NotAProject {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder is not a Rust package.
    #[error("{} is not the folder of a Rust package", folder.display())]
    NotAPackage {
        /// The folder.
        folder: PathBuf,
        /// The message of cargo.
        reason: String,
    },
    /// The package has no `cdylib`.
    #[error("the package {package} has no library of crate-type cdylib")]
    NotALibrary {
        /// The package.
        package: String,
    },
    /// A program does not start.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: String,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The package does not compile.
    #[error("the package {package} does not compile; the compiler's words are above")]
    Compile {
        /// The package.
        package: String,
    },
    /// The project's manifest lacks something required.
    #[error("cannot read the project's name in {}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The message of the parser.
        reason: String,
    },
    /// The project has no rules.
    #[error("{} is missing", path.display())]
    NoRules {
        /// The path where they should be.
        path: PathBuf,
    },
    /// No builder of Python guests is available.
    #[error("componentize-py, which builds Python guests, is not here and cannot be installed")]
    NoPython {
        /// The messages of the ones tried.
        reason: String,
    },
    /// The rules do not load.
    #[error("the rules do not load:\n{reason}")]
    Python {
        /// Python's message, in the project's paths.
        reason: String,
    },
    /// A file or folder of the build cannot be read or written.
    #[error("cannot copy {}", path.display())]
    Files {
        /// The path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The module is not where cargo puts it.
    #[error("cannot read the compiled module {}", path.display())]
    Module {
        /// The path where it should be.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The module is not a guest.
    #[error("the compiled module cannot be made a component: {reason}")]
    Encode {
        /// The message of the encoder.
        reason: String,
    },
}

impl BuildError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoToolchain => "build.no-toolchain",
            Self::NoTypeScript => "build.no-typescript",
            Self::PackageJson { .. } => "build.package-json",
            Self::NotAProject { .. } => "build.not-a-project",
            Self::NotAPackage { .. } => "build.not-a-package",
            Self::NotALibrary { .. } => "build.not-a-library",
            Self::Run { .. } => "build.run",
            Self::Compile { .. } => "build.compile",
            Self::Manifest { .. } => "build.manifest",
            Self::NoRules { .. } => "build.no-rules",
            Self::NoPython { .. } => "build.no-python",
            Self::Python { .. } => "build.python",
            Self::Files { .. } => "build.files",
            Self::Module { .. } => "build.module",
            Self::Encode { .. } => "build.encode",
        }
    }

    /// The next step.
    pub fn hint(&self) -> Text {
        match self {
            Self::NoToolchain => Text::new(
                format!(
                    "run `rustup target add {TARGET}`, or on Debian `apt-get install rustc-web cargo-web rust-web-src`"
                ),
                format!(
                    "请运行 `rustup target add {TARGET}`；在 Debian 上也可以 `apt-get install rustc-web cargo-web rust-web-src`"
                ),
            ),
            Self::NoTypeScript => Text::new(
                "run `make languages`, which puts ruzhi-typescript beside ruzhi, or put it on the PATH",
                "请运行 `make languages`，它会把 ruzhi-typescript 放在 ruzhi 旁边；也可以把它放在 PATH 中",
            ),
            Self::PackageJson { .. } => Text::new(
                "give the project a package.json with a \"name\" of letters, digits and `-`",
                "请为项目提供 package.json，其中 \"name\" 只含字母、数字和 `-`",
            ),
            Self::NotAProject { .. } => Text::new(
                "give the folder of a guest; `ruzhi guest new NAME --lang rust|typescript|python` makes one",
                "请给出规则组件的目录；`ruzhi guest new 名称 --lang rust|typescript|python` 可新建一个",
            ),
            Self::NotAPackage { .. } => Text::new(
                "give the folder that holds the guest's Cargo.toml",
                "请给出规则组件 Cargo.toml 所在的目录",
            ),
            Self::NotALibrary { .. } => Text::new(
                "add `[lib] crate-type = [\"cdylib\", \"rlib\"]` to its Cargo.toml",
                "请在其 Cargo.toml 中加入 `[lib] crate-type = [\"cdylib\", \"rlib\"]`",
            ),
            Self::Run { .. } => Text::new("install Rust with rustup", "请用 rustup 安装 Rust"),
            Self::Compile { .. } => Text::new("correct the source and build again", "请修改源码后重新构建"),
            Self::Manifest { reason, .. } => Text::new(
                format!("give the file a `[project]` with a `name`: {reason}"),
                format!("请在该文件中写明 `[project]` 和 `name`：{reason}"),
            ),
            Self::NoRules { .. } => Text::new(
                "write the rules in rules.py, a class that derives from ruzhi.Mapping under `@export`",
                "请在 rules.py 中编写规则：以 `@export` 标注的 ruzhi.Mapping 子类",
            ),
            Self::NoPython { reason } => Text::new(
                format!(
                    "install python3 (3.10 or later) with pip, on Debian `apt-get install python3 python3-pip`, and build again: {reason}"
                ),
                format!(
                    "请安装 python3（3.10 及以上）和 pip，在 Debian 上为 `apt-get install python3 python3-pip`，然后重新构建：{reason}"
                ),
            ),
            Self::Python { .. } => Text::new(
                "correct what Python names and build again. A guest may use the standard library, modules of its own folder, and pure Python packages in the project's .venv; all are imported at the top of the file",
                "请改正 Python 指出的问题后重新构建。规则组件可以使用标准库、项目目录中的模块，以及项目 .venv 中的纯 Python 包；请在文件开头导入",
            ),
            Self::Files { .. } => Text::new("check the folder and its permissions", "请检查该目录及其权限"),
            Self::Module { .. } => Text::new("build again", "请重新构建"),
            Self::Encode { .. } => Text::new(
                "export the guest with `ruzhi_guest::export!`, and build against this release's guests/sdk",
                "请用 `ruzhi_guest::export!` 导出规则组件，并使用本版本的 guests/sdk 构建",
            ),
        }
    }
}
