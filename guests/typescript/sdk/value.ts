/**
 * Reads the shapes in which JianDaoYun returns a field's value.
 *
 * A form field can be empty in many ways: `null`, `""`, `[]`, `{}`, `{"phone":""}`, an address of empty parts. All of
 * them are {@link isEmpty}. A phone field is an object, a person is known by `username`, a department by `dept_no`,
 * depending on the form's design; so {@link text} accepts them all. An account, a number or an address cannot be made
 * from every value with a text: {@link identity} accepts only suitable values.
 */

import { Fault, cut, show } from "./fault.ts";
import { JsonError, entries, parseJson, writeJson } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import { asciiLower, identifier, isBlank, isPlaceholder, trim } from "./text.ts";

/** True if the form has no value here. */
export function isEmpty(value: Json): boolean {
  if (typeof value === "string") {
    return isBlank(value);
  }
  if (value === null) {
    return true;
  }
  if (typeof value !== "object") {
    return false;
  }
  if (Array.isArray(value)) {
    return value.every(isEmpty);
  }
  const phone = value.get("phone");
  return phone !== undefined ? isEmpty(phone) : [...value.values()].every(isEmpty);
}

/**
 * The value as text: a phone object's number, a person's `username`, a department's `dept_no`, an address in one line,
 * a linked row's id, a whole number without a fraction, a list's items joined with `,`. Empty values are `""`.
 *
 * Throws `value.shape` if the value is an object without a single text, such as an attachment.
 */
export function text(value: Json): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      return String(value);
    case "number":
      return Number.isInteger(value) && Math.abs(value) < 9e15 ? String(value) : writeJson(value);
    default:
  }
  if (value === null) {
    return "";
  }
  if (!Array.isArray(value)) {
    const found = objectText(value);
    if (found === undefined) {
      throw shape(value);
    }
    return found;
  }
  const [first] = value;
  if (value.length === 1 && first !== undefined) {
    return text(first);
  }
  let joined = "";
  for (const item of value) {
    if (!isEmpty(item)) {
      joined += (joined === "" ? "" : ",") + text(item);
    }
  }
  return joined;
}

const LITERALS = new Set(["true", "false", "null", "undefined"]);

/**
 * The value as the text of one identity: an account, a mobile number, an e-mail address, a name. A text, a whole number, a
 * person's `username`, a phone object's number, or a list of one of these. Empty values are `""`.
 *
 * Throws `value.shape` for a boolean, a fraction, a number beyond 2^53, a list of several, any other object, and a
 * text that programs write for no value, such as `undefined`.
 */
export function identity(value: Json): string {
  switch (typeof value) {
    case "string":
      if (LITERALS.has(asciiLower(identifier(value)))) {
        throw noIdentity(`文本 ${show(value)}`, `the text ${show(value)}`);
      }
      return value;
    case "boolean":
      throw noIdentity(`“是/否”值 ${value}`, `the yes or no ${value}`);
    case "bigint":
    case "number":
      // Beyond 2^53 the writer of the JSON may have rounded its last digit.
      if (!Number.isSafeInteger(Number(value))) {
        const shown = show(writeJson(value));
        throw noIdentity(`数字 ${shown}`, `the number ${shown}`);
      }
      return String(value);
    default:
  }
  if (value === null) {
    return "";
  }
  if (Array.isArray(value)) {
    const filled = value.filter((item) => !isEmpty(item));
    if (filled.length > 1) {
      throw noIdentity(`含有 ${filled.length} 项的列表`, `a list of ${filled.length} items`);
    }
    return identity(filled[0] ?? null);
  }
  const held = value.get("phone") ?? (value.has("phone") ? null : value.get("username"));
  if (held === undefined && isEmpty(value)) {
    return "";
  }
  if (held === undefined || (typeof held === "object" && held !== null)) {
    const kind = keysOf(value);
    throw noIdentity(`含有 ${kind} 的对象`, `an object of ${kind}`);
  }
  return identity(held);
}

/** True for a placeholder instead of a value, as `isPlaceholder` decides for the value's text. */
export function placeholder(value: Json): string | undefined {
  if (value === null || (typeof value !== "string" && typeof value !== "object")) {
    return undefined;
  }
  try {
    const written = text(value);
    return isPlaceholder(written) ? written : undefined;
  } catch (fault) {
    if (fault instanceof Fault) {
      return undefined;
    }
    throw fault;
  }
}

function noIdentity(chinese: string, english: string): Fault {
  return new Fault(
    "value.shape",
    `${chinese}不能作为帐号、手机号、邮箱或姓名，请更正，或改用其他字段`,
    `${english} is no account, number, address or name. Correct it, or use another field`,
  );
}

function objectText(fields: JsonObject): string | undefined {
  for (const key of ["phone", "username", "dept_no", "id"]) {
    const value = fields.get(key);
    if (value !== undefined) {
      return typeof value === "object" && value !== null ? undefined : text(value);
    }
  }
  const parts = ["province", "city", "district", "detail"];
  if (!parts.some((key) => fields.has(key))) {
    return [...fields.values()].every(isEmpty) ? "" : undefined;
  }
  // In the four municipalities the city repeats the province.
  return parts
    .map((key) => fields.get(key))
    .filter((part) => typeof part === "string")
    .filter((part, index, all) => part !== all[index - 1])
    .join("");
}

/**
 * The value as a list: an array's items; a text's parts, or the array in it; anything else as the one item. Empty items
 * are left out.
 */
export function list(value: Json): Json[] {
  if (Array.isArray(value)) {
    return value.filter((item) => !isEmpty(item));
  }
  if (typeof value === "string") {
    const inner = jsonIn(trim(value));
    return Array.isArray(inner) ? inner.filter((item) => !isEmpty(item)) : split(value);
  }
  return isEmpty(value) ? [] : [value];
}

/** The JSON value that a text holds, `undefined` if it is not one. */
export function jsonIn(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) {
      return undefined;
    }
    throw error;
  }
}

/** The parts of a text between `,` `;` `、` `|`, their full-width forms and line breaks, trimmed, empty ones left out. */
export function split(text: string): string[] {
  return text
    .split(/[,;、|，；｜\n]/)
    .map(trim)
    .filter((part) => part !== "");
}

const YES = new Set(["true", "1", "yes", "y", "on", "是", "启用"]);
const NO = new Set(["false", "0", "no", "n", "off", "否", "禁用", "停用"]);

/**
 * The value as a boolean: `true`, `1`, `yes`, `y`, `on`, `是`, `启用` and their opposites, in any letter case.
 *
 * Throws `value.type` if it is neither.
 */
export function boolean(value: Json): boolean {
  if (typeof value === "boolean") {
    return value;
  }
  const written = text(value);
  const word = asciiLower(identifier(written));
  if (YES.has(word)) {
    return true;
  }
  if (NO.has(word)) {
    return false;
  }
  throw new Fault(
    "value.type",
    `${show(written)} 不是“是/否”值，请填写 是、否、true、false、1 或 0`,
    `${show(written)} is neither yes nor no. Write true, false, 1 or 0`,
  );
}

/**
 * The value as a whole number of at most 64 bits.
 *
 * Throws `value.type` if it is not one.
 */
export function integer(value: Json): bigint {
  if (typeof value === "bigint" && isLong(value)) {
    return value;
  }
  const written = text(value);
  const plain = identifier(written);
  // Apart from leading zeros, no such number has more than 19 digits.
  const digits = /^[+-]?0*([0-9]{1,20})$/.exec(plain)?.[1];
  if (digits !== undefined) {
    const number = plain.startsWith("-") ? -BigInt(digits) : BigInt(digits);
    if (isLong(number)) {
      return number;
    }
  }
  throw new Fault(
    "value.type",
    `${show(written)} 不是整数，请填写整数`,
    `${show(written)} is not a whole number. Write one`,
  );
}

function isLong(number: bigint): boolean {
  return number >= -0x8000_0000_0000_0000n && number <= 0x7fff_ffff_ffff_ffffn;
}

/**
 * The value as a finite number.
 *
 * Throws `value.type` if it is not one.
 */
export function number(value: Json): number {
  if (typeof value === "bigint" || typeof value === "number") {
    return Number(value);
  }
  const written = text(value);
  const read = jsonIn(identifier(written).replace(/^\++/, ""));
  if (typeof read === "bigint" || typeof read === "number") {
    return Number(read);
  }
  throw new Fault(
    "value.type",
    `${show(written)} 不是数字，请填写数字`,
    `${show(written)} is not a number. Write one`,
  );
}

/** The fault for a value that cannot be converted to text. */
function shape(value: JsonObject): Fault {
  const kind = keysOf(value);
  return new Fault(
    "value.shape",
    `该值是含有 ${kind} 的对象，不能当作文本，请换一个字段或写明子字段`,
    `the value is an object of ${kind}, not a text. Use another field or name a part of it`,
  );
}

function keysOf(value: JsonObject): string {
  const keys = entries(value).map(([key]) => key);
  return cut(keys.join(", "), 60);
}
