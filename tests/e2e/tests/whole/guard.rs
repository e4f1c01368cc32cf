//! The guard holds plans that a person should review first.

use ruzhi_e2e::{Deployment, Tenant, simulator};
use ruzhi_sim::factory::{APP_ID, CORP_ID, ENTRY_ID, Factory, STATE};
use ruzhi_sim::{FaultKind, FaultRule, Faults, Member, RowChange};
use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn a_plan_with_many_leavers_is_held_until_exactly_it_is_approved() {
    let factory = Factory::builder(31, 30).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    deployment.run_well(&["sync", "jingxintai"]).unwrap();
    let leavers = |count: usize| {
        let rows = factory.rows().iter().take(count).map(|row| {
            let mut row = row.row.clone();
            row.insert(STATE.to_owned(), json!("离职"));
            row.remove("updateTime");
            row
        });
        RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            upsert: rows.collect(),
            ..RowChange::default()
        }
    };
    simulator.change_rows(leavers(10)).unwrap();
    let held = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
    assert_eq!(held.code, Some(3), "{}", held.stderr);
    let held = held.json().unwrap();
    assert_eq!(held["state"], "held");
    assert_eq!(held["guard"][0]["limit"], "leave_percent");
    let disabled = || simulator.members(CORP_ID).values().filter(|member| member.status() == 2).count();
    assert_eq!(disabled(), 0, "a held plan is not applied in part");

    let plan = held["plan"].as_str().unwrap();
    let unapproved = deployment.run(&["apply", plan]).unwrap();
    assert_eq!(unapproved.code, Some(3), "{}", unapproved.stderr);

    simulator.change_rows(leavers(11)).unwrap();
    let superseded = deployment.run(&["apply", plan, "--approve"]).unwrap();
    assert_eq!(superseded.code, Some(1));
    assert!(superseded.stderr.contains("plan.superseded"), "{}", superseded.stderr);
    assert_eq!(disabled(), 0);

    let new = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    let approved = deployment.run(&["apply", new["plan"].as_str().unwrap(), "--approve", "--json"]).unwrap();
    assert_eq!(approved.code, Some(0), "{}", approved.stderr);
    assert_eq!(approved.json().unwrap()["counts"]["disabled"], 11);
    assert_eq!(disabled(), 11);
    simulator.assert_understood();
}

/// Five at a time pass in one run; over one day they add up.
#[test]
fn small_runs_of_leavers_are_held_as_a_big_one_is() {
    let mut site = Site::new(60, |tenant| tenant);
    site.sync();
    let mut left = 0;
    let held = loop {
        (left..left + 5).for_each(|place| site.workforce.leave(place));
        site.workforce.publish(&site.simulator).unwrap();
        let outcome = site.run(&["sync", "jingxintai", "--json"]);
        if outcome.code == Some(3) {
            break outcome.json().unwrap();
        }
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        left += 5;
        assert!(left < 40, "eight runs of five were let pass");
    };
    assert_eq!((left, site.disabled()), (20, 20));
    let reason = &held["guard"][0];
    assert_eq!(
        (&reason["limit"], &reason["found"], &reason["allowed"]),
        (&"leave_day_percent".into(), &25.into(), &24.into())
    );
    // A run without leavers is not kept, and the held plan waits with the next five.
    let plan = held["plan"].as_str().unwrap();
    let approved = site.json(0, &["apply", plan, "--approve"]);
    assert_eq!(approved["counts"]["disabled"], 5);
    // Leavers released by a person do not count: twenty others did, so four more make exactly the limit.
    (25..29).for_each(|place| site.workforce.leave(place));
    assert_eq!(site.sync()["counts"]["disabled"], 4);
    site.workforce.leave(29);
    site.workforce.publish(&site.simulator).unwrap();
    assert_eq!(site.json(3, &["sync", "jingxintai"])["guard"][0]["limit"], "leave_day_percent");
    // A returner is taken out of the sum, so that there is room for another leaver.
    site.workforce.employ(29);
    site.workforce.employ(0);
    assert_eq!(site.sync()["counts"]["enabled"], 1);
    site.workforce.leave(29);
    assert_eq!(site.sync()["counts"]["disabled"], 1);
}

/// A service that answers with no rows in the middle of a form is asked again, and a run stops if most rows are
/// missing.
#[tokio::test]
async fn rows_that_are_suddenly_missing_are_not_believed() {
    let factory = Factory::builder(33, 250).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let empty = |times: u64| Faults {
        seed: 1,
        rules: vec![FaultRule {
            skip: 1,
            ..FaultRule::new(FaultKind::EmptyPage).api("data/list").next(times)
        }],
    };
    simulator.set_faults(empty(1));
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let first = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!(first["counts"]["created"], 250);
    simulator.set_faults(empty(2));
    let shrunk = deployment.run(&["sync", "jingxintai", "--full"]).unwrap();
    assert_eq!(shrunk.code, Some(1));
    assert!(shrunk.stderr.contains("source.shrunk"), "{}", shrunk.stderr);
    simulator.set_faults(empty(2));
    let meant = deployment.run(&["sync", "jingxintai", "--full", "--accept-missing"]).unwrap();
    assert_eq!(meant.code, Some(0), "{}", meant.stderr);
    simulator.set_faults(Faults::default());
    let again = deployment.run(&["sync", "jingxintai", "--full", "--json"]).unwrap().json().unwrap();
    assert_eq!(again["counts"]["unchanged"], 250);
    let statuses: Vec<_> = simulator.members(CORP_ID).values().map(Member::status).collect();
    assert!(statuses.len() == 250 && !statuses.contains(&2), "{statuses:?}");
}

#[tokio::test]
async fn a_form_that_is_suddenly_empty_makes_no_leavers() {
    let factory = Factory::builder(32, 20).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    deployment.run_well(&["sync", "jingxintai"]).unwrap();
    let ids = factory.rows().iter().map(|row| row.row["_id"].as_str().unwrap().to_owned()).collect();
    simulator
        .change_rows(RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            delete: ids,
            ..RowChange::default()
        })
        .unwrap();
    let outcome = deployment.run(&["sync", "jingxintai", "--full"]).unwrap();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("source.emptied"), "{}", outcome.stderr);
    let statuses: Vec<_> = simulator.members(CORP_ID).values().map(Member::status).collect();
    assert!(statuses.len() == 20 && !statuses.contains(&2), "{statuses:?}");
}
