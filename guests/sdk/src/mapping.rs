//! The trait a guest implements, and the frame that runs it.
//!
//! The frame gives every guest what the host asks of all: one outcome for each record in the same order, a text for
//! every failure, and no member that breaks a rule of WeCom. A guest's code sees one record at a time.

use crate::contract::{Context, Decision, Description, GuestError, Outcome, SourceRecord, Violation};
use crate::date::{self, Moment};
use crate::fault::Fault;
use crate::record::{Problems, Record};
use crate::rule;
use crate::zone::Zone;

/// A factory's rules.
pub trait Mapping {
    /// What a configuration says, read once for each batch.
    type Rules;

    /// Reads the flow's rules file, empty if the flow has none.
    ///
    /// # Errors
    /// An error of code `config.invalid` naming every problem and what to do about it.
    fn load(config: &str) -> Result<Self::Rules, GuestError>;

    /// What the guest is and which form fields it reads.
    fn describe(rules: &Self::Rules) -> Description;

    /// Decides one row. It is a pure function: the same rules, clock and record give the same outcome for ever.
    ///
    /// # Errors
    /// Why the row is refused, at least one reason.
    fn decide(rules: &Self::Rules, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems>;

    /// The form field that a WeCom field is filled from, if it is one. A member that breaks a rule of WeCom is refused
    /// in the name of this field, so that the clerk is told of the field of the form.
    fn source_of<'r>(rules: &'r Self::Rules, field: &str) -> Option<&'r str> {
        let _ = (rules, field);
        None
    }
}

/// The moment of the run and the tenant's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    now: Moment,
    zone: Zone,
}

impl Clock {
    /// Reads a context.
    ///
    /// # Errors
    /// `timezone.unknown`, `context.invalid`.
    pub fn new(context: &Context) -> Result<Self, GuestError> {
        let zone = Zone::named(&context.timezone)?;
        match date::parse(&context.now, &zone) {
            Ok(now) => Ok(Clock { now, zone }),
            Err(fault) => Err(GuestError { code: "context.invalid".to_owned(), message: fault.message }),
        }
    }

    /// The moment of the run, in the tenant's zone.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The tenant's time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }
}

impl Outcome {
    /// An outcome without remarks.
    pub fn new(decision: Decision) -> Self {
        Outcome { decision, notes: Vec::new() }
    }
}

/// What a guest says of itself under a configuration.
///
/// # Errors
/// As [`Mapping::load`].
pub fn describe<M: Mapping>(config: &str) -> Result<Description, GuestError> {
    M::load(config).map(|rules| M::describe(&rules))
}

/// Decides a batch: one outcome for each record, in the same order. A record that is no JSON object is refused, and a
/// member that breaks a rule of WeCom.
///
/// # Errors
/// As [`Mapping::load`] and [`Clock::new`].
pub fn decide<M: Mapping>(
    config: &str,
    context: &Context,
    records: &[SourceRecord],
) -> Result<Vec<Outcome>, GuestError> {
    let rules = M::load(config)?;
    let clock = Clock::new(context)?;
    Ok(records.iter().map(|record| decide_one::<M>(&rules, &clock, record)).collect())
}

fn decide_one<M: Mapping>(rules: &M::Rules, clock: &Clock, record: &SourceRecord) -> Outcome {
    let decided =
        Record::parse(record).map_err(Problems::from).and_then(|record| M::decide(rules, clock, &record));
    let problems = match decided {
        Ok(outcome) => {
            let broken = match &outcome.decision {
                Decision::Upsert(member) => rule::check(member),
                Decision::Leave(userid) => {
                    rule::userid(userid).err().map(|fault| fault.at("userid")).into_iter().collect()
                }
                Decision::Ignore(_) => Vec::new(),
                Decision::Reject(violations) if violations.is_empty() => vec![no_reason()],
                Decision::Reject(_) => Vec::new(),
            };
            if broken.is_empty() {
                return outcome;
            }
            Problems::of_member(broken)
        }
        Err(problems) if problems.is_empty() => no_reason().into(),
        Err(problems) => problems,
    };
    Outcome::new(Decision::Reject(problems.into_violations(|field| M::source_of(rules, field))))
}

fn no_reason() -> Violation {
    Fault::new(
        "guest.no-reason",
        "规则组件拒绝了该记录但没有说明原因，请联系规则的作者",
        "the rules refused this row and gave no reason. Ask their author",
    )
    .at("_id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Member;

    /// Answers what the row's `do` says.
    struct Parrot;

    impl Mapping for Parrot {
        type Rules = ();

        fn load(config: &str) -> Result<(), GuestError> {
            match config {
                "" => Ok(()),
                _ => Err(GuestError { code: "config.invalid".into(), message: "否 / no".into() }),
            }
        }

        fn describe((): &()) -> Description {
            Description {
                name: "parrot".into(),
                version: "1".into(),
                source_fields: Vec::new(),
                labels: Vec::new(),
            }
        }

        fn decide((): &(), _: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
            match record.text("do")?.as_str() {
                "upsert" => Ok(Outcome::new(Decision::Upsert(Box::default()))),
                "leave" => Ok(Outcome::new(Decision::Leave(record.text("userid")?))),
                "ignore" => Ok(Outcome::new(Decision::Ignore("无关 / not ours".into()))),
                "reject" => Ok(Outcome::new(Decision::Reject(Vec::new()))),
                _ => Err(Problems::default()),
            }
        }

        fn source_of<'r>((): &'r (), field: &str) -> Option<&'r str> {
            (field == "userid").then_some("_widget_1")
        }
    }

    fn context() -> Context {
        Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() }
    }

    fn answer(json: &str) -> Decision {
        let record = SourceRecord { id: "1".into(), json: json.into() };
        decide::<Parrot>("", &context(), &[record]).unwrap().remove(0).decision
    }

    fn rejected(json: &str) -> Vec<(String, String)> {
        match answer(json) {
            Decision::Reject(violations) => violations.into_iter().map(|v| (v.field, v.rule)).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn pair(field: &str, rule: &str) -> (String, String) {
        (field.to_owned(), rule.to_owned())
    }

    #[test]
    fn no_member_leaves_a_guest_that_breaks_a_rule() {
        assert_eq!(check_rules(), rejected(r#"{"do":"upsert"}"#));
        assert_eq!(rejected(r#"{"do":"leave","userid":"张三"}"#), [pair("_widget_1", "userid.charset")]);
        assert_eq!(answer(r#"{"do":"leave","userid":"zhangsan"}"#), Decision::Leave("zhangsan".into()));
    }

    fn check_rules() -> Vec<(String, String)> {
        let source = |field: String| if field == "userid" { "_widget_1".to_owned() } else { field };
        rule::check(&Member::default()).into_iter().map(|v| (source(v.field), v.rule)).collect()
    }

    #[test]
    fn a_refusal_always_has_a_reason() {
        assert_eq!(rejected(r#"{"do":"reject"}"#), [pair("_id", "guest.no-reason")]);
        assert_eq!(rejected("{}"), [pair("_id", "guest.no-reason")]);
        assert_eq!(rejected("[]"), [pair("_id", "row.not-json")]);
        assert_eq!(rejected(r#"{"do":{"name":"a.png"}}"#), [pair("do", "value.shape")]);
    }

    #[test]
    fn there_is_one_outcome_for_each_record_in_order() {
        let record = |json: &str| SourceRecord { id: "1".into(), json: json.into() };
        let records = [record(r#"{"do":"ignore"}"#), record("{"), record(r#"{"do":"leave","userid":"a"}"#)];
        let outcomes = decide::<Parrot>("", &context(), &records).unwrap();
        assert!(matches!(outcomes[0].decision, Decision::Ignore(_)));
        assert!(matches!(outcomes[1].decision, Decision::Reject(_)));
        assert_eq!(outcomes[2].decision, Decision::Leave("a".into()));
        assert_eq!(decide::<Parrot>("", &context(), &[]).unwrap(), []);
    }

    #[test]
    fn what_concerns_the_whole_batch_is_an_error() {
        assert_eq!(describe::<Parrot>("x").unwrap_err().code, "config.invalid");
        assert_eq!(decide::<Parrot>("x", &context(), &[]).unwrap_err().code, "config.invalid");
        let context = Context { timezone: "Asia/Beijing".into(), ..context() };
        assert_eq!(decide::<Parrot>("", &context, &[]).unwrap_err().code, "timezone.unknown");
        let context = Context { now: "soon".into(), timezone: "UTC".into() };
        assert_eq!(decide::<Parrot>("", &context, &[]).unwrap_err().code, "context.invalid");
    }
}
