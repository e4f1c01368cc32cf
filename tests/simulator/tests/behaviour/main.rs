//! The simulator's promises, tested over a real socket.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared test code fails a test as its assertions do"
)]

mod binary;
mod control;
mod department;
mod factory;
mod fault;
mod job;
mod member;
mod outbox;
mod receiver;
mod record;
mod record_filter;
mod replica;
mod robot;
mod service;
mod token;
mod update;
