/**
 * Describes an exception for the author: its text and its place in the original source.
 *
 * The engine runs the source without its types, so its lines and columns differ from the original. The compiler
 * provides a source map for each file of the project, and the place is looked up only when an exception occurs.
 */

import { both } from "./contract.ts";
import { Fault } from "./fault.ts";

/** The mappings of a source map (ECMA-426), by the file's path in the project. */
export type Places = Readonly<Record<string, string>>;

/** `TEXT (rules.ts:LINE:COLUMN)` */
export function exceptionText(thrown: unknown, places: Places): string {
  const place = thrown instanceof Error ? placeOf(thrown, places) : undefined;
  return place === undefined ? textOf(thrown) : `${textOf(thrown)} (${place})`;
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) {
    return thrown.name === "Error" ? thrown.message : `${thrown.name}: ${thrown.message}`;
  }
  if (thrown instanceof Fault) {
    return both(thrown.message);
  }
  if (typeof thrown === "object" && thrown !== null && "message" in thrown) {
    return String(thrown.message);
  }
  return String(thrown);
}

/** The innermost place in a file of the project: places inside the SDK mean little to the author. */
function placeOf(error: Error, places: Places): string | undefined {
  for (const [, file = "", line, column] of (error.stack ?? "").matchAll(/\(?([^\s()]+):(\d+):(\d+)\)?$/gm)) {
    const mappings = places[file];
    if (mappings !== undefined) {
      const at = original(mappings, Number(line) - 1, Number(column) - 1);
      return `${file.replace(/^\/src\//, "").replace(/^\//, "")}:${at.line + 1}:${at.column + 1}`;
    }
  }
  return undefined;
}

interface Place {
  line: number;
  column: number;
}

/** Maps a place in the running code to the source, both counted from 0. */
export function original(mappings: string, line: number, column: number): Place {
  let [sourceLine, sourceColumn] = [0, 0];
  let found: Place | undefined;
  for (const [index, segments] of mappings.split(";", line + 1).entries()) {
    let generated = 0;
    for (const segment of segments.split(",")) {
      const [toColumn = 0, , toLine, toSourceColumn = 0] = numbers(segment);
      if (toLine === undefined) {
        continue;
      }
      generated += toColumn;
      sourceLine += toLine;
      sourceColumn += toSourceColumn;
      if (index < line || generated <= column || found === undefined) {
        found = { line: sourceLine, column: sourceColumn };
      }
    }
  }
  return found ?? { line, column };
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The numbers of a segment, in base 64 of five bits and a sign. */
function numbers(segment: string): number[] {
  const found: number[] = [];
  let [number, shift] = [0, 0];
  for (const c of segment) {
    const digit = DIGITS.indexOf(c);
    number |= (digit & 31) << shift;
    shift += 5;
    if (digit < 32) {
      found.push(number & 1 ? -(number >>> 1) : number >>> 1);
      [number, shift] = [0, 0];
    }
  }
  return found;
}
