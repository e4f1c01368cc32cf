use super::*;

#[test]
fn an_unknown_key_names_the_nearest_or_the_place_it_belongs() {
    let deployment = ConfigFolder::with(&[
        ("[wecom]\n", "timezon = \"Asia/Shanghai\"\n[wecom]\ncorpId = \"ww1\"\nagent = 3\n"),
        ("[flows.guest]\n", "[flows.guest]\ngrace = \"30d\"\n"),
        ("id = \"onboarding\"\n", "id = \"onboarding\"\ncomponent = \"x.wasm\"\n"),
    ]);
    deployment.write("ruzhi.toml", b"[guest]\nmem = \"1GiB\"\n[log]\nlevel = \"info\"\n");
    insta::assert_snapshot!(deployment.english(), @r#"
    error: unknown key `mem` in `[guest]`
     --> ruzhi.toml:2:1
      |
    2 | mem = "****"
      | ^^^
      |
      = hint: did you mean `memory`? Known here: `memory`, `deadline`, `cache`, `cache_limit`

    error: unknown key `log` at the top of the file
     --> ruzhi.toml:3:2
      |
    3 | [log]
      |  ^^^
      |
      = hint: known here: `store`, `server`, `schedule`, `alerts`, `guest`, `guard`

    error: unknown key `timezon` at the top of the file
     --> tenants/a.toml:1:1
      |
    1 | timezon = "*************"
      | ^^^^^^^
      |
      = hint: did you mean `timezone`? Known here: `name`, `timezone`, `grace`, `protected`, `existing`, `removed`, `wecom`, `jiandaoyun`, `guard`, `alerts`, `flows`

    error: unknown key `corpId` in `[wecom]`
     --> tenants/a.toml:3:1
      |
    3 | corpId = "***"
      | ^^^^^^
      |
      = hint: did you mean `corp_id`? Known here: `base_url`, `corp_id`, `secret`, `read_secret`, `proxy`, `batch_from`, `limits`, `callback`

    error: unknown key `agent` in `[wecom]`
     --> tenants/a.toml:4:1
      |
    4 | agent = *
      | ^^^^^
      |
      = hint: known here: `base_url`, `corp_id`, `secret`, `read_secret`, `proxy`, `batch_from`, `limits`, `callback`

    error: unknown key `component` in `[[flows]]`
      --> tenants/a.toml:11:1
       |
    11 | component = "x.wasm"
       | ^^^^^^^^^
       |
       = hint: it belongs in `[flows.guest]`. Known here: `id`, `schedule`, `duplicates`, `absent`, `source`, `guest`, `push`, `write_back`

    error: unknown key `grace` in `[flows.guest]`
      --> tenants/a.toml:16:1
       |
    16 | grace = "30d"
       | ^^^^^
       |
       = hint: it belongs at the top of the file, before the first `[table]`. Known here: `component`, `sha256`, `config`, `change_percent`, `change_least`

    7 errors in the configuration; nothing was done
    "#);
    insta::assert_snapshot!(deployment.report(Lang::Zh), @r#"
    错误：`[guest]` 中没有 `mem` 这个键
     --> ruzhi.toml:2:1
      |
    2 | mem = "****"
      | ^^^
      |
      = 提示：是否想写 `memory`？此处可用：`memory`, `deadline`, `cache`, `cache_limit`

    错误：文件顶层没有 `log` 这个键
     --> ruzhi.toml:3:2
      |
    3 | [log]
      |  ^^^
      |
      = 提示：此处可用：`store`, `server`, `schedule`, `alerts`, `guest`, `guard`

    错误：文件顶层没有 `timezon` 这个键
     --> tenants/a.toml:1:1
      |
    1 | timezon = "*************"
      | ^^^^^^^
      |
      = 提示：是否想写 `timezone`？此处可用：`name`, `timezone`, `grace`, `protected`, `existing`, `removed`, `wecom`, `jiandaoyun`, `guard`, `alerts`, `flows`

    错误：`[wecom]` 中没有 `corpId` 这个键
     --> tenants/a.toml:3:1
      |
    3 | corpId = "***"
      | ^^^^^^
      |
      = 提示：是否想写 `corp_id`？此处可用：`base_url`, `corp_id`, `secret`, `read_secret`, `proxy`, `batch_from`, `limits`, `callback`

    错误：`[wecom]` 中没有 `agent` 这个键
     --> tenants/a.toml:4:1
      |
    4 | agent = *
      | ^^^^^
      |
      = 提示：此处可用：`base_url`, `corp_id`, `secret`, `read_secret`, `proxy`, `batch_from`, `limits`, `callback`

    错误：`[[flows]]` 中没有 `component` 这个键
      --> tenants/a.toml:11:1
       |
    11 | component = "x.wasm"
       | ^^^^^^^^^
       |
       = 提示：它应写在 `[flows.guest]` 中。此处可用：`id`, `schedule`, `duplicates`, `absent`, `source`, `guest`, `push`, `write_back`

    错误：`[flows.guest]` 中没有 `grace` 这个键
      --> tenants/a.toml:16:1
       |
    16 | grace = "30d"
       | ^^^^^
       |
       = 提示：它应写在文件顶层、第一个 `[表]` 之前。此处可用：`component`, `sha256`, `config`, `change_percent`, `change_least`

    配置中有 7 个错误，未执行任何操作
    "#);
}

#[test]
fn an_empty_tenant_lacks_its_tables_once_each() {
    let deployment = ConfigFolder::of(&[("tenants/a.toml", "")]);
    insta::assert_snapshot!(deployment.english(), @"
    error: `[jiandaoyun]` is missing
    --> tenants/a.toml
     = hint: add `[jiandaoyun]` with `api_key`

    error: `[wecom]` is missing
    --> tenants/a.toml
     = hint: add `[wecom]` with `corp_id` and `secret`

    error: the tenant has no flow
    --> tenants/a.toml
     = hint: add `[[flows]]` with `id`, `[flows.source]` and `[flows.guest]`

    3 errors in the configuration; nothing was done
    ");
}

#[test]
fn a_missing_key_points_at_its_table() {
    let deployment = ConfigFolder::with(&[
        ("corp_id = \"ww0123456789abcdef\"\n", ""),
        ("secret = { env = \"WECOM_SECRET\" }\n", ""),
        ("api_key = { env = \"JDY_KEY\" }\n", ""),
        ("id = \"onboarding\"\n", ""),
        ("app_id = \"6399c24287cae90008d24e0b\"\n", ""),
        ("component = \"../guests/member.wasm\"\n", ""),
    ]);
    insta::assert_snapshot!(deployment.english(), @r#"
    error: `corp_id` is missing in `[wecom]`
     --> tenants/a.toml:1:1
      |
    1 | [wecom]
      | ^^^^^^^
      |
      = hint: add `corp_id = "ww…"`

    error: `secret` is missing in `[wecom]`
     --> tenants/a.toml:1:1
      |
    1 | [wecom]
      | ^^^^^^^
      |
      = hint: add `secret = { env = "A_WECOM_SECRET" }`

    error: `api_key` is missing in `[jiandaoyun]`
     --> tenants/a.toml:2:1
      |
    2 | [jiandaoyun]
      | ^^^^^^^^^^^^
      |
      = hint: add `api_key = { env = "A_JDY_KEY" }`

    error: `id` is missing in `[[flows]]`
     --> tenants/a.toml:3:1
      |
    3 | [[flows]]
      | ^^^^^^^^^
      |
      = hint: add `id = "onboarding"`

    error: `app_id` is missing in `[flows.source]`
     --> tenants/a.toml:4:1
      |
    4 | [flows.source]
      | ^^^^^^^^^^^^^^
      |
      = hint: add `app_id = "24 hexadecimal digits"`

    error: `component` is missing in `[flows.guest]`
     --> tenants/a.toml:6:1
      |
    6 | [flows.guest]
      | ^^^^^^^^^^^^^
      |
      = hint: add `component = "../guests/member.wasm"`

    6 errors in the configuration; nothing was done
    "#);
    insta::assert_snapshot!(deployment.report(Lang::Zh), @r#"
    错误：`[wecom]` 中缺少 `corp_id`
     --> tenants/a.toml:1:1
      |
    1 | [wecom]
      | ^^^^^^^
      |
      = 提示：请加上 `corp_id = "ww…"`

    错误：`[wecom]` 中缺少 `secret`
     --> tenants/a.toml:1:1
      |
    1 | [wecom]
      | ^^^^^^^
      |
      = 提示：请加上 `secret = { env = "A_WECOM_SECRET" }`

    错误：`[jiandaoyun]` 中缺少 `api_key`
     --> tenants/a.toml:2:1
      |
    2 | [jiandaoyun]
      | ^^^^^^^^^^^^
      |
      = 提示：请加上 `api_key = { env = "A_JDY_KEY" }`

    错误：`[[flows]]` 中缺少 `id`
     --> tenants/a.toml:3:1
      |
    3 | [[flows]]
      | ^^^^^^^^^
      |
      = 提示：请加上 `id = "onboarding"`

    错误：`[flows.source]` 中缺少 `app_id`
     --> tenants/a.toml:4:1
      |
    4 | [flows.source]
      | ^^^^^^^^^^^^^^
      |
      = 提示：请加上 `app_id = "24 hexadecimal digits"`

    错误：`[flows.guest]` 中缺少 `component`
     --> tenants/a.toml:6:1
      |
    6 | [flows.guest]
      | ^^^^^^^^^^^^^
      |
      = 提示：请加上 `component = "../guests/member.wasm"`

    配置中有 6 个错误，未执行任何操作
    "#);
}

#[test]
fn a_missing_key_of_an_inline_table_points_at_the_table() {
    let deployment = ConfigFolder::with(&[(
        "[wecom]\ncorp_id = \"ww0123456789abcdef\"\nsecret = { env = \"WECOM_SECRET\" }\n",
        "wecom = { secret = { env = \"WECOM_SECRET\" } }\n",
    )]);
    assert_eq!(
        deployment.english(),
        r#"error: `corp_id` is missing in `[wecom]`
 --> tenants/a.toml:1:9
  |
1 | wecom = { secret = { env = "WECOM_SECRET" } }
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: add `corp_id = "ww…"`

1 error in the configuration; nothing was done
"#
    );
}

#[test]
fn a_wrong_type_says_what_was_found_and_wanted() {
    let deployment = ConfigFolder::of(&[(
        "tenants/a.toml",
        r#"name = 7
timezone = ["Asia/Shanghai"]
grace = 30
protected = "boss"
wecom = "ww0123456789abcdef"
guard = 20
[jiandaoyun]
api_key = { env = "JDY_KEY" }
limits = 30
[flows]
id = "onboarding"
"#,
    )]);
    insta::assert_snapshot!(deployment.english(), @r#"
    error: `name` must be text in quotes, found a whole number
     --> tenants/a.toml:1:8
      |
    1 | name = 7
      |        ^

    error: `timezone` must be text in quotes, found a list
     --> tenants/a.toml:2:12
      |
    2 | timezone = ["Asia/Shanghai"]
      |            ^^^^^^^^^^^^^^^^^

    error: `grace` must be text in quotes, found a whole number
     --> tenants/a.toml:3:9
      |
    3 | grace = 30
      |         ^^

    error: `protected` must be a list of texts, found text
     --> tenants/a.toml:4:13
      |
    4 | protected = "boss"
      |             ^^^^^^

    error: `wecom` must be a table, found text
     --> tenants/a.toml:5:9
      |
    5 | wecom = "ww0123456789abcdef"
      |         ^^^^^^^^^^^^^^^^^^^^

    error: `guard` must be a table, found a whole number
     --> tenants/a.toml:6:9
      |
    6 | guard = 20
      |         ^^

    error: `jiandaoyun.limits` must be a table, found a whole number
     --> tenants/a.toml:9:10
      |
    9 | limits = 30
      |          ^^

    error: `flows` must be a list of tables, found a table
      --> tenants/a.toml:10:1
       |
    10 | [flows]
       | ^^^^^^^
       |
       = hint: write `[[flows]]`

    8 errors in the configuration; nothing was done
    "#);
    insta::assert_snapshot!(deployment.report(Lang::Zh), @r#"
    错误：`name` 应为带引号的文本，写成了整数
     --> tenants/a.toml:1:8
      |
    1 | name = 7
      |        ^

    错误：`timezone` 应为带引号的文本，写成了列表
     --> tenants/a.toml:2:12
      |
    2 | timezone = ["Asia/Shanghai"]
      |            ^^^^^^^^^^^^^^^^^

    错误：`grace` 应为带引号的文本，写成了整数
     --> tenants/a.toml:3:9
      |
    3 | grace = 30
      |         ^^

    错误：`protected` 应为文本列表，写成了文本
     --> tenants/a.toml:4:13
      |
    4 | protected = "boss"
      |             ^^^^^^

    错误：`wecom` 应为表，写成了文本
     --> tenants/a.toml:5:9
      |
    5 | wecom = "ww0123456789abcdef"
      |         ^^^^^^^^^^^^^^^^^^^^

    错误：`guard` 应为表，写成了整数
     --> tenants/a.toml:6:9
      |
    6 | guard = 20
      |         ^^

    错误：`jiandaoyun.limits` 应为表，写成了整数
     --> tenants/a.toml:9:10
      |
    9 | limits = 30
      |          ^^

    错误：`flows` 应为表的列表，写成了表
      --> tenants/a.toml:10:1
       |
    10 | [flows]
       | ^^^^^^^
       |
       = 提示：请写成 `[[flows]]`

    配置中有 8 个错误，未执行任何操作
    "#);
}

#[test]
fn an_empty_list_of_flows_is_no_flow() {
    let text = TENANT.split("[[flows]]").next().unwrap();
    let deployment = ConfigFolder::of(&[("tenants/a.toml", &format!("flows = []\n{text}"))]);
    insta::assert_snapshot!(deployment.english(), @"
    error: the tenant has no flow
     --> tenants/a.toml:1:9
      |
    1 | flows = []
      |         ^^
      |
      = hint: add `[[flows]]` with `id`, `[flows.source]` and `[flows.guest]`

    1 error in the configuration; nothing was done
    ");
}

#[test]
fn two_flows_of_one_id_are_refused_and_two_tenants_may_share_a_corp() {
    let (_, flow) = TENANT.split_once("[[flows]]").unwrap();
    let deployment = ConfigFolder::of(&[
        ("tenants/a.toml", &format!("{TENANT}[[flows]]{flow}")),
        ("tenants/b.toml", TENANT),
    ]);
    insta::assert_snapshot!(deployment.english(), @r#"
    error: the flow id `onboarding` is taken by the flow on line 7
      --> tenants/a.toml:14:6
       |
    14 | id = "onboarding"
       |      ^^^^^^^^^^^^
       |
       = hint: give each flow of a tenant its own id

    1 error in the configuration; nothing was done
    "#);
    insta::assert_snapshot!(deployment.report(Lang::Zh), @r#"
    错误：同步流 id `onboarding` 已被第 7 行的同步流使用
      --> tenants/a.toml:14:6
       |
    14 | id = "onboarding"
       |      ^^^^^^^^^^^^
       |
       = 提示：同一工厂内各同步流的 id 不能相同

    配置中有 1 个错误，未执行任何操作
    "#);
}
