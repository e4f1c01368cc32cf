"""One row of the form, read field by field, and its problems.

The getters clean, read and check a field in one step, and what they raise names the form's field. An absent field
counts as empty. :class:`Problems` collects violations, so that a clerk sees all of them at once. A getter notes a
skipped value; the frame puts the record's notes before those of the outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from . import date as dates
from . import department, email, mobile, note, rule
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
    """The problems of one row, collected. Raised from ``decide``, it rejects the row."""

    def __init__(self, *found: Violation) -> None:
        super().__init__(*found)
        self._found = list(found)
        # By the fields of WeCom; those found above are by the fields of the form.
        self._broken: list[Violation] = []

    def take(self, read: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The value read by a getter of the record, or an empty value of its kind and an added violation::

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
        """Adds a violation."""
        self._found.append(violation)

    def __bool__(self) -> bool:
        """True if there is any problem."""
        return bool(self._found or self._broken)

    def finish(self, member: Member) -> Outcome:
        """The member, if there are no problems.

        :raises Problems: the collected violations, and the rules the member itself breaks.
        """
        if not self:
            return Outcome(Upsert(member))
        raise self.beside(member)

    def beside(self, member: Member) -> Problems:
        """The collected violations and the rules that ``member`` breaks."""
        self._broken += rule.check(member)
        return self

    def violations(self, source_of: Callable[[str], str | None]) -> list[Violation]:
        """Every violation, with each WeCom field replaced by the form's field that ``source_of`` names as its source,
        except those whose source was already rejected, by a getter or by one of the guest's own rules: the member has
        only a placeholder there."""
        fields = {one.field for one in self._found}
        subjects = {_subject(one.rule) for one in self._found}

        def is_rejected(field: str, subject: str) -> bool:
            source = source_of(field)
            if source is not None:
                return source in fields or field in fields
            # The guest does not name a field's source: the rule codes of its getters identify the rejected fields.
            return field in fields or subject in subjects

        def follows(broken: Violation) -> bool:
            subject = _subject(broken.rule)
            # A rejected contact does not also count as missing, and the main department is not judged if the
            # departments were rejected.
            if broken.rule == "contact.missing":
                return is_rejected("mobile", "mobile") or is_rejected("email", "email")
            if broken.rule == "main-department.not-a-member":
                return is_rejected("main_department", subject) or is_rejected("department", "department")
            return is_rejected(broken.field, subject)

        left = (one for one in self._broken if not follows(one))
        named = [Violation(source_of(one.field) or one.field, one.rule, one.message) for one in left]
        return [*self._found, *named]

    @staticmethod
    def of_member(broken: list[Violation]) -> Problems:
        """The rules that a finished member, or its userid alone, breaks."""
        problems = Problems()
        problems._broken = broken
        return problems


def _subject(rule: str) -> str:
    return rule.split(".", 1)[0]


def _or(empty: Callable[[], object]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The placeholder for a value that a getter could not read."""

    def marked(getter: Callable[P, T]) -> Callable[P, T]:
        getter.empty = empty  # type: ignore[attr-defined]
        return getter

    return marked


class Record:
    """A row of the form."""

    __slots__ = ("id", "notes", "_fields")

    def __init__(self, source: SourceRecord) -> None:
        """Reads a row.

        :raises Problems: ``row.not-json`` at ``_id`` if it is not a JSON object.
        """
        self.id = source.id
        self.notes: list[str] = []
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
        """A field as it is in the form, ``None`` if it is absent."""
        return self._fields.get(field)

    def is_empty(self, field: str) -> bool:
        """True if the form has no value in a field."""
        return values.is_empty(self._fields.get(field))

    @_or(str)
    def text(self, field: str) -> str:
        """A text for people, cleaned by :func:`ruzhi.text.line`; empty if the field is empty.

        :raises Problems: ``value.shape``.
        """
        return self.read(field, lambda value: texts.line(values.text(value))) or ""

    @_or(str)
    def identifier(self, field: str) -> str:
        """A text for machines, cleaned by :func:`ruzhi.text.identifier`; empty if the field is empty.

        :raises Problems: ``value.shape``.
        """
        return self.read(field, lambda value: texts.identifier(values.text(value))) or ""

    @_or(str)
    def userid(self, field: str) -> str:
        """A userid.

        :raises Problems: those of :func:`ruzhi.value.identity` and :func:`ruzhi.rule.userid`.
        """
        return self._checked(field, self.read(field, _identifier) or "", rule.userid)

    @_or(list)
    def leaders(self, field: str) -> Texts:
        """Userids of direct leaders; none if the field is empty or holds a placeholder that cannot be a userid.

        :raises Problems: those of :func:`ruzhi.value.identity` and :func:`ruzhi.rule.direct_leader`.
        """

        def leaders(value: Value) -> Texts:
            if self._says_nothing(field, value, lambda text: not _is_userid(text)):
                return []
            found = [_identifier(item) for item in values.items(value)]
            rule.direct_leader(found)
            return found

        return self.read(field, leaders) or []

    @_or(str)
    def name(self, field: str) -> str:
        """A person's name.

        :raises Problems: those of :func:`ruzhi.value.identity` and :func:`ruzhi.rule.name`.
        """
        name = self.read(field, lambda value: texts.line(values.identity(value))) or ""
        return self._checked(field, name, rule.name)

    @_or(str)
    def mobile(self, field: str) -> str:
        """A mobile number in normal form; empty if the field is empty or holds a placeholder for "none"
        (:func:`ruzhi.text.is_placeholder`).

        :raises Problems: those of :func:`ruzhi.value.identity` and :func:`ruzhi.mobile.parse`.
        """
        return self._contact(field, lambda text: mobile.parse(text).text)

    @_or(str)
    def email(self, field: str) -> str:
        """An e-mail address; empty if the field is empty or holds a placeholder for "none"
        (:func:`ruzhi.text.is_placeholder`).

        :raises Problems: those of :func:`ruzhi.value.identity` and :func:`ruzhi.email.parse`.
        """
        return self._contact(field, email.parse)

    @_or(list)
    def departments(self, field: str) -> Memberships:
        """Departments, in the order of the form; none if the field is empty.

        :raises Problems: those of :func:`ruzhi.department.parse`.
        """
        return department.memberships(self.read(field, department.parse) or [])

    def date(self, field: str, clock: Clock) -> dates.Moment | None:
        """A date or moment in the tenant's zone; none if the field is empty, or holds a zero date
        (:attr:`ruzhi.date.Moment.is_zero`).

        :raises Problems: those of :func:`ruzhi.date.parse_value`.
        """

        def moment(value: Value) -> dates.Moment | None:
            found = dates.parse_value(value, clock.zone)
            if found is None:
                self.note(note.zero_date(field, values.text(value)))
            return found

        return self.read(field, moment)

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

    def note(self, text: str) -> None:
        """Adds a note to the record's trace, for example about a default that was filled in; duplicates are
        dropped."""
        if text not in self.notes:
            self.notes.append(text)

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

    def _contact(self, field: str, parse: Callable[[str], str]) -> str:
        def contact(value: Value) -> str:
            return "" if self._says_nothing(field, value, lambda _: True) else parse(values.identity(value))

        return self.read(field, contact) or ""

    def _says_nothing(self, field: str, value: Value, counts: Callable[[str], bool]) -> bool:
        nothing = values.placeholder(value)
        if nothing is None or not counts(nothing):
            return False
        self.note(note.placeholder(field, nothing))
        return True

    def _checked(self, field: str, text: str, check: Callable[[str], None]) -> str:
        try:
            check(text)
        except Fault as fault:
            raise Problems(fault.at(field)) from None
        return text


def _identifier(value: Value) -> str:
    return texts.identifier(values.identity(value))


def _is_userid(text: str) -> bool:
    try:
        rule.userid(texts.identifier(text))
    except Fault:
        return False
    return True
