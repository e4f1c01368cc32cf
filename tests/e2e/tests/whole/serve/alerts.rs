//! Alerts reach people where they are.

use std::time::Duration;

use ruzhi_e2e::{Serving, Tenant};
use ruzhi_sim::ROBOT_KEY;

use super::schedule::each_minute;
use crate::site::Site;

#[test]
fn a_plan_that_waits_is_told_once_to_the_group_and_to_the_other_address() {
    let few = "[guard]\ncreate_most = 2\n[alerts]\nrobot = { env = \"ALERT_ROBOT\" }\nurl = { env = \"ALERT_URL\" }\n";
    let mut site = Site::new(5, |tenant| each_minute(Tenant { tables: few.to_owned(), ..tenant }));
    site.workforce.publish(&site.simulator).unwrap();
    let robot = format!("{}/cgi-bin/webhook/send?key={ROBOT_KEY}", site.simulator.url());
    let sink = format!("{}/sink", site.simulator.url());
    let serving = Serving::start(&site.deployment, &[("ALERT_ROBOT", &robot), ("ALERT_URL", &sink)]).unwrap();
    // The next minute is at most a minute away.
    assert!(site.simulator.wait_for_told(2, Duration::from_secs(90)));
    let messages = site.simulator.robot_messages();
    let told = &messages[0].content;
    for part in ["计划待审批", "plan held", "景欣泰工厂 / onboarding", "请打开该计划"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("`ruzhi "), "{told}");
    let posted = site.simulator.posted();
    assert_eq!((&posted[0]["event"], &posted[0]["kind"]), (&"raised".into(), &"plan.held".into()));
    assert_eq!((messages.len(), posted.len()), (1, 1));
    site.simulator.assert_understood();
    let (status, _) = serving.end().unwrap();
    assert!(status.success(), "{status}");
}
