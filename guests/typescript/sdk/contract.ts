/**
 * The contract between ruzhi and a factory's rules, in TypeScript. `component.ts` converts it to the component's own
 * form, in which every field is present.
 */

/** The contract version of this SDK; `ruzhi guest build` reads it here. */
export const CONTRACT = "0.2";

/** One row of the form. */
export interface SourceRecord {
  /** The row's `_id`. */
  readonly id: string;
  /** The row as one JSON object. */
  readonly json: string;
}

/** The context given to a guest beside the rows. */
export interface Context {
  /** The current time of the run, RFC 3339 in UTC, for example `2026-05-01T08:00:00Z`. */
  readonly now: string;
  /** The tenant's time zone, an IANA name such as `Asia/Shanghai`. */
  readonly timezone: string;
}

/** One department a member belongs to. */
export interface Membership {
  /** The department's id in WeCom, at least 1. */
  department: number;
  /** True if the member leads this department; false if left out. */
  leader?: boolean;
  /** The position among the department's members, larger first; if left out, WeCom decides. */
  order?: number | undefined;
}

/**
 * A person's intended entry in the directory. The rules do not set a field that is left out, so ruzhi never sends it;
 * an empty text means that the form says it is empty, so ruzhi clears it.
 */
export interface Member {
  /** 1–64 bytes of `A–Z a–z 0–9 _ - @ .`, the first a letter or digit; unique ignoring case. */
  userid: string;
  /** 1–64 characters. */
  name: string;
  /** Digits, `+` and `-`; mainland numbers need no country code. A mobile or an e-mail must be present. */
  mobile?: string | undefined;
  /** 6–64 bytes. */
  email?: string | undefined;
  /** At most 100, no department twice. Empty means that the rules do not set departments. */
  memberships?: Membership[];
  /** One of `memberships`. */
  mainDepartment?: number | undefined;
  /** Job title, at most 128 characters. */
  position?: string | undefined;
  /** 1–64 characters. */
  alias?: string | undefined;
  /** `1` male, `2` female. */
  gender?: string | undefined;
  /** At most 32 of digits, `-`, `+` and `,`. */
  telephone?: string | undefined;
  /** At most 128 characters. */
  address?: string | undefined;
  /** Userids of the direct leaders; WeCom takes at most one. */
  directLeader?: string[] | undefined;
  /** 6–63 bytes; only with Tencent enterprise mail. */
  bizMail?: string | undefined;
  /** At most 12 characters. */
  externalPosition?: string | undefined;
  /** True if the account can log in. */
  enable?: boolean | undefined;
  /** True if WeCom sends an invitation when the member is created. If left out, it sends none. */
  toInvite?: boolean | undefined;
  /** Fields without a place of their own: the WeCom field's name and its value as JSON text. */
  extra?: [field: string, json: string][];
}

/** A text for people, in both languages. */
export interface Text {
  /** 简体中文. */
  readonly zh: string;
  readonly en: string;
}

/** Both on one line, Chinese first; once if they are the same. */
export function both({ zh, en }: Text): string {
  return zh === en ? zh : `${zh} / ${en}`;
}

/** One reason for rejecting a row. */
export interface Violation {
  /** The form's field, or a WeCom field if no single field of the form is at fault. */
  readonly field: string;
  /** A stable code, such as `mobile.invalid`. */
  readonly rule: string;
  /** The message for a person; a string serves readers of both languages. */
  readonly message: Text | string;
}

/** The decision on a row: made by {@link upsert}, {@link leave}, {@link ignore} and {@link reject}. */
export type Decision =
  | { readonly tag: "upsert"; readonly val: Member }
  | { readonly tag: "leave"; readonly val: string }
  | { readonly tag: "ignore"; readonly val: string }
  | { readonly tag: "reject"; readonly val: readonly Violation[] };

/** A decision and the notes made on the way to it. */
export interface Outcome<D = Decision> {
  readonly decision: D;
  readonly notes: readonly string[];
  /** Until when the decision holds, RFC 3339 in UTC; `undefined` means for ever. */
  readonly holdsUntil: string | undefined;
}

/** A guest's description of itself. */
export interface Description {
  /** The guest's name. */
  name: string;
  /** The guest's version. */
  version: string;
  /** The form fields the guest reads, by alias or id. The host asks JianDaoYun for these only. */
  sourceFields: string[];
  /** (form field or WeCom field, the label a person knows it by). */
  labels: [field: string, label: string][];
}

/**
 * An error that stops a whole batch or marks a configuration as invalid; thrown. A row that cannot be decided is
 * never this.
 */
export class GuestError extends Error {
  /** A stable code, such as `config.invalid`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The person belongs in the directory with this entry. */
export function upsert(member: Member): Decision {
  return { tag: "upsert", val: member };
}

/** The person with this userid has left. */
export function leave(userid: string): Decision {
  return { tag: "leave", val: userid };
}

/** The row has no effect on the directory; `why` is the reason. */
export function ignore(why: string): Decision {
  return { tag: "ignore", val: why };
}

/** The row is rejected. Seldom needed: rejections by `record` are reported without it. */
export function reject(...violations: Violation[]): Decision {
  return { tag: "reject", val: violations };
}
