//! What the clients of both services share: rates and backoff, and reading an answer within limits.

pub mod answer;
pub mod rate;
