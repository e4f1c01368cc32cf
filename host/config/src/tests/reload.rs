//! A process runs on the last usable contents of the files.

use secrecy::ExposeSecret as _;

use super::*;

const HOST: &str = r#"[server]
listen = "0.0.0.0:7080"
token = { env = "RUZHI_TOKEN" }
[schedule]
at_once = 8
[guard]
create_most = 100
"#;

/// Two tenants that run, `a` and `b`, and the host's file.
fn running() -> (ConfigFolder, Config) {
    let mut deployment =
        ConfigFolder::of(&[("ruzhi.toml", HOST), ("tenants/a.toml", TENANT), ("tenants/b.toml", TENANT)]);
    deployment.variables.extend([("RUZHI_TOKEN", "an-operators-token"), ("OTHER", "another-jdy-key")]);
    let config = deployment.good();
    (deployment, config)
}

fn reload(deployment: &ConfigFolder, old: &Config) -> (Config, Vec<String>) {
    let (config, problems) =
        Config::reload(deployment.dir.path(), &deployment.variables, &deployment.checks, old);
    let list = problems.map(|problems| problems.list).unwrap_or_default();
    let told = list.iter().map(|problem| format!("{}: {}", problem.file.display(), problem.text.en));
    (config, told.map(|text| text.replace(&deployment.dir.path().display().to_string(), "DIR")).collect())
}

/// Compares two configurations.
fn same(one: &Config, other: &Config) -> bool {
    let without = |config: &Config| Config {
        fingerprint: Fingerprint::default(),
        secret_files: Vec::new(),
        warnings: Vec::new(),
        ..config.clone()
    };
    format!("{:?}", without(one)) == format!("{:?}", without(other))
}

fn names(config: &Config) -> Vec<(&str, &str)> {
    config.tenants.iter().map(|tenant| (tenant.id.as_str(), tenant.name.as_str())).collect()
}

fn named(name: &str) -> String {
    format!("name = \"{name}\"\n{TENANT}")
}

#[test]
fn what_has_not_changed_is_as_it_was() {
    let (deployment, old) = running();
    let (new, told) = reload(&deployment, &old);
    assert!(same(&new, &old) && told.is_empty());
}

#[test]
fn good_files_are_taken_over_tenants_come_and_go() {
    let (mut deployment, old) = running();
    deployment.write("tenants/a.toml", named("甲").as_bytes());
    deployment.write("tenants/c.toml", named("丙").as_bytes());
    std::fs::remove_file(deployment.path("tenants/b.toml")).unwrap();
    deployment.write("ruzhi.toml", HOST.replace("at_once = 8", "at_once = 9").as_bytes());
    deployment.variables.insert("RUZHI_TOKEN", "another-operators-token");
    let (new, told) = reload(&deployment, &old);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(names(&new), [("a", "甲"), ("c", "丙")]);
    assert_eq!(new.schedule.at_once, 9);
    assert_eq!(new.server.people[0].token.expose_secret(), "another-operators-token");
}

#[test]
fn a_bad_tenant_stays_as_it_was_and_the_others_go_on() {
    let (deployment, old) = running();
    for bad in ["[wecom", "name = 3\n", "", &format!("unknown = 1\n{TENANT}")] {
        deployment.write("tenants/a.toml", bad.as_bytes());
        deployment.write("tenants/b.toml", named("乙").as_bytes());
        let (new, told) = reload(&deployment, &old);
        assert!(!told.is_empty() && told.iter().all(|text| text.starts_with("tenants/a.toml: ")), "{told:?}");
        assert_eq!(names(&new), [("a", "a"), ("b", "乙")], "{bad}");
        // It stays as it was while the file stays invalid.
        let (again, told) = reload(&deployment, &new);
        assert_eq!((names(&again), told.is_empty()), (vec![("a", "a"), ("b", "乙")], false));
    }
    deployment.write("tenants/a.toml", named("甲").as_bytes());
    let (new, told) = reload(&deployment, &old);
    assert_eq!((names(&new), told), (vec![("a", "甲"), ("b", "乙")], vec![]));
}

#[test]
fn a_new_tenant_that_is_bad_stays_out() {
    let (deployment, old) = running();
    deployment.write("tenants/c.toml", b"name = \"c\"\n");
    let (new, told) = reload(&deployment, &old);
    assert_eq!(names(&new), [("a", "a"), ("b", "b")]);
    assert!(!told.is_empty() && told.iter().all(|text| text.starts_with("tenants/c.toml: ")));
}

#[test]
fn a_secret_that_is_gone_leaves_the_old_one_in_force() {
    let (mut deployment, old) = running();
    deployment.variables.remove("JDY_KEY");
    deployment.write("tenants/b.toml", TENANT.replace("JDY_KEY", "OTHER").as_bytes());
    let (new, told) = reload(&deployment, &old);
    assert_eq!(told, ["tenants/a.toml: the environment variable `JDY_KEY` is not set"]);
    let keys: Vec<_> = new.tenants.iter().map(|tenant| tenant.jiandaoyun.api_key.expose_secret()).collect();
    assert_eq!(keys, ["jdy-key", "another-jdy-key"]);
}

#[test]
fn a_bad_host_stays_as_it_was_and_its_tenants_are_taken_over() {
    let (deployment, old) = running();
    deployment.write("ruzhi.toml", b"[schedule]\nat_once = 0\n");
    deployment.write("tenants/a.toml", named("甲").as_bytes());
    let (new, told) = reload(&deployment, &old);
    assert_eq!(told, ["ruzhi.toml: `schedule.at_once` must be from 1 to 10000, found 0"]);
    assert_eq!((new.schedule.at_once, new.guard_ceiling.create_most), (8, 100));
    assert_eq!(new.server.people.len(), 1);
    assert_eq!(names(&new), [("a", "甲"), ("b", "b")]);
}

#[test]
fn a_tenant_that_stays_is_held_to_a_lower_ceiling() {
    let (deployment, old) = running();
    assert_eq!(old.tenants[0].guard.create_most, 100);
    deployment.write("ruzhi.toml", HOST.replace("create_most = 100", "create_most = 50").as_bytes());
    deployment.write("tenants/a.toml", format!("{TENANT}[guard]\ncreate_most = 80\n").as_bytes());
    let (new, told) = reload(&deployment, &old);
    assert_eq!(told, ["tenants/a.toml: `guard.create_most` is 80, but the host allows 50 at most"]);
    assert_eq!(new.tenants[0].guard.create_most, 50);
}

#[test]
fn a_host_whose_file_is_gone_stays_as_it_was_for_good() {
    let (deployment, old) = running();
    std::fs::remove_file(deployment.path("ruzhi.toml")).unwrap();
    let mut config = old;
    for name in ["甲", "乙"] {
        deployment.write("tenants/a.toml", named(name).as_bytes());
        let (new, told) = reload(&deployment, &config);
        assert_eq!(told, ["ruzhi.toml: the file is gone; what it said stays in force"]);
        assert_eq!((new.schedule.at_once, new.server.people.len()), (8, 1));
        assert_eq!(new.tenants[0].name, name);
        config = new;
    }
    deployment.write("ruzhi.toml", HOST.replace("at_once = 8", "at_once = 9").as_bytes());
    let (new, told) = reload(&deployment, &config);
    assert_eq!((new.schedule.at_once, told), (9, vec![]));
}

#[test]
fn everything_stays_if_no_tenant_or_no_folder_is_left() {
    let (deployment, old) = running();
    for name in ["a", "b"] {
        std::fs::remove_file(deployment.path(&format!("tenants/{name}.toml"))).unwrap();
    }
    deployment.write("ruzhi.toml", HOST.replace("at_once = 8", "at_once = 9").as_bytes());
    let (new, told) = reload(&deployment, &old);
    assert!(same(&new, &old));
    assert_eq!(told, ["tenants: there is no tenant"]);

    std::fs::remove_dir_all(deployment.path("tenants")).unwrap();
    let (new, told) = reload(&deployment, &new);
    assert!(same(&new, &old));
    assert_eq!(told, ["tenants: there is no tenant"]);

    deployment.write("tenants", b"");
    let (new, told) = reload(&deployment, &new);
    assert!(same(&new, &old));
    assert_eq!(told, ["tenants: the tenants' folder cannot be read: it is a file, not a folder"]);

    std::fs::remove_dir_all(deployment.dir.path()).unwrap();
    let (new, told) = reload(&deployment, &new);
    assert!(same(&new, &old));
    assert_eq!(told, ["DIR: the configuration's folder cannot be read: it does not exist"]);
}

#[test]
fn what_a_process_starts_with_waits_for_a_restart() {
    let (deployment, old) = running();
    let text = HOST.replace("7080", "7081").replace("at_once = 8", "at_once = 9");
    let others = "[store]\nurl = \"sqlite://other.db\"\n[guest]\nmemory = \"32MiB\"\ncache = \"cache\"\n";
    deployment.write("ruzhi.toml", format!("{text}{others}").as_bytes());
    let (new, told) = reload(&deployment, &old);
    assert_eq!(
        told,
        [
            "ruzhi.toml: `guest` is 32 MiB, 2000 ms, DIR/cache now; the running process goes on with 64 MiB, 2000 ms, DIR/cache",
            "ruzhi.toml: `server.listen` is 0.0.0.0:7081 now; the running process goes on with 0.0.0.0:7080",
            "ruzhi.toml: `store.url` is sqlite://other.db now; the running process goes on with sqlite://ruzhi.db",
        ]
    );
    assert_eq!((&new.store, new.server.listen, &new.guest), (&old.store, old.server.listen, &old.guest));
    assert_eq!(new.schedule.at_once, 9, "the rest is taken over");
    // The problem is reported as long as it lasts.
    assert_eq!(reload(&deployment, &new).1.len(), 3);
}

#[test]
fn a_process_that_others_can_reach_is_never_left_without_a_lock() {
    let (deployment, old) = running();
    deployment.write("ruzhi.toml", b"[server]\nlisten = \"127.0.0.1:7080\"\n");
    let (new, told) = reload(&deployment, &old);
    assert_eq!(new.server.listen, "0.0.0.0:7080".parse().unwrap());
    assert_eq!(new.server.people.len(), 1);
    assert_eq!(
        told,
        [
            "ruzhi.toml: `server.listen` is 127.0.0.1:7080 now; the running process goes on with 0.0.0.0:7080",
            "ruzhi.toml: no token is set, but other machines can reach the running process: those who could come in still can",
        ]
    );
}

#[test]
fn a_process_without_people_does_not_come_to_be_for_others() {
    let mut deployment = ConfigFolder::of(&[("tenants/a.toml", TENANT)]);
    deployment.variables.insert("PUSH", "push-secret");
    let old = deployment.good();
    let pushed = format!("{TENANT}[flows.push]\nsecret = {{ env = \"PUSH\" }}\n");
    deployment.write("tenants/a.toml", pushed.as_bytes());
    let (new, told) = reload(&deployment, &old);
    assert!(same(&new, &old));
    assert_eq!(
        told,
        [
            "ruzhi.toml: `flows.push` of a/onboarding lets others reach ruzhi, but no token is set: anyone coming through a proxy would be an operator"
        ]
    );
    deployment.write("ruzhi.toml", b"[server]\ntoken = { env = \"RUZHI_TOKEN\" }\n");
    deployment.variables.insert("RUZHI_TOKEN", "an-operators-token");
    let (new, told) = reload(&deployment, &old);
    assert!(told.is_empty() && new.tenants[0].flows[0].push.is_some(), "{told:?}");
}
