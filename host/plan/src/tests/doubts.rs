//! Rows with a member whom the directory may hold otherwise than the ledger says.

use serde_json::json;

use super::*;

#[test]
fn a_doubtful_member_is_sent_whole_again() {
    let known = member("a", "13800000001");
    let doubtful = LedgerEntry { doubtful: true, ..entry(1, known.clone(), MemberState::Active) };
    let plan = plan(&world(vec![upsert(1, known)], vec![doubtful]));
    assert_eq!(
        json!(plan.operations[0].body),
        json!({ "userid": "a", "name": "name of a", "mobile": "13800000001", "department": [1] })
    );
}

#[test]
fn of_a_doubtful_member_an_empty_field_is_sent_too_and_what_the_rules_no_longer_speak_of() {
    let before = Member {
        position: Some("工程师".to_owned()),
        alias: Some("三".to_owned()),
        ..member("a", "13800000001")
    };
    let after = Member { position: Some(String::new()), alias: None, ..before.clone() };
    let doubtful = LedgerEntry { doubtful: true, ..entry(1, before, MemberState::Active) };
    let plan = plan(&world(vec![upsert(1, after)], vec![doubtful]));
    assert_eq!(
        json!(plan.operations[0].body),
        json!({
            "userid": "a", "name": "name of a", "mobile": "13800000001", "department": [1],
            "position": "", "alias": "三"
        })
    );
}

#[test]
fn who_leaves_while_their_create_is_in_doubt_is_disabled_once_they_have_turned_up() {
    let coming = LedgerEntry { doubtful: true, ..entry(1, member("a", "13800000001"), MemberState::Deleted) };
    let world = world(vec![leave(1, "a")], vec![coming]);
    let empty = plan_with(&world, Some(&directory(&[])), &policy(), now());
    assert!(empty.needed_directory);
    assert_eq!(kinds(&empty), []);
    let there = plan_with(&world, Some(&directory(&["a"])), &policy(), now());
    assert_eq!(kinds(&there), [(OperationKind::Disable, "a".to_owned())]);
    assert!(there.operations[0].left);
}

#[test]
fn whether_a_leaver_can_log_in_is_settled_when_a_disable_or_enable_was_lost() {
    let known = member("a", "13800000001");
    let unsure = LedgerEntry { left_at: None, doubtful: true, ..entry(1, known.clone(), MemberState::Left) };
    let leaving = plan(&world(vec![leave(1, "a")], vec![unsure.clone()]));
    assert_eq!(kinds(&leaving), [(OperationKind::Disable, "a".to_owned())]);
    let back = plan(&world(vec![upsert(1, known)], vec![unsure]));
    assert_eq!(kinds(&back), [(OperationKind::Enable, "a".to_owned())]);
    assert_eq!(back.operations[0].body["enable"], json!(1));
}

#[test]
fn an_account_is_looked_up_by_its_own_name_once_another_one_of_the_person_is_gone() {
    let mut gone = entry(1, member("zs1", "13800000001"), MemberState::Deleted);
    gone.decided_as = MemberKey::of("a");
    let world = world(vec![upsert(2, member("a", "13800000001"))], vec![gone]);
    let foreign = plan_with(&world, Some(&directory(&["a"])), &policy(), now());
    assert_eq!(rules(&foreign, 2), ["member.foreign"]);
    let free = plan_with(&world, Some(&directory(&["zs1"])), &policy(), now());
    assert_eq!(kinds(&free), [(OperationKind::Create, "a".to_owned())]);
}
