//! Texts are compared folded: widths, radicals, dots, spaces and case are unified. Written values stay as the form has
//! them.

use serde_json::{Value, json};

use super::stage::{DEPARTMENT, POSITION, Plan, STATE, Stage};

fn departments() -> Plan {
    Plan {
        lookup: Some(json!({
            "生产部（一车间）": 3, "技术部(研发)": 4, "质检部": 5, "财务 部": 6, "非标车间": 7,
            "冲压·焊装": 8, "QA Team": 9, "龙门吊班": 10, "金工车间/夜班": 11,
        })),
        ..Plan::default()
    }
}

#[test]
fn a_department_is_found_however_it_is_spelt() {
    let found: [(Value, &[u32]); 24] = [
        (json!("生产部（一车间）"), &[3]),
        (json!("生产部(一车间)"), &[3]),
        (json!("技术部(研发)"), &[4]),
        (json!("技术部（研发）"), &[4]),
        (json!("质检部 "), &[5]),
        (json!("质检部\u{200b}"), &[5]),
        (json!("\u{3000}质检部"), &[5]),
        // Radicals: ⾮ and ⻋.
        (json!("\u{2fae}标\u{2ecb}间"), &[7]),
        (json!("财务 部"), &[6]),
        (json!("财务\u{3000}部"), &[6]),
        (json!(["质检部", "技术部(研发)"]), &[5, 4]),
        (json!("质检部\n"), &[5]),
        (json!({ "name": "质检部", "dept_no": 99, "type": 0, "status": 1 }), &[5]),
        // Middle dots of other kinds.
        (json!("冲压\u{30fb}焊装"), &[8]),
        (json!("冲压\u{2022}焊装"), &[8]),
        (json!("冲压\u{2027}焊装"), &[8]),
        (json!("冲压\u{ff65}焊装"), &[8]),
        (json!("qa team"), &[9]),
        (json!("ＱＡ\u{a0}Ｔｅａｍ"), &[9]),
        (json!("QA  TEAM"), &[9]),
        // A compatibility ideograph, 龍's simplified form has none; ⾦ is a radical.
        (json!("\u{2fa6}\u{2f2f}\u{2ecb}间／夜班"), &[11]),
        (json!("⾦工車间/夜班".replace('車', "车")), &[11]),
        (json!("金工车间／夜班"), &[11]),
        (json!("龙门吊班\u{feff}"), &[10]),
    ];
    let mut stage = departments().open();
    let people: Vec<String> = (0..found.len()).map(|number| format!("S{number:02}")).collect();
    for (userid, (text, _)) in people.iter().zip(&found) {
        stage.write(userid, &[(DEPARTMENT, text.clone())]);
    }
    stage.sync();
    for (userid, (text, ids)) in people.iter().zip(&found) {
        let member =
            stage.member(userid).unwrap_or_else(|| panic!("{text}: {:?}", stage.refusals_of(userid)));
        assert_eq!(member.department, *ids, "{text}");
    }
}

#[test]
fn another_department_is_not_found() {
    let mut stage = departments().open();
    for (userid, text) in
        [("S1", "质检"), ("S2", "生产部（二车间）"), ("S3", "QA-Team"), ("S4", "质检部质检部")]
    {
        stage.write(userid, &[(DEPARTMENT, json!(text))]);
    }
    stage.write("S5", &[(DEPARTMENT, json!("质检部"))]);
    stage.sync();
    for userid in ["S1", "S2", "S3", "S4"] {
        assert_eq!(stage.refusals_of(userid), ["lookup.unknown"], "{userid}");
    }
    assert_eq!(stage.status("S5"), 4);
}

#[test]
fn a_condition_holds_however_its_text_is_spelt() {
    let when = json!([
        { "field": STATE, "in": ["离职", "辞退（协商）", "Resigned"], "then": "leave" },
        { "field": POSITION, "equals": "实习生（暑期）", "then": "ignore" },
        { "field": STATE, "not_in": ["在职", "On Job"], "then": "reject" },
    ]);
    let mut stage = Stage::of(Plan { when, ..Plan::default() }, &["S1", "S2", "S3", "S4", "S5", "S6"]);
    stage.sync();
    stage.write("S1", &[(STATE, json!("离职 "))]);
    stage.write("S2", &[(STATE, json!("辞退(协商)"))]);
    stage.write("S3", &[(STATE, json!("ＲＥＳＩＧＮＥＤ"))]);
    stage.write("S4", &[(STATE, json!("on\u{3000}job"))]);
    // A multiple choice, of which one item is enough.
    stage.write("S5", &[(STATE, json!(["待交接", "离职\u{200b}"]))]);
    stage.write("S7", &[(POSITION, json!("实习生(暑期)"))]);
    stage.write("S8", &[(STATE, json!("停薪留职"))]);
    stage.sync();
    for (userid, status) in
        [("S1", 2), ("S2", 2), ("S3", 2), ("S4", 4), ("S5", 2), ("S6", 4), ("S7", 0), ("S8", 0)]
    {
        assert_eq!(stage.status(userid), status, "{userid}: {:?}", stage.refused());
    }
    assert_eq!(stage.refusals_of("S8"), ["when.reject"]);
}

/// Only the comparison is folded.
#[test]
fn what_is_written_stays_as_the_form_has_it() {
    let mut stage = Plan::default().open();
    for (userid, position) in [("S1", "班长（夜班）"), ("S2", "ＱＡ工程师"), ("S3", "焊工·二级")]
    {
        stage.write(userid, &[(POSITION, json!(position))]);
    }
    stage.sync();
    assert_eq!(stage.member("S1").unwrap().position, "班长（夜班）");
    assert_eq!(stage.member("S2").unwrap().position, "ＱＡ工程师");
    assert_eq!(stage.member("S3").unwrap().position, "焊工·二级");
}
