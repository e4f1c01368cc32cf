//! From the files of a configuration to flows that can run, and the log of what people asked for.

pub mod audit;
pub mod deployment;
