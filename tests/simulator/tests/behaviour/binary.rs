//! The program `ruzhi-sim`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use ruzhi_sim::LoadDocument;
use ruzhi_sim::factory::{API_KEY, APP_ID, ENTRY_ID, Factory};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ruzhi-sim");

#[tokio::test]
async fn it_says_where_it_listens_serves_a_factory_and_ends_with_its_input() {
    let ready = std::env::temp_dir().join(format!("ruzhi-sim-ready-{}", std::process::id()));
    let mut program = Command::new(PROGRAM)
        .args(["--factory", "40", "--until-stdin-closes", "--ready-file"])
        .arg(&ready)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap();
    let request = reqwest::Client::new()
        .post(format!("{url}/api/v5/app/entry/data/list"))
        .bearer_auth(API_KEY)
        .json(&json!({ "app_id": APP_ID, "entry_id": ENTRY_ID, "limit": 100 }));
    let listed: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["data"].as_array().unwrap().len(), 40);
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(&ready).unwrap(), url);
    std::fs::remove_file(ready).unwrap();
}

#[test]
fn it_prints_a_factory_that_can_be_loaded() {
    let printed = Command::new(PROGRAM).args(["factory", "--people", "50", "--seed", "9"]).output().unwrap();
    let document: LoadDocument = serde_json::from_slice(&printed.stdout).unwrap();
    let expected = Factory::new(9, 50).document();
    assert_eq!(serde_json::to_value(document).unwrap(), serde_json::to_value(expected).unwrap());
}

#[test]
fn it_says_when_it_cannot_listen() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let failed = Command::new(PROGRAM).args(["--listen", &address]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains(&format!("cannot listen on {address}")));
}
