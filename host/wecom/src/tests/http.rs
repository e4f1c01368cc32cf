//! Over loopback: the data on the wire, and the meaning of broken connections.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{
    BatchRow, MemberWrite, RateLimits, Rates, WecomClient, WecomClientSettings, WriteAnswer, WriteVerdict,
    csv_files,
};
use super::{SECRET, now, settings, userid, zhang};
use ruzhi_http::rate::loopback::{ENDLESS, Loopback, LoopbackRequest, bomb, json};
use ruzhi_model::FixedClock;

const DONE: WriteVerdict = WriteVerdict::Done { created_departments: vec![] };
const TOKEN: &str = "a-token-not-to-be-shown";

fn client(settings: WecomClientSettings) -> WecomClient {
    WecomClient::new(settings, Rates::new(RateLimits::default()), Arc::new(FixedClock(now())), 1).unwrap()
}

/// A service that issues a token and answers every other call with the result of `answer` for its count and the
/// request.
async fn service(
    answer: impl Fn(usize, &LoopbackRequest) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> Loopback {
    let calls = AtomicUsize::new(0);
    Loopback::serve(move |request| {
        if request.line.contains("/cgi-bin/gettoken?") {
            return Some(json(
                200,
                &format!(r#"{{"errcode":0,"access_token":"{TOKEN}","expires_in":7200}}"#),
            ));
        }
        answer(calls.fetch_add(1, Ordering::Relaxed), request)
    })
    .await
}

async fn create(client: &WecomClient) -> WriteAnswer {
    client.write(MemberWrite::Create { userid: &userid("E0001"), body: &zhang() }).await
}

#[tokio::test]
async fn a_write_goes_out_as_raw_utf8_and_connections_are_kept() {
    let wire = service(|_, _| Some(json(200, r#"{"errcode":0,"errmsg":"created"}"#))).await;
    let client = client(settings(&wire.url()));
    for _ in 0..20 {
        assert_eq!(create(&client).await.verdict, DONE);
    }
    assert_eq!(wire.connections(), 1);
    let sent = &wire.seen()[1];
    assert_eq!(sent.line, format!("POST /cgi-bin/user/create?access_token={TOKEN}"));
    assert_eq!(sent.header("user-agent"), Some("ruzhi/0.1"));
    assert!(sent.header("content-type").unwrap().starts_with("application/json"));
    assert!(String::from_utf8_lossy(&sent.body).contains("\"张三\""));
}

#[tokio::test]
async fn a_delete_is_a_get_with_an_escaped_userid_below_any_base() {
    let wire = service(|_, _| Some(json(200, r#"{"errcode":0,"errmsg":"deleted"}"#))).await;
    for (base, prefix) in [("", ""), ("/", ""), ("/cgi-bin", ""), ("/cgi-bin/", ""), ("/wecom/", "/wecom")] {
        let client = client(settings(&format!("{}{base}", wire.url())));
        client.write(MemberWrite::Delete { userid: &userid("a@b.c") }).await;
        let expected = format!("GET {prefix}/cgi-bin/user/delete?access_token={TOKEN}&userid=a%40b.c");
        assert_eq!(wire.seen().last().unwrap().line, expected);
    }
    let not_http = WecomClient::new(
        settings("ftp://h"),
        Rates::new(RateLimits::default()),
        Arc::new(FixedClock(now())),
        1,
    );
    assert_eq!(not_http.map(drop).unwrap_err().code(), "wecom.settings");
}

#[tokio::test]
async fn a_file_goes_out_as_the_part_media_of_a_form() {
    let wire = service(|_, request| {
        Some(match request.line.split_whitespace().nth(1).and_then(|target| target.split('?').next()) {
            Some("/cgi-bin/media/upload") => json(200, r#"{"errcode":0,"errmsg":"","media_id":"M1"}"#),
            Some("/cgi-bin/batch/syncuser") => json(200, r#"{"errcode":0,"errmsg":"ok","jobid":"J1"}"#),
            _ => {
                json(200, r#"{"errcode":0,"status":3,"result":[{"userid":"e0001","errcode":0,"errmsg":""}]}"#)
            }
        })
    })
    .await;
    let (userid, mut body, whole) = (userid("E0001"), zhang(), zhang());
    body.insert("to_invite".to_owned(), serde_json::json!(false));
    let row = BatchRow { write: MemberWrite::Create { userid: &userid, body: &body }, whole: &whole };
    let sheets = csv_files(&[row]);
    let answers = client(settings(&wire.url())).write_csv_file(&sheets.files[0], async |_| ()).await;
    assert_eq!(answers.into_iter().map(|answer| answer.verdict).collect::<Vec<_>>(), [DONE]);
    let seen = wire.seen();
    let [_, upload, submission, result] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(upload.line, format!("POST /cgi-bin/media/upload?access_token={TOKEN}&type=file"));
    let boundary =
        upload.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    let sent = String::from_utf8(upload.body.clone()).unwrap().to_ascii_lowercase();
    let (head, rest) = sent.split_once("\r\n\r\n").unwrap();
    for part in ["name=\"media\"", "filename=\"members.csv\"", "content-type: application/octet-stream"] {
        assert!(head.contains(part), "{head}");
    }
    let (content, end) = rest.split_once("\r\n--").unwrap();
    assert_eq!(content, "姓名,帐号,手机号,邮箱,所在部门\n张三,e0001,13800138000,,1;2;3\n");
    assert!(end.starts_with(&boundary.to_ascii_lowercase()));
    assert_eq!(submission.body, br#"{"media_id":"M1","to_invite":false}"#);
    assert_eq!(result.line, format!("GET /cgi-bin/batch/getresult?access_token={TOKEN}&jobid=J1"));
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    /// `{"errcode":0,"errmsg":"ok","department_id":[{"id":1}]}`
    const GZIP: &[u8] = &[
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 45, 42, 74, 206, 79, 73, 85, 178, 50, 208, 1, 177, 115,
        139, 211, 149, 172, 148, 242, 179, 149, 116, 148, 82, 82, 11, 18, 139, 74, 114, 83, 243, 74, 226, 51,
        83, 148, 172, 162, 171, 149, 64, 148, 97, 109, 108, 45, 0, 174, 10, 29, 9, 54, 0, 0, 0,
    ];
    let wire = service(|_, _| {
        let length = GZIP.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
        Some([head.as_bytes(), GZIP].concat())
    })
    .await;
    assert_eq!(client(settings(&wire.url())).department_ids().await.unwrap().len(), 1);
    assert!(wire.seen()[1].header("accept-encoding").unwrap().contains("gzip"));
}

#[tokio::test]
async fn an_answer_that_breaks_off_leaves_the_write_in_doubt() {
    let closed: fn() -> Option<Vec<u8>> = || None;
    let truncated: fn() -> Option<Vec<u8>> =
        || Some(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 90\r\n\r\n{\"errcode\":0".to_vec());
    let elsewhere: fn() -> Option<Vec<u8>> =
        || Some(b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n".to_vec());
    for broken in [closed, truncated, elsewhere] {
        let wire = service(move |count, _| match count {
            0 => broken(),
            _ => Some(json(200, r#"{"errcode":60102,"errmsg":"userid existed"}"#)),
        })
        .await;
        let answer = create(&client(settings(&wire.url()))).await;
        assert_eq!(answer.verdict, WriteVerdict::AlreadyExists { maybe_ours: true });
        assert_eq!(answer.attempts.iter().map(|a| a.errcode).collect::<Vec<_>>(), [None, Some(60102)]);
        // Nothing was resent by the library.
        assert_eq!(wire.seen().len(), 3);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_leaves_the_write_in_doubt_and_is_asked_for_once() {
    for answer in [bomb(), ENDLESS.to_vec()] {
        let wire = service(move |_, _| Some(answer.clone())).await;
        let client = client(settings(&wire.url()));
        let answer = create(&client).await;
        assert_eq!((answer.verdict, answer.in_doubt), (WriteVerdict::Lost, true));
        let told: Vec<_> = answer.attempts.iter().map(|a| (a.errcode, a.errmsg.as_str())).collect();
        assert_eq!(told, [(None, "more than 1 MiB of answer")]);
        assert_eq!(client.department_ids().await.unwrap_err().code(), "wecom.too_large");
        assert_eq!(wire.seen().len(), 3, "the token, the create and the list, each once");
    }
}

#[tokio::test]
async fn a_token_that_is_too_large_leaves_no_write_in_doubt() {
    let wire = Loopback::serve(|_| Some(ENDLESS.to_vec())).await;
    let answer = create(&client(settings(&wire.url()))).await;
    assert_eq!((answer.verdict, answer.in_doubt), (WriteVerdict::Busy { errcode: None }, false));
}

#[tokio::test]
async fn a_closed_port_is_no_doubt() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let answer = create(&client(settings(&format!("http://{address}")))).await;
    assert_eq!((answer.verdict, answer.in_doubt), (WriteVerdict::Busy { errcode: None }, false));
}

#[tokio::test]
async fn calls_go_through_the_tenants_proxy() {
    let proxy = service(|_, _| Some(json(200, r#"{"errcode":0,"department_id":[]}"#))).await;
    let through =
        WecomClientSettings { proxy: Some(proxy.url().parse().unwrap()), ..settings("http://wecom.invalid") };
    assert_eq!(client(through).check().await, Ok(()));
    assert!(proxy.seen()[1].line.starts_with("GET http://wecom.invalid/cgi-bin/department/simplelist?"));
}

#[tokio::test]
async fn neither_token_nor_secret_is_in_anything_that_can_be_shown() {
    let echo = format!("bad access_token={TOKEN} corpsecret={SECRET}");
    let body = format!(r#"{{"errcode":48002,"errmsg":"{echo}"}}"#);
    let wire = service(move |count, _| match count {
        0 => None,
        1 => Some(json(200, &body)),
        _ => Some(json(200, &format!(r#"{{"errcode":0,"errmsg":"warning: {echo}"}}"#))),
    })
    .await;
    let given = WecomClientSettings {
        proxy: Some("http://user:a-proxy-password@127.0.0.1:1".parse().unwrap()),
        ..settings(&wire.url())
    };
    let mut shown = format!("{given:?}");
    let client = client(WecomClientSettings { proxy: None, ..given.clone() });
    let answer = create(&client).await;
    assert!(matches!(answer.verdict, WriteVerdict::Stopped(_)));
    write!(shown, "{answer:?}").unwrap();
    let mut errors = vec![client.check().await.unwrap_err()];
    if let WriteVerdict::Stopped(error) = answer.verdict {
        errors.push(error);
    }
    let unreachable =
        WecomClient::new(given, Rates::new(RateLimits::default()), Arc::new(FixedClock(now())), 1).unwrap();
    errors.push(unreachable.check().await.unwrap_err());
    for error in errors {
        let source = std::error::Error::source(&error).unwrap();
        write!(shown, "{error} {error:?} {source} {:?}", error.explain()).unwrap();
    }
    for secret in [TOKEN, SECRET, "a-proxy-password"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("access_token=***"), "{shown}");
}
