/**
 * The rules of the factory 景欣泰, written in TypeScript: the example to copy.
 *
 * Its onboarding form has five fields that matter, named by their widget ids, and a finished row becomes one member of
 * WeCom. To make a factory's own guest, change the names, the fields, and their meaning in `decide`.
 */

import { GuestError, mapping, upsert } from "ruzhi";

/** The form's fields. JianDaoYun names a field by its alias if the designer gave it one, else by its widget id. */
const USERID = "_widget_1681087902876";
const NAME = "_widget_1675653229901";
const MOBILE = "_widget_1680875447221";
const DEPARTMENT = "_widget_1680156501787";
const POSITION = "_widget_1680750424796";

/** (form field, WeCom field, label in the form). */
const FIELDS: [source: string, target: string, label: string][] = [
  [USERID, "userid", "成员UserID"],
  [NAME, "name", "成员名称"],
  [MOBILE, "mobile", "手机号码"],
  [DEPARTMENT, "department", "成员所属部门id列表"],
  [POSITION, "position", "职务信息"],
];

export default mapping({
  // An invalid config is reported when the guest is loaded, not at the first row. These rules have no settings; rules
  // with settings parse them here and return them.
  load(config) {
    if (config.trim() !== "") {
      throw new GuestError(
        "config.invalid",
        "该规则组件没有可配置项，请去掉 config / this guest has no settings. Remove `config` from the flow",
      );
    }
  },

  // The host requests only these fields of the form, and shows them to the clerk under these labels.
  describe() {
    return {
      name: "jingxintai",
      version: "0.1.0",
      sourceFields: FIELDS.map(([source]) => source),
      labels: FIELDS.flatMap(([source, target, label]): [string, string][] => [
        [source, label],
        [target, label],
      ]),
    };
  },

  // Each getter cleans, reads and checks. It records problems and continues, so that the clerk sees all problems of
  // the row at once.
  decide(_rules, _clock, record) {
    return upsert({
      userid: record.userid(USERID),
      name: record.name(NAME),
      mobile: record.mobile(MOBILE),
      memberships: record.departments(DEPARTMENT),
      position: record.text(POSITION),
      // The factory wants everyone invited. Without this line ruzhi would tell WeCom to send no invitation.
      toInvite: true,
      // Fields not named here are not set by these rules, and ruzhi never changes them.
    });
  },

  // If the finished member breaks a rule of WeCom, the violation names the form's field.
  sourceOf(_rules, field) {
    return FIELDS.find(([, target]) => target === field)?.[0];
  },
});
