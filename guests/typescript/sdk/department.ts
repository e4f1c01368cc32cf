/**
 * Department lists as they appear in forms: a list of numbers, the text `[1,2,3]`, `1,2,3`, `1;2`, `1、2`, one number,
 * numbers as texts, or the department objects of JianDaoYun, which carry WeCom's id as `dept_no`.
 *
 * Order is kept: WeCom shows the first department of a member as the main one unless `mainDepartment` says another. A
 * value that is not a department id is rejected, never dropped: WeCom creates departments it does not know.
 */

import type { Membership } from "./contract.ts";
import { Fault, show } from "./fault.ts";
import { writeJson } from "./json.ts";
import type { Json } from "./json.ts";
import { identifier, words } from "./text.ts";
import { isEmpty, jsonIn, split } from "./value.ts";

/** The most departments a member may belong to. */
export const MOST = 100;

const U32_MAX = 0xffff_ffff;

/**
 * The department ids of a value, none for an empty one: `parse("[1,2,3]")` is `[1, 2, 3]`.
 *
 * Throws `department.invalid` for a value that is not an id, `department.zero` for 0, `department.duplicate`,
 * `department.too-many`.
 */
export function parse(value: Json): number[] {
  const ids: number[] = [];
  collect(value, ids, 0);
  const fault = check(ids);
  if (fault !== undefined) {
    throw fault;
  }
  return ids;
}

/** Plain memberships of departments: not leading any, order left to WeCom. */
export function memberships(ids: Iterable<number>): Membership[] {
  return Array.from(ids, (department) => ({ department }));
}

/** Why a list of ids cannot be sent: `department.zero`, `department.duplicate`, `department.too-many`. */
export function check(ids: readonly number[]): Fault | undefined {
  if (ids.length > MOST) {
    return new Fault(
      "department.too-many",
      `所属部门不得超过 ${MOST} 个，现有 ${ids.length} 个，请减少`,
      `a member belongs to at most ${MOST} departments, here are ${ids.length}. Remove some`,
    );
  }
  for (const [index, id] of ids.entries()) {
    if (id === 0) {
      return new Fault(
        "department.zero",
        "部门 id 不能为 0，请填写企业微信中的部门 id",
        "0 is no department id. Give the id the department has in WeCom",
      );
    }
    if (ids.indexOf(id) < index) {
      return new Fault(
        "department.duplicate",
        `部门 ${id} 重复，请只保留一个`,
        `department ${id} is given twice. Keep one`,
      );
    }
  }
  return undefined;
}

function collect(value: Json, ids: number[], depth: number): void {
  if (isEmpty(value)) {
    return;
  }
  if (typeof value === "string") {
    collectText(value, ids, depth);
  } else if (typeof value === "bigint") {
    push(value <= BigInt(U32_MAX) ? Number(value) : undefined, () => writeJson(value), ids);
  } else if (typeof value === "number") {
    // The sum removes the sign of `-0.0`.
    push(value + 0, () => writeJson(value), ids);
  } else if (Array.isArray(value) && depth < 3) {
    value.forEach((item) => collect(item, ids, depth + 1));
  } else if (value instanceof Map && depth < 3 && value.has("dept_no")) {
    collect(value.get("dept_no") ?? null, ids, depth + 2);
  } else {
    throw invalid(writeJson(value));
  }
}

function collectText(text: string, ids: number[], depth: number): void {
  const plain = identifier(text);
  if (/^[[{"]/.test(plain) && depth < 3) {
    const json = jsonIn(plain);
    if (json !== undefined) {
      collect(json, ids, depth + 1);
      return;
    }
  }
  const isListed = plain.length > 1 && plain.startsWith("[") && plain.endsWith("]");
  for (const part of split(isListed ? plain.slice(1, -1) : plain).flatMap(words)) {
    push(/^[0-9]+$/.test(part) ? Number(part) : undefined, () => part, ids);
  }
}

function push(id: number | undefined, shown: () => string, ids: number[]): void {
  if (id === undefined || !Number.isInteger(id) || id < 0 || id > U32_MAX) {
    throw invalid(shown());
  }
  ids.push(id);
}

function invalid(text: string): Fault {
  return new Fault(
    "department.invalid",
    `${show(text)} 不是部门 id，请填写企业微信的部门 id，如 1,2,3；若表单填的是部门名称，请在规则中用 lookup 对照`,
    `${show(text)} is no department id. Give ids of WeCom, such as 1,2,3; for names of departments give the rules a lookup`,
  );
}
