/**
 * The fields that the contract carries as JSON text: `extattr`, `external_profile`, `avatar_mediaid`, `nickname`.
 *
 * Any other name is rejected. WeCom ignores unknown fields, so a misspelt one would be silently lost; and a known
 * one, such as `new_userid`, would have an effect that no rule here has checked.
 */

import { Fault, show } from "./fault.ts";
import { entries } from "./json.ts";
import type { Json } from "./json.ts";
import { characters, hasControl } from "./text.ts";
import { jsonIn } from "./value.ts";

/** The names `extra` may hold. */
export const FIELDS: readonly string[] = ["extattr", "external_profile", "avatar_mediaid", "nickname"];

/** The fields of `user/create` that have a place of their own in the contract. */
const OWN: ReadonlySet<string> = new Set([
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
]);

/**
 * The reason why a field may not be given in `extra` with this JSON text: `extra.own-field`, `extra.unknown-field`,
 * `extra.not-json`; `extattr.invalid`, `external-profile.invalid`, `avatar-mediaid.invalid`, `nickname.invalid`.
 */
export function check(field: string, json: string): Fault | undefined {
  if (OWN.has(field)) {
    return new Fault(
      "extra.own-field",
      `${field} 有专用字段，不能放在 extra 中，请改用专用字段`,
      `${field} has a field of its own and may not be in extra. Use that field`,
    );
  }
  if (!FIELDS.includes(field)) {
    const shown = show(field);
    return new Fault(
      "extra.unknown-field",
      `企业微信没有 ${shown} 字段，extra 只能含 extattr、external_profile、avatar_mediaid、nickname`,
      `${shown} is no field for extra: it takes extattr, external_profile, avatar_mediaid, nickname`,
    );
  }
  const value = jsonIn(json);
  if (value === undefined) {
    return new Fault(
      "extra.not-json",
      `${field} 的内容不是有效的 JSON，请更正规则`,
      `the value of ${field} is not JSON. Correct the rules`,
    );
  }
  return checkValue(field, value);
}

/** {@link check} of a field by its value. */
export function checkValue(field: string, value: Json): Fault | undefined {
  switch (field) {
    case "extattr":
      return faultOf(extattr(value), "extattr.invalid", "扩展属性", "extattr");
    case "external_profile":
      return faultOf(externalProfile(value), "external-profile.invalid", "对外信息", "external_profile");
    case "avatar_mediaid":
      return faultOf(word(value, 256), "avatar-mediaid.invalid", "头像 mediaid", "avatar_mediaid");
    default:
      return faultOf(word(value, 64), "nickname.invalid", "视频号名称", "nickname");
  }
}

/** The attribute object of a text attribute, for `{"attrs":[…]}` of `extattr`. */
export function textAttribute(name: string, text: string): object {
  return { type: 0, name, text: { value: text } };
}

export function duplicate(field: string): Fault {
  return new Fault(
    "extra.duplicate",
    `extra 中 ${show(field)} 出现了两次，请只保留一个`,
    `${show(field)} is twice in extra. Keep one`,
  );
}

/** The problem in both languages, without a subject. */
type Reason = readonly [chinese: string, english: string];

function faultOf(reason: Reason | undefined, rule: string, chinese: string, english: string): Fault | undefined {
  return reason && new Fault(rule, `${chinese}：${reason[0]}，请更正`, `${english}: ${reason[1]}. Correct it`);
}

function extattr(value: Json): Reason | undefined {
  if (!(value instanceof Map)) {
    return ['应为对象 {"attrs":[…]}', 'must be an object {"attrs":[…]}'];
  }
  for (const [key] of entries(value)) {
    if (key !== "attrs") {
      return unknown(key);
    }
  }
  const attributes = value.get("attrs");
  if (!Array.isArray(attributes)) {
    return ["缺少列表 attrs", "has no list attrs"];
  }
  return firstReason(attributes, 64, 1n);
}

function externalProfile(value: Json): Reason | undefined {
  if (!(value instanceof Map)) {
    return ["应为对象", "must be an object"];
  }
  for (const [key, part] of entries(value)) {
    let reason: Reason | undefined;
    switch (key) {
      case "external_corp_name":
        reason = word(part, 64);
        break;
      case "wechat_channels":
        reason = word(partOf(part, "nickname") ?? null, 64);
        break;
      case "external_attr":
        reason = Array.isArray(part)
          ? firstReason(part, 32, 2n)
          : ["external_attr 应为列表", "external_attr must be a list"];
        break;
      default:
        reason = unknown(key);
    }
    if (reason !== undefined) {
      return reason;
    }
  }
  return undefined;
}

function firstReason(attributes: Json[], textMost: number, lastKind: bigint): Reason | undefined {
  for (const attribute of attributes) {
    const reason = attributeReason(attribute, textMost, lastKind);
    if (reason !== undefined) {
      return reason;
    }
  }
  return undefined;
}

/** `{type:0,name,text:{value}}`, `{type:1,name,web:{url,title}}` or `{type:2,name,miniprogram:{appid,pagepath,title}}`. */
function attributeReason(value: Json, textMost: number, lastKind: bigint): Reason | undefined {
  const name = textOf(value, "name");
  if (!name || hasControl(name)) {
    return ["属性缺少名称 name", "an attribute has no name"];
  }
  const shown = show(name);
  const wrong = (chinese: string, english: string): Reason => [`属性 ${shown} ${chinese}`, `attribute ${shown} ${english}`];
  const part = (key: string, field: string) => textOf(partOf(value, key), field);
  const titleFits = (key: string) => {
    const title = part(key, "title");
    return title !== undefined && characters(title, 13) <= 12 && !hasControl(title);
  };
  const kind = partOf(value, "type");
  if (typeof kind !== "bigint" || kind < 0n || kind > lastKind) {
    return wrong("的 type 不受支持", "has a type that is not allowed");
  }
  if (kind === 0n) {
    const text = part("text", "value");
    if (text === undefined) {
      return wrong("缺少 text.value", "has no text.value");
    }
    return characters(text, textMost + 1) <= textMost && !hasControl(text)
      ? undefined
      : wrong(`的文本超过 ${textMost} 个字符或含有控制字符`, `has more than ${textMost} characters or a control character`);
  }
  if (kind === 1n) {
    return /^https?:\/\//.test(part("web", "url") ?? "") && titleFits("web")
      ? undefined
      : wrong(
          "的 web 须有 http(s) 网址 url 和不超过 12 个字符的 title",
          "needs a web with an http(s) url and a title of at most 12 characters",
        );
  }
  return part("miniprogram", "appid") && part("miniprogram", "pagepath") && titleFits("miniprogram")
    ? undefined
    : wrong(
        "的 miniprogram 须有 appid、pagepath 和不超过 12 个字符的 title",
        "needs a miniprogram with appid, pagepath and a title of at most 12 characters",
      );
}

function word(value: Json, most: number): Reason | undefined {
  return typeof value === "string" && characters(value, most + 1) <= most && !hasControl(value)
    ? undefined
    : [`应为不超过 ${most} 个字符的文本`, `must be a text of at most ${most} characters`];
}

function unknown(key: string): Reason {
  return [`不认识的键 ${show(key)}`, `unknown key ${show(key)}`];
}

function partOf(value: Json | undefined, key: string): Json | undefined {
  return value instanceof Map ? value.get(key) : undefined;
}

function textOf(value: Json | undefined, key: string): string | undefined {
  const text = partOf(value, key);
  return typeof text === "string" ? text : undefined;
}
