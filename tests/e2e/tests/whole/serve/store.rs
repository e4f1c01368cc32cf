//! Trouble with the store of a running process: a full disk for a while, or another file in its place.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ruzhi_e2e::{Serving, Tenant};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultKind, FaultRule, Faults};
use serde_json::{Value, json};

use super::schedule::{ask, run_of, schedule_state};
use crate::site::Site;

const PEOPLE: usize = 300;

/// A site whose store lies in a separate folder, apart from the compiled components.
fn site() -> Site {
    let site = Site::new(PEOPLE, |tenant: Tenant| tenant);
    fs::create_dir(site.deployment.path().join("data")).unwrap();
    let host = "[store]\nurl = \"sqlite://data/ruzhi.db\"\n[guest]\ncache = \"cache\"\n";
    fs::write(site.deployment.path().join("ruzhi.toml"), host).unwrap();
    site
}

/// Each member is created so slowly that a run takes many seconds.
fn slowly(site: &Site) {
    let slow = FaultRule { delay_ms: 2_000, ..FaultRule::new(FaultKind::Slow).api("user/create") };
    site.simulator.set_faults(Faults { seed: 1, rules: vec![slow] });
}

fn ready(serving: &Serving) -> (u16, Value) {
    let answer = serving.get("/readyz").unwrap();
    (answer.status, answer.json().unwrap()["reasons"].clone())
}

/// A run during which the store becomes unwritable, and the one after it.
fn without_room_for_a_while(
    serving: &Serving,
    site: &Site,
    mut take: impl FnMut(),
    give: impl FnOnce(),
    reason: &Value,
) {
    slowly(site);
    ask(serving, "jingxintai", &json!({}));
    let some = || (site.simulator.members(CORP_ID).len() >= 20).then_some(());
    serving.wait("members", some).unwrap();
    // The write-ahead log is reused: it has room until its end is reached.
    let stopped = serving.wait("the store to be full", || {
        take();
        let (status, reasons) = ready(serving);
        (status == 503).then_some(reasons)
    });
    let stopped = stopped.unwrap();
    assert_eq!(stopped, json!([{ "code": "store.write", "fatal": true, "message": reason }]));
    let still = || {
        take();
        (schedule_state(serving, "jingxintai")["state"] != "running").then_some(())
    };
    serving.wait("the run to fail", still).unwrap();
    let created = site.simulator.members(CORP_ID).len();
    assert!(created < PEOPLE, "the run was over before");
    assert_eq!(serving.get("/healthz").unwrap().status, 200, "a restart would not help");
    give();

    assert_eq!(ready(serving), (200, json!([])));
    site.simulator.set_faults(Faults::default());
    let began = Instant::now();
    let run = ask(serving, "jingxintai", &json!({}));
    assert_eq!(run_of(serving, &run)["state"], "done");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    site.exact();
    // No one was created twice, and no answered but unstored call was asked about again.
    assert_eq!(site.simulator.members(CORP_ID).len(), PEOPLE);
}

/// Writes until the disk is full.
fn fill(file: &Path) {
    let mut file = File::options().create(true).append(true).open(file).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    while file.write_all(&[0; 64]).is_ok() {}
}

#[test]
fn a_disk_that_is_full_for_a_while_costs_the_run_under_way_and_no_other() {
    let site = site();
    assert_eq!(site.run(&["check"]).code, Some(0));
    // A separate file system, visible only by way of the process.
    let mount = r#"mount -t tmpfs -o size=8m none "$0" && exec "$@""#;
    let data = site.deployment.path().join("data");
    let data_name = data.to_str().unwrap();
    let serving =
        Serving::prepared(&site.deployment, &["unshare", "-Urm", "sh", "-c", mount, data_name]).unwrap();
    let inside = PathBuf::from(format!("/proc/{}/root{data_name}", serving.pid()));
    assert!(inside.join("ruzhi.db").exists());
    let full = inside.join("full");
    let reason =
        json!({ "en": "the store cannot be written: the disk is full", "zh": "存储无法写入：磁盘已满" });
    without_room_for_a_while(&serving, &site, || fill(&full), || fs::remove_file(&full).unwrap(), &reason);
}

#[test]
fn a_disk_that_fails_for_a_while_costs_the_run_under_way_and_no_other() {
    let site = site();
    assert_eq!(site.run(&["check"]).code, Some(0));
    // The signal for exceeding the limit is ignored, so that a write fails as on a bad disk, not as on a full one.
    let ignoring = ["sh", "-c", r#"trap '' XFSZ; exec "$@""#, "sh"];
    let serving = Serving::prepared(&site.deployment, &ignoring).unwrap();
    let limit = |bytes: &str| {
        let limited = Command::new("prlimit")
            .args(["--pid", &serving.pid().to_string(), &format!("--fsize={bytes}:")])
            .status();
        assert!(limited.unwrap().success());
    };
    let reason = json!({ "en": "the store cannot be written", "zh": "存储无法写入" });
    without_room_for_a_while(&serving, &site, || limit("0"), || limit("unlimited"), &reason);
}

#[test]
fn a_process_whose_store_was_exchanged_says_so_ends_and_writes_neither() {
    let site = site();
    site.json(0, &["plan", "jingxintai"]);
    let data = site.deployment.path().join("data");
    let (path, backup, old) = (data.join("ruzhi.db"), data.join("backup.db"), data.join("old.db"));
    fs::copy(&path, &backup).unwrap();
    let copied = fs::read(&backup).unwrap();

    let serving = Serving::start(&site.deployment, &[]).unwrap();
    slowly(&site);
    ask(&serving, "jingxintai", &json!({}));
    let some = || (site.simulator.members(CORP_ID).len() >= 20).then_some(());
    serving.wait("members", some).unwrap();
    fs::rename(&path, &old).unwrap();
    fs::rename(&backup, &path).unwrap();
    let before = fs::read(&old).unwrap();
    let created = site.simulator.members(CORP_ID).len();
    let (log, began) =
        (site.deployment.path().join(format!("serve-{}.log", std::process::id())), Instant::now());
    let (status, _) = serving.ended().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let log = fs::read_to_string(log).unwrap();
    let told = format!(
        "error[store.exchanged]: the store {} was removed or exchanged while ruzhi ran on it ({0}); nothing has been written since",
        path.display()
    );
    assert!(log.contains(&told), "{log}");
    assert!(log.contains("hint: put the right file in its place"), "{log}");
    assert!(fs::read(&path).unwrap() == copied, "the other file was written");
    assert!(fs::read(&old).unwrap() == before, "the file that was moved away was written");
    // The calls under way were answered; nothing was called after it could not be stored.
    let more = site.simulator.members(CORP_ID).len() - created;
    assert!(more <= 60, "{more} more members");
    assert!(site.simulator.members(CORP_ID).len() < PEOPLE);

    // If started again as it is, it would write the log of the one file into the other.
    let again = site.run(&["sync", "jingxintai"]);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(again.stderr.contains("error[store.log]"), "{}", again.stderr);
    for end in ["db-wal", "db-shm"] {
        fs::remove_file(path.with_extension(end)).unwrap();
    }
    site.json(0, &["status"]);
}

#[test]
fn a_store_that_was_removed_is_noticed_by_a_process_with_nothing_to_do() {
    let site = site();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    fs::remove_file(site.deployment.path().join("data/ruzhi.db")).unwrap();
    let began = Instant::now();
    let (status, _) = serving.ended().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let left: Vec<_> = fs::read_dir(site.deployment.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name == "ruzhi.db")
        .collect();
    assert!(left.is_empty(), "it was made again");
}
