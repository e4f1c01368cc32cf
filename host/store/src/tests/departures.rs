//! Recent leavers, which the guard adds up over time.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;

use super::*;
use crate::{DraftPart, PlanState};
use ruzhi_model::PlanId;
use ruzhi_plan::{Disposition, Draft, Guard, LeaverWindow, Purpose, RecentLeavers, Scope, Survey, Totals};

fn scope(tenant: &TenantId, now: DateTime<Utc>) -> Scope {
    Scope {
        tenant: tenant.clone(),
        flow: flow(),
        tenants: vec![tenant.clone()],
        absent_leaves: false,
        grace_over: now,
        day: now - TimeDelta::days(1),
        week: now - TimeDelta::days(7),
    }
}

fn plan() -> PlanId {
    "nowhere".parse().unwrap()
}

impl Opened {
    /// Disables, deletes, enables or creates a member, this long before now.
    async fn done(&self, tenant: &TenantId, kind: OperationKind, who: &str, before: TimeDelta) {
        let state = match kind {
            OperationKind::Delete => MemberState::Deleted,
            OperationKind::Disable => MemberState::Left,
            _ => MemberState::Active,
        };
        let line = line(origin(tenant, 1), member(who, "13800000001"), state);
        let settlement = settlement(0, operation(kind, 1, who), Some(line));
        self.store
            .operations_settle(std::slice::from_ref(tenant), tenant, &plan(), &[settlement], now() - before)
            .await
            .unwrap();
    }

    async fn recent_leavers(&self, tenant: &TenantId) -> RecentLeavers {
        self.store.survey_find(&scope(tenant, now())).await.unwrap().recent_leavers
    }
}

fn names(span: &LeaverWindow) -> BTreeSet<&str> {
    span.left.iter().map(MemberKey::as_str).collect()
}

#[tokio::test]
async fn a_leaver_counts_once_in_the_day_and_in_the_week() {
    let opened = open().await;
    let (here, there) = (tenant("here"), tenant("there"));
    opened.done(&here, OperationKind::Disable, "today", TimeDelta::hours(23)).await;
    opened.done(&here, OperationKind::Disable, "both", TimeDelta::days(6)).await;
    opened.done(&here, OperationKind::Delete, "both", TimeDelta::hours(1)).await;
    opened.done(&here, OperationKind::Disable, "yesterday", TimeDelta::hours(25)).await;
    opened.done(&here, OperationKind::Disable, "long-ago", TimeDelta::days(8)).await;
    opened.done(&here, OperationKind::Update, "changed", TimeDelta::hours(1)).await;
    opened.done(&there, OperationKind::Disable, "elsewhere", TimeDelta::hours(1)).await;
    let recent_leavers = opened.recent_leavers(&here).await;
    assert_eq!(names(&recent_leavers.day), BTreeSet::from(["both", "today"]));
    assert_eq!(names(&recent_leavers.week), BTreeSet::from(["both", "today", "yesterday"]));
    // One of them is deleted, and no longer among those the tenant owns.
    assert_eq!((recent_leavers.day.gone, recent_leavers.week.gone), (1, 1));
}

#[tokio::test]
async fn a_returner_is_given_back() {
    let opened = open().await;
    let here = tenant("here");
    for who in ["returns", "is-created-again", "stays-away"] {
        opened.done(&here, OperationKind::Disable, who, TimeDelta::hours(3)).await;
    }
    opened.done(&here, OperationKind::Enable, "returns", TimeDelta::hours(2)).await;
    opened.done(&here, OperationKind::Create, "is-created-again", TimeDelta::hours(2)).await;
    assert_eq!(names(&opened.recent_leavers(&here).await.day), BTreeSet::from(["stays-away"]));
    // A returner who leaves once more counts again.
    opened.done(&here, OperationKind::Disable, "returns", TimeDelta::hours(1)).await;
    assert_eq!(names(&opened.recent_leavers(&here).await.day), BTreeSet::from(["returns", "stays-away"]));
}

/// Another tenant of the corp that enables a leaver has them from then on.
#[tokio::test]
async fn a_member_who_moved_to_another_tenant_has_not_left() {
    let opened = open().await;
    let (here, there) = (tenant("here"), tenant("there"));
    opened.done(&here, OperationKind::Disable, "moves", TimeDelta::hours(3)).await;
    let mut enable = operation(OperationKind::Enable, 1, "moves");
    enable.before = Some(line(origin(&here, 1), member("moves", "13800000001"), MemberState::Left));
    let after = line(origin(&there, 1), member("moves", "13800000001"), MemberState::Active);
    opened
        .store
        .operations_settle(
            std::slice::from_ref(&there),
            &there,
            &plan(),
            &[settlement(0, enable, Some(after))],
            now(),
        )
        .await
        .unwrap();
    assert_eq!(opened.recent_leavers(&here).await, RecentLeavers::default());
}

/// Operations that were rejected, failed or are in doubt do not count as departures.
#[tokio::test]
async fn only_what_is_done_counts() {
    let opened = open().await;
    let here = tenant("here");
    for state in [OperationState::Rejected, OperationState::Failed, OperationState::Lost] {
        let settlement =
            Settlement { state, ..settlement(0, operation(OperationKind::Disable, 1, "stays"), None) };
        opened
            .store
            .operations_settle(std::slice::from_ref(&here), &here, &plan(), &[settlement], now())
            .await
            .unwrap();
    }
    assert_eq!(opened.recent_leavers(&here).await, RecentLeavers::default());
}

/// A clock that was set back does not erase departures: those noted later than now still count.
#[tokio::test]
async fn departures_of_the_future_count() {
    let opened = open().await;
    let here = tenant("here");
    opened.done(&here, OperationKind::Disable, "tomorrow", TimeDelta::days(-3)).await;
    let recent_leavers = opened.recent_leavers(&here).await;
    assert_eq!(names(&recent_leavers.day), BTreeSet::from(["tomorrow"]));
    assert_eq!(names(&recent_leavers.week), BTreeSet::from(["tomorrow"]));
}

/// A person looked at each of them.
#[tokio::test]
async fn leavers_of_a_plan_that_a_person_released_do_not_count() {
    let opened = open().await;
    let here = tenant("here");
    for (most, counts) in [(0, false), (200, true)] {
        let leaver = operation(OperationKind::Disable, 1, "leaver");
        let survey = Survey {
            totals: Totals::default(),
            owned: 10,
            stamp: Digest::of([u8::from(counts)]),
            claimants: vec![],
            holders: HashMap::new(),
            recent_leavers: RecentLeavers::default(),
        };
        let mut draft = Draft::new(here.clone(), flow(), Purpose::Sync, false, &survey);
        draft.add(&origin(&here, 1), &Disposition::Operation(Box::new(leaver.clone())).into());
        let (plan, order) = draft.finish(&Guard { leave_most: most, ..Guard::default() });
        assert_eq!(plan.guard.holds(), !counts);
        let run = "r1".parse().unwrap();
        let part = DraftPart { first: 0, operations: vec![leaver.clone()], ..DraftPart::default() };
        opened.store.draft_put(&run, &here, &part, now()).await.unwrap();
        opened.store.plan_put(&run, &plan, &order, PlanState::Applying, now()).await.unwrap();
        opened
            .store
            .operations_settle(
                std::slice::from_ref(&here),
                &here,
                &plan.id,
                &[settlement(0, leaver, None)],
                now(),
            )
            .await
            .unwrap();
        let expected: HashSet<MemberKey> = counts.then(|| MemberKey::of("leaver")).into_iter().collect();
        assert_eq!(opened.recent_leavers(&here).await.day.left, expected);
    }
}
