//! Whether somebody has to be named who may come in.
//!
//! Without people whoever is on this machine is an operator, and whatever a proxy on this machine leads here looks as if
//! it were from it: a proxy that is told nothing but where to lead adds no header that would say otherwise. So nothing may
//! be configured that is of use only where others come in.

use super::Config;
use ruzhi_model::Text;

/// What of a configuration is for others, while nobody is named who may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unguarded {
    /// The key, and where it is.
    what: String,
}

impl Unguarded {
    /// What is wrong.
    pub fn text(&self) -> Text {
        let what = &self.what;
        Text::new(
            format!(
                "{what} is for others to reach ruzhi, and nobody is named who may come in: whoever a proxy leads here would be an operator"
            ),
            format!("{what} 用于让其他人访问 ruzhi，却没有写明谁可以进入：经代理而来的任何人都会成为操作员"),
        )
    }

    /// What to do next.
    pub fn hint(&self) -> Text {
        Text::new(
            "add `token = { env = \"RUZHI_TOKEN\" }` under `[server]` in ruzhi.toml; `openssl rand -hex 32` makes a token",
            "请在 ruzhi.toml 的 `[server]` 下加上 `token = { env = \"RUZHI_TOKEN\" }`；可用 `openssl rand -hex 32` 生成令牌",
        )
    }
}

impl Config {
    /// The first thing that is for others, if nobody is named who may come in.
    pub fn unguarded(&self) -> Option<Unguarded> {
        if !self.server.people.is_empty() {
            return None;
        }
        let host = [
            self.server.url.as_ref().map(|_| "`server.url`"),
            self.server.proxies_named.then_some("`server.trusted_proxies`"),
        ];
        let host = host.into_iter().flatten().map(str::to_owned).next();
        let tenants = || {
            self.tenants.iter().find_map(|tenant| {
                let callback =
                    tenant.wecom.callback.as_ref().map(|_| format!("`wecom.callback` of {}", tenant.id));
                let push = || {
                    let flow = tenant.flows.iter().find(|flow| flow.push.is_some())?;
                    Some(format!("`flows.push` of {}/{}", tenant.id, flow.id))
                };
                callback.or_else(push)
            })
        };
        host.or_else(tenants).map(|what| Unguarded { what })
    }
}
