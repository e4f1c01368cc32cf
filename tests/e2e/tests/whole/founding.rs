//! The founding document's own input works as pasted.

use ruzhi_e2e::{Deployment, Tenant};
use ruzhi_sim::factory::{API_KEY, APP_ID, CORP_ID, ENTRY_ID, Factory, SECRET};
use ruzhi_sim::{CorpLoad, FormLoad, JianDaoYunLoad, KeyLoad, LoadDocument, Simulator, WeComLoad};
use serde_json::{Value, json};

pub(crate) const RULES: &str = include_str!("../../../../docs/example/tenants/jingxintai/onboarding.json");

fn object(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

pub(crate) async fn founding_simulator() -> Simulator {
    let simulator = Simulator::start().await;
    let row = json!({
        "_widget_1681087902876": "user1234",
        "_widget_1675653229901": "张三",
        "_widget_1680875447221": "13800138000",
        "_widget_1680156501787": "[1,2,3]",
        "_widget_1680750424796": "工程师",
        "flowState": 1,
    });
    let other = json!({ "_widget_1681087902876": "unfinished", "flowState": 0 });
    simulator
        .load(LoadDocument {
            jiandaoyun: JianDaoYunLoad {
                keys: vec![KeyLoad::Text(API_KEY.to_owned())],
                forms: vec![FormLoad {
                    app_id: APP_ID.to_owned(),
                    entry_id: ENTRY_ID.to_owned(),
                    widgets: Factory::widgets(),
                    rows: vec![object(row), object(other)],
                    ..FormLoad::default()
                }],
            },
            wecom: WeComLoad {
                corps: vec![CorpLoad {
                    corp_id: CORP_ID.to_owned(),
                    secret: SECRET.to_owned(),
                    departments: Factory::departments(),
                    ..CorpLoad::default()
                }],
            },
        })
        .unwrap();
    simulator.set_knobs(ruzhi_sim::Knobs { log_requests: true, ..ruzhi_sim::Knobs::default() });
    simulator
}

async fn one_member_is_created(tenant: impl FnOnce(&str) -> Tenant) {
    let simulator = founding_simulator().await;
    let deployment = Deployment::new(&[tenant(&simulator.url())]).unwrap();
    let outcome = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let report = outcome.json().unwrap();
    assert_eq!(report["state"], "done");
    assert_eq!(report["counts"]["created"], 1);
    let members = simulator.members(CORP_ID);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["user1234"]);
    let member = &members["user1234"];
    assert_eq!(
        (member.name.as_str(), member.mobile.as_str(), member.position.as_str(), &member.department),
        ("张三", "13800138000", "工程师", &vec![1, 2, 3])
    );
    assert_eq!(simulator.invitations(CORP_ID)["user1234"], 1);
    simulator.assert_understood();
    let again = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!(again["counts"]["created"], 0);
    assert_eq!(again["counts"]["unchanged"], 1);
}

const FILTER: &str = r#"filter = { rel = "and", cond_1 = { field = "updateTime", type = "datetime", method = "range", value = "{{LAST_SYNC_TIME|datetime}}" }, cond_2 = { field = "flowState", type = "flowState", method = "eq", value = "1" } }
fields = "_widget_1675653229901,_id""#;

#[tokio::test]
async fn the_document_s_filter_and_metadata_create_exactly_the_one_member() {
    one_member_is_created(|url| Tenant {
        api: "v2".to_owned(),
        rules: Some(RULES.to_owned()),
        source: FILTER.to_owned(),
        ..Tenant::new(url)
    })
    .await;
}

#[tokio::test]
async fn the_design_s_filter_and_metadata_create_exactly_the_one_member() {
    one_member_is_created(|url| Tenant {
        rules: Some(RULES.to_owned()),
        source: r#"filter = { rel = "and", cond = [
  { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] },
  { field = "flowState", type = "flowstate", method = "eq", value = ["1"] } ] }"#
            .to_owned(),
        ..Tenant::new(url)
    })
    .await;
}

#[tokio::test]
async fn the_factory_s_rules_in_code_do_the_same() {
    one_member_is_created(|url| Tenant {
        component: "jingxintai.wasm".to_owned(),
        rules: None,
        source: FILTER.to_owned(),
        ..Tenant::new(url)
    })
    .await;
}
