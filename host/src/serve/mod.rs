//! The process that stays: keeps every flow on time, shows what happens, and tells who has to know.
//!
//! Four tasks. The *scheduler* owns the agenda and starts runs; the *watch* looks at the files and exchanges the
//! deployment; the *alarms* tell people; the *server* answers pages, the API and the services' pushes. None of them
//! brings data into a run: a timer, a push and a person only wake it. What a person asks for and what they are shown is
//! in `desk`, once; `api` writes it as JSON and `pages` as HTML.

pub mod access;
pub mod agenda;
pub mod alarm;
pub mod api;
pub mod desk;
pub mod hooks;
mod live;
pub mod pages;
mod process;
mod scheduler;
pub mod signals;

pub use live::{Live, LiveRun};
pub use process::Process;
pub use scheduler::{Asked, Ended, FlowStanding, Scheduler, StandingState, Wake};
