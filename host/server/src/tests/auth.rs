//! Access to the process.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use chrono::TimeDelta;

use super::{Answer, OPERATOR, Served, VIEWER, people, person};
use ruzhi_config::Role;

/// A browser, with its cookies.
struct Browser<'a> {
    served: &'a Served,
    session: Option<String>,
}

const LOGIN: &str = "/login";

impl<'a> Browser<'a> {
    fn new(served: &'a Served) -> Self {
        Self { served, session: None }
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header("accept", "text/html");
        match &self.session {
            Some(session) => {
                let cookie = format!("theme=dark; ruzhi_session={session}; __Host-ruzhi_session={session}");
                request.header("cookie", cookie)
            }
            None => request,
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        let answer = self.served.send("192.0.2.7", request).await;
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        let session = answer.cookie("ruzhi_session").or_else(|| answer.cookie("__Host-ruzhi_session"));
        if let Some(session) = session {
            self.session = Some(session).filter(|session| !session.is_empty());
        }
    }

    async fn form(&mut self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        for (name, value) in headers {
            request
                .headers_mut()
                .unwrap()
                .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let request = request.body(Body::from(form.to_owned())).unwrap();
        let answer = self.served.send("192.0.2.7", request).await;
        self.keep(&answer);
        answer
    }

    async fn log_in(&mut self, token: &str) -> Answer {
        self.form(LOGIN, &format!("token={token}&next=%2Fruns%3Fstate%3Dheld"), &[]).await
    }

    async fn csrf(&mut self) -> String {
        self.get("/api/v1/me").await.json()["csrf"].as_str().unwrap().to_owned()
    }
}

const PAUSE: &str = "/api/v1/tenants/acme/flows/onboarding/pause";

#[tokio::test]
async fn a_token_lets_in_its_owner_and_nothing_else_does() {
    let served = Served::by(people()).await;
    let me = served.get(VIEWER, "/api/v1/me").await;
    assert_eq!((me.json()["name"].as_str(), me.json()["role"].as_str()), (Some("李雷"), Some("viewer")));
    assert_eq!(me.json()["csrf"], serde_json::Value::Null);
    assert_eq!(served.get(OPERATOR, "/api/v1/me").await.json()["role"], "operator");
    for path in ["/api/v1/overview", "/api/v1/settings", "/api/v1/openapi.json", "/metrics", "/api/v1/no"] {
        for token in ["", "wrong", "operator-token-012345678"] {
            let answer = served.get(token, path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {token}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            assert_eq!(answer.code(), "access.unknown");
            // Five wrong tokens lock the address, which another test covers.
            served.after(TimeDelta::minutes(1));
        }
    }
    let request = Request::builder().uri("/metrics").header("authorization", format!("bearer {VIEWER}"));
    let answer = served.send("192.0.2.7", request.body(Body::empty()).unwrap()).await;
    assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "the scheme's name has no case");
}

#[tokio::test]
async fn a_browser_is_led_to_the_login_page_and_from_there_to_where_it_wanted() {
    let served = Served::by(people()).await;
    let mut browser = Browser::new(&served);
    let led = browser.get("/runs?state=held").await;
    assert_eq!(
        (led.status, led.header("location")),
        (StatusCode::SEE_OTHER, "/login?next=%2Fruns%3Fstate%3Dheld")
    );
    let page = browser.get(led.header("location")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.dom().attributes("form input[name=next]", "value"),
        ["/runs?state=held"],
        "{}",
        page.body
    );
    let wrong = browser.log_in("wrong").await;
    assert_eq!((wrong.status, &browser.session), (StatusCode::UNAUTHORIZED, &None));
    let right = browser.log_in(OPERATOR).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/runs?state=held"));
    assert_eq!(browser.get("/api/v1/me").await.json()["name"], "韩梅梅");
    let audit = browser.get("/api/v1/audit").await.json();
    assert_eq!(audit["items"][0]["action"], "session.begin");
}

#[tokio::test]
async fn a_login_leads_nowhere_else() {
    let served = Served::by(people()).await;
    for elsewhere in [
        "%2F%2Fevil.example",
        "https%3A%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%2F%0D%0Aset-cookie%3Aa",
        "evil",
        "",
    ] {
        let mut browser = Browser::new(&served);
        let answer = browser.form(LOGIN, &format!("token={VIEWER}&next={elsewhere}"), &[]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_session_s_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let served = Served::by(people()).await;
    let mut browser = Browser::new(&served);
    let cookie = browser.log_in(VIEWER).await.header("set-cookie").to_owned();
    let first = browser.session.clone().unwrap();
    assert_eq!(first.len(), 64);
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    served.settings_become(|config| config.server.url = Some("https://ruzhi.example".parse().unwrap()));
    let cookie = browser.log_in(VIEWER).await.header("set-cookie").to_owned();
    assert!(cookie.contains("Secure"), "{cookie}");
    assert_ne!(browser.session.as_ref(), Some(&first));
    let mut before = Browser { served: &served, session: Some(first) };
    assert_eq!(before.get("/api/v1/me").await.status, StatusCode::UNAUTHORIZED, "the one before has ended");
}

#[tokio::test]
async fn a_session_ends_by_logging_out_and_only_its_own_page_can_do_that() {
    let served = Served::by(people()).await;
    let mut browser = Browser::new(&served);
    browser.log_in(VIEWER).await;
    let held = browser.session.clone();
    assert_eq!(browser.form("/logout", "", &[]).await.status, StatusCode::FORBIDDEN);
    let csrf = browser.csrf().await;
    let out = browser.form("/logout", &format!("csrf={csrf}"), &[]).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert_eq!(browser.session, None);
    let mut again = Browser { served: &served, session: held };
    assert_eq!(again.get("/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_after_a_while_and_with_the_person_or_their_token() {
    let served = Served::by(people()).await;
    let mut browser = Browser::new(&served);
    let status = |answer: Answer| answer.status;
    browser.log_in(OPERATOR).await;
    served.after(TimeDelta::hours(2));
    assert_eq!(status(browser.get("/api/v1/me").await), StatusCode::UNAUTHORIZED);
    browser.log_in(OPERATOR).await;
    served.people_become(vec![person("韩梅梅", Role::Viewer, OPERATOR)]);
    assert_eq!(
        browser.get("/api/v1/me").await.json()["role"],
        "viewer",
        "what they may do is what the files say now"
    );
    served.people_become(vec![person("韩梅梅", Role::Operator, "another-token-0123456789")]);
    assert_eq!(status(browser.get("/api/v1/me").await), StatusCode::UNAUTHORIZED);
    served.people_become(people());
    assert_eq!(status(browser.get("/api/v1/me").await), StatusCode::UNAUTHORIZED, "it does not come back");
    browser.log_in(OPERATOR).await;
    served.people_become(vec![person("李雷", Role::Viewer, VIEWER)]);
    assert_eq!(status(browser.get("/api/v1/me").await), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_changes_something_comes_from_a_page_of_the_session() {
    let mut served = Served::by(people()).await;
    let asked = served.agreeing();
    let mut browser = Browser::new(&served);
    browser.log_in(OPERATOR).await;
    let csrf = browser.csrf().await;
    let other = {
        let mut other = Browser::new(&served);
        other.log_in(OPERATOR).await;
        other.csrf().await
    };
    for (form, headers) in [
        (String::new(), vec![]),
        (format!("csrf={other}"), vec![]),
        (format!("csrf={}", &csrf[1..]), vec![]),
        (format!("csrf={csrf}"), vec![("sec-fetch-site", "cross-site")]),
        (format!("csrf={csrf}"), vec![("sec-fetch-site", "same-site")]),
        (format!("csrf={csrf}"), vec![("origin", "https://evil.example")]),
        (format!("csrf={csrf}"), vec![("origin", "null")]),
        (format!("csrf={csrf}"), vec![("origin", "http://localhost:7081")]),
        (String::new(), vec![("x-csrf-token", other.as_str())]),
        (format!("csrf={csrf}"), vec![("content-type", "text/plain")]),
    ] {
        let answer = browser.form(PAUSE, &form, &headers).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::FORBIDDEN, "access.forged"),
            "{form} {headers:?}"
        );
    }
    assert!(asked.lock().unwrap().is_empty());
    let right = [
        ("origin", "http://localhost:7080"),
        ("x-csrf-token", csrf.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(browser.form(PAUSE, "{\"why\":\"盘点\"}", &right).await.status, StatusCode::OK);
    assert_eq!(*asked.lock().unwrap(), ["韩梅梅 pauses acme/onboarding: 盘点"]);
}

#[tokio::test]
async fn a_login_from_another_site_is_refused() {
    let served = Served::by(people()).await;
    let mut browser = Browser::new(&served);
    let answer = browser.form(LOGIN, &format!("token={VIEWER}"), &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!((answer.status, &browser.session), (StatusCode::FORBIDDEN, &None));
}

#[tokio::test]
async fn after_five_wrong_tokens_an_address_waits_at_the_door_and_a_program_with_a_right_one_does_not() {
    let served = Served::by(people()).await;
    let mut browser = Browser::new(&served);
    browser.log_in(VIEWER).await;
    for _ in 0..3 {
        assert_eq!(Browser::new(&served).log_in("wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    for _ in 0..2 {
        assert_eq!(served.get("wrong", "/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
    }
    let page = Browser::new(&served).log_in(VIEWER).await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
    let api = served.get("wrong", "/api/v1/me").await;
    assert_eq!((api.status, api.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "access.too_often"));
    assert_eq!(
        served.get(OPERATOR, "/api/v1/me").await.status,
        StatusCode::OK,
        "a program that knows its token"
    );
    assert_eq!(browser.get("/api/v1/me").await.status, StatusCode::OK, "a session is not touched");
    let request = Request::builder().uri("/api/v1/me").header("authorization", format!("Bearer {VIEWER}"));
    let elsewhere = served.send("192.0.2.8", request.body(Body::empty()).unwrap()).await;
    assert_eq!(elsewhere.status, StatusCode::OK);
    served.after(TimeDelta::seconds(60));
    assert_eq!(Browser::new(&served).log_in(VIEWER).await.status, StatusCode::SEE_OTHER);
}

/// A request to a process without configured people.
async fn alone(served: &Served, from: &str, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served.send(from, request.body(Body::from("{}")).unwrap()).await
}

#[tokio::test]
async fn without_people_this_machine_is_answered_under_its_own_name_and_nothing_else_is() {
    let served = Served::by(Vec::new()).await;
    served.settings_become(|config| config.server.url = Some("http://ruzhi.intern:7080".parse().unwrap()));
    for host in [
        "localhost",
        "LOCALHOST:7080",
        "127.0.0.1:7080",
        "127.3.2.1",
        "[::1]:7080",
        "ruzhi.intern",
        "Ruzhi.intern:80",
    ] {
        let answer = alone(&served, "127.0.0.1", Method::GET, "/api/v1/me", &[("host", host)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{host}");
        assert_eq!((&answer.json()["name"], &answer.json()["role"]), (&"local".into(), &"operator".into()));
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.7",
        "",
        "localhost:port",
        "127.0.0.1:80:80",
    ] {
        let answer = alone(&served, "127.0.0.1", Method::GET, "/api/v1/me", &[("host", host)]).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::MISDIRECTED_REQUEST, "access.elsewhere"),
            "{host}"
        );
    }
    for from in ["192.0.2.7", "[2001:db8::1]"] {
        let answer = alone(&served, from, Method::GET, "/api/v1/me", &[]).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{from}");
    }
    let proxied = [("x-forwarded-for", "127.0.0.1")];
    let answer = alone(&served, "127.0.0.1", Method::GET, "/api/v1/me", &proxied).await;
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "a proxy may speak for anyone");
}

#[tokio::test]
async fn without_people_a_page_elsewhere_cannot_act_through_the_browser_of_this_machine() {
    let mut served = Served::by(Vec::new()).await;
    let asked = served.agreeing();
    let first = alone(&served, "127.0.0.1", Method::GET, "/api/v1/me", &[]).await;
    let (session, csrf) =
        (first.cookie("ruzhi_session").unwrap(), first.json()["csrf"].as_str().unwrap().to_owned());
    let cookie = format!("ruzhi_session={session}");
    let act = async |headers: &[(&str, &str)]| {
        alone(&served, "127.0.0.1", Method::POST, PAUSE, headers).await.status
    };
    for headers in [
        [("cookie", cookie.as_str()), ("accept", "*/*")],
        [("origin", "http://evil.example"), ("content-type", "application/json")],
        [("sec-fetch-site", "cross-site"), ("content-type", "application/json")],
        [("content-type", "text/plain"), ("accept", "*/*")],
        [("content-type", "application/x-www-form-urlencoded"), ("accept", "*/*")],
        [("cookie", "ruzhi_session=00"), ("origin", "http://localhost:7080")],
    ] {
        assert_eq!(act(&headers).await, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert!(asked.lock().unwrap().is_empty());
    assert_eq!(act(&[("cookie", &cookie), ("x-csrf-token", &csrf)]).await, StatusCode::OK);
    assert_eq!(
        act(&[("content-type", "application/json")]).await,
        StatusCode::OK,
        "a program of this machine"
    );
    assert_eq!(asked.lock().unwrap().len(), 2);
    served.people_become(people());
    let late = alone(&served, "127.0.0.1", Method::GET, "/api/v1/me", &[("cookie", &cookie)]).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED, "people are configured now");
}

#[tokio::test]
async fn every_answer_keeps_the_browser_safe() {
    let served = Served::full().await;
    for (token, path) in
        [("", "/login"), (VIEWER, "/api/v1/overview"), ("", "/api/v1/overview"), (VIEWER, "/api/v1/no")]
    {
        let answer = served.get(token, path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|said| said == part), "{path}: {part} is not in {policy}");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"));
    }
}

#[tokio::test]
async fn a_visitor_reads_in_the_language_they_chose_or_else_their_browser_s() {
    let served = Served::by(people()).await;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let bearer = format!("Bearer {VIEWER}");
        let mut headers = headers.to_vec();
        headers.push(("authorization", &bearer));
        alone(&served, "192.0.2.7", Method::GET, path, &headers).await
    };
    let lang = |answer: &Answer| answer.json()["lang"].as_str().unwrap().to_owned();
    assert_eq!(lang(&ask("/api/v1/me", &[("accept-language", "zh-CN,en;q=0.5")]).await), "zh");
    assert_eq!(lang(&ask("/api/v1/me", &[]).await), "en");
    let chosen = ask("/api/v1/me?lang=zh", &[("accept-language", "en")]).await;
    assert_eq!((lang(&chosen).as_str(), chosen.cookie("ruzhi_lang").as_deref()), ("zh", Some("zh")));
    assert_eq!(
        lang(&ask("/api/v1/me", &[("cookie", "ruzhi_lang=zh"), ("accept-language", "en")]).await),
        "zh"
    );
    assert_eq!(ask("/api/v1/me?lang=fr", &[]).await.cookie("ruzhi_lang"), None);
}
