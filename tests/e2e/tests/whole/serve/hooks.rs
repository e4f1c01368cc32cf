//! Genuine events of the services wake the flow, once; anything else does not.

use std::time::Duration;

use ruzhi_e2e::{Serving, Tenant, finish};
use ruzhi_sim::factory::{APP_ID, CORP_ID, ENTRY_ID};
use ruzhi_sim::{
    CallbackTo, Delivery, FaultKind, FaultRule, Faults, LoadDocument, OutboxKnobs, PushTo, RowChange, Widget,
};
use ruzhi_store::{Access, Database};
use serde_json::{Map, Value, json};

use crate::site::Site;

const SECRET: &str = "pushed-by-the-form";
const TOKEN: &str = "Tk0nOfTests";
/// Its last symbol carries bits that are no part of the key.
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const OUTCOME: &str = "_widget_1790000000001";
/// People with access: a server that receives pushes must name at least one.
const OPERATOR: &str = "an-operators-token-0123456789";
/// Longer than the deliveries of a test take.
const MOST: Duration = Duration::from_secs(60);

/// A flow that runs only when woken.
fn pushed(tenant: Tenant) -> Tenant {
    Tenant { flows: "[flows.push]\nsecret = { env = \"PUSH_SECRET\" }\n".to_owned(), ..tenant }
}

impl Site {
    /// The process, and the form pushed to it.
    fn serve(&self) -> Serving {
        let environment = [
            ("PUSH_SECRET", SECRET),
            ("CALLBACK_TOKEN", TOKEN),
            ("CALLBACK_KEY", AES_KEY),
            ("RUZHI_TOKEN", OPERATOR),
            ("RUZHI_LOG", "ruzhi=debug"),
        ];
        self.deployment.with_token().unwrap();
        let serving = Serving::start(&self.deployment, &environment).unwrap();
        let to = PushTo {
            app_id: APP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            url: format!("{}/hooks/jiandaoyun/jingxintai/onboarding", serving.url),
            secret: Some(SECRET.to_owned()),
            test: false,
        };
        self.simulator.push_to(to).unwrap();
        serving
    }

    fn runs(&self, kind: &str) -> Vec<Value> {
        let Value::Array(runs) = self.json(0, &["runs"]) else { panic!("no list of runs") };
        runs.into_iter().filter(|run| run["kind"] == kind).collect()
    }

    /// Number of kinds of wakes in the store that no run has served.
    fn wakes(&self) -> usize {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let path = self.deployment.path().join("ruzhi.db");
        runtime.block_on(async {
            Database::open(&path, Access::Read).await.unwrap().wakes_list().await.unwrap().len()
        })
    }

    /// Waits until this many deliveries have ended.
    fn delivered(&self, count: usize) -> Vec<Delivery> {
        let deliveries = self.simulator.wait_for_deliveries(count, MOST);
        assert!(deliveries.iter().filter(|delivery| delivery.ended).count() >= count, "{deliveries:?}");
        deliveries
    }
}

/// Number of log lines that contain this text.
fn logged(serving: &Serving, what: &str) -> usize {
    serving.log().unwrap().matches(what).count()
}

#[test]
fn a_person_who_is_entered_is_in_the_directory_without_a_schedule() {
    let mut site = Site::new(5, pushed);
    let serving = site.serve();
    site.simulator.set_outbox(OutboxKnobs { duplicates: 2, reversed: true, ..OutboxKnobs::default() });
    for _ in 0..3 {
        site.workforce.hire();
    }
    site.workforce.publish(&site.simulator).unwrap();
    serving.wait("everyone", || site.workforce.check_exact(&site.simulator).ok()).unwrap();
    let deliveries = site.delivered(3);
    assert_eq!(deliveries.len(), 3);
    for delivery in deliveries {
        assert_eq!(delivery.answers, ["200", "200", "200"]);
    }
    assert_eq!(logged(&serving, "a push of JianDaoYun wakes the flow"), 3);
    assert_eq!(logged(&serving, "a push of JianDaoYun wakes no flow: duplicate"), 6);
    let log = serving.log().unwrap();
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn forged_events_wake_no_flow() {
    let site = Site::new(5, pushed);
    let serving = site.serve();
    let row = |value: &str| {
        let row =
            Map::from_iter([("_id".to_owned(), json!(site.record(0))), (OUTCOME.to_owned(), json!(value))]);
        let (app_id, entry_id) = (APP_ID.to_owned(), ENTRY_ID.to_owned());
        site.simulator
            .change_rows(RowChange { app_id, entry_id, upsert: vec![row], delete: vec![] })
            .unwrap();
    };
    for (count, knobs) in [
        OutboxKnobs { unsigned: true, ..OutboxKnobs::default() },
        OutboxKnobs { bad_signature: true, ..OutboxKnobs::default() },
    ]
    .into_iter()
    .enumerate()
    {
        site.simulator.set_outbox(knobs);
        row("changed");
        let deliveries = site.delivered(count + 1);
        assert_eq!(deliveries[count].answers, ["401"; 6]);
    }
    assert_eq!(logged(&serving, "a push of JianDaoYun is rejected: signature"), 12);
    assert_eq!(logged(&serving, "wakes the flow"), 0);
    assert_eq!(site.runs("sync"), Vec::<Value>::new());
    site.simulator.set_outbox(OutboxKnobs { age_s: 3600, ..OutboxKnobs::default() });
    row("changed");
    assert_eq!(site.delivered(3)[2].answers, ["200"], "what was signed an hour ago is genuine all the same");
}

#[test]
fn a_push_that_was_answered_is_done_although_the_process_is_killed_before_its_run() {
    let mut site = Site::new(5, pushed);
    let serving = site.serve();
    let mut faults = Faults::default();
    faults.rules.push(FaultRule::new(FaultKind::StallBefore).api("data/list").next(1));
    let before = site.simulator.stalled();
    site.simulator.set_faults(faults);
    site.workforce.hire();
    site.workforce.publish(&site.simulator).unwrap();
    assert_eq!(site.delivered(1)[0].answers, ["200"]);
    assert!(site.simulator.wait_for_stall(before, MOST), "the run did not read the form");
    serving.kill().unwrap();
    site.simulator.set_faults(Faults::default());
    assert_eq!(site.wakes(), 1);

    // Nothing is pushed any more, and the flow has no schedule.
    let serving = site.serve();
    serving.wait("everyone", || site.workforce.check_exact(&site.simulator).ok()).unwrap();
    let done = |run: &Value| run["state"] == "done";
    serving.wait("the run's end", || site.runs("sync").iter().any(done).then_some(())).unwrap();
    let (status, _) = serving.end().unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(site.delivered(1).len(), 1);
    assert_eq!(site.wakes(), 0, "the next start has nothing to do");
}

/// The form has a field for the outcome.
fn with_outcome(document: &mut LoadDocument) {
    let widget = Widget {
        widget_name: OUTCOME.to_owned(),
        label: "开通结果".to_owned(),
        kind: "text".to_owned(),
        ..Widget::default()
    };
    document.jiandaoyun.forms[0].widgets.push(widget);
}

#[test]
fn what_is_written_back_causes_no_run_even_if_it_is_pushed() {
    let mut site = Site::loaded(5, with_outcome, |tenant| {
        let tenant = pushed(tenant);
        let flows = format!("{}[flows.write_back]\noutcome = \"{OUTCOME}\"\n", tenant.flows);
        Tenant { flows, ..tenant }
    });
    let serving = site.serve();
    site.simulator.set_outbox(OutboxKnobs { for_api_writes: true, ..OutboxKnobs::default() });
    site.workforce.hire();
    site.workforce.publish(&site.simulator).unwrap();
    // One push of the person who was entered, six of the fields written back.
    let deliveries = site.delivered(7);
    assert_eq!(deliveries.len(), 7);
    assert!(deliveries.iter().all(|delivery| delivery.answers == ["200"]), "{deliveries:?}");
    assert_eq!(logged(&serving, "a push of JianDaoYun wakes the flow"), 1);
    assert_eq!(logged(&serving, "a push of JianDaoYun wakes no flow: known"), 6);
    serving.wait("everybody", || site.workforce.check_exact(&site.simulator).ok()).unwrap();

    site.workforce.leave(0);
    site.workforce.publish(&site.simulator).unwrap();
    serving.wait("the leaver", || site.workforce.check_exact(&site.simulator).ok()).unwrap();
    assert_eq!(logged(&serving, "a push of JianDaoYun wakes the flow"), 2, "what the rules read wakes");
    serving.wait("two runs", || Some(()).filter(|()| site.runs("sync").len() == 2)).unwrap();
}

#[test]
fn a_manual_change_in_the_directory_wakes_a_look_for_drift() {
    let mut site = Site::new(5, |tenant| {
        let callback =
            "[wecom.callback]\ntoken = { env = \"CALLBACK_TOKEN\" }\naes_key = { env = \"CALLBACK_KEY\" }\n";
        let tables = format!("{callback}{}", tenant.tables);
        Tenant { tables, ..tenant }
    });
    site.workforce.publish(&site.simulator).unwrap();
    let environment = [
        ("CALLBACK_TOKEN", TOKEN),
        ("CALLBACK_KEY", AES_KEY),
        ("RUZHI_TOKEN", OPERATOR),
        ("RUZHI_LOG", "ruzhi=debug"),
    ];
    let mut sync = site.deployment.command(&["sync", "jingxintai"]).unwrap();
    sync.envs(environment);
    assert_eq!(finish(sync).unwrap().code, Some(0));
    site.deployment.with_token().unwrap();
    let serving = Serving::start(&site.deployment, &environment).unwrap();
    let to = CallbackTo {
        corp_id: CORP_ID.to_owned(),
        url: format!("{}/hooks/wecom/jingxintai", serving.url),
        token: TOKEN.to_owned(),
        aes_key: AES_KEY.to_owned(),
    };
    site.simulator.call_back_to(to).unwrap();
    let verified = &site.delivered(1)[0];
    assert_eq!((verified.event.as_str(), verified.taken), ("verify", true));
    site.simulator.set_outbox(OutboxKnobs { duplicates: 1, ..OutboxKnobs::default() });
    site.simulator.delete_by_hand(CORP_ID, &site.userid(0)).unwrap();
    assert_eq!(site.delivered(2)[1].answers, ["200", "200"]);
    assert_eq!(logged(&serving, "a callback of WeCom wakes a look for drift"), 1);
    assert_eq!(logged(&serving, "a callback of WeCom wakes no flow: duplicate"), 1);
    let looked = serving
        .wait("a look for drift", || site.runs("drift").into_iter().find(|run| run["state"] == "done"));
    looked.unwrap();
    let log = serving.log().unwrap();
    assert!(!log.contains(TOKEN) && !log.contains(AES_KEY), "{log}");
}
