//! An error of one member stays with that member; an error of the tenant stops the run at once.

use ruzhi_e2e::Tenant;
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultRule, Faults, Knobs};
use serde_json::{Value, json};

use crate::site::Site;

/// These people are out of the secret's reach: WeCom refuses every call that names them.
fn out_of_reach(site: &Site, api: &str, errcode: i32, people: &[usize]) {
    let rule = |place: &usize| FaultRule {
        containing: Some(format!("\"{}\"", site.userid(*place))),
        every: 1,
        ..FaultRule::refused(errcode).api(api)
    };
    site.simulator.set_faults(Faults { seed: 1, rules: people.iter().map(rule).collect() });
}

/// Every call of these APIs is refused.
fn refused(site: &Site, apis: &[&str], errcode: i32) {
    let rule = |api: &&str| FaultRule { every: 1, ..FaultRule::refused(errcode).api(api) };
    site.simulator.set_faults(Faults { seed: 1, rules: apis.iter().map(rule).collect() });
}

fn in_flight(count: usize) -> impl FnOnce(Tenant) -> Tenant {
    move |tenant| Tenant {
        wecom_limits: format!("{{ per_minute = 1000000, per_hour = 10000000, in_flight = {count} }}"),
        ..tenant
    }
}

fn counts(report: &Value, of: [&str; 3]) -> [u64; 3] {
    of.map(|count| report["counts"][count].as_u64().unwrap_or(0))
}

#[test]
fn eleven_of_twelve_are_written_and_the_one_out_of_reach_is_told_why() {
    for (errcode, calls) in [(60011, 1), (60021, 4), (50002, 8), (987_654, 8)] {
        for place in [0, 5, 11] {
            let mut site = Site::new(12, in_flight(calls));
            site.sync();
            (0..12).for_each(|place| site.workforce.transfer(place));
            out_of_reach(&site, "user/update", errcode, &[place]);
            let asked = site.calls("user/list_id");
            let report = site.sync();
            assert_eq!(counts(&report, ["updated", "rejected", "failed"]), [11, 1, 0], "{report}");
            assert!(site.calls("user/list_id") <= asked + 2, "the plan lists, and one question is asked");
            let rule = format!("wecom.{errcode}");
            assert_eq!(site.refused(&site.record(place)), std::slice::from_ref(&rule));
            if errcode != 987_654 {
                let rejects = site.json(0, &["quarantine", "jingxintai"]).to_string();
                for part in ["通讯录同步助手", "sync assistant's reach"] {
                    assert!(rejects.contains(part), "{rejects}");
                }
            }
        }
    }
}

/// A secret without rights: at most three members are tried, regardless of their number and of the calls in flight, and
/// the run says why it stopped.
#[test]
fn a_tenant_without_rights_stops_after_three_members() {
    for (errcode, calls) in [(60011, 1), (60011, 8), (987_654, 4)] {
        let mut site = Site::new(30, in_flight(calls));
        refused(&site, &["user/create"], errcode);
        site.workforce.publish(&site.simulator).unwrap();
        let report = site.json(1, &["sync", "jingxintai"]);
        assert_eq!(report["error"]["code"], format!("wecom.{errcode}"), "{report}");
        assert_eq!(site.calls("user/create"), 3);
        assert_eq!(counts(&report, ["created", "rejected", "failed"]), [0, 0, 3]);
        assert_eq!(report["counts"]["untried"], 27);
        // No record is in quarantine for a fault of the tenant, and once that is corrected all go on.
        assert_eq!(site.json(0, &["quarantine", "jingxintai"]), json!([]));
        site.simulator.set_faults(Faults::default());
        site.sync();
        site.exact();
    }
}

/// The harmless question is refused too, so the fault is the tenant's at once.
#[test]
fn a_listing_that_is_refused_too_stops_the_run() {
    let mut site = Site::new(12, in_flight(1));
    site.sync();
    (0..12).for_each(|place| site.workforce.transfer(place));
    // The plan itself lists once.
    let rules = vec![
        FaultRule { every: 1, ..FaultRule::refused(60011).api("user/update") },
        FaultRule { every: 1, skip: 1, ..FaultRule::refused(48002).api("user/list_id") },
    ];
    site.simulator.set_faults(Faults { seed: 1, rules });
    site.workforce.publish(&site.simulator).unwrap();
    let before = site.calls("user/update");
    let report = site.json(1, &["sync", "jingxintai"]);
    assert_eq!(report["error"]["code"], "wecom.48002", "{report}");
    assert_eq!(site.calls("user/update"), before + 1);
}

/// A code that is certainly about the tenant needs no second opinion.
#[test]
fn a_code_that_names_no_member_stops_the_run_at_once() {
    for errcode in [60020, 48002, 301_002] {
        let mut site = Site::new(12, in_flight(1));
        site.sync();
        (0..12).for_each(|place| site.workforce.transfer(place));
        refused(&site, &["user/update"], errcode);
        site.workforce.publish(&site.simulator).unwrap();
        let before = site.calls("user/update");
        let report = site.json(1, &["sync", "jingxintai"]);
        assert_eq!(report["error"]["code"], format!("wecom.{errcode}"));
        assert_eq!(site.calls("user/update"), before + 1);
    }
}

/// Members refused before are retried together, and their errors say nothing new about the tenant.
#[test]
fn members_known_to_be_out_of_reach_stop_no_run_when_retried() {
    let mut site = Site::new(12, in_flight(4));
    site.sync();
    (0..12).for_each(|place| site.workforce.transfer(place));
    // Five of them, with others between.
    out_of_reach(&site, "user/update", 60011, &[1, 3, 5, 7, 9]);
    let report = site.sync();
    assert_eq!(counts(&report, ["updated", "rejected", "failed"]), [7, 5, 0], "{report}");
    // No other member is to be written now.
    let again = site.json(0, &["sync", "jingxintai", "--full"]);
    assert_eq!(counts(&again, ["updated", "rejected", "failed"]), [0, 5, 0], "{again}");
}

/// A leaver whom WeCom refuses to disable keeps the access, and every run says so until someone has acted.
#[test]
fn a_leaver_who_cannot_be_disabled_is_told_by_every_run() {
    let mut site = Site::new(12, in_flight(4));
    site.sync();
    site.workforce.leave(3);
    (4..8).for_each(|place| site.workforce.transfer(place));
    out_of_reach(&site, "user/update", 60011, &[3]);
    let report = site.sync();
    assert_eq!(counts(&report, ["disabled", "updated", "rejected"]), [0, 4, 1], "{report}");
    for report in [report, site.json(0, &["sync", "jingxintai"])] {
        for (lang, part) in [("en", "can still log in"), ("zh", "仍可登录")] {
            let problem = report["problem"][lang].as_str().unwrap_or_default();
            assert!(problem.contains(part) && problem.contains(&site.userid(3)), "{report}");
        }
    }
    let status = site.json(0, &["status"]);
    assert_eq!(status[0]["leavers_rejected"], 1, "{status}");
    // An administrator widens the range.
    site.simulator.set_faults(Faults::default());
    let report = site.json(0, &["sync", "jingxintai", "--full"]);
    assert_eq!((&report["counts"]["disabled"], &report["problem"]), (&json!(1), &Value::Null));
    assert_eq!(site.simulator.members(CORP_ID).values().filter(|member| member.status() == 2).count(), 1);
}

/// A row of a job also concerns one member, at any place in the file and in any number.
#[test]
fn rows_of_a_job_out_of_reach_are_those_members_alone() {
    let mut site = Site::new(60, |tenant| Tenant { wecom: "batch_from = 20\n".to_owned(), ..tenant });
    let out_of_reach: Vec<String> = (0..5).map(|place| site.userid(place)).collect();
    site.simulator.set_knobs(Knobs { log_requests: true, out_of_reach, ..Knobs::default() });
    let report = site.sync();
    assert_eq!(counts(&report, ["created", "rejected", "failed"]), [55, 5, 0], "{report}");
    assert_eq!(site.calls("user/create"), 0, "no single call would fare better");
    assert_eq!(site.refused(&site.record(4)), ["wecom.60011"]);
    // If no member is in reach, the secret is at fault.
    let mut site = Site::new(60, |tenant| Tenant { wecom: "batch_from = 20\n".to_owned(), ..tenant });
    let out_of_reach: Vec<String> = (0..60).map(|place| site.userid(place)).collect();
    site.simulator.set_knobs(Knobs { log_requests: true, out_of_reach, ..Knobs::default() });
    site.workforce.publish(&site.simulator).unwrap();
    let report = site.json(1, &["sync", "jingxintai"]);
    assert_eq!(report["error"]["code"], "wecom.60011", "{report}");
    assert_eq!((site.calls("batch/syncuser"), site.calls("user/create")), (1, 0));
    assert_eq!(site.json(0, &["quarantine", "jingxintai"]), json!([]));
}

/// The file itself belongs to no member.
#[test]
fn a_file_that_is_refused_for_want_of_a_right_is_written_singly() {
    let mut site = Site::new(60, |tenant| Tenant { wecom: "batch_from = 20\n".to_owned(), ..tenant });
    refused(&site, &["batch/syncuser"], 60011);
    let report = site.sync();
    assert_eq!(counts(&report, ["created", "rejected", "failed"]), [60, 0, 0], "{report}");
    site.exact();
}
