//! Every error gives one clear message with the cause, and an exit code for the party at fault.

use std::fs;

use ruzhi_e2e::{Deployment, Outcome, Tenant, finish, simulator};
use ruzhi_sim::factory::{CORP_ID, Factory};
use ruzhi_sim::{FaultRule, Faults, Simulator};

async fn small() -> (Simulator, Deployment) {
    site(5).await
}

async fn site(people: usize) -> (Simulator, Deployment) {
    let factory = Factory::builder(61, people).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    (simulator, deployment)
}

fn says(outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{}{}", outcome.stdout, outcome.stderr);
    for word in words {
        assert!(outcome.stderr.contains(word), "no `{word}` in:\n{}", outcome.stderr);
    }
}

#[tokio::test]
async fn an_unknown_tenant_names_the_nearest() {
    let (_simulator, deployment) = small().await;
    says(&deployment.run(&["sync", "jingxingtai"]).unwrap(), 2, &["jingxingtai", "`jingxintai`"]);
}

#[tokio::test]
async fn every_problem_of_every_file_is_told_at_once() {
    let (_simulator, deployment) = small().await;
    fs::write(deployment.path().join("ruzhi.toml"), "[stor]\nurl = 1\n").unwrap();
    let file = deployment.path().join("tenants/jingxintai.toml");
    let text = fs::read_to_string(&file).unwrap().replace("timezone", "timezon");
    fs::write(&file, text).unwrap();
    let outcome = deployment.run(&["check"]).unwrap();
    says(&outcome, 2, &["ruzhi.toml:1", "`store`", "tenants/jingxintai.toml:2", "`timezone`"]);
}

#[tokio::test]
async fn a_file_that_is_wrong_does_not_keep_the_other_tenants_from_being_checked() {
    let (simulator, deployment) = small().await;
    deployment.put(&Tenant { rules: Some("{}".to_owned()), ..Tenant::new(&simulator.url()) }).unwrap();
    deployment.put(&Tenant { id: "beifang".to_owned(), ..Tenant::new(&simulator.url()) }).unwrap();
    fs::write(deployment.path().join("tenants/dongfang.toml"), "name = \"x\n").unwrap();
    fs::write(deployment.path().join("tenants/nanfang.toml"), "nam = \"x\"\n").unwrap();
    let outcome = deployment.run(&["check", "--online", "--json"]).unwrap();
    says(&outcome, 2, &["tenants/dongfang.toml:1", "tenants/nanfang.toml:1", "guest.configuration"]);
    let answer = outcome.json().unwrap();
    assert_eq!((&answer["ok"], &answer["error"]["code"]), (&false.into(), &"config".into()), "{answer}");
    let flows = answer["flows"].as_array().unwrap().iter();
    let problems: Vec<_> =
        flows.map(|flow| (flow["tenant"].as_str(), flow["problems"].as_array().map(Vec::len))).collect();
    assert_eq!(problems, [(Some("beifang"), Some(0)), (Some("jingxintai"), Some(1))], "{answer}");
}

#[tokio::test]
async fn broken_toml_is_shown_with_its_line() {
    let (_simulator, deployment) = small().await;
    fs::write(deployment.path().join("tenants/jingxintai.toml"), "name = \"x\n").unwrap();
    says(&deployment.run(&["sync"]).unwrap(), 2, &["tenants/jingxintai.toml:1"]);
}

#[tokio::test]
async fn a_missing_secret_names_its_variable() {
    let (_simulator, deployment) = small().await;
    let mut command = deployment.command(&["sync"]).unwrap();
    command.env_remove("JINGXINTAI_WECOM_SECRET");
    says(&finish(command).unwrap(), 2, &["JINGXINTAI_WECOM_SECRET"]);
}

#[tokio::test]
async fn a_file_that_is_no_component_is_refused_with_the_way_to_make_one() {
    let (simulator, deployment) = small().await;
    let bad = deployment.path().join("bad.wasm");
    for (bytes, word) in [
        (&b"hello"[..], "WebAssembly"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"", "empty"),
        (b"\x7fELFxxxxxxx", "native code"),
    ] {
        fs::write(&bad, bytes).unwrap();
        let file = deployment.path().join("tenants/jingxintai.toml");
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<String> = text
            .lines()
            .map(|line| match line.starts_with("component") {
                true => format!("component = \"{}\"", bad.display()),
                false => line.to_owned(),
            })
            .collect();
        fs::write(&file, lines.join("\n")).unwrap();
        says(&deployment.run(&["sync"]).unwrap(), 2, &["guest.not-a-component", word]);
    }
    assert!(simulator.members(CORP_ID).is_empty());
}

#[tokio::test]
async fn a_rules_file_the_guest_refuses_is_told_with_the_guest_s_reason() {
    let (simulator, deployment) = small().await;
    let rules = r#"{"request":[{"field":"useridd","type":"string","value":"{a}"}]}"#;
    deployment.put(&Tenant { rules: Some(rules.to_owned()), ..Tenant::new(&simulator.url()) }).unwrap();
    says(&deployment.run(&["sync"]).unwrap(), 2, &["guest.configuration", "useridd", "userid"]);
}

#[tokio::test]
async fn a_service_that_is_not_there_fails_the_run_and_loses_nothing() {
    let (simulator, deployment) = small().await;
    let url = simulator.url();
    deployment.run_well(&["sync"]).unwrap();
    drop(simulator);
    let mut command = deployment.command(&["check", "--online"]).unwrap();
    command.env("RUZHI_LOG", "off");
    says(&finish(command).unwrap(), 1, &["jiandaoyun.no_answer"]);
    assert!(!url.is_empty());
    let status = deployment.run(&["status", "--json"]).unwrap().json().unwrap();
    assert_eq!(status[0]["members"], 5);
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_secret_say_which_and_are_not_tried_again() {
    let (simulator, deployment) = small().await;
    let mut command = deployment.command(&["sync"]).unwrap();
    command.env("JINGXINTAI_JDY_KEY", "wrong");
    says(&finish(command).unwrap(), 1, &["jiandaoyun.17018"]);
    let mut command = deployment.command(&["sync"]).unwrap();
    command.env("JINGXINTAI_WECOM_SECRET", "wrong");
    says(&finish(command).unwrap(), 1, &["wecom.40001"]);
    assert_eq!(simulator.requests(ruzhi_sim::Service::WeCom)["gettoken"], 1);
}

#[tokio::test]
async fn an_address_wecom_does_not_trust_stops_the_tenant_at_once() {
    let (simulator, deployment) = small().await;
    simulator.set_knobs(ruzhi_sim::Knobs { trusted_ip: false, ..ruzhi_sim::Knobs::default() });
    says(&deployment.run(&["sync"]).unwrap(), 1, &["wecom.60020"]);
    let calls: u64 = simulator.requests(ruzhi_sim::Service::WeCom).values().sum();
    assert!(calls <= 3, "{calls} calls");
}

#[tokio::test]
async fn what_is_not_tried_because_the_tenant_was_stopped_is_no_failure_and_was_not_sent() {
    let (simulator, deployment) = site(60).await;
    let rule = FaultRule::refused(60020).api("user/create").skip(8).next(1000);
    simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    let outcome = deployment.run(&["sync", "--json"]).unwrap();
    says(&outcome, 1, &["wecom.60020"]);
    let counts = outcome.json().unwrap()["counts"].clone();
    let count = |name: &str| counts[name].as_u64().unwrap_or_default();
    assert_eq!(count("created"), 8, "{counts}");
    assert_eq!(count("created") + count("failed") + count("untried"), 60, "{counts}");
    let called = simulator.requests(ruzhi_sim::Service::WeCom)["user/create"];
    assert_eq!(count("created") + count("failed"), called, "only what was called has failed: {counts}");

    let plan = outcome.json().unwrap()["plan"].as_str().unwrap().to_owned();
    let plan = deployment.run(&["show", &plan, "--json"]).unwrap().json().unwrap();
    assert_eq!(plan["state"], "failed");
    for operation in plan["operations"].as_array().unwrap() {
        let record = operation["record"].as_str().unwrap();
        let trace = deployment.run(&["trace", "jingxintai", record, "--json"]).unwrap().json().unwrap();
        let operation = &trace[0]["operations"][0];
        let called = !operation["attempts"].as_array().unwrap().is_empty();
        assert_eq!(operation["sent_at"].is_string(), called, "{operation}");
        assert_eq!(operation["state"] == "planned", !called, "{operation}");
    }

    simulator.set_faults(Faults::default());
    let rest = deployment.run(&["sync", "--json"]).unwrap().json().unwrap();
    assert_eq!((&rest["state"], &rest["counts"]["created"]), (&"done".into(), &52.into()), "{rest}");
    assert_eq!(rest["counts"].get("untried"), None);
}

#[tokio::test]
async fn messages_come_in_both_languages() {
    let (_simulator, deployment) = small().await;
    says(&deployment.run(&["--lang", "zh", "sync", "absent"]).unwrap(), 2, &["没有工厂", "提示"]);
    says(&deployment.run(&["--lang", "en", "sync", "absent"]).unwrap(), 2, &["there is no tenant", "hint"]);
    let mut command = deployment.command(&["sync", "absent"]).unwrap();
    command.env("LANG", "zh_CN.UTF-8");
    says(&finish(command).unwrap(), 2, &["没有工厂"]);
}

#[tokio::test]
async fn usage_errors_are_code_2() {
    let (_simulator, deployment) = small().await;
    assert_eq!(deployment.run(&["sink"]).unwrap().code, Some(2));
    assert_eq!(deployment.run(&["apply", "no/plan"]).unwrap().code, Some(2));
    assert_eq!(deployment.run(&["apply", "pffffffffffff"]).unwrap().code, Some(2));
}
