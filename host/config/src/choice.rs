//! Values that are one of a few words.

use super::diagnostics::Diagnostic;
use super::suggest;
use super::toml_reader::TomlEntry;
use ruzhi_model::Lang;

/// One of a few words.
pub(super) fn word<T: Copy>(entry: &TomlEntry<'_>, known: &[(&'static str, T)]) -> Option<T> {
    entry.parse(|text| {
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| one_of(text, &known.iter().map(|(word, _)| *word).collect::<Vec<_>>()))
    })
}

/// The problem of a word that is none of the known ones.
pub(super) fn one_of(text: &str, known: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(format!("`{text}` is none of the known values"), format!("“{text}”不是可用的值"));
    let list = suggest::list(known.iter().copied());
    match suggest::nearest(text, known.iter().copied()) {
        Some(near) => diagnostic.hint(
            format!("did you mean `{near}`? Known here: {list}"),
            format!("是否想写 `{near}`？此处可用：{list}"),
        ),
        None => diagnostic.hint(format!("known here: {list}"), format!("此处可用：{list}")),
    }
}

/// `en` or `zh`.
pub(super) fn lang(entry: &TomlEntry<'_>) -> Option<Lang> {
    word(entry, &[("zh", Lang::Zh), ("en", Lang::En)])
}
