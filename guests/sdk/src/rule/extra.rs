//! The fields that the contract carries as JSON text: `extattr`, `external_profile`, `avatar_mediaid`, `nickname`.
//!
//! Any other name is rejected. WeCom ignores unknown fields, so a misspelt one would be silently lost; and a known
//! one, such as `new_userid`, would have an effect that no rule here has checked.

use serde_json::{Value, json};

use crate::fault::{Fault, show};
use crate::text::has_control;

/// The names `extra` may hold.
pub const FIELDS: [&str; 4] = ["extattr", "external_profile", "avatar_mediaid", "nickname"];

/// The most bytes of a field's JSON text. A member with a hundred attributes has a third of it.
const MOST: usize = 64 << 10;

/// The fields of `user/create` that have a place of their own in the contract.
const OWN: [&str; 18] = [
    "userid",
    "name",
    "mobile",
    "email",
    "department",
    "order",
    "is_leader_in_dept",
    "main_department",
    "position",
    "alias",
    "gender",
    "telephone",
    "address",
    "direct_leader",
    "biz_mail",
    "external_position",
    "enable",
    "to_invite",
];

/// Checks that a field may be given in `extra` with this JSON text.
///
/// # Errors
/// `extra.own-field`, `extra.unknown-field`, `extra.too-long`, `extra.not-json`; `extattr.invalid`, `external-profile.invalid`,
/// `avatar-mediaid.invalid`, `nickname.invalid`.
pub fn check(field: &str, json: &str) -> Result<(), Fault> {
    if OWN.contains(&field) {
        return Err(Fault::new(
            "extra.own-field",
            format_args!("{field} 有专用字段，不能放在 extra 中，请改用专用字段"),
            format_args!("{field} has a field of its own and may not be in extra. Use that field"),
        ));
    }
    if !FIELDS.contains(&field) {
        let shown = show(field);
        return Err(Fault::new(
            "extra.unknown-field",
            format_args!(
                "企业微信没有 {shown} 字段，extra 只能含 extattr、external_profile、avatar_mediaid、nickname"
            ),
            format_args!(
                "{shown} is no field for extra: it takes extattr, external_profile, avatar_mediaid, nickname"
            ),
        ));
    }
    if json.len() > MOST {
        return Err(Fault::new(
            "extra.too-long",
            format_args!("{field} 的内容有 {} 字节，不得超过 {MOST} 字节，请缩短", json.len()),
            format_args!(
                "the value of {field} has {} bytes, at most {MOST} are allowed. Shorten it",
                json.len()
            ),
        ));
    }
    let value = serde_json::from_str(json).map_err(|_| {
        Fault::new(
            "extra.not-json",
            format_args!("{field} 的内容不是有效的 JSON，请更正规则"),
            format_args!("the value of {field} is not JSON. Correct the rules"),
        )
    })?;
    check_value(field, &value)
}

/// [`check`] of a field by its value.
///
/// # Errors
/// As [`check`].
pub fn check_value(field: &str, value: &Value) -> Result<(), Fault> {
    match field {
        "extattr" => extattr(value).map_err(|reason| reason.fault("extattr.invalid", "扩展属性", "extattr")),
        "external_profile" => external_profile(value)
            .map_err(|reason| reason.fault("external-profile.invalid", "对外信息", "external_profile")),
        "avatar_mediaid" => word(value, 256)
            .map_err(|reason| reason.fault("avatar-mediaid.invalid", "头像 mediaid", "avatar_mediaid")),
        _ => word(value, 64).map_err(|reason| reason.fault("nickname.invalid", "视频号名称", "nickname")),
    }
}

/// The attribute object of a text attribute, for `extattr.attrs`.
pub fn text_attribute(name: &str, text: &str) -> Value {
    json!({ "type": 0, "name": name, "text": { "value": text } })
}

pub(crate) fn duplicate(field: &str) -> Fault {
    Fault::new(
        "extra.duplicate",
        format_args!("extra 中 {} 出现了两次，请只保留一个", show(field)),
        format_args!("{} is twice in extra. Keep one", show(field)),
    )
}

/// The problem in both languages, without a subject.
struct Reason(String, String);

impl Reason {
    fn fault(self, rule: &'static str, chinese: &str, english: &str) -> Fault {
        let Reason(in_chinese, in_english) = self;
        Fault::new(
            rule,
            format_args!("{chinese}：{in_chinese}，请更正"),
            format_args!("{english}: {in_english}. Correct it"),
        )
    }
}

fn reason(chinese: impl Into<String>, english: impl Into<String>) -> Reason {
    Reason(chinese.into(), english.into())
}

fn extattr(value: &Value) -> Result<(), Reason> {
    let fields = value
        .as_object()
        .ok_or_else(|| reason("应为对象 {\"attrs\":[…]}", "must be an object {\"attrs\":[…]}"))?;
    if let Some(key) = fields.keys().find(|key| *key != "attrs") {
        return Err(unknown(key));
    }
    let attributes = fields.get("attrs").and_then(Value::as_array);
    let attributes = attributes.ok_or_else(|| reason("缺少列表 attrs", "has no list attrs"))?;
    attributes.iter().try_for_each(|attribute| attribute_of(attribute, 64, &[0, 1]))
}

fn external_profile(value: &Value) -> Result<(), Reason> {
    let fields = value.as_object().ok_or_else(|| reason("应为对象", "must be an object"))?;
    for (key, value) in fields {
        match key.as_str() {
            "external_corp_name" => word(value, 64)?,
            "wechat_channels" => {
                let nickname = value.as_object().and_then(|channels| channels.get("nickname"));
                word(nickname.unwrap_or(&Value::Null), 64)?;
            }
            "external_attr" => {
                let attributes = value.as_array();
                let attributes = attributes
                    .ok_or_else(|| reason("external_attr 应为列表", "external_attr must be a list"))?;
                attributes.iter().try_for_each(|attribute| attribute_of(attribute, 32, &[0, 1, 2]))?;
            }
            key => return Err(unknown(key)),
        }
    }
    Ok(())
}

/// `{type:0,name,text:{value}}`, `{type:1,name,web:{url,title}}` or `{type:2,name,miniprogram:{appid,pagepath,title}}`.
fn attribute_of(value: &Value, text_most: usize, kinds: &[u64]) -> Result<(), Reason> {
    let name =
        value.get("name").and_then(Value::as_str).filter(|name| !name.is_empty() && !has_control(name));
    let name = name.ok_or_else(|| reason("属性缺少名称 name", "an attribute has no name"))?;
    let kind = value.get("type").and_then(Value::as_u64).filter(|kind| kinds.contains(kind));
    let part =
        |key: &str, field: &str| value.get(key).and_then(|part| part.get(field)).and_then(Value::as_str);
    let title_fits =
        |key| part(key, "title").is_some_and(|title| title.chars().count() <= 12 && !has_control(title));
    let shown = show(name);
    let wrong = |chinese: &str, english: &str| {
        Err(reason(format!("属性 {shown} {chinese}"), format!("attribute {shown} {english}")))
    };
    match kind {
        Some(0) => match part("text", "value") {
            Some(text) if text.chars().count() <= text_most && !has_control(text) => Ok(()),
            Some(_) => wrong(
                &format!("的文本超过 {text_most} 个字符或含有控制字符"),
                &format!("has more than {text_most} characters or a control character"),
            ),
            None => wrong("缺少 text.value", "has no text.value"),
        },
        Some(1) => match part("web", "url") {
            Some(url) if (url.starts_with("http://") || url.starts_with("https://")) && title_fits("web") => {
                Ok(())
            }
            _ => wrong(
                "的 web 须有 http(s) 网址 url 和不超过 12 个字符的 title",
                "needs a web with an http(s) url and a title of at most 12 characters",
            ),
        },
        Some(_) => {
            let filled = |field| part("miniprogram", field).is_some_and(|text| !text.is_empty());
            if filled("appid") && filled("pagepath") && title_fits("miniprogram") {
                return Ok(());
            }
            wrong(
                "的 miniprogram 须有 appid、pagepath 和不超过 12 个字符的 title",
                "needs a miniprogram with appid, pagepath and a title of at most 12 characters",
            )
        }
        None => wrong("的 type 不受支持", "has a type that is not allowed"),
    }
}

fn word(value: &Value, most: usize) -> Result<(), Reason> {
    match value.as_str() {
        Some(text) if text.chars().count() <= most && !has_control(text) => Ok(()),
        _ => Err(reason(
            format!("应为不超过 {most} 个字符的文本"),
            format!("must be a text of at most {most} characters"),
        )),
    }
}

fn unknown(key: &str) -> Reason {
    reason(format!("不认识的键 {}", show(key)), format!("unknown key {}", show(key)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::any_json;

    fn rule(field: &str, value: Value) -> String {
        check(field, &value.to_string()).err().map(|fault| fault.rule.into_owned()).unwrap_or_default()
    }

    #[test]
    fn lawful_extras() {
        assert_eq!(rule("extattr", json!({"attrs": []})), "");
        assert_eq!(
            rule("extattr", json!({"attrs": [text_attribute("工号", "001"), text_attribute("空", "")]})),
            ""
        );
        let web = json!({"type": 1, "name": "主页", "web": {"url": "https://example.com", "title": "主页"}});
        assert_eq!(rule("extattr", json!({"attrs": [web]})), "");
        let program = json!({"type": 2, "name": "小程序", "miniprogram": {"appid": "wx1", "pagepath": "/i", "title": "入口"}});
        assert_eq!(
            rule(
                "external_profile",
                json!({"external_corp_name": "景欣泰", "wechat_channels": {"nickname": "号"}, "external_attr": [program]})
            ),
            ""
        );
        assert_eq!(rule("avatar_mediaid", json!("2-G6nrLmr5EC3MNb")), "");
        assert_eq!(rule("nickname", json!("号")), "");
    }

    #[test]
    fn unlawful_extras() {
        assert_eq!(rule("mobile", json!("1")), "extra.own-field");
        assert_eq!(rule("new_userid", json!("a")), "extra.unknown-field");
        assert_eq!(check("extattr", "{").unwrap_err().rule, "extra.not-json");
        for value in [
            json!([]),
            json!({}),
            json!({"attrs": {}}),
            json!({"attrs": [], "attr": 1}),
            json!({"attrs": [{"type": 0, "text": {"value": "a"}}]}),
            json!({"attrs": [{"type": 0, "name": "a"}]}),
            json!({"attrs": [text_attribute("a", &"字".repeat(65))]}),
            json!({"attrs": [text_attribute("a", "x\ny")]}),
            json!({"attrs": [{"type": 1, "name": "a", "web": {"url": "ftp://x", "title": "t"}}]}),
            json!({"attrs": [{"type": 1, "name": "a", "web": {"url": "http://x", "title": "十三个字的标题就太长了点吧"}}]}),
            json!({"attrs": [{"type": 2, "name": "a", "miniprogram": {"appid": "a", "pagepath": "b", "title": "c"}}]}),
        ] {
            assert_eq!(rule("extattr", value.clone()), "extattr.invalid", "{value}");
        }
        assert_eq!(
            rule("external_profile", json!({"external_attr": [text_attribute("a", &"字".repeat(33))]})),
            "external-profile.invalid"
        );
        assert_eq!(rule("external_profile", json!({"x": 1})), "external-profile.invalid");
        assert_eq!(rule("avatar_mediaid", json!(1)), "avatar-mediaid.invalid");
        assert_eq!(rule("nickname", json!("a\n")), "nickname.invalid");
    }

    proptest! {
        #[test]
        fn no_value_is_too_strange(field in prop_oneof![Just("extattr"), Just("external_profile"), Just("x")], value in any_json()) {
            let _ = check_value(field, &value);
            let _ = check(field, &value.to_string());
        }
    }
}
