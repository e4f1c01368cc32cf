//! `[alerts]`: the receivers of alerts, for the host and for one tenant.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::choice;
use super::diagnostics::Diagnostic;
use super::secret::{self, SecretSource};
use super::settings::{AlertSettings, Checks, Secrets};
use super::toml_reader::Section;

/// Reads the section of a file; `Some(None)` if it is absent. `variable` gives the name that a message suggests.
pub(super) fn read(
    root: &Section<'_>,
    secrets: &dyn SecretSource,
    checks: &Checks,
    variable: impl Fn(&str) -> String,
) -> Option<Option<AlertSettings>> {
    let Some(written) = root.get("alerts") else { return Some(None) };
    let section = root.section("alerts");
    let address = |key: &str, what: &str| {
        section.maybe(key, |entry| {
            let found = secret::read(entry, checks.secrets, secrets, &variable(what))?;
            if checks.secrets == Secrets::Resolve {
                entry.good(is_address(&found))?;
            }
            Some(found)
        })
    };
    let robot = address("robot", "ALERT_ROBOT");
    let url = address("url", "ALERT_URL");
    let lang = section.maybe("lang", choice::lang);
    let settings = AlertSettings { robot: robot?, url: url?, lang: lang? };
    if settings.robot.is_none() && settings.url.is_none() {
        root.file.error(
            written.at,
            Diagnostic::new(
                "`[alerts]` names neither `robot` nor `url`",
                "`[alerts]` 没有写 `robot` 或 `url`",
            )
            .hint(
                format!("add `robot = {{ env = \"{}\" }}`, or remove the section", variable("ALERT_ROBOT")),
                format!("请加上 `robot = {{ env = \"{}\" }}`，或删去这一节", variable("ALERT_ROBOT")),
            ),
        );
        return None;
    }
    Some(Some(settings))
}

/// Checks that a secret is a callable address. No part of it is repeated in a message.
fn is_address(secret: &SecretString) -> Result<(), Diagnostic> {
    let url = Url::parse(secret.expose_secret()).ok();
    match url.filter(|url| matches!(url.scheme(), "http" | "https")) {
        Some(_) => Ok(()),
        None => Err(Diagnostic::new("this is not an http or https address", "这不是 http 或 https 地址")
            .hint(
                "the secret is the whole address; the group robot's page in WeCom shows it (Webhook)",
                "密钥应为完整的地址；企业微信群机器人页面的 Webhook 地址即是",
            )),
    }
}
