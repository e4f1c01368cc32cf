//! The contract as generated for wasmtime, in each supported version, and its translation to the plain types used
//! elsewhere. Those follow the newest version; fields missing from an older one are filled in here.

/// The types common to all versions.
macro_rules! alike {
    () => {
        impl From<&plain::SourceRecord> for types::SourceRecord {
            fn from(record: &plain::SourceRecord) -> Self {
                Self { id: record.id.clone(), json: record.json.clone() }
            }
        }

        impl From<&plain::Context> for types::Context {
            fn from(context: &plain::Context) -> Self {
                Self { now: context.now.clone(), timezone: context.timezone.clone() }
            }
        }

        impl From<types::Membership> for plain::Membership {
            fn from(types::Membership { department, leader, order }: types::Membership) -> Self {
                Self { department, leader, order }
            }
        }

        impl From<types::Member> for plain::Member {
            fn from(member: types::Member) -> Self {
                Self {
                    userid: member.userid,
                    name: member.name,
                    mobile: member.mobile,
                    email: member.email,
                    memberships: member.memberships.into_iter().map(Into::into).collect(),
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

        impl From<types::Decision> for plain::Decision {
            fn from(decision: types::Decision) -> Self {
                match decision {
                    types::Decision::Upsert(member) => Self::Upsert(Box::new(member.into())),
                    types::Decision::Leave(userid) => Self::Leave(userid),
                    types::Decision::Ignore(reason) => Self::Ignore(reason),
                    types::Decision::Reject(violations) => {
                        Self::Reject(violations.into_iter().map(Into::into).collect())
                    }
                }
            }
        }

        impl From<types::Description> for plain::Description {
            fn from(description: types::Description) -> Self {
                Self {
                    name: description.name,
                    version: description.version,
                    source_fields: description.source_fields,
                    labels: description.labels,
                }
            }
        }

        impl From<types::GuestError> for plain::GuestError {
            fn from(error: types::GuestError) -> Self {
                Self { code: error.code, message: error.message }
            }
        }
    };
}

mod v0_1;
mod v0_2;

use wasmtime::component::InstancePre;
use wasmtime::{AsContextMut, Store};

use super::limits::Budget;
use ruzhi_model::{Context, Description, Outcome, SourceRecord};

/// The answer of a guest, or its error.
pub(super) type GuestAnswer<T> = wasmtime::Result<Result<T, ruzhi_guest::contract::GuestError>>;

/// A version of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Version {
    V0_1,
    V0_2,
}

impl Version {
    /// All supported versions, newest first: a component that exports several is called by the first of them.
    pub(super) const SPOKEN: [Self; 2] = [Self::V0_2, Self::V0_1];

    /// The displayed name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_2 => "0.2",
        }
    }

    /// Checks whether guests of this version state when a decision expires.
    pub(super) fn tells_until_when(self) -> bool {
        self != Self::V0_1
    }
}

/// A component ready to be instantiated.
pub(super) enum Pre {
    V0_1(v0_1::MappingGuestPre<Budget>),
    V0_2(v0_2::MappingGuestPre<Budget>),
}

impl Pre {
    /// Looks up the functions of a version.
    pub(super) fn new(version: Version, pre: InstancePre<Budget>) -> wasmtime::Result<Self> {
        Ok(match version {
            Version::V0_1 => Self::V0_1(v0_1::MappingGuestPre::new(pre)?),
            Version::V0_2 => Self::V0_2(v0_2::MappingGuestPre::new(pre)?),
        })
    }

    /// Creates an instance.
    pub(super) fn instantiate(&self, store: &mut Store<Budget>) -> wasmtime::Result<Instance> {
        Ok(match self {
            Self::V0_1(pre) => Instance::V0_1(pre.instantiate(store)?),
            Self::V0_2(pre) => Instance::V0_2(pre.instantiate(store)?),
        })
    }

    /// The version it is called by.
    pub(super) fn version(&self) -> Version {
        match self {
            Self::V0_1(_) => Version::V0_1,
            Self::V0_2(_) => Version::V0_2,
        }
    }
}

/// An instance, called by its version.
pub(super) enum Instance {
    V0_1(v0_1::MappingGuest),
    V0_2(v0_2::MappingGuest),
}

impl Instance {
    pub(super) fn describe(
        &self,
        mut store: impl AsContextMut<Data = Budget>,
        config: &str,
    ) -> GuestAnswer<Description> {
        Ok(match self {
            Self::V0_1(guest) => plain(guest.ruzhi_mapping_mapper().call_describe(&mut store, config)?),
            Self::V0_2(guest) => plain(guest.ruzhi_mapping_mapper().call_describe(&mut store, config)?),
        })
    }

    pub(super) fn decide(
        &self,
        mut store: impl AsContextMut<Data = Budget>,
        config: &str,
        context: &Context,
        records: &[SourceRecord],
    ) -> GuestAnswer<Vec<Outcome>> {
        macro_rules! ask {
            ($guest:ident) => {{
                let given: Vec<_> = records.iter().map(Into::into).collect();
                let mapper = $guest.ruzhi_mapping_mapper();
                let answer = mapper.call_decide(&mut store, config, &context.into(), &given)?;
                plain(answer.map(|outcomes| outcomes.into_iter().map(Outcome::from).collect::<Vec<_>>()))
            }};
        }
        Ok(match self {
            Self::V0_1(guest) => ask!(guest),
            Self::V0_2(guest) => ask!(guest),
        })
    }
}

fn plain<T: Into<U>, U, E: Into<ruzhi_guest::contract::GuestError>>(
    answer: Result<T, E>,
) -> Result<U, ruzhi_guest::contract::GuestError> {
    answer.map(Into::into).map_err(Into::into)
}
