//! The rules of one flow: the live ones, those the tenant's files offer, and the change from one to the other.

use super::comparison::Difference;
use super::error::ActivationError;
use super::flow_rules::FlowRules;
use super::trial::{StoredRecords, Trial};
use ruzhi_guest_runtime::{Guest, GuestLoadError};
use ruzhi_model::{ChangeLimit, Digest};
use ruzhi_store::{ActivationKind, ActivationRow, Artifacts, UseAttempt, UseState};
use ruzhi_sync::RunError;

/// Lost races against other activations before an error is returned.
const RACES: usize = 5;

/// The shortest prefix of a digest that names it.
const SHORTEST: usize = 4;

/// Activations searched for one to go back to.
const HISTORY: usize = 10_000;

/// The author of a change of rules, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAuthor {
    /// The person.
    pub who: String,
    /// The reason.
    pub why: Option<String>,
}

/// The rules a run has to use.
pub struct ActiveRules {
    /// The guest that decides.
    pub guest: Guest,
    /// Its activation.
    pub activation: ActivationRow,
    /// It went live just now, because the tenant's files hold something new.
    pub exchanged: bool,
    /// The reason the rules offered by the tenant's files are not live.
    pub kept: Option<ActivationError>,
}

/// The result of making rules live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationResult {
    /// The activation that is live now.
    pub activation: ActivationRow,
    /// The one before it.
    pub before: Option<ActivationRow>,
    /// The result of trying them.
    pub trial: Trial,
}

impl FlowRules<'_> {
    /// The rules a run has to use. If the tenant's files offer new ones, they are tried and made live; if that fails,
    /// the former ones are used, and the reason is returned.
    pub async fn live(
        &self,
        offered: Result<Artifacts, GuestLoadError>,
        by: &ChangeAuthor,
    ) -> Result<ActiveRules, ActivationError> {
        // A component has megabytes: it is hashed once.
        let names = offered.as_ref().ok().map(Artifacts::rules);
        for _ in 0..RACES {
            let Some(latest) = self.latest().await? else {
                let (Ok(offered), Some(names)) = (&offered, &names) else {
                    return Err(offered.err().map_or_else(|| self.nothing_live(), Into::into));
                };
                let guest = self.load(offered).await?;
                let kind = ActivationKind::First;
                let row = self.row(1, kind, &guest, offered, names, by, &Trial::default(), false);
                if self.store.activation_put(&row, offered).await? {
                    return Ok(ActiveRules { guest, activation: row, exchanged: false, kept: None });
                }
                continue;
            };
            let (Ok(offered), Some(names)) = (&offered, &names) else {
                let kept = offered.err().map(ActivationError::from);
                let guest = self.restored(&latest).await?;
                return Ok(ActiveRules { guest, activation: latest, exchanged: false, kept });
            };
            if *names == latest.offered {
                // Rules that were activated from elsewhere stay live until the files hold something new.
                let live = *names == latest.rules;
                let guest = if live { self.load(offered).await? } else { self.restored(&latest).await? };
                return Ok(ActiveRules { guest, activation: latest, exchanged: false, kept: None });
            }
            let limit = Some(self.limit).filter(|limit| limit.stated);
            match self
                .put_in_place(&latest, offered, names.clone(), ActivationKind::File, limit, by, |_| {})
                .await
            {
                Ok((guest, activated)) => {
                    return Ok(ActiveRules {
                        guest,
                        activation: activated.activation,
                        exchanged: true,
                        kept: None,
                    });
                }
                Err(ActivationError::Raced { .. }) => {}
                Err(ActivationError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let guest = self.restored(&latest).await?;
                    return Ok(ActiveRules {
                        guest,
                        activation: latest,
                        exchanged: false,
                        kept: Some(error),
                    });
                }
            }
        }
        Err(self.raced())
    }

    /// The latest activation.
    pub async fn latest(&self) -> Result<Option<ActivationRow>, ActivationError> {
        Ok(self.store.activations_list(self.tenant, self.flow, 1).await?.into_iter().next())
    }

    /// The bytes of the rules that are live.
    pub async fn live_artifacts(&self) -> Result<Option<Artifacts>, ActivationError> {
        match self.latest().await? {
            Some(latest) => Ok(Some(self.store.artifacts_find(&latest.component, &latest.config).await?)),
            None => Ok(None),
        }
    }

    /// Tries rules beside the live ones and returns the changes they would make.
    pub async fn try_out(
        &self,
        new: &Artifacts,
        sample: Option<u64>,
        found: impl FnMut(Difference),
    ) -> Result<Trial, ActivationError> {
        let latest = self.latest().await?.ok_or_else(|| self.nothing_live())?;
        self.compared(&latest, new, sample, found).await.map(|(_, trial)| trial)
    }

    /// Checks rules, tries them and makes them live. `offered` names the contents of the tenant's files.
    pub async fn activate(
        &self,
        new: &Artifacts,
        offered: Digest,
        by: &ChangeAuthor,
        approved: bool,
        found: impl FnMut(Difference),
    ) -> Result<ActivationResult, ActivationError> {
        let limit = Some(self.limit).filter(|_| !approved);
        let kind = ActivationKind::Activate;
        let Some(latest) = self.latest().await? else {
            let guest = self.load(new).await?;
            let row = self.row(1, kind, &guest, new, &offered, by, &Trial::default(), false);
            let first = self.store.activation_put(&row, new).await?;
            return if first {
                Ok(ActivationResult { activation: row, before: None, trial: Trial::default() })
            } else {
                Err(self.raced())
            };
        };
        self.put_in_place(&latest, new, offered, kind, limit, by, found).await.map(|(_, activated)| activated)
    }

    /// Makes earlier rules live again: those of a digest, a part of one, or a number; without a name those before the
    /// present ones. A person who goes back has a reason, so no change limit applies.
    pub async fn rollback(
        &self,
        to: Option<&str>,
        offered: Digest,
        by: &ChangeAuthor,
        found: impl FnMut(Difference),
    ) -> Result<ActivationResult, ActivationError> {
        let history = self.store.activations_list(self.tenant, self.flow, HISTORY).await?;
        let Some(latest) = history.first() else { return Err(self.nothing_live()) };
        let target = match to {
            None => before(&history).ok_or_else(|| ActivationError::NothingBefore {
                tenant: self.tenant.clone(),
                flow: self.flow.clone(),
            })?,
            Some(name) => self.named(&history, name)?,
        };
        if target.rules == latest.rules {
            let (tenant, flow) = (self.tenant.clone(), self.flow.clone());
            return Err(ActivationError::AlreadyLive { tenant, flow });
        }
        let artifacts = self.store.artifacts_find(&target.component, &target.config).await?;
        let kind = ActivationKind::Rollback;
        let (guest, trial) = match self.compared(latest, &artifacts, None, found).await {
            Ok(tried) => tried,
            // The live rules may be the very reason for going back.
            Err(ActivationError::Load(_)) => (self.load(&artifacts).await?, Trial::default()),
            Err(error) => return Err(error),
        };
        let row = self.row(latest.number + 1, kind, &guest, &artifacts, &offered, by, &trial, false);
        if !self.store.activation_put(&row, &artifacts).await? {
            return Err(self.raced());
        }
        Ok(ActivationResult { activation: row, before: Some(latest.clone()), trial })
    }

    /// Rules that were live once: those of a digest, a part of one, or a number.
    pub async fn earlier(&self, name: &str) -> Result<ActivationRow, ActivationError> {
        let history = self.store.activations_list(self.tenant, self.flow, HISTORY).await?;
        self.named(&history, name).cloned()
    }

    /// The guest that was live with this activation.
    pub async fn restored(&self, activation: &ActivationRow) -> Result<Guest, ActivationError> {
        let artifacts = self.store.artifacts_find(&activation.component, &activation.config).await?;
        self.load(&artifacts).await
    }

    fn named<'h>(
        &self,
        history: &'h [ActivationRow],
        name: &str,
    ) -> Result<&'h ActivationRow, ActivationError> {
        let wanted = name.to_ascii_lowercase();
        let short = wanted.len() < SHORTEST;
        let number = match name.strip_prefix('#') {
            Some(number) => number.parse::<u64>().ok(),
            None if short => name.parse().ok(),
            None => None,
        };
        let digest = |digest: &Digest| !short && digest.as_str().starts_with(&wanted);
        let by_rules = |row: &ActivationRow| Some(row.number) == number || digest(&row.rules);
        if let Some(first) = history.iter().find(|row| by_rules(row)) {
            let another = history.iter().any(|row| by_rules(row) && row.rules != first.rules);
            return if another { Err(self.ambiguous(name)) } else { Ok(first) };
        }
        // If one component had several rules files, the newest is meant.
        if let Some(first) = history.iter().find(|row| digest(&row.component)) {
            let another =
                history.iter().any(|row| digest(&row.component) && row.component != first.component);
            return if another { Err(self.ambiguous(name)) } else { Ok(first) };
        }
        // The text is too short to be taken for a digest, however many begin with it.
        let begins = |row: &ActivationRow| {
            row.rules.as_str().starts_with(&wanted) || row.component.as_str().starts_with(&wanted)
        };
        if short && number.is_none() && history.iter().any(begins) {
            return Err(self.ambiguous(name));
        }
        let (tenant, flow) = (self.tenant.clone(), self.flow.clone());
        Err(ActivationError::Unknown { tenant, flow, name: name.to_owned() })
    }

    fn ambiguous(&self, name: &str) -> ActivationError {
        let (tenant, flow) = (self.tenant.clone(), self.flow.clone());
        ActivationError::Ambiguous { tenant, flow, name: name.to_owned() }
    }

    /// Loads rules and tries them beside the live ones.
    async fn compared(
        &self,
        latest: &ActivationRow,
        new: &Artifacts,
        sample: Option<u64>,
        found: impl FnMut(Difference),
    ) -> Result<(Guest, Trial), ActivationError> {
        let guest = self.load(new).await?;
        let live = self.restored(latest).await?;
        let rules = guest.rules().clone();
        let unused = self.is_unused(&rules).await?;
        let _surviving = match unused {
            true => Some(UseAttempt::begin(self.store, &self.first_use(&rules, UseState::Trying)).await?),
            false => None,
        };
        let compared = self.records().compare(&live, &guest, &self.context(), sample, found).await;
        if unused {
            let decided = compared.as_ref().is_ok_and(|trial| trial.compared > 0);
            self.note(&rules, if decided { UseState::Used } else { UseState::Loaded }).await?;
        }
        Ok((guest, compared?))
    }

    #[expect(clippy::too_many_arguments, reason = "what an activation is made of")]
    async fn put_in_place(
        &self,
        latest: &ActivationRow,
        new: &Artifacts,
        offered: Digest,
        kind: ActivationKind,
        limit: Option<ChangeLimit>,
        by: &ChangeAuthor,
        found: impl FnMut(Difference),
    ) -> Result<(Guest, ActivationResult), ActivationError> {
        let (guest, trial) = self.compared(latest, new, None, found).await?;
        if let Some(reason) = &trial.failure {
            return Err(ActivationError::Fails {
                records: trial.failed,
                compared: trial.compared,
                reason: reason.clone(),
            });
        }
        if let Some(limit) = limit.filter(|limit| !limit.allows(trial.changed, trial.compared)) {
            return Err(ActivationError::TooMuch {
                changed: trial.changed,
                compared: trial.compared,
                limit,
                unread: trial.unread,
            });
        }
        if let Some(form) = self.form.filter(|_| !trial.unread.is_empty()) {
            // A run would end at a field that the form does not have, with these rules and with nothing done.
            let missing = form
                .missing(guest.description())
                .await
                .map_err(|error| ActivationError::Form(Box::new(error)))?;
            if !missing.is_empty() {
                let error = RunError::FieldsMissing { missing };
                return Err(ActivationError::Form(Box::new(error)));
            }
        }
        let approved = kind == ActivationKind::Activate && !self.limit.allows(trial.changed, trial.compared);
        let row = self.row(latest.number + 1, kind, &guest, new, &offered, by, &trial, approved);
        if !self.store.activation_put(&row, new).await? {
            return Err(self.raced());
        }
        Ok((guest, ActivationResult { activation: row, before: Some(latest.clone()), trial }))
    }

    #[expect(clippy::too_many_arguments, reason = "what an activation is made of")]
    fn row(
        &self,
        number: u64,
        kind: ActivationKind,
        guest: &Guest,
        artifacts: &Artifacts,
        offered: &Digest,
        by: &ChangeAuthor,
        trial: &Trial,
        approved: bool,
    ) -> ActivationRow {
        ActivationRow {
            tenant: self.tenant.clone(),
            flow: self.flow.clone(),
            number,
            at: self.clock.now(),
            who: by.who.clone(),
            why: by.why.clone(),
            kind,
            name: guest.description().name.clone(),
            version: guest.description().version.clone(),
            component: guest.component().inspection().digest.clone(),
            config: Digest::of(&artifacts.config),
            rules: guest.rules().clone(),
            offered: offered.clone(),
            compared: trial.compared,
            changed: trial.changed,
            approved,
        }
    }

    async fn load(&self, artifacts: &Artifacts) -> Result<Guest, ActivationError> {
        if let Some(pinned) = self.pin {
            let found = Digest::of(&artifacts.component);
            if *pinned != found {
                return Err(ActivationError::Pinned { pinned: pinned.clone(), found });
            }
        }
        self.load_whatever_is_pinned(artifacts).await
    }

    pub(super) async fn load_whatever_is_pinned(
        &self,
        artifacts: &Artifacts,
    ) -> Result<Guest, ActivationError> {
        self.admit(artifacts, &artifacts.rules()).await
    }

    fn records(&self) -> StoredRecords<'_> {
        StoredRecords { store: self.store, tenant: self.tenant, flow: self.flow }
    }

    fn nothing_live(&self) -> ActivationError {
        ActivationError::NothingLive { tenant: self.tenant.clone(), flow: self.flow.clone() }
    }

    fn raced(&self) -> ActivationError {
        ActivationError::Raced { tenant: self.tenant.clone(), flow: self.flow.clone() }
    }
}

/// The rules live before the present ones. Going back is not a step forward: after it, that means the rules live before
/// those gone back to. `history` has the newest first.
fn before(history: &[ActivationRow]) -> Option<&ActivationRow> {
    let mut path: Vec<&ActivationRow> = Vec::new();
    for row in history.iter().rev() {
        let back = path.iter().rposition(|earlier| earlier.rules == row.rules);
        match (row.kind, back) {
            (ActivationKind::Rollback, Some(place)) => path.truncate(place + 1),
            _ if path.last().is_some_and(|last| last.rules == row.rules) => {}
            _ => path.push(row),
        }
    }
    path.iter().rev().nth(1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history of rules by one letter each, oldest first; a small letter was gone back to.
    fn gone_back_to(history: &str) -> Option<char> {
        let mut rows: Vec<ActivationRow> = (1..)
            .zip(history.chars())
            .map(|(number, rules)| {
                let digest = Digest::of(rules.to_uppercase().to_string());
                ActivationRow {
                    tenant: "north".parse().unwrap(),
                    flow: "onboarding".parse().unwrap(),
                    number,
                    at: chrono::DateTime::UNIX_EPOCH,
                    who: String::new(),
                    why: None,
                    kind: match (number, rules.is_lowercase()) {
                        (_, true) => ActivationKind::Rollback,
                        (1, _) => ActivationKind::First,
                        _ => ActivationKind::File,
                    },
                    name: rules.to_uppercase().to_string(),
                    version: String::new(),
                    component: digest.clone(),
                    config: digest.clone(),
                    rules: digest.clone(),
                    offered: digest,
                    compared: 0,
                    changed: 0,
                    approved: false,
                }
            })
            .collect();
        rows.reverse();
        before(&rows).and_then(|row| row.name.chars().next())
    }

    #[test]
    fn each_way_back_goes_on_to_the_one_before() {
        for (history, to) in [
            ("A", None),
            ("AB", Some('A')),
            ("ABC", Some('B')),
            ("ABCb", Some('A')),
            ("ABCba", None),
            ("ABCDcb", Some('A')),
            ("ABCbD", Some('B')),
            ("ABCbDb", Some('A')),
            ("ABA", Some('B')),
            ("ABAb", Some('A')),
            ("ABCa", None),
            ("ABCaD", Some('A')),
            ("AABB", Some('A')),
        ] {
            assert_eq!(gone_back_to(history), to, "{history}");
        }
    }
}
