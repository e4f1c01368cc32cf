"""The hard constraints of WeCom's ``user/create``, field by field, each as a function on the value, and :func:`check`
over a whole member. The host checks the same again.

An empty optional field is valid: it is left out when the member is created and cleared when it is updated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import department, email, extra, mobile
from .characters import WHITE_SPACE, ascii_lower
from .contract import Member, Violation
from .fault import Fault, show
from .text import has_control, identifier, is_blank

_USERID = re.compile("[A-Za-z0-9_@.-]+")
_TELEPHONE = re.compile("[0-9+,-]{1,32}")
_GENDERS = {
    **dict.fromkeys(("1", "男", "男性", "male", "m", "先生"), "1"),
    **dict.fromkeys(("2", "女", "女性", "female", "f", "女士"), "2"),
}
_TELEPHONE_MARKS = str.maketrans(
    {
        **dict.fromkeys("转xX", ","),
        **dict.fromkeys(")\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)
_TELEPHONE_NOISE = re.compile(f"[{WHITE_SPACE}(et.]")


def check(member: Member) -> list[Violation]:
    """Every rule a member breaks, each at its WeCom field; none if WeCom would accept the member."""
    found: list[Violation] = []

    def hold(field: str, rule: Callable[[], None]) -> None:
        try:
            rule()
        except Fault as fault:
            found.append(fault.at(field))

    hold("userid", lambda: userid(member.userid))
    hold("name", lambda: name(member.name))
    if not member.mobile and not member.email:
        found.append(_no_contact().at("mobile"))
    for field, rule in _FIRST_TEXTS.items():
        if text := getattr(member, field):
            hold(field, lambda: rule(text))
    if member.memberships:
        hold("department", lambda: department.check([one.department for one in member.memberships]))
    if member.main_department is not None:
        hold("main_department", lambda: _main_department(member))
    for field, rule in _LAST_TEXTS.items():
        if field == "biz_mail" and member.direct_leader is not None:
            hold("direct_leader", lambda: direct_leader(member.direct_leader or []))
        if text := getattr(member, field):
            hold(field, lambda: rule(text))
    names = [field for field, _ in member.extra]
    for place, (field, json) in enumerate(member.extra):
        if field in names[:place]:
            found.append(extra.duplicate(field).at(field))
        else:
            hold(field, lambda: extra.check(field, json))
    return found


def userid(text: str) -> None:
    """A userid: 1–64 bytes of letters, digits and ``_-@.``, the first a letter or digit.

    :raises Fault: ``userid.empty``, ``userid.too-long``, ``userid.charset``, ``userid.first-character``.
    """
    if not text:
        raise Fault("userid.empty", "成员 UserID 为空，请填写帐号", "the userid is empty. Fill in the account")
    lawful = _USERID.fullmatch(text) is not None
    length = len(text) if lawful else len(text.encode())
    if length > 64:
        shown = show(text)
        raise Fault(
            "userid.too-long",
            f"成员 UserID {shown} 有 {length} 字节，不得超过 64 字节，请缩短",
            f"the userid {shown} has {length} bytes, at most 64 are allowed. Shorten it",
        )
    if not lawful:
        shown = show(text)
        raise Fault(
            "userid.charset",
            f"成员 UserID {shown} 含有不允许的字符，只能用字母、数字和 _-@. ，请更正",
            f"the userid {shown} has other characters than letters, digits and _-@. Correct it",
        )
    if text[0] in "_-@.":
        shown = show(text)
        raise Fault(
            "userid.first-character",
            f"成员 UserID {shown} 的第一个字符必须是字母或数字，请更正",
            f"the userid {shown} must begin with a letter or digit. Correct it",
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """A text of one line."""

    most: int
    rule: str
    chinese: str
    english: str

    def __call__(self, text: str) -> None:
        if len(text) > self.most:
            shown, count = show(text), len(text)
            raise Fault(
                f"{self.rule}.too-long",
                f"{self.chinese} {shown} 有 {count} 个字符，不得超过 {self.most} 个，请缩短",
                f"the {self.english} {shown} has {count} characters, at most {self.most} are allowed. Shorten it",
            )
        if has_control(text):
            shown = show(text)
            raise Fault(
                f"{self.rule}.control-character",
                f"{self.chinese} {shown} 含有换行或控制字符，请删除",
                f"the {self.english} {shown} has a line break or control character. Remove it",
            )


_NAME = _Line(64, "name", "姓名", "name")

position = _Line(128, "position", "职务", "position")
"""A job title: at most 128 characters on one line (``position.too-long``, ``position.control-character``)."""
alias = _Line(64, "alias", "别名", "alias")
"""An alias: at most 64 characters on one line (``alias.too-long``, ``alias.control-character``)."""
address = _Line(128, "address", "地址", "address")
"""An address: at most 128 characters on one line (``address.too-long``, ``address.control-character``)."""
external_position = _Line(12, "external-position", "对外职务", "external position")
"""A job title shown outside the company: at most 12 characters on one line (``external-position.too-long``,
``external-position.control-character``)."""


def name(text: str) -> None:
    """A name: 1–64 characters on one line.

    :raises Fault: ``name.empty``, ``name.too-long``, ``name.control-character``.
    """
    if is_blank(text):
        raise Fault("name.empty", "姓名为空，请填写姓名", "the name is empty. Fill it in")
    _NAME(text)


def gender(text: str) -> None:
    """A gender: ``1`` male, ``2`` female.

    :raises Fault: ``gender.invalid``.
    """
    if text not in ("1", "2"):
        shown = show(text)
        raise Fault(
            "gender.invalid",
            f"性别 {shown} 无效，请填写 男 或 女",
            f"the gender {shown} is not known. Write 1 or male, 2 or female",
        )


def parse_gender(text: str) -> str:
    """A gender as people write it, to ``1`` or ``2``.

    :raises Fault: ``gender.invalid``.
    """
    found = _GENDERS.get(ascii_lower(identifier(text)))
    if found is None:
        gender(text)
        return "1"
    return found


def telephone(text: str) -> None:
    """A landline: at most 32 characters of digits, ``-``, ``+`` and ``,``.

    :raises Fault: ``telephone.invalid``.
    """
    if not _TELEPHONE.fullmatch(text) or not text.strip("+,-"):
        shown = show(text)
        raise Fault(
            "telephone.invalid",
            f"座机 {shown} 无效，只能用数字、- + ,，且不超过 32 位，请更正",
            f"the telephone {shown} may only have digits, - + and , and at most 32 of them. Correct it",
        )


def parse_telephone(text: str) -> str:
    """A landline as people write it: brackets become ``-``, spaces are removed, an extension (``转``, ``x``, ``ext.``)
    goes after a ``,``.

    :raises Fault: ``telephone.invalid``.
    """
    plain = _TELEPHONE_NOISE.sub("", identifier(text).translate(_TELEPHONE_MARKS))
    plain = re.sub("-+", "-", plain)
    try:
        telephone(plain)
    except Fault:
        # The message shows the original text, unless that would be valid.
        telephone(text)
        raise
    return plain


def direct_leader(leaders: Sequence[str]) -> None:
    """Direct leaders: at most one, a userid.

    :raises Fault: ``direct-leader.too-many``, ``direct-leader.invalid``.
    """
    if len(leaders) > 1:
        raise Fault(
            "direct-leader.too-many",
            f"直属上级最多 1 位，现有 {len(leaders)} 位，请只保留一位",
            f"a member has at most 1 direct leader, here are {len(leaders)}. Keep one",
        )
    for leader in leaders:
        try:
            userid(leader)
        except Fault:
            shown = show(leader)
            raise Fault(
                "direct-leader.invalid",
                f"直属上级 {shown} 不是有效的 UserID，请更正",
                f"the direct leader {shown} is no userid. Correct it",
            ) from None


def _main_department(member: Member) -> None:
    main = member.main_department
    if not any(membership.department == main for membership in member.memberships):
        raise Fault(
            "main-department.not-a-member",
            f"主部门 {main} 不在所属部门之中，请更正主部门或所属部门",
            f"the main department {main} is none of the member's departments. Correct one of them",
        )


def _no_contact() -> Fault:
    return Fault(
        "contact.missing",
        "手机号和邮箱不能同时为空，请至少填写一项",
        "mobile and e-mail are both empty. Fill in one of them",
    )


# In the order in which a clerk hears of them, departments between the two.
_FIRST_TEXTS: dict[str, Callable[[str], None]] = {"mobile": mobile.check, "email": email.check}
_LAST_TEXTS: dict[str, Callable[[str], None]] = {
    "position": position,
    "alias": alias,
    "gender": gender,
    "telephone": telephone,
    "address": address,
    "biz_mail": email.check_biz_mail,
    "external_position": external_position,
}
