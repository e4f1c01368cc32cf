//! Compiled components are believed only from a folder and by a key that nobody else had a hand in.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::site::Site;

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
