"""What crosses the sandbox's wall, as plain Python.

Shapes, units and limits of every field are written in ``wit/v0.2/mapping.wit``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CONTRACT = "0.2"
"""The version of the contract that this SDK speaks; ``ruzhi guest build`` reads it here."""


class GuestError(Exception):
    """What stops a whole batch or refuses a configuration; a row that cannot be decided is refused, never this."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """A stable code, such as ``config.invalid``."""
        self.message = message
        """What a person shall read."""


@dataclass(slots=True)
class SourceRecord:
    """One row of the form."""

    id: str
    """The row's ``_id``."""
    json: str
    """The row as one JSON object."""


@dataclass(slots=True)
class Context:
    """What a guest may know of the world beside the rows."""

    now: str
    """The moment of the run, RFC 3339 in UTC."""
    timezone: str
    """The tenant's time zone, an IANA name."""


@dataclass(slots=True)
class Membership:
    """One department a member belongs to."""

    department: int
    """The department's id in WeCom, at least 1."""
    leader: bool = False
    """Whether the member leads it."""
    order: int | None = None
    """The place among its members, larger first."""


@dataclass(slots=True)
class Member:
    """A person as the directory shall hold them.

    ``None`` means the rules do not speak of the field; an empty text means the form says it is empty.
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
    """Whether the account may log in."""
    to_invite: bool | None = None
    """Whether creating sends an invitation."""
    extra: list[tuple[str, str]] = field(default_factory=list)
    """(WeCom field name, JSON text) for what has no field of its own."""


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
    """One reason for refusing a row."""

    field: str
    """The form's field, or a WeCom field where no one source field is to blame."""
    rule: str
    """A stable code, such as ``mobile.invalid``."""
    message: Text
    """What a person shall read. A ``str`` is for readers of both languages."""


@dataclass(slots=True)
class Upsert:
    """This person shall be in the directory like this."""

    member: Member


@dataclass(slots=True)
class Leave:
    """The person with this userid has left."""

    userid: str


@dataclass(slots=True)
class Ignore:
    """The row says nothing of the directory; the text says why."""

    reason: str


@dataclass(slots=True)
class Reject:
    """The row is wrong; at least one reason."""

    violations: list[Violation]


Decision = Upsert | Leave | Ignore | Reject


@dataclass(slots=True)
class Outcome:
    """A decision and the remarks made on the way to it."""

    decision: Decision
    notes: list[str] = field(default_factory=list)
    holds_until: str | None = None
    """Until when the decision holds, RFC 3339 in UTC; ``None`` is for ever. The frame fills it in, by what the clock was
    asked."""


@dataclass(slots=True)
class Description:
    """What a guest says of itself under a given configuration."""

    name: str
    version: str
    source_fields: list[str]
    """The form fields the guest reads."""
    labels: list[tuple[str, str]]
    """(source field or WeCom field, label)."""
