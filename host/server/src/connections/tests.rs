//! Clients over a real socket: slow ones, many, and one with an unsupported protocol.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::*;
use ruzhi_model::SystemClock;

/// Longer than any step takes on a busy machine.
const MOST: Duration = Duration::from_secs(60);

struct Listening {
    address: SocketAddr,
    quit: CancellationToken,
    answered: tokio::task::JoinHandle<()>,
}

/// A listener with `room` places, and routes that greet, take a body, and never answer.
async fn listen(room: usize) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, quit) = (listener.local_addr().unwrap(), CancellationToken::new());
    let router = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/take", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/never", get(|| async { Notify::new().notified().await }))
        .layer(axum::middleware::from_fn(in_time));
    let answered = tokio::spawn(answer(router, listener, room, Arc::new(SystemClock), quit.clone()));
    Listening { address, quit, answered }
}

impl Listening {
    async fn connect(&self, sends: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sends.as_bytes()).await.unwrap();
        stream
    }

    /// The first line of the answer to a request on a connection of its own.
    async fn ask(&self, sends: &str) -> String {
        let mut stream = self.connect(sends).await;
        let all = tokio::time::timeout(MOST, rest(&mut stream)).await.expect("no answer");
        all.lines().next().unwrap_or_default().to_owned()
    }

    async fn hello(&self) -> String {
        self.ask("GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await
    }

    async fn end(self) -> Duration {
        let began = std::time::Instant::now();
        self.quit.cancel();
        tokio::time::timeout(MOST, self.answered).await.expect("it goes on").unwrap();
        began.elapsed()
    }
}

/// Reads until the connection ends, in any way.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn however_many_are_slow_a_quick_client_is_answered_and_none_of_them_ends_the_process_late() {
    let listening = listen(8).await;
    let mut slow = Vec::new();
    for half in ["", "GET /hello HTT", "POST /take HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf"] {
        for _ in 0..20 {
            slow.push(listening.connect(half).await);
        }
        assert_eq!(listening.hello().await, "HTTP/1.1 200 OK", "{half:?}");
    }
    assert!(listening.end().await < Duration::from_secs(10));
}

#[tokio::test]
async fn answers_that_take_for_ever_are_not_waited_for_at_the_end() {
    let listening = listen(8).await;
    let _never = listening.connect("GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(listening.hello().await, "HTTP/1.1 200 OK");
    assert!(listening.end().await < Duration::from_secs(10));
}

#[tokio::test]
async fn a_connection_is_kept_for_another_question_where_there_is_room() {
    let listening = listen(8).await;
    let question = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut stream = listening.connect(&format!("{question}{question}")).await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut stream).await.matches("HTTP/1.1 200 OK").count(), 3);
}

#[tokio::test]
async fn http_2_is_not_spoken_and_a_head_has_a_largest_size() {
    let listening = listen(8).await;
    let preface = listening.ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(preface.is_empty() || preface.starts_with("HTTP/1.1 4"), "{preface}");
    let long = format!("GET /hello HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(2 * LARGEST_HEAD));
    let refused = listening.ask(&long).await;
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 431"), "{refused}");
    assert_eq!(listening.hello().await, "HTTP/1.1 200 OK");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_answered_with_408() {
    let router: Router = Router::new()
        .route("/take", post(|body: Bytes| async move { body.len().to_string() }))
        .layer(axum::middleware::from_fn(in_time));
    let silent = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, io::Error>>());
    let request = Request::post("/take").body(silent).unwrap();
    let began = tokio::time::Instant::now();
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!((response.status().as_u16(), began.elapsed()), (408, arrival::LONGEST));
    let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["error"]["code"], "request.late");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_ends_its_connection() {
    let (client, server) = tokio::io::duplex(1 << 10);
    let (mut reading, mut writing) = tokio::io::split(client);
    writing.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n").await.unwrap();
    let began = tokio::time::Instant::now();
    let never =
        service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let ended = speaking().serve_connection(TokioIo::new(server), never).await;
    assert!(ended.is_err());
    assert_eq!(began.elapsed().as_secs(), HEAD.as_secs());
    let mut all = Vec::new();
    reading.read_to_end(&mut all).await.unwrap();
    assert!(!String::from_utf8_lossy(&all).contains("200"));
}
