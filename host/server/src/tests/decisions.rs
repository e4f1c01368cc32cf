//! One person decides on a plan, once.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, OPERATOR, Served, VIEWER, acme};
use ruzhi_app::PlanLockState;

async fn held(served: &Served) -> String {
    let runs = served.get(VIEWER, "/api/v1/runs?state=held").await.json();
    format!("/api/v1/tenants/acme/plans/{}", runs["items"][0]["plan"].as_str().unwrap())
}

fn second(answer: &Answer, what: &str, hint: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::CONFLICT, "plan.state"),
        "{}",
        answer.body
    );
    let error = &answer.json()["error"];
    assert!(error["message"]["en"].as_str().unwrap().contains(what), "{error}");
    let told = error["page_hint"].as_object().or_else(|| error["hint"].as_object()).unwrap();
    assert!(told["en"].as_str().unwrap().contains(hint), "{error}");
}

#[tokio::test]
async fn of_several_who_say_yes_at_once_one_is_told_a_run_and_the_others_that_it_is_being_done() {
    let mut served = Served::full().await;
    let asked = served.agreeing();
    let at = held(&served).await;
    let approve = format!("{at}/approve");
    let (one, two, three) = tokio::join!(
        served.post(OPERATOR, &approve, json!({"why": "一"})),
        served.post(OPERATOR, &approve, json!({"why": "二"})),
        served.post(OPERATOR, &approve, json!({"why": "三"})),
    );
    let answers = [one, two, three];
    let (done, refused): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == StatusCode::ACCEPTED);
    assert_eq!((done.len(), refused.len()), (1, 2), "{answers:?}");
    assert_eq!(done[0].json()["run"], "r-asked");
    assert!(refused.iter().all(|answer| answer.code() == "plan.state"), "{refused:?}");
    assert_eq!(asked.lock().unwrap().len(), 1, "{:?}", asked.lock().unwrap());
    // Later callers are told which run is under way.
    let late = served.post(OPERATOR, &approve, json!({})).await;
    second(&late, "is being carried out already", "run r-asked");
    let apply = served.post(OPERATOR, &format!("{at}/apply"), json!({})).await;
    second(&apply, "is being carried out already", "run r-asked");
    let log = served.get(VIEWER, "/api/v1/audit").await.json();
    let outcomes: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "done").count(), 1, "{log}");
}

#[tokio::test]
async fn a_plan_that_is_being_carried_out_is_not_rejected() {
    let mut served = Served::full().await;
    let _asked = served.agreeing();
    let at = held(&served).await;
    assert_eq!(served.post(OPERATOR, &format!("{at}/approve"), json!({})).await.status, StatusCode::ACCEPTED);
    let no = served.post(OPERATOR, &format!("{at}/reject"), json!({"reason": "不对"})).await;
    second(&no, "is being carried out already", "run r-asked");
    let plan = served.get(VIEWER, &at).await.json();
    assert_eq!(plan["state"], "held", "it was not rejected behind the run's back");
    assert_eq!(plan["may"], json!({"approve": false, "apply": false, "reject": false}));
}

#[tokio::test]
async fn a_lock_says_how_far_a_plan_has_come_and_ends_with_its_holder() {
    let served = Served::full().await;
    let at = held(&served).await;
    let plan = at.rsplit('/').next().unwrap().parse().unwrap();
    let lock = served.state.app.scheduler.lock_plan(&acme(), &plan).unwrap();
    let approve = async || served.post(OPERATOR, &format!("{at}/approve"), json!({})).await;
    second(&approve().await, "decided on by another person", "load the page again");
    lock.set_state(PlanLockState::Queued);
    second(&approve().await, "it waits for its turn", "the list of runs");
    lock.set_state(PlanLockState::Running("r9".parse().unwrap()));
    second(&approve().await, "is being carried out already", "run r9");
    let other = "/api/v1/tenants/acme/plans/p0/approve";
    assert_eq!(served.post(OPERATOR, other, json!({})).await.status, StatusCode::NOT_FOUND, "another plan");
    drop(lock);
    let no = served.post(OPERATOR, &format!("{at}/reject"), json!({"reason": "不对"})).await;
    assert_eq!(no.status, StatusCode::OK, "{}", no.body);
}

#[tokio::test]
async fn what_could_not_be_asked_for_can_be_asked_again() {
    let mut served = Served::full().await;
    let at = held(&served).await;
    // The scheduler does not listen: the process is ending.
    drop(served.inbox.take());
    for _ in 0..2 {
        let answer = served.post(OPERATOR, &format!("{at}/approve"), json!({})).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "serve.ending")
        );
    }
}
