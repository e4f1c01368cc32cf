/**
 * Reads JSON without losing or guessing anything: whole numbers of up to 64 bits are kept, the last of two equal keys
 * counts, lone surrogates and more than 127 nested values are rejected. `JSON.parse` rounds the first and accepts the
 * others; `reader.ts` behaves like the host.
 */

import { JsonReader, SPECIAL } from "./reader.ts";
import { byCodePoint } from "./text.ts";

/**
 * A JSON value. A number written whole is a `bigint`, one with a fraction or exponent (or beyond 64 bits) a `number`:
 * `7n`, `7.5`. An object is a `Map`.
 */
export type Json = null | boolean | bigint | number | string | Json[] | JsonObject;

/** A JSON object. */
export type JsonObject = Map<string, Json>;

export { JsonError } from "./reader.ts";

/** The value a text holds; a {@link JsonError} is thrown if it is not one. */
export function parseJson(text: string): Json {
  return new JsonReader(text).whole();
}

/** The object a text holds; a {@link JsonError} is thrown if it is not one. */
export function parseObject(text: string): JsonObject {
  return simpleObject(text) ?? new JsonReader(text).wholeObject();
}

/**
 * The object in a text that has neither escapes nor numbers nor an object in another, as in nearly every row: for
 * such a text the engine's own, faster reader gives the same result. `undefined` for all others.
 */
function simpleObject(text: string): JsonObject | undefined {
  if (SPECIAL.test(text)) {
    return undefined;
  }
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    return undefined;
  }
  const fields: JsonObject = new Map();
  for (const name of Object.keys(object)) {
    const value: unknown = object[name as keyof typeof object];
    if (!isSimple(value)) {
      return undefined;
    }
    fields.set(name, value);
  }
  return fields;
}

function isSimple(value: unknown): value is string | boolean | null {
  return typeof value === "string" || typeof value === "boolean" || value === null;
}

/** The value as compact JSON text, keys sorted. */
export function writeJson(value: Json): string {
  switch (typeof value) {
    case "string":
      return writeString(value);
    case "number":
      return writeFloat(value);
    case "object":
      if (value === null) {
        return "null";
      }
      if (Array.isArray(value)) {
        return `[${value.map(writeJson).join(",")}]`;
      }
      return `{${entries(value)
        .map(([key, part]) => `${writeString(key)}:${writeJson(part)}`)
        .join(",")}}`;
    default:
      return String(value);
  }
}

/** The entries of an object, sorted by key. */
export function entries(object: JsonObject): [string, Json][] {
  return [...object].sort(([one], [other]) => byCodePoint(one, other));
}

function writeString(text: string): string {
  return `"${text.replace(/["\\\0-\x1f]/g, (c) => SHORT_ESCAPES.get(c) ?? `\\u${hex(c.charCodeAt(0))}`)}"`;
}

function hex(unit: number): string {
  return unit.toString(16).padStart(4, "0");
}

/** Always with a fraction or exponent, so that it is read as the same kind of number again. */
function writeFloat(value: number): string {
  const [digits = "", exponent = ""] = Math.abs(value).toExponential().split("e");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const power = Number(exponent);
  if (power < -5 || power > 15) {
    return `${sign}${digits}e${exponent}`;
  }
  const figures = digits.replace(".", "");
  if (power < 0) {
    return `${sign}0.${"0".repeat(-power - 1)}${figures}`;
  }
  const padded = figures.padEnd(power + 1, "0");
  return `${sign}${padded.slice(0, power + 1)}.${padded.slice(power + 1) || "0"}`;
}

const SHORT_ESCAPES = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);
