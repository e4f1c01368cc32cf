//! A form that is not what it was makes nobody a leaver and clears no field.

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

/// Runs and expects that the form's fields are found wrong before any row is read, and nothing moves.
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
fn a_field_that_nobody_reads_may_go() {
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

/// The guard is off, so that nothing but the collect itself can save them.
#[test]
fn a_form_that_keeps_most_rows_back_makes_nobody_a_leaver_even_where_absence_counts() {
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

/// An empty page after a full one is no end of the form, however few rows are behind it.
#[test]
fn a_form_that_keeps_some_rows_back_makes_nobody_a_leaver_even_where_absence_counts() {
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
fn a_form_that_is_empty_or_cannot_be_read_makes_nobody_a_leaver_even_where_absence_counts() {
    let mut site = Site::new(30, absent_leave);
    site.sync();
    for (kind, code) in
        [(FaultKind::EmptyPage, "source.emptied"), (FaultKind::BadGatewayBefore, "jiandaoyun.http_502")]
    {
        // One page fails for good only after half a minute of trying, so the faults last just long enough.
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
