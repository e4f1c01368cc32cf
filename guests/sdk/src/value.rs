//! Reads the shapes in which JianDaoYun returns a field's value.
//!
//! A form field can be empty in many ways: `null`, `""`, `[]`, `{}`, `{"phone":""}`, an address of empty parts. All
//! of them are [`is_empty`]. A phone field is an object, a person is known by `username`, a department by `dept_no`,
//! depending on the form's design; so [`text`] accepts them all. An account, a number or an address cannot be made
//! from every value with a text: [`identity`] accepts only suitable values.

use std::borrow::Cow;
use std::fmt::Display;

use serde_json::{Map, Number, Value};

use crate::fault::{Fault, cut, show};
use crate::text::{identifier, is_blank, is_placeholder};

/// True if the form has no value here.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => is_blank(text),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(fields) => match fields.get("phone") {
            Some(phone) => is_empty(phone),
            None => fields.values().all(is_empty),
        },
    }
}

/// The value as text: a phone object's number, a person's `username`, a department's `dept_no`, an address in one
/// line, a linked row's id, a whole number without a fraction, a list's items joined with `,`. Empty values are `""`.
///
/// # Errors
/// `value.shape` if the value is an object without a single text, such as an attachment.
pub fn text(value: &Value) -> Result<Cow<'_, str>, Fault> {
    match value {
        Value::Null => Ok(Cow::Borrowed("")),
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(value) => Ok(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Number(number) => Ok(Cow::Owned(number_text(number))),
        Value::Array(items) => match items.as_slice() {
            [] => Ok(Cow::Borrowed("")),
            [item] => text(item),
            items => {
                let mut joined = String::new();
                for item in items.iter().filter(|item| !is_empty(item)) {
                    if !joined.is_empty() {
                        joined.push(',');
                    }
                    joined.push_str(&text(item)?);
                }
                Ok(Cow::Owned(joined))
            }
        },
        Value::Object(fields) => object_text(fields).ok_or_else(|| shape(value)),
    }
}

/// The value as the text of one identity: an account, a mobile number, an e-mail address, a name. A text, a whole number, a
/// person's `username`, a phone object's number, or a list of one of these. Empty values are `""`.
///
/// ```
/// use ruzhi_guest::value::identity;
/// use serde_json::json;
/// assert_eq!(identity(&json!(1002.0)).unwrap(), "1002");
/// assert_eq!(identity(&json!({"username": "lisi", "name": "李四"})).unwrap(), "lisi");
/// for value in [json!(false), json!(1001.5), json!({"id": "x"}), json!(["a", "b"])] {
///     assert_eq!(identity(&value).unwrap_err().rule, "value.shape");
/// }
/// ```
///
/// # Errors
/// `value.shape` for a boolean, a fraction, a number beyond 2^53, a list of several, any other object, and a text
/// that programs write for no value, such as `undefined`.
pub fn identity(value: &Value) -> Result<Cow<'_, str>, Fault> {
    match value {
        Value::Null => Ok(Cow::Borrowed("")),
        Value::String(text) if is_literal(text) => {
            Err(no_identity(format_args!("文本 {}", show(text)), format_args!("the text {}", show(text))))
        }
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(value) => {
            Err(no_identity(format_args!("“是/否”值 {value}"), format_args!("the yes or no {value}")))
        }
        Value::Number(number) => whole(number).map(|whole| Cow::Owned(whole.to_string())).ok_or_else(|| {
            let shown = show(&json(value));
            no_identity(format_args!("数字 {shown}"), format_args!("the number {shown}"))
        }),
        Value::Array(items) => {
            let mut filled = items.iter().filter(|item| !is_empty(item));
            match (filled.next(), filled.count()) {
                (None, _) => Ok(Cow::Borrowed("")),
                (Some(item), 0) => identity(item),
                (Some(_), more) => Err(no_identity(
                    format_args!("含有 {} 项的列表", more + 1),
                    format_args!("a list of {} items", more + 1),
                )),
            }
        }
        Value::Object(fields) => {
            let held = ["phone", "username"].iter().find_map(|key| fields.get(*key));
            match held {
                Some(held) if !held.is_object() && !held.is_array() => identity(held),
                None if is_empty(value) => Ok(Cow::Borrowed("")),
                _ => {
                    let kind = keys(fields);
                    Err(no_identity(format_args!("含有 {kind} 的对象"), format_args!("an object of {kind}")))
                }
            }
        }
    }
}

/// True for a placeholder instead of a value, as [`crate::text::is_placeholder`] decides for the value's text.
pub fn placeholder(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => is_placeholder(text).then_some(Cow::Borrowed(text)),
        Value::Array(_) | Value::Object(_) => text(value).ok().filter(|text| is_placeholder(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Words that programs write for a missing value. No person has such an account.
fn is_literal(text: &str) -> bool {
    matches!(identifier(text).to_ascii_lowercase().as_str(), "true" | "false" | "null" | "undefined")
}

/// A whole number with a reliable last digit: beyond 2^53 the writer of the JSON may have rounded it.
fn whole(number: &Number) -> Option<i64> {
    const MOST: i64 = 9_007_199_254_740_991;
    let float = |number: f64| (number.fract() == 0.0 && number.abs() <= MOST as f64).then_some(number as i64);
    let whole = if number.is_f64() { number.as_f64().and_then(float) } else { number.as_i64() };
    whole.filter(|whole| whole.unsigned_abs() <= MOST.unsigned_abs())
}

fn no_identity(chinese: impl Display, english: impl Display) -> Fault {
    Fault::new(
        "value.shape",
        format_args!("{chinese}不能作为帐号、手机号、邮箱或姓名，请更正，或改用其他字段"),
        format_args!("{english} is no account, number, address or name. Correct it, or use another field"),
    )
}

fn object_text(fields: &Map<String, Value>) -> Option<Cow<'_, str>> {
    if let Some(value) = ["phone", "username", "dept_no", "id"].iter().find_map(|key| fields.get(*key)) {
        return if value.is_object() || value.is_array() { None } else { text(value).ok() };
    }
    if !["province", "city", "district", "detail"].iter().any(|key| fields.contains_key(*key)) {
        return fields.values().all(is_empty).then_some(Cow::Borrowed(""));
    }
    // In the four municipalities the city repeats the province.
    let mut parts: Vec<&str> = ["province", "city", "district", "detail"]
        .iter()
        .filter_map(|key| fields.get(*key)?.as_str())
        .collect();
    parts.dedup();
    Some(Cow::Owned(parts.into_iter().collect()))
}

fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
            (float as i64).to_string()
        }
        _ => json(&Value::Number(number.clone())),
    }
}

/// The value as a list: an array's items; a text's parts, or the array in it; anything else as the one item.
/// Empty items are left out.
pub fn list(value: &Value) -> Vec<Cow<'_, Value>> {
    match value {
        Value::Array(items) => items.iter().filter(|item| !is_empty(item)).map(Cow::Borrowed).collect(),
        Value::String(text) => match serde_json::from_str(text.trim()) {
            Ok(Value::Array(items)) => {
                items.into_iter().filter(|item| !is_empty(item)).map(Cow::Owned).collect()
            }
            _ => split(text).map(|part| Cow::Owned(Value::String(part.to_owned()))).collect(),
        },
        value if is_empty(value) => Vec::new(),
        value => vec![Cow::Borrowed(value)],
    }
}

/// The parts of a text between `,` `;` `、` `|`, their full-width forms and line breaks, trimmed, empty ones left out.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '、', '|', '，', '；', '｜', '\n']).map(str::trim).filter(|part| !part.is_empty())
}

/// The value as a boolean: `true`, `1`, `yes`, `y`, `on`, `是`, `启用` and their opposites, in any letter case.
///
/// # Errors
/// `value.type` if it is neither.
pub fn boolean(value: &Value) -> Result<bool, Fault> {
    if let Value::Bool(value) = value {
        return Ok(*value);
    }
    let text = text(value)?;
    match identifier(&text).to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "是" | "启用" => Ok(true),
        "false" | "0" | "no" | "n" | "off" | "否" | "禁用" | "停用" => Ok(false),
        _ => Err(Fault::new(
            "value.type",
            format_args!("{} 不是“是/否”值，请填写 是、否、true、false、1 或 0", show(&text)),
            format_args!("{} is neither yes nor no. Write true, false, 1 or 0", show(&text)),
        )),
    }
}

/// The value as a whole number.
///
/// # Errors
/// `value.type` if it is not one.
pub fn integer(value: &Value) -> Result<i64, Fault> {
    if let Some(number) = value.as_i64() {
        return Ok(number);
    }
    let text = text(value)?;
    identifier(&text).parse().map_err(|_| {
        Fault::new(
            "value.type",
            format_args!("{} 不是整数，请填写整数", show(&text)),
            format_args!("{} is not a whole number. Write one", show(&text)),
        )
    })
}

/// The value as a finite number.
///
/// # Errors
/// `value.type` if it is not one.
pub fn number(value: &Value) -> Result<f64, Fault> {
    if let Value::Number(number) = value
        && let Some(number) = number.as_f64()
    {
        return Ok(number);
    }
    let text = text(value)?;
    serde_json::from_str::<Value>(identifier(&text).trim_start_matches('+'))
        .ok()
        .and_then(|number| number.as_f64())
        .ok_or_else(|| {
            Fault::new(
                "value.type",
                format_args!("{} 不是数字，请填写数字", show(&text)),
                format_args!("{} is not a number. Write one", show(&text)),
            )
        })
}

/// The value as compact JSON text.
pub fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The fault for a value that cannot be converted to text.
pub fn shape(value: &Value) -> Fault {
    let kind = value.as_object().map(keys).unwrap_or_default();
    Fault::new(
        "value.shape",
        format_args!("该值是含有 {kind} 的对象，不能当作文本，请换一个字段或写明子字段"),
        format_args!("the value is an object of {kind}, not a text. Use another field or name a part of it"),
    )
}

fn keys(fields: &Map<String, Value>) -> String {
    cut(fields.keys().map(String::as_str).collect::<Vec<_>>().join(", "), 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::any_json;

    #[test]
    fn every_empty_shape() {
        for value in [
            json!(null),
            json!(""),
            json!(" \u{3000}\u{feff}"),
            json!([]),
            json!({}),
            json!([null, ""]),
            json!({"phone": ""}),
            json!({"phone": null, "verified": false}),
            json!({"province": "", "city": "", "district": "", "detail": ""}),
        ] {
            assert!(is_empty(&value), "{value}");
            assert_eq!(text(&value).unwrap().trim_matches(['\u{3000}', '\u{feff}', ' ', ',']), "", "{value}");
        }
        for value in [json!(0), json!(false), json!("0"), json!({"phone": "1"}), json!([0])] {
            assert!(!is_empty(&value), "{value}");
        }
    }

    #[test]
    fn every_shape_with_a_text() {
        for (value, expected) in [
            (json!("工程师"), "工程师"),
            (json!(13_800_138_000_i64), "13800138000"),
            (json!(13_800_138_000.0), "13800138000"),
            (json!(1.5), "1.5"),
            (json!(true), "true"),
            (json!({"phone": "13800138000", "verified": true}), "13800138000"),
            (json!({"_id": "x", "name": "张三", "username": "zhangsan", "status": 1}), "zhangsan"),
            (json!({"name": "技术部", "dept_no": 12, "type": 0, "parent_no": 1}), "12"),
            (json!([{"username": "a"}, {"username": "b"}]), "a,b"),
            (json!(["甲", "", "乙"]), "甲,乙"),
            (json!({"id": "0123456789abcdef01234567"}), "0123456789abcdef01234567"),
            (
                json!({"province": "上海市", "city": "上海市", "district": "浦东新区", "detail": "张江路1号"}),
                "上海市浦东新区张江路1号",
            ),
            (json!({"province": "江苏省", "city": "苏州市", "lnglatXY": [1.0, 2.0]}), "江苏省苏州市"),
        ] {
            assert_eq!(text(&value).unwrap(), expected);
        }
        assert_eq!(text(&json!({"name": "a.png", "url": "u", "size": 1})).unwrap_err().rule, "value.shape");
    }

    #[test]
    fn what_is_one_identity() {
        for (value, expected) in [
            (json!("E001"), "E001"),
            (json!("1001.5"), "1001.5"),
            (json!(1002), "1002"),
            (json!(1002.0), "1002"),
            (serde_json::from_str("1e3").unwrap(), "1000"),
            (json!(9_007_199_254_740_991_i64), "9007199254740991"),
            (json!(-7), "-7"),
            (json!({"name": "李四", "username": "lisi", "status": 1}), "lisi"),
            (json!([{"name": "李四", "username": "lisi"}]), "lisi"),
            (json!([null, "lisi", ""]), "lisi"),
            (json!({"phone": "13800138000", "verified": true}), "13800138000"),
            (json!({"phone": 13_800_138_000_i64}), "13800138000"),
            (json!({"phone": null, "verified": false}), ""),
            (json!(null), ""),
            (json!([]), ""),
            (json!({}), ""),
        ] {
            assert_eq!(identity(&value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_identity() {
        for value in [
            json!(true),
            json!(false),
            json!(1001.5),
            json!(-0.1),
            json!(9_007_199_254_740_992_i64),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!(["a", "b"]),
            json!([["a", "b"]]),
            json!([true]),
            json!({"id": "x"}),
            json!({"id": "0123456789abcdef01234567", "key": "k"}),
            json!({"id": 7, "name": "z"}),
            json!({"name": "技术部", "dept_no": 12}),
            json!({"value": "x"}),
            json!({"userid": "x"}),
            json!({"username": true}),
            json!({"username": ["a"]}),
            json!({"username": {"username": "a"}}),
            json!({"phone": 1.5}),
            json!({"province": "江苏省", "detail": "1号"}),
            json!({"name": "a.png", "url": "u"}),
            json!("true"),
            json!(" False "),
            json!("null"),
            json!("undefined"),
        ] {
            assert_eq!(identity(&value).unwrap_err().rule, "value.shape", "{value}");
        }
    }

    #[test]
    fn a_word_for_nothing_in_any_shape() {
        for value in [json!("无"), json!(["/"]), json!({"phone": "-", "verified": false})] {
            assert!(placeholder(&value).is_some(), "{value}");
        }
        for value in
            [json!(null), json!(""), json!(0), json!(false), json!({"name": "-"}), json!("13800138000")]
        {
            assert!(placeholder(&value).is_none(), "{value}");
        }
    }

    #[test]
    fn lists_of_every_kind() {
        for value in [
            json!(["a", "b"]),
            json!("a,b"),
            json!("a；b"),
            json!("[\"a\",\"b\"]"),
            json!("a、 b、"),
            json!("a\nb"),
        ] {
            let items: Vec<_> = list(&value).into_iter().map(Cow::into_owned).collect();
            assert_eq!(items, [json!("a"), json!("b")], "{value}");
        }
        assert_eq!(list(&json!(3)).len(), 1);
        assert!(list(&json!(null)).is_empty());
    }

    #[test]
    fn yes_and_no_and_numbers() {
        for value in [json!(true), json!("true"), json!("TRUE"), json!(1), json!("是"), json!("１")] {
            assert!(boolean(&value).unwrap(), "{value}");
        }
        for value in [json!(false), json!("false"), json!(0), json!("否"), json!("No")] {
            assert!(!boolean(&value).unwrap(), "{value}");
        }
        assert_eq!(boolean(&json!("maybe")).unwrap_err().rule, "value.type");
        assert_eq!(integer(&json!("１２")).unwrap(), 12);
        assert_eq!(integer(&json!(12.0)).unwrap(), 12);
        assert_eq!(integer(&json!("12.5")).unwrap_err().rule, "value.type");
        assert_eq!(number(&json!("12.5")).unwrap(), 12.5);
        assert_eq!(number(&json!("NaN")).unwrap_err().rule, "value.type");
    }

    proptest! {
        #[test]
        fn no_value_is_too_strange(value in any_json()) {
            let _ = text(&value).map(Cow::into_owned);
            let _ = (boolean(&value), integer(&value), number(&value), placeholder(&value));
            prop_assert!(list(&value).iter().all(|item| !is_empty(item)));
        }

        #[test]
        fn an_identity_is_a_text_of_the_value_and_never_of_two(value in any_json()) {
            if let Ok(found) = identity(&value) {
                prop_assert!(!value.is_boolean() && !is_literal(&found));
                prop_assert!(!value.is_number() || found.parse::<i64>().is_ok_and(|n| n.unsigned_abs() < 1 << 53));
                let items = value.as_array().map_or(1, |items| items.iter().filter(|item| !is_empty(item)).count());
                prop_assert!(items < 2 && !(items == 1 && is_empty(&value) && !is_blank(&found)));
            }
        }

        #[test]
        fn an_empty_value_has_a_blank_text(value in any_json()) {
            if is_empty(&value) && let Ok(text) = text(&value) {
                prop_assert!(text.split(',').all(is_blank));
            }
        }
    }
}
