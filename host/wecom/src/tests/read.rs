//! Reading the directory.

use serde_json::{Value, json};

use super::super::ErrcodeClass;
use super::script::{CannedWecomReply, WecomScript, code};
use super::{client, userid};
use ruzhi_model::{DepartmentId, MemberKey};

fn page(userids: &[impl AsRef<str>], next: Value) -> CannedWecomReply {
    let row = |userid: &str| json!({ "userid": userid, "department": 1 });
    let rows: Vec<_> = userids.iter().map(|userid| row(userid.as_ref())).collect();
    let mut page = json!({ "errcode": 0, "errmsg": "ok", "dept_user": rows });
    if !next.is_null() {
        page["next_cursor"] = next;
    }
    CannedWecomReply::Json(page)
}

#[tokio::test(start_paused = true)]
async fn departments_are_asked_for_as_a_whole() {
    let rows = json!([{ "id": 1, "parentid": 0, "order": 1 }, { "id": "7", "parentid": 1 }]);
    let script = WecomScript::new().on(
        "department/simplelist",
        [CannedWecomReply::Json(json!({ "errcode": 0, "department_id": rows }))],
    );
    let ids = client(&script).department_ids().await.unwrap();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [DepartmentId(1), DepartmentId(7)]);
    assert_eq!(script.seen("department/simplelist")[0].query.keys().collect::<Vec<_>>(), ["access_token"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_with_an_empty_list_is_an_error_and_so_is_a_missing_list() {
    for (answer, expected) in [
        (json!({ "errcode": 48009, "errmsg": "no", "department_id": [] }), "wecom.48009"),
        (json!({ "errcode": 0, "errmsg": "ok" }), "wecom.shape"),
        (json!({ "errcode": 0, "errmsg": "ok", "department_id": [{ "name": "x" }] }), "wecom.shape"),
        (json!({ "errcode": 0, "errmsg": "ok. WARNING: field `id`.", "department_id": [] }), "wecom.warning"),
    ] {
        let script = WecomScript::new().on("department/simplelist", [CannedWecomReply::Json(answer)]);
        assert_eq!(client(&script).department_ids().await.unwrap_err().code(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_asked_for_again_and_then_told() {
    let good = CannedWecomReply::Json(json!({ "department_id": [] }));
    let script = WecomScript::new().on(
        "department/simplelist",
        [CannedWecomReply::Lost, CannedWecomReply::Raw(502, "<html>"), CannedWecomReply::NotSent, good],
    );
    assert_eq!(client(&script).check().await, Ok(()));
    let script = WecomScript::new().always("department/simplelist", CannedWecomReply::NotSent);
    let error = client(&script).check().await.unwrap_err();
    assert_eq!((error.code().as_str(), error.class()), ("wecom.unreachable", ErrcodeClass::Retry));
    let script = WecomScript::new().always("department/simplelist", CannedWecomReply::OpenFiles);
    let error = client(&script).check().await.unwrap_err();
    assert_eq!((error.code().as_str(), error.class()), ("process.open_files", ErrcodeClass::Retry));
    let told = error.explain().en;
    assert!(told.contains("LimitNOFILE") && !told.contains("base_url"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn members_are_read_page_by_page_and_counted_once() {
    let script = WecomScript::new().on(
        "user/list_id",
        [
            page(&["Zhang", "li"], json!("c1")),
            page(&["zhang", "wang"], json!("c2")),
            page(&["zhao"], Value::Null),
        ],
    );
    let members = client(&script).member_ids().await.unwrap();
    let userids: Vec<_> = members.values().map(|userid| userid.as_str()).collect();
    assert_eq!(userids, ["li", "wang", "Zhang", "zhao"]);
    assert!(members.contains_key(&MemberKey::of("ZHANG")));
    let bodies: Vec<_> = script.seen("user/list_id").into_iter().map(|sent| sent.body.unwrap()).collect();
    assert_eq!(
        bodies,
        [
            json!({ "limit": 10_000 }),
            json!({ "cursor": "c1", "limit": 10_000 }),
            json!({ "cursor": "c2", "limit": 10_000 })
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_listing_ends_at_an_empty_cursor_and_leaves_out_what_is_no_userid() {
    let script = WecomScript::new().on("user/list_id", [page(&["a", "张三", "b"], json!(""))]);
    assert_eq!(client(&script).member_ids().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_is_no_longer_good_begins_the_listing_again_once() {
    let stale = code(50100, "invalid cursor");
    let script = WecomScript::new()
        .on("user/list_id", [page(&["a"], json!("c1")), stale.clone(), page(&["b"], Value::Null)]);
    let members = client(&script).member_ids().await.unwrap();
    assert_eq!(members.into_values().map(String::from).collect::<Vec<_>>(), ["b"]);
    let script = WecomScript::new().always("user/list_id", stale);
    assert_eq!(client(&script).member_ids().await.unwrap_err().code(), "wecom.50100");
    assert_eq!(script.seen("user/list_id").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_turns_in_a_circle_or_fails_midway_is_an_error() {
    let script = WecomScript::new().always("user/list_id", page(&["a"], json!("same")));
    assert_eq!(client(&script).member_ids().await.unwrap_err().code(), "wecom.endless");
    assert_eq!(script.seen("user/list_id").len(), 2);
    let script = WecomScript::new()
        .on("user/list_id", [page(&["a"], json!("c1"))])
        .always("user/list_id", CannedWecomReply::Lost);
    assert_eq!(client(&script).member_ids().await.unwrap_err().code(), "wecom.no_answer");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_seen_before_ends_the_listing_however_many_came_between() {
    let circle = |round: usize| {
        let names = ["a", "b", "c"].map(|member| format!("{member}{round}"));
        ["A", "B", "C"].into_iter().zip(names).map(|(next, member)| page(&[member], json!(next)))
    };
    let script =
        WecomScript::new().on("user/list_id", (0..9).flat_map(|round| circle(round).collect::<Vec<_>>()));
    let error = client(&script).member_ids().await.unwrap_err();
    assert_eq!((error.code().as_str(), script.seen("user/list_id").len()), ("wecom.endless", 4));
    let text = error.explain();
    assert!(text.en.contains("stopped after 4 pages") && text.zh.contains("第 4 页"), "{text:?}");
    let script =
        WecomScript::new().on("user/list_id", (0..9).flat_map(|round| circle(round).collect::<Vec<_>>()));
    assert_eq!(client(&script).listing().await.unwrap_err().code(), "wecom.endless");
}

#[tokio::test(start_paused = true)]
async fn ever_new_cursors_with_no_new_member_end_the_listing() {
    let pages = (0..1000).map(|n| page(&["a", "b"], json!(format!("c{n}"))));
    let script = WecomScript::new().on("user/list_id", pages);
    assert_eq!(client(&script).member_ids().await.unwrap_err().code(), "wecom.endless");
    assert!(script.seen("user/list_id").len() < 20);
    // A page without a new member may occur now and then, and a member may be listed once per department.
    let pages = (0..100)
        .map(|n| page(&if n % 7 == 0 { vec![format!("m{n}")] } else { vec![] }, json!(format!("c{n}"))));
    let script = WecomScript::new().on("user/list_id", pages.chain([page(&["last"], Value::Null)]));
    assert_eq!(client(&script).member_ids().await.unwrap().len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_member_is_read_without_the_envelope_and_an_unknown_one_is_none() {
    let member = json!({ "errcode": 0, "errmsg": "ok", "userid": "E1", "name": "张三" });
    let script = WecomScript::new()
        .on("user/get", [CannedWecomReply::Json(member), code(60111, "no"), code(48009, "shut")]);
    let client = client(&script);
    let read = client.get_member(&userid("E1")).await.unwrap().unwrap();
    assert_eq!(Value::Object(read), json!({ "userid": "E1", "name": "张三" }));
    assert_eq!(client.get_member(&userid("E1")).await, Ok(None));
    assert_eq!(client.get_member(&userid("E1")).await.unwrap_err().code(), "wecom.48009");
    assert_eq!(script.seen("user/get")[0].query["userid"], "E1");
}

#[tokio::test(start_paused = true)]
async fn a_mobiles_holder_is_looked_up_and_the_number_kept_out_of_errors() {
    let found = CannedWecomReply::Json(json!({ "errcode": 0, "userid": "E7" }));
    let script = WecomScript::new().on("user/getuserid", [found, code(46004, "no"), code(40058, "bad")]);
    let client = client(&script);
    assert_eq!(client.userid_by_mobile("13800138000").await, Ok(Some(userid("E7"))));
    assert_eq!(client.userid_by_mobile("13800138000").await, Ok(None));
    let error = client.userid_by_mobile("13800138000").await.unwrap_err();
    assert!(!format!("{error:?} {error} {:?}", error.explain()).contains("13800138000"));
    assert_eq!(script.seen("user/getuserid")[0].body, Some(json!({ "mobile": "13800138000" })));
}

#[tokio::test(start_paused = true)]
async fn a_listing_gathers_each_members_departments() {
    let page = |rows: Value, next: Value| {
        CannedWecomReply::Json(json!({ "errcode": 0, "dept_user": rows, "next_cursor": next }))
    };
    let script = WecomScript::new().on(
        "user/list_id",
        [
            page(
                json!([{ "userid": "Zhang", "department": 3 }, { "userid": "li", "department": "2" },
                       { "userid": "张三", "department": 2 }]),
                json!("c1"),
            ),
            page(json!([{ "userid": "zhang", "department": 1 }, { "userid": "wang" }]), json!("")),
        ],
    );
    let listing = client(&script).listing().await.unwrap();
    let found: Vec<_> = listing
        .values()
        .map(|listed| {
            (listed.userid.as_str(), listed.departments.iter().map(|department| department.0).collect())
        })
        .collect();
    assert_eq!(found, [("li", vec![2]), ("wang", vec![]), ("Zhang", vec![1, 3])]);
    assert!(listing.contains_key(&MemberKey::of("ZHANG")));
}

#[tokio::test(start_paused = true)]
async fn a_departments_members_are_read_and_a_secret_that_may_not_is_told() {
    let list = json!({ "errcode": 0, "userlist": [{ "userid": "E1", "name": "张三" }] });
    let script = WecomScript::new().on("user/list", [CannedWecomReply::Json(list)]);
    let client = client(&script);
    let members = client.members_of(DepartmentId(7)).await.unwrap();
    assert_eq!(json!(members), json!([{ "userid": "E1", "name": "张三" }]));
    let sent = &script.seen("user/list")[0];
    assert_eq!((sent.query["department_id"].as_str(), &sent.body), ("7", &None));
    for errcode in [48009, 48002, 60011] {
        let script = WecomScript::new().on("user/list", [code(errcode, "no")]);
        let error = super::client(&script).members_of(DepartmentId(7)).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (format!("wecom.{errcode}"), ErrcodeClass::Configuration));
        assert!(error.to_string().contains("department 7"));
    }
    for list in [json!({ "errcode": 0 }), json!({ "errcode": 0, "userlist": ["E1"] })] {
        let script = WecomScript::new().on("user/list", [CannedWecomReply::Json(list)]);
        let error = super::client(&script).members_of(DepartmentId(7)).await.unwrap_err();
        assert_eq!(error.code(), "wecom.shape");
    }
}
