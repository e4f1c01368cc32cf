"""E-mail addresses: 6 to 64 bytes accepted by WeCom (error 60105), checked for common mistakes rather than against
all of RFC 5322."""

from __future__ import annotations

import re

from .characters import ascii_lower
from .fault import Fault, show
from .text import identifier

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_LABEL = re.compile("[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


def parse(text: str) -> str:
    """Reads an address: cleaned as an identifier, the domain in lower case.

    >>> parse(" zhang.san＠Example.COM ")
    'zhang.san@example.com'

    :raises Fault: ``email.length`` if it has fewer than 6 or more than 64 bytes, ``email.invalid`` if it is not an
    address.
    """
    address = identifier(text)
    check(address)
    local, at, domain = address.partition("@")
    return local + at + ascii_lower(domain)


def check(address: str) -> None:
    """Checks that an address can be sent unchanged.

    :raises Fault: as :func:`parse`.
    """
    _check_as(address, 64, "邮箱", "e-mail", "email")


def check_biz_mail(address: str) -> None:
    """Checks that a text is an enterprise mail address of 6 to 63 bytes: the update call takes one byte less than the
    create call.

    :raises Fault: ``biz-mail.length``, ``biz-mail.invalid``.
    """
    _check_as(address, 63, "企业邮箱", "enterprise mail", "biz-mail")


def _check_as(address: str, most: int, chinese: str, english: str, rule: str) -> None:
    length = len(address.encode())
    if not 6 <= length <= most:
        shown = show(address)
        raise Fault(
            f"{rule}.length",
            f"{chinese} {shown} 长度应为 6~{most} 字节，现为 {length} 字节，请更正",
            f"{english} {shown} must have 6 to {most} bytes, it has {length}. Correct it",
        )
    if not _is_address(address):
        shown = show(address)
        raise Fault(
            f"{rule}.invalid",
            f"{chinese} {shown} 格式不正确，应如 name@example.com，请更正",
            f"{english} {shown} is no address such as name@example.com. Correct it",
        )


def _is_address(address: str) -> bool:
    local, at, domain = address.partition("@")
    labels = domain.split(".")
    return (
        at == "@"
        and all(_ATOM.fullmatch(part) for part in local.split("."))
        and all(_LABEL.fullmatch(label) for label in labels)
        and len(labels) > 1
        and len(labels[-1]) >= 2
        and not labels[-1].isdigit()
    )
