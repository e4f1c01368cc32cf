//! WeCom's event about a changed member.

use crate::wecom::Member;

/// A change of a member.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(super) change_type: &'static str,
    pub(super) userid: String,
    new_userid: Option<String>,
    departments: Option<Vec<u32>>,
    leads: bool,
    /// Fields that only a full callback carries, as name and text.
    more: Vec<(&'static str, String)>,
}

impl Event {
    pub(crate) fn created(member: &Member) -> Self {
        let text = |of: &[String]| of.join(",");
        let leaders: Vec<String> = member.is_leader_in_dept.iter().map(u8::to_string).collect();
        let more = vec![
            ("Name", member.name.clone()),
            ("MainDepartment", member.main_department.to_string()),
            ("IsLeaderInDept", text(&leaders)),
            ("DirectLeader", text(&member.direct_leader)),
            ("Position", member.position.clone()),
            ("Mobile", member.mobile.clone()),
            ("Gender", member.gender.clone()),
            ("Email", member.email.clone()),
            ("BizMail", member.biz_mail.clone()),
            ("Status", member.status().to_string()),
            ("Alias", member.alias.clone()),
            ("Telephone", member.telephone.clone()),
            ("Address", member.address.clone()),
        ];
        Self {
            change_type: "create_user",
            userid: member.userid.clone(),
            new_userid: None,
            departments: Some(member.department.clone()),
            leads: true,
            more,
        }
    }

    /// Only changed fields are included.
    pub(crate) fn updated(before: &Member, after: &Member) -> Self {
        let differs = |name: &'static str, old: &str, new: &str| (old != new).then(|| (name, new.to_owned()));
        let more = [
            differs("Name", &before.name, &after.name),
            differs("Position", &before.position, &after.position),
            differs("Mobile", &before.mobile, &after.mobile),
            differs("Gender", &before.gender, &after.gender),
            differs("Email", &before.email, &after.email),
            differs("BizMail", &before.biz_mail, &after.biz_mail),
            differs("Alias", &before.alias, &after.alias),
            differs("Telephone", &before.telephone, &after.telephone),
            differs("Address", &before.address, &after.address),
            differs("Status", &before.status().to_string(), &after.status().to_string()),
        ];
        Self {
            change_type: "update_user",
            userid: before.userid.clone(),
            new_userid: (before.userid != after.userid).then(|| after.userid.clone()),
            departments: (before.department != after.department).then(|| after.department.clone()),
            leads: before.is_leader_in_dept != after.is_leader_in_dept
                || before.direct_leader != after.direct_leader,
            more: more.into_iter().flatten().collect(),
        }
    }

    pub(crate) fn deleted(userid: &str) -> Self {
        Self {
            change_type: "delete_user",
            userid: userid.to_owned(),
            new_userid: None,
            departments: None,
            leads: true,
            more: Vec::new(),
        }
    }

    /// An address entered after 2022-08-15 receives an update only if a department, a leader or the account changed.
    pub(super) fn is_told_slim(&self) -> bool {
        self.change_type != "update_user"
            || self.departments.is_some()
            || self.new_userid.is_some()
            || self.leads
    }

    /// The XML that is sealed.
    pub(super) fn message(&self, corp_id: &str, now_ms: u64, full: bool) -> String {
        let mut xml = format!(
            "<xml><ToUserName><![CDATA[{corp_id}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
             <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType>\
             <Event><![CDATA[change_contact]]></Event><ChangeType>{}</ChangeType>\
             <UserID><![CDATA[{}]]></UserID>",
            now_ms / 1000,
            self.change_type,
            self.userid
        );
        let mut element = |name: &str, text: &str| {
            let text = text.replace("]]>", "]]]]><![CDATA[>");
            xml.push_str(&format!("<{name}><![CDATA[{text}]]></{name}>"));
        };
        if let Some(userid) = &self.new_userid {
            element("NewUserID", userid);
        }
        if let Some(departments) = &self.departments {
            let departments: Vec<String> = departments.iter().map(u32::to_string).collect();
            element("Department", &departments.join(","));
        }
        for (name, text) in self.more.iter().filter(|_| full) {
            element(name, text);
        }
        xml.push_str("</xml>");
        xml
    }
}
