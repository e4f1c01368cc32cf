//! A member and its states: created (4), active once it has logged in (1), disabled (2), left (5).

use serde_json::{Value, json};

/// A person in a corp's directory.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// In the casing it was created with.
    pub userid: String,
    /// Name.
    pub name: String,
    /// Alias.
    pub alias: String,
    /// As it was written.
    pub mobile: String,
    /// As it was written.
    pub email: String,
    /// Departments in the order given.
    pub department: Vec<u32>,
    /// One for each department.
    pub order: Vec<u32>,
    /// One for each department, 0 or 1.
    pub is_leader_in_dept: Vec<u8>,
    /// Userids.
    pub direct_leader: Vec<String>,
    /// Job title.
    pub position: String,
    /// `0`, `1` or `2`.
    pub gender: String,
    /// Enterprise mail.
    pub biz_mail: String,
    /// Landline.
    pub telephone: String,
    /// Address.
    pub address: String,
    /// Image of the avatar.
    pub avatar_mediaid: String,
    /// The department shown first.
    pub main_department: u32,
    /// Job title shown outside.
    pub external_position: String,
    /// Channel name.
    pub nickname: String,
    /// Extension attributes that exist in the corp.
    pub extattr: Value,
    /// The external profile.
    pub external_profile: Value,
    /// True if the account is enabled.
    pub enabled: bool,
    /// True if the person has logged in.
    pub activated: bool,
    /// True if the person has left the corp.
    pub left: bool,
    /// True if WeCom made the userid, so that it may be changed once.
    pub system_generated: bool,
}

impl Member {
    /// The userid as uniqueness and lookup see it.
    pub(super) fn key(&self) -> String {
        self.userid.to_ascii_lowercase()
    }

    /// 1 active, 2 disabled, 4 not activated, 5 left.
    pub fn status(&self) -> u8 {
        match (self.left, self.enabled, self.activated) {
            (true, _, _) => 5,
            (false, false, _) => 2,
            (false, true, true) => 1,
            (false, true, false) => 4,
        }
    }

    pub(super) fn activate(&mut self) {
        self.activated = true;
    }

    pub(super) fn quit(&mut self) {
        self.left = true;
    }

    pub(super) fn userid_and_name(&self) -> Value {
        json!({ "userid": self.userid, "name": self.name, "department": self.department })
    }

    /// The view of an app made after 2022-06-20: no mobile, e-mail, gender or avatar.
    pub(super) fn seen_by_app(&self) -> Value {
        json!({
            "userid": self.userid,
            "name": self.name,
            "department": self.department,
            "position": self.position,
            "status": self.status(),
            "isleader": u8::from(self.is_leader_in_dept.contains(&1)),
            "extattr": self.attributes(),
            "telephone": self.telephone,
            "enable": u8::from(self.enabled),
            "hide_mobile": 0,
            "order": self.order,
            "main_department": self.main_department,
            "alias": self.alias,
            "is_leader_in_dept": self.is_leader_in_dept,
            "direct_leader": self.direct_leader,
        })
    }

    /// All fields.
    pub(super) fn to_json(&self) -> Value {
        let mut all = self.seen_by_app();
        let more = json!({
            "mobile": self.mobile,
            "email": self.email,
            "gender": if self.gender.is_empty() { "0" } else { &self.gender },
            "biz_mail": self.biz_mail,
            "address": self.address,
            "avatar": self.avatar_mediaid,
            "thumb_avatar": self.avatar_mediaid,
            "external_position": self.external_position,
            "nickname": self.nickname,
            "external_profile": if self.external_profile.is_null() { json!({}) } else { self.external_profile.clone() },
            "english_name": "",
            "qr_code": "",
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
        all
    }

    fn attributes(&self) -> Value {
        if self.extattr.is_null() { json!({ "attrs": [] }) } else { self.extattr.clone() }
    }
}
