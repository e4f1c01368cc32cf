//! A full disk stops a run before the calls that could not be marked, and nothing is done twice once there is space
//! again.

use std::process::{Command, Stdio};

use ruzhi_e2e::{Deployment, Outcome, Tenant, check_directory, finish, simulator};
use ruzhi_sim::factory::{CORP_ID, Factory};

/// Runs a sync whose files may not grow beyond this many blocks of 512 bytes, as on a full disk.
fn sync_within(deployment: &Deployment, blocks: u64) -> Outcome {
    let inner = deployment.command(&["sync", "jingxintai"]).unwrap();
    let mut outer = Command::new("sh");
    // The signal for exceeding the limit is ignored, so that the write fails as it does on a full disk.
    outer.arg("-c").arg("trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"").arg(blocks.to_string());
    outer.arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    finish(outer).unwrap()
}

#[tokio::test]
async fn a_disk_without_room_stops_the_run_and_nothing_is_done_twice_afterwards() {
    let factory = Factory::builder(51, 400).hostile(40).build();
    let simulator = simulator(&factory).await.unwrap();
    // One call at a time is stored by itself: many times more is written while people are created than before.
    let one_by_one = "{ per_minute = 1000000, per_hour = 10000000, in_flight = 1 }".to_owned();
    let tenant = Tenant { wecom_limits: one_by_one, ..Tenant::new(&simulator.url()) };
    let deployment = Deployment::new(&[tenant]).unwrap();
    let (mut stopped, mut half_way) = (0, 0);
    for blocks in (600..9_000).step_by(300) {
        let outcome = sync_within(&deployment, blocks);
        if outcome.code == Some(0) {
            break;
        }
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("error[store."), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
        stopped += 1;
        let created = simulator.created(CORP_ID).len();
        half_way += usize::from(created > 0 && created < factory.members().len());
    }
    assert!(stopped > 3 && half_way > 0, "{stopped} runs were stopped, {half_way} of them half-way");
    let last = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
    assert_eq!(last.code, Some(0), "{}", last.stderr);
    check_directory(&simulator, &factory).unwrap();
    let rest = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!(rest["counts"]["unchanged"], factory.members().len());
}
