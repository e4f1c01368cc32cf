//! The promises of adopting members.

use std::collections::HashMap;

use super::*;
use crate::adopt::{AdoptionMatch, adopt};

fn wanting(member: Member) -> Candidate {
    Candidate { record: upsert(1, member), entry: None, also_owns: vec![], leaders: vec![] }
}

fn found(by_userid: Option<&str>, by_mobile: Option<&str>, name: Option<&str>) -> AdoptionMatch {
    let userid = |userid: &str| userid.parse::<UserId>().unwrap();
    AdoptionMatch {
        by_userid: by_userid.map(userid),
        by_mobile: by_mobile.map(userid),
        name: name.map(str::to_owned),
    }
}

fn adopted(candidate: &Candidate, found: &AdoptionMatch) -> Disposition {
    adopt(candidate, found, &HashMap::new(), &policy())
}

#[test]
fn a_member_is_taken_over_in_the_case_the_directory_has() {
    let candidate = wanting(member("zhang.san", "13800000001"));
    let operation = acting(adopted(&candidate, &found(Some("Zhang.San"), None, None)));
    assert_eq!(operation.kind, OperationKind::Adopt);
    assert!(!operation.kind.calls() && operation.body.is_empty());
    assert_eq!(operation.userid.as_str(), "Zhang.San");
    assert_eq!(operation.member.userid, "Zhang.San");
    assert_eq!(operation.names, None);
    // WeCom's values are not known, so none of the row's fields counts as written.
    assert_eq!((operation.member.mobile, operation.member.name.as_str()), (None, ""));
}

#[test]
fn a_name_is_the_same_however_it_is_spelt() {
    let named = |name: &str| wanting(Member { name: name.to_owned(), ..member("zhang.san", "13800000001") });
    for (row, wecom) in [
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
        ("Li Ming", "LI  MING"),
        ("张三", "张 三\u{200b}"),
        ("⻰一", "龙一"),
    ] {
        acting(adopted(&named(row), &found(Some("zhang.san"), None, Some(wecom))));
    }
}

#[test]
fn a_member_found_by_mobile_keeps_their_account_and_the_ledger_learns_which_one_the_row_names() {
    let candidate = wanting(member("zhang.san", "13800000001"));
    let operation = acting(adopted(&candidate, &found(None, Some("zs1"), Some("name of zhang.san"))));
    assert_eq!(operation.userid.as_str(), "zs1");
    assert_eq!(operation.names, Some(MemberKey::of("zhang.san")));
    assert_eq!(operation.member.mobile.as_deref(), Some("13800000001"));
    assert_eq!(operation.member.name, "name of zhang.san");
    let both = acting(adopted(&candidate, &found(Some("zhang.san"), Some("Zhang.San"), None)));
    assert_eq!(both.names, None);
}

#[test]
fn whatever_could_be_someone_else_is_left_to_a_person() {
    let candidate = wanting(member("a", "13800000001"));
    let ambiguous = |found: &AdoptionMatch| {
        let Disposition::Rejected { rejection } = adopted(&candidate, found) else { panic!("not rejected") };
        assert_eq!(rejection.violations[0].rule, "adopt.ambiguous");
        assert_eq!(rejection.waits_for, ruzhi_model::WaitsFor::Identity);
    };
    // Userid and mobile number belong to two people.
    ambiguous(&found(Some("a"), Some("b"), None));
    // The member has another name.
    ambiguous(&found(Some("a"), None, Some("someone else")));
    ambiguous(&found(None, Some("b"), Some("someone else")));
    // Another record owns the member already, or this same plan gave them to one.
    let owners = HashMap::from([(MemberKey::of("a"), origin(7))]);
    let taken = adopt(&candidate, &found(Some("A"), None, None), &owners, &policy());
    assert_eq!(rules_of(&taken), ["adopt.ambiguous"]);
    let Disposition::Rejected { rejection } = taken else { panic!("not rejected") };
    assert!(rejection.violations[0].message.en.contains(id(7).as_str()));
}

#[test]
fn no_member_is_adopted_who_is_missing_or_ours_already_or_protected() {
    let candidate = wanting(member("a", "13800000001"));
    assert!(matches!(adopted(&candidate, &AdoptionMatch::default()), Disposition::Ignored { .. }));
    let by_userid = found(Some("a"), None, None);
    let leaver = Candidate { record: leave(1, "a"), ..candidate.clone() };
    assert!(matches!(adopted(&leaver, &by_userid), Disposition::Ignored { .. }));
    let ours = Candidate {
        entry: Some(entry(1, member("a", "13800000001"), MemberState::Active)),
        ..candidate.clone()
    };
    assert_eq!(adopted(&ours, &by_userid), UNCHANGED);
    let other = Candidate { also_owns: vec!["b".parse().unwrap()], ..candidate.clone() };
    assert_eq!(adopted(&other, &by_userid), UNCHANGED);
    for name in ["a", "zs1"] {
        let mut protecting = policy();
        protecting.protected.insert(MemberKey::of(name));
        let disposition = adopt(&candidate, &found(None, Some("zs1"), None), &HashMap::new(), &protecting);
        assert_eq!(rules_of(&disposition), ["member.protected"], "{name}");
    }
}

#[test]
fn whom_a_lost_create_may_yet_bring_is_taken_over_when_they_have_turned_up() {
    let line = LedgerEntry { doubtful: true, ..entry(1, member("a", "13800000001"), MemberState::Deleted) };
    let candidate = Candidate { entry: Some(line), ..wanting(member("a", "13800000001")) };
    assert_eq!(acting(adopted(&candidate, &found(Some("a"), None, None))).kind, OperationKind::Adopt);
}
