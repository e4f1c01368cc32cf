//! Reasons metadata cannot become a tenant.

use std::fmt;

use ruzhi_guest::contract;
use ruzhi_guest_member::Finding;

use super::json::{Slip, SlipKind};
use ruzhi_model::Text;

/// A place in a file. Lines and columns are counted from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    /// The file, as named by the user.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl SourcePlace {
    /// The place of a byte of a text.
    pub(super) fn of(file: &str, text: &str, at: usize) -> Self {
        let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let column =
            text.get(start..at).map_or(0, |line| line.trim_start_matches('\u{feff}').chars().count()) + 1;
        Self { file: file.to_owned(), line, column }
    }
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The reason an import failed. Nothing is written then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A text is larger than any metadata.
    #[error("{file} is too large: {bytes} bytes")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        bytes: usize,
    },
    /// The text is not JSON, and its intended meaning is unclear.
    #[error("{place}: broken JSON: {}", .what.en)]
    Syntax {
        /// The place.
        place: SourcePlace,
        /// The problem.
        what: Text,
    },
    /// Too many braces begin nothing for the text to be searched.
    #[error("{file} cannot be searched for metadata")]
    Tangled {
        /// The file.
        file: String,
    },
    /// No metadata that creates members was found.
    #[error("no metadata of /cgi-bin/user/create in {}", .files.join(", "))]
    NoTarget {
        /// The files.
        files: Vec<String>,
        /// Metadata of other interfaces, with its place.
        others: Vec<String>,
    },
    /// Several different metadata create members.
    #[error("metadata of /cgi-bin/user/create stands {} times: {}", .places.len(), list(.places))]
    SeveralTargets {
        /// Their places.
        places: Vec<SourcePlace>,
    },
    /// A property of the form is given twice, with different values.
    #[error("two sources: {what} differs between {first} and {second}")]
    SeveralSources {
        /// The key.
        what: &'static str,
        /// Its first place.
        first: SourcePlace,
        /// Its second place.
        second: SourcePlace,
    },
    /// A field of WeCom is filled twice, with different values.
    #[error("{second}: the field `{field}` is filled already at {first}")]
    FieldTwice {
        /// The field.
        field: String,
        /// Its first place.
        first: SourcePlace,
        /// Its second place.
        second: SourcePlace,
    },
    /// More fields than metadata has.
    #[error("{place}: {count} entries; at most {most} are read")]
    TooMany {
        /// The place.
        place: SourcePlace,
        /// The number of fields.
        count: usize,
        /// The limit.
        most: usize,
    },
    /// The form's service would not understand the filter, so other rows than intended would be read.
    #[error("{place}: the filter cannot be used: {}", .why.en)]
    Filter {
        /// The place.
        place: SourcePlace,
        /// The reason.
        why: Text,
    },
    /// The default guest rejects the rules.
    #[error("{place}: the metadata does not make a rules file: {}", reasons_in(.reasons, |text| &text.en))]
    Rules {
        /// The place of the metadata.
        place: SourcePlace,
        /// The guest's reasons.
        reasons: Vec<Finding>,
    },
}

/// Maximum length of a displayed reason in characters: it may quote a whole value.
const REASON_MOST: usize = 400;

/// The guest's reasons in one language, each with its place in the guest's own list.
fn reasons_in(reasons: &[Finding], lang: fn(&contract::Text) -> &String) -> String {
    let one = |Finding { place, text }: &Finding| {
        let separator = if place.is_empty() { "" } else { ": " };
        format!("{place}{separator}{}", lang(text)).chars().take(REASON_MOST).collect::<String>()
    };
    reasons.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn list(places: &[SourcePlace]) -> String {
    places.iter().map(SourcePlace::to_string).collect::<Vec<_>>().join(", ")
}

impl ImportError {
    /// A syntax error in a text.
    pub(super) fn syntax(file: &str, text: &str, slip: &Slip) -> Self {
        Self::Syntax { place: SourcePlace::of(file, text, slip.at), what: explain(&slip.what) }
    }

    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "import.too-large",
            Self::Syntax { .. } => "import.syntax",
            Self::Tangled { .. } => "import.tangled",
            Self::NoTarget { .. } => "import.no-target",
            Self::SeveralTargets { .. } => "import.several-targets",
            Self::SeveralSources { .. } => "import.several-sources",
            Self::FieldTwice { .. } => "import.field-twice",
            Self::TooMany { .. } => "import.too-many-entries",
            Self::Filter { .. } => "import.filter",
            Self::Rules { .. } => "import.rules",
        }
    }

    /// The problem.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::TooLarge { file, bytes } => format!("{file} 太大：{bytes} 字节"),
            Self::Syntax { place, what } => format!("{place}：JSON 语法有误：{}", what.zh),
            Self::Tangled { file } => format!("无法在 {file} 中查找元数据"),
            Self::NoTarget { files, .. } => {
                format!("{} 中没有 /cgi-bin/user/create 的元数据", files.join("、"))
            }
            Self::SeveralTargets { places } => {
                format!("/cgi-bin/user/create 的元数据有 {} 份：{}", places.len(), list(places))
            }
            Self::SeveralSources { what, first, second } => {
                format!("有两份数据源：{first} 与 {second} 的 {what} 不同")
            }
            Self::FieldTwice { field, first, second } => {
                format!("{second}：字段 {field} 在 {first} 已有取值")
            }
            Self::TooMany { place, count, most } => format!("{place}：有 {count} 项，最多 {most} 项"),
            Self::Filter { place, why } => format!("{place}：筛选条件无法使用：{}", why.zh),
            Self::Rules { place, reasons } => {
                format!("{place}：元数据无法成为规则文件：{}", reasons_in(reasons, |text| &text.zh))
            }
        };
        Text::new(self.to_string(), zh)
    }

    /// The next step.
    pub fn hint(&self) -> Text {
        match self {
            Self::TooLarge { .. } | Self::Tangled { .. } => {
                Text::new("give a file that holds the metadata and little else", "请只提供含有元数据的文件")
            }
            Self::Syntax { .. } => Text::new(
                "correct it there, or copy the metadata from the platform once more",
                "请在该处更正，或从平台重新复制元数据",
            ),
            Self::NoTarget { others, .. } if others.is_empty() => Text::new(
                "copy the target platform's metadata (the JSON with \"api\": \"/cgi-bin/user/create\" and \"request\") into a file",
                "请把目标平台的元数据（含 \"api\": \"/cgi-bin/user/create\" 和 \"request\" 的 JSON）存成文件",
            ),
            Self::NoTarget { others, .. } => Text::new(
                format!(
                    "found only {}; add the target platform's metadata, the one of /cgi-bin/user/create",
                    others.join(", ")
                ),
                format!("只找到 {}；还需要目标平台 /cgi-bin/user/create 的元数据", others.join("、")),
            ),
            Self::SeveralTargets { .. } => Text::new(
                "import one of them at a time; then put the second one's [[flows]] into the first one's tenant file",
                "请一次导入一份，再把第二份的 [[flows]] 并入第一份的工厂配置文件",
            ),
            Self::SeveralSources { .. } => Text::new(
                "give only the metadata and request body of one form",
                "请只提供同一张表单的元数据和请求体",
            ),
            Self::FieldTwice { .. } => Text::new("remove one of the two entries", "请删去其中一项"),
            Self::TooMany { .. } => Text::new("remove the entries without a value", "请删去没有取值的项"),
            Self::Filter { .. } => Text::new(
                "correct the condition there; only {{LAST_SYNC_TIME|datetime}} is known of the platform's variables",
                "请在该处更正条件；平台变量只支持 {{LAST_SYNC_TIME|datetime}}",
            ),
            Self::Rules { .. } => Text::new(
                "correct the metadata as said; docs/reference/rules-file.md has a line for each key",
                "请按提示更正元数据；每个键的说明见 docs/reference/rules-file.md",
            ),
        }
    }
}

fn explain(what: &SlipKind) -> Text {
    let (en, zh) = match what {
        SlipKind::End => ("it ends in the middle: something is missing at the end", "没有写完，结尾缺内容"),
        SlipKind::Wanted(en, zh) => return Text::new(format!("{en} belongs here"), format!("此处应为{zh}")),
        SlipKind::SingleQuote => ("a text stands in \"…\", not in '…'", "文本应写在 \"…\" 中，而不是 '…'"),
        SlipKind::RawControl => {
            ("a line break or control character in the middle of a text", "文本中间有换行或控制字符")
        }
        SlipKind::Escape => ("a `\\` that begins nothing JSON knows", "`\\` 之后不是 JSON 的转义"),
        SlipKind::Number => ("this is no number", "这不是数字"),
        SlipKind::TwoValues(key) => {
            return Text::new(
                format!("the key `{key}` stands twice with two values"),
                format!("键 `{key}` 出现两次且取值不同"),
            );
        }
        SlipKind::TooDeep => ("too many objects and lists in each other", "嵌套过深"),
    };
    Text::new(en, zh)
}
