"""Cleaning of text: people paste more into a form than they can see.

There are three kinds. :func:`line` is for texts read by people (name, position, address): invisible and control
characters are removed, any run of white space becomes one space, the ends are trimmed, and nothing else changes.
:func:`identifier` is for values compared by machines (userid, mobile, e-mail, ids): the same after NFKC, which turns
``Ａ１＠`` into ``A1@``. :class:`Cleaning` is either, depending on its settings. All are idempotent. Beside them
:func:`fold`: for comparison with a table or a list, never for writing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .characters import INVISIBLE, JOINERS, WHITE, WHITE_SPACE, ascii_lower, ascii_upper
from .fold import fold
from .normal import nfkc

_BLANK = re.compile(f"[{WHITE_SPACE}{INVISIBLE}{JOINERS}]*")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
# Characters absent from any text that needs no work. A single space inside is fine.
_WORK = re.compile(f"[\t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000{INVISIBLE}{JOINERS}]|  |^ | \\Z")
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_SPACES = re.compile(f"[{WHITE_SPACE}]+")
# A joiner stays between two characters that are neither ASCII, white space, nor Chinese.
_JOINER = re.compile(f"[{JOINERS}]")
_JOINED = re.compile(f"[^\0-\x7f{WHITE_SPACE}{JOINERS}\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass(slots=True)
class Cleaning:
    """How a text is cleaned. The default is that of :func:`line`."""

    trim: bool = True
    """Remove white space at both ends."""
    nfkc: bool = False
    """Normalise to Unicode NFKC first."""
    collapse: bool = True
    """Turn each run of white space, line breaks included, into one space."""
    case: Literal["lower", "upper"] | None = None
    """Change the case of the letters A–Z."""
    strip: str = ""
    """Characters to remove everywhere."""

    def apply(self, text: str) -> str:
        """The text, cleaned. Invisible and control characters are always removed, white space among the control
        characters only by ``collapse`` and ``trim``."""
        text = self._stripped(text)
        if self.nfkc and not text.isascii():
            text = self._stripped(nfkc(text))
        if _WORK.search(text):
            text = _rewrite(text, self.trim, self.collapse)
        if self.case == "lower":
            return ascii_lower(text)
        return ascii_upper(text) if self.case == "upper" else text


    def _stripped(self, text: str) -> str:
        """The text without the characters of ``strip``, which may match before or after NFKC: so this runs both
        before and after it."""
        return "".join(letter for letter in text if letter not in self.strip) if self.strip else text


def _rewrite(text: str, trim: bool, collapse: bool) -> str:
    if _JOINER.search(text):
        text = _without_loose_joiners(text)
    text = _INVISIBLE.sub("", text)
    if collapse:
        text = _SPACES.sub(" ", text)
    return text.strip(WHITE) if trim else text


def _without_loose_joiners(text: str) -> str:
    """The text without joiners that join nothing, judged by the kept text before a joiner and the original text after
    it."""
    kept: list[str] = []
    for place, letter in enumerate(text):
        if letter in JOINERS:
            before, behind = kept[-1:], text[place + 1 : place + 2]
            if not (before and behind and _JOINED.match(before[0]) and _JOINED.match(behind)):
                continue
        elif _INVISIBLE.match(letter):
            continue
        kept.append(letter)
    return "".join(kept)


def line(text: str) -> str:
    """A text for people, on one line; see the module.

    >>> line("\\ufeff　高级\\n工程师（上海） ")
    '高级 工程师（上海）'
    """
    # A printable text has no character that is removed, and no white space other than the space.
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text
    return _rewrite(text, True, True)


def identifier(text: str) -> str:
    """A text for machines; see the module.

    >>> identifier("\\u200bｕｓｅｒ１２３４　")
    'user1234'
    """
    return line(text if text.isascii() else nfkc(text))


def is_blank(text: str) -> bool:
    """True if a person would see nothing."""
    first = text[:1]
    if first > " " and first.isprintable():
        return False
    return _BLANK.fullmatch(text) is not None


_NOTHING = frozenset(
    """
    无 没有 暂无 没 空 无此项 不详 未知 未填 未填写 不填 未提供 不适用 无邮箱 没有邮箱 暂无邮箱 无手机 没有手机 无手机号 没有手机号
    无电话 没有电话 n/a n.a na #n/a null nil none undefined
    """.split()
) | {"not applicable"}


def is_placeholder(text: str) -> bool:
    """True for a placeholder that means "none": ``无``, ``暂无``, ``N/A``, ``null``, ``（无）``, or nothing but dashes,
    slashes and dots. Anything else, such as ``0``, is a value.

    >>> is_placeholder("（暂无）"), is_placeholder("——"), is_placeholder("0")
    (True, True, False)
    """
    # Longer than any of them in any spelling.
    if len(text.encode("utf-8", "surrogatepass")) > 100:
        return False
    folded = fold(text)
    word = folded.strip("()<>\"'.-/_,~")
    return word in _NOTHING if word else folded != ""


def has_control(text: str) -> bool:
    """True if the text has a character that does not belong on one line: a control character or a line break."""
    return not text.isprintable() and _CONTROL.search(text) is not None
