//! Access behind a proxy, and requests that pages of other sites make a browser send.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, Version};
use chrono::TimeDelta;

use super::roles::{every_route, filled};
use super::{Answer, OPERATOR, Served, VIEWER, people};

/// A request with headers, from an address.
async fn ask(served: &Served, from: &str, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served.send(from, request.body(Body::empty()).unwrap()).await
}

/// A login with a token.
async fn log_in(served: &Served, from: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::post("/login").header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served.send(from, request.body(Body::from(format!("token={token}"))).unwrap()).await
}

#[tokio::test]
async fn an_address_behind_a_trusted_proxy_waits_alone() {
    let served = Served::by(people()).await;
    let networks = ["10.0.0.0/24", "127.0.0.1/32"].map(|network| network.parse().unwrap());
    served.settings_become(|config| config.server.trusted_proxies = networks.into());
    // The nearest proxy lists another proxy, which lists the person; entries by the person may be forged.
    let guessing = [("x-forwarded-for", "203.0.113.9, 192.0.2.1, 10.0.0.7")];
    for _ in 0..5 {
        assert_eq!(log_in(&served, "10.0.0.5", "wrong", &guessing).await.status, StatusCode::UNAUTHORIZED);
    }
    for invented in ["198.51.100.1, 192.0.2.1", "192.0.2.1", "x, 192.0.2.1:40000"] {
        let answer = log_in(&served, "10.0.0.5", OPERATOR, &[("x-forwarded-for", invented)]).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{invented}");
    }
    let another = log_in(&served, "10.0.0.5", OPERATOR, &[("x-forwarded-for", "192.0.2.2")]).await;
    assert_eq!(another.status, StatusCode::SEE_OTHER);
    let rows = served.get(VIEWER, "/api/v1/audit").await.json();
    assert_eq!(rows["items"][0]["origin"], "page 192.0.2.2");
    // An address that is not trusted cannot speak for another.
    for _ in 0..5 {
        log_in(&served, "192.0.2.3", "wrong", &[("x-forwarded-for", "192.0.2.4")]).await;
    }
    let named = log_in(&served, "192.0.2.4", OPERATOR, &[]).await;
    assert_eq!(named.status, StatusCode::SEE_OTHER, "they were never here");
    assert_eq!(log_in(&served, "192.0.2.3", OPERATOR, &[]).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn behind_a_proxy_that_names_no_clients_wrong_tokens_lock_none_out() {
    let served = Served::by(people()).await;
    for _ in 0..50 {
        log_in(&served, "127.0.0.1", "wrong", &[]).await;
    }
    let wrong = log_in(&served, "127.0.0.1", "wrong", &[]).await;
    assert_eq!(wrong.status, StatusCode::TOO_MANY_REQUESTS, "a guesser waits");
    assert_eq!(log_in(&served, "127.0.0.1", OPERATOR, &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn behind_tls_a_session_is_a_cookie_of_this_host_alone() {
    let served = Served::by(people()).await;
    let tls = [("x-forwarded-proto", "https"), ("x-forwarded-for", "192.0.2.7")];
    let answer = log_in(&served, "127.0.0.1", OPERATOR, &tls).await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-ruzhi_session="), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.split("; ").any(|said| said == attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let session = answer.cookie("__Host-ruzhi_session").unwrap();
    let me = async |cookie: &str| {
        let headers = [tls[0], tls[1], ("cookie", cookie)];
        ask(&served, "127.0.0.1", Method::GET, "/api/v1/me?lang=zh", &headers).await
    };
    let known = me(&format!("__Host-ruzhi_session={session}")).await;
    assert_eq!(known.status, StatusCode::OK);
    assert!(known.header("set-cookie").contains("; Secure"), "the language's too: {known:?}");
    let planted = me(&format!("ruzhi_session={session}")).await.status;
    assert_eq!(planted, StatusCode::UNAUTHORIZED, "another host could have set this one");
    // An untrusted sender cannot claim an encrypted connection.
    let plain = log_in(&served, "192.0.2.7", OPERATOR, &tls[..1]).await;
    assert!(plain.cookie("ruzhi_session").is_some(), "{plain:?}");
}

#[tokio::test]
async fn without_people_a_proxy_that_says_nothing_is_told_by_how_it_speaks() {
    let served = Served::by(Vec::new()).await;
    let request = || Request::get("/api/v1/me").header("host", "127.0.0.1:7080");
    let old = request().version(Version::HTTP_10).body(Body::empty()).unwrap();
    let answer = served.send("127.0.0.1", old).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::MISDIRECTED_REQUEST, "access.elsewhere")
    );
    let now = served.send("127.0.0.1", request().body(Body::empty()).unwrap()).await;
    assert_eq!(now.status, StatusCode::OK);
}

#[tokio::test]
async fn without_people_a_page_elsewhere_is_shown_nothing_and_leaves_no_trace() {
    let served = Served::by(Vec::new()).await;
    let get = async |path: &str, headers: &[(&str, &str)]| {
        ask(&served, "127.0.0.1", Method::GET, path, headers).await
    };
    let mine = get("/api/v1/me", &[("sec-fetch-site", "none")]).await;
    let cookie = format!("ruzhi_session={}", mine.cookie("ruzhi_session").unwrap());
    let reveal = "/api/v1/quarantine?reveal=true";
    for headers in [
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
        vec![("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
        vec![("sec-fetch-site", "same-site"), ("cookie", cookie.as_str())],
        vec![("referer", "https://evil.example/page")],
        vec![("origin", "null")],
        vec![("origin", "http://localhost:8000")],
    ] {
        for path in [reveal, "/", "/api/v1/me"] {
            let answer = get(path, &headers).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert!(answer.cookie("ruzhi_session").is_none(), "{path} {headers:?}");
        }
        assert_eq!(get(reveal, &headers).await.code(), "access.foreign", "{headers:?}");
    }
    let rows = get("/api/v1/audit", &[("sec-fetch-site", "same-origin")]).await.json();
    assert_eq!(rows["items"], serde_json::json!([]));
    let here = get("/api/v1/me", &[("referer", "http://localhost:7080/runs")]).await;
    assert_eq!(here.status, StatusCode::OK, "an old browser on a page of ours");
}

/// Denials of access at every address of the API. That the document lists each is checked where the tests send requests.
#[tokio::test]
async fn every_address_of_the_api_denies_access_alike() {
    let served = Served::full().await;
    let session = log_in(&served, "192.0.2.7", OPERATOR, &[]).await.cookie("ruzhi_session").unwrap();
    let cookie = format!("ruzhi_session={session}");
    let forged = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
    let wrong = [("authorization", "Bearer wrong")];
    let routes = every_route();
    for (method, path, _) in &routes {
        let there = filled(&served, path).await;
        let denied = async |headers: &[(&str, &str)]| {
            let answer = ask(&served, "192.0.2.7", method.clone(), &there, headers).await;
            (answer.status, answer.code())
        };
        let is_safe = *method == Method::GET;
        let other_site = if is_safe { "access.foreign" } else { "access.forged" };
        assert_eq!(denied(&forged).await, (StatusCode::FORBIDDEN, other_site.to_owned()), "{path}");
        for _ in 0..5 {
            let unknown = (StatusCode::UNAUTHORIZED, "access.unknown".to_owned());
            assert_eq!(denied(&wrong).await, unknown, "{path}");
        }
        let too_often = (StatusCode::TOO_MANY_REQUESTS, "access.too_often".to_owned());
        assert_eq!(denied(&wrong).await, too_often, "{path}");
        served.after(TimeDelta::minutes(1));
    }
    let mut paths = Vec::new();
    for (method, path, _) in routes {
        paths.push((method, filled(&served, &path).await));
    }
    served.people_become(Vec::new());
    for (method, there) in paths {
        let answer = ask(&served, "192.0.2.7", method, &there, &[]).await;
        let elsewhere = (StatusCode::MISDIRECTED_REQUEST, "access.elsewhere".to_owned());
        assert_eq!((answer.status, answer.code()), elsewhere, "{there}");
    }
}

#[tokio::test]
async fn a_form_too_long_for_an_action_is_denied() {
    let served = Served::by(people()).await;
    let session = log_in(&served, "192.0.2.7", OPERATOR, &[]).await.cookie("ruzhi_session").unwrap();
    let request = Request::post("/api/v1/tenants/acme/flows/onboarding/pause")
        .header("cookie", format!("ruzhi_session={session}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("x".repeat(300 << 10)));
    let answer = served.send("192.0.2.7", request.unwrap()).await;
    let too_long = (StatusCode::PAYLOAD_TOO_LARGE, "access.too_long");
    assert_eq!((answer.status, answer.code().as_str()), too_long);
}

#[tokio::test]
async fn a_link_elsewhere_leads_to_a_page_and_to_no_data() {
    let served = Served::by(people()).await;
    let session = log_in(&served, "192.0.2.7", OPERATOR, &[]).await.cookie("ruzhi_session").unwrap();
    let cookie = format!("ruzhi_session={session}");
    let get = async |path: &str, accept: &str, mode: &str| {
        let headers = [
            ("cookie", cookie.as_str()),
            ("accept", accept),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-mode", mode),
        ];
        ask(&served, "192.0.2.7", Method::GET, path, &headers).await.status
    };
    assert_eq!(get("/runs", "text/html", "navigate").await, StatusCode::OK);
    for (path, accept, mode) in [
        ("/api/v1/quarantine?reveal=true", "text/html", "navigate"),
        ("/api/v1/quarantine?reveal=true", "*/*", "no-cors"),
        ("/runs", "image/avif,*/*", "no-cors"),
    ] {
        assert_eq!(get(path, accept, mode).await, StatusCode::FORBIDDEN, "{path} {mode}");
    }
}

#[tokio::test]
async fn a_path_that_names_another_server_is_a_path_here() {
    let served = Served::by(people()).await;
    let answer = served.get(VIEWER, "//evil.example/x").await;
    assert!(!answer.body.contains("//evil.example"), "{}", answer.body);
    let led = ask(&served, "192.0.2.7", Method::GET, "//evil.example/x", &[("accept", "text/html")]).await;
    let page = ask(&served, "192.0.2.7", Method::GET, led.header("location"), &[]).await;
    assert_eq!(page.dom().attributes("form input[name=next]", "value"), ["/"], "{}", page.body);
}

#[tokio::test]
async fn a_viewer_fills_neither_the_log_with_logins_nor_with_what_they_may_not_do() {
    let served = Served::by(people()).await;
    let rows = async |who: &str| {
        let log = served.get(OPERATOR, "/api/v1/audit?limit=500").await.json();
        log["items"].as_array().unwrap().iter().filter(|row| row["who"] == who).count()
    };
    for _ in 0..20 {
        assert_eq!(log_in(&served, "192.0.2.7", VIEWER, &[]).await.status, StatusCode::SEE_OTHER);
    }
    let more = log_in(&served, "192.0.2.7", VIEWER, &[]).await;
    assert_eq!((more.status, more.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "3600"));
    assert_eq!(rows("李雷").await, 20);
    assert_eq!(
        log_in(&served, "192.0.2.7", OPERATOR, &[]).await.status,
        StatusCode::SEE_OTHER,
        "each their own"
    );
    let path = "/api/v1/tenants/acme/flows/onboarding/pause";
    for _ in 0..100 {
        let answer = served.post(VIEWER, path, serde_json::json!({})).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "access.forbidden"));
    }
    assert_eq!(rows("李雷").await, 80);
    let last = served.get(OPERATOR, "/api/v1/audit?limit=1").await.json();
    assert_eq!(
        last["items"][0]["detail"],
        "further denials of this person in this hour are not written down"
    );
    served.after(TimeDelta::hours(1));
    served.post(VIEWER, path, serde_json::json!({})).await;
    assert_eq!(log_in(&served, "192.0.2.7", VIEWER, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(rows("李雷").await, 82);
}

#[tokio::test]
async fn a_client_without_a_token_sends_no_large_form() {
    let served = Served::by(people()).await;
    let answer = log_in(&served, "192.0.2.7", &"x".repeat(17 << 10), &[]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
