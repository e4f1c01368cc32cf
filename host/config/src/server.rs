//! `[server]`: the address of `ruzhi serve`, and the people with access.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::diagnostics::Diagnostic;
use super::secret::{self, SecretSource};
use super::settings::{Checks, PersonSettings, Role, Secrets, ServerSettings};
use super::toml_reader::{Section, TomlEntry};
use super::{choice, value};

/// Shorter tokens could be guessed.
const TOKEN_LEAST: usize = 16;
/// Longer names do not fit the audit log.
const NAME_MOST: usize = 64;

/// Names and tokens read so far, with their lines.
#[derive(Default)]
struct PeopleSoFar {
    names: Vec<(String, u32)>,
    tokens: Vec<(SecretString, u32)>,
}

/// Reads the section; `None` if a problem was reported.
pub(super) fn read(
    section: &Section<'_>,
    default: ServerSettings,
    secrets: &dyn SecretSource,
    checks: &Checks,
) -> Option<ServerSettings> {
    let listen = section.optional("listen", default.listen, |entry| entry.parse(address));
    let url = section.maybe("url", |entry| entry.parse(public_url));
    let named = section.maybe("trusted_proxies", |entry| read_proxies(entry));
    let people = read_people(section, secrets, checks);
    if let (Some(listen), Some(people), Some(entry)) = (&listen, &people, section.get("listen"))
        && people.is_empty()
        && is_open(listen)
    {
        entry.error(
            Diagnostic::new(
                format!("`{}`: other machines can reach {listen}, but no token is set", entry.name),
                format!("`{}`：其他机器可访问 {listen}，却没有写明谁可以进入", entry.name),
            )
            .hint(
                "add `token = { env = \"RUZHI_TOKEN\" }` under `[server]`, or listen on 127.0.0.1",
                "请在 `[server]` 下加上 `token = { env = \"RUZHI_TOKEN\" }`，或改为监听 127.0.0.1",
            ),
        );
        return None;
    }
    let named = named?;
    Some(ServerSettings {
        listen: listen?,
        listen_given: false,
        url: url?,
        proxies_named: named.is_some(),
        trusted_proxies: named.unwrap_or(default.trusted_proxies),
        people: people?,
    })
}

/// The default trusted proxies: this machine.
pub(super) fn this_machine() -> Vec<IpNet> {
    let network = |address: IpAddr, length| IpNet::new(address, length).ok();
    let all = [network(Ipv4Addr::LOCALHOST.into(), 8), network(Ipv6Addr::LOCALHOST.into(), 128)];
    all.into_iter().flatten().map(|network| network.trunc()).collect()
}

fn read_proxies(entry: &TomlEntry<'_>) -> Option<Vec<IpNet>> {
    let all = entry.texts()?;
    let networks: Vec<IpNet> = all.iter().filter_map(|one| one.parse(network)).collect();
    (networks.len() == all.len()).then_some(networks)
}

/// An address or a network.
fn network(text: &str) -> Result<IpNet, Diagnostic> {
    let text = text.trim();
    let diagnostic = |en: &str, zh: &str| {
        Err(Diagnostic::new(format!("`{text}` {en}"), format!("“{text}”{zh}")).hint(
            "write the proxy's address, such as \"10.0.0.5\", or its network, such as \"10.0.0.0/24\"",
            "请写代理的 IP，例如 \"10.0.0.5\"，或其网段，例如 \"10.0.0.0/24\"",
        ))
    };
    let Some(network) =
        text.parse::<IpAddr>().map(|ip| ip.to_canonical().into()).or_else(|_| text.parse::<IpNet>()).ok()
    else {
        return diagnostic("is no address and no network", "既不是 IP 也不是网段");
    };
    // A trusted address determines the origin of every request it forwards.
    if network.prefix_len() == 0 {
        return diagnostic(
            "is every address: anyone could claim to come from anywhere",
            "是全部地址：任何人都能自称来自任意地址",
        );
    }
    Ok(network.trunc())
}

/// Checks whether other machines can reach an address.
pub(super) fn is_open(listen: &SocketAddr) -> bool {
    !listen.ip().to_canonical().is_loopback()
}

fn address(text: &str) -> Result<SocketAddr, Diagnostic> {
    text.trim().parse().map_err(|_| {
        Diagnostic::new(format!("`{text}` is not an address to listen on"), format!("“{text}”不是监听地址"))
            .hint("write IP:port, such as \"127.0.0.1:7080\"", "请写成 IP:端口，例如 \"127.0.0.1:7080\"")
    })
}

/// The public address of the pages, which must have no path.
fn public_url(text: &str) -> Result<Url, Diagnostic> {
    let url = value::address(text)?;
    if url.path() != "/" {
        return Err(Diagnostic::new("an address must end after the host", "地址里主机之后不能再有路径")
            .hint(
                "the pages are at the top of their host: write \"https://ruzhi.example\"",
                "页面位于主机的根路径：请写成 \"https://ruzhi.example\"",
            ));
    }
    Ok(url)
}

fn read_people(
    section: &Section<'_>,
    secrets: &dyn SecretSource,
    checks: &Checks,
) -> Option<Vec<PersonSettings>> {
    let mut known = PeopleSoFar::default();
    let mut people = Vec::new();
    let mut good = true;
    for (key, name, role, variable) in [
        ("token", "operator", Role::Operator, "RUZHI_TOKEN"),
        ("viewer_token", "viewer", Role::Viewer, "RUZHI_VIEWER_TOKEN"),
    ] {
        let token = section.maybe(key, |entry| {
            known.names.push((name.to_owned(), entry.file.line(entry.key_at.start)));
            read_token(entry, &mut known.tokens, secrets, checks, variable)
        });
        good &= token.is_some();
        people.extend(token.flatten().map(|token| PersonSettings { name: name.to_owned(), role, token }));
    }
    for person in section.sections("people")? {
        let name = person.required("name", "\"李雷\"", |entry| read_name(entry, &mut known.names));
        let role = person.required("role", "\"viewer\"", |entry| {
            choice::word(entry, &[("viewer", Role::Viewer), ("operator", Role::Operator)])
        });
        let token = person.required("token", "{ env = \"RUZHI_PERSON_TOKEN\" }", |entry| {
            read_token(entry, &mut known.tokens, secrets, checks, "RUZHI_PERSON_TOKEN")
        });
        match (name, role, token) {
            (Some(name), Some(role), Some(token)) => people.push(PersonSettings { name, role, token }),
            _ => good = false,
        }
    }
    good.then_some(people)
}

fn read_name(entry: &TomlEntry<'_>, names: &mut Vec<(String, u32)>) -> Option<String> {
    let name = entry.text()?.trim();
    if name.chars().count() > NAME_MOST || name.chars().any(char::is_control) {
        entry.error(Diagnostic::new(
            format!("`{}` must be one line of at most {NAME_MOST} characters", entry.name),
            format!("`{}` 应为一行，最多 {NAME_MOST} 个字符", entry.name),
        ));
        return None;
    }
    if let Some((_, line)) = names.iter().find(|(known, _)| known == name) {
        entry.error(
            Diagnostic::new(
                format!("the name `{name}` is taken on line {line}"),
                format!("名字 `{name}` 已在第 {line} 行使用"),
            )
            .hint(
                "give each person a unique name; `token` is called `operator`, and `viewer_token` `viewer`",
                "每人一个名字；出示 `token` 者名为 `operator`，出示 `viewer_token` 者名为 `viewer`",
            ),
        );
        return None;
    }
    names.push((name.to_owned(), entry.file.line(entry.at.start)));
    Some(name.to_owned())
}

fn read_token(
    entry: &TomlEntry<'_>,
    tokens: &mut Vec<(SecretString, u32)>,
    secrets: &dyn SecretSource,
    checks: &Checks,
    variable: &str,
) -> Option<SecretString> {
    let token = secret::read(entry, checks.secrets, secrets, variable)?;
    if checks.secrets == Secrets::Skip {
        return Some(token);
    }
    if token.expose_secret().chars().count() < TOKEN_LEAST {
        entry.error(
            Diagnostic::new(
                format!("`{}` has fewer than {TOKEN_LEAST} characters: it could be guessed", entry.name),
                format!("`{}` 不足 {TOKEN_LEAST} 个字符，容易被猜中", entry.name),
            )
            .hint("make one with `openssl rand -hex 32`", "可用 `openssl rand -hex 32` 生成"),
        );
        return None;
    }
    let same = tokens.iter().find(|(known, _)| known.expose_secret() == token.expose_secret());
    if let Some((_, line)) = same {
        entry.error(
            Diagnostic::new(
                format!("`{}` is the same as the token on line {line}", entry.name),
                format!("`{}` 与第 {line} 行的令牌相同", entry.name),
            )
            .hint(
                "give everybody a token of their own, or the audit log cannot tell who it was",
                "每人一个令牌，否则审计日志无法分辨是谁",
            ),
        );
        return None;
    }
    tokens.push((token.clone(), entry.file.line(entry.at.start)));
    Some(token)
}
