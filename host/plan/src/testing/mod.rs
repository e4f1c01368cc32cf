//! For tests, here and in crates that plan: a world in memory that the planner reads as it reads the store.

pub mod world;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use ruzhi_model::{Member, Membership};

use crate::{DuplicatePolicy, ExistingPolicy, Guard, Policy, RemovedPolicy};

/// A member with what every member has.
pub fn member(userid: &str, mobile: &str) -> Member {
    Member {
        userid: userid.to_owned(),
        name: format!("name of {userid}"),
        mobile: Some(mobile.to_owned()),
        memberships: vec![Membership { department: 1, leader: false, order: None }],
        ..Member::default()
    }
}

/// The policy that holds where nothing is said.
pub fn policy() -> Policy {
    Policy {
        duplicates: DuplicatePolicy::Reject,
        existing: ExistingPolicy::Reject,
        removed: RemovedPolicy::Ask,
        protected: BTreeSet::new(),
        grace: TimeDelta::days(30),
        guard: Guard::default(),
        retry: false,
    }
}
