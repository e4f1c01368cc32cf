//! The program's plain types, without input or output.
//!
//! Every id is a newtype that is checked where it is made; past that point the type proves it valid. The contract's own
//! types (member, decision, violation) come from the guest SDK, so both sides of the sandbox share one definition and
//! one set of field rules.

mod called_api;
mod change_limit;
mod clock;
mod id;
pub mod json;
mod ledger;
mod operation;
mod rejection;
mod remote_service;
pub mod row;
mod service_clock;
mod text;
mod write_back;

pub use called_api::{CalledApi, CalledApiError};
pub use change_limit::ChangeLimit;
pub use clock::{Clock, FixedClock, SystemClock};
pub use id::{
    AuditId, DepartmentId, Digest, DigestOfParts, FlowId, IdError, MemberKey, PlanId, RecordId, RunId,
    TenantId, UserId,
};
pub use ledger::{LedgerEntry, MemberState, Origin, RemovalAnswer};
pub use operation::{Operation, OperationKind, OperationState, UniqueField};
pub use rejection::{RejectedBy, Rejection, WaitsFor, rest_after};
pub use remote_service::RemoteService;
pub use ruzhi_guest::contract::{
    Context, Decision, Description, Member, Membership, Outcome, SourceRecord, Violation,
};
pub use ruzhi_guest::text::fold;
pub use service_clock::{ServiceClock, Sighting, http_date};
pub use text::{Label, Lang, Text};
pub use write_back::WriteBack;
