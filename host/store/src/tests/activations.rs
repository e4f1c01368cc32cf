//! The live components.

use chrono::TimeDelta;

use super::*;
use crate::{ActivationKind, ActivationRow, Artifacts};

fn activation(tenant: &str, number: u64, component: &str, days_ago: i64) -> ActivationRow {
    ActivationRow {
        tenant: self::tenant(tenant),
        flow: flow(),
        number,
        at: now() - TimeDelta::days(days_ago),
        who: "wang".to_owned(),
        why: None,
        kind: ActivationKind::Activate,
        name: component.to_owned(),
        version: "1".to_owned(),
        component: Digest::of(component),
        config: Digest::of(""),
        rules: Digest::of(component),
        offered: Digest::of(component),
        compared: 0,
        changed: 0,
        approved: false,
    }
}

#[tokio::test]
async fn a_component_is_live_until_another_has_taken_its_place_for_so_long() {
    let opened = open().await;
    for (tenant, number, component, days_ago) in [
        ("north", 1, "first", 400),
        ("north", 2, "second", 90),
        ("north", 3, "third", 10),
        ("south", 1, "old", 400),
        ("west", 1, "first", 500),
        ("west", 2, "third", 300),
    ] {
        let artifacts = Artifacts { component: component.as_bytes().to_vec(), config: String::new() };
        let row = activation(tenant, number, component, days_ago);
        assert!(opened.store.activation_put(&row, &artifacts).await.unwrap());
    }
    let live = opened.store.components_list_live(now() - TimeDelta::days(30)).await.unwrap();
    assert_eq!(live, ["second", "third", "old"].map(Digest::of).into());
    let ever = opened.store.components_list_live(now() - TimeDelta::days(1000)).await.unwrap();
    assert_eq!(ever.len(), 4);
}
