//! Members who were removed by hand, and a person's decision about each.

use super::journal::run_row;
use super::*;
use crate::{RemovalFilter, RemovalRow, RunRow};
use ruzhi_model::{RejectedBy, Rejection, RemovalAnswer, Violation, WaitsFor};
use ruzhi_plan::Scope;

const ALL: RemovalFilter<'static> =
    RemovalFilter { tenant: None, flow: None, record: None, waiting: false, after: None, most: 100 };

/// A member whose removal was found, settled by a second listing.
fn removed(owner: Origin, userid: &str) -> LedgerEntry {
    let line = line(owner, member(userid, "13800000001"), MemberState::Active).removed(now());
    LedgerEntry { doubtful: false, ..line }
}

impl Opened {
    /// Puts a record into quarantine that waits for a person.
    async fn refuse(&self, tenant: &TenantId, n: u32) {
        let violation = Violation {
            field: "userid".to_owned(),
            rule: "member.removed".to_owned(),
            message: ruzhi_model::Text::new("removed by hand", "被手工删除").into(),
        };
        let rejection =
            Rejection { waits_for: WaitsFor::Person, ..Rejection::new(RejectedBy::Plan, vec![violation]) };
        let settlement = Settlement {
            rejection: Some(rejection),
            ..settlement(0, operation(OperationKind::Update, n, "x"), None)
        };
        let tenants = std::slice::from_ref(tenant);
        self.store
            .operations_settle(tenants, tenant, &"nowhere".parse().unwrap(), &[settlement], now())
            .await
            .unwrap();
    }

    async fn removed(&self, wanted: &RemovalFilter<'_>) -> Vec<RemovalRow> {
        self.store.removals_list(wanted).await.unwrap()
    }
}

fn named(rows: &[RemovalRow]) -> Vec<(&str, Option<RemovalAnswer>, bool)> {
    rows.iter().map(|row| (row.userid.as_str(), row.answer, row.waits)).collect()
}

#[tokio::test]
async fn removed_members_are_listed_and_only_those_wait_whose_record_wants_them_back() {
    let opened = open().await;
    let (one, two) = (tenant("one"), tenant("two"));
    let there = line(origin(&one, 3), member("There", "13800000003"), MemberState::Active);
    opened.write(&one, &[removed(origin(&one, 1), "Zhang"), removed(origin(&one, 2), "anna"), there]).await;
    opened.write(&two, &[LedgerEntry { doubtful: true, ..removed(origin(&two, 1), "b") }]).await;
    opened.refuse(&one, 1).await;

    let all = opened.removed(&ALL).await;
    assert_eq!(named(&all), [("anna", None, false), ("Zhang", None, true), ("b", None, false)]);
    assert_eq!((all[1].record.clone(), all[1].found_at, all[1].unsure), (id(1), Some(now()), false));
    assert!(all[2].unsure);

    let of_one = RemovalFilter { tenant: Some(&one), ..ALL };
    assert_eq!(opened.removed(&RemovalFilter { most: 1, ..of_one }).await, all[..1]);
    let anna = MemberKey::of("anna");
    assert_eq!(opened.removed(&RemovalFilter { after: Some(&anna), ..of_one }).await, all[1..2]);
    assert_eq!(opened.removed(&RemovalFilter { waiting: true, ..ALL }).await, all[1..2]);
    assert_eq!(opened.removed(&RemovalFilter { record: Some(&id(2)), ..of_one }).await, all[..1]);
    let other = "another".parse().unwrap();
    assert_eq!(opened.removed(&RemovalFilter { flow: Some(&other), ..of_one }).await, []);
}

#[tokio::test]
async fn an_answer_is_kept_for_a_removed_member_alone_and_makes_every_plan_an_older_one() {
    let opened = open().await;
    let one = tenant("one");
    let there = line(origin(&one, 2), member("there", "13800000003"), MemberState::Active);
    opened.write(&one, &[removed(origin(&one, 1), "Zhang"), there]).await;
    opened.refuse(&one, 1).await;
    let scope = Scope {
        tenant: one.clone(),
        flow: flow(),
        tenants: vec![one.clone()],
        absent_leaves: false,
        grace_over: now(),
        day: now(),
        week: now(),
    };
    let stamp = async || opened.store.survey_find(&scope).await.unwrap().stamp;
    let mut stamps = vec![stamp().await];
    for answer in [RemovalAnswer::Recreate, RemovalAnswer::RecreateInvited, RemovalAnswer::Release] {
        assert!(opened.store.removal_answer(&one, &MemberKey::of("ZHANG"), answer).await.unwrap());
        assert_eq!(named(&opened.removed(&ALL).await), [("Zhang", Some(answer), false)]);
        let line =
            opened.store.ledger_find(std::slice::from_ref(&one), &[MemberKey::of("zhang")]).await.unwrap();
        assert_eq!(line.into_iter().next().unwrap().removal_answer, Some(answer));
        let now = stamp().await;
        assert!(!stamps.contains(&now));
        stamps.push(now);
    }
    for (tenant, member) in [(&one, "there"), (&one, "missing"), (&tenant("two"), "zhang")] {
        let answer = RemovalAnswer::Recreate;
        assert!(!opened.store.removal_answer(tenant, &MemberKey::of(member), answer).await.unwrap());
    }
    assert_eq!(stamp().await, *stamps.last().unwrap());
}

#[tokio::test]
async fn the_numbers_of_a_flow_say_how_many_wait_and_count_no_removed_member_as_there() {
    let opened = open().await;
    let one = tenant("one");
    let there = line(origin(&one, 3), member("there", "13800000003"), MemberState::Active);
    opened.write(&one, &[removed(origin(&one, 1), "a"), removed(origin(&one, 2), "b"), there]).await;
    opened.refuse(&one, 1).await;
    opened.refuse(&one, 2).await;
    opened.store.run_put(&RunRow { tenant: one.clone(), ..run_row("r1") }).await.unwrap();
    let counts = async || {
        let status = opened.store.flow_statuses_list().await.unwrap().remove(0);
        (status.members, status.rejected, status.removed)
    };
    assert_eq!(counts().await, (1, 2, 2));
    opened.store.removal_answer(&one, &MemberKey::of("a"), RemovalAnswer::Release).await.unwrap();
    assert_eq!(counts().await, (1, 2, 1));
}
