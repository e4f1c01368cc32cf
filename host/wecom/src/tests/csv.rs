//! Division into files: rows included, their file, and rows left out.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::csv::divide;
use super::super::{BatchRow, CsvDivision, CsvFile, MemberWrite, csv_files};
use ruzhi_model::{MemberKey, UserId};

/// A write with the member it makes, owned.
#[derive(Debug, Clone)]
struct Example {
    creates: bool,
    userid: UserId,
    body: Map<String, Value>,
    whole: Map<String, Value>,
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

fn create(userid: &str, fields: Value) -> Example {
    let mut body = map(json!({ "userid": userid, "name": "张三", "mobile": "13800138000", "department": [2],
        "to_invite": false }));
    body.extend(map(fields));
    Example { creates: true, userid: userid.parse().unwrap(), body, whole: Map::new() }
}

/// An update of `fields` of a member who also has those of `others`.
fn update(userid: &str, fields: Value, others: Value) -> Example {
    let mut whole =
        map(json!({ "userid": userid, "name": "张三", "mobile": "13800138000", "department": [2] }));
    whole.extend(map(others));
    whole.extend(map(fields.clone()));
    Example { creates: false, userid: userid.parse().unwrap(), body: map(fields), whole }
}

fn rows(given: &[Example]) -> Vec<BatchRow<'_>> {
    given
        .iter()
        .map(|Example { creates, userid, body, whole }| BatchRow {
            write: if *creates {
                MemberWrite::Create { userid, body }
            } else {
                MemberWrite::Update { userid, body }
            },
            whole,
        })
        .collect()
}

fn divided(given: &[Example]) -> CsvDivision {
    csv_files(&rows(given))
}

fn text(csv_file: &CsvFile) -> &str {
    std::str::from_utf8(&csv_file.file).unwrap()
}

/// The rows of each file.
fn places(divided: &CsvDivision) -> Vec<&[usize]> {
    divided.files.iter().map(CsvFile::rows).collect()
}

#[test]
fn a_file_of_creates_has_the_mandatory_columns_and_those_that_are_filled() {
    let given = [
        create(
            "E1",
            json!({ "mobile": "+86 13800138000", "position": "工程师", "gender": "2", "enable": 0 }),
        ),
        create(
            "E2",
            json!({ "email": "e2@example.com", "department": [3, 2], "is_leader_in_dept": [1, 0],
                    "order": [0, 7], "enable": 1, "gender": "1", "telephone": "-010", "alias": "=a",
                    "address": "人民路 1 号" }),
        ),
    ];
    let divided = divided(&given);
    assert!(divided.singly.is_empty());
    let [csv_file] = divided.files.as_slice() else { panic!("{divided:?}") };
    assert_eq!((csv_file.rows(), csv_file.creates(), csv_file.invites()), ([0, 1].as_slice(), true, false));
    let expected = "姓名,帐号,手机号,邮箱,所在部门,职位,性别,是否部门内领导,排序,别名,地址,座机,禁用\n\
                    张三,E1,+86 13800138000,,2,工程师,女,,,,,,1\n\
                    张三,E2,13800138000,e2@example.com,3;2,,男,1;0,0;7,=a,人民路 1 号,-010,0\n";
    assert_eq!(text(csv_file), expected);
}

#[test]
fn columns_that_no_row_fills_are_left_out() {
    let divided = divided(&[create("E1", json!({}))]);
    assert_eq!(text(&divided.files[0]), "姓名,帐号,手机号,邮箱,所在部门\n张三,E1,13800138000,,2\n");
}

#[test]
fn invited_members_are_in_a_file_of_their_own() {
    let given = [
        create("E1", json!({ "to_invite": true })),
        create("E2", json!({})),
        create("E3", json!({ "to_invite": true })),
    ];
    let divided = divided(&given);
    assert_eq!(places(&divided), [[1].as_slice(), &[0, 2]]);
    assert_eq!(divided.files.iter().map(CsvFile::invites).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_create_that_a_file_cannot_say_goes_singly() {
    for fields in [
        json!({ "direct_leader": ["E9"] }),
        json!({ "main_department": 2 }),
        json!({ "biz_mail": "a@example.com" }),
        json!({ "extattr": { "attrs": [] } }),
        json!({ "external_position": "x" }),
        json!({ "unknown_field": "x" }),
        json!({ "name": "" }),
        json!({ "name": null }),
        json!({ "name": 7 }),
        json!({ "position": "a,b" }),
        json!({ "position": "a\"b" }),
        json!({ "position": "a\nb" }),
        json!({ "position": "a\rb" }),
        json!({ "position": "a\tb" }),
        json!({ "position": "a;b" }),
        json!({ "position": "a\\b" }),
        json!({ "position": " a" }),
        json!({ "position": "a\u{3000}" }),
        json!({ "position": "" }),
        json!({ "position": "长".repeat(400) }),
        json!({ "gender": "0" }),
        json!({ "gender": 1 }),
        json!({ "department": [] }),
        json!({ "department": "2" }),
        json!({ "department": [0] }),
        json!({ "department": ["2"] }),
        json!({ "department": [2.5] }),
        json!({ "department": [4_294_967_296_u64] }),
        json!({ "department": vec![2; 101] }),
        json!({ "is_leader_in_dept": [1, 0] }),
        json!({ "is_leader_in_dept": [2] }),
        json!({ "order": [1, 2] }),
        json!({ "order": [-1] }),
        json!({ "enable": true }),
        json!({ "enable": 2 }),
        json!({ "mobile": 13_800_138_000_u64 }),
        json!({ "to_invite": "false" }),
        json!({ "to_invite": null }),
    ] {
        let divided = divided(&[create("E1", fields.clone()), create("E2", json!({}))]);
        assert_eq!((places(&divided), &divided.singly), (vec![[1].as_slice()], &vec![0]), "{fields}");
    }
    for absent in ["name", "mobile", "department", "to_invite"] {
        let mut given = create("E1", json!({}));
        given.body.remove(absent);
        assert_eq!(divided(&[given]).singly, [0], "{absent}");
    }
    let by_email = create("E1", json!({ "email": "e1@example.com" }));
    let mut without_mobile = by_email;
    without_mobile.body.remove("mobile");
    assert_eq!(text(&divided(&[without_mobile]).files[0]).lines().nth(1), Some("张三,E1,,e1@example.com,2"));
}

#[test]
fn a_member_is_in_a_file_once_and_a_delete_never() {
    let mut given = vec![create("E1", json!({})), create("e1", json!({})), create("E2", json!({}))];
    given.push(create("E3", json!({ "main_department": 2 })));
    given.push(create("e3", json!({})));
    let divided = divided(&given);
    assert_eq!((places(&divided), &divided.singly), (vec![[0, 2].as_slice()], &vec![1, 3, 4]));
    let userid = "E1".parse().unwrap();
    let delete = BatchRow { write: MemberWrite::Delete { userid: &userid }, whole: &Map::new() };
    assert_eq!(csv_files(&[delete]).singly, [0]);
}

#[test]
fn updates_are_filled_with_what_the_member_has() {
    let given: Vec<Example> = (0..5)
        .map(|n| update(&format!("E{n}"), json!({ "position": format!("p{n}") }), json!({ "address": "x" })))
        .collect();
    let divided = divided(&given);
    let [csv_file] = divided.files.as_slice() else { panic!("{divided:?}") };
    assert!(!csv_file.creates() && !csv_file.invites());
    let mut lines = text(csv_file).lines();
    assert_eq!(lines.next(), Some("姓名,帐号,手机号,所在部门,职位"));
    assert_eq!(lines.next(), Some("张三,E0,13800138000,2,p0"));
    assert!(csv_files(&rows(&given[..4])).files.is_empty());
}

#[test]
fn updates_of_different_fields_share_a_file_where_every_cell_can_be_filled() {
    let both = json!({ "position": "p", "address": "a" });
    let mut given: Vec<Example> = (0..3)
        .map(|n| update(&format!("E{n}"), json!({ "position": "q" }), both.clone()))
        .chain((3..6).map(|n| update(&format!("E{n}"), json!({ "address": "b" }), both.clone())))
        .collect();
    let all = divided(&given);
    assert_eq!(places(&all), [[0, 1, 2, 3, 4, 5]]);
    assert_eq!(text(&all.files[0]).lines().nth(4), Some("张三,E3,13800138000,2,p,b"));
    // A member without a position cannot be in it.
    given[5] = update("E5", json!({ "address": "b" }), json!({}));
    let most = divided(&given);
    assert_eq!((places(&most), &most.singly), (vec![[0, 1, 2, 3, 4].as_slice()], &vec![5]));
}

#[test]
fn leadership_and_order_go_along_with_the_departments_and_disabling_only_where_it_is_meant() {
    let has = json!({ "department": [2, 3], "is_leader_in_dept": [0, 1], "order": [4, 5], "enable": 1 });
    let mut given: Vec<Example> =
        (0..5).map(|n| update(&format!("E{n}"), json!({ "name": "李四" }), has.clone())).collect();
    given.extend((5..10).map(|n| update(&format!("E{n}"), json!({ "enable": 0 }), has.clone())));
    let divided = divided(&given);
    assert_eq!(places(&divided), [[5, 6, 7, 8, 9], [0, 1, 2, 3, 4]]);
    assert_eq!(text(&divided.files[0]).lines().nth(1), Some("张三,E5,13800138000,2;3,0;1,4;5,1"));
    assert_eq!(text(&divided.files[1]).lines().nth(1), Some("李四,E0,13800138000,2;3,0;1,4;5"));
}

#[test]
fn an_update_that_a_file_cannot_say_goes_singly() {
    let good = |n| update(&format!("E{n}"), json!({ "position": "p" }), json!({}));
    for (fields, others) in [
        (json!({ "position": "" }), json!({})),
        (json!({ "to_invite": false, "position": "p" }), json!({})),
        (json!({ "direct_leader": [], "position": "p" }), json!({})),
        (json!({ "position": "p" }), json!({ "name": "a,b" })),
        (json!({ "position": "p" }), json!({ "mobile": "" })),
        (json!({ "position": "p" }), json!({ "department": [] })),
        (json!({ "position": "p" }), json!({ "is_leader_in_dept": [1, 1] })),
    ] {
        let mut given: Vec<Example> = (1..6).map(good).collect();
        given.insert(0, update("E0", fields.clone(), others.clone()));
        let divided = divided(&given);
        assert_eq!(
            (places(&divided), &divided.singly),
            (vec![[1, 2, 3, 4, 5].as_slice()], &vec![0]),
            "{fields} {others}"
        );
    }
}

#[test]
fn files_have_at_most_so_many_rows_and_bytes() {
    let creates: Vec<Example> = (0..7).map(|n| create(&format!("E{n}"), json!({}))).collect();
    let lengths = |divided: &CsvDivision| {
        divided.files.iter().map(|csv_file| csv_file.rows().len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&divide(&rows(&creates), 3, 10_000)), [3, 3, 1]);
    let whole = divided(&creates).files.remove(0).file.len();
    assert_eq!(lengths(&divide(&rows(&creates), 100, whole)), [7]);
    let narrower = divide(&rows(&creates), 100, whole - 1);
    assert_eq!(lengths(&narrower), [6, 1]);
    let updates: Vec<Example> =
        (0..13).map(|n| update(&format!("E{n}"), json!({ "position": "p" }), json!({}))).collect();
    let divided = divide(&rows(&updates), 6, 10_000);
    assert_eq!((lengths(&divided), &divided.singly), (vec![6, 6], &vec![12]));
    let many: Vec<Example> = (0..10_001).map(|n| create(&format!("E{n}"), json!({}))).collect();
    assert_eq!(lengths(&csv_files(&rows(&many))), [5000, 5000, 1]);
}

/// Values of a field: those that a file can express, and some that it cannot.
fn values(field: &'static str) -> (Vec<Value>, Vec<Value>) {
    let texts = || vec![json!("甲"), json!("a b"), json!("=1+1"), json!("+86-1"), json!("'x'")];
    let bad = || {
        vec![json!("a,b"), json!(" a"), json!("a;b"), json!(""), json!("\"a\""), json!("a\r\nb"), json!(3)]
    };
    match field {
        "department" => (vec![json!([1]), json!([7, 3])], vec![json!([]), json!(["1"]), json!(1)]),
        "is_leader_in_dept" => (vec![], vec![json!([1]), json!([0, 1]), json!([2])]),
        "order" => (vec![], vec![json!([9]), json!([0, 1]), json!(["1"])]),
        "gender" => (vec![json!("1"), json!("2")], vec![json!("0"), json!("男")]),
        "enable" => (vec![json!(0), json!(1)], vec![json!("1"), json!(true)]),
        "main_department" => (vec![], vec![json!(1)]),
        _ => (texts(), bad()),
    }
}

const FIELDS: [&str; 13] = [
    "name",
    "mobile",
    "email",
    "department",
    "position",
    "gender",
    "is_leader_in_dept",
    "order",
    "alias",
    "address",
    "telephone",
    "enable",
    "main_department",
];

/// A field's value: out of ten, `absent` are none and one is hard to express.
fn value(field: &'static str, absent: u32) -> BoxedStrategy<Option<Value>> {
    let (good, bad) = values(field);
    let none = Just(None).boxed();
    let some = |values: Vec<Value>| prop::sample::select(values).prop_map(Some).boxed();
    let usual = if good.is_empty() { none.clone() } else { some(good) };
    prop_oneof![10 * absent => none, 97 - 10 * absent => usual, 3 => some(bad)].boxed()
}

fn fields(absent: u32) -> impl Strategy<Value = Map<String, Value>> {
    let present = |field: &'static str| {
        let always = matches!(field, "name" | "mobile" | "department");
        value(field, if always { 0 } else { absent }).prop_map(move |value| Some((field.to_owned(), value?)))
    };
    FIELDS.map(present).to_vec().prop_map(|fields| fields.into_iter().flatten().collect())
}

fn given() -> impl Strategy<Value = Example> {
    let userid = (0..200_u32, any::<bool>())
        .prop_map(|(n, upper)| if upper { format!("E{n}") } else { format!("e{n}") }.parse().unwrap());
    let changed = prop::sample::subsequence(FIELDS.to_vec(), 0..4);
    (any::<bool>(), userid, fields(5), changed, any::<bool>()).prop_map(
        |(creates, userid, whole, changed, invites): (_, UserId, Map<String, Value>, Vec<&str>, _)| {
            let mut body = whole.clone();
            if creates {
                body.insert("to_invite".to_owned(), json!(invites));
            } else {
                body.retain(|field, _| changed.contains(&field.as_str()));
            }
            Example { creates, userid, body, whole }
        },
    )
}

/// A line of a file as the fields of `user/create`, without the empty cells.
fn read(headers: &csv::StringRecord, line: &csv::StringRecord) -> Map<String, Value> {
    let numbers = |cell: &str| cell.split(';').map(|n| n.parse::<u64>().unwrap()).collect::<Value>();
    let cells = headers.iter().zip(line).filter(|(_, cell)| !cell.is_empty());
    cells
        .map(|(header, cell)| {
            let (field, value) = match header {
                "姓名" => ("name", json!(cell)),
                "帐号" => ("userid", json!(cell)),
                "手机号" => ("mobile", json!(cell)),
                "邮箱" => ("email", json!(cell)),
                "所在部门" => ("department", numbers(cell)),
                "职位" => ("position", json!(cell)),
                "性别" => ("gender", json!(if cell == "男" { "1" } else { "2" })),
                "是否部门内领导" => ("is_leader_in_dept", numbers(cell)),
                "排序" => ("order", numbers(cell)),
                "别名" => ("alias", json!(cell)),
                "地址" => ("address", json!(cell)),
                "座机" => ("telephone", json!(cell)),
                "禁用" => ("enable", json!(u8::from(cell == "0"))),
                other => panic!("{other}"),
            };
            (field.to_owned(), value)
        })
        .collect()
}

/// True if a file can express every value of a row, so that the row has to be in one.
fn can_be_said(given: &Example) -> bool {
    given.body.iter().all(|(field, value)| {
        field == "to_invite" || FIELDS.iter().any(|known| known == field && values(known).0.contains(value))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_row_is_in_one_place_and_a_file_says_exactly_what_its_rows_say(
        given in prop::collection::vec(given(), 0..120),
        most_rows in 1_usize..60,
    ) {
        let divided = divide(&rows(&given), most_rows, 4_000);
        let mut places: Vec<usize> = divided.files.iter().flat_map(CsvFile::rows).copied().collect();
        places.extend(&divided.singly);
        places.sort_unstable();
        prop_assert_eq!(places, (0..given.len()).collect::<Vec<_>>());

        let mut members = BTreeSet::new();
        let firsts: BTreeSet<usize> =
            (0..given.len()).filter(|at| members.insert(given[*at].userid.key())).collect();
        for at in &divided.singly {
            let plain = given[*at].creates && can_be_said(&given[*at]);
            prop_assert!(!(plain && firsts.contains(at)), "{:?}", given[*at]);
        }

        for csv_file in &divided.files {
            prop_assert!(csv_file.rows().len() <= most_rows && csv_file.file.len() <= 4_000);
            prop_assert!(csv_file.rows().is_sorted() && !text(csv_file).contains(['"', '\r']));
            prop_assert!(csv_file.creates() || (csv_file.rows().len() >= 5 && !csv_file.invites()));
            let mut reader = csv::Reader::from_reader(csv_file.file.as_slice());
            let headers = reader.headers().unwrap().clone();
            let lines: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(lines.len(), csv_file.rows().len());
            for (line, at) in lines.iter().zip(csv_file.rows()) {
                let row = &given[*at];
                prop_assert!(firsts.contains(at));
                prop_assert_eq!(row.creates, csv_file.creates());
                let mut read = read(&headers, line);
                let userid = read.remove("userid").unwrap();
                prop_assert_eq!(userid.as_str(), Some(row.userid.as_str()));
                if row.creates {
                    read.insert("to_invite".to_owned(), json!(csv_file.invites()));
                    prop_assert_eq!(&read, &row.body);
                } else {
                    prop_assert!(line.iter().all(|cell| !cell.is_empty()));
                    prop_assert!(row.body.keys().all(|field| read.contains_key(field)));
                    prop_assert!(read.iter().all(|(field, value)| row.whole.get(field) == Some(value)));
                    prop_assert!(!read.contains_key("enable") || row.body.contains_key("enable"));
                    for along in ["is_leader_in_dept", "order"] {
                        prop_assert!(read.contains_key(along) || !row.whole.contains_key(along));
                    }
                }
            }
            let keys: BTreeSet<MemberKey> = csv_file.rows().iter().map(|at| given[*at].userid.key()).collect();
            prop_assert_eq!(keys.len(), csv_file.rows().len());
        }
    }
}
