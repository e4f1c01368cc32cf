//! Any bytes in a guest's memory → outcomes → a plan: nothing panics, no operation breaks a rule of WeCom, and none
//! touches a member that belongs to another record, is protected, or does not belong to ruzhi.
#![no_main]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use ruzhi_guest::contract::Text;
use ruzhi_guest_runtime::{Component, Engine, Guest, GuestLimits};
use ruzhi_hostile::{BASE, Memory, echo, rules};
use ruzhi_model::{
    Context, Decision, DepartmentId, Digest, LedgerEntry, Member, MemberKey, MemberState, Membership,
    OperationKind, Origin, Outcome, SourceRecord, Violation,
};
use ruzhi_plan::{
    Candidate, Claimant, Directory, Disposition, DuplicatePolicy, ExistingPolicy, Guard, Holder, MemberClaim,
    Planner, Policy, RecentLeavers, RecordState, RemovedPolicy, Resolution, Scope, Survey, Totals,
    comparable_mobile,
};

static ECHO: LazyLock<Component> = LazyLock::new(|| {
    let limits =
        GuestLimits { memory: 32 << 20, deadline: Duration::from_secs(5), answer: 1 << 20, slots: 1 };
    let engine = Engine::new(limits).expect("an engine");
    Component::from_bytes(&engine, None, &echo(72)).expect("the guest that answers with given bytes")
});

/// The member of another flow, with a row newer than all of ours.
const VICTIM: &str = "victim";
const RECORDS: usize = 3;

/// The guest's answer: an honest answer of decisions near the rules' edges, with some bytes changed, or any bytes.
fn answer(u: &mut Unstructured<'_>) -> arbitrary::Result<Memory> {
    if u.ratio(1, 4)? {
        let mut memory = Memory::at(BASE);
        memory.raw(u.bytes(u.len().min(2_000))?);
        return Ok(memory);
    }
    let outcomes: Vec<Outcome> = (0..RECORDS).map(|_| outcome(u)).collect::<Result<_, _>>()?;
    let mut memory = Memory::answer(&outcomes);
    let length = u32::try_from(memory.bytes().len()).unwrap_or(1);
    for _ in 0..u.int_in_range(0..=3)? {
        memory.byte(BASE + u.int_in_range(0..=length - 1)?, u.arbitrary()?);
    }
    Ok(memory)
}

fn outcome(u: &mut Unstructured<'_>) -> arbitrary::Result<Outcome> {
    let decision = match u.int_in_range(0..=6)? {
        0 => Decision::Leave(userid(u)?),
        1 => Decision::Ignore(u.arbitrary()?),
        2 => Decision::Reject(
            (0..u.int_in_range(0..=3)?)
                .map(|_| {
                    Ok(Violation {
                        field: u.arbitrary()?,
                        rule: u.arbitrary()?,
                        message: Text::new(u.arbitrary::<String>()?, u.arbitrary::<String>()?),
                    })
                })
                .collect::<arbitrary::Result<_>>()?,
        ),
        _ => Decision::Upsert(Box::new(member(u)?)),
    };
    Ok(Outcome { decision, notes: Vec::arbitrary(u)?, holds_until: Option::arbitrary(u)? })
}

fn userid(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let known = ["a", "A", "b", "own1", "OWN1", VICTIM, "Victim", "boss", "guarded", "@all", ""];
    if u.ratio(1, 6)? { u.arbitrary() } else { Ok((*u.choose(&known)?).to_owned()) }
}

/// Mostly empty or valid, so that members are accepted.
fn text(u: &mut Unstructured<'_>, lawful: &[&str]) -> arbitrary::Result<Option<String>> {
    Ok(match u.int_in_range(0..=9)? {
        0 => Some(u.arbitrary()?),
        1 => Some(String::new()),
        2..=4 => Some((*u.choose(lawful)?).to_owned()),
        _ => None,
    })
}

fn member(u: &mut Unstructured<'_>) -> arbitrary::Result<Member> {
    Ok(Member {
        userid: userid(u)?,
        name: text(u, &["张三"])?.unwrap_or_else(|| "李四".to_owned()),
        mobile: text(u, &["13800138000", "+86 13800138000", "13900139000"])?,
        email: text(u, &["a@example.com"])?.or_else(|| Some("b@example.com".to_owned())),
        memberships: (0..u.int_in_range(0..=2)?)
            .map(|_| {
                let department = *u.choose(&[1, 2, 3, 0, 99])?;
                Ok(Membership { department, leader: u.arbitrary()?, order: u.arbitrary()? })
            })
            .collect::<arbitrary::Result<_>>()?,
        main_department: if u.ratio(1, 4)? { Some(*u.choose(&[1, 2, 99])?) } else { None },
        position: text(u, &["工程师"])?,
        alias: text(u, &["小李"])?,
        gender: text(u, &["1", "2"])?,
        telephone: text(u, &["020-123"])?,
        address: text(u, &["广州"])?,
        direct_leader: if u.ratio(1, 4)? { Some(vec![userid(u)?]) } else { None },
        biz_mail: text(u, &["a@corp.example.com"])?,
        external_position: text(u, &["顾问"])?,
        enable: u.arbitrary()?,
        to_invite: u.arbitrary()?,
        extra: match text(u, &["{\"attrs\":[]}"])? {
            Some(json) => vec![("extattr".to_owned(), json)],
            None => Vec::new(),
        },
    })
}

fn parsed<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("a lawful name")
}

fn origin(flow: &str, n: usize) -> Origin {
    Origin { tenant: parsed("factory"), flow: parsed(flow), record: parsed(&format!("{n:024x}")) }
}

fn line(owner: Origin, userid: &str, mobile: &str) -> LedgerEntry {
    LedgerEntry {
        userid: parsed(userid),
        owner,
        decided_as: MemberKey::of(userid),
        written: Member {
            userid: userid.to_owned(),
            name: "旧".to_owned(),
            mobile: Some(mobile.to_owned()),
            ..Member::default()
        },
        state: MemberState::Active,
        left_at: None,
        doubtful: false,
        carried_out: None,
        rules: Digest::of("rules"),
        kept: serde_json::Map::new(),
        removal_answer: None,
    }
}

fn planned(outcomes: Vec<Outcome>) {
    let ours = |n| origin("onboarding", n);
    let theirs = origin("office", 900);
    let lines = [line(ours(1), "own1", "13700000001"), line(theirs.clone(), VICTIM, "13700000002")];
    let mut resolved: Vec<(Origin, Decision)> =
        outcomes.into_iter().enumerate().map(|(n, outcome)| (ours(n), outcome.decision)).collect();
    let victim = Member { name: "原".to_owned(), ..lines[1].written.clone() };
    resolved.push((theirs.clone(), Decision::Upsert(Box::new(victim))));
    let digest = |decision: &Decision| Digest::of(serde_json::to_vec(decision).expect("a decision"));
    let claimants = resolved
        .iter()
        .filter_map(|(origin, decision)| {
            let (member, claim) = match decision {
                Decision::Upsert(member) => {
                    let mobile = member.mobile.as_deref().filter(|mobile| !mobile.is_empty());
                    (MemberKey::of(&member.userid), MemberClaim::Upsert(mobile.map(comparable_mobile)))
                }
                Decision::Leave(userid) => (MemberKey::of(userid), MemberClaim::Leave),
                _ => return None,
            };
            Some(Claimant { origin: origin.clone(), decision: digest(decision), member, claim })
        })
        .collect();
    let holders: HashMap<MemberKey, Holder> = lines
        .iter()
        .map(|line| {
            let mobile = line.written.mobile.as_deref().map(comparable_mobile);
            (line.userid.key(), Holder { owner: line.owner.clone(), mobile })
        })
        .collect();
    let survey = Survey {
        recent_leavers: RecentLeavers::default(),
        totals: Totals { upserts: 10, ..Totals::default() },
        owned: 2,
        stamp: Digest::of("stamp"),
        claimants,
        holders,
    };
    let directory = Directory {
        departments: BTreeSet::from([1, 2, 3].map(DepartmentId)),
        members: ["own1", VICTIM, "boss", "guarded"]
            .iter()
            .map(|userid| (MemberKey::of(userid), parsed(userid)))
            .collect::<BTreeMap<_, _>>(),
    };
    let policy = Policy {
        duplicates: DuplicatePolicy::Newest,
        existing: ExistingPolicy::Reject,
        removed: RemovedPolicy::Ask,
        protected: BTreeSet::from([MemberKey::of("guarded")]),
        grace: chrono::TimeDelta::days(30),
        guard: Guard::default(),
        retry: false,
    };
    let now = "2026-05-01T08:00:00Z".parse().expect("a moment");
    let scope = Scope {
        tenant: parsed("factory"),
        flow: parsed("onboarding"),
        tenants: vec![parsed("factory")],
        absent_leaves: false,
        grace_over: now,
        day: now,
        week: now,
    };
    let freed = HashSet::new();
    let mut planner = Planner::new(&scope, &survey, Some(&directory), &freed, &policy, now);
    let mut written = BTreeSet::new();
    for (origin, decision) in resolved.iter().filter(|(origin, _)| *origin != theirs) {
        let named = match decision {
            Decision::Upsert(member) => Some(MemberKey::of(&member.userid)),
            Decision::Leave(userid) => Some(MemberKey::of(userid)),
            _ => None,
        };
        let candidate = Candidate {
            record: RecordState {
                origin: origin.clone(),
                resolution: Resolution::Decided(decision.clone()),
                decision: digest(decision),
                rules: Digest::of("rules"),
                fetched: parsed("r20260501T080000000-000000"),
                rejection: None,
                absent: false,
            },
            entry: lines.iter().find(|line| Some(&line.decided_as) == named.as_ref()).cloned(),
            also_owns: lines
                .iter()
                .filter(|line| line.owner == *origin && Some(&line.decided_as) != named.as_ref())
                .map(|line| line.userid.clone())
                .collect(),
            leaders: Vec::new(),
        };
        let Disposition::Operation(operation) = planner.consider(&candidate).disposition else { continue };
        let key = operation.userid.key();
        for untouchable in [VICTIM, "boss", "guarded"] {
            assert_ne!(key, MemberKey::of(untouchable), "{operation:?}");
        }
        assert!(written.insert(key), "written twice: {operation:?}");
        assert!(operation.body.contains_key("userid"));
        if operation.kind == OperationKind::Create {
            assert_eq!(ruzhi_guest::rule::check(&operation.member), vec![], "{operation:?}");
            let known = |m: &Membership| directory.departments.contains(&DepartmentId(m.department));
            assert!(operation.member.memberships.iter().all(known), "{operation:?}");
        }
    }
    planner.finish();
}

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    let Ok(memory) = answer(&mut u) else { return };
    let guest = Guest::new(ECHO.clone(), rules(memory.bytes())).expect("it takes any rules");
    let records: Vec<SourceRecord> =
        (0..RECORDS).map(|n| SourceRecord { id: format!("{n:024x}"), json: "{}".to_owned() }).collect();
    let context = Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "UTC".to_owned() };
    match guest.decide(&context, &records) {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), RECORDS);
            for outcome in &outcomes {
                if let Decision::Upsert(member) = &outcome.decision {
                    assert_eq!(ruzhi_guest::rule::check(member), vec![]);
                }
            }
            planned(outcomes);
        }
        Err(error) => assert!(!error.code().is_empty() && error.text().both().len() < 20_000),
    }
});
