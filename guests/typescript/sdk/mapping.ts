/**
 * The interface of a guest, and the frame that runs it.
 *
 * The frame guarantees the host's requirements for every guest: one outcome for each record in the same order, a text
 * for every failure, and no member that breaks a rule of WeCom. A guest's code sees one record at a time.
 */

import { Clock } from "./clock.ts";
import { reject } from "./contract.ts";
import type { Context, Decision, Description, Member, Outcome, SourceRecord, Violation } from "./contract.ts";
import { Fault } from "./fault.ts";
import { FormRecord } from "./record.ts";
import * as rule from "./rule.ts";

/** A factory's rules. `Rules` is the parsed configuration. */
export interface Mapping<Rules> {
  /**
   * Reads the flow's rules file, `""` if the flow has none; once for each batch. Throws a {@link GuestError} of code
   * `config.invalid` that names every problem and its remedy.
   */
  load(config: string): Rules;

  /** Describes the guest and the form fields it reads. */
  describe(rules: Rules): Description;

  /**
   * Decides one row. It is a pure function: the same rules, clock and record always give the same decision. The
   * record's getters keep the row's problems; an exception stops the whole batch.
   */
  decide(rules: Rules, clock: Clock, record: FormRecord): Decision;

  /**
   * The form field that a WeCom field is filled from, if it is one. If a member breaks a rule of WeCom, the violation
   * names this field, so that the clerk sees the form's field.
   */
  sourceOf?(rules: Rules, field: string): string | undefined;
}

/** Defines the guest: `export default mapping({ … })` in `src/rules.ts`. */
export function mapping<Rules>(mapping: Mapping<Rules>): Mapping<Rules> {
  return mapping;
}

/** Describes the guest under a configuration. */
export function describe<Rules>(mapping: Mapping<Rules>, config: string): Description {
  return mapping.describe(mapping.load(config));
}

/**
 * Decides a batch: one outcome for each record, in the same order. A record that is not a JSON object is rejected,
 * and so is a member that breaks a rule of WeCom. `lower` converts a decision to the form of the boundary, and throws
 * if it is not a decision; it runs before the rules of WeCom, which rely on the types.
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
    const rejected = rejection(decision, record, (field) => mapping.sourceOf?.(rules, field));
    return rejected === undefined
      ? { decision: lowered, notes: record.notes, holdsUntil }
      : { decision: lower(rejected), notes: [], holdsUntil };
  });
}

/** The decision used instead if the record had problems or the decision breaks a rule. */
function rejection(
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
 * The rules a member breaks besides the problems found, except those whose source was already rejected, by a getter
 * or by one of the guest's own rules: the member has only a placeholder there. A rejected contact does not also count
 * as missing, and the main department is not judged if the departments were rejected.
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
  const isRejected = (field: string, subject: string) => {
    const source = sourceOf(field);
    // The guest does not name a field's source: the rule codes of its getters identify the rejected fields.
    return fields.has(field) || (source === undefined ? subjects.has(subject) : fields.has(source));
  };
  return broken.filter((violation) => {
    const about = subject(violation);
    switch (violation.rule) {
      case "contact.missing":
        return !isRejected("mobile", "mobile") && !isRejected("email", "email");
      case "main-department.not-a-member":
        return !isRejected("main_department", about) && !isRejected("department", "department");
      default:
        return !isRejected(violation.field, about);
    }
  });
}

/** The subject of a rule: `mobile` of `mobile.invalid`. */
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
