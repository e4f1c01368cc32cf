//! A row's fields, read from its JSON.
//!
//! Widget ids are long and differ only at their end, and a guest compares bytes one by one: with `serde_json`'s tree
//! map, that comparison took the largest part of deciding a row. So the few fields are kept in a list and compared
//! from the end.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The fields of a row in their order; if a field is given twice, the last one counts.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a>(Vec<(Cow<'a, str>, Value)>);

impl Row<'_> {
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        let is_field = |name: &str| name.len() == field.len() && name.bytes().rev().eq(field.bytes().rev());
        self.0.iter().rev().find(|(name, _)| is_field(name)).map(|(_, value)| value)
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowVisitor)
    }
}

struct RowVisitor;

/// The parser's own messages for other types print numbers, which adds 20 KB to a guest: each type is rejected with a
/// plain message instead.
fn no_object<T, E: Error>() -> Result<T, E> {
    Err(E::custom("no object"))
}

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(8);
        while let Some(name) = map.next_key_seed(NameSeed)? {
            fields.push((name, map.next_value()?));
        }
        Ok(Row(fields))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        no_object()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        no_object()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        no_object()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        no_object()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        no_object()
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        no_object()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        no_object()
    }
}

/// A field's name, borrowed unless it has escapes.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;
    use crate::testing::any_json;

    #[test]
    fn the_last_of_two_counts_and_escapes_are_read() {
        let row: Row<'_> = serde_json::from_str(r#"{"a":1,"\u59d3\u540d":"\u5f20\u4e09","a":2}"#).unwrap();
        assert_eq!(row.get("a"), Some(&json!(2)));
        assert_eq!(row.get("姓名"), Some(&json!("张三")));
        assert_eq!(row.get("b"), None);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["[]", "[1]", "1", "-1", "1.5", "\"a\"", "true", "null", "", "{", "{}x", "{1:2}"] {
            assert!(serde_json::from_str::<Row<'_>>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_row_holds_what_its_object_does(fields in proptest::collection::btree_map(".{0,4}", any_json(), 0..8), other in ".{0,4}") {
            let object: Map<String, Value> = fields.into_iter().collect();
            let json = Value::Object(object).to_string();
            let object: Map<String, Value> = serde_json::from_str(&json).unwrap();
            let row: Row<'_> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(row.get(&other), object.get(&other));
            for (name, value) in &object {
                prop_assert_eq!(row.get(name), Some(value));
            }
        }
    }
}
