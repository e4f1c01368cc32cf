//! Big loads are sent as CSV files, with the same result as single calls.

use ruzhi_e2e::{Deployment, Tenant, check_directory, simulator};
use ruzhi_sim::Service;
use ruzhi_sim::factory::Factory;

async fn loads_exactly(people: usize, hostile: usize) -> (u64, u64) {
    let factory = Factory::builder(71, people).hostile(hostile).build();
    let simulator = simulator(&factory).await.unwrap();
    let tenant = Tenant { wecom: "batch_from = 50\n".to_owned(), ..Tenant::new(&simulator.url()) };
    let deployment = Deployment::new(&[tenant]).unwrap();
    let outcome = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let report = outcome.json().unwrap();
    assert_eq!(report["counts"]["created"], factory.members().len());
    check_directory(&simulator, &factory).unwrap();
    let requests = simulator.requests(Service::WeCom);
    assert!(requests["batch/syncuser"] > 0, "{requests:?}");
    assert!(requests.keys().all(|api| !api.contains("replace")), "{requests:?}");
    let calls = requests.values().sum();
    let single = requests.get("user/create").copied().unwrap_or(0);
    let again = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    for write in ["created", "updated", "failed"] {
        assert_eq!(again["counts"][write], 0, "{write}");
    }
    (calls, single)
}

#[tokio::test]
async fn three_hundred_people_with_odd_rows_end_exact() {
    let (_, single) = loads_exactly(300, 60).await;
    assert!(single < 50, "{single} single calls");
}

#[tokio::test]
async fn ten_thousand_people_take_sixty_calls() {
    let (calls, _) = loads_exactly(10_000, 0).await;
    assert!(calls <= 60, "{calls} calls");
}
