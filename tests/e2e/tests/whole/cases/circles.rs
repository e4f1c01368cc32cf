//! Values that only one member may hold, passed on in a circle: exchanged in one run, for every kind of value.

use ruzhi_e2e::Tenant;
use ruzhi_sim::FaultRule;
use serde_json::{Value, json};

use super::stage::{BIZ_MAIL, EMAIL, MOBILE, Plan, Stage};

/// People with these columns, synced.
fn with(plan: Plan, people: &[(&str, &[(&str, &str)])]) -> Stage {
    let mut stage = plan.open();
    write(&mut stage, people);
    stage.sync();
    holds(&stage, people);
    stage
}

fn write(stage: &mut Stage, people: &[(&str, &[(&str, &str)])]) {
    for (userid, columns) in people {
        let columns: Vec<(&str, Value)> =
            columns.iter().map(|(column, value)| (*column, json!(value))).collect();
        stage.write(userid, &columns);
    }
}

fn holds(stage: &Stage, people: &[(&str, &[(&str, &str)])]) {
    for (userid, columns) in people {
        let member =
            stage.member(userid).unwrap_or_else(|| panic!("{userid} is missing: {:?}", stage.refused()));
        for (column, value) in *columns {
            let found = match *column {
                MOBILE => &member.mobile,
                EMAIL => &member.email,
                _ => &member.biz_mail,
            };
            assert_eq!(found, value, "{userid}, {:?}", stage.refused());
        }
    }
}

/// One run brings everyone to the form's current values; nothing is rejected or left to do.
fn exchanged(stage: &mut Stage, now: &[(&str, &[(&str, &str)])]) {
    write(stage, now);
    stage.sync();
    holds(stage, now);
    assert_eq!(stage.refused().len(), 0, "{:?}", stage.refused());
    let writes = stage.writes();
    stage.sync();
    assert_eq!(stage.writes(), writes);
}

fn mails() -> Plan {
    Plan { fields: &["email"], ..Plan::default() }
}

#[test]
fn three_pass_their_addresses_on() {
    let mut stage = with(
        mails(),
        &[
            ("C1", &[(EMAIL, "yi@example.com")]),
            ("C2", &[(EMAIL, "er@example.com")]),
            ("C3", &[(EMAIL, "san@example.com")]),
        ],
    );
    exchanged(
        &mut stage,
        &[
            ("C1", &[(EMAIL, "er@example.com")]),
            ("C2", &[(EMAIL, "san@example.com")]),
            ("C3", &[(EMAIL, "yi@example.com")]),
        ],
    );
}

#[test]
fn two_exchange_their_addresses_and_another_takes_a_free_one() {
    let mut stage = with(
        mails(),
        &[("C1", &[(EMAIL, "yi@example.com")]), ("C2", &[(EMAIL, "er@example.com")]), ("C3", &[])],
    );
    exchanged(
        &mut stage,
        &[
            ("C1", &[(EMAIL, "er@example.com")]),
            ("C2", &[(EMAIL, "yi@example.com")]),
            ("C3", &[(EMAIL, "san@example.com")]),
        ],
    );
}

/// Members with nothing but a number each: WeCom requires a number or an address of every member at any time, so
/// neither can give theirs up first. Both wait, and are reported.
#[test]
fn two_who_have_nothing_but_a_number_keep_theirs_and_are_told_of() {
    let people = [("C1", [(MOBILE, "13731880001")]), ("C2", [(MOBILE, "13731880002")])];
    let people: Vec<(&str, &[(&str, &str)])> =
        people.iter().map(|(who, fields)| (*who, &fields[..])).collect();
    let mut stage = with(Plan::default(), &people);
    write(&mut stage, &[("C1", &[(MOBILE, "13731880002")]), ("C2", &[(MOBILE, "13731880001")])]);
    stage.sync();
    holds(&stage, &people);
    assert_eq!(stage.sync()["counts"]["rejected"], 2);
}

/// One takes the other's number, who takes the one's address.
#[test]
fn a_circle_may_go_through_a_number_and_an_address() {
    let mut stage = with(
        mails(),
        &[
            ("C1", &[(MOBILE, "13731880001"), (EMAIL, "yi@example.com")]),
            ("C2", &[(MOBILE, "13731880002"), (EMAIL, "er@example.com")]),
        ],
    );
    exchanged(
        &mut stage,
        &[
            ("C1", &[(MOBILE, "13731880002"), (EMAIL, "new@example.com")]),
            ("C2", &[(MOBILE, "13731880009"), (EMAIL, "yi@example.com")]),
        ],
    );
    exchanged(
        &mut stage,
        &[
            ("C1", &[(MOBILE, "13731880009"), (EMAIL, "yi@example.com")]),
            ("C2", &[(MOBILE, "13731880002"), (EMAIL, "new@example.com")]),
        ],
    );
}

#[test]
fn two_exchange_their_company_addresses() {
    let plan = Plan { fields: &["biz_mail"], ..Plan::default() };
    let mut stage = with(
        plan,
        &[("C1", &[(BIZ_MAIL, "yi@corp.example.com")]), ("C2", &[(BIZ_MAIL, "er@corp.example.com")])],
    );
    exchanged(
        &mut stage,
        &[("C1", &[(BIZ_MAIL, "er@corp.example.com")]), ("C2", &[(BIZ_MAIL, "yi@corp.example.com")])],
    );
}

/// One row of the circle has a wrong number at first, so the others are rejected for the value it still holds.
#[test]
fn a_circle_whose_last_row_was_refused_before_is_exchanged_once_it_is_right() {
    let mut stage = with(
        mails(),
        &[
            ("C1", &[(EMAIL, "yi@example.com")]),
            ("C2", &[(EMAIL, "er@example.com")]),
            ("C3", &[(EMAIL, "san@example.com")]),
        ],
    );
    let now: [(&str, &[(&str, &str)]); 3] = [
        ("C1", &[(EMAIL, "er@example.com")]),
        ("C2", &[(EMAIL, "san@example.com")]),
        ("C3", &[(EMAIL, "yi@example.com")]),
    ];
    write(&mut stage, &now);
    stage.write("C3", &[(MOBILE, json!("12345"))]);
    stage.sync_anyhow();
    stage.sync_anyhow();
    assert_eq!(stage.member("C3").unwrap().email, "san@example.com");
    stage.write("C3", &[(MOBILE, json!("13731880033"))]);
    stage.sync();
    stage.sync();
    holds(&stage, &now);
    stage.rest();
    assert_eq!(stage.refused().len(), 0, "{:?}", stage.refused());
}

/// WeCom refused one of them for a temporary reason; no row changes afterwards.
#[test]
fn a_circle_that_one_fault_broke_is_whole_after_the_next_runs() {
    let mut stage =
        with(mails(), &[("C1", &[(EMAIL, "yi@example.com")]), ("C2", &[(EMAIL, "er@example.com")])]);
    let now: [(&str, &[(&str, &str)]); 2] =
        [("C1", &[(EMAIL, "er@example.com")]), ("C2", &[(EMAIL, "yi@example.com")])];
    write(&mut stage, &now);
    stage.faults(vec![FaultRule::refused(60106).api("user/update").skip(1).next(1)]);
    stage.sync_anyhow();
    stage.faults(Vec::new());
    stage.sync_anyhow();
    stage.sync();
    holds(&stage, &now);
    stage.rest();
}

#[test]
fn a_circle_among_many_goes_beside_the_job() {
    let by_file = |tenant| Tenant { wecom: "batch_from = 3\n".to_owned(), ..tenant };
    let mut stage = with(
        Plan { tenant: by_file, ..mails() },
        &[
            ("C1", &[(EMAIL, "yi@example.com")]),
            ("C2", &[(EMAIL, "er@example.com")]),
            ("C3", &[(EMAIL, "san@example.com")]),
            ("C4", &[(EMAIL, "si@example.com")]),
        ],
    );
    exchanged(
        &mut stage,
        &[
            ("C1", &[(EMAIL, "er@example.com")]),
            ("C2", &[(EMAIL, "yi@example.com")]),
            ("C3", &[(EMAIL, "san3@example.com")]),
            ("C4", &[(EMAIL, "si4@example.com")]),
            ("C5", &[(EMAIL, "wu@example.com")]),
        ],
    );
}
