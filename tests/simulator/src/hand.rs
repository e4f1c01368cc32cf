//! Actions of people in the consoles of the two services, and of programs through the API, with the notifications that
//! follow.

use serde_json::{Map, Value};

use crate::load::{LoadError, RowChange};
use crate::outbox::{MemberEvent, RowEvent};
use crate::wecom::CorpError;
use crate::world::World;

impl World {
    /// A person fills in, changes and deletes rows of a form; returns the ids of the rows written.
    pub(crate) fn change_rows(&mut self, change: RowChange) -> Result<Vec<String>, LoadError> {
        let now_ms = self.clock.now_ms();
        let RowChange { app_id, entry_id, upsert, delete } = change;
        let Some(form) = self.jiandaoyun.form_mut(&app_id, &entry_id) else {
            return Err(LoadError::Form { app_id, entry_id });
        };
        let mut written = Vec::with_capacity(upsert.len());
        let mut events = Vec::new();
        for row in upsert {
            let known = row.get("_id").and_then(Value::as_str).is_some_and(|id| form.fields(id).is_some());
            let id = form.upsert(row, now_ms)?;
            let whole = form.fields(&id).cloned().unwrap_or_default();
            events.push(RowEvent::written(&id, !known, whole, form.name(), now_ms));
            written.push(id);
        }
        for id in delete {
            if form.delete(&id) {
                events.push(RowEvent::removed(&id, &app_id, &entry_id, form.name(), now_ms));
            }
        }
        form.touch(now_ms);
        self.outbox.pushed(&app_id, &entry_id, events);
        Ok(written)
    }

    /// A program has written a row through the API. The service does not push that; the outbox may be told to.
    pub(crate) fn written_by_api(&mut self, app_id: &str, entry_id: &str, id: &str) {
        if !self.outbox.knobs.for_api_writes {
            return;
        }
        let now_ms = self.clock.now_ms();
        let Some(form) = self.jiandaoyun.form_mut(app_id, entry_id) else { return };
        let Some(row) = form.fields(id).cloned() else { return };
        let event = RowEvent::written(id, false, row, form.name(), now_ms);
        self.outbox.pushed(app_id, entry_id, vec![event]);
    }

    /// A person deletes a member.
    pub(crate) fn delete_by_hand(&mut self, corp_id: &str, userid: &str) -> Result<(), CorpError> {
        self.wecom.delete_by_hand(corp_id, userid)?;
        self.outbox.called_back(corp_id, MemberEvent::deleted(userid), self.clock.now_ms());
        Ok(())
    }

    /// A person changes a member; the fields are those of user/update.
    pub(crate) fn change_by_hand(
        &mut self,
        corp_id: &str,
        fields: Map<String, Value>,
    ) -> Result<(), CorpError> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
        let (old, new) = (text("userid").unwrap_or_default(), text("new_userid"));
        let before = self.wecom.member(corp_id, &old).cloned();
        self.wecom.change_by_hand(corp_id, fields, &self.knobs)?;
        let after = new.and_then(|new| self.wecom.member(corp_id, &new));
        let after = after.or_else(|| self.wecom.member(corp_id, &old));
        if let (Some(before), Some(after)) = (before, after) {
            let event = MemberEvent::updated(&before, after);
            self.outbox.called_back(corp_id, event, self.clock.now_ms());
        }
        Ok(())
    }

    /// A person adds a member; the fields are those of user/create.
    pub(crate) fn add_by_hand(&mut self, corp_id: &str, fields: Map<String, Value>) -> Result<(), CorpError> {
        let userid = fields.get("userid").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        self.wecom.add_by_hand(corp_id, fields, &self.knobs)?;
        if let Some(member) = self.wecom.member(corp_id, &userid) {
            let event = MemberEvent::created(member);
            self.outbox.called_back(corp_id, event, self.clock.now_ms());
        }
        Ok(())
    }
}
