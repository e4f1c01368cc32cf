//! The outcome to be written to a row, and that it is written once.

use super::*;
use crate::{DueWriteBack, WriteBackRow, WriteBackScope};
use ruzhi_model::{RejectedBy, Rejection, Violation};

async fn due(opened: &Opened, settings: &str, held: Option<&str>) -> Vec<DueWriteBack> {
    let (tenant, flow, settings) = (tenant("factory"), flow(), Digest::of(settings));
    let held = held.map(|plan| plan.parse().unwrap());
    let scope = WriteBackScope { tenant: &tenant, flow: &flow, settings: &settings, held: held.as_ref() };
    let mut all = Vec::new();
    loop {
        let after = all.last().map(|due: &DueWriteBack| due.record.clone());
        let page = opened.store.write_backs_list_due(&scope, after.as_ref(), 2).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn tell(opened: &Opened, told: &[DueWriteBack]) {
    let written: Vec<WriteBackRow> = told
        .iter()
        .map(|due| WriteBackRow {
            record: due.record.clone(),
            basis: due.basis.clone(),
            digest: Some(Digest::of("words")),
            failures: 0,
        })
        .collect();
    opened.store.write_backs_put(&tenant("factory"), &flow(), &written, now()).await.unwrap();
}

#[tokio::test]
async fn a_row_is_due_once_what_it_asks_for_is_done_and_again_when_that_changes() {
    let opened = open().await;
    let tenant = tenant("factory");
    let wanted = [
        row(1, upsert("a", "13800000001")),
        row(2, upsert("b", "13800000002")),
        row(3, Resolution::Decided(Decision::Leave("c".to_owned()))),
        row(4, Resolution::Decided(Decision::Ignore("…".to_owned()))),
        row(5, upsert("e", "13800000005")),
        row(6, Resolution::Failed("the guest trapped".to_owned())),
    ];
    opened.store.records_put(&tenant, &flow(), &wanted).await.unwrap();
    assert_eq!(due(&opened, "s", None).await, [], "nothing has been done yet");

    let done = |n: u32, userid: &str, state, carried_out: Option<Digest>| LedgerEntry {
        carried_out,
        ..line(origin(&tenant, n), member(userid, &format!("1380000000{n}")), state)
    };
    let lines = [
        done(1, "a", MemberState::Active, Some(wanted[0].decision_hash())),
        // An older decision is carried out, this one is not yet.
        done(2, "b", MemberState::Active, Some(Digest::of("older"))),
        done(9, "c", MemberState::Left, Some(Digest::of("its own"))),
        LedgerEntry { doubtful: true, ..done(5, "e", MemberState::Active, Some(wanted[4].decision_hash())) },
    ];
    opened.write(&tenant, &lines).await;
    let first = due(&opened, "s", None).await;
    let members: Vec<_> = first.iter().map(|due| (due.record.clone(), due.member)).collect();
    assert_eq!(members, [(id(1), Some(MemberState::Active)), (id(3), Some(MemberState::Left))]);
    tell(&opened, &first).await;
    assert_eq!(due(&opened, "s", None).await, []);
    // Other settings: everything has to be written again, in the other field or language.
    let again = due(&opened, "other", None).await;
    assert_eq!(again.len(), 2);
    assert_eq!(again[0].written, Some(Digest::of("words")));

    // WeCom rejects an update of the first: it has to be corrected, though the member is there.
    let violation = Violation { field: "mobile".to_owned(), rule: "r".to_owned(), message: "m".into() };
    let rejection = Rejection {
        errcode: Some(60104),
        held_by: Some("b".parse().unwrap()),
        ..Rejection::new(RejectedBy::Wecom, vec![violation])
    };
    let refused = Settlement {
        state: OperationState::Rejected,
        rejection: Some(rejection.clone()),
        ..settlement(0, operation(OperationKind::Update, 1, "a"), None)
    };
    opened
        .store
        .operations_settle(std::slice::from_ref(&tenant), &tenant, &"p1".parse().unwrap(), &[refused], now())
        .await
        .unwrap();
    let third = due(&opened, "s", None).await;
    assert_eq!(third.iter().map(|due| &due.rejection).collect::<Vec<_>>(), [&Some(rejection)]);
}

#[tokio::test]
async fn the_other_record_that_claims_a_number_or_an_account_is_found_by_its_name() {
    let opened = open().await;
    let tenant = tenant("factory");
    let rows = [
        row(1, upsert("a", "13800000001")),
        row(2, upsert("b", "+86 13800000001")),
        row(3, upsert("A", "13800000003")),
    ];
    opened.store.records_put(&tenant, &flow(), &rows).await.unwrap();
    let rival = async |n, of_mobile| {
        opened
            .store
            .record_find_rival(std::slice::from_ref(&tenant), &origin(&tenant, n), of_mobile)
            .await
            .unwrap()
    };
    assert_eq!(rival(1, true).await, Some(member("b", "").name));
    assert_eq!(rival(1, false).await, Some(member("A", "").name));
    assert_eq!((rival(3, true).await, rival(2, false).await), (None, None));
}
