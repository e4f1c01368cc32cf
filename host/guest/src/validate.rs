//! Validates the answers of a guest. Every hard WeCom constraint is checked again, with the rules of
//! `ruzhi_guest::rule`, so that a careless or hostile guest cannot make the host send data that WeCom would reject,
//! or fill the store with text.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use ruzhi_guest::contract;
use ruzhi_guest::zone::Zone;

use ruzhi_message::sanitize;
use ruzhi_model::{Context, Decision, Description, Outcome, Text, UserId, Violation};

const MOST_NOTES: usize = 50;
const MOST_VIOLATIONS: usize = 100;
const MOST_TEXT: usize = 1_000;
const MOST_FIELDS: usize = 500;

/// A description within limits, or its violation.
pub(super) fn description(mut description: Description) -> Result<Description, String> {
    description.name = sanitize::line(&description.name, 80);
    description.version = sanitize::line(&description.version, 40);
    if description.source_fields.len() > MOST_FIELDS || description.labels.len() > 2 * MOST_FIELDS {
        return Err(format!("it names more than {MOST_FIELDS} source fields"));
    }
    let mut seen = BTreeSet::new();
    for field in &description.source_fields {
        if field.is_empty() || field.len() > 100 || field.chars().any(sanitize::steers) {
            return Err(format!("`{}` cannot be a form field's name", sanitize::line(field, 40)));
        }
        if !seen.insert(field.as_str()) {
            return Err(format!("it names the source field `{field}` twice"));
        }
    }
    for (field, label) in &mut description.labels {
        *field = sanitize::line(field, 100);
        *label = sanitize::line(label, 100);
    }
    Ok(description)
}

/// The range of times at which a decision of a batch may expire.
pub(super) struct Horizon {
    now: DateTime<Utc>,
    /// The end of the batch's day in the tenant's zone.
    tomorrow: DateTime<Utc>,
    /// The guest's contract can state when a decision expires.
    told: bool,
}

impl Horizon {
    /// `None` if the context's time or zone is invalid: a guest has rejected it then.
    pub(super) fn of(context: &Context, told: bool) -> Option<Self> {
        let now = DateTime::parse_from_rfc3339(&context.now).ok()?.to_utc();
        let tomorrow = Zone::named(&context.timezone).ok()?.next_day(now.timestamp());
        Some(Self { now, tomorrow: DateTime::from_timestamp(tomorrow, 0)?, told })
    }

    /// The expiry of a decision. Without one, a decision holds until the day ends. So does a decision whose stated
    /// time is past or invalid: it would be decided again and again for ever.
    fn until(&self, told: Option<String>, notes: &mut Vec<String>) -> Option<String> {
        let until = match told {
            None if self.told => return None,
            None => self.tomorrow,
            Some(text) => match DateTime::parse_from_rfc3339(&text) {
                Ok(until) if until > self.now => until.to_utc(),
                _ => {
                    notes.push(format!(
                        "规则组件给出的有效期“{told}”不是之后的时刻，该判定至当日结束前有效 / the guest says that this holds until “{told}”, which is no later moment; it holds until the day ends",
                        told = sanitize::line(&text, 40)
                    ));
                    self.tomorrow
                }
            },
        };
        Some(until.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// An outcome that meets every rule: a member that violates one becomes a rejection naming it.
pub(super) fn outcome(outcome: Outcome, horizon: Option<&Horizon>) -> Outcome {
    let Outcome { decision, mut notes, holds_until } = outcome;
    notes.truncate(MOST_NOTES);
    for note in &mut notes {
        *note = sanitize::line(note, MOST_TEXT);
    }
    let decision = match decision {
        Decision::Upsert(member) => {
            let violations = ruzhi_guest::rule::check(&member);
            if violations.is_empty() {
                Decision::Upsert(member)
            } else {
                notes.push(
                    "宿主复核未通过：规则组件给出的成员违反企业微信的限制 / found by the host: the guest gave back a member that WeCom's limits forbid"
                        .to_owned(),
                );
                reject(violations)
            }
        }
        Decision::Leave(userid) => match userid.parse::<UserId>() {
            Ok(_) => Decision::Leave(userid),
            Err(_) => reject(vec![Violation {
                field: "userid".to_owned(),
                rule: "userid.invalid".to_owned(),
                message: Text::new(
                    "the userid of this leaver is not a valid one",
                    "离职记录给出的账号不是有效的 UserID",
                )
                .into(),
            }]),
        },
        Decision::Ignore(reason) => Decision::Ignore(sanitize::line(&reason, MOST_TEXT)),
        Decision::Reject(violations) if violations.is_empty() => reject(vec![Violation {
            field: String::new(),
            rule: "guest.no-reason".to_owned(),
            message: Text::new(
                "the guest refused this record without a reason; tell its author",
                "规则组件拒绝了该记录但没有给出原因，请联系其作者",
            )
            .into(),
        }]),
        Decision::Reject(violations) => reject(violations),
    };
    let holds_until = horizon.and_then(|horizon| horizon.until(holds_until, &mut notes));
    Outcome { decision, notes, holds_until }
}

fn reject(mut violations: Vec<Violation>) -> Decision {
    violations.truncate(MOST_VIOLATIONS);
    for violation in &mut violations {
        violation.field = sanitize::line(&violation.field, 100);
        violation.rule = sanitize::line(&violation.rule, 100);
        let contract::Text { zh, en } = &violation.message;
        violation.message = contract::Text::new(sanitize::line(zh, MOST_TEXT), sanitize::line(en, MOST_TEXT));
    }
    Decision::Reject(violations)
}
