//! Tenants of one corp share its userids and mobiles, and people move between them.

use ruzhi_e2e::{Deployment, Tenant, Workforce};
use ruzhi_sim::factory::{APP_ID, CORP_ID, ENTRY_ID, ExpectedMember, Factory, STATE};
use ruzhi_sim::{FormLoad, Limits, RowChange, Simulator};
use serde_json::{Map, Value, json};

const OTHER_FORM: &str = "63e0706d0e33350008189953";

/// Two factories of one corp, each with its own form.
struct Group {
    simulator: Simulator,
    deployment: Deployment,
    first: Workforce,
}

impl Group {
    fn new() -> Self {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let mut first = Workforce::new(8);
        let mut document = first.document();
        document.jiandaoyun.forms.push(FormLoad {
            app_id: APP_ID.to_owned(),
            entry_id: OTHER_FORM.to_owned(),
            widgets: Factory::widgets(),
            ..FormLoad::default()
        });
        simulator.load(document).unwrap();
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let one = Tenant { id: "first".to_owned(), ..Tenant::new(&simulator.url()) };
        let other = Tenant {
            id: "second".to_owned(),
            entry_id: OTHER_FORM.to_owned(),
            ..Tenant::new(&simulator.url())
        };
        let deployment = Deployment::new(&[one, other]).unwrap();
        Self { simulator, deployment, first }
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let outcome = self.deployment.run(&arguments).unwrap();
        assert_eq!(outcome.code, Some(code), "{arguments:?}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.json().unwrap()
    }

    /// Adds this person to the other factory's form.
    fn join_other(&self, number: u64, person: &ExpectedMember) {
        let row = json!({
            "_id": format!("67{number:022x}"),
            ruzhi_sim::factory::USERID: person.userid,
            ruzhi_sim::factory::NAME: person.name,
            ruzhi_sim::factory::MOBILE: person.mobile,
            ruzhi_sim::factory::DEPARTMENT: [7],
            ruzhi_sim::factory::POSITION: "主管",
            ruzhi_sim::factory::EMAIL: person.email,
            STATE: "在职",
        });
        self.change(OTHER_FORM, row.as_object().unwrap().clone());
    }

    fn change(&self, entry_id: &str, row: Map<String, Value>) {
        let change = RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: entry_id.to_owned(),
            upsert: vec![row],
            ..RowChange::default()
        };
        self.simulator.change_rows(change).unwrap();
    }

    fn person(&self, place: usize) -> ExpectedMember {
        self.first.workers()[place].person.clone()
    }

    fn refused(&self, tenant: &str) -> Vec<String> {
        let rejects = self.json(0, &["quarantine", tenant]);
        let violations =
            rejects.as_array().unwrap().iter().flat_map(|reject| reject["violations"].as_array().unwrap());
        violations.map(|violation| violation["rule"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_userid_or_mobile_of_the_other_tenant_is_not_taken() {
    let group = Group::new();
    group.json(0, &["sync", "first"]);
    let theirs = group.person(2);
    let same_userid = ExpectedMember {
        mobile: "13511110000".to_owned(),
        email: String::new(),
        userid: theirs.userid.to_lowercase(),
        name: "另一人".to_owned(),
        ..theirs.clone()
    };
    let same_mobile = ExpectedMember {
        userid: "X1".to_owned(),
        email: String::new(),
        name: "又一人".to_owned(),
        ..group.person(3)
    };
    group.join_other(1, &same_userid);
    group.join_other(2, &same_mobile);
    let report = group.json(0, &["sync", "second"]);
    assert_eq!(
        (&report["counts"]["created"], &report["counts"]["rejected"]),
        (&json!(0), &json!(2)),
        "{report}"
    );
    assert_eq!(group.refused("second").len(), 2);
    group.first.check_exact(&group.simulator).unwrap();
}

#[test]
fn who_moves_to_the_other_tenant_keeps_the_account() {
    let mut group = Group::new();
    group.json(0, &["sync", "first"]);
    let person = group.person(2);
    let key = person.userid.to_lowercase();
    group.first.leave(2);
    group.first.publish(&group.simulator).unwrap();
    group.join_other(1, &person);

    // Both forms are read before either tenant plans.
    let plan = group.json(0, &["plan"]);
    assert_eq!(plan["runs"][0]["operations"], json!([]), "{plan}");
    let operations = plan["runs"][1]["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 1, "{plan}");
    assert_eq!(operations[0]["kind"], "update");
    assert!(operations[0]["moved_from"].to_string().contains("first"), "{plan}");

    group.json(0, &["sync"]);
    group.json(0, &["sync"]);
    let member = &group.simulator.members(CORP_ID)[&key];
    assert!(member.enabled);
    assert_eq!((member.position.as_str(), &member.department), ("主管", &vec![7]));
    let corp = group.simulator.state()["wecom"]["corps"][CORP_ID].clone();
    assert_eq!(corp["created"][&key], 1);
    assert_eq!(corp["deleted"].as_object().unwrap().len(), 0);
    assert_eq!(corp["invitations"][&key], 1);

    // The second tenant owns the member now: the first one's row no longer affects it.
    let mut old = json!({ "_id": group.first.workers()[2].record }).as_object().unwrap().clone();
    old.insert(STATE.to_owned(), json!("离职"));
    old.insert(ruzhi_sim::factory::POSITION.to_owned(), json!("旧职务"));
    group.change(ENTRY_ID, old);
    group.json(0, &["sync"]);
    assert_eq!(group.simulator.members(CORP_ID)[&key].position, "主管");
}

#[test]
fn the_first_tenant_synced_alone_does_not_delete_who_moved() {
    let mut group = Group::new();
    group.json(0, &["sync", "first"]);
    let person = group.person(2);
    group.first.leave(2);
    group.first.publish(&group.simulator).unwrap();
    group.join_other(1, &person);
    group.json(0, &["sync", "first"]);
    group.json(0, &["sync", "second"]);
    group.json(0, &["sync", "first"]);
    let member = &group.simulator.members(CORP_ID)[&person.userid.to_lowercase()];
    assert!(member.enabled);
    assert_eq!(member.position, "主管");
}
