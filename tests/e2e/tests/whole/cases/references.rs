//! A leader in another form of the tenant, or in another tenant of the corp.

use ruzhi_e2e::{Deployment, Tenant};
use ruzhi_sim::factory::{API_KEY, APP_ID, CORP_ID, ENTRY_ID, Factory, SECRET};
use ruzhi_sim::{CorpLoad, JianDaoYunLoad, KeyLoad, Limits, LoadDocument, RowChange, Simulator, WeComLoad};
use serde_json::json;

use super::stage::{LEADER, NO_GUARD, Plan, form, person};

const OTHER_FORM: &str = "63e0706d0e33350008189954";

/// Two forms: the leader's row is in the other one.
struct Two {
    simulator: Simulator,
    deployment: Deployment,
}

impl Two {
    fn new(tenants: impl FnOnce(Tenant) -> Vec<Tenant>) -> Self {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let corp = CorpLoad {
            corp_id: CORP_ID.to_owned(),
            secret: SECRET.to_owned(),
            departments: Factory::departments(),
            ..CorpLoad::default()
        };
        simulator
            .load(LoadDocument {
                jiandaoyun: JianDaoYunLoad {
                    keys: vec![KeyLoad::Text(API_KEY.to_owned())],
                    forms: vec![form(ENTRY_ID), form(OTHER_FORM)],
                },
                wecom: WeComLoad { corps: vec![corp] },
            })
            .unwrap();
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let plan = Plan { fields: &["direct_leader"], ..Plan::default() };
        let tenant = Tenant {
            rules: Some(plan.rules()),
            tables: NO_GUARD.to_owned(),
            ..Tenant::new(&simulator.url())
        };
        let deployment = Deployment::new(&tenants(tenant)).unwrap();
        Self { simulator, deployment }
    }

    fn write(&self, entry_id: &str, userid: &str, place: usize, leader: &str) {
        let mut row = person(userid, place);
        row.insert(LEADER.to_owned(), json!(leader));
        let change = RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: entry_id.to_owned(),
            upsert: vec![row],
            ..RowChange::default()
        };
        self.simulator.change_rows(change).unwrap();
    }

    fn sync(&self, target: &str) {
        let outcome = self.deployment.run(&["sync", target]).unwrap();
        assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
    }

    fn leader(&self, userid: &str) -> Option<String> {
        let members = self.simulator.members(CORP_ID);
        let member = members.get(&userid.to_ascii_lowercase());
        member.unwrap_or_else(|| panic!("{userid} is kept out")).direct_leader.first().cloned()
    }

    fn check(&self) {
        let (created, invited) = (self.simulator.created(CORP_ID), self.simulator.invitations(CORP_ID));
        assert!(!created.is_empty() && created.values().all(|times| *times == 1), "{created:?}");
        assert!(!invited.is_empty() && invited.values().all(|times| *times == 1), "{invited:?}");
        self.simulator.assert_understood();
    }
}

#[test]
fn a_leader_of_another_form_of_the_tenant_is_set_once_that_form_has_run() {
    let flow = format!(
        "\n[[flows]]\nid = \"managers\"\n[flows.source]\napp_id = \"{APP_ID}\"\nentry_id = \"{OTHER_FORM}\"\n[flows.guest]\n\
         component = \"{{component}}\"\nconfig = \"jingxintai/onboarding.json\"\n"
    );
    let two = Two::new(|tenant| vec![Tenant { flows: flow, ..tenant }]);
    two.write(ENTRY_ID, "F1", 1, "M1");
    two.write(ENTRY_ID, "F2", 2, "F1");
    two.write(OTHER_FORM, "M1", 3, "");
    two.sync("jingxintai/onboarding");
    assert_eq!(two.leader("F1"), None);
    two.sync("jingxintai/managers");
    two.sync("jingxintai/onboarding");
    assert_eq!(two.leader("F1").as_deref(), Some("M1"));
    assert_eq!(two.leader("F2").as_deref(), Some("F1"));
    two.check();
}

#[test]
fn a_leader_of_another_tenant_of_the_corp_is_set_once_that_tenant_has_run() {
    let two = Two::new(|tenant| {
        let other = Tenant { id: "other".to_owned(), entry_id: OTHER_FORM.to_owned(), ..tenant.clone() };
        vec![tenant, other]
    });
    two.write(ENTRY_ID, "F1", 1, "M1");
    two.write(OTHER_FORM, "M1", 2, "F1");
    two.sync("jingxintai");
    assert_eq!(two.leader("F1"), None);
    two.sync("other");
    assert_eq!(two.leader("M1").as_deref(), Some("F1"));
    two.sync("jingxintai");
    assert_eq!(two.leader("F1").as_deref(), Some("M1"));
    two.check();
}
