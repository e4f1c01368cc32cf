//! Keys read only by `ruzhi serve`.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::*;

const ROBOT: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4";
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// A deployment with this `ruzhi.toml`.
fn host(text: &str) -> ConfigFolder {
    let mut deployment = ConfigFolder::with(&[]);
    deployment.write("ruzhi.toml", text.as_bytes());
    deployment.variables.extend([
        ("RUZHI_TOKEN", "an-operators-token"),
        ("VIEWER", "a-viewers-token-16"),
        ("LILEI", "li-leis-own-token"),
        ("ROBOT", ROBOT),
        ("SINK", "http://10.0.0.7:9000/alerts"),
    ]);
    deployment
}

/// A tenant with these lines after `corp_id`, and these at the end.
fn tenant(wecom: &str, end: &str) -> ConfigFolder {
    let text = TENANT.replace("[jiandaoyun]", &format!("{wecom}\n[jiandaoyun]"));
    let mut deployment = ConfigFolder::of(&[("tenants/a.toml", &format!("{text}{end}"))]);
    deployment.variables.extend([
        ("CALLBACK", "cb"),
        ("AES", AES_KEY),
        ("PUSH", "push-secret"),
        ("ROBOT", ROBOT),
        ("SHORT", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2"),
    ]);
    deployment
}

/// The problems of an English report, without places and hints.
fn said(deployment: &ConfigFolder) -> Vec<String> {
    let problems = deployment.load().unwrap_err();
    problems
        .list
        .into_iter()
        .map(|problem| format!("{}: {}", problem.line.unwrap_or(0), problem.text.en))
        .collect()
}

#[test]
fn every_key_of_the_host_arrives_as_its_type() {
    let config = host(
        r#"
[server]
listen = "0.0.0.0:8443"
url = "https://ruzhi.example"
token = { env = "RUZHI_TOKEN" }
viewer_token = { env = "VIEWER" }
[[server.people]]
name = " 李雷 "
role = "viewer"
token = { env = "LILEI" }
[schedule]
at_once = 8
late_after = "1h"
[alerts]
robot = { env = "ROBOT" }
url = { env = "SINK" }
lang = "en"
"#,
    )
    .good();
    assert_eq!(config.server.listen, "0.0.0.0:8443".parse().unwrap());
    assert_eq!(config.server.url.unwrap().as_str(), "https://ruzhi.example/");
    let people = config.server.people.iter();
    let people: Vec<_> = people.map(|who| (who.name.as_str(), who.role, who.token.expose_secret())).collect();
    assert_eq!(
        people,
        [
            ("operator", Role::Operator, "an-operators-token"),
            ("viewer", Role::Viewer, "a-viewers-token-16"),
            ("李雷", Role::Viewer, "li-leis-own-token")
        ]
    );
    assert_eq!(config.schedule, ScheduleSettings { at_once: 8, late_after: Duration::from_secs(3_600) });
    assert_eq!(config.alerts.robot.unwrap().expose_secret(), ROBOT);
    assert_eq!(config.alerts.url.unwrap().expose_secret(), "http://10.0.0.7:9000/alerts");
    assert_eq!(config.alerts.lang, Some(Lang::En));
}

#[test]
fn without_the_keys_only_this_machine_has_access_and_no_alert_is_sent() {
    let config = ConfigFolder::with(&[]).good();
    assert!(config.server.people.is_empty() && config.server.url.is_none());
    assert_eq!(config.schedule, ScheduleSettings { at_once: 32, late_after: Duration::from_secs(900) });
    assert!(config.alerts.robot.is_none() && config.alerts.url.is_none() && config.alerts.lang.is_none());
    let tenant = &config.tenants[0];
    assert!(tenant.alerts.is_none() && tenant.wecom.callback.is_none());
    assert!(tenant.flows[0].push.is_none() && tenant.flows[0].write_back.is_none());
}

#[test]
fn every_key_of_a_tenant_arrives_as_its_type() {
    let config = tenant(
        "[wecom.callback]\ntoken = { env = \"CALLBACK\" }\naes_key = { env = \"AES\" }",
        r#"[flows.push]
secret = { env = "PUSH" }
[flows.write_back]
outcome = " _widget_1 "
at = "_widget_2"
lang = "en"
[alerts]
robot = { env = "ROBOT" }
"#,
    )
    .good();
    let tenant = &config.tenants[0];
    let callback = tenant.wecom.callback.as_ref().unwrap();
    assert_eq!((callback.token.expose_secret(), callback.aes_key.expose_secret()), ("cb", AES_KEY));
    assert_eq!(tenant.alerts.as_ref().unwrap().robot.as_ref().unwrap().expose_secret(), ROBOT);
    let flow = &tenant.flows[0];
    assert_eq!(flow.push.as_ref().unwrap().expose_secret(), "push-secret");
    let write_back =
        WriteBack { outcome: "_widget_1".to_owned(), at: Some("_widget_2".to_owned()), lang: Lang::En };
    assert_eq!(flow.write_back, Some(write_back));
}

#[test]
fn an_address_that_others_reach_needs_a_token() {
    for (listen, open) in [
        ("127.0.0.1:7080", false),
        ("127.8.8.8:7080", false),
        ("[::1]:7080", false),
        ("[::ffff:127.0.0.1]:7080", false),
        ("0.0.0.0:7080", true),
        ("[::]:7080", true),
        ("192.168.1.5:7080", true),
    ] {
        let alone = host(&format!("[server]\nlisten = \"{listen}\"\n"));
        assert_eq!(alone.load().is_err(), open, "{listen}");
        let secrets = if open { Secrets::Skip } else { Secrets::Resolve };
        let mut named =
            host(&format!("[server]\nlisten = \"{listen}\"\nviewer_token = {{ env = \"VIEWER\" }}\n"));
        named.checks.secrets = secrets;
        named.good();
    }
    let deployment = host("[server]\nlisten = \"0.0.0.0:7080\"\n");
    assert_eq!(
        deployment.english(),
        r#"error: `server.listen`: other machines can reach 0.0.0.0:7080, but no token is set
 --> ruzhi.toml:2:10
  |
2 | listen = "0.0.0.0:7080"
  |          ^^^^^^^^^^^^^^
  |
  = hint: add `token = { env = "RUZHI_TOKEN" }` under `[server]`, or listen on 127.0.0.1

1 error in the configuration; nothing was done
"#
    );
    assert_eq!(
        deployment.report(Lang::Zh),
        r#"错误：`server.listen`：其他机器可访问 0.0.0.0:7080，却没有写明谁可以进入
 --> ruzhi.toml:2:10
  |
2 | listen = "0.0.0.0:7080"
  |          ^^^^^^^^^^^^^^
  |
  = 提示：请在 `[server]` 下加上 `token = { env = "RUZHI_TOKEN" }`，或改为监听 127.0.0.1

配置中有 1 个错误，未执行任何操作
"#
    );
}

#[test]
fn people_are_told_apart_by_name_and_token() {
    let mut deployment = host(
        r#"[server]
token = { env = "RUZHI_TOKEN" }
viewer_token = { env = "WEAK" }
[[server.people]]
name = "operator"
role = "operator"
token = { env = "LILEI" }
[[server.people]]
name = "李雷"
role = "admin"
token = { env = "LILEI" }
[[server.people]]
name = "李雷"
role = "viewer"
token = { env = "RUZHI_TOKEN" }
[[server.people]]
name = "two\nlines"
"#,
    );
    deployment.variables.insert("WEAK", "fifteen-letters");
    let report = deployment.english();
    assert!(!report.contains("fifteen") && !report.contains("own-token"));
    assert_eq!(
        said(&deployment),
        [
            "3: `server.viewer_token` has fewer than 16 characters: it could be guessed",
            "5: the name `operator` is taken on line 2",
            "10: `server.people.role`: `admin` is none of the known values",
            "11: `server.people.token` is the same as the token on line 7",
            "13: the name `李雷` is taken on line 9",
            "15: `server.people.token` is the same as the token on line 2",
            "16: `role` is missing in `[[server.people]]`",
            "16: `token` is missing in `[[server.people]]`",
            "17: `server.people.name` must be one line of at most 64 characters",
        ]
    );
}

#[test]
fn a_tokens_length_is_not_looked_at_where_secrets_are_skipped() {
    let mut deployment = host("[server]\ntoken = { env = \"A\" }\nviewer_token = { env = \"B\" }\n");
    deployment.checks.secrets = Secrets::Skip;
    assert_eq!(deployment.good().server.people.len(), 2);
}

#[test]
fn every_value_of_the_host_is_checked() {
    let mut deployment = host(
        r#"[server]
url = "https://ruzhi.example/pages"
people = 3
[schedule]
at_once = 0
late_after = "1s"
[alerts]
robot = { env = "NO_URL" }
url = { env = "FTP" }
lang = "fr"
"#,
    );
    deployment.variables.extend([("NO_URL", "693a91f6-7xxx-4bc4"), ("FTP", "ftp://user:pw@host/")]);
    let report = deployment.english();
    assert!(!report.contains("693a91f6") && !report.contains("ftp:"));
    assert_eq!(
        said(&deployment),
        [
            "2: `server.url`: an address must end after the host",
            "3: `server.people` must be a list of tables, found a whole number",
            "5: `schedule.at_once` must be from 1 to 10000, found 0",
            "6: `schedule.late_after`: must be from 1m to 7d, found 1s",
            "8: `alerts.robot`: this is not an http or https address",
            "9: `alerts.url`: this is not an http or https address",
            "10: `alerts.lang`: `fr` is none of the known values",
        ]
    );
}

#[test]
fn alerts_go_somewhere() {
    assert_eq!(said(&host("[alerts]\nlang = \"zh\"\n")), ["1: `[alerts]` names neither `robot` nor `url`"]);
    let report = tenant("", "[alerts]\nlang = \"zh\"\n").report(Lang::Zh);
    assert_eq!(
        report,
        r#"错误：`[alerts]` 没有写 `robot` 或 `url`
  --> tenants/a.toml:14:1
   |
14 | [alerts]
   | ^^^^^^^^
   |
   = 提示：请加上 `robot = { env = "A_ALERT_ROBOT" }`，或删去这一节

配置中有 1 个错误，未执行任何操作
"#
    );
}

#[test]
fn every_value_of_a_tenant_is_checked() {
    let deployment = tenant(
        "[wecom.callback]\naes_key = { env = \"SHORT\" }",
        r#"[flows.push]
[flows.write_back]
outcome = "flowState"
at = ""
lang = "de"
"#,
    );
    assert!(!deployment.english().contains("jWmYm7"));
    assert_eq!(
        said(&deployment),
        [
            "4: `token` is missing in `[wecom.callback]`",
            "5: `wecom.callback.aes_key`: this is not an EncodingAESKey",
            "15: `secret` is missing in `[flows.push]`",
            "17: `flows.write_back.outcome`: `flowState` is filled by JianDaoYun itself",
            "18: `flows.write_back.at` is empty",
            "19: `flows.write_back.lang`: `de` is none of the known values",
        ]
    );
    let same = tenant("", "[flows.write_back]\noutcome = \"_widget_1\"\nat = \" _widget_1\"\n");
    assert_eq!(said(&same), ["16: `flows.write_back.at` is the field of `outcome` too"]);
    assert_eq!(
        said(&tenant("", "[flows.write_back]\nat = \"_widget_1\"\n")),
        ["14: `outcome` is missing in `[flows.write_back]`"]
    );
}

#[test]
fn no_new_secret_written_in_place_is_shown() {
    const LEAKED: &str = "leaked-8f0a2bC9d1E4";
    for way in [
        format!("[server]\nviewer_token = \"{LEAKED}\"\n"),
        format!("[[server.people]]\nname = \"a\"\nrole = \"viewer\"\ntoken = \"{LEAKED}\"\n"),
        format!("server.people = [{{ name = \"a\", role = \"viewer\", token = \"{LEAKED}\" }}]\n"),
        format!("[alerts]\nrobot = \"https://x/{LEAKED}\"\n"),
        format!("[alerts]\nurl = \"https://x/{LEAKED}\"\n"),
        format!("[alerts]\nurl = {{ env = \"https://x/{LEAKED}\" }}\n"),
        format!("alerts = {{ url = \"https://x/{LEAKED}\", lang = 3 }}\n"),
        // Broken syntax: without a tree, the keys of secrets are unknown.
        format!("[alerts]\nrobot = \"https://x/{LEAKED}\n"),
        format!("[alerts]\nurl = \"https://x/?{LEAKED}\n"),
    ] {
        let report = host(&way).english();
        assert!(!report.contains("leaked"), "{way}\n{report}");
    }
    for way in [
        format!("[wecom.callback]\ntoken = \"{LEAKED}\"\naes_key = \"{LEAKED}\""),
        format!("callback = {{ aes_key = \"{LEAKED}\", token = 3 }}"),
    ] {
        let report = tenant(&way, &format!("[flows.push]\nsecret = \"{LEAKED}\"\n")).english();
        assert!(!report.contains("leaked"), "{way}\n{report}");
    }
}

#[test]
fn proxies_are_named_by_address_or_network() {
    use std::net::IpAddr;

    let trusts = |config: &Config, address: &str| config.server.trusts(address.parse::<IpAddr>().unwrap());
    let default = ConfigFolder::with(&[]).good();
    for (address, trusted) in [("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("10.0.0.5", false)] {
        assert_eq!(trusts(&default, address), trusted, "{address}");
    }
    let token = "token = { env = \"RUZHI_TOKEN\" }\n";
    let named =
        host(&format!("[server]\n{token}trusted_proxies = [\"10.0.0.5\", \"10.1.2.3/16\", \"fd00::/8\"]\n"))
            .good();
    for (address, trusted) in [
        ("10.0.0.5", true),
        ("10.0.0.6", false),
        ("10.1.255.1", true),
        ("fd12::1", true),
        ("127.0.0.1", false),
    ] {
        assert_eq!(trusts(&named, address), trusted, "{address}");
    }
    let wrong =
        host(&format!("[server]\n{token}trusted_proxies = [\"proxy\", \"0.0.0.0/0\", \"10.0.0.5/99\"]\n"));
    assert_eq!(
        said(&wrong),
        [
            "3: `server.trusted_proxies`: `proxy` is no address and no network",
            "3: `server.trusted_proxies`: `0.0.0.0/0` is every address: anyone could claim to come from anywhere",
            "3: `server.trusted_proxies`: `10.0.0.5/99` is no address and no network",
        ]
    );
    let text = host("[server]\ntrusted_proxies = \"10.0.0.5\"\n");
    assert_eq!(said(&text), ["2: `server.trusted_proxies` must be a list of texts, found text"]);
}

#[test]
fn a_setting_for_outside_access_needs_a_token() {
    let of = |deployment: ConfigFolder| deployment.good().unguarded().map(|unguarded| unguarded.text().en);
    let token = "token = { env = \"RUZHI_TOKEN\" }\n";
    for (key, line) in [
        ("`server.url`", "url = \"https://ruzhi.example\"\n"),
        ("`server.trusted_proxies`", "trusted_proxies = [\"10.0.0.5\"]\n"),
    ] {
        let told = of(host(&format!("[server]\n{line}"))).unwrap();
        assert!(told.starts_with(&format!("{key} lets others reach ruzhi")), "{told}");
        assert_eq!(of(host(&format!("[server]\n{line}{token}"))), None, "{key}");
    }
    let callback = "[wecom.callback]\ntoken = { env = \"CALLBACK\" }\naes_key = { env = \"AES\" }";
    let push = "[flows.push]\nsecret = { env = \"PUSH\" }\n";
    assert!(of(tenant(callback, "")).unwrap().starts_with("`wecom.callback` of a lets others"));
    assert!(of(tenant("", push)).unwrap().starts_with("`flows.push` of a/onboarding lets others"));
    assert_eq!(of(tenant("", "")), None);
}
