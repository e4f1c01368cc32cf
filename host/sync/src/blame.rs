//! Rejections whose blame has to be found out, and operations that wait for a place: the run's reaction to the state of
//! its [`WriteGate`](super::gate::WriteGate).

use super::applier::{PlanApplier, lock, take};
use super::error::RunError;
use super::gate::Attribution;
use super::pending_call::PendingCall;
use ruzhi_store::Settlement;
use ruzhi_wecom::{WriteAnswer, WriteVerdict};

impl PlanApplier<'_> {
    /// Interprets an answer: a settlement, or nothing yet.
    pub(super) async fn settled(&self, due: PendingCall, answer: WriteAnswer) -> Option<Settlement> {
        self.gate.learn(due.operation.kind, &answer.verdict);
        let (due, answer) = self.blamed(due, answer).await?;
        self.told(due, answer).await
    }

    /// Finds out if a rejection is the member's or the tenant's; none while that is unknown.
    async fn blamed(&self, due: PendingCall, answer: WriteAnswer) -> Option<(PendingCall, WriteAnswer)> {
        let (flow, operation) = (self.flow, &due.operation);
        let WriteVerdict::Unsure { errcode, error } = &answer.verdict else { return Some((due, answer)) };
        // The history is read only while it matters. If the store cannot tell, the record was not rejected before.
        let known = !self.gate.in_order()
            && flow
                .store
                .operation_exists_rejected(&flow.tenant, &flow.id, &operation.record, *errcode)
                .await
                .unwrap_or_default();
        let ask = async || flow.directory.ask().await;
        match self.gate.whose(operation.userid.key(), known, error, ask).await {
            Attribution::Member => Some((due, answer)),
            Attribution::Tenant(error) => {
                flow.directory.stop(&error);
                Some((due, WriteAnswer { verdict: WriteVerdict::Stopped(error), ..answer }))
            }
            Attribution::Open => {
                lock(&self.open).push((due, answer));
                None
            }
        }
    }

    /// Settles the open rejections: either the reason is known now, or the run is over and had too few members for it
    /// to be the tenant's.
    pub(super) async fn close_open(&self) -> Result<(), RunError> {
        let open = take(&self.open);
        let mut settlements = Vec::with_capacity(open.len());
        for (due, mut answer) in open {
            let stopped = lock(&self.applied).stopped.clone();
            if let Some(error) = stopped {
                answer.verdict = WriteVerdict::Stopped(error);
            } else if self.flow.quit.is_cancelled() && !self.gate.in_order() {
                answer.verdict = WriteVerdict::Quit;
            }
            settlements.extend(self.told(due, answer).await);
        }
        self.keep(settlements).await
    }
}
