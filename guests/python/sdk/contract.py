"""The contract's types as plain Python.

Shapes, units and limits of every field are documented in ``wit/v0.2/mapping.wit``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CONTRACT = "0.2"
"""The contract version of this SDK; ``ruzhi guest build`` reads it here."""


class GuestError(Exception):
    """An error that stops a whole batch or marks a configuration as invalid; a row that cannot be decided is rejected
    instead."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """A stable code, such as ``config.invalid``."""
        self.message = message
        """The message for a person."""


@dataclass(slots=True)
class SourceRecord:
    """One row of the form."""

    id: str
    """The row's ``_id``."""
    json: str
    """The row as one JSON object."""


@dataclass(slots=True)
class Context:
    """The context given to a guest beside the rows."""

    now: str
    """The current time of the run, RFC 3339 in UTC."""
    timezone: str
    """The tenant's time zone, an IANA name."""


@dataclass(slots=True)
class Membership:
    """One department a member belongs to."""

    department: int
    """The department's id in WeCom, at least 1."""
    leader: bool = False
    """True if the member leads it."""
    order: int | None = None
    """The position among its members, larger first."""


@dataclass(slots=True)
class Member:
    """A person's intended entry in the directory.

    ``None`` means that the rules do not set the field; an empty text means that the form says it is empty.
    """

    userid: str = ""
    name: str = ""
    mobile: str | None = None
    email: str | None = None
    memberships: list[Membership] = field(default_factory=list)
    main_department: int | None = None
    position: str | None = None
    alias: str | None = None
    gender: str | None = None
    """``1`` male, ``2`` female."""
    telephone: str | None = None
    address: str | None = None
    direct_leader: list[str] | None = None
    biz_mail: str | None = None
    external_position: str | None = None
    enable: bool | None = None
    """True if the account can log in."""
    to_invite: bool | None = None
    """True if creating the member sends an invitation."""
    extra: list[tuple[str, str]] = field(default_factory=list)
    """(WeCom field name, JSON text) for fields without a place of their own."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people, in both languages."""

    zh: str
    """简体中文."""
    en: str
    """English."""

    @property
    def both(self) -> str:
        """Both on one line, Chinese first; once if they are the same."""
        return self.zh if self.zh == self.en else f"{self.zh} / {self.en}"


@dataclass(slots=True)
class Violation:
    """One reason for rejecting a row."""

    field: str
    """The form's field, or a WeCom field if no single source field is at fault."""
    rule: str
    """A stable code, such as ``mobile.invalid``."""
    message: Text
    """The message for a person. A ``str`` serves readers of both languages."""


@dataclass(slots=True)
class Upsert:
    """The person belongs in the directory with this entry."""

    member: Member


@dataclass(slots=True)
class Leave:
    """The person with this userid has left."""

    userid: str


@dataclass(slots=True)
class Ignore:
    """The row has no effect on the directory; the text gives the reason."""

    reason: str


@dataclass(slots=True)
class Reject:
    """The row is rejected, with at least one reason."""

    violations: list[Violation]


Decision = Upsert | Leave | Ignore | Reject


@dataclass(slots=True)
class Outcome:
    """A decision and the notes made on the way to it."""

    decision: Decision
    notes: list[str] = field(default_factory=list)
    holds_until: str | None = None
    """Until when the decision holds, RFC 3339 in UTC; ``None`` means for ever. The frame fills it in from the
    questions to the clock."""


@dataclass(slots=True)
class Description:
    """A guest's description of itself under a given configuration."""

    name: str
    version: str
    source_fields: list[str]
    """The form fields the guest reads."""
    labels: list[tuple[str, str]]
    """(source field or WeCom field, label)."""
