//! The constraints, stated independently of the code, compared with the members that [`check`] accepts.

use proptest::prelude::*;

use super::*;
use crate::contract::{Membership, Text};
use crate::fault::MESSAGE_MOST;

fn lawful() -> Member {
    Member {
        userid: "user1234".into(),
        name: "张三".into(),
        mobile: Some("13800138000".into()),
        ..Member::default()
    }
}

/// The rules broken by one change to a valid member.
fn broken(change: impl FnOnce(&mut Member)) -> Vec<(String, String)> {
    let mut member = lawful();
    change(&mut member);
    check(&member).into_iter().map(|violation| (violation.field, violation.rule)).collect()
}

fn one(field: &str, rule: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), rule.to_owned())]
}

fn departments(ids: &[u32]) -> Vec<Membership> {
    department::memberships(ids.iter().copied())
}

#[test]
fn a_lawful_member_breaks_nothing() {
    assert_eq!(check(&lawful()), []);
    let full = Member {
        email: Some("zhangsan@example.com".into()),
        memberships: departments(&[1, 2, 3]),
        main_department: Some(2),
        position: Some("工程师".into()),
        alias: Some("三儿".into()),
        gender: Some("1".into()),
        telephone: Some("020-123456,8".into()),
        address: Some("张江路1号".into()),
        direct_leader: Some(vec!["lisi".into()]),
        biz_mail: Some("zs@corp.example.com".into()),
        external_position: Some("工程师".into()),
        enable: Some(true),
        to_invite: Some(false),
        extra: vec![("extattr".into(), r#"{"attrs":[]}"#.into())],
        ..lawful()
    };
    assert_eq!(check(&full), []);
}

#[test]
fn empty_optional_fields_are_lawful() {
    let cleared = || Some(String::new());
    let member = Member {
        email: cleared(),
        position: cleared(),
        alias: cleared(),
        gender: cleared(),
        telephone: cleared(),
        address: cleared(),
        direct_leader: Some(Vec::new()),
        biz_mail: cleared(),
        external_position: cleared(),
        ..lawful()
    };
    assert_eq!(check(&member), []);
}

#[test]
fn each_rule_at_its_field() {
    assert_eq!(broken(|m| m.userid.clear()), one("userid", "userid.empty"));
    assert_eq!(broken(|m| m.userid = "a".repeat(65)), one("userid", "userid.too-long"));
    assert_eq!(broken(|m| m.userid = "a".repeat(64)), []);
    assert_eq!(broken(|m| m.userid = "张三".into()), one("userid", "userid.charset"));
    assert_eq!(broken(|m| m.userid = "a b".into()), one("userid", "userid.charset"));
    assert_eq!(broken(|m| m.userid = "_abc".into()), one("userid", "userid.first-character"));
    assert_eq!(broken(|m| m.name = " \u{3000}".into()), one("name", "name.empty"));
    assert_eq!(broken(|m| m.name = "字".repeat(64)), []);
    assert_eq!(broken(|m| m.name = "字".repeat(65)), one("name", "name.too-long"));
    assert_eq!(broken(|m| m.name = "张\n三".into()), one("name", "name.control-character"));
    assert_eq!(broken(|m| m.mobile = None), one("mobile", "contact.missing"));
    assert_eq!(broken(|m| m.mobile = Some(String::new())), one("mobile", "contact.missing"));
    assert_eq!(broken(|m| m.mobile = Some("1380013800".into())), one("mobile", "mobile.invalid"));
    assert_eq!(broken(|m| m.mobile = Some("+86 13800138000".into())), one("mobile", "mobile.invalid"));
    assert_eq!(broken(|m| m.mobile = Some("+99912345678".into())), one("mobile", "mobile.country-code"));
    assert_eq!(broken(|m| m.email = Some("abcdef".into())), one("email", "email.invalid"));
    assert_eq!(broken(|m| m.email = Some("a@b.c".into())), one("email", "email.length"));
    assert_eq!(broken(|m| m.memberships = departments(&[0])), one("department", "department.zero"));
    assert_eq!(broken(|m| m.memberships = departments(&[1, 1])), one("department", "department.duplicate"));
    let many: Vec<u32> = (1..=101).collect();
    assert_eq!(broken(|m| m.memberships = departments(&many)), one("department", "department.too-many"));
    assert_eq!(
        broken(|m| m.main_department = Some(1)),
        one("main_department", "main-department.not-a-member")
    );
    assert_eq!(broken(|m| m.position = Some("字".repeat(129))), one("position", "position.too-long"));
    assert_eq!(broken(|m| m.position = Some("a\tb".into())), one("position", "position.control-character"));
    assert_eq!(broken(|m| m.alias = Some("字".repeat(65))), one("alias", "alias.too-long"));
    assert_eq!(broken(|m| m.alias = Some("\u{2028}".into())), one("alias", "alias.control-character"));
    assert_eq!(broken(|m| m.gender = Some("男".into())), one("gender", "gender.invalid"));
    assert_eq!(broken(|m| m.telephone = Some("(020)123".into())), one("telephone", "telephone.invalid"));
    assert_eq!(broken(|m| m.telephone = Some("1".repeat(33))), one("telephone", "telephone.invalid"));
    assert_eq!(broken(|m| m.address = Some("字".repeat(129))), one("address", "address.too-long"));
    assert_eq!(broken(|m| m.address = Some("a\rb".into())), one("address", "address.control-character"));
    let two = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(broken(|m| m.direct_leader = Some(two)), one("direct_leader", "direct-leader.too-many"));
    assert_eq!(
        broken(|m| m.direct_leader = Some(vec!["张".into()])),
        one("direct_leader", "direct-leader.invalid")
    );
    assert_eq!(broken(|m| m.biz_mail = Some("abcdef".into())), one("biz_mail", "biz-mail.invalid"));
    assert_eq!(broken(|m| m.biz_mail = Some("a@b.c".into())), one("biz_mail", "biz-mail.length"));
    assert_eq!(
        broken(|m| m.external_position = Some("十三个字的对外职务就太长了".into())),
        one("external_position", "external-position.too-long")
    );
    assert_eq!(
        broken(|m| m.external_position = Some("a\nb".into())),
        one("external_position", "external-position.control-character")
    );
    assert_eq!(broken(|m| m.extra = vec![("name".into(), "1".into())]), one("name", "extra.own-field"));
    let twice = vec![("nickname".to_owned(), r#""a""#.to_owned()); 2];
    assert_eq!(broken(|m| m.extra = twice), one("nickname", "extra.duplicate"));
}

#[test]
fn all_rules_are_reported_at_once() {
    let violations = check(&Member { gender: Some("x".into()), ..Member::default() });
    let rules: Vec<_> = violations.iter().map(|violation| violation.rule.as_str()).collect();
    assert_eq!(rules, ["userid.empty", "name.empty", "contact.missing", "gender.invalid"]);
    for violation in violations {
        let Text { zh: chinese, en: english } = violation.message;
        assert!(chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{chinese}");
        assert!(!english.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{english}");
    }
}

#[test]
fn genders_and_telephones_as_people_write_them() {
    for (text, gender) in
        [("男", "1"), ("女", "2"), ("Male", "1"), ("FEMALE", "2"), ("１", "1"), ("2", "2"), (" 女性 ", "2")]
    {
        assert_eq!(parse_gender(text).unwrap(), gender);
    }
    assert_eq!(parse_gender("未知").unwrap_err().rule, "gender.invalid");
    assert_eq!(parse_telephone("(020) 8888 8888 转 801").unwrap(), "020-88888888,801");
    assert_eq!(parse_telephone("０２０－８８８８").unwrap(), "020-8888");
    assert_eq!(parse_telephone("call me").unwrap_err().rule, "telephone.invalid");
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9_@.-]{0,70}",
        "[0-9+,-]{0,36}",
        "[张三李四\\n ]{0,140}",
        "[12]?",
        "[a-z]{1,30}@[a-z]{1,30}\\.[a-z]{1,4}",
    ]
}

prop_compose! {
    fn any_member()(
        texts in proptest::collection::vec(any_text(), 4),
        optional in proptest::collection::vec(proptest::option::of(any_text()), 8),
        ids in proptest::collection::vec(0u32..120, 0..110),
        main in proptest::option::of(0u32..5),
        leaders in proptest::option::of(proptest::collection::vec(any_text(), 0..3)),
    ) -> Member {
        let mut optional = optional.into_iter();
        let mut next = || optional.next().flatten();
        Member {
            userid: texts[0].clone(), name: texts[1].clone(), mobile: next(), email: next(),
            memberships: departments(&ids), main_department: main, position: next(), alias: next(), gender: next(),
            telephone: next(), address: next(), direct_leader: leaders, external_position: next(),
            biz_mail: Some(texts[2].clone()), enable: None, to_invite: None,
            extra: vec![(texts[3].clone(), texts[2].clone())],
        }
    }
}

/// True if a field has no violations: the generator breaks most members somewhere.
fn clean(violations: &[Violation], field: &str) -> bool {
    violations.iter().all(|violation| violation.field != field)
}

proptest! {
    #[test]
    fn what_check_accepts_obeys_the_documented_rule(member in any_member()) {
        let found = check(&member);
        if clean(&found, "userid") {
            prop_assert!((1..=64).contains(&member.userid.len()));
            prop_assert!(member.userid.chars().all(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '@' | '.')));
            prop_assert!(member.userid.starts_with(|c: char| c.is_ascii_alphanumeric()));
        }
        if clean(&found, "name") {
            prop_assert!((1..=64).contains(&member.name.chars().count()) && !member.name.contains('\n'));
        }
        if clean(&found, "mobile") {
            let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
            prop_assert!(given(&member.mobile) || given(&member.email));
        }
        if clean(&found, "department") {
            let mut ids: Vec<_> = member.memberships.iter().map(|membership| membership.department).collect();
            prop_assert!(ids.len() <= 100 && !ids.contains(&0));
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), member.memberships.len());
        }
        if clean(&found, "main_department") && let Some(main) = member.main_department {
            prop_assert!(member.memberships.iter().any(|membership| membership.department == main));
        }
        for (field, text, most) in [("position", &member.position, 128), ("alias", &member.alias, 64),
                                    ("address", &member.address, 128), ("external_position", &member.external_position, 12)] {
            if clean(&found, field) && let Some(text) = text {
                prop_assert!(text.chars().count() <= most && !text.contains(['\n', '\r', '\t']));
            }
        }
        if clean(&found, "gender") && let Some(gender) = &member.gender {
            prop_assert!(["", "1", "2"].contains(&gender.as_str()));
        }
        if clean(&found, "telephone") && let Some(telephone) = &member.telephone {
            prop_assert!(telephone.len() <= 32 && telephone.chars().all(|c| "0123456789-+,".contains(c)));
        }
        if clean(&found, "direct_leader") && let Some(leaders) = &member.direct_leader {
            prop_assert!(leaders.len() <= 1);
        }
        if clean(&found, "biz_mail") {
            let mail = member.biz_mail.clone().unwrap_or_default();
            prop_assert!(mail.is_empty() || (6..=63).contains(&mail.len()) && mail.contains('@'));
        }
        for violation in &found {
            let Text { zh, en } = &violation.message;
            prop_assert!((1..=MESSAGE_MOST).contains(&zh.chars().count()) && (1..=MESSAGE_MOST).contains(&en.chars().count()));
            if let Some(mobile) = member.mobile.as_ref().filter(|mobile| mobile.chars().filter(char::is_ascii_digit).count() > 7) {
                prop_assert!(!zh.contains(mobile.as_str()) && !en.contains(mobile.as_str()));
            }
        }
    }

    #[test]
    fn a_telephone_read_is_lawful_and_stays(text in any_text()) {
        if let Ok(number) = parse_telephone(&text) {
            prop_assert!(telephone(&number).is_ok());
            prop_assert_eq!(parse_telephone(&number).unwrap(), number);
        }
    }
}
