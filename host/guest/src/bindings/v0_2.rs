//! Contract 0.2.

wasmtime::component::bindgen!({ path: "../../wit/v0.2", world: "mapping-guest" });

use ruzhi_guest::contract as plain;

use self::exports::ruzhi::mapping::mapper::Outcome;
use self::ruzhi::mapping::types;

alike!();

impl From<types::Violation> for plain::Violation {
    fn from(types::Violation { field, rule, message }: types::Violation) -> Self {
        Self { field, rule, message: plain::Text { zh: message.zh, en: message.en } }
    }
}

impl From<Outcome> for plain::Outcome {
    fn from(Outcome { decision, notes, holds_until }: Outcome) -> Self {
        Self { decision: decision.into(), notes, holds_until }
    }
}
