/**
 * The hard constraints of WeCom's `user/create`, field by field, each as a function on the value that tells the
 * fault, and {@link check} over a whole member. The host checks them again on every returned member.
 *
 * An empty optional field is valid: it is left out when the member is created and cleared when it is updated.
 */

import type { Member, Violation } from "./contract.ts";
import * as department from "./department.ts";
import * as email from "./email.ts";
import * as extra from "./extra.ts";
import { Fault, show } from "./fault.ts";
import * as mobile from "./mobile.ts";
import { asciiLower, bytes, characters, hasControl, identifier, isBlank } from "./text.ts";

const USERID = /^[A-Za-z0-9][A-Za-z0-9_@.-]*$/;

/** Every rule a member breaks, each at its WeCom field; none if WeCom would accept the member. */
export function check(member: Member): Violation[] {
  const found: Violation[] = [];
  const hold = (field: string, fault: Fault | undefined) => {
    if (fault !== undefined) {
      found.push(fault.at(field));
    }
  };
  const filled = (text: string | null | undefined, rule: (text: string) => Fault | undefined) =>
    text ? rule(text) : undefined;
  const { memberships = [], extra: extras = [] } = member;
  hold("userid", userid(member.userid));
  hold("name", name(member.name));
  if (!member.mobile && !member.email) {
    hold("mobile", noContact());
  }
  hold("mobile", filled(member.mobile, mobile.check));
  hold("email", filled(member.email, email.check));
  hold("department", department.check(memberships.map((membership) => membership.department)));
  hold("main_department", mainDepartment(member));
  hold("position", filled(member.position, position));
  hold("alias", filled(member.alias, alias));
  hold("gender", filled(member.gender, gender));
  hold("telephone", filled(member.telephone, telephone));
  hold("address", filled(member.address, address));
  hold("direct_leader", directLeader(member.directLeader ?? []));
  hold("biz_mail", filled(member.bizMail, email.checkBizMail));
  hold("external_position", filled(member.externalPosition, externalPosition));
  const seen = new Set<string>();
  for (const [field, json] of extras) {
    hold(field, seen.has(field) ? extra.duplicate(field) : extra.check(field, json));
    seen.add(field);
  }
  return found;
}

/**
 * A userid: 1–64 bytes of letters, digits and `_-@.`, the first a letter or digit. Faults `userid.empty`,
 * `userid.too-long`, `userid.charset`, `userid.first-character`.
 */
export function userid(text: string): Fault | undefined {
  if (text.length <= 64 && USERID.test(text)) {
    return undefined;
  }
  if (text === "") {
    return new Fault("userid.empty", "成员 UserID 为空，请填写帐号", "the userid is empty. Fill in the account");
  }
  const shown = show(text);
  const length = bytes(text);
  if (length > 64) {
    return new Fault(
      "userid.too-long",
      `成员 UserID ${shown} 有 ${length} 字节，不得超过 64 字节，请缩短`,
      `the userid ${shown} has ${length} bytes, at most 64 are allowed. Shorten it`,
    );
  }
  if (/[^A-Za-z0-9_@.-]/.test(text)) {
    return new Fault(
      "userid.charset",
      `成员 UserID ${shown} 含有不允许的字符，只能用字母、数字和 _-@. ，请更正`,
      `the userid ${shown} has other characters than letters, digits and _-@. Correct it`,
    );
  }
  return new Fault(
    "userid.first-character",
    `成员 UserID ${shown} 的第一个字符必须是字母或数字，请更正`,
    `the userid ${shown} must begin with a letter or digit. Correct it`,
  );
}

/** A text of one line: its maximum length, the code of its rules, and its name in both languages. */
interface Line {
  most: number;
  rule: string;
  chinese: string;
  english: string;
}

const NAME: Line = { most: 64, rule: "name", chinese: "姓名", english: "name" };
const POSITION: Line = { most: 128, rule: "position", chinese: "职务", english: "position" };
const ALIAS: Line = { most: 64, rule: "alias", chinese: "别名", english: "alias" };
const ADDRESS: Line = { most: 128, rule: "address", chinese: "地址", english: "address" };
const EXTERNAL_POSITION: Line = {
  most: 12,
  rule: "external-position",
  chinese: "对外职务",
  english: "external position",
};

/** A name: 1–64 characters on one line. Faults `name.empty`, `name.too-long`, `name.control-character`. */
export function name(text: string): Fault | undefined {
  if (isBlank(text)) {
    return new Fault("name.empty", "姓名为空，请填写姓名", "the name is empty. Fill it in");
  }
  return checkLine(NAME, text);
}

/** A job title: at most 128 characters on one line. Faults `position.too-long`, `position.control-character`. */
export function position(text: string): Fault | undefined {
  return checkLine(POSITION, text);
}

/** An alias: at most 64 characters on one line. Faults `alias.too-long`, `alias.control-character`. */
export function alias(text: string): Fault | undefined {
  return checkLine(ALIAS, text);
}

/** An address: at most 128 characters on one line. Faults `address.too-long`, `address.control-character`. */
export function address(text: string): Fault | undefined {
  return checkLine(ADDRESS, text);
}

/**
 * A job title shown outside the company: at most 12 characters on one line. Faults `external-position.too-long`,
 * `external-position.control-character`.
 */
export function externalPosition(text: string): Fault | undefined {
  return checkLine(EXTERNAL_POSITION, text);
}

function checkLine({ most, rule, chinese, english }: Line, text: string): Fault | undefined {
  // A character has at least one unit.
  if (text.length > most) {
    const count = characters(text);
    if (count > most) {
      return new Fault(
        `${rule}.too-long`,
        `${chinese} ${show(text)} 有 ${count} 个字符，不得超过 ${most} 个，请缩短`,
        `the ${english} ${show(text)} has ${count} characters, at most ${most} are allowed. Shorten it`,
      );
    }
  }
  if (hasControl(text)) {
    return new Fault(
      `${rule}.control-character`,
      `${chinese} ${show(text)} 含有换行或控制字符，请删除`,
      `the ${english} ${show(text)} has a line break or control character. Remove it`,
    );
  }
  return undefined;
}

/** A gender: `1` male, `2` female. Fault `gender.invalid`. */
export function gender(text: string): Fault | undefined {
  if (text === "1" || text === "2") {
    return undefined;
  }
  return new Fault(
    "gender.invalid",
    `性别 ${show(text)} 无效，请填写 男 或 女`,
    `the gender ${show(text)} is not known. Write 1 or male, 2 or female`,
  );
}

const GENDERS = new Map([
  ...["1", "男", "男性", "male", "m", "先生"].map((word) => [word, "1"] as const),
  ...["2", "女", "女性", "female", "f", "女士"].map((word) => [word, "2"] as const),
]);

/** A gender as people write it, to `1` or `2`. Throws `gender.invalid`. */
export function parseGender(text: string): string {
  const known = GENDERS.get(asciiLower(identifier(text)));
  if (known === undefined) {
    throw gender(text);
  }
  return known;
}

/** A landline: at most 32 characters of digits, `-`, `+` and `,`. Fault `telephone.invalid`. */
export function telephone(text: string): Fault | undefined {
  if (text.length <= 32 && /^[0-9+,-]+$/.test(text) && /[0-9]/.test(text)) {
    return undefined;
  }
  return new Fault(
    "telephone.invalid",
    `座机 ${show(text)} 无效，只能用数字、- + ,，且不超过 32 位，请更正`,
    `the telephone ${show(text)} may only have digits, - + and , and at most 32 of them. Correct it`,
  );
}

/**
 * A landline as people write it: brackets become `-`, spaces are removed, an extension (`转`, `x`, `ext.`) goes after
 * a `,`. Throws `telephone.invalid`.
 */
export function parseTelephone(text: string): string {
  const number = identifier(text)
    .replace(/[转xX]/g, ",")
    .replace(/[)\u2010-\u2015\u2212]/g, "-")
    .replace(/[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000(et.]+/g, "")
    .replace(/-+/g, "-");
  const fault = telephone(number);
  if (fault !== undefined) {
    throw telephone(text) ?? fault;
  }
  return number;
}

/** Direct leaders: at most one, a userid. Faults `direct-leader.too-many`, `direct-leader.invalid`. */
export function directLeader(leaders: readonly string[]): Fault | undefined {
  const [leader] = leaders;
  if (leader === undefined) {
    return undefined;
  }
  if (leaders.length > 1) {
    return new Fault(
      "direct-leader.too-many",
      `直属上级最多 1 位，现有 ${leaders.length} 位，请只保留一位`,
      `a member has at most 1 direct leader, here are ${leaders.length}. Keep one`,
    );
  }
  if (userid(leader) === undefined) {
    return undefined;
  }
  return new Fault(
    "direct-leader.invalid",
    `直属上级 ${show(leader)} 不是有效的 UserID，请更正`,
    `the direct leader ${show(leader)} is no userid. Correct it`,
  );
}

function mainDepartment({ mainDepartment: main, memberships = [] }: Member): Fault | undefined {
  if (main === undefined || main === null || memberships.some(({ department: id }) => id === main)) {
    return undefined;
  }
  return new Fault(
    "main-department.not-a-member",
    `主部门 ${main} 不在所属部门之中，请更正主部门或所属部门`,
    `the main department ${main} is none of the member's departments. Correct one of them`,
  );
}

function noContact(): Fault {
  return new Fault(
    "contact.missing",
    "手机号和邮箱不能同时为空，请至少填写一项",
    "mobile and e-mail are both empty. Fill in one of them",
  );
}
