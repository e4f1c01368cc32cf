"""The reason for rejecting a value, before its field and form are known.

A rule knows the value and the constraint; only its caller knows the form's field. So a rule raises a :class:`Fault`,
and :meth:`Fault.at` turns it into the contract's ``Violation``. The text, in Chinese and English, names the problem
and the remedy, and never contains a complete mobile number, e-mail address or identity number.
"""

from __future__ import annotations

import re

from .characters import WHITE_SPACE
from .contract import Text, Violation

MESSAGE_MOST = 300
"""The longest text of a violation, in characters of one language."""

_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_ADDRESS_END = re.compile(f"[^{WHITE_SPACE},;，；]*[{WHITE_SPACE},;，；]?")
_DIGIT = re.compile("[0-9０-９]")


class Fault(Exception):
    """A value that breaks a rule."""

    def __init__(self, rule: str, chinese: str, english: str) -> None:
        self.rule = rule
        """A stable code, such as ``mobile.invalid``."""
        self.message = Text(cut(chinese, MESSAGE_MOST), cut(english, MESSAGE_MOST))
        """The message for a person, at most :data:`MESSAGE_MOST` characters in each language."""
        super().__init__(self.message.both)

    def at(self, field: str) -> Violation:
        """The violation of this rule by a field."""
        return Violation(field, self.rule, self.message)


def cut(text: str, most: int) -> str:
    """At most ``most`` characters, the last an ellipsis if something was left out."""
    return text if len(text) <= most else text[: most - 1] + "…"


def show(value: str) -> str:
    """A value in the form shown in messages: short, on one line, long digit runs and the name part of an e-mail
    masked.

    >>> show("13800138000")
    '“138******00”'
    >>> show("zhangsan@example.com")
    '“z*******@example.com”'
    """
    if "@" in value or "＠" in value:
        shown = "".join(_mask_address(part) for part in _ADDRESS_END.findall(value))
    else:
        shown = _mask_digits(value)
    return f"“{cut(_CONTROL.sub('␣', shown), 32)}”"


def _mask_address(part: str) -> str:
    places = [place for place in (part.find("@"), part.find("＠")) if place >= 0]
    at = min(places, default=0)
    local = part[:at]
    return local[:1] + "*" * (len(local) - 1) + _mask_digits(part[at:])


def _mask_digits(text: str) -> str:
    """Masks the digits of a text that has seven or more, except the first three and the last two."""
    total = len(_DIGIT.findall(text))
    if total < 7:
        return text
    seen = 0

    def mask(digit: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        return "*" if 3 < seen <= total - 2 else digit[0]

    return _DIGIT.sub(mask, text)
