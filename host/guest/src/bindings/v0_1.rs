//! Contract 0.1: a violation has one string for readers of both languages, and an outcome has no expiry.

wasmtime::component::bindgen!({ path: "../../wit/v0.1", world: "mapping-guest" });

use ruzhi_guest::contract as plain;

use self::exports::ruzhi::mapping::mapper::Outcome;
use self::ruzhi::mapping::types;

alike!();

impl From<types::Violation> for plain::Violation {
    fn from(types::Violation { field, rule, message }: types::Violation) -> Self {
        Self { field, rule, message: plain::Text::joined(&message) }
    }
}

impl From<Outcome> for plain::Outcome {
    fn from(Outcome { decision, notes }: Outcome) -> Self {
        Self { decision: decision.into(), notes, holds_until: None }
    }
}
