//! ruzhi keeps a company's WeCom directory in step with its JianDaoYun onboarding form.
//!
//! Dependencies between the modules go one way; `docs/architecture.md` lists them, and a test enforces them.

pub mod activation;
pub mod answer;
pub mod audit;
pub mod cli;
pub mod config;
pub mod deployment;
pub mod failure;
pub mod file;
pub mod guest;
pub mod jiandaoyun;
pub mod meter;
pub mod model;
pub mod open_files;
pub mod plan;
pub mod qeasy;
pub mod rate;
pub mod serve;
pub mod store;
pub mod sync;
pub mod wecom;
