//! Every fault as the client sees it, and the service's state afterwards.

use std::io::{ErrorKind, Read, Write};

use reqwest::Method;
use ruzhi_sim::{FaultKind, FaultRule, Faults, Service as Of};
use serde_json::{Value, json};

use crate::service::{APP, CORP, ENTRY, Service, person};

fn next(kind: FaultKind, api: &str, count: u64) -> Faults {
    Faults { seed: 1, rules: vec![FaultRule::new(kind).api(api).next(count)] }
}

async fn create(service: &Service, userid: &str) -> reqwest::Result<reqwest::Response> {
    let mobile = format!("138{:08}", service.simulator.members(CORP).len());
    service.send(Method::POST, &service.path("user/create"), Some(person(userid, &mobile))).await
}

#[tokio::test]
async fn before_means_nothing_was_done_and_after_means_it_was() {
    let service = Service::start().await;
    let cases = [
        (FaultKind::ResetBefore, false),
        (FaultKind::ResetAfter, true),
        (FaultKind::BadGatewayBefore, false),
        (FaultKind::BadGatewayAfter, true),
        (FaultKind::BusyBefore, false),
        (FaultKind::BusyAfter, true),
        (FaultKind::VersionConflict, false),
        (FaultKind::TooConcurrent, false),
        (FaultKind::Truncated, true),
    ];
    for (place, (kind, committed)) in cases.into_iter().enumerate() {
        service.simulator.set_faults(next(kind, "user/create", 1));
        let userid = format!("E{place}");
        let answer = create(&service, &userid).await;
        let seen = match answer {
            Err(_) => "no answer".to_owned(),
            Ok(answer) => {
                let status = answer.status().as_u16();
                match answer.json::<Value>().await {
                    Ok(body) => format!("{status} {}", body["errcode"]),
                    Err(_) => format!("{status} no JSON"),
                }
            }
        };
        let expected = match kind {
            FaultKind::ResetBefore | FaultKind::ResetAfter => "no answer",
            FaultKind::BadGatewayBefore | FaultKind::BadGatewayAfter => "502 no JSON",
            FaultKind::BusyBefore | FaultKind::BusyAfter => "200 -1",
            FaultKind::VersionConflict => "200 6000",
            FaultKind::TooConcurrent => "200 45033",
            _ => "200 no JSON",
        };
        assert_eq!(seen, expected, "{kind:?}");
        let exists = service.simulator.members(CORP).contains_key(&userid.to_lowercase());
        assert_eq!(exists, committed, "{kind:?}");
        let again: Value = create(&service, &userid).await.unwrap().json().await.unwrap();
        assert_eq!(again["errcode"], if committed { 60102 } else { 0 }, "{kind:?}");
    }
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_request_that_is_held_is_carried_out_when_it_is_released_and_never_answered() {
    let service = Service::start().await;
    for (kind, before) in [(FaultKind::StallBefore, true), (FaultKind::StallAfter, false)] {
        service.simulator.set_faults(next(kind, "user/create", 1));
        let stalled = service.simulator.stalled();
        let userid = format!("E{before}");
        let waiting = create(&service, &userid);
        let noticed = async {
            while service.simulator.stalled() == stalled {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = waiting => panic!("{kind:?} was answered"),
            () = noticed => {}
        }
        assert!(service.simulator.wait_for_stall(stalled, std::time::Duration::ZERO));
        let there = || service.simulator.members(CORP).contains_key(&userid.to_lowercase());
        assert_eq!(there(), !before, "{kind:?}");
        assert_eq!(service.simulator.release(), usize::from(before));
        assert!(there());
    }
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_refusal_has_the_code_it_is_given() {
    let service = Service::start().await;
    let rule = FaultRule::refused(60020).api("user/create").next(1);
    service.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    let answer: Value = create(&service, "E1").await.unwrap().json().await.unwrap();
    assert_eq!(answer["errcode"], 60020);
    assert!(service.simulator.members(CORP).is_empty());
}

#[tokio::test]
async fn a_lost_answer_closes_the_socket_without_a_byte() {
    let service = Service::start().await;
    service.simulator.set_faults(next(FaultKind::ResetAfter, "user/create", 1));
    let address = service.simulator.url().replace("http://", "");
    let mut socket = std::net::TcpStream::connect(&address).unwrap();
    let body = person("E1", "13800138000").to_string();
    let path = service.path("user/create");
    write!(socket, "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .unwrap();
    let mut seen = Vec::new();
    let ended = socket.read_to_end(&mut seen);
    assert!(seen.is_empty(), "{}", String::from_utf8_lossy(&seen));
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(service.simulator.members(CORP).len(), 1);
}

#[tokio::test]
async fn a_rate_fault_closes_the_api_for_its_window() {
    let service = Service::start().await;
    service.simulator.freeze(true);
    let mut rule = FaultRule::new(FaultKind::RateLimited).api("user/create").next(1);
    rule.window_ms = 5000;
    service.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    let code = |answer: Value| answer["errcode"].as_i64().unwrap();
    assert_eq!(code(create(&service, "E1").await.unwrap().json().await.unwrap()), 45009);
    service.simulator.advance_ms(4999);
    assert_eq!(code(create(&service, "E1").await.unwrap().json().await.unwrap()), 45009);
    service.simulator.advance_ms(1);
    assert_eq!(code(create(&service, "E1").await.unwrap().json().await.unwrap()), 0);
}

#[tokio::test]
async fn a_revoked_token_ends_and_a_new_one_is_given() {
    let service = Service::start().await;
    let mut rule = FaultRule::new(FaultKind::RevokeToken);
    rule.every = 3;
    service.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    let mut token = service.token_of("sync-secret").await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        let answer = service.get(&format!("/cgi-bin/department/simplelist?access_token={token}")).await;
        codes.push(answer["errcode"].as_i64().unwrap());
        if answer["errcode"] != 0 {
            let next = service.token_of("sync-secret").await;
            assert_ne!(next, token);
            token = next;
        }
    }
    assert_eq!(codes, [0, 0, 40014, 0, 0, 42001]);
    service.simulator.set_faults(Faults::default());
    assert_eq!(service.read("department/simplelist", "").await["errcode"], 40014, "a revoked token stays so");
}

#[tokio::test]
async fn an_errcode_may_be_a_string_and_a_success_may_carry_a_warning() {
    let service = Service::start().await;
    service.simulator.set_faults(next(FaultKind::StringErrcode, "user/create", 1));
    let answer: Value = create(&service, "E1").await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "errcode": "0", "errmsg": "created" }));
    service.simulator.set_faults(next(FaultKind::Warning, "user/create", 1));
    let answer: Value = create(&service, "E2").await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "errcode": 0, "errmsg": "created. Warning: wrong json format. " }));
    service.simulator.assert_understood();
}

#[tokio::test]
async fn jiandaoyun_has_its_own_faults() {
    let rows: Value = (0..10).map(|number| json!({ "flowState": number % 2 })).collect();
    let service = Service::with_form(json!([]), rows).await;
    let body = json!({ "app_id": APP, "entry_id": ENTRY });
    for (kind, code) in [(FaultKind::CompanyLimited, 8303), (FaultKind::EndpointLimited, 8304)] {
        service.simulator.set_faults(next(kind, "data/list", 1));
        let (status, answer) = service.ask("/v5/app/entry/data/list", body.clone()).await;
        assert_eq!((status, answer["code"].as_i64()), (400, Some(code)));
    }
    for (kind, count) in [(FaultKind::ShortPage, 5), (FaultKind::EmptyPage, 0)] {
        service.simulator.set_faults(next(kind, "data/list", 1));
        assert_eq!(service.listed(json!({ "limit": 10 })).await.len(), count);
        assert_eq!(service.listed(json!({ "limit": 10 })).await.len(), 10);
    }
    for (kind, status) in [(FaultKind::TooManyRequests, 429), (FaultKind::BadGatewayBefore, 502)] {
        service.simulator.set_faults(next(kind, "data/list", 1));
        let answer =
            service.send(Method::POST, "/api/v5/app/entry/data/list", Some(body.clone())).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert!(answer.json::<Value>().await.is_err());
    }
    service.simulator.set_faults(next(FaultKind::ResetBefore, "data/list", 1));
    assert!(service.send(Method::POST, "/api/v5/app/entry/data/list", Some(body)).await.is_err());
}

#[tokio::test]
async fn chance_follows_from_the_seed_and_hits_its_share() {
    let service = Service::start().await;
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let rule = FaultRule::new(FaultKind::BusyBefore).service(Of::WeCom).per_mille(200);
        service.simulator.set_faults(Faults { seed, rules: vec![rule] });
        let mut hit = Vec::new();
        for _ in 0..200 {
            hit.push(service.read("department/simplelist", "").await["errcode"] == -1);
        }
        runs.push(hit);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let hits = runs[0].iter().filter(|hit| **hit).count();
    assert!((20..=60).contains(&hits), "{hits} of 200");
}

#[tokio::test]
async fn a_rule_picks_its_requests() {
    let service = Service::start().await;
    let mut rule = FaultRule::new(FaultKind::VersionConflict).next(1);
    rule.skip = 1;
    rule.containing = Some("E7".to_owned());
    service.simulator.set_faults(Faults { seed: 0, rules: vec![rule] });
    let mut codes = Vec::new();
    for userid in ["E1", "E7", "E7", "E7", "E8"] {
        let answer: Value = create(&service, userid).await.unwrap().json().await.unwrap();
        codes.push(answer["errcode"].as_i64().unwrap());
    }
    assert_eq!(codes, [0, 0, 6000, 60102, 0]);
}
