use super::*;

#[test]
fn every_value_of_the_host_is_checked() {
    let deployment = ConfigFolder::with(&[]);
    deployment.write(
        "ruzhi.toml",
        br#"[store]
url = "postgres://ruzhi:hunter2@db/ruzhi"
[server]
listen = "localhost"
token = { }
[guest]
memory = "64MB"
deadline = "1h"
[guard]
leave_most = -5
"#,
    );
    let report = deployment.english();
    assert!(!report.contains("hunter2"));
    assert_eq!(
        report,
        r#"error: `store.url`: only a store of SQLite can be used
 --> ruzhi.toml:2:7
  |
2 | url = "*********************************"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write "sqlite://ruzhi.db"; the path is relative to this file

error: `server.listen`: `localhost` is not an address to listen on
 --> ruzhi.toml:4:10
  |
4 | listen = "localhost"
  |          ^^^^^^^^^^^
  |
  = hint: write IP:port, such as "127.0.0.1:7080"

error: `server.token` must have one of `env` and `file`
 --> ruzhi.toml:5:9
  |
5 | token = { }
  |         ^^^
  |
  = hint: write `token = { env = "RUZHI_TOKEN" }` or `token = { file = "path" }`

error: `guest.memory`: `64MB` is not a size from 1MiB to 4GiB
 --> ruzhi.toml:7:10
  |
7 | memory = "64MB"
  |          ^^^^^^
  |
  = hint: write a whole number and one of KiB, MiB, GiB, such as "64MiB"

error: `guest.deadline`: must be from 1ms to 10m, found 1h
 --> ruzhi.toml:8:12
  |
8 | deadline = "1h"
  |            ^^^^

error: `guard.leave_most` must be from 0 to 4294967295, found -5
  --> ruzhi.toml:10:14
   |
10 | leave_most = -5
   |              ^^

6 errors in the configuration; nothing was done
"#
    );
    assert_eq!(
        deployment.report(Lang::Zh),
        r#"错误：`store.url`：只支持 SQLite 存储
 --> ruzhi.toml:2:7
  |
2 | url = "*********************************"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = 提示：请写成 "sqlite://ruzhi.db"，路径相对于本文件

错误：`server.listen`：“localhost”不是监听地址
 --> ruzhi.toml:4:10
  |
4 | listen = "localhost"
  |          ^^^^^^^^^^^
  |
  = 提示：请写成 IP:端口，例如 "127.0.0.1:7080"

错误：`server.token` 应在 `env` 和 `file` 中写且只写一个
 --> ruzhi.toml:5:9
  |
5 | token = { }
  |         ^^^
  |
  = 提示：请写成 `token = { env = "RUZHI_TOKEN" }` 或 `token = { file = "路径" }`

错误：`guest.memory`：“64MB”不是 1MiB 到 4GiB 之间的大小
 --> ruzhi.toml:7:10
  |
7 | memory = "64MB"
  |          ^^^^^^
  |
  = 提示：请写整数加单位 KiB、MiB、GiB 之一，例如 "64MiB"

错误：`guest.deadline`：应在 1ms 到 10m 之间，写成了 1h
 --> ruzhi.toml:8:12
  |
8 | deadline = "1h"
  |            ^^^^

错误：`guard.leave_most` 应在 0 到 4294967295 之间，写成了 -5
  --> ruzhi.toml:10:14
   |
10 | leave_most = -5
   |              ^^

配置中有 6 个错误，未执行任何操作
"#
    );
}

#[test]
fn a_store_is_a_file_without_parameters() {
    for (url, said) in [
        ("sqlite::memory:", "the store must be a file"),
        ("sqlite://", "the store must be a file"),
        ("sqlite://ruzhi.db?mode=rwc", "the store's address takes no parameters"),
        ("ruzhi.db", "only a store of SQLite can be used"),
    ] {
        let deployment = ConfigFolder::with(&[]);
        deployment.write("ruzhi.toml", format!("[store]\nurl = \"{url}\"\n").as_bytes());
        let report = deployment.english();
        assert!(report.starts_with(&format!("error: `store.url`: {said}\n")), "{report}");
    }
}
