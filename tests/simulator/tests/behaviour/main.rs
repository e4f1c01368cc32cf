//! What the simulator promises, asked over a real socket.

mod binary;
mod control;
mod department;
mod factory;
mod fault;
mod job;
mod member;
mod record;
mod record_filter;
mod service;
mod token;
