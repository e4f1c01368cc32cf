//! The services fail in every known way; the directory still ends exact.

use ruzhi_e2e::{Deployment, Tenant, Workforce, check_directory, simulator};
use ruzhi_sim::factory::Factory;
use ruzhi_sim::{FaultKind, FaultRule, Faults, Service};
use serde_json::json;

use crate::site::Site;

/// Runs until a run is done; a failed run shows it by its exit code, and the next continues.
fn sync_until_done(deployment: &Deployment, most: usize) {
    let mut last = String::new();
    for _ in 0..most {
        let outcome = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
        if outcome.code == Some(0) {
            return;
        }
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        last = outcome.stdout;
    }
    panic!("not done after {most} runs: {last}");
}

async fn ends_exact(seed: u64, rules: Vec<FaultRule>) {
    let factory = Factory::builder(seed, 300).hostile(60).build();
    let simulator = simulator(&factory).await.unwrap();
    simulator.set_faults(Faults { seed, rules });
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    sync_until_done(&deployment, 4);
    simulator.set_faults(Faults::default());
    let settled = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!(settled["counts"]["created"], 0);
    assert_eq!(settled["counts"]["failed"], 0);
    check_directory(&simulator, &factory).unwrap();
}

fn often(kind: FaultKind, per_mille: u64) -> FaultRule {
    FaultRule::new(kind).per_mille(per_mille)
}

#[tokio::test]
async fn lost_answers_never_create_or_invite_anyone_twice() {
    ends_exact(
        21,
        vec![
            often(FaultKind::ResetAfter, 80).service(Service::WeCom),
            often(FaultKind::BadGatewayAfter, 40).service(Service::WeCom),
            often(FaultKind::Truncated, 40).service(Service::WeCom),
            often(FaultKind::BusyAfter, 40),
        ],
    )
    .await;
}

#[tokio::test]
async fn refused_and_broken_calls_are_made_again() {
    ends_exact(
        22,
        vec![
            often(FaultKind::ResetBefore, 60),
            often(FaultKind::BusyBefore, 60),
            often(FaultKind::VersionConflict, 60),
            often(FaultKind::TooConcurrent, 60),
            often(FaultKind::StringErrcode, 100),
            often(FaultKind::BadGatewayBefore, 40).service(Service::WeCom),
        ],
    )
    .await;
}

#[tokio::test]
async fn tokens_that_end_early_are_renewed() {
    ends_exact(23, vec![often(FaultKind::RevokeToken, 30)]).await;
}

#[tokio::test]
async fn a_form_that_stumbles_is_read_to_its_end() {
    let list = |kind, count| FaultRule::new(kind).api("data/list").next(count);
    ends_exact(
        24,
        vec![
            list(FaultKind::TooManyRequests, 1),
            FaultRule { skip: 1, ..list(FaultKind::EndpointLimited, 1) },
            FaultRule { skip: 2, ..list(FaultKind::CompanyLimited, 1) },
            FaultRule { skip: 3, ..list(FaultKind::BadGatewayBefore, 1) },
            FaultRule { skip: 4, ..list(FaultKind::ShortPage, 2) },
        ],
    )
    .await;
}

/// A warning that a member was taken only in part is a fault of ruzhi, and is raised as one.
#[tokio::test]
async fn a_warning_is_never_taken_for_success() {
    let factory = Factory::builder(25, 10).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let rule = FaultRule::new(FaultKind::Warning).api("user/create").next(1);
    simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let outcome = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
    assert_eq!(outcome.code, Some(1));
    let report = outcome.json().unwrap();
    assert_eq!((&report["counts"]["created"], &report["counts"]["failed"]), (&9.into(), &1.into()));
    let rejects = deployment.run(&["quarantine", "--json"]).unwrap().json().unwrap();
    assert_eq!(rejects[0]["violations"][0]["rule"], "wecom.warning");
}

/// A create whose answers are all lost is in doubt until the next run asks. The run plans again because of a direct
/// leader, and a second plan would not know of that create.
#[test]
fn what_is_in_doubt_is_not_planned_a_second_time_by_the_same_run() {
    let mut site = Site::new(3, |tenant| Tenant { rules: Workforce::led_rules().ok(), ..tenant });
    site.workforce.lead(1, 2);
    site.workforce.publish(&site.simulator).unwrap();
    let lost = format!("\"{}\"", site.userid(0));
    let creates = |site: &Site| {
        let bodies = site.simulator.bodies("user/create");
        bodies.iter().filter(|body| body.contains(&lost)).count()
    };
    let rule = FaultRule::new(FaultKind::ResetBefore).api("user/create").containing(&lost);
    site.simulator.set_faults(Faults { seed: 1, rules: vec![FaultRule { every: 1, ..rule }] });
    let report = site.json(1, &["sync", "jingxintai"]);
    assert_eq!(
        (&report["counts"]["created"], &report["counts"]["failed"]),
        (&json!(2), &json!(1)),
        "{report}"
    );
    assert_eq!(creates(&site), 12, "four attempts in each of three rounds of one plan");
    site.simulator.set_faults(Faults::default());
    site.sync();
    site.exact();
    assert_eq!(creates(&site), 13);
}
