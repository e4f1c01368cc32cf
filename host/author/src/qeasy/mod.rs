//! `ruzhi guest import qeasy`: turns metadata of the platform 轻易云 into a tenant file and a rules file.
//!
//! A consultant pastes text from the platform: the target's metadata, the source's, a request body, an export with
//! all of them, or an article that contains them. [`find`] extracts the metadata and tells the kinds apart;
//! [`source`] derives the form and [`target`] the rules; [`write`] writes both files.
//!
//! A setting that ruzhi cannot carry over is reported, never dropped silently ([`note`]). One that would make another
//! member, or read other rows, than intended stops the import. The resulting rules file has been accepted by the
//! default guest.
//!
//! Everything here is a function from texts to texts: no file is read or written, and no service called.

mod condition;
mod document;
mod error;
mod find;
mod json;
mod naming;
mod note;
mod platform;
mod source;
mod target;
#[cfg(test)]
mod tests;
mod write;

pub use error::{ImportError, SourcePlace};
pub use naming::Naming;

use document::Document;
use note::Notes;

use ruzhi_config::variable;
use ruzhi_jiandaoyun::RowFilter;
use ruzhi_model::Text;

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOutput {
    /// The tenant's file, TOML. It refers to the rules file `TENANT/FLOW.json` and the default guest
    /// `../guests/member.wasm`.
    pub tenant: String,
    /// The rules file, JSON.
    pub rules: String,
    /// The steps taken, and the settings not carried over.
    pub notes: Vec<Text>,
    /// The steps left to a person.
    pub left: Vec<Text>,
    /// The environment variables that hold the secrets.
    pub variables: Vec<String>,
}

/// Makes a tenant from the texts, each with its name for messages.
///
/// # Errors
/// If there is no metadata that creates members or more than one, if something is broken or contradicts itself, or if
/// the result would make other members or read other rows than the metadata says.
pub fn import(texts: &[(String, String)], naming: &Naming) -> Result<ImportOutput, ImportError> {
    let documents: Vec<Document<'_>> = texts.iter().map(|(name, text)| Document { name, text }).collect();
    let mut notes = Notes::default();
    let mut found = find::search(&documents, &mut notes)?;

    let mut targets = std::mem::take(&mut found.targets).into_iter();
    let Some(target) = targets.next() else {
        let described = |what: &str, piece: &find::MetadataPiece<'_>| format!("{what} ({})", piece.place());
        let sources =
            found.sources.iter().chain(&found.bodies).map(|piece| described("the form's side", piece));
        let others = found.others.iter().map(|(api, piece)| described(api, piece));
        return Err(ImportError::NoTarget {
            files: texts.iter().map(|(name, _)| name.clone()).collect(),
            others: sources.chain(others).take(20).collect(),
        });
    };
    let others: Vec<_> = targets.filter(|other| !other.node.same(&target.node)).collect();
    if !others.is_empty() {
        let places =
            std::iter::once(&target).chain(&others).map(find::MetadataPiece::place).take(20).collect();
        return Err(ImportError::SeveralTargets { places });
    }
    for (api, piece) in &found.others {
        notes.at(
            piece.document,
            piece.node.at,
            format!("the metadata of {} is not carried over: ruzhi writes members", platform::shown(api)),
            format!("{} 的元数据未转入：ruzhi 只写成员", platform::shown(api)),
        );
    }

    let form = source::read(&found, &documents, &mut notes)?;
    let mut when = Vec::new();
    for piece in found.sources.iter().chain([&target]) {
        when.extend(condition::read(piece, &mut notes));
    }
    let rules = target::read(&target, when, &mut notes)?;
    let api = form.api.unwrap_or("v5");
    tell(&form, &rules.reads, naming, &mut notes);

    let tenant = write::tenant(naming, &form, api);
    let rules = write::rules(&rules.file);
    let (notes, left) = notes.finish();
    let id = naming.tenant.as_str();
    let variables = vec![variable(id, "WECOM_SECRET"), variable(id, "JDY_KEY")];
    Ok(ImportOutput { tenant, rules, notes, left, variables })
}

/// Reports the settings of the metadata that no file contains, and the steps left to a person.
fn tell(form: &source::FormDraft, reads: &[String], naming: &Naming, notes: &mut Notes) {
    notes.add(
        format!("fields are read as the rules file names them: {}", reads.join(", ")),
        format!("按规则文件读取这些字段：{}", reads.join("、")),
    );
    match &form.filter {
        None => notes.add(
            "no filter was found: every row of the form is read",
            "没有找到筛选条件：将读取表单的全部数据",
        ),
        Some(rows) => {
            let filter = serde_json::json!({ "rel": rows.relation, "cond": rows.conditions });
            if matches!(RowFilter::parse(&filter), Ok(Some(filter)) if filter.is_incremental()) {
                notes.add(
                    "{{LAST_SYNC_TIME|datetime}} stands for the last run less ten minutes (`overlap`)",
                    "{{LAST_SYNC_TIME|datetime}} 表示上次运行时间再提前十分钟（`overlap`）",
                );
            }
        }
    }
    if form.api.is_none() {
        notes.add("no version of the route was named: v5 is used", "没有写明接口版本：使用 v5");
    }
    if naming.corp_id.is_none() {
        notes.left(
            "write your corp's id into `corp_id`; WeCom's admin console shows it under My Company",
            "在 `corp_id` 填写企业 ID，见企业微信管理后台“我的企业”",
        );
    }
    for (key, id) in [("app_id", &form.app_id), ("entry_id", &form.entry_id)] {
        if id.is_none() {
            notes.left(
                format!("write `{key}`, from the form's address …/app/APP_ID/entry/ENTRY_ID"),
                format!("填写 `{key}`，见表单网址 …/app/应用ID/entry/表单ID"),
            );
        }
    }
}
