//! One process at a time writes a store; readers are let in.

use std::time::{Duration, Instant};

use ruzhi_e2e::{Deployment, Tenant, check_directory, simulator};
use ruzhi_sim::factory::Factory;
use ruzhi_sim::{FaultKind, FaultRule, Faults};

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
    let began = Instant::now();
    while simulator.requests(ruzhi_sim::Service::JianDaoYun).is_empty() {
        assert!(first.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60));
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
