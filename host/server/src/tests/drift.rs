//! Differences between directory and ledger: on their page, in the API and among what needs a person.

use std::sync::Arc;

use serde_json::{Value, json};

use super::store::{line, operations};
use super::{OPERATOR, Served, VIEWER, acme, now};
use ruzhi_model::OperationState;
use ruzhi_plan::drift::DriftFinding;
use ruzhi_store::{DriftCheckRow, Settlement};

const DRIFT: &str = "/api/v1/tenants/acme/drift";

impl Served {
    /// A check by a flow that is no longer configured.
    async fn checked(&self, findings: &[DriftFinding]) {
        let check = DriftCheckRow {
            tenant: acme(),
            flow: "former".parse().unwrap(),
            run: "r1".parse().unwrap(),
            at: now(),
            findings: 0,
        };
        self.state.app.store.drift_check_put(&check, findings).await.unwrap();
    }

    /// The items about drift among those that need a person, in Chinese.
    async fn attention(&self) -> Vec<String> {
        let overview = self.get(VIEWER, "/api/v1/overview").await.json();
        let items = overview["attention"].as_array().unwrap().iter().filter(|item| item["kind"] == "drift");
        items.map(|item| item["text"]["zh"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn differences_are_settled_by_a_flow_that_exists_and_are_gone_once_they_are_settled() {
    let served = Served::full().await;
    assert_eq!((served.get(VIEWER, DRIFT).await.json(), served.attention().await), (Value::Null, vec![]));
    let operation = operations().remove(1);
    let entry = line(2, operation.member.clone());
    let missing =
        |userid: &str| DriftFinding::Missing { userid: userid.parse().unwrap(), owner: entry.owner.clone() };
    served.checked(&[missing("w2"), missing("w9")]).await;
    let found = served.get(VIEWER, DRIFT).await.json();
    assert_eq!((&found["total"], &found["flow"]), (&json!(2), &json!("onboarding")));
    let page = served.get(OPERATOR, "/drift/acme").await.body;
    assert!(page.contains("action=\"/flows/acme/onboarding/run\""), "{page}");
    let needs = served.attention().await;
    assert!(needs.len() == 1 && needs[0].contains("有 2 处不同"), "{needs:?}");

    // A sync updates the member, who is there after all.
    let settlement = Settlement {
        place: 0,
        operation: Arc::new(operation),
        state: OperationState::Done,
        errcode: Some(0),
        errmsg: None,
        attempts: vec![],
        ledger: Some(entry.clone()),
        rejection: None,
    };
    let plan = "nowhere".parse().unwrap();
    let store = &served.state.app.store;
    store.operations_settle(&[acme()], &acme(), &plan, &[settlement], now()).await.unwrap();
    assert_eq!(served.get(VIEWER, DRIFT).await.json()["items"][0]["userid"], "w9");
    assert!(served.attention().await[0].contains("有 1 处不同"));
    served.checked(&[]).await;
    assert_eq!(served.attention().await, Vec::<String>::new());
    assert_eq!(served.get(VIEWER, DRIFT).await.json()["total"], 0);

    // The tenant is taken out of the configuration, and comes back.
    served.checked(&[missing("w9")]).await;
    served.settings_become(|config| config.tenants.clear());
    assert_eq!(served.attention().await, Vec::<String>::new());
    assert_eq!(served.get(VIEWER, DRIFT).await.code(), "tenant.unknown");
    served.settings_become(|_| {});
    assert_eq!(served.attention().await.len(), 1);
}
