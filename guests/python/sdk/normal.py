"""Unicode NFKC in one version, whatever the Python.

Python's own tables know the characters of its day: Unicode 14 in CPython 3.11, 16 in the sandbox. The Rust SDK knows
Unicode 18. Assigned characters never change, so data for the characters newer than 14 are enough to give the same
answer: below are their decompositions, their combining classes and the pairs that compose to them. A text without any
goes through ``unicodedata``; one with them goes through the standard's algorithm (UAX #15). A text with many marks in
a row goes through it too, because ``unicodedata`` would sort them by comparing each with each.
"""

from __future__ import annotations

import re
import unicodedata

_DECOMPOSED = """
    558=567 58b=56b 58c=575 209d=77 209e=79 209f=7a a7f1=53 105c9=105d2+307 105e4=105da+307 107bb=287 107bc=296
    107bd=297 107be=29e 107bf=1df0b 11383=11382+113c9 11385=11384+113bb 1138e=1138b+113c2 11391=11390+113c9
    113c5=113c2+113c2 113c7=113c2+113b8 113c8=113c2+113c9 16121=1611e+1611e 16122=1611e+16129 16123=1611e+1611f
    16124=16129+1611f 16125=1611e+16120 16126=1611e+1611e+1611f 16127=1611e+16129+1611f 16128=1611e+1611e+16120
    16d68=16d67+16d67 16d69=16d63+16d67 16d6a=16d63+16d67+16d67 1b123=3053+3068 1b124=30c8+30ad 1b125=30c8+30c6
    1b126=30e8+30ea 1ccd6=41 1ccd7=42 1ccd8=43 1ccd9=44 1ccda=45 1ccdb=46 1ccdc=47 1ccdd=48 1ccde=49 1ccdf=4a
    1cce0=4b 1cce1=4c 1cce2=4d 1cce3=4e 1cce4=4f 1cce5=50 1cce6=51 1cce7=52 1cce8=53 1cce9=54 1ccea=55 1cceb=56
    1ccec=57 1cced=58 1ccee=59 1ccef=5a 1ccf0=30 1ccf1=31 1ccf2=32 1ccf3=33 1ccf4=34 1ccf5=35 1ccf6=36 1ccf7=37
    1ccf8=38 1ccf9=39 1d6a6=df 1df95=df 1dfcd=1df57 1dfce=1df58 1dfcf=1df59 1dfd0=263 1dfd1=1d18 1dfd2=180 1dfd3=111
    1dfd4=1e5 1dfd5=142 1dfd6=19a 1dfd7=1df50 1dfd8=1df3e 1dfd9=249 1dfda=1d7f 1dfdb=1df3f 1dfdc=19e 1dfdd=27c
    1dfde=238 1dfdf=239 1dfe0=1df2b 1dfe1=1df19 1dfe2=286 1dfe3=1d98 1dfe4=1df2c 1dfe5=1df1c 1dfe6=293 1dfe7=1d9a
    1dfe8=1d05 1dfe9=1d00 1dfea=1d07 1dfeb=27f 1dfec=285 1dfed=2ae 1dfee=2af 1dfef=221 1dff0=234 1dff1=235 1dff2=236
    1dff3=3c8 1dff4=3c9 1dff5=1d81 1dff6=a795 1dff7=1d87 1dff8=1d8a 1dff9=1d8e 1dffa=188 1dffb=199 1dffc=1a5
    1dffd=2a0 1dffe=1ad 1dfff=1df09 1e030=430 1e031=431 1e032=432 1e033=433 1e034=434 1e035=435 1e036=436 1e037=437
    1e038=438 1e039=43a 1e03a=43b 1e03b=43c 1e03c=43e 1e03d=43f 1e03e=440 1e03f=441 1e040=442 1e041=443 1e042=444
    1e043=445 1e044=446 1e045=447 1e046=448 1e047=44b 1e048=44d 1e049=44e 1e04a=a689 1e04b=4d9 1e04c=456 1e04d=458
    1e04e=4e9 1e04f=4af 1e050=4cf 1e051=430 1e052=431 1e053=432 1e054=433 1e055=434 1e056=435 1e057=436 1e058=437
    1e059=438 1e05a=43a 1e05b=43b 1e05c=43e 1e05d=43f 1e05e=441 1e05f=443 1e060=444 1e061=445 1e062=446 1e063=447
    1e064=448 1e065=44a 1e066=44b 1e067=491 1e068=456 1e069=455 1e06a=45f 1e06b=4ab 1e06c=a651 1e06d=4b1
"""
_PAIRS = """
    105d2+307=105c9 105da+307=105e4 11382+113c9=11383 11384+113bb=11385 1138b+113c2=1138e 11390+113c9=11391
    113c2+113c2=113c5 113c2+113b8=113c7 113c2+113c9=113c8 1611e+1611e=16121 1611e+16129=16122 1611e+1611f=16123
    16129+1611f=16124 1611e+16120=16125 16121+1611f=16126 16122+1611f=16127 16121+16120=16128 16d67+16d67=16d68
    16d63+16d67=16d69 16d69+16d67=16d6a
"""
_CLASSES = {
    1: """
    1d25b 1d25c
    """,
    9: """
    113ce 113cf 113d0 11f41 11f42 1612f
    """,
    10: """
    5c8
    """,
    21: """
    5c9
    """,
    216: """
    1d250 1d251 1d252 1d25f 1d280 1d281
    """,
    220: """
    1add 1ae6 1aee 1aef 10ecc 10ecd 10ef0 10ef1 10ef2 10ef4 10ef6 10efa 10efb 10efd 10efe 10eff 1d127 1d128 1e4ee
    1e5ef
    """,
    230: """
    897 1acf 1ad0 1ad1 1ad2 1ad3 1ad4 1ad5 1ad6 1ad7 1ad8 1ad9 1ada 1adb 1adc 1ade 1adf 1ae0 1ae1 1ae2 1ae3 1ae4
    1ae5 1ae7 1ae8 1ae9 1aea 1aec 1aed 1af0 10d69 10d6a 10d6b 10d6c 10d6d 10ecb 10ece 10ecf 10ef3 10ef5 10ef7 10ef8
    10ef9 1e08f 1e4ef 1e5ee 1e6e3 1e6e6 1e6ee 1e6ef 1e6f5
    """,
    232: """
    1e4ec 1e4ed
    """,
    234: """
    1aeb
    """,
}


def _text(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split("+"))


_parts = {_text(code): _text(parts) for code, parts in (word.split("=") for word in _DECOMPOSED.split())}
_pairs = {_text(pair): _text(code) for pair, code in (word.split("=") for word in _PAIRS.split())}
_classes = {_text(code): number for number, codes in _CLASSES.items() for code in codes.split()}
_NEWER = re.compile(f"[{''.join({*_parts, *_classes, *(pair[0] for pair in _pairs)})}]")


# More marks in a row than any writing has, those that are made of what is none among them. There are none beyond.
_marks = "".join(
    chr(code) for code in range(0x1F000) if unicodedata.combining(unicodedata.normalize("NFKD", chr(code))[0])
)
_MANY_MARKS = re.compile(f"[{_marks}]{{32}}")


def nfkc(text: str) -> str:
    """The text in NFKC."""
    if _NEWER.search(text) is None and _MANY_MARKS.search(text) is None:
        return unicodedata.normalize("NFKC", text)
    return _composed(_decomposed(text))


def _decomposed(text: str) -> list[str]:
    """The decomposed characters; consecutive marks sorted by their combining class, everything else in place."""
    letters: list[str] = []
    marks: list[str] = []
    for letter in text:
        for part in _parts.get(letter) or unicodedata.normalize("NFKD", letter):
            if _class(part) > 0:
                marks.append(part)
                continue
            letters.extend(sorted(marks, key=_class))
            marks.clear()
            letters.append(part)
    letters.extend(sorted(marks, key=_class))
    return letters


def _class(letter: str) -> int:
    return _classes.get(letter) or unicodedata.combining(letter)


def _composed(letters: list[str]) -> str:
    composed: list[str] = []
    # The position of the last starter, and the class of the last character kept after it.
    starter, last = -1, 0
    for letter in letters:
        own = _class(letter)
        blocked = len(composed) - 1 != starter and last >= own
        if starter >= 0 and not blocked:
            pair = _pair(composed[starter] + letter)
            if pair is not None:
                composed[starter] = pair
                continue
        if own == 0:
            starter = len(composed)
        last = own
        composed.append(letter)
    return "".join(composed)


def _pair(pair: str) -> str | None:
    known = _pairs.get(pair) or unicodedata.normalize("NFC", pair)
    return known if len(known) == 1 else None
