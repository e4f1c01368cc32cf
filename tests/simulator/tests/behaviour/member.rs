//! Members: the input of create, update and delete, the order of the checks, and the states of a member.

use ruzhi_sim::Knobs;
use serde_json::{Value, json};

use crate::service::{CORP, Service, person};

fn with(field: &str, value: Value) -> Value {
    let mut body = person("E1", "13800138000");
    body[field] = value;
    body
}

#[tokio::test]
async fn a_member_is_created_as_it_was_sent() {
    let service = Service::start().await;
    let body = json!({
        "userid": "E0001", "name": "张三", "mobile": "+86 13800138000", "email": "e0001@example.com",
        "department": [2, 5], "is_leader_in_dept": [1, 0], "order": [7, 8], "main_department": 5, "position": "工程师",
        "gender": "1", "to_invite": false, "enable": 1, "alias": "三", "telephone": "0571-8888,1",
        "extattr": {"attrs": [{"type": 0, "name": "车牌", "text": {"value": "浙A"}}, {"type": 0, "name": "无", "text": {"value": "x"}}]},
    });
    let answer = service.write("user/create", body).await;
    assert_eq!(answer, json!({ "errcode": 0, "errmsg": "created" }));
    let members = service.simulator.members(CORP);
    let member = &members["e0001"];
    assert_eq!(member.userid, "E0001");
    assert_eq!(
        (member.department.as_slice(), member.is_leader_in_dept.as_slice()),
        (&[2, 5][..], &[1, 0][..])
    );
    assert_eq!((member.order.as_slice(), member.main_department), (&[7, 8][..], 5));
    assert_eq!(member.status(), 4);
    let attributes = member.extattr["attrs"].as_array().unwrap();
    assert_eq!(attributes.len(), 1, "an attribute that the corp has not defined is ignored");
    assert!(service.simulator.invitations(CORP).is_empty());
    service.simulator.assert_understood();
}

#[tokio::test]
async fn every_field_has_its_code() {
    let service = Service::start().await;
    assert_eq!(service.code("user/create", person("TAKEN", "13900139000")).await, 0);
    let cases = [
        (json!({}), 60112),
        (json!({ "userid": "", "name": "", "mobile": "", "email": "" }), 40058),
        (json!({ "name": "张三" }), 41009),
        (json!({ "userid": "E1", "name": "张三" }), 60129),
        (with("userid", json!("")), 41009),
        (with("userid", json!("a".repeat(65))), 40058),
        (with("userid", json!("张三")), 40003),
        (with("userid", json!("-a")), 40003),
        (with("userid", json!("taken")), 60102),
        (with("name", json!("")), 40058),
        (with("name", json!("长".repeat(65))), 60112),
        (with("mobile", json!("1380013800")), 60103),
        (with("mobile", json!("51234567")), 60103),
        (with("mobile", json!("１３８００１３８０００")), 60103),
        (with("mobile", json!("+86 139-0013-9000")), 60104),
        (with("email", json!("absent")), 60105),
        (with("email", json!("a@b.c")), 60105),
        (with("position", json!("职".repeat(129))), 301_012),
        (with("telephone", json!("abc")), 301_013),
        (with("alias", json!("长".repeat(65))), 40058),
        (with("gender", json!("3")), 40058),
        (with("enable", json!(2)), 40058),
        (with("order", json!([1, 2])), 40058),
        (with("is_leader_in_dept", json!([1, 0])), 60132),
        (with("direct_leader", json!(["TAKEN", "TAKEN"])), 60257),
        (with("direct_leader", json!(["absent"])), 60111),
        (with("biz_mail", json!("x")), 60143),
        (with("extattr", json!({"attrs": [{"type": 0, "name": "车牌", "web": {}}]})), 60150),
        (with("department", (1..=101).collect()), 60110),
        (with("department", json!([-1])), 40066),
        (with("department", json!("[1,2]")), 40066),
    ];
    for (body, code) in cases {
        let answer = service.write("user/create", body.clone()).await;
        assert_eq!(answer["errcode"], code, "{body} {answer}");
    }
    assert_eq!(service.simulator.members(CORP).len(), 1, "what is refused leaves nothing behind");
    let both = json!({ "userid": "Taken", "name": "张三", "mobile": "13900139000", "department": [2] });
    assert_eq!(service.code("user/create", both).await, 60102, "the userid is looked at before the mobile");
}

#[tokio::test]
async fn a_held_number_names_its_holder_and_the_headers_repeat_the_verdict() {
    let service = Service::start().await;
    assert_eq!(service.code("user/create", person("E0099", "13800138000")).await, 0);
    let path = service.path("user/create");
    let answer =
        service.send(reqwest::Method::POST, &path, Some(person("E1", "+8613800138000"))).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["error-code"], "60104");
    let message = answer.headers()["error-msg"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["errmsg"], message.as_str());
    assert!(message.starts_with("mobile existed:E0099, hint: ["), "{message}");
    assert!(message.ends_with("?e=60104"), "{message}");
}

#[tokio::test]
async fn a_mistyped_field_is_dropped_with_only_a_word_of_warning() {
    let service = Service::start().await;
    let answer = service.write("user/create", with("position", json!(7))).await;
    assert_eq!(answer, json!({ "errcode": 0, "errmsg": "created. Warning: wrong json format. " }));
    assert_eq!(service.simulator.members(CORP)["e1"].position, "");
    let mut invited = person("E2", "13800138002");
    invited["to_invite"] = json!("false");
    assert_eq!(service.code("user/create", invited).await, 0);
    assert_eq!(service.simulator.invitations(CORP)["e2"], 1, "a word is not false, and not said is yes");
    let refused = service.write("user/create", with("department", json!("[1, 2]"))).await;
    assert!(
        refused["errmsg"].as_str().unwrap().starts_with("Warning: wrong json format. invalid party list")
    );
    assert_eq!(service.noted(), 3);
    assert_eq!(
        service
            .code("user/create", {
                let mut body = person("E3", "13800138003");
                body["departments"] = json!([2]);
                body
            })
            .await,
        0
    );
    assert_eq!(service.noted(), 4, "a key that is silently ignored is noted too");
}

#[tokio::test]
async fn invitations_are_counted_as_they_take_effect() {
    let service = Service::start().await;
    let mut said = person("yes", "13800138001");
    said["to_invite"] = json!(true);
    let mut unsaid = person("unsaid", "13800138002");
    unsaid.as_object_mut().unwrap().remove("to_invite");
    for body in [said.clone(), unsaid, person("no", "13800138003"), said] {
        service.write("user/create", body).await;
    }
    let invitations = service.simulator.invitations(CORP);
    assert_eq!(
        invitations.into_iter().collect::<Vec<_>>(),
        [("unsaid".to_owned(), 1), ("yes".to_owned(), 1)]
    );
    assert_eq!(service.simulator.created(CORP)["yes"], 1);
}

#[tokio::test]
async fn an_unknown_department_is_made_or_refused() {
    let service = Service::start().await;
    let answer = service.write("user/create", with("department", json!([2, 77]))).await;
    assert_eq!(answer["created_department_list"]["department_info"][0]["id"], 77);
    let state = service.simulator.state();
    assert_eq!(state["wecom"]["corps"][CORP]["auto_departments"], json!([77]));
    let mut nowhere = person("E2", "13800138002");
    nowhere.as_object_mut().unwrap().remove("department");
    assert_eq!(service.code("user/create", nowhere.clone()).await, 0);
    let waiting = service.simulator.members(CORP)["e2"].department[0];
    let state = service.simulator.state();
    let departments = state["wecom"]["corps"][CORP]["departments"].as_array().unwrap();
    let name = departments.iter().find(|department| department["id"] == waiting).unwrap();
    assert_eq!(name["name"], "其他(待设置部门)");

    service.simulator.set_knobs(Knobs { dept_autocreate: false, ..Knobs::default() });
    nowhere["userid"] = json!("E3");
    nowhere["mobile"] = json!("13800138003");
    assert_eq!(service.code("user/create", nowhere).await, 40066);
    assert_eq!(service.code("user/update", json!({ "userid": "E1", "department": [99] })).await, 40066);
}

#[tokio::test]
async fn update_changes_only_what_is_passed() {
    let service = Service::start().await;
    let mut body = person("E1", "13800138000");
    body["department"] = json!([2, 5]);
    body["is_leader_in_dept"] = json!([1, 1]);
    body["position"] = json!("工程师");
    assert_eq!(service.code("user/create", body).await, 0);
    let answer = service.write("user/update", json!({ "userid": "e1", "name": "李四" })).await;
    assert_eq!(answer, json!({ "errcode": 0, "errmsg": "updated" }));
    let member = service.simulator.members(CORP)["e1"].clone();
    assert_eq!(
        (member.name.as_str(), member.position.as_str(), member.mobile.as_str()),
        ("李四", "工程师", "13800138000")
    );
    assert_eq!((member.userid.as_str(), member.is_leader_in_dept.as_slice()), ("E1", &[1, 1][..]));
    assert_eq!(service.code("user/update", json!({ "userid": "E1", "department": [5] })).await, 0);
    assert_eq!(service.simulator.members(CORP)["e1"].is_leader_in_dept, [0]);

    for (body, code) in [
        (json!({ "name": "x" }), 41009),
        (json!({ "userid": "absent" }), 60111),
        (json!({ "userid": "E1", "mobile": "" }), 60129),
        (json!({ "userid": "E1", "name": "" }), 40058),
        (json!({ "userid": "E1", "new_userid": "E2" }), 301_036),
        (json!({ "userid": "E1", "mobile": "13800138000" }), 0),
    ] {
        assert_eq!(service.code("user/update", body.clone()).await, code, "{body}");
    }
}

#[tokio::test]
async fn a_member_goes_through_its_states_and_keeps_its_mobile_once_active() {
    let service = Service::start().await;
    service.write("user/create", person("E1", "13800138000")).await;
    service.simulator.activate(CORP, "e1").unwrap();
    assert_eq!(service.simulator.members(CORP)["e1"].status(), 1);
    let answer = service
        .write("user/update", json!({ "userid": "E1", "mobile": "13900139000", "name": "李四" }))
        .await;
    assert_eq!(answer["errcode"], 0);
    let member = service.simulator.members(CORP)["e1"].clone();
    assert_eq!((member.mobile.as_str(), member.name.as_str()), ("13800138000", "李四"));
    assert_eq!(service.code("user/update", json!({ "userid": "E1", "enable": 0 })).await, 0);
    assert_eq!(service.simulator.members(CORP)["e1"].status(), 2);
    service.simulator.quit(CORP, "E1").unwrap();
    assert_eq!(service.simulator.members(CORP)["e1"].status(), 5);
    assert!(service.simulator.activate(CORP, "absent").is_err());
}

#[tokio::test]
async fn deleting_frees_the_number_and_a_second_delete_finds_no_member() {
    let service = Service::start().await;
    service.write("user/create", person("E1", "13800138000")).await;
    assert_eq!(service.read("user/delete", "&userid=e1").await["errmsg"], "deleted");
    assert_eq!(service.read("user/delete", "&userid=E1").await["errcode"], 60111);
    assert_eq!(service.code("user/create", person("E2", "13800138000")).await, 0);
    assert_eq!(service.code("user/create", person("E3", "13800138003")).await, 0);
    assert_eq!(service.code("user/batchdelete", json!({ "useridlist": ["E2", "absent"] })).await, 40031);
    assert_eq!(service.simulator.members(CORP).len(), 2, "one unknown id keeps all");
    let many: Vec<String> = (0..201).map(|number| format!("E{number}")).collect();
    assert_eq!(service.code("user/batchdelete", json!({ "useridlist": many })).await, 40032);
    assert_eq!(service.code("user/batchdelete", json!({ "useridlist": ["E2", "e3"] })).await, 0);
    assert!(service.simulator.members(CORP).is_empty());
}

#[tokio::test]
async fn list_id_pages_one_row_for_each_department_and_ends_without_a_cursor() {
    let service = Service::start().await;
    for number in 0..3 {
        let mut body = person(&format!("E{number}"), &format!("1380013800{number}"));
        body["department"] = json!([2, 5]);
        service.write("user/create", body).await;
    }
    let mut rows = Vec::new();
    let mut cursor = json!("");
    loop {
        let page =
            service.write("user/list_id", json!({ "cursor": cursor, "limit": 2 + rows.len() % 2 })).await;
        rows.extend(page["dept_user"].as_array().unwrap().clone());
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => break,
        }
    }
    let expected: Vec<Value> = (0..3)
        .flat_map(|number| {
            [2, 5].map(|department| json!({ "userid": format!("E{number}"), "department": department }))
        })
        .collect();
    assert_eq!(rows, expected);
    assert_eq!(service.code("user/list_id", json!({ "cursor": "bad" })).await, 50100);
    service.simulator.set_knobs(Knobs { list_id_empty_cursor: true, ..Knobs::default() });
    assert_eq!(service.write("user/list_id", json!({})).await["next_cursor"], "");
}

#[tokio::test]
async fn members_are_found_by_number_and_listed_by_department() {
    let service = Service::start().await;
    service.write("user/create", person("E1", "13800138000")).await;
    assert_eq!(service.write("user/getuserid", json!({ "mobile": "+86 13800138000" })).await["userid"], "E1");
    assert_eq!(service.code("user/getuserid", json!({ "mobile": "13900139000" })).await, 46004);
    service.simulator.set_knobs(Knobs { sync_ip_is_legacy: true, ..Knobs::default() });
    let listed = service.read("user/simplelist", "&department_id=2").await;
    assert_eq!(listed["userlist"], json!([{ "userid": "E1", "name": "张三", "department": [2] }]));
    assert_eq!(service.read("user/list", "&department_id=2").await["userlist"][0]["mobile"], "13800138000");
    assert_eq!(service.read("user/list", "&department_id=99").await["errcode"], 60003);
}

#[tokio::test]
async fn unicode_escapes_are_taken_unless_the_knob_says_otherwise() {
    let service = Service::start().await;
    let url = format!("{}{}", service.simulator.url(), service.path("user/update"));
    let send = || async {
        let body = r#"{"userid":"E1","name":"\u5f20\u4e09"}"#;
        let answer = reqwest::Client::new().post(&url).body(body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["errcode"].as_i64().unwrap()
    };
    assert_eq!(send().await, 60111);
    service.simulator.set_knobs(Knobs { reject_unicode_escapes: true, ..Knobs::default() });
    assert_eq!(send().await, 40033);
}

/// A member the secret does not reach is refused in every call that writes them; others are not.
#[tokio::test]
async fn a_member_out_of_reach_cannot_be_written() {
    let service = Service::start().await;
    assert_eq!(service.code("user/create", person("BOSS", "13800138000")).await, 0);
    let out_of_reach = vec!["boss".to_owned(), "new".to_owned()];
    service.simulator.set_knobs(Knobs { out_of_reach, ..Knobs::default() });
    let update = |userid: &str| json!({ "userid": userid, "position": "厂长" });
    assert_eq!(service.code("user/update", update("Boss")).await, 60011);
    assert_eq!(service.code("user/create", person("new", "13800138001")).await, 60011);
    assert_eq!(service.read("user/delete", "&userid=BOSS").await["errcode"], 60011);
    assert_eq!(service.code("user/create", person("other", "13800138002")).await, 0);
    assert_eq!(service.code("user/update", update("other")).await, 0);
    assert_eq!(service.simulator.members(CORP)["boss"].position, "");
}
