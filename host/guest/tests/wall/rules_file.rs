//! Rules files built as bombs for the default guest.

use super::*;

/// The default guest under the limits of a real deployment.
fn member(rules: String) -> Result<Guest, GuestLoadError> {
    static MEMBER: LazyLock<Component> = LazyLock::new(|| {
        let engine = Engine::new(GuestLimits { slots: 4, ..GuestLimits::default() }).unwrap();
        ruzhi_guest_runtime::ComponentRegistry::new(engine, None).load(&built("member.wasm"), None).unwrap()
    });
    Guest::new(MEMBER.clone(), rules)
}

fn refused_rules(rules: String) -> GuestLoadError {
    let began = Instant::now();
    let error = member(rules).err().unwrap();
    assert!(began.elapsed() < GuestLimits::default().deadline * 5, "{:?}", began.elapsed());
    let text = error.text();
    for side in [&text.en, &text.zh] {
        assert!(side.len() < 40_000, "{} bytes are told", side.len());
    }
    assert!(["guest.configuration", "guest.describe"].contains(&error.code()), "{error}");
    error
}

#[test]
fn ten_megabytes_of_rules_are_refused_or_taken_in_time() {
    let letters = refused_rules("a".repeat(10 << 20));
    assert_eq!(letters.code(), "guest.configuration");
    let entry = r#"{"field":"position","type":"string","value":"{_widget_1}"},"#;
    let many = entry.repeat((10 << 20) / entry.len());
    refused_rules(format!(r#"{{"request":[{}]}}"#, many.trim_end_matches(',')));
    refused_rules(format!(r#"{{"request":[{{"field":"name","value":"{}"}}]}}"#, "x".repeat(10 << 20)));
}

#[test]
fn deeply_nested_rules_are_refused() {
    for open in ["[", "{\"a\":", "{\"request\":["] {
        let error = refused_rules(open.repeat(200_000));
        assert_eq!(error.code(), "guest.configuration", "{error}");
    }
}

/// Each field repeats the one before it ten times. A template may contain only fields of the row, so nothing
/// multiplies.
#[test]
fn templates_that_would_multiply_do_not() {
    let entry =
        |field: &str, value: &str| format!(r#"{{"field":"{field}","type":"string","value":"{value}"}}"#);
    let rules = format!(
        r#"{{"request":[{},{},{},{}]}}"#,
        entry("userid", "{u}"),
        entry("name", &"{name}".repeat(10)),
        entry("mobile", &"{m}".repeat(100_000)),
        entry("position", &"{position}".repeat(10)),
    );
    let Ok(guest) = member(rules) else { return };
    let json = format!(r#"{{"_id":"1","u":"a","name":"x","position":"y","m":"{}"}}"#, "1".repeat(10_000));
    let record = SourceRecord { id: "1".to_owned(), json };
    match guest.decide(&context(), &[record]) {
        Ok(outcomes) => assert!(matches!(outcomes[0].decision, Decision::Reject(_)), "{outcomes:?}"),
        Err(error) => {
            assert!(["guest.memory", "guest.deadline", "guest.trap"].contains(&error.code()), "{error}")
        }
    }
    the_others_go_on();
}
