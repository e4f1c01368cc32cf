/**
 * The reason for rejecting a value, before its field and form are known.
 *
 * A rule knows the value and the constraint; only its caller knows the form's field. So a rule has a {@link Fault},
 * and {@link Fault.at} turns it into the contract's violation. The text, in Chinese and English, names the problem
 * and the remedy, and never contains a complete mobile number, e-mail address or identity number.
 */

import type { Text, Violation } from "./contract.ts";
import { characters } from "./text.ts";

/** The longest text of a violation, in characters of one language. */
export const MESSAGE_MOST = 300;

/** A value that breaks a rule. A function that reads a value throws it; one that checks a value returns it. */
export class Fault {
  /** A stable code, such as `mobile.invalid`. */
  readonly rule: string;
  /** The message for a person, at most {@link MESSAGE_MOST} characters in each language. */
  readonly message: Text;

  /** The text is cut to {@link MESSAGE_MOST} characters in each language. */
  constructor(rule: string, chinese: string, english: string) {
    this.rule = rule;
    this.message = { zh: cut(chinese, MESSAGE_MOST), en: cut(english, MESSAGE_MOST) };
  }

  /** The violation of this rule by a field. */
  at(field: string): Violation {
    return { field, rule: this.rule, message: this.message };
  }
}

/** At most `most` characters, the last an ellipsis if something was left out. */
export function cut(text: string, most: number): string {
  if (text.length <= most || characters(text, most + 1) <= most) {
    return text;
  }
  let end = 0;
  for (let kept = 0; kept < most - 1; kept++) {
    end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, end) + "…";
}

/**
 * A value in the form shown in messages: short, on one line, its long digit runs and the name part of an e-mail
 * masked.
 *
 * `show("13800138000")` is `“138******00”`, `show("zhangsan@example.com")` is `“z*******@example.com”`.
 */
export function show(value: string): string {
  const shown = /[@＠]/.test(value)
    ? pieces(value).map(maskAddress).join("")
    : maskDigits(value);
  return `“${cut(shown.replace(/[\0-\x1f\x7f-\x9f]/g, "␣"), 32)}”`;
}

/** The parts of a text, each with the white space, comma or semicolon that ends it. */
function pieces(text: string): string[] {
  const found = [];
  const separator = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000,;，；]/g;
  let start = 0;
  while (separator.test(text)) {
    found.push(text.slice(start, separator.lastIndex));
    start = separator.lastIndex;
  }
  found.push(text.slice(start));
  return found;
}

function maskAddress(part: string): string {
  const at = part.search(/[@＠]/);
  if (at < 1) {
    return maskDigits(part);
  }
  const first = part.codePointAt(0)! > 0xffff ? 2 : 1;
  const masked = "*".repeat(characters(part.slice(first, at), Infinity));
  return part.slice(0, first) + masked + maskDigits(part.slice(at));
}

/**
 * Masks the digits of a text that has seven or more, whatever is between them, except the first three and the last
 * two.
 */
function maskDigits(text: string): string {
  const digit = /[0-9０-９]/g;
  const total = text.match(digit)?.length ?? 0;
  if (total < 7) {
    return text;
  }
  let seen = 0;
  return text.replace(digit, (c) => {
    seen += 1;
    return seen > 3 && seen + 2 <= total ? "*" : c;
  });
}
