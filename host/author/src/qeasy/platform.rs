//! The meaning of the platform's other keys, which are not carried over.

use super::document::Document;
use super::json::JsonMember;
use super::note::Notes;
use ruzhi_message::sanitize;

/// Keys that ruzhi handles by itself.
const HANDLED: &[(&str, &str, &str)] = &[
    ("id", "a row is known by JianDaoYun's own `_id`", "数据行以简道云的 `_id` 识别"),
    ("number", "a row is known by JianDaoYun's own `_id`", "数据行以简道云的 `_id` 识别"),
    ("name", "people are shown by what fills `name` in WeCom", "界面以写入企业微信 name 的内容显示"),
    ("idCheck", "uniqueness is always checked", "唯一性总会检查"),
    ("effect", "ruzhi decides what reads and what writes", "读写由 ruzhi 决定"),
    ("method", "ruzhi knows the method of each route", "请求方法由 ruzhi 决定"),
    ("pagination", "ruzhi asks for full pages", "分页由 ruzhi 处理"),
    ("limit", "ruzhi asks for full pages", "分页由 ruzhi 处理"),
    ("skip", "ruzhi asks for full pages", "分页由 ruzhi 处理"),
    ("data_id", "ruzhi pages by it itself", "翻页由 ruzhi 处理"),
    ("dataId", "ruzhi pages by it itself", "翻页由 ruzhi 处理"),
    ("fields", "ruzhi asks for the fields that the rules file reads", "ruzhi 只查询规则文件用到的字段"),
    ("autoFillResponse", "ruzhi reads what the rules file names", "ruzhi 只读取规则文件用到的字段"),
    ("buildModel", "ruzhi has its own store", "ruzhi 自带存储"),
    ("delay", "ruzhi keeps to the services' limits by itself", "限流由 ruzhi 处理"),
    (
        "omissionRemedy",
        "ruzhi reads an overlap again on every run; a run of `sync --full` reads everything",
        "每次运行都会重读一段重叠时间；`sync --full` 读取全部",
    ),
];

/// Reports a key that is not carried over; `whose` names its metadata. An empty key is skipped.
pub(super) fn tell(member: &JsonMember, whose: (&str, &str), document: &Document<'_>, notes: &mut Notes) {
    let value = &member.value;
    if value.is_blank() || matches!(value.kind, super::json::JsonKind::Bool(false)) {
        return;
    }
    let key = shown(&member.key);
    match HANDLED.iter().find(|(known, ..)| *known == member.key) {
        Some((_, en, zh)) => {
            notes.at(
                document,
                member.at,
                format!("`{key}` is not needed: {en}"),
                format!("`{key}` 不需要：{zh}"),
            );
        }
        None => notes.at(
            document,
            member.at,
            format!("`{key}` of {} is not carried over; see whether the flow needs it", whose.0),
            format!("{}的 `{key}` 未转入，请确认是否需要", whose.1),
        ),
    }
}

/// A text of the metadata, cut to the length of a message.
pub(super) fn shown(text: &str) -> String {
    let mut shown = sanitize::line(text, 80);
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}
