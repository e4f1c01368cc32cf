use secrecy::ExposeSecret as _;

use super::*;

const LEAKED: &str = "Xq3-leaked-8f0a2bC9d1E4";

#[test]
fn a_secret_in_place_is_refused_and_never_repeated() {
    let deployment = ConfigFolder::with(&[
        ("secret = { env = \"WECOM_SECRET\" }", &format!("secret = \"{LEAKED}\"")),
        (
            "api_key = { env = \"JDY_KEY\" }",
            &format!("apikey = \"{LEAKED}\"\napi_key = {{ env = \"{LEAKED}\" }}"),
        ),
    ]);
    deployment.write("ruzhi.toml", format!("server = {{ listen = 1, token = '''{LEAKED}''' }}").as_bytes());
    let report = deployment.english();
    assert!(!report.contains(LEAKED));
    assert!(!serde_json::to_string(&deployment.load().unwrap_err()).unwrap().contains(LEAKED));
    assert_eq!(
        report,
        r#"error: `server.listen` must be text in quotes, found a whole number
 --> ruzhi.toml:1:21
  |
1 | server = { listen = 1, token = '''***********************''' }
  |                     ^

error: `server.token` is written in place; a secret must not stand in this file
 --> ruzhi.toml:1:32
  |
1 | server = { listen = 1, token = '''***********************''' }
  |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write `token = { env = "RUZHI_TOKEN" }` or `token = { file = "path" }`, and renew the secret: anyone who has read the file knows it

error: `wecom.secret` is written in place; a secret must not stand in this file
 --> tenants/a.toml:3:10
  |
3 | secret = "***********************"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write `secret = { env = "A_WECOM_SECRET" }` or `secret = { file = "path" }`, and renew the secret: anyone who has read the file knows it

error: unknown key `apikey` in `[jiandaoyun]`
 --> tenants/a.toml:5:1
  |
5 | apikey = "***********************"
  | ^^^^^^
  |
  = hint: did you mean `api_key`? Known here: `base_url`, `api_key`, `proxy`, `limits`

error: `jiandaoyun.api_key.env` must be the name of an environment variable
 --> tenants/a.toml:6:19
  |
6 | api_key = { env = "***********************" }
  |                   ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: A-Z, digits and `_`, not first a digit; the secret itself goes into the variable

5 errors in the configuration; nothing was done
"#
    );
    let report = deployment.report(Lang::Zh);
    assert!(!report.contains(LEAKED));
    assert_eq!(
        report,
        r#"错误：`server.listen` 应为带引号的文本，写成了整数
 --> ruzhi.toml:1:21
  |
1 | server = { listen = 1, token = '''***********************''' }
  |                     ^

错误：`server.token` 直接写在了文件里；密钥不能写在这里
 --> ruzhi.toml:1:32
  |
1 | server = { listen = 1, token = '''***********************''' }
  |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = 提示：请写成 `token = { env = "RUZHI_TOKEN" }` 或 `token = { file = "路径" }`，并更换该密钥：读过此文件的人都已知道它

错误：`wecom.secret` 直接写在了文件里；密钥不能写在这里
 --> tenants/a.toml:3:10
  |
3 | secret = "***********************"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = 提示：请写成 `secret = { env = "A_WECOM_SECRET" }` 或 `secret = { file = "路径" }`，并更换该密钥：读过此文件的人都已知道它

错误：`[jiandaoyun]` 中没有 `apikey` 这个键
 --> tenants/a.toml:5:1
  |
5 | apikey = "***********************"
  | ^^^^^^
  |
  = 提示：是否想写 `api_key`？此处可用：`base_url`, `api_key`, `proxy`, `limits`

错误：`jiandaoyun.api_key.env` 应为环境变量的名字
 --> tenants/a.toml:6:19
  |
6 | api_key = { env = "***********************" }
  |                   ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = 提示：只用大写字母、数字和 `_`，不以数字开头；密钥本身放在该变量里

配置中有 5 个错误，未执行任何操作
"#
    );
}

#[test]
fn no_way_of_writing_a_secret_in_place_shows_it() {
    let ways = [
        format!("secret = '{LEAKED}'"),
        format!("secret = \"\"\"\n{LEAKED}\"\"\""),
        format!("secret = [\"{LEAKED}\"]"),
        format!("secret = {{ value = \"{LEAKED}\" }}"),
        format!("secret = {{ env = \"WECOM_SECRET\", key = \"{LEAKED}\" }}"),
        format!("secret = {{ env = [\"{LEAKED}\"] }}"),
        format!("secret.plain.text = \"{LEAKED}\""),
        format!("secret.env.text = \"{LEAKED}\""),
        format!("secrets = \"{LEAKED}\""),
        format!("[[secret]]\na = \"{LEAKED}\""),
        format!("[[password]]\na = \"{LEAKED}\""),
        format!("password = {{ a = [ {{ b = \"{LEAKED}\" }} ] }}"),
        // Broken syntax: without a tree, the keys of secrets are unknown.
        format!("secret = \"{LEAKED}"),
        format!("secret = {LEAKED}"),
        format!("secret = “{LEAKED}”"),
        format!("secret =\n\"{LEAKED}\""),
        format!("secret = \"\"\"\n{LEAKED}\n"),
        LEAKED.to_owned(),
        "api_key = \"short\" x".to_owned(),
        "secret = { token = \"short\", }}".to_owned(),
    ];
    for way in ways {
        let report = ConfigFolder::with(&[("secret = { env = \"WECOM_SECRET\" }", &way)]).english();
        assert!(!report.contains("leaked") && !report.contains("short"), "{way}\n{report}");
    }
}

#[test]
fn a_secret_that_is_not_there_says_how_to_set_it() {
    let mut deployment = ConfigFolder::with(&[("{ env = \"JDY_KEY\" }", "{ file = \"../secrets/jdy\" }")]);
    deployment.variables.clear();
    assert_eq!(
        deployment.english(),
        r#"error: the environment variable `WECOM_SECRET` is not set
 --> tenants/a.toml:3:18
  |
3 | secret = { env = "WECOM_SECRET" }
  |                  ^^^^^^^^^^^^^^
  |
  = hint: set it where ruzhi starts: `export WECOM_SECRET='…'`, or `Environment=WECOM_SECRET=…` in a service

error: the secret's file `../secrets/jdy` cannot be read: it does not exist
 --> tenants/a.toml:5:20
  |
5 | api_key = { file = "../secrets/jdy" }
  |                    ^^^^^^^^^^^^^^^^
  |
  = hint: the path is relative to this file; ruzhi's user must be able to read it

2 errors in the configuration; nothing was done
"#
    );
    assert_eq!(
        deployment.report(Lang::Zh),
        r#"错误：环境变量 `WECOM_SECRET` 没有设置
 --> tenants/a.toml:3:18
  |
3 | secret = { env = "WECOM_SECRET" }
  |                  ^^^^^^^^^^^^^^
  |
  = 提示：请在启动 ruzhi 处设置：`export WECOM_SECRET='…'`，或在服务文件中写 `Environment=WECOM_SECRET=…`

错误：无法读取密钥文件 `../secrets/jdy`：不存在
 --> tenants/a.toml:5:20
  |
5 | api_key = { file = "../secrets/jdy" }
  |                    ^^^^^^^^^^^^^^^^
  |
  = 提示：路径相对于本文件；运行 ruzhi 的用户须能读取

配置中有 2 个错误，未执行任何操作
"#
    );
}

#[cfg(unix)]
#[test]
fn a_secret_that_no_header_can_carry_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut deployment = ConfigFolder::with(&[("{ env = \"JDY_KEY\" }", "{ file = \"jdy\" }")]);
    deployment.variables.insert("WECOM_SECRET", "");
    deployment.write("tenants/jdy", "first-key\nsecond-key\n".as_bytes());
    let everyone = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(deployment.path("tenants/jdy"), everyone).unwrap();
    let report = deployment.english();
    assert!(!report.contains("first-key"));
    assert_eq!(
        report,
        r#"error: the environment variable `WECOM_SECRET` is empty
 --> tenants/a.toml:3:18
  |
3 | secret = { env = "WECOM_SECRET" }
  |                  ^^^^^^^^^^^^^^
  |
  = hint: put the secret there and nothing else

warning: every user of this machine can read the secret's file `jdy`
 --> tenants/a.toml:5:20
  |
5 | api_key = { file = "jdy" }
  |                    ^^^^^
  |
  = hint: run `chmod 600 jdy`

error: the secret's file `jdy` holds a space, a line break or a character outside ASCII
 --> tenants/a.toml:5:20
  |
5 | api_key = { file = "jdy" }
  |                    ^^^^^
  |
  = hint: put the secret there and nothing else

2 errors, 1 warning in the configuration; nothing was done
"#
    );
}

#[test]
fn a_secret_has_one_source() {
    let deployment = ConfigFolder::with(&[
        ("{ env = \"JDY_KEY\" }", "{ env = \"JDY_KEY\", file = \"jdy\" }"),
        ("{ env = \"WECOM_SECRET\" }", "{ environ = \"WECOM_SECRET\" }"),
    ]);
    assert_eq!(
        deployment.english(),
        r#"error: unknown key `environ` in `wecom.secret`
 --> tenants/a.toml:3:12
  |
3 | secret = { environ = "************" }
  |            ^^^^^^^
  |
  = hint: known here: `env`, `file`

error: `jiandaoyun.api_key` must have one of `env` and `file`
 --> tenants/a.toml:5:11
  |
5 | api_key = { env = "JDY_KEY", file = "jdy" }
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write `api_key = { env = "A_JDY_KEY" }` or `api_key = { file = "path" }`

2 errors in the configuration; nothing was done
"#
    );
}

#[test]
fn skipped_secrets_stay_empty_and_their_form_is_still_checked() {
    let mut deployment = ConfigFolder::with(&[("{ env = \"JDY_KEY\" }", "{ file = \"jdy\" }")]);
    deployment.variables.clear();
    deployment.checks.secrets = Secrets::Skip;
    let config = deployment.good();
    assert_eq!(config.tenants[0].wecom.secret.expose_secret(), "");
    assert_eq!(config.tenants[0].jiandaoyun.api_key.expose_secret(), "");

    deployment.write("tenants/a.toml", TENANT.replace("{ env = \"JDY_KEY\" }", "\"in place\"").as_bytes());
    assert!(deployment.english().starts_with("error: `jiandaoyun.api_key` is written in place"));
}

#[test]
fn a_config_does_not_print_its_secrets() {
    let printed = format!("{:?}", ConfigFolder::with(&[]).good());
    assert!(!printed.contains("wecom-secret") && !printed.contains("jdy-key"), "{printed}");
}

#[cfg(unix)]
#[test]
fn a_secrets_file_loses_its_line_end_and_is_warned_of_if_all_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let deployment = ConfigFolder::with(&[("{ env = \"JDY_KEY\" }", "{ file = \"../secrets/jdy\" }")]);
    deployment.write("secrets/jdy", b"key-in-a-file\r\n");
    let set = |mode| {
        std::fs::set_permissions(deployment.path("secrets/jdy"), std::fs::Permissions::from_mode(mode))
            .unwrap();
    };
    set(0o640);
    let config = deployment.good();
    assert_eq!(config.tenants[0].jiandaoyun.api_key.expose_secret(), "key-in-a-file");
    assert_eq!(config.warnings, []);

    set(0o644);
    let warnings: String =
        deployment.good().warnings.iter().map(|warning| warning.render(Lang::En)).collect();
    assert_eq!(
        warnings,
        r#"warning: every user of this machine can read the secret's file `../secrets/jdy`
 --> tenants/a.toml:5:20
  |
5 | api_key = { file = "../secrets/jdy" }
  |                    ^^^^^^^^^^^^^^^^
  |
  = hint: run `chmod 600 ../secrets/jdy`
"#
    );
}

fn with_secret(content: &[u8]) -> ConfigFolder {
    let file = "secret = { file = \"key\" }";
    let deployment = ConfigFolder::with(&[("secret = { env = \"WECOM_SECRET\" }", file)]);
    deployment.write("tenants/key", content);
    deployment
}

#[test]
fn a_secrets_file_is_read_with_a_byte_order_mark_and_whatever_line_end() {
    for content in [
        &b"the-secret"[..],
        b"the-secret\n",
        b"the-secret\r\n",
        b"the-secret\r\n\r\n",
        b"\xef\xbb\xbfthe-secret",
        b"\xef\xbb\xbfthe-secret\r\n",
    ] {
        let config = with_secret(content).good();
        let secret = config.tenants.first().unwrap().wecom.secret.expose_secret();
        assert_eq!(secret, "the-secret", "{content:?}");
    }
}

#[test]
fn a_secrets_file_in_another_encoding_is_told_with_what_to_do() {
    let utf_16 = |order: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain("the-secret\r\n".encode_utf16()).flat_map(order).collect()
    };
    for (content, en, zh) in [
        (utf_16(u16::to_le_bytes, true), "is UTF-16", "是 UTF-16 编码"),
        (utf_16(u16::to_be_bytes, true), "is UTF-16", "是 UTF-16 编码"),
        (utf_16(u16::to_le_bytes, false), "is UTF-16", "是 UTF-16 编码"),
        (utf_16(u16::to_be_bytes, false), "is UTF-16", "是 UTF-16 编码"),
        (b"\xc3\xdc\xd4\xbf".to_vec(), "is not UTF-8", "不是 UTF-8 编码"),
        (b"\xef\xbb\xbf\r\n".to_vec(), "is empty", "为空"),
        (b"the\xef\xbb\xbfsecret".to_vec(), "a character outside ASCII", "非 ASCII 字符"),
    ] {
        let deployment = with_secret(&content);
        let report = deployment.english();
        assert!(report.contains(&format!("the secret's file `key` {en}")) || report.contains(en), "{report}");
        assert!(report.contains(" = hint: "), "{report}");
        assert!(!report.contains("the-secret") && !report.contains("t\0h"), "{report}");
        assert!(deployment.report(Lang::Zh).contains(zh), "{zh}");
    }
}
