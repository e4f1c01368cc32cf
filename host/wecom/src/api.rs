//! The API calls this client makes.

use ruzhi_http::answer;

/// One call of the API; rates are kept per call. The call that deletes all members missing from a file is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WecomApi {
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

impl WecomApi {
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
    pub(super) fn new(make: impl Fn(WecomApi) -> T) -> Self {
        Self {
            get_token: make(WecomApi::GetToken),
            create: make(WecomApi::Create),
            update: make(WecomApi::Update),
            delete: make(WecomApi::Delete),
            get: make(WecomApi::Get),
            list_id: make(WecomApi::ListId),
            userid_by_mobile: make(WecomApi::UseridByMobile),
            departments: make(WecomApi::Departments),
            members: make(WecomApi::Members),
            upload: make(WecomApi::Upload),
            sync_user: make(WecomApi::SyncUser),
            job_result: make(WecomApi::JobResult),
        }
    }

    /// The value of one call.
    pub(super) fn of(&self, api: WecomApi) -> &T {
        match api {
            WecomApi::GetToken => &self.get_token,
            WecomApi::Create => &self.create,
            WecomApi::Update => &self.update,
            WecomApi::Delete => &self.delete,
            WecomApi::Get => &self.get,
            WecomApi::ListId => &self.list_id,
            WecomApi::UseridByMobile => &self.userid_by_mobile,
            WecomApi::Departments => &self.departments,
            WecomApi::Members => &self.members,
            WecomApi::Upload => &self.upload,
            WecomApi::SyncUser => &self.sync_user,
            WecomApi::JobResult => &self.job_result,
        }
    }

    /// Every call with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (WecomApi, &T)> {
        [
            WecomApi::GetToken,
            WecomApi::Create,
            WecomApi::Update,
            WecomApi::Delete,
            WecomApi::Get,
            WecomApi::ListId,
            WecomApi::UseridByMobile,
            WecomApi::Departments,
            WecomApi::Members,
            WecomApi::Upload,
            WecomApi::SyncUser,
            WecomApi::JobResult,
        ]
        .into_iter()
        .map(|api| (api, self.of(api)))
    }
}
