//! Rejections: the reasons a record is in quarantine.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use ruzhi_guest::contract::Violation;

use super::id::UserId;
use super::operation::UniqueField;
use super::text::{Label, Text};

/// The source of a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectedBy {
    /// The guest's rules, or the host's check of the guest's answer.
    Guest,
    /// The plan: an unknown department, a claim that another record holds, a protected or foreign member.
    Plan,
    /// WeCom, when the operation was called.
    Wecom,
    /// A person, who undid the record's change or let the directory stand as it is.
    Person,
}

impl RejectedBy {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Guest => Label::new("the rules", "同步规则"),
            Self::Plan => Label::new("the plan", "计划"),
            Self::Wecom => Label::new("WeCom", "企业微信"),
            Self::Person => Label::new("a person", "人工"),
        }
    }
}

impl RejectedBy {
    /// The word the store and the commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Plan => "plan",
            Self::Wecom => "wecom",
            Self::Person => "person",
        }
    }
}

/// The event an entry of the quarantine waits for, beside its row and its rules. When it occurs, the record is planned
/// again.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// Nothing else: the row or the rules have to change.
    #[default]
    Row,
    /// A department that WeCom does not have.
    Department,
    /// A member with the userid the record names has to leave the directory, or become ruzhi's.
    Userid,
    /// The direct leader. The record's person is in the directory without one.
    Leader,
    /// A mobile number that another member has.
    Mobile,
    /// An e-mail address that another member has.
    Email,
    /// An enterprise mail address that another member has.
    BizMail,
    /// One of two records that claim the same userid has to be corrected.
    SameUserid,
    /// One of two records that claim the same mobile number has to be corrected.
    SameMobile,
    /// The row has to say which member of the directory its person is, so that they can be adopted.
    Identity,
    /// A person's decision.
    Person,
    /// Another attempt: WeCom rejected the member for a reason that may pass.
    Time,
}

impl WaitsFor {
    /// The word the store and the commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Department => "department",
            Self::Userid => "userid",
            Self::Leader => "leader",
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::BizMail => "biz_mail",
            Self::SameUserid => "same_userid",
            Self::SameMobile => "same_mobile",
            Self::Identity => "identity",
            Self::Person => "person",
            Self::Time => "time",
        }
    }

    /// The awaited event, for a person who keeps the form.
    pub fn words(self) -> Text {
        match self {
            Self::Row => Text::new(
                "the row in the form, or the rules, have to be corrected",
                "请修正表单中的这一行，或修正规则",
            ),
            Self::Department => Text::new(
                "tried again by itself once the department exists in WeCom",
                "等待企业微信中建立该部门，建立后自动重试",
            ),
            Self::Userid => Text::new(
                "tried again by itself once the account is free in WeCom",
                "等待该账号在企业微信中空出，空出后自动重试",
            ),
            Self::Leader => Text::new(
                "the person is in WeCom, and only the direct leader is missing; set by itself once the leader is there",
                "此人已在企业微信，仅缺直属上级；上级加入后自动补上",
            ),
            Self::Mobile => Text::new(
                "tried again by itself once the mobile number is free in WeCom",
                "等待该手机号在企业微信中空出，空出后自动重试",
            ),
            Self::Email => Text::new(
                "tried again by itself once the e-mail address is free in WeCom",
                "等待该邮箱在企业微信中空出，空出后自动重试",
            ),
            Self::BizMail => Text::new(
                "tried again by itself once the enterprise mail address is free in WeCom",
                "等待该企业邮箱在企业微信中空出，空出后自动重试",
            ),
            Self::SameUserid => Text::new(
                "this row and another have the same userid; correct the wrong one in the form",
                "该行与另一行账号相同，请在表单中更正有误的一行",
            ),
            Self::SameMobile => Text::new(
                "this row and another have the same mobile number; correct the wrong one in the form",
                "该行与另一行手机号相同，请在表单中更正有误的一行",
            ),
            Self::Identity => Text::new(
                "correct the row in the form so that it names exactly one member of WeCom",
                "请修正表单中的这一行，使其只对应企业微信中的一位成员",
            ),
            Self::Person => Text::new("waits for a person's decision", "等待人工决定"),
            Self::Time => Text::new("tried again by itself after a rest", "稍后自动重试"),
        }
    }

    /// The unique field whose value has to become free.
    pub fn value(self) -> Option<UniqueField> {
        match self {
            Self::Mobile => Some(UniqueField::Mobile),
            Self::Email => Some(UniqueField::Email),
            Self::BizMail => Some(UniqueField::BizMail),
            _ => None,
        }
    }
}

impl From<UniqueField> for WaitsFor {
    fn from(field: UniqueField) -> Self {
        match field {
            UniqueField::Mobile => Self::Mobile,
            UniqueField::Email => Self::Email,
            UniqueField::BizMail => Self::BizMail,
        }
    }
}

/// The rest of a record after a number of rejections by WeCom: an hour, six hours, then a day each time.
pub fn rest_after(tries: u32) -> TimeDelta {
    match tries {
        0 | 1 => TimeDelta::hours(1),
        2 => TimeDelta::hours(6),
        _ => TimeDelta::days(1),
    }
}

/// The reason a record is in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The source.
    pub by: RejectedBy,
    /// At least one reason.
    pub violations: Vec<Violation>,
    /// WeCom's code, if WeCom rejected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
    /// The member in WeCom who has the claimed value, if WeCom named them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<UserId>,
    /// The event it waits for.
    #[serde(default)]
    pub waits_for: WaitsFor,
    /// The number of times WeCom has rejected the record as it is.
    #[serde(default)]
    pub tries: u32,
    /// The time it is tried again, whatever else changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
}

impl Rejection {
    /// A rejection that waits for its row or the rules.
    pub fn new(by: RejectedBy, violations: Vec<Violation>) -> Self {
        let waits_for = WaitsFor::Row;
        Self { by, violations, errcode: None, held_by: None, waits_for, tries: 0, retry_at: None }
    }

    /// True if WeCom said that a member it names is not there.
    pub fn names_a_missing_member(&self) -> bool {
        self.waits_for == WaitsFor::Leader && self.retry_at.is_none()
    }

    /// True if it keeps the record's person out of the directory, or as they were.
    pub fn blocks(&self) -> bool {
        self.waits_for != WaitsFor::Leader
    }
}
