//! A flow, assembled and ready to run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use ruzhi_guest_runtime::Guest;
use ruzhi_jiandaoyun as jiandaoyun;
use ruzhi_model::{CalledApi, Clock, Digest, FlowId, RemoteService, RunId, Sighting, TenantId, WriteBack};
use ruzhi_plan::{Policy, Scope};
use ruzhi_store::{Database, FirstUse};
use ruzhi_wecom as wecom;

/// Gives every run its id.
pub trait RunIds: Send + Sync {
    /// An id no other run has.
    fn next(&self, at: DateTime<Utc>) -> RunId;
}

/// One form → the directory, through one guest.
pub struct FlowRuntime {
    /// The tenant.
    pub tenant: TenantId,
    /// Every tenant that writes the same corp, this one among them.
    pub siblings: Vec<TenantId>,
    /// The flow.
    pub id: FlowId,
    /// A row that a complete collect does not find means that its person left.
    pub absent_leaves: bool,
    /// From this many creates and updates on, write by CSV job; 0 for never.
    pub batch_from: u32,
    /// The tenant's time zone, an IANA name.
    pub timezone: String,
    /// The form.
    pub form: jiandaoyun::FormAddress,
    /// The filter on its rows.
    pub filter: Option<jiandaoyun::RowFilter>,
    /// The time an incremental collect reaches back behind the watermark: rows that were being saved while the last one
    /// ran are seen again.
    pub overlap: TimeDelta,
    /// The source of the rows.
    pub source: jiandaoyun::FormClient,
    /// The rules that decide them.
    pub guest: Guest,
    /// The note to make before rules that have decided no row yet decide the first ones.
    pub first_use: Option<FirstUse>,
    /// The directory to write to.
    pub directory: wecom::WecomClient,
    /// A second credential that may read members' fields.
    pub reader: Option<wecom::WecomClient>,
    /// Calls made at the same time.
    pub in_flight: usize,
    /// The tenant's policy.
    pub policy: Policy,
    /// The store.
    pub store: Arc<Database>,
    /// The source of the current time.
    pub clock: Arc<dyn Clock>,
    /// The fields of the form that take the outcome of its rows, if any.
    pub write_back: Option<WriteBack>,
    /// The source of run ids.
    pub run_ids: Arc<dyn RunIds>,
    /// Cancelled when the process is to end: calls under way are answered and stored, no new ones begin.
    pub quit: CancellationToken,
    /// The receiver of progress.
    pub progress: Arc<dyn Progress>,
}

/// A service's clock seen within this time still counts.
const SEEN_WITHIN: Duration = Duration::from_secs(600);

/// The earliest moment by this machine's clock and the services' clocks. If this machine's has jumped ahead, departures
/// would otherwise look older than they are, and the guard would forget them.
fn earliest(now: DateTime<Utc>, clocks: impl Iterator<Item = Sighting>) -> DateTime<Utc> {
    clocks.map(|clock| clock.at(now)).fold(now, DateTime::min)
}

impl FlowRuntime {
    /// The records and members that a plan made at this moment considers.
    pub(super) fn scope(&self, now: DateTime<Utc>) -> Scope {
        let since = Instant::now().checked_sub(SEEN_WITHIN);
        let clocks =
            since.map(|since| [self.source.service_clock(since), self.directory.service_clock(since)]);
        let until = earliest(now, clocks.into_iter().flatten().flatten());
        Scope {
            tenant: self.tenant.clone(),
            flow: self.id.clone(),
            tenants: self.siblings.clone(),
            absent_leaves: self.absent_leaves,
            day: until - TimeDelta::days(1),
            week: until - TimeDelta::days(7),
            grace_over: now.checked_sub_signed(self.policy.grace).unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }

    /// Calls made so far, by service and API.
    pub(super) fn calls(&self) -> BTreeMap<CalledApi, u64> {
        let of = |service, is_reader| {
            move |(path, count): (&'static str, u64)| {
                (CalledApi { service, path: path.to_owned(), is_reader }, count)
            }
        };
        let directory = self.directory.calls().into_iter().map(of(RemoteService::Wecom, false));
        let reader = self.reader.iter().flat_map(wecom::WecomClient::calls);
        let reader = reader.map(of(RemoteService::Wecom, true));
        let source = self.source.calls().into_iter().map(of(RemoteService::Jiandaoyun, false));
        directory.chain(reader).chain(source).collect()
    }

    /// The form, as a person knows it by its address.
    pub(super) fn form_name(&self) -> String {
        format!("{}/{}", self.form.app_id, self.form.entry_id)
    }

    /// Digest of the query to the form: when it changes, rows that were skipped before may matter.
    pub(super) fn query_digest(&self) -> Digest {
        let filter = self.filter.as_ref().and_then(|filter| filter.resolve(Some(DateTime::UNIX_EPOCH)));
        let form = self.form_name();
        let fields = self.guest.description().source_fields.join("\n");
        let filter = filter.map(|filter| filter.to_string()).unwrap_or_default();
        Digest::of_parts([form.as_bytes(), fields.as_bytes(), filter.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with a clock that has jumped ahead forgets no departure; one with a clock behind adds none.
    #[test]
    fn the_last_day_ends_at_the_earliest_clock() {
        let now: DateTime<Utc> = "2026-05-10T08:00:00Z".parse().unwrap();
        let clock = |ahead: i64| Sighting {
            date: now + TimeDelta::days(ahead),
            sent: now,
            took: Duration::ZERO,
            seen: Instant::now(),
        };
        assert_eq!(earliest(now, [].into_iter()), now);
        assert_eq!(earliest(now, [clock(-9), clock(1)].into_iter()), now - TimeDelta::days(9));
        assert_eq!(earliest(now, [clock(9)].into_iter()), now);
    }
}
