//! The moment until which a decision holds, for any text a guest gives.

use super::*;

const TOMORROW: &str = "2026-05-01T16:00:00.000Z";

fn told(until: Option<&str>) -> Outcome {
    let outcome = Outcome { holds_until: until.map(str::to_owned), ..ignored("x") };
    answering(&Memory::answer(&[outcome])).decide(&context(), &records(1)).unwrap().remove(0)
}

#[test]
fn a_moment_to_come_is_kept_to_the_millisecond_and_none_is_for_ever() {
    assert_eq!(told(None).holds_until, None);
    for (said, kept) in [
        ("2026-05-01T08:00:00.001Z", "2026-05-01T08:00:00.001Z"),
        ("2026-06-30T17:00:00+08:00", "2026-06-30T09:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ] {
        let outcome = told(Some(said));
        assert_eq!((outcome.holds_until.as_deref(), outcome.notes), (Some(kept), vec![]), "{said}");
    }
}

/// Such a row would be due again as soon as it was decided.
#[test]
fn a_moment_that_has_passed_or_is_none_is_the_end_of_the_day_and_a_remark() {
    let long = "9".repeat(10_000);
    for said in ["2026-05-01T08:00:00Z", "1970-01-01T00:00:00Z", "", "soon", "2026-05-01", "\u{1b}[2J", &long]
    {
        let outcome = told(Some(said));
        assert_eq!(outcome.holds_until.as_deref(), Some(TOMORROW), "{said:.20}");
        assert!(outcome.notes[0].contains("no later moment") && outcome.notes[0].len() < 400, "{outcome:?}");
        assert!(!outcome.notes[0].chars().any(char::is_control));
    }
}
