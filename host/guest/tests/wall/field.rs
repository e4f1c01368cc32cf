//! Members that break WeCom's rules, and texts of ten megabytes, in every field.

use ruzhi_guest::contract::Text;
use ruzhi_model::{Member, Membership, Violation};

use super::*;

fn lawful() -> Member {
    Member {
        userid: "zhangsan".to_owned(),
        name: "张三".to_owned(),
        mobile: Some("13800138000".to_owned()),
        memberships: vec![Membership { department: 1, leader: false, order: None }],
        ..Member::default()
    }
}

fn upsert(change: impl FnOnce(&mut Member)) -> Outcome {
    let mut member = lawful();
    change(&mut member);
    Outcome::new(Decision::Upsert(Box::new(member)))
}

/// Passes one outcome through the host.
fn judged(guest: &Guest) -> Outcome {
    guest.decide(&context(), &records(1)).unwrap().remove(0)
}

fn violations(outcome: Outcome) -> Vec<Violation> {
    match outcome.decision {
        Decision::Reject(violations) => violations,
        other => panic!("let through: {other:?}"),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_lawful_member_passes_whole() {
    let outcome = upsert(|_| {});
    assert_eq!(judged(&answering(&Memory::answer(std::slice::from_ref(&outcome)))), outcome);
}

type Alteration = fn(&mut Member);

/// Each rule of the contract, broken on its own.
const BROKEN: &[(&str, Alteration)] = &[
    ("userid.empty", |m| m.userid = String::new()),
    ("userid.charset", |m| m.userid = "张三".to_owned()),
    ("userid.charset", |m| m.userid = "a b".to_owned()),
    ("userid.charset", |m| m.userid = "a\0b".to_owned()),
    ("userid.too-long", |m| m.userid = "a".repeat(65)),
    ("userid.first-character", |m| m.userid = "@all".to_owned()),
    ("name.empty", |m| m.name = " ".to_owned()),
    ("name.too-long", |m| m.name = "字".repeat(65)),
    ("name.control-character", |m| m.name = "a\nb".to_owned()),
    ("mobile.invalid", |m| m.mobile = some("123")),
    ("mobile.invalid", |m| m.mobile = some("13800138000; drop")),
    ("email.invalid", |m| m.email = some("invalid")),
    ("contact.missing", |m| m.mobile = None),
    ("contact.missing", |m| m.mobile = some("")),
    ("position.too-long", |m| m.position = some(&"字".repeat(129))),
    ("position.control-character", |m| m.position = some("\u{1b}[2J")),
    ("alias.too-long", |m| m.alias = some(&"字".repeat(65))),
    ("address.too-long", |m| m.address = some(&"字".repeat(129))),
    ("external-position.too-long", |m| m.external_position = some(&"字".repeat(13))),
    ("gender.invalid", |m| m.gender = some("3")),
    ("telephone.invalid", |m| m.telephone = some("call me")),
    ("biz-mail.length", |m| m.biz_mail = some("x")),
    ("direct-leader.invalid", |m| m.direct_leader = Some(vec!["张".to_owned()])),
    ("direct-leader.too-many", |m| m.direct_leader = Some(vec!["a".to_owned(), "b".to_owned()])),
    ("main-department.not-a-member", |m| m.main_department = Some(7)),
    ("department.zero", |m| m.memberships[0].department = 0),
    ("department.duplicate", |m| m.memberships.push(m.memberships[0].clone())),
    ("department.too-many", |m| {
        m.memberships =
            (1..=101).map(|department| Membership { department, leader: false, order: None }).collect();
    }),
    ("extra", |m| m.extra = vec![("mobile".to_owned(), "\"1\"".to_owned())]),
    ("extra", |m| m.extra = vec![("new_userid".to_owned(), "\"x\"".to_owned())]),
    ("extra", |m| m.extra = vec![("extattr".to_owned(), "{".to_owned())]),
    ("extra", |m| m.extra = vec![("extattr".to_owned(), "[".repeat(100_000))]),
    ("extra", |m| {
        m.extra = vec![("extattr".to_owned(), "{}".to_owned()), ("extattr".to_owned(), "{}".to_owned())]
    }),
    ("extra", |m| m.extra = vec![(String::new(), "{}".to_owned())]),
];

#[test]
fn every_rule_is_held_by_the_host_and_every_message_is_in_both_languages() {
    let outcomes: Vec<Outcome> = BROKEN.iter().map(|(_, change)| upsert(change)).collect();
    let answers = answering(&Memory::answer(&outcomes)).decide(&context(), &records(outcomes.len())).unwrap();
    for ((rule, _), answer) in BROKEN.iter().zip(answers) {
        assert!(answer.notes.iter().any(|note| note.contains("found by the host")), "{rule}");
        let violations = violations(answer);
        assert!(violations.iter().any(|v| v.rule.starts_with(rule)), "{rule}: {violations:?}");
        for violation in violations {
            let Text { zh, en } = &violation.message;
            assert!(!zh.is_ascii() && !en.is_empty() && zh != en, "{violation:?}");
            for text in [zh, en] {
                assert!(text.chars().count() <= 1_000 && !text.chars().any(char::is_control));
            }
        }
    }
}

#[test]
fn a_leave_of_an_invalid_userid_is_refused() {
    for userid in ["", "张三", "a b", "@all", &"a".repeat(65), "a\u{1b}[2J"] {
        let outcome = Outcome::new(Decision::Leave(userid.to_owned()));
        let violations = violations(judged(&answering(&Memory::answer(&[outcome]))));
        assert_eq!(violations[0].rule, "userid.invalid", "{userid:?}");
    }
}

#[test]
fn ten_megabytes_in_any_field_are_refused_in_few_words() {
    let engine = Engine::new(GuestLimits {
        memory: 64 << 20,
        deadline: Duration::from_secs(20),
        answer: 64 << 20,
        slots: 2,
    })
    .unwrap();
    let component = Component::from_bytes(&engine, None, &ruzhi_hostile::echo(400)).unwrap();
    let long = (ruzhi_hostile::BASE + (1 << 20), 10 << 20);
    let texts = |outcome: Outcome, places: &[u32]| {
        let mut memory = Memory::answer(&[outcome]);
        for place in places {
            memory.pair(ruzhi_hostile::BASE + 12 + place, long);
        }
        let guest = Guest::new(component.clone(), ruzhi_hostile::rules(memory.bytes())).unwrap();
        let outcome = judged(&guest);
        let text = serde_json::to_string(&outcome).unwrap();
        assert!(text.len() < 20_000, "{places:?}: {} bytes are kept", text.len());
        outcome
    };
    let full = || {
        upsert(|m| {
            let text = || some("x");
            (m.email, m.position, m.alias, m.gender, m.telephone) = (text(), text(), text(), text(), text());
            (m.address, m.biz_mail, m.external_position) = (text(), text(), text());
        })
    };
    // The place of each text of a member in an outcome: after the decision's case.
    for field in [0, 8, 20, 32, 60, 72, 84, 96, 108, 132, 144] {
        violations(texts(full(), &[4 + field]));
    }
    for (decision, place) in [(Decision::Leave(String::new()), 4), (Decision::Ignore(String::new()), 4)] {
        texts(Outcome::new(decision), &[place]);
    }
    // Lists lie right after the outcome's own 188 bytes.
    let after = 188;
    violations(texts(
        upsert(|m| {
            m.memberships.clear();
            m.userid = String::new();
            m.name = String::new();
            m.mobile = None;
            m.direct_leader = Some(vec![String::new()]);
        }),
        &[after],
    ));
    let bare = |m: &mut Member| {
        m.memberships.clear();
        (m.userid, m.name, m.mobile) = (String::new(), String::new(), None);
        m.extra = vec![(String::new(), String::new())];
    };
    violations(texts(upsert(bare), &[after]));
    violations(texts(upsert(bare), &[after + 8]));
    let reject = || {
        let violation = Violation { field: String::new(), rule: String::new(), message: Text::default() };
        Outcome::new(Decision::Reject(vec![violation]))
    };
    violations(texts(reject(), &[after, after + 8, after + 16, after + 24]));
    let noted = Outcome { notes: vec![String::new()], ..Outcome::new(Decision::Ignore(String::new())) };
    assert_eq!(texts(noted, &[after]).notes[0].chars().count(), 1_000);
}

#[test]
fn a_thousand_notes_and_violations_are_cut() {
    let violation = Violation { field: "f".to_owned(), rule: "r".to_owned(), message: "m".into() };
    let outcome = Outcome {
        notes: vec!["n".to_owned(); 1_000],
        ..Outcome::new(Decision::Reject(vec![violation; 1_000]))
    };
    let answer = judged(&answering(&Memory::answer(&[outcome])));
    assert_eq!(answer.notes.len(), 50);
    assert_eq!(violations(answer).len(), 100);
}
