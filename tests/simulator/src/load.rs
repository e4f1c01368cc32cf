//! A test's load document: keys, forms and rows of JianDaoYun, corps of WeCom.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wecom::CredentialKind;
use crate::world::World;

/// The body of `POST /sim/load`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadDocument {
    /// 简道云.
    pub jiandaoyun: JianDaoYunLoad,
    /// 企业微信.
    pub wecom: WeComLoad,
}

/// Keys and forms.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JianDaoYunLoad {
    /// API keys.
    pub keys: Vec<KeyLoad>,
    /// Forms with their rows.
    pub forms: Vec<FormLoad>,
}

/// An API key: its text alone, or with its company and scope.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyLoad {
    /// A key of the company `company` that may see every app.
    Text(String),
    /// A key with its own company or scope.
    Full {
        /// The key.
        key: String,
        /// The owner; calls of one company share one limit.
        #[serde(default = "company")]
        company: String,
        /// The apps it may see; none given means all.
        #[serde(default)]
        apps: Option<Vec<String>>,
    },
}

pub(crate) fn company() -> String {
    "company".to_owned()
}

/// A form.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FormLoad {
    /// 24 hexadecimal digits.
    pub app_id: String,
    /// 24 hexadecimal digits.
    pub entry_id: String,
    /// The form's name.
    pub name: String,
    /// Its fields.
    pub widgets: Vec<Widget>,
    /// It has no workflow, so that `flowState` is not a field of it.
    pub without_workflow: bool,
    /// Its rows, by alias or field id.
    pub rows: Vec<Map<String, Value>>,
}

/// A field of a form.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Widget {
    /// The alias, or the field id where none is set.
    #[serde(default)]
    pub name: String,
    /// The field id, `_widget_` and 13 digits.
    #[serde(rename = "widgetName")]
    pub widget_name: String,
    /// The label.
    pub label: String,
    /// `text`, `number`, `datetime`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// The fields of a subform.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Widget>,
}

/// Corps.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeComLoad {
    /// Each with its own state.
    pub corps: Vec<CorpLoad>,
}

/// A corp.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorpLoad {
    /// Its id.
    pub corp_id: String,
    /// Its secret.
    pub secret: String,
    /// Permissions of the secret.
    pub kind: CredentialKind,
    /// Further secrets.
    pub credentials: Vec<CredentialLoad>,
    /// The tree; the root (id 1) is added if missing.
    pub departments: Vec<DepartmentLoad>,
    /// Members as user/create takes them, beside `status` (1 active, 4 not yet) and `system_generated`.
    pub members: Vec<Map<String, Value>>,
    /// The userid that cannot be deleted.
    pub creator: Option<String>,
    /// Names of extension attributes that exist; `extattr` of any other name is ignored.
    pub attributes: Vec<String>,
}

/// A secret of a corp.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialLoad {
    /// The secret.
    pub secret: String,
    /// Its permissions.
    #[serde(default)]
    pub kind: CredentialKind,
}

/// A department.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartmentLoad {
    /// At least 1.
    pub id: u32,
    /// Unique among siblings.
    pub name: String,
    /// 0 for the root.
    #[serde(default = "root")]
    pub parentid: u32,
    /// Larger first.
    #[serde(default = "default_order")]
    pub order: u32,
}

fn root() -> u32 {
    1
}

pub(crate) fn default_order() -> u32 {
    100_000_000
}

/// The body of `POST /sim/rows`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RowChange {
    /// The form's app.
    pub app_id: String,
    /// The form.
    pub entry_id: String,
    /// Rows with a known `_id` change in the given fields; others are new. `updateTime` is now unless given.
    pub upsert: Vec<Map<String, Value>>,
    /// Ids of rows to delete.
    pub delete: Vec<String>,
}

/// Reason for rejecting a document.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// An id of JianDaoYun is malformed.
    #[error("{what} must be 24 hexadecimal digits, not {value:?}")]
    Id {
        /// The id's name.
        what: &'static str,
        /// The given value.
        value: String,
    },
    /// There is no such form.
    #[error("no form {entry_id:?} in app {app_id:?} is loaded")]
    Form {
        /// The requested app.
        app_id: String,
        /// The requested form.
        entry_id: String,
    },
    /// A row's `updateTime` or `createTime` is not a valid time.
    #[error("{value:?} is not a time such as 2026-05-01T08:00:00.000Z")]
    Time {
        /// The given value.
        value: String,
    },
    /// A member would be refused by user/create.
    #[error("member {userid:?} of corp {corp_id:?} is not valid: {errcode} {errmsg}")]
    Member {
        /// The corp.
        corp_id: String,
        /// The member.
        userid: String,
        /// WeCom's code.
        errcode: i32,
        /// WeCom's text.
        errmsg: String,
    },
}

pub(crate) fn load(world: &mut World, document: LoadDocument) -> Result<(), LoadError> {
    let now_ms = world.clock.now_ms();
    for key in document.jiandaoyun.keys {
        world.jiandaoyun.add_key(key);
    }
    for form in document.jiandaoyun.forms {
        world.jiandaoyun.add_form(form, now_ms)?;
    }
    for corp in document.wecom.corps {
        world.wecom.add_corp(corp, &world.knobs)?;
    }
    Ok(())
}
