//! Department lists as they appear in forms: a list of numbers, the text `[1,2,3]`, `1,2,3`, `1;2`, `1、2`, one
//! number, numbers as texts, or the department objects of JianDaoYun, which carry WeCom's id as `dept_no`.
//!
//! Order is kept: WeCom shows the first department of a member as the main one unless `main_department` says another.
//! A value that is not a department id is rejected, never dropped: WeCom creates departments it does not know.

use serde_json::Value;

use crate::contract::Membership;
use crate::fault::{Fault, show};
use crate::text::identifier;
use crate::value;

/// The most departments a member may belong to.
pub const MOST: usize = 100;

/// The department ids of a value, none for an empty one.
///
/// ```
/// use ruzhi_guest::department::parse;
/// use serde_json::json;
/// assert_eq!(parse(&json!("[1,2,3]")).unwrap(), [1, 2, 3]);
/// assert_eq!(parse(&json!([{"name": "技术部", "dept_no": 7}])).unwrap(), [7]);
/// ```
///
/// # Errors
/// `department.invalid` for a value that is not an id, `department.zero` for 0, `department.duplicate`,
/// `department.too-many`.
pub fn parse(value: &Value) -> Result<Vec<u32>, Fault> {
    let mut ids = Vec::new();
    collect(value, &mut ids, 0)?;
    check(ids.iter().copied())?;
    Ok(ids)
}

/// Plain memberships of departments: not leading any, order left to WeCom.
pub fn memberships(ids: impl IntoIterator<Item = u32>) -> Vec<Membership> {
    ids.into_iter().map(|department| Membership { department, leader: false, order: None }).collect()
}

/// Checks that a list of ids can be sent.
///
/// # Errors
/// `department.zero`, `department.duplicate`, `department.too-many`.
pub fn check(ids: impl ExactSizeIterator<Item = u32> + Clone) -> Result<(), Fault> {
    if ids.len() > MOST {
        return Err(Fault::new(
            "department.too-many",
            format_args!("所属部门不得超过 {MOST} 个，现有 {} 个，请减少", ids.len()),
            format_args!(
                "a member belongs to at most {MOST} departments, here are {}. Remove some",
                ids.len()
            ),
        ));
    }
    for (index, id) in ids.clone().enumerate() {
        if id == 0 {
            return Err(Fault::new(
                "department.zero",
                "部门 id 不能为 0，请填写企业微信中的部门 id",
                "0 is no department id. Give the id the department has in WeCom",
            ));
        }
        if ids.clone().take(index).any(|earlier| earlier == id) {
            return Err(Fault::new(
                "department.duplicate",
                format_args!("部门 {id} 重复，请只保留一个"),
                format_args!("department {id} is given twice. Keep one"),
            ));
        }
    }
    Ok(())
}

fn collect(value: &Value, ids: &mut Vec<u32>, depth: u8) -> Result<(), Fault> {
    match value {
        value if value::is_empty(value) => Ok(()),
        Value::Array(items) if depth < 3 => items.iter().try_for_each(|item| collect(item, ids, depth + 1)),
        Value::Object(fields) if depth < 3 => match fields.get("dept_no") {
            Some(number) => collect(number, ids, depth + 2),
            None => Err(invalid(&value::json(&Value::Object(fields.clone())))),
        },
        Value::String(text) => collect_text(text, ids, depth),
        Value::Number(number) => {
            let whole = |id: &f64| *id >= 0.0 && id.fract() == 0.0;
            let id = number.as_u64().or_else(|| number.as_f64().filter(whole).map(|id| id as u64));
            push(id, || value::json(value), ids)
        }
        other => Err(invalid(&value::json(other))),
    }
}

fn collect_text(text: &str, ids: &mut Vec<u32>, depth: u8) -> Result<(), Fault> {
    let plain = identifier(text);
    if plain.starts_with(['[', '{', '"'])
        && depth < 3
        && let Ok(json) = serde_json::from_str(&plain)
    {
        return collect(&json, ids, depth + 1);
    }
    let inner = plain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&plain);
    for part in value::split(inner).flat_map(str::split_whitespace) {
        let id = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        push(id, || part.to_owned(), ids)?;
    }
    Ok(())
}

fn push(id: Option<u64>, shown: impl FnOnce() -> String, ids: &mut Vec<u32>) -> Result<(), Fault> {
    ids.push(id.and_then(|id| u32::try_from(id).ok()).ok_or_else(|| invalid(&shown()))?);
    Ok(())
}

fn invalid(text: &str) -> Fault {
    Fault::new(
        "department.invalid",
        format_args!(
            "{} 不是部门 id，请填写企业微信的部门 id，如 1,2,3；若表单填的是部门名称，请在规则中用 lookup 对照",
            show(text)
        ),
        format_args!(
            "{} is no department id. Give ids of WeCom, such as 1,2,3; for names of departments give the rules a lookup",
            show(text)
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::any_json;

    #[test]
    fn every_writing_of_a_list() {
        for value in [
            json!([1, 2, 3]),
            json!("[1,2,3]"),
            json!("[1, 2, 3]"),
            json!("1,2,3"),
            json!("1;2;3"),
            json!("1；2，3"),
            json!("１、２、３"),
            json!("1 2 3"),
            json!("1|2\n3"),
            json!(["1", "2", "3"]),
            json!("[\"1\",\"2\",\"3\"]"),
            json!([1.0, "2", {"dept_no": 3}]),
            json!([{"name": "a", "dept_no": 1}, {"name": "b", "dept_no": 2}, {"name": "c", "dept_no": "3"}]),
            json!("[1,2,3,]"),
            json!(["1,2", 3]),
        ] {
            assert_eq!(parse(&value).unwrap(), [1, 2, 3], "{value}");
        }
        assert_eq!(parse(&json!(5)).unwrap(), [5]);
        assert_eq!(parse(&json!("5")).unwrap(), [5]);
        assert_eq!(parse(&json!({"name": "技术部", "dept_no": 5})).unwrap(), [5]);
        assert_eq!(parse(&json!(4_294_967_295_u32)).unwrap(), [u32::MAX]);
    }

    #[test]
    fn an_empty_value_is_no_department() {
        for value in [json!(null), json!(""), json!([]), json!({}), json!("[]"), json!([null])] {
            assert!(parse(&value).unwrap().is_empty(), "{value}");
        }
    }

    #[test]
    fn what_is_no_list_of_departments() {
        for (value, rule) in [
            (json!("技术部"), "department.invalid"),
            (json!("1,技术部"), "department.invalid"),
            (json!(-1), "department.invalid"),
            (json!("+1"), "department.invalid"),
            (json!(1.5), "department.invalid"),
            (json!("1.5"), "department.invalid"),
            (json!(4_294_967_296_u64), "department.invalid"),
            (json!(true), "department.invalid"),
            (json!({"name": "技术部"}), "department.invalid"),
            (json!([[[[1]]]]), "department.invalid"),
            (json!(0), "department.zero"),
            (json!("1,0"), "department.zero"),
            (json!([1, 2, 1]), "department.duplicate"),
        ] {
            assert_eq!(parse(&value).unwrap_err().rule, rule, "{value}");
        }
        assert!(parse(&json!((1..=100).collect::<Vec<u32>>())).is_ok());
        assert_eq!(parse(&json!((1..=101).collect::<Vec<u32>>())).unwrap_err().rule, "department.too-many");
    }

    proptest! {
        #[test]
        fn a_list_survives_every_writing(ids in proptest::collection::hash_set(1u32.., 1..20)) {
            let ids: Vec<u32> = ids.into_iter().collect();
            let texts: Vec<String> = ids.iter().map(u32::to_string).collect();
            for value in [json!(ids), json!(texts), json!(texts.join(",")), json!(texts.join("；")), json!(json!(ids).to_string())] {
                prop_assert_eq!(&parse(&value).unwrap(), &ids);
            }
        }

        #[test]
        fn what_is_taken_obeys_the_documented_rule(value in any_json()) {
            if let Ok(ids) = parse(&value) {
                prop_assert!(ids.len() <= 100);
                prop_assert!(ids.iter().all(|id| *id > 0));
                prop_assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
            }
        }
    }
}
