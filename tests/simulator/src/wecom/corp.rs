//! A corp: its secrets, its tree, its members with the indexes that keep them unique, and the writes so far.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use serde_json::{Value, json};

use super::api::{Api, CredentialKind};
use super::batch::{Jobs, Media};
use super::body::Body;
use super::department::Department;
use super::field::normal_mobile;
use super::listing::Listing;
use super::member::Member;
use super::patch::Patch;
use crate::load::{CorpLoad, CredentialLoad, DepartmentLoad, LoadError};
use crate::settings::Knobs;
use crate::window::Rate;

/// Reason for a failed control operation on a corp.
#[derive(Debug, thiserror::Error)]
pub enum CorpError {
    /// No such corp.
    #[error("no corp {0:?} is loaded")]
    Corp(String),
    /// No such member.
    #[error("the corp has no member {0:?}")]
    Member(String),
    /// The manual action is not allowed.
    #[error("{errcode} {errmsg}")]
    Refused {
        /// WeCom's code.
        errcode: i32,
        /// WeCom's text.
        errmsg: String,
    },
}

#[derive(Debug, Default)]
pub(super) struct Corp {
    pub(super) id: String,
    credentials: Vec<CredentialLoad>,
    pub(super) departments: BTreeMap<u32, Department>,
    /// Departments created for a member's unknown id.
    pub(super) auto_departments: Vec<u32>,
    /// By userid in lower case.
    pub(super) members: BTreeMap<String, Member>,
    pub(super) owners: Owners,
    pub(super) listing: Listing,
    pub(super) creator: Option<String>,
    pub(super) attributes: Vec<String>,
    pub(super) traffic: HashMap<Api, Traffic>,
    pub(super) jobs: Jobs,
    pub(super) media: Media,
    /// Number of creations, invitations and deletions of each userid (lower case).
    pub(super) created: BTreeMap<String, u64>,
    pub(super) invitations: BTreeMap<String, u64>,
    pub(super) deleted: BTreeMap<String, u64>,
    /// Number of deletions made by hand.
    pub(super) removed: BTreeMap<String, u64>,
    /// Writes that took effect, by API.
    pub(super) writes: BTreeMap<&'static str, u64>,
}

/// Holders of values that only one member may have; the map's values are userids in lower case.
#[derive(Debug, Default)]
pub(super) struct Owners {
    pub(super) mobiles: HashMap<String, String>,
    pub(super) emails: HashMap<String, String>,
    pub(super) biz_mails: HashMap<String, String>,
}

#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) rate: Rate,
    pub(super) in_flight: Arc<AtomicU32>,
}

impl Corp {
    pub(super) fn new(load: CorpLoad, knobs: &Knobs) -> Result<Self, LoadError> {
        let mut credentials = vec![CredentialLoad { secret: load.secret, kind: load.kind }];
        credentials.extend(load.credentials);
        let mut corp = Self {
            id: load.corp_id,
            credentials,
            creator: load.creator,
            attributes: load.attributes,
            departments: BTreeMap::from([(1, Department::root())]),
            ..Self::default()
        };
        for department in load.departments {
            let DepartmentLoad { id, name, parentid, order } = department;
            let parentid = if id == 1 { 0 } else { parentid };
            corp.departments.insert(id, Department { name, name_en: String::new(), parentid, order });
        }
        for mut fields in load.members {
            let status = fields.remove("status").and_then(|status| status.as_u64());
            let system_generated = fields.remove("system_generated") == Some(Value::Bool(true));
            let mut body = Body::of(fields);
            let userid = match body.text("userid") {
                Some(userid) => userid,
                None => return Err(corp.bad_member("", 41009, "missing userid")),
            };
            let patch = Patch::take(&mut body);
            if let Err(refusal) = corp.create_member(&userid, patch, knobs, 0) {
                return Err(corp.bad_member(&userid, refusal.code, &refusal.text));
            }
            if let Some(member) = corp.members.get_mut(&userid.to_ascii_lowercase()) {
                member.activated = status == Some(1);
                member.left = status == Some(5);
                member.system_generated = system_generated;
            }
        }
        // Loaded members existed before: they count as neither created nor invited.
        corp.created.clear();
        corp.invitations.clear();
        Ok(corp)
    }

    fn bad_member(&self, userid: &str, errcode: i32, errmsg: &str) -> LoadError {
        LoadError::Member {
            corp_id: self.id.clone(),
            userid: userid.to_owned(),
            errcode,
            errmsg: errmsg.to_owned(),
        }
    }

    /// The place and kind of a secret of this corp.
    pub(super) fn credential(&self, secret: &str) -> Option<(usize, CredentialKind)> {
        let place = self.credentials.iter().position(|credential| credential.secret == secret)?;
        self.credentials.get(place).map(|credential| (place, credential.kind))
    }

    pub(super) fn member_mut(&mut self, userid: &str) -> Result<&mut Member, CorpError> {
        let unknown = || CorpError::Member(userid.to_owned());
        self.members.get_mut(&userid.to_ascii_lowercase()).ok_or_else(unknown)
    }

    pub(super) fn delete_by_hand(&mut self, userid: &str) -> Result<(), CorpError> {
        let key = userid.to_ascii_lowercase();
        let member = self.members.remove(&key).ok_or_else(|| CorpError::Member(userid.to_owned()))?;
        self.disown(&member);
        *self.deleted.entry(key.clone()).or_default() += 1;
        *self.removed.entry(key).or_default() += 1;
        Ok(())
    }

    pub(super) fn change_by_hand(
        &mut self,
        fields: serde_json::Map<String, Value>,
        knobs: &Knobs,
    ) -> Result<(), CorpError> {
        let (userid, patch) = Patch::with_userid(fields);
        self.update_member(&userid, None, patch, knobs).map(drop).map_err(by_hand)
    }

    pub(super) fn add_by_hand(
        &mut self,
        fields: serde_json::Map<String, Value>,
        knobs: &Knobs,
    ) -> Result<(), CorpError> {
        let (userid, patch) = Patch::with_userid(fields);
        self.create_member(&userid, patch, knobs, 0).map_err(by_hand)?;
        // Not by a call: it counts neither as created nor as invited.
        if let Some(times) = self.created.get_mut(&userid.to_ascii_lowercase()) {
            *times -= 1;
        }
        Ok(())
    }

    /// Number of the account's places that are taken.
    pub(super) fn places_taken(&self, knobs: &Knobs) -> usize {
        match knobs.disabled_take_places {
            true => self.members.len(),
            false => self.members.values().filter(|member| member.enabled).count(),
        }
    }

    /// Adds the member's values to the indexes.
    pub(super) fn own(&mut self, member: &Member) {
        let key = member.key();
        if !member.mobile.is_empty() {
            self.owners.mobiles.insert(normal_mobile(&member.mobile), key.clone());
        }
        if !member.email.is_empty() {
            self.owners.emails.insert(member.email.to_ascii_lowercase(), key.clone());
        }
        if !member.biz_mail.is_empty() {
            self.owners.biz_mails.insert(member.biz_mail.to_ascii_lowercase(), key);
        }
    }

    /// Removes the member's values from the indexes.
    pub(super) fn disown(&mut self, member: &Member) {
        self.owners.mobiles.remove(&normal_mobile(&member.mobile));
        self.owners.emails.remove(&member.email.to_ascii_lowercase());
        self.owners.biz_mails.remove(&member.biz_mail.to_ascii_lowercase());
    }

    pub(super) fn invite(&mut self, key: &str) {
        *self.invitations.entry(key.to_owned()).or_default() += 1;
    }

    pub(super) fn state(&self) -> Value {
        let departments: Vec<Value> =
            self.departments.iter().map(|(id, department)| department.to_json(*id)).collect();
        json!({
            "members": self.members.values().map(Member::to_json).collect::<Vec<_>>(),
            "departments": departments,
            "auto_departments": self.auto_departments,
            "created": self.created,
            "invitations": self.invitations,
            "deleted": self.deleted,
            "removed": self.removed,
            "writes": self.writes,
        })
    }
}

fn by_hand(refusal: super::verdict::Refusal) -> CorpError {
    CorpError::Refused { errcode: refusal.code, errmsg: refusal.text.into_owned() }
}
