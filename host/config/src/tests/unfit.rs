//! Paths that are not regular files, never end, or are longer than a person would write.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
}

#[test]
fn a_pipe_and_a_device_among_the_files_are_told_and_block_nothing() {
    let with_secret = TENANT.replace("{ env = \"JDY_KEY\" }", "{ file = \"../secret\" }");
    let deployment = ConfigFolder::of(&[("tenants/a.toml", &with_secret), ("tenants/d.toml", TENANT)]);
    pipe(&deployment.path("tenants/b.toml"));
    symlink("/dev/zero", deployment.path("tenants/c.toml")).unwrap();
    symlink("/dev/zero", deployment.path("secret")).unwrap();
    std::fs::remove_file(deployment.path("guests/member.wasm")).unwrap();
    pipe(&deployment.path("guests/member.wasm"));
    let what = "it is a pipe, a device or a socket, not a regular file";
    let report = format!(
        r#"error: the secret's file `../secret` cannot be read: {what}
 --> tenants/a.toml:5:20
  |
5 | api_key = {{ file = "../secret" }}
  |                    ^^^^^^^^^^^
  |
  = hint: the path is relative to this file; ruzhi's user must be able to read it

error: `flows.guest.component`: the file `../guests/member.wasm` cannot be used: {what}
  --> tenants/a.toml:12:13
   |
12 | component = "../guests/member.wasm"
   |             ^^^^^^^^^^^^^^^^^^^^^^^
   |
   = hint: the path is relative to this file; looked for DIR/guests/member.wasm

error: the file cannot be read: {what}
--> tenants/b.toml

error: the file cannot be read: {what}
--> tenants/c.toml

error: `flows.guest.component`: the file `../guests/member.wasm` cannot be used: {what}
  --> tenants/d.toml:12:13
   |
12 | component = "../guests/member.wasm"
   |             ^^^^^^^^^^^^^^^^^^^^^^^
   |
   = hint: the path is relative to this file; looked for DIR/guests/member.wasm

5 errors in the configuration; nothing was done
"#
    );
    assert_eq!(deployment.english(), report);
    assert!(deployment.report(Lang::Zh).contains("这是管道、设备或套接字，不是普通文件"));
}

#[test]
fn the_host_s_file_may_not_be_a_pipe_either() {
    let deployment = ConfigFolder::of(&[("tenants/a.toml", TENANT)]);
    pipe(&deployment.path("ruzhi.toml"));
    assert!(deployment.english().contains("a regular file\n--> ruzhi.toml\n"), "{}", deployment.english());
}

#[test]
fn one_file_that_cannot_be_read_keeps_no_other_from_being_taken_up() {
    let deployment = ConfigFolder::of(&[("tenants/a.toml", TENANT), ("tenants/b.toml", TENANT)]);
    let old = deployment.good();
    std::fs::remove_file(deployment.path("tenants/a.toml")).unwrap();
    pipe(&deployment.path("tenants/a.toml"));
    deployment.write("tenants/b.toml", format!("name = \"乙\"\n{TENANT}").as_bytes());
    let (new, problems) =
        Config::reload(deployment.dir.path(), &deployment.variables, &deployment.checks, &old);
    assert_eq!(problems.unwrap().list.len(), 1);
    let names: Vec<_> = new.tenants.iter().map(|tenant| (tenant.id.as_str(), tenant.name.as_str())).collect();
    assert_eq!(names, [("a", "a"), ("b", "乙")]);
    // A file that was read is not read again until it changes.
    assert_eq!(Fingerprint::of(&new), new.fingerprint);
}

#[test]
fn a_file_beyond_its_kind_s_size_is_not_read() {
    let secret = TENANT.replace("{ env = \"JDY_KEY\" }", "{ file = \"../secret\" }");
    let deployment = ConfigFolder::of(&[
        ("tenants/a.toml", &secret),
        ("tenants/b.toml", &format!("# {}\n{TENANT}", "x".repeat(1 << 20))),
        ("secret", &"x".repeat((64 << 10) + 1)),
    ]);
    let report = deployment.english();
    for told in [
        "error: the secret's file `../secret` cannot be read: it has 65537 bytes or more; at most 64 KiB are read",
        "bytes or more; at most 1024 KiB are read\n--> tenants/b.toml\n",
    ] {
        assert!(report.contains(told), "{report}");
    }
    assert!(report.len() < 2_000, "{report}");
}

/// Problems of a tenant's file with additional text.
fn told(more: &str) -> Vec<Problem> {
    let deployment = ConfigFolder::of(&[("tenants/a.toml", &format!("{more}{TENANT}"))]);
    deployment.load().unwrap_err().list
}

#[test]
fn of_a_file_with_tens_of_thousands_of_problems_a_hundred_are_told_and_the_others_counted() {
    let mut keys = String::new();
    for n in 0..40_000 {
        writeln!(keys, "k{n} = \"?{n}\"").unwrap();
    }
    let inline: Vec<String> = (0..40_000).map(|n| format!("k{n} = \"@{n}\"")).collect();
    let flows = "[[flows]]\n".repeat(60_000);
    let named: String = (0..20_000).fold(String::new(), |mut all, n| {
        writeln!(all, "[[flows]]\nid = \"f{n}\"").unwrap();
        all
    });
    for (many, more, least) in [
        ("keys", keys, 39_900),
        ("keys of one line", format!("guard = {{ {} }}\n", inline.join(", ")), 39_900),
        ("flows", flows, 100_000),
        ("flows with names", named, 20_000),
        ("syntax", "= \n".repeat(300_000), 0),
    ] {
        let list = told(&more);
        assert!((20..=101).contains(&list.len()), "{many}: {}", list.len());
        let last = list.last().unwrap();
        let untold = last.text.en.strip_suffix(" more problems of this file are not shown");
        match untold {
            Some(untold) => assert!(untold.parse::<usize>().unwrap() >= least, "{many}: {untold}"),
            None => assert_eq!(least, 0, "{many}: {}", last.text.en),
        }
        assert_eq!(last.severity, Severity::Error);
    }
}

#[test]
fn a_word_or_a_line_of_any_length_makes_a_message_of_a_few_lines() {
    for more in [
        format!("{} = 1\n", "k".repeat(500_000)),
        format!("timezone = \"{}\"\n", "z".repeat(500_000)),
        format!("name = {{ {} = 1 }}\n", "n".repeat(500_000)),
        format!("{}x = 1\n", "a.".repeat(200_000)),
        format!("x = {}\n", "[".repeat(500_000)),
    ] {
        for problem in told(&more) {
            let report = problem.render(Lang::En);
            assert!(
                report.len() < 10_000,
                "{} bytes: {}…",
                report.len(),
                report.get(..500).unwrap_or_default()
            );
        }
    }
}

#[test]
fn what_is_not_to_be_seen_of_a_long_file_is_not_seen() {
    let mut keys = String::new();
    for n in 0..1_000 {
        writeln!(keys, "k{n} = \"https://user:geheim{n}@host\"; x").unwrap();
    }
    let good: String = (0..1_000).fold(String::new(), |mut all, n| {
        writeln!(all, "k{n} = \"https://user:geheim{n}@host\"").unwrap();
        all
    });
    for more in [keys, good] {
        for problem in told(&more) {
            assert!(!problem.render(Lang::En).contains("geheim"), "{}", problem.render(Lang::En));
        }
    }
}
