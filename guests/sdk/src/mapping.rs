//! The trait a guest implements, and the frame that runs it.
//!
//! The frame guarantees the host's requirements for every guest: one outcome for each record in the same order, a
//! text for every failure, and no member that breaks a rule of WeCom. A guest's code sees one record at a time.

use crate::clock::Clock;
use crate::contract::{Context, Decision, Description, GuestError, Outcome, SourceRecord, Violation};
use crate::fault::Fault;
use crate::record::{Problems, Record};
use crate::rule;

/// A factory's rules.
pub trait Mapping {
    /// The parsed configuration, read once for each batch.
    type Rules;

    /// Reads the flow's rules file, empty if the flow has none.
    ///
    /// # Errors
    /// An error of code `config.invalid` naming every problem and its remedy.
    fn load(config: &str) -> Result<Self::Rules, GuestError>;

    /// Describes the guest and the form fields it reads.
    fn describe(rules: &Self::Rules) -> Description;

    /// Decides one row. It is a pure function: the same rules, clock and record always give the same outcome.
    ///
    /// # Errors
    /// The reasons for rejecting the row, at least one.
    fn decide(rules: &Self::Rules, clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems>;

    /// The form field that a WeCom field is filled from, if it is one. If a member breaks a rule of WeCom, the
    /// violation names this field, so that the clerk sees the form's field.
    fn source_of<'r>(rules: &'r Self::Rules, field: &str) -> Option<&'r str> {
        let _ = (rules, field);
        None
    }
}

impl Outcome {
    /// An outcome without notes.
    pub fn new(decision: Decision) -> Self {
        Outcome { decision, notes: Vec::new(), holds_until: None }
    }
}

/// Describes the guest under a configuration.
///
/// # Errors
/// As [`Mapping::load`].
pub fn describe<M: Mapping>(config: &str) -> Result<Description, GuestError> {
    M::load(config).map(|rules| M::describe(&rules))
}

/// Decides a batch: one outcome for each record, in the same order. A record that is not a JSON object is rejected,
/// and so is a member that breaks a rule of WeCom.
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
    let decide = |record| {
        let outcome = decide_one::<M>(&rules, &clock, record);
        Outcome { holds_until: clock.take(), ..outcome }
    };
    Ok(records.iter().map(decide).collect())
}

fn decide_one<M: Mapping>(rules: &M::Rules, clock: &Clock, record: &SourceRecord) -> Outcome {
    let decided = Record::parse(record).map_err(Problems::from).and_then(|record| {
        let mut outcome = M::decide(rules, clock, &record)?;
        let mut notes = record.into_notes();
        notes.append(&mut outcome.notes);
        outcome.notes = notes;
        Ok(outcome)
    });
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
    use crate::note;

    /// Answers as the row's `do` says.
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

    /// Reads each field by its getter, has its own rule on the account, and names no field's source.
    struct Clerk<const NAMED: bool>;

    impl<const NAMED: bool> Mapping for Clerk<NAMED> {
        type Rules = ();

        fn load(_: &str) -> Result<(), GuestError> {
            Ok(())
        }

        fn describe((): &()) -> Description {
            Parrot::describe(&())
        }

        fn decide((): &(), clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
            let mut problems = Problems::default();
            let mut userid = problems.take(record.userid("account"));
            if userid.starts_with('X') {
                problems.add(
                    Fault::new("factory.account", "不是本厂帐号", "no account of this factory").at("account"),
                );
                userid.clear();
            }
            let _ = problems.take(record.date("left", clock));
            problems.finish(Member {
                userid,
                name: problems_name(record),
                mobile: Some(problems_mobile(record)),
                ..Member::default()
            })
        }

        fn source_of<'r>((): &'r (), field: &str) -> Option<&'r str> {
            let named = [("userid", "account"), ("name", "who"), ("mobile", "phone")];
            named.iter().find(|(known, _)| NAMED && *known == field).map(|(_, source)| *source)
        }
    }

    fn problems_name(record: &Record<'_>) -> String {
        record.text("who").unwrap_or_default()
    }

    fn problems_mobile(record: &Record<'_>) -> String {
        record.mobile("phone").unwrap_or_default()
    }

    fn clerk<const NAMED: bool>(json: &str) -> Outcome {
        let record = SourceRecord { id: "1".into(), json: json.into() };
        decide::<Clerk<NAMED>>("", &context(), &[record]).unwrap().remove(0)
    }

    fn told<const NAMED: bool>(json: &str) -> Vec<(String, String)> {
        match clerk::<NAMED>(json).decision {
            Decision::Reject(violations) => violations.into_iter().map(|v| (v.field, v.rule)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_of_the_guests_own_silences_what_its_field_only_stands_in_for() {
        // The account is rejected by a rule whose name does not mention userids; its emptiness is then not reported.
        let row = r#"{"account":"X1","who":"张三","phone":"13800138000"}"#;
        assert_eq!(told::<true>(row), [pair("account", "factory.account")]);
        // For another field everything is reported, whatever the rules are called.
        let row = r#"{"account":"X1","who":"","phone":""}"#;
        assert_eq!(
            told::<true>(row),
            [pair("account", "factory.account"), pair("who", "name.empty"), pair("phone", "contact.missing")]
        );
        // Without sources, a getter's rule still identifies its field.
        let row = r#"{"account":"张三","who":"","phone":"13800138000"}"#;
        assert_eq!(told::<false>(row), [pair("account", "userid.charset"), pair("name", "name.empty")]);
    }

    #[test]
    fn what_a_getter_passed_over_is_noted() {
        let outcome =
            clerk::<true>(r#"{"account":"A1","who":"张三","phone":"13800138000","left":"1900-01-01"}"#);
        assert!(matches!(outcome.decision, Decision::Upsert(_)));
        assert_eq!(outcome.notes, [note::zero_date("left", "1900-01-01")]);
        let outcome = clerk::<true>(r#"{"account":"A1","who":"张三","phone":"无"}"#);
        assert!(matches!(outcome.decision, Decision::Reject(_)), "{outcome:?}");
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
