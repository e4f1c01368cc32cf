"""Department lists as they appear in forms: a list of numbers, the text ``[1,2,3]``, ``1,2,3``, ``1;2``, ``1、2``, one
number, numbers as texts, or the department objects of JianDaoYun, which carry WeCom's id as ``dept_no``.

Order is kept: WeCom shows the first department of a member as the main one unless ``main_department`` says another. A
value that is not a department id is rejected, never dropped: WeCom creates departments it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .characters import WHITE_SPACE
from .contract import Membership
from .fault import Fault, show
from .jsontext import NotJson, Value, read, write
from .text import identifier
from .value import is_empty, split

MOST = 100
"""The most departments a member may belong to."""

_LARGEST = 2**32 - 1
_SPACES = re.compile(f"[{WHITE_SPACE}]+")
_DIGITS = re.compile("[0-9]+")


def parse(value: Value) -> list[int]:
    """The department ids of a value, none for an empty one.

    >>> parse("[1,2,3]")
    [1, 2, 3]
    >>> parse([{"name": "技术部", "dept_no": 7}])
    [7]

    :raises Fault: ``department.invalid`` for a value that is not an id, ``department.zero`` for 0,
    ``department.duplicate``, ``department.too-many``.
    """
    ids: list[int] = []
    _collect(value, ids, 0)
    check(ids)
    return ids


def memberships(ids: Iterable[int]) -> list[Membership]:
    """Plain memberships of departments: not leading any, order left to WeCom."""
    return [Membership(department) for department in ids]


def check(ids: Sequence[int]) -> None:
    """Checks that a list of ids can be sent.

    :raises Fault: ``department.zero``, ``department.duplicate``, ``department.too-many``.
    """
    if len(ids) > MOST:
        raise Fault(
            "department.too-many",
            f"所属部门不得超过 {MOST} 个，现有 {len(ids)} 个，请减少",
            f"a member belongs to at most {MOST} departments, here are {len(ids)}. Remove some",
        )
    seen: set[int] = set()
    for department in ids:
        if department == 0:
            raise Fault(
                "department.zero",
                "部门 id 不能为 0，请填写企业微信中的部门 id",
                "0 is no department id. Give the id the department has in WeCom",
            )
        if department in seen:
            raise Fault(
                "department.duplicate",
                f"部门 {department} 重复，请只保留一个",
                f"department {department} is given twice. Keep one",
            )
        seen.add(department)


def _collect(value: Value, ids: list[int], depth: int) -> None:
    if is_empty(value):
        return
    if type(value) is str:
        _collect_text(value, ids, depth)
    elif type(value) is list and depth < 3:
        for item in value:
            _collect(item, ids, depth + 1)
    elif type(value) is dict and depth < 3 and "dept_no" in value:
        _collect(value["dept_no"], ids, depth + 2)
    elif type(value) in (int, float) and 0 <= value <= _LARGEST and value == int(value):
        ids.append(int(value))
    else:
        raise _invalid(write(value))


def _collect_text(text: str, ids: list[int], depth: int) -> None:
    plain = identifier(text)
    if plain.startswith(("[", "{", '"')) and depth < 3:
        try:
            inner = read(plain)
        except NotJson:
            pass
        else:
            _collect(inner, ids, depth + 1)
            return
    if len(plain) > 1 and plain[0] == "[" and plain[-1] == "]":
        plain = plain[1:-1]
    for part in split(plain):
        for word in filter(None, _SPACES.split(part)):
            digits = word.lstrip("0") or "0"
            if not _DIGITS.fullmatch(word) or len(digits) > 10 or int(digits) > _LARGEST:
                raise _invalid(word)
            ids.append(int(digits))


def _invalid(text: str) -> Fault:
    shown = show(text)
    return Fault(
        "department.invalid",
        f"{shown} 不是部门 id，请填写企业微信的部门 id，如 1,2,3；若表单填的是部门名称，请在规则中用 lookup 对照",
        f"{shown} is no department id. Give ids of WeCom, such as 1,2,3; for names of departments give the rules a "
        "lookup",
    )
