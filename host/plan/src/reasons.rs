//! The reasons a plan puts a record in quarantine, in words.

use super::change::MemberChange;
use super::disposition::plan_rejection;
use super::world::Directory;
use ruzhi_model::{DepartmentId, OperationKind, Rejection, Text, UserId, Violation, WaitsFor};

/// The rejection that follows from the directory's ids. WeCom itself would silently create an unknown department.
pub(super) fn against_directory(directory: &Directory, change: &MemberChange) -> Option<Rejection> {
    let MemberChange { kind, userid, body, member, .. } = change;
    let mut violations = Vec::new();
    let mut waits_for = WaitsFor::Department;
    let existing = directory.members.get(&userid.key()).filter(|_| *kind == OperationKind::Create);
    if let Some(existing) = existing {
        waits_for = WaitsFor::Userid;
        violations.push(violation(
            "userid",
            FOREIGN,
            &format!(
                "{existing} is already in WeCom and was not created by ruzhi; give this person another userid"
            ),
            &format!("企业微信中已有成员 {existing}，且不是 ruzhi 创建的；请更换账号"),
        ));
    }
    if body.contains_key("department") {
        let unknown: Vec<String> = member
            .memberships
            .iter()
            .map(|m| DepartmentId(m.department))
            .filter(|id| !directory.departments.contains(id))
            .map(|id| id.to_string())
            .collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            violations.push(violation(
                "department",
                UNKNOWN_DEPARTMENT,
                &format!(
                    "department {unknown} does not exist in WeCom; correct the row, or create the department: the next run then goes on"
                ),
                &format!("企业微信中没有部门 {unknown}；请更正，或先建立该部门，下次运行会自动继续"),
            ));
        }
    }
    (!violations.is_empty()).then(|| Rejection { waits_for, ..plan_rejection(violations) })
}

const UNKNOWN_DEPARTMENT: &str = "department.unknown";
const UNKNOWN_LEADER: &str = "direct-leader.unknown";
const FOREIGN: &str = "member.foreign";

/// The violation for a direct leader who is not there.
pub fn unknown_leader(leader: &str) -> Violation {
    violation(
        "direct_leader",
        UNKNOWN_LEADER,
        &format!(
            "the direct leader {leader} is not in WeCom; the person is kept without a leader. Correct the row, or add the leader: the next run then sets it"
        ),
        &format!(
            "企业微信中没有直属上级 {leader}；本人不受影响，暂不设上级。请更正该行，或先添加该上级，下次运行会自动设置"
        ),
    )
}

pub(super) fn removed_by_hand(userid: &UserId) -> Violation {
    violation(
        "userid",
        "member.removed",
        &format!(
            "{userid} was removed from WeCom by hand while this row still asks for the member; decide whether to create the member again or to let go of it"
        ),
        &format!("成员 {userid} 已在企业微信中被手工删除，而该行仍要求其存在；请决定重新创建，或不再管理"),
    )
}

pub(super) fn violation(field: &str, rule: &str, en: &str, zh: &str) -> Violation {
    Violation { field: field.to_owned(), rule: rule.to_owned(), message: Text::new(en, zh).into() }
}

pub(super) fn renamed(owned: &UserId, wanted: &str) -> Violation {
    violation(
        "userid",
        "userid.changed",
        &format!(
            "this row's person is the member {owned}, and WeCom cannot rename a member to {wanted}; put {owned} back, or let {owned} leave and enter the person in a new row"
        ),
        &format!(
            "该行对应的成员是 {owned}，企业微信不能把成员改名为 {wanted}；请改回 {owned}，或先办理 {owned} 离职，再用新的一行入职"
        ),
    )
}

pub(super) fn protected() -> Violation {
    violation(
        "userid",
        "member.protected",
        "this member is protected in the tenant's file and is never written",
        "该成员在工厂配置文件中受保护，不会被改动",
    )
}
