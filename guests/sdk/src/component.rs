//! The component's side of the contract: on `wasm32` the bindings generated from `wit/v0.2`, elsewhere nothing.
//!
//! The contract's own types are plain Rust shared with the host; here they are moved, not copied, into those of the
//! bindings. The custom section `ruzhi:api-version` identifies the contract to a host of another version.

/// The contract version of this crate, as written to the component's section `ruzhi:api-version`.
pub const VERSION: &str = "0.2";

/// Exports a [`Mapping`](crate::Mapping) as a component. Use it once, in the guest's `lib.rs`.
#[macro_export]
macro_rules! export {
    ($mapping:ty) => {
        #[cfg(target_arch = "wasm32")]
        mod ruzhi_guest_export {
            use super::*;
            type Exported = $crate::component::Exported<$mapping>;
            $crate::component::bindings::export!(Exported with_types_in $crate::component::bindings);
        }
    };
}

#[cfg(target_arch = "wasm32")]
pub use wasm::Exported;

/// The bindings generated from the WIT package, used by [`export!`](crate::export).
#[cfg(target_arch = "wasm32")]
#[allow(
    unsafe_code,
    missing_docs,
    reason = "generated: the canonical ABI is raw memory, and its docs are the WIT's"
)]
#[allow(unreachable_pub, unused_qualifications, reason = "generated")]
#[allow(clippy::all, clippy::restriction, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.2",
        world: "mapping-guest",
        pub_export_macro: true,
        default_bindings_module: "ruzhi_guest::component::bindings",
    });

    /// The contract's version, for a host of another version to read.
    #[used]
    #[unsafe(link_section = "ruzhi:api-version")]
    static API_VERSION: [u8; 3] = *b"0.2";
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::marker::PhantomData;

    use super::bindings::exports::ruzhi::mapping::mapper::Guest;
    use super::bindings::ruzhi::mapping::types as wit;
    use crate::contract;
    use crate::mapping::{self, Mapping};

    /// A mapping as the component's export.
    pub struct Exported<M>(PhantomData<M>);

    impl<M: Mapping> Guest for Exported<M> {
        fn describe(config: String) -> Result<wit::Description, wit::GuestError> {
            crate::panic::install();
            let contract::Description { name, version, source_fields, labels } =
                mapping::describe::<M>(&config).map_err(wit::GuestError::from)?;
            Ok(wit::Description { name, version, source_fields, labels })
        }

        fn decide(
            config: String,
            context: wit::Context,
            records: Vec<wit::SourceRecord>,
        ) -> Result<Vec<wit::Outcome>, wit::GuestError> {
            crate::panic::install();
            let wit::Context { now, timezone } = context;
            let records: Vec<_> = records
                .into_iter()
                .map(|wit::SourceRecord { id, json }| contract::SourceRecord { id, json })
                .collect();
            let outcomes = mapping::decide::<M>(&config, &contract::Context { now, timezone }, &records)?;
            Ok(outcomes.into_iter().map(wit::Outcome::from).collect())
        }
    }

    impl From<contract::GuestError> for wit::GuestError {
        fn from(contract::GuestError { code, message }: contract::GuestError) -> Self {
            wit::GuestError { code, message }
        }
    }

    impl From<contract::Outcome> for wit::Outcome {
        fn from(contract::Outcome { decision, notes, holds_until }: contract::Outcome) -> Self {
            let decision = match decision {
                contract::Decision::Upsert(member) => wit::Decision::Upsert((*member).into()),
                contract::Decision::Leave(userid) => wit::Decision::Leave(userid),
                contract::Decision::Ignore(reason) => wit::Decision::Ignore(reason),
                contract::Decision::Reject(violations) => {
                    wit::Decision::Reject(violations.into_iter().map(wit::Violation::from).collect())
                }
            };
            wit::Outcome { decision, notes, holds_until }
        }
    }

    impl From<contract::Violation> for wit::Violation {
        fn from(contract::Violation { field, rule, message }: contract::Violation) -> Self {
            let contract::Text { zh, en } = message;
            wit::Violation { field, rule, message: wit::Text { zh, en } }
        }
    }

    impl From<contract::Membership> for wit::Membership {
        fn from(contract::Membership { department, leader, order }: contract::Membership) -> Self {
            wit::Membership { department, leader, order }
        }
    }

    impl From<contract::Member> for wit::Member {
        fn from(member: contract::Member) -> Self {
            wit::Member {
                userid: member.userid,
                name: member.name,
                mobile: member.mobile,
                email: member.email,
                memberships: member.memberships.into_iter().map(wit::Membership::from).collect(),
                main_department: member.main_department,
                position: member.position,
                alias: member.alias,
                gender: member.gender,
                telephone: member.telephone,
                address: member.address,
                direct_leader: member.direct_leader,
                biz_mail: member.biz_mail,
                external_position: member.external_position,
                enable: member.enable,
                to_invite: member.to_invite,
                extra: member.extra,
            }
        }
    }
}

/// Constant time for each call, and half the code of the target's default allocator.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
