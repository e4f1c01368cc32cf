/**
 * Dates and moments as forms and people write them.
 *
 * JianDaoYun returns every date as a moment in UTC, a date-only field too: 1 May in Shanghai is
 * `2024-04-30T16:00:00.000Z`. People type `2024/5/1` and `2024年5月1日` into text fields, and other systems fill in
 * seconds or milliseconds since 1970. Each is read as a {@link Moment} in a `Zone`. Years before 1900 are typing
 * errors; a date far in the future, such as 9999-12-31, is how people write "not yet".
 *
 * Spreadsheets and computers write a zero as a date: 1899-12-30, 1900-01-01, 1970-01-01, `0000-00-00`. No person
 * means such a day. It parses to a moment with {@link Moment.isZero}; as a field's value ({@link parseValue}) it is
 * empty.
 */

import { Fault, show } from "./fault.ts";
import type { Json } from "./json.ts";
import { identifier } from "./text.ts";
import { text as textOf } from "./value.ts";
import { civil, days, daysIn } from "./zone.ts";
import type { Zone } from "./zone.ts";

const DAY = 86_400;
/** 1900-01-01 */
const FIRST = -2_208_988_800;
/** 10000-01-01 */
const END = 253_402_300_800;

/**
 * 1905-01-01. Before it most clocks showed local solar time, up to an hour behind the zone's, and other programs use
 * it.
 */
const SUN_TIME = -2_051_222_400;
/** The zero of Unix, and with an hour before each those of Excel, SQL Server and Windows, and of the year 1. */
const ZEROS: readonly (readonly [start: number, behind: number])[] = [
  [0, 0],
  [days(1, 1, 1) * DAY, 3600],
  [days(1601, 1, 1) * DAY, 3600],
  [days(1753, 1, 1) * DAY, 3600],
  [days(1899, 12, 30) * DAY, 3600],
  [days(1899, 12, 31) * DAY, 3600],
  [days(1900, 1, 1) * DAY, 3600],
  [days(1904, 1, 1) * DAY, 3600],
];

/** A moment and the offset of its clock. */
export class Moment {
  protected readonly ms: number;
  private readonly offset: number;

  /** The moment a number of milliseconds after 1970 in UTC. */
  constructor(timestampMs: number, zone: Zone) {
    this.ms = timestampMs;
    this.offset = zone.offsetAt(Math.floor(timestampMs / 1000));
  }

  /** Milliseconds since 1970 in UTC. */
  get timestampMs(): number {
    return this.ms;
  }

  /** Seconds since 1970 in UTC. */
  get timestamp(): number {
    return Math.floor(this.timestampMs / 1000);
  }

  /** Seconds since 1970-01-01 00:00 on the clock of the zone. */
  get local(): number {
    return this.timestamp + this.offset;
  }

  /** The day in the zone, `2024-05-01`. */
  date(): string {
    const { year, month, day } = civil(Math.floor(this.local / DAY));
    return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  }

  /** The moment in ISO 8601 with the zone's offset, `2024-05-01T08:30:00+08:00`; a fraction only if there is one. */
  iso8601(): string {
    const second = this.local - Math.floor(this.local / DAY) * DAY;
    const time = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
    const fraction = this.timestampMs - this.timestamp * 1000;
    const minutes = Math.floor(Math.abs(this.offset) / 60);
    const zone = [Math.floor(minutes / 60), minutes % 60];
    return (
      `${this.date()}T${time.map((part) => digits(part, 2)).join(":")}` +
      (fraction === 0 ? "" : `.${digits(fraction, 3)}`) +
      (this.offset < 0 ? "-" : "+") +
      zone.map((part) => digits(part, 2)).join(":")
    );
  }

  /**
   * True for a zero that a spreadsheet or computer wrote as a date, in the zone or in UTC: the first days of Excel,
   * of Unix, of SQL Server and of Windows, and that of the year 1.
   */
  get isZero(): boolean {
    // In UTC only the start of the day counts: its evening is the next day in Shanghai.
    return ZEROS.some(
      ([start, behind]) =>
        this.timestamp === start || (this.local >= start - behind && this.local < start + DAY),
    );
  }

  /** The first moment of its day in the zone. */
  startOfDay(zone: Zone): Moment {
    return new Moment(zone.instantOf(Math.floor(this.local / DAY) * DAY) * 1000, zone);
  }

  /** True if it comes before another moment, such as `clock.now` or `clock.today`. */
  isBefore(other: Moment): boolean {
    return other.hasPassed(this);
  }

  /** True if it comes after another moment. */
  isAfter(other: Moment): boolean {
    return other.isShortOf(this);
  }

  /** The other side of `isBefore`, which decides: a moment of the clock keeps count of it. */
  hasPassed(moment: Moment): boolean {
    return moment.timestampMs < this.timestampMs;
  }

  /** The other side of `isAfter`. */
  isShortOf(moment: Moment): boolean {
    return moment.timestampMs > this.timestampMs;
  }

  /** Milliseconds since 1970 in UTC, so that `<` and `>` compare moments. */
  valueOf(): number {
    return this.timestampMs;
  }
}

/** Milliseconds since 1970 as RFC 3339 in UTC; `undefined` beyond the year 9999, which has no such text. */
export function utc(milliseconds: number): string | undefined {
  const seconds = Math.floor(milliseconds / 1000);
  const { year, month, day } = civil(Math.floor(seconds / DAY));
  if (year < 0 || year > 9999) {
    return undefined;
  }
  const second = seconds - Math.floor(seconds / DAY) * DAY;
  const time = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return (
    `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T${time.map((part) => digits(part, 2)).join(":")}` +
    `.${digits(milliseconds - seconds * 1000, 3)}Z`
  );
}

function digits(number: number, width: number): string {
  return String(number).padStart(width, "0");
}

/**
 * Reads a form's value: a text as {@link parse} does, a number as seconds or milliseconds since 1970. A zero date
 * gives none. Throws `date.invalid`; `value.shape` if the value is an object.
 */
export function parseValue(value: Json, zone: Zone): Moment | undefined {
  const moment = parse(textOf(value), zone);
  return moment.isZero ? undefined : moment;
}

/**
 * Reads `2024-05-01`, `2024/5/1`, `2024.5.1`, `2024年5月1日`, `20240501`, any of the first four with a time (`T` or
 * space, `8:30`, `08:30:00.25`, `8时30分`) and a zone (`Z`, `+08:00`), ten digits (seconds since 1970) or thirteen
 * (milliseconds), `0`. Without a zone it is in `zone`; without a time it is the start of the day. Throws
 * `date.invalid`.
 */
export function parse(text: string, zone: Zone): Moment {
  return inRange(read(identifier(text), zone), text, zone);
}

/**
 * Reads a date by a pattern of `YYYY`, `MM`, `DD`, `HH`, `mm`, `ss` (so many digits) and `M`, `D`, `H`, `m`, `s` (one
 * or two); all other characters are literal. `DD.MM.YYYY` reads `01.05.2024`. Throws `date.invalid`.
 */
export function parsePattern(text: string, pattern: string, zone: Zone): Moment {
  return inRange(readPattern(identifier(text), pattern, zone), text, zone);
}

/**
 * The moment, if it is in the valid range or a zero. A moment after the year 9999 in its zone becomes the last one
 * with a four-digit year.
 */
function inRange(moment: Moment | undefined, text: string, zone: Zone): Moment {
  if (moment !== undefined && moment.local >= END) {
    return new Moment((zone.instantOf(END) - 1) * 1000, zone);
  }
  if (moment !== undefined && (moment.local >= FIRST || moment.isZero)) {
    return moment;
  }
  const shown = show(text);
  throw new Fault(
    "date.invalid",
    `${shown} 不是有效日期，请按 2024-05-01 的格式填写`,
    `${shown} is no date. Write it like 2024-05-01`,
  );
}

/** A date and time on some clock. */
interface Written {
  year: number;
  month: number;
  day: number;
  hour?: number;
  minute?: number;
  second?: number;
  millisecond?: number;
}

function momentOf(written: Written, offset: number | undefined, zone: Zone): Moment | undefined {
  const { year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0 } = written;
  // Zeros that are not days, whatever the time: of databases, and of a spreadsheet that counts from 1900-01-00.
  if (day === 0 && ((year === 0 && month === 0) || (year === 1900 && month === 1))) {
    const local = year === 0 ? days(1, 1, 1) : days(1899, 12, 31);
    return new Moment(zone.instantOf(local * DAY) * 1000, zone);
  }
  const isLawful = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  // A leap second counts as the second after it.
  if (!isLawful || hour > 23 || minute > 59 || second > 60) {
    return undefined;
  }
  const local = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
  const instant = offset === undefined ? zone.instantOf(local) : local - offset;
  return new Moment(instant * 1000 + millisecond, zone);
}

function read(text: string, zone: Zone): Moment | undefined {
  if (/^[0-9]*$/.test(text)) {
    return readDigits(text, zone);
  }
  if (text.startsWith("-")) {
    return readBeforeUnix(text.slice(1), zone);
  }
  const cursor = new Cursor(text);
  return cursor.attempt(() => {
    const written = cursor.written();
    const offset = written.hour === undefined ? undefined : cursor.offset();
    return cursor.isAtEnd() ? momentOf(written, offset, zone) : undefined;
  });
}

function readDigits(text: string, zone: Zone): Moment | undefined {
  switch (text.length) {
    case 1:
      return text === "0" ? new Moment(0, zone) : undefined;
    case 8:
      return readPattern(text, "YYYYMMDD", zone);
    case 10:
      return new Moment(Number(text) * 1000, zone);
    case 13:
      return new Moment(Number(text), zone);
    case 14:
      return readPattern(text, "YYYYMMDDHHmmss", zone);
    default:
      return undefined;
  }
}

/**
 * A zero date as a negative number of seconds or milliseconds: midnight of 1970-01-01 in Shanghai is `-28800`. No
 * other date before 1970 is written in this way.
 */
function readBeforeUnix(digits: string, zone: Zone): Moment | undefined {
  if (!/^[0-9]{1,15}$/.test(digits)) {
    return undefined;
  }
  return [1000, 1]
    .map((unit) => new Moment(0 - Number(digits) * unit, zone))
    .find((moment) => moment.isZero && (moment.local % DAY === 0 || moment.local < SUN_TIME));
}

function readPattern(text: string, pattern: string, zone: Zone): Moment | undefined {
  const cursor = new Cursor(text);
  return cursor.attempt(() => {
    const written: Required<Omit<Written, "millisecond">> = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    for (const [run] of pattern.matchAll(/Y{1,4}|M{1,2}|D{1,2}|H{1,2}|m{1,2}|s{1,2}|[^]/gu)) {
      const part = PARTS.get(run.charAt(0));
      if (part === undefined) {
        cursor.expect(run);
      } else {
        written[part] = cursor.number(run.length, run.length === 1 ? 2 : run.length);
      }
    }
    return cursor.isAtEnd() ? momentOf(written, undefined, zone) : undefined;
  });
}

const PARTS = new Map([
  ["Y", "year"],
  ["M", "month"],
  ["D", "day"],
  ["H", "hour"],
  ["m", "minute"],
  ["s", "second"],
] as const) as ReadonlyMap<string, "year" | "month" | "day" | "hour" | "minute" | "second">;

/** Thrown and caught here when a text is not a date. */
const NO_DATE = Symbol("no date");

/** The remaining text. */
class Cursor {
  private at = 0;

  constructor(private readonly text: string) {}

  /** The result of `read`, `undefined` if the text is not a date. */
  attempt(read: () => Moment | undefined): Moment | undefined {
    try {
      return read();
    } catch (error) {
      if (error === NO_DATE) {
        return undefined;
      }
      throw error;
    }
  }

  isAtEnd(): boolean {
    return this.at === this.text.length;
  }

  /** Steps over the first of the texts that comes next. */
  take(...texts: string[]): string | undefined {
    const found = texts.find((text) => this.text.startsWith(text, this.at));
    this.at += found?.length ?? 0;
    return found;
  }

  expect(...texts: string[]): string {
    const found = this.take(...texts);
    if (found === undefined) {
      throw NO_DATE;
    }
    return found;
  }

  /** A number of so many digits. */
  number(least: number, most: number): number {
    const start = this.at;
    while (this.at < start + most && /^[0-9]$/.test(this.text.charAt(this.at))) {
      this.at++;
    }
    if (this.at - start < least) {
      throw NO_DATE;
    }
    return Number(this.text.slice(start, this.at));
  }

  /** A date, and the time behind it if there is one. */
  written(): Written {
    const written: Written = { year: this.number(4, 4), month: 0, day: 0 };
    const separator = this.expect("-", "/", ".", "年");
    written.month = this.number(1, 2);
    this.expect(separator === "年" ? "月" : separator);
    written.day = this.number(1, 2);
    if (separator === "年") {
      this.take("日", "号");
    }
    const gap = this.take("T", " ");
    if (this.isAtEnd()) {
      return written;
    }
    if (gap === undefined && separator !== "年") {
      throw NO_DATE;
    }
    written.hour = this.number(1, 2);
    if (this.take("时", "点") !== undefined) {
      if (!this.isAtEnd()) {
        written.minute = this.number(1, 2);
        this.take("分");
      }
      if (!this.isAtEnd()) {
        written.second = this.number(1, 2);
        this.take("秒");
      }
    } else {
      this.expect(":");
      written.minute = this.number(2, 2);
      if (this.take(":") !== undefined) {
        written.second = this.number(2, 2);
        if (this.take(".", ",") !== undefined) {
          written.millisecond = this.fraction();
        }
      }
    }
    this.take(" ");
    return written;
  }

  /** Any number of digits; only the first three count. */
  private fraction(): number {
    const start = this.at;
    this.number(1, Infinity);
    return Number(this.text.slice(start, Math.min(start + 3, this.at)).padEnd(3, "0"));
  }

  /** `Z`, `+08:00`, `+0800`, `+08` in seconds, or nothing. */
  offset(): number | undefined {
    if (this.isAtEnd()) {
      return undefined;
    }
    if (this.take("Z", "z") !== undefined) {
      return 0;
    }
    const sign = this.expect("+", "-") === "+" ? 1 : -1;
    const hours = this.number(2, 2);
    this.take(":");
    const minutes = this.isAtEnd() ? 0 : this.number(2, 2);
    if (hours > 23 || minutes > 59) {
      throw NO_DATE;
    }
    return sign * (hours * 3600 + minutes * 60);
  }
}
