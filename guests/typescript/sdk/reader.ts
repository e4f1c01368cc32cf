/**
 * The reader of JSON: see `json.ts`.
 *
 * Rows have few escapes and long strings, so the ends of strings are found by search, not unit by unit.
 */

import type { Json, JsonObject } from "./json.ts";
import { bytes } from "./text.ts";

/** Where a text stops being JSON, with lines from 1 and columns in bytes. */
export class JsonError {
  constructor(
    readonly line: number,
    readonly column: number,
  ) {}
}

const ESCAPED = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Escapes, and characters that must be one. */
export const SPECIAL = /[\\\0-\x1f]/;
const DEEPEST = 127;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const I64_MIN_SIZE = 0x8000_0000_0000_0000n;
const POWERS = Array.from({ length: 309 }, (_, exponent) => Number(`1e${exponent}`));

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Reads one text. */
export class JsonReader {
  private at = 0;
  private depth = 0;
  /** True if no string has an escape or a character that needs one. */
  private readonly isPlain: boolean;

  constructor(private readonly text: string) {
    this.isPlain = !SPECIAL.test(text);
  }

  whole(): Json {
    const value = this.value();
    this.end();
    return value;
  }

  wholeObject(): JsonObject {
    const start = this.peek();
    const value = start === OPEN_LIST ? this.noObject() : this.value();
    if (!(value instanceof Map)) {
      return this.fail(0);
    }
    this.end();
    return value;
  }

  /** A list in place of an object is reported at its first value, unless the list is empty. */
  private noObject(): never {
    this.at++;
    const next = this.peek();
    if (next === CLOSE_LIST) {
      this.at++;
    } else if (next === COMMA) {
      this.at++;
      this.peek();
    }
    return this.fail(0);
  }

  private end(): void {
    if (this.peek() >= 0) {
      this.fail(1);
    }
  }

  /** The next unit that is not white space, -1 at the end. */
  private peek(): number {
    for (;;) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== SPACE && unit !== NEWLINE && unit !== RETURN && unit !== TAB) {
        return unit >= 0 ? unit : -1;
      }
      this.at++;
    }
  }

  private value(): Json {
    const unit = this.peek();
    switch (unit) {
      case QUOTE:
        this.at++;
        return this.string();
      case OPEN_OBJECT:
        return this.object();
      case OPEN_LIST:
        return this.list();
      case 0x6e:
        return this.word("null", null);
      case 0x74:
        return this.word("true", true);
      case 0x66:
        return this.word("false", false);
      case MINUS:
        this.at++;
        return this.number(true);
      default:
        return isDigit(unit) ? this.number(false) : this.fail(1);
    }
  }

  private word<T>(word: string, value: T): T {
    this.at++;
    for (let index = 1; index < word.length; index++) {
      if (this.text.charCodeAt(this.at) !== word.charCodeAt(index)) {
        this.fail(1);
      }
      this.at++;
    }
    return value;
  }

  private enter(): void {
    this.depth++;
    if (this.depth > DEEPEST) {
      this.fail(1);
    }
    this.at++;
  }

  private list(): Json[] {
    this.enter();
    const items: Json[] = [];
    if (this.peek() === CLOSE_LIST) {
      this.at++;
      this.depth--;
      return items;
    }
    for (;;) {
      items.push(this.value());
      const unit = this.peek();
      if (unit === CLOSE_LIST) {
        this.at++;
        this.depth--;
        return items;
      }
      if (unit !== COMMA) {
        this.fail(1);
      }
      this.at++;
      if (this.peek() === CLOSE_LIST) {
        this.fail(1);
      }
    }
  }

  private object(): JsonObject {
    this.enter();
    const fields: JsonObject = new Map();
    let unit = this.peek();
    if (unit === CLOSE_OBJECT) {
      this.at++;
      this.depth--;
      return fields;
    }
    for (;;) {
      if (unit !== QUOTE) {
        this.fail(1);
      }
      this.at++;
      const name = this.string();
      if (this.peek() !== COLON) {
        this.fail(1);
      }
      this.at++;
      fields.set(name, this.value());
      unit = this.peek();
      if (unit === CLOSE_OBJECT) {
        this.at++;
        this.depth--;
        return fields;
      }
      if (unit !== COMMA) {
        this.fail(1);
      }
      this.at++;
      unit = this.peek();
    }
  }

  /** The rest of a string, after its opening quote. */
  private string(): string {
    if (this.isPlain) {
      const end = this.text.indexOf('"', this.at);
      if (end >= 0) {
        const text = this.text.slice(this.at, end);
        this.at = end + 1;
        return text;
      }
      this.at = this.text.length;
      this.fail(0);
    }
    let done = "";
    const special = /["\\\0-\x1f]/g;
    for (;;) {
      special.lastIndex = this.at;
      const found = special.exec(this.text);
      const end = found === null ? this.text.length : found.index;
      done += this.text.slice(this.at, end);
      this.at = end;
      const unit = this.text.charCodeAt(end);
      if (unit === QUOTE) {
        this.at++;
        return done;
      }
      if (unit !== BACKSLASH) {
        this.fail(1);
      }
      this.at++;
      done += this.escape();
    }
  }

  private escape(): string {
    const c = this.text.charAt(this.at);
    if (c !== "u") {
      const meant = ESCAPED.get(c) ?? this.fail(1);
      this.at++;
      return meant;
    }
    this.at++;
    const first = this.hexadecimal();
    if (first >= 0xdc00 && first <= 0xdfff) {
      this.fail(0);
    }
    if (first < 0xd800 || first > 0xdbff) {
      return String.fromCharCode(first);
    }
    for (const due of [BACKSLASH, 0x75]) {
      if (this.text.charCodeAt(this.at) !== due) {
        this.fail(1);
      }
      this.at++;
    }
    const second = this.hexadecimal();
    if (second < 0xdc00 || second > 0xdfff) {
      this.fail(0);
    }
    return String.fromCharCode(first, second);
  }

  private hexadecimal(): number {
    const digits = this.text.slice(this.at, this.at + 4);
    if (/^[0-9A-Fa-f]{4}$/.test(digits)) {
      this.at += 4;
      return parseInt(digits, 16);
    }
    // Four bytes are consumed before they are checked.
    return this.fail(4);
  }

  private number(isNegative: boolean): bigint | number {
    const start = this.at;
    let unit = this.text.charCodeAt(this.at);
    if (!isDigit(unit)) {
      this.fail(1);
    }
    this.at++;
    if (unit === ZERO && isDigit(this.text.charCodeAt(this.at))) {
      this.fail(1);
    }
    while (isDigit((unit = this.text.charCodeAt(this.at)))) {
      this.at++;
    }
    const digits = this.text.slice(start, this.at);
    const isWhole = unit !== DOT && !isExponent(unit);
    if (isWhole && digits.length < 16 && digits !== "0") {
      return isNegative ? -BigInt(digits) : BigInt(digits);
    }
    const { taken, left } = significand(0n, digits);
    if (unit === DOT) {
      return this.decimal(isNegative, taken, left);
    }
    if (!isWhole) {
      return this.exponent(isNegative, taken, left);
    }
    if (left > 0) {
      return this.float(isNegative, taken, left);
    }
    if (!isNegative) {
      return taken;
    }
    return taken === 0n || taken > I64_MIN_SIZE ? -Number(taken) : -taken;
  }

  private decimal(isNegative: boolean, whole: bigint, power: number): number {
    this.at++;
    const start = this.at;
    while (isDigit(this.text.charCodeAt(this.at))) {
      this.at++;
    }
    const digits = this.text.slice(start, this.at);
    if (digits === "") {
      this.fail(1);
    }
    const { taken, left } = significand(whole, digits);
    power -= digits.length - left;
    return isExponent(this.text.charCodeAt(this.at))
      ? this.exponent(isNegative, taken, power)
      : this.float(isNegative, taken, power);
  }

  private exponent(isNegative: boolean, taken: bigint, power: number): number {
    this.at++;
    const sign = this.text.charCodeAt(this.at);
    if (sign === PLUS || sign === MINUS) {
      this.at++;
    }
    if (!isDigit(this.text.charCodeAt(this.at))) {
      this.fail(1);
    }
    let exponent = 0;
    let unit;
    while (isDigit((unit = this.text.charCodeAt(this.at)))) {
      this.at++;
      exponent = exponent * 10 + (unit - ZERO);
      if (exponent > 0x7fff_ffff) {
        return this.hugeExponent(isNegative, taken === 0n, sign !== MINUS);
      }
    }
    return this.float(isNegative, taken, sign === MINUS ? power - exponent : power + exponent);
  }

  private hugeExponent(isNegative: boolean, isZero: boolean, isPositive: boolean): number {
    if (!isZero && isPositive) {
      this.fail(0);
    }
    while (isDigit(this.text.charCodeAt(this.at))) {
      this.at++;
    }
    return isNegative ? -0 : 0;
  }

  /** By one multiplication or division, as the host reads it: not always the nearest number, always the same. */
  private float(isNegative: boolean, taken: bigint, power: number): number {
    let value = Number(taken);
    for (;;) {
      const scale = POWERS[Math.abs(power)];
      if (scale !== undefined) {
        value = power >= 0 ? value * scale : value / scale;
        if (value === Infinity) {
          this.fail(0);
        }
        break;
      }
      if (value === 0) {
        break;
      }
      if (power >= 0) {
        this.fail(0);
      }
      value /= 1e308;
      power += 308;
    }
    return isNegative ? -value : value;
  }

  /** Stops `more` bytes after the current position. */
  private fail(more: number): never {
    const target = Math.min(bytes(this.text), bytes(this.text.slice(0, this.at)) + more);
    let line = 1;
    let start = 0;
    let passed = 0;
    for (let at = 0; passed < target; at++) {
      const unit = this.text.charCodeAt(at);
      passed += unit < 0x80 ? 1 : unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3;
      if (unit === NEWLINE) {
        line++;
        start = passed;
      }
    }
    throw new JsonError(line, target - start);
  }
}

/** As many of the digits after those of `taken` as fit in 64 bits, and the number of remaining digits. */
function significand(taken: bigint, digits: string): { taken: bigint; left: number } {
  const whole = digits.length < 16 ? taken * BigInt(POWERS[digits.length]!) + BigInt(digits) : U64_MAX + 1n;
  if (whole <= U64_MAX) {
    return { taken: whole, left: 0 };
  }
  for (let at = 0; at < digits.length; at++) {
    const more = taken * 10n + BigInt(digits.charCodeAt(at) - ZERO);
    if (more > U64_MAX) {
      return { taken, left: digits.length - at };
    }
    taken = more;
  }
  return { taken, left: 0 };
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= 0x39;
}

function isExponent(unit: number): boolean {
  return unit === 0x65 || unit === 0x45;
}
