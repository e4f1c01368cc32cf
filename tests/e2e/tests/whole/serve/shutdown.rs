//! The process ends within ten seconds, and leaves nothing unsettled.

use ruzhi_e2e::{Serving, Tenant};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultKind, FaultRule, Faults};
use serde_json::{Value, json};

use super::schedule::{ask, schedule_state};
use crate::site::Site;

/// Makes the plan so slow that it takes minutes.
fn slowly(tenant: Tenant) -> Tenant {
    Tenant { wecom_limits: "{ per_minute = 60, per_hour = 10000000, in_flight = 8 }".to_owned(), ..tenant }
}

/// Compiles the guest, so that a requested run begins at once on a slow machine too.
fn compiled(site: &Site) {
    assert_eq!(site.run(&["check"]).code, Some(0));
}

#[test]
fn asked_to_end_in_the_middle_of_a_plan_it_settles_what_was_called_and_the_next_start_goes_on() {
    let site = Site::new(300, slowly);
    compiled(&site);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let run = ask(&serving, "jingxintai", &json!({}));
    serving.wait("members", || (site.simulator.members(CORP_ID).len() >= 60).then_some(())).unwrap();
    let (status, took) = serving.end().unwrap();
    assert!(status.success(), "{status}");
    assert!(took.as_secs() < 10, "{took:?}");

    let created = site.simulator.members(CORP_ID).len();
    assert!(created < 300, "the plan was over before");
    let runs = site.json(0, &["runs"]);
    let ended = runs.as_array().unwrap().iter().find(|row| row["id"] == run.as_str()).unwrap();
    assert_eq!(ended["state"], "failed");
    assert_eq!(ended["counts"]["created"], created, "an answer was not stored: {ended}");
    // An untried operation is not a failure, and no output says that it was sent.
    let left = 300 - created;
    assert_eq!(
        (&ended["counts"]["failed"], &ended["counts"]["untried"]),
        (&json!(0), &json!(left)),
        "{ended}"
    );
    let told = format!(": {created} operations done, {left} left for the next run");
    assert_eq!(ended["problem"]["en"], format!("ruzhi was asked to end before the run was over{told}"));
    let members = site.simulator.members(CORP_ID);
    for worker in site.workforce.workers() {
        let trace = site.json(0, &["trace", "jingxintai", &worker.record]);
        let operation = &trace[0]["operations"][0];
        let (state, sent) = match members.contains_key(&worker.person.userid.to_ascii_lowercase()) {
            true => ("done", true),
            false => ("planned", false),
        };
        assert_eq!((&operation["state"], operation["sent_at"].is_string()), (&json!(state), sent), "{trace}");
    }

    // The results of all calls are known, so the next start sends no questions about them. No person has to request the
    // run again either.
    site.deployment.put(&Tenant::new(&site.simulator.url())).unwrap();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let row = made_again(&serving, &run);
    assert_eq!((&row["state"], &row["cause"]), (&json!("done"), &json!("cut_off")), "{row}");
    assert_eq!(ended["cause"], "person");
    assert_eq!(row["counts"]["created"], 300 - created);
    site.exact();
    // One run is enough.
    assert!(serving.end().unwrap().0.success());
    let runs = site.json(0, &["runs"]);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let idle = || (schedule_state(&serving, "jingxintai")["state"] == "idle").then_some(());
    serving.wait("the flow to be idle", idle).unwrap();
    assert_eq!(site.json(0, &["runs"]), runs);
}

#[test]
fn a_run_that_a_person_asked_for_is_made_again_after_a_kill() {
    let site = Site::new(300, slowly);
    compiled(&site);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let run = ask(&serving, "jingxintai", &json!({}));
    serving.wait("members", || (site.simulator.members(CORP_ID).len() >= 60).then_some(())).unwrap();
    serving.kill().unwrap();

    site.deployment.put(&Tenant::new(&site.simulator.url())).unwrap();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let row = made_again(&serving, &run);
    assert_eq!((&row["state"], &row["cause"]), (&json!("done"), &json!("cut_off")), "{row}");
    site.exact();
    let killed = serving.data(&format!("/api/v1/runs/{run}")).unwrap();
    assert_eq!(killed["run"]["state"], "failed", "{killed}");
}

/// The run that replaces one that was cut off, once it has ended.
fn made_again(serving: &Serving, cut_off: &str) -> Value {
    serving
        .wait("the run that is made again", || {
            let runs = serving.data("/api/v1/runs").ok()?;
            let row = runs["items"].as_array()?.iter().find(|row| row["id"] != cut_off)?;
            row["ended_at"].is_string().then(|| row.clone())
        })
        .unwrap()
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for_and_is_settled_by_the_next_start() {
    let site = Site::new(12, |tenant| tenant);
    let mut faults = Faults::default();
    faults.rules.push(FaultRule::new(FaultKind::StallAfter).api("user/create").skip(3).next(1));
    let before = site.simulator.stalled();
    site.simulator.set_faults(faults);
    compiled(&site);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let run = ask(&serving, "jingxintai", &json!({}));
    assert!(site.simulator.wait_for_stall(before, std::time::Duration::from_secs(30)));
    let (status, took) = serving.end().unwrap();
    assert!(status.success(), "{status}");
    assert!(took.as_secs() < 10, "{took:?}");
    site.simulator.set_faults(Faults::default());
    site.simulator.release();

    let serving = Serving::start(&site.deployment, &[]).unwrap();
    assert_eq!(made_again(&serving, &run)["state"], "done");
    site.exact();
}
