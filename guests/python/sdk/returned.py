"""Checks the values returned by the author's code: Python checks no types, and a wrong one would otherwise fail where
its origin is unknown."""

from __future__ import annotations

from typing import Any, NoReturn

from .contract import Description, Ignore, Leave, Member, Membership, Outcome, Reject, Text, Upsert, Violation

_TEXTS = (
    "mobile",
    "email",
    "position",
    "alias",
    "gender",
    "telephone",
    "address",
    "biz_mail",
    "external_position",
)
_LARGEST = 2**32


def checked_outcome(outcome: Any) -> Outcome:
    """The outcome, with every part of its declared type.

    :raises TypeError: naming the part that is of another type.
    """
    if type(outcome) is not Outcome:
        _wrong("decide", outcome, "an Outcome")
    decision = outcome.decision
    if type(decision) is Upsert:
        _check_member(decision.member)
    elif type(decision) is Leave:
        _check_text("Leave.userid", decision.userid)
    elif type(decision) is Ignore:
        _check_text("Ignore.reason", decision.reason)
    elif type(decision) is Reject:
        for violation in _list("Reject.violations", decision.violations):
            if type(violation) is not Violation:
                _wrong("Reject.violations", violation, "a Violation")
            _check_text("Violation.field", violation.field)
            _check_text("Violation.rule", violation.rule)
            _check_message(violation)
    else:
        _wrong("Outcome.decision", decision, "an Upsert, Leave, Ignore or Reject")
    for note in _list("Outcome.notes", outcome.notes):
        _check_text("Outcome.notes", note)
    return outcome


def checked_description(description: Any) -> Description:
    """The description, likewise.

    :raises TypeError: naming the part that is of another type.
    """
    if type(description) is not Description:
        _wrong("describe", description, "a Description")
    _check_text("Description.name", description.name)
    _check_text("Description.version", description.version)
    for field in _list("Description.source_fields", description.source_fields):
        _check_text("Description.source_fields", field)
    _check_pairs("Description.labels", description.labels)
    return description


def _check_member(member: Any) -> None:
    if type(member) is not Member:
        _wrong("Upsert.member", member, "a Member")
    _check_text("Member.userid", member.userid)
    _check_text("Member.name", member.name)
    for name in _TEXTS:
        text = getattr(member, name)
        if text is not None:
            _check_text(f"Member.{name}", text)
    for membership in _list("Member.memberships", member.memberships):
        if type(membership) is not Membership:
            _wrong("Member.memberships", membership, "a Membership")
        _check_number("Membership.department", membership.department)
        if type(membership.leader) is not bool:
            _wrong("Membership.leader", membership.leader, "a bool")
        if membership.order is not None:
            _check_number("Membership.order", membership.order)
    if member.main_department is not None:
        _check_number("Member.main_department", member.main_department)
    if member.direct_leader is not None:
        for leader in _list("Member.direct_leader", member.direct_leader):
            _check_text("Member.direct_leader", leader)
    for name in ("enable", "to_invite"):
        if getattr(member, name) not in (None, True, False):
            _wrong(f"Member.{name}", getattr(member, name), "a bool")
    if member.extra:
        _check_pairs("Member.extra", member.extra)


def _check_message(violation: Violation) -> None:
    message: Any = violation.message
    if type(message) is str:
        violation.message = Text(message, message)
    elif type(message) is not Text:
        _wrong("Violation.message", message, "a Text")
    _check_text("Violation.message", violation.message.zh)
    _check_text("Violation.message", violation.message.en)


def _check_text(name: str, text: Any) -> None:
    if type(text) is not str:
        _wrong(name, text, "a str")
    if not text.isascii():
        # A lone surrogate is not valid text.
        text.encode()


def _check_number(name: str, number: Any) -> None:
    if type(number) is not int or not 0 <= number < _LARGEST:
        _wrong(name, number, "an int of 32 bits")


def _check_pairs(name: str, pairs: Any) -> None:
    for pair in _list(name, pairs):
        if type(pair) is not tuple or len(pair) != 2:
            _wrong(name, pair, "a tuple of two")
        _check_text(name, pair[0])
        _check_text(name, pair[1])


def _list(name: str, items: Any) -> list[Any]:
    if type(items) is not list:
        _wrong(name, items, "a list")
    return items


def _wrong(name: str, value: Any, wanted: str) -> NoReturn:
    kind = repr(value) if value is None or isinstance(value, (int, float)) else f"a {type(value).__name__}"
    raise TypeError(f"{name} is {kind}, not {wanted}")
