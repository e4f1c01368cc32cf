//! The founding document's own metadata, unchanged, on its own record.
#![expect(clippy::unwrap_used, reason = "code of tests only: a wrong outcome is to fail the test")]

use ruzhi_guest::{Context, Decision, Description, Member, SourceRecord, decide, department, describe};
use ruzhi_guest_member::RulesFile;

/// The document's metadata, unchanged.
const METADATA: &str = include_str!("founding.json");

/// The document's record, unchanged.
const RECORD: &str = r#"{
 "_widget_1681087902876":"user1234",
 "_widget_1675653229901":"张三",
 "_widget_1680875447221":"13800138000",
 "_widget_1680156501787":"[1,2,3]",
 "_widget_1680750424796":"工程师"
}"#;

fn decided(config: &str) -> Decision {
    let context = Context { now: "2026-05-01T08:00:00Z".into(), timezone: "Asia/Shanghai".into() };
    let record = SourceRecord { id: "65f0".into(), json: RECORD.into() };
    let mut outcomes = decide::<RulesFile>(config, &context, &[record]).unwrap();
    let outcome = outcomes.remove(0);
    assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
    outcome.decision
}

fn expected() -> Decision {
    Decision::Upsert(Box::new(Member {
        userid: "user1234".into(),
        name: "张三".into(),
        mobile: Some("13800138000".into()),
        memberships: department::memberships([1, 2, 3]),
        position: Some("工程师".into()),
        to_invite: Some(true),
        ..Member::default()
    }))
}

#[test]
fn the_document_makes_exactly_the_one_member() {
    assert_eq!(decided(METADATA), expected());
}

#[test]
fn the_request_list_alone_is_enough() {
    let whole: serde_json::Value = serde_json::from_str(METADATA).unwrap();
    assert_eq!(decided(&serde_json::json!({"request": whole["request"]}).to_string()), expected());
}

#[test]
fn it_reads_five_fields_and_knows_their_labels() {
    let Description { name, version, source_fields, labels } = describe::<RulesFile>(METADATA).unwrap();
    assert_eq!((name.as_str(), version.as_str()), ("member", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        source_fields,
        [
            "_widget_1681087902876",
            "_widget_1675653229901",
            "_widget_1680875447221",
            "_widget_1680156501787",
            "_widget_1680750424796",
        ]
    );
    let label =
        |field: &str| labels.iter().find(|(known, _)| known == field).map(|(_, label)| label.as_str());
    assert_eq!(label("_widget_1680875447221"), Some("手机号码"));
    assert_eq!(label("mobile"), Some("手机号码"));
    assert_eq!(label("to_invite"), Some("是否邀请该成员使用企业微信"));
    assert_eq!(labels.len(), 11);
}
