"""The moment of the run and the tenant's time zone."""

from __future__ import annotations

from . import date
from .contract import Context, GuestError
from .fault import Fault
from .zone import Zone


class Clock:
    """The moment of the run, and the time zone of the tenant."""

    __slots__ = ("now", "zone")

    def __init__(self, context: Context) -> None:
        """Reads a context.

        :raises GuestError: ``timezone.unknown``, ``context.invalid``.
        """
        self.zone = Zone.named(context.timezone)
        try:
            self.now = date.parse(context.now, self.zone)
        except Fault as fault:
            raise GuestError("context.invalid", fault.message) from None
