"""The common form of different spellings of one text.

A table says ``生产部（一车间）`` and the form ``生产部(一车间) ``; a name comes out of a PDF with radicals in place of its
characters. A person sees no difference, so both sides of a comparison are folded first. Texts written to the
directory are never folded.
"""

from __future__ import annotations

import re

from .characters import INVISIBLE, JOINERS, WHITE
from .normal import nfkc

# The characters that replace those from U+2E81 on: Unicode's ``Equivalent_Unified_Ideograph`` of the block CJK
# Radicals Supplement, of which NFKC maps only two. NFKC maps the other radicals (Kangxi).
_RADICALS = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵⺚旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀"
    "聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟"
)
_ALIKE = {
    ".": "·•‧∙⋅・◦●。ꞏ⸱⸳᛫",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015˗⁃−⸺⸻─━➖",
    "/": "∕⁄╱⧸\\∖⧵╲",
    "(": "[{〔【〖〘〚⟦⟨❨❲",
    ")": "]}〕】〗〙〛⟧⟩❩❳",
    '"': "“”„‟«»「」『』〝〞〟",
    "'": "‘’‚‛‹›′‵ʼʹ`",
    "<": "〈《",
    ">": "〉》",
    ",": "、",
    ":": "∶",
    "~": "∼〜",
    "i": "İı",
    "σ": "ς",
}
_LETTERS = [*range(0xC0, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x1F00)]
# Only letters whose lower case is one letter; of Unicode's since 7, so that no Python knows others.
_MAP = {code: chr(code).lower() for code in _LETTERS if len(chr(code).lower()) == 1}
_MAP |= {0x2E81 + place: character for place, character in enumerate(_RADICALS)}
_MAP |= {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_MAP |= {ord(character): one for one, characters in _ALIKE.items() for character in characters}

# Folding never changes these, whatever is beside them. Nearly every character in a form is one of them.
_FOLDED = re.compile("[!-&(-@^_a-z|~\u4e00-\u9fff]*")
# Invisible characters: zero-width characters, joiners, fillers, and variation selectors.
_VANISHES = re.compile(
    f"[{INVISIBLE}{JOINERS}\u034f\u115f\u1160\u2800\u3164\uffa0\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e0fff]"
)
# A letter or digit of a script that separates words with spaces, as far as names in a directory are concerned.
_SPACED = re.compile("[0-9A-Za-z\xc0-\u024f\u0370-\u052f\u1e00-\u1eff]")


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC; radicals as their characters; every kind of dot, dash, slash,
    bracket and quote as one; Latin, Greek and Cyrillic letters in lower case, with or without the dot of an ``i``; no
    invisible characters, and no space but a single one between two letters or digits of these scripts.

    >>> fold("生产部（一车间）") == fold("⽣产部 (一⻋间)\\u200b")
    True
    >>> fold("Li  Ming")
    'li ming'
    """
    if _FOLDED.fullmatch(text):
        return text
    folded: list[str] = []
    spaced = False
    for written in nfkc(_VANISHES.sub("", text)):
        if written in WHITE:
            spaced = True
            continue
        last = folded[-1] if folded else ""
        # NFKC turns ``´`` into a space, possibly trimmed, and this mark.
        letter = "'" if written == "\u0301" and (spaced or not last) else _MAP.get(ord(written), written)
        # Chinese doubles its dash; and lower-casing ``İ`` leaves a combining dot.
        if (letter == "-" and written != "-" and last == "-") or (letter == "\u0307" and last == "i"):
            continue
        if letter == "'" and last == "'":
            folded[-1] = '"'
            continue
        if spaced and last and _SPACED.match(last) and _SPACED.match(letter):
            folded.append(" ")
        spaced = False
        folded.append(letter)
    # Characters that are now adjacent may compose.
    return nfkc("".join(folded))
