/**
 * What a guest is, and the frame that runs it.
 *
 * The frame gives every guest what the host asks of all: one outcome for each record in the same order, a text for every
 * failure, and no member that breaks a rule of WeCom. A guest's code sees one record at a time.
 */

import { Clock } from "./clock.ts";
import { reject } from "./contract.ts";
import type { Context, Decision, Description, Member, Outcome, SourceRecord, Violation } from "./contract.ts";
import { Fault } from "./fault.ts";
import { FormRecord } from "./record.ts";
import * as rule from "./rule.ts";

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
      return { decision: lower(reject(...record.problems)), notes: [], holdsUntil: undefined };
    }
    const decision = mapping.decide(rules, clock, record);
    const holdsUntil = clock.take();
    const lowered = lower(decision);
    const refused = refusal(decision, record, (field) => mapping.sourceOf?.(rules, field));
    return refused === undefined
      ? { decision: lowered, notes: record.notes, holdsUntil }
      : { decision: lower(refused), notes: [], holdsUntil };
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
  const broken = brokenBy(decision, problems, sourceOf);
  if (problems.length + broken.length === 0) {
    return undefined;
  }
  const named = broken.map((violation) => ({ ...violation, field: sourceOf(violation.field) ?? violation.field }));
  return reject(...problems, ...named);
}

/** The rules of WeCom that a decision breaks, by the fields of WeCom. */
function brokenBy(
  decision: Decision,
  problems: readonly Violation[],
  sourceOf: (field: string) => string | undefined,
): Violation[] {
  if (decision.tag === "upsert") {
    return beside(decision.val, problems, sourceOf);
  }
  if (decision.tag === "leave" && problems.length === 0) {
    const fault = rule.userid(decision.val);
    return fault === undefined ? [] : [fault.at("userid")];
  }
  return [];
}

/**
 * The rules a member breaks beside what was found, but none whose source was refused already, by a getter or by a
 * rule of the guest's own: the member has only a stand-in there. Nor is a contact missing if one was refused, nor a main
 * department wrong if the departments were.
 */
function beside(
  member: Member,
  problems: readonly Violation[],
  sourceOf: (field: string) => string | undefined,
): Violation[] {
  const broken = rule.check(member);
  if (problems.length === 0) {
    return broken;
  }
  const fields = new Set(problems.map(({ field }) => field));
  const subjects = new Set(problems.map(subject));
  const isRefused = (field: string, subject: string) => {
    const source = sourceOf(field);
    // The guest does not say where a field comes from: the rules of its getters tell what they refused.
    return fields.has(field) || (source === undefined ? subjects.has(subject) : fields.has(source));
  };
  return broken.filter((violation) => {
    const about = subject(violation);
    switch (violation.rule) {
      case "contact.missing":
        return !isRefused("mobile", "mobile") && !isRefused("email", "email");
      case "main-department.not-a-member":
        return !isRefused("main_department", about) && !isRefused("department", "department");
      default:
        return !isRefused(violation.field, about);
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
