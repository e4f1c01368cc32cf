//! Clients that never send a whole request keep no one out, stop no run, and do not delay the shutdown.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ruzhi_e2e::{Load, Serving, finish, with_files};
use serde_json::json;

use super::schedule::ask;
use crate::site::Site;

/// Half a head, half a body of a request that anyone may send, and nothing at all.
const HALVES: [&str; 4] = [
    "GET /healthz HTTP/1.1\r\nhost: localhost\r\n",
    "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\ntoken=",
    "POST /hooks/wecom/jingxintai?msg_signature=0123456789012345678901234567890123456789&timestamp=1&nonce=1 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n<",
    "",
];

/// This many connections that send half of something, including those closed meanwhile.
fn slow(serving: &Serving, count: usize) -> Vec<TcpStream> {
    let address = serving.url.trim_start_matches("http://");
    let connect = |half: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        // A connection that had to give way fails here already, which is equally good.
        let _ = stream.write_all(half.as_bytes());
        stream
    };
    HALVES.iter().cycle().take(count).map(|half| connect(half)).collect()
}

#[test]
fn with_few_open_files_sixty_slow_connections_stop_no_run() {
    let site = Site::new(20, |tenant| tenant);
    assert_eq!(site.run(&["check"]).code, Some(0));
    let serving = Serving::start_with_files(&site.deployment, 64).unwrap();
    let slow = slow(&serving, 60);
    assert_eq!(serving.get("/healthz").unwrap().status, 200);
    let run = ask(&serving, "jingxintai", &json!({}));
    let ended = serving.wait("the run's end", || {
        let told = serving.data(&format!("/api/v1/runs/{run}")).ok()?;
        told["run"]["ended_at"].is_string().then(|| told["run"].clone())
    });
    let ended = ended.unwrap();
    assert_eq!(ended["state"], "done", "{ended}");
    site.exact();
    let log = serving.log().unwrap();
    assert!(!log.contains("open files"), "{log}");
    let (status, took) = serving.end().unwrap();
    assert!(status.success() && took < Duration::from_secs(10), "{status} {took:?}");
    drop(slow);
}

#[test]
fn a_thousand_slow_connections_delay_no_other_request() {
    let site = Site::new(3, |tenant| tenant);
    assert_eq!(site.run(&["check"]).code, Some(0));
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    let slow = slow(&serving, 900);
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(serving.get("/healthz").unwrap().status, 200);
            began.elapsed()
        })
        .collect();
    times.sort();
    // The promise is a quarter of a second; a machine that runs other tests too has four times that.
    assert!(times[197] < Duration::from_secs(1), "{:?}", times[197]);
    let (status, took) = serving.end().unwrap();
    assert!(status.success() && took < Duration::from_secs(10), "{status} {took:?}");
    drop(slow);
}

#[test]
fn slow_connections_pushes_and_viewers_at_once_delay_no_other_request() {
    let load = Load {
        people: 500,
        factories: 0,
        slow: 900,
        pushes: 200,
        viewers: 40,
        length: Duration::from_secs(8),
    };
    let loaded = load.run().unwrap();
    // `make load` checks a quarter of a second; here other tests use the cores too.
    assert!(loaded.health_p99() < Duration::from_secs(5), "{:?}", loaded.health_p99());
    assert!(loaded.pushes > 0 && !loaded.pages.is_empty(), "{} {}", loaded.pushes, loaded.pages.len());
    assert_eq!(loaded.created, 500);
    // No more memory than allowed, and within ten seconds.
    assert!(loaded.ended.unwrap().unwrap() < Duration::from_secs(10));
}

#[test]
fn half_a_request_is_not_waited_for_for_ever() {
    let site = Site::new(3, |tenant| tenant);
    assert_eq!(site.run(&["check"]).code, Some(0));
    let serving = Serving::start(&site.deployment, &[]).unwrap();
    for mut stream in slow(&serving, HALVES.len()) {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        assert!(ended.is_ok(), "{ended:?} {}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn a_server_for_others_must_name_people() {
    let site = Site::new(3, |tenant| tenant);
    let toml = site.deployment.path().join("ruzhi.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, format!("{text}[server]\nurl = \"https://ruzhi.example\"\n")).unwrap();
    let ended = site.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("`server.url` lets others reach ruzhi"), "{}", ended.stderr);
    assert!(ended.stderr.contains("token = { env = \"RUZHI_TOKEN\" }"), "{}", ended.stderr);
}

#[test]
fn too_many_open_files_are_named_and_the_settings_are_not_blamed() {
    let site = Site::new(3, |tenant| tenant);
    assert_eq!(site.run(&["check"]).code, Some(0));
    let mut told = 0;
    // Any of these may open the one file too many: store, cache, certificates, a connection to either service.
    for files in 10..28 {
        let plain = site.deployment.command(&["sync", "jingxintai"]).unwrap();
        let ended = finish(with_files(&plain, files)).unwrap();
        assert!(matches!(ended.code, Some(0 | 1)), "{files}: {ended:?}");
        for blamed in ["[jiandaoyun]", "[wecom]", "base_url"] {
            assert!(!ended.stderr.contains(blamed), "{files}: {}", ended.stderr);
        }
        if ended.stderr.contains("process.open_files") {
            assert!(ended.stderr.contains("Raise LimitNOFILE"), "{files}: {}", ended.stderr);
            told += 1;
        }
    }
    assert!(told > 0, "no number of files was too few for a connection");
    assert_eq!(site.run(&["sync", "jingxintai"]).code, Some(0));
}
