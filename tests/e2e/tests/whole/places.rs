//! A corp without free accounts: newcomers wait, and everything else is done.

use ruzhi_e2e::Tenant;
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultRule, Faults, Limits};
use serde_json::{Value, json};

use crate::site::Site;

fn room_for(site: &Site, members: u32) {
    site.simulator.set_limits(Limits { enabled: true, wecom_members: members, ..Limits::default() });
}

fn in_flight(count: usize) -> impl FnOnce(Tenant) -> Tenant {
    move |tenant| Tenant {
        wecom_limits: format!("{{ per_minute = 9000, per_hour = 140000, in_flight = {count} }}"),
        ..tenant
    }
}

fn counts(report: &Value, of: [&str; 4]) -> [u64; 4] {
    of.map(|count| report["counts"][count].as_u64().unwrap_or(0))
}

const ALL: [&str; 4] = ["created", "updated", "disabled", "unplaced"];

#[test]
fn a_full_corp_stops_creates_only_and_says_once_how_many_places_are_missing() {
    for calls in [1, 4] {
        let mut site = Site::new(6, in_flight(calls));
        site.sync();
        let new: Vec<usize> = (0..19).map(|_| site.workforce.hire()).collect();
        site.workforce.leave(0);
        site.workforce.transfer(1);
        site.workforce.transfer(2);
        room_for(&site, 6);
        site.workforce.publish(&site.simulator).unwrap();
        let before = site.calls("user/create");
        let report = site.json(1, &["sync", "jingxintai"]);
        assert_eq!(counts(&report, ALL), [0, 2, 1, 19], "{report}");
        assert_eq!((&report["counts"]["failed"], &report["counts"]["rejected"]), (&json!(0), &json!(0)));
        assert_eq!(site.calls("user/create"), before + 1, "one create finds out");
        for (lang, part) in [("en", "19 places are missing"), ("zh", "还缺 19 个名额")] {
            let problem = report["problem"][lang].as_str().unwrap();
            assert_eq!(problem.matches(part).count(), 1, "{problem}");
        }
        assert_eq!(site.json(0, &["quarantine", "jingxintai"]), json!([]), "no row has to be corrected");
        // Still full: the next run tries one.
        let report = site.json(1, &["sync", "jingxintai"]);
        assert_eq!(counts(&report, ALL), [0, 0, 0, 19]);
        assert_eq!(site.calls("user/create"), before + 2);
        // Some places are free again, then enough.
        room_for(&site, 10);
        let report = site.json(1, &["sync", "jingxintai"]);
        assert_eq!(counts(&report, ALL), [4, 0, 0, 15]);
        assert!(site.calls("user/create") <= before + 2 + 4 + calls as u64);
        room_for(&site, 0);
        assert_eq!(counts(&site.json(0, &["sync", "jingxintai"]), ALL), [15, 0, 0, 0]);
        site.exact();
        let created = site.simulator.created(CORP_ID);
        assert!(new.iter().all(|place| created[&site.userid(*place).to_ascii_lowercase()] == 1));
    }
}

/// Rows of a job without a place wait as single creates do, and no further file of creates is submitted.
#[test]
fn rows_of_a_job_without_a_place_wait_too() {
    let mut site = Site::new(60, |tenant| Tenant { wecom: "batch_from = 20\n".to_owned(), ..tenant });
    room_for(&site, 25);
    site.workforce.publish(&site.simulator).unwrap();
    let report = site.json(1, &["sync", "jingxintai"]);
    assert_eq!(counts(&report, ALL), [25, 0, 0, 35], "{report}");
    assert_eq!(site.calls("user/create"), 0);
    room_for(&site, 0);
    assert_eq!(counts(&site.json(0, &["sync", "jingxintai"]), ALL), [35, 0, 0, 0]);
    site.exact();
}

/// A returner without a place waits as well, and their disabled account stays as it is.
#[test]
fn a_returner_without_a_place_waits() {
    let mut site = Site::new(6, in_flight(2));
    site.sync();
    site.workforce.leave(0);
    site.sync();
    site.workforce.employ(0);
    site.workforce.hire();
    site.workforce.transfer(1);
    let containing = Some("\"enable\":1".to_owned());
    let rule = FaultRule { containing, every: 1, ..FaultRule::refused(45024).api("user/update") };
    site.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    site.workforce.publish(&site.simulator).unwrap();
    let report = site.json(1, &["sync", "jingxintai"]);
    assert_eq!((&report["counts"]["enabled"], &report["counts"]["updated"]), (&json!(0), &json!(1)));
    assert!(report["counts"]["unplaced"].as_u64().unwrap() >= 1, "{report}");
    assert_eq!(site.disabled(), 1);
    site.simulator.set_faults(Faults::default());
    site.sync();
    site.exact();
}
