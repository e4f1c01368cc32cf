"""Sets of characters, as the inside of a bracket of a regular expression.

Python's own idea of white space and digits is wider than Unicode's ``White_Space`` and ASCII, and a decision must not
depend on the language it was written in.
"""

WHITE_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Unicode's ``White_Space``."""

WHITE = "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""The same, each character for itself, as ``str.strip`` takes it."""

JOINERS = "\u200c\u200d"
"""Joiners have a meaning between emoji and in some scripts, so they are kept there and only there."""

INVISIBLE = (
    "\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb"
)
"""Zero-width characters, direction marks, byte order marks, soft hyphens and control characters."""

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}


def ascii_lower(text: str) -> str:
    """The text with A–Z in lower case, and nothing else changed."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def ascii_upper(text: str) -> str:
    """The text with a–z in upper case, and nothing else changed."""
    return text.upper() if text.isascii() else text.translate(_UPPER)
