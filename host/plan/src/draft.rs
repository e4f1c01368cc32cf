//! A plan in the making: operations pass through one by one, and only a few numbers of each remain.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::disposition::{Disposition, RecordPlan};
use super::guard::{Guard, GuardVerdict, LeaverDelta, RecentLeavers};
use super::waves::{OperationOrder, Waves};
use super::world::Survey;
use ruzhi_model::{Digest, DigestOfParts, FlowId, OperationKind, Origin, PlanId, RunId, TenantId};

/// The purpose of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "purpose")]
pub enum Purpose {
    /// To bring the directory in step with the form.
    Sync,
    /// To adopt members that were there before ruzhi.
    Adopt {
        /// The way they are recognised.
        by: AdoptBy,
    },
    /// To undo a run.
    Revert {
        /// The run.
        run: RunId,
    },
    /// To settle changes made by hand.
    Drift {
        /// The side in whose favour they are settled.
        settle: DriftResolution,
    },
}

/// The kind of a plan's purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurposeKind {
    /// To bring the directory in step with the form.
    Sync,
    /// To adopt members that were there before ruzhi.
    Adopt,
    /// To undo a run.
    Revert,
    /// To settle changes made by hand.
    Drift,
}

impl Purpose {
    /// Its kind.
    pub fn kind(&self) -> PurposeKind {
        match self {
            Self::Sync => PurposeKind::Sync,
            Self::Adopt { .. } => PurposeKind::Adopt,
            Self::Revert { .. } => PurposeKind::Revert,
            Self::Drift { .. } => PurposeKind::Drift,
        }
    }

    /// True if it comes from the form as it is now.
    pub fn reads_the_form(&self) -> bool {
        matches!(self, Self::Sync | Self::Adopt { .. } | Self::Drift { settle: DriftResolution::Adopt })
    }

    /// The word the commands use.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Adopt { .. } => "adopt",
            Self::Revert { .. } => "revert",
            Self::Drift { .. } => "drift",
        }
    }
}

/// The way members to adopt are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdoptBy {
    /// By the userid the record names, whatever its case.
    Userid,
    /// By the record's mobile number.
    Mobile,
    /// By either.
    Either,
}

/// The side in whose favour drift is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftResolution {
    /// The directory stays as it is.
    Keep,
    /// The ledger is written to the directory again.
    Overwrite,
    /// Members that ruzhi does not own become its own if a record names them.
    Adopt,
}

/// The operations of one run, in sum, with the guard's verdict. The operations themselves are in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Names tenant, flow, state of the world and operations: the same world gives the same id.
    pub id: PlanId,
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Its purpose.
    #[serde(flatten)]
    pub purpose: Purpose,
    /// Digest of every operation, every rejection and the state of the world it was made from.
    pub hash: Digest,
    /// The number of its operations.
    pub operations: u64,
    /// The number of the last wave.
    pub last_wave: u32,
    /// The number of the first wave with operations other than departures.
    #[serde(default)]
    pub first_wave: u32,
    /// Its outcome if every operation succeeds.
    pub counts: Counts,
    /// The guard's verdict.
    pub guard: GuardVerdict,
    /// Members in the directory that the tenant owns.
    pub owned: u64,
    /// It tries quarantined records again.
    pub retry: bool,
    /// The reason the first of the undecided records has no decision.
    #[serde(default)]
    pub undecided: Option<String>,
}

/// Takes in the result for each record, and becomes the plan.
#[derive(Debug)]
pub struct Draft {
    tenant: TenantId,
    flow: FlowId,
    purpose: Purpose,
    owned: u64,
    retry: bool,
    counts: Counts,
    waves: Waves,
    hash: DigestOfParts,
    undecided: Option<String>,
    recent_leavers: RecentLeavers,
    added: LeaverDelta,
}

impl Draft {
    /// An empty draft over a survey.
    pub fn new(tenant: TenantId, flow: FlowId, purpose: Purpose, retry: bool, survey: &Survey) -> Self {
        let mut hash = DigestOfParts::new();
        hash.part(tenant.as_str());
        hash.part(flow.as_str());
        hash.json(&purpose);
        hash.part([u8::from(retry)]);
        hash.part(survey.stamp.as_str());
        Self {
            tenant,
            flow,
            purpose,
            owned: survey.owned,
            retry,
            counts: Counts::default(),
            waves: Waves::default(),
            hash,
            undecided: None,
            recent_leavers: survey.recent_leavers.clone(),
            added: LeaverDelta::default(),
        }
    }

    /// Takes in the next record. Order matters: operations keep it within a wave.
    pub fn add(&mut self, origin: &Origin, record_plan: &RecordPlan) {
        let RecordPlan { disposition, pending } = record_plan;
        self.counts.count_record(disposition);
        if let Some(rejection) = pending {
            self.hash.json(&(origin, rejection));
        }
        match disposition {
            Disposition::Operation(operation) => {
                self.waves.add(operation);
                let member = operation.userid.key();
                match operation.kind {
                    OperationKind::Disable | OperationKind::Delete => {
                        self.added.count(&self.recent_leavers, &member)
                    }
                    OperationKind::Enable | OperationKind::Create => {
                        self.added.back(&self.recent_leavers, &member)
                    }
                    OperationKind::Update | OperationKind::Adopt | OperationKind::Keep => {}
                }
                self.hash.json(operation);
            }
            Disposition::Rejected { rejection } => self.hash.json(&(origin, rejection)),
            Disposition::Failed { reason } => {
                self.undecided.get_or_insert_with(|| reason.clone());
            }
            Disposition::Unchanged { .. } | Disposition::Ignored { .. } => {}
        }
    }

    /// Counts records that were skipped, because nothing can come of them.
    pub(super) fn pass_over(&mut self, unchanged: u64, ignored: u64) {
        self.counts.unchanged += unchanged;
        self.counts.ignored += ignored;
    }

    /// The plan, and the order of its operations.
    pub fn finish(self, guard: &Guard) -> (Plan, OperationOrder) {
        let Self {
            tenant,
            flow,
            purpose,
            owned,
            retry,
            counts,
            waves,
            mut hash,
            undecided,
            recent_leavers,
            added,
        } = self;
        let order = waves.finish();
        let mut verdict = guard.judge(&counts, owned);
        hash.json(&(&order.waves, &order.parks, &order.held_back));
        hash.json(&verdict);
        // The totals over time change by the hour while the world stands still; a plan that a person is reading must
        // not become another one because of that. A leaver in the meantime changes the ledger, and so the plan.
        guard.over_time(added, &recent_leavers, owned, &mut verdict);
        let hash = hash.finish();
        let plan = Plan {
            id: plan_id(&hash),
            tenant,
            flow,
            purpose,
            hash,
            operations: counts.operations(),
            first_wave: order.first_wave,
            last_wave: order.waves.iter().map(|(_, wave)| *wave).max().unwrap_or(0),
            counts,
            guard: verdict,
            owned,
            retry,
            undecided,
        };
        (plan, order)
    }
}

#[expect(clippy::expect_used, reason = "twelve hexadecimal digits after a letter are a valid id")]
fn plan_id(hash: &Digest) -> PlanId {
    format!("p{}", hash.short()).parse().expect("a plan id")
}
