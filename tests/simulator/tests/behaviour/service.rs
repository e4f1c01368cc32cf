//! A simulator with one corp and one form, and the calls that tests make.

use reqwest::{Method, Response};
use ruzhi_sim::{LoadDocument, Simulator};
use serde_json::{Value, json};

pub(crate) const CORP: &str = "wwcorp0000000001";
pub(crate) const APP: &str = "6399c24287cae90008d24e0b";
pub(crate) const ENTRY: &str = "63e0706d0e33350008189952";

pub(crate) struct Service {
    pub(crate) simulator: Simulator,
    client: reqwest::Client,
    token: String,
}

impl Service {
    /// One corp with departments 1, 2 and 5, a sync and an app secret.
    pub(crate) async fn start() -> Self {
        let simulator = Simulator::start().await;
        let document = json!({
            "wecom": {"corps": [{
                "corp_id": CORP, "secret": "sync-secret", "kind": "sync",
                "credentials": [{"secret": "app-secret", "kind": "app"}],
                "departments": [{"id": 1, "name": "工厂", "parentid": 0}, {"id": 2, "name": "生产部"}, {"id": 5, "name": "质量部"}],
                "attributes": ["车牌"],
            }]},
            "jiandaoyun": {"keys": ["key"]},
        });
        simulator.load(from(document)).unwrap();
        let mut service = Self { simulator, client: reqwest::Client::new(), token: String::new() };
        service.token = service.token_of("sync-secret").await;
        service
    }

    /// The same with a form of the given fields and rows.
    pub(crate) async fn with_form(widgets: Value, rows: Value) -> Self {
        let service = Self::start().await;
        let form = json!({ "app_id": APP, "entry_id": ENTRY, "widgets": widgets, "rows": rows });
        service.simulator.load(from(json!({ "jiandaoyun": { "forms": [form] } }))).unwrap();
        service
    }

    pub(crate) async fn token_of(&self, secret: &str) -> String {
        let answer = self.get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret={secret}")).await;
        assert_eq!(answer["errcode"], 0, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<Response> {
        let request = self.client.request(method, format!("{}{path}", self.simulator.url()));
        match body {
            Some(body) => request.json(&body).send().await,
            None => request.send().await,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None).await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, Some(body)).await.unwrap().json().await.unwrap()
    }

    pub(crate) fn path(&self, api: &str) -> String {
        format!("/cgi-bin/{api}?access_token={}", self.token)
    }

    /// A POST to WeCom with the sync token.
    pub(crate) async fn write(&self, api: &str, body: Value) -> Value {
        self.post(&self.path(api), body).await
    }

    /// The errcode of a POST to WeCom.
    pub(crate) async fn code(&self, api: &str, body: Value) -> i64 {
        self.write(api, body).await["errcode"].as_i64().unwrap()
    }

    /// A GET of WeCom with the sync token and a further piece of query.
    pub(crate) async fn read(&self, api: &str, query: &str) -> Value {
        self.get(&format!("{}{query}", self.path(api))).await
    }

    /// A multipart upload; returns the whole answer.
    pub(crate) async fn upload(&self, content: &[u8]) -> Value {
        let part = reqwest::multipart::Part::bytes(content.to_vec()).file_name("users.csv");
        let form = reqwest::multipart::Form::new().part("media", part);
        let url = format!("{}{}&type=file", self.simulator.url(), self.path("media/upload"));
        self.client.post(url).multipart(form).send().await.unwrap().json().await.unwrap()
    }

    /// A POST to JianDaoYun with the key: status and body.
    pub(crate) async fn ask(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/api{path}", self.simulator.url());
        let answer = self.client.post(url).bearer_auth("key").json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Ids of the rows that data/list gives for a body without the two ids.
    pub(crate) async fn listed(&self, mut body: Value) -> Vec<String> {
        body["app_id"] = json!(APP);
        body["entry_id"] = json!(ENTRY);
        let (status, answer) = self.ask("/v5/app/entry/data/list", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"].as_array().unwrap().iter().map(|row| row["_id"].as_str().unwrap().to_owned()).collect()
    }

    /// The code with which data/list refuses a body, and the simulator's note about it.
    pub(crate) async fn refused(&self, mut body: Value) -> (i64, String) {
        body["app_id"] = json!(APP);
        body["entry_id"] = json!(ENTRY);
        let (status, answer) = self.ask("/v5/app/entry/data/list", body).await;
        assert_eq!(status, 400, "{answer}");
        let noted =
            self.simulator.misunderstandings().last().map(|noted| noted.what.clone()).unwrap_or_default();
        (answer["code"].as_i64().unwrap(), noted)
    }

    pub(crate) fn noted(&self) -> usize {
        self.simulator.misunderstandings().len()
    }
}

pub(crate) fn from(document: Value) -> LoadDocument {
    serde_json::from_value(document).unwrap()
}

/// A body for user/create whose every field is good.
pub(crate) fn person(userid: &str, mobile: &str) -> Value {
    json!({ "userid": userid, "name": "张三", "mobile": mobile, "department": [2], "to_invite": false })
}
