/**
 * Time zones: the IANA database from 1970 on, packed in `zones.ts`.
 *
 * JianDaoYun's dates are moments in UTC, and the calendar day depends on the zone, including Shanghai's summer time
 * of 1986–1991. Before 1970 a zone has the offset it had in 1970. A zone is unpacked when it is named.
 */

import { GuestError } from "./contract.ts";
import { show } from "./fault.ts";
import { asciiLower } from "./text.ts";
import { DATA, NAMES, OFFSETS, RULES, ZONES } from "./zones.ts";

/** Month, week (5 is the last), weekday (0 is Sunday), second of the day in local time. */
export type Turn = readonly [month: number, week: number, weekday: number, second: number];

const DAY = 86_400;
const LINES = `\n${NAMES}`;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NO_RULE = 255;

/** A time zone. */
export class Zone {
  private constructor(
    private readonly first: number,
    /** (first second, offset from then on), ascending. */
    private readonly transitions: readonly (readonly [instant: number, offset: number])[],
    /** Summer time in the years after the last transition. */
    private readonly rule: (typeof RULES)[number] | undefined,
  ) {}

  /** The zone of an IANA name such as `Asia/Shanghai`, case-insensitively. Throws `timezone.unknown`. */
  static named(name: string): Zone {
    const packed = numberOf(asciiLower(name));
    const zone = packed === undefined ? undefined : ZONES[packed];
    if (zone === undefined) {
      const shown = show(name);
      throw new GuestError(
        "timezone.unknown",
        `没有名为 ${shown} 的时区，请使用 IANA 名称，如 Asia/Shanghai / there is no time zone ${shown}. Use an IANA name such as Asia/Shanghai`,
      );
    }
    const [start, length, first, rule] = zone;
    const offset = OFFSETS[first] ?? 0;
    return new Zone(offset, unpack(start, length, offset), rule === NO_RULE ? undefined : RULES[rule]);
  }

  /** Seconds east of Greenwich at a moment, given in seconds since 1970 in UTC. */
  offsetAt(instant: number): number {
    const passed = this.transitions.findLastIndex(([from]) => from <= instant);
    if (passed === this.transitions.length - 1 && this.rule !== undefined) {
      return summerOrNot(this.rule, instant);
    }
    return this.transitions[passed]?.[1] ?? this.first;
  }

  /**
   * The moment at which a wall clock shows `local`, seconds since 1970-01-01 00:00 on that clock. For a time shown
   * twice it is the first; a skipped time counts as if the clock had not been put forward yet.
   */
  instantOf(local: number): number {
    const before = this.offsetAt(local - DAY);
    const after = this.offsetAt(local + DAY);
    const [early, late] = [local - before, local - after];
    return this.offsetAt(early) !== before && this.offsetAt(late) === after ? late : early;
  }

  /** The day at a moment, in days since 1970-01-01. */
  dayOf(instant: number): number {
    return Math.floor((instant + this.offsetAt(instant)) / DAY);
  }

  /** The first moment of a day. */
  startOf(day: number): number {
    return this.instantOf(day * DAY);
  }

  /** The first moment after `instant` at which it is this day or a later one; at `instant` it is earlier. */
  nextStartOf(day: number, instant: number): number {
    const start = this.startOf(day);
    // Between the two midnights of a clock put back over the first.
    return start > instant ? start : day * DAY - this.offsetAt(instant);
  }

  /** The first moment after `instant` at which the day is different. */
  nextDay(instant: number): number {
    return this.turnedBack(instant) ?? this.nextStartOf(this.dayOf(instant) + 1, instant);
  }

  /** The moment at which the wall clock is put back to the day before, if that is in the first hours of the day. */
  turnedBack(instant: number): number | undefined {
    const offset = this.offsetAt(instant);
    // No clock was ever put back over midnight by more.
    let [before, after] = [instant, instant + 3 * 3_600];
    if (this.offsetAt(after) >= offset) {
      return undefined;
    }
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.offsetAt(middle) === offset) {
        before = middle;
      } else {
        after = middle;
      }
    }
    return this.dayOf(after) < this.dayOf(instant) ? after : undefined;
  }
}

function numberOf(name: string): number | undefined {
  const at = /^[a-z0-9/_+-]+$/.test(name) ? LINES.indexOf(`\n${name} `) : -1;
  return at < 0 ? undefined : parseInt(LINES.slice(at + name.length + 2), 10);
}

/**
 * Per transition twice the hours since the one before, plus 1 if the offset is again the one before the last; of an odd
 * time 0 hours, and the seconds after it; unless the offset comes again, one byte naming it.
 */
function unpack(start: number, length: number, first: number): [number, number][] {
  const transitions: [number, number][] = [];
  let [instant, before, current] = [0, first, first];
  let at = start;
  const leb128 = () => {
    let number = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = byteAt(at++);
      number += (byte & 127) * scale;
      if (byte < 128) {
        return number;
      }
    }
  };
  while (at < start + length) {
    const number = leb128();
    instant += number > 1 ? Math.floor(number / 2) * 3600 : leb128();
    const next = number % 2 === 1 ? before : (OFFSETS[byteAt(at++)] ?? 0);
    transitions.push([instant, next]);
    [before, current] = [current, next];
  }
  return transitions;
}

/** A byte of the data, which is in base64. */
function byteAt(index: number): number {
  const at = Math.floor(index / 3) * 4;
  const digit = (place: number) => DIGITS.indexOf(DATA.charAt(at + place));
  switch (index % 3) {
    case 0:
      return (digit(0) << 2) | (digit(1) >> 4);
    case 1:
      return ((digit(1) & 15) << 4) | (digit(2) >> 2);
    default:
      return ((digit(2) & 3) << 6) | digit(3);
  }
}

function summerOrNot([standard, daylight, starts, ends]: (typeof RULES)[number], instant: number): number {
  const { year } = civil(Math.floor((instant + standard) / DAY));
  const start = turnSecond(year, starts) - standard;
  const end = turnSecond(year, ends) - daylight;
  const isSummer = start < end ? start <= instant && instant < end : !(end <= instant && instant < start);
  return isSummer ? daylight : standard;
}

/** The local second of a clock change in a year. */
function turnSecond(year: number, [month, week, weekday, second]: Turn): number {
  const first = days(year, month, 1);
  // 1970-01-01 was a Thursday.
  const lead = (((weekday - (first + 4)) % 7) + 7) % 7;
  let day = first + lead + 7 * (week - 1);
  if (day >= first + daysIn(year, month)) {
    day -= 7;
  }
  return day * DAY + second;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar. */
export function days(year: number, month: number, day: number): number {
  // Years counted from March have the leap day at the end.
  const [ofMarch, marchYear] = month > 2 ? [month - 3, year] : [month + 9, year - 1];
  const era = Math.floor(marchYear / 400);
  const ofEra = marchYear - era * 400;
  const ofYear = Math.floor((153 * ofMarch + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

/** The date of a number of days since 1970-01-01. */
export function civil(number: number): { year: number; month: number; day: number } {
  const shifted = number + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const ofMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * ofMarch + 2) / 5) + 1;
  const year = era * 400 + yearOfEra;
  return ofMarch < 10 ? { year, month: ofMarch + 3, day } : { year: year + 1, month: ofMarch - 9, day };
}

/** The days of a month. */
export function daysIn(year: number, month: number): number {
  if (month === 2) {
    return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  }
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
