//! The texts of alerts, detected growth, and text that must never appear in a message.

use chrono::TimeDelta;

use super::{noon, row};
use crate::alerts::address::Addresses;
use crate::alerts::condition;
use crate::alerts::detector::{Detection, Detector};
use crate::alerts::message::{AlertNotice, LONGEST, alone, together, url_body};
use crate::alerts::state::AlertEvent;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, Lang, RemoteService, RunId, TenantId, Text};
use ruzhi_store::{AlertRow, FlowStatus};
use ruzhi_sync::Notice;

fn held(event: AlertEvent) -> AlertNotice {
    let alert = AlertRow {
        tenant: Some("jingxintai".parse().unwrap()),
        flow: Some("onboarding".parse().unwrap()),
        text: Text::new(
            "plan p1 waits; call 13800138000 @all",
            "计划 p1 等待人工处理 <@all>，电话 13800138000",
        ),
        hint: Some(Text::new("`ruzhi show p1`", "`ruzhi show p1`")),
        page: Some("/plans/jingxintai/p1".to_owned()),
        ..row("plan.held/jingxintai/onboarding", "plan.held")
    };
    AlertNotice { event, alert }
}

fn addresses() -> Addresses {
    Addresses::for_tests("https://ruzhi.example/", "jingxintai", "景欣泰*工厂*", "onboarding")
}

#[test]
fn an_alert_in_chinese_in_english_and_in_both() {
    let addresses = addresses();
    insta::assert_snapshot!("raised_zh", alone(&held(AlertEvent::Raised), &addresses, Some(Lang::Zh)));
    insta::assert_snapshot!("raised_en", alone(&held(AlertEvent::Raised), &addresses, Some(Lang::En)));
    insta::assert_snapshot!("reminder_both", alone(&held(AlertEvent::Reminder), &addresses, None));
    insta::assert_snapshot!("over_zh", alone(&held(AlertEvent::Resolved), &addresses, Some(Lang::Zh)));
    let two = [
        held(AlertEvent::Raised),
        AlertNotice { event: AlertEvent::Resolved, alert: row("run.late", "run.late") },
    ];
    insta::assert_snapshot!("together_zh", together(&two, &addresses, Some(Lang::Zh)));
    insta::assert_snapshot!("together_en", together(&two, &addresses, Some(Lang::En)));
}

#[test]
fn no_message_is_longer_than_a_robot_takes_and_the_link_is_never_cut() {
    let mut long = held(AlertEvent::Raised);
    long.alert.text = Text::new("x".repeat(9000), "长".repeat(9000));
    long.alert.hint = Some(long.alert.text.clone());
    let addresses = addresses();
    for lang in [None, Some(Lang::Zh), Some(Lang::En)] {
        let text = alone(&long, &addresses, lang);
        assert!(text.len() <= LONGEST && text.contains("(https://ruzhi.example/plans/jingxintai/p1)"));
        let many: Vec<AlertNotice> = (0..500).map(|_| long.clone()).collect();
        let text = together(&many, &addresses, lang);
        assert!(text.len() <= LONGEST && text.ends_with("(https://ruzhi.example/alerts)"), "{}", text.len());
    }
}

#[test]
fn any_other_address_gets_the_alert_as_json_without_what_is_private() {
    let body: serde_json::Value =
        serde_json::from_slice(&url_body(&held(AlertEvent::Raised), &addresses())).unwrap();
    insta::assert_json_snapshot!("posted", body);
}

fn status(rejected: u64) -> FlowStatus {
    FlowStatus {
        tenant: "factory".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        records: 100,
        members: 90,
        rejected,
        leavers_rejected: 0,
        removed: 0,
        last_run: None,
        watermark: None,
        held: vec![],
    }
}

/// They stand for as long as the store says so, and a single run that writes says if there are places.
#[test]
fn people_without_a_place_and_leavers_who_can_log_in_are_told_until_it_is_over() {
    let found = |status: &FlowStatus| -> Vec<(String, bool)> {
        let one = |finding| match finding {
            Detection::Holds(cause) => (cause.kind.to_owned(), true),
            Detection::Cleared(key) => (key.split('/').next().unwrap().to_owned(), false),
        };
        crate::alerts::detector::conditions_of(status).into_iter().map(one).collect()
    };
    let leavers = |so| ("leavers.rejected".to_owned(), so);
    let places = |so| ("places.full".to_owned(), so);
    let mut stands = status(0);
    assert_eq!(found(&stands), [leavers(false)]);
    stands.leavers_rejected = 1;
    let mut run = ruzhi_store::RunRow {
        tenant: "factory".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        id: "r1".parse().unwrap(),
        kind: ruzhi_store::RunKind::Sync,
        cause: None,
        state: ruzhi_store::RunState::Failed,
        started_at: noon(),
        ended_at: Some(noon()),
        plan: None,
        rules: None,
        counts: ruzhi_plan::Counts { unplaced: 3, ..ruzhi_plan::Counts::default() },
        calls: std::collections::BTreeMap::new(),
        problem: None,
        failure: None,
    };
    stands.last_run = Some(run.clone());
    assert_eq!(found(&stands), [leavers(true), places(true)]);
    // A run that only plans, or one that ended early, finds nothing out.
    run.counts.unplaced = 0;
    stands.last_run = Some(run.clone());
    assert_eq!(found(&stands), [leavers(true)]);
    run.state = ruzhi_store::RunState::Done;
    stands.last_run = Some(ruzhi_store::RunRow { kind: ruzhi_store::RunKind::Plan, ..run.clone() });
    assert_eq!(found(&stands), [leavers(true)]);
    stands.last_run = Some(run);
    assert_eq!(found(&stands), [leavers(true), places(false)]);
}

#[test]
fn a_quarantine_grows_by_five_rows_and_a_fifth_and_no_longer_after_a_day() {
    let mut watch = Detector::default();
    let mut now = noon();
    // The count, hours passed, and the finding: so, not so, or nothing new.
    let steps = [
        (40, 0, ""),
        (44, 1, ""),
        (47, 1, ""),
        (48, 1, "so"),
        (48, 1, ""),
        (58, 1, "so"),
        (58, 23, ""),
        (58, 1, "not so"),
        (62, 1, ""),
        (10, 1, ""),
        (14, 1, ""),
        (15, 1, "so"),
        (14, 1, "not so"),
    ];
    for (count, hours, expected) in steps {
        now += TimeDelta::hours(hours);
        let found = match watch.counted(&[status(count)], |_| None, now).pop() {
            Some(Detection::Holds(_)) => "so",
            Some(Detection::Cleared(_)) => "not so",
            None => "",
        };
        assert_eq!(found, expected, "at {count} after {hours} h");
    }
    // A flow that is new while the process runs had none before.
    let mut new = status(6);
    new.flow = "another".parse().unwrap();
    assert_eq!(watch.counted(&[new], |_| None, now).len(), 1);
}

#[test]
fn no_alert_holds_a_command_line() {
    let (tenant, flow): (TenantId, FlowId) = ("factory".parse().unwrap(), "onboarding".parse().unwrap());
    let (of, run): (_, RunId) = ((&tenant, &flow), "r1".parse().unwrap());
    // A terminal is told the command, a page the button.
    let failure =
        Report::new(1, "activation.fails", Text::new("no", "否"), Some(Text::new("`ruzhi x`", "`ruzhi x`")))
            .on_page(Some(Text::new("press it", "请点击")));
    let bare = Report::new(1, "run.undone", Text::new("no", "否"), None);
    let alarms = [
        condition::flow_failing(of, 2, &failure),
        condition::flow_failing(of, 2, &bare),
        condition::flow_blocked(
            of,
            Some(RemoteService::Wecom),
            "wecom.60020",
            bare.text(),
            failure.page_hint(),
        ),
        condition::drift_found(of.0, 2),
        condition::places_full(of, 2, &run),
        condition::leavers_rejected(of, 2),
        condition::quarantine_growing(of, 2, 9),
        condition::members_removed(of, 2, &["w1".parse().unwrap()]),
        condition::run_late(of, None),
        condition::config_invalid(&bare),
        condition::rules_kept(of, &failure),
        condition::rules_kept(of, &bare),
        condition::noticed(of, &run, &Notice::NoRow { filtered: false, no_workflow: false }),
        condition::alerts_undelivered("robot", true, bare.text()),
    ];
    for alarm in alarms {
        let hint = alarm.hint.unwrap();
        for text in [&alarm.text, &hint] {
            assert!(!format!("{} {}", text.en, text.zh).contains("`ruzhi"), "{text:?}");
        }
    }
}

#[test]
fn every_kind_has_a_title_in_both_languages() {
    for kind in condition::KINDS {
        let label = condition::label(kind).unwrap_or_else(|| panic!("{kind} has no title"));
        let (en, zh) = (label.in_lang(Lang::En), label.in_lang(Lang::Zh));
        assert!(en.is_ascii() && !zh.is_ascii(), "{kind}: {en}, {zh}");
    }
    assert_eq!(condition::label("of.a.newer.version"), None);
}
