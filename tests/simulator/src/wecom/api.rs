//! The calls of WeCom's contact API: their paths, their methods, and the secrets that may make them.

use hyper::Method;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Api {
    GetToken,
    UserCreate,
    UserGet,
    UserUpdate,
    UserDelete,
    UserBatchDelete,
    UserListId,
    UserGetUserid,
    UserGetUseridByEmail,
    UserSimpleList,
    UserList,
    DepartmentCreate,
    DepartmentUpdate,
    DepartmentDelete,
    DepartmentSimpleList,
    DepartmentList,
    DepartmentGet,
    MediaUpload,
    BatchSyncUser,
    BatchGetResult,
    BatchInvite,
}

/// The secrets that may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// Needs no token.
    Open,
    /// Either secret.
    Any,
    /// The contact-sync secret alone: 48002 for an app.
    SyncOnly,
    /// An app, or the contact-sync secret from an address configured before 2022-08-15: 48009.
    Details,
}

/// Permissions of a kind of secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialKind {
    /// 通讯录同步: writes, and reads ids.
    #[default]
    Sync,
    /// A self-built app: reads members without mobile and e-mail, writes nothing.
    App,
}

impl Api {
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path.strip_prefix("/cgi-bin/")? {
            "gettoken" => Self::GetToken,
            "user/create" => Self::UserCreate,
            "user/get" => Self::UserGet,
            "user/update" => Self::UserUpdate,
            "user/delete" => Self::UserDelete,
            "user/batchdelete" => Self::UserBatchDelete,
            "user/list_id" => Self::UserListId,
            "user/getuserid" => Self::UserGetUserid,
            "user/get_userid_by_email" => Self::UserGetUseridByEmail,
            "user/simplelist" => Self::UserSimpleList,
            "user/list" => Self::UserList,
            "department/create" => Self::DepartmentCreate,
            "department/update" => Self::DepartmentUpdate,
            "department/delete" => Self::DepartmentDelete,
            "department/simplelist" => Self::DepartmentSimpleList,
            "department/list" => Self::DepartmentList,
            "department/get" => Self::DepartmentGet,
            "media/upload" => Self::MediaUpload,
            "batch/syncuser" => Self::BatchSyncUser,
            "batch/getresult" => Self::BatchGetResult,
            "batch/invite" => Self::BatchInvite,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GetToken => "gettoken",
            Self::UserCreate => "user/create",
            Self::UserGet => "user/get",
            Self::UserUpdate => "user/update",
            Self::UserDelete => "user/delete",
            Self::UserBatchDelete => "user/batchdelete",
            Self::UserListId => "user/list_id",
            Self::UserGetUserid => "user/getuserid",
            Self::UserGetUseridByEmail => "user/get_userid_by_email",
            Self::UserSimpleList => "user/simplelist",
            Self::UserList => "user/list",
            Self::DepartmentCreate => "department/create",
            Self::DepartmentUpdate => "department/update",
            Self::DepartmentDelete => "department/delete",
            Self::DepartmentSimpleList => "department/simplelist",
            Self::DepartmentList => "department/list",
            Self::DepartmentGet => "department/get",
            Self::MediaUpload => "media/upload",
            Self::BatchSyncUser => "batch/syncuser",
            Self::BatchGetResult => "batch/getresult",
            Self::BatchInvite => "batch/invite",
        }
    }

    /// Deleting is a GET.
    pub(super) fn method(self) -> Method {
        match self {
            Self::UserCreate
            | Self::UserUpdate
            | Self::UserBatchDelete
            | Self::UserListId
            | Self::UserGetUserid
            | Self::UserGetUseridByEmail
            | Self::DepartmentCreate
            | Self::DepartmentUpdate
            | Self::MediaUpload
            | Self::BatchSyncUser
            | Self::BatchInvite => Method::POST,
            Self::GetToken
            | Self::UserGet
            | Self::UserDelete
            | Self::UserSimpleList
            | Self::UserList
            | Self::DepartmentDelete
            | Self::DepartmentSimpleList
            | Self::DepartmentList
            | Self::DepartmentGet
            | Self::BatchGetResult => Method::GET,
        }
    }

    pub(super) fn permission(self) -> Permission {
        match self {
            Self::GetToken => Permission::Open,
            Self::UserCreate
            | Self::UserUpdate
            | Self::UserDelete
            | Self::UserBatchDelete
            | Self::UserListId
            | Self::DepartmentCreate
            | Self::DepartmentUpdate
            | Self::DepartmentDelete
            | Self::BatchSyncUser => Permission::SyncOnly,
            Self::UserGet
            | Self::UserSimpleList
            | Self::UserList
            | Self::DepartmentList
            | Self::DepartmentGet => Permission::Details,
            Self::UserGetUserid
            | Self::UserGetUseridByEmail
            | Self::DepartmentSimpleList
            | Self::MediaUpload
            | Self::BatchGetResult
            | Self::BatchInvite => Permission::Any,
        }
    }

    /// True if the call changes the corp.
    pub(super) fn is_write(self) -> bool {
        self.permission() == Permission::SyncOnly && self != Self::UserListId
    }

    /// The code for the wrong HTTP method.
    pub(super) fn wrong_method_code(self) -> i32 {
        if self.name().starts_with("user/") && self.method() == Method::POST { 40003 } else { 40058 }
    }

    /// Lists that the body of an error contains too.
    pub(super) fn lists_in_errors(self) -> &'static str {
        match self {
            Self::UserGet => r#","department":[],"order":[],"is_leader_in_dept":[],"direct_leader":[]"#,
            Self::DepartmentSimpleList => r#","department_id":[]"#,
            _ => "",
        }
    }
}
