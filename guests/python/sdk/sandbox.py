"""Explains forbidden requests of a guest.

The sandbox has no clock, files, threads, randomness or output, and using one would end the batch with a bare trap.
:func:`guard` wraps each way of using them: while the component is built everything is allowed, and once :func:`enter`
was called the use raises :class:`NotInSandbox`, which says what to do instead. Only the build calls them, never a
Python of the author's own.
"""

from __future__ import annotations

import datetime
import io
import os
import sys
import time
from collections.abc import Callable
from datetime import date as RealDate
from datetime import datetime as RealDatetime
from typing import Any

_CLOCK = "a guest has no clock, use clock.now / 规则组件没有时钟，请使用 clock.now"
_CHANCE = "a guest has no randomness / 规则组件没有随机数"
_FILES = "a guest has no files / 规则组件不能读写文件"
_THREADS = "a guest has no threads / 规则组件没有线程"
_NETWORK = "a guest has no network / 规则组件不能访问网络"
_PROCESSES = "a guest has no processes / 规则组件没有进程"

_AUDITED = {
    "open": _FILES,
    "os": _FILES,
    "shutil": _FILES,
    "tempfile": _FILES,
    "socket": _NETWORK,
    "urllib": _NETWORK,
    "subprocess": _PROCESSES,
    "_thread": _THREADS,
    "time": "a guest cannot wait / 规则组件不能等待",
}
_CLOCKS = (
    "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns thread_time "
    "thread_time_ns localtime gmtime ctime asctime strftime"
).split()
# Functions that read the clock only if no time is given: the number of arguments in that case.
_GIVEN = {"localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1, "strftime": 2}

_entered = False


class NotInSandbox(RuntimeError):
    """The sandbox does not have the requested facility."""


class _Silence(io.TextIOBase):
    """Discards printed text."""

    def write(self, text: str) -> int:
        return len(text)


def guard() -> None:
    """Installs the wrappers. Called before the author's modules are imported, so that they get the guarded
    functions."""
    for name in _CLOCKS:
        if hasattr(time, name):
            setattr(time, name, _guarded(getattr(time, name), _CLOCK, _GIVEN.get(name)))
    os.urandom = _guarded(os.urandom, _CHANCE)
    os._exit = _guarded(os._exit, _PROCESSES)
    _guard_dates()
    sys.addaudithook(_audit)


def enter() -> None:
    """From now on the wrapped functions raise."""
    global _entered
    if not _entered:
        sys.stdout = sys.stderr = _Silence()
        _entered = True


def _ask(reason: str) -> None:
    if _entered:
        raise NotInSandbox(reason)


def _guarded(function: Callable[..., Any], reason: str, given: int | None = None) -> Callable[..., Any]:
    def asked(*arguments: Any, **named: Any) -> Any:
        if given is None or len(arguments) < given:
            _ask(reason)
        return function(*arguments, **named)

    return asked


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _entered:
        return
    if event == "import":
        raise NotInSandbox(
            f"{arguments[0]} must be imported at the top of the file / 请在文件开头导入 {arguments[0]}"
        )
    reason = _AUDITED.get(event.split(".", 1)[0])
    if reason is not None:
        raise NotInSandbox(reason)


def _guard_dates() -> None:
    """Dates whose ``now`` and ``today`` are guarded; everything else is the standard library's."""

    class Alike(type):
        def __instancecheck__(cls, value: object) -> bool:
            return cls.__subclasscheck__(type(value))

        def __subclasscheck__(cls, other: type) -> bool:
            return cls.__mro__[1] in other.__mro__

    class Date(RealDate, metaclass=Alike):
        @classmethod
        def today(cls) -> Any:
            _ask(_CLOCK)
            return super().today()

    class Datetime(RealDatetime, metaclass=Alike):
        @classmethod
        def today(cls) -> Any:
            _ask(_CLOCK)
            return super().today()

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            _ask(_CLOCK)
            return super().now(tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now(datetime.timezone.utc).replace(tzinfo=None)

    for kind, name in ((Date, "date"), (Datetime, "datetime")):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
        setattr(datetime, name, kind)
