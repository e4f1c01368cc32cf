"""Reads the shapes in which JianDaoYun returns a field's value.

A form field can be empty in many ways: ``null``, ``""``, ``[]``, ``{}``, ``{"phone":""}``, an address of empty parts.
All of them are :func:`is_empty`. A phone field is an object, a person is known by ``username``, a department by
``dept_no``, depending on the form's design; so :func:`text` accepts them all. An account, a number or an address
cannot be made from every value with a text: :func:`identity` accepts only suitable values.
"""

from __future__ import annotations

import re
from typing import Any

from .characters import WHITE, ascii_lower
from .fault import Fault, cut, show
from .jsontext import NotJson, Value, number_text, read, write
from .text import identifier, is_blank, is_placeholder

_SEPARATOR = re.compile("[,;、|，；｜\n]")
_WHOLE = re.compile("[+-]?[0-9]+")
_ADDRESS = ("province", "city", "district", "detail")
_TRUE = {"true", "1", "yes", "y", "on", "是", "启用"}
_LITERALS = {"true", "false", "null", "undefined"}
_FALSE = {"false", "0", "no", "n", "off", "否", "禁用", "停用"}

json = write
"""The value as compact JSON text."""


def is_empty(value: Value) -> bool:
    """True if the form has no value here."""
    if type(value) is str:
        return is_blank(value)
    if value is None:
        return True
    if type(value) is list:
        return all(map(is_empty, value))
    if type(value) is dict:
        return is_empty(value["phone"]) if "phone" in value else all(map(is_empty, value.values()))
    return False


def text(value: Value) -> str:
    """The value as text: a phone object's number, a person's ``username``, a department's ``dept_no``, an address in
    one line, a linked row's id, a whole number without a fraction, a list's items joined with ``,``. Empty values are
    ``""``.

    :raises Fault: ``value.shape`` if the value is an object without a single text, such as an attachment.
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is list:
        if len(value) == 1:
            return text(value[0])
        joined = ""
        for item in value:
            if not is_empty(item):
                joined += ("," if joined else "") + text(item)
        return joined
    if type(value) is dict:
        found = _object_text(value)
        if found is None:
            raise shape(value)
        return found
    if type(value) is float and value.is_integer() and abs(value) < 9e15:
        return str(int(value))
    return number_text(value)


def identity(value: Value) -> str:
    """The value as the text of one identity: an account, a mobile number, an e-mail address, a name. A text, a whole
    number, a person's ``username``, a phone object's number, or a list of one of these. Empty values are ``""``.

    :raises Fault: ``value.shape`` for a boolean, a fraction, a number beyond 2^53, a list of several, any other
    object, and a text that programs write for no value, such as ``undefined``.
    """
    if value is None:
        return ""
    if type(value) is str:
        if ascii_lower(identifier(value)) in _LITERALS:
            raise _no_identity(f"文本 {show(value)}", f"the text {show(value)}")
        return value
    if type(value) is bool:
        word = "true" if value else "false"
        raise _no_identity(f"“是/否”值 {word}", f"the yes or no {word}")
    if type(value) is list:
        filled = [item for item in value if not is_empty(item)]
        if len(filled) > 1:
            raise _no_identity(f"含有 {len(filled)} 项的列表", f"a list of {len(filled)} items")
        return identity(filled[0]) if filled else ""
    if type(value) is dict:
        key = next((key for key in ("phone", "username") if key in value), None)
        if key is None and is_empty(value):
            return ""
        if key is None or isinstance(value[key], (dict, list)):
            raise _no_identity(f"含有 {_keys(value)} 的对象", f"an object of {_keys(value)}")
        return identity(value[key])
    # Beyond 2^53 the writer of the JSON may have rounded its last digit.
    if (type(value) is int or (type(value) is float and value.is_integer())) and abs(value) < 2**53:
        return str(int(value))
    shown = show(number_text(value))
    raise _no_identity(f"数字 {shown}", f"the number {shown}")


def placeholder(value: Value) -> str | None:
    """True for a placeholder instead of a value, as :func:`ruzhi.text.is_placeholder` decides for the value's
    text."""
    if type(value) not in (str, list, dict):
        return None
    try:
        written = text(value)
    except Fault:
        return None
    return written if is_placeholder(written) else None


def _no_identity(chinese: str, english: str) -> Fault:
    return Fault(
        "value.shape",
        f"{chinese}不能作为帐号、手机号、邮箱或姓名，请更正，或改用其他字段",
        f"{english} is no account, number, address or name. Correct it, or use another field",
    )


def _object_text(fields: dict[str, Value]) -> str | None:
    for key in ("phone", "username", "dept_no", "id"):
        if key in fields:
            inner = fields[key]
            return None if isinstance(inner, (dict, list)) else text(inner)
    if not any(key in fields for key in _ADDRESS):
        return "" if all(map(is_empty, fields.values())) else None
    # In the four municipalities the city repeats the province.
    parts: list[str] = []
    for key in _ADDRESS:
        part = fields.get(key)
        if type(part) is str and parts[-1:] != [part]:
            parts.append(part)
    return "".join(parts)


def items(value: Value) -> list[Value]:
    """The value as a list: an array's items; a text's parts, or the array in it; anything else as the one item.
    Empty items are left out."""
    if type(value) is str:
        try:
            inner = read(value.strip(WHITE))
        except NotJson:
            inner = None
        if type(inner) is not list:
            return list(split(value))
        value = inner
    if type(value) is list:
        return [item for item in value if not is_empty(item)]
    return [] if is_empty(value) else [value]


def split(text: str) -> list[str]:
    """The parts of a text between ``,`` ``;`` ``、`` ``|``, their full-width forms and line breaks, trimmed, empty ones
    left out."""
    return [part for part in (part.strip(WHITE) for part in _SEPARATOR.split(text)) if part]


def boolean(value: Value) -> bool:
    """The value as a boolean: ``true``, ``1``, ``yes``, ``y``, ``on``, ``是``, ``启用`` and their opposites, in any
    letter case.

    :raises Fault: ``value.type`` if it is neither.
    """
    if type(value) is bool:
        return value
    written = text(value)
    plain = ascii_lower(identifier(written))
    if plain in _TRUE:
        return True
    if plain in _FALSE:
        return False
    shown = show(written)
    raise Fault(
        "value.type",
        f"{shown} 不是“是/否”值，请填写 是、否、true、false、1 或 0",
        f"{shown} is neither yes nor no. Write true, false, 1 or 0",
    )


def integer(value: Value) -> int:
    """The value as a whole number of 64 bits.

    :raises Fault: ``value.type`` if it is not one.
    """
    if type(value) is int and value < 2**63:
        return value
    written = text(value)
    plain = identifier(written)
    if _WHOLE.fullmatch(plain):
        digits = plain.lstrip("+-").lstrip("0") or "0"
        if len(digits) < 20 and -(2**63) <= int(plain) < 2**63:
            return int(plain)
    shown = show(written)
    raise Fault("value.type", f"{shown} 不是整数，请填写整数", f"{shown} is not a whole number. Write one")


def number(value: Value) -> float:
    """The value as a finite number.

    :raises Fault: ``value.type`` if it is not one.
    """
    if type(value) in (int, float):
        return float(value)
    written = text(value)
    try:
        inner: Any = read(identifier(written).lstrip("+"))
    except NotJson:
        inner = None
    if type(inner) in (int, float):
        return float(inner)
    shown = show(written)
    raise Fault("value.type", f"{shown} 不是数字，请填写数字", f"{shown} is not a number. Write one")


def shape(value: Value) -> Fault:
    """The fault for a value that cannot be converted to text."""
    kind = _keys(value) if isinstance(value, dict) else ""
    return Fault(
        "value.shape",
        f"该值是含有 {kind} 的对象，不能当作文本，请换一个字段或写明子字段",
        f"the value is an object of {kind}, not a text. Use another field or name a part of it",
    )


def _keys(fields: dict[str, Value]) -> str:
    return cut(", ".join(sorted(fields)), 60)
