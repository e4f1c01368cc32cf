//! `[flows.write_back]`: the form's fields that receive the outcome of its rows.

use super::choice;
use super::diagnostics::Diagnostic;
use super::settings::WriteBack;
use super::toml_reader::Section;
use ruzhi_model::Lang;

/// Fields filled by the form's service.
const SYSTEM: &[&str] = &[
    "_id",
    "appId",
    "entryId",
    "formName",
    "creator",
    "updater",
    "deleter",
    "createTime",
    "updateTime",
    "deleteTime",
    "flowState",
    "ext",
    "wx_open_id",
    "wx_nickname",
    "wx_gender",
];

/// Reads the section of a flow; `Some(None)` if it is absent.
pub(super) fn read(flow: &Section<'_>) -> Option<Option<WriteBack>> {
    if flow.get("write_back").is_none() {
        return Some(None);
    }
    let section = flow.section("write_back");
    let outcome = section.required("outcome", "\"_widget_…\"", |entry| entry.parse(field));
    let at = section.maybe("at", |entry| {
        let at = entry.parse(field)?;
        if Some(&at) == outcome.as_ref() {
            entry.error(
                Diagnostic::new(
                    format!("`{}` is the field of `outcome` too", entry.name),
                    format!("`{}` 与 `outcome` 是同一个字段", entry.name),
                )
                .hint(
                    "name a field of date and time, or leave `at` out",
                    "请写一个日期时间字段，或不写 `at`",
                ),
            );
            return None;
        }
        Some(at)
    });
    let lang = section.optional("lang", Lang::Zh, choice::lang);
    Some(Some(WriteBack { outcome: outcome?, at: at?, lang: lang? }))
}

fn field(text: &str) -> Result<String, Diagnostic> {
    let name = text.trim();
    if SYSTEM.contains(&name) {
        return Err(Diagnostic::new(
            format!("`{name}` is filled by JianDaoYun itself"),
            format!("`{name}` 由简道云自行填写"),
        )
        .hint(
            "add a field for the outcome to the form, and write its name",
            "请在表单中为结果新增一个字段，并写它的字段名",
        ));
    }
    Ok(name.to_owned())
}
