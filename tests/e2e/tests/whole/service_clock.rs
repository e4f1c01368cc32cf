//! Rows are read by the clock of the form's service. The simulator has a separate clock; when it is half an hour
//! behind, this machine is half an hour ahead.

use ruzhi_e2e::Tenant;
use ruzhi_sim::Knobs;
use serde_json::Value;

use crate::site::Site;

const HALF_AN_HOUR_MS: i64 = 30 * 60 * 1000;

/// Only rows changed since the watermark are read.
fn incremental(tenant: Tenant) -> Tenant {
    let source = r#"filter = { rel = "and", cond = [{ field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] }] }
"#;
    Tenant { source: source.to_owned(), ..tenant }
}

/// A factory whose services' clock is this far ahead of this machine's.
fn site(ahead_ms: i64) -> Site {
    let mut site = Site::new(0, incremental);
    site.simulator.set_ahead_ms(ahead_ms);
    for _ in 0..6 {
        site.workforce.hire();
    }
    site
}

/// The start of each collect's time range, oldest first; empty for a collect of the whole form.
fn since(site: &Site) -> Vec<String> {
    let since = |body: Value| body["filter"]["cond"][0]["value"][0].as_str().unwrap_or_default().to_owned();
    let pages = site.bodies("data/list").into_iter().filter(|body| body.get("data_id").is_none());
    pages.map(since).collect()
}

#[test]
fn a_row_is_read_although_this_machine_is_half_an_hour_ahead_or_behind() {
    for (ahead_ms, en, zh) in [
        (
            -HALF_AN_HOUR_MS,
            "this machine's clock is 30 minutes ahead of JianDaoYun's",
            "本机时钟比简道云快 30 分钟",
        ),
        (
            HALF_AN_HOUR_MS,
            "this machine's clock is 30 minutes behind JianDaoYun's",
            "本机时钟比简道云慢 30 分钟",
        ),
    ] {
        let mut site = site(ahead_ms);
        let first = site.sync();
        assert_eq!((&first["counts"]["created"], &first["state"]), (&6.into(), &"done".into()));
        assert!(first["problem"]["en"].as_str().unwrap().contains(en), "{}", first["problem"]);
        assert!(first["problem"]["zh"].as_str().unwrap().contains(zh), "{}", first["problem"]);
        let watermark = site.json(0, &["status", "jingxintai"])[0]["watermark"].clone();
        let watermark: chrono::DateTime<chrono::Utc> = serde_json::from_value(watermark).unwrap();
        let service = chrono::Utc::now() + chrono::TimeDelta::milliseconds(ahead_ms);
        assert!((service - watermark).abs() < chrono::TimeDelta::minutes(1), "{watermark} and {service}");

        site.workforce.hire();
        site.workforce.renumber(2);
        let second = site.sync();
        assert_eq!((&second["counts"]["created"], &second["counts"]["updated"]), (&1.into(), &1.into()));
        assert!(!since(&site).last().unwrap().is_empty(), "the whole form was read: {:?}", since(&site));
        site.workforce.leave(4);
        assert_eq!(site.sync()["counts"]["disabled"], 1);
        assert_eq!(site.sync()["counts"]["unchanged"], 7);
        let told = site.run(&["sync", "jingxintai", "--lang", "zh"]);
        assert!(told.code == Some(0) && told.stderr.contains(zh), "{}", told.stderr);
        site.exact();
    }
}

#[test]
fn a_clock_that_is_right_is_not_told_of() {
    let mut site = site(0);
    assert_eq!(site.sync()["problem"], Value::Null);
    assert_eq!(site.sync()["problem"], Value::Null);
}

#[test]
fn a_date_that_is_missing_garbage_or_absurd_loses_no_row() {
    for date in
        ["", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "-", "9999999999"]
    {
        for ahead_ms in [0, -HALF_AN_HOUR_MS, HALF_AN_HOUR_MS] {
            let mut site = site(ahead_ms);
            let knobs = Knobs { log_requests: true, date: Some(date.to_owned()), ..Knobs::default() };
            site.simulator.set_knobs(knobs);
            assert_eq!(site.sync()["counts"]["created"], 6, "{date:?} {ahead_ms}");
            for _ in 0..2 {
                site.workforce.hire();
                assert_eq!(site.sync()["counts"]["created"], 1, "{date:?} {ahead_ms}");
            }
            site.exact();
        }
    }
}

/// A proxy or a cache may answer with a date of its own.
#[test]
fn a_date_that_is_hours_off_the_rows_loses_no_row() {
    for off_s in [-7200, 7200, 120, -120] {
        let mut site = site(0);
        let knobs = Knobs { log_requests: true, clock_ahead_s: off_s, ..Knobs::default() };
        site.simulator.set_knobs(knobs);
        assert_eq!(site.sync()["counts"]["created"], 6, "{off_s}");
        for _ in 0..2 {
            site.workforce.hire();
            assert_eq!(site.sync()["counts"]["created"], 1, "{off_s}");
        }
        site.exact();
    }
}

/// As after an upgrade, or after a period in which a proxy reported a later time.
#[test]
fn a_watermark_ahead_of_the_service_is_not_believed() {
    let mut site = site(HALF_AN_HOUR_MS);
    site.sync();
    site.workforce.hire();
    site.sync();
    // The service's clock is corrected: current rows are older than the watermark.
    site.simulator.set_ahead_ms(0);
    site.workforce.hire();
    assert_eq!(site.sync()["counts"]["created"], 1);
    site.workforce.hire();
    assert_eq!(site.sync()["counts"]["created"], 1);
    site.exact();
}

#[test]
fn a_form_without_rows_is_told_until_there_is_one() {
    let mut site = Site::new(0, |tenant| tenant);
    let report = site.sync();
    assert_eq!(report["state"], "done");
    let problem = &report["problem"];
    assert!(problem["en"].as_str().unwrap().contains("the form gave no row"), "{problem}");
    assert!(problem["zh"].as_str().unwrap().contains("表单没有返回任何数据"), "{problem}");
    assert!(site.sync()["problem"]["en"].as_str().unwrap().contains("the form gave no row"));
    site.workforce.hire();
    assert_eq!(site.sync()["problem"], Value::Null);
    let told = site.run(&["sync", "jingxintai"]);
    assert!(!told.stderr.contains("no row"), "{}", told.stderr);
}

/// A condition on a workflow's state remains on a form without a workflow.
#[test]
fn a_filter_on_flow_state_where_there_is_no_workflow_is_named() {
    let no_workflow = |document: &mut ruzhi_sim::LoadDocument| {
        for form in &mut document.jiandaoyun.forms {
            form.without_workflow = true;
            form.rows.iter_mut().for_each(|row| drop(row.remove("flowState")));
        }
    };
    let source = r#"filter = { rel = "and", cond = [{ field = "flowState", type = "flowstate", method = "eq", value = ["1"] }] }
"#;
    let site = Site::loaded(3, no_workflow, |tenant| Tenant { source: source.to_owned(), ..tenant });
    let report = site.json(0, &["sync", "jingxintai"]);
    let problem = &report["problem"];
    assert_eq!(report["counts"]["created"], 0);
    assert!(problem["en"].as_str().unwrap().contains("the filter asks for `flowState`"), "{problem}");
    assert!(problem["zh"].as_str().unwrap().contains("该表单没有流程"), "{problem}");
}
