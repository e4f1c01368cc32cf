//! A date in the future takes effect when it comes, without another edit of the row.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use ruzhi_e2e::{Serving, Tenant};
use ruzhi_sim::factory::{APP_ID, ENTRY_ID};
use ruzhi_sim::{LoadDocument, RowChange, Widget};
use serde_json::{Map, Value, json};

use crate::site::Site;

const LEAVES: &str = "_widget_1700000000008";
const STARTS: &str = "_widget_1700000000010";
/// Only changed rows are read, so an action on an unchanged row does not come from reading it.
const INCREMENTAL: &str = r#"filter = { rel = "and", cond = [
  { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] } ] }"#;

fn with_dates(document: &mut LoadDocument) {
    let field = |id: &str, label: &str| Widget {
        name: id.to_owned(),
        widget_name: id.to_owned(),
        label: label.to_owned(),
        kind: "datetime".to_owned(),
        items: vec![],
    };
    for form in &mut document.jiandaoyun.forms {
        form.widgets.extend([field(LEAVES, "离职日期"), field(STARTS, "入职日期")]);
    }
}

/// People start after one date and leave before the other.
fn dated(tenant: Tenant) -> Tenant {
    let mut rules: Value = serde_json::from_str(ruzhi_e2e::RULES).unwrap();
    rules["when"] = json!([
        { "field": STARTS, "after": "now", "then": "ignore" },
        { "field": LEAVES, "before": "now", "then": "leave" },
    ]);
    Tenant { rules: Some(rules.to_string()), source: INCREMENTAL.to_owned(), ..tenant }
}

impl Site {
    /// Enters a date into a row.
    fn enter(&self, place: usize, field: &str, moment: DateTime<Utc>) {
        let mut row: Map<String, Value> =
            self.simulator.row(APP_ID, ENTRY_ID, &self.record(place)).unwrap_or_default();
        row.remove("updateTime");
        row.insert(field.to_owned(), moment.to_rfc3339_opts(SecondsFormat::Millis, true).into());
        let change = RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            upsert: vec![row],
            ..RowChange::default()
        };
        self.simulator.change_rows(change).unwrap();
    }

    /// None without an account; otherwise true if it is enabled.
    fn account(&self, place: usize) -> Option<bool> {
        self.member(&self.userid(place)).map(|member| member.status() != 2)
    }

    /// Four people: the first leaves at a moment, and the last starts at it. The run that read this came before that
    /// moment.
    fn ahead_of_time(&mut self) -> DateTime<Utc> {
        self.sync();
        self.workforce.hire();
        for lead in [5, 20, 80] {
            self.workforce.publish(&self.simulator).unwrap();
            let moment = Utc::now() + TimeDelta::seconds(lead);
            self.enter(0, LEAVES, moment);
            self.enter(3, STARTS, moment);
            let counts = self.json(0, &["sync", "jingxintai"])["counts"].clone();
            if Utc::now() < moment {
                assert_eq!((&counts["created"], &counts["disabled"]), (&json!(0), &json!(0)), "{counts}");
                assert_eq!((self.account(0), self.account(3)), (Some(true), None));
                return moment;
            }
        }
        panic!("a run takes longer than a minute");
    }
}

/// Waits until the clock of this machine, which the process uses, shows a moment.
fn until(moment: DateTime<Utc>) {
    while let Ok(rest) = (moment - Utc::now()).to_std() {
        std::thread::sleep(rest.min(Duration::from_millis(50)));
    }
}

fn site() -> Site {
    Site::loaded(3, with_dates, dated)
}

#[test]
fn dates_in_the_future_are_acted_on_by_the_first_run_after_them() {
    let mut site = site();
    let moment = site.ahead_of_time();
    let traced = site.json(0, &["trace", "jingxintai", &site.record(0)]);
    let holds = traced[0]["decided"]["holds_until"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_eq!(
        (holds - moment).num_milliseconds().clamp(0, 1),
        (holds - moment).num_milliseconds(),
        "{holds} {moment}"
    );
    until(moment + TimeDelta::milliseconds(2));
    let counts = site.json(0, &["sync", "jingxintai"])["counts"].clone();
    assert_eq!((&counts["created"], &counts["disabled"]), (&json!(1), &json!(1)), "{counts}");
    assert_eq!((site.account(0), site.account(3)), (Some(false), Some(true)));
    let writes = site.writes();
    site.json(0, &["sync", "jingxintai"]);
    assert_eq!(site.writes(), writes, "what has come to pass is done once");
}

#[test]
fn a_process_that_stays_acts_at_the_moment_without_any_schedule_and_across_a_restart() {
    let mut site = site();
    // Nothing triggers the process: it finds the moment in the store.
    let moment = site.ahead_of_time();
    let runs = |site: &Site| site.json(0, &["runs"]).as_array().unwrap().len();
    let before = runs(&site);
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    serving
        .wait("leaver and newcomer", || {
            (site.account(0) == Some(false) && site.account(3) == Some(true)).then_some(())
        })
        .unwrap();
    assert!(Utc::now() >= moment);
    let ended = || site.json(0, &["runs"]).as_array()?.iter().all(|run| run["state"] == "done").then_some(());
    serving.wait("the end of the run", ended).unwrap();
    assert_eq!(runs(&site), before + 1, "two rows of one moment are one run");
}
