//! A process that is killed at any moment leaves nothing undone and nothing done twice.

use std::time::Duration;

use ruzhi_e2e::{Deployment, Tenant, check_directory, simulator};
use ruzhi_sim::factory::Factory;
use ruzhi_sim::{FaultKind, FaultRule, Faults};

/// Kills a run at many moments, each once the directory holds so many members more, then lets one end.
#[tokio::test]
async fn killed_runs_are_settled_by_the_next() {
    let factory = Factory::builder(41, 400).hostile(40).build();
    let simulator = simulator(&factory).await.unwrap();
    simulator
        .set_faults(Faults { seed: 41, rules: vec![FaultRule::new(FaultKind::ResetAfter).per_mille(30)] });
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let created = || simulator.created(ruzhi_sim::factory::CORP_ID).len();
    for step in [1, 7, 40, 3, 90, 15, 60] {
        let before = created();
        let mut child = deployment
            .command(&["sync", "jingxintai"])
            .unwrap()
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while created() < before + step && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    simulator.set_faults(Faults::default());
    let last = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
    assert_eq!(last.code, Some(0), "{}", last.stderr);
    check_directory(&simulator, &factory).unwrap();
    let rest = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!(rest["counts"]["created"], 0);
    assert_eq!(rest["counts"]["unchanged"], factory.members().len());
    let runs = deployment.run(&["runs", "--json"]).unwrap().json().unwrap();
    assert!(runs.as_array().unwrap().iter().all(|run| run["state"] != "running"));
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_turned_away() {
    let factory = Factory::builder(42, 50).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let slow = FaultRule { delay_ms: 3_000, ..FaultRule::new(FaultKind::Slow).api("data/list").next(1) };
    simulator.set_faults(Faults { seed: 1, rules: vec![slow] });
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let mut first = deployment
        .command(&["sync", "jingxintai"])
        .unwrap()
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while simulator.requests(ruzhi_sim::Service::JianDaoYun).is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let second = deployment.run(&["sync", "jingxintai"]).unwrap();
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("store.locked"), "{}", second.stderr);
    let reading = deployment.run(&["status"]).unwrap();
    assert_eq!(reading.code, Some(0), "{}", reading.stderr);
    assert!(first.wait().unwrap().success());
    check_directory(&simulator, &factory).unwrap();
}
