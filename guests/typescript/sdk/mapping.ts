/**
 * What a guest is, and the frame that runs it.
 *
 * The frame gives every guest what the host asks of all: one outcome for each record in the same order, a text for every
 * failure, and no member that breaks a rule of WeCom. A guest's code sees one record at a time.
 */

import { GuestError, reject } from "./contract.ts";
import type { Context, Decision, Description, Member, Outcome, SourceRecord, Violation } from "./contract.ts";
import * as date from "./date.ts";
import { Fault } from "./fault.ts";
import { FormRecord } from "./record.ts";
import * as rule from "./rule.ts";
import { Zone } from "./zone.ts";

/** A factory's rules. `Rules` is what a configuration says. */
export interface Mapping<Rules> {
  /**
   * Reads the flow's rules file, `""` if the flow has none; once for each batch. Throws a {@link GuestError} of code
   * `config.invalid` that names every problem and what to do about it.
   */
  load(config: string): Rules;

  /** What the guest is and which form fields it reads. */
  describe(rules: Rules): Description;

  /**
   * Decides one row. It is a pure function: the same rules, clock and record give the same decision for ever. What is
   * wrong with the row the record's getters keep; an exception stops the whole batch.
   */
  decide(rules: Rules, clock: Clock, record: FormRecord): Decision;

  /**
   * The form field that a WeCom field is filled from, if it is one. A member that breaks a rule of WeCom is refused in
   * the name of this field, so that the clerk is told of the field of the form.
   */
  sourceOf?(rules: Rules, field: string): string | undefined;
}

/** Says what the guest is: `export default mapping({ … })` in `src/rules.ts`. */
export function mapping<Rules>(mapping: Mapping<Rules>): Mapping<Rules> {
  return mapping;
}

/** The moment of the run and the tenant's time zone. */
export class Clock {
  /** The moment of the run, in the tenant's zone. */
  readonly now: date.Moment;
  /** The tenant's time zone. */
  readonly zone: Zone;

  constructor(context: Context) {
    this.zone = Zone.named(context.timezone);
    try {
      this.now = date.parse(context.now, this.zone);
    } catch (error) {
      throw error instanceof Fault ? new GuestError("context.invalid", error.message) : error;
    }
  }
}

/** What a guest says of itself under a configuration. */
export function describe<Rules>(mapping: Mapping<Rules>, config: string): Description {
  return mapping.describe(mapping.load(config));
}

/**
 * Decides a batch: one outcome for each record, in the same order. A record that is no JSON object is refused, and a
 * member that breaks a rule of WeCom. `lower` brings a decision into the form of the boundary, and throws if it is none;
 * it comes before the rules of WeCom, which trust the types.
 */
export function decide<Rules, Lowered>(
  mapping: Mapping<Rules>,
  config: string,
  context: Context,
  records: readonly SourceRecord[],
  lower: (decision: Decision) => Lowered,
): Outcome<Lowered>[] {
  const rules = mapping.load(config);
  const clock = new Clock(context);
  return records.map((source) => {
    const record = new FormRecord(source, clock);
    if (record.problems.length > 0) {
      return { decision: lower(reject(...record.problems)), notes: [] };
    }
    const decision = mapping.decide(rules, clock, record);
    const lowered = lower(decision);
    const refused = refusal(decision, record, (field) => mapping.sourceOf?.(rules, field));
    return refused === undefined
      ? { decision: lowered, notes: record.notes }
      : { decision: lower(refused), notes: [] };
  });
}

/** What is decided instead if something was wrong with the record or is with the decision. */
function refusal(
  decision: Decision,
  { problems }: FormRecord,
  sourceOf: (field: string) => string | undefined,
): Decision | undefined {
  if (decision.tag === "reject") {
    const reasons = [...problems, ...decision.val];
    return reject(...(reasons.length === 0 ? [noReason()] : reasons));
  }
  const broken = brokenBy(decision, problems);
  if (problems.length + broken.length === 0) {
    return undefined;
  }
  const named = broken.map((violation) => ({ ...violation, field: sourceOf(violation.field) ?? violation.field }));
  return reject(...problems, ...named);
}

/** The rules of WeCom that a decision breaks, by the fields of WeCom. */
function brokenBy(decision: Decision, problems: readonly Violation[]): Violation[] {
  if (decision.tag === "upsert") {
    return beside(decision.val, problems);
  }
  if (decision.tag === "leave" && problems.length === 0) {
    const fault = rule.userid(decision.val);
    return fault === undefined ? [] : [fault.at("userid")];
  }
  return [];
}

/**
 * The rules a member breaks beside what was found, but none that follows from it: the value of a field that was refused
 * is only a stand-in, a contact is not missing if the mobile was refused, nor is a main department wrong if the
 * departments were.
 */
function beside(member: Member, problems: readonly Violation[]): Violation[] {
  const broken = rule.check(member);
  if (problems.length === 0) {
    return broken;
  }
  const refused = new Set(problems.map(subject));
  return broken.filter((violation) => {
    switch (violation.rule) {
      case "contact.missing":
        return !refused.has("mobile") && !refused.has("email");
      case "main-department.not-a-member":
        return !refused.has("main-department") && !refused.has("department");
      default:
        return !refused.has(subject(violation));
    }
  });
}

/** What a rule is about: `mobile` of `mobile.invalid`. */
function subject({ rule }: Violation): string {
  return rule.split(".", 1)[0] ?? "";
}

function noReason(): Violation {
  return new Fault(
    "guest.no-reason",
    "规则组件拒绝了该记录但没有说明原因，请联系规则的作者",
    "the rules refused this row and gave no reason. Ask their author",
  ).at("_id");
}
