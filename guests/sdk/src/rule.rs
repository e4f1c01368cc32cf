//! The hard constraints of WeCom's `user/create`, field by field, each as a function on the value, and [`check`] over
//! a whole member.
//!
//! They are written once and used on both sides of the sandbox: a guest rejects a row with them, and the host runs
//! [`check`] on every member that a guest returned. Lengths are those of the page for `user/create` as of 2025-07; if
//! the update page allows less (`biz_mail`), the smaller one applies, because created members are updated later.
//!
//! An empty optional field is valid: it is left out when the member is created and cleared when it is updated.

pub mod extra;

use crate::contract::{Member, Violation};
use crate::department;
use crate::email;
use crate::fault::{Fault, show};
use crate::mobile;
use crate::text::{has_control, is_blank};

/// Every rule a member breaks, each at its WeCom field; none if WeCom would accept the member.
pub fn check(member: &Member) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut hold = |field: &str, verdict: Result<(), Fault>| {
        if let Err(fault) = verdict {
            found.push(fault.at(field));
        }
    };
    hold("userid", userid(&member.userid));
    hold("name", name(&member.name));
    if is_absent(&member.mobile) && is_absent(&member.email) {
        hold("mobile", Err(no_contact()));
    }
    hold("mobile", filled(&member.mobile, mobile::check));
    hold("email", filled(&member.email, email::check));
    hold("department", department::check(member.memberships.iter().map(|membership| membership.department)));
    hold("main_department", main_department(member));
    hold("position", filled(&member.position, position));
    hold("alias", filled(&member.alias, alias));
    hold("gender", filled(&member.gender, gender));
    hold("telephone", filled(&member.telephone, telephone));
    hold("address", filled(&member.address, address));
    if let Some(leaders) = &member.direct_leader {
        hold("direct_leader", direct_leader(leaders));
    }
    hold("biz_mail", filled(&member.biz_mail, email::check_biz_mail));
    hold("external_position", filled(&member.external_position, external_position));
    // There are four names, so of five at least one is rejected; beyond that no more are reported, even of a hundred
    // thousand.
    for (index, (field, json)) in member.extra.iter().enumerate().take(2 * extra::FIELDS.len()) {
        let repeated = member.extra.iter().take(index).any(|(earlier, _)| earlier == field);
        hold(field, if repeated { Err(extra::duplicate(field)) } else { extra::check(field, json) });
    }
    found
}

fn is_absent(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}

fn filled(text: &Option<String>, rule: impl Fn(&str) -> Result<(), Fault>) -> Result<(), Fault> {
    match text.as_deref() {
        None | Some("") => Ok(()),
        Some(text) => rule(text),
    }
}

/// A userid: 1–64 bytes of letters, digits and `_-@.`, the first a letter or digit.
///
/// # Errors
/// `userid.empty`, `userid.too-long`, `userid.charset`, `userid.first-character`.
pub fn userid(text: &str) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let lawful = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-@.".contains(byte);
    match bytes.first() {
        None => Err(Fault::new(
            "userid.empty",
            "成员 UserID 为空，请填写帐号",
            "the userid is empty. Fill in the account",
        )),
        Some(_) if bytes.len() > 64 => Err(Fault::new(
            "userid.too-long",
            format_args!("成员 UserID {} 有 {} 字节，不得超过 64 字节，请缩短", show(text), bytes.len()),
            format_args!(
                "the userid {} has {} bytes, at most 64 are allowed. Shorten it",
                show(text),
                bytes.len()
            ),
        )),
        Some(_) if !bytes.iter().all(lawful) => Err(Fault::new(
            "userid.charset",
            format_args!("成员 UserID {} 含有不允许的字符，只能用字母、数字和 _-@. ，请更正", show(text)),
            format_args!(
                "the userid {} has other characters than letters, digits and _-@. Correct it",
                show(text)
            ),
        )),
        Some(first) if !first.is_ascii_alphanumeric() => Err(Fault::new(
            "userid.first-character",
            format_args!("成员 UserID {} 的第一个字符必须是字母或数字，请更正", show(text)),
            format_args!("the userid {} must begin with a letter or digit. Correct it", show(text)),
        )),
        Some(_) => Ok(()),
    }
}

/// A name: 1–64 characters on one line.
///
/// # Errors
/// `name.empty`, `name.too-long`, `name.control-character`.
pub fn name(text: &str) -> Result<(), Fault> {
    const NAME: Line = Line {
        most: 64,
        too_long: "name.too-long",
        control: "name.control-character",
        chinese: "姓名",
        english: "name",
    };
    if is_blank(text) {
        return Err(Fault::new("name.empty", "姓名为空，请填写姓名", "the name is empty. Fill it in"));
    }
    NAME.check(text)
}

/// A job title: at most 128 characters on one line.
///
/// # Errors
/// `position.too-long`, `position.control-character`.
pub fn position(text: &str) -> Result<(), Fault> {
    const POSITION: Line = Line {
        most: 128,
        too_long: "position.too-long",
        control: "position.control-character",
        chinese: "职务",
        english: "position",
    };
    POSITION.check(text)
}

/// An alias: at most 64 characters on one line.
///
/// # Errors
/// `alias.too-long`, `alias.control-character`.
pub fn alias(text: &str) -> Result<(), Fault> {
    const ALIAS: Line = Line {
        most: 64,
        too_long: "alias.too-long",
        control: "alias.control-character",
        chinese: "别名",
        english: "alias",
    };
    ALIAS.check(text)
}

/// An address: at most 128 characters on one line.
///
/// # Errors
/// `address.too-long`, `address.control-character`.
pub fn address(text: &str) -> Result<(), Fault> {
    const ADDRESS: Line = Line {
        most: 128,
        too_long: "address.too-long",
        control: "address.control-character",
        chinese: "地址",
        english: "address",
    };
    ADDRESS.check(text)
}

/// A job title shown outside the company: at most 12 characters on one line.
///
/// # Errors
/// `external-position.too-long`, `external-position.control-character`.
pub fn external_position(text: &str) -> Result<(), Fault> {
    const EXTERNAL_POSITION: Line = Line {
        most: 12,
        too_long: "external-position.too-long",
        control: "external-position.control-character",
        chinese: "对外职务",
        english: "external position",
    };
    EXTERNAL_POSITION.check(text)
}

/// A gender: `1` male, `2` female.
///
/// # Errors
/// `gender.invalid`.
pub fn gender(text: &str) -> Result<(), Fault> {
    if matches!(text, "1" | "2") {
        return Ok(());
    }
    Err(Fault::new(
        "gender.invalid",
        format_args!("性别 {} 无效，请填写 男 或 女", show(text)),
        format_args!("the gender {} is not known. Write 1 or male, 2 or female", show(text)),
    ))
}

/// A gender as people write it, to `1` or `2`.
///
/// # Errors
/// `gender.invalid`.
pub fn parse_gender(text: &str) -> Result<&'static str, Fault> {
    match crate::text::identifier(text).to_ascii_lowercase().as_str() {
        "1" | "男" | "男性" | "male" | "m" | "先生" => Ok("1"),
        "2" | "女" | "女性" | "female" | "f" | "女士" => Ok("2"),
        _ => gender(text).map(|()| "1"),
    }
}

/// A landline: at most 32 characters of digits, `-`, `+` and `,`.
///
/// # Errors
/// `telephone.invalid`.
pub fn telephone(text: &str) -> Result<(), Fault> {
    let lawful = |byte: u8| byte.is_ascii_digit() || b"-+,".contains(&byte);
    if text.len() <= 32 && text.bytes().all(lawful) && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(Fault::new(
        "telephone.invalid",
        format_args!("座机 {} 无效，只能用数字、- + ,，且不超过 32 位，请更正", show(text)),
        format_args!(
            "the telephone {} may only have digits, - + and , and at most 32 of them. Correct it",
            show(text)
        ),
    ))
}

/// A landline as people write it: brackets become `-`, spaces are removed, an extension (`转`, `x`, `ext.`) goes after
/// a `,`.
///
/// # Errors
/// `telephone.invalid`.
pub fn parse_telephone(text: &str) -> Result<String, Fault> {
    let mut telephone = String::new();
    for c in crate::text::identifier(text).chars() {
        let c = match c {
            '转' | 'x' | 'X' => ',',
            ')' | '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            c => c,
        };
        let is_noise = c.is_whitespace() || matches!(c, '(' | 'e' | 't' | '.');
        let is_repeated = c == '-' && telephone.ends_with('-');
        if !is_noise && !is_repeated {
            telephone.push(c);
        }
    }
    self::telephone(&telephone).map_err(|fault| self::telephone(text).err().unwrap_or(fault))?;
    Ok(telephone)
}

/// Direct leaders: at most one, a userid.
///
/// # Errors
/// `direct-leader.too-many`, `direct-leader.invalid`.
pub fn direct_leader(leaders: &[String]) -> Result<(), Fault> {
    match leaders {
        [] => Ok(()),
        [leader] => userid(leader).map_err(|_| {
            Fault::new(
                "direct-leader.invalid",
                format_args!("直属上级 {} 不是有效的 UserID，请更正", show(leader)),
                format_args!("the direct leader {} is no userid. Correct it", show(leader)),
            )
        }),
        leaders => Err(Fault::new(
            "direct-leader.too-many",
            format_args!("直属上级最多 1 位，现有 {} 位，请只保留一位", leaders.len()),
            format_args!("a member has at most 1 direct leader, here are {}. Keep one", leaders.len()),
        )),
    }
}

fn main_department(member: &Member) -> Result<(), Fault> {
    match member.main_department {
        Some(main) if !member.memberships.iter().any(|membership| membership.department == main) => {
            Err(Fault::new(
                "main-department.not-a-member",
                format_args!("主部门 {main} 不在所属部门之中，请更正主部门或所属部门"),
                format_args!(
                    "the main department {main} is none of the member's departments. Correct one of them"
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn no_contact() -> Fault {
    Fault::new(
        "contact.missing",
        "手机号和邮箱不能同时为空，请至少填写一项",
        "mobile and e-mail are both empty. Fill in one of them",
    )
}

/// A text of one line.
struct Line {
    most: usize,
    too_long: &'static str,
    control: &'static str,
    chinese: &'static str,
    english: &'static str,
}

impl Line {
    fn check(&self, text: &str) -> Result<(), Fault> {
        let Line { most, chinese, english, .. } = self;
        // A character has at least one byte.
        if text.len() > self.most {
            let count = text.chars().count();
            if count > self.most {
                return Err(Fault::new(
                    self.too_long,
                    format_args!("{chinese} {} 有 {count} 个字符，不得超过 {most} 个，请缩短", show(text)),
                    format_args!(
                        "the {english} {} has {count} characters, at most {most} are allowed. Shorten it",
                        show(text)
                    ),
                ));
            }
        }
        if has_control(text) {
            return Err(Fault::new(
                self.control,
                format_args!("{chinese} {} 含有换行或控制字符，请删除", show(text)),
                format_args!("the {english} {} has a line break or control character. Remove it", show(text)),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
