//! A form on 简道云 becomes people in 企业微信.

use std::collections::BTreeMap;

use ruzhi_e2e::{Deployment, Tenant, check_directory, simulator};
use ruzhi_sim::RowChange;
use ruzhi_sim::factory::{APP_ID, CORP_ID, ENTRY_ID, Factory, POSITION, Verdict};
use serde_json::json;

#[tokio::test]
async fn a_thousand_rows_end_exactly_as_the_rules_say_and_a_second_run_writes_nothing() {
    let factory = Factory::builder(11, 1000).hostile(150).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();

    let first = deployment.run(&["sync", "jingxintai", "--json"]).unwrap();
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let report = first.json().unwrap();
    assert_eq!(report["state"], "done", "{report}");
    assert_eq!(report["counts"]["created"], factory.members().len());
    assert_eq!(report["counts"]["failed"], 0);
    check_directory(&simulator, &factory).unwrap();

    let rejects = deployment.run(&["quarantine", "jingxintai", "--json"]).unwrap().json().unwrap();
    let rejects: BTreeMap<&str, _> = rejects
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| (reject["record"].as_str().unwrap(), &reject["violations"]))
        .collect();
    let labels: BTreeMap<String, String> =
        Factory::widgets().into_iter().map(|w| (w.name, w.label)).collect();
    for row in factory.refused() {
        let id = row.row["_id"].as_str().unwrap();
        let violations = rejects.get(id).unwrap_or_else(|| panic!("{} {id} is not refused", row.kind));
        let Verdict::Refused { field, rule } = &row.verdict else { unreachable!() };
        let violation = violations
            .as_array()
            .unwrap()
            .iter()
            .find(|violation| violation["rule"] == *rule)
            .unwrap_or_else(|| panic!("{}: no {rule} in {violations}", row.kind));
        assert!(labels.contains_key(*field));
        let label = violation["label"].as_str().unwrap();
        assert!(!label.is_empty() && !label.starts_with("_widget_"), "{}: {violation}", row.kind);
        let [zh, en] = ["zh", "en"].map(|lang| violation["message"][lang].as_str().unwrap());
        assert!(!zh.is_ascii() && !en.is_empty() && zh != en, "{violation} is not in two languages");
    }
    assert_eq!(rejects.len(), factory.refused().count());

    let before = simulator.state()["wecom"].clone();
    let second = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    for write in ["created", "updated", "disabled", "enabled", "deleted", "failed"] {
        assert_eq!(second["counts"][write], 0, "{write}");
    }
    assert_eq!(second["counts"]["unchanged"], report["counts"]["created"]);
    // Rows waiting for a department, an account or a leader cause a listing of the directory's ids, and nothing else.
    let asks = ["wecom department/simplelist", "wecom user/list_id", "wecom gettoken"];
    let calls = second["calls"].as_object().unwrap();
    let others: Vec<_> =
        calls.keys().filter(|api| api.starts_with("wecom") && !asks.contains(&api.as_str())).collect();
    assert_eq!(others, Vec::<&String>::new());
    assert_eq!(simulator.state()["wecom"], before);
}

#[tokio::test]
async fn five_changed_rows_give_exactly_five_writes_of_the_changed_field() {
    let factory = Factory::builder(12, 200).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    deployment.run_well(&["sync", "jingxintai"]).unwrap();
    let rows = factory
        .rows()
        .iter()
        .take(5)
        .map(|row| {
            let mut row = row.row.clone();
            row.insert(POSITION.to_owned(), json!("新职务"));
            row.remove("updateTime");
            row
        })
        .collect();
    simulator
        .change_rows(RowChange {
            app_id: APP_ID.to_owned(),
            entry_id: ENTRY_ID.to_owned(),
            upsert: rows,
            ..RowChange::default()
        })
        .unwrap();
    let report = deployment.run(&["sync", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!(report["counts"]["updated"], 5);
    assert_eq!(report["calls"]["wecom user/update"], 5);
    let changed = simulator.members(CORP_ID).values().filter(|member| member.position == "新职务").count();
    assert_eq!(changed, 5);
    simulator.assert_understood();
}

#[tokio::test]
async fn plan_writes_nothing_and_apply_does_exactly_what_it_said() {
    let factory = Factory::builder(13, 60).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let first = deployment.run(&["plan", "jingxintai", "--json"]).unwrap().json().unwrap();
    let again = deployment.run(&["plan", "jingxintai", "--json"]).unwrap().json().unwrap();
    assert_eq!(first["plan"], again["plan"], "an unchanged world gives the same plan");
    assert_eq!(first["operations"].as_array().unwrap().len(), 60);
    assert!(simulator.members(CORP_ID).is_empty());
    let shown = first["operations"].to_string();
    for member in factory.members().values().filter(|member| !member.mobile.is_empty()) {
        assert!(!shown.contains(&member.mobile), "{} can be read in the plan", member.mobile);
    }
    let id = first["plan"].as_str().unwrap();
    let applied = deployment.run(&["apply", id, "--json"]).unwrap();
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    assert_eq!(applied.json().unwrap()["counts"]["created"], 60);
    check_directory(&simulator, &factory).unwrap();
    let twice = deployment.run(&["apply", id]).unwrap();
    assert_eq!(twice.code, Some(1), "{}", twice.stderr);
}

#[tokio::test]
async fn a_trace_tells_the_whole_way_of_a_record() {
    let factory = Factory::builder(14, 20).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    deployment.run_well(&["sync", "jingxintai"]).unwrap();
    let row = &factory.rows()[0];
    let id = row.row["_id"].as_str().unwrap();
    let Verdict::Member(member) = &row.verdict else { panic!("{row:?}") };
    let trace = deployment.run(&["trace", "jingxintai", id, "--json"]).unwrap().json().unwrap();
    let trace = &trace[0];
    assert!(trace["fetched"]["run"].is_string());
    assert_eq!(trace["decided"]["decision"]["upsert"]["userid"], member.userid);
    let operation = &trace["operations"][0];
    assert_eq!((&operation["kind"], &operation["state"]), (&json!("create"), &json!("done")));
    assert_eq!(operation["attempts"][0]["errcode"], 0);
    assert_eq!(operation["attempts"][0]["errmsg"], "created");
    assert!(!trace.to_string().contains(&member.mobile));
    let text = deployment.run(&["--lang", "zh", "trace", "jingxintai", id]).unwrap().stdout;
    for word in ["已读取", "已判定", "已计划", "已调用", "已保存"] {
        assert!(text.contains(word), "{text}");
    }
}
