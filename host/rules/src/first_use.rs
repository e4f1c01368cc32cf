//! The first use of rules, noted before it begins: if this process dies of it, the next one knows the cause, and does
//! not try these rules again by itself.
//!
//! Compiling a component and asking it for the first time happens in a process of its own
//! ([`Rehearsal`](ruzhi_guest_runtime::Rehearsal)), so this covers the failures that one survives. The note is about
//! rules, a component with its rules file: rules of one flow that are set aside keep no other flow from the same
//! component.

use chrono::SecondsFormat;

use super::error::ActivationError;
use super::flow_rules::FlowRules;
use ruzhi_guest_runtime::{Guest, GuestLoadError, RehearsalRules};
use ruzhi_model::{Digest, SourceRecord};
use ruzhi_store::{Artifacts, FirstUse, UseAttempt, UseState};

/// Rows that new rules decide in a process of their own before they decide any here.
const REHEARSED: usize = 1_000;

impl FlowRules<'_> {
    /// The guest of some rules. Rules that were never used are tried in a process of their own, and noted meanwhile.
    pub(super) async fn admit(
        &self,
        artifacts: &Artifacts,
        rules: &Digest,
    ) -> Result<Guest, ActivationError> {
        let known = self.store.first_use_find(rules).await?;
        match &known {
            Some(FirstUse { state: UseState::Used | UseState::Loaded, .. }) => {
                return self.load_here(artifacts).await;
            }
            Some(FirstUse { state: UseState::Quarantined, at, .. }) => {
                return Err(quarantined(at));
            }
            Some(FirstUse { state: UseState::Trying, process, at, .. }) if *process != this_process() => {
                if is_running(process) {
                    return Err(GuestLoadError::TriedElsewhere.into());
                }
                tracing::error!(
                    tenant.id = self.tenant.as_str(),
                    flow.id = self.flow.as_str(),
                    rules = rules.as_str(),
                    "ruzhi ended by itself while it first used these rules: they are set aside"
                );
                self.note(rules, UseState::Quarantined).await?;
                return Err(quarantined(at));
            }
            _ => {}
        }
        let records = self.store.records_list(self.tenant, self.flow, None, REHEARSED).await?;
        self.rehearse(artifacts, records).await?;
        let _surviving = UseAttempt::begin(self.store, &self.first_use(rules, UseState::Trying)).await?;
        let loaded = self.load_here(artifacts).await;
        match &loaded {
            Ok(_) => self.note(rules, UseState::Loaded).await?,
            // Rules that fail to load are known now, and do no harm the next time either.
            Err(_) => drop(self.store.first_use_delete(rules).await?),
        }
        loaded
    }

    async fn rehearse(
        &self,
        artifacts: &Artifacts,
        records: Vec<SourceRecord>,
    ) -> Result<(), ActivationError> {
        let (registry, artifacts) = (self.registry.clone(), artifacts.clone());
        let rules = RehearsalRules { text: artifacts.config, context: self.context(), records };
        away(move || registry.rehearse(&artifacts.component, rules)).await
    }

    async fn load_here(&self, artifacts: &Artifacts) -> Result<Guest, ActivationError> {
        let (registry, artifacts) = (self.registry.clone(), artifacts.clone());
        away(move || Guest::new(registry.load_bytes(&artifacts.component)?, artifacts.config)).await
    }

    /// True if rules that load have never decided a row.
    pub(super) async fn is_unused(&self, rules: &Digest) -> Result<bool, ActivationError> {
        let known = self.store.first_use_find(rules).await?;
        Ok(known.is_some_and(|first_use| first_use.state == UseState::Loaded))
    }

    pub(super) fn first_use(&self, rules: &Digest, state: UseState) -> FirstUse {
        FirstUse {
            rules: rules.clone(),
            tenant: self.tenant.clone(),
            flow: self.flow.clone(),
            state,
            process: this_process(),
            at: self.clock.now(),
        }
    }

    pub(super) async fn note(&self, rules: &Digest, state: UseState) -> Result<(), ActivationError> {
        Ok(self.store.first_use_put(&self.first_use(rules, state)).await?)
    }
}

/// Runs outside the runtime's workers, since compiling takes long.
async fn away<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GuestLoadError> + Send + 'static,
) -> Result<T, ActivationError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| ActivationError::Worker { reason: error.to_string() })??)
}

fn quarantined(at: &chrono::DateTime<chrono::Utc>) -> ActivationError {
    GuestLoadError::Quarantined { at: at.to_rfc3339_opts(SecondsFormat::Secs, true) }.into()
}

/// A unique name of this process, never used by a later one: its id and its start.
pub fn this_process() -> String {
    let id = std::process::id();
    name_of(id)
}

fn name_of(id: u32) -> String {
    // The start is the twentieth field after the name, which is in parentheses and may contain anything.
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    format!("{id}-{}", fields.split_whitespace().nth(19).unwrap_or("0"))
}

fn is_running(process: &str) -> bool {
    let id = process.split_once('-').and_then(|(id, _)| id.parse().ok());
    id.is_some_and(|id: u32| {
        std::path::Path::new("/proc").join(id.to_string()).exists() && name_of(id) == process
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_id_and_the_moment_it_began() {
        let own = this_process();
        assert!(is_running(&own), "{own}");
        let (id, _) = own.split_once('-').unwrap();
        assert!(!is_running(&format!("{id}-1")), "another process had the id");
        assert!(!is_running("4194305-1"));
        assert!(!is_running(""));
    }
}
