//! The table of errcodes: the class of each code and the advice to a person.
//!
//! Source: WeCom's global error list (document 90313, 2026-02-11). The class determines the caller's next step; the
//! text tells it to a person, and the field is where the person looks. A code missing here is
//! [`ErrcodeClass::Unknown`].
//!
//! The [`Blame`] of a code determines whether a write that draws it stops its record, the creates, or the tenant. The
//! reasons are in `docs/decisions/0041-whose-error-it-is.md`; a code missing here is treated as one that may concern
//! one member or all.

use ruzhi_model::{Text, UniqueField};

/// The next step after an errcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrcodeClass {
    /// Success.
    Ok,
    /// A temporary failure; the same call may be repeated.
    Retry,
    /// The access token has expired: fetch one and repeat the call.
    RefreshToken,
    /// Too many calls in a window: the whole API rests until the window is over.
    Throttled,
    /// Too many concurrent calls: fewer in flight.
    Concurrency,
    /// This record is rejected; others are unaffected.
    BadRecord,
    /// A credential, permission, address or quota is wrong: a person has to fix it. The [`Blame`] tells how far it
    /// reaches.
    Configuration,
    /// The directory is already in the requested state.
    AlreadySo,
    /// A request that should never have been sent: our own bug.
    Bug,
    /// Not in the table.
    Unknown,
}

/// The scope of an error drawn by a write. The question for each code is "can it be said of one member, one
/// department, one request?". Where the documents leave it open, the run finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// This call, for now: the same call is repeated.
    Request,
    /// The member: its record waits, the others go on.
    Member,
    /// The tenant: the error concerns the secret, the app, the address or the corp, and names no member.
    Tenant,
    /// One member or the tenant. It is the tenant only if a harmless request is rejected too, or if the first
    /// different members of a run all draw it.
    Unsure,
    /// The corp has no place for another member; existing members are unaffected.
    Places,
}

/// The field of a member that an errcode speaks of.
#[derive(Debug, Clone, Copy)]
enum ErrcodeField {
    None,
    /// By WeCom's name.
    Named(&'static str),
    /// Another member has the value.
    Taken(UniqueField),
}

/// One errcode of the table.
#[derive(Debug, Clone, Copy)]
pub struct ErrcodeMeaning {
    /// The code.
    pub errcode: i64,
    /// The caller's next step.
    pub class: ErrcodeClass,
    /// The scope of the error.
    pub blame: Blame,
    field: ErrcodeField,
    means: (&'static str, &'static str),
    advice: (&'static str, &'static str),
}

impl ErrcodeMeaning {
    /// The field the code speaks of, by WeCom's name; the first of several.
    pub fn field(&self) -> Option<&'static str> {
        match self.field {
            ErrcodeField::None => None,
            ErrcodeField::Named(name) => Some(name),
            ErrcodeField::Taken(field) => Some(field.as_str()),
        }
    }

    /// The field whose value another member has, if the code says so.
    pub fn taken(&self) -> Option<UniqueField> {
        match self.field {
            ErrcodeField::Taken(field) => Some(field),
            ErrcodeField::None | ErrcodeField::Named(_) => None,
        }
    }

    /// The meaning of the code.
    pub fn means(&self) -> Text {
        Text::new(self.means.0, self.means.1)
    }

    /// The advice to a person.
    pub fn advice(&self) -> Text {
        Text::new(self.advice.0, self.advice.1)
    }

    /// The advice to a person once the error is known to concern one member and not the tenant.
    pub fn advice_for_one(&self) -> Text {
        let (en, zh) = if self.advice == REACH { OUT_OF_REACH } else { self.advice };
        Text::new(en, zh)
    }
}

const UNKNOWN: ErrcodeMeaning = ErrcodeMeaning {
    errcode: i64::MIN,
    class: ErrcodeClass::Unknown,
    blame: Blame::Unsure,
    field: ErrcodeField::None,
    means: ("WeCom answered with a code that is not in the table", "企业微信返回了未收录的错误码"),
    advice: (
        "Look the code up at https://open.work.weixin.qq.com/devtool/query and report it, so that it gets a class.",
        "请在 https://open.work.weixin.qq.com/devtool/query 查询该错误码并反馈，以便收录。",
    ),
};

/// The entry of `errcode`; [`ErrcodeClass::Unknown`] if it is not in the table.
pub fn meaning(errcode: i64) -> ErrcodeMeaning {
    let found = TABLE.binary_search_by_key(&errcode, |row| row.errcode).ok().and_then(|at| TABLE.get(at));
    found.copied().unwrap_or(ErrcodeMeaning { errcode, ..UNKNOWN })
}

/// The class of `errcode`.
pub fn class(errcode: i64) -> ErrcodeClass {
    meaning(errcode).class
}

/// The scope of `errcode`.
pub fn blame(errcode: i64) -> Blame {
    meaning(errcode).blame
}

type ErrcodeAdvice = (&'static str, &'static str);

const NOTHING: ErrcodeAdvice = ("Nothing to do.", "无需处理。");
const WAITS: ErrcodeAdvice = (
    "Nothing to do: the call is repeated. If it lasts, try later.",
    "无需处理，会自动重试；若持续出现，请稍后再试。",
);
const FIELD: ErrcodeAdvice = (
    "Correct the field in the form, or the rule that makes it; the record is then tried again.",
    "请修正表单中的字段或生成它的规则，之后会再次尝试。",
);
const TAKEN: ErrcodeAdvice = (
    "Find out in the WeCom console who holds the value, and correct the wrong one of the two.",
    "请在企业微信管理后台查明该值被谁占用，并修正其中错误的一方。",
);
const DEPARTMENT: ErrcodeAdvice = (
    "Correct the department in the form or in the rules so that it names one that exists in WeCom.",
    "请修正表单或规则中的部门，使其为企业微信中已存在的部门。",
);
const ACCOUNT: ErrcodeAdvice = (
    "Check in the WeCom console that the account exists and is visible to the sync assistant.",
    "请在管理后台确认该账号存在，且在通讯录同步助手的可见范围内。",
);
const MEDIA: ErrcodeAdvice =
    ("Upload the file again; an upload is good for three days.", "请重新上传文件，素材有效期为三天。");
const SECRET: ErrcodeAdvice = (
    "Check `corp_id` and `secret` of the tenant: the secret is the one under 管理工具 → 通讯录同步.",
    "请检查工厂配置中的 corp_id 与 secret：secret 取自 管理工具 → 通讯录同步。",
);
const PERMISSION: ErrcodeAdvice = (
    "In the WeCom console under 管理工具 → 通讯录同步, switch API sync on with the right to edit, and use its secret.",
    "请在 管理工具 → 通讯录同步 中开启 API 接口同步并授予编辑权限，且使用该处的 secret。",
);
const REACH: ErrcodeAdvice = (
    "In the WeCom console under 管理工具 → 通讯录同步, check that API sync is on with the right to edit, that its range is the whole corp, and that its secret is the one used.",
    "请在 管理工具 → 通讯录同步 中确认 API 接口同步已开启并有编辑权限、管理范围为整个企业，且使用的是该处的 secret。",
);
const OUT_OF_REACH: ErrcodeAdvice = (
    "Other members can be written, so this one is out of the sync assistant's reach: outside its range, an administrator above it, or the corp's creator. In the WeCom console widen the range under 管理工具 → 通讯录同步, or change this member there by hand.",
    "其他成员可以写入，因此是该成员不在通讯录同步助手的权限之内：不在其管理范围、是级别更高的管理员或企业创建者。请在管理后台 管理工具 → 通讯录同步 中扩大范围，或手工修改该成员。",
);
const QUOTA: ErrcodeAdvice = (
    "Free accounts in WeCom or raise the corp's limit, then run again.",
    "请在企业微信中释放账号或提高企业人数上限，然后重新运行。",
);
const OURS: ErrcodeAdvice = (
    "This is a fault of ruzhi or of the rules' own fields: report it with the record's trace.",
    "这是 ruzhi 或规则中自定义字段的问题，请附上该记录的轨迹反馈。",
);
const MAIL: ErrcodeAdvice = (
    "Correct the enterprise mail address, or leave it out of the rules.",
    "请修正企业邮箱，或在规则中去掉该字段。",
);

/// `-` for no field, a name for a field, `(Name)` for a field whose value another member has.
macro_rules! field {
    (-) => {
        ErrcodeField::None
    };
    ($name:ident) => {
        ErrcodeField::Named(stringify!($name))
    };
    (($name:ident)) => {
        ErrcodeField::Taken(UniqueField::$name)
    };
}

macro_rules! table {
    ($($errcode:literal $class:ident $blame:ident $advice:ident $field:tt $en:literal $zh:literal;)*) => {
        /// Sorted by code.
        const TABLE: &[ErrcodeMeaning] = &[$(
            ErrcodeMeaning {
                errcode: $errcode,
                class: ErrcodeClass::$class,
                blame: Blame::$blame,
                field: field!($field),
                means: ($en, $zh),
                advice: $advice,
            },
        )*];
    };
}

table! {
    -1 Retry Request WAITS - "the service is busy" "系统繁忙";
    0 Ok Request NOTHING - "success" "成功";
    6000 Retry Request WAITS - "several callers changed the same data at once" "数据版本冲突，多方同时修改";
    40001 Configuration Tenant SECRET - "the secret is wrong, was reset, or belongs to another corp" "secret 错误、已重置或与企业不匹配";
    40003 BadRecord Member FIELD userid "the userid is not valid or not in the directory" "UserID 无效或不在通讯录中";
    40004 BadRecord Member MEDIA - "the media file is of the wrong type" "媒体文件类型不合法";
    40005 BadRecord Member MEDIA - "the media type parameter is wrong" "媒体 type 参数不合法";
    40006 BadRecord Member MEDIA - "the media file has a wrong size" "媒体文件大小不合法";
    40007 BadRecord Member MEDIA - "the media id is wrong or has expired" "media_id 不合法或已过期";
    40013 Configuration Tenant SECRET - "the corp id is wrong" "CorpID 不合法";
    40014 RefreshToken Request WAITS - "the access token is not valid" "access_token 不合法";
    40031 BadRecord Member ACCOUNT - "a userid of the list is not in the directory" "UserID 列表中有不在通讯录中的成员";
    40032 BadRecord Member FIELD - "the list of userids is too long" "UserID 列表过长";
    40033 Bug Unsure OURS - "the request has \\uXXXX escapes" "请求包含 \\uXXXX 转义";
    40035 BadRecord Member FIELD - "a parameter is not valid" "参数不合法";
    40056 Configuration Tenant SECRET - "the agent id is wrong" "agentid 不合法";
    40057 Configuration Tenant PERMISSION - "the callback URL is not valid" "回调 URL 不合法";
    40058 BadRecord Member FIELD - "a parameter is not valid, or a value is too long" "参数不合法或超过长度限制";
    40063 BadRecord Member FIELD - "a parameter is empty" "参数为空";
    40066 BadRecord Member DEPARTMENT department "the department list is empty or names one that does not exist" "部门列表为空或包含不存在的部门";
    40068 BadRecord Member FIELD - "the tag id is not valid" "标签 ID 不合法";
    40088 BadRecord Member OURS - "no such batch job" "jobid 不存在";
    40089 BadRecord Member OURS - "the batch job's result is gone: only the last five are kept" "任务结果已清理，仅保留最近五个";
    40091 Configuration Tenant SECRET - "the secret belongs to another corp" "secret 不合法，属于其他企业";
    40092 BadRecord Member OURS - "the import file is empty or lacks a column" "导入文件为空或缺少必填列";
    40145 BadRecord Member MEDIA - "the media id has expired" "media_id 已过期";
    40206 BadRecord Member FIELD - "the request is too large" "请求体过大";
    41001 Bug Unsure OURS - "the request had no access token" "缺少 access_token";
    41002 Configuration Tenant SECRET - "the corp id is missing" "缺少 corpid";
    41004 Configuration Tenant SECRET - "the secret is missing" "缺少 secret";
    41006 BadRecord Member MEDIA - "the media id is missing" "缺少 media_id";
    41009 BadRecord Member FIELD userid "the userid is missing" "缺少 UserID";
    41019 BadRecord Member DEPARTMENT department "the department list is missing" "缺少部门列表";
    41036 BadRecord Member FIELD - "the external profile is not valid" "对外属性 external_profile 不合法";
    41066 BadRecord Member FIELD - "the channel name is not one of the corp's" "视频号名称不合法或未绑定";
    42001 RefreshToken Request WAITS - "the access token has expired" "access_token 已过期";
    44001 BadRecord Member MEDIA - "the media file is empty" "媒体文件为空";
    45001 BadRecord Member MEDIA - "the media file is too large" "媒体文件过大";
    45009 Throttled Request WAITS - "too many calls: the API rests until its window is over" "接口调用超过频率限制，需等待时间窗口结束";
    45024 Configuration Places QUOTA - "the corp has no free accounts" "企业成员数超过账号上限";
    45026 Configuration Tenant QUOTA - "WeCom's own guard against mass deletion stopped the import" "触发企业微信的批量删除保护";
    45029 Bug Unsure OURS - "the answer would be too large" "返回数据过大";
    45031 Configuration Tenant SECRET - "the secret is no longer safe and must be reset" "secret 安全性不足，需要重置";
    45033 Concurrency Request WAITS - "too many calls at once" "接口并发调用超过限制";
    45035 Retry Request WAITS - "the record was being changed by someone else" "同一记录正被并发修改";
    45036 Retry Request WAITS - "access to the data is slowed down for now" "数据访问被临时限流";
    46004 BadRecord Member ACCOUNT - "no such member, or not visible" "成员不存在或不可见";
    48001 Configuration Tenant PERMISSION - "the API is not authorised" "接口未授权";
    48002 Configuration Tenant PERMISSION - "the secret may not write the directory" "没有调用该接口的权限，写通讯录须用通讯录同步的 secret";
    48004 Configuration Tenant PERMISSION - "the authorisation is no longer good" "授权关系无效";
    48005 Configuration Unsure PERMISSION - "the API is retired" "接口已停用";
    48006 Configuration Tenant PERMISSION - "the permission was withdrawn because it was long unused" "长期未使用，接口权限被收回";
    48008 Configuration Unsure PERMISSION - "the authorisation allows only part of the directory APIs" "通讯录编辑授权仅支持部分接口";
    48009 Configuration Tenant PERMISSION - "the sync secret may not read member details from this address" "通讯录同步助手不可从该 IP 读取成员详情";
    48010 Configuration Tenant PERMISSION - "the TLS version is too old" "TLS 版本过低";
    50002 Configuration Unsure REACH userid "the member is outside the secret's range" "成员不在权限范围";
    50003 Configuration Tenant PERMISSION - "the app is disabled" "应用已停用";
    50006 Configuration Tenant PERMISSION - "the system app is disabled" "系统应用已停用";
    50100 Bug Unsure OURS - "the paging cursor is not valid" "分页游标无效";
    60001 BadRecord Member DEPARTMENT - "the department's name is empty or too long" "部门名称为空或过长";
    60003 BadRecord Member DEPARTMENT department "no such department" "部门不存在";
    60004 BadRecord Member DEPARTMENT department "no such parent department" "父部门不存在";
    60005 BadRecord Member DEPARTMENT - "the department still has members" "部门下还有成员";
    60006 BadRecord Member DEPARTMENT - "the department still has departments below it" "部门下还有子部门";
    60007 BadRecord Member DEPARTMENT - "the root department cannot be deleted" "不能删除根部门";
    60008 AlreadySo Member DEPARTMENT - "the department exists" "部门已存在";
    60009 BadRecord Member DEPARTMENT - "the department's name has characters that are not allowed" "部门名称含有非法字符";
    60010 BadRecord Member DEPARTMENT - "the department would be its own ancestor" "部门存在循环关系";
    60011 Configuration Unsure REACH userid "the secret may not see or edit this member, department or tag" "没有查看或编辑该成员、部门或标签的权限";
    60020 Configuration Tenant PERMISSION - "calls from this address are not allowed" "访问 IP 不在企业可信 IP 列表中";
    60021 Configuration Unsure REACH userid "the member is outside the app's visible range" "成员不在应用可见范围";
    60030 Configuration Unsure REACH userid "the member is beyond the app's visible range" "已超出应用可见范围";
    60031 Configuration Tenant PERMISSION - "this app may not call the API" "该应用禁止调用此接口";
    60102 AlreadySo Member TAKEN userid "the userid exists" "UserID 已存在";
    60103 BadRecord Member FIELD mobile "the mobile number is not valid" "手机号码不合法";
    60104 BadRecord Member TAKEN (Mobile) "another member has the mobile number" "手机号码已被其他成员使用";
    60105 BadRecord Member FIELD email "the e-mail address is not valid" "邮箱不合法";
    60106 BadRecord Member TAKEN (Email) "another member has the e-mail address" "邮箱已被其他成员使用";
    60107 BadRecord Member FIELD - "the WeChat id is not valid" "微信号不合法";
    60110 BadRecord Member DEPARTMENT department "the member is in too many departments" "成员所属部门过多";
    60111 BadRecord Member ACCOUNT userid "no such userid" "UserID 不存在";
    60112 BadRecord Member FIELD name "the name is empty or longer than 64 characters" "成员名称为空或超过 64 个字符";
    60123 BadRecord Member DEPARTMENT department "the department id is not valid" "部门 ID 无效";
    60124 BadRecord Member DEPARTMENT - "the parent department id is not valid" "父部门 ID 无效";
    60125 BadRecord Member DEPARTMENT - "the department's name is not valid" "部门名称不合法";
    60127 BadRecord Member DEPARTMENT department "the department is missing" "缺少部门";
    60129 BadRecord Member FIELD mobile "mobile and e-mail are both empty" "手机号与邮箱不能同时为空";
    60132 BadRecord Member DEPARTMENT is_leader_in_dept "is_leader_in_dept and department differ in length" "is_leader_in_dept 与 department 数量不一致";
    60136 BadRecord Member ACCOUNT - "the record does not exist" "记录不存在";
    60141 BadRecord Member FIELD email "the personal e-mail is not valid and there is no mobile" "个人邮箱不合法且没有手机号";
    60142 BadRecord Member TAKEN (Email) "another member has the personal e-mail" "个人邮箱已被使用，未更新";
    60143 BadRecord Member MAIL biz_mail "the enterprise mail address is not valid" "企业邮箱不合法";
    60144 BadRecord Member MAIL biz_mail "the enterprise mail address can no longer be changed" "企业邮箱不可再修改";
    60145 BadRecord Member MAIL (BizMail) "the enterprise mail address exists" "企业邮箱已存在";
    60146 BadRecord Member ACCOUNT - "no member has the mobile number" "手机号不存在";
    60147 BadRecord Member ACCOUNT - "no member has the e-mail address" "邮箱不存在";
    60148 BadRecord Member ACCOUNT - "no member has the enterprise mail address" "企业邮箱不存在";
    60150 BadRecord Member FIELD extattr "an extended attribute is of another type" "扩展属性类型不匹配";
    60257 BadRecord Member FIELD direct_leader "too many direct leaders" "直属上级过多";
    60269 BadRecord Member MAIL biz_mail "the enterprise mail alias is refused" "企业邮箱别名不合法";
    60270 BadRecord Member MAIL biz_mail "the enterprise mail alias is refused" "企业邮箱别名不合法";
    60271 BadRecord Member MAIL biz_mail "the enterprise mail alias is refused" "企业邮箱别名不合法";
    60272 BadRecord Member MAIL biz_mail "the enterprise mail alias is refused" "企业邮箱别名不合法";
    60273 BadRecord Member MAIL biz_mail "the enterprise mail alias is refused" "企业邮箱别名不合法";
    60274 BadRecord Member MAIL biz_mail "the enterprise mail alias is refused" "企业邮箱别名不合法";
    60275 BadRecord Member MAIL biz_mail "the enterprise mail of this member cannot be managed by the API" "该成员的企业邮箱不可通过接口管理";
    81001 BadRecord Member DEPARTMENT department "the department has more than 30,000 members and departments" "部门下的成员与子部门超过三万";
    81002 BadRecord Member DEPARTMENT department "departments are more than 15 levels deep" "部门层级超过 15 层";
    81013 BadRecord Member FIELD - "every user, party and tag is invalid" "成员、部门、标签全部不合法";
    82001 BadRecord Member FIELD - "user, party and tag are all empty" "成员、部门、标签全部为空";
    92000 Configuration Unsure REACH userid "the member is outside the app's visible range" "成员不在应用可见范围";
    301002 Configuration Tenant SECRET - "the secret is not of this app" "secret 与应用不匹配";
    301005 BadRecord Member ACCOUNT userid "the corp's creator cannot be deleted" "不可删除企业创建者";
    301007 Configuration Tenant PERMISSION - "the corp is dissolved or blocked" "企业不可用";
    301012 BadRecord Member FIELD position "the position is longer than 128 characters" "职务超过 128 个字符";
    301013 BadRecord Member FIELD telephone "the telephone is not 1 to 32 digits or `-`" "座机须为 1 至 32 位数字或 -";
    301014 BadRecord Member FIELD - "the English name is not valid" "英文名不合法";
    301015 BadRecord Member MEDIA avatar_mediaid "the avatar's media id is not valid" "头像 media_id 不合法";
    301021 BadRecord Member ACCOUNT userid "a userid is not in the directory" "UserID 不在通讯录中";
    301023 BadRecord Member FIELD - "the list of userids is not valid" "UserID 列表不合法";
    301036 BadRecord Member FIELD userid "the userid may not be changed" "UserID 不可修改";
    301042 Configuration Tenant PERMISSION - "calls from this address are not allowed" "请求 IP 不在白名单内";
    680037 Configuration Places QUOTA - "the corp has no free accounts" "企业账号余量不足";
    680046 BadRecord Member MAIL - "the corp has no free enterprise mailboxes" "企业邮箱启用数量已达上限";
    701099 Configuration Unsure REACH userid "the member has no valid licence for the API" "该成员没有有效的接口许可";
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzhi_model::Lang;

    /// Every code of the contact-sync part of the global error list, with its class there: T retry (also `L`, the
    /// long wait, and `P`, fewer at once), A refresh the token, C configuration, R bad record, I already so, B our
    /// bug.
    const LISTED: &str = "-1:T 0:0 6000:T 40001:C 40003:R 40004:R 40005:R 40006:R 40007:R 40013:C 40014:A 40031:R \
        40032:R 40033:B 40035:R 40056:C 40057:C 40058:R 40063:R 40066:R 40068:R 40088:R 40089:R 40091:C 40145:R \
        40206:R 40092:R 41001:B 41002:C 41004:C 41006:R 41009:R 41019:R 42001:A 44001:R 45001:R 45009:L 45024:C \
        45026:C 45029:B 45031:C 45033:P 45035:T 45036:T 46004:R 48001:C 48002:C 48005:C 48006:C 48008:C 48009:C \
        50002:C 50003:C 50006:C 48010:C 50100:B 60001:R 60003:R 60004:R 60005:R 60006:R 60007:R 60008:I 60009:R \
        60010:R 60011:C 60020:C 60021:C 60031:C 60102:I 60103:R 60104:R 60105:R 60106:R 60107:R 60110:R 60111:R \
        60112:R 60123:R 60124:R 60125:R 60127:R 60129:R 60132:R 60136:R 60141:R 60142:R 60143:R 60144:R 60145:R \
        60146:R 60147:R 60148:R 60150:R 60257:R 60269:R 60270:R 60271:R 60272:R 60273:R 60274:R 60275:R 81001:R \
        81002:R 81013:R 82001:R 301002:C 301005:R 301007:C 301012:R 301013:R 301014:R 301015:R 301021:R 301023:R \
        301036:R 41036:R 41066:R";
    /// Codes of the list beyond that part that a write may draw as well: ranges, licences, seats.
    const BEYOND: &str = "48004:C 60030:C 92000:C 301042:C 680037:C 680046:R 701099:C";

    /// The scope of each code other than those of a bad record or a repeated call.
    const BLAMED: &str = "40001:T 40013:T 40056:T 40057:T 40091:T 41002:T 41004:T 45026:T 45031:T 48001:T 48002:T \
        48004:T 48005:? 48006:T 48008:? 48009:T 48010:T 50002:? 50003:T 50006:T 60011:? 60020:T 60021:? 60030:? 60031:T \
        92000:? 301002:T 301007:T 301042:T 701099:? 40033:? 41001:? 45029:? 50100:? 45024:P 680037:P";

    #[test]
    fn every_listed_code_has_its_class_and_there_is_no_other() {
        let mut listed = 0;
        for entry in LISTED.split_whitespace().chain(BEYOND.split_whitespace()) {
            let (errcode, letter) = entry.split_once(':').unwrap();
            let expected = match letter {
                "0" => ErrcodeClass::Ok,
                "T" => ErrcodeClass::Retry,
                "L" => ErrcodeClass::Throttled,
                "P" => ErrcodeClass::Concurrency,
                "A" => ErrcodeClass::RefreshToken,
                "C" => ErrcodeClass::Configuration,
                "R" => ErrcodeClass::BadRecord,
                "I" => ErrcodeClass::AlreadySo,
                "B" => ErrcodeClass::Bug,
                other => panic!("{other}"),
            };
            assert_eq!(class(errcode.parse().unwrap()), expected, "{errcode}");
            listed += 1;
        }
        assert_eq!(listed, TABLE.len());
    }

    /// The class alone does not determine the scope, so each code was asked: can it be said of one member?
    #[test]
    fn every_code_has_a_scope() {
        let mut blamed: std::collections::BTreeMap<i64, Blame> = BLAMED
            .split_whitespace()
            .map(|entry| {
                let (errcode, letter) = entry.split_once(':').unwrap();
                let blame = match letter {
                    "T" => Blame::Tenant,
                    "?" => Blame::Unsure,
                    "P" => Blame::Places,
                    other => panic!("{other}"),
                };
                (errcode.parse().unwrap(), blame)
            })
            .collect();
        for row in TABLE {
            let expected = match row.class {
                ErrcodeClass::BadRecord | ErrcodeClass::AlreadySo => Blame::Member,
                ErrcodeClass::Configuration | ErrcodeClass::Bug => blamed.remove(&row.errcode).unwrap(),
                _ => Blame::Request,
            };
            assert_eq!(blame(row.errcode), expected, "{}", row.errcode);
        }
        assert!(blamed.is_empty(), "{blamed:?}");
        assert_eq!(blame(123_456), Blame::Unsure);
    }

    #[test]
    fn the_table_is_sorted_so_that_every_code_is_found() {
        assert!(TABLE.windows(2).all(|pair| pair[0].errcode < pair[1].errcode));
    }

    #[test]
    fn every_code_says_in_both_languages_what_it_means_and_what_to_do() {
        for row in TABLE {
            for text in [row.means(), row.advice(), row.advice_for_one()] {
                assert!(text.in_lang(Lang::En).is_ascii() || text.en.contains('→'), "{}", row.errcode);
                assert!(!text.zh.is_ascii(), "{}", row.errcode);
            }
        }
    }

    /// The fields of the codes that speak of one; `!` if another member has the value.
    const FIELDS: &str = "40003:userid 40066:department 41009:userid 41019:department 50002:userid 60003:department \
        60004:department 60011:userid 60021:userid 60030:userid 60102:userid 60103:mobile 60104:mobile! 60105:email \
        60106:email! 60110:department 60111:userid 60112:name 60123:department 60127:department 60129:mobile \
        60132:is_leader_in_dept 60141:email 60142:email! 60143:biz_mail 60144:biz_mail 60145:biz_mail! 60150:extattr \
        60257:direct_leader 60269:biz_mail 60270:biz_mail 60271:biz_mail 60272:biz_mail 60273:biz_mail 60274:biz_mail \
        60275:biz_mail 81001:department 81002:department 92000:userid 301005:userid 301012:position 301013:telephone \
        301015:avatar_mediaid 301021:userid 301036:userid 701099:userid";

    #[test]
    fn every_code_names_the_field_it_speaks_of() {
        let named = |row: &ErrcodeMeaning| {
            let field = row.field()?;
            let taken = row.taken().map_or("", |taken| {
                assert_eq!(taken.as_str(), field);
                "!"
            });
            Some(format!("{}:{field}{taken}", row.errcode))
        };
        let fields: Vec<String> = TABLE.iter().filter_map(named).collect();
        assert_eq!(fields, FIELDS.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn a_code_that_is_not_listed_is_unknown_and_keeps_its_number() {
        assert_eq!(class(123_456), ErrcodeClass::Unknown);
        assert_eq!(meaning(123_456).errcode, 123_456);
    }
}
