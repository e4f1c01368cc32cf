"""Time zones: the IANA database from 1970 on, as the table that the Rust SDK carries.

JianDaoYun's dates are moments in UTC, and the calendar day depends on the zone, including Shanghai's summer time of
1986–1991. The sandbox has no database of its own. Before 1970 a zone has the offset it had in 1970.
"""

from __future__ import annotations

from base64 import b64decode
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from . import zone_table
from .characters import ascii_lower
from .contract import GuestError
from .fault import show

Turn = tuple[int, int, int, int]
"""Month, week (5 is the last), weekday (0 is Sunday), second of the day in local time."""

_DAY = 86_400
_DATA = b64decode(zone_table.DATA)
_WORDS = zone_table.NAMES.split()
_NAMES = dict(zip(_WORDS[::2], map(int, _WORDS[1::2])))


class Zone:
    """A time zone."""

    __slots__ = ("_first", "_instants", "_offsets", "_rule")

    def __init__(self, number: int) -> None:
        start, length, first, rule = zone_table.ZONES[number]
        self._first = zone_table.OFFSETS[first]
        self._instants: list[int] = []
        self._offsets: list[int] = []
        self._rule = zone_table.RULES[rule] if rule < len(zone_table.RULES) else None
        data = iter(_DATA[start : start + length])
        instant, before, current = 0, self._first, self._first
        while (number := _leb128(data)) >= 0:
            instant += number // 2 * 3600 if number > 1 else _leb128(data)
            following = before if number % 2 == 1 else zone_table.OFFSETS[next(data)]
            self._instants.append(instant)
            self._offsets.append(following)
            before, current = current, following

    @staticmethod
    def named(name: str) -> Zone:
        """The zone of an IANA name such as ``Asia/Shanghai``, case-insensitively.

        :raises GuestError: ``timezone.unknown`` if there is none.
        """
        number = _NAMES.get(ascii_lower(name))
        if number is not None:
            return _zone(number)
        shown = show(name)
        raise GuestError(
            "timezone.unknown",
            f"没有名为 {shown} 的时区，请使用 IANA 名称，如 Asia/Shanghai / there is no time zone {shown}. Use an IANA "
            "name such as Asia/Shanghai",
        )

    def offset_at(self, instant: int) -> int:
        """Seconds east of Greenwich at a moment, given in seconds since 1970 in UTC."""
        passed = bisect_right(self._instants, instant)
        if passed == len(self._instants) and self._rule is not None:
            return _rule_offset(self._rule, instant)
        return self._offsets[passed - 1] if passed else self._first

    def instant_of(self, local: int) -> int:
        """The moment at which a wall clock shows ``local``, seconds since 1970-01-01 00:00 on that clock. For a time
        shown twice it is the first; a skipped time counts as if the clock had not been put forward yet."""
        before, after = self.offset_at(local - _DAY), self.offset_at(local + _DAY)
        early, late = local - before, local - after
        if self.offset_at(early) != before and self.offset_at(late) == after:
            return late
        return early

    def day_of(self, instant: int) -> int:
        """The day at a moment, in days since 1970-01-01."""
        return (instant + self.offset_at(instant)) // _DAY

    def start_of(self, day: int) -> int:
        """The first moment of a day."""
        return self.instant_of(day * _DAY)

    def next_start_of(self, day: int, instant: int) -> int:
        """The first moment after ``instant`` at which it is this day or a later one; at ``instant`` it is earlier."""
        start = self.start_of(day)
        # Between the two midnights of a clock put back over the first.
        return start if start > instant else day * _DAY - self.offset_at(instant)

    def next_day(self, instant: int) -> int:
        """The first moment after ``instant`` at which the day is different."""
        turn = self.turned_back(instant)
        return self.next_start_of(self.day_of(instant) + 1, instant) if turn is None else turn

    def turned_back(self, instant: int) -> int | None:
        """The moment at which the wall clock is put back to the day before, if that is in the first hours of the
        day."""
        offset = self.offset_at(instant)
        # No clock was ever put back over midnight by more.
        before, after = instant, instant + 3 * 3600
        if self.offset_at(after) >= offset:
            return None
        while after - before > 1:
            middle = (before + after) // 2
            if self.offset_at(middle) == offset:
                before = middle
            else:
                after = middle
        return after if self.day_of(after) < self.day_of(instant) else None


@lru_cache(maxsize=16)
def _zone(number: int) -> Zone:
    return Zone(number)


def _leb128(data: Iterator[int]) -> int:
    """The next number, -1 after the last."""
    number, shift = 0, 0
    for byte in data:
        number |= (byte & 127) << shift
        if byte < 128:
            return number
        shift += 7
    return -1


def _rule_offset(rule: tuple[int, int, Turn, Turn], instant: int) -> int:
    """The offset in the years after the last transition, when summer time follows a rule."""
    standard, daylight, start_turn, end_turn = rule
    year = civil((instant + standard) // _DAY)[0]
    start = _turn_second(year, start_turn) - standard
    end = _turn_second(year, end_turn) - daylight
    summer = start <= instant < end if start < end else not end <= instant < start
    return daylight if summer else standard


def _turn_second(year: int, turn: Turn) -> int:
    """The local second of a clock change in a year."""
    month, week, weekday, second = turn
    first = days(year, month, 1)
    # 1970-01-01 was a Thursday.
    day = first + (weekday - (first + 4)) % 7 + 7 * (week - 1)
    if day >= first + days_in(year, month):
        day -= 7
    return day * _DAY + second


def days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date of the Gregorian calendar."""
    # Years counted from March have the leap day at the end.
    month, year = (month - 3, year) if month > 2 else (month + 9, year - 1)
    era, of_era = divmod(year, 400)
    of_year = (153 * month + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month, carry = (month + 3, 0) if month < 10 else (month - 9, 1)
    return era * 400 + year + carry, month, day


def days_in(year: int, month: int) -> int:
    """The days of a month."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
