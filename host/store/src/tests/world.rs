//! The input of a plan: the survey, and the records that may ask for something.

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::*;
use crate::{Absence, DraftPart};
use ruzhi_model::{RecordId, Violation};
use ruzhi_plan::testing::policy;
use ruzhi_plan::testing::world::{CandidateSelection, World};
use ruzhi_plan::{Candidate, Disposition, Planner, RecordPlan, RecordState, Scope, Survey};

fn scope(tenants: &[TenantId]) -> Scope {
    Scope {
        tenant: tenants[0].clone(),
        flow: flow(),
        tenants: tenants.to_vec(),
        absent_leaves: false,
        grace_over: now() - policy().grace,
        day: now() - TimeDelta::days(1),
        week: now() - TimeDelta::days(7),
    }
}

/// A record of the small world.
#[derive(Debug, Clone)]
struct Drawn {
    elsewhere: bool,
    absent: bool,
    kind: u8,
    userid: &'static str,
    mobile: &'static str,
}

impl Drawn {
    fn resolution(&self) -> Resolution {
        let rejected = Violation { field: "name".to_owned(), rule: "r".to_owned(), message: "m".into() };
        match self.kind {
            0 => Resolution::Decided(Decision::Ignore("…".to_owned())),
            1 => Resolution::Decided(Decision::Reject(vec![rejected])),
            2 => Resolution::Failed("the guest trapped".to_owned()),
            3 | 4 => Resolution::Decided(Decision::Leave(self.userid.to_owned())),
            _ => upsert(self.userid, self.mobile),
        }
    }
}

/// A line of the small world: its member, its owner, and its state.
#[derive(Debug, Clone)]
struct Line {
    userid: &'static str,
    /// The account that decisions name, if the member was adopted by mobile number.
    other_account: bool,
    elsewhere: bool,
    owner: u32,
    /// It carries out its owner's decision, if that is an upsert of this member.
    carries_out: bool,
    state: u8,
    doubtful: bool,
}

const USERIDS: [&str; 5] = ["a", "b", "c", "D", "e"];

fn any_record() -> impl Strategy<Value = Drawn> {
    let userid = prop::sample::select(USERIDS.to_vec());
    let mobile =
        prop::sample::select(vec!["", "13800000001", "+86 13800000001", "13800000002", "13800000003"]);
    (prop::bool::weighted(0.3), prop::bool::weighted(0.2), 0..12_u8, userid, mobile).prop_map(
        |(elsewhere, absent, kind, userid, mobile)| Drawn { elsewhere, absent, kind, userid, mobile },
    )
}

fn any_line(userid: &'static str) -> impl Strategy<Value = Option<Line>> {
    let line = (
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.3),
        0..8_u32,
        prop::bool::weighted(0.7),
        0..7_u8,
        prop::bool::weighted(0.2),
    );
    prop::option::weighted(
        0.7,
        line.prop_map(move |(other_account, elsewhere, owner, carries_out, state, doubtful)| Line {
            userid,
            other_account,
            elsewhere,
            owner,
            carries_out,
            state,
            doubtful,
        }),
    )
}

type Case = (Vec<Drawn>, Vec<Option<Line>>, bool);

fn any_case() -> impl Strategy<Value = Case> {
    let lines: Vec<_> = USERIDS.iter().map(|userid| any_line(userid)).collect();
    (prop::collection::vec(any_record(), 0..8), lines, any::<bool>())
}

/// The small world in memory; the store holds the same.
fn world((drawn, lines, absent_leaves): &Case, tenants: &[TenantId]) -> World {
    let mut world = World { absent_leaves: *absent_leaves, ..World::default() };
    for (n, drawn) in (0..).zip(drawn) {
        let origin = origin(&tenants[usize::from(drawn.elsewhere)], n);
        let row = row(n, drawn.resolution());
        let record = RecordState {
            origin: origin.clone(),
            decision: row.decision_hash(),
            resolution: row.resolution,
            rules: row.rules,
            fetched: row.fetched_run,
            rejection: None,
            absent: false,
        };
        world.put(record);
        if drawn.absent {
            world.absent.insert(origin);
        }
    }
    let mut owners = HashSet::new();
    for drawn in lines.iter().flatten() {
        let owner = origin(&tenants[usize::from(drawn.elsewhere)], drawn.owner);
        let state =
            [MemberState::Active, MemberState::Left, MemberState::Deleted][usize::from(drawn.state % 3)];
        // One row is one person: no record owns two members that are in use.
        if state == MemberState::Active && !owners.insert(owner.clone()) {
            continue;
        }
        let record = world.records.get(&owner);
        let wanted = record.and_then(|record| match &record.resolution {
            Resolution::Decided(Decision::Upsert(member)) => Some((&record.decision, member)),
            _ => None,
        });
        let wanted = wanted.filter(|(_, member)| {
            drawn.carries_out && MemberKey::of(&member.userid) == MemberKey::of(drawn.userid)
        });
        let written =
            wanted.map_or_else(|| member(drawn.userid, "13800000009"), |(_, member)| Member::clone(member));
        let mut line = line(owner.clone(), written, state);
        line.carried_out = wanted.map(|(decision, _)| decision.clone());
        if drawn.other_account {
            line.userid = format!("other-{}", drawn.userid).parse().unwrap();
            line.written.userid = line.userid.to_string();
        }
        line.left_at = match (state, drawn.state) {
            (MemberState::Left, 1) => Some(now()),
            (MemberState::Left, 4) => Some(now() - TimeDelta::days(31)),
            _ => None,
        };
        line.doubtful = drawn.doubtful;
        world.write(line);
    }
    world
}

async fn store(opened: &Opened, world: &World, tenants: &[TenantId]) {
    for tenant in tenants {
        let of_tenant = |origin: &&Origin| origin.tenant == *tenant;
        let rows: Vec<RecordRow> = world
            .records
            .values()
            .filter(|record| record.origin.tenant == *tenant)
            .map(|record| RecordRow { id: record.origin.record.clone(), ..row(0, record.resolution.clone()) })
            .collect();
        opened.store.records_put(tenant, &flow(), &rows).await.unwrap();
        let absent: Vec<RecordId> =
            world.absent.iter().filter(of_tenant).map(|origin| origin.record.clone()).collect();
        opened.store.records_mark_absent(tenant, &flow(), Absence::Gone, &absent).await.unwrap();
        let lines: Vec<LedgerEntry> =
            world.ledger.values().filter(|line| line.owner.tenant == *tenant).cloned().collect();
        opened.write(tenant, &lines).await;
    }
}

/// Every candidate, page by page, then those that are contested and were not among them.
async fn asked(opened: &Opened, scope: &Scope, contested: &[Origin]) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    loop {
        let after = all.last().map(|candidate| candidate.record.origin.record.clone());
        let page = opened.store.candidates_list(scope, after.as_ref(), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let seen: HashSet<RecordId> = all.iter().map(|c| c.record.origin.record.clone()).collect();
    let others: Vec<RecordId> =
        contested.iter().map(|origin| origin.record.clone()).filter(|id| !seen.contains(id)).collect();
    all.extend(opened.store.candidates_find(scope, &others).await.unwrap());
    all
}

/// Every record of the flow that asks for something, and the absent ones that may ask.
async fn everyone(opened: &Opened, scope: &Scope, world: &World) -> Vec<Candidate> {
    let asked = asked(opened, scope, &[]).await;
    let absent = asked.into_iter().filter(|candidate| candidate.record.absent);
    let says_something = |record: &&RecordState| {
        record.origin.tenant == scope.tenant
            && !world.absent.contains(&record.origin)
            && !matches!(record.resolution, Resolution::Decided(Decision::Ignore(_)))
    };
    let ids: Vec<RecordId> =
        world.records.values().filter(says_something).map(|record| record.origin.record.clone()).collect();
    let mut all = opened.store.candidates_find(scope, &ids).await.unwrap();
    all.extend(absent);
    all.sort_by(|a, b| a.record.origin.cmp(&b.record.origin));
    all
}

fn sorted(mut survey: Survey) -> Survey {
    survey.claimants.sort_by(|a, b| a.origin.cmp(&b.origin));
    survey
}

async fn check(opened: &Opened, case: &Case, tenants: &[TenantId]) {
    let world = world(case, tenants);
    store(opened, &world, tenants).await;
    let scope = Scope { absent_leaves: case.2, ..scope(tenants) };
    let surveyed = sorted(opened.store.survey_find(&scope).await.unwrap());
    let model = sorted(world.survey(&scope));
    assert_eq!((surveyed.totals, surveyed.owned), (model.totals, model.owned));
    assert_eq!(surveyed.claimants, model.claimants);
    assert_eq!(surveyed.holders, model.holders);

    let (none, policy) = (HashSet::new(), policy());
    let mut planner = Planner::new(&scope, &surveyed, None, &none, &policy, now());
    let few = asked(opened, &scope, &planner.contested()).await;
    let expected = world.shown(&scope, &planner.contested(), CandidateSelection::Candidates);
    assert_eq!(format!("{few:#?}"), format!("{expected:#?}"));

    let mut dispositions: BTreeMap<RecordId, RecordPlan> = BTreeMap::new();
    for candidate in &few {
        dispositions.insert(candidate.record.origin.record.clone(), planner.consider(candidate));
    }
    let mut all = Planner::new(&scope, &surveyed, None, &none, &policy, now());
    for candidate in everyone(opened, &scope, &world).await {
        let disposition = all.consider(&candidate);
        match dispositions.get(&candidate.record.origin.record) {
            Some(other) => assert_eq!(disposition, *other),
            None => assert!(
                matches!(
                    disposition.disposition,
                    Disposition::Unchanged { confirmed: false } | Disposition::Ignored { .. }
                ),
                "{candidate:?} is passed over and {disposition:?}"
            ),
        }
    }
    let ((few, _), (all, _)) = (planner.finish(), all.finish());
    assert_eq!((few.counts, few.guard), (all.counts, all.guard));
}

/// The store selects the same records as the planner's test world, and skips exactly those that nothing can come of.
#[test]
fn only_records_that_have_nothing_to_ask_are_passed_over() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = runtime.block_on(open());
    let config = Config {
        cases: 150,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x7275_7a68_6933),
        ..Config::default()
    };
    let number = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&any_case(), |case| {
            number.set(number.get() + 1);
            let tenants = ["here", "there"].map(|name| tenant(&format!("{name}{}", number.get())));
            runtime.block_on(check(&opened, &case, &tenants));
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn the_stamp_of_the_world_tells_every_change_and_no_confirmation() {
    let opened = open().await;
    let here = tenant("here");
    let tenants = [here.clone(), tenant("there")];
    let scope = scope(&tenants);
    let stamp = async || opened.store.survey_find(&scope).await.unwrap().stamp;
    let put = async |tenant: &TenantId, row: RecordRow| {
        opened.store.records_put(tenant, &flow(), &[row]).await.unwrap();
    };
    let mut stamps = vec![stamp().await];
    put(&here, row(1, upsert("a", "13800000001"))).await;
    stamps.push(stamp().await);
    // Another decision, other rules, another record, another tenant's record.
    put(&here, row(1, upsert("a", "13800000002"))).await;
    stamps.push(stamp().await);
    put(&here, RecordRow { rules: Digest::of("other"), ..row(1, upsert("a", "13800000002")) }).await;
    stamps.push(stamp().await);
    put(&here, row(2, upsert("a", "13800000002"))).await;
    stamps.push(stamp().await);
    put(&tenants[1], row(2, upsert("a", "13800000002"))).await;
    stamps.push(stamp().await);
    // Absence.
    opened.store.records_mark_absent(&here, &flow(), Absence::Gone, &[id(2)]).await.unwrap();
    stamps.push(stamp().await);
    // A line, and each of its parts.
    let written = line(origin(&here, 1), member("a", "13800000002"), MemberState::Active);
    let left = LedgerEntry { state: MemberState::Left, left_at: Some(now()), ..written.clone() };
    let mut alias = left.clone();
    alias.written.alias = Some("三".to_owned());
    let mut kept = alias.clone();
    kept.kept.insert("position".to_owned(), "厂长".into());
    let doubtful = LedgerEntry { doubtful: true, ..kept.clone() };
    let other_owner = LedgerEntry { owner: origin(&here, 2), ..doubtful.clone() };
    for line in [&written, &left, &alias, &kept, &doubtful, &other_owner] {
        opened.write(&here, std::slice::from_ref(line)).await;
        stamps.push(stamp().await);
    }
    let different: HashSet<&Digest> = stamps.iter().collect();
    assert_eq!(different.len(), stamps.len(), "{stamps:#?}");

    // Writing the same rows and lines again changes nothing, nor does finding that a decision is carried out.
    opened.write(&here, std::slice::from_ref(&written)).await;
    let before = stamp().await;
    put(&here, row(2, upsert("a", "13800000002"))).await;
    opened.store.records_mark_absent(&here, &flow(), Absence::Gone, &[id(2)]).await.unwrap();
    opened.write(&here, std::slice::from_ref(&written)).await;
    let (decision, rules) = (Digest::of("decision"), Digest::of("rules of today"));
    let confirmed = vec![(origin(&here, 1), decision.clone(), rules.clone())];
    let part = DraftPart { confirmed, ..DraftPart::default() };
    opened.store.draft_put(&"r1".parse().unwrap(), &here, &part, now()).await.unwrap();
    let confirmed =
        opened.store.ledger_find(std::slice::from_ref(&here), &[MemberKey::of("a")]).await.unwrap();
    assert_eq!((&confirmed[0].carried_out, &confirmed[0].rules), (&Some(decision), &rules));
    assert_eq!(stamp().await, before);
}

#[tokio::test]
async fn a_member_who_moves_has_one_line_in_the_ledger_of_the_tenant_they_joined() {
    let opened = open().await;
    let (here, there) = (tenant("here"), tenant("there"));
    let before = line(origin(&here, 1), member("a", "13800000001"), MemberState::Active);
    opened.write(&here, std::slice::from_ref(&before)).await;
    let after = LedgerEntry { owner: origin(&there, 2), ..before.clone() };
    let moving = Operation { before: Some(before), ..operation(OperationKind::Update, 2, "a") };
    let settlement = settlement(0, moving, Some(after.clone()));
    opened
        .store
        .operations_settle(
            &[here.clone(), there.clone()],
            &there,
            &"p1".parse().unwrap(),
            &[settlement],
            now(),
        )
        .await
        .unwrap();
    let both = [here.clone(), there];
    assert_eq!(opened.store.ledger_find(&both, &[MemberKey::of("A")]).await.unwrap(), [after]);
    assert_eq!(opened.store.ledger_list(&[here], None, 10).await.unwrap(), []);
}
