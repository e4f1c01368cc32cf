"""Dates and moments as forms and people write them.

JianDaoYun returns every date as a moment in UTC, a date-only field too: 1 May in Shanghai is
``2024-04-30T16:00:00.000Z``, with three digits of a second, or two. People type ``2024/5/1`` and ``2024年5月1日`` into
text fields, and other systems fill in seconds or milliseconds since 1970. Each is read as a :class:`Moment` in a
zone, and a moment is written as a date, in ISO 8601, or as a timestamp. Years before 1900 are typing errors; a date
far in the future, such as 9999-12-31, is how people write "not yet".

Spreadsheets and computers write a zero as a date: 1899-12-30, 1900-01-01, 1970-01-01, ``0000-00-00``. No person means
such a day. It parses to a moment with :attr:`Moment.is_zero`; as a field's value (:func:`parse_value`) it is empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import value as values
from .fault import Fault, show
from .jsontext import Value
from .text import identifier
from .zone import Zone, civil, days, days_in

_FIRST = -2_208_988_800  # 1900-01-01
_END = 253_402_300_800  # 10000-01-01
_DAY = 86_400
# 1905-01-01. Before it most clocks showed local solar time, up to an hour behind the zone's, and other programs use
# it.
_SUN_TIME = -2_051_222_400
# The zero of Unix, and with an hour before each those of Excel, SQL Server and Windows, and of the year 1.
_ZEROS = ((0, 0),) + tuple(
    (days(*day) * _DAY, 3600)
    for day in (
        (1, 1, 1),
        (1601, 1, 1),
        (1753, 1, 1),
        (1899, 12, 30),
        (1899, 12, 31),
        (1900, 1, 1),
        (1904, 1, 1),
    )
)
# The groups never backtrack (`++`, `?+`): `18` is one number wherever a number may stand.
_ZONE = r"(?: ?+(?P<zone>[Zz]|(?P<sign>[+-])(?P<zone_hour>[0-9]{2}):?+(?P<zone_minute>[0-9]{2})?+)?+)"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}+):(?P<minute>[0-9]{2})"
    rf"(?::(?P<second>[0-9]{{2}})(?:[.,](?P<fraction>[0-9]++))?+)?+{_ZONE}"
)
_SPOKEN_CLOCK = (
    r"(?P<hour_>[0-9]{1,2}+)[时点](?:(?P<minute_>[0-9]{1,2}+)分?+"
    rf"(?:(?P<second_>[0-9]{{1,2}}+)秒?+{_ZONE.replace('>', '_>')})?+)?+"
)
_DAYS = (
    r"(?P<separator>[-/.])(?P<month>[0-9]{1,2}+)(?P=separator)(?P<day>[0-9]{1,2}+)(?P<gap>[T ])?+"
    r"|年(?P<month_>[0-9]{1,2}+)月(?P<day_>[0-9]{1,2}+)[日号]?+[T ]?+"
)
_WRITTEN = re.compile(rf"(?P<year>[0-9]{{4}})(?:{_DAYS})(?P<clock>{_CLOCK}|{_SPOKEN_CLOCK})?+")
_DIGITS = re.compile("[0-9]+")
_PATTERN = re.compile("Y{1,4}|M{1,2}|D{1,2}|H{1,2}|m{1,2}|s{1,2}|[^YMDHms]")
_PARTS = {"Y": 0, "M": 1, "D": 2, "H": 3, "m": 4, "s": 5}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment and the offset of its clock."""

    timestamp_ms: int
    """Milliseconds since 1970 in UTC."""
    offset: int
    """Seconds east of Greenwich."""

    @staticmethod
    def at(milliseconds: int, zone: Zone) -> Moment:
        """The moment a number of milliseconds after 1970 in UTC."""
        return Moment(milliseconds, zone.offset_at(milliseconds // 1000))

    @property
    def timestamp(self) -> int:
        """Seconds since 1970 in UTC."""
        return self.timestamp_ms // 1000

    @property
    def date(self) -> str:
        """The day in the zone, ``2024-05-01``."""
        year, month, day = civil(self.local // _DAY)
        return f"{year:04}-{month:02}-{day:02}"

    @property
    def iso8601(self) -> str:
        """The moment in ISO 8601 with the zone's offset, ``2024-05-01T08:30:00+08:00``; a fraction only if there is
        one."""
        second = self.local % _DAY
        fraction = self.timestamp_ms % 1000
        minutes = abs(self.offset) // 60
        return (
            f"{self.date}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            f"{f'.{fraction:03}' if fraction else ''}"
            f"{'-' if self.offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
        )

    @property
    def local(self) -> int:
        """Seconds since 1970-01-01 00:00 on the zone's clock."""
        return self.timestamp + self.offset

    @property
    def is_zero(self) -> bool:
        """True for a zero that a spreadsheet or computer wrote as a date, in the zone or in UTC: the first days of
        Excel, of Unix, of SQL Server and of Windows, and that of the year 1."""
        # In UTC only the start of the day counts: its evening is the next day in Shanghai.
        return any(
            self.timestamp == start or start - behind <= self.local < start + _DAY for start, behind in _ZEROS
        )

    def start_of_day(self, zone: Zone) -> Moment:
        """The first moment of its day in the zone."""
        return Moment.at(zone.instant_of(self.local // _DAY * _DAY) * 1000, zone)


def utc(milliseconds: int) -> str | None:
    """Milliseconds since 1970 as RFC 3339 in UTC; ``None`` beyond the year 9999, which has no such text."""
    seconds = milliseconds // 1000
    year, month, day = civil(seconds // _DAY)
    if not 0 <= year <= 9999:
        return None
    second = seconds % _DAY
    return (
        f"{year:04}-{month:02}-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        f".{milliseconds % 1000:03}Z"
    )


def parse_value(value: Value, zone: Zone) -> Moment | None:
    """Reads a form's value: a text as :func:`parse` does, a number as seconds or milliseconds since 1970. A zero date
    gives none.

    :raises Fault: ``date.invalid``; ``value.shape`` if the value is an object.
    """
    moment = parse(values.text(value), zone)
    return None if moment.is_zero else moment


def parse(text: str, zone: Zone) -> Moment:
    """Reads ``2024-05-01``, ``2024/5/1``, ``2024.5.1``, ``2024年5月1日``, ``20240501``, any of the first four with a
    time (``T`` or space, ``8:30``, ``08:30:00.25``, ``8时30分``) and a zone (``Z``, ``+08:00``), ten digits (seconds
    since 1970) or thirteen (milliseconds), ``0``. Without a zone it is in ``zone``; without a time it is the start of
    the day.

    >>> shanghai = Zone.named("Asia/Shanghai")
    >>> parse("2024-04-30T16:00:00.00Z", shanghai).date
    '2024-05-01'

    :raises Fault: ``date.invalid``.
    """
    return _in_range(_read(identifier(text), zone), text, zone)


def parse_pattern(text: str, pattern: str, zone: Zone) -> Moment:
    """Reads a date by a pattern of ``YYYY``, ``MM``, ``DD``, ``HH``, ``mm``, ``ss`` (so many digits) and ``M``,
    ``D``, ``H``, ``m``, ``s`` (one or two); all other characters are literal. ``DD.MM.YYYY`` reads ``01.05.2024``.

    :raises Fault: ``date.invalid``.
    """
    return _in_range(_read_pattern(identifier(text), pattern, zone), text, zone)


def _in_range(moment: Moment | None, text: str, zone: Zone) -> Moment:
    """The moment, if it is in the valid range or a zero. A moment after the year 9999 in its zone becomes the last
    one with a four-digit year."""
    if moment is not None and moment.local >= _END:
        return Moment.at((zone.instant_of(_END) - 1) * 1000, zone)
    if moment is not None and (moment.local >= _FIRST or moment.is_zero):
        return moment
    shown = show(text)
    raise Fault(
        "date.invalid", f"{shown} 不是有效日期，请按 2024-05-01 的格式填写", f"{shown} is no date. Write it like 2024-05-01"
    )


def _moment(clock: list[int], millisecond: int, offset: int | None, zone: Zone) -> Moment | None:
    """The moment of year, month, day, hour, minute and second on a clock of an offset, or of the zone."""
    year, month, day, hour, minute, second = clock
    # Zeros that are not days, whatever the time: of databases, and of a spreadsheet that counts from 1900-01-00.
    if (year, month, day) == (0, 0, 0):
        return Moment.at(zone.instant_of(days(1, 1, 1) * _DAY) * 1000, zone)
    if (year, month, day) == (1900, 1, 0):
        return Moment.at(zone.instant_of(days(1899, 12, 31) * _DAY) * 1000, zone)
    # A leap second counts as the second after it.
    if not 1 <= month <= 12 or not 1 <= day <= days_in(year, month) or hour > 23 or minute > 59 or second > 60:
        return None
    local = days(year, month, day) * _DAY + hour * 3600 + minute * 60 + second
    instant = zone.instant_of(local) if offset is None else local - offset
    return Moment.at(instant * 1000 + millisecond, zone)


def _read(text: str, zone: Zone) -> Moment | None:
    if _DIGITS.fullmatch(text):
        return _read_digits(text, zone)
    if text.startswith("-"):
        return _read_before_unix(text[1:], zone)
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    part = {name.rstrip("_"): text for name, text in found.groupdict().items() if text is not None}
    if "clock" in part and "separator" in part and "gap" not in part:
        return None
    clock = [int(part.get(name, 0)) for name in ("year", "month", "day", "hour", "minute", "second")]
    offset = None
    if "zone" in part:
        hours, minutes = int(part.get("zone_hour", 0)), int(part.get("zone_minute", 0))
        if hours > 23 or minutes > 59:
            return None
        offset = (hours * 3600 + minutes * 60) * (-1 if part.get("sign") == "-" else 1)
    return _moment(clock, int(part.get("fraction", "0")[:3].ljust(3, "0")), offset, zone)


def _read_digits(text: str, zone: Zone) -> Moment | None:
    if text == "0":
        return Moment.at(0, zone)
    if len(text) == 8:
        return _read_pattern(text, "YYYYMMDD", zone)
    if len(text) == 10:
        return Moment.at(int(text) * 1000, zone)
    if len(text) == 13:
        return Moment.at(int(text), zone)
    if len(text) == 14:
        return _read_pattern(text, "YYYYMMDDHHmmss", zone)
    return None


def _read_before_unix(digits: str, zone: Zone) -> Moment | None:
    """A zero date as a negative number of seconds or milliseconds: midnight of 1970-01-01 in Shanghai is ``-28800``.
    No other date before 1970 is written in this way."""
    if len(digits) > 15 or not _DIGITS.fullmatch(digits):
        return None
    for unit in (1000, 1):
        moment = Moment.at(-int(digits) * unit, zone)
        if moment.is_zero and (moment.local % _DAY == 0 or moment.local < _SUN_TIME):
            return moment
    return None


def _read_pattern(text: str, pattern: str, zone: Zone) -> Moment | None:
    clock = [0, 1, 1, 0, 0, 0]
    place = 0
    for piece in _PATTERN.findall(pattern):
        part = _PARTS.get(piece[0])
        if part is None:
            if not text.startswith(piece, place):
                return None
            place += 1
            continue
        most = 2 if len(piece) == 1 else len(piece)
        digits = _DIGITS.match(text[place : place + most])
        if digits is None or len(digits[0]) < len(piece):
            return None
        clock[part] = int(digits[0])
        place += len(digits[0])
    return _moment(clock, 0, None, zone) if place == len(text) else None
