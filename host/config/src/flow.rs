//! `[[flows]]`: the form a flow reads and the guest that decides.
//!
//! The source is written with TOML keys, or as a request body from elsewhere, pasted as JSON text into `request`.
//! Both give the same `FlowSource`.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::SecretString;

use super::context::TenantContext;
use super::diagnostics::Diagnostic;
use super::settings::{Absent, ChangeLimit, Checks, DuplicatePolicy, FlowConfig, FlowGuest, FlowSource};
use super::source::io_text;
use super::toml_reader::{Section, TomlEntry};
use super::{choice, secret, source_request, value, write_back};
use ruzhi_jiandaoyun::{ApiVersion, FormAddress};
use ruzhi_model::FlowId;

/// Reads one flow; `None` if a problem was reported. `id` has been read before.
pub(super) fn read(
    section: &Section<'_>,
    id: Option<FlowId>,
    zone: Tz,
    context: &TenantContext<'_>,
) -> Option<FlowConfig> {
    let checks = context.checks;
    let schedule = section.maybe("schedule", |entry| entry.parse(|text| value::schedule(text, zone)));
    let duplicates = section.optional("duplicates", DuplicatePolicy::Reject, |entry| {
        choice::word(entry, &[("reject", DuplicatePolicy::Reject), ("newest", DuplicatePolicy::Newest)])
    });
    let absent = section.optional("absent", Absent::Keep, |entry| {
        choice::word(entry, &[("keep", Absent::Keep), ("leave", Absent::Leave)])
    });
    let source =
        read_source(&section.required_section("source", "`[flows.source]` with `app_id` and `entry_id`"));
    let guest = read_guest(&section.required_section("guest", "`[flows.guest]` with `component`"), checks);
    let push = read_push(section, context);
    let write_back = write_back::read(section);
    Some(FlowConfig {
        id: id?,
        schedule: schedule?,
        source: source?,
        guest: guest?,
        duplicates: duplicates?,
        absent: absent?,
        push: push?,
        write_back: write_back?,
    })
}

/// The secret of the pushes; `Some(None)` if there is none.
fn read_push(flow: &Section<'_>, context: &TenantContext<'_>) -> Option<Option<SecretString>> {
    if flow.get("push").is_none() {
        return Some(None);
    }
    let variable = context.variable("PUSH_SECRET");
    let secret = flow.section("push").required("secret", &format!("{{ env = \"{variable}\" }}"), |entry| {
        secret::read(entry, context.checks.secrets, context.secrets, &variable)
    });
    secret.map(Some)
}

fn read_guest(section: &Section<'_>, checks: &Checks) -> Option<FlowGuest> {
    let component = section.required("component", "\"../guests/member.wasm\"", |entry| file(entry, checks));
    let sha256 = section.maybe("sha256", |entry| entry.parse(value::digest));
    let config = section.maybe("config", |entry| file(entry, checks));
    let percent = section.maybe("change_percent", |entry| entry.whole(0..=100));
    let least = section.maybe("change_least", |entry| entry.whole(0..=u32::MAX));
    let (percent, least) = (percent?, least?);
    let change = ChangeLimit {
        percent: percent.unwrap_or(ChangeLimit::DEFAULT.percent),
        least: least.unwrap_or(ChangeLimit::DEFAULT.least),
        stated: percent.is_some() || least.is_some(),
    };
    Some(FlowGuest { component: component?, sha256: sha256?, config: config?, change })
}

/// A path relative to the tenant's file.
fn file(entry: &TomlEntry<'_>, checks: &Checks) -> Option<PathBuf> {
    let name = entry.text()?;
    let path = tidy(&entry.file.folder, name);
    if !checks.files {
        return Some(path);
    }
    let why = match ruzhi_files::file::check(&path) {
        Ok(()) => return Some(path),
        Err(error) => io_text(&error),
    };
    entry.error(
        Diagnostic::new(
            format!("`{}`: the file `{name}` cannot be used: {}", entry.name, why.en),
            format!("`{}`：文件 `{name}` 无法使用：{}", entry.name, why.zh),
        )
        .hint(
            format!("the path is relative to this file; looked for {}", path.display()),
            format!("路径相对于本文件；查找的是 {}", path.display()),
        ),
    );
    None
}

/// `folder` joined with `name`, without `..` where removing it still names the same file; behind a symbolic link it
/// may not.
fn tidy(folder: &Path, name: &str) -> PathBuf {
    let joined = folder.join(name);
    let mut short = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                short.pop();
            }
            other => short.push(other),
        }
    }
    let led_to = |path: &Path| ruzhi_files::file::within(path, |path| path.canonicalize()).ok();
    if short == joined || led_to(&short) == led_to(&joined) { short } else { joined }
}

fn read_source(section: &Section<'_>) -> Option<FlowSource> {
    let api = section.optional("api", ApiVersion::V5, |entry| {
        entry.parse(|text| {
            text.parse().map_err(|_| choice::one_of(text, &ApiVersion::ALL.map(ApiVersion::as_str)))
        })
    });
    let overlap = section.optional("overlap", Duration::from_secs(600), |entry| {
        entry.parse(|text| value::duration_within(text, "0s", "7d"))
    });
    let request = section.maybe("request", source_request::read);
    let app_id = section.maybe("app_id", |entry| entry.parse(value::form_id));
    let entry_id = section.maybe("entry_id", |entry| entry.parse(value::form_id));
    let filter = section.maybe("filter", source_request::read_filter);
    let fields = section.maybe("fields", source_request::read_fields);

    let pasted = request?.unwrap_or_default();
    let app_id = merged(section, "app_id", app_id, pasted.app_id);
    let entry_id = merged(section, "entry_id", entry_id, pasted.entry_id);
    // A filter without conditions is none.
    let filter = merged(section, "filter", filter, pasted.filter).map(Option::flatten);
    let fields = merged(section, "fields", fields, pasted.fields);
    let needed = |key: &str, id: Option<Option<String>>| {
        if id == Some(None) {
            section.missing(key, "\"24 hexadecimal digits\"");
        }
        id.flatten()
    };
    let app_id = needed("app_id", app_id);
    let entry_id = needed("entry_id", entry_id);
    Some(FlowSource {
        form: FormAddress { api: api?, app_id: app_id?, entry_id: entry_id? },
        filter: filter?,
        fields: fields?,
        overlap: overlap?,
    })
}

/// The value from the one of two ways in which a key was given; giving both is a problem.
fn merged<T>(
    section: &Section<'_>,
    key: &str,
    written: Option<Option<T>>,
    pasted: Option<T>,
) -> Option<Option<T>> {
    match (section.get(key), pasted) {
        (Some(entry), Some(_)) => {
            section.file.error(
                entry.key_at,
                Diagnostic::new(
                    format!("`{}` stands in `request` too", entry.name),
                    format!("`{}` 在 `request` 里也写了", entry.name),
                )
                .hint("remove one of the two", "请删去其中一个"),
            );
            None
        }
        (None, Some(pasted)) => written.map(|_| Some(pasted)),
        (_, None) => written,
    }
}
