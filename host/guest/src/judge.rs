//! Validates the answers of a guest. Every hard WeCom constraint is checked again, with the rules of
//! `ruzhi_guest::rule`, so that a careless or hostile guest cannot make the host send data that WeCom would reject,
//! or fill the store with text.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use ruzhi_guest::contract;

use ruzhi_guest::zone::Zone;

use ruzhi_model::{Context, Decision, Description, Outcome, Text, UserId, Violation};

const MOST_NOTES: usize = 50;
const MOST_VIOLATIONS: usize = 100;
const MOST_TEXT: usize = 1_000;
const MOST_FIELDS: usize = 500;

/// A description within limits, or its violation.
pub(super) fn description(mut description: Description) -> Result<Description, String> {
    description.name = shorten(&description.name, 80);
    description.version = shorten(&description.version, 40);
    if description.source_fields.len() > MOST_FIELDS || description.labels.len() > 2 * MOST_FIELDS {
        return Err(format!("it names more than {MOST_FIELDS} source fields"));
    }
    let mut seen = BTreeSet::new();
    for field in &description.source_fields {
        if field.is_empty() || field.len() > 100 || field.chars().any(commands) {
            return Err(format!("`{}` cannot be a form field's name", shorten(field, 40)));
        }
        if !seen.insert(field.as_str()) {
            return Err(format!("it names the source field `{field}` twice"));
        }
    }
    for (field, label) in &mut description.labels {
        *field = shorten(field, 100);
        *label = shorten(label, 100);
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
                        told = shorten(&text, 40)
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
        *note = shorten(note, MOST_TEXT);
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
                    "离职记录给出的帐号不是有效的 UserID",
                )
                .into(),
            }]),
        },
        Decision::Ignore(reason) => Decision::Ignore(shorten(&reason, MOST_TEXT)),
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
        violation.field = shorten(&violation.field, 100);
        violation.rule = shorten(&violation.rule, 100);
        let contract::Text { zh, en } = &violation.message;
        violation.message = contract::Text::new(shorten(zh, MOST_TEXT), shorten(en, MOST_TEXT));
    }
    Decision::Reject(violations)
}

/// The same for a text of several lines.
pub(super) fn lines(text: &str, most: usize) -> String {
    let text: String = text.chars().take(most).collect();
    text.lines().map(|line| shorten(line, most)).collect::<Vec<_>>().join("\n    ")
}

/// At most `most` characters, without any that control a terminal.
pub(super) fn shorten(text: &str, most: usize) -> String {
    text.chars().map(|c| if commands(c) { ' ' } else { c }).take(most).collect()
}

/// A text with mobiles, identity numbers and e-mail addresses masked: the message of a guest that gives up may hold
/// the row it failed on, and goes into logs. Widget ids stay readable.
pub(super) fn without_people(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+' | '@' | '%') => {
                word.push(c)
            }
            _ => {
                shown.push_str(&hidden(&word));
                word.clear();
                shown.extend(c);
            }
        }
    }
    shown
}

fn hidden(word: &str) -> String {
    if let Some((name, host)) =
        word.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty())
    {
        let first: String = name.chars().take(1).collect();
        return format!("{first}***@{host}");
    }
    let digits = word.trim_matches(|c: char| matches!(c, '.' | '-' | '+' | '_'));
    let digits = digits.strip_suffix(['X', 'x']).unwrap_or(digits);
    let count = digits.chars().filter(char::is_ascii_digit).count();
    let numeric = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.'));
    // Mobiles, with or without country code, and identity numbers of both lengths.
    if !numeric || !(matches!(count, 11 | 15 | 17 | 18) || (count > 11 && word.starts_with('+'))) {
        return word.to_owned();
    }
    let start: String = word.chars().take(3).collect();
    let end: String = word.chars().skip(word.chars().count() - 2).collect();
    format!("{start}…{end}")
}

/// Detects a control character, or one that changes the direction of the following text and so misrepresents it.
fn commands(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::without_people;

    #[test]
    fn a_guest_that_gives_up_reveals_no_number() {
        for (said, told) in [
            ("KeyError: '13800138000' (rules.py:12)", "KeyError: '138…00' (rules.py:12)"),
            ("no 138-0013-8000, nor +8613800138000", "no 138…00, nor +86…00"),
            ("id 11010519491231002X of zhang.san@example.com", "id 110…2X of z***@example.com"),
            (
                "field _widget_1681087902876 of row 65000000000000000000000f",
                "field _widget_1681087902876 of row 65000000000000000000000f",
            ),
            ("手机号13800138000已用", "手机号138…00已用"),
            ("index 12345 out of 2026-05-01", "index 12345 out of 2026-05-01"),
        ] {
            assert_eq!(without_people(said), told);
        }
    }
}
