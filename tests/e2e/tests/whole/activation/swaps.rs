//! Rules exchanged under load: every member is decided whole by one digest.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ruzhi_e2e::{Deployment, Tenant, Workforce};
use ruzhi_model::{LedgerEntry, TenantId};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{Limits, Simulator};
use ruzhi_store::{Access, Database};

use super::{built, marked, renamed};

const OTHER_CORP: &str = "ww9999999999999999";

/// Every line of a tenant's ledger.
fn ledger(folder: &Path, tenant: &str) -> Vec<LedgerEntry> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Database::open(&folder.join("ruzhi.db"), Access::Read).await.unwrap();
        let tenant: TenantId = tenant.parse().unwrap();
        let lines = store.ledger_list(&[tenant], None, 10_000).await.unwrap();
        store.close().await;
        lines
    })
}

/// Says on its end, also by a panic, that no swap follows.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Each member was written whole by the rules named in its ledger line.
fn check_whole(lines: &[LedgerEntry], marks: &BTreeMap<String, &'static str>) {
    for line in lines {
        let mark =
            marks.get(line.rules.as_str()).unwrap_or_else(|| panic!("{} by unknown rules", line.userid));
        assert_eq!(line.written.alias.as_deref(), Some(*mark), "{}", line.userid);
        assert_eq!(line.written.address.as_deref(), Some(*mark), "{}", line.userid);
    }
}

#[test]
fn two_hundred_swaps_under_load_leave_every_member_decided_whole_by_one_digest() {
    const SWAPS: usize = 200;
    const PEOPLE: usize = 20;
    let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
    let mut people = Workforce::new(PEOPLE);
    let mut document = people.document();
    let mut corp = document.wecom.corps[0].clone();
    corp.corp_id = OTHER_CORP.to_owned();
    document.wecom.corps.push(corp);
    simulator.load(document).unwrap();
    simulator.set_limits(Limits { enabled: false, ..Limits::default() });
    let tenant = |id: &str, corp: &str| Tenant {
        id: id.to_owned(),
        corp_id: corp.to_owned(),
        rules: Some(marked("起")),
        ..Tenant::new(&simulator.url())
    };
    let deployment = Deployment::new(&[tenant("one", CORP_ID), tenant("two", OTHER_CORP)]).unwrap();
    let folder = deployment.path();
    let json = |arguments: &[&str]| {
        let outcome = deployment.run(&[arguments, &["--json"]].concat()).unwrap();
        assert_eq!(outcome.code, Some(0), "{arguments:?}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.json().unwrap()
    };
    json(&["sync"]);
    // Two rules files, each under two components.
    let member = std::fs::read(built("member.wasm")).unwrap();
    let mut marks = BTreeMap::new();
    let mut choices = Vec::new();
    for (number, component) in [member.clone(), renamed(&member, "second")].iter().enumerate() {
        let component_file = folder.join(format!("{number}.wasm"));
        std::fs::write(&component_file, component).unwrap();
        for mark in ["起", "子", "丑"] {
            let rules = marked(mark);
            let rules_file = folder.join(format!("{mark}.json"));
            std::fs::write(&rules_file, &rules).unwrap();
            let digest = ruzhi_store::Artifacts { component: component.clone(), config: rules }.rules();
            marks.insert(digest.to_string(), mark);
            choices.push((component_file.display().to_string(), rules_file.display().to_string()));
        }
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _over = Over(&over);
            for swap in 0..SWAPS {
                let tenant = ["one", "two"][swap % 2];
                let (component, rules) = &choices[swap * 7 % choices.len()];
                json(&["rules", "activate", tenant, component, rules, "--approve"]);
            }
        });
        while !over.load(Ordering::Acquire) {
            let runs = json(&["sync", "--full"]);
            for run in runs["runs"].as_array().unwrap() {
                assert_eq!(run["counts"]["failed"], 0, "{run}");
                assert!(marks.contains_key(run["rules"].as_str().unwrap()));
            }
            for tenant in ["one", "two"] {
                let lines = ledger(folder, tenant);
                assert_eq!(lines.len(), PEOPLE);
                check_whole(&lines, &marks);
            }
        }
    });
    json(&["sync"]);
    let list = json(&["rules", "list", "--last", "1000"]);
    for (place, (tenant, corp)) in [("one", CORP_ID), ("two", OTHER_CORP)].into_iter().enumerate() {
        let history = list[place]["history"].as_array().unwrap();
        assert_eq!(history.len(), SWAPS / 2 + 1);
        let live = history[0]["rules"].as_str().unwrap();
        let lines = ledger(folder, tenant);
        assert_eq!(lines.len(), PEOPLE);
        check_whole(&lines, &marks);
        assert!(lines.iter().all(|line| marks[line.rules.as_str()] == marks[live]), "{tenant}");
        let members = simulator.members(corp);
        assert_eq!(members.len(), PEOPLE);
        assert!(members.values().all(|member| member.alias == marks[live]));
        assert_eq!(simulator.created(corp).len(), PEOPLE);
    }
}
