//! Rejects settings that let others in while no token is set.
//!
//! Without tokens, anyone on this machine is an operator, and requests through a proxy on this machine look local:
//! unless configured to, a proxy adds no header that says otherwise. So no setting that only serves outside access
//! may be used.

use super::settings::Config;
use ruzhi_model::Text;

/// A setting that serves outside access while no token is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnguardedServer {
    /// The key and its location.
    what: String,
}

impl UnguardedServer {
    /// The problem.
    pub fn text(&self) -> Text {
        let what = &self.what;
        Text::new(
            format!(
                "{what} lets others reach ruzhi, but no token is set: anyone coming through a proxy would be an operator"
            ),
            format!("{what} 用于让其他人访问 ruzhi，却没有写明谁可以进入：经代理而来的任何人都会成为操作员"),
        )
    }

    /// The remedy.
    pub fn hint(&self) -> Text {
        Text::new(
            "add `token = { env = \"RUZHI_TOKEN\" }` under `[server]` in ruzhi.toml; `openssl rand -hex 32` makes a token",
            "请在 ruzhi.toml 的 `[server]` 下加上 `token = { env = \"RUZHI_TOKEN\" }`；可用 `openssl rand -hex 32` 生成令牌",
        )
    }
}

impl Config {
    /// The first setting that serves outside access, if no token is set.
    pub fn unguarded(&self) -> Option<UnguardedServer> {
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
        host.or_else(tenants).map(|what| UnguardedServer { what })
    }
}
