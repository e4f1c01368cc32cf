"""The SDK for writing ruzhi mapping guests.

A guest is a class that derives from :class:`Mapping`, marked with ``@export``. ``ruzhi guest build`` makes a
component of it; on a Python of your own :func:`describe` and :func:`decide` run the same code, for tests and
debuggers. The SDK uses only the standard library.

The WeCom field rules are in :mod:`ruzhi.rule`, and each field has a module of its own (``mobile``, ``email``,
``department``, ``date``, ``value``, ``text``).
"""

from .clock import Clock, Now, Today
from .component import export
from .contract import (
    Context,
    Decision,
    Description,
    GuestError,
    Ignore,
    Leave,
    Member,
    Membership,
    Outcome,
    Reject,
    SourceRecord,
    Text,
    Upsert,
    Violation,
)
from .date import Moment
from .fault import Fault
from .mapping import Mapping, decide, describe
from .record import Problems, Record
from .zone import Zone

__all__ = [
    "Clock",
    "Context",
    "Decision",
    "Description",
    "Fault",
    "GuestError",
    "Ignore",
    "Leave",
    "Mapping",
    "Member",
    "Membership",
    "Moment",
    "Now",
    "Outcome",
    "Problems",
    "Record",
    "Reject",
    "SourceRecord",
    "Text",
    "Today",
    "Upsert",
    "Violation",
    "Zone",
    "decide",
    "describe",
    "export",
]
