//! Errors of a case file, worded for its author.

use std::path::PathBuf;

use ruzhi_files::file::because;
use ruzhi_model::Text;

/// The reason a case cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file or the folder cannot be read.
    #[error("cannot read {}{}", path.display(), because(source).en)]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The file is not JSON of the right shape.
    #[error("{}:{line}: this is no case file", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The message of the parser.
        #[source]
        source: serde_json::Error,
    },
    /// The contents are invalid.
    #[error("{}:{line}: {}", path.display(), what.en)]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The problem.
        what: Text,
    },
}

impl CaseError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "case.unreadable",
            Self::Syntax { .. } => "case.syntax",
            Self::Invalid { .. } => "case.invalid",
        }
    }

    /// The problem, naming the file.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::Read { path, source } => format!("无法读取 {}{}", path.display(), because(source).zh),
            Self::Syntax { path, line, .. } => format!("{}:{line}：这不是用例文件", path.display()),
            Self::Invalid { path, line, what } => format!("{}:{line}：{}", path.display(), what.zh),
        };
        Text::new(self.to_string(), zh)
    }

    /// The next step.
    pub fn hint(&self) -> Text {
        match self {
            Self::Read { .. } => Text::new(
                "the file must be there, readable and UTF-8",
                "请确认文件存在、可读，且为 UTF-8 编码",
            ),
            Self::Syntax { .. } | Self::Invalid { .. } => Text::new(
                r#"a case is { "now", "timezone", "rules"?, "rows": […], "decisions": […] }, a decision {"upsert": {…}}, {"leave": "userid"}, {"ignore": "why"} or {"reject": [{"field", "rule", "message"}]}, with "notes": […] if there are any"#,
                r#"用例的格式为 { "now", "timezone", "rules"（可选）, "rows": […], "decisions": […] }；判定为 {"upsert": {…}}、{"leave": "userid"}、{"ignore": "原因"} 或 {"reject": [{"field", "rule", "message"}]}，有备注时加 "notes": […]"#,
            ),
        }
    }
}
