"""Mobile numbers in one normal form: mainland numbers without a country code, ``13800138000``; all others with it,
``+85291234567``.

WeCom accepts digits, ``+`` and ``-``, allows mainland numbers to omit ``+86``, and requires the country code on all
others (error 60103). People also write spaces, brackets, full-width digits and ``0086``; all of that is accepted.
Mainland, Hong Kong, Macao and Taiwan numbers are checked against their own numbering plans, others by an assigned
country code and the lengths of E.164.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .fault import Fault, show
from .text import identifier

MAINLAND = 86
"""The country code of the mainland, ``+86``."""

_MAINLAND = re.compile("1[3-9][0-9]{9}")
_SENT = re.compile("[0-9+-]{0,32}")
_NOISE = " -()./·\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class Mobile:
    """A mobile number in normal form."""

    country: int
    """The country code, for example 86 or 852."""
    text: str
    """The normal form."""

    def __str__(self) -> str:
        return self.text


def parse(text: str, home: int = MAINLAND) -> Mobile:
    """Reads a number; one without a country code belongs to the country with code ``home``.

    >>> str(parse("+86 138-0013-8000"))
    '13800138000'
    >>> str(parse("+852 9123 4567"))
    '+85291234567'

    :raises Fault: ``mobile.invalid`` if it is not a number or not a mobile number of its country;
    ``mobile.country-code`` if its country code is not assigned.
    """
    if home == MAINLAND and _MAINLAND.fullmatch(text):
        return Mobile(MAINLAND, text)
    digits, plus = _digits(identifier(text), text)
    if not plus and digits.startswith("00"):
        digits, plus = digits[2:], True
    if plus:
        country = next((code for code in (digits[:1], digits[:2], digits[:3]) if code in _CODES), None)
        if country is None:
            raise _unassigned(text)
        home, national = int(country), digits[len(country) :]
    elif home == MAINLAND and digits.startswith("86") and _MAINLAND.fullmatch(_without_trunk(MAINLAND, digits[2:])):
        national = digits[2:]
    else:
        national = digits
    national = _without_trunk(home, national)
    if not _is_national(home, national):
        raise _invalid(text)
    return Mobile(home, national if home == MAINLAND else f"+{home}{national}")


def check(text: str) -> None:
    """Checks that a number can be sent to WeCom unchanged: at most 32 characters of digits, ``+`` and ``-``, and a
    number :func:`parse` reads.

    :raises Fault: as :func:`parse`.
    """
    if _MAINLAND.fullmatch(text):
        return
    if not _SENT.fullmatch(text):
        raise _invalid(text)
    parse(text)


def is_assigned(country: int) -> bool:
    """True if a country code is assigned to a country or a satellite network."""
    return str(country) in _CODES


def _digits(plain: str, text: str) -> tuple[str, bool]:
    """The digits, and whether a ``+`` stands before them."""
    digits: list[str] = []
    plus = False
    # A trunk zero, dialled only within the country: `+44 (0)7911 …`.
    for letter in plain.replace("(0)", "("):
        if letter in _DIGITS:
            digits.append(letter)
        elif letter == "+" and not digits and not plus:
            plus = True
        elif letter not in _NOISE:
            raise _invalid(text)
    return "".join(digits), plus


def _is_national(country: int, national: str) -> bool:
    first = national[:1]
    if country == MAINLAND:
        return _MAINLAND.fullmatch(national) is not None
    if country == 852:
        return len(national) == 8 and first in tuple("456789")
    if country == 853:
        return len(national) == 8 and first == "6"
    if country == 886:
        return len(national) == 9 and first == "9"
    code = 1 if country < 10 else 2 + (country > 99)
    zero = first != "0" or country in _KEEPS_ZERO
    return zero and len(national) >= 4 and 7 <= code + len(national) <= 15


# Benin, Burkina Faso, Congo, Côte d'Ivoire; landlines of Italy, San Marino and the Vatican.
_KEEPS_ZERO = frozenset((39, 225, 226, 229, 242, 378, 379))


def _without_trunk(country: int, national: str) -> str:
    """A number without its domestic trunk prefix, which people often keep after the country code: ``+44 07911 …``,
    ``+86 0138…``. A zero that belongs to the number is kept."""
    if country in _KEEPS_ZERO:
        return national
    # Russia and Kazakhstan dial 8 before ten digits, Hungary 06.
    if country == 7 and len(national) == 11:
        return national.removeprefix("8")
    if country == 36 and national.startswith("06"):
        return national[2:]
    return national.removeprefix("0")


def _invalid(text: str) -> Fault:
    shown = show(text)
    return Fault(
        "mobile.invalid",
        f"手机号 {shown} 无效：大陆手机号应为 1 开头的 11 位数字，其他地区须加国家或地区代码，如 +852。请更正",
        f"mobile {shown} is not valid: a mainland number has 11 digits and begins with 13–19, any other needs its "
        "country code, such as +852. Correct it",
    )


def _unassigned(text: str) -> Fault:
    shown = show(text)
    return Fault(
        "mobile.country-code",
        f"手机号 {shown} 的国家或地区代码不存在，请更正",
        f"mobile {shown} has a country code that is not assigned. Correct it",
    )


# ITU-T E.164 assigned country codes and the shared codes of satellite networks; without the codes for freephone,
# shared cost and premium services, which are not mobile numbers. No code is a prefix of another.
_CODES = frozenset(
    """
    1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84
    86 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236
    237 238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265
    266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378
    379 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595
    596 597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 850 852 853
    855 856 870 880 881 882 883 886 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 992 993 994
    995 996 998
    """.split()
)
