//! ruzhi keeps a company's WeCom directory in step with its JianDaoYun onboarding form.
//!
//! Arrows point one way: `cli`, `serve` → `deployment` → `activation`, `sync` → `jiandaoyun`, `guest`, `plan`, `wecom`, `store` → `model`. `plan`
//! knows `model` and nothing else; `wecom` and `jiandaoyun` know nothing of each other, nor of wasm. `qeasy` stands aside:
//! texts in, the text of a configuration out. `file` reads what a person names, for all of them. `meter` may be told by anybody and asks nobody.

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
