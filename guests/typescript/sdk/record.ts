/**
 * One row of the form, read field by field, and its problems.
 *
 * The getters clean, read and check a field in one step. An absent field counts as empty. A getter records a problem
 * under the form's field and returns an empty value, so that the clerk sees everything at once; a record with any
 * problem is rejected in the end, whatever the rules decide.
 */

import type { Membership, SourceRecord, Violation } from "./contract.ts";
import * as date from "./date.ts";
import * as department from "./department.ts";
import * as email from "./email.ts";
import { Fault } from "./fault.ts";
import { JsonError, parseObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Clock } from "./clock.ts";
import * as mobile from "./mobile.ts";
import * as note from "./note.ts";
import * as rule from "./rule.ts";
import { identifier, line } from "./text.ts";
import * as value from "./value.ts";

/** A row of the form. */
export class FormRecord {
  /** The row's `_id`. */
  readonly id: string;
  /** The problems, by the form's fields. */
  readonly problems: Violation[] = [];
  /** Notes for the record's trace. */
  readonly notes: string[] = [];
  private readonly fields: JsonObject;

  constructor(
    source: SourceRecord,
    private readonly clock: Clock,
  ) {
    this.id = source.id;
    this.fields = this.parse(source.json);
  }

  private parse(json: string): JsonObject {
    try {
      return parseObject(json);
    } catch (error) {
      if (!(error instanceof JsonError)) {
        throw error;
      }
      const { line: at, column } = error;
      this.reject(
        "_id",
        "row.not-json",
        `该行不是 JSON 对象（第 ${at} 行第 ${column} 列）`,
        `the row is no JSON object, line ${at} column ${column}`,
      );
      return new Map();
    }
  }

  /** A field as it is in the form, `undefined` if the row lacks it. */
  get(field: string): Json | undefined {
    return this.fields.get(field);
  }

  /** True if the form has no value in a field. */
  isEmpty(field: string): boolean {
    return value.isEmpty(this.get(field) ?? null);
  }

  /** A text for people, cleaned to one line; empty if the field is empty. */
  text(field: string): string {
    return this.read(field, (held) => line(value.text(held))) ?? "";
  }

  /** A text for machines, cleaned and in NFKC; empty if the field is empty. */
  identifier(field: string): string {
    return this.read(field, (held) => identifier(value.text(held))) ?? "";
  }

  /** A userid. */
  userid(field: string): string {
    return this.checked(field, identifierOf, rule.userid);
  }

  /** Userids of direct leaders; none if the field is empty or holds a placeholder that cannot be a userid. */
  leaders(field: string): string[] {
    const leaders = this.read(field, (held) => {
      if (this.saysNothing(field, held, (text) => rule.userid(identifier(text)) !== undefined)) {
        return [];
      }
      const found = value.list(held).map(identifierOf);
      const fault = rule.directLeader(found);
      if (fault !== undefined) {
        throw fault;
      }
      return found;
    });
    return leaders ?? [];
  }

  /** A person's name. */
  name(field: string): string {
    return this.checked(field, (held) => line(value.identity(held)), rule.name);
  }

  /** A mobile number in normal form; empty if the field is empty or holds a placeholder for "none". */
  mobile(field: string): string {
    return this.contact(field, (text) => mobile.parse(text));
  }

  /** An e-mail address; empty if the field is empty or holds a placeholder for "none". */
  email(field: string): string {
    return this.contact(field, (text) => email.parse(text));
  }

  private contact(field: string, parse: (text: string) => string): string {
    const contact = this.read(field, (held) =>
      this.saysNothing(field, held, () => true) ? "" : parse(value.identity(held)),
    );
    return contact ?? "";
  }

  private saysNothing(field: string, held: Json, counts: (text: string) => boolean): boolean {
    const nothing = value.placeholder(held);
    if (nothing === undefined || !counts(nothing)) {
      return false;
    }
    this.note(note.placeholder(field, nothing));
    return true;
  }

  /** Departments, in the order of the form; none if the field is empty. */
  departments(field: string): Membership[] {
    return department.memberships(this.read(field, department.parse) ?? []);
  }

  /** A date or moment in the tenant's zone; `undefined` if the field is empty, or holds a zero date. */
  date(field: string): date.Moment | undefined {
    return this.read(field, (held) => {
      const moment = date.parseValue(held, this.clock.zone);
      if (moment === undefined) {
        this.note(note.zeroDate(field, value.text(held)));
      }
      return moment;
    });
  }

  /** Yes or no; `undefined` if the field is empty. */
  boolean(field: string): boolean | undefined {
    return this.read(field, value.boolean);
  }

  /** A whole number of up to 64 bits; `undefined` if the field is empty. */
  integer(field: string): bigint | undefined {
    return this.read(field, value.integer);
  }

  /** A number; `undefined` if the field is empty. */
  number(field: string): number | undefined {
    return this.read(field, value.number);
  }

  /** A list of texts. */
  list(field: string): string[] {
    return this.read(field, (held) => value.list(held).map((item) => line(value.text(item)))) ?? [];
  }

  /**
   * A field read by `reader`, `undefined` if it is empty. A {@link Fault} thrown by the reader is recorded as a
   * problem of the field.
   */
  read<T>(field: string, reader: (held: Json) => T): T | undefined {
    const held = this.get(field);
    if (held === undefined || value.isEmpty(held)) {
      return undefined;
    }
    try {
      return reader(held);
    } catch (error) {
      if (error instanceof Fault) {
        this.problems.push(error.at(field));
        return undefined;
      }
      throw error;
    }
  }

  /** Rejects the row because of a field: `rule` is a stable code, the rest is the message for the clerk. */
  reject(field: string, rule: string, chinese: string, english: string): void {
    this.problems.push(new Fault(rule, chinese, english).at(field));
  }

  /** Adds a note to the record's trace, for example about a default that was filled in; duplicates are dropped. */
  note(text: string): void {
    if (!this.notes.includes(text)) {
      this.notes.push(text);
    }
  }

  private checked(field: string, reader: (held: Json) => string, check: (text: string) => Fault | undefined): string {
    const before = this.problems.length;
    const text = this.read(field, reader) ?? "";
    if (this.problems.length > before) {
      return "";
    }
    const fault = check(text);
    if (fault === undefined) {
      return text;
    }
    this.problems.push(fault.at(field));
    return "";
  }
}

function identifierOf(held: Json): string {
  return identifier(value.identity(held));
}
