//! A service on loopback that reads whole requests and writes any given bytes, or nothing.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct LoopbackRequest {
    /// Method and target.
    pub line: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl LoopbackRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// An answer of JSON.
pub fn json(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into()
}

/// The head of an answer whose body never ends.
pub const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\nx-body: endless\r\n\r\n";

/// An answer of a few megabytes that unpacks to a gigabyte of spaces: one literal, then the longest possible
/// repetition over and over, in the fixed code, which needs no table (RFC 1951, 3.2.6).
pub fn bomb() -> Vec<u8> {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\n\r\n";
    const GZIP: [u8; 10] = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3];
    // A block with the fixed code, not the last one; then a space.
    let begin = "01001010000";
    // 258 bytes at distance one. Eight of these are 13 whole bytes.
    let again = "1100010100000".repeat(16);
    let bits: Vec<u8> = begin.bytes().chain(again.bytes()).map(|bit| bit - b'0').collect();
    let packed: Vec<u8> =
        bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |packed, bit| packed << 1 | bit)).collect();
    let (begin, again) = packed[..15].split_at(2);
    [HEAD, &GZIP, begin, &again.repeat((1 << 30) / (8 * 258))].concat()
}

/// The service: its address, and the requests it received.
pub struct Loopback {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<LoopbackRequest>>>,
    connections: Arc<AtomicUsize>,
}

impl Loopback {
    /// Answers each request with the result of `answer`; after `None`, or an answer that asks for it, the connection
    /// is closed.
    pub async fn serve(answer: impl Fn(&LoopbackRequest) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (log, count, answer) = (Arc::clone(&seen), Arc::clone(&connections), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Some(request) = read(&mut stream).await {
                        log.lock().unwrap().push(request.clone());
                        let Some(bytes) = answer(&request) else { return };
                        let last = bytes.windows(17).any(|span| span == b"connection: close");
                        if stream.write_all(&bytes).await.is_err() || last {
                            return;
                        }
                        if bytes == ENDLESS {
                            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
                            return;
                        }
                    }
                });
            }
        });
        Self { address, seen, connections }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<LoopbackRequest> {
        self.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn read(stream: &mut BufReader<tokio::net::TcpStream>) -> Option<LoopbackRequest> {
    let mut request = LoopbackRequest::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            _ if request.line.is_empty() => line.trim_end_matches(" HTTP/1.1").clone_into(&mut request.line),
            Some((name, value)) => request.headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => return None,
        }
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}
