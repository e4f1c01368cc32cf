//! A project's name, valid in every language.

use std::fmt;
use std::str::FromStr;

use ruzhi_model::Text;

/// Lower-case letters, digits and hyphens, at most 40, beginning with a letter: the name of the folder, the package
/// and the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectName(String);

/// The reason a text is not a valid project name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    /// The problem.
    pub text: Text,
    /// The remedy.
    pub hint: Text,
}

/// Keywords of the languages, and names of their libraries and of the SDKs.
const TAKEN: [&str; 107] = [
    "abstract",
    "alloc",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "core",
    "crate",
    "debugger",
    "def",
    "default",
    "del",
    "delete",
    "deps",
    "do",
    "dyn",
    "elif",
    "else",
    "enum",
    "except",
    "export",
    "extends",
    "extern",
    "false",
    "final",
    "finally",
    "fn",
    "for",
    "from",
    "function",
    "gen",
    "global",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "incremental",
    "instanceof",
    "interface",
    "is",
    "lambda",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "new",
    "none",
    "nonlocal",
    "not",
    "null",
    "or",
    "override",
    "package",
    "pass",
    "priv",
    "private",
    "proc-macro",
    "protected",
    "pub",
    "public",
    "raise",
    "ref",
    "return",
    "rlsf",
    "rules",
    "ruzhi",
    "ruzhi-guest",
    "self",
    "serde",
    "serde-json",
    "static",
    "std",
    "struct",
    "super",
    "switch",
    "test",
    "tests",
    "this",
    "throw",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "var",
    "virtual",
    "void",
    "where",
    "while",
];

impl ProjectName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The example's text with its name replaced by this one.
    pub(super) fn exchanged(&self, text: &str) -> String {
        let name = self.as_str();
        text.replace("ruzhi-guest-jingxintai", name)
            .replace("ruzhi_guest_jingxintai", &name.replace('-', "_"))
            .replace("Jingxintai", &self.type_name())
            .replace("jingxintai", name)
            .replace("景欣泰", name)
    }

    /// `NorthPlantRules` for `north-plant`. For `member` it would otherwise be a type of the SDK.
    fn type_name(&self) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        };
        self.0.split('-').map(capital).collect::<String>() + "Rules"
    }
}

impl FromStr for ProjectName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let invalid = |en: &str, zh: &str| NameError {
            text: Text::new(
                format!("`{name}` cannot be a guest's name: {en}"),
                format!("“{name}” 不能作为规则组件的名称：{zh}"),
            ),
            hint: Text::new(
                "take lower-case letters, digits and hyphens, the first a letter, such as `north-plant`",
                "请使用小写字母、数字和连字符，并以字母开头，如 `north-plant`",
            ),
        };
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(invalid("it does not begin with a lower-case letter", "没有以小写字母开头"));
        }
        if let Some(other) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
            return Err(invalid(
                &format!("`{}` is neither a lower-case letter, a digit nor a hyphen", other.escape_debug()),
                &format!("`{}` 不是小写字母、数字或连字符", other.escape_debug()),
            ));
        }
        if name.ends_with('-') || name.contains("--") {
            return Err(invalid("a hyphen stands between letters or digits", "连字符只能位于字母或数字之间"));
        }
        if name.len() > 40 {
            return Err(invalid("it has more than 40 characters", "超过 40 个字符"));
        }
        if TAKEN.contains(&name) {
            return Err(invalid(
                "it is a word of Rust, TypeScript or Python, or the name of a library",
                "它是 Rust、TypeScript 或 Python 的保留字，或库的名称",
            ));
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
