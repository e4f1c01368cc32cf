//! Checks of the services: credentials, address, clock, fields of the forms.

use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::TimeDelta;
use reqwest::Url;

use super::super::service_checks;
use super::check_result::CheckResult;
use ruzhi_config::{Config, FlowConfig, ServerSettings, TenantConfig};
use ruzhi_guest_runtime::Guest;
use ruzhi_model::Text;

/// A clock further off than this is a warning: signatures and tokens carry a time.
const OFF: TimeDelta = TimeDelta::seconds(30);
/// From this difference on, a push counts as replayed and is denied.
const TOO_FAR: TimeDelta = TimeDelta::minutes(5);

/// Checks a tenant's access to the services.
pub(super) async fn tenant(config: &Config, tenant: &TenantConfig) -> Vec<CheckResult> {
    let directory = match service_checks::directory(config, tenant).await {
        Err(report) => CheckResult::of_report("wecom", &report),
        Ok(()) => CheckResult::ok(
            "wecom",
            Text::new(
                "the secret is accepted, from this address, and may list departments",
                "凭证有效，IP 受信任，可读取部门列表",
            ),
        ),
    };
    let wecom = clock("WeCom", "企业微信", &tenant.wecom.base_url, tenant.wecom.proxy.as_ref()).await;
    let jiandaoyun =
        clock("JianDaoYun", "简道云", &tenant.jiandaoyun.base_url, tenant.jiandaoyun.proxy.as_ref()).await;
    [directory, wecom, jiandaoyun].map(|finding| finding.of(&tenant.id)).into()
}

/// Checks a flow against its form.
pub(super) async fn flow(
    tenant: &TenantConfig,
    flow: &FlowConfig,
    guest: Option<&Guest>,
) -> Vec<CheckResult> {
    let of = format!("{}/{}", tenant.id, flow.id);
    let widgets = match service_checks::widgets(tenant, flow).await {
        Ok(widgets) => widgets,
        Err(report) => return vec![CheckResult::of_report("jiandaoyun", &report).of(of)],
    };
    let form = match service_checks::missing(tenant, flow, guest, &widgets) {
        Some(report) => CheckResult::of_report("jiandaoyun", &report),
        None => CheckResult::ok(
            "jiandaoyun",
            Text::new(
                format!(
                    "the key is accepted, and the form has every field the rules read ({} in all)",
                    widgets.len()
                ),
                format!("密钥有效，表单包含规则读取的全部字段（共 {} 个）", widgets.len()),
            ),
        ),
    };
    let mut findings = vec![form.of(&of)];
    let faults = service_checks::write_back(flow, guest, Some(&widgets));
    if faults.is_empty() && flow.write_back.is_some() {
        let text = Text::new("the form's fields take the outcome of its rows", "表单字段可写入处理结果");
        findings.push(CheckResult::ok("write-back", text).of(&of));
    }
    findings.extend(faults.iter().map(|fault| CheckResult::of_report("write-back", fault).of(&of)));
    findings
}

/// Checks that `ruzhi serve` answers on this machine and is ready.
pub(super) async fn alive(server: &ServerSettings) -> CheckResult {
    let mut address = server.listen;
    // An address that listens on every interface is reached through the loopback.
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    let hint = Text::new("see its log", "请查看日志");
    match service_checks::ready(address).await {
        Some(200) => CheckResult::ok(
            "serve",
            Text::new(format!("answers on {address} and is ready"), format!("{address} 正常应答，已就绪")),
        ),
        Some(status) => CheckResult::fail(
            "serve",
            Text::new(
                format!("answers on {address} with {status}: it is not ready"),
                format!("{address} 应答 {status}：未就绪"),
            ),
            hint,
        ),
        None => CheckResult::fail(
            "serve",
            Text::new(format!("does not answer on {address}"), format!("{address} 无应答")),
            hint,
        ),
    }
}

async fn clock(service: &str, zh: &str, base_url: &Url, proxy: Option<&Url>) -> CheckResult {
    match service_checks::clock_ahead(base_url, proxy).await {
        Some(ahead) => judged(service, zh, ahead),
        None => CheckResult::warn(
            "clock",
            Text::new(format!("{service} tells no time"), format!("无法获得{zh}的时间")),
            Text::new(
                "see that the clock is kept right, such as by `timedatectl`",
                "请自行确认时钟已同步，例如使用 `timedatectl`",
            ),
        ),
    }
}

/// Grades the difference between two clocks.
fn judged(service: &str, zh: &str, ahead: TimeDelta) -> CheckResult {
    let (by, slow) = (ahead.abs(), ahead > TimeDelta::zero());
    let seconds = by.num_seconds();
    if by <= OFF {
        return CheckResult::ok(
            "clock",
            Text::new(
                format!("as {service}'s, to {} s", seconds.max(1)),
                format!("与{zh}一致，相差不超过 {} 秒", seconds.max(1)),
            ),
        );
    }
    let text = Text::new(
        format!("{seconds} s {} {service}'s", if slow { "behind" } else { "ahead of" }),
        format!("比{zh}{} {seconds} 秒", if slow { "慢" } else { "快" }),
    );
    let hint = Text::new(
        "turn on time synchronisation (`timedatectl set-ntp true`): pushes, callbacks and schedules go by the clock",
        "请开启时间同步（`timedatectl set-ntp true`）：推送、回调与定时均依赖时钟",
    );
    if by < TOO_FAR { CheckResult::warn("clock", text, hint) } else { CheckResult::fail("clock", text, hint) }
}

#[cfg(test)]
mod tests {
    use super::super::check_result::Level;
    use super::*;

    #[test]
    fn a_clock_is_right_to_thirty_seconds_and_useless_from_five_minutes_on() {
        for (ahead, level, word) in [
            (0, Level::Ok, "1 s"),
            (-30, Level::Ok, "30 s"),
            (31, Level::Warn, "31 s behind WeCom's"),
            (-299, Level::Warn, "299 s ahead of WeCom's"),
            (300, Level::Fail, "300 s behind"),
        ] {
            let finding = judged("WeCom", "企业微信", TimeDelta::seconds(ahead));
            assert_eq!(finding.level, level, "{ahead}");
            assert!(finding.message.en.contains(word), "{ahead}: {}", finding.message.en);
        }
    }
}
