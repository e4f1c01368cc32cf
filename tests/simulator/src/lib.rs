//! 简道云 and 企业微信 on one loopback port, as their documents and recordings describe them.
//!
//! ruzhi is tested against this, not against mocks: the two services keep their state, their limits and their
//! peculiarities, and behaviour left open by the documents is a knob. A request that the real service would not have
//! understood is answered as the documents say and recorded, so that a test can fail loudly on it
//! ([`Simulator::assert_understood`]).
//!
//! Everything is reached over HTTP: `/api/…` is JianDaoYun, `/cgi-bin/…` is WeCom, `/sim/…` is the control of the
//! simulator, documented in README.md. In a test, [`Simulator`] offers the same control as methods.

mod clock;
mod control;
pub mod factory;
mod fault;
mod hand;
mod jiandaoyun;
mod load;
mod message;
mod observation;
mod outbox;
mod random;
mod robot;
mod server;
mod settings;
mod simulator;
mod wecom;
mod window;
mod world;

pub use fault::{FaultKind, FaultRule, Faults, Service};
pub use load::{
    CorpLoad, CredentialLoad, DepartmentLoad, FormLoad, JianDaoYunLoad, KeyLoad, LoadDocument, LoadError,
    RowChange, WeComLoad, Widget,
};
pub use observation::Misunderstanding;
pub use outbox::{CallbackTo, Delivery, OutboxError, OutboxKnobs, PushTo};
pub use random::Random;
pub use robot::{ROBOT_KEY, RobotMessage};
pub use settings::{Knobs, Limits};
pub use simulator::{Simulator, StartError};
pub use wecom::{CorpError, CredentialKind, Member};
