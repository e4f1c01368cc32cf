//! Secrets: referenced in a file, stored elsewhere.
//!
//! A file says `{ env = "NAME" }` or `{ file = "path" }`. A secret written in place is invalid, and neither the
//! message nor the displayed line repeats it: `masks` finds every value that may hold one before any line is
//! displayed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::Diagnostic;
use super::keys;
use super::settings::Secrets;
use super::source::io_text;
use super::suggest;
use super::toml_reader::TomlEntry;
use ruzhi_files::file::{self, UnfitFile};

/// The maximum size of a secret's file; a secret has a hundred bytes.
const MOST_BYTES: u64 = 64 << 10;

/// Source of environment variables.
pub trait SecretSource {
    /// The value of a variable, if it is set and valid Unicode.
    fn env(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

/// Variables that are given.
impl SecretSource for BTreeMap<&'static str, &'static str> {
    fn env(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| (*value).to_owned())
    }
}

impl SecretSource for ProcessEnvironment {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// The keys whose values are secrets.
const KEYS: &[&str] = &["secret", "read_secret", "api_key", "token", "viewer_token", "aes_key", "robot"];
/// Keys whose values are free-form content of the tenant.
const FREE: &[&str] = &["filter", "fields", "request"];

/// Reads the secret an entry refers to. `variable` is the name that a message suggests.
pub(super) fn read(
    entry: &TomlEntry<'_>,
    secrets: Secrets,
    source: &dyn SecretSource,
    variable: &str,
) -> Option<SecretString> {
    let key = entry.name.rsplit('.').next().unwrap_or(&entry.name);
    let how = |diagnostic: Diagnostic| {
        diagnostic.hint(
            format!("write `{key} = {{ env = \"{variable}\" }}` or `{key} = {{ file = \"path\" }}`"),
            format!("请写成 `{key} = {{ env = \"{variable}\" }}` 或 `{key} = {{ file = \"路径\" }}`"),
        )
    };
    let DeValue::Table(table) = entry.value else {
        let mut diagnostic = how(Diagnostic::new(
            format!("`{}` is written in place; a secret must not stand in this file", entry.name),
            format!("`{}` 直接写在了文件里；密钥不能写在这里", entry.name),
        ));
        if let Some(hint) = &mut diagnostic.hint {
            hint.en.push_str(", and renew the secret: anyone who has read the file knows it");
            hint.zh.push_str("，并更换该密钥：读过此文件的人都已知道它");
        }
        entry.error(diagnostic);
        return None;
    };
    let mut known = true;
    for (child, _) in table.iter().filter(|(child, _)| !matches!(child.get_ref().as_ref(), "env" | "file")) {
        known = false;
        if entry.file.is_full() {
            entry.file.count_error();
            continue;
        }
        let name = suggest::shortened(child.get_ref());
        let diagnostic = Diagnostic::new(
            format!("unknown key `{name}` in `{}`", entry.name),
            format!("`{}` 中没有 `{name}` 这个键", entry.name),
        );
        let diagnostic = match suggest::nearest(child.get_ref(), ["env", "file"]) {
            Some(near) => diagnostic.hint(
                format!("did you mean `{near}`? Known here: `env`, `file`"),
                format!("是否想写 `{near}`？此处可用：`env`, `file`"),
            ),
            None => diagnostic.hint("known here: `env`, `file`", "此处可用：`env`, `file`"),
        };
        entry.file.error(child.span(), diagnostic);
    }
    let part = |name: &str| {
        table.get_key_value(name).map(|(child, value)| TomlEntry {
            file: entry.file,
            name: format!("{}.{name}", entry.name),
            key_at: child.span(),
            at: value.span(),
            value: value.get_ref(),
        })
    };
    match (part("env"), part("file")) {
        (Some(env), None) if known => from_environment(&env, secrets, source),
        (None, Some(file)) if known => from_file(&file, secrets),
        _ if !known => None,
        _ => {
            entry.error(how(Diagnostic::new(
                format!("`{}` must have one of `env` and `file`", entry.name),
                format!("`{}` 应在 `env` 和 `file` 中写且只写一个", entry.name),
            )));
            None
        }
    }
}

fn from_environment(
    entry: &TomlEntry<'_>,
    secrets: Secrets,
    source: &dyn SecretSource,
) -> Option<SecretString> {
    let name = entry.text()?;
    if !is_variable(name) {
        // A value that is not a valid name may be the secret itself: it is not repeated.
        entry.error(
            Diagnostic::new(
                format!("`{}` must be the name of an environment variable", entry.name),
                format!("`{}` 应为环境变量的名字", entry.name),
            )
            .hint(
                "A-Z, digits and `_`, not first a digit; the secret itself goes into the variable",
                "只用大写字母、数字和 `_`，不以数字开头；密钥本身放在该变量里",
            ),
        );
        return None;
    }
    if secrets == Secrets::Skip {
        return Some(SecretString::from(""));
    }
    let Some(value) = source.env(name) else {
        entry.error(
            Diagnostic::new(
                format!("the environment variable `{name}` is not set"),
                format!("环境变量 `{name}` 没有设置"),
            )
            .hint(
                format!(
                    "set it where ruzhi starts: `export {name}='…'`, or `Environment={name}=…` in a service"
                ),
                format!(
                    "请在启动 ruzhi 处设置：`export {name}='…'`，或在服务文件中写 `Environment={name}=…`"
                ),
            ),
        );
        return None;
    };
    checked(entry, &value, &format!("the environment variable `{name}`"), &format!("环境变量 `{name}` "))
}

fn from_file(entry: &TomlEntry<'_>, secrets: Secrets) -> Option<SecretString> {
    let name = entry.text()?;
    let path = entry.file.folder.join(name);
    entry.file.names_secret(&path);
    if secrets == Secrets::Skip {
        return Some(SecretString::from(""));
    }
    let read = match file::read(&path, MOST_BYTES) {
        Ok(read) => read,
        Err(error) => {
            if UnfitFile::of(&error) == Some(UnfitFile::Still) {
                entry.file.secret_did_not_answer(&path);
            }
            let why = io_text(&error);
            entry.error(
                Diagnostic::new(
                    format!("the secret's file `{name}` cannot be read: {}", why.en),
                    format!("无法读取密钥文件 `{name}`：{}", why.zh),
                )
                .hint(
                    "the path is relative to this file; ruzhi's user must be able to read it",
                    "路径相对于本文件；运行 ruzhi 的用户须能读取",
                ),
            );
            return None;
        }
    };
    if read.metadata.permissions().mode() & 0o004 != 0 {
        entry.file.warning(
            entry.at.clone(),
            Diagnostic::new(
                format!("every user of this machine can read the secret's file `{name}`"),
                format!("本机所有用户都能读取密钥文件 `{name}`"),
            )
            .hint(format!("run `chmod 600 {name}`"), format!("请执行 `chmod 600 {name}`")),
        );
    }
    // A byte order mark comes from the editor and is not part of the secret.
    let value = read.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&read.bytes);
    match std::str::from_utf8(value) {
        Ok(value) if !is_utf_16(value.as_bytes()) => {
            checked(entry, value, &format!("the secret's file `{name}`"), &format!("密钥文件 `{name}` "))
        }
        _ => {
            let (en, zh) = if is_utf_16(value) {
                ("is UTF-16", "是 UTF-16 编码")
            } else {
                ("is not UTF-8", "不是 UTF-8 编码")
            };
            entry.error(
                Diagnostic::new(format!("the secret's file `{name}` {en}"), format!("密钥文件 `{name}` {zh}")).hint(
                    "save it as UTF-8: Notepad offers it when saving, PowerShell by `Set-Content -Encoding ascii`",
                    "请另存为 UTF-8：记事本保存时可选，PowerShell 可用 `Set-Content -Encoding ascii`",
                ),
            );
            None
        }
    }
}

/// Recognises UTF-16 by its byte order mark, or by ASCII text with a zero in every other byte.
fn is_utf_16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.iter().take(2).any(|byte| *byte == 0)
}

/// The secret without the line end an editor adds. It is sent in headers and addresses: visible ASCII only.
fn checked(entry: &TomlEntry<'_>, value: &str, en: &str, zh: &str) -> Option<SecretString> {
    let value = value.trim_end_matches(['\r', '\n']);
    let diagnostic = if value.is_empty() {
        Diagnostic::new(format!("{en} is empty"), format!("{zh}为空"))
    } else if !value.chars().all(|c| c.is_ascii_graphic()) {
        Diagnostic::new(
            format!("{en} holds a space, a line break or a character outside ASCII"),
            format!("{zh}含有空格、换行或非 ASCII 字符"),
        )
    } else {
        return Some(SecretString::from(value));
    };
    entry.error(diagnostic.hint("put the secret there and nothing else", "请只放密钥本身"));
    None
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The bytes of a file that may hold a secret: values of a secret's key, values of unknown keys, which may be a
/// secret's key misspelt, and addresses, which may contain credentials.
pub(super) fn masks(table: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    collect(table, "", &mut found);
    found
}

/// `parent` is the key of the table: an address is a secret only under `alerts`.
fn collect(table: &DeTable<'_>, parent: &str, found: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let secret = KEYS.contains(&key) || (parent == "alerts" && key == "url");
        let known = keys::is_known(key);
        match value.get_ref() {
            _ if FREE.contains(&key) => {}
            DeValue::Table(named) if secret => collect_named(named, found),
            _ if secret => hide(value, found),
            DeValue::Table(table) => collect(table, key, found),
            DeValue::Array(items) if known => {
                items
                    .iter()
                    .filter_map(|item| item.get_ref().as_table())
                    .for_each(|t| collect(t, key, found));
            }
            DeValue::String(text) if text.contains(['@', '?']) => hide(value, found),
            _ if !known => hide(value, found),
            _ => {}
        }
    }
}

fn collect_named(named: &DeTable<'_>, found: &mut Vec<Range<usize>>) {
    for (part, value) in named {
        let plain = match part.get_ref().as_ref() {
            "env" => value.get_ref().as_str().is_some_and(is_variable),
            "file" => true,
            _ => false,
        };
        if !plain {
            hide(value, found);
        }
    }
}

/// Every single value within a value: the span of a table may cover only its header.
fn hide(value: &Spanned<DeValue<'_>>, found: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(_, value)| hide(value, found)),
        DeValue::Array(items) => items.iter().for_each(|item| hide(item, found)),
        _ => found.push(value.span()),
    }
}
