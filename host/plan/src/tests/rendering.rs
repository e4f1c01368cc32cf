//! The text of a plan for a person.

use std::collections::BTreeMap;

use super::*;
use ruzhi_model::{Lang, RunId};

/// A whole plan as a person reads it.
fn rendered(planned: &PlanResult, lang: Lang) -> String {
    let labels: BTreeMap<&str, &str> = [("position", "职务信息"), ("department", "部门")].into();
    let label = |field: &str| labels.get(field).copied().unwrap_or(field).to_owned();
    let rendering = PlanRenderer { lang, label: &label };
    let mut lines = vec![rendering.head(&planned.plan)];
    lines.extend(planned.operations.iter().map(|o| rendering.operation(&planned.plan.tenant, o)));
    for (origin, disposition) in &planned.dispositions {
        if let Disposition::Rejected { rejection } = disposition {
            lines.push(rendering.rejection(origin, rejection));
        }
    }
    lines.push(rendering.sum(&planned.plan.counts));
    lines.join("\n")
}

#[test]
fn a_rendered_plan_says_everything_but_personal_numbers() {
    let mut after = member("b", "13800000002");
    after.position = Some("厂长".to_owned());
    let mut lost = member("c", "13800000003");
    lost.memberships = vec![Membership { department: 99, leader: false, order: None }];
    let mut newcomer = member("a", "13800000001");
    newcomer.name = "张三 13800000001".to_owned();
    newcomer.to_invite = Some(true);
    let records = vec![
        upsert(1, newcomer),
        upsert(2, after),
        upsert(3, lost),
        leave(4, "d"),
        record(5, Decision::Ignore("not on duty".to_owned())),
        upsert(6, member("f", "13800000006")),
        upsert(7, member("g", "13800000007")),
    ];
    let mut moving = entry(7, member("g", "13800000007"), MemberState::Active);
    moving.owner.tenant = "office".parse().unwrap();
    let ledger = vec![
        entry(2, member("b", "13800000002"), MemberState::Active),
        entry(4, member("d", "13800000004"), MemberState::Active),
        entry(6, member("f", "13800000006"), MemberState::Left),
        moving,
    ];
    let plan = plan(&world(records, ledger));
    let english = rendered(&plan, Lang::En);
    let chinese = rendered(&plan, Lang::Zh);
    insta::assert_snapshot!(english);
    insta::assert_snapshot!(chinese);
    for text in [&english, &chinese] {
        assert!(!text.contains("13800000001"), "{text}");
    }
}

#[test]
fn a_held_plan_names_the_limit_and_what_the_plan_is_for() {
    let ledger = (0..6)
        .map(|n| entry(n, member(&format!("u{n}"), &format!("138{n:08}")), MemberState::Active))
        .collect();
    let records = (0..6).map(|n| leave(n, &format!("u{n}"))).collect();
    let mut plan = plan(&world(records, ledger));
    insta::assert_snapshot!(rendered(&plan, Lang::En));
    insta::assert_snapshot!(rendered(&plan, Lang::Zh));
    let label = str::to_owned;
    let rendering = PlanRenderer { lang: Lang::En, label: &label };
    let run: RunId = "r1".parse().unwrap();
    let mut second_line = |purpose: Purpose| {
        plan.plan.purpose = purpose;
        rendering.head(&plan.plan).lines().nth(1).unwrap_or_default().trim().to_owned()
    };
    assert_eq!(second_line(Purpose::Adopt { by: AdoptBy::Either }), "takes over members");
    assert_eq!(second_line(Purpose::Revert { run }), "undoes run r1");
    assert_eq!(
        second_line(Purpose::Drift { settle: DriftResolution::Keep }),
        "settles what was changed by hand"
    );
}
