//! The words for the fields of a WeCom member. The word for a state or a kind is a method of its type.

use ruzhi_model::Label;

/// The word for a field of a member, by WeCom's name.
pub fn member_field(field: &str) -> Option<Label> {
    let (en, zh) = match field {
        "userid" => ("Account", "账号"),
        "name" => ("Name", "姓名"),
        "mobile" => ("Mobile", "手机号"),
        "email" => ("E-mail", "邮箱"),
        "department" | "memberships" => ("Departments", "部门"),
        "is_leader_in_dept" => ("Leads department", "部门负责人"),
        "order" => ("Order in department", "部门内排序"),
        "main_department" => ("Main department", "主部门"),
        "position" => ("Job title", "职务"),
        "alias" => ("Alias", "别名"),
        "gender" => ("Gender", "性别"),
        "telephone" => ("Landline", "座机"),
        "address" => ("Address", "地址"),
        "direct_leader" => ("Direct leader", "直属上级"),
        "biz_mail" => ("Enterprise mail", "企业邮箱"),
        "external_position" => ("External job title", "对外职务"),
        "enable" => ("May log in", "启用状态"),
        "to_invite" => ("Invitation", "发送邀请"),
        "extattr" => ("Extended attributes", "扩展属性"),
        _ => return None,
    };
    Some(Label::new(en, zh))
}
