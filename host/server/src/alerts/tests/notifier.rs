//! From reported events to posted messages, over a store and a clock of the test.

use std::sync::{Arc, RwLock};

use chrono::TimeDelta;
use secrecy::SecretString;
use tempfile::TempDir;

use super::{Hand, Script, noon};
use crate::alerts::address::Addresses;
use crate::alerts::{handle::AlertObservation, notifier::Notifier};
use crate::tests::removed::remove;
use ruzhi_app::deployment::RulesExchange;
use ruzhi_app::scheduler::{RunFailure, RunResult};
use ruzhi_config::AlertSettings;
use ruzhi_message::{Report, exit};
use ruzhi_model::{Clock as _, Lang, MemberKey, RemoteService, RemovalAnswer, Text};
use ruzhi_plan::Counts;
use ruzhi_plan::drift::DriftFinding;
use ruzhi_store::{Access, AlertRow, Database, DriftCheckRow, RunKind, RunRow, RunState};
use ruzhi_sync::{ClockSource, FailureKind, Notice};

const ROBOT: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=7c1d";
const OTHER: &str = "https://it.example/alerts?token=s3cret";

struct Office {
    notifier: Notifier,
    clock: Hand,
    script: Script,
    store: Arc<Database>,
    active: Arc<RwLock<Vec<AlertRow>>>,
    _folder: TempDir,
}

fn addresses(robot: bool, url: bool) -> Addresses {
    Addresses::of_host(receivers(robot, url))
}

fn receivers(robot: bool, url: bool) -> AlertSettings {
    let secret = |text: &str| SecretString::from(text.to_owned());
    AlertSettings {
        robot: robot.then(|| secret(ROBOT)),
        url: url.then(|| secret(OTHER)),
        lang: Some(Lang::En),
    }
}

/// A deployment with the tenant `acme` and a robot.
fn acme() -> Addresses {
    Addresses::for_tests("https://ruzhi.example/", "acme", "景欣泰", "onboarding")
        .told_to(receivers(true, false))
}

impl Office {
    async fn open(addresses: Addresses) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Database::open(&folder.path().join("ruzhi.db"), Access::Write).await.unwrap();
        let (store, clock, script): (Arc<Database>, _, _) =
            (Arc::new(store), Hand::at_noon(), Script::taking());
        let active = Arc::default();
        let notifier = Self::notifier(&store, &clock, &script, &active, addresses);
        Self { notifier, clock, script, store, active, _folder: folder }
    }

    fn notifier(
        store: &Arc<Database>,
        clock: &Hand,
        script: &Script,
        active: &Arc<RwLock<Vec<AlertRow>>>,
        addresses: Addresses,
    ) -> Notifier {
        Notifier::new(
            Arc::clone(store),
            Arc::new(clock.clone()),
            Box::new(move || addresses.clone()),
            Arc::new(script.clone()),
            Arc::clone(active),
        )
    }

    /// The process ends, and another begins.
    async fn restart(&mut self, addresses: Addresses) {
        self.notifier = Self::notifier(&self.store, &self.clock, &self.script, &self.active, addresses);
        self.notifier.remember().await;
    }

    /// Makes each flow in the range fail.
    async fn fail(&mut self, flows: std::ops::Range<usize>) {
        for n in flows {
            self.notifier
                .observe(AlertObservation::RunEnded(Box::new(failed(
                    n,
                    FailureKind::Form,
                    broken("source.fields"),
                ))))
                .await;
        }
    }

    /// Posts the messages due now; returns the text of each robot message, or the event of a JSON body.
    async fn told(&mut self) -> Vec<String> {
        self.notifier.notify().await;
        let text = |(_, body): (String, serde_json::Value)| match body.pointer("/markdown/content") {
            Some(content) => content.as_str().unwrap().to_owned(),
            None => body["event"].as_str().unwrap().to_owned(),
        };
        self.script.posted().into_iter().map(text).collect()
    }

    /// Stores a drift check of the tenant `acme` by one of its flows.
    async fn check(&self, flow: &str, found: &[&str]) {
        let findings: Vec<DriftFinding> =
            found.iter().map(|userid| DriftFinding::Unexpected { userid: userid.parse().unwrap() }).collect();
        let check = DriftCheckRow {
            tenant: "acme".parse().unwrap(),
            flow: flow.parse().unwrap(),
            run: "r1".parse().unwrap(),
            at: self.clock.now(),
            findings: 0,
        };
        self.store.drift_check_put(&check, &findings).await.unwrap();
    }

    /// The texts of the alerts that stand.
    fn texts(&self) -> Vec<String> {
        self.active.read().unwrap().iter().map(|row| row.text.en.clone()).collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.active.read().unwrap().iter().map(|row| row.kind.clone()).collect()
    }
}

fn broken(code: &str) -> Report {
    Report::new(exit::FAILED, code, Text::new("it broke", "出错了"), Some(Text::new("mend it", "请修复")))
}

fn run(n: usize, state: RunState) -> RunRow {
    RunRow {
        tenant: "factory".parse().unwrap(),
        flow: format!("f{n}").parse().unwrap(),
        id: "r1".parse().unwrap(),
        kind: RunKind::Sync,
        cause: None,
        state,
        started_at: noon(),
        ended_at: Some(noon()),
        plan: None,
        rules: None,
        counts: Counts::default(),
        calls: Default::default(),
        problem: None,
        failure: None,
    }
}

fn ended(n: usize, failure: Option<Report>) -> RunResult {
    let state = if failure.is_some() { RunState::Failed } else { RunState::Done };
    let run = run(n, state);
    RunResult {
        tenant: run.tenant.clone(),
        flow: run.flow.clone(),
        run: Some(run),
        plan: None,
        exchanged: RulesExchange::default(),
        notices: Vec::new(),
        failure: failure.map(RunFailure::from),
    }
}

fn failed(n: usize, kind: FailureKind, report: Report) -> RunResult {
    RunResult { failure: Some(RunFailure { kind, report: report.clone() }), ..ended(n, Some(report)) }
}

#[tokio::test]
async fn a_flow_fails_from_the_second_time_on_or_at_once_if_no_attempt_mends_it() {
    let mut office = Office::open(addresses(true, false)).await;
    let passing = || AlertObservation::RunEnded(Box::new(ended(1, Some(broken("jiandaoyun.no_answer")))));
    office.notifier.observe(passing()).await;
    assert!(office.told().await.is_empty());
    office.notifier.observe(passing()).await;
    let told = office.told().await;
    assert!(told[0].contains("2 runs failed in a row") && told[0].contains("mend it"), "{told:?}");
    office.notifier.observe(passing()).await;
    assert!(office.told().await.is_empty(), "it stands, and was told");
    office.notifier.observe(AlertObservation::RunEnded(Box::new(ended(1, None)))).await;
    assert!(office.told().await[0].contains("resolved: flow failing"));
    office.fail(2..3).await;
    assert!(office.told().await[0].contains("source.fields"));
    let quit = failed(3, FailureKind::CutOff, broken("run.quit"));
    office.notifier.observe(AlertObservation::RunEnded(Box::new(quit.clone()))).await;
    office.notifier.observe(AlertObservation::RunEnded(Box::new(quit))).await;
    assert!(office.told().await.is_empty(), "a process that ends is no failure");
}

#[tokio::test]
async fn a_refused_credential_says_whose_it_is_the_code_and_what_to_do() {
    let mut office = Office::open(addresses(true, false)).await;
    let failure = broken("wecom.60020").hinting(Text::new("Add the IP 203.0.113.9 to 企业可信IP", "…"));
    let blocked = failed(1, FailureKind::Blocked(RemoteService::Wecom), failure);
    office.notifier.observe(AlertObservation::RunEnded(Box::new(blocked))).await;
    let told = office.told().await;
    for part in ["WeCom refuses", "wecom.60020", "203.0.113.9", "factory/f1"] {
        assert!(told[0].contains(part), "{part}: {told:?}");
    }
    assert_eq!(office.kinds(), ["flow.blocked"]);
}

#[tokio::test]
async fn a_robot_is_told_no_more_than_twenty_messages_in_any_minute_and_what_is_left_together() {
    let mut office = Office::open(addresses(true, false)).await;
    let mut sent = 0;
    // An alert a second, and a burst: more than would fit one by one.
    for n in 0..50 {
        office.fail(n..n + 1).await;
        if n == 30 {
            office.fail(100..400).await;
        }
        sent += office.told().await.len();
        office.clock.on(TimeDelta::seconds(1));
    }
    assert_eq!(sent, 20);
    office.clock.on(TimeDelta::seconds(10));
    let told = office.told().await;
    assert_eq!(told.len(), 1, "everything that is left, in one message");
    assert!(told[0].starts_with("**ruzhi: 330 alerts**") && told[0].len() <= 4096, "{}", told[0]);
    assert!(office.told().await.is_empty());
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_tried_again_later_and_what_was_told_survives_a_restart() {
    let mut office = Office::open(addresses(false, true)).await;
    office.script.answer(None);
    office.fail(1..2).await;
    assert_eq!(office.told().await, ["raised"]);
    assert!(office.told().await.is_empty(), "not at once");
    office.script.answer(Some((204, "")));
    office.clock.on(TimeDelta::seconds(5));
    assert_eq!(office.told().await, ["raised"]);
    assert!(office.told().await.is_empty());

    office.restart(addresses(false, true)).await;
    assert_eq!(office.kinds(), ["flow.failing"]);
    assert!(office.told().await.is_empty(), "the process before told it");
    office.clock.on(TimeDelta::hours(24));
    assert_eq!(office.told().await, ["reminder"]);
    office.notifier.observe(AlertObservation::RunEnded(Box::new(ended(1, None)))).await;
    office.restart(addresses(false, true)).await;
    assert_eq!(office.told().await, ["resolved"]);
    office.restart(addresses(false, true)).await;
    assert!(office.told().await.is_empty() && office.kinds().is_empty());
}

#[tokio::test]
async fn a_robot_that_was_removed_is_an_alert_for_the_other_address_until_it_is_back() {
    let mut office = Office::open(addresses(true, true)).await;
    office.script.answer(Some((200, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#)));
    office.fail(1..2).await;
    office.told().await;
    // The other address is judged by the status alone, so it took the alert.
    assert_eq!(office.kinds(), ["alerts.undelivered", "flow.failing"]);
    let row = office.active.read().unwrap()[0].clone();
    assert!(row.text.en.contains("93000") && !row.key.contains("7c1d"), "{row:?}");
    assert_eq!(office.told().await, ["raised"], "of the robot, to the other");
    office.clock.on(TimeDelta::hours(1));
    office.script.answer(Some((200, r#"{"errcode":0}"#)));
    let told = office.told().await;
    assert!(told.len() == 1 && told[0].contains("flow failing"), "{told:?}");
    assert_eq!(office.kinds(), ["flow.failing"]);
    assert_eq!(office.told().await, ["resolved"]);
}

#[tokio::test]
async fn files_that_are_refused_and_runs_that_are_not_done_are_told() {
    let mut office = Office::open(addresses(true, false)).await;
    office.notifier.observe(AlertObservation::FilesChanged(Some(broken("config")))).await;
    assert!(office.told().await[0].contains("the settings page names file and line"));
    office.notifier.observe(AlertObservation::FilesChanged(None)).await;
    assert!(office.told().await[0].contains("resolved: configuration invalid"));
    let mut undone = ended(1, None);
    if let Some(run) = &mut undone.run {
        run.state = RunState::Failed;
        run.problem = Some(Text::new("3 operations were not done", "3 项操作未完成"));
    }
    for _ in 0..2 {
        office.notifier.observe(AlertObservation::RunEnded(Box::new(undone.clone()))).await;
    }
    assert!(office.told().await[0].contains("3 operations were not done"));
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_once_for_a_tenant_and_is_over_when_a_run_finds_it_right() {
    let mut office = Office::open(addresses(true, false)).await;
    let off = Notice::ClockOff { service: ClockSource::JianDaoYun, ahead: 1800 };
    for n in [1, 2, 1] {
        let ended = RunResult { notices: vec![off.clone()], ..ended(n, None) };
        office.notifier.observe(AlertObservation::RunEnded(Box::new(ended))).await;
    }
    assert_eq!(office.kinds(), ["clock.off"]);
    let told = office.told().await;
    assert_eq!(told.len(), 1);
    for part in ["clock off", "30 minutes ahead of JianDaoYun's", "timedatectl"] {
        assert!(told[0].contains(part), "{part}: {}", told[0]);
    }
    // A run that failed may not have come so far, and one that reads no form has not looked.
    office
        .notifier
        .observe(AlertObservation::RunEnded(Box::new(ended(1, Some(broken("jiandaoyun.no_answer"))))))
        .await;
    let mut drift = ended(1, None);
    drift.run.as_mut().unwrap().kind = RunKind::Drift;
    office.notifier.observe(AlertObservation::RunEnded(Box::new(drift))).await;
    assert!(office.kinds().contains(&"clock.off".to_owned()));
    office.notifier.observe(AlertObservation::RunEnded(Box::new(ended(1, None)))).await;
    assert!(office.kinds().is_empty());
    assert!(office.told().await[0].contains("resolved: clock off"));
}

#[tokio::test]
async fn a_form_without_rows_is_told_until_a_run_finds_one() {
    let mut office = Office::open(addresses(true, false)).await;
    let nothing = Notice::NoRow { filtered: true, no_workflow: true };
    let empty = RunResult { notices: vec![nothing], ..ended(3, None) };
    office.notifier.observe(AlertObservation::RunEnded(Box::new(empty))).await;
    office.notifier.observe(AlertObservation::RunEnded(Box::new(ended(4, None)))).await;
    assert_eq!(office.kinds(), ["form.empty"], "another flow's form says nothing of this one");
    let told = office.told().await.remove(0);
    assert!(told.contains("form without rows") && told.contains("`flowState`"), "{told}");
    office.notifier.observe(AlertObservation::RunEnded(Box::new(ended(3, None)))).await;
    assert!(office.kinds().is_empty());
}

#[tokio::test]
async fn members_who_were_removed_by_hand_are_named_until_a_person_has_decided() {
    let known = Addresses::for_tests("https://ruzhi.example/", "acme", "景欣泰", "onboarding");
    let mut office = Office::open(known).await;
    let (tenant, flow) = ("acme".parse().unwrap(), "onboarding".parse().unwrap());
    let row = RunRow { tenant, flow, ..run(1, RunState::Done) };
    office.store.run_put(&row).await.unwrap();
    office.notifier.look().await;
    assert!(office.kinds().is_empty());
    remove(office.store.as_ref()).await;
    office.notifier.look().await;
    assert_eq!(office.kinds(), ["members.removed"]);
    let alert = office.active.read().unwrap()[0].clone();
    assert!(alert.text.en.starts_with("1 members were removed from WeCom by hand"), "{}", alert.text.en);
    for text in [&alert.text.en, &alert.text.zh] {
        assert!(text.contains("w1"), "{text}");
    }
    assert!(alert.hint.unwrap().zh.contains("请打开“待修正”页面"));
    assert_eq!(alert.page.unwrap(), "/quarantine?tenant=acme&flow=onboarding&rule=member.removed");
    let key = MemberKey::of("w1");
    assert!(office.store.removal_answer(&row.tenant, &key, RemovalAnswer::Release).await.unwrap());
    office.notifier.look().await;
    assert!(office.kinds().is_empty(), "it is decided");
}

#[tokio::test]
async fn differences_are_one_alert_of_the_tenant_for_as_long_as_some_are_left() {
    let mut office = Office::open(acme()).await;
    let ended = || AlertObservation::RunEnded(Box::new(ended(1, None)));
    office.check("onboarding", &[]).await;
    office.notifier.observe(ended()).await;
    assert!(office.told().await.is_empty() && office.kinds().is_empty());

    office.check("onboarding", &["a", "b"]).await;
    office.notifier.observe(ended()).await;
    let told = office.told().await;
    assert_eq!((told.len(), office.kinds()), (1, vec!["drift.found".to_owned()]));
    assert!(told[0].contains("2 differences") && told[0].contains("/drift/acme"), "{told:?}");

    // Another flow checks the same directory; then a run settles some of the differences.
    for (found, text) in [(vec!["a", "b", "c"], "3 differences"), (vec!["c"], "1 differences")] {
        office.clock.on(TimeDelta::hours(1));
        office.check("second", &found).await;
        office.notifier.observe(ended()).await;
        assert!(office.told().await.is_empty(), "the same matter");
        let texts = office.texts();
        assert!(texts.len() == 1 && texts[0].contains(text), "{texts:?}");
    }
    office.clock.on(TimeDelta::hours(20));
    office.notifier.look().await;
    assert!(office.told().await.is_empty());

    // Weeks pass: one message a day, however often the store is read.
    for day in 0..21 {
        office.clock.on(TimeDelta::hours(24));
        let mut reminders = Vec::new();
        for _ in 0..3 {
            office.notifier.look().await;
            reminders.extend(office.told().await);
        }
        assert!(reminders.len() == 1 && reminders[0].contains("still: "), "day {day}: {reminders:?}");
    }

    // A command settles the last one while no process runs.
    office.check("onboarding", &[]).await;
    office.restart(acme()).await;
    office.notifier.look().await;
    let told = office.told().await;
    assert!(told.len() == 1 && told[0].contains("resolved: directory changed by hand"), "{told:?}");
    assert!(office.kinds().is_empty());
}

#[tokio::test]
async fn differences_of_a_tenant_without_configuration_are_no_alert_until_it_is_back() {
    let mut office = Office::open(acme()).await;
    office.check("onboarding", &["a"]).await;
    office.notifier.look().await;
    assert_eq!(office.told().await.len(), 1);
    office.restart(addresses(true, false)).await;
    for day in 0..3 {
        office.notifier.look().await;
        office.notifier.observe(AlertObservation::RunEnded(Box::new(ended(1, None)))).await;
        let told = office.told().await;
        assert_eq!(told.len(), usize::from(day == 0), "{told:?}");
        assert!(told.iter().all(|text| text.contains("resolved: ")), "{told:?}");
        assert!(office.kinds().is_empty());
        office.clock.on(TimeDelta::hours(24));
    }
    office.restart(acme()).await;
    office.notifier.look().await;
    assert!(office.told().await[0].contains("1 differences"));
    assert_eq!(office.kinds(), ["drift.found"]);
}
