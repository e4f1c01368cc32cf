//! Runs begin by themselves, when they are due and when the files change.

use ruzhi_e2e::{Serving, Tenant};
use serde_json::Value;

use crate::site::Site;

/// A schedule that is due at every minute.
pub(crate) fn each_minute(tenant: Tenant) -> Tenant {
    Tenant { flow: "schedule = \"* * * * *\"".to_owned(), ..tenant }
}

#[test]
fn a_flow_runs_at_its_minute_and_tells_so() {
    let mut site = Site::new(20, each_minute);
    site.workforce.publish(&site.simulator).unwrap();
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    assert_eq!(serving.get("/healthz").unwrap().status, 200);
    // The next minute is at most a minute away.
    let run = serving.wait("a run", || {
        let runs = site.json(0, &["runs"]);
        runs.as_array()?.iter().find(|run| run["state"] == "done").cloned()
    });
    let run: Value = run.unwrap();
    assert_eq!(run["counts"]["created"], 20);
    site.exact();
    let (status, took) = serving.end().unwrap();
    assert!(status.success(), "{status}");
    assert!(took.as_secs() < 10, "{took:?}");
}
