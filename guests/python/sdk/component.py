"""The component's side of the contract.

``export`` says which class is the guest. A small module that the build makes calls :func:`prepare`, imports the
author's modules, and asks :func:`exported` for the component's exports. Elsewhere nothing does, and
:func:`ruzhi.describe` and :func:`ruzhi.decide` run the same code natively, for tests and debuggers.

An exception that the author's code lets out would leave nothing but a trap in the sandbox, its text lost. So every
one becomes the contract's error, with its text and the author's line.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, TypeVar

from . import mapping, sandbox
from .contract import (
    Context,
    Decision,
    GuestError,
    Ignore,
    Leave,
    Member,
    Outcome,
    Reject,
    SourceRecord,
    Upsert,
)

M = TypeVar("M", bound="type[mapping.Mapping]")

_exported: list[type[mapping.Mapping]] = []
_SDK = __file__.rpartition("/")[0] + "/"
_ROOT = _SDK[:-1].rpartition("/")[0] + "/"


def export(rules: M) -> M:
    """Makes a :class:`ruzhi.Mapping` the guest. Say it once, above the class: ``@export``."""
    if not isinstance(rules, type) or not issubclass(rules, mapping.Mapping):
        raise TypeError("export takes a class that derives from ruzhi.Mapping")
    if _exported:
        raise TypeError(f"export was given two classes, {_exported[0].__name__} and {rules.__name__}")
    _exported.append(rules)
    return rules


def guest() -> type[mapping.Mapping]:
    """The class that was exported."""
    if not _exported:
        raise TypeError("no class is exported: write @export above the class that derives from ruzhi.Mapping")
    return _exported[0]


def prepare() -> None:
    """What comes before the author's modules when a component is made."""
    sandbox.guard()


def exported(wit: Any, err: type[BaseException]) -> type:
    """The component's exports over the generated types ``wit`` and the generated exception ``err``."""
    rules = guest()
    rules_of = {"describe": rules.describe, "decide": rules.decide}

    def failed(error: BaseException, function: str) -> BaseException:
        if isinstance(error, GuestError):
            return err(wit.GuestError(str(error.code), str(error.message)))
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return err(wit.GuestError("guest.exception", f"{text} ({place(error, rules_of[function].__code__)})"))

    class Exported:
        def describe(self, config: str) -> Any:
            sandbox.enter()
            try:
                said = mapping.describe(rules, config)
                return wit.Description(said.name, said.version, said.source_fields, said.labels)
            except BaseException as error:
                raise failed(error, "describe") from None

        def decide(self, config: str, context: Any, records: list[Any]) -> list[Any]:
            sandbox.enter()
            try:
                given = Context(context.now, context.timezone)
                rows = [SourceRecord(record.id, record.json) for record in records]
                return [lower(wit, outcome) for outcome in mapping.decide(rules, config, given, rows)]
            except BaseException as error:
                raise failed(error, "decide") from None

    return Exported


def lower(wit: Any, outcome: Outcome) -> Any:
    """The outcome in the generated types."""
    return wit.Outcome(_lower_decision(wit, outcome.decision), outcome.notes, outcome.holds_until)


def _lower_decision(wit: Any, decision: Decision) -> Any:
    if isinstance(decision, Upsert):
        return wit.Decision_Upsert(_lower_member(wit, decision.member))
    if isinstance(decision, Leave):
        return wit.Decision_Leave(decision.userid)
    if isinstance(decision, Ignore):
        return wit.Decision_Ignore(decision.reason)
    assert isinstance(decision, Reject)
    violations = [
        wit.Violation(one.field, one.rule, wit.Text(one.message.zh, one.message.en)) for one in decision.violations
    ]
    return wit.Decision_Reject(violations)


def _lower_member(wit: Any, member: Member) -> Any:
    memberships = [wit.Membership(one.department, one.leader, one.order) for one in member.memberships]
    return wit.Member(
        member.userid,
        member.name,
        member.mobile,
        member.email,
        memberships,
        member.main_department,
        member.position,
        member.alias,
        member.gender,
        member.telephone,
        member.address,
        member.direct_leader,
        member.biz_mail,
        member.external_position,
        member.enable,
        member.to_invite,
        member.extra,
    )


def place(error: BaseException, fallback: CodeType) -> str:
    """``FILE:LINE`` of the innermost line of the author's that the exception came through; if it came through none,
    where the author's function begins."""
    found = (fallback.co_filename, fallback.co_firstlineno)
    traceback = error.__traceback__
    while traceback is not None:
        path = traceback.tb_frame.f_code.co_filename
        if path.startswith(_ROOT) and not path.startswith(_SDK):
            found = (path, traceback.tb_lineno)
        traceback = traceback.tb_next
    return f"{found[0].removeprefix(_ROOT)}:{found[1]}"
