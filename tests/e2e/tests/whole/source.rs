//! A changed form makes no leavers and clears no field.

use ruzhi_e2e::{Outcome, Tenant};
use ruzhi_sim::factory::{Factory, HIRED, POSITION};
use ruzhi_sim::{FaultKind, FaultRule, Faults, FormLoad, JianDaoYunLoad, LoadDocument, Service, Widget};

use crate::site::Site;

/// The form as the simulator holds it, with other fields.
fn reform(site: &mut Site, change: impl Fn(Vec<Widget>) -> Vec<Widget>) {
    let mut form: FormLoad = site.workforce.document().jiandaoyun.forms.remove(0);
    form.widgets = change(Factory::widgets());
    let load = LoadDocument {
        jiandaoyun: JianDaoYunLoad { forms: vec![form], ..JianDaoYunLoad::default() },
        ..LoadDocument::default()
    };
    site.simulator.load(load).unwrap();
}

fn pages(site: &Site) -> u64 {
    site.simulator.requests(Service::JianDaoYun).get("data/list").copied().unwrap_or(0)
}

/// Runs and expects an error about the form's fields before any row is read, with nothing written.
fn is_stopped(site: &Site, field: &str) -> Outcome {
    let watermark = |site: &Site| site.json(0, &["status", "jingxintai"])[0]["watermark"].clone();
    let (before, read, writes) = (watermark(site), pages(site), site.writes());
    let outcome = site.run(&["sync", "jingxintai", "--json"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(outcome.json().unwrap()["error"]["code"], "source.fields");
    assert!(outcome.stderr.contains(field), "{}", outcome.stderr);
    assert_eq!(pages(site), read, "rows were read");
    assert_eq!(watermark(site), before);
    assert_eq!(site.writes(), writes);
    outcome
}

#[test]
fn a_field_that_was_removed_is_found_before_rows_are_read() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    reform(&mut site, |widgets| widgets.into_iter().filter(|widget| widget.name != POSITION).collect());
    is_stopped(&site, POSITION);
    reform(&mut site, |widgets| widgets);
    let report = site.sync();
    assert_eq!(report["counts"]["updated"], 0);
    site.exact();
}

#[test]
fn a_field_whose_name_was_changed_is_found_before_rows_are_read() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    let rename = |widgets: Vec<Widget>| {
        let renamed = |widget: Widget| match widget.name == POSITION {
            true => Widget { name: "zhiwu".to_owned(), ..widget },
            false => widget,
        };
        widgets.into_iter().map(renamed).collect()
    };
    reform(&mut site, rename);
    is_stopped(&site, POSITION);
}

#[test]
fn a_field_that_only_the_filter_reads_counts_too() {
    let field = HIRED;
    let mut site = Site::new(12, |tenant| Tenant {
        source: format!(
            r#"filter = {{ rel = "and", cond = [ {{ field = "{field}", type = "datetime", method = "empty" }} ] }}"#
        ),
        ..tenant
    });
    site.sync();
    reform(&mut site, |widgets| widgets.into_iter().filter(|widget| widget.name != field).collect());
    is_stopped(&site, field);
}

#[test]
fn an_unread_field_may_go() {
    let mut site = Site::new(12, |tenant| tenant);
    site.sync();
    reform(&mut site, |widgets| widgets.into_iter().filter(|widget| widget.name != HIRED).collect());
    site.sync();
    site.exact();
}

fn absent_leave(tenant: Tenant) -> Tenant {
    let tables = "[guard]\ncreate_most = 100000\nleave_percent = 100\nleave_most = 100000\n".to_owned();
    Tenant { flow: "absent = \"leave\"\n".to_owned(), tables, ..tenant }
}

/// The guard is off, so that only the collect itself can protect them.
#[test]
fn a_form_that_keeps_most_rows_back_makes_no_leavers_even_where_absence_counts() {
    let mut site = Site::new(250, absent_leave);
    site.sync();
    let watermark = |site: &Site| site.json(0, &["status", "jingxintai"])[0]["watermark"].clone();
    let before = watermark(&site);
    site.simulator.set_faults(no_second_page());
    let outcome = site.run(&["sync", "jingxintai", "--full"]);
    assert_eq!(site.disabled(), 0, "{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("source.shrunk"), "{}", outcome.stderr);
    assert_eq!(watermark(&site), before);
    site.simulator.set_faults(Faults::default());
    site.sync();
    site.exact();
}

/// An empty page after a full one is not the end of the form, however few rows are behind it.
#[test]
fn a_form_that_keeps_some_rows_back_makes_no_leavers_even_where_absence_counts() {
    for people in [130, 110, 103] {
        let mut site = Site::new(people, absent_leave);
        site.sync();
        site.simulator.set_faults(no_second_page());
        let outcome = site.run(&["sync", "jingxintai", "--full"]);
        assert_eq!(site.disabled(), 0, "{people} rows: {}{}", outcome.stdout, outcome.stderr);
        site.simulator.set_faults(Faults::default());
        site.sync();
        site.exact();
    }
}

fn no_second_page() -> Faults {
    Faults {
        seed: 1,
        rules: vec![FaultRule::new(FaultKind::EmptyPage).api("data/list").skip(1).next(u64::MAX)],
    }
}

#[test]
fn a_form_that_is_empty_or_cannot_be_read_makes_no_leavers_even_where_absence_counts() {
    let mut site = Site::new(30, absent_leave);
    site.sync();
    for (kind, code) in
        [(FaultKind::EmptyPage, "source.emptied"), (FaultKind::BadGatewayBefore, "jiandaoyun.http_502")]
    {
        // One page fails for good only after half a minute of retries, so the faults last just long enough.
        let times = if kind == FaultKind::EmptyPage { u64::MAX } else { 8 };
        let rule = FaultRule::new(kind).api("data/list").next(times);
        site.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
        let outcome = site.run(&["sync", "jingxintai", "--full"]);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(code), "{}", outcome.stderr);
        assert_eq!(site.disabled(), 0);
    }
    site.simulator.set_faults(Faults::default());
    site.sync();
    site.exact();
}

/// An incremental filter, narrowed by `more`.
fn filtered(site: &Site, more: &str) -> Tenant {
    let source = format!(
        r#"filter = {{ rel = "and", cond = [{{ field = "updateTime", type = "datetime", method = "range", value = ["{{{{LAST_SYNC_TIME|datetime}}}}", ""] }}{more}] }}
overlap = "0s"
"#
    );
    Tenant { source, ..Tenant::new(&site.simulator.url()) }
}

#[test]
fn another_form_is_noticed_before_it_is_read() {
    const OTHER_FORM: &str = "63e0706d0e33350008180000";
    let other = |document: &mut LoadDocument| {
        let form = document.jiandaoyun.forms[0].clone();
        document.jiandaoyun.forms.push(FormLoad { entry_id: OTHER_FORM.to_owned(), ..form });
    };
    let mut site = Site::loaded(12, other, |tenant| tenant);
    site.sync();
    let right = Tenant::new(&site.simulator.url());
    site.deployment.put(&Tenant { entry_id: OTHER_FORM.to_owned(), ..right.clone() }).unwrap();
    let (read, writes) = (pages(&site), site.writes());
    for _ in 0..2 {
        let report = site.json(1, &["sync", "jingxintai", "--full"]);
        assert_eq!(report["error"]["code"], "source.other_form");
    }
    assert_eq!((pages(&site), site.writes()), (read, writes));
    site.deployment.put(&right).unwrap();
    assert_eq!(site.sync()["counts"]["unchanged"], 12);
    site.exact();
}

/// Rows brought in by a filter that was too wide are dropped once the filter is corrected.
#[test]
fn rows_that_a_wrong_filter_brought_in_are_dropped_once_it_is_right() {
    let mut site = Site::new(12, |tenant| tenant);
    let mut few: Vec<String> = (0..8).map(|place| format!("\"{}\"", site.userid(place))).collect();
    few.dedup();
    let few = few.join(", ");
    let userid = ruzhi_sim::factory::USERID;
    let narrow = format!(r#", {{ field = "{userid}", type = "text", method = "in", value = [{few}] }}"#);
    site.deployment.put(&filtered(&site, &narrow)).unwrap();
    assert_eq!(site.json(0, &["sync", "jingxintai"])["counts"]["created"], 8);
    site.deployment.put(&filtered(&site, "")).unwrap();
    assert_eq!(site.json(0, &["plan", "jingxintai"])["counts"]["created"], 4);
    site.deployment.put(&filtered(&site, &narrow)).unwrap();
    let report = site.sync();
    assert_eq!((&report["counts"]["created"], &report["counts"]["unchanged"]), (&0.into(), &8.into()));
}

/// Deleted rows do not show in an incremental collect, so an approval reads the whole form.
#[test]
fn an_approval_is_for_what_the_form_says_now() {
    let mut site = Site::new(12, |tenant| tenant);
    let strict = Tenant { tables: "[guard]\ncreate_most = 3\n".to_owned(), ..filtered(&site, "") };
    site.deployment.put(&filtered(&site, "")).unwrap();
    site.sync();
    site.deployment.put(&strict).unwrap();
    let places: Vec<usize> = (0..5).map(|_| site.workforce.hire()).collect();
    site.workforce.publish(&site.simulator).unwrap();
    let held = site.json(3, &["sync", "jingxintai"]);
    site.workforce.remove(places[1]);
    site.workforce.publish(&site.simulator).unwrap();
    let plan = held["plan"].as_str().unwrap();
    let refused = site.json(1, &["apply", plan, "--approve"]);
    assert_eq!(refused["error"]["code"], "plan.superseded");
    let new = refused["plan"].as_str().unwrap();
    assert_eq!(site.json(0, &["apply", new, "--approve"])["counts"]["created"], 4);
    site.exact();
}

#[test]
fn a_check_lists_every_field_of_the_form_where_one_is_missing() {
    let mut site = Site::new(2, |tenant| tenant);
    assert_eq!(site.json(0, &["check", "--online"])["flows"][0]["fields"], serde_json::json!([]));
    let rename = |widgets: Vec<Widget>| {
        let mut widgets: Vec<Widget> = widgets
            .into_iter()
            .map(|widget| match widget.name == POSITION {
                true => Widget { name: "zhiwu".to_owned(), ..widget },
                false => widget,
            })
            .collect();
        let item = Widget {
            widget_name: "_widget_1790000000002".to_owned(),
            label: "学校".to_owned(),
            kind: "text".to_owned(),
            ..Widget::default()
        };
        widgets.push(Widget {
            widget_name: "_widget_1790000000001".to_owned(),
            label: "教育经历".to_owned(),
            kind: "subform".to_owned(),
            items: vec![item],
            ..Widget::default()
        });
        widgets
    };
    reform(&mut site, rename);
    let told = site.json(1, &["check", "--online"]);
    let flow = &told["flows"][0];
    assert_eq!(flow["problems"][0]["code"], "source.fields", "{told}");
    let field = |id: &str| flow["fields"].as_array().unwrap().iter().find(|field| field["id"] == id).unwrap();
    let renamed = field(POSITION);
    assert_eq!((&renamed["alias"], &renamed["kind"]), (&"zhiwu".into(), &"text".into()), "{renamed}");
    assert_eq!(field("_widget_1790000000001._widget_1790000000002")["label"], "学校");
    assert_eq!(flow["fields"].as_array().unwrap().len(), Factory::widgets().len() + 2);
    let text = site.run(&["check", "--online", "--lang", "zh"]).stdout;
    let line = text.lines().find(|line| line.contains(POSITION) && line.contains("zhiwu")).unwrap();
    assert!(line.contains("text"), "{line}");
}

#[test]
fn a_check_finds_a_field_that_only_the_filter_reads() {
    let site = Site::new(2, |tenant| Tenant {
        source: r#"filter = { rel = "and", cond = [ { field = "gone", type = "text", method = "empty" } ] }"#
            .to_owned(),
        ..tenant
    });
    let told = site.json(1, &["check", "--online"]);
    assert!(told["flows"][0]["problems"][0]["message"].to_string().contains("gone"), "{told}");
}
