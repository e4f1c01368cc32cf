//! The outcome of a row is written into fields of the row, and triggers nothing.

use std::process::Stdio;
use std::time::Duration;

use ruzhi_e2e::Tenant;
use ruzhi_sim::factory::{APP_ID, CORP_ID, ENTRY_ID, MOBILE, NAME};
use ruzhi_sim::{FaultKind, FaultRule, Faults, LoadDocument, RowChange, Service, Widget};
use serde_json::{Map, Value, json};

use crate::site::Site;

const RESULT: &str = "_widget_1900000000001";
const SINCE: &str = "_widget_1900000000002";
const INCREMENTAL: &str = r#"filter = { rel = "and", cond = [
  { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] } ] }"#;

fn with_fields(document: &mut LoadDocument) {
    let field = |id: &str, label: &str, kind: &str| Widget {
        name: id.to_owned(),
        widget_name: id.to_owned(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        items: vec![],
    };
    for form in &mut document.jiandaoyun.forms {
        form.widgets.push(field(RESULT, "开通结果", "text"));
        form.widgets.push(field(SINCE, "结果时间", "datetime"));
    }
}

/// Writes back in Chinese, reading only changed rows.
fn telling(tenant: Tenant) -> Tenant {
    Tenant {
        source: format!(
            "{INCREMENTAL}\n[flows.write_back]\noutcome = \"{RESULT}\"\nat = \"{SINCE}\"\n{}",
            tenant.source
        ),
        ..tenant
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Site {
    fn row(&self, place: usize) -> Map<String, Value> {
        self.simulator.row(APP_ID, ENTRY_ID, &self.record(place)).unwrap()
    }

    /// The outcome shown in the row.
    fn told(&self, place: usize) -> String {
        self.row(place).get(RESULT).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn told_all(&self) -> Vec<String> {
        (0..self.workforce.workers().len()).map(|place| self.told(place)).collect()
    }

    fn updates(&self) -> u64 {
        self.simulator.requests(Service::JianDaoYun).get("data/update").copied().unwrap_or(0)
    }

    fn change_row(&self, row: Value) {
        let change = RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            upsert: vec![object(row)],
            ..RowChange::default()
        };
        self.simulator.change_rows(change).unwrap();
    }
}

fn a_row_tells_what_became_of_it(api: &str) {
    let api = api.to_owned();
    let mut site = Site::loaded(3, with_fields, |tenant| Tenant { api, ..telling(tenant) });
    site.workforce.hire_wrongly();
    site.sync();
    assert_eq!(site.told_all()[..3], ["已开通"; 3]);
    let wrong = site.told(3);
    assert!(wrong.starts_with("待修正：手机") && !wrong.contains(" / "), "{wrong}");
    assert!(site.row(0)[SINCE].is_string(), "{:?}", site.row(0));

    // The written fields come back with the next collect, and are not a change.
    let (writes, updates) = (site.writes(), site.updates());
    assert_eq!(updates, 4);
    for _ in 0..2 {
        assert_eq!(site.sync()["counts"]["unchanged"], 3);
    }
    assert_eq!((site.writes(), site.updates()), (writes, updates));

    site.workforce.leave(1);
    site.workforce.employ(3);
    site.sync();
    assert_eq!(site.told_all(), ["已开通", "已停用", "已开通", "已开通"]);
    site.workforce.employ(1);
    site.workforce.transfer(0);
    site.sync();
    assert_eq!(site.told_all(), ["已开通"; 4]);
    // A transfer changes nothing that is written back.
    assert_eq!(site.updates(), updates + 3);

    // The number was given away in the console, so only WeCom knows that it is held, and by whom.
    let new = site.workforce.hire();
    let mobile = site.workforce.workers()[new].person.mobile.clone();
    let by_hand = json!({ "userid": site.userid(0), "mobile": mobile });
    site.simulator.change_by_hand(CORP_ID, object(by_hand)).unwrap();
    site.sync();
    assert_eq!(site.told(new), "待修正：手机号码重复，已被 王0001 使用");
    site.exactly_understood();
}

impl Site {
    fn exactly_understood(&self) {
        self.simulator.assert_understood();
    }
}

#[test]
fn a_row_of_a_v5_flow_tells_what_became_of_it() {
    a_row_tells_what_became_of_it("v5");
}

#[test]
fn a_row_of_a_v2_flow_tells_what_became_of_it() {
    a_row_tells_what_became_of_it("v2");
}

#[test]
fn who_claims_a_number_that_another_row_has_is_told_whose_it_is() {
    let mut site = Site::loaded(2, with_fields, |tenant| {
        let telling = telling(tenant);
        Tenant { source: format!("{}lang = \"en\"\n", telling.source), ..telling }
    });
    site.sync();
    assert_eq!(site.told(0), "Account ready");
    let mobile = site.workforce.workers()[0].person.mobile.clone();
    let record = site.record(1);
    site.change_row(json!({ "_id": record, MOBILE: mobile }));
    site.json(0, &["sync", "jingxintai"]);
    assert_eq!(site.told(1), "To be corrected: 手机号码 is taken by 王0001");
    site.exactly_understood();
}

#[test]
fn a_row_whose_plan_waits_says_so_until_a_person_has_answered() {
    let few = |tenant: Tenant| Tenant { tables: "[guard]\ncreate_most = 2\n".to_owned(), ..telling(tenant) };
    let mut site = Site::loaded(3, with_fields, few);
    site.workforce.publish(&site.simulator).unwrap();
    let planned = site.json(3, &["plan", "jingxintai"]);
    assert!(planned["plan"].is_string() || planned["plan"].is_object());
    assert_eq!(site.updates(), 0, "a plan alone writes nothing");
    let held = site.json(3, &["sync", "jingxintai"]);
    assert_eq!(site.told_all(), ["待审批"; 3]);
    let plan = held["plan"].as_str().or_else(|| held["plan"]["id"].as_str()).unwrap().to_owned();
    site.json(3, &["sync", "jingxintai"]);
    assert_eq!(site.updates(), 3);
    site.json(0, &["reject", &plan, "--reason", "too many"]);
    site.json(3, &["sync", "jingxintai"]);
    assert_eq!(site.told_all(), [""; 3]);
    site.json(0, &["apply", &plan, "--approve"]);
    assert_eq!(site.told_all(), ["已开通"; 3]);
    site.exactly_understood();
}

#[test]
fn a_field_that_is_not_there_stops_no_run_and_is_told() {
    let mut site = Site::new(2, telling);
    site.workforce.publish(&site.simulator).unwrap();
    let synced = site.run(&["sync", "jingxintai"]);
    assert_eq!(synced.code, Some(0), "{}", synced.stderr);
    assert!(synced.stderr.contains(RESULT), "{}", synced.stderr);
    assert_eq!((site.calls("user/create"), site.updates()), (2, 0));
    let checked = site.json(1, &["check", "jingxintai", "--online"]);
    let codes: Vec<&Value> =
        checked["flows"][0]["problems"].as_array().unwrap().iter().map(|p| &p["code"]).collect();
    assert_eq!(codes, ["write_back.missing", "write_back.missing"]);
    // Once the field exists, the missing outcomes are written.
    let mut document = site.workforce.document();
    with_fields(&mut document);
    document.wecom.corps.clear();
    site.simulator.load(document).unwrap();
    site.sync();
    assert_eq!(site.told_all(), ["已开通"; 2]);
}

#[test]
fn a_field_that_the_rules_read_is_never_written() {
    let site = Site::loaded(2, with_fields, |tenant| Tenant {
        source: format!("[flows.write_back]\noutcome = \"{NAME}\"\n"),
        ..tenant
    });
    let checked = site.json(2, &["check", "jingxintai"]);
    assert_eq!(checked["flows"][0]["problems"][0]["code"], "write_back.reads_itself");
    let synced = site.run(&["sync", "jingxintai"]);
    assert_eq!(synced.code, Some(0), "{}", synced.stderr);
    assert!(synced.stderr.contains(NAME), "{}", synced.stderr);
    assert_eq!((site.calls("user/create"), site.updates()), (2, 0));
}

#[test]
fn a_crash_while_rows_are_written_leaves_every_row_told_and_no_member_written_twice() {
    let mut site = Site::loaded(6, with_fields, telling);
    site.workforce.publish(&site.simulator).unwrap();
    site.simulator.set_faults(Faults {
        seed: 1,
        rules: vec![FaultRule::new(FaultKind::StallAfter).api("data/update").skip(2).next(1)],
    });
    let mut command = site.deployment.command(&["sync", "jingxintai"]).unwrap();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(site.simulator.wait_for_stall(0, Duration::from_secs(60)));
    child.kill().unwrap();
    child.wait().unwrap();
    site.simulator.set_faults(Faults::default());
    assert_eq!(site.calls("user/create"), 6);
    site.sync();
    assert_eq!(site.told_all(), ["已开通"; 6]);
    let updates = site.updates();
    site.sync();
    assert_eq!((site.calls("user/create"), site.updates()), (6, updates));
    site.exact();
}

#[test]
fn a_busy_service_is_asked_again_and_a_flow_that_does_not_ask_for_it_writes_nothing() {
    let mut site = Site::loaded(2, with_fields, telling);
    site.simulator.set_faults(Faults {
        seed: 1,
        rules: vec![FaultRule::new(FaultKind::BadGatewayBefore).api("data/update").next(2)],
    });
    site.sync();
    assert_eq!((site.told_all(), site.updates()), (vec!["已开通".to_owned(); 2], 4));

    let mut quiet = Site::loaded(2, with_fields, |tenant| tenant);
    quiet.sync();
    assert_eq!((quiet.told_all(), quiet.updates()), (vec![String::new(); 2], 0));
}
