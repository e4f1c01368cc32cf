//! The outcome of a row, in the words of the people who fill in the form.

use ruzhi_model::{Lang, MemberState, Text, Violation};
use ruzhi_store::DueWriteBack;

/// The longest text that is written, in characters.
const LONGEST: usize = 500;

/// The outcome of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowOutcome {
    /// Its person is in the directory as the row says.
    Ready,
    /// Its person left, and may no longer log in.
    Disabled,
    /// Its person left, and is no longer in the directory.
    Deleted,
    /// A person has to approve first.
    Waits,
    /// Its person is in the directory, and something of it is still missing: one text for each reason.
    ReadyBut(Vec<String>),
    /// It has to be corrected: one text for each reason.
    Rejected(Vec<String>),
    /// The text on it no longer holds, and there is no other.
    Nothing,
}

impl RowOutcome {
    /// The text.
    pub(super) fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            Self::Ready => ("Account ready", "已开通"),
            Self::Disabled => ("Account disabled", "已停用"),
            Self::Deleted => ("Account deleted", "已删除"),
            Self::Waits => ("Waiting for approval", "待审批"),
            Self::Nothing => ("", ""),
            Self::ReadyBut(reasons) | Self::Rejected(reasons) => {
                let ready = matches!(self, Self::ReadyBut(_));
                let (head, by) = match (ready, lang) {
                    (true, Lang::En) => ("Account ready. ", "; "),
                    (true, Lang::Zh) => ("已开通。", "；"),
                    (false, Lang::En) => ("To be corrected: ", "; "),
                    (false, Lang::Zh) => ("待修正：", "；"),
                };
                let text = format!("{head}{}", reasons.join(by));
                return match text.chars().count() {
                    count if count > LONGEST => text.chars().take(LONGEST - 1).chain(['…']).collect(),
                    _ => text,
                };
            }
        };
        Text::new(en, zh).in_lang(lang).to_owned()
    }
}

/// The outcome of a row, without the reasons it has to be corrected for. None while it is not known: an operation has
/// not been done, or could not be.
pub(super) fn outcome(due: &DueWriteBack, waited: bool) -> Option<RowOutcome> {
    if due.waits {
        return Some(RowOutcome::Waits);
    }
    if let Some(rejection) = &due.rejection {
        let there = due.member == Some(MemberState::Active) && !rejection.blocks();
        return Some(if there { RowOutcome::ReadyBut(Vec::new()) } else { RowOutcome::Rejected(Vec::new()) });
    }
    match due.member {
        Some(MemberState::Active) => Some(RowOutcome::Ready),
        Some(MemberState::Left) => Some(RowOutcome::Disabled),
        Some(MemberState::Deleted | MemberState::Removed) => Some(RowOutcome::Deleted),
        // A row that asks for nothing any more, or whose plan a person rejected.
        None if due.ignored || waited => Some(RowOutcome::Nothing),
        None => None,
    }
}

/// One reason: the field by its label, and what is wrong with it.
pub(super) fn reason(violation: &Violation, labels: &[(String, String)], lang: Lang) -> String {
    let message = lang.of(&violation.message);
    match label(&violation.field, labels, lang) {
        Some(label) => match lang {
            Lang::En => format!("{label}: {message}"),
            Lang::Zh => format!("{label}：{message}"),
        },
        None => message.to_owned(),
    }
}

/// The reason that another person has the mobile number or account.
pub(super) fn taken(field: &str, holder: &str, labels: &[(String, String)], lang: Lang) -> String {
    let label = label(field, labels, lang).unwrap_or_else(|| field.to_owned());
    match lang {
        Lang::En => format!("{label} is taken by {holder}"),
        Lang::Zh => format!("{label}重复，已被 {holder} 使用"),
    }
}

/// The form's label of a field, or else the common name of WeCom's field.
fn label(field: &str, labels: &[(String, String)], lang: Lang) -> Option<String> {
    if let Some((_, label)) = labels.iter().find(|(name, label)| name == field && !label.is_empty()) {
        return Some(label.clone());
    }
    let known = match field {
        "userid" => Text::new("account", "账号"),
        "name" => Text::new("name", "姓名"),
        "mobile" => Text::new("mobile number", "手机号"),
        "email" => Text::new("e-mail", "邮箱"),
        "biz_mail" => Text::new("business e-mail", "企业邮箱"),
        "department" => Text::new("department", "部门"),
        "main_department" => Text::new("main department", "主部门"),
        "position" => Text::new("position", "职务"),
        "telephone" => Text::new("telephone", "座机"),
        "alias" => Text::new("alias", "别名"),
        "gender" => Text::new("gender", "性别"),
        "address" => Text::new("address", "地址"),
        "direct_leader" => Text::new("direct leader", "直属上级"),
        "is_leader_in_dept" => Text::new("leader", "部门负责人"),
        _ => return (!field.is_empty()).then(|| field.to_owned()),
    };
    Some(known.in_lang(lang).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzhi_model::{Digest, RejectedBy, Rejection, WaitsFor};

    fn violation(field: &str, en: &str, zh: &str) -> Violation {
        Violation { field: field.to_owned(), rule: "r".to_owned(), message: Text::new(en, zh).into() }
    }

    #[test]
    fn a_reason_is_told_in_one_language_under_the_form_s_own_label() {
        let labels = [("_widget_1".to_owned(), "手机".to_owned())];
        let wrong = violation("_widget_1", "is malformed", "格式不正确");
        assert_eq!(reason(&wrong, &labels, Lang::Zh), "手机：格式不正确");
        assert_eq!(reason(&wrong, &labels, Lang::En), "手机: is malformed");
        assert_eq!(reason(&violation("mobile", "x", "x / y"), &[], Lang::Zh), "手机号：x / y");
        assert_eq!(reason(&violation("", "not 可", "不可"), &[], Lang::En), "not 可");
        assert_eq!(taken("mobile", "李四", &[], Lang::Zh), "手机号重复，已被 李四 使用");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let words = RowOutcome::Rejected(vec!["长".repeat(600)]).words(Lang::Zh);
        assert_eq!(words.chars().count(), LONGEST);
        assert!(words.ends_with('…'));
    }

    #[test]
    fn of_what_is_not_known_nothing_is_told() {
        let rejection = Rejection::new(RejectedBy::Guest, vec![]);
        let due = DueWriteBack {
            record: "a1".parse().unwrap(),
            ignored: false,
            member: None,
            rejection: None,
            waits: false,
            basis: String::new(),
            written: Some(Digest::of("x")),
            failures: 0,
        };
        assert_eq!(outcome(&due, false), None);
        assert_eq!(outcome(&due, true), Some(RowOutcome::Nothing));
        assert_eq!(outcome(&DueWriteBack { ignored: true, ..due.clone() }, false), Some(RowOutcome::Nothing));
        let rejected =
            DueWriteBack { rejection: Some(rejection), member: Some(MemberState::Active), ..due.clone() };
        assert_eq!(outcome(&rejected, false), Some(RowOutcome::Rejected(vec![])));
        let waiting = Rejection { waits_for: WaitsFor::Leader, ..Rejection::new(RejectedBy::Plan, vec![]) };
        let pending = DueWriteBack { rejection: Some(waiting), ..rejected.clone() };
        assert_eq!(outcome(&pending, false), Some(RowOutcome::ReadyBut(vec![])));
        assert_eq!(
            outcome(&DueWriteBack { member: None, ..pending }, false),
            Some(RowOutcome::Rejected(vec![])),
            "not in the directory"
        );
        let words = RowOutcome::ReadyBut(vec!["直属上级：不在企业微信".to_owned()]).words(Lang::Zh);
        assert_eq!(words, "已开通。直属上级：不在企业微信");
        assert_eq!(outcome(&DueWriteBack { waits: true, ..rejected }, false), Some(RowOutcome::Waits));
        for (state, words) in
            [(MemberState::Active, "已开通"), (MemberState::Left, "已停用"), (MemberState::Deleted, "已删除")]
        {
            let due = DueWriteBack { member: Some(state), ..due.clone() };
            assert_eq!(outcome(&due, false).unwrap().words(Lang::Zh), words);
        }
    }
}
