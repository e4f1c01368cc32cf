//! Two thousand rows that a form, an import or a malicious clerk could hand to the founding factory's rules: those of
//! the simulated factory, every hostile value in every field, values made at random, and texts that are no row.

use ruzhi_sim::Random;
use ruzhi_sim::factory::{DEPARTMENT, Factory, MOBILE, NAME, POSITION, USERID};
use serde_json::json;

/// How many rows there are.
pub(crate) const ROWS: usize = 2_000;

const FIELDS: [&str; 5] = [USERID, NAME, MOBILE, DEPARTMENT, POSITION];

/// What a good row has in the fields, as JSON texts.
const GOOD: [&str; 5] = [r#""user1234""#, r#""张三""#, r#""13800138000""#, r#""[1,2,3]""#, r#""工程师""#];

/// Values as JSON texts, lawful JSON or not.
pub(crate) const VALUES: &[&str] = &[
    // Other types, and nothing.
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[null]",
    "[[]]",
    r#"[null,""]"#,
    r#"{"a":null}"#,
    r#"{"a":1}"#,
    r#"["",{}]"#,
    // Numbers: small, beyond 2^53, beyond 64 bits, in every writing.
    "0",
    "1",
    "-1",
    "7",
    "13800138000",
    "-13800138000",
    "9007199254740991",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "4294967295",
    "4294967296",
    "1.0",
    "2.0",
    "-0",
    "-0.0",
    "0.0",
    "1.5",
    "1e21",
    "1E21",
    "1e+21",
    "1e20",
    "1e16",
    "1e17",
    "123456789012345680.0",
    "1e-7",
    "1.25e-7",
    "0.00001",
    "0.000001",
    "1e15",
    "9e15",
    "8999999999999999.0",
    "9000000000000001.0",
    "1e308",
    "1e309",
    "-1e309",
    "1e-400",
    "0e999999999999",
    "1e999999999999",
    "4.35",
    "0.1",
    "0.30000000000000004",
    "2.2250738585072011e-308",
    "5e-324",
    "1.7976931348623157e308",
    "179769313486231580793e289",
    "123.456e3",
    "0.1234567890123456789012345",
    "100000000000000000000000.5",
    "3.0e0",
    "13800138000.0",
    "1.3800138e10",
    "4294967295.0",
    "4294967296.0",
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "1e+",
    "-",
    "0x10",
    "NaN",
    "Infinity",
    "-Infinity",
    "1_000",
    "１",
    // Mobile numbers.
    r#""+86 138-0013-8000""#,
    r#""0086 13800138000""#,
    r#""8613800138000""#,
    r#""(+86)13800138000""#,
    r#""１３８００１３８０００""#,
    r#""＋８６　１３８００１３８０００""#,
    r#""138\u20130013\u20138000""#,
    r#""+852 9123 4567""#,
    r#""00852-9123-4567""#,
    r#""+853 6612 3456""#,
    r#""+886 0912 345 678""#,
    r#""+44 (0)7911 123456""#,
    r#""+1(415)555-2671""#,
    r#""85291234567""#,
    r#""+999 12345678""#,
    r#""+0 12345678""#,
    r#""+""#,
    r#""00""#,
    r#""0""#,
    r#""+1234567890123456""#,
    r#""138+00138000""#,
    r#""1380013800""#,
    r#""138001380000""#,
    r#""12800138000""#,
    r#""1380013800x""#,
    r#""138·0013·8000""#,
    r#""138.0013/8000""#,
    r#""\u202d13800138000\u202c""#,
    r#""١٣٨٠٠١٣٨٠٠٠""#,
    r#""１3８0０1３8０0０""#,
    r#""①③⑧⓪⓪①③⑧⓪⓪⓪""#,
    r#""𝟏𝟑𝟖𝟎𝟎𝟏𝟑𝟖𝟎𝟎𝟎""#,
    r#"{"phone":"13800138000","verified":true}"#,
    r#"{"phone":""}"#,
    r#"{"phone":null,"verified":false}"#,
    r#"{"phone":13800138000}"#,
    r#"{"phone":["13800138000"]}"#,
    r#"{"phone":{"phone":"1"}}"#,
    r#"{"phone":[]}"#,
    r#"{"phone":{}}"#,
    r#"{"phone":true}"#,
    r#"["13800138000"]"#,
    r#"["13800138000","13900139000"]"#,
    r#"[{"phone":"13800138000"}]"#,
    r#""13800138000,13900139000""#,
    // Members, departments, addresses, links, attachments.
    r#"{"_id":"x","name":"张三","username":"zhangsan","status":1}"#,
    r#"[{"username":"a"},{"username":"b"}]"#,
    r#"{"username":null}"#,
    r#"{"username":["a"]}"#,
    r#"{"username":""}"#,
    r#"{"name":"技术部","dept_no":12,"type":0}"#,
    r#"[{"name":"a","dept_no":1},{"name":"b","dept_no":"2"}]"#,
    r#"{"dept_no":null}"#,
    r#"{"dept_no":"1,2"}"#,
    r#"{"dept_no":[1,2]}"#,
    r#"{"dept_no":{"dept_no":3}}"#,
    r#"{"dept_no":2.0}"#,
    r#"{"dept_no":1.5}"#,
    r#"{"dept_no":-1}"#,
    r#"{"id":"0123456789abcdef01234567"}"#,
    r#"{"id":7,"name":"z"}"#,
    r#"{"username":"u","phone":"13800138000"}"#,
    r#"{"province":"上海市","city":"上海市","district":"浦东新区","detail":"张江路1号"}"#,
    r#"{"province":"江苏省","city":null,"detail":5}"#,
    r#"{"province":"","city":""}"#,
    r#"{"detail":["x"]}"#,
    r#"{"name":"a.png","url":"https://example.com/a.png","size":1,"mime":"image/png"}"#,
    r#"{"b":1,"a":2,"中":3,"é":4,"😀":5,"":6}"#,
    r#"{"a_key_that_is_long":1,"another_key_that_is_long":2,"a_third_key_that_is_long_as_well":3}"#,
    r#"{"\u0000\n":1}"#,
    r#"{"a":1,"a":null}"#,
    r#"{"phone":"1","phone":"13800138000"}"#,
    r#"["甲","","乙"]"#,
    r#"["甲",null,{"username":"乙"},3,true]"#,
    r#"["甲",{"name":"x"}]"#,
    r#"[["a","b"],"c"]"#,
    r#"[[["a"]]]"#,
    // Department lists.
    "[1,2,3]",
    "[1, 2.0, \"3\"]",
    r#""[1, 2, 3]""#,
    r#""1,2,3""#,
    r#""1;2;3""#,
    r#""1；2，3""#,
    r#""１、２、３""#,
    r#""1 2 3""#,
    r#""1\u30002\u00a03""#,
    r#""1|2\n3""#,
    r#""1｜2""#,
    r#"["1","2","3"]"#,
    r#""[\"1\",\"2\"]""#,
    r#""[1,2,3,]""#,
    r#"["1,2",3]"#,
    r#""5""#,
    r#""{\"dept_no\":5}""#,
    r#""[{\"dept_no\":5}]""#,
    r#""\"5\"""#,
    r#""\"\\\"5\\\"\"""#,
    r#""[[5]]""#,
    r#""[\"[5]\"]""#,
    r#""[\"[\\\"[5]\\\"]\"]""#,
    "[[[1]]]",
    "[[[[1]]]]",
    "[[1],[2]]",
    "[1,2,1]",
    "[0]",
    r#""1,0""#,
    "[1,[2,1]]",
    r#""[1,2""#,
    r#""1,2]""#,
    r#""[]""#,
    r#""[""#,
    r#""]""#,
    r#""{}""#,
    r#""[,]""#,
    r#"",""#,
    r#""[1,null]""#,
    r#""[true]""#,
    r#""技术部""#,
    r#""1,技术部""#,
    r#""+1""#,
    r#""-1""#,
    r#""1.5""#,
    r#""1.0""#,
    r#""00012""#,
    r#""4294967295""#,
    r#""4294967296""#,
    r#""99999999999999999999999""#,
    r#""[1e0]""#,
    r#""[1.0]""#,
    r#""[-0.0]""#,
    r#""[-0]""#,
    r#""²""#,
    r#""1²""#,
    r#""①""#,
    r#""½""#,
    r#""１０００""#,
    r#""[１,２]""#,
    r#""［1,2］""#,
    r#""[1,2]x""#,
    r#""null""#,
    r#""[null]""#,
    r#""[1] ""#,
    r#""1\u200b2""#,
    // Cleaning: invisible, control, white space, joiners, marks.
    r#""""#,
    r#"" ""#,
    r#""\u3000\ufeff\u200b""#,
    r#""\ufeffuser1234""#,
    r#""user1234\u00a0""#,
    r#""\u00a0""#,
    r#""\u0085""#,
    r#""\u2028\u2029""#,
    r#""a\u2028b""#,
    r#""a\u0000b""#,
    r#""a\u007fb""#,
    r#""a\u0080b""#,
    r#""a\u009fb""#,
    r#""a\tb\r\nc""#,
    r#""a\u000bb\u000cc""#,
    r#""a\u001cb\u001db\u001eb\u001f""#,
    r#""\u001c""#,
    r#""a\u180eb""#,
    r#""a\u00adb""#,
    r#""a\u061cb""#,
    r#""a\u2060b\u2063""#,
    r#""a\u2065b""#,
    r#""a\u206ab""#,
    r#""a\ufff9b\ufffc""#,
    r#""a\u202ab\u202ec""#,
    r#""a\u2066b\u2069""#,
    r#""\u200d""#,
    r#""a\u200db""#,
    r#""张\u200d三""#,
    r#""张\u200c三""#,
    r#""क्\u200dष""#,
    r#""می\u200cخواهم""#,
    r#""\u200dé""#,
    r#""é\u200d""#,
    r#""é\u200d\u200dé""#,
    r#""é\u200d é""#,
    r#""班长👩‍🔧""#,
    r#""👨‍👩‍👧‍👦""#,
    r#""❤\ufe0f""#,
    r#""🇨🇳""#,
    r#""👍🏽""#,
    r#""e\u0301""#,
    r#""e\u0301\u0323""#,
    r#""e\u0323\u0301""#,
    r#""\u0301""#,
    r#""a\u0315\u0300\u05ae\u0062""#,
    r#""\u1e9b\u0323""#,
    r#""ﬁﬂ""#,
    r#""Å""#,
    r#""Ω""#,
    r#""½""#,
    r#""㍿""#,
    r#""㈱""#,
    r#""㎏""#,
    r#""①""#,
    r#""ｶﾞｷﾞ""#,
    r#""가각힣""#,
    r#""\u1100\u1161\u11a8""#,
    r#""豈更車""#,
    r#""Ⅷ""#,
    r#""ǆ""#,
    r#""ﷺ""#,
    r#""ＡＢＣ＠１２３""#,
    r#""ｕｓｅｒ１２３４""#,
    r#""user－1234""#,
    r#""𝒰𝓈ℯ𝓇""#,
    r#""𠮷野家""#,
    r#""高级\n工程师（上海）""#,
    r#""  a   b  ""#,
    r#""\u2003a\u2009b\u205fc\u1680d""#,
    r#""a\u200ab""#,
    r#""שלום""#,
    r#""مرحبا""#,
    r#""\u200f138\u200e""#,
    r#""\ud83d\ude00""#,
    r#""\ud800""#,
    r#""\udc00""#,
    r#""\ud83d""#,
    r#""\ud83d\ud83d""#,
    r#""\ud83dx""#,
    r#""\ud83d\n""#,
    r#""\ud83d\u0041""#,
    r#""\uFFFF""#,
    r#""\uffff\ufdd0""#,
    r#""\u12""#,
    r#""\u12g4""#,
    r#""\x41""#,
    r#""\""#,
    r#""\/\b\f\n\r\t\\\"""#,
    r#""\'""#,
    "\"a\tb\"",
    "\"a\nb\"",
    "\"\u{0}\"",
    "\"\u{1f}\"",
    "\"\u{7f}\"",
    "\"a\u{85}b\"",
    "\"unterminated",
    // Accounts.
    r#""_user""#,
    r#""-user""#,
    r#"".user""#,
    r#""@user""#,
    r#""user name""#,
    r#""user/1""#,
    r#""USER.Name-1_2@x""#,
    r#""用户""#,
    r#""a""#,
    r#""user@example.com""#,
    r#""zhangsan＠example.com,lisi@example.com x""#,
    r#""a@b@c 1380013800012""#,
    r#""110101199003071234""#,
    r#""１１０１０１１９９００３０７１２３４""#,
    r#""abc 1 2 3 4 5 6 7""#,
    r#""1-2-3-4-5-6""#,
    r#""١٢٣٤٥٦٧٨٩""#,
    r#"true false"#,
    r#""a""b""#,
    "'a'",
    "undefined",
    "nul",
    "tru",
    "truE",
    "{",
    "[",
    "[1",
    "[1,",
    r#"{"a""#,
    r#"{"a":"#,
    r#"{"a":1,"#,
    r#"{"a" 1}"#,
    r#"{a:1}"#,
    r#"{1:1}"#,
    "[1 2]",
    "[1,]",
    r#"{"a":1,}"#,
    "[,1]",
    "{,}",
    "]",
    "}",
    ",",
    ":",
    "/* */ 1",
    "1 // x",
];

/// Texts that stand for a whole row.
const DOCUMENTS: &[&str] = &[
    "",
    " ",
    "\n\n",
    "{}",
    " {} ",
    "[]",
    "[1]",
    "[1,2]",
    "[{}]",
    "[",
    "[1",
    "[1,",
    "[}",
    "]",
    "null",
    "nul",
    "nullx",
    "true",
    "false x",
    "1",
    "-1",
    "1.5",
    "18446744073709551616",
    "01",
    "1x",
    "-",
    "\"a\"",
    "\"a",
    "\"\\ud800\"",
    "{",
    "{\"",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\":1}x",
    "{\"a\":1} {}",
    "{\"a\":1}\n\n x",
    "{1:2}",
    "{a:1}",
    "{'a':1}",
    "{,}",
    "{\"a\" :\n 1\n,\n}",
    "\u{feff}{}",
    "\u{a0}{}",
    "{}\u{0}",
    "\u{0}",
    "{\"a\":\u{0}}",
    "{\"\\ud800\":1}",
    "{\"a\\x\":1}",
    "{\"张\":1,\n\"三\":x}",
    "NaN",
    "{\"a\":NaN}",
    "{\"a\":1e999}",
    "{\"a\":\n\n  1e999}",
    "{\"a\":-}",
    "{\"a\":+1}",
    "{\"a\":01}",
    "{\"a\":\"\\u00\"}",
    "{\"a\":tru}",
    "{\"a\":t",
    "张三",
    "\"张三\" x",
    "[\"张三\", {\"a\": [1, 2",
    "{}{}",
    "{\"\":\"\"}",
    "{\"a\":[1,2}",
    "{\"a\":{\"b\":1]}",
    "{\"a\":\"b\u{1}\"}",
];

/// What random texts are made of.
const LETTERS: &str = "aZ9 09,;、|，；[]{}\":.+-@_()/\\\t\n\r\u{0}\u{1b}\u{7f}\u{85}\u{a0}\u{ad}\u{300}\u{301}\u{323}\u{345}\u{200b}\u{200c}\u{200d}\
     \u{200e}\u{202e}\u{2028}\u{2060}\u{3000}\u{feff}\u{fe0f}\u{1f469}\u{1f527}\u{1100}\u{1161}\u{11a8}\u{ac00}ｱﾞＡ１＠－＋①½㍿ﬁÅé\u{e0001}张三𠮷";

/// The rows as the host hands them to a guest: each one text that should be a JSON object.
pub(crate) fn rows(seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut rows: Vec<String> = Factory::builder(seed, 200)
        .hostile(120)
        .build()
        .rows()
        .iter()
        .map(|row| json!(row.row).to_string())
        .collect();
    rows.extend(DOCUMENTS.iter().map(|document| (*document).to_owned()));
    for (field, name) in FIELDS.iter().enumerate() {
        // Every value in the two fields that read most differently, a part of them in the others.
        let part = if [NAME, DEPARTMENT].contains(name) { 1 } else { 2 };
        rows.extend(VALUES.iter().skip(field % part).step_by(part).map(|value| with(&[(field, value)])));
    }
    rows.extend(deep_and_large());
    while rows.len() < ROWS {
        let row = match random.below(4) {
            0 => broken(&mut random),
            1 => {
                let text = json!(text(&mut random, 24)).to_string();
                with(&[(random.below(5) as usize, &text)])
            }
            2 => {
                let value = value(&mut random, 4);
                with(&[(random.below(5) as usize, &value)])
            }
            _ => {
                let (first, second) = (random.pick(VALUES), random.pick(VALUES));
                with(&[(random.below(5) as usize, first), (random.below(5) as usize, second)])
            }
        };
        rows.push(row);
    }
    rows.truncate(ROWS);
    rows
}

/// The good row with other values in some fields. Of a field given twice both are written, the last last.
fn with(values: &[(usize, &str)]) -> String {
    let mut fields: Vec<(usize, &str)> = GOOD.iter().copied().enumerate().collect();
    for (place, (field, value)) in values.iter().enumerate() {
        match (place, fields.get_mut(*field)) {
            (0, Some(slot)) => slot.1 = value,
            _ => fields.push((*field, value)),
        }
    }
    let fields: Vec<String> =
        fields.iter().map(|(field, value)| format!("\"{}\":{value}", FIELDS[*field])).collect();
    format!("{{{}}}", fields.join(","))
}

fn deep_and_large() -> Vec<String> {
    let mut rows = Vec::new();
    for depth in [3, 120, 125, 126, 127, 128, 129, 200, 1_000] {
        for field in [1, 3] {
            rows.push(with(&[(field, &format!("{}1{}", "[".repeat(depth), "]".repeat(depth)))]));
            rows.push(with(&[(field, &format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)))]));
            let inner = format!("\"{}1{}\"", "[".repeat(depth), "]".repeat(depth));
            rows.push(with(&[(field, &inner)]));
        }
    }
    for length in [63, 64, 65, 127, 128, 129, 10_000] {
        for letter in ["a", "1", "字", "😀", "e\u{301}", "\u{200b}", " ", "\u{301}", "１", "@"] {
            let text = json!(letter.repeat(length)).to_string();
            rows.push(with(&[(length % 5, &text)]));
        }
    }
    let many = |count: u32| json!((1..=count).collect::<Vec<_>>()).to_string();
    rows.extend([99, 100, 101, 1_000].map(|count| with(&[(3, &many(count))])));
    for left_out in 0..FIELDS.len() {
        let fields = GOOD.iter().enumerate().filter(|(field, _)| *field != left_out);
        let fields: Vec<String> =
            fields.map(|(field, value)| format!("\"{}\":{value}", FIELDS[field])).collect();
        rows.push(format!("{{{}}}", fields.join(",")));
        rows.push(format!("{{\"_id\" : \"x\" ,\r\n\t{} }}\n", fields.join(" , ")));
    }
    rows
}

/// A good row with one letter changed, lost or put in.
fn broken(random: &mut Random) -> String {
    let mut letters: Vec<char> = with(&[(3, r#"[1, {"dept_no": 2.5e0}, "3"]"#)]).chars().collect();
    for _ in 0..=random.below(2) {
        let place = random.below(letters.len() as u64) as usize;
        let letter = random.pick(&[
            '{', '}', '[', ']', '"', ',', ':', '\\', '0', '-', '.', 'e', 'n', ' ', '\n', '\u{1}', '张',
        ]);
        match random.below(4) {
            0 => letters[place] = letter,
            1 => letters.insert(place, letter),
            2 => drop(letters.remove(place)),
            _ => letters.truncate(place),
        }
        if letters.is_empty() {
            break;
        }
    }
    letters.into_iter().collect()
}

fn text(random: &mut Random, most: u64) -> String {
    let letters: Vec<char> = LETTERS.chars().collect();
    let letter = |random: &mut Random| match random.below(8) {
        0 => char::from_u32(random.below(0x11_0000) as u32).unwrap_or('\u{fffd}'),
        1 => char::from_u32(random.below(0x3000) as u32).unwrap_or('\u{fffd}'),
        _ => random.pick(&letters),
    };
    (0..random.below(most)).map(|_| letter(random)).collect()
}

fn value(random: &mut Random, depth: u32) -> String {
    match random.below(if depth == 0 { 4 } else { 7 }) {
        0 => json!(text(random, 12)).to_string(),
        1 => number(random),
        2 => json!(random.below(20)).to_string(),
        3 => random.pick(&["null", "true", "\"\"", "\"a\"", "\"2\""]).to_owned(),
        4 | 5 => {
            let items: Vec<String> = (0..random.below(4)).map(|_| value(random, depth - 1)).collect();
            format!("[{}]", items.join(","))
        }
        _ => {
            let keys = ["phone", "username", "dept_no", "id", "province", "city", "detail", "name", "a"];
            let fields: Vec<String> = (0..random.below(3))
                .map(|_| format!("\"{}\":{}", random.pick(&keys), value(random, depth - 1)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

fn number(random: &mut Random) -> String {
    let digits = |random: &mut Random, most: u64| -> String {
        (0..=random.below(most)).map(|_| char::from(b'0' + random.below(10) as u8)).collect()
    };
    let sign = random.pick(&["", "", "-"]);
    let whole = digits(random, 21);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if random.below(2) == 0 { format!(".{}", digits(random, 19)) } else { String::new() };
    let exponent = match random.below(3) {
        0 => format!("e{}{}", random.pick(&["", "+", "-"]), random.below(330)),
        1 => format!("E{}{}", random.pick(&["", "-"]), random.below(12)),
        _ => String::new(),
    };
    format!("{sign}{whole}{fraction}{exponent}")
}
