"""The class a guest implements, and the frame that runs it.

The frame guarantees the host's requirements for every guest: one outcome for each record in the same order, a text
for every failure, and no member that breaks a rule of WeCom. A guest's code sees one record at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Self

from . import rule
from .clock import Clock
from .contract import (
    Context,
    Description,
    Leave,
    Outcome,
    Reject,
    SourceRecord,
    Upsert,
    Violation,
)
from .fault import Fault
from .record import Problems, Record
from .returned import checked_description, checked_outcome


class Mapping(ABC):
    """A factory's rules. An instance holds one configuration and lives for one batch."""

    @classmethod
    @abstractmethod
    def load(cls, config: str) -> Self:
        """Reads the flow's rules file, empty if the flow has none.

        :raises GuestError: of code ``config.invalid``, naming every problem and its remedy.
        """

    @abstractmethod
    def describe(self) -> Description:
        """Describes the guest and the form fields it reads."""

    @abstractmethod
    def decide(self, clock: Clock, record: Record) -> Outcome:
        """Decides one row. It is a pure function: the same rules, clock and record always give the same outcome.

        :raises Problems: the reasons for rejecting the row, at least one.
        """

    def source_of(self, field: str) -> str | None:
        """The form field that a WeCom field is filled from, if it is one. If a member breaks a rule of WeCom, the
        violation names this field, so that the clerk sees the form's field."""
        return None


def describe(mapping: type[Mapping], config: str) -> Description:
    """Describes the guest under a configuration.

    :raises GuestError: as :meth:`Mapping.load`.
    """
    return checked_description(mapping.load(config).describe())


def decide(mapping: type[Mapping], config: str, context: Context, records: Iterable[SourceRecord]) -> list[Outcome]:
    """Decides a batch: one outcome for each record, in the same order. A record that is not a JSON object is
    rejected, and so is a member that breaks a rule of WeCom.

    :raises GuestError: as :meth:`Mapping.load` and :class:`Clock`.
    """
    rules = mapping.load(config)
    clock = Clock(context)
    return [replace(_decide_one(rules, clock, record), holds_until=clock.take()) for record in records]


def _decide_one(rules: Mapping, clock: Clock, source: SourceRecord) -> Outcome:
    try:
        record = Record(source)
        outcome = checked_outcome(rules.decide(clock, record))
        if record.notes:
            outcome = replace(outcome, notes=[*record.notes, *outcome.notes])
        decision = outcome.decision
        if isinstance(decision, Upsert):
            broken = rule.check(decision.member)
        elif isinstance(decision, Leave):
            broken = _leaver(decision)
        elif isinstance(decision, Reject) and not decision.violations:
            broken = [_no_reason()]
        else:
            broken = []
        if not broken:
            return outcome
        problems = Problems.of_member(broken)
    except Problems as raised:
        problems = raised if raised else Problems(_no_reason())
    return Outcome(Reject(problems.violations(rules.source_of)))


def _leaver(decision: Leave) -> list[Violation]:
    try:
        rule.userid(decision.userid)
    except Fault as fault:
        return [fault.at("userid")]
    return []


def _no_reason() -> Violation:
    return Fault(
        "guest.no-reason",
        "规则组件拒绝了该记录但没有说明原因，请联系规则的作者",
        "the rules refused this row and gave no reason. Ask their author",
    ).at("_id")
