//! Assigns a value to a member's field, by the field's own rules.

use ruzhi_guest::rule::{self, extra};
use ruzhi_guest::text::Cleaning;
use ruzhi_guest::{Fault, Member, Violation, department, email, mobile, value};
use serde_json::{Value, json};

use crate::rules::Entry;
use crate::target::{Field, Target};

/// A member under construction: values that WeCom wants per department wait until the departments are known.
#[derive(Default)]
pub(crate) struct Draft {
    member: Member,
    orders: Option<(Vec<u32>, String)>,
    leaders: Option<(Vec<bool>, String)>,
    attributes: Option<Vec<Value>>,
}

impl Draft {
    /// Sets a field to a value with cleaned texts.
    ///
    /// # Errors
    /// The rule the value breaks.
    pub(crate) fn assign(&mut self, entry: &Entry, value: &Value, cleaning: &Cleaning) -> Result<(), Fault> {
        let member = &mut self.member;
        let text = || -> Result<String, Fault> { Ok(cleaning.apply(&value::text(value)?).into_owned()) };
        let identity = |value: &Value| -> Result<String, Fault> {
            Ok(cleaning.apply(&value::identity(value)?).into_owned())
        };
        match &entry.target {
            Target::Attribute(name) => {
                let attribute = extra::text_attribute(name, &text()?);
                extra::check_value("extattr", &json!({ "attrs": [attribute] }))?;
                self.attributes.get_or_insert_default().push(attribute);
            }
            Target::Field(field) => match field {
                Field::Userid => member.userid = identity(value)?,
                Field::Name => member.name = identity(value)?,
                Field::Mobile => member.mobile = Some(read_mobile(entry, &identity(value)?)?),
                Field::Email => member.email = Some(email::parse(&identity(value)?)?),
                Field::Department => member.memberships = department::memberships(department::parse(value)?),
                Field::MainDepartment => member.main_department = main_department(value)?,
                Field::Order => self.orders = Some((list(value, order)?, entry.blame.clone())),
                Field::IsLeaderInDept => {
                    self.leaders = Some((list(value, value::boolean)?, entry.blame.clone()))
                }
                Field::DirectLeader => member.direct_leader = Some(list(value, identity)?),
                Field::Position => member.position = Some(text()?),
                Field::Alias => member.alias = Some(text()?),
                Field::Gender => member.gender = Some(rule::parse_gender(&text()?)?.to_owned()),
                Field::Telephone => member.telephone = Some(rule::parse_telephone(&text()?)?),
                Field::Address => member.address = Some(text()?),
                Field::BizMail => member.biz_mail = Some(identity(value)?),
                Field::ExternalPosition => member.external_position = Some(text()?),
                Field::Enable => member.enable = Some(value::boolean(value)?),
                Field::ToInvite => member.to_invite = Some(value::boolean(value)?),
                Field::Extattr | Field::ExternalProfile => {
                    let value = match value.as_str() {
                        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
                        None => value.clone(),
                    };
                    extra::check_value(field.name(), &value)?;
                    member.extra.push((field.name().to_owned(), value::json(&value)));
                }
                Field::AvatarMediaid | Field::Nickname => {
                    let value = Value::String(text()?);
                    extra::check_value(field.name(), &value)?;
                    member.extra.push((field.name().to_owned(), value::json(&value)));
                }
            },
        }
        Ok(())
    }

    /// Records that a field is empty in the form. Fields that cannot be empty in WeCom, such as departments or
    /// booleans, are left unset.
    pub(crate) fn clear(&mut self, entry: &Entry) {
        let empty = || Some(String::new());
        let member = &mut self.member;
        match &entry.target {
            Target::Attribute(name) => {
                self.attributes.get_or_insert_default().push(extra::text_attribute(name, ""));
            }
            Target::Field(field) => match field {
                Field::Mobile => member.mobile = empty(),
                Field::Email => member.email = empty(),
                Field::Position => member.position = empty(),
                Field::Alias => member.alias = empty(),
                Field::Gender => member.gender = empty(),
                Field::Telephone => member.telephone = empty(),
                Field::Address => member.address = empty(),
                Field::BizMail => member.biz_mail = empty(),
                Field::ExternalPosition => member.external_position = empty(),
                Field::DirectLeader => member.direct_leader = Some(Vec::new()),
                Field::Userid | Field::Name | Field::Department | Field::MainDepartment => {}
                Field::Order | Field::IsLeaderInDept | Field::Enable | Field::ToInvite => {}
                Field::ExternalProfile | Field::Extattr | Field::AvatarMediaid | Field::Nickname => {}
            },
        }
    }

    /// The member, with leaders and orders assigned to their departments.
    ///
    /// # Errors
    /// `order.length`, `is-leader-in-dept.length` if their number differs from that of the departments, together with
    /// the member without them.
    pub(crate) fn finish(self) -> (Member, Vec<Violation>) {
        let Draft { mut member, orders, leaders, attributes } = self;
        let mut violations = Vec::new();
        let count = member.memberships.len();
        if let Some((orders, blame)) = orders {
            if orders.len() == count {
                member
                    .memberships
                    .iter_mut()
                    .zip(orders)
                    .for_each(|(membership, order)| membership.order = Some(order));
            } else {
                violations.push(length("order.length", "排序 order", "order", orders.len(), count).at(blame));
            }
        }
        if let Some((leaders, blame)) = leaders {
            if leaders.len() == count {
                member
                    .memberships
                    .iter_mut()
                    .zip(leaders)
                    .for_each(|(membership, leader)| membership.leader = leader);
            } else {
                let fault = length(
                    "is-leader-in-dept.length",
                    "部门负责人 is_leader_in_dept",
                    "is_leader_in_dept",
                    leaders.len(),
                    count,
                );
                violations.push(fault.at(blame));
            }
        }
        if let Some(attributes) = attributes {
            member.extra.push(("extattr".to_owned(), value::json(&json!({ "attrs": attributes }))));
        }
        (member, violations)
    }
}

fn length(rule: &'static str, chinese: &str, english: &str, given: usize, departments: usize) -> Fault {
    Fault::new(
        rule,
        format_args!("{chinese} 有 {given} 项，而所属部门有 {departments} 个，两者数量必须相同，请更正"),
        format_args!(
            "{english} has {given} items for {departments} departments. Give one for each department"
        ),
    )
}

fn read_mobile(entry: &Entry, text: &str) -> Result<String, Fault> {
    let mobile = mobile::parse_in(text, entry.mobile.home)?;
    let allowed = &entry.mobile.allowed;
    if allowed.is_empty() || allowed.contains(&mobile.country()) {
        return Ok(mobile.into_string());
    }
    let listed: String = allowed.iter().map(|code| format!(" +{code}")).collect();
    let shown = ruzhi_guest::fault::show(text);
    Err(Fault::new(
        "mobile.region",
        format_args!("手机号 {shown} 不属于允许的地区（{listed} ），请更正"),
        format_args!("mobile {shown} is of none of the regions allowed ({listed} ). Correct it"),
    ))
}

fn main_department(value: &Value) -> Result<Option<u32>, Fault> {
    match department::parse(value)?.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        ids => Err(Fault::new(
            "main-department.invalid",
            format_args!("主部门只能有 1 个，现有 {} 个，请只保留一个", ids.len()),
            format_args!("there is one main department, here are {}. Keep one", ids.len()),
        )),
    }
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    value::list(value).iter().map(|item| read(item)).collect()
}

fn order(value: &Value) -> Result<u32, Fault> {
    value::integer(value).ok().and_then(|order| u32::try_from(order).ok()).ok_or_else(|| {
        let shown = ruzhi_guest::fault::show(&value::text(value).unwrap_or_default());
        Fault::new(
            "order.invalid",
            format_args!("排序 {shown} 不是 0 到 4294967295 之间的整数，请更正"),
            format_args!("the order {shown} is no whole number from 0 to 4294967295. Correct it"),
        )
    })
}
