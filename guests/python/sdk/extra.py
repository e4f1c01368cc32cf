"""The fields that the contract carries as JSON text: ``extattr``, ``external_profile``, ``avatar_mediaid``,
``nickname``.

Any other name is rejected. WeCom ignores unknown fields, so a misspelt one would be silently lost; and a known one,
such as ``new_userid``, would have an effect that no rule here has checked.
"""

from __future__ import annotations

from typing import NoReturn

from .fault import Fault, show
from .jsontext import NotJson, Value, read
from .text import has_control

FIELDS = ("extattr", "external_profile", "avatar_mediaid", "nickname")
"""The names ``extra`` may hold."""

# The fields of `user/create` that have a place of their own in the contract.
_OWN = (
    "userid name mobile email department order is_leader_in_dept main_department position alias gender telephone "
    "address direct_leader biz_mail external_position enable to_invite"
).split()

_NAMES = {
    "extattr": ("extattr.invalid", "扩展属性"),
    "external_profile": ("external-profile.invalid", "对外信息"),
    "avatar_mediaid": ("avatar-mediaid.invalid", "头像 mediaid"),
    "nickname": ("nickname.invalid", "视频号名称"),
}


class _Wrong(Exception):
    """The problem in both languages, without a subject."""

    def __init__(self, chinese: str, english: str) -> None:
        self.chinese = chinese
        self.english = english


def check(field: str, json: str) -> None:
    """Checks that a field may be given in ``extra`` with this JSON text.

    :raises Fault: ``extra.own-field``, ``extra.unknown-field``, ``extra.not-json``; ``extattr.invalid``,
        ``external-profile.invalid``, ``avatar-mediaid.invalid``, ``nickname.invalid``.
    """
    if field in _OWN:
        raise Fault(
            "extra.own-field",
            f"{field} 有专用字段，不能放在 extra 中，请改用专用字段",
            f"{field} has a field of its own and may not be in extra. Use that field",
        )
    if field not in FIELDS:
        shown = show(field)
        raise Fault(
            "extra.unknown-field",
            f"企业微信没有 {shown} 字段，extra 只能含 extattr、external_profile、avatar_mediaid、nickname",
            f"{shown} is no field for extra: it takes extattr, external_profile, avatar_mediaid, nickname",
        )
    try:
        value = read(json)
    except NotJson:
        raise Fault(
            "extra.not-json",
            f"{field} 的内容不是有效的 JSON，请更正规则",
            f"the value of {field} is not JSON. Correct the rules",
        ) from None
    check_value(field, value)


def check_value(field: str, value: Value) -> None:
    """:func:`check` of a field by its value.

    :raises Fault: as :func:`check`.
    """
    try:
        if field == "extattr":
            _extattr(value)
        elif field == "external_profile":
            _external_profile(value)
        else:
            _word(value, 256 if field == "avatar_mediaid" else 64)
    except _Wrong as wrong:
        rule, chinese = _NAMES.get(field, _NAMES["nickname"])
        english = field if field in _NAMES else "nickname"
        raise Fault(rule, f"{chinese}：{wrong.chinese}，请更正", f"{english}: {wrong.english}. Correct it") from None


def text_attribute(name: str, text: str) -> dict[str, Value]:
    """The attribute object of a text attribute, for ``extattr.attrs``."""
    return {"type": 0, "name": name, "text": {"value": text}}


def duplicate(field: str) -> Fault:
    """A field given twice in ``extra``."""
    shown = show(field)
    return Fault("extra.duplicate", f"extra 中 {shown} 出现了两次，请只保留一个", f"{shown} is twice in extra. Keep one")


def _extattr(value: Value) -> None:
    if type(value) is not dict:
        raise _Wrong('应为对象 {"attrs":[…]}', 'must be an object {"attrs":[…]}')
    for key in sorted(value):
        if key != "attrs":
            raise _unknown(key)
    attributes = value.get("attrs")
    if type(attributes) is not list:
        raise _Wrong("缺少列表 attrs", "has no list attrs")
    for attribute in attributes:
        _attribute(attribute, 64, (0, 1))


def _external_profile(value: Value) -> None:
    if type(value) is not dict:
        raise _Wrong("应为对象", "must be an object")
    for key in sorted(value):
        inner = value[key]
        if key == "external_corp_name":
            _word(inner, 64)
        elif key == "wechat_channels":
            _word(inner.get("nickname") if type(inner) is dict else None, 64)
        elif key == "external_attr":
            if type(inner) is not list:
                raise _Wrong("external_attr 应为列表", "external_attr must be a list")
            for attribute in inner:
                _attribute(attribute, 32, (0, 1, 2))
        else:
            raise _unknown(key)


def _attribute(value: Value, most: int, kinds: tuple[int, ...]) -> None:
    """``{type:0,name,text:{value}}``, ``{type:1,name,web:{url,title}}`` or
    ``{type:2,name,miniprogram:{appid,pagepath,title}}``."""
    fields = value if type(value) is dict else {}
    name, kind = fields.get("name"), fields.get("type")
    if type(name) is not str or not name or has_control(name):
        raise _Wrong("属性缺少名称 name", "an attribute has no name")

    def part(key: str, field: str) -> str | None:
        inner = fields.get(key)
        text = inner.get(field) if type(inner) is dict else None
        return text if type(text) is str else None

    def title_fits(key: str) -> bool:
        title = part(key, "title")
        return title is not None and len(title) <= 12 and not has_control(title)

    def wrong(chinese: str, english: str) -> NoReturn:
        shown = show(name)
        raise _Wrong(f"属性 {shown} {chinese}", f"attribute {shown} {english}")

    if type(kind) is not int or kind not in kinds:
        wrong("的 type 不受支持", "has a type that is not allowed")
    if kind == 0:
        text = part("text", "value")
        if text is None:
            wrong("缺少 text.value", "has no text.value")
        if len(text) > most or has_control(text):
            wrong(
                f"的文本超过 {most} 个字符或含有控制字符", f"has more than {most} characters or a control character"
            )
    elif kind == 1:
        url = part("web", "url") or ""
        if not url.startswith(("http://", "https://")) or not title_fits("web"):
            wrong(
                "的 web 须有 http(s) 网址 url 和不超过 12 个字符的 title",
                "needs a web with an http(s) url and a title of at most 12 characters",
            )
    elif not part("miniprogram", "appid") or not part("miniprogram", "pagepath") or not title_fits("miniprogram"):
        wrong(
            "的 miniprogram 须有 appid、pagepath 和不超过 12 个字符的 title",
            "needs a miniprogram with appid, pagepath and a title of at most 12 characters",
        )


def _word(value: Value, most: int) -> None:
    if type(value) is not str or len(value) > most or has_control(value):
        raise _Wrong(f"应为不超过 {most} 个字符的文本", f"must be a text of at most {most} characters")


def _unknown(key: str) -> _Wrong:
    shown = show(key)
    return _Wrong(f"不认识的键 {shown}", f"unknown key {shown}")
