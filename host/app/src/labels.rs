//! Human-readable names of the fields.

use std::collections::BTreeMap;

use ruzhi_message::Report;
use ruzhi_model::{FlowId, TenantId, Text};
use ruzhi_store::Database;

/// The labels of a flow's fields, as its guest last gave them.
#[derive(Default)]
pub(super) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(super) async fn of(store: &Database, tenant: &TenantId, flow: &FlowId) -> Result<Self, Report> {
        Ok(Self(store.labels_find(tenant, flow).await?))
    }

    /// The label of a field of the form.
    pub(super) fn of_form(&self, field: &str) -> String {
        self.0.get(field).cloned().unwrap_or_else(|| field.to_owned())
    }

    /// Returns true if any label contains a word.
    pub(super) fn any_matches(&self, word: &str) -> bool {
        self.0.values().any(|label| label.to_lowercase().contains(word))
    }

    /// The label of a field of a member.
    pub(super) fn of_wecom(&self, field: &str) -> Text {
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
            _ => {
                let label = self.of_form(field);
                return Text::new(label.clone(), label);
            }
        };
        Text::new(en, zh)
    }
}
