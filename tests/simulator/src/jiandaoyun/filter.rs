//! The `filter` of data/list: one level of conditions, joined by `and` or `or`. A filter that the service would not
//! understand, or would take for "no filter", is rejected here.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::form::{Form, Row};
use super::refusal::Refusal;

#[derive(Debug)]
pub(super) struct Filter {
    any: bool,
    conditions: Vec<Condition>,
}

/// The service's code for every filter it cannot use.
const BAD_FILTER: i32 = 4815;

pub(super) fn bad(what: impl Into<String>) -> Refusal {
    Refusal::misunderstood(BAD_FILTER, what)
}

impl Filter {
    pub(super) fn parse(filter: Value, form: &Form) -> Result<Self, Refusal> {
        let Value::Object(mut filter) = filter else {
            return Err(bad(format!("filter must be an object, not {filter}")));
        };
        let any = match filter.remove("rel") {
            Some(Value::String(rel)) if rel == "and" => false,
            Some(Value::String(rel)) if rel == "or" => true,
            other => return Err(bad(format!("filter.rel must be \"and\" or \"or\", not {other:?}"))),
        };
        let conditions = match filter.remove("cond") {
            Some(Value::Array(conditions)) => conditions,
            other => return Err(bad(format!("filter.cond must be an array, not {other:?}"))),
        };
        no_more_keys(&filter, "filter")?;
        let conditions = conditions.into_iter().map(|condition| Condition::parse(condition, form));
        Ok(Self { any, conditions: conditions.collect::<Result<_, _>>()? })
    }

    pub(super) fn accepts(&self, row: &Row) -> bool {
        if self.any {
            self.conditions.is_empty() || self.conditions.iter().any(|condition| condition.accepts(row))
        } else {
            self.conditions.iter().all(|condition| condition.accepts(row))
        }
    }
}

pub(super) fn no_more_keys(object: &Map<String, Value>, what: &str) -> Result<(), Refusal> {
    match object.keys().next() {
        Some(key) => Err(bad(format!("{what} has a key {key:?} that the service does not know"))),
        None => Ok(()),
    }
}
