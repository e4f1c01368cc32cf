//! The guard over time: small steps add up.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::*;

/// A factory whose people leave in runs: the verdict on the plan of a run, and the part of it that is done.
struct Factory {
    people: usize,
    /// The number of leavers, and of those among them who are deleted.
    left: usize,
    gone: usize,
    recent_leavers: RecentLeavers,
    policy: Policy,
}

impl Factory {
    fn of(people: usize) -> Self {
        Self { people, left: 0, gone: 0, recent_leavers: RecentLeavers::default(), policy: policy() }
    }

    fn world(&self, leavers: usize) -> World {
        let name = |n: usize| format!("p{n}");
        let line = |n: usize| {
            let state = if n < self.gone {
                MemberState::Deleted
            } else if n < self.left {
                MemberState::Left
            } else {
                MemberState::Active
            };
            entry(u32::try_from(n).unwrap(), member(&name(n), &format!("138{n:08}")), state)
        };
        let records = (self.left..self.left + leavers).map(|n| leave(u32::try_from(n).unwrap(), &name(n)));
        World {
            recent_leavers: self.recent_leavers.clone(),
            ..world(records.collect(), (0..self.people).map(line).collect())
        }
    }

    /// A run with more leavers. Returns the limits that hold it; none if it is done.
    fn run(&mut self, leavers: usize) -> Vec<(GuardLimit, u64, u64)> {
        let planned = plan_with(&self.world(leavers), None, &self.policy, now()).plan;
        assert_eq!(planned.counts.disabled, leavers as u64);
        if planned.guard.reasons.is_empty() {
            let who = (self.left..self.left + leavers).map(|n| MemberKey::of(&format!("p{n}")));
            let who: Vec<MemberKey> = who.collect();
            self.recent_leavers.day.left.extend(who.iter().cloned());
            self.recent_leavers.week.left.extend(who);
            self.left += leavers;
        }
        let told = planned.guard.reasons.into_iter();
        told.map(|reason| (reason.limit, reason.found, reason.allowed)).collect()
    }

    /// The day is over, the week is not.
    fn next_day(&mut self) {
        self.recent_leavers.day = LeaverWindow::default();
    }
}

fn held(limit: GuardLimit, found: u64, allowed: u64) -> Vec<(GuardLimit, u64, u64)> {
    vec![(limit, found, allowed)]
}

#[test]
fn runs_of_five_leavers_are_held_once_they_are_twice_what_one_run_may_do() {
    for (people, passing, reason) in [
        // One run of forty would be held in each of these: more than a fifth, and more than five.
        (40, 3, held(GuardLimit::LeaveDayPercent, 20, 16)),
        (60, 4, held(GuardLimit::LeaveDayPercent, 25, 24)),
        (95, 7, held(GuardLimit::LeaveDayPercent, 40, 38)),
        // Twice five pass whatever their share, as five do in one run.
        (20, 2, held(GuardLimit::LeaveDayPercent, 15, 8)),
    ] {
        let mut factory = Factory::of(people);
        let steps: Vec<_> = (0..8).map(|_| factory.run(5.min(people - factory.left))).collect();
        let at = steps.iter().position(|step| !step.is_empty()).unwrap();
        assert_eq!((at, &steps[at]), (passing, &reason), "{people} people");
        assert!(factory.left <= 10.max(people * 2 / 5), "{people} people");
    }
}

#[test]
fn twice_what_one_run_may_do_passes_in_a_day_and_no_more_in_the_week() {
    let mut factory = Factory::of(100);
    assert_eq!(factory.run(20), []);
    assert_eq!(factory.run(20), []);
    assert_eq!(factory.run(1), held(GuardLimit::LeaveDayPercent, 41, 40));
    factory.next_day();
    assert_eq!(factory.run(1), held(GuardLimit::LeaveWeekPercent, 41, 40));
    factory.recent_leavers = RecentLeavers::default();
    assert_eq!(factory.run(1), []);
}

#[test]
fn numbers_add_up_as_shares_do() {
    let mut factory = Factory::of(3_000);
    assert_eq!(factory.run(200), []);
    assert_eq!(factory.run(200), []);
    assert_eq!(factory.run(1), held(GuardLimit::LeaveDayMost, 401, 400));
    // One reason, the narrowest, is enough.
    assert_eq!(factory.run(201), held(GuardLimit::LeaveMost, 201, 200));
}

#[test]
fn limits_of_the_tenant_s_own_hold_earlier() {
    let mut factory = Factory::of(100);
    factory.policy.guard = Guard { leave_day_most: 7, leave_week_most: 9, ..Guard::default() };
    assert_eq!(factory.run(5), []);
    assert_eq!(factory.run(3), held(GuardLimit::LeaveDayMost, 8, 7));
    assert_eq!(factory.run(2), []);
    factory.next_day();
    assert_eq!(factory.run(2), []);
    assert_eq!(factory.run(1), held(GuardLimit::LeaveWeekMost, 10, 9));
}

/// A deleted member no longer counts among the members, but did when they left.
#[test]
fn members_who_are_deleted_meanwhile_make_the_base_no_smaller() {
    let mut factory = Factory::of(50);
    assert_eq!(factory.run(10), []);
    assert_eq!(factory.run(9), []);
    factory.gone = 19;
    factory.recent_leavers.day.gone = 19;
    factory.recent_leavers.week.gone = 19;
    assert_eq!(factory.run(1), []);
    // 21 of 50, not of 30.
    factory.gone = 20;
    factory.recent_leavers.day.gone = 20;
    assert_eq!(factory.run(1), held(GuardLimit::LeaveDayPercent, 21, 20));
}

/// The deletion of a member who was disabled within the day is one person; that of a member disabled weeks ago is a
/// person who leaves today, as it is in one run.
#[test]
fn a_person_counts_once() {
    let mut factory = Factory::of(100);
    factory.policy.guard = Guard { leave_day_most: 5, ..Guard::default() };
    assert_eq!(factory.run(5), []);
    let mut world = factory.world(0);
    for n in 0..5 {
        world.put(leave(n, &format!("p{n}")));
    }
    let later = now() + policy().grace;
    let planned = plan_with(&world, None, &factory.policy, later).plan;
    assert_eq!((planned.counts.deleted, planned.guard.holds()), (5, false));
    world.recent_leavers = RecentLeavers::default();
    let others: HashSet<MemberKey> = [MemberKey::of("p90")].into();
    world.recent_leavers.day.left = others;
    let planned = plan_with(&world, None, &factory.policy, later).plan;
    assert_eq!(planned.guard.reasons[0].found, 6);
}

/// A member whom the plan itself brings back no longer counts as a leaver.
#[test]
fn those_who_come_back_in_the_same_plan_make_room() {
    let mut factory = Factory::of(100);
    assert_eq!(factory.run(20), []);
    assert_eq!(factory.run(20), []);
    let mut world = factory.world(1);
    assert!(plan_with(&world, None, &factory.policy, now()).plan.guard.holds());
    world.put(upsert(0, member("p0", "13800000000")));
    let planned = plan_with(&world, None, &factory.policy, now()).plan;
    assert_eq!((planned.counts.disabled, planned.counts.enabled, planned.guard.holds()), (1, 1, false));
}

/// A plan without leavers is not held because of earlier ones.
#[test]
fn a_plan_without_leavers_is_not_held_for_earlier_ones() {
    let mut factory = Factory::of(100);
    assert_eq!(factory.run(20), []);
    factory.policy.guard = Guard { leave_day_most: 3, leave_day_percent: 1, ..Guard::default() };
    let mut world = factory.world(0);
    world.put(upsert(500, member("new", "13999999999")));
    let planned = plan_with(&world, None, &factory.policy, now()).plan;
    assert_eq!((planned.counts.created, planned.guard.holds()), (1, false));
}

/// A plan that a person reads stays the same plan while the hours pass.
#[test]
fn the_id_of_a_plan_does_not_depend_on_the_hour() {
    let mut factory = Factory::of(100);
    assert_eq!(factory.run(20), []);
    assert_eq!(factory.run(20), []);
    let world = factory.world(5);
    let before = plan_with(&world, None, &factory.policy, now()).plan;
    let after =
        plan_with(&World { recent_leavers: RecentLeavers::default(), ..world }, None, &factory.policy, now())
            .plan;
    assert_eq!((before.guard.holds(), after.guard.holds()), (true, false));
    assert_eq!((before.id, before.hash), (after.id, after.hash));
}

#[test]
fn the_text_says_how_many_of_whom_in_how_long() {
    let mut factory = Factory::of(100);
    factory.run(20);
    factory.run(20);
    let planned = plan_with(&factory.world(5), None, &factory.policy, now()).plan;
    let text = &planned.guard.reasons[0].text;
    assert_eq!(
        text.en,
        "would disable or delete 5 members; with 40 of the last 24 hours that is 45 of 100, more than 40 %"
    );
    assert_eq!(text.zh, "将停用或删除 5 名成员；连同最近 24 小时的 40 名共 45 名（成员 100 名），超过 40%");
}

/// However people's departures on a day are divided: never more than twice one run's limit.
#[test]
fn no_division_into_runs_lets_more_people_go() {
    let config = Config {
        cases: 60,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x6775_6172_6400),
        ..Config::default()
    };
    let drawn = (1..120_usize, prop::collection::vec(1..15_usize, 1..30));
    TestRunner::new(config)
        .run(&drawn, |(people, steps)| {
            let mut factory = Factory::of(people);
            for step in steps {
                factory.run(step.min(people - factory.left));
            }
            prop_assert!(factory.left <= 10.max(people * 2 / 5), "{} of {}", factory.left, people);
            Ok(())
        })
        .unwrap();
}
