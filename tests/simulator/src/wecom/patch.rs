//! The fields of one user/create, user/update or CSV row, and their effect on a member. Checks come in the observed
//! order: name, userid, mobile or e-mail, departments, the other fields, then uniqueness.

use serde_json::{Map, Value};

use super::body::Body;
use super::corp::Corp;
use super::field;
use super::member::Member;
use super::verdict::Refusal;
use crate::settings::Knobs;

/// The fields sent; `None` is a field that was missing or mistyped.
#[derive(Debug, Default)]
pub(super) struct Patch {
    name: Option<String>,
    alias: Option<String>,
    mobile: Option<String>,
    email: Option<String>,
    departments: Departments,
    order: Option<Vec<i64>>,
    leaders: Option<Vec<i64>>,
    direct_leader: Option<Vec<String>>,
    position: Option<String>,
    gender: Option<String>,
    biz_mail: Option<String>,
    telephone: Option<String>,
    address: Option<String>,
    avatar_mediaid: Option<String>,
    enable: Option<i64>,
    main_department: Option<i64>,
    external_position: Option<String>,
    nickname: Option<String>,
    extattr: Option<Value>,
    external_profile: Option<Value>,
}

#[derive(Debug, Default)]
enum Departments {
    #[default]
    Absent,
    Given(Vec<u32>),
    Malformed,
}

/// Departments created for an unknown id: id and name.
pub(super) type CreatedDepartments = Vec<(u32, String)>;

impl Patch {
    /// The patch of fields given outside of a call, and its userid.
    pub(super) fn with_userid(fields: Map<String, Value>) -> (String, Self) {
        let mut body = Body::of(fields);
        let userid = body.text("userid").unwrap_or_default();
        (userid, Self::take(&mut body))
    }

    pub(super) fn take(body: &mut Body) -> Self {
        // Known to old clients, still accepted, without effect here.
        body.ignore(&["isleader", "hide_mobile", "english_name", "biz_mail_alias"]);
        Self {
            name: body.text("name"),
            alias: body.text("alias"),
            mobile: body.text("mobile"),
            email: body.text("email"),
            departments: Departments::take(body),
            order: body.numbers("order"),
            leaders: body.numbers("is_leader_in_dept"),
            direct_leader: body.texts("direct_leader"),
            position: body.text("position"),
            gender: body.text("gender"),
            biz_mail: body.text("biz_mail"),
            telephone: body.text("telephone"),
            address: body.text("address"),
            avatar_mediaid: body.text("avatar_mediaid"),
            enable: body.number("enable"),
            main_department: body.number("main_department"),
            external_position: body.text("external_position"),
            nickname: body.text("nickname"),
            extattr: body.object("extattr"),
            external_profile: body.object("external_profile"),
        }
    }

    /// Constraints on a single field; an empty text clears a field and is always valid.
    fn check_fields(&self, knobs: &Knobs, corp: &Corp, own_key: &str) -> Result<(), Refusal> {
        type Check = fn(&str) -> Result<(), Refusal>;
        let checks: [(&Option<String>, Check); 9] = [
            (&self.mobile, field::mobile),
            (&self.email, field::email),
            (&self.position, field::position),
            (&self.alias, field::alias),
            (&self.gender, field::gender),
            (&self.telephone, field::telephone),
            (&self.address, field::address),
            (&self.biz_mail, field::biz_mail),
            (&self.external_position, field::external_position),
        ];
        for (given, check) in checks {
            if let Some(text) = given.as_deref().filter(|text| !text.is_empty()) {
                check(text)?;
            }
        }
        if self.enable.is_some_and(|enable| !matches!(enable, 0 | 1)) {
            return Err(Refusal::new(40058, "enable invalid. invalid Request Parameter"));
        }
        if let Some(leaders) = &self.direct_leader {
            if leaders.len() > knobs.direct_leader_max {
                return Err(Refusal::new(60257, "too many direct leaders"));
            }
            let is_unknown = |leader: &String| {
                let key = leader.to_ascii_lowercase();
                !corp.members.contains_key(&key) || knobs.leader_self_refused && key == own_key
            };
            if leaders.iter().any(is_unknown) {
                return Err(Refusal::new(knobs.leader_unknown_code, "userid not found"));
            }
        }
        self.extattr.as_ref().map_or(Ok(()), check_attributes)
    }

    /// The lists that run beside the departments.
    fn check_lists(&self, departments: usize) -> Result<(), Refusal> {
        let is_order = |order: &i64| u32::try_from(*order).is_ok();
        if self.order.as_ref().is_some_and(|order| order.len() != departments || !order.iter().all(is_order))
        {
            return Err(Refusal::new(40058, "order invalid. invalid Request Parameter"));
        }
        let is_flag = |flag: &i64| matches!(flag, 0 | 1);
        if self.leaders.as_ref().is_some_and(|flags| flags.len() != departments || !flags.iter().all(is_flag))
        {
            return Err(Refusal::new(60132, "is_leader_in_dept count not match department count"));
        }
        Ok(())
    }

    fn check_unique(&self, corp: &Corp, own_key: &str) -> Result<(), Refusal> {
        let holder = |holder: Option<&String>| {
            let holder = holder.filter(|key| *key != own_key)?;
            corp.members.get(holder).map(|member| member.userid.clone())
        };
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(mobile) = given(&self.mobile)
            && let Some(holder) = holder(corp.owners.mobiles.get(&field::normal_mobile(&mobile)))
        {
            return Err(Refusal::new(60104, format!("mobile existed:{holder}")));
        }
        if let Some(email) = given(&self.email)
            && let Some(holder) = holder(corp.owners.emails.get(&email.to_ascii_lowercase()))
        {
            return Err(Refusal::new(60106, format!("email existed:{holder}")));
        }
        if let Some(mail) = given(&self.biz_mail)
            && let Some(holder) = holder(corp.owners.biz_mails.get(&mail.to_ascii_lowercase()))
        {
            return Err(Refusal::new(60145, format!("biz_mail existed:{holder}")));
        }
        Ok(())
    }

    /// Writes everything but departments and mobile into the member.
    fn write(self, member: &mut Member, known_attributes: &[String]) {
        let Member { name, alias, email, position, gender, biz_mail, telephone, address, .. } = member;
        for (place, given) in [
            (name, self.name),
            (alias, self.alias),
            (email, self.email),
            (position, self.position),
            (gender, self.gender),
            (biz_mail, self.biz_mail),
            (telephone, self.telephone),
            (address, self.address),
            (&mut member.avatar_mediaid, self.avatar_mediaid),
            (&mut member.external_position, self.external_position),
            (&mut member.nickname, self.nickname),
        ] {
            if let Some(text) = given {
                *place = text;
            }
        }
        if let Some(leaders) = self.direct_leader {
            member.direct_leader = leaders;
        }
        if let Some(enable) = self.enable {
            member.enabled = enable == 1;
        }
        if let Some(attributes) = self.extattr {
            member.extattr = existing_attributes(attributes, known_attributes);
        }
        if let Some(profile) = self.external_profile {
            member.external_profile = profile;
        }
        // A main department that is not one of the member's own is passed over.
        let main = self.main_department.and_then(|main| u32::try_from(main).ok());
        if let Some(main) = main.filter(|main| member.department.contains(main)) {
            member.main_department = main;
        }
    }
}

impl Departments {
    fn take(body: &mut Body) -> Self {
        let Some(value) = body.any("department") else { return Self::Absent };
        let ids = value.as_array().and_then(|items| {
            items.iter().map(|item| item.as_u64().and_then(|id| u32::try_from(id).ok())).collect()
        });
        match ids {
            Some(ids) => Self::Given(ids),
            None => {
                body.mistyped("department", "an array of department ids", &value).unwrap_or(Self::Malformed)
            }
        }
    }
}

impl Corp {
    /// Creates a member; `most_members` of 0 means no quota.
    pub(super) fn create_member(
        &mut self,
        userid: &str,
        patch: Patch,
        knobs: &Knobs,
        most_members: u32,
    ) -> Result<CreatedDepartments, Refusal> {
        field::name(patch.name.as_deref().ok_or_else(|| Refusal::new(60112, "invalid name"))?)?;
        field::userid(userid)?;
        let is_empty = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
        if is_empty(&patch.mobile) && is_empty(&patch.email) {
            return Err(Refusal::new(60129, "missing mobile or email"));
        }
        let ids = match &patch.departments {
            Departments::Absent => &[][..],
            Departments::Given(ids) => ids,
            Departments::Malformed => return Err(Refusal::new(40066, "invalid party list")),
        };
        self.check_departments(ids, knobs)?;
        let key = userid.to_ascii_lowercase();
        patch.check_fields(knobs, self, &key)?;
        patch.check_lists(ids.len())?;
        if self.members.contains_key(&key) {
            return Err(Refusal::new(60102, "userid existed"));
        }
        patch.check_unique(self, &key)?;
        if most_members != 0 && self.places_taken(knobs) >= most_members as usize {
            return Err(Refusal::new(45024, "member count out of limit"));
        }

        let mut member = Member { userid: userid.to_owned(), enabled: true, ..Member::default() };
        member.mobile = patch.mobile.clone().unwrap_or_default();
        let created = self.place(&mut member, ids, &patch);
        patch.write(&mut member, &self.attributes);
        self.own(&member);
        *self.created.entry(key.clone()).or_default() += 1;
        self.members.insert(key, member);
        Ok(created)
    }

    /// Changes the given fields of a member, and its userid if WeCom made it.
    pub(super) fn update_member(
        &mut self,
        userid: &str,
        new_userid: Option<String>,
        patch: Patch,
        knobs: &Knobs,
    ) -> Result<CreatedDepartments, Refusal> {
        field::userid(userid)?;
        let key = userid.to_ascii_lowercase();
        let before = self.members.get(&key).ok_or_else(|| Refusal::new(60111, "userid not found"))?;
        let mut member = before.clone();
        if let Some(name) = &patch.name {
            field::name(name)?;
        }
        // A member who has logged in controls their own mobile: a sent one is silently passed over.
        let patch = if member.status() == 1 { Patch { mobile: None, ..patch } } else { patch };
        let mobile = patch.mobile.clone().unwrap_or_else(|| member.mobile.clone());
        let email = patch.email.as_ref().unwrap_or(&member.email);
        if mobile.is_empty() && email.is_empty() {
            return Err(Refusal::new(60129, "missing mobile or email"));
        }
        let ids = match &patch.departments {
            Departments::Absent => None,
            Departments::Given(ids) => Some(ids.clone()),
            Departments::Malformed => return Err(Refusal::new(40066, "invalid party list")),
        };
        if let Some(ids) = &ids {
            self.check_departments(ids, knobs)?;
        }
        patch.check_fields(knobs, self, &key)?;
        patch.check_lists(ids.as_ref().map_or(member.department.len(), Vec::len))?;
        patch.check_unique(self, &key)?;
        if let Some(new_userid) = new_userid.filter(|new| !new.is_empty()) {
            if !member.system_generated {
                return Err(Refusal::new(301_036, "not allow to modify userid"));
            }
            field::userid(&new_userid)?;
            if self.members.contains_key(&new_userid.to_ascii_lowercase()) {
                return Err(Refusal::new(60102, "userid existed"));
            }
            member.userid = new_userid;
            member.system_generated = false;
        }

        self.disown(&member);
        self.members.remove(&key);
        member.mobile = mobile;
        let created = match ids {
            Some(ids) => self.place(&mut member, &ids, &patch),
            None => {
                // Leadership may change by itself; an order counts only together with departments.
                if let Some(flags) = &patch.leaders {
                    member.is_leader_in_dept = flags.iter().map(|flag| u8::from(*flag == 1)).collect();
                }
                Vec::new()
            }
        };
        patch.write(&mut member, &self.attributes);
        self.own(&member);
        self.members.insert(member.key(), member);
        Ok(created)
    }

    fn check_departments(&self, ids: &[u32], knobs: &Knobs) -> Result<(), Refusal> {
        if ids.len() > knobs.member_departments_max {
            return Err(Refusal::new(60110, "user department count out of limit"));
        }
        let known = |id: &u32| self.departments.contains_key(id);
        if !knobs.dept_autocreate && (ids.is_empty() || !ids.iter().all(known)) {
            return Err(Refusal::new(40066, "invalid party list"));
        }
        Ok(())
    }

    /// Puts the member into its departments, creating those that do not exist; no department, or 0, means the one for
    /// members without any.
    fn place(&mut self, member: &mut Member, ids: &[u32], patch: &Patch) -> CreatedDepartments {
        let mut created = Vec::new();
        let waiting = [0];
        let ids = if ids.is_empty() { &waiting[..] } else { ids };
        let mut placed = Vec::with_capacity(ids.len());
        for id in ids {
            let id = match id {
                0 => self.waiting_department(),
                known if self.departments.contains_key(known) => *known,
                unknown => {
                    created.push((*unknown, self.auto_create(*unknown)));
                    *unknown
                }
            };
            placed.push(id);
        }
        let orders = patch.order.iter().flatten().map(|order| u32::try_from(*order).unwrap_or_default());
        member.order = orders.chain(std::iter::repeat(0)).take(placed.len()).collect();
        let flags = patch.leaders.iter().flatten().map(|flag| u8::from(*flag == 1));
        member.is_leader_in_dept = flags.chain(std::iter::repeat(0)).take(placed.len()).collect();
        if !placed.contains(&member.main_department) {
            member.main_department = placed.first().copied().unwrap_or_default();
        }
        member.department = placed;
        created
    }
}

fn check_attributes(extattr: &Value) -> Result<(), Refusal> {
    let mistyped = || Refusal::new(60150, "extattr type not match");
    let attributes = extattr.get("attrs").and_then(Value::as_array).ok_or_else(mistyped)?;
    for attribute in attributes {
        let holds = match attribute.get("type").and_then(Value::as_u64) {
            Some(0) => attribute.pointer("/text/value").is_some_and(Value::is_string),
            Some(1) => attribute.pointer("/web/url").is_some_and(Value::is_string),
            _ => false,
        };
        if !holds || !attribute.get("name").is_some_and(Value::is_string) {
            return Err(mistyped());
        }
    }
    Ok(())
}

/// Attributes that the corp has not defined are silently ignored.
fn existing_attributes(mut extattr: Value, known: &[String]) -> Value {
    if let Some(Value::Array(attributes)) = extattr.get_mut("attrs") {
        attributes.retain(|attribute| {
            let name = attribute.get("name").and_then(Value::as_str).unwrap_or_default();
            known.iter().any(|known| known == name)
        });
    }
    extattr
}
