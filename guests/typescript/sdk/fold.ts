/**
 * The common form of different spellings of one text.
 *
 * A table says `生产部（一车间）` and the form `生产部(一车间) `; a name comes out of a PDF with radicals in place of its
 * characters. A person sees no difference, so both sides of a comparison are folded first. Texts written to the
 * directory are never folded.
 */

import { nfkc } from "./normal.ts";

/**
 * The characters that replace those from U+2E81 on: Unicode's `Equivalent_Unified_Ideograph` of the block CJK
 * Radicals Supplement, of which NFKC maps only two. NFKC maps the other radicals (Kangxi).
 */
const RADICALS =
  "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵⺚旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀" +
  "聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟";

// prettier-ignore
const ALIKE: readonly (readonly [one: string, characters: string])[] = [
  [".", "·•‧∙⋅・◦●。ꞏ⸱⸳᛫"],
  ["-", "\u2010\u2011\u2012\u2013\u2014\u2015˗⁃−⸺⸻─━➖"],
  ["/", "∕⁄╱⧸\\∖⧵╲"],
  ["(", "[{〔【〖〘〚⟦⟨❨❲"],
  [")", "]}〕】〗〙〛⟧⟩❩❳"],
  ['"', "“”„‟«»「」『』〝〞〟"],
  ["'", "‘’‚‛‹›′‵ʼʹ`"],
  ["<", "〈《"],
  [">", "〉》"],
  [",", "、"],
  [":", "∶"],
  ["~", "∼〜"],
  ["i", "İı"],
  ["σ", "ς"],
];

/** Folding never changes these, whatever is beside them. Nearly every character in a form is one of them. */
const NOT_FOLDED = /[^!-&(-@^_a-z|~\u4e00-\u9fff]/;
/**
 * Invisible characters: zero-width characters, joiners, fillers, and variation selectors.
 */
const VANISHES =
  /[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
const WHITE = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;
/** A letter or digit of a script that separates words with spaces, as far as names in a directory are concerned. */
const SPACED = /^[0-9A-Za-z\xc0-\u024f\u0370-\u052f\u1e00-\u1eff]$/;
/** Only letters whose lower case is one letter; of Unicode's since 7, so that no engine knows others. */
const LETTER = /^[A-Z\xc0-\u024f\u0370-\u052f\u1e00-\u1eff]$/;

let alike: ReadonlyMap<string, string> | undefined;

/**
 * The form in which texts are compared: NFKC; radicals as their characters; every kind of dot, dash, slash, bracket
 * and quote as one; Latin, Greek and Cyrillic letters in lower case, with or without the dot of an `i`; no invisible
 * characters, and no space but a single one between two letters or digits of these scripts.
 * `fold("Li  Ming")` is `li ming`.
 */
export function fold(text: string): string {
  if (!NOT_FOLDED.test(text)) {
    return text;
  }
  const folded: string[] = [];
  let spaced = false;
  for (const written of nfkc(text.replace(VANISHES, ""))) {
    if (WHITE.test(written)) {
      spaced = true;
      continue;
    }
    const last = folded.at(-1);
    // NFKC turns `´` into a space, possibly trimmed, and this mark.
    const letter = written === "\u0301" && (spaced || last === undefined) ? "'" : foldCharacter(written);
    // Chinese doubles its dash; and lower-casing `İ` leaves a combining dot.
    if ((letter === "-" && written !== "-" && last === "-") || (letter === "\u0307" && last === "i")) {
      continue;
    }
    if (letter === "'" && last === "'") {
      folded[folded.length - 1] = '"';
      continue;
    }
    if (spaced && last !== undefined && SPACED.test(last) && SPACED.test(letter)) {
      folded.push(" ");
    }
    spaced = false;
    folded.push(letter);
  }
  // Characters that are now adjacent may compose.
  return nfkc(folded.join(""));
}

function foldCharacter(c: string): string {
  alike ??= new Map(ALIKE.flatMap(([one, characters]) => Array.from(characters, (other) => [other, one] as const)));
  const one = alike.get(c);
  if (one !== undefined) {
    return one;
  }
  if (c >= "\u2e81" && c <= "\u2ef3" && c.length === 1) {
    return Array.from(RADICALS)[c.charCodeAt(0) - 0x2e81] ?? c;
  }
  if (!LETTER.test(c)) {
    return c;
  }
  const lowered = c.toLowerCase();
  return lowered.length === 1 ? lowered : c;
}
