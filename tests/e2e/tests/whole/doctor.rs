//! `ruzhi doctor`: every fault is reported with advice, and the exit code reflects it.

use std::os::unix::fs::PermissionsExt as _;

use ruzhi_e2e::{Deployment, Outcome, Tenant, finish, simulator};
use ruzhi_sim::factory::Factory;
use ruzhi_sim::{FaultRule, Knobs, Simulator};
use serde_json::Value;

async fn small() -> (Simulator, Deployment) {
    let factory = Factory::builder(71, 5).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    (simulator, deployment)
}

/// The findings of one check: level, message and hint.
fn findings<'a>(answer: &'a Value, check: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let of = |finding: &'a Value| {
        let text = |value: &'a Value| value["en"].as_str().unwrap_or_default();
        (finding["level"].as_str().unwrap(), text(&finding["message"]), text(&finding["hint"]))
    };
    let all = answer["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["check"] == check).map(of).collect()
}

fn diagnosis(outcome: &Outcome, code: i32) -> Value {
    assert_eq!(outcome.code, Some(code), "{}{}", outcome.stdout, outcome.stderr);
    let answer = outcome.json().unwrap();
    assert_eq!(answer["ok"], code == 0, "{answer}");
    answer
}

#[tokio::test]
async fn a_deployment_that_works_is_well() {
    let (_simulator, deployment) = small().await;
    assert_eq!(deployment.run(&["sync"]).unwrap().code, Some(0));
    let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), 0);
    for check in ["configuration", "store", "disk", "component", "wecom", "jiandaoyun", "clock", "door"] {
        let found = findings(&answer, check);
        assert!(!found.is_empty(), "{check} was not looked at");
        for (level, message, _) in found {
            // The disk usage of this machine is not for a test to judge.
            assert!(level == "ok" || check == "disk", "{check}: {message}");
        }
    }
    assert!(findings(&answer, "component")[0].1.contains("is live"), "{answer}");
    // The engine is judged by the known advisories, whatever they are: its version and their date are reported.
    let engine = findings(&answer, "engine")[0];
    assert!(engine.1.starts_with("wasmtime ") && engine.1.contains("known as of 20"), "{engine:?}");
    assert_ne!(engine.0, "fail", "{engine:?}");

    let shown = deployment.run(&["doctor", "--lang", "zh"]).unwrap();
    assert!(shown.stdout.contains("正常  企业微信 jingxintai：凭证有效"), "{}", shown.stdout);
    assert!(shown.stdout.contains("0 项失败"), "{}", shown.stdout);
}

#[tokio::test]
async fn before_the_first_run_there_is_no_store_and_that_is_no_fault() {
    let (_simulator, deployment) = small().await;
    let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), 0);
    let (level, message, hint) = findings(&answer, "store")[0];
    assert_eq!(level, "warn");
    assert!(message.contains("nothing has run here yet") && hint.contains("ruzhi sync"), "{message} {hint}");
    assert!(!deployment.path().join("ruzhi.db").exists(), "it looks and changes nothing");
}

#[test]
fn a_service_that_is_out_of_reach_says_nothing_of_the_secret() {
    // Nothing listens on the port of discard.
    let deployment = Deployment::new(&[Tenant::new("http://127.0.0.1:9")]).unwrap();
    let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), 1);
    let (level, message, hint) = findings(&answer, "wecom")[0];
    assert_eq!(level, "fail");
    assert!(message.contains("could not be asked whether it accepts `secret`"), "{message}");
    assert!(!hint.is_empty());
}

#[tokio::test]
async fn a_wrong_secret_is_told_with_where_to_find_the_right_one() {
    let (_simulator, deployment) = small().await;
    let mut command = deployment.command(&["doctor", "--json"]).unwrap();
    command.env("JINGXINTAI_WECOM_SECRET", "not-the-secret-of-this-corp-at-all-0123456");
    let outcome = finish(command).unwrap();
    let answer = diagnosis(&outcome, 1);
    let (level, message, hint) = findings(&answer, "wecom")[0];
    assert_eq!(level, "fail");
    assert!(message.contains("does not accept `secret` of tenant jingxintai"), "{message}");
    assert!(!hint.is_empty());
    assert!(!outcome.stdout.contains("not-the-secret"), "{}", outcome.stdout);
    assert_eq!(findings(&answer, "jiandaoyun")[0].0, "ok", "the other service is asked all the same");
}

#[tokio::test]
async fn an_address_that_is_not_trusted_is_named_with_where_to_add_it() {
    let (simulator, deployment) = small().await;
    simulator.set_knobs(Knobs { trusted_ip: false, ..Knobs::default() });
    let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), 1);
    let (level, _, hint) = findings(&answer, "wecom")[0];
    assert_eq!(level, "fail");
    assert!(hint.contains("60020") && hint.contains("127.0.0.1") && hint.contains("企业可信IP"), "{hint}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_and_one_that_is_far_off_is_a_fault() {
    let (simulator, deployment) = small().await;
    for (ahead, code, level) in [(90, 0, "warn"), (-3600, 1, "fail")] {
        simulator.set_knobs(Knobs { clock_ahead_s: ahead, ..Knobs::default() });
        let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), code);
        let found = findings(&answer, "clock");
        assert_eq!(found.len(), 2, "both services are asked: {found:?}");
        for (found, message, hint) in found {
            assert_eq!(found, level, "{message}");
            assert!(hint.contains("timedatectl"), "{hint}");
        }
    }
}

#[tokio::test]
async fn a_form_without_a_field_of_the_rules_is_told() {
    let (_simulator, deployment) = small().await;
    let mut tenant = Tenant::new(&_simulator.url());
    tenant.rules = tenant.rules.map(|rules| rules.replacen("_widget_", "_widget_9", 1));
    deployment.put(&tenant).unwrap();
    let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), 1);
    let (level, message, _) = findings(&answer, "jiandaoyun")[0];
    assert_eq!(level, "fail");
    assert!(message.contains("has no field _widget_9"), "{message}");
}

#[tokio::test]
async fn a_store_that_others_may_read_or_that_is_damaged_is_a_fault() {
    let (_simulator, deployment) = small().await;
    assert_eq!(deployment.run(&["sync"]).unwrap().code, Some(0));
    let store = deployment.path().join("ruzhi.db");
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o644)).unwrap();
    let answer = diagnosis(&deployment.run(&["doctor", "--json", "--offline"]).unwrap(), 1);
    let (level, message, hint) = findings(&answer, "store")[0];
    assert_eq!((level, message.contains("mode 644")), ("fail", true), "{message}");
    assert!(hint.contains("chmod 600"), "{hint}");
    assert!(findings(&answer, "wecom").is_empty(), "--offline asks no service");
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o600)).unwrap();

    // Pages in the middle of the file, so that it still opens.
    let mut bytes = std::fs::read(&store).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xa5);
    std::fs::write(&store, bytes).unwrap();
    let answer = diagnosis(&deployment.run(&["doctor", "--json", "--offline"]).unwrap(), 1);
    assert!(findings(&answer, "store").iter().any(|(level, ..)| *level == "fail"), "{answer}");
}

#[tokio::test]
async fn files_that_are_wrong_are_told_and_end_the_look() {
    let (_simulator, deployment) = small().await;
    std::fs::write(deployment.path().join("ruzhi.toml"), "[stor]\n").unwrap();
    let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), 1);
    let (level, message, _) = findings(&answer, "configuration")[0];
    assert_eq!(level, "fail");
    assert!(message.starts_with("1 problems"), "{message}");
    assert!(answer.to_string().contains("ruzhi.toml:1"), "{answer}");
    assert!(findings(&answer, "store").is_empty(), "where the store is, the file would say");
}

/// Adds another factory with an invalid file.
fn with_a_bad_file(deployment: &Deployment) {
    let bad = "name = \"远方\"\ntimezon = \"Asia/Shanghai\"\n[wecom]\nsecrets = 1\n";
    std::fs::write(deployment.path().join("tenants/yuanfang.toml"), bad).unwrap();
}

#[tokio::test]
async fn a_tenant_s_file_that_is_wrong_is_told_and_the_others_are_looked_at() {
    let (_simulator, deployment) = small().await;
    with_a_bad_file(&deployment);
    let answer = diagnosis(&deployment.run(&["doctor", "--json"]).unwrap(), 1);
    let failed = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["level"] == "fail");
    let failed: Vec<&Value> = failed.collect();
    let [bad] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((&bad["check"], &bad["of"]), (&"configuration".into(), &"tenants/yuanfang.toml".into()));
    for place in ["tenants/yuanfang.toml:2", "tenants/yuanfang.toml:4"] {
        assert!(bad["causes"].to_string().contains(place), "{bad}");
    }
    for check in ["configuration", "store", "disk", "door", "component", "wecom", "jiandaoyun", "clock"] {
        let of = answer["findings"].as_array().unwrap().iter();
        assert!(
            of.clone().any(|found| found["check"] == check && found["level"] != "fail"),
            "{check}: {answer}"
        );
    }
    assert!(findings(&answer, "wecom")[0].1.contains("the secret is accepted"), "{answer}");

    // A check of that very tenant reports the same, and not that the tenant does not exist.
    let asked = diagnosis(&deployment.run(&["doctor", "yuanfang", "--json"]).unwrap(), 1);
    assert_eq!(findings(&asked, "configuration")[0].0, "fail");
    assert!(findings(&asked, "wecom").is_empty() && !findings(&asked, "store").is_empty(), "{asked}");
}

#[tokio::test]
async fn whether_the_process_answers_is_no_matter_of_a_tenant_s_file() {
    let (_simulator, deployment) = small().await;
    with_a_bad_file(&deployment);
    std::fs::write(deployment.path().join("ruzhi.toml"), "[server]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let answer = diagnosis(&deployment.run(&["doctor", "--alive", "--json"]).unwrap(), 1);
    let (_, message, _) = findings(&answer, "serve")[0];
    assert!(message.contains("does not answer on 127.0.0.1:1"), "{message}");
}

#[tokio::test]
async fn it_looks_while_another_process_runs_here() {
    let (simulator, deployment) = small().await;
    assert_eq!(deployment.run(&["sync"]).unwrap().code, Some(0));
    // A run waiting for an answer that never comes holds the store.
    let mut faults = ruzhi_sim::Faults::default();
    faults.rules.push(FaultRule::new(ruzhi_sim::FaultKind::StallBefore).api("data/list").next(1));
    simulator.set_faults(faults);
    let mut running = deployment.command(&["sync"]).unwrap();
    let mut running =
        running.stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().unwrap();
    while !simulator.wait_for_stall(0, std::time::Duration::from_millis(100)) {
        assert!(running.try_wait().unwrap().is_none(), "the run ended without stalling");
    }
    let answer = diagnosis(&deployment.run(&["doctor", "--json", "--offline"]).unwrap(), 0);
    let (level, message, _) = findings(&answer, "store")[0];
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(level, "ok");
    assert!(message.contains(&format!("ruzhi runs here as process {}", running.id())), "{message}");
}
