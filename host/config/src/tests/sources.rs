use serde_json::json;

use super::*;
use ruzhi_jiandaoyun::{ApiVersion, FormAddress, RowFilter};

/// The request body and its ids, as pasted from the platform that ran the flow before.
const BODY: &str = r#"{
  "appId": "6399c24287cae90008d24e0b",
  "entryId": "63e0706d0e33350008189952",
  "fields": "_widget_1675653229901,_id",
  "limit": "100",
  "filter": {
    "rel": "and",
    "cond_1": { "field": "updateTime", "type": "datetime", "method": "range",
                "value": "{{LAST_SYNC_TIME|datetime}}" },
    "cond_2": { "field": "flowState", "type": "flowState", "method": "eq", "value": "1" }
  }
}"#;
const IDS: &str = "app_id = \"6399c24287cae90008d24e0b\"\nentry_id = \"63e0706d0e33350008189952\"\n";

fn source(written: &str) -> FlowSource {
    ConfigFolder::with(&[(IDS, written)]).good().tenants[0].flows[0].source.clone()
}

#[test]
fn a_request_body_is_taken_as_it_was_pasted() {
    let source = source(&format!("api = \"v2\"\nrequest = '''\n{BODY}\n'''\n"));
    let body: Value = serde_json::from_str(BODY).unwrap();
    let form = FormAddress {
        api: ApiVersion::V2,
        app_id: "6399c24287cae90008d24e0b".to_owned(),
        entry_id: "63e0706d0e33350008189952".to_owned(),
    };
    assert_eq!(source.form, form);
    assert_eq!(source.filter, RowFilter::parse(&body["filter"]).unwrap());
    assert_eq!(source.fields, Some(json!(["_widget_1675653229901", "_id"])));
}

#[test]
fn every_way_of_writing_one_filter_gives_one_filter() {
    let wanted = json!({"rel": "and",
        "cond_1": {"field": "level", "method": "in", "value": [1, true, 1.5]}});
    let wanted = RowFilter::parse(&wanted).unwrap();
    assert!(wanted.is_some());
    for written in [
        "filter = { rel = \"and\", cond_1 = { field = \"level\", method = \"in\", value = [0x1, true, 1.5] } }",
        "filter = '{\"rel\":\"and\",\"cond_1\":{\"field\":\"level\",\"method\":\"in\",\"value\":[1,true,1.5]}}'",
        "[flows.source.filter]\nrel = \"and\"\ncond_1.field = \"level\"\ncond_1.method = \"in\"\ncond_1.value = [1, true, 1.5]",
    ] {
        assert_eq!(source(&format!("{IDS}{written}\n")).filter, wanted, "{written}");
    }
    assert_eq!(source(&format!("{IDS}filter = {{ cond = [] }}\n")).filter, None, "it has no condition");
}

#[test]
fn fields_are_a_list_or_one_text() {
    for written in ["[\"_widget_1\", \" _id \"]", "\"_widget_1,_id\"", "\" _widget_1， _id,\""] {
        let source = source(&format!("{IDS}fields = {written}\n"));
        assert_eq!(source.fields, Some(json!(["_widget_1", "_id"])), "{written}");
    }
}

#[test]
fn a_slip_in_pasted_json_is_shown_at_its_own_line() {
    let deployment = ConfigFolder::with(&[(
        IDS,
        &format!("request = '''\n{}\n'''\n", BODY.replace("\"limit\": \"100\",", "“limit”: 100,")),
    )]);
    assert_eq!(
        deployment.english(),
        r#"error: `flows.source.request` holds broken JSON: key must be a string
  --> tenants/a.toml:14:3
   |
14 |   “limit”: 100,
   |   ^
   |
   = hint: JSON wants " , : and not the Chinese “ ” ， ：

1 error in the configuration; nothing was done
"#
    );
    assert_eq!(
        deployment.report(Lang::Zh),
        r#"错误：`flows.source.request` 里的 JSON 语法有误：key must be a string
  --> tenants/a.toml:14:3
   |
14 |   “limit”: 100,
   |   ^
   |
   = 提示：JSON 只认英文的 " , :，不认中文的 “ ” ， ：

配置中有 1 个错误，未执行任何操作
"#
    );
}

#[test]
fn everything_wrong_in_a_pasted_body_is_shown_at_once() {
    let deployment = ConfigFolder::with(&[(
        IDS,
        r#"request = '''
{
  "appId": "12/3",
  "entryID": "63e0706d0e33350008189952",
  "fields": 7,
  "limit": 1000,
  "filter": { "rel": "xor" }
}
'''
"#,
    )]);
    assert_eq!(
        deployment.english(),
        r#"error: `flows.source.request.appId`: `12/3` is not an id of JianDaoYun
  --> tenants/a.toml:11:3
   |
11 |   "appId": "12/3",
   |   ^^^^^^^
   |
   = hint: 24 hexadecimal digits, as in the form's address: …/app/APP_ID/entry/ENTRY_ID

error: `flows.source.request.entryID`: unknown key
  --> tenants/a.toml:12:3
   |
12 |   "entryID": "63e0706d0e33350008189952",
   |   ^^^^^^^^^
   |
   = hint: did you mean `entryId`? Known here: `appId`, `entryId`, `fields`, `limit`, `filter`

error: `flows.source.request.fields`: must be a list of texts, or one text
  --> tenants/a.toml:13:3
   |
13 |   "fields": 7,
   |   ^^^^^^^^

error: `flows.source.request.limit`: must be from 1 to 100
  --> tenants/a.toml:14:3
   |
14 |   "limit": 1000,
   |   ^^^^^^^

error: `flows.source.request.filter`: filter `rel` is `xor`, not `and` or `or`
  --> tenants/a.toml:15:3
   |
15 |   "filter": { "rel": "xor" }
   |   ^^^^^^^^

5 errors in the configuration; nothing was done
"#
    );
}

#[test]
fn a_body_and_a_key_of_its_own_are_one_too_many() {
    let deployment =
        ConfigFolder::with(&[(IDS, &format!("{IDS}fields = \"_id\"\nrequest = '''\n{BODY}'''\n"))]);
    assert_eq!(
        deployment.english(),
        r#"error: `flows.source.app_id` stands in `request` too
 --> tenants/a.toml:9:1
  |
9 | app_id = "6399c24287cae90008d24e0b"
  | ^^^^^^
  |
  = hint: remove one of the two

error: `flows.source.entry_id` stands in `request` too
  --> tenants/a.toml:10:1
   |
10 | entry_id = "63e0706d0e33350008189952"
   | ^^^^^^^^
   |
   = hint: remove one of the two

error: `flows.source.fields` stands in `request` too
  --> tenants/a.toml:11:1
   |
11 | fields = "_id"
   | ^^^^^^
   |
   = hint: remove one of the two

3 errors in the configuration; nothing was done
"#
    );
}

#[test]
fn a_filter_that_cannot_be_is_refused_where_it_stands() {
    let with = |filter: &str| ConfigFolder::with(&[(IDS, &format!("{IDS}filter = {filter}\n"))]).english();
    assert_eq!(
        with("{ rel = \"xor\" }"),
        r#"error: `flows.source.filter`: filter `rel` is `xor`, not `and` or `or`
  --> tenants/a.toml:11:10
   |
11 | filter = { rel = "xor" }
   |          ^^^^^^^^^^^^^^^

1 error in the configuration; nothing was done
"#
    );
    assert_eq!(
        with("'[1]'"),
        r#"error: `flows.source.filter`: must be a JSON object
  --> tenants/a.toml:11:10
   |
11 | filter = '[1]'
   |          ^^^^^

1 error in the configuration; nothing was done
"#
    );
    assert_eq!(
        with("\"{\\\"rel\\\": }\""),
        r#"error: `flows.source.filter` holds broken JSON: expected value
  --> tenants/a.toml:11:10
   |
11 | filter = "{\"rel\": }"
   |          ^^^^^^^^^^^^^

1 error in the configuration; nothing was done
"#
    );
    assert_eq!(
        with("[]"),
        r#"error: `flows.source.filter` must be a table, or text that holds JSON, found a list
  --> tenants/a.toml:11:10
   |
11 | filter = []
   |          ^^

1 error in the configuration; nothing was done
"#
    );
    assert_eq!(
        with("{ rel = nan }"),
        r#"error: `flows.source.filter`: nan cannot be sent
  --> tenants/a.toml:11:10
   |
11 | filter = { rel = nan }
   |          ^^^^^^^^^^^^^

1 error in the configuration; nothing was done
"#
    );
}
