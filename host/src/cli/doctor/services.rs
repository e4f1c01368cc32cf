//! What the services say: credentials, address, clock, the fields of the forms.

use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::TimeDelta;
use reqwest::Url;

use super::super::online;
use super::Finding;
use crate::config::{Config, Flow, ServerSettings, Tenant};
use crate::failure::Failure;
use crate::guest::Guest;
use crate::jiandaoyun::Widget;
use crate::model::Text;

/// A clock that is off by more is told of: signatures and tokens have a time.
const OFF: TimeDelta = TimeDelta::seconds(30);
/// By this much and more a push counts as replayed and is refused.
const TOO_FAR: TimeDelta = TimeDelta::minutes(5);

/// What the services say of a tenant.
pub(super) async fn tenant(config: &Config, tenant: &Tenant) -> Result<Vec<Finding>, Failure> {
    let directory = match online::directory(config, tenant).await? {
        Some(failure) => Finding::of_failure("wecom", &failure),
        None => Finding::ok(
            "wecom",
            Text::new(
                "the secret is accepted, from this address, and may list departments",
                "凭证有效，IP 受信任，可读取部门列表",
            ),
        ),
    };
    let wecom = clock("WeCom", "企业微信", &tenant.wecom.base_url, tenant.wecom.proxy.as_ref()).await;
    let jiandaoyun = clock("JianDaoYun", "简道云", &tenant.jiandaoyun.base_url, None).await;
    Ok([directory, wecom, jiandaoyun].map(|finding| finding.of(&tenant.id)).into())
}

/// What the form's service says of a flow.
pub(super) async fn flow(
    tenant: &Tenant,
    flow: &Flow,
    guest: Option<&Guest>,
) -> Result<Vec<Finding>, Failure> {
    let of = format!("{}/{}", tenant.id, flow.id);
    let widgets = match online::widgets(tenant, flow).await? {
        Ok(widgets) => widgets,
        Err(failure) => return Ok(vec![Finding::of_failure("jiandaoyun", &failure).of(of)]),
    };
    let form = match online::missing(tenant, flow, guest, &widgets) {
        Some(failure) => Finding::of_failure("jiandaoyun", &failure),
        None => Finding::ok(
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
    findings.extend(write_back(flow, &widgets).map(|finding| finding.of(&of)));
    Ok(findings)
}

/// Whether the fields that take the outcome are there and can take it.
fn write_back(flow: &Flow, widgets: &[Widget]) -> Option<Finding> {
    let fields = flow.write_back.as_ref()?;
    let wanted =
        [(Some(&fields.outcome), &["text", "textarea"][..]), (fields.at.as_ref(), &["datetime"][..])];
    for (field, kinds) in wanted {
        let Some(field) = field else { continue };
        let Some(widget) = widgets.iter().find(|widget| widget.name == *field) else {
            return Some(Finding::fail(
                "write-back",
                Text::new(format!("the form has no field {field}"), format!("表单中没有字段 {field}")),
                Text::new(
                    "add the field to the form, or correct `[flows.write_back]`; a field with an alias is known by the alias",
                    "请在表单中添加该字段，或修改 `[flows.write_back]`；设置了别名的字段须使用别名",
                ),
            ));
        };
        if !kinds.contains(&widget.kind.as_str()) {
            let kinds = kinds.join(", ");
            return Some(Finding::fail(
                "write-back",
                Text::new(
                    format!("the field {field} is of the kind {}, which does not take it", widget.kind),
                    format!("字段 {field} 的类型为 {}，无法写入", widget.kind),
                ),
                Text::new(format!("use a field of the kind {kinds}"), format!("请使用类型为 {kinds} 的字段")),
            ));
        }
    }
    Some(Finding::ok("write-back", Text::new("the fields take the outcome", "字段可写入结果")))
}

/// Whether a process that stays answers on this machine, and is ready.
pub(super) async fn alive(server: &ServerSettings) -> Finding {
    let mut address = server.listen;
    // Whoever listens on every address does so on this machine's own.
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    let hint = Text::new("see its log", "请查看日志");
    match online::ready(address).await {
        Some(200) => Finding::ok(
            "serve",
            Text::new(format!("answers on {address} and is ready"), format!("{address} 正常应答，已就绪")),
        ),
        Some(status) => Finding::fail(
            "serve",
            Text::new(
                format!("answers on {address} with {status}: it is not ready"),
                format!("{address} 应答 {status}：未就绪"),
            ),
            hint,
        ),
        None => Finding::fail(
            "serve",
            Text::new(format!("does not answer on {address}"), format!("{address} 无应答")),
            hint,
        ),
    }
}

async fn clock(service: &str, zh: &str, base_url: &Url, proxy: Option<&Url>) -> Finding {
    match online::clock_ahead(base_url, proxy).await {
        Some(ahead) => judged(service, zh, ahead),
        None => Finding::warn(
            "clock",
            Text::new(format!("{service} tells no time"), format!("无法获得{zh}的时间")),
            Text::new(
                "see that the clock is kept right, such as by `timedatectl`",
                "请自行确认时钟已同步，例如使用 `timedatectl`",
            ),
        ),
    }
}

/// What a difference means.
fn judged(service: &str, zh: &str, ahead: TimeDelta) -> Finding {
    let (by, slow) = (ahead.abs(), ahead > TimeDelta::zero());
    let seconds = by.num_seconds();
    if by <= OFF {
        return Finding::ok(
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
    if by < TOO_FAR { Finding::warn("clock", text, hint) } else { Finding::fail("clock", text, hint) }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
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
