"""The current time of the run, and how long decisions based on it hold.

A decision that depends on the time can change without an edit of the row. So the clock records the questions it is
asked: a comparison limits the decision to the first moment at which its result changes, if there is one. Code that
reads the time itself, as a text or a number, depends on it in an unknown way: the decision then holds until the end
of the day in the zone. The frame passes the result to the host with every outcome; an author has nothing to add.
"""

from __future__ import annotations

from collections.abc import Callable

from . import date
from .contract import Context, GuestError
from .date import Moment
from .fault import Fault
from .zone import Zone


class Clock:
    """The current time of the run and the tenant's time zone."""

    __slots__ = ("zone", "_moment", "_until")

    def __init__(self, context: Context) -> None:
        """Reads a context.

        :raises GuestError: ``timezone.unknown``, ``context.invalid``.
        """
        self.zone = Zone.named(context.timezone)
        self._until: int | None = None
        try:
            self._moment = date.parse(context.now, self.zone)
        except Fault as fault:
            raise GuestError("context.invalid", fault.message.both) from None

    @property
    def now(self) -> Now:
        """The current time of the run in the tenant's zone, for comparison with a :class:`Moment` or for reading as
        one."""
        return Now(self)

    @property
    def today(self) -> Today:
        """The first moment of the run's day in the tenant's zone."""
        return Today(self, self.zone)

    def today_in(self, zone: Zone) -> Today:
        """The first moment of the run's day in a zone."""
        return Today(self, zone)

    def take(self) -> str | None:
        """Until when the answers since the last call hold; ``None`` means for ever."""
        until, self._until = self._until, None
        return None if until is None else date.utc(until)

    def _narrow(self, until: int) -> None:
        if self._until is None or until < self._until:
            self._until = until

    def _narrow_to_day(self, zone: Zone) -> None:
        """A decision depends on the time in an unknown way: it holds until the end of the day."""
        self._narrow(zone.next_day(self._moment.timestamp) * 1000)


class _Hand(Moment):
    """A moment that moves with the clock. A comparison limits the decision to the moment that makes a difference;
    reading it as a :class:`Moment` limits it to the end of the day."""

    __slots__ = ("_clock", "_zone", "_at")

    def __init__(self, clock: Clock, zone: Zone, at: Moment) -> None:
        object.__setattr__(self, "_clock", clock)
        object.__setattr__(self, "_zone", zone)
        object.__setattr__(self, "_at", at)

    @property
    def timestamp_ms(self) -> int:  # type: ignore[override]
        """Milliseconds since 1970 in UTC."""
        self._clock._narrow_to_day(self._zone)
        return self._at.timestamp_ms

    @property
    def offset(self) -> int:  # type: ignore[override]
        """Seconds east of Greenwich."""
        self._clock._narrow_to_day(self._zone)
        return self._at.offset

    def _has_passed(self, moment: Moment) -> bool:
        raise NotImplementedError

    def _is_short_of(self, moment: Moment) -> bool:
        raise NotImplementedError

    def __gt__(self, moment: Moment) -> bool:
        return self._has_passed(moment)

    def __le__(self, moment: Moment) -> bool:
        return not self._has_passed(moment)

    def __lt__(self, moment: Moment) -> bool:
        return self._is_short_of(moment)

    def __ge__(self, moment: Moment) -> bool:
        return not self._is_short_of(moment)

    def __eq__(self, moment: object) -> bool:
        if not isinstance(moment, Moment):
            return NotImplemented
        return not self._has_passed(moment) and not self._is_short_of(moment)

    __hash__ = None  # type: ignore[assignment]


class Now(_Hand):
    """The current time of the run."""

    __slots__ = ()

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, clock.zone, clock._moment)

    def start_of_day(self, zone: Zone) -> Moment:
        """The first moment of its day in the zone."""
        self._clock._narrow_to_day(zone)
        return self._at.start_of_day(zone)

    def _has_passed(self, moment: Moment) -> bool:
        has = moment.timestamp_ms < self._at.timestamp_ms
        if not has:
            self._clock._narrow(moment.timestamp_ms + 1)
        return has

    def _is_short_of(self, moment: Moment) -> bool:
        short = moment.timestamp_ms > self._at.timestamp_ms
        if short:
            self._clock._narrow(moment.timestamp_ms)
        return short


class Today(_Hand):
    """The first moment of the run's day."""

    __slots__ = ()

    def __init__(self, clock: Clock, zone: Zone) -> None:
        super().__init__(clock, zone, clock._moment.start_of_day(zone))

    def _has_passed(self, moment: Moment) -> bool:
        then = moment.timestamp_ms
        has = then < self._at.timestamp_ms
        if has:
            self._narrow_to_turn()
        else:
            self._narrow(moment, lambda start: start > then)
        return has

    def _is_short_of(self, moment: Moment) -> bool:
        then = moment.timestamp_ms
        short = then > self._at.timestamp_ms
        if short:
            self._narrow(moment, lambda start: start >= then)
        else:
            self._narrow_to_turn()
        return short

    def _narrow(self, moment: Moment, begins: Callable[[int], bool]) -> None:
        """Limits the decision to the first moment whose day begins after a moment, or not before it."""
        day = self._zone.day_of(moment.timestamp)
        while not begins(self._zone.start_of(day) * 1000):
            day += 1
        self._clock._narrow(self._zone.next_start_of(day, self._clock._moment.timestamp) * 1000)

    def _narrow_to_turn(self) -> None:
        """A clock put back over midnight shows the previous day again."""
        turn = self._zone.turned_back(self._clock._moment.timestamp)
        if turn is not None:
            self._clock._narrow(turn * 1000)
