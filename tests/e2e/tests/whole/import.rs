//! From pasted metadata to a running factory: `ruzhi guest import qeasy`.

use std::fs;
use std::path::Path;
use std::process::Command;

use ruzhi_e2e::{Deployment, Outcome, finish};
use ruzhi_guest::{Context, SourceRecord};
use ruzhi_guest_member::RulesFile;
use ruzhi_sim::factory::CORP_ID;
use serde_json::{Value, json};

use crate::founding::{RULES, founding_simulator};

/// An article with a request body and the target's metadata in it, as in the founding document.
const ARTICLE: &str = include_str!("../../../../host/author/src/qeasy/tests/founding.md");

/// An empty folder with the default guest and the article.
fn folder() -> Deployment {
    let deployment = Deployment::new(&[]).unwrap();
    let guests = deployment.path().join("guests");
    fs::create_dir(&guests).unwrap();
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/built/member.wasm");
    fs::copy(built, guests.join("member.wasm")).unwrap();
    fs::write(deployment.path().join("article.md"), ARTICLE).unwrap();
    deployment
}

fn import(deployment: &Deployment, arguments: &[&str]) -> Outcome {
    let article = deployment.path().join("article.md");
    let mut whole = vec!["guest", "import", "qeasy", article.to_str().unwrap(), "--tenant", "jingxintai"];
    whole.extend(arguments);
    deployment.run(&whole).unwrap()
}

/// Redirects both services' calls to the simulator.
fn point_at(deployment: &Deployment, url: &str) {
    let path = deployment.path().join("tenants/jingxintai.toml");
    let lines: Vec<String> =
        fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| {
                if line.starts_with("base_url = ") {
                    format!("base_url = \"{url}\"")
                } else {
                    line.to_owned()
                }
            })
            .collect();
    fs::write(&path, lines.join("\n")).unwrap();
}

#[tokio::test]
async fn an_article_becomes_a_running_factory() {
    let simulator = founding_simulator().await;
    let deployment = folder();
    let outcome = import(&deployment, &["--corp-id", CORP_ID, "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let report = outcome.json().unwrap();
    assert_eq!(report["left"], json!([]), "{report}");
    assert_eq!(report["variables"], json!(["JINGXINTAI_WECOM_SECRET", "JINGXINTAI_JDY_KEY"]));

    point_at(&deployment, &simulator.url());
    for command in [["check", "jingxintai"].as_slice(), &["check", "jingxintai", "--online"]] {
        let outcome = deployment.run(command).unwrap();
        assert_eq!(outcome.code, Some(0), "{command:?}\n{}", outcome.stderr);
    }
    let report = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!((&report["state"], &report["counts"]["created"]), (&json!("done"), &json!(1)), "{report}");
    let members = simulator.members(CORP_ID);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["user1234"]);
    let body: Vec<Value> =
        simulator.bodies("/user/create").iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(
        body,
        [json!({
            "userid": "user1234", "name": "张三", "mobile": "13800138000", "department": [1, 2, 3],
            "position": "工程师", "to_invite": true
        })]
    );
    assert_eq!(simulator.invitations(CORP_ID)["user1234"], 1);
    simulator.assert_understood();
}

#[test]
fn the_imported_rules_decide_as_the_founding_rules() {
    let deployment = folder();
    assert_eq!(import(&deployment, &[]).code, Some(0));
    let rules = fs::read_to_string(deployment.path().join("tenants/jingxintai/onboarding.json")).unwrap();
    let context = Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() };
    let rows = [
        json!({"_widget_1681087902876": "user1234", "_widget_1675653229901": "张三",
               "_widget_1680875447221": "13800138000", "_widget_1680156501787": "[1,2,3]", "_widget_1680750424796": "工程师"}),
        json!({"_widget_1681087902876": "-", "_widget_1675653229901": "", "_widget_1680875447221": "138",
               "_widget_1680156501787": [0], "_widget_1680750424796": 7}),
        json!({}),
    ];
    let records: Vec<SourceRecord> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| SourceRecord { id: at.to_string(), json: row.to_string() })
        .collect();
    let decide = |rules: &str| ruzhi_guest::decide::<RulesFile>(rules, &context, &records).unwrap();
    assert_eq!(decide(&rules), decide(RULES));
}

#[test]
fn the_written_files_pass_the_check_before_anything_is_filled_in() {
    let deployment = folder();
    let outcome = import(&deployment, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for told in
        ["tenants/jingxintai.toml", "onboarding.json", "corp_id", "JINGXINTAI_WECOM_SECRET=…", "--online"]
    {
        assert!(outcome.stdout.contains(told), "{told}\n{}", outcome.stdout);
    }
    let outcome = deployment.run(&["check"]).unwrap();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn nothing_is_written_over_unless_asked() {
    let deployment = folder();
    assert_eq!(import(&deployment, &[]).code, Some(0));
    let tenant = deployment.path().join("tenants/jingxintai.toml");
    fs::write(&tenant, "mine").unwrap();
    let outcome = import(&deployment, &[]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("error[import.exists]"), "{}", outcome.stderr);
    assert_eq!(fs::read_to_string(&tenant).unwrap(), "mine");
    assert_eq!(import(&deployment, &["--force"]).code, Some(0));
    assert_ne!(fs::read_to_string(&tenant).unwrap(), "mine");
    // Another folder, another flow.
    let other = deployment.path().join("other");
    let arguments = ["--into", other.to_str().unwrap(), "--flow", "joiners"];
    let outcome = import(&deployment, &arguments);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("put the default guest at"), "{}", outcome.stdout);
    assert!(other.join("tenants/jingxintai/joiners.json").is_file());
}

#[test]
fn a_refusal_writes_nothing_and_says_where() {
    let deployment = Deployment::new(&[]).unwrap();
    for (bytes, code, place) in [
        (
            b"{\"api\": \"/cgi-bin/user/create\",\n \"request\": [}".as_slice(),
            "import.syntax",
            "bad.json:2:14",
        ),
        (b"nothing", "import.no-target", "bad.json"),
        (b"\"\xd0\xd5\xc3\xfb\"", "import.encoding", "bad.json:1"),
        (b"{\"api\": \"/cgi-bin/user/create\", \"request\": []}", "import.rules", "bad.json:1:1"),
    ] {
        let path = deployment.path().join("bad.json");
        fs::write(&path, bytes).unwrap();
        for lang in ["en", "zh"] {
            let arguments =
                ["guest", "import", "qeasy", path.to_str().unwrap(), "--tenant", "a", "--lang", lang];
            let outcome = deployment.run(&arguments).unwrap();
            assert_eq!(outcome.code, Some(2));
            assert!(outcome.stderr.contains(&format!("[{code}]")), "{}", outcome.stderr);
            assert!(outcome.stderr.contains(place), "{}", outcome.stderr);
        }
        assert!(!deployment.path().join("tenants/a.toml").exists());
    }
    let outcome = deployment.run(&["guest", "import", "qeasy", "absent.json", "--tenant", "a"]).unwrap();
    assert!(outcome.stderr.contains("error[import.file]"), "{}", outcome.stderr);
}

#[test]
fn metadata_is_taken_from_standard_input() {
    let deployment = folder();
    let mut command: Command =
        deployment.command(&["guest", "import", "qeasy", "-", "--tenant", "jingxintai"]).unwrap();
    command.stdin(fs::File::open(deployment.path().join("article.md")).unwrap());
    assert_eq!(finish(command).unwrap().code, Some(0));
}

#[test]
fn metadata_comes_from_a_pipe_too_and_has_an_end() {
    let deployment = folder();
    let program = deployment.command(&[]).unwrap();
    let import = |script: &str| {
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(script).arg(program.get_program()).args(program.get_args());
        shell.current_dir(deployment.path()).stdin(std::process::Stdio::null());
        finish(shell).unwrap()
    };
    for (from, tenant) in [
        ("cat article.md | \"$0\" \"$@\" guest import qeasy - --tenant one", "one"),
        ("\"$0\" \"$@\" guest import qeasy <(cat article.md) --tenant two", "two"),
    ] {
        let outcome = import(from);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(deployment.path().join(format!("tenants/{tenant}.toml")).exists());
    }
    for from in [
        "\"$0\" \"$@\" guest import qeasy - --tenant three < /dev/zero",
        "\"$0\" \"$@\" guest import qeasy <(cat /dev/zero) --tenant three",
    ] {
        let outcome = import(from);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("error[import.file]"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("at most 16384 KiB are read"), "{}", outcome.stderr);
    }
    let outcome = import("\"$0\" \"$@\" guest import qeasy /dev/zero --tenant three");
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("not a regular file"), "{}", outcome.stderr);
}
