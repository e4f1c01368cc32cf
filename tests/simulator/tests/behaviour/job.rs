//! Files and the CSV job.

use ruzhi_sim::Knobs;
use serde_json::{Value, json};

use crate::service::{CORP, Service, person};

const HEADER: &str = "姓名,帐号,手机号,邮箱,所在部门,职位,性别,禁用";

async fn submit(service: &Service, csv: &str, to_invite: Value) -> Value {
    let uploaded = service.upload(csv.as_bytes()).await;
    assert_eq!(uploaded["errcode"], 0, "{uploaded}");
    service.write("batch/syncuser", json!({ "media_id": uploaded["media_id"], "to_invite": to_invite })).await
}

async fn result(service: &Service, job: &Value) -> Value {
    service.read("batch/getresult", &format!("&jobid={}", job["jobid"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_job_upserts_row_by_row_and_its_result_comes_after_some_polls() {
    let service = Service::start().await;
    service.simulator.set_knobs(Knobs { job_polls: 2, ..Knobs::default() });
    let mut old = person("old", "13800138001");
    old["position"] = json!("工人");
    service.write("user/create", old).await;
    let csv = format!(
        "\u{feff}{HEADER}\n王五,new1,13800138002,,2;5,工程师,女,\n赵六,OLD,,,5,,,1\n坏人,bad,13800138002,,2,,,\n\"李,四\",new2,,new2@example.com,2,,男,0\n"
    );
    let job = submit(&service, &csv, json!(false)).await;
    assert_eq!(result(&service, &job).await["status"], 1);
    let running = result(&service, &job).await;
    assert_eq!((&running["status"], &running["result"]), (&json!(2), &json!([])));
    let done = result(&service, &job).await;
    assert_eq!((&done["status"], &done["total"], &done["percentage"]), (&json!(3), &json!(4), &json!(100)));
    assert_eq!(
        done["result"],
        json!([
            {"userid": "new1", "errcode": 0, "errmsg": ""},
            {"userid": "OLD", "errcode": 0, "errmsg": ""},
            {"userid": "bad", "errcode": 60104, "errmsg": "mobile existed:new1"},
            {"userid": "new2", "errcode": 0, "errmsg": ""},
        ])
    );
    let members = service.simulator.members(CORP);
    assert_eq!((members["new1"].department.as_slice(), members["new1"].gender.as_str()), (&[2, 5][..], "2"));
    assert_eq!(members["new2"].name, "李,四");
    let old = &members["old"];
    assert_eq!(
        (old.name.as_str(), old.position.as_str(), old.mobile.as_str()),
        ("赵六", "工人", "13800138001")
    );
    assert_eq!(old.status(), 2);
    assert!(service.simulator.invitations(CORP).is_empty());
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_job_invites_whom_it_creates_unless_told_not_to() {
    let service = Service::start().await;
    for (number, (to_invite, invited)) in
        [(json!(true), 1), (json!(false), 0), (json!("false"), 0)].into_iter().enumerate()
    {
        let userid = format!("new{number}");
        let csv = format!("{HEADER}\n王五,{userid},1380013800{number},,2,,,\n");
        assert_eq!(submit(&service, &csv, to_invite.clone()).await["errcode"], 0);
        assert_eq!(
            service.simulator.invitations(CORP).get(&userid).copied().unwrap_or(0),
            invited,
            "{to_invite}"
        );
    }
}

#[tokio::test]
async fn five_results_are_kept() {
    let service = Service::start().await;
    let csv = format!("{HEADER}\n王五,new,13800138000,,2,,,\n");
    let mut jobs = Vec::new();
    for _ in 0..6 {
        jobs.push(submit(&service, &csv, json!(false)).await);
    }
    assert_eq!(result(&service, &jobs[0]).await["errcode"], 40089);
    assert_eq!(result(&service, &jobs[1]).await["errcode"], 0);
    assert_eq!(service.read("batch/getresult", "&jobid=none").await["errcode"], 40088);
}

#[tokio::test]
async fn a_file_must_be_a_csv_with_its_columns_and_not_too_old() {
    let service = Service::start().await;
    service.simulator.freeze(true);
    assert_eq!(service.upload(b"").await["errcode"], 44001);
    assert_eq!(service.upload(b"12345").await["errcode"], 40006);
    assert_eq!(submit(&service, "姓名,帐号,所在部门\n王五,new,2\n", json!(false)).await["errcode"], 40092);
    assert_eq!(submit(&service, &format!("{HEADER}\n"), json!(false)).await["errcode"], 40092);
    assert_eq!(service.code("batch/syncuser", json!({ "media_id": "none" })).await, 40007);
    assert_eq!(service.code("batch/syncuser", json!({})).await, 41006);
    let uploaded = service.upload(format!("{HEADER}\n王五,new,13800138000,,2,,,\n").as_bytes()).await;
    assert!(uploaded["created_at"].is_string());
    service.simulator.advance_ms(3 * 24 * 3_600_000);
    let token = service.token_of("sync-secret").await;
    let late = service
        .post(
            &format!("/cgi-bin/batch/syncuser?access_token={token}"),
            json!({ "media_id": uploaded["media_id"] }),
        )
        .await;
    assert_eq!(late["errcode"], 40007);
}

#[tokio::test]
async fn an_invitation_names_whom_it_did_not_find() {
    let service = Service::start().await;
    service.write("user/create", person("E1", "13800138000")).await;
    service.write("user/create", person("E2", "13800138002")).await;
    assert_eq!(service.code("batch/invite", json!({})).await, 82001);
    assert_eq!(service.code("batch/invite", json!({ "user": ["absent"] })).await, 81013);
    let answer = service.write("batch/invite", json!({ "user": ["e1", "absent"], "party": [2, 99] })).await;
    assert_eq!((&answer["invaliduser"], &answer["invalidparty"]), (&json!(["absent"]), &json!([99])));
    let invitations = service.simulator.invitations(CORP);
    assert_eq!((invitations["e1"], invitations["e2"]), (1, 1));
}

#[tokio::test]
async fn a_row_of_a_member_out_of_reach_fails_alone() {
    let service = Service::start().await;
    let out_of_reach = vec!["far".to_owned()];
    let knobs = Knobs { out_of_reach, out_of_reach_code: 60021, job_polls: 0, ..Knobs::default() };
    service.simulator.set_knobs(knobs);
    let csv = format!("{HEADER}\n甲,near,13800138001,,2,,,\n乙,FAR,13800138002,,2,,,\n");
    let job = submit(&service, &csv, json!(false)).await;
    let rows = result(&service, &job).await["result"].clone();
    assert_eq!((&rows[0]["errcode"], &rows[1]["errcode"]), (&json!(0), &json!(60021)));
}
