//! `tenants/*.toml`: one factory with its credentials, limits and flows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use chrono_tz::Tz;
use reqwest::Url;
use secrecy::ExposeSecret as _;

use super::context::TenantContext;
use super::diagnostics::Diagnostic;
use super::secret;
use super::settings::{
    CallbackSettings, ExistingPolicy, FlowConfig, Guard, JiandaoyunSettings, RemovedPolicy, Secrets,
    TenantConfig, WecomSettings,
};
use super::toml_reader::{Section, TomlEntry};
use super::{alerts, choice, flow, host, value};
use ruzhi_model::{FlowId, UserId};

/// The maximum rate that can be set; far above the services' own, for tests against a simulator.
const RATE_MOST: u32 = 100_000_000;

/// Reads one tenant; `None` if a problem was reported.
pub(super) fn read(root: &Section<'_>, context: &TenantContext<'_>) -> Option<TenantConfig> {
    let fallback = context.id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let name = root.optional("name", fallback, |entry| Some(entry.text()?.trim().to_owned()));
    let timezone = root.optional("timezone", Tz::Asia__Shanghai, |entry| entry.parse(value::zone));
    let month = Duration::from_secs(30 * 86_400);
    let grace = root.optional("grace", month, |entry| entry.parse(value::duration));
    let protected = root.optional("protected", Vec::new(), read_protected);
    let existing = root.optional("existing", ExistingPolicy::Reject, |entry| {
        choice::word(entry, &[("reject", ExistingPolicy::Reject), ("adopt", ExistingPolicy::Adopt)])
    });
    let removed = root.optional("removed", RemovedPolicy::Ask, |entry| {
        let words = [
            ("ask", RemovedPolicy::Ask),
            ("recreate", RemovedPolicy::Recreate),
            ("release", RemovedPolicy::Release),
        ];
        choice::word(entry, &words)
    });
    let wecom = read_wecom(root, context);
    let jiandaoyun = read_jiandaoyun(root, context);
    let guard = host::read_guard(&root.section("guard"), Guard::default(), context.ceiling);
    let flows = read_flows(root, timezone.unwrap_or(Tz::UTC), context);
    let alerts = alerts::read(root, context.secrets, context.checks, |what| context.variable(what));
    Some(TenantConfig {
        id: context.id.clone()?,
        file: context.path.to_owned(),
        name: name?,
        timezone: timezone?,
        wecom: wecom?,
        jiandaoyun: jiandaoyun?,
        guard: guard?,
        grace: grace?,
        protected: protected?,
        existing: existing?,
        removed: removed?,
        alerts: alerts?,
        flows: flows?,
    })
}

fn read_protected(entry: &TomlEntry<'_>) -> Option<Vec<UserId>> {
    let entries = entry.texts()?;
    let accounts: Vec<_> = entries.iter().filter_map(|entry| entry.parse(value::userid)).collect();
    (accounts.len() == entries.len()).then_some(accounts)
}

fn read_wecom(root: &Section<'_>, context: &TenantContext<'_>) -> Option<WecomSettings> {
    let section = root.required_section("wecom", "`[wecom]` with `corp_id` and `secret`");
    let base_url = base_url(&section, "https://qyapi.weixin.qq.com");
    let corp_id = section.required("corp_id", "\"ww…\"", |entry| entry.parse(value::corp_id));
    let variable = context.variable("WECOM_SECRET");
    let secret = section.required("secret", &format!("{{ env = \"{variable}\" }}"), |entry| {
        secret::read(entry, context.checks.secrets, context.secrets, &variable)
    });
    let read_variable = context.variable("WECOM_READ_SECRET");
    let read_secret = section.maybe("read_secret", |entry| {
        secret::read(entry, context.checks.secrets, context.secrets, &read_variable)
    });
    let proxy = section.maybe("proxy", |entry| entry.parse(value::address));
    let batch_from = section.optional("batch_from", 0, |entry| entry.whole(0..=u32::MAX));
    let callback = read_callback(&section, context);
    let limits = section.section("limits");
    let per_minute = limits.optional("per_minute", 10_000, |entry| entry.whole(1..=RATE_MOST));
    let per_hour = limits.optional("per_hour", 150_000, |entry| entry.whole(1..=RATE_MOST));
    let in_flight = limits.optional("in_flight", 4, |entry| entry.whole(1..=256));
    Some(WecomSettings {
        base_url: base_url?,
        corp_id: corp_id?,
        secret: secret?,
        read_secret: read_secret?,
        proxy: proxy?,
        batch_from: batch_from?,
        per_minute: per_minute?,
        per_hour: per_hour?,
        in_flight: in_flight?,
        callback: callback?,
    })
}

fn read_callback(wecom: &Section<'_>, context: &TenantContext<'_>) -> Option<Option<CallbackSettings>> {
    if wecom.get("callback").is_none() {
        return Some(None);
    }
    let section = wecom.section("callback");
    let named = |key: &str, what: &str, check: fn(&str) -> Result<(), Diagnostic>| {
        let variable = context.variable(what);
        section.required(key, &format!("{{ env = \"{variable}\" }}"), |entry| {
            let found = secret::read(entry, context.checks.secrets, context.secrets, &variable)?;
            if context.checks.secrets == Secrets::Resolve {
                entry.good(check(found.expose_secret()))?;
            }
            Some(found)
        })
    };
    let token = named("token", "CALLBACK_TOKEN", |_| Ok(()));
    let aes_key = named("aes_key", "CALLBACK_AES_KEY", value::aes_key);
    Some(Some(CallbackSettings { token: token?, aes_key: aes_key? }))
}

fn read_jiandaoyun(root: &Section<'_>, context: &TenantContext<'_>) -> Option<JiandaoyunSettings> {
    let section = root.required_section("jiandaoyun", "`[jiandaoyun]` with `api_key`");
    let base_url = base_url(&section, "https://api.jiandaoyun.com");
    let variable = context.variable("JDY_KEY");
    let api_key = section.required("api_key", &format!("{{ env = \"{variable}\" }}"), |entry| {
        secret::read(entry, context.checks.secrets, context.secrets, &variable)
    });
    let proxy = section.maybe("proxy", |entry| entry.parse(value::address));
    let limits = section.section("limits");
    let per_second = limits.maybe("per_second", |entry| entry.whole(1..=RATE_MOST));
    Some(JiandaoyunSettings {
        base_url: base_url?,
        api_key: api_key?,
        proxy: proxy?,
        per_second: per_second?,
    })
}

/// A service's address, with or without the path common to all routes: people paste either.
fn base_url(section: &Section<'_>, default: &str) -> Option<Url> {
    let written = section.maybe("base_url", |entry| {
        let url = entry.parse(value::address)?;
        if url.scheme() == "http" && !is_this_machine(&url) {
            entry.file.warning(
                entry.at.clone(),
                Diagnostic::new(
                    format!("`{}` is not https: secrets and people's data travel in clear", entry.name),
                    format!("`{}` 不是 https：密钥和个人信息将明文传输", entry.name),
                )
                .hint("write `https://`", "请写 `https://`"),
            );
        }
        Some(url)
    })?;
    match written {
        Some(url) => Some(url),
        None => Url::parse(default).ok(),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn read_flows(root: &Section<'_>, zone: Tz, context: &TenantContext<'_>) -> Option<Vec<FlowConfig>> {
    let sections = root.sections("flows")?;
    if sections.is_empty() {
        let at = root.get("flows").map(|entry| entry.at);
        let diagnostic = Diagnostic::new("the tenant has no flow", "工厂没有同步流").hint(
            "add `[[flows]]` with `id`, `[flows.source]` and `[flows.guest]`",
            "请加上 `[[flows]]`，写明 `id`、`[flows.source]` 和 `[flows.guest]`",
        );
        match at {
            Some(at) => root.file.error(at, diagnostic),
            None => root.file.error_of_file(diagnostic),
        }
        return None;
    }
    let count = sections.len();
    let mut lines: BTreeMap<FlowId, u32> = BTreeMap::new();
    let mut flows = Vec::new();
    for section in sections {
        let id = section.required("id", "\"onboarding\"", |entry| {
            let id = entry.parse(value::flow_id)?;
            if let Some(line) = lines.get(&id) {
                entry.error(
                    Diagnostic::new(
                        format!("the flow id `{id}` is taken by the flow on line {line}"),
                        format!("同步流 id `{id}` 已被第 {line} 行的同步流使用"),
                    )
                    .hint("give each flow of a tenant its own id", "同一工厂内各同步流的 id 不能相同"),
                );
                return None;
            }
            lines.insert(id.clone(), root.file.line(entry.at.start));
            Some(id)
        });
        flows.extend(flow::read(&section, id, zone, context));
    }
    (flows.len() == count).then_some(flows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_of_this_machine_is_one() {
        let here = |url: &str| is_this_machine(&Url::parse(url).unwrap());
        for url in ["http://localhost", "http://127.0.0.1:9000", "http://127.8.0.1", "http://[::1]:9000"] {
            assert!(here(url), "{url}");
        }
        for url in
            ["http://127.example.com", "http://10.0.0.1", "http://[::2]", "http://localhost.example.com"]
        {
            assert!(!here(url), "{url}");
        }
    }
}
