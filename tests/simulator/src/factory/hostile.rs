//! Rows that are wrong, or look wrong and are not, in every way the field rules know. A rule's name is the one that
//! `rejects` shows. The rules are assumed to read all of userid, name, mobile, department, position and e-mail.

use serde_json::{Value, json};

use super::people::People;
use super::{DEPARTMENT, EMAIL, ExpectedMember, FactoryRow, MOBILE, NAME, POSITION, USERID, Verdict};

/// A field has a value that its rule rejects.
struct Refused {
    kind: &'static str,
    field: &'static str,
    rule: &'static str,
    value: fn(&ExpectedMember) -> Value,
}

/// A field looks odd, and the second function gives the resulting member.
struct Odd {
    kind: &'static str,
    field: &'static str,
    value: fn(&ExpectedMember) -> Value,
    becomes: fn(&mut ExpectedMember),
}

/// Two rows that concern each other.
#[derive(Clone, Copy)]
enum Pair {
    UseridIgnoringCase,
    Mobile,
    SamePersonTwice,
}

#[rustfmt::skip]
const REFUSED: [Refused; 40] = [
    Refused { kind: "userid_empty", field: USERID, rule: "userid.empty", value: |_| json!("") },
    Refused { kind: "userid_null", field: USERID, rule: "userid.empty", value: |_| json!(null) },
    Refused { kind: "userid_65_bytes", field: USERID, rule: "userid.too-long", value: |p| json!(format!("{}{}", p.userid, "x".repeat(65 - p.userid.len().min(64)))) },
    Refused { kind: "userid_chinese", field: USERID, rule: "userid.charset", value: |p| json!(format!("{}{}", p.name, p.mobile)) },
    Refused { kind: "userid_space_inside", field: USERID, rule: "userid.charset", value: |p| json!(format!("{} 1", p.userid)) },
    Refused { kind: "userid_slash", field: USERID, rule: "userid.charset", value: |p| json!(format!("{}/1", p.userid)) },
    Refused { kind: "userid_first_hyphen", field: USERID, rule: "userid.first-character", value: |p| json!(format!("-{}", p.userid)) },
    Refused { kind: "userid_first_underscore", field: USERID, rule: "userid.first-character", value: |p| json!(format!("_{}", p.userid)) },
    Refused { kind: "name_empty", field: NAME, rule: "name.empty", value: |_| json!("") },
    Refused { kind: "name_blank", field: NAME, rule: "name.empty", value: |_| json!(" \u{3000} ") },
    Refused { kind: "name_65_characters", field: NAME, rule: "name.too-long", value: |p| json!(format!("{}{}", p.name, "长".repeat(65 - p.name.chars().count().min(64)))) },
    Refused { kind: "mobile_letter", field: MOBILE, rule: "mobile.invalid", value: |p| json!(p.mobile.replacen('1', "l", 1)) },
    Refused { kind: "mobile_short", field: MOBILE, rule: "mobile.invalid", value: |p| json!(p.mobile.get(..10)) },
    Refused { kind: "mobile_long", field: MOBILE, rule: "mobile.invalid", value: |p| json!(format!("{}0", p.mobile)) },
    Refused { kind: "mobile_unused_prefix", field: MOBILE, rule: "mobile.invalid", value: |p| json!(format!("12{}", p.mobile.get(2..).unwrap_or_default())) },
    Refused { kind: "mobile_foreign_without_code", field: MOBILE, rule: "mobile.invalid", value: |p| json!(format!("5{}", p.mobile.get(4..).unwrap_or_default())) },
    Refused { kind: "mobile_unknown_country", field: MOBILE, rule: "mobile.country-code", value: |p| json!(format!("+999{}", p.mobile)) },
    Refused { kind: "mobile_landline", field: MOBILE, rule: "mobile.invalid", value: |_| json!("0571-88888888") },
    Refused { kind: "mobile_object_short", field: MOBILE, rule: "mobile.invalid", value: |p| json!({"phone": p.mobile.get(..9), "verified": false}) },
    Refused { kind: "mobile_two_numbers", field: MOBILE, rule: "mobile.invalid", value: |p| json!(format!("{0}/{0}", p.mobile)) },
    Refused { kind: "email_without_at", field: EMAIL, rule: "email.invalid", value: |p| json!(format!("{}.example.com", p.userid)) },
    Refused { kind: "email_65_bytes", field: EMAIL, rule: "email.length", value: |_| json!(format!("{}@example.com", "e".repeat(53))) },
    Refused { kind: "email_5_bytes", field: EMAIL, rule: "email.length", value: |_| json!("a@b.c") },
    Refused { kind: "email_chinese", field: EMAIL, rule: "email.invalid", value: |p| json!(format!("{}@example.com", p.name)) },
    Refused { kind: "email_two_dots", field: EMAIL, rule: "email.invalid", value: |_| json!("zhang..san@example.com") },
    Refused { kind: "email_no_top_domain", field: EMAIL, rule: "email.invalid", value: |p| json!(format!("{}@localhost", p.userid)) },
    Refused { kind: "department_name", field: DEPARTMENT, rule: "department.invalid", value: |_| json!("生产部") },
    Refused { kind: "department_garbage", field: DEPARTMENT, rule: "department.invalid", value: |_| json!("[1,2,") },
    Refused { kind: "department_unknown", field: DEPARTMENT, rule: "department.unknown", value: |_| json!([2, 9999]) },
    Refused { kind: "department_zero", field: DEPARTMENT, rule: "department.zero", value: |_| json!(0) },
    Refused { kind: "department_negative", field: DEPARTMENT, rule: "department.invalid", value: |_| json!("-2") },
    Refused { kind: "department_fraction", field: DEPARTMENT, rule: "department.invalid", value: |_| json!(2.5) },
    Refused { kind: "department_33_bits", field: DEPARTMENT, rule: "department.invalid", value: |_| json!("4294967296") },
    Refused { kind: "department_twice", field: DEPARTMENT, rule: "department.duplicate", value: |_| json!("2,3,2") },
    Refused { kind: "department_101", field: DEPARTMENT, rule: "department.too-many", value: |_| (1..=101).collect::<Value>() },
    Refused { kind: "department_nested", field: DEPARTMENT, rule: "department.invalid", value: |_| json!([[[[2]]]]) },
    Refused { kind: "department_object_without_number", field: DEPARTMENT, rule: "department.invalid", value: |_| json!([{"name": "生产部", "type": 0}]) },
    Refused { kind: "department_true", field: DEPARTMENT, rule: "department.invalid", value: |_| json!(true) },
    Refused { kind: "position_129_characters", field: POSITION, rule: "position.too-long", value: |_| json!("职".repeat(129)) },
    Refused { kind: "name_object", field: NAME, rule: "value.shape", value: |p| json!({"given": p.name}) },
];

#[rustfmt::skip]
const ODD: [Odd; 13] = [
    Odd { kind: "userid_full_width", field: USERID, value: |p| json!(full_width(&p.userid)), becomes: |_| {} },
    Odd { kind: "userid_spaces_around", field: USERID, value: |p| json!(format!(" {}\u{3000}", p.userid)), becomes: |_| {} },
    Odd { kind: "userid_64_bytes", field: USERID, value: |p| json!(padded(&p.userid)), becomes: |p| p.userid = padded(&p.userid) },
    Odd { kind: "name_control_character", field: NAME, value: |p| json!(format!("\u{7}{}\u{0}", p.name)), becomes: |_| {} },
    Odd { kind: "name_emoji", field: NAME, value: |p| json!(format!("{}😀", p.name)), becomes: |p| p.name.push('😀') },
    Odd { kind: "name_rare_character", field: NAME, value: |p| json!(format!("{}𠮷", p.name)), becomes: |p| p.name.push('𠮷') },
    Odd { kind: "mobile_full_width", field: MOBILE, value: |p| json!(full_width(&p.mobile)), becomes: |_| {} },
    Odd { kind: "mobile_grouped", field: MOBILE, value: |p| json!(grouped(&p.mobile)), becomes: |_| {} },
    Odd { kind: "mobile_hong_kong", field: MOBILE, value: |p| json!(format!("+852 5{}", p.mobile.get(4..).unwrap_or_default())), becomes: |p| p.mobile = format!("+8525{}", p.mobile.get(4..).unwrap_or_default()) },
    Odd { kind: "email_full_width_at", field: EMAIL, value: |p| json!(format!("{}＠Example.COM", p.mobile)), becomes: |p| p.email = format!("{}@example.com", p.mobile) },
    Odd { kind: "department_texts", field: DEPARTMENT, value: |_| json!(["2", "11"]), becomes: |p| p.department = vec![2, 11] },
    Odd { kind: "department_chinese_commas", field: DEPARTMENT, value: |_| json!("2、１１，３"), becomes: |p| p.department = vec![2, 11, 3] },
    Odd { kind: "position_line_break", field: POSITION, value: |_| json!("高级\n工程师"), becomes: |p| p.position = "高级 工程师".to_owned() },
];

const PAIRS: [(&str, Pair); 3] = [
    ("userid_duplicate_ignoring_case", Pair::UseridIgnoringCase),
    ("mobile_duplicate", Pair::Mobile),
    ("same_person_twice", Pair::SamePersonTwice),
];
const NO_CONTACT: &str = "neither_mobile_nor_email";
const EMAIL_ONLY: &str = "email_without_mobile";

/// Every kind, in the order in which they come.
pub fn hostile_kinds() -> impl Iterator<Item = &'static str> + Clone {
    let refused = REFUSED.iter().map(|refused| refused.kind);
    let odd = ODD.iter().map(|odd| odd.kind);
    let pairs = PAIRS.iter().map(|(kind, _)| *kind);
    refused.chain(odd).chain(pairs).chain([NO_CONTACT, EMAIL_ONLY])
}

/// Number of rows needed to have one of each kind, two of a pair.
pub(super) fn rows_of_every_kind() -> usize {
    hostile_kinds().count() + PAIRS.len()
}

/// True if a kind means something else to rules that do not read the e-mail.
fn is_about_email(kind: &str) -> bool {
    kind.contains("email") && kind != NO_CONTACT
}

/// `count` rows, the kinds in turn; a pair that has room for one row only is left out.
pub(super) fn rows(people: &mut People, count: usize, with_email: bool) -> Vec<FactoryRow> {
    let mut rows = Vec::with_capacity(count);
    for kind in hostile_kinds().filter(|kind| with_email || !is_about_email(kind)).cycle() {
        if rows.len() >= count {
            break;
        }
        let made = made(people, kind);
        if rows.len() + made.len() <= count {
            rows.extend(made);
        }
    }
    rows
}

fn made(people: &mut People, kind: &'static str) -> Vec<FactoryRow> {
    let mut person = people.person();
    if let Some(refused) = REFUSED.iter().find(|refused| refused.kind == kind) {
        let mut row = people.row(&person);
        row.insert(refused.field.to_owned(), (refused.value)(&person));
        let verdict = Verdict::Refused { field: refused.field, rule: refused.rule };
        return vec![FactoryRow { kind, verdict, row }];
    }
    if let Some(odd) = ODD.iter().find(|odd| odd.kind == kind) {
        let mut row = people.row(&person);
        row.insert(odd.field.to_owned(), (odd.value)(&person));
        (odd.becomes)(&mut person);
        return vec![FactoryRow { kind, verdict: Verdict::Member(person), row }];
    }
    if let Some((_, pair)) = PAIRS.iter().find(|(of, _)| *of == kind) {
        return pair_of(people, kind, *pair, person);
    }
    let mut row = people.row(&person);
    row.insert(MOBILE.to_owned(), json!(""));
    person.mobile.clear();
    let verdict = if kind == EMAIL_ONLY {
        person.email = format!("{}@jingxintai.example.com", person.userid.to_ascii_lowercase());
        row.insert(EMAIL.to_owned(), json!(person.email));
        Verdict::Member(person)
    } else {
        row.insert(EMAIL.to_owned(), json!(""));
        Verdict::Refused { field: MOBILE, rule: "contact.missing" }
    };
    vec![FactoryRow { kind, verdict, row }]
}

fn pair_of(people: &mut People, kind: &'static str, pair: Pair, first: ExpectedMember) -> Vec<FactoryRow> {
    let mut second = people.person();
    let verdicts = match pair {
        Pair::UseridIgnoringCase => {
            second.userid = swapped_case(&first.userid);
            let refused = Verdict::Refused { field: USERID, rule: "userid.duplicate" };
            [refused.clone(), refused]
        }
        Pair::Mobile => {
            second.mobile.clone_from(&first.mobile);
            let refused = Verdict::Refused { field: MOBILE, rule: "mobile.duplicate" };
            [refused.clone(), refused]
        }
        Pair::SamePersonTwice => {
            second.clone_from(&first);
            [Verdict::Member(first.clone()), Verdict::Member(first.clone())]
        }
    };
    let persons = [first, second];
    let row =
        |(person, verdict): (&ExpectedMember, Verdict)| FactoryRow { kind, verdict, row: people.row(person) };
    persons.iter().zip(verdicts).map(row).collect()
}

fn swapped_case(text: &str) -> String {
    let swap = |letter: char| {
        if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    };
    text.chars().map(swap).collect()
}

fn full_width(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '!'..='~' => char::from_u32(letter as u32 + 0xfee0).unwrap_or(letter),
            other => other,
        })
        .collect()
}

fn padded(userid: &str) -> String {
    format!("{userid:x<64}")
}

fn grouped(mobile: &str) -> String {
    let (head, tail) = mobile.split_at_checked(3).unwrap_or((mobile, ""));
    let (middle, end) = tail.split_at_checked(4).unwrap_or((tail, ""));
    format!("{head}-{middle} {end}")
}
