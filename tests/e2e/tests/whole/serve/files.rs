//! Files that block, never end or do not answer do not keep the process from loading other files, or from ending.

use std::fs;
use std::path::Path;
use std::process::Command;

use ruzhi_e2e::{Serving, Tenant};

use crate::site::Site;

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The errors of the configuration on disk, once they are reported.
fn refused(serving: &Serving, file: &str) -> String {
    let found = serving.wait("the file to be told", || {
        serving.log().ok()?.lines().find(|line| line.contains(file)).map(str::to_owned)
    });
    found.unwrap()
}

/// Waits until a tenant has this name.
fn called(serving: &Serving, name: &str) {
    let so = || serving.data("/api/v1/overview").unwrap().to_string().contains(name).then_some(());
    serving.wait(name, so).unwrap();
}

fn renamed(site: &Site, name: &str) {
    site.deployment.put(&Tenant { name: name.to_owned(), ..Tenant::new(&site.simulator.url()) }).unwrap();
}

#[test]
fn a_pipe_and_a_device_among_the_tenants_files_are_told_and_the_others_go_on() {
    let site = Site::new(3, |tenant| tenant);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let tenants = site.deployment.path().join("tenants");
    pipe(&tenants.join("pipe.toml"));
    std::os::unix::fs::symlink("/dev/zero", tenants.join("zero.toml")).unwrap();
    renamed(&site, "改名的工厂");
    called(&serving, "改名的工厂");
    for name in ["tenants/pipe.toml", "tenants/zero.toml"] {
        let line = refused(&serving, name);
        assert!(line.contains("it is a pipe, a device or a socket, not a regular file"), "{line}");
    }
    // Once more, after the files were read.
    renamed(&site, "再次改名的工厂");
    called(&serving, "再次改名的工厂");
    let (status, took) = serving.end().unwrap();
    assert!(status.success(), "{status}");
    assert!(took.as_secs() < 10, "{took:?}");
}

#[test]
fn a_rules_file_that_never_ends_leaves_the_rules_live_and_the_memory_small() {
    let site = Site::new(3, |tenant| tenant);
    site.json(0, &["sync", "jingxintai"]);
    let rules = site.deployment.path().join("tenants/jingxintai/onboarding.json");
    fs::remove_file(&rules).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &rules).unwrap();
    let outcome = site.run(&["sync", "jingxintai"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let told = format!(
        "cannot read the rules file {}: it is a pipe, a device or a socket, not a regular file",
        rules.display()
    );
    assert!(outcome.stderr.contains(&told), "{}", outcome.stderr);
    fs::remove_file(&rules).unwrap();
    pipe(&rules);
    let outcome = site.run(&["check", "jingxintai"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    // Longer than any rules file.
    fs::remove_file(&rules).unwrap();
    fs::File::create(&rules).unwrap().set_len(1 << 40).unwrap();
    let outcome = site.run(&["sync", "jingxintai"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("at most 4096 KiB are read"), "{}", outcome.stderr);
}

#[test]
fn a_file_system_that_does_not_answer_stops_neither_the_others_nor_the_end() {
    let site = Site::new(3, |tenant| tenant);
    let hanging = site.deployment.path().join("hanging");
    fs::create_dir(&hanging).unwrap();
    let tenants = site.deployment.path().join("tenants");
    // A file system whose other end is open and silent, seen by the process alone.
    let mount = r#"exec 7<>/dev/fuse && mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 none "$0" && exec "$@""#;
    let shell = ["unshare", "-Urm", "sh", "-c", mount, hanging.to_str().unwrap()];
    let serving = Serving::prepared(&site.deployment, &shell).unwrap();
    std::os::unix::fs::symlink(hanging.join("a.toml"), tenants.join("hangs.toml")).unwrap();
    std::os::unix::fs::symlink(hanging.join("b.toml"), tenants.join("too.toml")).unwrap();
    renamed(&site, "改名的工厂");
    called(&serving, "改名的工厂");
    let line = refused(&serving, "tenants/hangs.toml");
    assert!(line.contains("its file system does not answer"), "{line}");
    renamed(&site, "再次改名的工厂");
    called(&serving, "再次改名的工厂");
    let (status, took) = serving.end().unwrap();
    assert!(status.success(), "{status}");
    assert!(took.as_secs() < 10, "{took:?}");
}
