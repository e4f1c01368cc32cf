//! Pages, fields, retries, rates.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::{
    ApiVersion, FormClient, FormClientSettings, FormError, FormErrorClass, FormRow, RowQuery,
};
use super::script::{CannedFormReply, FormScript, code, ok, page};
use super::{KEY, client, clock, form, settings};
use ruzhi_model::{Lang, RecordId};

async fn read(client: &FormClient) -> Result<Vec<FormRow>, FormError> {
    client.page(&form(ApiVersion::V5), &RowQuery::default(), None).await
}

fn id(text: &str) -> RecordId {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_v5_page_names_the_form_in_its_body() {
    let script = FormScript::of(vec![page(&["aa", "ab"]), page(&[])]);
    let client = client(&script);
    let query = RowQuery {
        fields: vec!["name".to_owned(), "updateTime".to_owned()],
        filter: Some(json!({ "rel": "and", "cond": [] })),
    };
    let rows = client.page(&form(ApiVersion::V5), &query, None).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["aa", "ab"]);
    assert_eq!(rows[0].fields["name"], "张三");
    assert_eq!(rows[0].fields["_id"], "aa");
    assert_eq!(client.page(&form(ApiVersion::V5), &RowQuery::default(), Some(&id("ab"))).await, Ok(vec![]));
    let seen = script.seen();
    assert_eq!(seen[0].path, "/api/v5/app/entry/data/list");
    assert_eq!(
        seen[0].body,
        json!({ "app_id": "6399c24287cae90008d24e0b", "entry_id": "63e0706d0e33350008189952",
                "fields": ["name", "updateTime"], "filter": { "rel": "and", "cond": [] }, "limit": 100 })
    );
    assert_eq!(seen[1].body["data_id"], "ab");
    assert_eq!(seen[1].body.as_object().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn rows_too_large_for_an_answer_together_come_in_smaller_pages() {
    let script = FormScript::of(vec![CannedFormReply::TooLarge, page(&["aa", "ab"]), page(&[])]);
    let client = client(&script);
    assert_eq!(read(&client).await.unwrap().len(), 2);
    assert_eq!(client.page(&form(ApiVersion::V5), &RowQuery::default(), Some(&id("ab"))).await, Ok(vec![]));
    let limits: Vec<_> = script.seen().into_iter().map(|seen| seen.body["limit"].clone()).collect();
    assert_eq!(limits, [100, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_row_too_large_for_an_answer_is_named_and_the_others_are_read() {
    let large = || CannedFormReply::TooLarge;
    let script = FormScript::of(vec![large(), large(), large(), page(&["ab"]), page(&["ac"]), large()]);
    let client = client(&script);
    let query =
        RowQuery { fields: vec!["name".to_owned()], filter: Some(json!({ "rel": "and", "cond": [] })) };
    let rows = client.page(&form(ApiVersion::V5), &query, Some(&id("aa"))).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["ab"]);
    assert_eq!(rows[0].fields["_unread"], true);
    let seen = script.seen();
    assert_eq!(
        (&seen[3].body["fields"], &seen[3].body["limit"], &seen[3].body["data_id"], &seen[3].body["filter"]),
        (&json!(["updateTime"]), &json!(1), &json!("aa"), &seen[0].body["filter"])
    );
    assert_eq!(client.page(&form(ApiVersion::V5), &query, Some(&id("ab"))).await.unwrap().len(), 1);
    let row = client.row(&form(ApiVersion::V5), &id("ab")).await.unwrap().unwrap();
    assert_eq!(row.fields["_unread"], true, "it is there");
}

#[tokio::test(start_paused = true)]
async fn older_routes_name_the_form_in_their_path() {
    for api in [ApiVersion::V1, ApiVersion::V2, ApiVersion::V4] {
        let script = FormScript::of(vec![page(&["ab"]), ok(json!({ "widgets": [] }))]);
        let client = client(&script);
        client.page(&form(api), &RowQuery::default(), Some(&id("aa"))).await.unwrap();
        client.widgets(&form(api)).await.unwrap();
        let seen = script.seen();
        let at = "/app/6399c24287cae90008d24e0b/entry/63e0706d0e33350008189952";
        assert_eq!(seen[0].path, format!("/api/{api}{at}/data"));
        assert_eq!(seen[0].body, json!({ "data_id": "aa", "limit": 100 }));
        let widgets = if api == ApiVersion::V4 { ApiVersion::V2 } else { api };
        assert_eq!(
            (seen[1].path.as_str(), &seen[1].body),
            (format!("/api/{widgets}{at}/widgets").as_str(), &json!({}))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_is_written_in_the_fields_given_and_starts_no_automation() {
    let row = ok(json!({ "data": { "_id": "ab", "result": "已开通" } }));
    for (api, path) in [(ApiVersion::V5, "/api/v5/app/entry/data/update"), (ApiVersion::V2, "/data_update")] {
        let script = FormScript::of(vec![code(8304), row.clone(), code(4001), code(17017), ok(json!({}))]);
        let client = client(&script);
        let write = async || client.update(&form(api), &id("ab"), &[("result", json!("已开通"))]).await;
        assert_eq!(write().await.unwrap().unwrap().fields["result"], "已开通");
        assert_eq!(write().await, Ok(None), "a row that is gone");
        let refused = write().await.unwrap_err();
        assert_eq!(
            (refused.code().as_str(), refused.class()),
            ("jiandaoyun.17017", FormErrorClass::Permanent)
        );
        assert_eq!(write().await.unwrap_err().code(), "jiandaoyun.shape");
        let seen = script.seen();
        assert!(seen[1].path.ends_with(path), "{}", seen[1].path);
        let mut body = json!({ "data_id": "ab", "data": { "result": { "value": "已开通" } }, "is_start_trigger": false });
        if api == ApiVersion::V5 {
            body["app_id"] = json!("6399c24287cae90008d24e0b");
            body["entry_id"] = json!("63e0706d0e33350008189952");
        }
        assert_eq!(seen[1].body, body);
        assert_eq!(client.calls()["data/update"], 5);
    }
}

#[test]
fn a_version_is_parsed_from_its_name() {
    assert_eq!("v2".parse(), Ok(ApiVersion::V2));
    for unknown in ["v3", "V2", "2", ""] {
        assert!(unknown.parse::<ApiVersion>().is_err(), "{unknown}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_fields_of_a_form_and_of_its_subforms_are_read() {
    let answer = ok(json!({
        "widgets": [
            { "name": "emp_no", "widgetName": "_widget_1", "label": "工号", "type": "text" },
            { "name": "_widget_2", "widgetName": "_widget_2", "label": "经历", "type": "subform",
              "items": [{ "name": "_widget_3", "widgetName": "_widget_3", "label": "公司", "type": "text" }] } ],
        "sysWidgets": [{ "name": "flowState" }, { "name": "updateTime" }] }));
    let script = FormScript::then(vec![], answer);
    let client = client(&script);
    let widgets = client.widgets(&form(ApiVersion::V5)).await.unwrap();
    let first = &widgets[0];
    let shown = (first.name.as_str(), first.widget_name.as_str(), first.label.as_str(), first.kind.as_str());
    assert_eq!(shown, ("emp_no", "_widget_1", "工号", "text"));
    assert_eq!(widgets[1].items[0].label, "公司");
    assert_eq!(client.sys_widgets(&form(ApiVersion::V5)).await.unwrap(), ["flowState", "updateTime"]);
    assert_eq!(script.seen()[0].path, "/api/v5/app/entry/widget/list");
}

#[tokio::test(start_paused = true)]
async fn rows_out_of_order_are_an_error() {
    for (ids, after) in
        [(&["ab", "aa"][..], None), (&["aa", "aa"], None), (&["ab"], Some("ab")), (&["aa"], Some("ab"))]
    {
        let client = client(&FormScript::of(vec![page(ids)]));
        let answer = client.page(&form(ApiVersion::V5), &RowQuery::default(), after.map(id).as_ref()).await;
        assert_eq!(answer.unwrap_err().code(), "jiandaoyun.order");
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_of_another_shape_is_never_an_empty_page() {
    for body in [
        json!({}),
        json!([]),
        json!({ "code": 0 }),
        json!({ "data": {} }),
        json!({ "data": [1] }),
        json!({ "data": [{ "name": "x" }] }),
        json!({ "data": [{ "_id": 7 }] }),
    ] {
        let error = read(&client(&FormScript::of(vec![ok(body)]))).await.unwrap_err();
        assert_eq!((error.code().as_str(), error.class()), ("jiandaoyun.shape", FormErrorClass::Permanent));
    }
}

#[tokio::test(start_paused = true)]
async fn passing_failures_are_asked_again() {
    let script = FormScript::of(vec![
        code(8303),
        code(8304),
        code(4012),
        code(9007),
        CannedFormReply::Reply(429, "busy".to_owned()),
        CannedFormReply::Reply(502, "<html>".to_owned()),
        CannedFormReply::Nothing,
        page(&["aa"]),
    ]);
    assert_eq!(read(&client(&script)).await.unwrap().len(), 1);
    let script = FormScript::of(vec![
        CannedFormReply::Reply(579, "{}".to_owned()),
        CannedFormReply::Reply(200, "<html>".to_owned()),
        CannedFormReply::Reply(200, r#"{"data":[{"_id":"aa"#.to_owned()),
        CannedFormReply::Reply(200, String::new()),
        page(&["aa"]),
    ]);
    assert_eq!(read(&client(&script)).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn too_many_open_files_are_not_blamed_on_the_settings() {
    let error = read(&client(&FormScript::then(vec![], CannedFormReply::OpenFiles))).await.unwrap_err();
    let told = error.explain();
    assert!(told.en.contains("too many open files") && told.en.contains("LimitNOFILE"), "{}", told.en);
    assert!(told.zh.contains("LimitNOFILE"), "{}", told.zh);
    assert!(!told.en.contains("base_url") && !told.en.contains("[jiandaoyun]"), "{}", told.en);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_told_after_eight_attempts() {
    for (answer, expected) in [
        (code(8304), "jiandaoyun.8304"),
        (CannedFormReply::Reply(502, String::new()), "jiandaoyun.http_502"),
        (CannedFormReply::Nothing, "jiandaoyun.no_answer"),
        (CannedFormReply::OpenFiles, "process.open_files"),
        (CannedFormReply::Reply(200, "<".to_owned()), "jiandaoyun.unreadable"),
    ] {
        let script = FormScript::then(vec![], answer);
        let begin = Instant::now();
        let error = read(&client(&script)).await.unwrap_err();
        assert_eq!((error.code().as_str(), error.class()), (expected, FormErrorClass::Exhausted));
        assert_eq!(script.seen().len(), 8);
        assert!(begin.elapsed() < Duration::from_secs(120), "{:?}", begin.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn other_codes_are_told_at_once() {
    for (number, class) in [
        (17018, FormErrorClass::Auth),
        (8302, FormErrorClass::Auth),
        (2004, FormErrorClass::Config),
        (17052, FormErrorClass::Config),
        (7212, FormErrorClass::Config),
        (4815, FormErrorClass::Permanent),
        (4001, FormErrorClass::Permanent),
        (99_999, FormErrorClass::Permanent),
    ] {
        let script = FormScript::of(vec![code(number)]);
        let error = read(&client(&script)).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (format!("jiandaoyun.{number}"), class));
        let text = error.explain();
        for lang in [Lang::En, Lang::Zh] {
            let text = text.in_lang(lang);
            assert!(
                text.contains(&number.to_string()) && text.contains("63e0706d0e33350008189952"),
                "{text}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn both_shapes_of_failure_are_read() {
    for body in [
        json!({ "code": "17018", "msg": "x" }),
        json!({ "status": "failure", "code": 17018, "message": "x" }),
    ] {
        for status in [200, 400, 401] {
            let answer = CannedFormReply::Reply(status, body.to_string());
            let error = read(&client(&FormScript::of(vec![answer]))).await.unwrap_err();
            assert_eq!(error.code(), "jiandaoyun.17018");
        }
    }
    for (status, body) in [(404, "<html>"), (400, "{}"), (302, "")] {
        let answer = CannedFormReply::Reply(status, body.to_owned());
        let error = read(&client(&FormScript::of(vec![answer]))).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            (format!("jiandaoyun.http_{status}"), FormErrorClass::Config)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_kept_short_on_one_line_and_without_the_key() {
    let msg = format!("bad key {KEY}\r\n{}", "长".repeat(400));
    let answer = CannedFormReply::Reply(400, json!({ "code": 17018, "msg": msg }).to_string());
    let error = read(&client(&FormScript::of(vec![answer]))).await.unwrap_err();
    let shown = format!("{:?} {:?}", error, error.explain());
    assert!(!shown.contains(KEY) && !shown.contains("\\n") && shown.contains("bad key ***"), "{shown}");
    assert!(error.failure().to_string().chars().count() < 220);
}

#[tokio::test(start_paused = true)]
async fn a_hit_limit_pauses_everyone_for_a_second() {
    let script = FormScript::then(vec![code(8303)], page(&[]));
    let client = client(&script);
    let first = {
        let client = client.clone();
        tokio::spawn(async move { read(&client).await })
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(read(&client).await, Ok(vec![]));
    assert_eq!(first.await.unwrap(), Ok(vec![]));
    let seen = script.seen();
    assert_eq!(seen[0].at, Duration::ZERO);
    assert!(
        seen[1].at >= Duration::from_millis(1010) && seen[2].at <= Duration::from_millis(1100),
        "{seen:?}"
    );
}

/// Makes `calls` concurrent calls and returns the time each was sent.
async fn sent(per_second: Option<u32>, apis: &[ApiVersion], calls: usize) -> Vec<Duration> {
    let script = FormScript::then(vec![], page(&[]));
    let settings = FormClientSettings { per_second, ..settings("https://jiandaoyun.invalid") };
    let client = FormClient::over(Box::new(script.clone()), settings, clock()).unwrap();
    let mut pages = JoinSet::new();
    for at in 0..calls {
        let (client, form) = (client.clone(), form(apis[at % apis.len()]));
        pages.spawn(async move { client.page(&form, &RowQuery::default(), None).await.unwrap() });
    }
    pages.join_all().await;
    script.seen().into_iter().map(|seen| seen.at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_route_is_called_no_faster_than_its_version_allows() {
    for (per_second, api, allowed) in [
        (None, ApiVersion::V5, 30),
        (None, ApiVersion::V2, 5),
        (Some(3), ApiVersion::V5, 3),
        (Some(80), ApiVersion::V5, 80),
    ] {
        let sent = sent(per_second, &[api], allowed * 3).await;
        assert_eq!(sent[allowed - 1], Duration::ZERO);
        let second = Duration::from_secs(1);
        assert!(
            sent.windows(allowed + 1).all(|span| span[allowed] - span[0] >= second),
            "{api} {per_second:?}"
        );
        assert!(sent[allowed * 3 - 1] <= Duration::from_millis(2050), "{sent:?}");
    }
}
