//! Rules: live, offered, compared.

use super::*;

pub(super) fn activation(number: u64, kind: ActivationKind, written: &Written) -> ActivationRow {
    ActivationRow {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        number,
        at: before(60 * 24 * (10 - number.cast_signed())),
        who: written.person.to_owned(),
        why: (number > 1).then(|| written.words.to_owned()),
        kind,
        name: written.words.to_owned(),
        version: format!("1.{number}.0"),
        component: Digest::of("component"),
        config: Digest::of(number.to_string()),
        rules: Digest::of(format!("rules {number}")),
        offered: Digest::of("offered"),
        compared: 11_240,
        changed: number * 3,
        approved: number == 3,
    }
}

pub(super) fn offered(is: Offers) -> OfferedRules {
    OfferedRules {
        is,
        rules: Some(Digest::of("offered")),
        component: Some(Digest::of("component")),
        component_file: "guests/member.wasm".to_owned(),
        rules_file: Some("tenants/jingxintai/onboarding.json".to_owned()),
        failure: (is == Offers::Unreadable).then(|| failure("guest.file", &KIND)),
    }
}

pub(super) fn rules_view(written: &Written, is: Offers) -> FlowRulesView {
    let kinds =
        [ActivationKind::File, ActivationKind::Rollback, ActivationKind::Activate, ActivationKind::First];
    let history: Vec<ActivationRow> =
        kinds.into_iter().zip([4, 3, 2, 1]).map(|(kind, number)| activation(number, kind, written)).collect();
    FlowRulesView {
        tenant: "jingxintai".parse().unwrap(),
        flow: "onboarding".parse().unwrap(),
        live: Some(LiveRules {
            activation: activation(4, ActivationKind::File, written),
            fields: vec!["_widget_name".to_owned(), "_widget_mobile".to_owned()],
        }),
        offered: offered(is),
        history,
    }
}

pub(super) fn difference_view(written: &Written) -> DifferenceView {
    let difference = |before, after| Difference {
        record: written.record.to_owned(),
        userid: Some("JXT10234".to_owned()),
        name: Some(written.person.to_owned()),
        before,
        after,
        fields: vec![FieldDifference {
            field: "position".to_owned(),
            before: json!("操作工"),
            after: json!(written.words),
        }],
        touches: true,
    };
    DifferenceView {
        live: activation(4, ActivationKind::File, written),
        rules: Digest::of("offered"),
        trial: Trial {
            compared: 2_000,
            changed: 812,
            reworded: 3,
            failed: 0,
            failure: None,
            unread: vec!["_widget_new".to_owned()],
        },
        differences: vec![
            difference(DecisionKind::Upsert, DecisionKind::Upsert),
            difference(DecisionKind::Upsert, DecisionKind::Reject),
            difference(DecisionKind::Leave, DecisionKind::Ignore),
        ],
        more: true,
        needs_approval: true,
        rules_file: format!(
            "@@ -1,3 +1,3 @@\n {{\n-  \"label\": \"{0}\"\n+  \"label\": \"{0}!\"\n }}",
            written.words
        ),
        revealed: false,
    }
}
