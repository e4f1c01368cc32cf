/**
 * The rules of the factory 景欣泰, written in TypeScript: the example to copy.
 *
 * Its onboarding form has five fields that matter, named by their widget ids, and a finished row becomes one member of
 * WeCom. To make a factory's own guest: change the names and the fields, and say in `decide` what the form means.
 */

import { GuestError, mapping, upsert } from "ruzhi";

/** The form's fields. JianDaoYun names a field by its alias if the designer gave it one, else by its widget id. */
const USERID = "_widget_1681087902876";
const NAME = "_widget_1675653229901";
const MOBILE = "_widget_1680875447221";
const DEPARTMENT = "_widget_1680156501787";
const POSITION = "_widget_1680750424796";

/** (form field, WeCom field, what the form calls it). */
const FIELDS: [source: string, target: string, label: string][] = [
  [USERID, "userid", "成员UserID"],
  [NAME, "name", "成员名称"],
  [MOBILE, "mobile", "手机号码"],
  [DEPARTMENT, "department", "成员所属部门id列表"],
  [POSITION, "position", "职务信息"],
];

export default mapping({
  // What a config is refused for, the operator reads when the guest is loaded, not when the first row comes. These
  // rules have no settings; rules with settings parse them here and return them.
  load(config) {
    if (config.trim() !== "") {
      throw new GuestError(
        "config.invalid",
        "该规则组件没有可配置项，请去掉 config / this guest has no settings. Remove `config` from the flow",
      );
    }
  },

  // The host asks the form for these fields and no others, and names them by these labels to the clerk.
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

  // Each getter cleans, reads and checks. What is wrong it keeps and goes on, so that the clerk hears of everything
  // that is wrong with the row at once.
  decide(_rules, _clock, record) {
    return upsert({
      userid: record.userid(USERID),
      name: record.name(NAME),
      mobile: record.mobile(MOBILE),
      memberships: record.departments(DEPARTMENT),
      position: record.text(POSITION),
      // The factory wants everyone invited. Without this line ruzhi would tell WeCom to invite nobody.
      toInvite: true,
      // What is not named here, these rules do not speak of, and ruzhi never changes it.
    });
  },

  // A rule of WeCom that the finished member breaks is told in the name of the form's field.
  sourceOf(_rules, field) {
    return FIELDS.find(([, target]) => target === field)?.[0];
  },
});
