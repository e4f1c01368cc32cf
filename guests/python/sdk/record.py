"""One row of the form, read field by field, and what is wrong with it.

The getters clean, read and check a field in one step, and what they raise names the form's field. A field that is
absent is one that is empty. :class:`Problems` gathers violations, so that a clerk hears of all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from . import date as dates
from . import department, email, mobile, rule
from . import text as texts
from . import value as values
from .clock import Clock
from .contract import Member, Membership, Outcome, SourceRecord, Upsert, Violation
from .fault import Fault
from .jsontext import NotJson, Value, read_object

T = TypeVar("T")
P = ParamSpec("P")
Memberships = list[Membership]
Texts = list[str]


class Problems(Exception):
    """What is wrong with one row, gathered. Raised from ``decide``, it refuses the row."""

    def __init__(self, *found: Violation) -> None:
        super().__init__(*found)
        self._found = list(found)
        # By the fields of WeCom; those found above are by the fields of the form.
        self._broken: list[Violation] = []

    def take(self, read: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What a getter of the record reads, or an empty value of its kind and one violation more::

            member.userid = problems.take(record.userid, "_widget_1")
        """
        try:
            return read(*arguments, **named)
        except Problems as problems:
            self._found += problems._found
            self._broken += problems._broken
            empty: Any = getattr(read, "empty", type(None))
            stand_in: T = empty()
            return stand_in

    def add(self, violation: Violation) -> None:
        """One violation more."""
        self._found.append(violation)

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found or self._broken)

    def finish(self, member: Member) -> Outcome:
        """The member, if nothing was wrong.

        :raises Problems: what was gathered, and the rules the member itself breaks; of these none whose field was
            refused already, for its value here is only a stand-in.
        """
        if not self:
            return Outcome(Upsert(member))
        refused = {_subject(violation.rule) for violation in self._found}
        raise self.beside(member, lambda rule: _subject(rule) in refused)

    def beside(self, member: Member, refused: Callable[[str], bool]) -> Problems:
        """The rules ``member`` breaks as well, except those that ``refused`` says follow from what was found: a
        contact is not missing if the mobile was refused, nor is a main department wrong if the departments were."""

        def follows(broken: str) -> bool:
            if broken == "contact.missing":
                return refused("mobile.invalid") or refused("email.invalid")
            if broken == "main-department.not-a-member":
                return refused(broken) or refused("department.invalid")
            return refused(broken)

        self._broken += [violation for violation in rule.check(member) if not follows(violation.rule)]
        return self

    def violations(self, source_of: Callable[[str], str | None]) -> list[Violation]:
        """Every violation, those by a field of WeCom at the form's field that ``source_of`` says fills it."""
        named = (Violation(source_of(one.field) or one.field, one.rule, one.message) for one in self._broken)
        return [*self._found, *named]

    @staticmethod
    def of_member(broken: list[Violation]) -> Problems:
        """Rules that a finished member, or its userid alone, breaks."""
        problems = Problems()
        problems._broken = broken
        return problems


def _subject(rule: str) -> str:
    return rule.split(".", 1)[0]


def _or(empty: Callable[[], object]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Says what stands in for what a getter could not read."""

    def marked(getter: Callable[P, T]) -> Callable[P, T]:
        getter.empty = empty  # type: ignore[attr-defined]
        return getter

    return marked


class Record:
    """A row of the form."""

    __slots__ = ("id", "_fields")

    def __init__(self, source: SourceRecord) -> None:
        """Reads a row.

        :raises Problems: ``row.not-json`` at ``_id`` if it is no JSON object.
        """
        self.id = source.id
        try:
            self._fields = read_object(source.json)
        except NotJson as error:
            raise Problems(
                Fault(
                    "row.not-json",
                    f"该行不是 JSON 对象（第 {error.line} 行第 {error.column} 列）",
                    f"the row is no JSON object, line {error.line} column {error.column}",
                ).at("_id")
            ) from None

    def get(self, field: str) -> Value:
        """A field as the form holds it, ``None`` if it is absent."""
        return self._fields.get(field)

    def is_empty(self, field: str) -> bool:
        """Whether the form says nothing in a field."""
        return values.is_empty(self._fields.get(field))

    @_or(str)
    def text(self, field: str) -> str:
        """A text for people, cleaned by :func:`ruzhi.text.line`; empty if the field is.

        :raises Problems: ``value.shape``.
        """
        return self.read(field, lambda value: texts.line(values.text(value))) or ""

    @_or(str)
    def identifier(self, field: str) -> str:
        """A text for machines, cleaned by :func:`ruzhi.text.identifier`; empty if the field is.

        :raises Problems: ``value.shape``.
        """
        return self.read(field, lambda value: texts.identifier(values.text(value))) or ""

    @_or(str)
    def userid(self, field: str) -> str:
        """A userid.

        :raises Problems: ``value.shape`` and those of :func:`ruzhi.rule.userid`.
        """
        return self._checked(field, self.identifier(field), rule.userid)

    @_or(str)
    def name(self, field: str) -> str:
        """A person's name.

        :raises Problems: ``value.shape`` and those of :func:`ruzhi.rule.name`.
        """
        return self._checked(field, self.text(field), rule.name)

    @_or(str)
    def mobile(self, field: str) -> str:
        """A mobile number in normal form; empty if the field is.

        :raises Problems: ``value.shape`` and those of :func:`ruzhi.mobile.parse`.
        """
        return self.read(field, lambda value: mobile.parse(values.text(value)).text) or ""

    @_or(str)
    def email(self, field: str) -> str:
        """An e-mail address; empty if the field is.

        :raises Problems: ``value.shape`` and those of :func:`ruzhi.email.parse`.
        """
        return self.read(field, lambda value: email.parse(values.text(value))) or ""

    @_or(list)
    def departments(self, field: str) -> Memberships:
        """Departments, in the order of the form; none if the field is empty.

        :raises Problems: those of :func:`ruzhi.department.parse`.
        """
        return department.memberships(self.read(field, department.parse) or [])

    def date(self, field: str, clock: Clock) -> dates.Moment | None:
        """A date or moment in the tenant's zone.

        :raises Problems: those of :func:`ruzhi.date.parse_value`.
        """
        return self.read(field, lambda value: dates.parse_value(value, clock.zone))

    def boolean(self, field: str) -> bool | None:
        """Yes or no.

        :raises Problems: those of :func:`ruzhi.value.boolean`.
        """
        return self.read(field, values.boolean)

    def integer(self, field: str) -> int | None:
        """A whole number.

        :raises Problems: those of :func:`ruzhi.value.integer`.
        """
        return self.read(field, values.integer)

    @_or(list)
    def list(self, field: str) -> Texts:
        """A list of texts.

        :raises Problems: ``value.shape``.
        """
        return self.read(field, lambda value: [texts.line(values.text(item)) for item in values.items(value)]) or []

    def read(self, field: str, reader: Callable[[Value], T]) -> T | None:
        """A field read by ``reader``, unless it is empty.

        :raises Problems: the fault that ``reader`` raises, at this field.
        """
        value = self._fields.get(field)
        if values.is_empty(value):
            return None
        try:
            return reader(value)
        except Fault as fault:
            raise Problems(fault.at(field)) from None

    def _checked(self, field: str, text: str, check: Callable[[str], None]) -> str:
        try:
            check(text)
        except Fault as fault:
            raise Problems(fault.at(field)) from None
        return text
