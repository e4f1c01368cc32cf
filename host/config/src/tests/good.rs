use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::*;
use ruzhi_jiandaoyun::{ApiVersion, FormAddress, RowFilter};

/// The files of a deployment as designed, with every key.
const HOST: &str = r#"
[store]
url = "sqlite://ruzhi.db"
[server]
listen = "127.0.0.1:7080"
token = { env = "RUZHI_TOKEN" }
[guest]
memory = "64MiB"
deadline = "2s"
cache = "compiled"
[guard]
leave_percent = 30
"#;
const JINGXINTAI: &str = r#"
name = "景欣泰工厂"
timezone = "Asia/Shanghai"
grace = "45d"
protected = ["boss", "Admin@jxt"]

[wecom]
base_url = "https://qyapi.weixin.qq.com"
corp_id = "ww0123456789abcdef"
secret = { env = "JINGXINTAI_WECOM_SECRET" }
proxy = "http://10.0.0.1:3128"        # optional: one trusted egress IP per corp
batch_from = 0                         # from this many creates and updates on, write by CSV job; 0 = never
limits = { per_minute = 10000, per_hour = 150000, in_flight = 4 }   # the defaults

[jiandaoyun]
base_url = "https://api.jiandaoyun.com"
api_key = { env = "JINGXINTAI_JDY_KEY" }
limits = { per_second = 30 }

[guard]
leave_percent = 20
leave_least = 5
leave_most = 200
create_most = 500

[[flows]]
id = "onboarding"
schedule = "*/5 * * * *"              # cron, in the tenant's time zone
duplicates = "newest"
[flows.source]
api = "v2"
app_id = "6399c24287cae90008d24e0b"
entry_id = "63e0706d0e33350008189952"
overlap = "15m"
filter = { rel = "and", cond = [
  { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] },
  { field = "flowState", type = "flowstate", method = "eq", value = ["1"] } ] }
[flows.guest]
component = "../guests/member.wasm"   # relative to this file
sha256 = "CD5D4935A48C0672CB06407BB443BC0087AFF947C6B864BAC886982C73B3027F"
config = "jingxintai/onboarding.json"
"#;

fn jingxintai() -> ConfigFolder {
    let mut deployment = ConfigFolder::of(&[
        ("ruzhi.toml", HOST),
        ("tenants/jingxintai.toml", JINGXINTAI),
        ("tenants/jingxintai/onboarding.json", "{}"),
    ]);
    deployment.variables = BTreeMap::from([
        ("RUZHI_TOKEN", "an-operators-token"),
        ("JINGXINTAI_WECOM_SECRET", "wecom-secret"),
        ("JINGXINTAI_JDY_KEY", "jdy-key"),
    ]);
    deployment
}

#[test]
fn every_key_arrives_as_its_type() {
    let deployment = jingxintai();
    let config = deployment.good();
    assert_eq!(config.warnings, []);
    assert_eq!(config.store.url, "sqlite://ruzhi.db");
    assert_eq!(config.store.path, deployment.path("ruzhi.db"));
    assert_eq!(config.server.listen, "127.0.0.1:7080".parse().unwrap());
    assert_eq!(config.server.people.first().unwrap().token.expose_secret(), "an-operators-token");
    assert_eq!(config.guest.memory_bytes, 64 << 20);
    assert_eq!(config.guest.deadline, Duration::from_secs(2));
    assert_eq!(config.guest.cache, deployment.path("compiled"));
    assert_eq!(config.guard_ceiling.leave_percent, 30);
    assert_eq!(config.guard_ceiling.create_most, u32::MAX);

    let [tenant] = &config.tenants[..] else { panic!("one tenant") };
    assert_eq!(tenant.id.as_str(), "jingxintai");
    assert_eq!(tenant.file, deployment.path("tenants/jingxintai.toml"));
    assert_eq!(tenant.name, "景欣泰工厂");
    assert_eq!(tenant.timezone, chrono_tz::Asia::Shanghai);
    assert_eq!(tenant.grace, Duration::from_secs(45 * 86_400));
    assert_eq!(tenant.protected, ["boss".parse().unwrap(), "Admin@jxt".parse().unwrap()]);
    assert_eq!(
        tenant.guard,
        Guard {
            leave_percent: 20,
            leave_least: 5,
            leave_most: 200,
            create_most: 500,
            update_most: u32::MAX,
            leave_day_percent: 40,
            leave_day_most: 400,
            leave_week_percent: 40,
            leave_week_most: 400,
        }
    );

    let wecom = &tenant.wecom;
    assert_eq!(wecom.base_url.as_str(), "https://qyapi.weixin.qq.com/");
    assert_eq!(wecom.corp_id, "ww0123456789abcdef");
    assert_eq!(wecom.secret.expose_secret(), "wecom-secret");
    assert_eq!(wecom.proxy.as_ref().unwrap().as_str(), "http://10.0.0.1:3128/");
    assert_eq!(
        (wecom.batch_from, wecom.per_minute, wecom.per_hour, wecom.in_flight),
        (0, 10_000, 150_000, 4)
    );
    assert_eq!(tenant.jiandaoyun.base_url.as_str(), "https://api.jiandaoyun.com/");
    assert_eq!(tenant.jiandaoyun.api_key.expose_secret(), "jdy-key");
    assert_eq!(tenant.jiandaoyun.per_second, Some(30));

    let [flow] = &tenant.flows[..] else { panic!("one flow") };
    let wanted = FlowConfig {
        id: "onboarding".parse().unwrap(),
        absent: Absent::default(),
        schedule: Some(Schedule::parse("*/5 * * * *", chrono_tz::Asia::Shanghai).unwrap()),
        source: FlowSource {
            form: FormAddress {
                api: ApiVersion::V2,
                app_id: "6399c24287cae90008d24e0b".to_owned(),
                entry_id: "63e0706d0e33350008189952".to_owned(),
            },
            filter: RowFilter::parse(&serde_json::json!({"rel": "and", "cond": [
                    {"field": "updateTime", "type": "datetime", "method": "range",
                     "value": ["{{LAST_SYNC_TIME|datetime}}", ""]},
                    {"field": "flowState", "type": "flowstate", "method": "eq", "value": ["1"]}]}))
            .unwrap(),
            fields: None,
            overlap: Duration::from_secs(900),
        },
        guest: FlowGuest {
            component: deployment.path("guests/member.wasm"),
            sha256: Some(ruzhi_model::Digest::of(b"\0asm")),
            config: Some(deployment.path("tenants/jingxintai/onboarding.json")),
            change: ChangeLimit { percent: 20, least: 5, stated: false },
        },
        duplicates: DuplicatePolicy::Newest,
        push: None,
        write_back: None,
    };
    assert_eq!(format!("{flow:?}"), format!("{wanted:?}"));
}

#[test]
fn what_is_not_written_has_its_default() {
    let deployment = ConfigFolder::with(&[]);
    let config = deployment.good();
    assert_eq!(config.warnings, []);
    assert_eq!(config.store.path, deployment.path("ruzhi.db"));
    assert_eq!(config.guest.cache, deployment.path("cache"));
    assert_eq!(config.guest.memory_bytes, 64 << 20);
    assert_eq!(config.guest.deadline, Duration::from_secs(2));
    assert_eq!(config.server.listen, "127.0.0.1:7080".parse().unwrap());
    assert!(config.server.people.is_empty());
    let tenant = &config.tenants[0];
    assert_eq!(tenant.name, "a");
    assert_eq!(tenant.timezone, chrono_tz::Asia::Shanghai);
    assert_eq!(tenant.grace, Duration::from_secs(30 * 86_400));
    assert_eq!(tenant.guard, Guard::default());
    assert_eq!(tenant.wecom.base_url.as_str(), "https://qyapi.weixin.qq.com/");
    assert_eq!(tenant.wecom.proxy, None);
    assert_eq!(
        (tenant.wecom.batch_from, tenant.wecom.per_minute, tenant.wecom.per_hour, tenant.wecom.in_flight),
        (0, 10_000, 150_000, 4)
    );
    assert_eq!(tenant.jiandaoyun.base_url.as_str(), "https://api.jiandaoyun.com/");
    assert_eq!(tenant.jiandaoyun.per_second, None);
    let flow = &tenant.flows[0];
    assert_eq!(flow.schedule, None);
    assert_eq!(flow.duplicates, DuplicatePolicy::Reject);
    assert_eq!(flow.source.form.api, ApiVersion::V5);
    assert_eq!(flow.source.overlap, Duration::from_secs(600));
    assert_eq!((&flow.source.filter, &flow.source.fields), (&None, &None));
    assert_eq!((&flow.guest.sha256, &flow.guest.config), (&None, &None));
}

#[test]
fn the_cache_stands_beside_a_store_elsewhere() {
    let deployment = ConfigFolder::with(&[]);
    deployment.write("ruzhi.toml", b"store.url = 'sqlite:///var/lib/ruzhi/state.db'");
    let config = deployment.good();
    assert_eq!(config.store.path, Path::new("/var/lib/ruzhi/state.db"));
    assert_eq!(config.guest.cache, Path::new("/var/lib/ruzhi/cache"));
}

#[test]
fn the_lines_and_the_mark_of_a_windows_editor_are_no_problem() {
    let text = format!("\u{feff}{}", TENANT.replace('\n', "\r\n"));
    let deployment = ConfigFolder::of(&[("tenants/a.toml", &text)]);
    assert_eq!(deployment.good().tenants.len(), 1);
}

#[test]
fn a_default_gives_way_to_the_ceiling_and_a_written_limit_does_not() {
    let deployment = ConfigFolder::with(&[]);
    deployment.write("ruzhi.toml", b"[guard]\nleave_percent = 10\ncreate_most = 100\n");
    let guard = deployment.good().tenants[0].guard;
    assert_eq!(
        guard,
        Guard {
            leave_percent: 10,
            leave_day_percent: 20,
            leave_week_percent: 20,
            create_most: 100,
            ..Guard::default()
        }
    );

    deployment.write("tenants/a.toml", format!("{TENANT}[guard]\nleave_percent = 15\n").as_bytes());
    assert_eq!(
        deployment.english(),
        r#"error: `guard.leave_percent` is 15, but the host allows 10 at most
  --> tenants/a.toml:14:17
   |
14 | leave_percent = 15
   |                 ^^
   |
   = hint: lower it, or raise `leave_percent` under `[guard]` in ruzhi.toml

1 error in the configuration; nothing was done
"#
    );
}

#[test]
fn a_target_names_a_tenant_or_a_flow_or_nothing_known() {
    let more = TENANT
        .replace("ww0123456789abcdef", "ww2")
        .replace("[[flows]]\nid = \"onboarding\"", "[[flows]]\nid = \"staff\"");
    let config = ConfigFolder::of(&[("tenants/jingxintai.toml", TENANT), ("tenants/b.toml", &more)]).good();
    let names = |target| {
        config
            .select(target)
            .map(|found| found.iter().map(|(t, f)| format!("{}/{}", t.id, f.id)).collect::<Vec<_>>())
    };
    assert_eq!(names(None).unwrap(), ["b/staff", "jingxintai/onboarding"]);
    assert_eq!(names(Some("b")).unwrap(), ["b/staff"]);
    assert_eq!(names(Some("jingxintai/onboarding")).unwrap(), ["jingxintai/onboarding"]);
    let said = |target| {
        let error = config.select(Some(target)).unwrap_err();
        [error.text().en, error.hint().en, error.text().zh, error.hint().zh]
    };
    assert_eq!(
        said("jinxintai"),
        [
            "there is no tenant `jinxintai`",
            "did you mean `jingxintai`? Known: `b`, `jingxintai`",
            "没有工厂“jinxintai”",
            "是否想写 `jingxintai`？可用：`b`, `jingxintai`"
        ]
    );
    assert_eq!(
        said("b/onboarding"),
        [
            "the tenant `b` has no flow `onboarding`",
            "known: `b/staff`",
            "工厂“b”没有同步流“onboarding”",
            "可用：`b/staff`"
        ]
    );
    assert!(config.tenant(&"b".parse().unwrap()).is_some());
    assert!(config.tenant(&"c".parse().unwrap()).is_none());
}

/// The reference, whose examples form a deployment.
const REFERENCE: &str = include_str!("../../../../docs/reference/configuration.md");

#[test]
fn the_references_examples_load() {
    let mut deployment = ConfigFolder::of(&[
        ("tenants/jingxintai/onboarding.json", "{}"),
        ("secrets/pasted-jdy-key", "key"),
        ("secrets/lilei-token", "li-leis-own-token"),
    ]);
    for (block, _) in REFERENCE.split("```toml\n# ").skip(1).filter_map(|rest| rest.split_once("```")) {
        let (name, content) = block.split_once('\n').unwrap();
        deployment.write(name, content.as_bytes());
    }
    deployment.variables = BTreeMap::from([
        ("RUZHI_TOKEN", "an-operators-token"),
        ("RUZHI_VIEWER_TOKEN", "a-viewers-token-16"),
        ("RUZHI_ALERT_ROBOT", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1"),
        ("RUZHI_ALERT_URL", "https://alerts.example/ruzhi"),
        ("JINGXINTAI_WECOM_SECRET", "secret"),
        ("JINGXINTAI_JDY_KEY", "key"),
        ("JINGXINTAI_CALLBACK_TOKEN", "token"),
        ("JINGXINTAI_CALLBACK_AES_KEY", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"),
        ("JINGXINTAI_ALERT_ROBOT", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=2"),
        ("JINGXINTAI_PUSH_SECRET", "secret"),
        ("PASTED_WECOM_SECRET", "secret"),
    ]);
    let names: Vec<_> = deployment.good().tenants.iter().map(|tenant| tenant.id.to_string()).collect();
    assert_eq!(names, ["jingxintai", "pasted"]);
}

#[test]
fn the_reference_names_every_key() {
    let (of_host, of_tenant) = REFERENCE.split_once("## `tenants/*.toml`").unwrap();
    for (shapes, text) in [(crate::keys::HOST, of_host), (crate::keys::TENANT, of_tenant)] {
        // A key that holds a table is a heading; the keys of `limits` have theirs before them.
        let tables: Vec<_> = shapes.iter().filter_map(|shape| shape.path.rsplit('.').next()).collect();
        for shape in shapes {
            for key in shape.keys.iter().filter(|key| !tables.contains(key)) {
                let inner = if shape.path.ends_with("limits") { "limits." } else { "" };
                assert!(text.contains(&format!("\n| `{inner}{key}`")), "{}.{key}", shape.path);
            }
        }
    }
}

/// By default the limits per day and week are twice those per run.
#[test]
fn the_guard_over_time_follows_the_guard_of_one_run() {
    let deployment = ConfigFolder::with(&[]);
    for (guard, day, week) in [
        ("leave_percent = 10\nleave_most = 7\n", (20, 14), (20, 14)),
        ("leave_percent = 60\n", (100, 400), (100, 400)),
        ("leave_day_percent = 5\nleave_week_most = 90\n", (5, 400), (40, 90)),
        ("leave_most = 4294967295\n", (40, u32::MAX), (40, u32::MAX)),
    ] {
        deployment.write("tenants/a.toml", format!("{TENANT}[guard]\n{guard}").as_bytes());
        let guard = deployment.good().tenants[0].guard;
        assert_eq!((guard.leave_day_percent, guard.leave_day_most), day);
        assert_eq!((guard.leave_week_percent, guard.leave_week_most), week);
    }
    // A ceiling per run does not bind a day, but limits derived from it do not exceed its own.
    deployment.write("ruzhi.toml", b"[guard]\nleave_percent = 10\nleave_day_most = 50\n");
    deployment.write("tenants/a.toml", TENANT.as_bytes());
    let guard = deployment.good().tenants[0].guard;
    assert_eq!((guard.leave_day_percent, guard.leave_day_most, guard.leave_week_most), (20, 50, 400));
}
