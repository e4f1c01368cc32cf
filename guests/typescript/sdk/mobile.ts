/**
 * Mobile numbers in one normal form: mainland numbers without a country code, `13800138000`; all others with it,
 * `+85291234567`.
 *
 * WeCom accepts digits, `+` and `-`, allows mainland numbers to omit `+86`, and requires the country code on all
 * others (error 60103). People also write spaces, brackets, full-width digits and `0086`; all of that is accepted.
 * Mainland, Hong Kong, Macao and Taiwan numbers are checked against their own numbering plans, others by an assigned
 * country code and the lengths of E.164.
 */

import { Fault, show } from "./fault.ts";
import { identifier } from "./text.ts";

/** The country code of the mainland, `+86`. */
export const MAINLAND = 86;

const IS_MAINLAND = /^1[3-9][0-9]{9}$/;

/**
 * Reads a number; one without a country code belongs to the country with code `home`, the mainland if left out.
 * `parse("+86 138-0013-8000")` is `13800138000`, `parse("+852 9123 4567")` is `+85291234567`.
 *
 * Throws `mobile.invalid` if it is not a number or not a mobile number of its country; `mobile.country-code` if its
 * country code is not assigned.
 */
export function parse(text: string, home = MAINLAND): string {
  if (home === MAINLAND && isMainland(text)) {
    return text;
  }
  const { plus, digits } = dialled(text);
  let country = home;
  let national = digits;
  if (plus) {
    [country, national] = splitCountry(digits) ?? unassigned(text);
  } else if (home === MAINLAND && digits.startsWith("86") && isMainland(withoutTrunk(MAINLAND, digits.slice(2)))) {
    national = digits.slice(2);
  }
  national = withoutTrunk(country, national);
  if (!isNational(country, national)) {
    throw invalid(text);
  }
  return country === MAINLAND ? national : `+${country}${national}`;
}

/**
 * The reason why a number cannot be sent to WeCom unchanged: it is not at most 32 characters of digits, `+` and `-`,
 * or not a number that {@link parse} reads.
 */
export function check(text: string): Fault | undefined {
  if (isMainland(text)) {
    return undefined;
  }
  if (text.length > 32 || /[^0-9+-]/.test(text)) {
    return invalid(text);
  }
  try {
    parse(text);
    return undefined;
  } catch (fault) {
    if (fault instanceof Fault) {
      return fault;
    }
    throw fault;
  }
}

/** True if a country code is assigned to a country or a satellite network. */
export function isAssigned(country: number): boolean {
  return CODES.has(country);
}

/** The digits of a number, and whether they begin with a country code. */
function dialled(text: string): { plus: boolean; digits: string } {
  // A trunk zero, dialled only within the country: `+44 (0)7911 …`.
  const plain = identifier(text).replaceAll("(0)", "(");
  if (/[^0-9+ ()./·\u2010-\u2015\u2212-]/.test(plain)) {
    throw invalid(text);
  }
  const dialled = plain.replace(/[^0-9+]+/g, "");
  const plus = dialled.startsWith("+");
  const digits = plus ? dialled.slice(1) : dialled;
  if (digits.includes("+")) {
    throw invalid(text);
  }
  return !plus && digits.startsWith("00") ? { plus: true, digits: digits.slice(2) } : { plus, digits };
}

function invalid(text: string): Fault {
  const shown = show(text);
  return new Fault(
    "mobile.invalid",
    `手机号 ${shown} 无效：大陆手机号应为 1 开头的 11 位数字，其他地区须加国家或地区代码，如 +852。请更正`,
    `mobile ${shown} is not valid: a mainland number has 11 digits and begins with 13–19, any other needs its country code, such as +852. Correct it`,
  );
}

function unassigned(text: string): never {
  const shown = show(text);
  throw new Fault(
    "mobile.country-code",
    `手机号 ${shown} 的国家或地区代码不存在，请更正`,
    `mobile ${shown} has a country code that is not assigned. Correct it`,
  );
}

function isMainland(text: string): boolean {
  return text.length === 11 && IS_MAINLAND.test(text);
}

function isNational(country: number, national: string): boolean {
  switch (country) {
    case MAINLAND:
      return isMainland(national);
    case 852:
      return national.length === 8 && /^[4-9]/.test(national);
    case 853:
      return national.length === 8 && national.startsWith("6");
    case 886:
      return national.length === 9 && national.startsWith("9");
    default: {
      const length = national.length + (country < 10 ? 1 : country > 99 ? 3 : 2);
      const zero = !national.startsWith("0") || KEEPS_ZERO.has(country);
      return zero && national.length >= 4 && length >= 7 && length <= 15;
    }
  }
}

/** Benin, Burkina Faso, Congo, Côte d'Ivoire; landlines of Italy, San Marino and the Vatican. */
const KEEPS_ZERO = new Set([39, 225, 226, 229, 242, 378, 379]);

/**
 * A number without its domestic trunk prefix, which people often keep after the country code: `+44 07911 …`, `+86
 * 0138…`. A zero that belongs to the number is kept.
 */
function withoutTrunk(country: number, national: string): string {
  if (KEEPS_ZERO.has(country)) {
    return national;
  }
  // Russia and Kazakhstan dial 8 before ten digits, Hungary 06.
  const trunk =
    country === 7 && national.length === 11 ? "8" : country === 36 && national.startsWith("06") ? "06" : "0";
  return national.startsWith(trunk) ? national.slice(trunk.length) : national;
}

/** No assigned code is a prefix of another. */
function splitCountry(digits: string): [country: number, national: string] | undefined {
  for (let length = 1; length <= 3 && length <= digits.length && !digits.startsWith("0"); length++) {
    const country = Number(digits.slice(0, length));
    if (CODES.has(country)) {
      return [country, digits.slice(length)];
    }
  }
  return undefined;
}

/**
 * ITU-T E.164 assigned country codes and the shared codes of satellite networks, sorted; without the codes for
 * freephone, shared cost and premium services, which are not mobile numbers.
 */
// prettier-ignore
const CODES = new Set([
  1, 7, 20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60,
  61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
  211, 212, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237,
  238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 260, 261,
  262, 263, 264, 265, 266, 267, 268, 269, 290, 291, 297, 298, 299,
  350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 380, 381, 382,
  383, 385, 386, 387, 389, 420, 421, 423,
  500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599,
  670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686, 687, 688, 689, 690, 691, 692,
  850, 852, 853, 855, 856, 870, 880, 881, 882, 883, 886,
  960, 961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 992, 993, 994, 995, 996, 998,
]);
