//! Compiled components are trusted only from a folder and with a key that no other user could write.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use ruzhi_e2e::Serving;
use serde_json::json;

use crate::serve::schedule::{ask, run_of};
use crate::site::Site;

/// A copy of the program whose restart can be prevented while it runs.
const COPIED: &str = r#"cp "$1" "$0" && shift && exec "$0" "$@""#;

#[test]
fn a_guest_that_was_tried_before_starts_no_process() {
    let site = Site::new(2, |tenant| tenant);
    site.json(0, &["sync", "jingxintai"]);
    let program = site.deployment.path().join("copy");
    let serving =
        Serving::prepared(&site.deployment, &["sh", "-c", COPIED, program.to_str().unwrap()]).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o000)).unwrap();
    let run = run_of(&serving, &ask(&serving, "jingxintai", &json!({})));
    assert_eq!((&run["state"], &run["counts"]["unchanged"]), (&json!("done"), &json!(2)), "{run}");

    // Other rules are tried first, which would need a new process.
    let rules = site.deployment.path().join("tenants/jingxintai/onboarding.json");
    let text = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, text + "\n").unwrap();
    let taken_up = || serving.log().unwrap().contains("the files have changed").then_some(());
    serving.wait("the files to be taken up", taken_up).unwrap();
    let run = run_of(&serving, &ask(&serving, "jingxintai", &json!({})));
    assert_eq!(run["state"], "done", "the rules that are live go on: {run}");
    let listed = site.json(0, &["rules", "list", "jingxintai"]);
    assert_eq!(
        (&listed[0]["history"].as_array().unwrap().len(), &listed[0]["differs"]),
        (&1, &json!(true)),
        "{listed}"
    );
    assert!(serving.end().unwrap().0.success());
}

#[test]
fn a_key_that_others_can_read_is_told_and_replaced() {
    let site = Site::new(2, |tenant| tenant);
    site.json(0, &["sync", "jingxintai"]);
    let key = site.deployment.path().join("ruzhi.cache-key");
    let before = fs::read(&key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let told = site.run(&["sync", "jingxintai"]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    let text = format!(
        "warning: others could read or write the key of the compiled components, {} (644); it is made anew and every component compiled again",
        key.display()
    );
    assert_eq!(told.stderr.lines().next(), Some(text.as_str()), "{}", told.stderr);
    assert_ne!(fs::read(&key).unwrap(), before);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(site.run(&["sync", "jingxintai"]).stderr, "");
}

#[test]
fn a_folder_that_is_a_link_is_not_used_and_stays_as_it_is() {
    let site = Site::new(2, |tenant| tenant);
    let elsewhere = site.deployment.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(site.deployment.path().join("cache")).unwrap();
    symlink(&elsewhere, site.deployment.path().join("cache")).unwrap();
    let told = site.run(&["sync", "jingxintai", "--lang", "zh"]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(told.stderr.contains("警告：无法使用组件编译缓存"), "{}", told.stderr);
    assert!(
        told.stderr.contains("it is a symbolic link; name the folder that it leads to"),
        "{}",
        told.stderr
    );
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    assert_eq!(fs::metadata(&elsewhere).unwrap().permissions().mode() & 0o777, 0o755);
}
