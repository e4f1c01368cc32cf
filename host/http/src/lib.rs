//! Shared by the clients of both services: rates and backoff, and reading an answer within limits.

pub mod answer;
pub mod rate;
