//! The log for collectors: one JSON object a line, each readable alone, without personal data.

use std::collections::BTreeSet;

use ruzhi_e2e::{Deployment, Tenant, finish, simulator};
use ruzhi_sim::factory::{API_KEY, Factory, SECRET};
use ruzhi_sim::{FaultKind, FaultRule, Faults};
use serde_json::Value;

/// Every value of a member's row that no log may contain, in each possible spelling.
fn private(factory: &Factory) -> BTreeSet<String> {
    let mut private = BTreeSet::new();
    let mut add = |text: &str| {
        // A text of one or two bytes would be found anywhere.
        if text.len() > 3 {
            private.insert(text.to_owned());
        }
    };
    for member in factory.members().values() {
        add(&member.name);
        add(&member.email);
        let digits: String = member.mobile.chars().filter(char::is_ascii_digit).collect();
        add(&digits);
        add(digits.strip_prefix("86").unwrap_or(&digits));
    }
    private
}

#[tokio::test]
async fn every_line_is_json_with_a_message_and_holds_nothing_private() {
    let factory = Factory::builder(57, 80).hostile(30).build();
    let simulator = simulator(&factory).await.unwrap();
    simulator.set_faults(Faults {
        seed: 57,
        rules: vec![
            FaultRule::new(FaultKind::ResetAfter).per_mille(60),
            FaultRule::new(FaultKind::RevokeToken).per_mille(50),
            FaultRule::new(FaultKind::BadGatewayBefore).per_mille(50),
        ],
    });
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let mut logged = String::new();
    for arguments in
        [&["sync", "jingxintai"][..], &["sync", "jingxintai", "--full"], &["drift", "jingxintai"]]
    {
        let mut command = deployment.command(arguments).unwrap();
        command.env("RUZHI_LOG", "trace").env("RUZHI_LOG_FORMAT", "json");
        let outcome = finish(command).unwrap();
        assert!(!outcome.stderr.is_empty(), "{}", outcome.stdout);
        logged.push_str(&outcome.stderr);
    }

    let mut messages = BTreeSet::new();
    for text in logged.lines().filter(|line| line.starts_with('{')) {
        let line: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let message = line["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "no message in {text}");
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{text}");
        if line.get("wecom.api").is_some() || line.get("record.id").is_some() {
            for field in ["tenant.id", "flow.id", "run.id"] {
                assert!(line[field].is_string(), "no `{field}` in {text}");
            }
        }
        messages.insert(message.to_owned());
    }
    for message in [
        "run began",
        "run entered its stage collect",
        "run entered its stage apply",
        "planned",
        "called WeCom",
        "called JianDaoYun",
        "record rejected",
        "run ended",
    ] {
        assert!(messages.contains(message), "`{message}` was not logged; these were: {messages:#?}");
    }

    let private = private(&factory);
    assert!(private.len() > 100, "{} things to look for", private.len());
    let tokens = simulator.tokens();
    let secrets = tokens.iter().map(String::as_str).chain([SECRET, API_KEY]);
    for text in secrets.chain(private.iter().map(String::as_str)) {
        let line = logged.lines().filter(|line| line.starts_with('{')).find(|line| line.contains(text));
        assert!(line.is_none(), "`{text}` stands in the log: {line:?}");
    }
}

#[tokio::test]
async fn text_is_what_a_person_gets_unless_they_ask() {
    let factory = Factory::builder(58, 5).hostile(0).build();
    let simulator = simulator(&factory).await.unwrap();
    let deployment = Deployment::new(&[Tenant::new(&simulator.url())]).unwrap();
    let mut command = deployment.command(&["sync", "jingxintai"]).unwrap();
    command.env("RUZHI_LOG", "info");
    let outcome = finish(command).unwrap();
    assert!(outcome.stderr.contains("run ended"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("{\""), "{}", outcome.stderr);
}
