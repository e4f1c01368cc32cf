/**
 * Unicode NFKC in the version of every SDK, 18, whatever the engine's.
 *
 * The engine knows Unicode 17. Assigned characters never change, so a text without newer characters goes through
 * `normalize`; one with them goes through the standard's algorithm (UAX #15), which needs the decompositions of the
 * newer characters and every combining class. No pair with a newer character composes. A text with many marks in a
 * row goes through it too, because the engine would sort them by comparing each with each.
 */

/** The decompositions of newer characters, and the marks that the engine may not know as such. */
const NEWER =
  /[\u0558\u058b\u058c\u05c8\u05c9\u0897\u1acf-\u1af0\u209d-\u209f\u{107bb}-\u{107bf}\u{10d69}-\u{10d6d}\u{10ecb}-\u{10ecf}\u{10ef0}-\u{10efb}\u{10efd}-\u{10eff}\u{113ce}-\u{113d0}\u{11f41}\u{11f42}\u{1612f}\u{1b123}-\u{1b126}\u{1d127}\u{1d128}\u{1d250}-\u{1d252}\u{1d25b}\u{1d25c}\u{1d25f}\u{1d280}\u{1d281}\u{1d6a6}\u{1df95}\u{1dfcd}-\u{1dfff}\u{1e08f}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}\u{1e6e3}\u{1e6e6}\u{1e6ee}\u{1e6ef}\u{1e6f5}]/u;

/** More marks in a row than any script has; the two non-marks decompose to marks. */
const MANY_MARKS = /[\p{M}\uff9e\uff9f]{32}/u;

// prettier-ignore
const DECOMPOSED = new Map(`
  558=567 58b=56b 58c=575 209d=77 209e=79 209f=7a 107bb=287 107bc=296 107bd=297 107be=29e 107bf=1df0b
  1b123=3053+3068 1b124=30c8+30ad 1b125=30c8+30c6 1b126=30e8+30ea 1d6a6=df 1df95=df 1dfcd=1df57 1dfce=1df58
  1dfcf=1df59 1dfd0=263 1dfd1=1d18 1dfd2=180 1dfd3=111 1dfd4=1e5 1dfd5=142 1dfd6=19a 1dfd7=1df50 1dfd8=1df3e
  1dfd9=249 1dfda=1d7f 1dfdb=1df3f 1dfdc=19e 1dfdd=27c 1dfde=238 1dfdf=239 1dfe0=1df2b 1dfe1=1df19 1dfe2=286
  1dfe3=1d98 1dfe4=1df2c 1dfe5=1df1c 1dfe6=293 1dfe7=1d9a 1dfe8=1d05 1dfe9=1d00 1dfea=1d07 1dfeb=27f 1dfec=285
  1dfed=2ae 1dfee=2af 1dfef=221 1dff0=234 1dff1=235 1dff2=236 1dff3=3c8 1dff4=3c9 1dff5=1d81 1dff6=a795 1dff7=1d87
  1dff8=1d8a 1dff9=1d8e 1dffa=188 1dffb=199 1dffc=1a5 1dffd=2a0 1dffe=1ad 1dfff=1df09
`.trim().split(/\s+/).map((entry) => {
  const [character = "", parts = ""] = entry.split("=");
  return [fromHex(character), parts.split("+").map(fromHex).join("")];
}));

/** Per range of characters its first, its length if not 1, and its combining class. */
const CLASSES = `
  300+21:230 315:232 316+4:220 31a:232 31b:216 31c+5:220 321+2:202 323+4:220 327+2:202 329+11:220 334+5:1
  339+4:220 33d+8:230 345:240 346:230 347+3:220 34a+3:230 34d+2:220 350+3:230 353+4:220 357:230 358:232 359+2:220
  35b:230 35c:233 35d+2:234 35f:233 360+2:234 362:233 363+13:230 483+5:230 591:220 592+4:230 596:220 597+3:230
  59a:222 59b:220 59c+6:230 5a2+6:220 5a8+2:230 5aa:220 5ab+2:230 5ad:222 5ae:228 5af:230 5b0:10 5b1:11 5b2:12
  5b3:13 5b4:14 5b5:15 5b6:16 5b7:17 5b8:18 5b9+2:19 5bb:20 5bc:21 5bd:22 5bf:23 5c1:24 5c2:25 5c4:230 5c5:220
  5c7:18 5c8:10 5c9:21 610+8:230 618:30 619:31 61a:32 64b:27 64c:28 64d:29 64e:30 64f:31 650:32 651:33 652:34
  653+2:230 655+2:220 657+5:230 65c:220 65d+2:230 65f:220 670:35 6d6+7:230 6df+4:230 6e3:220 6e4:230 6e7+2:230
  6ea:220 6eb+2:230 6ed:220 711:36 730:230 731:220 732+2:230 734:220 735+2:230 737+3:220 73a:230 73b+2:220 73d:230
  73e:220 73f+3:230 742:220 743:230 744:220 745:230 746:220 747:230 748:220 749+2:230 7eb+7:230 7f2:220 7f3:230
  7fd:220 816+4:230 81b+9:230 825+3:230 829+5:230 859+3:220 897+2:230 899+3:220 89c+4:230 8ca+5:230 8cf+5:220
  8d4+14:230 8e3:220 8e4+2:230 8e6:220 8e7+2:230 8e9:220 8ea+3:230 8ed+3:220 8f0:27 8f1:28 8f2:29 8f3+3:230
  8f6:220 8f7+2:230 8f9+2:220 8fb+5:230 93c:7 94d:9 951:230 952:220 953+2:230 9bc:7 9cd:9 9fe:230 a3c:7 a4d:9
  abc:7 acd:9 b3c:7 b4d:9 bcd:9 c3c:7 c4d:9 c55:84 c56:91 cbc:7 ccd:9 d3b+2:9 d4d:9 dca:9 e38+2:103 e3a:9
  e48+4:107 eb8+2:118 eba:9 ec8+4:122 f18+2:220 f35:220 f37:220 f39:216 f71:129 f72:130 f74:132 f7a+4:130 f80:130
  f82+2:230 f84:9 f86+2:230 fc6:220 1037:7 1039+2:9 108d:220 135d+3:230 1714+2:9 1734:9 17d2:9 17dd:230 18a9:228
  1939:222 193a:230 193b:220 1a17:230 1a18:220 1a60:9 1a75+8:230 1a7f:220 1ab0+5:230 1ab5+6:220 1abb+2:230
  1abd:220 1abf+2:220 1ac1+2:230 1ac3+2:220 1ac5+5:230 1aca:220 1acb+18:230 1add:220 1ade+8:230 1ae6:220
  1ae7+4:230 1aeb:234 1aec+2:230 1aee+2:220 1af0:230 1b34:7 1b44:9 1b6b:230 1b6c:220 1b6d+7:230 1baa+2:9 1be6:7
  1bf2+2:9 1c37:7 1cd0+3:230 1cd4:1 1cd5+5:220 1cda+2:230 1cdc+4:220 1ce0:230 1ce2+7:1 1ced:220 1cf4:230
  1cf8+2:230 1dc0+2:230 1dc2:220 1dc3+7:230 1dca:220 1dcb+2:230 1dcd:234 1dce:214 1dcf:220 1dd0:202 1dd1+37:230
  1df6:232 1df7+2:228 1df9:220 1dfa:218 1dfb:230 1dfc:233 1dfd:220 1dfe:230 1dff:220 20d0+2:230 20d2+2:1
  20d4+4:230 20d8+3:1 20db+2:230 20e1:230 20e5+2:1 20e7:230 20e8:220 20e9:230 20ea+2:1 20ec+4:220 20f0:230
  2cef+3:230 2d7f:9 2de0+32:230 302a:218 302b:228 302c:232 302d:222 302e+2:224 3099+2:8 a66f:230 a674+10:230
  a69e+2:230 a6f0+2:230 a806:9 a82c:9 a8c4:9 a8e0+18:230 a92b+3:220 a953:9 a9b3:7 a9c0:9 aab0:230 aab2+2:230
  aab4:220 aab7+2:230 aabe+2:230 aac1:230 aaf6:9 abed:9 fb1e:26 fe20+7:230 fe27+7:220 fe2e+2:230 101fd:220
  102e0:220 10376+5:230 10a0d:220 10a0f:230 10a38:230 10a39:1 10a3a:220 10a3f:9 10ae5:230 10ae6:220 10d24+4:230
  10d69+5:230 10eab+2:230 10ecb:230 10ecc+2:220 10ece+2:230 10ef0+3:220 10ef3:230 10ef4:220 10ef5:230 10ef6:220
  10ef7+3:230 10efa+2:220 10efd+3:220 10f46+2:220 10f48+3:230 10f4b:220 10f4c:230 10f4d+4:220 10f82:230 10f83:220
  10f84:230 10f85:220 11046:9 11070:9 1107f:9 110b9:9 110ba:7 11100+3:230 11133+2:9 11173:7 111c0:9 111ca:7
  11235:9 11236:7 112e9:7 112ea:9 1133b+2:7 1134d:9 11366+7:230 11370+5:230 113ce+3:9 11442:9 11446:7 1145e:230
  114c2:9 114c3:7 115bf:9 115c0:7 1163f:9 116b6:9 116b7:7 1172b:9 11839:9 1183a:7 1193d+2:9 11943:7 119e0:9
  11a34:9 11a47:9 11a99:9 11c3f:9 11d42:7 11d44+2:9 11d97:9 11f41+2:9 1612f:9 16af0+5:1 16b30+7:230 16ff0+2:6
  1bc9e:1 1d127+2:220 1d165+2:216 1d167+3:1 1d16d:226 1d16e+5:216 1d17b+8:220 1d185+5:230 1d18a+2:220 1d1aa+4:230
  1d242+3:230 1d250+3:216 1d25b+2:1 1d25f:216 1d280+2:216 1e000+7:230 1e008+17:230 1e01b+7:230 1e023+2:230
  1e026+5:230 1e08f:230 1e130+7:230 1e2ae:230 1e2ec+4:230 1e4ec+2:232 1e4ee:220 1e4ef:230 1e5ee:230 1e5ef:220
  1e6e3:230 1e6e6:230 1e6ee+2:230 1e6f5:230 1e8d0+7:220 1e944+6:230 1e94a:7
`;

let classes: readonly (readonly [first: number, length: number, combining: number])[] | undefined;

/** The text in NFKC. */
export function nfkc(text: string): string {
  return NEWER.test(text) || MANY_MARKS.test(text) ? compose(decompose(text)) : text.normalize("NFKC");
}

function fromHex(code: string): string {
  return String.fromCodePoint(parseInt(code, 16));
}

/** The decomposed characters; consecutive marks sorted by their combining class, everything else in place. */
function decompose(text: string): string[] {
  const characters: string[] = [];
  let marks: { c: string; combining: number }[] = [];
  const order = (): void => {
    marks.sort((one, other) => one.combining - other.combining);
    for (const { c } of marks) {
      characters.push(c);
    }
    marks = [];
  };
  for (const written of text) {
    for (const c of DECOMPOSED.get(written) ?? written.normalize("NFKD")) {
      const combining = classOf(c);
      if (combining > 0) {
        marks.push({ c, combining });
      } else {
        order();
        characters.push(c);
      }
    }
  }
  order();
  return characters;
}

function compose(characters: readonly string[]): string {
  const composed: string[] = [];
  // The position of the last starter, and the class of the last character kept after it.
  let starter = -1;
  let last = 0;
  for (const c of characters) {
    const combining = classOf(c);
    const isBlocked = starter !== composed.length - 1 && last >= combining;
    const pair = starter >= 0 && !isBlocked ? (composed[starter]! + c).normalize("NFC") : "";
    if (pair !== "" && pair.length === (pair.codePointAt(0)! > 0xffff ? 2 : 1)) {
      composed[starter] = pair;
      continue;
    }
    if (combining === 0) {
      starter = composed.length;
    }
    last = combining;
    composed.push(c);
  }
  return composed.join("");
}

function classOf(c: string): number {
  classes ??= CLASSES.trim()
    .split(/\s+/)
    .map((entry) => {
      const [, first = "", length = "1", combining = ""] = /^([0-9a-f]+)(?:\+(\d+))?:(\d+)$/.exec(entry) ?? [];
      return [parseInt(first, 16), Number(length), Number(combining)];
    });
  const code = c.codePointAt(0)!;
  let [low, high] = [0, classes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (classes[middle]![0] <= code) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const range = classes[low - 1];
  return range !== undefined && code - range[0] < range[1] ? range[2] : 0;
}
