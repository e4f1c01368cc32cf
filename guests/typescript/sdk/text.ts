/**
 * Cleaning of text: people paste more into a form than they can see.
 *
 * There are three kinds. {@link line} is for texts read by people (name, position, address): invisible and control
 * characters are removed, any run of white space becomes one space, the ends are trimmed, and nothing else changes.
 * {@link identifier} is for values compared by machines (userid, mobile, e-mail, ids): the same after NFKC, which
 * turns `Ａ１＠` into `A1@`. {@link clean} is either, depending on its settings. All are idempotent. Beside them {@link
 * fold}: for comparison with a table or a list, never for writing.
 *
 * Characters are counted and classed as Unicode has them, not as JavaScript's `length`, `trim` and `\s` do.
 */

import { fold } from "./fold.ts";
import { nfkc } from "./normal.ts";

export { fold };

// A literal regular expression would be compiled anew at each use.
const NOT_ASCII = /[^\0-\x7f]/;
const NOT_SOLID = /[^!-~\u4e00-\u9fff]/;
const NOT_PLAIN = /[^ -~\u4e00-\u9fff]|  /;
const CONTROL = /[\0-\x1f\x7f-\x9f\u2028\u2029]/;
const VISIBLE =
  /[^\0-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff\ufff9-\ufffb]/;

/** How a text is cleaned; what is left out is as for {@link line}. */
export interface Cleaning {
  /** Remove white space at both ends; `true` if left out. */
  trim?: boolean;
  /** Normalise to Unicode NFKC first. */
  nfkc?: boolean;
  /** Turn each run of white space, line breaks included, into one space; `true` if left out. */
  collapse?: boolean;
  /** Change the case of the letters A–Z. */
  case?: "lower" | "upper";
  /** Characters to remove everywhere. */
  strip?: string;
}

/** The text, cleaned. Invisible and control characters are always removed. */
export function clean(text: string, cleaning: Cleaning): string {
  const { trim: trims = true, nfkc: normalises = false, collapse = true, strip = "" } = cleaning;
  // The characters may match before or after NFKC: so this runs both before and after it.
  text = stripped(text, strip);
  if (normalises && !isAscii(text)) {
    text = stripped(nfkc(text), strip);
  }
  if (!isPlain(text)) {
    text = rewrite(text, trims, collapse);
  }
  switch (cleaning.case) {
    case "lower":
      return asciiLower(text);
    case "upper":
      return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    default:
      return text;
  }
}

function stripped(text: string, strip: string): string {
  if (strip === "") {
    return text;
  }
  const removed = new Set(strip);
  return Array.from(text).filter((c) => !removed.has(c)).join("");
}

/** A text for people, on one line; see the module. */
export function line(text: string): string {
  return isPlain(text) ? text : rewrite(text, true, true);
}

/** A text for machines; see the module. */
export function identifier(text: string): string {
  if (isPlain(text)) {
    return text;
  }
  const normal = isAscii(text) ? text : nfkc(text);
  return isPlain(normal) ? normal : rewrite(normal, true, true);
}

/** True if a person would see nothing. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

const NOTHING = new Set(
  `无 没有 暂无 没 空 无此项 不详 未知 未填 未填写 不填 未提供 不适用 无邮箱 没有邮箱 暂无邮箱 无手机 没有手机 无手机号 没有手机号
   无电话 没有电话 n/a n.a na #n/a null nil none undefined`
    .split(/\s+/)
    .concat("not applicable"),
);

/**
 * True for a placeholder that means "none": `无`, `暂无`, `N/A`, `null`, `（无）`, or nothing but dashes, slashes and dots.
 * Anything else, such as `0`, is a value.
 */
export function isPlaceholder(text: string): boolean {
  // Longer than any of them in any spelling.
  if (bytes(text) > 100) {
    return false;
  }
  const folded = fold(text);
  const word = folded.replace(/^[()<>"'.\-/_,~]+/, "").replace(/[()<>"'.\-/_,~]+$/, "");
  return word === "" ? folded !== "" : NOTHING.has(word);
}

/** True if the text has a character that does not belong on one line: a control character or a line break. */
export function hasControl(text: string): boolean {
  return CONTROL.test(text);
}

/** The number of characters (code points), counted up to `most`. */
export function characters(text: string, most = Infinity): number {
  let count = 0;
  for (let at = 0; at < text.length && count < most; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800) {
      at++;
    }
    count++;
  }
  return count;
}

/** The number of bytes in UTF-8. */
export function bytes(text: string): number {
  if (isAscii(text)) {
    return text.length;
  }
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a pair counts as two of the pair's four bytes.
    count += unit < 0x80 ? 1 : unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3;
  }
  return count;
}

/** Without the white space at both ends. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) {
    start++;
  }
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) {
    end--;
  }
  return text.slice(start, end);
}

/** The parts between white space. */
export function words(text: string): string[] {
  return text.split(/[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/).filter((part) => part !== "");
}

/** The letters A–Z in lower case, no others. */
export function asciiLower(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

/** The order of two texts by code point, which is that of their UTF-8. */
export function byCodePoint(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at++) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a !== b) {
      const isHalf = (unit: number) => (unit & 0xf800) === 0xd800;
      // Surrogates stand for characters above all others.
      return isHalf(a) === isHalf(b) ? a - b : isHalf(a) ? 1 : -1;
    }
  }
  return one.length - other.length;
}

function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/** True for a text that no cleaning changes: ASCII and Chinese with single spaces inside. Nearly every text is one. */
function isPlain(text: string): boolean {
  if (!NOT_SOLID.test(text)) {
    return true;
  }
  return !NOT_PLAIN.test(text) && !text.startsWith(" ") && !text.endsWith(" ");
}

function rewrite(text: string, trims: boolean, collapse: boolean): string {
  // Collects parts rather than one growing text, which the engine would copy each time its end is inspected.
  const done: string[] = [];
  let end = "";
  const add = (part: string): void => {
    if (part !== "") {
      done.push(part);
      end = part;
    }
  };
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if ((unit > 0x20 && unit < 0x7f) || (unit >= 0x3001 && unit < 0xfeff)) {
      continue;
    }
    const isSpace = isWhitespace(unit);
    const joins = isJoiner(unit);
    if (!isSpace && !joins && !isInvisible(unit)) {
      continue;
    }
    add(text.slice(start, at));
    start = at + 1;
    if (isSpace) {
      if (!collapse) {
        add(text[at]!);
      } else if (!end.endsWith(" ")) {
        add(" ");
      }
    } else if (joins && isJoinedScript(lastOf(end)) && isJoinedScript(text.codePointAt(at + 1))) {
      add(text[at]!);
    }
  }
  add(text.slice(start));
  const rewritten = done.join("");
  return trims ? trim(rewritten) : rewritten;
}

function lastOf(text: string): number | undefined {
  const unit = text.charCodeAt(text.length - 1);
  return (unit & 0xfc00) === 0xdc00 ? text.codePointAt(text.length - 2) : text.codePointAt(text.length - 1);
}

function isWhitespace(unit: number): boolean {
  return (
    unit === 0x20 ||
    (unit >= 0x09 && unit <= 0x0d) ||
    (unit > 0x7f &&
      (unit === 0x85 ||
        unit === 0xa0 ||
        unit === 0x1680 ||
        (unit >= 0x2000 && unit <= 0x200a) ||
        unit === 0x2028 ||
        unit === 0x2029 ||
        unit === 0x202f ||
        unit === 0x205f ||
        unit === 0x3000))
  );
}

/** Zero-width characters, direction marks, byte order marks, soft hyphens and control characters. */
function isInvisible(unit: number): boolean {
  return (
    unit < 0x20 ||
    (unit >= 0x7f && unit <= 0x9f) ||
    unit === 0xad ||
    unit === 0x61c ||
    unit === 0x180e ||
    unit === 0x200b ||
    unit === 0x200e ||
    unit === 0x200f ||
    (unit >= 0x202a && unit <= 0x202e) ||
    (unit >= 0x2060 && unit <= 0x2064) ||
    (unit >= 0x2066 && unit <= 0x206f) ||
    unit === 0xfeff ||
    (unit >= 0xfff9 && unit <= 0xfffb)
  );
}

/** Joiners have a meaning between emoji and in some scripts, so they are kept there and only there. */
function isJoiner(unit: number): boolean {
  return unit === 0x200c || unit === 0x200d;
}

/** Neither ASCII nor Chinese, which joiners never affect. */
function isJoinedScript(character: number | undefined): boolean {
  return (
    character !== undefined &&
    character > 0x7f &&
    !isWhitespace(character) &&
    !isJoiner(character) &&
    !(character >= 0x2e80 && character <= 0x9fff) &&
    !(character >= 0xf900 && character <= 0xfaff) &&
    !(character >= 0x20000 && character <= 0x3ffff)
  );
}
