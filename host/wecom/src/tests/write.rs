//! Each verdict of a write, and its conditions.

use serde_json::{Map, Value, json};

use super::super::{ErrcodeClass, MemberWrite, WecomClient, WriteAnswer, WriteVerdict};
use super::script::{CannedWecomReply, WecomScript, code, ok};
use super::{client, now, unsure, userid, zhang};

async fn create(client: &WecomClient) -> WriteAnswer {
    client.write(MemberWrite::Create { userid: &userid("E0001"), body: &zhang() }).await
}

async fn update(client: &WecomClient) -> WriteAnswer {
    client.write(MemberWrite::Update { userid: &userid("E0001"), body: &zhang() }).await
}

async fn delete(client: &WecomClient) -> WriteAnswer {
    client.write(MemberWrite::Delete { userid: &userid("E0001") }).await
}

/// The verdict of a create that gets these answers in turn.
async fn created(answers: Vec<CannedWecomReply>) -> WriteAnswer {
    let script = WecomScript::new().on("user/create", answers);
    create(&client(&script)).await
}

fn codes(answer: &WriteAnswer) -> Vec<Option<i64>> {
    answer.attempts.iter().map(|attempt| attempt.errcode).collect()
}

#[tokio::test(start_paused = true)]
async fn a_create_is_one_call_with_the_body_and_its_own_userid() {
    let script = WecomScript::new().on("user/create", [code(0, "created")]);
    let client = client(&script);
    let answer = create(&client).await;
    assert_eq!(answer.verdict, WriteVerdict::Done { created_departments: vec![] });
    assert!(!answer.in_doubt);
    assert_eq!(answer.attempts.len(), 1);
    let attempt = &answer.attempts[0];
    assert_eq!((attempt.api, attempt.at, attempt.errcode), ("user/create", now(), Some(0)));
    assert_eq!((attempt.took.as_millis(), attempt.errmsg.as_str()), (10, "created"));
    let sent = &script.seen("user/create")[0];
    assert_eq!(sent.query["access_token"], "TOKEN-1");
    let mut body = zhang();
    body.insert("userid".to_owned(), json!("E0001"));
    assert_eq!(sent.body, Some(Value::Object(body)));
    assert_eq!(client.calls().into_iter().collect::<Vec<_>>(), [("gettoken", 1), ("user/create", 1)]);
}

#[tokio::test(start_paused = true)]
async fn an_update_sends_only_the_fields_given_and_a_delete_only_the_userid() {
    let script =
        WecomScript::new().on("user/update", [code(0, "updated")]).on("user/delete", [code(0, "deleted")]);
    let client = client(&script);
    let mut fields = Map::new();
    fields.insert("position".to_owned(), json!("工程师"));
    client.write(MemberWrite::Update { userid: &userid("E0001"), body: &fields }).await;
    delete(&client).await;
    assert_eq!(script.seen("user/update")[0].body, Some(json!({ "userid": "E0001", "position": "工程师" })));
    let sent = &script.seen("user/delete")[0];
    assert_eq!((sent.query["userid"].as_str(), &sent.body), ("E0001", &None));
}

#[tokio::test(start_paused = true)]
async fn departments_that_wecom_made_are_told() {
    let list = json!({ "department_info": [{ "name": "其他", "id": 77 }, { "name": "x", "id": "78" }] });
    let answer = created(vec![CannedWecomReply::Json(
        json!({ "errcode": 0, "errmsg": "created", "created_department_list": list }),
    )])
    .await;
    let created_departments = vec![(77, "其他".to_owned()), (78, "x".to_owned())];
    assert_eq!(answer.verdict, WriteVerdict::Done { created_departments });
}

#[tokio::test(start_paused = true)]
async fn the_code_may_be_a_text_or_absent() {
    for body in [json!({ "errcode": "0", "errmsg": "created" }), json!({})] {
        let answer = created(vec![CannedWecomReply::Json(body)]).await;
        assert_eq!(answer.verdict, WriteVerdict::Done { created_departments: vec![] });
    }
    let answer =
        created(vec![CannedWecomReply::Json(json!({ "errcode": "60103", "errmsg": "invalid mobile" }))])
            .await;
    assert_eq!(
        answer.verdict,
        WriteVerdict::Rejected { errcode: 60103, errmsg: "invalid mobile".to_owned() }
    );
}

#[tokio::test(start_paused = true)]
async fn a_success_with_a_warning_is_none() {
    for errmsg in ["created. Warning: wrong json format. ", "ok. WARNING: field `id` expect type `uint32`. "]
    {
        let answer = created(vec![code(0, errmsg)]).await;
        assert_eq!(answer.verdict, WriteVerdict::Warned { errmsg: errmsg.trim().to_owned() });
    }
}

#[tokio::test(start_paused = true)]
async fn an_existing_userid_may_be_ours_only_if_an_earlier_attempt_may_have_made_it() {
    let exists = code(60102, "userid existed");
    let before = |first: CannedWecomReply| created(vec![first, exists.clone()]);
    for doubtful in [
        CannedWecomReply::Lost,
        CannedWecomReply::Raw(502, "<html>bad gateway</html>"),
        CannedWecomReply::Raw(200, "<html>hello</html>"),
        CannedWecomReply::Raw(200, r#"{"errcode":0,"errm"#),
        CannedWecomReply::Raw(200, r#"{"errcode":[]}"#),
        code(-1, "system busy"),
        code(6000, "data version conflict"),
    ] {
        assert_eq!(before(doubtful).await.verdict, WriteVerdict::AlreadyExists { maybe_ours: true });
    }
    for certain in
        [CannedWecomReply::NotSent, code(45035, "conflict"), code(45033, "crowded"), code(42001, "expired")]
    {
        assert_eq!(before(certain).await.verdict, WriteVerdict::AlreadyExists { maybe_ours: false });
    }
    assert_eq!(created(vec![exists]).await.verdict, WriteVerdict::AlreadyExists { maybe_ours: false });
}

#[tokio::test(start_paused = true)]
async fn a_held_mobile_names_its_holder() {
    for (errmsg, holder, maybe_ours) in [
        ("mobile existed:E0099, hint: [17], from ip: 203.0.113.9", Some("E0099"), false),
        ("mobile existed:e0001", Some("e0001"), true),
        ("mobile existed", None, false),
    ] {
        let answer = created(vec![code(60104, errmsg)]).await;
        let holder = holder.map(str::to_owned);
        assert_eq!(answer.verdict, WriteVerdict::MobileHeld { holder, maybe_ours });
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_userid_settles_neither_a_delete_nor_an_update() {
    for errcode in [40003, 40031, 46004, 60111, 60136, 301_021] {
        let missing = code(errcode, "userid not found");
        let script = WecomScript::new()
            .always("user/create", missing.clone())
            .always("user/update", missing.clone())
            .always("user/delete", missing);
        let client = client(&script);
        assert_eq!(delete(&client).await.verdict, WriteVerdict::NotFound);
        assert_eq!(update(&client).await.verdict, WriteVerdict::NotFound);
        // A create refers to no existing member.
        assert!(matches!(create(&client).await.verdict, WriteVerdict::Rejected { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_may_be_one_member_s_or_is_unknown_stops_no_other_call() {
    for errcode in [987_654, 41001, 40033, 60011, 60021, 50002] {
        let script = WecomScript::new().on("user/create", [code(errcode, "what"), ok()]);
        let client = client(&script);
        let expected = unsure("user/create", "E0001", errcode, "what");
        assert_eq!(create(&client).await.verdict, expected);
        assert_eq!(create(&client).await.verdict, WriteVerdict::Done { created_departments: vec![] });
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_service_is_asked_three_times_more_with_growing_waits() {
    let script = WecomScript::new()
        .on("user/update", [code(-1, "busy"), CannedWecomReply::Lost, code(6000, "v"), ok()]);
    let answer = update(&client(&script)).await;
    assert_eq!(answer.verdict, WriteVerdict::Done { created_departments: vec![] });
    assert_eq!(codes(&answer), [Some(-1), None, Some(6000), Some(0)]);
    let sent = script.seen("user/update");
    let waits: Vec<_> = sent.windows(2).map(|pair| (pair[1].at - pair[0].at).as_millis()).collect();
    for (wait, (least, most)) in waits.iter().zip([(60, 112), (110, 212), (210, 412)]) {
        assert!((least..=most).contains(wait), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn used_up_retries_are_in_doubt_only_where_it_matters() {
    let script = |answer: CannedWecomReply| {
        WecomScript::new().always("user/create", answer.clone()).always("user/update", answer)
    };
    let lost = script(CannedWecomReply::Lost);
    let answer = create(&client(&lost)).await;
    assert_eq!((&answer.verdict, codes(&answer)), (&WriteVerdict::Lost, vec![None; 4]));
    assert_eq!(update(&client(&lost)).await.verdict, WriteVerdict::Lost);
    let busy = script(code(-1, "busy"));
    assert_eq!(create(&client(&busy)).await.verdict, WriteVerdict::Lost);
    assert_eq!(update(&client(&busy)).await.verdict, WriteVerdict::Busy { errcode: Some(-1) });
    let conflict = script(code(45035, "conflict"));
    assert_eq!(create(&client(&conflict)).await.verdict, WriteVerdict::Busy { errcode: Some(45035) });
    let unreachable = script(CannedWecomReply::NotSent);
    let answer = create(&client(&unreachable)).await;
    assert_eq!((&answer.verdict, answer.in_doubt), (&WriteVerdict::Busy { errcode: None }, false));
    let mixed = WecomScript::new().on(
        "user/create",
        [
            CannedWecomReply::Lost,
            CannedWecomReply::NotSent,
            CannedWecomReply::NotSent,
            CannedWecomReply::NotSent,
        ],
    );
    assert_eq!(create(&client(&mixed)).await.verdict, WriteVerdict::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_token_never_came_was_not_sent() {
    let script = WecomScript::new().always("gettoken", CannedWecomReply::Lost);
    let answer = create(&client(&script)).await;
    assert_eq!(answer.verdict, WriteVerdict::Busy { errcode: None });
    assert_eq!((answer.attempts.len(), script.seen("user/create").len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_address_stops_every_later_write_without_a_call() {
    let refused =
        code(60020, "not allow to access from your ip, hint: [1], from ip: 203.0.113.9, more info at x");
    let script = WecomScript::new().on("user/create", [refused]).always("user/get", code(60111, "no such"));
    let client = client(&script);
    let WriteVerdict::Stopped(error) = create(&client).await.verdict else { panic!() };
    assert_eq!((error.code().as_str(), error.class()), ("wecom.60020", ErrcodeClass::Configuration));
    assert!(error.explain().zh.contains("203.0.113.9"));
    let later = delete(&client).await;
    assert_eq!((later.verdict, later.attempts), (WriteVerdict::Stopped(error), vec![]));
    assert_eq!(script.seen("user/delete").len(), 0);
    assert_eq!(client.get_member(&userid("E1")).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_stop_after_a_lost_answer_keeps_the_doubt() {
    let answer = created(vec![CannedWecomReply::Lost, code(48002, "no permission")]).await;
    assert!(matches!(answer.verdict, WriteVerdict::Stopped(_)));
    assert!(answer.in_doubt);
}

#[tokio::test(start_paused = true)]
async fn a_full_corp_stops_no_call_but_says_that_there_is_no_place() {
    let script = WecomScript::new().on("user/create", [code(45024, "full"), ok()]);
    let client = client(&script);
    let full = WriteVerdict::NoPlace { errcode: 45024, errmsg: "full".to_owned() };
    assert_eq!(create(&client).await.verdict, full);
    assert_eq!(create(&client).await.verdict, WriteVerdict::Done { created_departments: vec![] });
}

/// The harmless request is one row of the listing, and tells whether WeCom rejects it.
#[tokio::test(start_paused = true)]
async fn the_harmless_question_tells_a_refusal_from_silence() {
    let script = WecomScript::new().on(
        "user/list_id",
        [
            CannedWecomReply::Json(json!({ "errcode": 0, "dept_user": [] })),
            code(60011, "no"),
            code(48002, "no"),
        ],
    );
    let client = client(&script.always("user/list_id", CannedWecomReply::Lost));
    client.ask().await.unwrap();
    let refused = client.ask().await.unwrap_err();
    assert_eq!((refused.is_rejection(), refused.is_the_tenants()), (true, false));
    let refused = client.ask().await.unwrap_err();
    assert_eq!((refused.is_rejection(), refused.is_the_tenants()), (true, true));
    let silent = client.ask().await.unwrap_err();
    assert_eq!((silent.is_rejection(), silent.is_the_tenants()), (false, false));
}

/// After the caller has found that every write fails, none is made until a new run begins.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_told_to_stop_writes_no_more() {
    let script = WecomScript::new().on("user/create", [code(60011, "no")]).always("user/create", ok());
    let client = client(&script);
    let WriteVerdict::Unsure { error, .. } = create(&client).await.verdict else { panic!() };
    client.stop(&error);
    assert_eq!(create(&client).await.verdict, WriteVerdict::Stopped(error));
    client.begin_anew();
    assert_eq!(create(&client).await.verdict, WriteVerdict::Done { created_departments: vec![] });
    assert_eq!(script.seen("user/create").len(), 2);
}
