//! The API calls this client makes.

use ruzhi_http::answer;

/// One call of the API; rates are kept per call. The call that deletes all members missing from a file is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    GetToken,
    Create,
    Update,
    Delete,
    Get,
    ListId,
    UseridByMobile,
    Departments,
    Members,
    Upload,
    SyncUser,
    JobResult,
}

impl Api {
    /// The path below `cgi-bin/`, also used as the call's name.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::GetToken => "gettoken",
            Self::Create => "user/create",
            Self::Update => "user/update",
            Self::Delete => "user/delete",
            Self::Get => "user/get",
            Self::ListId => "user/list_id",
            Self::UseridByMobile => "user/getuserid",
            Self::Departments => "department/simplelist",
            Self::Members => "user/list",
            Self::Upload => "media/upload",
            Self::SyncUser => "batch/syncuser",
            Self::JobResult => "batch/getresult",
        }
    }

    /// Maximum size of its answer in bytes. Many calls run concurrently, so only listings may be large.
    pub(super) const fn most(self) -> usize {
        match self {
            Self::ListId | Self::Departments | Self::Members | Self::JobResult => answer::LIST,
            Self::GetToken
            | Self::Create
            | Self::Update
            | Self::Delete
            | Self::Get
            | Self::UseridByMobile
            | Self::Upload
            | Self::SyncUser => answer::WORD,
        }
    }

    /// True if the call changes the directory.
    pub(super) const fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete | Self::SyncUser)
    }
}

/// One value per call.
pub(super) struct PerApi<T> {
    get_token: T,
    create: T,
    update: T,
    delete: T,
    get: T,
    list_id: T,
    userid_by_mobile: T,
    departments: T,
    members: T,
    upload: T,
    sync_user: T,
    job_result: T,
}

impl<T> PerApi<T> {
    /// The values returned by `make`.
    pub(super) fn new(make: impl Fn(Api) -> T) -> Self {
        Self {
            get_token: make(Api::GetToken),
            create: make(Api::Create),
            update: make(Api::Update),
            delete: make(Api::Delete),
            get: make(Api::Get),
            list_id: make(Api::ListId),
            userid_by_mobile: make(Api::UseridByMobile),
            departments: make(Api::Departments),
            members: make(Api::Members),
            upload: make(Api::Upload),
            sync_user: make(Api::SyncUser),
            job_result: make(Api::JobResult),
        }
    }

    /// The value of one call.
    pub(super) fn of(&self, api: Api) -> &T {
        match api {
            Api::GetToken => &self.get_token,
            Api::Create => &self.create,
            Api::Update => &self.update,
            Api::Delete => &self.delete,
            Api::Get => &self.get,
            Api::ListId => &self.list_id,
            Api::UseridByMobile => &self.userid_by_mobile,
            Api::Departments => &self.departments,
            Api::Members => &self.members,
            Api::Upload => &self.upload,
            Api::SyncUser => &self.sync_user,
            Api::JobResult => &self.job_result,
        }
    }

    /// Every call with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Api, &T)> {
        [
            Api::GetToken,
            Api::Create,
            Api::Update,
            Api::Delete,
            Api::Get,
            Api::ListId,
            Api::UseridByMobile,
            Api::Departments,
            Api::Members,
            Api::Upload,
            Api::SyncUser,
            Api::JobResult,
        ]
        .into_iter()
        .map(|api| (api, self.of(api)))
    }
}
