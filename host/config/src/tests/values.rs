use super::*;

#[test]
fn every_value_of_a_tenant_is_checked() {
    let deployment = ConfigFolder::of(&[(
        "tenants/a.toml",
        r#"name = ""
timezone = "Asia/Beijing"
grace = "a month"
protected = ["boss", "老板"]
[wecom]
base_url = "qyapi.weixin.qq.com"
corp_id = "景欣泰"
secret = { env = "WECOM_SECRET" }
proxy = "socks5://10.0.0.1:1080"
batch_from = -1
limits = { per_minute = 0, per_hour = 1.5, in_flight = 1000 }
[jiandaoyun]
base_url = "https://api.jiandaoyun.com/api/"
api_key = { env = "JDY_KEY" }
limits = { per_second = 0 }
[guard]
leave_percent = 120
[[flows]]
id = "入职"
schedule = "0 0 30 2 *"
duplicates = "newst"
[flows.source]
api = "v3"
app_id = "6399c24287cae90008d24e0"
entry_id = "63e0706d0e33350008189952"
overlap = "30d"
[flows.guest]
component = "../guests/member.wasm"
sha256 = "abc"
[[flows]]
id = "second"
schedule = "every minute"
[flows.source]
app_id = "6399c24287cae90008d24e0b"
entry_id = "63e0706d0e33350008189952"
[flows.guest]
component = "../guests/member.wasm"
"#,
    )]);
    assert_eq!(
        deployment.english(),
        r#"error: `name` is empty
 --> tenants/a.toml:1:8
  |
1 | name = ""
  |        ^^

error: `timezone`: `Asia/Beijing` is not an IANA time zone
 --> tenants/a.toml:2:12
  |
2 | timezone = "Asia/Beijing"
  |            ^^^^^^^^^^^^^^
  |
  = hint: did you mean `Asia/Shanghai`?

error: `grace`: `a month` is not a duration
 --> tenants/a.toml:3:9
  |
3 | grace = "a month"
  |         ^^^^^^^^^
  |
  = hint: write a whole number and one of ms, s, m, h, d, such as "30d"; at most 3650d

error: `protected`: `老板` is not a valid userid
 --> tenants/a.toml:4:22
  |
4 | protected = ["boss", "老板"]
  |                      ^^^^^^
  |
  = hint: 1 to 64 of the letters a-z and A-Z, digits, `_`, `-`, `@` and `.`, first a letter or digit

error: `wecom.base_url`: this is not a URL: relative URL without a base
 --> tenants/a.toml:6:12
  |
6 | base_url = "qyapi.weixin.qq.com"
  |            ^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write it as "https://host" or "http://host:port"

error: `wecom.corp_id`: `景欣泰` is not a corp id
 --> tenants/a.toml:7:11
  |
7 | corp_id = "景欣泰"
  |           ^^^^^^^^
  |
  = hint: it begins with `ww` or `wx`; WeCom's admin console shows it under My Company

error: `wecom.proxy`: only http and https addresses can be used
 --> tenants/a.toml:9:9
  |
9 | proxy = "socks5://10.0.0.1:1080"
  |         ^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write it as "https://host" or "http://host:port"

error: `wecom.batch_from` must be from 0 to 4294967295, found -1
  --> tenants/a.toml:10:14
   |
10 | batch_from = -1
   |              ^^

error: `wecom.limits.per_minute` must be from 1 to 100000000, found 0
  --> tenants/a.toml:11:25
   |
11 | limits = { per_minute = 0, per_hour = 1.5, in_flight = 1000 }
   |                         ^

error: `wecom.limits.per_hour` must be a whole number, found a number with a fraction
  --> tenants/a.toml:11:39
   |
11 | limits = { per_minute = 0, per_hour = 1.5, in_flight = 1000 }
   |                                       ^^^

error: `wecom.limits.in_flight` must be from 1 to 256, found 1000
  --> tenants/a.toml:11:56
   |
11 | limits = { per_minute = 0, per_hour = 1.5, in_flight = 1000 }
   |                                                        ^^^^

error: `jiandaoyun.limits.per_second` must be from 1 to 100000000, found 0
  --> tenants/a.toml:15:25
   |
15 | limits = { per_second = 0 }
   |                         ^

error: `guard.leave_percent` must be from 0 to 100, found 120
  --> tenants/a.toml:17:17
   |
17 | leave_percent = 120
   |                 ^^^

error: `flows.id`: `入职` is not a valid flow id
  --> tenants/a.toml:19:6
   |
19 | id = "入职"
   |      ^^^^^^
   |
   = hint: 1 to 64 of the letters a-z and A-Z, digits, `-` and `_`, first a letter or digit

error: `flows.schedule`: `0 0 30 2 *` never comes: there is no such date
  --> tenants/a.toml:20:12
   |
20 | schedule = "0 0 30 2 *"
   |            ^^^^^^^^^^^^
   |
   = hint: five fields: minute hour day month weekday; "*/5 * * * *" is every five minutes

error: `flows.duplicates`: `newst` is none of the known values
  --> tenants/a.toml:21:14
   |
21 | duplicates = "newst"
   |              ^^^^^^^
   |
   = hint: did you mean `newest`? Known here: `reject`, `newest`

error: `flows.source.api`: `v3` is none of the known values
  --> tenants/a.toml:23:7
   |
23 | api = "v3"
   |       ^^^^
   |
   = hint: known here: `v1`, `v2`, `v4`, `v5`

error: `flows.source.app_id`: `6399c24287cae90008d24e0` is not an id of JianDaoYun
  --> tenants/a.toml:24:10
   |
24 | app_id = "6399c24287cae90008d24e0"
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = hint: 24 hexadecimal digits, as in the form's address: …/app/APP_ID/entry/ENTRY_ID

error: `flows.source.overlap`: must be from 0s to 7d, found 30d
  --> tenants/a.toml:26:11
   |
26 | overlap = "30d"
   |           ^^^^^

error: `flows.guest.sha256`: this is not a SHA-256
  --> tenants/a.toml:29:10
   |
29 | sha256 = "abc"
   |          ^^^^^
   |
   = hint: 64 hexadecimal digits, as `sha256sum` prints them

error: `flows.schedule`: `every minute` is not a cron expression: Invalid pattern: Pattern must have 5 fields when seconds are disallowed.
  --> tenants/a.toml:32:12
   |
32 | schedule = "every minute"
   |            ^^^^^^^^^^^^^^
   |
   = hint: five fields: minute hour day month weekday; "*/5 * * * *" is every five minutes

21 errors in the configuration; nothing was done
"#
    );
    assert_eq!(
        deployment.report(Lang::Zh),
        r#"错误：`name` 为空
 --> tenants/a.toml:1:8
  |
1 | name = ""
  |        ^^

错误：`timezone`：“Asia/Beijing”不是 IANA 时区名
 --> tenants/a.toml:2:12
  |
2 | timezone = "Asia/Beijing"
  |            ^^^^^^^^^^^^^^
  |
  = 提示：是否想写 `Asia/Shanghai`？

错误：`grace`：“a month”不是时长
 --> tenants/a.toml:3:9
  |
3 | grace = "a month"
  |         ^^^^^^^^^
  |
  = 提示：请写整数加单位 ms、s、m、h、d 之一，例如 "30d"；最多 3650d

错误：`protected`：“老板”不是有效的成员账号
 --> tenants/a.toml:4:22
  |
4 | protected = ["boss", "老板"]
  |                      ^^^^^^
  |
  = 提示：1 到 64 个英文字母、数字、`_`、`-`、`@`、`.`，以字母或数字开头

错误：`wecom.base_url`：这不是有效的网址：relative URL without a base
 --> tenants/a.toml:6:12
  |
6 | base_url = "qyapi.weixin.qq.com"
  |            ^^^^^^^^^^^^^^^^^^^^^
  |
  = 提示：请写成 "https://主机" 或 "http://主机:端口"

错误：`wecom.corp_id`：“景欣泰”不是企业 ID
 --> tenants/a.toml:7:11
  |
7 | corp_id = "景欣泰"
  |           ^^^^^^^^
  |
  = 提示：以 `ww` 或 `wx` 开头，见企业微信管理后台“我的企业”

错误：`wecom.proxy`：只支持 http 和 https 地址
 --> tenants/a.toml:9:9
  |
9 | proxy = "socks5://10.0.0.1:1080"
  |         ^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = 提示：请写成 "https://主机" 或 "http://主机:端口"

错误：`wecom.batch_from` 应在 0 到 4294967295 之间，写成了 -1
  --> tenants/a.toml:10:14
   |
10 | batch_from = -1
   |              ^^

错误：`wecom.limits.per_minute` 应在 1 到 100000000 之间，写成了 0
  --> tenants/a.toml:11:25
   |
11 | limits = { per_minute = 0, per_hour = 1.5, in_flight = 1000 }
   |                         ^

错误：`wecom.limits.per_hour` 应为整数，写成了小数
  --> tenants/a.toml:11:39
   |
11 | limits = { per_minute = 0, per_hour = 1.5, in_flight = 1000 }
   |                                       ^^^

错误：`wecom.limits.in_flight` 应在 1 到 256 之间，写成了 1000
  --> tenants/a.toml:11:56
   |
11 | limits = { per_minute = 0, per_hour = 1.5, in_flight = 1000 }
   |                                                        ^^^^

错误：`jiandaoyun.limits.per_second` 应在 1 到 100000000 之间，写成了 0
  --> tenants/a.toml:15:25
   |
15 | limits = { per_second = 0 }
   |                         ^

错误：`guard.leave_percent` 应在 0 到 100 之间，写成了 120
  --> tenants/a.toml:17:17
   |
17 | leave_percent = 120
   |                 ^^^

错误：`flows.id`：“入职”不是有效的同步流 id
  --> tenants/a.toml:19:6
   |
19 | id = "入职"
   |      ^^^^^^
   |
   = 提示：1 到 64 个英文字母、数字、`-`、`_`，以字母或数字开头

错误：`flows.schedule`：“0 0 30 2 *”永远不会到来：没有这样的日期
  --> tenants/a.toml:20:12
   |
20 | schedule = "0 0 30 2 *"
   |            ^^^^^^^^^^^^
   |
   = 提示：五段：分 时 日 月 周；"*/5 * * * *" 表示每五分钟

错误：`flows.duplicates`：“newst”不是可用的值
  --> tenants/a.toml:21:14
   |
21 | duplicates = "newst"
   |              ^^^^^^^
   |
   = 提示：是否想写 `newest`？此处可用：`reject`, `newest`

错误：`flows.source.api`：“v3”不是可用的值
  --> tenants/a.toml:23:7
   |
23 | api = "v3"
   |       ^^^^
   |
   = 提示：此处可用：`v1`, `v2`, `v4`, `v5`

错误：`flows.source.app_id`：“6399c24287cae90008d24e0”不是简道云的 id
  --> tenants/a.toml:24:10
   |
24 | app_id = "6399c24287cae90008d24e0"
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = 提示：24 个十六进制字符，见表单网址：…/app/应用ID/entry/表单ID

错误：`flows.source.overlap`：应在 0s 到 7d 之间，写成了 30d
  --> tenants/a.toml:26:11
   |
26 | overlap = "30d"
   |           ^^^^^

错误：`flows.guest.sha256`：这不是 SHA-256
  --> tenants/a.toml:29:10
   |
29 | sha256 = "abc"
   |          ^^^^^
   |
   = 提示：64 个十六进制字符，即 `sha256sum` 的输出

错误：`flows.schedule`：“every minute”不是有效的 cron 表达式：Invalid pattern: Pattern must have 5 fields when seconds are disallowed.
  --> tenants/a.toml:32:12
   |
32 | schedule = "every minute"
   |            ^^^^^^^^^^^^^^
   |
   = 提示：五段：分 时 日 月 周；"*/5 * * * *" 表示每五分钟

配置中有 21 个错误，未执行任何操作
"#
    );
}

#[test]
fn an_address_shows_no_credentials() {
    let deployment = ConfigFolder::with(&[(
        "[wecom]\n",
        "[wecom]\nproxy = \"http://ruzhi:hunter2@10.0.0.1:3128\"\nbase_url = \"https://x/?corpsecret=hunter2\"\n",
    )]);
    let report = deployment.english();
    assert!(!report.contains("hunter2"));
    assert_eq!(
        report,
        r#"error: `wecom.proxy`: an address must not hold a user name or password
 --> tenants/a.toml:2:9
  |
2 | proxy = "**********************************"
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write it as "https://host" or "http://host:port"

error: `wecom.base_url`: an address must end before `?` and `#`
 --> tenants/a.toml:3:12
  |
3 | base_url = "*****************************"
  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write it as "https://host" or "http://host:port"

2 errors in the configuration; nothing was done
"#
    );
}

#[test]
fn an_address_in_clear_is_a_warning_except_on_this_machine() {
    let config = ConfigFolder::with(&[
        ("[wecom]\n", "[wecom]\nbase_url = \"http://127.0.0.1:9000\"\n"),
        ("[jiandaoyun]\n", "[jiandaoyun]\nbase_url = \"http://jdy.example.com\"\n"),
    ])
    .good();
    let warnings: String = config.warnings.iter().map(|warning| warning.render(Lang::En)).collect();
    assert_eq!(
        warnings,
        r#"warning: `jiandaoyun.base_url` is not https: secrets and people's data travel in clear
 --> tenants/a.toml:6:12
  |
6 | base_url = "http://jdy.example.com"
  |            ^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write `https://`
"#
    );
}

#[test]
fn a_zone_misspelt_names_the_nearest() {
    for (zone, near) in
        [("Asia/Shanghi", "Asia/Shanghai"), ("UTC+8", "Asia/Shanghai"), ("asia/tokyo", "Asia/Tokyo")]
    {
        let report =
            ConfigFolder::with(&[("[wecom]\n", &format!("timezone = \"{zone}\"\n[wecom]\n"))]).english();
        assert!(report.contains(&format!("did you mean `{near}`?")), "{report}");
    }
}
