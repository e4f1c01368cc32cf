/**
 * The component's side of the contract: checks a guest's results and converts them to the form that the boundary
 * takes.
 *
 * The author's types are not checked when a guest is built, so a value that is not a text, number or list is an error
 * with the field's name here, not a trap.
 */

import "./pure.ts";

import { GuestError } from "./contract.ts";
import type { Context, Decision, Description, Member, Outcome, SourceRecord, Text } from "./contract.ts";
import { exceptionText } from "./exception.ts";
import type { Places } from "./exception.ts";
import * as frame from "./mapping.ts";
import type { Mapping } from "./mapping.ts";

/** The exports of the component. */
export function component(mapping: Mapping<unknown>, places: Places) {
  for (const part of ["load", "describe", "decide"] as const) {
    if (typeof mapping?.[part] !== "function") {
      throw new TypeError(`src/rules.ts must export default mapping({ load, describe, decide }); it has no ${part}`);
    }
  }
  return {
    describe(config: string): Description {
      return told(places, () => description(frame.describe(mapping, config)));
    },
    decide(config: string, context: Context, records: SourceRecord[]) {
      return told(places, () => frame.decide(mapping, config, context, records, lower).map(outcome));
    },
  };
}

/** The result of a call; any exception becomes the contract's error. */
function told<T>(places: Places, call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    const error =
      thrown instanceof GuestError
        ? { code: String(thrown.code), message: String(thrown.message) }
        : { code: "guest.exception", message: exceptionText(thrown, places) };
    throw { code: error.code.toWellFormed(), message: error.message.toWellFormed() };
  }
}

function description({ name, version, sourceFields, labels }: Description): Description {
  return {
    name: text("name", name),
    version: text("version", version),
    sourceFields: list("sourceFields", sourceFields, text),
    labels: list("labels", labels, pair),
  };
}

function outcome<D>({ decision, notes, holdsUntil }: Outcome<D>) {
  return { decision, notes: list("notes", notes, text), holdsUntil: optional("holdsUntil", holdsUntil, text) };
}

function lower(decision: Decision) {
  switch (decision?.tag) {
    case "upsert":
      return { tag: decision.tag, val: member(decision.val) };
    case "leave":
    case "ignore":
      return { tag: decision.tag, val: text(decision.tag, decision.val) };
    case "reject":
      return {
        tag: decision.tag,
        val: list("reject", decision.val, (_, { field, rule, message }) => ({
          field: text("field", field),
          rule: text("rule", rule),
          message: texts(message),
        })),
      };
    default:
      throw new TypeError("decide must return upsert(…), leave(…), ignore(…) or reject(…)");
  }
}

function member(member: Member) {
  const { memberships = [], extra = [] } = member;
  return {
    userid: text("userid", member.userid),
    name: text("name", member.name),
    mobile: optional("mobile", member.mobile, text),
    email: optional("email", member.email, text),
    memberships: list("memberships", memberships, (_, { department, leader, order }) => ({
      department: u32("department", department),
      leader: optional("leader", leader, flag) ?? false,
      order: optional("order", order, u32),
    })),
    mainDepartment: optional("mainDepartment", member.mainDepartment, u32),
    position: optional("position", member.position, text),
    alias: optional("alias", member.alias, text),
    gender: optional("gender", member.gender, text),
    telephone: optional("telephone", member.telephone, text),
    address: optional("address", member.address, text),
    directLeader: optional("directLeader", member.directLeader, (field, value) => list(field, value, text)),
    bizMail: optional("bizMail", member.bizMail, text),
    externalPosition: optional("externalPosition", member.externalPosition, text),
    enable: optional("enable", member.enable, flag),
    toInvite: optional("toInvite", member.toInvite, flag),
    extra: list("extra", extra, pair),
  };
}

function texts(message: Text | string): Text {
  const { zh, en } = typeof message === "string" ? { zh: message, en: message } : message;
  return { zh: text("message", zh), en: text("message", en) };
}

function optional<T, U>(field: string, value: T | null | undefined, as: (field: string, value: T) => U): U | null {
  return value === undefined || value === null ? null : as(field, value);
}

function text(field: string, value: string): string {
  // A lone surrogate cannot be encoded in UTF-8.
  return typeof value === "string" ? value.toWellFormed() : wrong(field, "a text", value);
}

function flag(field: string, value: boolean): boolean {
  return typeof value === "boolean" ? value : wrong(field, "true or false", value);
}

/** The boundary takes 32 bits as a signed number: it would turn all larger numbers into 2147483647. */
function u32(field: string, value: number): number {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
    ? value | 0
    : wrong(field, "a whole number of at most 4294967295", value);
}

function list<T, U>(field: string, value: readonly T[], as: (field: string, item: T) => U): U[] {
  return Array.isArray(value) ? value.map((item: T) => as(field, item)) : wrong(field, "a list", value);
}

function pair(field: string, value: [string, string]): [string, string] {
  return Array.isArray(value) && value.length === 2
    ? [text(field, value[0]), text(field, value[1])]
    : wrong(field, "a pair of texts", value);
}

function wrong(field: string, due: string, value: unknown): never {
  throw new TypeError(`${field} must be ${due}, it is ${String(value)}`);
}
