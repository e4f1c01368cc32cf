//! The wakes of flows, and the deliveries that caused them.

use super::*;
use crate::{Delivery, WakeKind, WakeRow};

impl Opened {
    async fn deliver(&self, names: &[&str], wakes: Option<WakeKind>, at: DateTime<Utc>) -> bool {
        let (tenant, flow) = (tenant("here"), flow());
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let delivery = Delivery {
            source: "jiandaoyun/here/onboarding",
            names: &names,
            at,
            forget_before: at - chrono::TimeDelta::days(1),
            wakes: wakes.map(|kind| (&tenant, &flow, kind)),
        };
        self.store.delivery_take(&delivery).await.unwrap()
    }

    async fn wakes(&self) -> Vec<WakeRow> {
        self.store.wakes_list().await.unwrap()
    }
}

fn woken(kind: WakeKind, at: DateTime<Utc>, count: u64) -> WakeRow {
    WakeRow { tenant: tenant("here"), flow: flow(), kind, at, count }
}

#[tokio::test]
async fn only_a_delivery_that_is_new_wakes() {
    let opened = open().await;
    let later = now() + chrono::TimeDelta::minutes(1);
    assert!(opened.deliver(&["a", "b"], Some(WakeKind::Push), now()).await);
    assert!(!opened.deliver(&["a", "b"], Some(WakeKind::Push), later).await);
    assert!(!opened.deliver(&["b", "c"], Some(WakeKind::Push), later).await, "one of its names is known");
    assert!(!opened.deliver(&["c"], Some(WakeKind::Push), later).await);
    assert_eq!(opened.wakes().await, [woken(WakeKind::Push, now(), 1)]);
    assert!(opened.deliver(&["d"], None, later).await);
    assert_eq!(opened.wakes().await, [woken(WakeKind::Push, now(), 1)]);
    // After a day a delivery is forgotten; its wake is not.
    let next_day = later + chrono::TimeDelta::days(2);
    assert!(opened.deliver(&["a"], Some(WakeKind::Callback), next_day).await);
    let both = [woken(WakeKind::Callback, next_day, 1), woken(WakeKind::Push, now(), 1)];
    assert_eq!(opened.wakes().await, both);
}

#[tokio::test]
async fn a_run_has_not_done_what_came_after_it_began() {
    let opened = open().await;
    opened.deliver(&["a"], Some(WakeKind::Push), now()).await;
    let began_with = opened.wakes().await.remove(0);
    opened.deliver(&["b"], Some(WakeKind::Push), now()).await;
    opened.store.wake_delete(&began_with).await.unwrap();
    assert_eq!(opened.wakes().await, [woken(WakeKind::Push, now(), 2)]);
    opened.store.wake_delete(&woken(WakeKind::Callback, now(), 2)).await.unwrap();
    assert_eq!(opened.wakes().await.len(), 1, "it is another kind");
    opened.store.wake_delete(&opened.wakes().await.remove(0)).await.unwrap();
    assert_eq!(opened.wakes().await, []);
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_a_wake_of_its_own_kind() {
    let opened = open().await;
    opened.deliver(&["a"], Some(WakeKind::Push), now()).await;
    opened.store.wake_put(&tenant("here"), &flow(), WakeKind::CutOff, now()).await.unwrap();
    let [cut_off, push]: [WakeRow; 2] = opened.wakes().await.try_into().unwrap();
    assert_eq!((cut_off.kind, push.kind), (WakeKind::CutOff, WakeKind::Push));
    opened.store.wake_delete(&cut_off).await.unwrap();
    assert_eq!(opened.wakes().await, [push]);
}
