//! Changes of files that are detected.

use super::*;

/// A deployment with all its files.
fn whole() -> ConfigFolder {
    let tenant = TENANT
        .replace("{ env = \"JDY_KEY\" }", "{ file = \"../secrets/jdy\" }")
        .replace("[flows.guest]", "[flows.guest]\nconfig = \"rules.json\"");
    ConfigFolder::of(&[
        ("ruzhi.toml", "[server]\ntoken = { file = \"secrets/token\" }\n"),
        ("tenants/a.toml", &tenant),
        ("tenants/rules.json", "{}"),
        ("secrets/jdy", "key"),
        ("secrets/token", "an-operators-token"),
    ])
}

fn changed(config: &Config) -> bool {
    Fingerprint::of(config) != config.fingerprint
}

fn reload(deployment: &ConfigFolder, old: &Config) -> Config {
    Config::reload(deployment.dir.path(), &deployment.variables, &deployment.checks, old).0
}

#[test]
fn every_file_of_a_deployment_is_watched() {
    let deployment = whole();
    let config = deployment.good();
    let names: Vec<String> = watched(&config)
        .iter()
        .map(|path| {
            path.strip_prefix(deployment.dir.path()).unwrap().display().to_string().replace("tenants/../", "")
        })
        .collect();
    assert_eq!(
        names,
        [
            "guests/member.wasm",
            "ruzhi.toml",
            "secrets/token",
            "secrets/jdy",
            "tenants/a.toml",
            "tenants/rules.json"
        ]
    );
}

#[test]
fn a_change_of_any_of_them_is_seen_and_reading_again_settles_it() {
    let deployment = whole();
    let mut config = deployment.good();
    assert!(!changed(&config));
    for name in [
        "ruzhi.toml",
        "tenants/a.toml",
        "tenants/rules.json",
        "guests/member.wasm",
        "secrets/jdy",
        "secrets/token",
    ] {
        let text = std::fs::read_to_string(deployment.path(name)).unwrap();
        deployment.write(name, format!("{text}\n").as_bytes());
        assert!(changed(&config), "{name}");
        config = reload(&deployment, &config);
        assert!(!changed(&config), "{name}");
    }
    // One more tenant, then one fewer.
    deployment.write("tenants/b.toml", TENANT.as_bytes());
    assert!(changed(&config));
    config = reload(&deployment, &config);
    assert!(!changed(&config));
    std::fs::remove_file(deployment.path("tenants/b.toml")).unwrap();
    assert!(changed(&config));
    // A file that is not a tenant's triggers no reload.
    config = reload(&deployment, &config);
    for other in ["tenants/.a.toml.swp", "tenants/a.toml~", "tenants/a.toml.bak", "notes.txt"] {
        deployment.write(other, b"x");
    }
    assert!(!changed(&config));
}

#[test]
fn a_file_of_the_same_size_and_age_that_takes_anothers_place_is_seen() {
    let deployment = whole();
    let config = deployment.good();
    let path = deployment.path("secrets/jdy");
    let age = std::fs::metadata(&path).unwrap().modified().unwrap();
    deployment.write("secrets/new", b"yek");
    std::fs::File::options()
        .write(true)
        .open(deployment.path("secrets/new"))
        .unwrap()
        .set_modified(age)
        .unwrap();
    std::fs::rename(deployment.path("secrets/new"), &path).unwrap();
    assert!(changed(&config));
}

#[cfg(unix)]
#[test]
fn a_file_that_may_be_read_from_now_on_is_seen() {
    use std::os::unix::fs::PermissionsExt as _;
    let deployment = whole();
    let path = deployment.path("secrets/jdy");
    let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o000);
    let config = deployment.load().unwrap_or_else(|_| {
        // Only root can read it; anyone else starts from the last readable contents.
        set(0o600);
        let config = deployment.good();
        set(0o000);
        reload(&deployment, &config)
    });
    assert!(!changed(&config));
    set(0o600);
    assert!(changed(&config));
}

#[cfg(unix)]
#[test]
fn a_link_that_is_made_to_point_elsewhere_is_seen() {
    let deployment = whole();
    std::fs::rename(deployment.path("tenants"), deployment.path("first")).unwrap();
    deployment.write("second/a.toml", &std::fs::read(deployment.path("first/a.toml")).unwrap());
    deployment.write("second/rules.json", b"{}");
    let point = |to: &str| {
        std::os::unix::fs::symlink(deployment.path(to), deployment.path("link")).unwrap();
        std::fs::rename(deployment.path("link"), deployment.path("tenants")).unwrap();
    };
    point("first");
    let config = deployment.good();
    assert!(!changed(&config));
    point("second");
    assert!(changed(&config));
}

#[test]
fn what_a_bad_file_waits_for_is_watched_too() {
    let deployment = whole();
    let mut config = deployment.good();
    deployment
        .write("tenants/b.toml", TENANT.replace("{ env = \"JDY_KEY\" }", "{ file = \"jdy\" }").as_bytes());
    config = reload(&deployment, &config);
    assert_eq!(config.tenants.len(), 1);
    assert!(!changed(&config), "a bad file is not read again until something changes");
    deployment.write("tenants/jdy", b"key");
    assert!(changed(&config));
    assert_eq!(reload(&deployment, &config).tenants.len(), 2);
}

#[test]
fn a_folder_that_is_gone_and_comes_back_is_seen() {
    let deployment = whole();
    let config = deployment.good();
    std::fs::rename(deployment.path("tenants"), deployment.path("away")).unwrap();
    assert!(changed(&config));
    let without = reload(&deployment, &config);
    assert!(!changed(&without));
    std::fs::rename(deployment.path("away"), deployment.path("tenants")).unwrap();
    assert!(changed(&without));
    assert!(!changed(&reload(&deployment, &without)));
}
