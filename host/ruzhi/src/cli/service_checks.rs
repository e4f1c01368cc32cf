//! Checks that ask the services about a tenant and its forms.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Proxy, Url, redirect};
use tokio_util::sync::CancellationToken;

use ruzhi_app::deployment;
use ruzhi_config::{Config, FlowConfig, TenantConfig};
use ruzhi_guest_runtime::Guest;
use ruzhi_jiandaoyun::{self as jiandaoyun, FormWidget};
use ruzhi_message::{Report, exit};
use ruzhi_model::{Clock, SystemClock, Text};
use ruzhi_sync::{missing_fields, write_back_faults};
use ruzhi_wecom as wecom;

/// The timeout for reading a service's clock.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks that WeCom accepts a tenant's secrets from this address.
pub(super) async fn directory(config: &Config, tenant: &TenantConfig) -> Result<(), Report> {
    let secrets = [Some(&tenant.wecom.secret), tenant.wecom.read_secret.as_ref()];
    for (secret, key) in secrets.into_iter().zip(["secret", "read_secret"]) {
        let Some(secret) = secret else { continue };
        let client = deployment::directory(
            tenant,
            secret,
            deployment::rates(config, tenant),
            CancellationToken::new(),
        )?;
        let Err(error) = client.check().await else { continue };
        // A failed name lookup or an untrusted certificate says nothing about the secret.
        let text = match error.failure() {
            wecom::WecomFailure::Rejected { .. } => Text::new(
                format!("WeCom does not accept `{key}` of tenant {}", tenant.id),
                format!("企业微信未接受工厂 {} 的 `{key}`", tenant.id),
            ),
            _ => Text::new(
                format!("WeCom could not be asked whether it accepts `{key}` of tenant {}", tenant.id),
                format!("无法向企业微信核实工厂 {} 的 `{key}`", tenant.id),
            ),
        };
        return Err(Report::new(exit::FAILED, error.code(), text, Some(error.explain())).because(&error));
    }
    Ok(())
}

/// The fields of a flow's form.
pub(super) async fn widgets(tenant: &TenantConfig, flow: &FlowConfig) -> Result<Vec<FormWidget>, Report> {
    deployment::source(tenant)?.widgets(&flow.source.form).await.map_err(|error| {
        let text = Text::new(
            format!("JianDaoYun does not show the form of {}/{}", tenant.id, flow.id),
            format!("无法从简道云读取 {}/{} 的表单", tenant.id, flow.id),
        );
        Report::new(exit::FAILED, error.code(), text, Some(error.explain())).because(&error)
    })
}

/// The fields that a flow's rules and filter read and its form lacks.
pub(super) fn missing(
    tenant: &TenantConfig,
    flow: &FlowConfig,
    guest: Option<&Guest>,
    widgets: &[FormWidget],
) -> Option<Report> {
    let described = guest.map(Guest::description);
    let filtered = flow.source.filter.as_ref().map(jiandaoyun::RowFilter::fields).unwrap_or_default();
    let mut read: BTreeSet<&str> = filtered.iter().map(String::as_str).collect();
    read.extend(described.iter().flat_map(|d| &d.source_fields).map(String::as_str));
    let labels = described.map(|d| d.labels.as_slice()).unwrap_or_default();
    let missing: Vec<String> =
        missing_fields(read, widgets, labels).into_iter().map(|missing| missing.field).collect();
    if missing.is_empty() {
        return None;
    }
    let missing = missing.join(", ");
    Some(Report::new(
        exit::FAILED,
        "source.fields",
        Text::new(
            format!("the form of {}/{} has no field {missing}", tenant.id, flow.id),
            format!("{}/{} 的表单中没有字段 {missing}", tenant.id, flow.id),
        ),
        Some(Text::new(
            "a field that was given an alias is known by the alias: correct the rules file or the filter; `ruzhi check --online` lists the fields that the form has",
            "设置了别名的字段须使用别名：请修改规则文件或筛选条件；`ruzhi check --online` 会列出表单的全部字段",
        )),
    ))
}

/// The obstacles to writing outcomes back to the form. Without the form's fields only the rules are checked.
pub(super) fn write_back(
    flow: &FlowConfig,
    guest: Option<&Guest>,
    widgets: Option<&[FormWidget]>,
) -> Vec<Report> {
    let (Some(place), Some(guest)) = (&flow.write_back, guest) else { return Vec::new() };
    let read = &guest.description().source_fields;
    let faults = write_back_faults(place, read, flow.source.filter.as_ref(), widgets);
    faults.into_iter().map(Report::from).collect()
}

/// The readiness status of the process on this machine; `None` without an answer.
pub(super) async fn ready(address: SocketAddr) -> Option<u16> {
    let client = plain().build().ok()?;
    Some(client.get(format!("http://{address}/readyz")).send().await.ok()?.status().as_u16())
}

/// A client without retries and with a short timeout.
fn plain() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent("ruzhi/0.1")
        .no_proxy()
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .redirect(redirect::Policy::none())
        .referer(false)
}

/// The offset of a service's clock from this machine's, to about a second; `None` if the answer has no date. Any
/// answer will do, for every answer has a date.
pub(super) async fn clock_ahead(base_url: &Url, proxy: Option<&Url>) -> Option<TimeDelta> {
    let mut builder = plain();
    if let Some(proxy) = proxy {
        builder = builder.proxy(Proxy::all(proxy.clone()).ok()?);
    }
    let client = builder.build().ok()?;
    let asked = SystemClock.now();
    let answer = client.head(base_url.clone()).send().await.ok()?;
    let date = answer.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    let date = DateTime::parse_from_rfc2822(date).ok()?.with_timezone(&Utc);
    // The date is the moment of the answer, cut to the second.
    let here = asked + (SystemClock.now() - asked) / 2;
    Some(date + TimeDelta::milliseconds(500) - here)
}
