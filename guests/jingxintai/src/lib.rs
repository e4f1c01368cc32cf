//! The rules of the factory 景欣泰, written in code.
//!
//! Its onboarding form has five fields that matter, named by their widget ids, and a finished row becomes one member
//! of WeCom. For another form, change the fields and their meaning in `decide`; `ruzhi guest test` runs the cases,
//! `ruzhi guest build` makes the component.

use ruzhi_guest::{Clock, Description, GuestError, Mapping, Member, Outcome, Problems, Record};

/// The form's fields. JianDaoYun names a field by its alias if the designer gave it one, else by its widget id.
const USERID: &str = "_widget_1681087902876";
const NAME: &str = "_widget_1675653229901";
const MOBILE: &str = "_widget_1680875447221";
const DEPARTMENT: &str = "_widget_1680156501787";
const POSITION: &str = "_widget_1680750424796";

/// (form field, WeCom field, label in the form).
const FIELDS: [(&str, &str, &str); 5] = [
    (USERID, "userid", "成员UserID"),
    (NAME, "name", "成员名称"),
    (MOBILE, "mobile", "手机号码"),
    (DEPARTMENT, "department", "成员所属部门id列表"),
    (POSITION, "position", "职务信息"),
];

/// The factory's rules. They have no settings, so `Rules` is `()`; a guest with settings parses them in `load`.
pub struct Jingxintai;

impl Mapping for Jingxintai {
    type Rules = ();

    // An invalid config is reported when the guest is loaded, not at the first row.
    fn load(config: &str) -> Result<(), GuestError> {
        if config.trim().is_empty() {
            return Ok(());
        }
        Err(GuestError {
            code: "config.invalid".to_owned(),
            message: "该规则组件没有可配置项，请去掉 config / this guest has no settings. Remove `config` from the flow"
                .to_owned(),
        })
    }

    // The host requests only these fields of the form, and shows them to the clerk under these labels.
    fn describe((): &()) -> Description {
        Description {
            name: "jingxintai".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            source_fields: FIELDS.iter().map(|(source, ..)| (*source).to_owned()).collect(),
            labels: FIELDS
                .iter()
                .flat_map(|(source, field, label)| [(*source, *label), (*field, *label)])
                .map(|(field, label)| (field.to_owned(), label.to_owned()))
                .collect(),
        }
    }

    fn decide((): &(), _clock: &Clock, record: &Record<'_>) -> Result<Outcome, Problems> {
        // Each getter cleans, reads and checks. `take` collects the violation and continues, so that the
        // clerk sees all problems of the row at once.
        let mut problems = Problems::default();
        let member = Member {
            userid: problems.take(record.userid(USERID)),
            name: problems.take(record.name(NAME)),
            mobile: Some(problems.take(record.mobile(MOBILE))),
            memberships: problems.take(record.departments(DEPARTMENT)),
            position: Some(problems.take(record.text(POSITION))),
            // The factory wants everyone invited. Without this line ruzhi would tell WeCom to send no invitation.
            to_invite: Some(true),
            // Fields not named here are not set by these rules, and ruzhi never changes them.
            ..Member::default()
        };
        problems.finish(member)
    }

    // If the finished member breaks a rule of WeCom, the violation names the form's field.
    fn source_of<'r>((): &'r (), field: &str) -> Option<&'r str> {
        FIELDS.iter().find(|(_, target, _)| *target == field).map(|(source, ..)| *source)
    }
}

ruzhi_guest::export!(Jingxintai);

#[cfg(test)]
mod tests;
