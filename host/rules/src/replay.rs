//! A past decision, made again.

use serde::Serialize;

use super::comparison::{Basis, Difference};
use super::error::ActivationError;
use super::flow_rules::FlowRules;
use ruzhi_model::{Digest, Outcome, SourceRecord};
use ruzhi_store::RecordTrace;

/// The result of deciding a stored record again, with the rules and the moment of the original decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replay {
    /// The rules that decided.
    pub rules: Digest,
    /// The decision and the remarks are the same; none if there was no decision because its batch failed, possibly
    /// through another record.
    pub same: Option<bool>,
    /// The difference between the decisions.
    pub difference: Option<Difference>,
    /// The remarks made now, if they differ.
    pub notes: Option<Vec<String>>,
}

impl FlowRules<'_> {
    /// Decides a stored record again. The rules come from the flow's history, regardless of the live ones.
    pub async fn replay(&self, trace: &RecordTrace) -> Result<Replay, ActivationError> {
        let unknown = || ActivationError::Unknown {
            tenant: self.tenant.clone(),
            flow: self.flow.clone(),
            name: trace.rules.to_string(),
        };
        let Some(context) = trace.context.clone() else {
            return Err(ActivationError::NotKept { record: trace.record.clone() });
        };
        let activation = self.store.activation_find(self.tenant, self.flow, &trace.rules).await?;
        let artifacts = match activation {
            Some(row) => self.store.artifacts_find(&row.component, &row.config).await?,
            None => return Err(unknown()),
        };
        let guest = self.load_whatever_is_pinned(&artifacts).await?;
        let record = SourceRecord { id: trace.record.as_str().to_owned(), json: trace.content.clone() };
        let slot = guest.component().engine().slot().await;
        let answer = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            guest.decide(&context, &[record])
        });
        let answer = answer.await.map_err(|error| ActivationError::Worker { reason: error.to_string() })?;
        let now = match answer {
            Ok(outcomes) => outcomes.into_iter().next().ok_or_else(|| "no outcome".to_owned()),
            Err(error) => Err(format!("{}: {error}", error.code())),
        };
        let then = match (&trace.decision, &trace.failure) {
            (Some(decision), _) => {
                Ok(Outcome { notes: trace.notes.clone(), ..Outcome::new(decision.clone()) })
            }
            (None, failure) => Err(failure.clone().unwrap_or_default()),
        };
        let difference = Difference::between(
            trace.record.as_str(),
            then.as_ref().map_err(String::as_str),
            now.as_ref().map_err(String::as_str),
            Basis::Decisions,
        );
        let notes = now.ok().map(|outcome| outcome.notes).filter(|notes| *notes != trace.notes);
        Ok(Replay {
            rules: trace.rules.clone(),
            same: trace.decision.as_ref().map(|_| difference.is_none() && notes.is_none()),
            difference,
            notes,
        })
    }
}
