/**
 * The SDK for writing ruzhi mapping guests in TypeScript.
 *
 * A guest is one file, `src/rules.ts`, whose default export is made by {@link mapping}. `ruzhi guest build` makes the
 * component of it.
 */

export * from "./contract.ts";
export { Fault, cut, show } from "./fault.ts";
export { Clock } from "./clock.ts";
export { mapping } from "./mapping.ts";
export type { Mapping } from "./mapping.ts";
export { FormRecord } from "./record.ts";
export { Moment } from "./date.ts";
export { Zone } from "./zone.ts";
export type { Json, JsonObject } from "./json.ts";
export { parseJson, writeJson } from "./json.ts";
export { textAttribute } from "./extra.ts";
export * as date from "./date.ts";
export * as department from "./department.ts";
export * as email from "./email.ts";
export * as mobile from "./mobile.ts";
export * as rule from "./rule.ts";
export * as text from "./text.ts";
export * as value from "./value.ts";
